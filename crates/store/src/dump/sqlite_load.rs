//! A SQLite file that is filled under another name.
//!
//! Nothing is synced while it is written: a file that is not finished is made anew. Before it gets
//! its name it is on the disk.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{TableShape, cells, column_names};
use crate::error::StoreError;
use crate::migrate::ddl;
use crate::sql::Statement;
use crate::sqlite::{SqliteFile, dedicated, told};

/// What the file is called until it is whole.
const BESIDE: &str = ".restoring";

/// A file that is being filled; it goes with this value unless it was finished.
pub(super) struct File {
    connection: Option<Connection>,
    beside: PathBuf,
    path: PathBuf,
}

impl File {
    /// Begins a file; what an earlier attempt left is thrown away.
    pub(super) fn begin(file: SqliteFile<'_>) -> Result<File, StoreError> {
        let mut beside = OsString::from(file.path);
        beside.push(BESIDE);
        let beside = PathBuf::from(beside);
        remove(&beside);
        let connection = dedicated(SqliteFile {
            path: &beside,
            key: file.key,
        })?;
        let file = File {
            connection: Some(connection),
            beside,
            path: file.path.to_owned(),
        };
        // Foreign keys are off on this connection: rows come before what they refer to.
        file.run("PRAGMA journal_mode = MEMORY")?;
        file.run("PRAGMA synchronous = OFF")?;
        file.run("BEGIN IMMEDIATE")?;
        Ok(file)
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        let closed = || StoreError::Internal("the file is closed".to_owned());
        self.connection.as_ref().ok_or_else(closed)
    }

    pub(super) fn run(&self, text: &str) -> Result<(), StoreError> {
        let done = self.connection()?.execute_batch(text);
        done.map_err(|error| told(&error))
    }

    pub(super) fn execute(&self, statement: &Statement) -> Result<(), StoreError> {
        let params = rusqlite::params_from_iter(&statement.params);
        let done = self.connection()?.execute(&statement.text, params);
        done.map(|_| ()).map_err(|error| told(&error))
    }

    pub(super) fn fill<E: From<StoreError>>(
        &self,
        table: &TableShape,
        mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<u64, E> {
        let failed = |error: rusqlite::Error| told(&error);
        let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let text = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            ddl::quoted(&table.name),
            column_names(table),
            places.join(", ")
        );
        let mut insert = self.connection()?.prepare(&text).map_err(failed)?;
        let (mut row, mut count) = (Vec::new(), 0);
        while next(&mut row)? {
            let cells = cells::decode(table, &row)?;
            insert
                .execute(rusqlite::params_from_iter(&cells))
                .map_err(failed)?;
            count += 1;
        }
        Ok(count)
    }

    /// Places up to `end` are never given again, also when their entries are forgotten.
    pub(super) fn set_feed_end(&self, end: i64) -> Result<(), StoreError> {
        self.run("DELETE FROM sqlite_sequence WHERE name = 'sys_feed'")?;
        self.run(&format!(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('sys_feed', {end})"
        ))
    }

    /// Gives the file its name.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.run("ANALYZE")?;
        self.run("COMMIT")?;
        if let Some(connection) = self.connection.take() {
            connection.close().map_err(|(_, error)| told(&error))?;
        }
        named(&self.beside, &self.path)
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", self.path.display())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.connection.take().is_some() {
            remove(&self.beside);
        }
    }
}

fn named(beside: &Path, path: &Path) -> std::io::Result<()> {
    fs::File::open(beside)?.sync_all()?;
    fs::rename(beside, path)?;
    match path.parent() {
        Some(folder) if folder != Path::new("") => fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The file with what SQLite puts beside it.
fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(path);
        name.push(end);
        // What is not there need not be removed; what cannot be is found by the next attempt.
        let _ = fs::remove_file(name);
    }
}
