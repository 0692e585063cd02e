//! `POST /access/preview`: what a role would give and take if it were changed so, and whom that
//! concerns. Nothing is written. For administrators.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::access::Scope;
use opsflux_model::{FieldRight, Operand, Predicate, Schema, Value};
use opsflux_records::{Call, Error, FieldError, Needs, Operation, Reply};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::matrix::{Given, given, permission_schema, shown};
use super::{JSON, json_reply};
use crate::structure::Structure;
use crate::{ACTIVE, Inner, granting};
use opsflux_records::table::{Query, Table, at};

/// More people than any tenant has.
const MOST: u32 = 1_000_000;

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "What a changed role would give and take; for administrators";
    Operation {
        needs: Needs::Admin,
        tag: "access".to_owned(),
        input: Some((JSON.to_owned(), input_schema())),
        output: (StatusCode::OK, Some((JSON.to_owned(), schema()))),
        problems: vec![StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(
            inner,
            "access_preview",
            (Method::POST, "/access/preview"),
            summary,
            answer,
        )
    }
}

fn input_schema() -> Json {
    let text = json!({"type": "string"});
    let permission = json!({
        "type": "object",
        "properties": {
            "app": text, "action": text, "scope": text,
            "condition": {"type": ["object", "null"], "additionalProperties": true},
        },
        "required": ["app", "action", "scope"],
    });
    let field = json!({
        "type": "object",
        "properties": {"app": text, "field": text, "right": text},
        "required": ["app", "field", "right"],
    });
    json!({
        "type": "object",
        "properties": {
            "role": {"type": "string", "format": "uuid"},
            "permissions": {"type": "array", "items": permission},
            "field_rights": {"type": "array", "items": field},
            "inherits": {"type": "array", "items": {"type": "string", "format": "uuid"}},
        },
        "required": ["role"],
        "additionalProperties": false,
    })
}

fn schema() -> Json {
    let permissions = json!({"type": "array", "items": permission_schema()});
    let right = json!({"enum": ["hidden", "mask", "read", "write"]});
    let field = json!({
        "type": "object",
        "properties": {
            "collection": {"type": "string"}, "field": {"type": "string"},
            "before": right, "after": right,
        },
        "required": ["collection", "field", "before", "after"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "gives": permissions, "takes": permissions,
            "fields": {"type": "array", "items": field},
            "everything": {"enum": ["gives", "takes", null]},
            "people": {"type": "integer"},
        },
        "required": ["gives", "takes", "fields", "everything", "people"],
        "additionalProperties": false,
    })
}

async fn answer(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let tenant = call.caller()?.tenant();
    let body = call.object()?;
    let (now, schema) = (inner.records.now(), inner.records.schema());
    let before = inner.people.shape(tenant, now).await?;
    let role = body.get("role").and_then(Json::as_str);
    let role = role.and_then(|id| Uuid::try_parse(id).ok());
    let role = role.filter(|id| before.roles.contains_key(id));
    let role = role.ok_or(Error::NotFound)?;
    let after = changed(&schema, &before, role, &body)?;
    let (was, is) = (
        given(&schema, &before, role, now),
        given(&schema, &after, role, now),
    );
    let everything = match (&was, &is) {
        (Given::Everything, Given::Some(_)) => Some("takes"),
        (Given::Some(_), Given::Everything) => Some("gives"),
        _ => None,
    };
    let (was, is) = (in_words(&was), in_words(&is));
    let only = |these: &[Json], those: &[Json]| -> Vec<Json> {
        let missing = these.iter().filter(|one| !contains(those, one));
        missing.cloned().collect()
    };
    let people = inner.held_by(tenant, &before, &after, role).await?;
    Ok(json_reply(&json!({
        "gives": only(&is, &was),
        "takes": only(&was, &is),
        "fields": fields(&schema, &before, &after, role),
        "everything": everything,
        "people": people,
    })))
}

