//! One change, one transaction, three ways to the server and back: the beginning, everything that
//! must hold at once, and when all of it does, the commit.
//!
//! Locks come first, so that guards see what was committed before them: under READ COMMITTED each
//! statement looks anew. A change that must give way to another is [`CommitError::Retry`].

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::{MaybeDone, join, maybe_done};
use opsflux_model::schema::Schema;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, Error};

use super::codec::PostgresRow;
use super::pool::Connection;
use super::{Postgres, fault, pool};
use crate::commit::Committed;
use crate::error::{CommitError, StoreError};
use crate::row::Columns;
use crate::sql::{Cell, CommitStep, Expect, RenderedCommit, constraint};

/// No change takes longer; imports write in batches.
const BUDGET: Duration = Duration::from_secs(60);
/// What came of a statement.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    /// Rows written.
    affected: u64,
    /// Whether it answered a row whose first column is true.
    holds: bool,
}

/// Why a change did nothing.
enum Failure {
    /// A statement failed.
    Database(Error),
    /// A statement did not do what was expected; the place of its step.
    Unmet(usize),
}

impl Postgres {
    /// Makes a change durable, or does nothing.
    ///
    /// When the connection is lost on the way of the commit itself, the error is
    /// [`StoreError::Unavailable`] and the change may or may not have been made.
    ///
    /// # Errors
    /// [`CommitError`].
    pub(crate) async fn commit(
        &self,
        schema: &Schema,
        rendered: &RenderedCommit,
    ) -> Result<Committed, CommitError> {
        let connection = pool::take(&self.pool).await?;
        let mut done = transaction(&connection, rendered).await;
        if matches!(&done, Err(Failure::Database(error)) if fault::is_stale(error)) {
            // The tables have changed since; everything is prepared anew.
            connection.forget_statements();
            done = transaction(&connection, rendered).await;
        }
        done.map_err(|failure| meaning(failure, schema, rendered))?;
        if rendered.entries > 0 {
            self.feed.committed();
        }
        Ok(Committed {
            entries: rendered.entries,
        })
    }
}

async fn transaction(connection: &Connection, rendered: &RenderedCommit) -> Result<(), Failure> {
    let work = connection.work();
    let done = in_transaction(connection, rendered).await;
    let clean = match &done {
        Ok(()) | Err(Failure::Unmet(_)) => true,
        Err(Failure::Database(error)) => error.as_db_error().is_some(),
    };
    if clean {
        work.finish();
    }
    done
}

async fn in_transaction(connection: &Connection, rendered: &RenderedCommit) -> Result<(), Failure> {
    let client = &connection.client;
    let steps = rendered.steps.iter().map(|step| &step.statement);
    let mut prepared = Vec::with_capacity(rendered.locks.len() + rendered.steps.len());
    for (place, statement) in rendered.locks.iter().chain(steps).enumerate() {
        let step = place.checked_sub(rendered.locks.len());
        let text = connection
            .prepared(&statement.text)
            .await
            .map_err(Failure::Database)?;
        prepared.push((step, text, &statement.params));
    }
    begin(connection).await.map_err(Failure::Database)?;
    let mut sent = Vec::with_capacity(prepared.len());
    for (step, text, params) in prepared {
        sent.push((step, start(client, text, params).await));
    }
    let mut failure = None;
    for (place, mut running) in sent {
        running.as_mut().await;
        let outcome = running.as_mut().take_output();
        // After the first failure the others only say that there was one.
        if failure.is_none() {
            failure = match (outcome, place) {
                (Some(Err(error)), _) => Some(Failure::Database(error)),
                (Some(Ok(outcome)), Some(place)) if !is_met(&rendered.steps[place], outcome) => {
                    Some(Failure::Unmet(place))
                }
                _ => None,
            };
        }
    }
    match failure {
        None => client
            .batch_execute("COMMIT")
            .await
            .map_err(Failure::Database),
        Some(failure) => {
            client
                .batch_execute("ROLLBACK")
                .await
                .map_err(Failure::Database)?;
            Err(failure)
        }
    }
}

fn is_met(step: &CommitStep, outcome: Outcome) -> bool {
    match step.expect {
        Expect::Any => true,
        Expect::OneRow { .. } => outcome.affected == 1,
        Expect::Holds { .. } => outcome.holds,
    }
}

/// Waits for the transaction to begin: statements sent behind a BEGIN that fails, however
/// unlikely, would each be committed by itself.
async fn begin(connection: &Connection) -> Result<(), Error> {
    let begin = connection.client.batch_execute("BEGIN");
    match connection.limit(BUDGET) {
        None => begin.await,
        Some(limit) => {
            // `join` starts its first future first, so they are sent in this order.
            let (limited, begun) = join(connection.client.batch_execute(&limit), begin).await;
            limited.and(begun)
        }
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send + 'a>>;

/// Sends a statement without waiting for its answer: the driver sends what it is given when it is
/// first asked for the answer, in the order of asking.
async fn start<'a>(
    client: &'a Client,
    prepared: tokio_postgres::Statement,
    params: &'a [Cell],
) -> Pin<Box<MaybeDone<Running<'a>>>> {
    let running: Running<'a> = Box::pin(run(client, prepared, params));
    let mut running = Box::pin(maybe_done(running));
    poll_fn(|context| {
        let _ = running.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    running
}

async fn run(
    client: &Client,
    prepared: tokio_postgres::Statement,
    params: &[Cell],
) -> Result<Outcome, Error> {
    let mut rows = pin!(client.query_raw(&prepared, params).await?);
    let mut outcome = Outcome::default();
    while let Some(row) = rows.try_next().await? {
        outcome.holds = matches!(PostgresRow(&row).boolean(0), Ok(Some(true)));
    }
    outcome.affected = rows.rows_affected().unwrap_or(0);
    Ok(outcome)
}

/// What a failure means for the caller.
fn meaning(failure: Failure, schema: &Schema, rendered: &RenderedCommit) -> CommitError {
    match failure {
        Failure::Unmet(place) => match rendered.steps.get(place).map(|step| &step.expect) {
            Some(Expect::OneRow { entity, id }) => CommitError::Version {
                entity: entity.clone(),
                id: *id,
            },
            Some(Expect::Holds { guard }) => CommitError::Guard {
                name: guard.clone(),
            },
            Some(Expect::Any) | None => {
                StoreError::Internal("a step of a change is unknown".to_owned()).into()
            }
        },
        Failure::Database(error) => match error.as_db_error() {
            Some(db) => refused(db, schema).unwrap_or_else(|| fault::reading(&error).into()),
            None => fault::reading(&error).into(),
        },
    }
}

/// What the database refused, when it is the caller's business.
fn refused(db: &DbError, schema: &Schema) -> Option<CommitError> {
    let gives_way = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    if gives_way.contains(db.code()) {
        return Some(CommitError::Retry);
    }
    let broken = [SqlState::UNIQUE_VIOLATION, SqlState::FOREIGN_KEY_VIOLATION];
    let name = db.constraint().filter(|_| broken.contains(db.code()))?;
    constraint::named(schema, name)
}
