//! The row that tells of a step, and what went wrong in words.

use jiff::Timestamp;
use opsflux_records::Error;
use opsflux_records::write::Along;
use serde_json::{Value as Json, json};

use crate::course::{Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::{Held, some};
use crate::flow::StepKind;
use crate::log::{Log, cut};
use crate::step::Told;

/// Longest output kept of a step.
const MAX_OUTPUT: usize = 64 * 1024;

impl Engine {
    #[allow(clippy::too_many_arguments)] // they are the columns of one row
    pub(crate) fn tell(
        &self,
        held: &Held,
        place: &str,
        tries: u32,
        row: &StepRow,
        happened: &Happened,
        told: &Told,
        now: Timestamp,
        along: &mut Along,
    ) -> Result<(), Error> {
        // That it was looked once more is not worth a row.
        let still = match happened {
            Happened::Waits(Leaf::Listening { looked: true, .. }) => told.output.is_null(),
            Happened::Waits(Leaf::Called(..)) => told.output.is_null(),
            _ => false,
        };
        if still {
            return Ok(());
        }
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, "step_run")?;
        let status = match happened {
            Happened::Failed(_) => "FAILED",
            Happened::Waits(Leaf::Due { .. }) => "RETRY",
            Happened::Waits(_) => "WAITING",
            _ => "DONE",
        };
        let values = vec![
            ("execution", held.id.into()),
            ("place", cut(place, 300).into()),
            ("name", some(&cut(&row.name, 300))),
            ("kind", row.kind.as_str().into()),
            ("status", status.into()),
            ("attempt", i64::from(tries).into()),
            ("input", bounded(&told.input)),
            ("output", bounded(&told.output)),
            ("error", some(&cut(&told.error, 2_000))),
            ("ended_at", now.into()),
        ];
        let id = self.inner.records.new_id();
        along.writes.push(log.insert(id, now, values)?);
        Ok(())
    }
}

/// What a step is called in its rows.
pub(crate) struct StepRow {
    name: String,
    kind: String,
}

pub(crate) fn row_of(open: &Open<'_, '_>) -> StepRow {
    let kind = match &open.step.kind {
        StepKind::Action(action) => action.action.as_str(),
        StepKind::Branch { .. } => "branch",
        StepKind::Parallel { .. } => "parallel",
        StepKind::ForEach { .. } => "foreach",
        StepKind::Wait(_) | StepKind::Listen(_) => "wait",
        StepKind::Repeat(_) => "repeat",
        StepKind::Call(_) => "workflow",
        StepKind::Approval(_) => "approval",
        StepKind::Stop { .. } => "stop",
    };
    StepRow {
        name: open.step.name.clone().unwrap_or_default(),
        kind: cut(kind, 60),
    }
}

/// JSON as it is kept: what is too long is left out.
fn bounded(json: &Json) -> opsflux_model::Value {
    match json {
        Json::Null => opsflux_model::Value::Null,
        json if json.to_string().len() > MAX_OUTPUT => {
            opsflux_model::Value::Json(json!({ "left_out": "too long" }))
        }
        json => opsflux_model::Value::Json(json.clone()),
    }
}

/// What went wrong, for people: fields by name.
pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::Bulk { error, .. } => words(error),
        Error::Invalid(errors) => {
            let all = errors.iter().map(|error| {
                let detail = match error.detail.as_str() {
                    "" => String::new(),
                    detail => format!(" ({detail})"),
                };
                format!("{}: {}{detail}", error.field, error.code)
            });
            all.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
