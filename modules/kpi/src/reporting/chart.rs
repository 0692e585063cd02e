//! The chart of one indicator: its values, what they add up to by month, quarter or year, control
//! limits with signals, what comes next, and how it stood a period and a year before.

use jiff::civil::{Date, date};
use opsflux_model::{Condition, Op};
use opsflux_records::{Caller, Error, Records};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::reader::{self, Indicator, Point, exact};
use super::statistics;
use super::tiles;
use crate::threshold::{Limits, Status};
use crate::value::ratio;
use crate::{KPI, test};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    from: Option<Date>,
    to: Option<Date>,
    by: Option<Span>,
}

/// What values are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Month,
    Quarter,
    Year,
}

/// Periods shown when no day is said.
const PERIODS: i64 = 60;

/// The parameters of the operation.
pub fn parameters() -> Vec<(String, Json, String)> {
    let day = || json!({"type": "string", "format": "date"});
    vec![
        (
            "from".to_owned(),
            day(),
            "First day; 60 periods back when absent".to_owned(),
        ),
        (
            "to".to_owned(),
            day(),
            "Last day; the latest value when absent".to_owned(),
        ),
        (
            "by".to_owned(),
            json!({"type": "string", "enum": ["month", "quarter", "year"]}),
            "Also what the values add up to".to_owned(),
        ),
    ]
}

impl Request {
    /// Reads the query.
    ///
    /// # Errors
    /// The first parameter that is not well formed.
    pub fn read(query: &[(String, String)]) -> Result<Request, Error> {
        let mut request = Request::default();
        for (name, text) in query {
            let wrong = |expected: &str| Error::query(name.as_str(), "invalid_value", expected);
            let day = || text.parse::<Date>().map_err(|_| wrong("YYYY-MM-DD"));
            match name.as_str() {
                "from" => request.from = Some(day()?),
                "to" => request.to = Some(day()?),
                "by" => {
                    request.by = Some(match text.as_str() {
                        "month" => Span::Month,
                        "quarter" => Span::Quarter,
                        "year" => Span::Year,
                        _ => return Err(wrong("month, quarter, year")),
                    });
                }
                _ => {
                    return Err(Error::query(
                        name.as_str(),
                        "unknown_parameter",
                        "from, to, by",
                    ));
                }
            }
        }
        Ok(request)
    }
}

/// The chart.
///
/// # Errors
/// [`Error::NotFound`] for an indicator the caller does not see.
pub async fn chart(
    records: &Records,
    caller: &Caller,
    kpi: &str,
    request: &Request,
    today: Date,
) -> Result<Json, Error> {
    let entity = records.schema().find(KPI).ok_or(Error::NotFound)?;
    let id = records.resolve(caller, entity, kpi).await?;
    let found = reader::indicators(records, caller, test("id", Op::Eq, id.to_string())).await?;
    let indicator = found.into_iter().next().ok_or(Error::NotFound)?;
    let usual = || {
        let latest = indicator.latest_start?;
        indicator.frequency.shift(latest, 1 - PERIODS)
    };
    let mut conditions = vec![test("kpi_id", Op::Eq, id.to_string())];
    if let Some(from) = request.from.or_else(usual) {
        conditions.push(test("period_start", Op::Gte, from.to_string()));
    }
    if let Some(to) = request.to {
        conditions.push(test("period_start", Op::Lte, to.to_string()));
    }
    let points = reader::points(records, caller, Condition::All(conditions)).await?;
    let points: Vec<Point> = points.into_iter().map(|(_, point)| point).collect();
    let dated = reader::dated(records, caller, &[id]).await?;
    let limits = |day: Date| reader::limits_on(&indicator, dated.get(&id), day);
    let numbers: Vec<Decimal> = points.iter().map(|point| point.value).collect();
    let next = points
        .last()
        .and_then(|last| indicator.frequency.shift(last.start, 1));
    let listed: Vec<Json> = points
        .iter()
        .map(|point| {
            let limits = limits(point.start);
            let mut told = tiles::measured(point);
            told["thresholds"] = tiles::thresholds(&limits);
            told["target"] = exact(limits.target);
            told
        })
        .collect();
    let owners = indicator.owner.into_iter();
    let spans = request
        .by
        .map(|by| added_up(&indicator, &points, by, limits));
    Ok(json!({
        "kpi_id": id.to_string(),
        "name": indicator.name,
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "frequency": tiles::frequency(&indicator),
        "direction": tiles::direction(&indicator),
        "aggregation": indicator.aggregation,
        "is_active": indicator.is_active,
        "stale": indicator.is_stale(today),
        "owner_id": indicator.owner.map(|id| id.to_string()),
        "points": listed,
        "control": statistics::control(&numbers).map(|control| control_json(&control, &points)),
        "forecast": statistics::forecast(&numbers).map(|forecast| forecast.to_json(next)),
        "spans": spans,
        "labels": reader::people(records, caller, owners).await?,
    }))
}

