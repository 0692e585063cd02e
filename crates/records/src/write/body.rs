//! The body of a write: which fields it names, with values of their types, every mistake at once.

use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{FieldRight, Value, wire};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::FieldError;

/// What a body asks of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Becomes this.
    To(Value),
    /// A link given as the number of a record, not yet resolved.
    Number(String),
    /// A set whose members join and leave.
    Members {
        /// Join.
        add: Vec<Value>,
        /// Leave.
        remove: Vec<Value>,
    },
    /// The rows of a child table: with an id updated, without added, missing ones deleted.
    Children(Vec<Map<String, Json>>),
}

/// Most rows a child table may have in one body; more go through their own collection.
pub(super) const MAX_CHILDREN: usize = 200;

/// Reads `body` for `entity`. Fields the caller may not see are as unknown as those that do not
/// exist; fields he may not write are named as such. `create` allows `id`.
pub fn read(
    schema: &Schema,
    caller: &Caller,
    entity: EntityIx,
    body: &Map<String, Json>,
    create: bool,
    errors: &mut Vec<FieldError>,
) -> Vec<(FieldIx, Input)> {
    let declared = schema.entity(entity);
    let mut inputs = Vec::with_capacity(body.len());
    for (name, json) in body {
        let known = declared
            .find(name)
            .filter(|ix| caller.access.field(entity, *ix) > FieldRight::Hidden);
        let Some(ix) = known else {
            errors.push(FieldError::new(name, "unknown_field", ""));
            continue;
        };
        let field = declared.field(ix);
        let is_id = field.name == system::ID;
        let engine_only = field.readonly
            || matches!(
                field.kind,
                FieldType::Computed { .. } | FieldType::Rollup { .. }
            );
        let may_write = if is_id { create } else { !engine_only };
        if !may_write {
            errors.push(FieldError::new(name, "readonly", ""));
            continue;
        }
        if !is_id && caller.access.field(entity, ix) < FieldRight::Write {
            errors.push(FieldError::new(name, "not_allowed", ""));
            continue;
        }
        match input(declared, ix, json) {
            Ok(input) => inputs.push((ix, input)),
            Err(invalid) => errors.push(FieldError::of(name, invalid)),
        }
    }
    inputs
}

fn input(declared: &Entity, ix: FieldIx, json: &Json) -> Result<Input, wire::Invalid> {
    let kind = &declared.field(ix).kind;
    match (kind, json) {
        (FieldType::Children { .. }, Json::Null) => Ok(Input::Children(Vec::new())),
        (FieldType::Children { .. }, Json::Array(rows)) => children(rows),
        (FieldType::Link(_), Json::String(text))
            if Uuid::try_parse(text).is_err() && looks_like_a_number(text) =>
        {
            Ok(Input::Number(text.clone()))
        }
        (kind, Json::Object(object)) if kind.is_set() => members(kind, object),
        (kind, Json::Null) if kind.is_set() => Ok(Input::To(Value::Set(Vec::new()))),
        (FieldType::State { .. }, Json::String(code))
            if !declared.states.iter().any(|state| state.name == *code) =>
        {
            let known: Vec<_> = declared
                .states
                .iter()
                .map(|state| state.name.as_str())
                .collect();
            Err(wire::Invalid::new("not_an_option", known.join(", ")))
        }
        (kind, json) => wire::parse(kind, json).map(Input::To),
    }
}

/// `[A-Z][A-Z0-9]*-[A-Z0-9-]+` (decisions §26).
fn looks_like_a_number(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('-') else {
        return false;
    };
    let code = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
    };
    prefix.starts_with(|c: char| c.is_ascii_uppercase()) && code(prefix) && code(rest)
}

fn children(rows: &[Json]) -> Result<Input, wire::Invalid> {
    if rows.len() > MAX_CHILDREN {
        return Err(wire::Invalid::new("too_many", MAX_CHILDREN.to_string()));
    }
    let objects: Option<Vec<_>> = rows.iter().map(|row| row.as_object().cloned()).collect();
    objects
        .map(Input::Children)
        .ok_or_else(|| wire::Invalid::new("wrong_type", "an array of objects"))
}

fn members(kind: &FieldType, object: &Map<String, Json>) -> Result<Input, wire::Invalid> {
    let expected =
        || wire::Invalid::new("wrong_type", "an array, or {\"add\": […], \"remove\": […]}");
    if object.is_empty() || object.keys().any(|key| key != "add" && key != "remove") {
        return Err(expected());
    }
    let side = |name: &str| match object.get(name) {
        None => Ok(Vec::new()),
        Some(json) => match wire::parse(kind, json)? {
            Value::Set(values) => Ok(values),
            _ => Err(expected()),
        },
    };
    Ok(Input::Members {
        add: side("add")?,
        remove: side("remove")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_ids_and_nonsense() {
        for number in ["TIC-000123", "A1-2026-07", "PO-1"] {
            assert!(looks_like_a_number(number), "{number}");
        }
        for other in ["tic-1", "TIC", "-1", "1A-2", "TIC-", "TIC-é"] {
            assert!(!looks_like_a_number(other), "{other}");
        }
    }
}
