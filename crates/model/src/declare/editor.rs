//! JSON Schemas of the declaration files, so that editors complete and underline while one types.
//!
//! They are made from the very tables the checker uses ([`super::keys`]), so they cannot say
//! anything else than it does; what refers to other files only the checker can say.

use serde_json::{Map, Value as Json, json};

use super::keys;
use super::shape::{Key, Shape, Style, Type};
use super::types::TYPE;
use crate::condition::Op;

/// A kind of declaration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// `module.toml`
    Module,
    /// `entities/*.toml`
    Entity,
    /// `roles.toml`
    Roles,
    /// `views/*.toml`
    View,
}

impl File {
    /// Every kind with the name of its schema.
    pub const NAMES: [(&'static str, File); 4] = [
        ("module", File::Module),
        ("entity", File::Entity),
        ("roles", File::Roles),
        ("view", File::View),
    ];
}

/// The JSON Schema (draft 2020-12) of a kind of file.
#[must_use]
pub fn schema(file: File) -> Json {
    let (title, shape) = match file {
        File::Module => ("A module of OpsFlux", Shape::Table(keys::MODULE)),
        File::Entity => ("An entity of OpsFlux", Shape::Table(keys::ENTITY)),
        File::Roles => ("Roles of an OpsFlux module", keys::ROLES),
        File::View => ("A saved view of OpsFlux", Shape::Table(keys::VIEW)),
    };
    let mut schema = object_of(render(shape));
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!(title));
    schema.insert("$defs".to_owned(), json!({ "condition": condition() }));
    Json::Object(schema)
}

fn render(shape: Shape) -> Json {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Name(style) => name(style),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Integer(i64::MIN) => json!({"type": "integer"}),
        Shape::Integer(least) => json!({"type": "integer", "minimum": least}),
        Shape::Number => json!({"type": "number"}),
        Shape::OneOf(known) => json!({"enum": known}),
        Shape::List(item) => json!({"type": "array", "items": render(*item)}),
        Shape::Table(keys) => table(keys.iter(), None),
        Shape::Map(style, value) => json!({
            "type": "object",
            "propertyNames": name(style),
            "additionalProperties": render(*value),
        }),
        Shape::Typed(types) => json!({
            "type": "object",
            "required": ["type"],
            "oneOf": types.iter().map(typed).collect::<Vec<_>>(),
        }),
        Shape::OrTable(other, alternative) | Shape::OrList(other, alternative) => {
            json!({"anyOf": [render(*other), render(*alternative)]})
        }
        Shape::Condition => json!({"$ref": "#/$defs/condition"}),
        Shape::Value => json!({}),
    }
}

fn name(style: Style) -> Json {
    json!({"type": "string", "pattern": style.pattern(), "maxLength": Style::MAX})
}

fn table(keys: impl Iterator<Item = &'static Key> + Clone, kind: Option<&Type>) -> Json {
    let mut properties = Map::new();
    for key in keys.clone() {
        let mut property = object_of(render(key.shape));
        property.insert("description".to_owned(), json!(key.doc));
        properties.insert(key.name.to_owned(), Json::Object(property));
    }
    let mut required: Vec<&str> = keys
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    if let Some(kind) = kind {
        let constant = json!({"const": kind.name, "description": TYPE.doc});
        properties.insert(TYPE.name.to_owned(), constant);
        required.insert(0, TYPE.name);
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Json::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Json::Object(schema)
}

fn typed(kind: &Type) -> Json {
    let mut schema = object_of(table(
        kind.keys().collect::<Vec<_>>().into_iter(),
        Some(kind),
    ));
    schema.insert("title".to_owned(), json!(kind.name));
    schema.insert("description".to_owned(), json!(kind.doc));
    Json::Object(schema)
}

fn condition() -> Json {
    let operators: Vec<&str> = Op::NAMES.iter().map(|(name, _)| *name).collect();
    let several = |key: &str| {
        json!({
            "type": "object",
            "properties": { key: {"type": "array", "items": {"$ref": "#/$defs/condition"}} },
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({"anyOf": [
        several("all"),
        several("any"),
        {
            "type": "object",
            "properties": {"not": {"$ref": "#/$defs/condition"}},
            "required": ["not"],
            "additionalProperties": false,
        },
        {
            "type": "object",
            "properties": {
                "field": {"type": "string", "description": "Dotted path from the record."},
                "op": {"enum": operators},
                "value": {"description": "@me, @my_departments, @my_groups, @today and @now stand for the reader and the moment."},
            },
            "required": ["field", "op"],
            "additionalProperties": false,
        },
        {"type": "object", "maxProperties": 0},
    ]})
}

fn object_of(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::types::FIELD_TYPES;

    #[test]
    fn every_type_of_field_is_offered_with_its_keys() {
        let schema = schema(File::Entity);
        let offered = &schema["properties"]["fields"]["additionalProperties"]["oneOf"];
        assert_eq!(offered.as_array().unwrap().len(), FIELD_TYPES.len());
        let link = offered
            .as_array()
            .unwrap()
            .iter()
            .find(|kind| kind["title"] == "link")
            .unwrap();
        assert_eq!(link["required"], json!(["type", "to"]));
        assert_eq!(
            link["properties"]["on_delete"]["enum"],
            json!(["clear", "cascade", "refuse"])
        );
        assert_eq!(link["additionalProperties"], json!(false));
    }

    #[test]
    fn the_schema_of_views_is_small_enough_to_be_read_whole() {
        let text = serde_json::to_string_pretty(&schema(File::View)).unwrap();
        insta::assert_snapshot!(text);
    }

    /// A schema that points nowhere makes editors silent.
    #[test]
    fn every_reference_leads_somewhere() {
        fn references(json: &Json, found: &mut Vec<String>) {
            match json {
                Json::Object(object) => {
                    found.extend(object.get("$ref").and_then(Json::as_str).map(str::to_owned));
                    object.values().for_each(|value| references(value, found));
                }
                Json::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        for (name, file) in File::NAMES {
            let schema = schema(file);
            let mut found = Vec::new();
            references(&schema, &mut found);
            for reference in found {
                let pointer = reference.trim_start_matches('#');
                assert!(schema.pointer(pointer).is_some(), "{name}: {reference}");
            }
        }
    }
}
