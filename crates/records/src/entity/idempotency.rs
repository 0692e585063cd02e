//! The same POST twice is done once (decisions §14).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::StatusCode;
use jiff::ToSpan;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::{ConflictKind, Error};
use crate::operation::Call;
use crate::records::{Inner, Records};
use crate::write::PendingAnswer;

/// The header that carries the key.
pub const KEY_HEADER: &str = "idempotency-key";
/// How long an answer is kept.
const KEPT_HOURS: i64 = 24;
/// Longest key.
const MAX_KEY: usize = 255;

/// Who, which operation, which key.
pub(crate) type InFlight = (Uuid, String, String);

/// What is known of a request.
pub(super) enum Kept {
    /// It was carried out: the status and what is needed to answer again.
    Answered(StatusCode, Json),
    /// It is new; without a key there is nothing to keep.
    New(Option<Slot>),
}

/// A key being worked on; given back when dropped.
pub(super) struct Slot {
    /// To be kept with the change.
    pub pending: PendingAnswer,
    inner: Arc<Inner>,
    key: InFlight,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.inner.in_flight.lock().remove(&self.key);
    }
}

/// Looks the request's key up and takes it.
pub(super) async fn once(
    records: &Records,
    call: &Call,
    status: StatusCode,
) -> Result<Kept, Error> {
    let Some(key) = call.header(KEY_HEADER) else {
        return Ok(Kept::New(None));
    };
    if key.is_empty() || key.len() > MAX_KEY {
        let detail = format!("1 to {MAX_KEY} characters");
        return Err(Error::query("Idempotency-Key", "invalid_value", detail));
    }
    let caller = call.caller()?;
    let principal = caller.user();
    let operation = call.operation.clone();
    let body_hash = digest(&SHA256, &call.body).as_ref().to_vec();
    let slot: InFlight = (principal, operation.clone(), key.to_owned());
    if !records.inner.in_flight.lock().insert(slot.clone()) {
        return Err(Error::Conflict(ConflictKind::InProgress));
    }
    let pending = PendingAnswer {
        principal,
        operation: operation.clone(),
        key: key.to_owned(),
        body_hash: body_hash.clone(),
        status: status.as_u16(),
        expires_at: records
            .now()
            .checked_add(KEPT_HOURS.hours())
            .unwrap_or_else(|_| records.now()),
    };
    let taken = Slot {
        pending,
        inner: records.inner.clone(),
        key: slot,
    };
    let kept = records
        .store()
        .answer(caller.tenant(), principal, &operation, key)
        .await?;
    match kept.filter(|kept| kept.expires_at > records.now()) {
        None => Ok(Kept::New(Some(taken))),
        Some(kept) if kept.body_hash == body_hash => {
            let status = StatusCode::from_u16(kept.status).unwrap_or(status);
            let recipe = serde_json::from_str(&kept.recipe).unwrap_or(Json::Null);
            Ok(Kept::Answered(status, recipe))
        }
        Some(_) => Err(Error::field("Idempotency-Key", "key_reused", "")),
    }
}
