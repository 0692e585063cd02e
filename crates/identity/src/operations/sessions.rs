//! `GET /auth/sessions`, `DELETE /auth/sessions/{id}`: where one is signed in, and logging out
//! from afar.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Call, Error, Operation, Reply};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{JSON, json_reply};
use crate::session::Shown;
use crate::token::Owner;
use crate::{Inner, cookies};

pub(super) fn list(inner: &Arc<Inner>) -> Operation {
    let summary = "The caller's sessions that may be used, the last one used first";
    let text = json!({"type": ["string", "null"]});
    let time = json!({"type": ["string", "null"], "format": "date-time"});
    let item = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"}, "current": {"type": "boolean"},
            "created_at": time, "last_seen_at": time, "expires_at": time,
            "address": text, "user_agent": text,
        },
        "required": ["id", "current"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}, "next_cursor": {"type": "null"}},
        "required": ["items", "next_cursor"],
        "additionalProperties": false,
    });
    Operation {
        output: (StatusCode::OK, Some((JSON.to_owned(), schema))),
        ..super::operation(
            inner,
            "auth_session_list",
            (Method::GET, "/auth/sessions"),
            summary,
            answer_list,
        )
    }
}

pub(super) fn end(inner: &Arc<Inner>) -> Operation {
    let summary =
        "Ends one of the caller's sessions; an administrator ends anybody's of the tenant";
    let at = (Method::DELETE, "/auth/sessions/{id}");
    super::operation(inner, "auth_session_end", at, summary, end_one)
}

async fn answer_list(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let current = inner.session_of(&call.headers, inner.records.now()).await?;
    let current = current.map(|live| live.owner.session);
    let all = inner.sessions.of(caller.tenant(), caller.user()).await?;
    let person = inner
        .people
        .find(caller.tenant(), caller.user(), inner.records.now())
        .await?;
    let usable = |shown: &&Shown| {
        let began = shown.created_at;
        person
            .as_ref()
            .is_some_and(|person| began.is_some_and(|began| person.accepts(began)))
    };
    let items: Vec<Json> = all
        .iter()
        .filter(usable)
        .map(|shown| item(shown, current))
        .collect();
    Ok(json_reply(&json!({"items": items, "next_cursor": null})))
}

fn item(shown: &Shown, current: Option<Uuid>) -> Json {
    json!({
        "id": shown.id.to_string(),
        "current": Some(shown.id) == current,
        "created_at": shown.created_at.map(|at| at.to_string()),
        "last_seen_at": shown.last_seen_at.map(|at| at.to_string()),
        "expires_at": shown.expires_at.map(|at| at.to_string()),
        "address": shown.address,
        "user_agent": shown.user_agent,
    })
}

async fn end_one(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let (tenant, user) = (caller.tenant(), caller.user());
    let session = Uuid::try_parse(call.path(0)).map_err(|_| Error::NotFound)?;
    let now = inner.records.now();
    let live = inner
        .sessions
        .find(tenant, session, now)
        .await?
        .ok_or(Error::NotFound)?;
    if live.owner.user != user && !caller.access.is_admin() {
        return Err(Error::NotFound);
    }
    inner.sessions.end(tenant, &[session], Some(user)).await?;
    let owner = Owner {
        tenant,
        user,
        session,
    };
    inner
        .note(&owner, &call, "session_ended", "ok", None)
        .await?;
    let own = inner.session_of(&call.headers, now).await?;
    if own.is_none() {
        // It was the one this request came with.
        return Ok(cookies::clear(Reply::empty(), inner.options.secure_cookies));
    }
    Ok(Reply::empty())
}
