//! Which changes somebody may learn of.
//!
//! Whether a record is visible now is the database's answer. Whether it was visible before is
//! judged from the anchors the feed keeps: without it, somebody who never saw a record would
//! learn of it by hearing that it is gone.

use std::collections::{BTreeMap, HashSet};

use opsflux_model::access::FieldRight;
use opsflux_model::predicate::{Hop, Record, Step};
use opsflux_model::schema::{Entity, EntityIx, FieldIx, Schema, system};
use opsflux_model::{Action, Predicate, Rule, Value, wire};
use opsflux_records::{Caller, Error, Records};
use opsflux_store::feed::{Entry, FeedOp};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

/// What `caller` learns of `entries`: the place of each with its event, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn seen(
    records: &Records,
    caller: &Caller,
    entries: &[Entry],
) -> Result<Vec<(i64, Json)>, Error> {
    let schema = records.schema();
    let own: Vec<(EntityIx, &Entry)> = entries
        .iter()
        .filter(|entry| entry.tenant == caller.tenant())
        .filter_map(|entry| Some((schema.find(&entry.entry.entity)?, entry)))
        .filter(|(ix, _)| caller.access.may(*ix, Action::View))
        .collect();
    let now = visible(
        records,
        caller,
        own.iter().map(|(ix, entry)| (*ix, entry.entry.record)),
    )
    .await?;
    let owners = own
        .iter()
        .filter_map(|(ix, entry)| owner_before(&schema, *ix, entry));
    let owners = visible(records, caller, owners).await?;
    let told = own.into_iter().filter_map(|(ix, entry)| {
        let is_visible = now.contains(&(ix, entry.entry.record));
        let was_visible = || was_visible(&schema, caller, ix, entry, &owners);
        event(&schema, caller, ix, entry, is_visible, was_visible).map(|event| (entry.pos, event))
    });
    Ok(told.collect())
}

/// Those of `wanted` that the caller may see now.
async fn visible(
    records: &Records,
    caller: &Caller,
    wanted: impl Iterator<Item = (EntityIx, Uuid)>,
) -> Result<HashSet<(EntityIx, Uuid)>, Error> {
    let mut by_entity: BTreeMap<EntityIx, Vec<Uuid>> = BTreeMap::new();
    for (ix, id) in wanted {
        by_entity.entry(ix).or_default().push(id);
    }
    let mut found = HashSet::new();
    for (ix, mut ids) in by_entity {
        ids.sort_unstable();
        ids.dedup();
        let seen = records.visible(caller, ix, &ids).await?;
        found.extend(seen.into_iter().map(|id| (ix, id)));
    }
    Ok(found)
}

fn event(
    schema: &Schema,
    caller: &Caller,
    ix: EntityIx,
    entry: &Entry,
    is_visible: bool,
    was_visible: impl Fn() -> bool,
) -> Option<Json> {
    let entity = schema.entity(ix);
    let change = &entry.entry;
    let op = match change.op {
        FeedOp::Created => "created",
        FeedOp::Updated => "updated",
        FeedOp::Deleted => "deleted",
        FeedOp::Restored => "restored",
        // It was deleted before, and everybody who cared knows.
        FeedOp::Purged => return None,
    };
    let id = change.record.to_string();
    if is_visible || (change.op == FeedOp::Deleted && was_visible()) {
        let fields: Vec<&String> = change
            .body
            .fields
            .iter()
            .filter(|name| {
                let field = entity.find(name);
                field.is_some_and(|field| caller.access.field(ix, field) > FieldRight::Hidden)
            })
            .collect();
        return Some(json!({
            "entity": change.entity, "id": id, "version": change.version, "op": op,
            "by": change.body.by.map(|by| by.to_string()), "fields": fields,
        }));
    }
    (change.op == FeedOp::Updated && was_visible())
        .then(|| json!({"entity": change.entity, "id": id, "gone": true}))
}

/// The record whose readers were this record's readers before the change.
fn owner_before(schema: &Schema, ix: EntityIx, entry: &Entry) -> Option<(EntityIx, Uuid)> {
    let entity = schema.entity(ix);
    let owner = entity.scope.owner?;
    match anchor(entity, owner, &entry.entry.body.before) {
        Value::Ref { entity, id } => Some((schema.find(&entity)?, id)),
        Value::Id(id) => match &entity.field(owner).kind {
            opsflux_model::FieldType::Link(link) => Some((link.to, id)),
            _ => None,
        },
        _ => None,
    }
}

fn was_visible(
    schema: &Schema,
    caller: &Caller,
    ix: EntityIx,
    entry: &Entry,
    owners: &HashSet<(EntityIx, Uuid)>,
) -> bool {
    let before = &entry.entry.body.before;
    if before.is_empty() {
        return false;
    }
    let owner = owner_before(schema, ix, entry).filter(|owner| owners.contains(owner));
    let record = Before::new(schema.entity(ix), entry.entry.record, before);
    match caller.access.rule(ix, Action::View) {
        Rule::Never => false,
        Rule::Always => true,
        Rule::When(rule) => holds(schema, rule, &record, schema.entity(ix).scope.owner, owner),
    }
}

/// The rule over the anchors. A test beyond the record itself is known only for the owner; any
/// other counts as failed, so that nobody learns of what he may not have seen.
fn holds(
    schema: &Schema,
    rule: &Predicate,
    record: &Before,
    owner_field: Option<FieldIx>,
    owner: Option<(EntityIx, Uuid)>,
) -> bool {
    let holds = |part: &Predicate| holds(schema, part, record, owner_field, owner);
    match rule {
        Predicate::All(parts) => parts.iter().all(holds),
        Predicate::Any(parts) => parts.iter().any(holds),
        Predicate::Not(part) => reaches_nowhere(part) && !holds(part),
        Predicate::Test(test) => match test.path.steps.first() {
            None => rule.holds(schema, record),
            Some(step) => {
                let is_owner = matches!(step.hop, Hop::Link(field) if Some(field) == owner_field);
                is_owner && owner.is_some_and(|(entity, _)| entity == step.to)
            }
        },
        Predicate::True => true,
        Predicate::False => false,
    }
}

/// Whether a predicate asks about the record alone; the negation of a guess would be a guess.
fn reaches_nowhere(rule: &Predicate) -> bool {
    match rule {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().all(reaches_nowhere),
        Predicate::Not(part) => reaches_nowhere(part),
        Predicate::Test(test) => test.path.steps.is_empty(),
        Predicate::True | Predicate::False => true,
    }
}

fn anchor(entity: &Entity, field: FieldIx, anchors: &Map<String, Json>) -> Value {
    let declared = entity.field(field);
    let written = anchors.get(&declared.name).unwrap_or(&Json::Null);
    wire::parse(&declared.kind, written).unwrap_or_default()
}

/// A record as far as its anchors tell.
struct Before {
    values: Vec<Value>,
}

impl Before {
    fn new(entity: &Entity, id: Uuid, anchors: &Map<String, Json>) -> Before {
        let own = entity.find(system::ID);
        let value = |field| match Some(field) == own {
            // Rules name the records that were shared.
            true => Value::Id(id),
            false => anchor(entity, field, anchors),
        };
        Before {
            values: entity.iter().map(|(field, _)| value(field)).collect(),
        }
    }
}

impl Record for Before {
    fn value(&self, field: FieldIx) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(usize::from(field.0)).unwrap_or(&NULL)
    }

    fn follow(&self, _: &Step) -> Vec<Self> {
        Vec::new()
    }
}
