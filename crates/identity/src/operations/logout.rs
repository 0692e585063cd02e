//! `POST /auth/logout`: ends the session the request was made with.

use std::sync::Arc;

use http::Method;
use opsflux_records::{Call, Error, Operation, Reply};

use crate::{Inner, cookies};

pub(super) fn operation(inner: &Arc<Inner>) -> Operation {
    let summary = "Ends the session of the request";
    super::operation(
        inner,
        "auth_logout",
        (Method::POST, "/auth/logout"),
        summary,
        logout,
    )
}

async fn logout(inner: Arc<Inner>, call: Call) -> Result<Reply, Error> {
    let live = inner.session_of(&call.headers, inner.records.now()).await?;
    let owner = live.ok_or(Error::Unauthenticated)?.owner;
    inner
        .sessions
        .end(owner.tenant, &[owner.session], Some(owner.user))
        .await?;
    inner.note(&owner, &call, "signed_out", "ok", None).await?;
    Ok(cookies::clear(Reply::empty(), inner.options.secure_cookies))
}
