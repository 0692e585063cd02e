//! The OpenAPI 3.1 document, made from what is really served.
//!
//! Operations come from the registry, schemas of bodies and answers from the declarations. Nothing
//! is written by hand for one entity, so nothing can be forgotten or promised in vain.
//!
//! What must never be here: `default` answers and 5xx (a program cannot act on them), schemas that
//! allow unnamed properties.

mod entity;
mod field;
mod meta;
mod operation;
mod shared;

use opsflux_model::Schema;
use opsflux_records::Operation;
use serde_json::{Map, Value as Json, json};

use crate::http::api::PREFIX;

/// The document as JSON.
#[must_use]
pub fn document(schema: &Schema, operations: &[Operation]) -> Vec<u8> {
    let mut sorted: Vec<&Operation> = operations.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.name.cmp(&b.name)));
    let mut paths: Map<String, Json> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for operation in sorted {
        let item = paths
            .entry(operation.path.clone())
            .or_insert_with(|| Json::Object(Map::new()));
        if let Some(item) = item.as_object_mut() {
            let method = operation.method.as_str().to_ascii_lowercase();
            item.insert(method, operation::describe(schema, operation));
        }
        if !tags.contains(&operation.tag.as_str()) {
            tags.push(&operation.tag);
        }
    }
    let mut schemas = shared::schemas(schema);
    meta::schemas(&mut schemas);
    for (_, declared) in schema.iter() {
        entity::schemas(schema, declared, &mut schemas);
    }
    opsflux_kpi::schemas(&mut schemas);
    schemas.extend(opsflux_importing::schemas());
    let tags: Vec<Json> = tags.into_iter().map(|tag| json!({"name": tag})).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "OpsFlux",
            "version": env!("CARGO_PKG_VERSION"),
            "description": shared::DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "security": [{"bearer": []}, {"cookie": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": shared::responses(),
            "parameters": shared::parameters(),
            "headers": shared::headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "opsflux_access",
                    "description": "The browser's session. Writing requests repeat the cookie opsflux_csrf in X-CSRF-Token.",
                },
            },
        },
    });
    document.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
