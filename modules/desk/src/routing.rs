//! Where a ticket belongs: the department of who asks, the group of its category.

use opsflux_model::Value;
use opsflux_records::Uuid;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};

use crate::TICKET;

/// Fills department and group where nobody did.
pub struct Routing;

/// The record a link points at; a need for none is a need for one that does not exist.
fn id(link: &Value) -> Uuid {
    link.as_id().unwrap_or_default()
}

impl Rule for Routing {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        "desk.routing"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        vec![
            Need::Record {
                entity: "user",
                id: id(draft.get("requester")),
            },
            Need::Record {
                entity: "category",
                id: id(draft.get("category")),
            },
        ]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let schema = draft.schema;
        if draft.changes("requester") || draft.is_new() {
            let untouched = draft.get("department") == draft.was("department");
            if let Some(requester) = known.records(0).first() {
                let department = requester.get(schema, "department").clone();
                if untouched && department != Value::Null {
                    draft.set("department", department);
                }
                let site = requester.get(schema, "site").clone();
                if draft.get("site").is_empty() && draft.is_new() {
                    draft.set("site", site);
                }
            }
        }
        if draft.changes("category")
            && draft.get("assigned_group").is_empty()
            && let Some(category) = known.records(1).first()
        {
            let group = category.get(schema, "default_group").clone();
            draft.set("assigned_group", group);
        }
        Ok(())
    }
}
