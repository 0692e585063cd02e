//! Plans of action: how far they are, and taking them up again.

use opsflux_model::Value;
use opsflux_records::rule::{Draft, Known, Refusal, Rule};
use serde_json::Map;

use crate::ACTION;

const WHOLE: i64 = 100;

fn refusal(code: &'static str, field: Option<&'static str>) -> Refusal {
    Refusal {
        code,
        params: Map::new(),
        field,
        confirmable: false,
        errors: Vec::new(),
    }
}

/// State and progress go together: what is done is whole, what has begun is in progress.
pub struct Progress;

impl Rule for Progress {
    fn entity(&self) -> &'static str {
        ACTION
    }

    fn name(&self) -> &'static str {
        "kpi.progress"
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let progress = match draft.get("progress") {
            Value::Int(progress) => *progress,
            _ => 0,
        };
        let status = draft.get("status").as_text().unwrap_or("OPEN").to_owned();
        let is_said = draft.changes("progress");
        match status.as_str() {
            "DONE" if is_said && progress != WHOLE => {
                // A new plan that is done from the start says 0 by default.
                if !(draft.is_new() && progress == 0) {
                    return Err(refusal("kpi.done_is_whole", Some("progress")));
                }
                draft.set("progress", Value::Int(WHOLE));
            }
            "DONE" => draft.set("progress", Value::Int(WHOLE)),
            "OPEN" if !draft.changes("status") && (1..WHOLE).contains(&progress) => {
                draft.set("status", Value::from("IN_PROGRESS"));
            }
            "OPEN" if draft.is_new() && (1..WHOLE).contains(&progress) => {
                draft.set("status", Value::from("IN_PROGRESS"));
            }
            _ => {}
        }
        let is_done = draft.get("status").as_text() == Some("DONE");
        if !is_done {
            draft.set("done_at", Value::Null);
        } else if draft.get("done_at").is_empty() {
            draft.set("done_at", known.now);
        }
        Ok(())
    }
}

/// Taking up what was done needs a reason, taking up what was given up an administrator.
pub struct Reopening;

impl Rule for Reopening {
    fn entity(&self) -> &'static str {
        ACTION
    }

    fn name(&self) -> &'static str {
        "kpi.reopening"
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if draft.is_new() || !draft.changes("status") {
            return Ok(());
        }
        match draft.was("status").as_text() {
            Some("CANCELLED") if !known.administrator => {
                Err(refusal("kpi.reopened_by_admin", Some("status")))
            }
            Some("DONE") if draft.get("reason").is_empty() || !draft.changes("reason") => {
                Err(refusal("kpi.reason_missing", Some("reason")))
            }
            _ => Ok(()),
        }
    }
}
