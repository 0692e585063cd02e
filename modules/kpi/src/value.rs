//! What was measured: its period, its ratio, its colour.

use jiff::civil::Date;
use opsflux_model::{Op, Schema, Value};
use opsflux_records::error::FieldError;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, json};

use crate::period::Frequency;
use crate::threshold::{Direction, Limits};
use crate::{DASHBOARD, KPI, TARGET, VALUE, test};

/// Digits of a value after the point, as declared.
const SCALE: u32 = 10;
/// Largest value: 18 digits before the point.
const LARGEST: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);
/// Dated thresholds of one indicator that are looked at, the newest.
pub(crate) const MOST_TARGETS: u32 = 200;

/// What is wrong with a field; `expected` is what its words say.
fn wrong(code: &str, field: &str, expected: impl Into<String>) -> Refusal {
    Refusal::of(vec![FieldError::new(field, code, expected)])
}

fn kpi_of(draft: &Draft<'_>) -> Vec<Need> {
    let kpi = draft.get("kpi_id").as_id();
    kpi.map(|id| Need::Record { entity: KPI, id })
        .into_iter()
        .collect()
}

pub(crate) fn date(value: &Value) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        _ => None,
    }
}

pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(*decimal),
        _ => None,
    }
}

/// The period is one of the indicator's frequency, and not of a time that is closed.
pub struct Period;

impl Period {
    /// Refuses what touches a closed period: the one a value leaves, and the one it comes to.
    fn closed(draft: &Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let Some(before) = known
            .records(1)
            .first()
            .and_then(|dashboard| date(dashboard.get(draft.schema, "closed_before")))
        else {
            return Ok(());
        };
        let ends = [draft.get("period_end"), draft.was("period_end")];
        if ends.into_iter().filter_map(date).any(|end| end < before) {
            return Err(Refusal {
                code: "kpi.period_closed",
                params: Map::from_iter([("before".to_owned(), json!(before.to_string()))]),
                field: None,
                confirmable: false,
                errors: Vec::new(),
            });
        }
        Ok(())
    }
}

impl Rule for Period {
    fn entity(&self) -> &'static str {
        VALUE
    }

    fn name(&self) -> &'static str {
        "kpi.period"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let Some(kpi) = draft.get("kpi_id").as_id() else {
            return Vec::new();
        };
        vec![
            Need::Record {
                entity: KPI,
                id: kpi,
            },
            Need::Records {
                entity: DASHBOARD,
                condition: test("kpis.id", Op::Eq, kpi.to_string()),
                limit: 1,
            },
        ]
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let Some(start) = date(draft.get("period_start")) else {
            return Ok(());
        };
        let kpi = known.records(0).first();
        let frequency = kpi.and_then(|kpi| {
            let code = kpi.get(draft.schema, "frequency").as_text()?;
            Frequency::of(code)
        });
        let Some(frequency) = frequency else {
            return Ok(());
        };
        let whole = frequency
            .start(start)
            .and_then(|begins| Some((begins, frequency.end(begins)?)));
        let Some((begins, ends)) = whole else {
            return Err(wrong("kpi.not_a_period", "period_start", start.to_string()));
        };
        if begins != start {
            return Err(wrong(
                "kpi.not_a_period",
                "period_start",
                begins.to_string(),
            ));
        }
        let said = date(draft.get("period_end"));
        let is_said = draft.changes("period_end");
        if is_said && said.is_some_and(|said| said != ends) {
            return Err(wrong("kpi.period_end", "period_end", ends.to_string()));
        }
        draft.set("period_end", Value::Date(ends));
        Period::closed(draft, known)
    }

    fn before_delete(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        Period::closed(draft, known)
    }

    fn before_restore(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        Period::closed(draft, known)
    }
}

/// The value of a ratio follows from its parts; every other has one.
pub struct Ratio;

