//! Finishing a ticket whose sub-tickets are open: refused, asked, or done for them too.

use opsflux_model::{Condition, Op, Value};
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule};
use serde_json::{Map, json};

use crate::{TICKET, is_finished};

const CODE: &str = "desk.open_children";
const SETTING: &str = "desk.close_parent_with_open_children";

/// Acts by the setting `close_parent_with_open_children`: `block`, `warn` or `cascade`.
pub struct OpenChildren;

impl Rule for OpenChildren {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        CODE
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if !finishes(draft) {
            return Vec::new();
        }
        let open = Condition::All(vec![
            test("parent", Op::Eq, json!(draft.id.to_string())),
            test("status", Op::NotIn, json!(["done", "closed"])),
        ]);
        vec![
            Need::Records {
                entity: TICKET,
                condition: open,
                limit: 500,
            },
            Need::Setting(SETTING),
        ]
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let open = known.records(0);
        if !finishes(draft) || open.is_empty() {
            return Ok(());
        }
        let refusal = |confirmable| Refusal {
            code: CODE,
            params: Map::from_iter([("count".to_owned(), json!(open.len()))]),
            field: Some("status"),
            confirmable,
        };
        match known.setting(1) {
            Some("block") => Err(refusal(false)),
            Some("cascade") => {
                let status: Value = draft.get("status").clone();
                draft.companions.extend(open.iter().map(|child| Companion {
                    entity: TICKET.to_owned(),
                    id: child.id,
                    set: vec![("status".to_owned(), status.clone())],
                    rule: CODE,
                }));
                Ok(())
            }
            _ if known.confirmed.as_deref() == Some(CODE) => Ok(()),
            _ => Err(refusal(true)),
        }
    }
}

/// Whether the change takes the ticket from an open state to a finished one.
fn finishes(draft: &Draft<'_>) -> bool {
    !draft.is_new() && is_finished(draft.get("status")) && !is_finished(draft.was("status"))
}

fn test(field: &str, op: Op, value: serde_json::Value) -> Condition {
    Condition::Test {
        field: field.to_owned(),
        op,
        value,
    }
}
