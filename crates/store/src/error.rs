//! What can go wrong below, told apart by what the caller can do about it.

use uuid::Uuid;

/// A read, a migration or a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer: later may work.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Changes are not kept, its disk is full or read-only, while reads go on: later may work.
    #[error("the database takes no changes: {0}")]
    ReadOnly(String),
    /// The time budget of the query is used up.
    #[error("the query took longer than its budget")]
    Timeout,
    /// The database is not as documented (settings, layout, version); a person must act.
    #[error("{0}")]
    Setup(String),
    /// A defect of ours: SQL that does not fit. Logged with its cause, told as “internal”.
    #[error("internal: {0}")]
    Internal(String),
}

/// A commit did nothing, because:
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The row has another version, or is not there (any more).
    #[error("the record has changed")]
    Version {
        /// Name of the entity.
        entity: String,
        /// Which row.
        id: Uuid,
    },
    /// A guard failed.
    #[error("{name} does not hold")]
    Guard {
        /// As given in the guard.
        name: String,
    },
    /// A unique constraint would be broken.
    #[error("the value of {fields:?} is taken")]
    Unique {
        /// Name of the entity.
        entity: String,
        /// Names of the fields; `id` when the id exists.
        fields: Vec<String>,
    },
    /// A link points at nothing in this tenant.
    #[error("a link of {entity} points at nothing")]
    Link {
        /// Name of the entity.
        entity: String,
        /// Name of the field where the database tells it.
        field: Option<String>,
    },
    /// A name for signing in is taken (by anybody, in any tenant).
    #[error("the log-in name is taken")]
    NameTaken,
    /// The idempotency key was used by another request in the meantime.
    #[error("the idempotency key is in use")]
    KeyTaken,
    /// A transaction had to give way; the same pure change may be tried again.
    #[error("the transaction had to give way")]
    Retry,
    /// Everything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}
