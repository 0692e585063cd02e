//! Finishing a ticket whose sub-tickets are open: refused, asked, or done for them too.

use opsflux_model::predicate::{Order, negate};
use opsflux_model::{Condition, Op, Operand, Predicate, Value};
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule};
use opsflux_store::Guard;
use serde_json::{Map, json};

use crate::{FINISHED, TICKET, is_finished};

const CODE: &str = "desk.open_children";
/// The question, for those who may go on.
const QUESTION: &str = "desk.open_children_confirm";
/// The same when the person may see none of them: that there are some is all that is said.
const UNSEEN: &str = "desk.unseen_children";
const UNSEEN_QUESTION: &str = "desk.unseen_children_confirm";
/// Sub-tickets looked at.
const MOST: u32 = 500;
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
            test("status", Op::NotIn, json!(FINISHED)),
        ]);
        vec![
            Need::Records {
                entity: TICKET,
                condition: open,
                limit: MOST,
            },
            Need::Setting(SETTING),
        ]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let open = known.records(0);
        if !finishes(draft) {
            return Ok(());
        }
        no_more_than(draft, open.len());
        if open.is_empty() {
            return Ok(());
        }
        let seen = open.iter().filter(|child| known.sees(draft.schema, child));
        let seen = seen.count();
        let refusal = |confirmable| Refusal {
            code: match (seen, confirmable) {
                (0, true) => UNSEEN_QUESTION,
                (0, false) => UNSEEN,
                (_, true) => QUESTION,
                (_, false) => CODE,
            },
            params: Map::from_iter([("count".to_owned(), json!(seen))]),
            field: Some("status"),
            confirmable,
            errors: Vec::new(),
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
            _ if matches!(known.confirmed.as_deref(), Some(QUESTION | UNSEEN_QUESTION)) => Ok(()),
            _ => Err(refusal(true)),
        }
    }
}

/// What was found open is all there is when the change is made: a sub-ticket that joins meanwhile
/// has raised the count of its parent.
fn no_more_than(draft: &mut Draft<'_>, found: usize) {
    let Some(count) = draft.entity().find("open_children") else {
        return;
    };
    if found >= MOST as usize {
        return;
    }
    let found = Value::Int(i64::try_from(found).unwrap_or(i64::MAX));
    let more = Operand::Compare(Order::Greater, found);
    draft.guards.push(Guard::Exists {
        name: CODE.to_owned(),
        entity: draft.ix,
        id: draft.id,
        holds: negate(Predicate::test(draft.ix, count, more)),
    });
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
