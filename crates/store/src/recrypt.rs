//! A SQLite file written once more, with another key, with one for the first time, or without.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::sqlite::{FileKey, SqliteFile, told};
use crate::store::DatabaseUrl;

/// Steps of the database between two looks at how far it is.
const LOOK: i32 = 1_000_000;

/// Writes everything of the file `from` into a new one at `to`, encrypted with `key` if there is
/// one, and reads it back: every table has as many rows, every page opens. Nobody may write to
/// `from` meanwhile. `progress` hears of bytes done and of how many.
///
/// # Errors
/// [`StoreError`]; `from` is then as it was, and `to` is not to be used.
pub fn recrypt(
    from: &DatabaseUrl,
    to: &Path,
    key: Option<&FileKey>,
    progress: impl Fn(u64, u64) + Send + 'static,
) -> Result<(), StoreError> {
    let file = from.place().map_err(|_| {
        StoreError::Setup("the pages of PostgreSQL are encrypted by its server".to_owned())
    })?;
    let failed = |error: rusqlite::Error| told(&error);
    let mut source = open(file).map_err(failed)?;
    // What waits in the log is in the file afterwards, and no log is left to read.
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    source
        .query_row(checkpoint, [], |_| Ok(()))
        .map_err(failed)?;
    let of = std::fs::metadata(file.path).map_or(0, |file| file.len());
    let written = to.to_owned();
    let look = move || {
        let bytes = std::fs::metadata(&written).map_or(0, |file| file.len());
        progress(bytes.min(of), of);
        false
    };
    source.progress_handler(LOOK, Some(look)).map_err(failed)?;
    export(&source, to, key).map_err(failed)?;
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| StoreError::Unavailable(format!("{}: {error}", to.display())))?;
    let copy = open(SqliteFile { path: to, key }).map_err(failed)?;
    let check = |connection: &Connection| {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    };
    let whole = check(&copy).map_err(failed)?;
    if whole != "ok" || counts(&source).map_err(failed)? != counts(&copy).map_err(failed)? {
        return Err(StoreError::Internal(format!(
            "{} is not what was written: {whole}",
            to.display()
        )));
    }
    Ok(())
}

fn open(file: SqliteFile<'_>) -> rusqlite::Result<Connection> {
    // What is attached is opened with the same flags, and is yet to be made.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file.path, flags)?;
    file.unlock(&connection)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The rows are as they were; links between them are checked by nobody twice.
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

fn export(source: &Connection, to: &Path, key: Option<&FileKey>) -> rusqlite::Result<()> {
    let raw = key.map(FileKey::raw).unwrap_or_default();
    source.execute(
        "ATTACH DATABASE ?1 AS fresh KEY ?2",
        (to.to_string_lossy(), raw),
    )?;
    // Nobody reads it before it is whole and on the disk.
    source.execute_batch("PRAGMA fresh.synchronous = OFF; PRAGMA fresh.journal_mode = OFF;")?;
    source.query_row("SELECT sqlcipher_export('fresh')", [], |_| Ok(()))?;
    for name in ["user_version", "application_id"] {
        let value: i64 = source.pragma_query_value(None, name, |row| row.get(0))?;
        source.pragma_update(Some("fresh"), name, value)?;
    }
    source.execute_batch("DETACH DATABASE fresh")
}

/// Rows by table.
fn counts(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(tables)?;
    let names = tables.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| {
            let name = name?;
            let count = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let rows = connection.query_row(&count, [], |row| row.get(0))?;
            Ok((name, rows))
        })
        .collect()
}
