//! Two records that are one: whatever points at the other comes to the one that stays, which takes
//! what it had no value for; the other goes. All of it is noted, so that it can be taken back.
//!
//! Everything moves in one change; the emptied record is deleted in a second, so that it takes
//! nothing with it. What happens between the two is a record that nothing points at.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use opsflux_model::predicate::{Operand, negate};
use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, Predicate, Value};
use opsflux_records::read::json::to_json;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{
    Actor, Call, Caller, ConflictKind, Error, GetRequest, Operation, Origin, Records, WriteOptions,
};
use opsflux_store::{Guard, Set, Write};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::contact::LINK;
use crate::serve::{handler, object, operation};

const MERGE: &str = "merge";
/// Rows that move in one change.
const MOST: u32 = 5_000;

/// A row that pointed at the other record, with the fields that were changed, before and after.
struct Move {
    entity: EntityIx,
    id: Uuid,
    set: Map<String, Json>,
    back: Map<String, Json>,
}

pub fn operations(records: &Records) -> Vec<Operation> {
    let schema = records.schema();
    let mut all = Vec::new();
    let answer = object(json!({
        "id": {"type": "string", "format": "uuid"}, "moved": {"type": "integer"},
    }));
    let problems = vec![
        StatusCode::NOT_FOUND,
        StatusCode::CONFLICT,
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    ];
    for name in ["organisation", "person"] {
        let Some(ix) = schema.find(name) else {
            continue;
        };
        let collection = &schema.entity(ix).collection;
        let input = object(json!({"from": {"type": "string"}}));
        all.push(Operation {
            input: Some(("application/json".to_owned(), input)),
            problems: problems.clone(),
            ..operation(
                format!("{name}_merge"),
                (Method::POST, format!("/{collection}/{{id}}/merge")),
                "Takes in another record that is the same; can be undone",
                (ix, Action::Edit),
                answer.clone(),
                handler(records, move |records, call| merge(records, call, ix)),
            )
        });
    }
    if let Some(ix) = schema.find(MERGE) {
        all.push(Operation {
            problems,
            ..operation(
                "merge_undo".to_owned(),
                (Method::POST, "/merges/{id}/undo".to_owned()),
                "Makes two records again of what was merged",
                (ix, Action::View),
                answer,
                handler(records, move |records, call| undo(records, call, ix)),
            )
        });
    }
    all
}

/// The record, when the caller may do `wanted` with it.
async fn mine(
    records: &Records,
    caller: &Caller,
    ix: EntityIx,
    reference: &str,
    wanted: &str,
) -> Result<Snapshot, Error> {
    let found = records
        .get(caller, ix, reference, &GetRequest::default())
        .await?;
    let body: Json =
        serde_json::from_slice(&found.body).map_err(|error| Error::Internal(error.to_string()))?;
    if body["can"][wanted] != json!(true) {
        let entity = records.schema().entity(ix).name.clone();
        return Err(Error::Forbidden {
            action: wanted.to_owned(),
            entity,
        });
    }
    let whole = records.snapshot(caller.tenant(), ix, found.id).await?;
    whole.ok_or(Error::NotFound)
}

/// The house, in the name of the caller: what points at a record may be out of his sight.
fn house(schema: &Schema, caller: &Caller) -> Caller {
    let origin = Origin {
        actor: Actor::Service,
        on_behalf_of: Some(caller.user()),
        source: "merge".to_owned(),
        ..Origin::clone(&caller.origin)
    };
    Caller {
        company: caller.company,
        time_zone: caller.time_zone.clone(),
        ..Caller::house(schema, caller.tenant(), caller.user(), origin)
    }
}

fn refused(code: &str, field: Option<&str>) -> Error {
    Error::Refused {
        code: code.to_owned(),
        params: Map::new(),
        field: field.map(str::to_owned),
    }
}