/// The structure as it would be.
fn changed(
    schema: &Schema,
    before: &Structure,
    role: Uuid,
    body: &Map<String, Json>,
) -> Result<Structure, Error> {
    let mut after = before.clone();
    let Some(kept) = after.roles.get_mut(&role) else {
        return Err(Error::NotFound);
    };
    if kept.system {
        return Err(Error::Refused {
            code: "base.declared_role".to_owned(),
            params: Map::new(),
            field: None,
        });
    }
    let lines = |name: &str, columns: &[&str]| -> Option<Vec<Vec<Value>>> {
        let lines = body.get(name)?.as_array()?.iter();
        let value = |line: &Json, column: &str| match line.get(column) {
            Some(Json::String(text)) => Value::from(text.as_str()),
            Some(json) if column == "condition" => Value::Json(json.clone()),
            _ => Value::Null,
        };
        let row = |line: &Json| {
            let rest = columns.iter().skip(1).map(|column| value(line, column));
            [Value::Id(role)].into_iter().chain(rest).collect()
        };
        Some(lines.map(row).collect())
    };
    let permissions = lines("permissions", &granting::PERMISSION);
    let fields = lines("field_rights", &granting::FIELD);
    let written = [
        ("permissions", permissions.as_ref()),
        ("field_rights", fields.as_ref()),
    ];
    let mut wrong = Vec::new();
    let mut granted = kept.granted.as_deref().cloned().unwrap_or_default();
    granted.role.clone_from(&kept.name);
    for (name, lines) in written {
        let Some(lines) = lines else { continue };
        let nothing = Vec::new();
        let (permissions, fields) = match name {
            "permissions" => (lines, &nothing),
            _ => (&nothing, lines),
        };
        let read = granting::granted(schema, permissions, fields).remove(&role);
        let read = read.unwrap_or_default();
        let understood = read.permissions.len() + read.fields.len();
        if understood < lines.len() {
            wrong.push(FieldError::new(name, "not_found", ""));
        }
        match name {
            "permissions" => granted.permissions = read.permissions,
            _ => granted.fields = read.fields,
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    kept.granted = Some(Arc::new(granted));
    if let Some(inherits) = body.get("inherits").and_then(Json::as_array) {
        let ids = inherits.iter().filter_map(Json::as_str);
        kept.inherits = ids.filter_map(|id| Uuid::try_parse(id).ok()).collect();
    }
    Ok(after)
}

/// The permissions that say something: beside all records without a condition nothing else does.
fn in_words(given: &Given) -> Vec<Json> {
    let Given::Some(all) = given else {
        return Vec::new();
    };
    let whole: BTreeSet<(&str, &str)> = all
        .iter()
        .filter(|(.., reason)| reason.scope == Scope::All && reason.condition.is_trivial())
        .map(|(collection, action, _)| (collection.as_str(), *action))
        .collect();
    let says = all.iter().filter(|(collection, action, reason)| {
        let widest = reason.scope == Scope::All && reason.condition.is_trivial();
        widest || !whole.contains(&(collection.as_str(), *action))
    });
    says.map(shown).collect()
}

/// Whether the same is permitted, whichever role it comes from.
fn contains(all: &[Json], one: &Json) -> bool {
    let same = |other: &Json| {
        ["collection", "action", "scope", "condition"]
            .iter()
            .all(|name| other[*name] == one[*name])
    };
    all.iter().any(same)
}

/// The rights on fields that would be others.
fn fields(schema: &Schema, before: &Structure, after: &Structure, role: Uuid) -> Vec<Json> {
    let right = |structure: &Structure, entity, field| {
        let granted = structure.roles.get(&role)?.granted.as_ref()?;
        if !granted.permissions.iter().any(|p| p.entity == entity) {
            return None;
        }
        let mut named = granted.fields.iter();
        let named = named.find(|(of, is, _)| *of == entity && *is == field);
        Some(named.map_or(FieldRight::Write, |(.., right)| *right))
    };
    let mut found = Vec::new();
    for (ix, entity) in schema.iter() {
        for (field, declared) in entity.iter() {
            // What an entity gives by being reached at all is told by its permissions.
            if let (Some(was), Some(is)) = (right(before, ix, field), right(after, ix, field))
                && was != is
            {
                found.push(json!({
                    "collection": entity.collection, "field": declared.name,
                    "before": name(was), "after": name(is),
                }));
            }
        }
    }
    found
}

fn name(right: FieldRight) -> &'static str {
    match right {
        FieldRight::Hidden => "hidden",
        FieldRight::Mask => "mask",
        FieldRight::Read => "read",
        FieldRight::Write => "write",
    }
}

impl Inner {
    /// How many active people hold `role`, themselves, through a group, or by a role that builds
    /// on it.
    async fn held_by(
        &self,
        tenant: i64,
        before: &Structure,
        after: &Structure,
        role: Uuid,
    ) -> Result<usize, Error> {
        let roles: Vec<Uuid> = before
            .roles
            .keys()
            .copied()
            .filter(|id| before.builds_on(*id, role) || after.builds_on(*id, role))
            .collect();
        let schema = self.records.schema();
        let store = self.records.store();
        let ids = |ids: &[Uuid]| Operand::OneOf(ids.iter().copied().map(Value::Id).collect());
        let memberships = Table::of(&schema, "membership")?;
        let query = Query {
            fields: &["user"],
            filter: Predicate::test(memberships.ix, memberships.field("role")?, ids(&roles)),
            sort: &[],
            limit: MOST,
        };
        let rows = memberships.rows(store, tenant, query).await?;
        let mut people: BTreeSet<Uuid> = rows.iter().filter_map(|row| at(row, 0).as_id()).collect();
        let groups = Table::of(&schema, "group")?;
        let query = Query {
            fields: &["id", "members"],
            filter: Predicate::True,
            sort: &[],
            limit: MOST,
        };
        for row in groups.rows(store, tenant, query).await? {
            let above = at(&row, 0)
                .as_id()
                .map(|id| before.groups_with_above(&[id]));
            let hands_down = above.into_iter().flatten().any(|group| {
                let handed = before.handed_down.get(&group).into_iter().flatten();
                handed.into_iter().any(|held| roles.contains(&held.role))
            });
            if let (true, Value::Set(members)) = (hands_down, at(&row, 1)) {
                people.extend(members.iter().filter_map(Value::as_id));
            }
        }
        let people: Vec<Uuid> = people.into_iter().collect();
        let users = Table::of(&schema, "user")?;
        let mut active = 0;
        for some in people.chunks(10_000) {
            let these = Predicate::test(users.ix, users.field("id")?, ids(some));
            let query = Query {
                fields: &["id"],
                filter: these.and(users.is("status", ACTIVE)?),
                sort: &[],
                limit: MOST,
            };
            active += users.rows(store, tenant, query).await?.len();
        }
        Ok(active)
    }
}
