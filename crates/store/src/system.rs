//! The engine's own rows: what is no record and belongs to no module.
//!
//! Tenants, log-in names (the only names shared by all tenants), settings, answers kept for
//! idempotency keys, blocks of number series, cursors of reactors.

use jiff::Timestamp;
use uuid::Uuid;

/// A row of the engine's own tables written with a change.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemWrite {
    /// A new tenant. `tenant` of the commit must be its number, see `Store::next_tenant`.
    Tenant {
        /// Its outside id.
        id: Uuid,
        /// What it is called.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// Reserves a name for signing in: folded e-mail or user name, unique over all tenants.
    ClaimName {
        /// Folded.
        name: String,
        /// Whose.
        user: Uuid,
    },
    /// Gives a name back.
    ReleaseName {
        /// Folded.
        name: String,
    },
    /// One setting of the tenant; null removes it.
    Setting {
        /// `module.name`.
        key: String,
        /// JSON.
        value: serde_json::Value,
    },
    /// Keeps the answer to an idempotency key.
    Answer(Answer),
}

/// The answer kept for an idempotency key. Ids and versions only: the body is made again with
/// the rights of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Person or API key.
    pub principal: Uuid,
    /// Method and path.
    pub operation: String,
    /// As sent.
    pub key: String,
    /// SHA-256 of the request body.
    pub body_hash: Vec<u8>,
    /// HTTP status of the answer.
    pub status: u16,
    /// What is needed to make the answer again: JSON, the operation's own.
    pub recipe: String,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}
