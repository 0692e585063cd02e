//! What PostgreSQL's errors mean for the caller.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::error::StoreError;

/// An error while reaching the server: a wrong name, password, database or certificate is for a
/// person to put right, a server that does not answer may come back.
pub(crate) fn connecting(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(db) if matches!(class(db.code()), "28" | "3D" | "42") => StoreError::Setup(format!(
            "PostgreSQL refuses the connection: {}",
            db.message()
        )),
        Some(db) => told(db),
        None if is_network(error) || error.is_closed() => StoreError::Unavailable(chain(error)),
        None => StoreError::Setup(format!("cannot connect to PostgreSQL: {}", chain(error))),
    }
}

/// An error while reading or writing.
pub(crate) fn reading(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(db) => told(db),
        None if is_network(error) || error.is_closed() => StoreError::Unavailable(chain(error)),
        // A value that does not fit its parameter: ours.
        None => StoreError::Internal(chain(error)),
    }
}

/// Whether the tables have changed since the statement was prepared.
pub(crate) fn is_stale(error: &Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        let gone = *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME;
        // PostgreSQL has no code of its own for it.
        let changed = *db.code() == SqlState::FEATURE_NOT_SUPPORTED
            && db.routine() == Some("RevalidateCachedQuery");
        gone || changed
    })
}

/// Whether the network failed, rather than a handshake over it.
fn is_network(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    match io {
        Some(io) => !io
            .get_ref()
            .is_some_and(|inner| inner.is::<rustls::Error>()),
        None => false,
    }
}

/// What kind of error it is: the first two letters of its code.
fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

fn told(db: &DbError) -> StoreError {
    // Not the detail: it may hold values of records.
    let told = || format!("{} ({})", db.message(), db.code().code());
    match class(db.code()) {
        "57" if *db.code() == SqlState::QUERY_CANCELED => StoreError::Timeout,
        _ if *db.code() == SqlState::DISK_FULL => StoreError::ReadOnly(told()),
        // Connection, resources (memory, connections), shutdown, system: later may work.
        "08" | "53" | "57" | "58" => StoreError::Unavailable(told()),
        _ if *db.code() == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly(told()),
        "28" | "3D" => StoreError::Setup(told()),
        _ => StoreError::Internal(told()),
    }
}

/// The error with its causes, which say more than it does.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
