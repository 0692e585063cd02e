//! Changing tables on SQLite.
//!
//! The writer stands still meanwhile. Everything runs on a connection of its own whose foreign
//! keys are off: see [`crate::migrate`] for what happens to rows otherwise.

use futures::FutureExt;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};
use rust_decimal::Decimal;

use super::codec::{self, SqliteRow};
use super::{Sqlite, SqliteFile, connection, fault};
use crate::error::StoreError;
use crate::migrate::{Done, MigrationError, Read, Rebuild, Session, Task, WIDEN};
use crate::sql::{Cell, Statement};

/// Rows looked at per index when statistics are taken: enough to tell a good index from a bad
/// one, and the writer does not stand still for long.
const LOOKED_AT: i64 = 1_000;

impl Sqlite {
    /// Does something to the tables.
    ///
    /// # Errors
    /// [`MigrationError`]; nothing has changed then.
    pub(crate) async fn tables(&self, task: Task) -> Result<Done, MigrationError> {
        let (path, key) = (self.path.clone(), self.key.clone());
        self.exclusive(move |_| {
            let file = SqliteFile {
                path: &path,
                key: key.as_ref(),
            };
            perform(file, task)
        })
        .await?
    }
}

fn perform(file: SqliteFile<'_>, task: Task) -> Result<Done, MigrationError> {
    let mut connection = dedicated(file)?;
    let mut session = Session::Sqlite(&mut connection);
    let done = task.perform(&mut session).now_or_never();
    done.unwrap_or_else(|| {
        let why = "a change of tables waited for something".to_owned();
        Err(StoreError::Internal(why).into())
    })
}

/// A connection that changes tables.
pub(crate) fn dedicated(file: SqliteFile<'_>) -> Result<Connection, StoreError> {
    let connection = connection::writing(file)?;
    set_up(&connection).map_err(|error| fault::told(&error))?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Before any transaction: inside of one the switch does nothing.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "analysis_limit", LOOKED_AT)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(WIDEN, 5, flags, widen)
}

/// `opsflux_widen(value, precision, scale, precision, scale)`: a stored number as another column
/// stores it; the first precision and scale are null for an integer.
fn widen(context: &Context<'_>) -> rusqlite::Result<Value> {
    let digits = |at: usize| context.get::<Option<u8>>(at);
    let (from, to) = ((digits(1)?, digits(2)?), (context.get(3)?, context.get(4)?));
    let number = match (context.get_raw(0), from) {
        (ValueRef::Null, _) => return Ok(Value::Null),
        (ValueRef::Integer(number), (None, _) | (_, None)) => Some(Decimal::from(number)),
        (stored, (Some(precision), Some(scale))) => codec::stored_decimal(stored, precision, scale),
        _ => None,
    };
    let number = number.ok_or_else(|| user_error("a stored number is none"))?;
    let (precision, scale): (u8, u8) = to;
    let whole = u32::from(precision.saturating_sub(scale));
    let fits = 10_i128
        .checked_pow(whole)
        .is_some_and(|bound| number.trunc().abs().mantissa() < bound);
    if !fits {
        let why = format!("{number} has more digits than decimal({precision},{scale})");
        return Err(user_error(&why));
    }
    Ok(codec::decimal(number, precision, scale))
}

fn user_error(why: &str) -> Error {
    Error::UserFunctionError(why.into())
}

fn failed(error: &Error, statement: &str) -> MigrationError {
    match fault::told(error) {
        StoreError::Internal(reason) => MigrationError::Failed {
            statement: statement.to_owned(),
            reason,
        },
        other => other.into(),
    }
}

pub(crate) fn run(connection: &Connection, text: &str) -> Result<(), MigrationError> {
    connection
        .execute_batch(text)
        .map_err(|error| failed(&error, text))
}

/// Takes a transaction back, unless SQLite has done so by itself.
pub(crate) fn rollback(connection: &Connection) -> Result<(), MigrationError> {
    if connection.is_autocommit() {
        return Ok(());
    }
    run(connection, "ROLLBACK")
}

pub(crate) fn execute(
    connection: &Connection,
    statement: &Statement,
) -> Result<u64, MigrationError> {
    let run = |connection: &Connection| {
        let params = rusqlite::params_from_iter(&statement.params);
        connection.prepare_cached(&statement.text)?.execute(params)
    };
    let written = run(connection).map_err(|error| failed(&error, &statement.text))?;
    Ok(u64::try_from(written).unwrap_or(u64::MAX))
}

pub(crate) fn rows<T>(
    connection: &Connection,
    statement: &Statement,
    read: Read<'_, T>,
) -> Result<Vec<T>, MigrationError> {
    let failed = |error: Error| failed(&error, &statement.text);
    let mut prepared = connection.prepare(&statement.text).map_err(failed)?;
    let params = rusqlite::params_from_iter(&statement.params);
    let mut rows = prepared.query(params).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(&SqliteRow(row))?);
    }
    Ok(found)
}

/// Makes a table anew. Every table that refers to it must have as many rows afterwards, and no
/// link that points at nothing.
pub(crate) fn rebuild(connection: &Connection, rebuild: &Rebuild) -> Result<(), MigrationError> {
    let lost = |reason: String| MigrationError::Failed {
        statement: format!("rebuild of {}", rebuild.table),
        reason,
    };
    let before = counts(connection, rebuild)?;
    for statement in &rebuild.statements {
        run(connection, statement)?;
    }
    let after = counts(connection, rebuild)?;
    for ((table, before), after) in rebuild.counted.iter().zip(before).zip(after) {
        if before != after {
            return Err(lost(format!(
                "{table} had {before} rows and would have {after}"
            )));
        }
        let check = Statement {
            text: format!(
                "PRAGMA foreign_key_check({})",
                crate::migrate::ddl::quoted(table)
            ),
            params: Vec::<Cell>::new(),
        };
        let broken = rows(connection, &check, &mut |_| Ok(()))?;
        if !broken.is_empty() {
            return Err(lost(format!(
                "{} links of {table} point at nothing",
                broken.len()
            )));
        }
    }
    Ok(())
}

fn counts(connection: &Connection, rebuild: &Rebuild) -> Result<Vec<i64>, MigrationError> {
    let count = |table: &String| {
        let text = format!(
            "SELECT count(*) FROM {}",
            crate::migrate::ddl::quoted(table)
        );
        let counted = connection.query_row(&text, [], |row| row.get(0));
        counted.map_err(|error| failed(&error, &text))
    };
    rebuild.counted.iter().map(count).collect()
}
