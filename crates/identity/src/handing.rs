//! Groups that hand roles down: who may decide it, and who is then in such a group.
//!
//! What a group hands down is held by its members and by those of the groups below, exactly as by
//! a membership ([`crate::structure`], [`crate::people`]). Managers keep groups, so a group that
//! hands roles down is kept by administrators alone: else whoever may add a member could add
//! himself.

use std::collections::BTreeSet;

use opsflux_model::{Condition, Op, Schema, Value};
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// More groups, and more roles of groups, than any tenant has.
const MOST: u32 = 100_000;

fn refusal(code: &'static str) -> Refusal {
    Refusal {
        code,
        params: Map::new(),
        field: None,
        confirmable: false,
        errors: Vec::new(),
    }
}

/// What groups hand down.
pub(crate) struct GroupRoleRule;

impl Rule for GroupRoleRule {
    fn entity(&self) -> &'static str {
        "group_role"
    }

    fn name(&self) -> &'static str {
        "group_role"
    }

    fn apply(&self, _draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        match known.administrator {
            true => Ok(()),
            false => Err(refusal("base.group_roles")),
        }
    }

    fn before_restore(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        self.apply(draft, known)
    }
}

/// Who is in groups.
pub(crate) struct GroupRule;

impl Rule for GroupRule {
    fn entity(&self) -> &'static str {
        "group"
    }

    fn name(&self) -> &'static str {
        "group"
    }

    /// What groups hand down, and the groups that stand below others.
    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let stands_alone = draft.is_new() && draft.get("parent").is_empty();
        let moves = draft.changes("members") || draft.changes("parent");
        if stands_alone || !moves {
            return Vec::new();
        }
        who_hands_down()
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        who_hands_down()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let parent = draft.get("parent").as_id();
        let above = [parent, draft.was("parent").as_id()];
        let moved = draft.changes("members") || draft.changes("parent");
        if moved && !known.administrator && hands_down(draft, known, above) {
            return Err(refusal("base.group_hands_roles"));
        }
        Ok(())
    }

    fn before_restore(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let above = [draft.was("parent").as_id(), None];
        if !known.administrator && hands_down(draft, known, above) {
            return Err(refusal("base.group_hands_roles"));
        }
        Ok(())
    }
}

fn who_hands_down() -> Vec<Need> {
    let below_others = Condition::Not(Box::new(Condition::Test {
        field: "parent".to_owned(),
        op: Op::IsEmpty,
        value: Json::from(true),
    }));
    vec![
        Need::Records {
            entity: "group_role",
            condition: Condition::default(),
            limit: MOST,
        },
        Need::Records {
            entity: "group",
            condition: below_others,
            limit: MOST,
        },
    ]
}

/// Whether the group of `draft`, or one above it, hands a role down.
fn hands_down(draft: &Draft<'_>, known: &Known, above: [Option<Uuid>; 2]) -> bool {
    let linked = |record: &Snapshot, schema: &Schema, name: &str| match record.get(schema, name) {
        Value::Id(id) => Some(*id),
        _ => None,
    };
    let handing = known.records(0).iter();
    let handing: BTreeSet<Uuid> = handing
        .filter_map(|role| linked(role, draft.schema, "group"))
        .collect();
    if handing.is_empty() {
        return false;
    }
    let mut seen = BTreeSet::new();
    let mut todo: Vec<Uuid> = above.into_iter().flatten().chain([draft.id]).collect();
    while let Some(id) = todo.pop() {
        if handing.contains(&id) {
            return true;
        }
        if seen.insert(id) {
            let known = known.records(1).iter().find(|group| group.id == id);
            todo.extend(known.and_then(|group| linked(group, draft.schema, "parent")));
        }
    }
    false
}
