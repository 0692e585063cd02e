//! One operation of the registry in the document.

use http::{Method, StatusCode};
use opsflux_model::predicate::operators;
use opsflux_model::schema::{Entity, Schema};
use opsflux_records::entity::schema_name;
use opsflux_records::{Needs, Operation};
use serde_json::{Map, Value as Json, json};

use super::{field, shared};

/// The Operation Object.
pub fn describe(schema: &Schema, operation: &Operation) -> Json {
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": responses(operation),
    });
    let parameters = parameters(schema, operation);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some((kind, body)) = &operation.input {
        let kinds = kind.split(", ");
        let mut content: Map<String, Json> = kinds
            .map(|kind| (kind.to_owned(), json!({"schema": body})))
            .collect();
        if operation.method == Method::PATCH {
            content.insert(
                "application/merge-patch+json".to_owned(),
                json!({"schema": body}),
            );
        }
        described["requestBody"] = json!({"required": true, "content": content});
    }
    if operation.needs == Needs::Nothing {
        described["security"] = json!([]);
    }
    described
}

fn parameters(schema: &Schema, operation: &Operation) -> Vec<Json> {
    let mut all: Vec<Json> = path_parameters(&operation.path)
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            })
        })
        .collect();
    for (name, kind, about) in operation
        .query
        .iter()
        .filter(|(name, ..)| !name.ends_with('*'))
    {
        let mut parameter = json!({"name": name, "in": "query", "schema": kind});
        if !about.is_empty() {
            parameter["description"] = about.as_str().into();
        }
        all.push(parameter);
    }
    if operation.query.iter().any(|(name, ..)| name == "*")
        && let Some(entity) = listed(schema, operation)
    {
        all.extend(filters(schema, entity, operation));
    }
    let shared = |name: &str| json!({"$ref": format!("#/components/parameters/{name}")});
    let addresses_record = operation.path.ends_with("/{id}") || operation.path.ends_with("_id}");
    let method = &operation.method;
    if *method == Method::POST {
        all.push(shared("IdempotencyKey"));
    }
    if answers_record(operation) && *method == Method::GET {
        all.push(shared("IfNoneMatch"));
    }
    if addresses_record && (*method == Method::PATCH || *method == Method::DELETE) {
        all.push(shared("IfMatch"));
        all.push(shared("Confirm"));
    }
    all
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The entity whose page the operation answers.
fn listed<'a>(schema: &'a Schema, operation: &Operation) -> Option<&'a Entity> {
    let name = answered(operation)?.strip_suffix("Page")?;
    schema
        .entities
        .iter()
        .find(|entity| schema_name(entity) == name)
}

/// Name of the schema of the answer, when it is one of ours.
fn answered(operation: &Operation) -> Option<&str> {
    let (_, Some((_, body))) = &operation.output else {
        return None;
    };
    body.get("$ref")?
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// Whether the answer is one record with its version.
fn answers_record(operation: &Operation) -> bool {
    operation.path.ends_with("/{id}") && answered(operation).is_some()
}

/// `FIELD=value` for every field that can be compared for equality.
fn filters<'a>(
    schema: &'a Schema,
    entity: &'a Entity,
    operation: &'a Operation,
) -> impl Iterator<Item = Json> + 'a {
    let taken = |name: &str| operation.query.iter().any(|(known, ..)| known == name);
    let compared = entity.fields.iter().filter_map(move |field| {
        let names: Vec<&str> = operators(&field.kind).iter().map(|op| op.name()).collect();
        (names.contains(&"eq") && !taken(&field.name)).then_some((field, names))
    });
    compared.map(move |(field, names)| {
        json!({
            "name": field.name, "in": "query",
            "schema": field::asked(schema, entity, field),
            "description": format!("Also {}[op] with op in {}", field.name, names.join(" ")),
        })
    })
}

fn responses(operation: &Operation) -> Map<String, Json> {
    let (status, output) = &operation.output;
    let mut all = Map::new();
    let mut add = |status: StatusCode| {
        all.insert(
            status.as_str().to_owned(),
            success(operation, output.as_ref()),
        );
    };
    add(*status);
    if creates(operation) {
        // The same create sent twice finds what the first one made.
        add(StatusCode::OK);
    }
    if operation.method == Method::GET && answers_record(operation) {
        all.insert(
            "304".to_owned(),
            json!({"description": "The caller has this version"}),
        );
    }
    if operation.problems.contains(&StatusCode::ACCEPTED) {
        all.insert(
            "202".to_owned(),
            json!({
                "description": "Begun, and gone on with as a job",
                "headers": {"Location": {"$ref": "#/components/headers/Location"}},
            }),
        );
    }
    for status in problems(operation) {
        if let Some((_, name, _)) = shared::PROBLEMS.iter().find(|(known, ..)| *known == status) {
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            all.insert(status.to_string(), reference);
        }
    }
    all
}

/// Whether it makes a record whose id the client may choose.
fn creates(operation: &Operation) -> bool {
    let body = operation
        .input
        .as_ref()
        .and_then(|(_, body)| body.get("$ref")?.as_str());
    body.is_some_and(|name| name.ends_with("Create") || name.ends_with("/NewComment"))
}

fn success(operation: &Operation, output: Option<&(String, Json)>) -> Json {
    let mut described = json!({"description": operation.summary});
    if let Some((kind, body)) = output {
        // Bytes come with the type of what they are.
        let is_binary = body.get("format").and_then(Json::as_str) == Some("binary");
        let kind = if is_binary { "*/*" } else { kind.as_str() };
        let kinds = kind.split(", ");
        let content: Map<String, Json> = kinds
            .map(|kind| (kind.to_owned(), json!({"schema": body})))
            .collect();
        described["content"] = Json::Object(content);
    }
    let mut headers = Map::new();
    if output.is_some() && answered(operation).is_some_and(|name| !name.ends_with("Page")) {
        headers.insert(
            "ETag".to_owned(),
            json!({"$ref": "#/components/headers/ETag"}),
        );
    }
    if operation.output.0 == StatusCode::CREATED {
        headers.insert(
            "Location".to_owned(),
            json!({"$ref": "#/components/headers/Location"}),
        );
    }
    if !headers.is_empty() {
        described["headers"] = headers.into();
    }
    described
}

/// Statuses of the problems it can answer: its own and those of the way to it.
fn problems(operation: &Operation) -> Vec<u16> {
    let mut all: Vec<u16> = operation
        .problems
        .iter()
        .map(|status| status.as_u16())
        .collect();
    all.extend([400, 403, 404, 414, 429]);
    // Signing in asks for no session and refuses like one that is missing.
    if operation.needs != Needs::Nothing || operation.method == Method::POST {
        all.push(401);
    }
    if operation.input.is_some() {
        all.extend([413, 415]);
    }
    if operation.method == Method::POST {
        // Of the idempotency key.
        all.extend([409, 422]);
    }
    if matches!(&operation.output.1, Some((kind, _)) if kind == "text/event-stream") {
        all.push(406);
    }
    all.sort_unstable();
    all.dedup();
    all
}
