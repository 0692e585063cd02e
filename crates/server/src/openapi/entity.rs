//! The schemas of one entity: as read, created, changed, in bulk, in a page, in a child table.

use opsflux_model::schema::{Entity, EntityKind, Field, FieldType, LinkSpec, Schema, system};
use opsflux_records::entity::{nested_schema, schema_name};
use serde_json::{Map, Value as Json, json};

use super::field;

/// Adds the schemas of `entity`.
pub fn schemas(schema: &Schema, entity: &Entity, all: &mut Map<String, Json>) {
    let name = schema_name(entity);
    let mut add = |suffix: &str, described: Json| {
        all.insert(format!("{name}{suffix}"), described);
    };
    add("", record(schema, entity));
    add("Item", item(schema, entity));
    add("Page", page(&name));
    if entity.kind == EntityKind::Record {
        add("Create", create(schema, entity, None));
        add("Patch", patch(schema, entity));
        add("Bulk", bulk(&name));
    }
    for related in &entity.related {
        let (rows, via) = (schema.entity(related.entity), related.via);
        if let FieldType::Link(LinkSpec { nested: true, .. }) = rows.field(via).kind {
            let described = create(schema, rows, Some(&rows.field(via).name));
            all.insert(nested_schema(entity, &related.name), described);
        }
    }
    let mut add = |suffix: &str, described: Json| {
        all.insert(format!("{name}{suffix}"), described);
    };
    if is_child(schema, entity) {
        add("Row", object(read_fields(schema, entity), &[]));
        add("RowInput", row_input(schema, entity));
    }
}

/// Whether records of it are rows of somebody's child table.
fn is_child(schema: &Schema, entity: &Entity) -> bool {
    let name = entity.name.as_str();
    schema.entities.iter().flat_map(|owner| &owner.fields).any(|field| {
        matches!(field.kind, FieldType::Children { of, .. } if schema.entity(of).name == name)
    })
}

fn object(properties: Map<String, Json>, required: &[&str]) -> Json {
    let mut described = json!({
        "type": "object", "additionalProperties": false, "properties": properties,
    });
    if !required.is_empty() {
        described["required"] = required.into();
    }
    described
}

/// Every field is there only as far as the caller may see it and asked for it.
fn read_fields(schema: &Schema, entity: &Entity) -> Map<String, Json> {
    let fields = entity.fields.iter();
    fields
        .map(|f| (f.name.clone(), field::read(schema, entity, f)))
        .collect()
}

fn always(entity: &Entity) -> Vec<&'static str> {
    [system::ID, system::VERSION]
        .into_iter()
        .filter(|name| entity.find(name).is_some())
        .collect()
}

/// What is about the record and not in it.
fn about(schema: &Schema, entity: &Entity, properties: &mut Map<String, Json>) {
    let links: Map<String, Json> = entity
        .fields
        .iter()
        .filter_map(|field| match &field.kind {
            FieldType::Link(link) => {
                let target = field::reference(schema.entity(link.to), "Item");
                Some((
                    field.name.clone(),
                    json!({"anyOf": [target, {"type": "null"}]}),
                ))
            }
            _ => None,
        })
        .collect();
    if !links.is_empty() {
        properties.insert("expanded".to_owned(), object(links, &[]));
    }
    for name in [system::DELETED_AT, system::DELETION_ID] {
        let format = if name == system::DELETED_AT {
            "date-time"
        } else {
            "uuid"
        };
        properties.insert(
            name.to_owned(),
            json!({"type": ["string", "null"], "format": format}),
        );
    }
}

fn record(schema: &Schema, entity: &Entity) -> Json {
    let mut properties = read_fields(schema, entity);
    about(schema, entity, &mut properties);
    properties.insert(
        "labels".to_owned(),
        json!({"$ref": "#/components/schemas/Labels"}),
    );
    properties.insert(
        "can".to_owned(),
        json!({"$ref": "#/components/schemas/Can"}),
    );
    object(properties, &always(entity))
}

fn item(schema: &Schema, entity: &Entity) -> Json {
    let mut properties = read_fields(schema, entity);
    about(schema, entity, &mut properties);
    let searched = entity.fields.iter().filter(|field| field.search.is_some());
    let highlights: Map<String, Json> = searched
        .map(|field| (field.name.clone(), json!({"type": "string"})))
        .collect();
    if !highlights.is_empty() {
        properties.insert("highlights".to_owned(), object(highlights, &[]));
    }
    object(properties, &always(entity))
}

