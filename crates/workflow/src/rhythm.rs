//! When a rhythm comes next: days and months in their zone, across changes of the clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::flow::Rhythm;

/// The first moment of a rhythm after another. A time of day that a change of the clock leaves out
/// is the first one after the gap; one that comes twice is the first of the two.
pub(crate) fn next(rhythm: &Rhythm, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let here = after.to_zoned(zone.clone());
    let (time, fits): (_, Box<dyn Fn(jiff::civil::Date) -> bool>) = match rhythm {
        Rhythm::Cron(cron) => {
            let found = cron.find_next_occurrence(&here, false).ok();
            return found.map(|at| at.timestamp());
        }
        Rhythm::Daily(time) => (*time, Box::new(|_| true)),
        Rhythm::Weekly(day, time) => (*time, Box::new(move |date| date.weekday() == *day)),
        Rhythm::Monthly(day, time) => (
            *time,
            Box::new(move |date| date.day() == (*day).min(date.days_in_month())),
        ),
    };
    let mut date = here.date();
    // A month and a day hold every weekday and every day of a month.
    for _ in 0..64 {
        if fits(date) {
            let at = date
                .to_datetime(time)
                .to_zoned(zone.clone())
                .ok()?
                .timestamp();
            if at > after {
                return Some(at);
            }
        }
        date = date.tomorrow().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{self, Trigger};
    use serde_json::{Value as Json, json};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn rhythm(json: Json) -> Rhythm {
        let written = json!({
            "trigger": json, "actions": [{"type": "wait", "params": {"for": "1s"}}],
        });
        let Json::Object(written) = written else {
            unreachable!("an object")
        };
        let flow = flow::read(&written).expect("a workflow");
        match flow.triggers.into_iter().next() {
            Some(Trigger::Clock(on)) => on.when,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check(json: Json, zone: &str, moments: &[&str]) {
        let zone = TimeZone::get(zone).expect("a zone");
        let rhythm = rhythm(json);
        let mut now = at(moments[0]);
        for wanted in &moments[1..] {
            now = next(&rhythm, now, &zone).expect("a next moment");
            assert_eq!(now, at(wanted));
        }
    }

    #[test]
    fn days_keep_their_time_of_day_across_a_change_of_the_clock() {
        check(
            json!({"type": "scheduled", "frequency": "daily", "at": "08:00"}),
            "Europe/Paris",
            &[
                "2026-03-28T06:59:00Z",
                "2026-03-28T07:00:00Z",
                "2026-03-29T06:00:00Z",
                "2026-03-30T06:00:00Z",
            ],
        );
        // 02:30 does not exist on that night, and comes twice on the other one.
        check(
            json!({"type": "scheduled", "frequency": "daily", "at": "02:30"}),
            "Europe/Paris",
            &[
                "2026-03-28T12:00:00Z",
                "2026-03-29T01:30:00Z",
                "2026-03-30T00:30:00Z",
            ],
        );
        check(
            json!({"type": "scheduled", "frequency": "daily", "at": "02:30"}),
            "Europe/Paris",
            &[
                "2026-10-24T12:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
            ],
        );
    }

    #[test]
    fn weeks_and_months_fall_on_their_day_and_short_months_on_their_last() {
        check(
            json!({"type": "scheduled", "frequency": "weekly", "day": 1, "at": "09:00"}),
            "Africa/Luanda",
            &[
                "2026-11-28T12:00:00Z",
                "2026-11-30T08:00:00Z",
                "2026-12-07T08:00:00Z",
            ],
        );
        check(
            json!({"type": "scheduled", "frequency": "monthly", "day": 31, "at": "00:00"}),
            "UTC",
            &[
                "2026-01-31T00:00:00Z",
                "2026-02-28T00:00:00Z",
                "2026-03-31T00:00:00Z",
                "2026-04-30T00:00:00Z",
            ],
        );
    }

    #[test]
    fn cron_patterns_are_read_in_the_zone() {
        check(
            json!({"type": "scheduled", "cron": "0 2 * * *"}),
            "America/Sao_Paulo",
            &[
                "2026-06-01T00:00:00Z",
                "2026-06-01T05:00:00Z",
                "2026-06-02T05:00:00Z",
            ],
        );
        check(
            json!({"type": "scheduled", "cron": "*/15 8-9 * * MON-FRI"}),
            "UTC",
            &[
                "2026-11-27T09:40:00Z",
                "2026-11-27T09:45:00Z",
                "2026-11-30T08:00:00Z",
            ],
        );
    }
}
