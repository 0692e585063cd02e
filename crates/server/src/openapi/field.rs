//! One field as JSON Schema: as it is read, as it is written, as it is asked for.

use opsflux_model::schema::system;
use opsflux_model::schema::{ChoiceOption, Entity, Field, FieldType, Schema};
use opsflux_records::entity::schema_name;
use serde_json::{Value as Json, json};

/// What an answer holds.
pub fn read(schema: &Schema, entity: &Entity, field: &Field) -> Json {
    let kind = field.kind.holds();
    let never_null = matches!(field.name.as_str(), system::ID | system::VERSION)
        || kind.is_set()
        || kind.is_virtual();
    let mut described = match kind {
        FieldType::Children { of, .. } => array(reference(schema.entity(*of), "Row")),
        FieldType::Link(_) => json!({"type": "string", "format": "uuid"}),
        // What is sealed is at most said to be there.
        FieldType::Secret | FieldType::Password => json!({"type": "string"}),
        FieldType::Decimal { .. } => json!({"type": "number"}),
        FieldType::Money { .. } => money(json!({"type": "number"})),
        FieldType::Geo => geo(json!({"type": "number"})),
        other => value(schema, entity, other),
    };
    if !never_null {
        nullable(&mut described);
    }
    described
}

/// What a body may hold.
pub fn write(schema: &Schema, entity: &Entity, field: &Field) -> Json {
    let mut described = match &field.kind {
        FieldType::Children { of, .. } => {
            let mut rows = array(reference(schema.entity(*of), "RowInput"));
            rows["maxItems"] = 200.into();
            rows
        }
        FieldType::Secret | FieldType::Password => json!({"type": "string", "maxLength": 1024}),
        FieldType::Link(_) => json!({
            "type": "string", "minLength": 3, "maxLength": 64,
            "description": "Id or number of the record",
        }),
        kind => value(schema, entity, kind),
    };
    if !field.required {
        nullable(&mut described);
    }
    described
}

/// What a patch may hold: besides the whole set, what joins and leaves it.
pub fn patch(schema: &Schema, entity: &Entity, field: &Field) -> Json {
    let whole = write(schema, entity, field);
    if !field.kind.is_set() {
        return whole;
    }
    let mut members = value(schema, entity, &field.kind);
    if let Some(members) = members.as_object_mut() {
        members.remove("uniqueItems");
    }
    let sides = json!({
        "type": "object", "minProperties": 1, "additionalProperties": false,
        "properties": {"add": members, "remove": members},
    });
    json!({"anyOf": [whole, sides]})
}

