//! The indicators of one dashboard as its tiles show them.

use jiff::civil::Date;
use opsflux_model::{Condition, Op};
use opsflux_records::{Caller, Error, Records, Uuid};
use serde_json::{Value as Json, json};

use super::reader::{self, Indicator, Point, exact};
use crate::period::Frequency;
use crate::threshold::{Limits, Status};
use crate::{DASHBOARD, test};

/// Periods of a sparkline.
const SHOWN: usize = 24;

/// Periods that are read: those shown, and the one a year before where it is not far.
fn periods(frequency: Frequency) -> i64 {
    match frequency {
        Frequency::Daily => 31,
        Frequency::Weekly => 54,
        Frequency::Monthly => 25,
    }
}

/// The period a year before; days are compared with no year.
pub fn a_year_before(frequency: Frequency, start: Date) -> Option<Date> {
    match frequency {
        Frequency::Daily => None,
        Frequency::Weekly => frequency.shift(start, -52),
        Frequency::Monthly => frequency.shift(start, -12),
    }
}

/// `{"dashboard_id", "items": […], "labels"}`.
///
/// # Errors
/// [`Error::NotFound`] for a dashboard the caller does not see.
pub async fn tiles(
    records: &Records,
    caller: &Caller,
    dashboard: &str,
    today: Date,
) -> Result<Json, Error> {
    let entity = records.schema().find(DASHBOARD).ok_or(Error::NotFound)?;
    let id = records.resolve(caller, entity, dashboard).await?;
    let condition = Condition::All(vec![
        test("dashboard_id", Op::Eq, id.to_string()),
        test("is_active", Op::Eq, true),
    ]);
    let indicators = reader::indicators(records, caller, condition).await?;
    let since: Vec<(Uuid, Date)> = indicators
        .iter()
        .filter_map(|indicator| {
            let latest = indicator.latest_start?;
            let back = 1 - periods(indicator.frequency);
            Some((indicator.id, indicator.frequency.shift(latest, back)?))
        })
        .collect();
    let ids: Vec<Uuid> = indicators.iter().map(|indicator| indicator.id).collect();
    let values = reader::values(records, caller, &since).await?;
    let dated = reader::dated(records, caller, &ids).await?;
    let owners = indicators.iter().filter_map(|indicator| indicator.owner);
    let labels = reader::people(records, caller, owners).await?;
    let items: Vec<Json> = indicators
        .iter()
        .map(|indicator| {
            let points = values.get(&indicator.id).map_or(&[][..], Vec::as_slice);
            let day = indicator.latest_start.unwrap_or(today);
            let limits = reader::limits_on(indicator, dated.get(&indicator.id), day);
            tile(indicator, points, &limits, today)
        })
        .collect();
    Ok(json!({"dashboard_id": id.to_string(), "items": items, "labels": labels}))
}

fn tile(indicator: &Indicator, points: &[Point], limits: &Limits, today: Date) -> Json {
    let latest = points.last();
    let compared = |point: Option<&Point>| {
        let (point, latest) = (point?, latest?);
        Some(json!({
            "period_start": point.start.to_string(),
            "value": exact(Some(point.value)),
            "change": exact(latest.value.checked_sub(point.value)),
        }))
    };
    let before = points.len().checked_sub(2).and_then(|at| points.get(at));
    let year = latest.and_then(|latest| {
        let start = a_year_before(indicator.frequency, latest.start)?;
        points.iter().find(|point| point.start == start)
    });
    let shown = &points[points.len().saturating_sub(SHOWN)..];
    json!({
        "kpi_id": indicator.id.to_string(),
        "name": indicator.name,
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "frequency": frequency(indicator),
        "direction": direction(indicator),
        "status": indicator.latest_status.map_or("NO_DATA", Status::code),
        "stale": indicator.is_stale(today),
        "value": exact(indicator.latest_value),
        "period_start": reader::date(indicator.latest_start),
        "target": exact(limits.target),
        "thresholds": thresholds(limits),
        "previous": compared(before),
        "year_before": compared(year),
        "values": shown.iter().map(measured).collect::<Vec<_>>(),
        "open_actions": indicator.open_actions,
        "owner_id": indicator.owner.map(|id| id.to_string()),
    })
}

/// A measured period on the wire.
pub fn measured(point: &Point) -> Json {
    json!({
        "period_start": point.start.to_string(),
        "period_end": point.end.to_string(),
        "value": exact(Some(point.value)),
        "status": point.status.map(Status::code),
    })
}

/// Thresholds on the wire.
pub fn thresholds(limits: &Limits) -> Json {
    json!({
        "green": exact(limits.green),
        "orange": exact(limits.orange),
        "red": exact(limits.red),
    })
}

/// The code of a frequency.
pub fn frequency(indicator: &Indicator) -> &'static str {
    match indicator.frequency {
        Frequency::Daily => "DAILY",
        Frequency::Weekly => "WEEKLY",
        Frequency::Monthly => "MONTHLY",
    }
}

/// The code of a direction.
pub fn direction(indicator: &Indicator) -> &'static str {
    use crate::threshold::Direction;
    match indicator.direction {
        Direction::Up => "UP_IS_BETTER",
        Direction::Down => "DOWN_IS_BETTER",
        Direction::Within => "WITHIN_RANGE",
    }
}