impl Rule for Ratio {
    fn entity(&self) -> &'static str {
        VALUE
    }

    fn name(&self) -> &'static str {
        "kpi.ratio"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("numerator").is_empty() && draft.get("denominator").is_empty() {
            true => Vec::new(),
            false => kpi_of(draft),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let parts = (
            decimal(draft.get("numerator")),
            decimal(draft.get("denominator")),
        );
        let (numerator, denominator) = match parts {
            (None, None) if draft.get("value").is_empty() => {
                return Err(wrong("kpi.value_missing", "value", ""));
            }
            (None, None) => return Ok(()),
            (Some(numerator), Some(denominator)) => (numerator, denominator),
            (None, _) => return Err(wrong("kpi.ratio_parts", "numerator", "")),
            (_, None) => return Err(wrong("kpi.ratio_parts", "denominator", "")),
        };
        if denominator.is_zero() {
            return Err(wrong("kpi.zero_denominator", "denominator", ""));
        }
        let multiplier = known
            .records(0)
            .first()
            .and_then(|kpi| decimal(kpi.get(draft.schema, "ratio_multiplier")))
            .unwrap_or(Decimal::ONE);
        let ratio = ratio(numerator, denominator, multiplier)
            .ok_or_else(|| wrong("kpi.ratio_too_large", "numerator", ""))?;
        let said = decimal(draft.get("value"));
        let is_said = draft.changes("value") && said.is_some();
        if is_said && said != Some(ratio) {
            return Err(wrong("kpi.ratio_differs", "value", ratio.to_string()));
        }
        draft.set("value", Value::Decimal(ratio));
        Ok(())
    }
}

/// `multiplier · numerator / denominator`, rounded half away from zero to the digits of a value.
#[must_use]
pub fn ratio(numerator: Decimal, denominator: Decimal, multiplier: Decimal) -> Option<Decimal> {
    let exact = numerator
        .checked_mul(multiplier)?
        .checked_div(denominator)?;
    let rounded = exact.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointAwayFromZero);
    (rounded.abs() < LARGEST).then(|| rounded.normalize())
}

/// The colour follows from the value and the thresholds of its period. It is given when the value
/// is, and stays when thresholds change afterwards.
pub struct Colour;

impl Rule for Colour {
    fn entity(&self) -> &'static str {
        VALUE
    }

    fn name(&self) -> &'static str {
        "kpi.colour"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let mut needs = kpi_of(draft);
        if let Some(id) = draft.get("kpi_id").as_id() {
            needs.push(Need::Records {
                entity: TARGET,
                condition: test("kpi_id", Op::Eq, id.to_string()),
                limit: MOST_TARGETS,
            });
        }
        needs
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let asks = ["value", "period_start", "kpi_id"];
        if !asks.into_iter().any(|name| draft.changes(name)) {
            return Ok(());
        }
        let status = known.records(0).first().and_then(|kpi| {
            let direction = kpi.get(draft.schema, "direction").as_text()?;
            let direction = Direction::of(direction)?;
            let start = date(draft.get("period_start"))?;
            let own = Limits::read(|name| kpi.get(draft.schema, name));
            let limits = in_force(draft.schema, own, known.records(1), start);
            limits.status(direction, decimal(draft.get("value"))?)
        });
        let code = status.map_or(Value::Null, |status| Value::from(status.code()));
        draft.set("status", code);
        Ok(())
    }
}

/// The thresholds of a day: the latest dated ones that have begun, else the indicator's own.
pub(crate) fn in_force(schema: &Schema, own: Limits, dated: &[Snapshot], day: Date) -> Limits {
    let begun = dated.iter().filter_map(|target| {
        let from = date(target.get(schema, "valid_from"))?;
        (from <= day).then_some((from, target))
    });
    let latest = begun.max_by_key(|(from, _)| *from);
    latest.map_or(own, |(_, target)| {
        Limits::read(|name| target.get(schema, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_exact_and_rounded_once() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(ratio(d("2"), d("3"), d("100")), Some(d("66.6666666667")));
        assert_eq!(ratio(d("-2"), d("3"), d("100")), Some(d("-66.6666666667")));
        assert_eq!(ratio(d("1"), d("8"), d("1")), Some(d("0.125")));
        assert_eq!(ratio(d("999999999999999999"), d("0.1"), d("1")), None);
        assert_eq!(LARGEST, d("1000000000000000000"));
    }
}
