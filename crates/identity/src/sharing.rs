//! Single records shared with a person or a group: what a share may be, and which ones somebody
//! has.
//!
//! A share is a row of `grant`. It is bound by its record: who sees that sees the share, who may
//! edit it makes and takes back shares (`write_needs` of the declaration). What a person was
//! shared becomes one more branch of his compiled rules (`model::access::compile`), so that every
//! way out that asks a rule knows of it.

use opsflux_model::access::Share;
use opsflux_model::{Operand, Predicate, Schema, Value};
use opsflux_records::Error;
use opsflux_records::rule::{Draft, Known, Refusal, Rule};
use opsflux_store::{Guard, Store};
use serde_json::Map;
use uuid::Uuid;

use opsflux_records::table::{Query, Table, at};

/// The entity.
pub(crate) const ENTITY: &str = "grant";

/// Shares one person or group may have: a rule names every record, and beyond this many a role
/// says it better.
const MOST: u64 = 1_000;
/// Shares that count of one person with all groups; the newest do.
const MOST_OF_ALL: u32 = 5_000;

/// What a share may be.
pub(crate) struct ShareRule;

fn refusal(code: &'static str, field: Option<&'static str>) -> Refusal {
    Refusal {
        code,
        params: Map::new(),
        field,
        confirmable: false,
        errors: Vec::new(),
    }
}

impl Rule for ShareRule {
    fn entity(&self) -> &'static str {
        ENTITY
    }

    fn name(&self) -> &'static str {
        "share"
    }

    fn apply(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let shared = match draft.get("record") {
            Value::Ref { entity, .. } => draft.schema.find(entity),
            _ => None,
        };
        // A missing one is told as any missing field.
        if shared.is_some_and(|ix| !draft.schema.entity(ix).sharing) {
            return Err(refusal("base.not_shared", Some("record")));
        }
        let field = match (draft.get("user").as_id(), draft.get("group").as_id()) {
            (Some(_), None) => "user",
            (None, Some(_)) => "group",
            _ => return Err(refusal("base.person_or_group", Some("user"))),
        };
        if draft.is_new() || draft.changes(field) {
            limit(draft, field);
        }
        Ok(())
    }
}

/// Nobody is shared more than [`MOST`] records.
fn limit(draft: &mut Draft<'_>, field: &str) {
    let Some(ix) = draft.entity().find(field) else {
        return;
    };
    let of_one = Operand::OneOf(vec![draft.get(field).clone()]);
    let filter = Predicate::test(draft.ix, ix, of_one);
    draft.guards.push(Guard::Count {
        name: "base.too_many_shares".to_owned(),
        entity: draft.ix,
        filter,
        min: None,
        max: Some(MOST - 1),
    });
}

/// What was shared with `user` or one of `groups`.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn shares(
    store: &Store,
    schema: &Schema,
    tenant: i64,
    user: Uuid,
    groups: &[Uuid],
) -> Result<Vec<Share>, Error> {
    let table = Table::of(schema, ENTITY)?;
    let of_groups = groups.iter().copied().map(Value::Id).collect();
    let of_groups = match groups {
        [] => Predicate::False,
        _ => Predicate::test(table.ix, table.field("group")?, Operand::OneOf(of_groups)),
    };
    let query = Query {
        fields: &["record", "group", "level"],
        filter: table.is("user", user)?.or(of_groups),
        sort: &["-created_at", "-id"],
        limit: MOST_OF_ALL,
    };
    let rows = table.rows(store, tenant, query).await?;
    let share = |row: &Vec<Value>| {
        let Value::Ref { entity, id } = at(row, 0) else {
            return None;
        };
        Some(Share {
            entity: schema.find(entity)?,
            record: *id,
            edit: at(row, 2).as_text() == Some("edit"),
            through: at(row, 1).as_id(),
        })
    };
    let mut shares: Vec<Share> = rows.iter().filter_map(share).collect();
    // Those of one record stand together.
    shares.sort_by_key(|share| (share.entity, share.record, share.through));
    Ok(shares)
}