async fn merge(records: Records, call: Call, ix: EntityIx) -> Result<Json, Error> {
    let caller = call.caller()?;
    let body = call.object()?;
    if let Some(unknown) = body.keys().find(|key| *key != "from") {
        return Err(Error::field(unknown, "unknown_field", ""));
    }
    let Some(from) = body.get("from").and_then(Json::as_str) else {
        return Err(Error::field("from", "required", ""));
    };
    let kept = mine(&records, caller, ix, call.path(0), "edit").await?;
    let gone = match mine(&records, caller, ix, from, "delete").await {
        Err(Error::NotFound) => return Err(Error::field("from", "not_found", from)),
        other => other?,
    };
    if kept.id == gone.id {
        return Err(refused("crm.same_record", Some("from")));
    }
    let schema = records.schema();
    let moves = moves(&records, caller.tenant(), &kept, &gone).await?;
    let (set, filled) = filled(&schema, &kept, &gone);
    let id = records.new_id();
    let moved = moves.len();
    let mut operations: Vec<(EntityIx, BulkOperation)> = moves
        .iter()
        .map(|one| {
            let update = BulkOperation::Update(one.id.to_string(), None, one.set.clone());
            (one.entity, update)
        })
        .collect();
    if !set.is_empty() {
        operations.push((ix, BulkOperation::Update(kept.id.to_string(), None, set)));
    }
    let note = note(&schema, caller, &records, id, &kept, &gone, &moves, filled)?;
    let along = Along {
        writes: vec![note],
        ..Along::default()
    };
    let house = house(&schema, caller);
    records
        .change_along(&house, &operations, &along)
        .await
        .map_err(single)?;
    let nothing = WriteOptions::default();
    records
        .delete(&house, ix, &gone.id.to_string(), &nothing)
        .await?;
    Ok(json!({"id": id, "moved": moved}))
}

/// What an operation of ours could not do is told as such, not by its place among them.
fn single(error: Error) -> Error {
    match error {
        Error::Bulk { error, .. } => *error,
        other => other,
    }
}

/// Everything that points at the record that goes.
async fn moves(
    records: &Records,
    tenant: i64,
    kept: &Snapshot,
    gone: &Snapshot,
) -> Result<Vec<Move>, Error> {
    let schema = records.schema();
    let name = schema.entity(kept.entity).name.clone();
    let mut all: BTreeMap<(u32, Uuid), Move> = BTreeMap::new();
    let there = links_of(records, tenant, kept).await?;
    for (entity, declared) in schema.iter() {
        if declared.kind != EntityKind::Record {
            continue;
        }
        for (field, spec) in declared.iter() {
            let pointing = match &spec.kind {
                FieldType::Link(link) if link.to == kept.entity => Value::Id(gone.id),
                FieldType::Links(link) if link.to == kept.entity => Value::Id(gone.id),
                FieldType::AnyLink { to } if to.is_empty() || to.contains(&kept.entity) => {
                    Value::Ref {
                        entity: name.clone(),
                        id: gone.id,
                    }
                }
                _ => continue,
            };
            // Two that are alike but for whom they belong to would collide: they stay where they
            // are, and are there again when this is undone.
            if declared.unique.iter().any(|unique| unique.contains(&field)) {
                continue;
            }
            let filter = Predicate::test(entity, field, Operand::OneOf(vec![pointing]));
            for row in records.find(tenant, entity, filter, MOST + 1).await? {
                if (entity, row.id) == (kept.entity, kept.id)
                    || collides(&schema, declared, &row, &there)
                {
                    continue;
                }
                let one = all
                    .entry((u32::from(entity.0), row.id))
                    .or_insert_with(|| Move {
                        entity,
                        id: row.id,
                        set: Map::new(),
                        back: Map::new(),
                    });
                point(one, &schema, declared, field, kept, gone);
                let main = row.get(&schema, "primary").as_bool() == Some(true);
                if declared.name == LINK && main && there.iter().any(|link| is_main(&schema, link))
                {
                    one.set.insert("primary".to_owned(), json!(false));
                    one.back.insert("primary".to_owned(), json!(true));
                }
            }
            if all.len() > MOST as usize {
                return Err(Error::Refused {
                    code: "crm.too_much_to_merge".to_owned(),
                    params: Map::from_iter([("count".to_owned(), json!(all.len()))]),
                    field: None,
                });
            }
        }
    }
    Ok(all.into_values().collect())
}

/// The places in organisations, or of people, that the record which stays has already.
async fn links_of(records: &Records, tenant: i64, kept: &Snapshot) -> Result<Vec<Snapshot>, Error> {
    let schema = records.schema();
    let Some(ix) = schema.find(LINK) else {
        return Ok(Vec::new());
    };
    let Some(field) = schema.entity(ix).find(&schema.entity(kept.entity).name) else {
        return Ok(Vec::new());
    };
    let filter = Predicate::test(ix, field, Operand::OneOf(vec![Value::Id(kept.id)]));
    records.find(tenant, ix, filter, MOST).await
}

