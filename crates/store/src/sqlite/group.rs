//! Many changes in one transaction.
//!
//! What waits is written together, each change behind its own savepoint: one that fails is taken
//! back alone, and all of them share the one wait for the disk. Nobody is answered before that.

use std::sync::Arc;

use opsflux_model::Schema;
use rusqlite::{CachedStatement, Connection};
use tokio::sync::oneshot;

use super::fault::{self, Broken};
use crate::commit::{Commit, Committed};
use crate::error::{CommitError, StoreError};
use crate::sql::constraint;
use crate::sql::{CommitStep, Dialect, Expect, RenderedCommit, Statement, system};

/// Something to be written.
pub(super) enum Work {
    /// A change.
    Change(Box<Change>),
    /// One statement; answers the number in the first column of its last row.
    Statement {
        /// What is run.
        statement: Statement,
        /// Who waits.
        answer: oneshot::Sender<Result<Option<i64>, CommitError>>,
    },
}

/// A change with what is needed to tell why it failed.
pub(super) struct Change {
    /// What is run.
    pub(super) rendered: RenderedCommit,
    /// Where it comes from.
    pub(super) commit: Commit,
    /// With which it was rendered.
    pub(super) schema: Arc<Schema>,
    /// Who waits.
    pub(super) answer: oneshot::Sender<Result<Committed, CommitError>>,
}

/// What a work came to, before the commit.
type Done = Result<Option<i64>, CommitError>;

/// Writes everything in `works` and answers; true when the feed has grown.
pub(super) fn write(connection: &Connection, works: Vec<Work>) -> bool {
    let done = transaction(connection, &works);
    let mut grown = false;
    for (work, done) in works.into_iter().zip(done) {
        // Whoever has stopped waiting does not need the answer.
        match work {
            Work::Change(change) => {
                let entries = change.rendered.entries;
                grown |= entries > 0 && done.is_ok();
                let _ = change.answer.send(done.map(|_| Committed { entries }));
            }
            Work::Statement { answer, .. } => {
                let _ = answer.send(done);
            }
        }
    }
    grown
}

/// Why nothing of a group is written.
struct Lost(String);

impl From<rusqlite::Error> for Lost {
    fn from(error: rusqlite::Error) -> Self {
        Lost(fault::told(&error).to_string())
    }
}

/// One answer for each work, all durable or none.
fn transaction(connection: &Connection, works: &[Work]) -> Vec<Done> {
    together(connection, works).unwrap_or_else(|Lost(reason)| {
        if !connection.is_autocommit()
            && let Err(error) = run(connection, "ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be taken back");
        }
        // Readers have connections of their own and read on.
        let failed = |_| Err(StoreError::ReadOnly(reason.clone()).into());
        works.iter().map(failed).collect()
    })
}

fn together(connection: &Connection, works: &[Work]) -> Result<Vec<Done>, Lost> {
    run(connection, "BEGIN IMMEDIATE")?;
    let alone = works.len() == 1;
    let mut done = Vec::with_capacity(works.len());
    for work in works {
        done.push(guarded(connection, work, alone)?);
    }
    let ending = if done.iter().any(Result::is_ok) {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    run(connection, ending)?;
    Ok(done)
}

/// Does a work, and takes it back when it fails.
fn guarded(connection: &Connection, work: &Work, alone: bool) -> Result<Done, Lost> {
    if !alone {
        run(connection, "SAVEPOINT change")?;
    }
    let done = match work {
        Work::Change(change) => steps(connection, change).map(|()| None),
        Work::Statement { statement, .. } => {
            returning(connection, statement).map_err(|error| fault::told(&error).into())
        }
    };
    if connection.is_autocommit() {
        // A full disk or the like makes SQLite take the whole transaction back by itself.
        let reason = done.err().map(|error| error.to_string());
        return Err(Lost(reason.unwrap_or_default()));
    }
    if !alone {
        if done.is_err() {
            run(connection, "ROLLBACK TO change")?;
        }
        run(connection, "RELEASE change")?;
    }
    Ok(done)
}

fn run(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(text)?.raw_execute().map(|_| ())
}

fn bound<'a>(
    connection: &'a Connection,
    statement: &Statement,
) -> rusqlite::Result<CachedStatement<'a>> {
    let mut prepared = connection.prepare_cached(&statement.text)?;
    for (place, cell) in statement.params.iter().enumerate() {
        prepared.raw_bind_parameter(place + 1, cell)?;
    }
    Ok(prepared)
}

fn steps(connection: &Connection, change: &Change) -> Result<(), CommitError> {
    for step in &change.rendered.steps {
        let met = match &step.expect {
            Expect::Holds { .. } => {
                returning(connection, &step.statement).map(|number| number == Some(1))
            }
            Expect::Any => execute(connection, &step.statement).map(|_| true),
            Expect::OneRow { .. } => {
                execute(connection, &step.statement).map(|changed| changed == 1)
            }
        };
        match met {
            Ok(true) => {}
            Ok(false) => return Err(unmet(&step.expect)),
            Err(error) => return Err(failed(connection, change, step, &error)),
        }
    }
    Ok(())
}

fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<usize> {
    bound(connection, statement)?.raw_execute()
}

fn returning(connection: &Connection, statement: &Statement) -> rusqlite::Result<Option<i64>> {
    let mut prepared = bound(connection, statement)?;
    let mut rows = prepared.raw_query();
    let mut number = None;
    while let Some(row) = rows.next()? {
        number = row.get(0)?;
    }
    Ok(number)
}

fn unmet(expect: &Expect) -> CommitError {
    match expect {
        Expect::OneRow { entity, id } => CommitError::Version {
            entity: entity.clone(),
            id: *id,
        },
        Expect::Holds { guard } => CommitError::Guard {
            name: guard.clone(),
        },
        Expect::Any => {
            StoreError::Internal("nothing was expected and it did not come".to_owned()).into()
        }
    }
}

fn failed(
    connection: &Connection,
    change: &Change,
    step: &CommitStep,
    error: &rusqlite::Error,
) -> CommitError {
    let schema = &change.schema;
    let told = || fault::told(error).into();
    match fault::broken(error) {
        Some(Broken::Columns { table, columns }) => constraint::unique(schema, table, &columns),
        Some(Broken::Index(name)) => constraint::named(schema, name).unwrap_or_else(told),
        Some(Broken::Link) => dangling(connection, change, step).unwrap_or_else(told),
        None => told(),
    }
}

/// SQLite does not say which link points at nothing, so each is asked for.
fn dangling(connection: &Connection, change: &Change, step: &CommitStep) -> Option<CommitError> {
    let write = step
        .write
        .and_then(|place| change.commit.writes.get(place))?;
    let schema = &change.schema;
    let checks = constraint::link_checks(Dialect::Sqlite, schema, &change.commit, write);
    let broken = checks
        .into_iter()
        .find(|check| matches!(returning(connection, &check.holds), Ok(Some(0))));
    Some(match broken {
        Some(check) => CommitError::Link {
            entity: check.entity,
            field: Some(check.field),
        },
        None => CommitError::Link {
            entity: schema.entity(write.entity()).name.clone(),
            field: None,
        },
    })
}

/// The last place handed out in the feed.
pub(super) fn feed_end(connection: &Connection) -> Result<i64, StoreError> {
    let end = returning(connection, &system::feed_end(Dialect::Sqlite));
    end.map(Option::unwrap_or_default)
        .map_err(|error| fault::told(&error))
}
