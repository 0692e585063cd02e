//! Connections, with the settings that everything else relies on.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use super::{SqliteFile, combine, fault};
use crate::error::StoreError;
use crate::sql::{Dialect, system_tables};

/// How long another program (a backup, a person with `sqlite3`) may hold the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// Kibibytes, per connection.
const WRITER_CACHE: i64 = 16_384;
const READER_CACHE: i64 = 4_096;
/// Pages that are mapped are read where the system keeps them, not copied into a cache.
const MAPPED: i64 = 1024 * 1024 * 1024;
/// Pages of the log between two checkpoints: a page that changed often is written back once.
const LOG_PAGES: i64 = 4_096;
/// What a checkpoint leaves of a log that once grew large.
const LOG_LEFT: i64 = 64 * 1024 * 1024;
/// `synchronous` by its number: the log is on the disk before a commit is answered.
const FULL: i64 = 2;
/// Prepared statements kept, per connection.
const STATEMENTS: usize = 512;

/// The one connection that writes; makes the file when there is none.
pub(crate) fn writing(file: SqliteFile<'_>) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(file, flags)?;
    let path = file.path;
    set_up(&connection, file).map_err(|error| at(path, &error))?;
    check(&connection, path)?;
    Ok(connection)
}

/// What durability rests on is read back: SQLite decides what it makes of a wish.
fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| at(path, &error);
    let journal: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(failed)?;
    let synchronous: i64 = connection
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .map_err(failed)?;
    let mut wrong = Vec::new();
    if journal != "wal" {
        // Some network file systems cannot; two programs would then damage the file.
        wrong.push(format!(
            "journal_mode is {journal} and must be wal: the file cannot be kept with a \
             write-ahead log where it lies"
        ));
    }
    if synchronous < FULL {
        wrong.push(format!(
            "synchronous is {synchronous} and must be {FULL} (full): changes would be confirmed \
             before they are kept"
        ));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join("; ");
    Err(StoreError::Setup(format!("{}: {wrong}", path.display())))
}

fn set_up(connection: &Connection, file: SqliteFile<'_>) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // An answer is given when the change is on the disk, not before.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -file.cache(WRITER_CACHE))?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_LEFT, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    shared(connection, file)?;
    combine::register(connection)
}

/// A connection that can only read.
pub(crate) fn reading(file: SqliteFile<'_>) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(file, flags)?;
    let set = || {
        connection.pragma_update(None, "cache_size", -file.cache(READER_CACHE))?;
        connection.pragma_update(None, "query_only", true)?;
        shared(&connection, file)
    };
    set().map_err(|error| at(file.path, &error))?;
    Ok(connection)
}

fn open(file: SqliteFile<'_>, flags: OpenFlags) -> Result<Connection, StoreError> {
    let path = file.path;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| at(path, &error))?;
    connection
        .busy_timeout(PATIENCE)
        .map_err(|error| at(path, &error))?;
    file.unlock(&connection).map_err(|error| at(path, &error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn shared(connection: &Connection, file: SqliteFile<'_>) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if file.key.is_none() {
        connection.pragma_update(None, "mmap_size", MAPPED)?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    // A misspelt column must be an error, not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A plan holds for every value: preparing anew for each costs more than it gains.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Makes or raises the engine's own tables.
pub(crate) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    let raised = raise(connection).map_err(|error| fault::told(&error))?;
    let known = system_tables::version();
    if raised > known {
        return Err(StoreError::Setup(format!(
            "the database was last used by a newer OpsFlux (tables {raised}, known {known})"
        )));
    }
    let copying: Option<String> = connection
        .query_row(system_tables::READ_COPY, [], |row| row.get(0))
        .optional()
        .map_err(|error| fault::told(&error))?;
    match copying {
        Some(_) => Err(StoreError::Setup(system_tables::UNFINISHED_COPY.to_owned())),
        None => Ok(()),
    }
}

/// Answers the version that was found.
fn raise(connection: &mut Connection) -> rusqlite::Result<i64> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statement in system_tables::bootstrap(Dialect::Sqlite) {
        change.execute_batch(&statement)?;
    }
    let found: Option<String> = change
        .query_row(system_tables::READ_VERSION, [], |row| row.get(0))
        .optional()?;
    let from = found.and_then(|text| text.parse().ok()).unwrap_or(0);
    for statement in system_tables::raise(Dialect::Sqlite, from) {
        change.execute_batch(&statement)?;
    }
    change.commit()?;
    Ok(from)
}

pub(super) fn at(path: &Path, error: &rusqlite::Error) -> StoreError {
    let place = |text: String| format!("{}: {text}", path.display());
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        let why = "it is no database, or is encrypted and does not open with the key of this data \
                   folder";
        return StoreError::Setup(place(why.to_owned()));
    }
    match fault::told(error) {
        StoreError::Unavailable(text) if is_path(error) => StoreError::Setup(place(text)),
        StoreError::Unavailable(text) => StoreError::Unavailable(place(text)),
        StoreError::Setup(text) => StoreError::Setup(place(text)),
        other => other,
    }
}

/// The folder is not there, or not ours to write: waiting does not help.
fn is_path(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_durability_rests_on_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = writing(SqliteFile::plain(&path)).unwrap();
        check(&connection, &path).unwrap();
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .unwrap();
        let told = check(&connection, &path).unwrap_err().to_string();
        assert!(told.contains("synchronous is 1"), "{told}");
        connection
            .pragma_update(None, "synchronous", "FULL")
            .unwrap();
        connection
            .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
            .unwrap();
        let told = check(&connection, &path).unwrap_err().to_string();
        assert!(told.contains("journal_mode is delete"), "{told}");
    }

    #[test]
    fn a_file_that_cannot_have_a_log_beside_it_is_refused() {
        // In memory there is no log, as on file systems without shared memory.
        let told = writing(SqliteFile::plain(Path::new(":memory:")))
            .unwrap_err()
            .to_string();
        assert!(told.contains("journal_mode is memory"), "{told}");
    }
}