fn control_json(control: &statistics::Control, points: &[Point]) -> Json {
    let signals: Vec<Json> = control
        .signals
        .iter()
        .filter_map(|(at, rule)| {
            let start = points.get(*at)?.start;
            Some(json!({"period_start": start.to_string(), "rule": rule}))
        })
        .collect();
    json!({
        "mean": exact(Some(control.mean)),
        "lower": exact(Some(control.lower)),
        "upper": exact(Some(control.upper)),
        "range_mean": exact(Some(control.range_mean)),
        "range_upper": exact(Some(control.range_upper)),
        "firm": control.is_firm,
        "signals": signals,
    })
}

/// The first day of the span that holds a day.
fn begins(by: Span, day: Date) -> Date {
    let month = match by {
        Span::Month => day.month(),
        Span::Quarter => (day.month() - 1) / 3 * 3 + 1,
        Span::Year => 1,
    };
    date(day.year(), month, 1)
}

/// The values of each span added up as the indicator says. A week belongs to the span it begins
/// in. A sum has no colour: thresholds are those of one period.
fn added_up(
    indicator: &Indicator,
    points: &[Point],
    by: Span,
    limits: impl Fn(Date) -> Limits,
) -> Vec<Json> {
    let together = points.chunk_by(|a, b| begins(by, a.start) == begins(by, b.start));
    together
        .map(|points| {
            let value = add_up(indicator, points);
            let first = points.first().map(|point| begins(by, point.start));
            let last = points.last().map(|point| point.end);
            let status = match (value, last) {
                (Some(value), Some(last)) if indicator.aggregation != "SUM" => {
                    limits(last).status(indicator.direction, value)
                }
                _ => None,
            };
            json!({
                "from": reader::date(first),
                "to": reader::date(last),
                "count": points.len(),
                "value": exact(value),
                "status": status.map(Status::code),
            })
        })
        .collect()
}

/// What some values add up to: of a ratio the sum of the numerators over that of the denominators,
/// never a mean of ratios; nothing when one of them does not have its parts.
fn add_up(indicator: &Indicator, points: &[Point]) -> Option<Decimal> {
    let values = || points.iter().map(|point| point.value);
    let sum = |mut numbers: Box<dyn Iterator<Item = Option<Decimal>> + '_>| {
        numbers.try_fold(Decimal::ZERO, |sum, number| sum.checked_add(number?))
    };
    match indicator.aggregation.as_str() {
        "SUM" => sum(Box::new(values().map(Some))),
        "AVERAGE" => {
            let sum = sum(Box::new(values().map(Some)))?;
            ratio(sum, Decimal::from(points.len()), Decimal::ONE)
        }
        "MIN" => values().min(),
        "MAX" => values().max(),
        "RATIO" => {
            let above = sum(Box::new(points.iter().map(|point| point.numerator)))?;
            let below = sum(Box::new(points.iter().map(|point| point.denominator)))?;
            match below.is_zero() {
                true => None,
                false => ratio(above, below, indicator.multiplier),
            }
        }
        _ => points.last().map(|point| point.value),
    }
}
