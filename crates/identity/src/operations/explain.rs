//! `GET /access/explain`: why somebody may, or may not, do something with records of a collection,
//! or with one of them. For administrators.
//!
//! The answer is made by the compiler that makes the rules themselves: each permission the person
//! has, with the records it reaches; the record is asked all of them in one question.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::access::{Explained, Membership, Reason};
use opsflux_model::schema::{Entity, EntityIx};
use opsflux_model::{Access, Action, FieldRight, Predicate};
use opsflux_records::read::Judged;
use opsflux_records::{Call, Error, Needs, Operation, Reply};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{JSON, json_reply};
use crate::Inner;
use crate::people::{Person, variables};

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let actions: Vec<&str> = Action::NAMES.iter().map(|(name, _)| *name).collect();
    let parameter = |name: &str, schema: Json, what: &str| (name.to_owned(), schema, what.into());
    let summary = "Why somebody may, or may not, do something; for administrators";
    let at = (Method::GET, "/access/explain");
    Operation {
        needs: Needs::Admin,
        tag: "access".to_owned(),
        query: vec![
            parameter(
                "user",
                json!({"type": "string", "format": "uuid"}),
                "Whose rights",
            ),
            parameter(
                "collection",
                json!({"type": "string"}),
                "On what: `tickets`",
            ),
            parameter(
                "action",
                json!({"type": "string", "enum": actions, "default": "view"}),
                "What he would do",
            ),
            parameter(
                "record",
                json!({"type": "string"}),
                "With which record: its id or number",
            ),
        ],
        output: (StatusCode::OK, Some((JSON.to_owned(), schema()))),
        problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
        ..super::operation(inner, "access_explain", at, summary, answer)
    }
}

fn schema() -> Json {
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["boolean", "null"]});
    let reason = json!({
        "type": "object",
        "properties": {
            "role": {"type": ["string", "null"]}, "shared": {"type": "boolean"},
            "group": {"type": ["string", "null"], "format": "uuid"}, "declared": {"type": "boolean"}, "scope": text,
            "company": {"type": ["string", "null"], "format": "uuid"},
            "departments": {"type": "array", "items": {"type": "string", "format": "uuid"}},
            "condition": {"type": ["object", "null"], "additionalProperties": true},
            "reaches": maybe,
        },
        "required": ["role", "shared", "group", "declared", "scope", "company", "departments", "condition", "reaches"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "user": {"type": "string", "format": "uuid"}, "collection": text, "action": text,
            "record": {"type": ["string", "null"], "format": "uuid"},
            "active": {"type": "boolean"}, "administrator": {"type": "boolean"},
            "deleted": maybe, "owner": maybe, "allowed": maybe,
            "reasons": {"type": "array", "items": reason},
            "fields": {
                "type": "object",
                "additionalProperties": {"enum": ["hidden", "mask", "read", "write"]},
            },
        },
        "required": [
            "user", "collection", "action", "record", "active", "administrator", "deleted",
            "owner", "allowed", "reasons", "fields",
        ],
        "additionalProperties": false,
    })
}

/// What is asked.
struct Question<'c> {
    user: Uuid,
    entity: EntityIx,
    action: (&'static str, Action),
    record: Option<&'c str>,
}

