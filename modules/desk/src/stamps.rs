//! When a ticket was solved and closed.

use opsflux_model::Value;
use opsflux_records::rule::{Draft, Known, Refusal, Rule};

use crate::{TICKET, is_finished};

/// Sets `resolved_at` and `closed_at` with the state, and empties them when work goes on.
pub struct Stamps;

impl Rule for Stamps {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        "desk.stamps"
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if !draft.changes("status") {
            return Ok(());
        }
        let finished = is_finished(draft.get("status"));
        let closed = draft.get("status").as_text() == Some("closed");
        for (field, holds) in [("resolved_at", finished), ("closed_at", closed)] {
            if !holds {
                draft.set(field, Value::Null);
            } else if draft.get(field).is_empty() {
                draft.set(field, known.now);
            }
        }
        Ok(())
    }
}
