//! Nothing is opened below what is closed.

use opsflux_model::predicate::negate;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};
use opsflux_store::Guard;
use serde_json::{Map, json};

use crate::{FINISHED, TICKET, is_finished};

const CODE: &str = "desk.parent_closed";

/// Refuses an open ticket below a finished one: made there, moved there or opened again there. That
/// a ticket stays open when its parent is closed was somebody's decision and is left alone.
pub struct OpenParent;

impl OpenParent {
    /// Whether the change puts an open ticket below a parent.
    fn concerns(draft: &Draft<'_>) -> bool {
        let opens = draft.is_new() || draft.changes("parent") || is_finished(draft.was("status"));
        opens && !is_finished(draft.get("status")) && !draft.get("parent").is_empty()
    }
}

impl Rule for OpenParent {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        CODE
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("parent").as_id() {
            Some(id) if OpenParent::concerns(draft) => vec![Need::Record { entity: TICKET, id }],
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if !OpenParent::concerns(draft) {
            return Ok(());
        }
        let Some(parent) = known.records(0).first() else {
            return Ok(());
        };
        if is_finished(parent.get(draft.schema, "status")) {
            let number = parent.get(draft.schema, "number").as_text();
            return Err(Refusal {
                code: CODE,
                params: Map::from_iter([("number".to_owned(), json!(number))]),
                field: Some("parent"),
                confirmable: false,
                errors: Vec::new(),
            });
        }
        // Somebody may be closing it at this moment.
        if let Some(status) = draft.entity().find("status") {
            let finished = FINISHED.map(Value::from).to_vec();
            let finished = Predicate::test(draft.ix, status, Operand::OneOf(finished));
            draft.guards.push(Guard::Exists {
                name: CODE.to_owned(),
                entity: draft.ix,
                id: parent.id,
                holds: negate(finished),
            });
        }
        Ok(())
    }
}
