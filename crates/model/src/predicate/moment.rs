//! Days and moments that conditions name: `@today-7d`, `@month`, `@now+4h`, a plain day.
//!
//! A day begins and ends where the reader is; where clocks are moved it has 23 or 25 hours. A moment
//! compared with a day is before, in or after it: `eq` asks for any time of the day, `lte` takes the
//! whole of it.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value as Json;

use super::{Hop, Operand, Order, Path, Predicate, Test, Variables, negate};
use crate::condition::Op;
use crate::value::Value;

/// What a person is told who writes something else after the `@`.
pub(super) const USAGE: &str = "@today, @week, @month, @year and @now are known, moved as in \
                                @today-7d, @month+1m, @now-4h (y m w d, with @now also h min)";

/// The day that a text names; none when it names none.
pub(super) fn day(text: &str, variables: &Variables) -> Option<Date> {
    let Some(name) = text.strip_prefix('@') else {
        // What is shorter or longer is no plain day but may be a moment.
        return (text.len() == "2026-01-31".len()).then(|| text.parse().ok())?;
    };
    let (name, moved) = split(name)?;
    let today = variables.today;
    let begun = match name {
        "today" => today,
        "week" => {
            let since = today.weekday().since(Weekday::Monday);
            today.checked_sub(Span::new().days(since)).ok()?
        }
        "month" => today.first_of_month(),
        "year" => today.first_of_year(),
        _ => return None,
    };
    match moved {
        None => Some(begun),
        Some((number, unit)) => begun.checked_add(span(number, unit, false)?).ok(),
    }
}

/// The moment that `@now` with what follows names; none when it names none.
pub(super) fn moment(text: &str, variables: &Variables) -> Option<Timestamp> {
    let (name, moved) = split(text.strip_prefix('@')?)?;
    if name != "now" {
        return None;
    }
    let Some((number, unit)) = moved else {
        return Some(variables.now);
    };
    // A day later is the same time of the next day, whatever the clocks do.
    let now = variables.now.to_zoned(variables.zone.clone());
    let moved = now.checked_add(span(number, unit, true)?).ok()?;
    Some(moved.timestamp())
}

/// `today-7d` is today, seven days less.
fn split(name: &str) -> Option<(&str, Option<(i64, &str)>)> {
    let Some(at) = name.find(['+', '-', ' ']) else {
        return Some((name, None));
    };
    let (name, rest) = name.split_at(at);
    // A plus in an address is a space.
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let rest = &rest[1..];
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = rest.split_at(end);
    let number: i64 = number.parse().ok()?;
    Some((name, Some((sign * number, unit))))
}

fn span(number: i64, unit: &str, with_time: bool) -> Option<Span> {
    let span = Span::new();
    match unit {
        "d" => span.try_days(number),
        "w" => span.try_weeks(number),
        "m" => span.try_months(number),
        "y" => span.try_years(number),
        "h" if with_time => span.try_hours(number),
        "min" if with_time => span.try_minutes(number),
        _ => return None,
    }
    .ok()
}

/// The first instant of a day, and of the next one.
fn bounds(day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begin = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
    Some((begin(day)?, begin(day.tomorrow().ok()?)?))
}

/// The comparison of a moment with days; none when a value is no day. An error where the path
/// leads to many records: each bound would be asked of another one.
pub(super) fn compared(
    path: &Path,
    op: Op,
    value: &Json,
    variables: &Variables,
) -> Option<Result<Predicate, String>> {
    let named = |json: &Json| day(json.as_str()?, variables);
    let days: Vec<Date> = match (op, value) {
        (Op::In | Op::NotIn, Json::Array(items)) => {
            items.iter().map(named).collect::<Option<_>>()?
        }
        (Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte | Op::In | Op::NotIn, single) => {
            vec![named(single)?]
        }
        _ => return None,
    };
    let test = |order, at: Timestamp| {
        Predicate::Test(Test {
            path: path.clone(),
            operand: Operand::Compare(order, Value::Time(at)),
        })
    };
    let is_within = matches!(op, Op::Eq | Op::Ne | Op::In | Op::NotIn);
    let to_many = |step: &super::Step| !matches!(step.hop, Hop::Link(_));
    if is_within && path.steps.iter().any(to_many) {
        return Some(Err("a moment is needed, or gte and lt with days".to_owned()));
    }
    let mut found = Predicate::False;
    for day in days {
        let Some((begin, end)) = bounds(day, &variables.zone) else {
            return Some(Err("the day is out of the calendar".to_owned()));
        };
        found = found.or(match op {
            Op::Lt => test(Order::Less, begin),
            Op::Lte => test(Order::Less, end),
            Op::Gt => test(Order::GreaterOrEqual, end),
            Op::Gte => test(Order::GreaterOrEqual, begin),
            _ => test(Order::GreaterOrEqual, begin).and(test(Order::Less, end)),
        });
    }
    Some(Ok(match op {
        Op::Ne | Op::NotIn => negate(found),
        _ => found,
    }))
}
