//! The indicators to speak of first.
//!
//! Worst first: red before orange; then how far the value is from green, relative to the green
//! threshold; then how many periods in a row it has been red; then the oldest open plan; then the
//! name.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{Timestamp, ToSpan};
use opsflux_model::{Condition, Op};
use opsflux_records::{Caller, Error, Records, Uuid};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value as Json, json};

use super::reader::{self, Indicator, exact};
use crate::test;
use crate::threshold::{Direction, Limits, Status};

/// Digits of a severity.
const DIGITS: u32 = 4;
/// Those whose past is looked at, besides as many as are asked for.
const LOOKED_AT: usize = 100;
/// How far back, in days: three years of months.
const PAST: i64 = 1_100;

/// An indicator that is not green.
#[derive(Debug, Clone)]
pub struct Risk {
    pub indicator: Indicator,
    pub status: Status,
    pub severity: Decimal,
    pub reds: usize,
    pub oldest_plan: Option<Timestamp>,
}

/// How far a value is from green: `|v − g| / |g|`, of a range with the distance from the target in
/// place of the value. Where green is zero, the distance itself.
#[must_use]
pub fn severity(direction: Direction, limits: &Limits, value: Decimal) -> Decimal {
    let Some(green) = limits.green else {
        return Decimal::ZERO;
    };
    let judged = match (direction, limits.target) {
        (Direction::Within, Some(target)) => value.checked_sub(target).map(|d| d.abs()),
        _ => Some(value),
    };
    let away = judged.and_then(|judged| judged.checked_sub(green));
    let whole = match green.is_zero() {
        true => Decimal::ONE,
        false => green.abs(),
    };
    let relative = away.and_then(|away| away.abs().checked_div(whole));
    relative.map_or(Decimal::MAX, |severity| {
        severity
            .round_dp_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero)
            .normalize()
    })
}

/// The risks among the active indicators, worst first.
///
/// # Errors
/// When the caller sees no indicators, or the database does not answer.
pub async fn risks(records: &Records, caller: &Caller, limit: usize) -> Result<Vec<Risk>, Error> {
    let condition = Condition::All(vec![
        test("latest_status", Op::In, json!(["RED", "ORANGE"])),
        test("is_active", Op::Eq, true),
    ]);
    let found = reader::indicators(records, caller, condition).await?;
    let ids: Vec<Uuid> = found.iter().map(|indicator| indicator.id).collect();
    let dated = reader::dated(records, caller, &ids).await?;
    let mut all: Vec<Risk> = found
        .into_iter()
        .filter_map(|indicator| {
            let (value, start) = (indicator.latest_value?, indicator.latest_start?);
            let limits = reader::limits_on(&indicator, dated.get(&indicator.id), start);
            Some(Risk {
                status: indicator.latest_status?,
                severity: severity(indicator.direction, &limits, value),
                reds: 0,
                oldest_plan: None,
                indicator,
            })
        })
        .collect();
    order(&mut all);
    all.truncate(limit.max(LOOKED_AT));
    with_past(records, caller, &mut all).await?;
    order(&mut all);
    all.truncate(limit);
    Ok(all)
}

fn order(all: &mut [Risk]) {
    all.sort_by(|a, b| {
        let worst = |risk: &Risk| {
            (
                Reverse(risk.status),
                Reverse(risk.severity),
                Reverse(risk.reds),
            )
        };
        let oldest = |risk: &Risk| (risk.oldest_plan.is_none(), risk.oldest_plan);
        worst(a)
            .cmp(&worst(b))
            .then_with(|| oldest(a).cmp(&oldest(b)))
            .then_with(|| a.indicator.name.cmp(&b.indicator.name))
            .then_with(|| a.indicator.id.cmp(&b.indicator.id))
    });
}

/// Adds how long they have been red, and their oldest open plan.
async fn with_past(records: &Records, caller: &Caller, all: &mut [Risk]) -> Result<(), Error> {
    let since: Vec<_> = all
        .iter()
        .filter_map(|risk| {
            let from = risk.indicator.latest_start?.checked_sub(PAST.days()).ok()?;
            Some((risk.indicator.id, from))
        })
        .collect();
    let ids: Vec<Uuid> = since.iter().map(|(id, _)| *id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let values = reader::values(records, caller, &since).await?;
    let mut oldest: HashMap<Uuid, Timestamp> = HashMap::new();
    for plan in reader::plans(records, caller, reader::among("kpi_id", &ids)).await? {
        if let Some(created) = plan.created {
            let known = oldest.entry(plan.kpi).or_insert(created);
            *known = (*known).min(created);
        }
    }
    for risk in all {
        let points = values
            .get(&risk.indicator.id)
            .map_or(&[][..], Vec::as_slice);
        let newest_first = points.iter().rev();
        risk.reds = newest_first
            .take_while(|point| point.status == Some(Status::Red))
            .count();
        risk.oldest_plan = oldest.get(&risk.indicator.id).copied();
    }
    Ok(())
}

/// A risk on the wire.
#[must_use]
pub fn to_json(risk: &Risk) -> Json {
    let indicator = &risk.indicator;
    json!({
        "kpi_id": indicator.id.to_string(),
        "name": indicator.name,
        "dashboard_id": indicator.dashboard.map(|id| id.to_string()),
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "status": risk.status.code(),
        "value": exact(indicator.latest_value),
        "period_start": reader::date(indicator.latest_start),
        "severity": exact(Some(risk.severity)),
        "consecutive_reds": risk.reds,
        "open_actions": indicator.open_actions,
        "owner_id": indicator.owner.map(|id| id.to_string()),
    })
}

/// `{"items": […]}`.
///
/// # Errors
/// As [`risks`].
pub async fn answer(records: &Records, caller: &Caller, limit: usize) -> Result<Json, Error> {
    let found = risks(records, caller, limit).await?;
    let owners = found.iter().filter_map(|risk| risk.indicator.owner);
    let labels = reader::people(records, caller, owners).await?;
    let items: Vec<Json> = found.iter().map(to_json).collect();
    Ok(json!({"items": items, "labels": labels}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_is_the_distance_to_green_relative_to_green() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        let limits = |green: &str, target: Option<&str>| Limits {
            green: Some(d(green)),
            target: target.map(d),
            ..Limits::default()
        };
        let up = limits("95", None);
        assert_eq!(severity(Direction::Up, &up, d("76")), d("0.2"));
        assert_eq!(
            severity(Direction::Down, &limits("2", None), d("5")),
            d("1.5")
        );
        assert_eq!(
            severity(Direction::Down, &limits("0", None), d("3")),
            d("3")
        );
        let near = limits("2", Some("50"));
        assert_eq!(severity(Direction::Within, &near, d("45")), d("1.5"));
        assert_eq!(
            severity(Direction::Up, &limits("3", None), d("2")),
            d("0.3333")
        );
    }
}
