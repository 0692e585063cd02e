//! `GET /access/matrix`: what each role of the tenant gives, entity by entity and action by action.
//! For administrators.
//!
//! Each role is compiled as if somebody held it and nothing else, by the compiler that makes the
//! rules of people, so that the matrix says what is and not what is written down.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::access::{Principal, Reason, Scope};
use opsflux_model::{Access, Action, Schema};
use opsflux_records::{Call, Error, Needs, Operation, Reply};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{JSON, json_reply};
use crate::Inner;
use crate::people::variables;
use crate::structure::{Held, Structure};

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "What each role gives; for administrators";
    Operation {
        needs: Needs::Admin,
        tag: "access".to_owned(),
        output: (StatusCode::OK, Some((JSON.to_owned(), schema()))),
        ..super::operation(
            inner,
            "access_matrix",
            (Method::GET, "/access/matrix"),
            summary,
            answer,
        )
    }
}

/// The shape of one permission as it is shown.
pub(super) fn permission_schema() -> Json {
    json!({
        "type": "object",
        "properties": {
            "collection": {"type": "string"}, "action": {"type": "string"},
            "scope": {"enum": ["all", "company", "department", "own"]},
            "condition": {"type": ["object", "null"], "additionalProperties": true},
            "from": {"type": "string"}, "declared": {"type": "boolean"},
        },
        "required": ["collection", "action", "scope", "condition", "from", "declared"],
        "additionalProperties": false,
    })
}

fn schema() -> Json {
    let role = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"}, "name": {"type": "string"},
            "system": {"type": "boolean"}, "everything": {"type": "boolean"},
            "permissions": {"type": "array", "items": permission_schema()},
        },
        "required": ["id", "name", "system", "everything", "permissions"],
        "additionalProperties": false,
    });
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "properties": {
            "roles": {"type": "array", "items": role},
            "collections": texts, "actions": texts,
        },
        "required": ["roles", "collections", "actions"],
        "additionalProperties": false,
    })
}

/// What holding a role gives, and nothing besides: all of it, or these permissions.
pub(super) enum Given {
    Everything,
    Some(Vec<(String, &'static str, Reason)>),
}

/// What holding `role` would give somebody.
pub(super) fn given(
    schema: &Schema,
    structure: &Structure,
    role: Uuid,
    now: jiff::Timestamp,
) -> Given {
    let held = Held {
        role,
        company: None,
        department: None,
    };
    let principal = Principal {
        tenant: 0,
        user: Uuid::nil(),
        home_company: None,
        memberships: structure.memberships(held, None),
        groups: Vec::new(),
        shares: Vec::new(),
        instance_admin: false,
    };
    let mut codes = principal
        .memberships
        .iter()
        .filter_map(|m| m.role.as_deref());
    if codes.any(|code| code == opsflux_model::access::ADMIN) {
        return Given::Everything;
    }
    let variables = variables(&principal, now, &jiff::tz::TimeZone::UTC);
    let all = Access::reasons(schema, &principal, &variables);
    let named = all.into_iter().map(|(entity, action, reason)| {
        let known = Action::NAMES.iter().find(|(_, known)| *known == action);
        let name = known.map_or("", |(name, _)| *name);
        (schema.entity(entity).collection.clone(), name, reason)
    });
    Given::Some(named.collect())
}

/// A permission as it is shown.
pub(super) fn shown((collection, action, reason): &(String, &'static str, Reason)) -> Json {
    let scope = match reason.scope {
        Scope::All => "all",
        Scope::Company => "company",
        Scope::Department => "department",
        Scope::Own => "own",
    };
    json!({
        "collection": collection, "action": action, "scope": scope,
        "condition": (!reason.condition.is_trivial()).then(|| reason.condition.to_json()),
        "from": reason.role, "declared": reason.declared,
    })
}

async fn answer(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let (now, schema) = (inner.records.now(), inner.records.schema());
    let structure = inner.people.shape(caller.tenant(), now).await?;
    let mut roles: Vec<_> = structure.roles.iter().collect();
    roles.sort_by(|(_, a), (_, b)| (!a.system, &a.name).cmp(&(!b.system, &b.name)));
    let roles = roles.into_iter().map(|(id, role)| {
        let given = given(&schema, &structure, *id, now);
        let (everything, permissions) = match &given {
            Given::Everything => (true, Vec::new()),
            Given::Some(given) => (false, given.iter().map(shown).collect()),
        };
        json!({
            "id": id.to_string(), "name": role.name, "system": role.system,
            "everything": everything, "permissions": permissions,
        })
    });
    let collections: Vec<&str> = schema.iter().map(|(_, e)| e.collection.as_str()).collect();
    Ok(json_reply(&json!({
        "roles": roles.collect::<Vec<_>>(),
        "collections": collections,
        "actions": Action::NAMES.map(|(name, _)| name),
    })))
}
