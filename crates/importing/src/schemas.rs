//! What the operations take and answer, as the documentation tells it.

use serde_json::{Value as Json, json};

/// One of the documents, by its name.
pub(crate) fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object that has these members and no others.
fn object(properties: Json) -> Json {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// What the operations take and answer, for the documentation.
#[must_use]
pub fn schemas() -> Vec<(String, Json)> {
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["string", "null"]});
    let count = json!({"type": ["integer", "null"]});
    let error = object(json!({
        "line": {"type": "integer"}, "column": maybe, "field": maybe, "code": text, "message": text,
    }));
    let note = object(json!({"column": text, "ambiguous": text}));
    let mapping = json!({"type": ["object", "null"], "additionalProperties": {"type": "string"}});
    let job = object(json!({
        "id": text, "organization_id": maybe, "type": {"enum": ["EXCEL", "API"]},
        "status": {"enum": ["PENDING", "RUNNING", "SUCCESS", "FAILED"]}, "stage": maybe,
        "entity": text, "file_name": text, "mode": text, "mapping": mapping,
        "rows_total": count, "rows_done": count, "rows_ok": count, "rows_failed": count,
        "error_count": count, "errors": {"type": "array", "items": error},
        "notes": {"type": "array", "items": note}, "error_message": maybe,
        "created_by": maybe, "created_at": text, "updated_at": maybe, "started_at": maybe,
        "ended_at": maybe, "cancel": {"type": ["boolean", "null"]},
        "can_roll_back": {"type": "boolean"},
        "labels": reference("Labels"), "can": reference("Can"),
    }));
    let new = object(json!({
        "file": {"type": "string", "format": "binary"},
        "rows": {"type": "array", "items": {"type": "object"}},
        "entity": text, "collection": text, "dashboard_id": text, "mapping": mapping,
        "mode": {"enum": ["all_or_nothing", "skip_bad_rows"]}, "key": text, "sheet": text,
        "locale": {"enum": ["auto", "fr", "en-GB", "en-US", "es", "pt"]},
    }));
    let row = object(json!({
        "line": {"type": "integer"}, "cells": {"type": "array", "items": text}, "op": text,
        "record": {"type": ["object", "null"]}, "errors": {"type": "array", "items": error},
    }));
    let preview = object(json!({
        "entity": text, "format": {"type": "object"},
        "headers": {"type": "array", "items": text}, "rows_total": {"type": "integer"},
        "mapping": mapping, "remembered": {"type": "boolean"},
        "notes": {"type": "array", "items": note}, "rows": {"type": "array", "items": row},
    }));
    let page = object(json!({
        "items": {"type": "array", "items": reference("ImportStanding")},
        "next_cursor": maybe, "labels": reference("Labels"),
        "total": count, "total_is": {"type": "string", "enum": ["exact", "at_least"]},
    }));
    [
        ("ImportStanding", job),
        ("ImportStandingPage", page),
        ("NewImport", new),
        ("ImportPreview", preview),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .to_vec()
}
