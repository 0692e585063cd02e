//! Durations as people write them: `2h`, `3 days`, `+1d 4h`.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads a duration that is not negative, at most ten years.
#[must_use]
pub fn read(text: &str) -> Option<Span> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text).trim_start();
    if text.starts_with('-') {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let now = Timestamp::UNIX_EPOCH;
    let end = later(now, span, &TimeZone::UTC)?;
    let ten_years = later(now, Span::new().years(10), &TimeZone::UTC)?;
    (end >= now && end <= ten_years).then_some(span)
}

/// The moment a duration after another; days and longer are days of the calendar in `zone`, so
/// that "in 3 days" is at the same time of day across a change of the clock.
#[must_use]
pub fn later(from: Timestamp, span: Span, zone: &TimeZone) -> Option<Timestamp> {
    let end = from.to_zoned(zone.clone()).checked_add(span).ok()?;
    Some(end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Option<i64> {
        let end = later(Timestamp::UNIX_EPOCH, read(text)?, &TimeZone::UTC)?;
        Some(end.as_second() / 3600)
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("2h", 2),
            ("+3d", 72),
            ("3 days", 72),
            ("1d 4h", 28),
            ("+ 1 week", 168),
            ("PT36H", 36),
        ] {
            assert_eq!(hours(text), Some(wanted), "{text}");
        }
        for text in [
            "",
            "soon",
            "-2h",
            "2",
            "200 years",
            "99999999999999h",
            "2h ago",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_day_is_a_day_of_the_calendar() {
        let paris = TimeZone::get("Europe/Paris").expect("a zone");
        let eve: Timestamp = "2026-03-28T09:00:00+01:00".parse().expect("a moment");
        let next = later(eve, read("1d").expect("a day"), &paris).expect("a moment");
        assert_eq!(next.to_string(), "2026-03-29T07:00:00Z");
        let next = later(eve, read("24h").expect("hours"), &paris).expect("a moment");
        assert_eq!(next.to_string(), "2026-03-29T08:00:00Z");
    }
}
