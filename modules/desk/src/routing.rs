//! Where a ticket belongs: the department of who asks, the group of its category.

use opsflux_model::Value;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};

use crate::TICKET;

/// The department and site of who asks, where nobody named others.
pub struct Place;

impl Place {
    fn concerns(draft: &Draft<'_>) -> bool {
        draft.changes("requester") || draft.is_new()
    }
}

impl Rule for Place {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        "desk.place"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("requester").as_id() {
            Some(id) if Place::concerns(draft) => vec![Need::Record { entity: "user", id }],
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let Some(requester) = known.records(0).first() else {
            return Ok(());
        };
        let untouched = draft.get("department") == draft.was("department");
        let department = requester.get(draft.schema, "department");
        if untouched && *department != Value::Null {
            draft.set("department", department.clone());
        }
        if draft.get("site").is_empty() && draft.is_new() {
            draft.set("site", requester.get(draft.schema, "site").clone());
        }
        Ok(())
    }
}

/// The group that handles the category, where nobody named another.
pub struct Group;

impl Rule for Group {
    fn entity(&self) -> &'static str {
        TICKET
    }

    fn name(&self) -> &'static str {
        "desk.group"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let concerns = draft.changes("category") && draft.get("assigned_group").is_empty();
        match draft.get("category").as_id() {
            Some(id) if concerns => vec![Need::Record {
                entity: "category",
                id,
            }],
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if let Some(category) = known.records(0).first() {
            let group = category.get(draft.schema, "default_group").clone();
            draft.set("assigned_group", group);
        }
        Ok(())
    }
}
