//! SQLite as an end of a copy, see [`crate::copy`].

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{SqliteFile, connection, fault, tables};
use crate::copy::{CopyError, Purpose};
use crate::error::StoreError;
use crate::sql::Cell;

/// How long somebody else may hold the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the file for its purpose. Of a source the lock of writers is held as long as the
/// connection lives: nobody writes to it, whatever program it is.
pub(crate) fn open(file: SqliteFile<'_>, purpose: Purpose) -> Result<Connection, CopyError> {
    if purpose == Purpose::Target {
        return Ok(tables::dedicated(file)?);
    }
    let path = file.path;
    if !path.is_file() {
        let text = format!("there is no database at {}", path.display());
        return Err(StoreError::Setup(text).into());
    }
    let opened = match purpose {
        Purpose::Source => held(file),
        Purpose::Compared | Purpose::Target => read(file),
    };
    opened.map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy) => {
            CopyError::InUse(format!("{} is in use by another process", path.display()))
        }
        _ => connection::at(path, &error).into(),
    })
}

fn held(file: SqliteFile<'_>) -> rusqlite::Result<Connection> {
    let connection = bare(file)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    Ok(connection)
}

fn read(file: SqliteFile<'_>) -> rusqlite::Result<Connection> {
    let connection = bare(file)?;
    connection.execute_batch("PRAGMA query_only = true; BEGIN")?;
    Ok(connection)
}

fn bare(file: SqliteFile<'_>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file.path, flags)?;
    file.unlock(&connection)?;
    connection.busy_timeout(PATIENCE)?;
    // Not even what waits in the log is moved: the files stay as they are.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Writes rows.
pub(crate) fn insert(
    connection: &Connection,
    text: &str,
    rows: &[Vec<Cell>],
) -> Result<(), StoreError> {
    let write = || {
        let mut prepared = connection.prepare_cached(text)?;
        for row in rows {
            for (place, cell) in row.iter().enumerate() {
                prepared.raw_bind_parameter(place + 1, cell)?;
            }
            prepared.raw_execute()?;
        }
        Ok(())
    };
    write().map_err(|error: rusqlite::Error| fault::told(&error))
}

/// Shows the links that point at nothing, by the names of their tables.
pub(crate) fn dangling(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let find = || {
        let mut prepared = connection.prepare("PRAGMA foreign_key_check")?;
        let found = prepared.query_map([], |row| row.get(0))?;
        found.take(5).collect::<rusqlite::Result<Vec<String>>>()
    };
    find().map_err(|error| fault::told(&error))
}

/// Rows as texts, one after the other.
pub(crate) struct Texts<'s> {
    rows: rusqlite::Rows<'s>,
    columns: usize,
}

impl<'s> Texts<'s> {
    /// Of a statement that answers texts.
    pub(crate) fn of(statement: &'s mut rusqlite::Statement<'_>) -> Result<Texts<'s>, StoreError> {
        let columns = statement.column_count();
        let rows = statement.query([]).map_err(|error| fault::told(&error))?;
        Ok(Texts { rows, columns })
    }

    /// The bytes of the texts of the next row: a damaged one may be no text.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Option<Vec<u8>>>>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| {
            (0..self.columns)
                .map(|at| {
                    Ok(match row.get_ref(at)? {
                        ValueRef::Null => None,
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
                        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
                        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
                    })
                })
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let next = self.rows.next();
        let read = next.and_then(|row| row.map(read).transpose());
        read.map_err(|error| fault::told(&error))
    }
}

/// Makes a statement ready whose rows are read as [`Texts`].
pub(crate) fn prepare<'c>(
    connection: &'c Connection,
    text: &str,
) -> Result<rusqlite::Statement<'c>, StoreError> {
    connection
        .prepare(text)
        .map_err(|error| fault::told(&error))
}
