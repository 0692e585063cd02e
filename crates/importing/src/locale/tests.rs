//! Numbers and days, clear and unclear.

use super::*;

const FR: Style = Style {
    decimal: ',',
    day_first: Some(true),
};
const EN: Style = Style {
    decimal: '.',
    day_first: Some(false),
};

fn seen(numbers: &[&str], dates: &[&str]) -> Seen {
    let mut seen = Seen::default();
    numbers.iter().for_each(|text| seen.number(text));
    dates.iter().for_each(|text| seen.date(text));
    seen
}

#[test]
fn numbers_are_read_as_their_column_is_written() {
    for (text, style, read) in [
        ("1 234,56", FR, Some("1234.56")),
        ("1\u{a0}234,56", FR, Some("1234.56")),
        ("1\u{202f}234\u{202f}567,8", FR, Some("1234567.8")),
        ("1.234,56", FR, Some("1234.56")),
        ("12,5 %", FR, Some("12.5")),
        ("12,5%", FR, Some("12.5")),
        ("(1 234)", FR, Some("-1234")),
        ("−3,5", FR, Some("-3.5")),
        ("+7", FR, Some("7")),
        (",5", FR, Some("0.5")),
        ("007", FR, Some("7")),
        ("1,234.56", EN, Some("1234.56")),
        ("1'234.5", EN, Some("1234.5")),
        ("12 34", FR, None),
        ("1.23,4", FR, None),
        ("1234 567", FR, None),
        ("1,2,3", FR, None),
        ("1.5", FR, None),
        ("NaN", FR, None),
        ("inf", EN, None),
        ("1e5", EN, None),
        ("--1", FR, None),
        ("", FR, None),
        ("%", FR, None),
    ] {
        assert_eq!(number(text, style).as_deref(), read, "{text}");
    }
}

#[test]
fn one_clear_number_decides_for_its_column() {
    let decimal = |numbers: &[&str]| seen(numbers, &[]).style(None, Language::Fr);
    assert_eq!(decimal(&["1.234", "0.5"]).0.decimal, '.');
    assert_eq!(decimal(&["1,234", "1,234,567"]).0.decimal, '.');
    assert_eq!(decimal(&["1.234", "1.234,5"]).0.decimal, ',');
    assert_eq!(decimal(&["1.234.567"]).0.decimal, ',');
    assert!(decimal(&["1.234", "0.5"]).1.is_empty());
}

#[test]
fn what_can_be_read_in_two_ways_is_told() {
    let (style, told) = seen(&["1.234", "2,345"], &[]).style(None, Language::Fr);
    assert_eq!((style.decimal, told), (',', vec![Ambiguity::Numbers]));
    let (style, told) = seen(&["1,234"], &[]).style(None, Language::En);
    assert_eq!((style.decimal, told), ('.', vec![Ambiguity::Numbers]));
    let (_, told) = seen(&["1,5", "1.5"], &[]).style(None, Language::Fr);
    assert_eq!(told, [Ambiguity::MixedNumbers]);
    let (style, told) = seen(&[], &["01/02/2026"]).style(None, Language::Fr);
    assert_eq!(
        (style.day_first, told),
        (Some(true), vec![Ambiguity::Dates])
    );
    let (style, told) = seen(&[], &["01/02/2026"]).style(None, Language::En);
    assert_eq!((style.day_first, told), (None, vec![Ambiguity::Dates]));
    let (style, told) = seen(&[], &["01/02/2026", "12/31/2026"]).style(None, Language::Fr);
    assert_eq!((style.day_first, told), (Some(false), Vec::new()));
    let (style, told) = seen(&[], &["01/02/2026"]).style(Some(Locale::EnUs), Language::Fr);
    assert_eq!((style.day_first, told), (Some(false), Vec::new()));
}

#[test]
fn days_are_read_in_every_form() {
    let day = Date::constant(2026, 12, 31);
    for text in [
        "31/12/2026",
        "31.12.2026",
        "31-12-2026",
        "2026-12-31",
        "46387",
    ] {
        assert_eq!(date(text, FR), Ok(day), "{text}");
    }
    assert_eq!(date("12/31/2026", EN), Ok(day));
    for text in [
        "31/02/2026",
        "12/31/2026",
        "31/12/26",
        "0",
        "2026-13-01",
        "x",
        "99999999",
    ] {
        assert_eq!(date(text, FR), Err(NoDate::Invalid), "{text}");
    }
    let unknown = Style {
        decimal: '.',
        day_first: None,
    };
    assert_eq!(date("01/02/2026", unknown), Err(NoDate::Ambiguous));
    assert_eq!(date("31/12/2026", unknown), Ok(day));
    assert_eq!(serial(44_925.0, true).map(|at| at.date()), Some(day));
    assert_eq!(moment("31/12/2026 14h30", FR), Ok(day.at(14, 30, 0, 0)));
    assert_eq!(moment("2026-12-31T14:30:00", FR), Ok(day.at(14, 30, 0, 0)));
}
