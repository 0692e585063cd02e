//! `POST /access/view-as`, `DELETE /access/view-as`: an administrator sees what somebody else
//! sees, and changes nothing while he does.
//!
//! It is the session that views, so that every request of it does: pages, pictures, the stream.
//! Both ends are audited, and what is audited in between names both people.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_records::{Call, Error, FieldError, Needs, Operation, Reply};
use serde_json::{Map, json};
use uuid::Uuid;

use super::{Input, JSON};
use crate::Inner;

/// What goes on while viewing, although it writes.
pub(crate) const END: &str = "access_view_as_end";
const LOGOUT: &str = "auth_logout";

/// What a request that writes is refused for while viewing, as the entity of
/// [`Error::Forbidden`].
pub const VIEWING: &str = "view_as";

pub(super) fn begin(inner: &Arc<Inner>) -> Operation {
    let id = json!({"type": "string", "format": "uuid"});
    let input = json!({
        "type": "object", "properties": {"user": id}, "required": ["user"],
        "additionalProperties": false,
    });
    let summary = "Sees what somebody else sees, read-only; for administrators";
    let at = (Method::POST, "/access/view-as");
    Operation {
        needs: Needs::Admin,
        tag: "access".to_owned(),
        input: Some((JSON.to_owned(), input)),
        problems: vec![StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY],
        ..super::operation(inner, "access_view_as", at, summary, start)
    }
}

pub(super) fn end(inner: &Arc<Inner>) -> Operation {
    let summary = "Sees again with one's own eyes";
    let at = (Method::DELETE, "/access/view-as");
    Operation {
        tag: "access".to_owned(),
        ..super::operation(inner, END, at, summary, stop)
    }
}

/// Whether an operation may run while its session views as somebody else.
pub(crate) fn allows(operation: &Operation) -> bool {
    operation.method == Method::GET
        || operation.needs == Needs::Nothing
        || [END, LOGOUT].contains(&operation.name.as_str())
}

/// A request that writes, while its session views.
pub(crate) fn refused() -> Error {
    Error::Forbidden {
        action: "write".to_owned(),
        entity: VIEWING.to_owned(),
    }
}

async fn start(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let mut input = Input::of(&call)?;
    let user = input.text("user", 36);
    input.finish()?;
    let now = inner.records.now();
    let user = Uuid::try_parse(&user).map_err(|_| Error::NotFound)?;
    let person = inner.people.find(caller.tenant(), user, now).await?;
    let person = person.ok_or(Error::NotFound)?;
    // Nobody sees more by it: only the holder of the instance sees with his own eyes.
    let principal = &person.access.principal;
    let above = principal.instance_admin && !caller.access.principal.instance_admin;
    if user == caller.user() || above || !person.is_active() {
        let wrong = FieldError::new("user", "not_found", "");
        return Err(Error::Invalid(vec![wrong]));
    }
    let live = inner.session_of(&call.headers, now).await?;
    let owner = live.ok_or(Error::Unauthenticated)?.owner;
    let after = Map::from_iter([("viewing_as".to_owned(), user.to_string().into())]);
    inner
        .records
        .audit_with(caller, "view_as_begun", Some("user"), Some(user), "", after)
        .await?;
    inner.sessions.view_as(&owner, Some(user)).await?;
    Ok(Reply::empty())
}

async fn stop(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let live = inner.session_of(&call.headers, inner.records.now()).await?;
    let live = live.ok_or(Error::Unauthenticated)?;
    if let Some(user) = live.viewing_as {
        inner.sessions.view_as(&live.owner, None).await?;
        let (entity, nothing) = (Some("user"), Map::new());
        inner
            .records
            .audit_with(caller, "view_as_ended", entity, Some(user), "", nothing)
            .await?;
    }
    Ok(Reply::empty())
}
