//! What of a record goes into the index.

use opsflux_model::Value;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, SearchWeight, system};
use opsflux_records::rule::Snapshot;
use serde_json::{Map, Value as Json};
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;
use uuid::Uuid;

use crate::index::Fields;
use crate::words::words;

/// The fields of an entity that are searched, with their weights. A number is always found.
#[must_use]
pub fn searched(entity: &Entity) -> Vec<(FieldIx, SearchWeight)> {
    entity
        .iter()
        .filter_map(|(ix, field)| match field.search {
            Some(weight) => Some((ix, weight)),
            None if field.name == system::NUMBER => Some((ix, SearchWeight::High)),
            None => None,
        })
        .collect()
}

/// The fields by which the index narrows to what a caller may see.
#[must_use]
pub fn anchors(entity: &Entity) -> Vec<FieldIx> {
    let scope = &entity.scope;
    let mut anchors = scope.own.clone();
    anchors.extend([scope.department, scope.company].into_iter().flatten());
    anchors.sort_unstable();
    anchors.dedup();
    anchors
}

/// The term of an anchor: which field points at whom.
#[must_use]
pub fn anchor_term(entity: &Entity, field: FieldIx, id: Uuid) -> String {
    format!("{}:{}", entity.field(field).name, id.simple())
}

/// The term that names a record, for replacing and removing it.
#[must_use]
pub fn key(tenant: i64, entity: &str, id: Uuid) -> String {
    format!("{tenant}/{entity}/{}", id.simple())
}

/// The path of a field inside the index: fields of different entities stay apart, so that one a
/// caller may not read is not searched for him.
#[must_use]
pub fn path(entity: EntityIx, schema: &Schema, field: FieldIx) -> String {
    let entity = schema.entity(entity);
    format!("{}/{}", entity.name, entity.field(field).name)
}

/// The document of a record; `None` when nothing of it is searched.
#[must_use]
pub fn document(
    fields: &Fields,
    schema: &Schema,
    tenant: i64,
    record: &Snapshot,
) -> Option<TantivyDocument> {
    let entity = schema.entity(record.entity);
    let mut indexed: Vec<(String, OwnedValue)> = Vec::new();
    let mut source = Map::new();
    for (ix, _) in searched(entity) {
        let text = text_of(record.value(ix));
        if text.is_empty() {
            continue;
        }
        let found: Vec<String> = words(&text).into_iter().map(|word| word.text).collect();
        indexed.push((
            path(record.entity, schema, ix),
            OwnedValue::Str(found.join(" ")),
        ));
        source.insert(entity.field(ix).name.clone(), Json::String(text));
    }
    if indexed.is_empty() {
        return None;
    }
    let mut document = TantivyDocument::new();
    document.add_text(fields.key, key(tenant, &entity.name, record.id));
    document.add_i64(fields.tenant, tenant);
    document.add_text(fields.entity, &entity.name);
    let (upper, lower) = record.id.as_u64_pair();
    document.add_u64(fields.id[0], upper);
    document.add_u64(fields.id[1], lower);
    document.add_field_value(fields.text, &OwnedValue::Object(indexed));
    document.add_text(fields.source, Json::Object(source).to_string());
    for ix in anchors(entity) {
        for id in ids_of(&entity.field(ix).kind, record.value(ix)) {
            document.add_text(fields.anchor, anchor_term(entity, ix, id));
        }
    }
    Some(document)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Set(items) => items
            .iter()
            .filter_map(Value::as_text)
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

fn ids_of(kind: &FieldType, value: &Value) -> Vec<Uuid> {
    match (kind, value) {
        (FieldType::Links(_), Value::Set(items)) => items.iter().filter_map(Value::as_id).collect(),
        (_, value) => value.as_id().into_iter().collect(),
    }
}