impl<'c> Question<'c> {
    fn of(inner: &Inner, call: &'c Call) -> Result<Question<'c>, Error> {
        let value = |wanted: &str| {
            let mut query = call.query.iter();
            let found = query.find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let user = value("user").and_then(|id| Uuid::try_parse(id).ok());
        let user = user.ok_or_else(|| Error::query("user", "invalid_value", "the id of a user"))?;
        let collection = value("collection").unwrap_or_default();
        let entity = inner.records.schema().find_collection(collection);
        let entity = entity.ok_or_else(|| {
            let detail = format!("there is no collection “{collection}”");
            Error::query("collection", "invalid_value", detail)
        })?;
        let named = value("action").unwrap_or("view");
        let action = Action::NAMES.into_iter().find(|(name, _)| *name == named);
        let action = action.ok_or_else(|| {
            let known = Action::NAMES.map(|(name, _)| name).join(" ");
            Error::query("action", "invalid_value", known)
        })?;
        Ok(Question {
            user,
            entity,
            action,
            record: value("record"),
        })
    }
}

async fn answer(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let question = Question::of(&inner, &call)?;
    let now = inner.records.now();
    let (tenant, schema) = (caller.tenant(), inner.records.schema());
    let person = inner.people.find(tenant, question.user, now).await?;
    let person = person.ok_or(Error::NotFound)?;
    let principal = &person.access.principal;
    let variables = variables(principal, now, &person.time_zone);
    let (entity, action) = (question.entity, question.action.1);
    let explained = Access::explain(&schema, principal, &variables, entity, action);
    let judged = match question.record {
        Some(record) => {
            let reasons = explained.reasons.iter();
            let mut asked: Vec<Predicate> = reasons.map(|reason| reason.reaches.clone()).collect();
            asked.push(explained.bound.clone());
            let judged = inner.records.judged(tenant, entity, record, &asked);
            Some(judged.await?)
        }
        None => None,
    };
    let shown = shown(
        schema.entity(entity),
        &question,
        &person,
        &explained,
        judged,
    );
    Ok(json_reply(&shown))
}

fn shown(
    declared: &Entity,
    question: &Question<'_>,
    person: &Person,
    explained: &Explained,
    judged: Option<Judged>,
) -> Json {
    let administrator = person.access.is_admin();
    let holds = |place: usize| Some(*judged.as_ref()?.holds.get(place)?);
    let owner = holds(explained.reasons.len());
    let reached = (0..explained.reasons.len()).any(|place| holds(place) == Some(true));
    // The administrator needs no permission; nobody acts on what is deleted.
    let allowed = judged.as_ref().map(|judged| {
        let permitted = administrator || reached && owner == Some(true);
        person.is_active() && permitted && !judged.deleted
    });
    let held = &person.access.principal.memberships;
    let reasons = explained.reasons.iter().enumerate().map(|(place, reason)| {
        let membership = reason.membership.and_then(|place| held.get(place));
        let company = membership.and_then(|held| held.company);
        let departments = membership.map_or(&[][..], |held| &held.departments);
        json!({
            "role": reason.membership.map(|_| reason.role.as_str()),
            "shared": reason.membership.is_none(),
            "group": group(membership, person, question.entity, judged.as_ref())
                .map(|id| id.to_string()),
            "declared": reason.declared, "scope": scope(reason),
            "company": company.map(|id| id.to_string()),
            "departments": departments.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "condition": (!reason.condition.is_trivial()).then(|| reason.condition.to_json()),
            "reaches": holds(place),
        })
    });
    let right = |ix| match person.access.field(question.entity, ix) {
        FieldRight::Hidden => "hidden",
        FieldRight::Mask => "mask",
        FieldRight::Read => "read",
        FieldRight::Write => "write",
    };
    let fields: Map<String, Json> = declared
        .iter()
        .map(|(ix, field)| (field.name.clone(), Json::from(right(ix))))
        .collect();
    json!({
        "user": question.user.to_string(), "collection": declared.collection,
        "action": question.action.0,
        "record": judged.as_ref().map(|judged| judged.id.to_string()),
        "active": person.is_active(), "administrator": administrator,
        "deleted": judged.as_ref().map(|judged| judged.deleted),
        "owner": owner, "allowed": allowed,
        "reasons": reasons.collect::<Vec<_>>(), "fields": fields,
    })
}

/// The group a role is held through, or the asked record was shared with.
fn group(
    membership: Option<&Membership>,
    person: &Person,
    entity: EntityIx,
    judged: Option<&Judged>,
) -> Option<Uuid> {
    if let Some(membership) = membership {
        return membership.through;
    }
    let record = judged?.id;
    let shares = person.access.principal.shares.iter();
    let mut of_record = shares.filter(|share| share.entity == entity && share.record == record);
    // One's own comes first: a group then adds nothing.
    of_record.next().and_then(|share| share.through)
}

fn scope(reason: &Reason) -> &'static str {
    match reason.scope {
        opsflux_model::access::Scope::All => "all",
        opsflux_model::access::Scope::Company => "company",
        opsflux_model::access::Scope::Department => "department",
        opsflux_model::access::Scope::Own => "own",
    }
}
