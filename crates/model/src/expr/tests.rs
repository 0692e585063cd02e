//! Expressions by what they give.

use super::*;
use crate::value::Value;

const INTEGER: FieldType = FieldType::Integer {
    min: None,
    max: None,
};

fn decimal(precision: u8, scale: u8) -> FieldType {
    FieldType::Decimal {
        precision,
        scale,
        min: None,
        max: None,
        unit: None,
    }
}

fn text() -> FieldType {
    FieldType::Text {
        min: 0,
        max: 255,
        pattern: None,
    }
}

/// n (number) 7, d (decimal) 2.5, t (text) Réseau, b true, on (date), at (datetime), m money,
/// x a number that is missing.
fn find(name: &str) -> Result<(FieldIx, Kind), String> {
    let known = [
        ("n", Kind::Number),
        ("d", Kind::Number),
        ("t", Kind::Text),
        ("b", Kind::Boolean),
        ("on", Kind::Date),
        ("at", Kind::Time),
        ("m", Kind::Money),
        ("x", Kind::Number),
        ("big", Kind::Number),
    ];
    let place = known.iter().position(|(known, _)| *known == name);
    let place = place.ok_or_else(|| format!("no {name}"))?;
    Ok((FieldIx(u16::try_from(place).unwrap()), known[place].1))
}

fn values() -> Vec<Value> {
    vec![
        Value::Int(7),
        Value::Decimal("2.5".parse().unwrap()),
        "Réseau".into(),
        true.into(),
        Value::Date("2026-02-27".parse().unwrap()),
        Value::Time("2026-03-01T12:00:00Z".parse().unwrap()),
        Value::Money {
            amount: "12.50".parse().unwrap(),
            currency: "EUR".into(),
        },
        Value::Null,
        Value::Int(i64::MAX),
    ]
}

fn made(source: &str, returns: &FieldType) -> Result<Value, OutOfRange> {
    let expr = Expr::parse(source, returns, &find)
        .unwrap_or_else(|error| panic!("{source}: {} at {}", error.message, error.at));
    expr.value(&values(), returns)
}

fn refused(source: &str, returns: &FieldType) -> (usize, String) {
    let error = Expr::parse(source, returns, &find).expect_err(source);
    (error.at, error.message)
}

#[test]
fn numbers_are_exact_and_operators_bind_as_in_school() {
    let number = |text: &str| Ok(Value::Decimal(text.parse().unwrap()));
    let kind = decimal(18, 6);
    assert_eq!(made("n + d * 2", &kind), number("12"));
    assert_eq!(made("(n + d) * 2", &kind), number("19"));
    assert_eq!(made("0.1 + 0.2", &kind), number("0.3"));
    assert_eq!(made("n - 1 - 2", &kind), number("4"));
    assert_eq!(made("-n + 1", &kind), number("-6"));
    assert_eq!(made("n / 3", &kind), number("2.333333"));
    assert_eq!(made("round(d)", &kind), number("3"));
    assert_eq!(made("round(-d)", &kind), number("-3"));
    assert_eq!(made("max(n, d, x)", &kind), number("7"));
    assert_eq!(made("amount(m) * 2", &kind), number("25"));
    assert_eq!(
        made("d", &INTEGER),
        Ok(Value::Int(3)),
        "rounded to what it returns"
    );
}

#[test]
fn what_is_missing_stays_missing() {
    for source in ["n + x", "x * 2", "-x", "n / 0", "round(x)", "abs(x)", "x"] {
        assert_eq!(made(source, &decimal(18, 6)), Ok(Value::Null), "{source}");
    }
    assert_eq!(made("coalesce(x, n)", &INTEGER), Ok(Value::Int(7)));
    let flag = FieldType::Boolean;
    for (source, holds) in [
        ("x > 0", false),
        ("x <= 0", false),
        ("x == 0", false),
        ("x != 0", true),
        ("x == null", true),
        ("n == null", false),
        ("n != null", true),
        ("not (x > 0)", true),
    ] {
        assert_eq!(made(source, &flag), Ok(Value::Bool(holds)), "{source}");
    }
    assert_eq!(
        made("'' ~ null", &text()),
        Ok(Value::Null),
        "an empty text is none"
    );
}