/// Whether the record that stays has the same place already.
fn collides(schema: &Schema, declared: &Entity, row: &Snapshot, there: &[Snapshot]) -> bool {
    let same = |name: &str, other: &Snapshot| row.get(schema, name) == other.get(schema, name);
    let open = |link: &Snapshot| link.get(schema, "end").is_empty();
    declared.name == LINK
        && open(row)
        && there.iter().any(|link| {
            let whose = same("person", link) || same("organisation", link);
            open(link) && whose && same("role", link)
        })
}

fn is_main(schema: &Schema, link: &Snapshot) -> bool {
    link.get(schema, "primary").as_bool() == Some(true) && link.get(schema, "end").is_empty()
}

/// Points a field of a row at the record that stays, and says how it is pointed back.
fn point(
    one: &mut Move,
    schema: &Schema,
    declared: &Entity,
    field: FieldIx,
    kept: &Snapshot,
    gone: &Snapshot,
) {
    let spec = declared.field(field);
    let name = &schema.entity(kept.entity).name;
    let (there, back) = match &spec.kind {
        FieldType::Links(_) => (
            json!({"add": [kept.id], "remove": [gone.id]}),
            json!({"add": [gone.id], "remove": [kept.id]}),
        ),
        FieldType::AnyLink { .. } => (
            json!({"entity": name, "id": kept.id}),
            json!({"entity": name, "id": gone.id}),
        ),
        _ => (json!(kept.id), json!(gone.id)),
    };
    one.set.insert(spec.name.clone(), there);
    one.back.insert(spec.name.clone(), back);
}

/// What the record that stays takes from the other: fields it has nothing in, and tags.
fn filled(schema: &Schema, kept: &Snapshot, gone: &Snapshot) -> (Map<String, Json>, Json) {
    let declared = schema.entity(kept.entity);
    let mut set = Map::new();
    let mut told = Map::new();
    for (field, spec) in declared.iter() {
        let other = gone.value(field);
        let ours = kept.value(field);
        let written =
            !spec.system && !spec.readonly && !is_derived(&spec.kind) && !spec.kind.is_write_only();
        let tags = matches!(spec.kind, FieldType::Tags { .. });
        if !written || other.is_empty() || !(ours.is_empty() || tags) {
            continue;
        }
        let value = match (ours, other) {
            (Value::Set(had), Value::Set(more)) if tags => {
                let mut all = had.clone();
                all.extend(more.iter().filter(|tag| !had.contains(tag)).cloned());
                Value::Set(all)
            }
            _ => other.clone(),
        };
        if value == *ours {
            continue;
        }
        told.insert(
            spec.name.clone(),
            json!({"was": to_json(ours), "now": to_json(&value)}),
        );
        set.insert(spec.name.clone(), to_json(&value));
    }
    (set, Json::Object(told))
}

/// What is made of other values, or of other rows.
fn is_derived(kind: &FieldType) -> bool {
    kind.is_virtual() || matches!(kind, FieldType::Rollup { .. } | FieldType::Computed { .. })
}

/// The row that tells of the merge.
#[allow(clippy::too_many_arguments)] // one row with everything it says
fn note(
    schema: &Schema,
    caller: &Caller,
    records: &Records,
    id: Uuid,
    kept: &Snapshot,
    gone: &Snapshot,
    moves: &[Move],
    filled: Json,
) -> Result<Write, Error> {
    let ix = schema.find(MERGE).ok_or(Error::NotFound)?;
    let declared = schema.entity(ix);
    let title = |one: &Snapshot| {
        let title = schema.entity(one.entity).title;
        one.value(title).as_text().unwrap_or_default().to_owned()
    };
    let label: String = format!("{} ← {}", title(kept), title(gone))
        .chars()
        .take(420)
        .collect();
    let told: Vec<Json> = moves
        .iter()
        .map(|one| {
            let entity = &schema.entity(one.entity).name;
            json!({"entity": entity, "id": one.id, "set": one.set, "back": one.back})
        })
        .collect();
    let values = [
        (system::ID, Value::Id(id)),
        (system::CREATED_AT, Value::Time(records.now())),
        ("label", Value::from(label.as_str())),
        (
            "entity",
            Value::from(schema.entity(kept.entity).name.as_str()),
        ),
        ("kept", Value::from(kept.id.to_string().as_str())),
        ("gone", Value::from(gone.id.to_string().as_str())),
        (
            "moved",
            Value::Int(i64::try_from(moves.len()).unwrap_or(i64::MAX)),
        ),
        ("moves", Value::Json(Json::Array(told))),
        ("filled", Value::Json(filled)),
        ("user", Value::Id(caller.user())),
    ];
    Ok(Write::Insert {
        entity: ix,
        values: values
            .into_iter()
            .filter_map(|(name, value)| Some((declared.find(name)?, value)))
            .collect(),
    })
}