fn page(name: &str) -> Json {
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["items", "next_cursor", "total"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": format!("#/components/schemas/{name}Item")}},
            "labels": {"$ref": "#/components/schemas/Labels"},
            "next_cursor": {"type": ["string", "null"]},
            "total": {"type": ["integer", "null"], "minimum": 0, "maximum": 10_000},
            "total_is": {"type": "string", "enum": ["exact", "at_least"]},
        },
    })
}

/// Whether a body may name it.
fn is_writable(field: &Field) -> bool {
    let engine_only = field.readonly
        || matches!(
            field.kind,
            FieldType::Computed { .. } | FieldType::Rollup { .. }
        );
    !engine_only
}

fn written(entity: &Entity) -> impl Iterator<Item = &Field> {
    entity.fields.iter().filter(|field| is_writable(field))
}

/// Fields a new record must name.
fn needed(entity: &Entity) -> Vec<&str> {
    written(entity)
        .filter(|field| field.required && !field.kind.is_virtual())
        .filter(|field| field.default == opsflux_model::schema::DefaultValue::None)
        .filter(|field| !matches!(field.kind, FieldType::State { .. }))
        .map(|field| field.name.as_str())
        .collect()
}

fn id() -> Json {
    json!({
        "type": "string", "format": "uuid",
        "description": "Chosen by the client, so that a create may be sent twice; made when absent",
    })
}

/// What makes a record; `below` is the link that its address says already.
fn create(schema: &Schema, entity: &Entity, below: Option<&str>) -> Json {
    let said = |name: &str| below == Some(name);
    let mut properties: Map<String, Json> = written(entity)
        .filter(|field| !said(&field.name))
        .map(|f| (f.name.clone(), field::write(schema, entity, f)))
        .collect();
    properties.insert(system::ID.to_owned(), id());
    let mut needed = needed(entity);
    needed.retain(|name| !said(name));
    object(properties, &needed)
}

fn patch(schema: &Schema, entity: &Entity) -> Json {
    let mut properties: Map<String, Json> = written(entity)
        .map(|f| (f.name.clone(), field::patch(schema, entity, f)))
        .collect();
    properties.insert(
        "base_version".to_owned(),
        json!({
            "type": ["integer", "null"], "minimum": 0, "maximum": i64::MAX, "format": "int64",
            "description": "The version the change begins with: fields changed by one side only are merged",
        }),
    );
    object(properties, &[])
}

fn row_input(schema: &Schema, entity: &Entity) -> Json {
    let mut properties: Map<String, Json> = written(entity)
        .map(|f| (f.name.clone(), field::write(schema, entity, f)))
        .collect();
    properties.insert(system::ID.to_owned(), id());
    object(properties, &[])
}

fn bulk(name: &str) -> Json {
    let reference = |suffix: &str| json!({"$ref": format!("#/components/schemas/{name}{suffix}")});
    let id = json!({"type": "string", "minLength": 3, "maxLength": 64});
    let operation = |op: &str, others: &[(&str, Json)]| {
        let mut properties = Map::from_iter([("op".to_owned(), json!({"const": op}))]);
        properties.extend(
            others
                .iter()
                .map(|(name, described)| ((*name).to_owned(), described.clone())),
        );
        let required: Vec<&str> = ["op", "id", "data"]
            .into_iter()
            .filter(|name| properties.contains_key(*name))
            .collect();
        object(properties, &required)
    };
    let version =
        json!({"type": ["integer", "null"], "format": "int64", "minimum": 0, "maximum": i64::MAX});
    json!({
        "type": "object", "additionalProperties": false, "required": ["operations"],
        "properties": {
            "atomic": {"type": "boolean", "default": true},
            "operations": {
                "type": "array", "maxItems": 1000,
                "items": {"oneOf": [
                    operation("create", &[("data", reference("Create"))]),
                    operation("update", &[("id", id.clone()), ("version", version), ("data", reference("Patch"))]),
                    operation("delete", &[("id", id.clone())]),
                    operation("restore", &[("id", id)]),
                ]},
            },
        },
    })
}
