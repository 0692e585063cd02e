//! `GET /auth/me`, `PATCH /auth/me`: the caller's own account, and what he may set of it himself.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::Schema;
use opsflux_model::schema::FieldType;
use opsflux_records::{Call, Error, FieldError, Operation, Reply, WriteOptions};
use serde_json::{Map, Value as Json, json};

use super::{JSON, json_reply};
use crate::Inner;

/// What a person sets of his own account. Everything else is the administrators'.
const OWN: [&str; 3] = ["language", "theme", "time_zone"];

pub(super) fn read(inner: &Arc<Inner>) -> Operation {
    Operation {
        output: (StatusCode::OK, Some(schema())),
        ..super::operation(
            inner,
            "auth_me",
            (Method::GET, "/auth/me"),
            "The caller's own account",
            answer,
        )
    }
}

pub(super) fn change(inner: &Arc<Inner>) -> Operation {
    let declared = inner.records.schema();
    let properties: Map<String, Json> = OWN
        .iter()
        .map(|name| ((*name).to_owned(), settable(&declared, name)))
        .collect();
    let input = json!({"type": "object", "properties": properties, "additionalProperties": false});
    Operation {
        input: Some((JSON.to_owned(), input)),
        output: (StatusCode::OK, Some(schema())),
        problems: vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "auth_me_update",
            (Method::PATCH, "/auth/me"),
            "Changes language, theme and time zone of the caller's own account",
            change_own,
        )
    }
}

/// What a field of the account takes, as it is declared.
fn settable(schema: &Schema, name: &str) -> Json {
    let user = schema.find("user").map(|ix| schema.entity(ix));
    let field = user.and_then(|user| Some(&user.field(user.find(name)?).kind));
    match field {
        Some(FieldType::Choice { options }) => {
            let values = options
                .iter()
                .map(|option| Json::from(option.value.as_str()));
            let values: Vec<Json> = values.chain([Json::Null]).collect();
            json!({"type": ["string", "null"], "enum": values})
        }
        Some(FieldType::Text { max, pattern, .. }) => {
            let mut text = json!({"type": ["string", "null"], "maxLength": max});
            if let Some(pattern) = pattern {
                text["pattern"] = pattern.0.as_str().into();
            }
            text
        }
        _ => json!({"type": ["string", "null"]}),
    }
}

fn schema() -> (String, Json) {
    let (text, id) = (
        json!({"type": "string"}),
        json!({"type": "string", "format": "uuid"}),
    );
    let maybe = json!({"type": ["string", "null"]});
    let time = json!({"type": "string", "format": "date-time"});
    let company = json!({
        "type": "object", "properties": {"id": id, "name": text},
        "required": ["id", "name"], "additionalProperties": false,
    });
    let properties = json!({
        "id": id, "organization_id": id, "username": text, "email": text, "full_name": text,
        "role": {"type": "string", "enum": ["ADMIN", "USER"]}, "is_active": {"type": "boolean"},
        "sso_id": maybe, "language": maybe, "theme": maybe, "time_zone": maybe,
        "department": maybe, "company": maybe,
        "roles": {"type": "array", "items": text},
        "companies": {"type": "array", "items": company},
        "viewed_by": {
            "type": ["object", "null"], "properties": {"id": id, "full_name": maybe},
            "required": ["id", "full_name"], "additionalProperties": false,
        },
        "created_at": time, "updated_at": time,
    });
    let required: Vec<&String> = properties
        .as_object()
        .map(|all| all.keys().collect())
        .unwrap_or_default();
    let schema = json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    });
    (JSON.to_owned(), schema)
}

async fn answer(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let profile = inner.profile(call.caller()?).await?;
    Ok(json_reply(&profile.to_json()))
}

async fn change_own(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let patch = call.object()?;
    let unknown: Vec<FieldError> = patch
        .keys()
        .filter(|name| !OWN.contains(&name.as_str()))
        .map(|name| FieldError::new(name, "unknown_field", ""))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Invalid(unknown));
    }
    inner
        .change_user(caller, patch, &WriteOptions::default())
        .await?;
    let profile = inner.profile(caller).await?;
    Ok(json_reply(&profile.to_json()))
}