#[test]
fn texts_days_and_moments() {
    assert_eq!(
        made("t ~ ' / ' ~ n ~ ' ' ~ on", &text()),
        Ok("Réseau / 7 2026-02-27".into())
    );
    assert_eq!(made("upper(t) ~ length(t)", &text()), Ok("RÉSEAU6".into()));
    assert_eq!(made("'it''s'", &text()), Ok("it's".into()));
    assert_eq!(
        made("if(b and n > 5, 'high', 'low')", &text()),
        Ok("high".into())
    );
    assert_eq!(made("currency(m)", &text()), Ok("EUR".into()));
    assert_eq!(
        made("on + 2", &FieldType::Date),
        Ok(Value::Date("2026-03-01".parse().unwrap()))
    );
    assert_eq!(made("on - (on - 3)", &INTEGER), Ok(Value::Int(3)));
    assert_eq!(
        made("year(on) * 100 + month(on)", &INTEGER),
        Ok(Value::Int(202_602))
    );
    let noon = Value::Time("2026-03-01T13:30:00Z".parse().unwrap());
    assert_eq!(made("at + 5400", &FieldType::DateTime), Ok(noon));
    let lasts = FieldType::Duration {
        min: None,
        max: None,
    };
    assert_eq!(made("(at + 90) - at", &lasts), Ok(Value::Int(90)));
}

#[test]
fn what_does_not_fit_is_told_and_never_wraps() {
    assert_eq!(made("big + 1", &INTEGER), Err(OutOfRange));
    assert_eq!(made("n * 1000", &decimal(5, 2)), Err(OutOfRange));
    assert_eq!(made("on + 99999999", &FieldType::Date), Err(OutOfRange));
    assert_eq!(made("at + big", &FieldType::DateTime), Err(OutOfRange));
    assert_eq!(made("big * big * big", &decimal(28, 0)), Err(OutOfRange));
    assert_eq!(
        made("9223372036854775807", &INTEGER),
        Ok(Value::Int(i64::MAX))
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    let told = |source: &str, at: usize, part: &str| {
        let (found, message) = refused(source, &INTEGER);
        assert!(message.contains(part), "{source}: {message}");
        assert_eq!(found, at, "{source}: {message}");
    };
    told("n + ", 4, "missing at the end");
    told("n n", 2, "not expected");
    told("n + nn", 4, "no nn");
    told("n + t", 2, "do not go together");
    told("(n", 2, "“)” is missing");
    told("n + 'a", 4, "not closed");
    told("n ? 2", 2, "means nothing");
    told("1.2.3", 0, "not a number");
    told("foo(n)", 0, "no function");
    told("round()", 0, "round(number)");
    told("m + 1", 2, "money");
    told("t", 0, "it gives a text");
    told("", 0, "missing");
    told(")", 0, "not expected");
}

#[test]
fn no_text_hurts_the_reader() {
    let deep = "(".repeat(300);
    assert!(refused(&deep, &INTEGER).1.contains("deeply"));
    let signs = "-".repeat(300);
    assert!(refused(&signs, &INTEGER).1.contains("deeply"));
    let nots = "not ".repeat(300);
    assert!(refused(&nots, &INTEGER).1.contains("deeply"));
    let chain = "1+".repeat(900);
    assert!(refused(&chain, &INTEGER).1.contains("at most"));
    let long = "1+".repeat(5_000);
    assert!(refused(&long, &INTEGER).1.contains("at most"));
    assert!(refused("é€𝄞", &INTEGER).1.contains("means nothing"));
}
