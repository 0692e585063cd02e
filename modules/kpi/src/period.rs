//! Periods: days, ISO weeks from Monday to Sunday, calendar months.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// How often an indicator is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every ISO week.
    Weekly,
    /// Every calendar month.
    Monthly,
}

impl Frequency {
    /// The frequency with this code: `DAILY`, `WEEKLY`, `MONTHLY`.
    #[must_use]
    pub fn of(code: &str) -> Option<Frequency> {
        match code {
            "DAILY" => Some(Frequency::Daily),
            "WEEKLY" => Some(Frequency::Weekly),
            "MONTHLY" => Some(Frequency::Monthly),
            _ => None,
        }
    }

    /// The first day of the period that holds `day`; nothing before the first week of the
    /// calendar, whose Monday has no date.
    #[must_use]
    pub fn start(self, day: Date) -> Option<Date> {
        match self {
            Frequency::Daily => Some(day),
            Frequency::Weekly => {
                let since = day.weekday().since(Weekday::Monday);
                day.checked_sub(i64::from(since).days()).ok()
            }
            Frequency::Monthly => Some(day.first_of_month()),
        }
    }

    /// The last day of the period that begins on `start`; nothing at the end of the calendar.
    #[must_use]
    pub fn end(self, start: Date) -> Option<Date> {
        match self {
            Frequency::Daily => Some(start),
            Frequency::Weekly => start.checked_add(6.days()).ok(),
            Frequency::Monthly => Some(start.last_of_month()),
        }
    }

    /// The first day of the period `count` after the one that begins on `start`; before it, when
    /// `count` is negative.
    #[must_use]
    pub fn shift(self, start: Date, count: i64) -> Option<Date> {
        match self {
            Frequency::Daily => start.checked_add(count.days()).ok(),
            Frequency::Weekly => start.checked_add(count.weeks()).ok(),
            Frequency::Monthly => start.checked_add(count.months()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_week_runs_from_monday_to_sunday_across_years() {
        let thursday = date(2026, 1, 1);
        let start = Frequency::Weekly.start(thursday).unwrap();
        assert_eq!(start, date(2025, 12, 29));
        assert_eq!(Frequency::Weekly.end(start), Some(date(2026, 1, 4)));
        assert_eq!(Frequency::Weekly.start(start), Some(start));
    }

    #[test]
    fn a_month_ends_on_its_last_day_in_leap_years_too() {
        assert_eq!(
            Frequency::Monthly.end(date(2028, 2, 1)),
            Some(date(2028, 2, 29))
        );
        assert_eq!(
            Frequency::Monthly.end(date(2026, 2, 1)),
            Some(date(2026, 2, 28))
        );
        assert_eq!(
            Frequency::Monthly.start(date(2026, 12, 31)),
            Some(date(2026, 12, 1))
        );
    }

    #[test]
    fn the_period_a_year_before_is_twelve_months_back() {
        let shifted = Frequency::Monthly.shift(date(2026, 2, 1), -12);
        assert_eq!(shifted, Some(date(2025, 2, 1)));
    }

    #[test]
    fn the_ends_of_the_calendar_are_nothing_and_no_panic() {
        assert_eq!(Frequency::Weekly.end(Date::MAX), None);
        assert_eq!(
            Frequency::Monthly.shift(Date::MAX.first_of_month(), 1),
            None
        );
    }
}