async fn undo(records: Records, call: Call, ix: EntityIx) -> Result<Json, Error> {
    let caller = call.caller()?;
    let schema = records.schema();
    let id = records
        .get(caller, ix, call.path(0), &GetRequest::default())
        .await?
        .id;
    let note = records
        .snapshot(caller.tenant(), ix, id)
        .await?
        .ok_or(Error::NotFound)?;
    let text = |name: &str| {
        note.get(&schema, name)
            .as_text()
            .unwrap_or_default()
            .to_owned()
    };
    if !note.get(&schema, "undone_at").is_empty() {
        return Err(refused("crm.undone_already", None));
    }
    let of = schema.find(&text("entity")).ok_or(Error::NotFound)?;
    let kept = mine(&records, caller, of, &text("kept"), "edit").await?;
    let gone = text("gone");
    let house = house(&schema, caller);
    let gone_id = gone
        .parse::<Uuid>()
        .map_err(|error| Error::Internal(error.to_string()))?;
    if records
        .snapshot(caller.tenant(), of, gone_id)
        .await?
        .is_none()
    {
        let nothing = WriteOptions::default();
        records.restore(&house, of, &gone, &nothing).await?;
    }
    let mut operations = Vec::new();
    if let Value::Json(Json::Array(moves)) = note.get(&schema, "moves") {
        for one in moves {
            operations.extend(back(&records, caller, one).await?);
        }
    }
    let moved = operations.len();
    let mut emptied = Map::new();
    if let Value::Json(Json::Object(filled)) = note.get(&schema, "filled") {
        for (name, told) in filled {
            // What somebody changed since stays as he made it.
            if to_json(kept.get(&schema, name)) == told["now"] {
                emptied.insert(name.clone(), told["was"].clone());
            }
        }
    }
    if !emptied.is_empty() {
        operations.push((
            of,
            BulkOperation::Update(kept.id.to_string(), None, emptied),
        ));
    }
    let undone = schema.entity(ix).find("undone_at").ok_or(Error::NotFound)?;
    let along = Along {
        guards: vec![Guard::Exists {
            name: "crm.undone_already".to_owned(),
            entity: ix,
            id,
            holds: negate(Predicate::test(ix, undone, Operand::Present)),
        }],
        writes: vec![Write::Update {
            entity: ix,
            id,
            expected_version: None,
            set: vec![(undone, Set::To(Value::Time(records.now())))],
        }],
        ..Along::default()
    };
    match records
        .change_along(&house, &operations, &along)
        .await
        .map_err(single)
    {
        Err(Error::Conflict(ConflictKind::Guard { name })) if name == "crm.undone_already" => {
            Err(refused("crm.undone_already", None))
        }
        other => other.map(|_| json!({"id": id, "moved": moved})),
    }
}

/// The way back of one row, as far as it still is where the merge put it.
async fn back(
    records: &Records,
    caller: &Caller,
    told: &Json,
) -> Result<Option<(EntityIx, BulkOperation)>, Error> {
    let schema = records.schema();
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let (Some(entity), Ok(id)) = (schema.find(text("entity")), text("id").parse::<Uuid>()) else {
        return Ok(None);
    };
    let Some(row) = records.snapshot(caller.tenant(), entity, id).await? else {
        return Ok(None);
    };
    let still = |name: &str, set: &Json| match set.get("add") {
        Some(_) => true,
        None => to_json(row.get(&schema, name)) == *set,
    };
    let (Some(set), Some(back)) = (told["set"].as_object(), told["back"].as_object()) else {
        return Ok(None);
    };
    let patch: Map<String, Json> = back
        .iter()
        .filter(|(name, _)| set.get(*name).is_some_and(|set| still(name, set)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let update = BulkOperation::Update(id.to_string(), None, patch.clone());
    Ok((!patch.is_empty()).then_some((entity, update)))
}
