//! What SQLite's errors mean for the caller.

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;

/// An error while opening, reading or writing.
pub(crate) fn told(error: &Error) -> StoreError {
    let text = || describe(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::Timeout,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Unavailable(text()),
        Some(ErrorCode::ReadOnly | ErrorCode::DiskFull) => StoreError::ReadOnly(text()),
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied
            | ErrorCode::NoLargeFileSupport,
        ) => StoreError::Setup(text()),
        _ => StoreError::Internal(text()),
    }
}

/// What SQLite says, without the statement, which may be long.
fn describe(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// A constraint that a statement broke.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken<'a> {
    /// These columns of this table must be unique.
    Columns {
        table: &'a str,
        columns: Vec<&'a str>,
    },
    /// This index must be unique.
    Index(&'a str),
    /// A link points at nothing, or something still points here.
    Link,
}

/// The constraint behind an error, when it is one that callers are told apart by.
pub(crate) fn broken(error: &Error) -> Option<Broken<'_>> {
    let Error::SqliteFailure(code, message) = error else {
        return None;
    };
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some(Broken::Link),
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            unique(message.as_deref()?)
        }
        _ => None,
    }
}

/// Reads `UNIQUE constraint failed: table.column, table.column`, or `… failed: index 'name'` for
/// an index over expressions.
fn unique(message: &str) -> Option<Broken<'_>> {
    let (_, what) = message.split_once("failed: ")?;
    if let Some(index) = what.strip_prefix("index '") {
        return Some(Broken::Index(index.trim_end_matches('\'')));
    }
    let mut table = "";
    let mut columns = Vec::new();
    for place in what.split(", ") {
        let (of, column) = place.split_once('.')?;
        table = of;
        columns.push(column);
    }
    Some(Broken::Columns { table, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_unique_constraint_is_read_from_its_message() {
        assert_eq!(
            unique("UNIQUE constraint failed: r_user.tenant_id, r_user.email_key"),
            Some(Broken::Columns {
                table: "r_user",
                columns: vec!["tenant_id", "email_key"],
            })
        );
        assert_eq!(
            unique("UNIQUE constraint failed: index 'r_user__u__email'"),
            Some(Broken::Index("r_user__u__email"))
        );
    }
}