/// What a query parameter `FIELD=value` takes.
pub fn asked(schema: &Schema, entity: &Entity, field: &Field) -> Json {
    match field.kind.holds() {
        FieldType::Integer { .. } | FieldType::Duration { .. } => json!({"type": "integer"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        kind @ (FieldType::Choice { .. } | FieldType::State { .. }) => value(schema, entity, kind),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        _ => json!({"type": "string"}),
    }
}

/// The schema of a type, without null.
fn value(schema: &Schema, entity: &Entity, kind: &FieldType) -> Json {
    match kind {
        FieldType::Id | FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. } => {
            json!({"type": "string", "format": "uuid"})
        }
        FieldType::Text { min, max, pattern } => {
            let mut text = json!({"type": "string", "maxLength": max});
            if *min > 0 {
                text["minLength"] = (*min).into();
            }
            if let Some(pattern) = pattern {
                text["pattern"] = pattern.0.as_str().into();
            }
            text
        }
        FieldType::LongText { max } | FieldType::RichText { max } => {
            json!({"type": "string", "maxLength": max})
        }
        FieldType::Email => json!({"type": "string", "format": "email", "maxLength": 254}),
        FieldType::Phone => json!({"type": "string", "maxLength": 40}),
        FieldType::Url => json!({"type": "string", "format": "uri", "maxLength": 2048}),
        FieldType::Color => json!({"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}),
        FieldType::Integer { min, max } => integer(*min, *max),
        FieldType::Duration { min, max } => {
            let seconds = integer(*min, *max);
            json!({"anyOf": [seconds, {"type": "string", "format": "duration"}]})
        }
        FieldType::Decimal {
            precision, scale, ..
        } => decimal(*precision, *scale),
        FieldType::Money {
            precision, scale, ..
        } => money(decimal(*precision, *scale)),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        FieldType::Choice { options } => one_of(options),
        FieldType::Choices { options } => set(one_of(options), options.len()),
        FieldType::Tags { max } => set(
            json!({"type": "string", "minLength": 1, "maxLength": 60}),
            *max,
        ),
        FieldType::State { .. } => {
            let codes: Vec<&str> = entity
                .states
                .iter()
                .map(|state| state.name.as_str())
                .collect();
            json!({"type": "string", "enum": codes})
        }
        FieldType::Links(_) => set(json!({"type": "string", "format": "uuid"}), 10_000),
        FieldType::AnyLink { to } => any_link(schema, to),
        FieldType::Children { of, .. } => array(reference(schema.entity(*of), "Row")),
        FieldType::Geo => geo(decimal(9, 6)),
        // Any JSON at all: that is what the type is for.
        FieldType::Json => json!({}),
        FieldType::Secret | FieldType::Password => json!({"type": "string"}),
        FieldType::Computed { returns, .. } | FieldType::Rollup { returns, .. } => {
            value(schema, entity, returns)
        }
    }
}

pub fn reference(entity: &Entity, suffix: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{}{suffix}", schema_name(entity))})
}

fn array(items: Json) -> Json {
    json!({"type": "array", "items": items})
}

fn set(items: Json, most: usize) -> Json {
    json!({"type": "array", "items": items, "uniqueItems": true, "maxItems": most})
}

fn one_of(options: &[ChoiceOption]) -> Json {
    let codes: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
    json!({"type": "string", "enum": codes})
}

fn integer(min: Option<i64>, max: Option<i64>) -> Json {
    let (least, most) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
    json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most})
}

/// A number, or its digits in a string for those whose numbers are not exact.
fn decimal(precision: u8, scale: u8) -> Json {
    let whole = precision.saturating_sub(scale).max(1);
    let digits = match scale {
        0 => format!("^-?[0-9]{{1,{whole}}}$"),
        _ => format!("^-?[0-9]{{1,{whole}}}(\\.[0-9]{{1,{scale}}})?$"),
    };
    json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": digits}]})
}

fn money(amount: Json) -> Json {
    json!({
        "type": "object", "required": ["amount", "currency"], "additionalProperties": false,
        "properties": {"amount": amount, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    })
}

fn geo(degrees: Json) -> Json {
    json!({
        "type": "object", "required": ["lat", "lon"], "additionalProperties": false,
        "properties": {"lat": degrees, "lon": degrees},
    })
}

fn any_link(schema: &Schema, to: &[opsflux_model::EntityIx]) -> Json {
    let names: Vec<&str> = to
        .iter()
        .map(|ix| schema.entity(*ix).name.as_str())
        .collect();
    let mut entity = json!({"type": "string"});
    if !names.is_empty() {
        entity["enum"] = names.into();
    }
    json!({
        "type": "object", "required": ["entity", "id"], "additionalProperties": false,
        "properties": {"entity": entity, "id": {"type": "string", "format": "uuid"}},
    })
}

/// The same, or null.
fn nullable(described: &mut Json) {
    let Some(object) = described
        .as_object_mut()
        .filter(|object| !object.is_empty())
    else {
        return;
    };
    if let Some(Json::Array(codes)) = object.get_mut("enum") {
        codes.push(Json::Null);
    }
    match object.get("type").cloned() {
        Some(Json::String(kind)) => {
            object.insert("type".to_owned(), json!([kind, "null"]));
        }
        _ => {
            let plain = described.take();
            *described = json!({"anyOf": [plain, {"type": "null"}]});
        }
    }
}
