//! What an indicator must be to be judged by.

use opsflux_model::Value;
use opsflux_records::error::FieldError;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};
use serde_json::Map;

use crate::threshold::{Direction, Limits};
use crate::{KPI, TARGET};

/// Thresholds stand in the order of the direction; a range has a target.
pub struct Thresholds;

impl Rule for Thresholds {
    fn entity(&self) -> &'static str {
        KPI
    }

    fn name(&self) -> &'static str {
        "kpi.thresholds"
    }

    fn apply(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let direction = draft.get("direction").as_text().and_then(Direction::of);
        direction.map_or(Ok(()), |direction| judge(draft, direction))
    }
}

fn judge(draft: &Draft<'_>, direction: Direction) -> Result<(), Refusal> {
    let wrong = Limits::read(|name| draft.get(name)).mistakes(direction);
    refuse(wrong)
}

fn refuse(wrong: Vec<FieldError>) -> Result<(), Refusal> {
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Refusal::of(wrong)),
    }
}

/// The frequency stays as it is once there are values: their periods would be none of it.
pub struct Frequency;

impl Rule for Frequency {
    fn entity(&self) -> &'static str {
        KPI
    }

    fn name(&self) -> &'static str {
        "kpi.frequency"
    }

    fn apply(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let is_used = matches!(draft.was("value_count"), Value::Int(count) if *count > 0);
        if draft.is_new() || !draft.changes("frequency") || !is_used {
            return Ok(());
        }
        Err(Refusal {
            code: "kpi.frequency_in_use",
            params: Map::new(),
            field: Some("frequency"),
            confirmable: false,
            errors: Vec::new(),
        })
    }
}

/// Dated thresholds are judged by the direction of their indicator.
pub struct DatedThresholds;

impl Rule for DatedThresholds {
    fn entity(&self) -> &'static str {
        TARGET
    }

    fn name(&self) -> &'static str {
        "kpi.dated_thresholds"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let kpi = draft.get("kpi_id").as_id();
        kpi.map(|id| Need::Record { entity: KPI, id })
            .into_iter()
            .collect()
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let kpi = known.records(0).first();
        let direction = kpi.and_then(|kpi| {
            let code = kpi.get(draft.schema, "direction").as_text()?;
            Direction::of(code)
        });
        if let Some(direction) = direction {
            return judge(draft, direction);
        }
        // Made together with its indicator, which cannot be read yet: in order one way or the other.
        let limits = Limits::read(|name| draft.get(name));
        let up = limits.mistakes(Direction::Up);
        let down = limits.mistakes(Direction::Down);
        refuse(if down.is_empty() { down } else { up })
    }
}
