//! Every type with what it takes and what it must not.

use serde_json::{Value as Json, json};

use super::*;
use crate::condition::Condition;
use crate::schema::{EntityIx, LinkSpec, OnDelete, Pattern};

const ID: &str = "0199aaaa-0000-7000-8000-00000000000a";

fn code(kind: &FieldType, json: &Json) -> &'static str {
    match parse(kind, json) {
        Ok(value) => unreachable!("{json} is taken for {value:?}"),
        Err(invalid) => invalid.code,
    }
}

/// What is read from each of these.
fn takes<V: Into<Value>>(kind: &FieldType, given: impl IntoIterator<Item = (Json, V)>) {
    for (json, value) in given {
        assert_eq!(parse(kind, &json), Ok(value.into()), "{json}");
    }
}

/// Each of these is refused with this code.
fn refuses(kind: &FieldType, given: impl IntoIterator<Item = (Json, &'static str)>) {
    for (json, wanted) in given {
        assert_eq!(code(kind, &json), wanted, "{json}");
    }
}

fn plain_text(min: usize, max: usize) -> FieldType {
    FieldType::Text {
        min,
        max,
        pattern: None,
    }
}

fn exact(precision: u8, scale: u8) -> FieldType {
    FieldType::Decimal {
        precision,
        scale,
        min: None,
        max: None,
        unit: None,
    }
}

fn number(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn decimal_of(text: &str) -> Value {
    Value::Decimal(Decimal::from_str(text).unwrap())
}

/// Every type there is, with a value it takes.
fn all_types() -> Vec<(FieldType, Json)> {
    let option = ChoiceOption {
        id: String::new(),
        value: "low".into(),
        color: "gray".into(),
    };
    let link = LinkSpec {
        to: EntityIx(0),
        condition: Condition::default(),
        on_delete: OnDelete::Clear,
        inverse: None,
        acyclic: false,
        nested: false,
    };
    let (min, max) = (None, None);
    vec![
        (FieldType::Id, json!(ID)),
        (plain_text(0, 10), json!("text")),
        (FieldType::LongText { max: 10 }, json!("text")),
        (FieldType::RichText { max: 10 }, json!("*text*")),
        (FieldType::Email, json!("awa@example.org")),
        (FieldType::Phone, json!("+241 11 22 33 44")),
        (FieldType::Url, json!("https://example.org")),
        (FieldType::Color, json!("#00aaff")),
        (FieldType::Integer { min, max }, json!(1)),
        (exact(18, 6), json!(1)),
        (
            FieldType::Money {
                precision: 18,
                scale: 2,
                currency: None,
            },
            json!({"amount": 1, "currency": "EUR"}),
        ),
        (FieldType::Boolean, json!(true)),
        (FieldType::Date, json!("2026-01-31")),
        (FieldType::DateTime, json!("2026-01-31T08:30:00Z")),
        (FieldType::Duration { min, max }, json!(60)),
        (
            FieldType::Choice {
                options: vec![option.clone()],
            },
            json!("low"),
        ),
        (
            FieldType::Choices {
                options: vec![option],
            },
            json!(["low"]),
        ),
        (FieldType::Tags { max: 3 }, json!(["a"])),
        (
            FieldType::State {
                initial: "new".into(),
            },
            json!("new"),
        ),
        (FieldType::Link(link.clone()), json!(ID)),
        (FieldType::Links(link), json!([ID])),
        (
            FieldType::AnyLink { to: Vec::new() },
            json!({"entity": "ticket", "id": ID}),
        ),
        (FieldType::File { max_size: None }, json!(ID)),
        (FieldType::Image { max_size: None }, json!(ID)),
        (FieldType::Geo, json!({"lat": 0, "lon": 0})),
        (FieldType::Secret, json!("secret")),
        (FieldType::Password, json!("secret")),
    ]
}

#[test]
fn every_type_takes_its_own_null_and_nothing_else() {
    let strange = [
        json!([]),
        json!({}),
        json!([[]]),
        json!({"a": {}}),
        json!("\u{0}"),
        number("1e400"),
        number("-0.000000000000000000000000000000000001"),
    ];
    for (kind, own) in all_types() {
        assert!(parse(&kind, &own).is_ok(), "{} {own}", kind.name());
        assert_eq!(parse(&kind, &Json::Null), Ok(Value::Null));
        for json in &strange {
            let empty_set = kind.is_set() && *json == json!([]);
            assert_eq!(
                parse(&kind, json).is_ok(),
                empty_set,
                "{} {json}",
                kind.name()
            );
        }
    }
}

#[test]
fn lengths_count_characters() {
    let kind = plain_text(2, 5);
    takes(
        &kind,
        [
            (json!("👍🏽👍🏽"), "👍🏽👍🏽"),
            (json!("éèàùç"), "éèàùç"),
            (json!("  "), "  "),
        ],
    );
    refuses(
        &kind,
        [
            (json!("é"), "too_short"),
            (json!("👍👍👍👍👍👍"), "too_long"),
            (json!("a\u{0}b"), "wrong_type"),
            (json!(12), "wrong_type"),
            (json!("x".repeat(10_000_000)), "too_long"),
        ],
    );
}

#[test]
fn a_pattern_is_asked_after_the_length() {
    let kind = FieldType::Text {
        min: 0,
        max: 3,
        pattern: Some(Pattern(regex::Regex::new("^[A-Z]{3}$").unwrap())),
    };
    takes(&kind, [(json!("EUR"), "EUR")]);
    refuses(
        &kind,
        [(json!("eur"), "pattern"), (json!("EURO"), "too_long")],
    );
}

#[test]
fn decimals_are_exact_to_the_last_digit() {
    let kind = exact(28, 10);
    for text in [
        "0.1",
        "123456789012345678.0123456789",
        "-123456789012345678.0123456789",
        "12.50",
        "0",
        "-0.0000000001",
    ] {
        assert_eq!(parse(&kind, &number(text)), Ok(decimal_of(text)), "{text}");
        assert_eq!(
            parse(&kind, &json!(text)),
            Ok(decimal_of(text)),
            "{text} as text"
        );
    }
    takes(
        &kind,
        [
            (number("1.5e3"), decimal_of("1500")),
            (number("15E-1"), decimal_of("1.5")),
            (json!(" +0012.5 "), decimal_of("12.5")),
            // Zeros at the end are not digits too many.
            (number("1.00000000000000000"), decimal_of("1")),
        ],
    );
}

#[test]
fn decimals_beyond_their_digits_are_refused_and_never_rounded() {
    refuses(
        &exact(18, 6),
        [
            (number("0.0000001"), "precision"),
            (number("1234567890123"), "precision"),
            (number("1e400"), "precision"),
            (json!("1e400"), "precision"),
            (number("1e-400"), "precision"),
            (json!("9".repeat(400)), "precision"),
            (json!("NaN"), "wrong_type"),
            (json!("Infinity"), "wrong_type"),
            (json!("1_000"), "wrong_type"),
            (json!("1,5"), "wrong_type"),
            (json!("0x10"), "wrong_type"),
            (json!("1.2.3"), "wrong_type"),
            (json!("."), "wrong_type"),
            (json!("-"), "wrong_type"),
            (json!("e5"), "wrong_type"),
            (json!(""), "wrong_type"),
            (json!("１２"), "wrong_type"),
            (json!(true), "wrong_type"),
        ],
    );
    let all_28 = "9".repeat(28);
    takes(&exact(28, 0), [(json!(all_28), decimal_of(&all_28))]);
    refuses(&exact(27, 0), [(json!(all_28), "precision")]);
    takes(&exact(2, 2), [(json!("0.99"), decimal_of("0.99"))]);
    refuses(&exact(2, 2), [(json!("1"), "precision")]);
}

#[test]
fn limits_include_their_ends() {
    let decimal = FieldType::Decimal {
        precision: 18,
        scale: 2,
        min: Some(Decimal::ZERO),
        max: Some(Decimal::ONE_HUNDRED),
        unit: Some("%".into()),
    };
    takes(
        &decimal,
        [(json!(0), decimal_of("0")), (json!(100), decimal_of("100"))],
    );
    refuses(
        &decimal,
        [
            (number("-0.01"), "too_small"),
            (number("100.01"), "too_large"),
        ],
    );
    let integer = FieldType::Integer {
        min: Some(-1),
        max: Some(1),
    };
    takes(&integer, [(json!(-1), -1), (json!(1), 1)]);
    refuses(
        &integer,
        [(json!(-2), "too_small"), (json!(2), "too_large")],
    );
}

#[test]
fn integers_are_whole_and_have_64_bits() {
    let kind = FieldType::Integer {
        min: None,
        max: None,
    };
    takes(
        &kind,
        [(json!(i64::MAX), i64::MAX), (json!(i64::MIN), i64::MIN)],
    );
    refuses(
        &kind,
        [
            (number("9223372036854775808"), "wrong_type"),
            (number("1.0"), "wrong_type"),
            (number("1e2"), "wrong_type"),
            (json!("1"), "wrong_type"),
        ],
    );
}

#[test]
fn durations_are_whole_seconds_or_iso_8601() {
    let kind = FieldType::Duration {
        min: Some(0),
        max: None,
    };
    takes(
        &kind,
        [
            (json!(90), 90),
            (json!("PT1H30M"), 5400),
            (json!("PT0S"), 0),
        ],
    );
    refuses(
        &kind,
        [
            (json!("PT1.5S"), "precision"),
            (json!(-1), "too_small"),
            (json!("-PT1S"), "too_small"),
            (json!("1 hour or so"), "wrong_type"),
            (json!(number("1.5")), "wrong_type"),
        ],
    );
}

#[test]
fn days_exist_and_are_written_one_way() {
    takes(
        &FieldType::Date,
        [(
            json!("2028-02-29"),
            Value::Date(civil::Date::constant(2028, 2, 29)),
        )],
    );
    refuses(
        &FieldType::Date,
        [
            (json!("2026-02-30"), "invalid_date"),
            (json!("2026-02-29"), "invalid_date"),
            (json!("2026-1-1"), "invalid_date"),
            (json!("20260131"), "invalid_date"),
            (json!("2026-01-31T00:00:00Z"), "invalid_date"),
            (json!("31/01/2026"), "invalid_date"),
            (json!(20_260_131), "invalid_date"),
        ],
    );
}

#[test]
fn instants_of_any_offset_are_the_same_instant() {
    let at = |text: &str| Value::Time(Timestamp::from_str(text).unwrap());
    takes(
        &FieldType::DateTime,
        [
            (json!("2026-01-31T08:30:00Z"), at("2026-01-31T08:30:00Z")),
            (
                json!("2026-01-31T09:30:00+01:00"),
                at("2026-01-31T08:30:00Z"),
            ),
            (
                json!("2026-01-31T08:30:00.1234567Z"),
                at("2026-01-31T08:30:00.123456Z"),
            ),
        ],
    );
    refuses(
        &FieldType::DateTime,
        [
            (json!("2026-01-31T08:30:00"), "invalid_datetime"),
            (json!("2026-02-30T08:30:00Z"), "invalid_datetime"),
            (json!("2026-01-31"), "invalid_datetime"),
            (json!("2026-01-31T25:00:00Z"), "invalid_datetime"),
            (json!(1_769_848_200), "invalid_datetime"),
            (json!("now"), "invalid_datetime"),
        ],
    );
}

#[test]
fn addresses_numbers_and_colours_are_what_they_claim() {
    takes(
        &FieldType::Email,
        [(json!(" awa.ndong@example.org "), "awa.ndong@example.org")],
    );
    refuses(
        &FieldType::Email,
        [
            (json!("Awa <awa@example.org>"), "invalid_email"),
            (json!("awa@[10.0.0.1]"), "invalid_email"),
            (json!("awa"), "invalid_email"),
            (json!("a@b@c"), "invalid_email"),
            (json!(""), "invalid_email"),
        ],
    );
    takes(
        &FieldType::Phone,
        [(json!("(0)1 23-45.67"), "(0)1 23-45.67")],
    );
    refuses(
        &FieldType::Phone,
        [
            (json!("12"), "invalid_phone"),
            (json!("call me"), "invalid_phone"),
            (json!("1".repeat(21)), "invalid_phone"),
        ],
    );
    takes(
        &FieldType::Url,
        [(
            json!("https://example.org/é?q=1"),
            "https://example.org/é?q=1",
        )],
    );
    refuses(
        &FieldType::Url,
        [
            (json!("javascript:alert(1)"), "invalid_url"),
            (json!("data:text/html,x"), "invalid_url"),
            (json!("example.org"), "invalid_url"),
        ],
    );
    takes(&FieldType::Color, [(json!("#00AAff"), "#00aaff")]);
    refuses(
        &FieldType::Color,
        [
            (json!("#00a"), "invalid_color"),
            (json!("#00aafé"), "invalid_color"),
            (json!("red"), "invalid_color"),
        ],
    );
}

#[test]
fn money_has_an_amount_and_a_currency() {
    let kind = |currency: Option<&str>| FieldType::Money {
        precision: 18,
        scale: 2,
        currency: currency.map(str::to_owned),
    };
    let euros = Value::Money {
        amount: Decimal::from_str("12.50").unwrap(),
        currency: "EUR".into(),
    };
    takes(
        &kind(None),
        [
            (json!({"amount": "12.50", "currency": "EUR"}), euros.clone()),
            (
                json!({"amount": number("12.50"), "currency": "EUR"}),
                euros.clone(),
            ),
        ],
    );
    takes(
        &kind(Some("EUR")),
        [(json!({"amount": number("12.5")}), euros)],
    );
    refuses(
        &kind(None),
        [
            (json!({"amount": 1}), "wrong_type"),
            (json!({"currency": "EUR"}), "wrong_type"),
            (json!({"amount": null, "currency": "EUR"}), "wrong_type"),
            (json!({"amount": 1, "currency": "eur"}), "not_an_option"),
            (json!({"amount": 1, "currency": 978}), "wrong_type"),
            (
                json!({"amount": 1, "currency": "EUR", "rate": 2}),
                "wrong_type",
            ),
            (
                json!({"amount": number("0.001"), "currency": "EUR"}),
                "precision",
            ),
            (json!(12), "wrong_type"),
        ],
    );
}

#[test]
fn sets_lose_duplicates_and_keep_their_order() {
    let tags = FieldType::Tags { max: 2 };
    takes(
        &tags,
        [(
            json!(["b", " a ", "b", "a"]),
            Value::Set(vec!["b".into(), "a".into()]),
        )],
    );
    refuses(
        &tags,
        [
            (json!(["a", "b", "c"]), "too_many"),
            (json!([""]), "too_short"),
            (json!(["a", 1]), "wrong_type"),
            (json!("a"), "wrong_type"),
            (json!(["x".repeat(61)]), "too_long"),
        ],
    );
}

#[test]
fn points_lie_on_the_earth_and_references_have_two_parts() {
    let point = Value::Geo {
        lat: Decimal::from_str("-0.7193").unwrap(),
        lon: Decimal::from_str("8.7815").unwrap(),
    };
    takes(
        &FieldType::Geo,
        [(json!({"lat": number("-0.7193"), "lon": "8.7815"}), point)],
    );
    refuses(
        &FieldType::Geo,
        [
            (json!({"lat": number("90.000001"), "lon": 0}), "too_large"),
            (json!({"lat": 0, "lon": -181}), "too_small"),
            (json!({"lat": 0}), "wrong_type"),
            (json!({"lat": 0, "lon": number("0.0000001")}), "precision"),
            (json!({"lat": 0, "lon": 0, "alt": 0}), "wrong_type"),
        ],
    );
    let any = FieldType::AnyLink { to: Vec::new() };
    refuses(
        &any,
        [
            (json!({"entity": "ticket", "id": "x"}), "invalid_id"),
            (json!({"entity": "ticket", "id": null}), "invalid_id"),
            (json!({"entity": 1, "id": ID}), "wrong_type"),
            (json!(ID), "wrong_type"),
        ],
    );
}

#[test]
fn json_is_bounded() {
    let nested = json!({"a": [1, null, {"b": "c"}]});
    takes(&FieldType::Json, [(nested.clone(), Value::Json(nested))]);
    refuses(
        &FieldType::Json,
        [(json!("x".repeat(1_000_001)), "too_long")],
    );
}

#[test]
fn computed_values_are_read_as_what_they_return() {
    let kind = FieldType::Computed {
        returns: Box::new(FieldType::Date),
        expr: "x".into(),
    };
    takes(
        &kind,
        [(
            json!("2026-01-31"),
            Value::Date(civil::Date::constant(2026, 1, 31)),
        )],
    );
    refuses(&kind, [(json!("x"), "invalid_date")]);
}
