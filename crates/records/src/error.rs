//! What can go wrong, told apart by what the caller can do about it. The server turns each into
//! one RFC 9457 problem; the words are translated there from `code` and `detail`.

use opsflux_model::{ConditionError, Invalid};
use opsflux_store::StoreError;
use serde_json::Value as Json;

/// Why an operation did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or none the caller may know of. 404.
    #[error("not found")]
    NotFound,
    /// Not signed in, or not any more. 401.
    #[error("not signed in")]
    Unauthenticated,
    /// Known, but not allowed. 403.
    #[error("not allowed to {action} {entity}")]
    Forbidden {
        /// What was asked: `create`, `edit`, …
        action: String,
        /// Of what.
        entity: String,
    },
    /// The query is wrong: unknown parameter, field, operator, value, cursor. 400.
    #[error("{parameter}: {detail}")]
    BadQuery {
        /// Name of the parameter.
        parameter: String,
        /// `unknown_parameter`, `unknown_field`, `unknown_operator`, `invalid_value`,
        /// `invalid_cursor`, `not_sortable`, `needs_index`.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The body cannot be read at all. 400.
    #[error("the body is not valid JSON: {0}")]
    BadBody(String),
    /// Fields of the body are wrong, every one of them named. 422.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// One operation of a bulk is wrong; nothing was written. 422 naming its index.
    #[error("operation {index}: {error}")]
    Bulk {
        /// Zero-based.
        index: usize,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// `If-Match` names an old version. 412 with the record as it is.
    #[error("the record has another version")]
    Precondition {
        /// The version it has.
        version: i64,
        /// The record as the caller may see it.
        current: Vec<u8>,
    },
    /// The state of things is against it. 409.
    #[error("conflict: {0:?}")]
    Conflict(ConflictKind),
    /// A rule of a module refuses. 422 or 409 as the rule says; the words are the module's.
    #[error("{code}")]
    Refused {
        /// Key of the words in the module's catalogue: `desk.open_children`.
        code: String,
        /// What the words mention.
        params: serde_json::Map<String, Json>,
        /// The field it is about, when it is about one.
        field: Option<String>,
    },
    /// Too large: body, upload, batch. 413.
    #[error("too large: at most {limit}")]
    TooLarge {
        /// The limit, with its unit.
        limit: String,
    },
    /// The content type is not understood. 415.
    #[error("unsupported content type")]
    UnsupportedMedia,
    /// Too many. 429.
    #[error("too many requests")]
    TooMany {
        /// Seconds until another try makes sense.
        retry_after: u64,
    },
    /// The change feed no longer reaches back so far, or rights changed: read again. 410.
    #[error("read again from the start")]
    Resync,
    /// The database does not answer. 503.
    #[error("not available: {0}")]
    Unavailable(String),
    /// Changes are not kept at the moment: a disk is full or read-only. Reads go on. 503.
    #[error("no changes at the moment: {0}")]
    ReadOnly(String),
    /// The query used up its time. 503 with advice to narrow it.
    #[error("the query took too long")]
    Timeout,
    /// A defect of ours; logged with its cause. 500.
    #[error("internal: {0}")]
    Internal(String),
}

/// Which conflict.
#[derive(Debug, Clone, PartialEq)]
pub enum ConflictKind {
    /// Fields changed by both sides since the base.
    Merge(Vec<MergeConflict>),
    /// A value is taken; the record that has it is not named.
    Unique {
        /// Fields that would collide.
        fields: Vec<String>,
    },
    /// The move is not allowed from this state.
    State {
        /// Field of type state.
        field: String,
        /// States it may move to.
        allowed: Vec<String>,
    },
    /// A guard did not hold at the moment of the commit.
    Guard {
        /// Its name.
        name: String,
    },
    /// Records that refuse to lose this one.
    Referenced {
        /// Name of the entity.
        entity: String,
        /// The link.
        field: String,
        /// How many, counted up to 1000.
        count: u64,
    },
    /// What would be restored hangs on something deleted.
    DeletedOwner {
        /// The link.
        field: String,
    },
    /// The person must confirm; repeat with `X-Confirm`.
    Confirm {
        /// Key of the question in the module's catalogue.
        code: String,
        /// What the words mention.
        params: serde_json::Map<String, Json>,
        /// What to repeat.
        token: String,
    },
    /// The id of a new record exists with other content.
    IdTaken,
    /// The same idempotency key is being worked on.
    InProgress,
    /// The answer to this key is not kept.
    AlreadyDone,
    /// The record changed again and again while it was tried.
    Busy,
}

impl ConflictKind {
    /// Which one, without what it is about.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            ConflictKind::Merge(_) => "merge",
            ConflictKind::Unique { .. } => "unique",
            ConflictKind::State { .. } => "state_not_allowed",
            ConflictKind::Guard { .. } => "guard",
            ConflictKind::Referenced { .. } => "referenced",
            ConflictKind::DeletedOwner { .. } => "deleted_owner",
            ConflictKind::Confirm { .. } => "confirmation_required",
            ConflictKind::IdTaken => "id_taken",
            ConflictKind::InProgress => "in_progress",
            ConflictKind::AlreadyDone => "already_done",
            ConflictKind::Busy => "busy",
        }
    }
}

/// A field changed by both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeConflict {
    /// Its name.
    pub field: String,
    /// What both began with.
    pub base: Json,
    /// What the caller wants.
    pub yours: Json,
    /// What it is now.
    pub theirs: Json,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Its name; `lines[2].quantity` inside child tables.
    pub field: String,
    /// Stable code, see [`Invalid`].
    pub code: String,
    /// What was expected.
    pub detail: String,
}

impl FieldError {
    /// A [`FieldError`] from its parts.
    pub fn new(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        FieldError {
            field: field.into(),
            code: code.to_owned(),
            detail: detail.into(),
        }
    }

    /// The value of `field` is not one of its type.
    pub fn of(field: impl Into<String>, invalid: Invalid) -> Self {
        FieldError {
            field: field.into(),
            code: invalid.code.to_owned(),
            detail: invalid.detail,
        }
    }
}

impl Error {
    /// One wrong field.
    pub fn field(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Error::Invalid(vec![FieldError::new(field, code, detail)])
    }

    /// A query parameter that is wrong.
    pub fn query(
        parameter: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Error::BadQuery {
            parameter: parameter.into(),
            code,
            detail: detail.into(),
        }
    }

    /// It is nobody's doing and passes by itself: the same may be tried again later.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Error::Unavailable(_) | Error::ReadOnly(_) | Error::Timeout
        )
    }

    /// A condition in `parameter` that cannot be read or bound.
    #[must_use]
    pub fn condition(parameter: &str, error: &ConditionError) -> Self {
        let code = match error {
            ConditionError::UnknownField { .. } => "unknown_field",
            ConditionError::UnknownOperator { .. } | ConditionError::WrongOperator { .. } => {
                "unknown_operator"
            }
            _ => "invalid_value",
        };
        Error::query(parameter, code, error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Error::Unavailable(cause),
            StoreError::ReadOnly(cause) => Error::ReadOnly(cause),
            StoreError::Timeout => Error::Timeout,
            StoreError::Setup(cause) | StoreError::Internal(cause) => Error::Internal(cause),
        }
    }
}
