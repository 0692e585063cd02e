//! Changing tables on PostgreSQL.

use std::pin::pin;

use futures::TryStreamExt;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::codec::PostgresRow;
use super::pool::Connection;
use super::{Postgres, fault, pool};
use crate::error::StoreError;
use crate::migrate::{Done, MigrationError, Read, Session, Task};
use crate::sql::Statement;

/// Who changes tables takes this lock of the database first, whatever process it is in.
pub(super) const TABLES_LOCK: i64 = 0x6f70_7366_6c78_0002;

impl Postgres {
    /// Does something to the tables.
    ///
    /// # Errors
    /// [`MigrationError`]; nothing has changed then.
    pub(crate) async fn tables(&self, task: Task) -> Result<Done, MigrationError> {
        let connection = pool::take(&self.pool).await?;
        let work = connection.work();
        let session = TableSession {
            connection: &connection,
        };
        let done = task.perform(&mut Session::Postgres(session)).await?;
        work.finish();
        if let Done::Changed { .. } = done {
            self.pool.manager().forget_statements();
            self.feed.committed();
        }
        Ok(done)
    }
}

/// A connection that changes tables.
pub(crate) struct TableSession<'a> {
    pub(super) connection: &'a Connection,
}

impl TableSession<'_> {
    /// Begins a transaction that may take long, but waits for a table only briefly.
    pub(crate) async fn begin(&self) -> Result<(), MigrationError> {
        self.run(&format!(
            "BEGIN; SET LOCAL statement_timeout TO 0; \
             SET LOCAL idle_in_transaction_session_timeout TO '10min'; \
             SET LOCAL lock_timeout TO '10min'; SELECT pg_advisory_xact_lock({TABLES_LOCK}); \
             SET LOCAL lock_timeout TO '3s'"
        ))
        .await
    }

    pub(crate) async fn run(&self, text: &str) -> Result<(), MigrationError> {
        let done = self.connection.client.batch_execute(text).await;
        done.map_err(|error| failed(&error, text))
    }

    pub(crate) async fn execute(&self, statement: &Statement) -> Result<u64, MigrationError> {
        let text = &statement.text;
        let client = &self.connection.client;
        // Not from the cache: tables change under it.
        let prepared = client
            .prepare(text)
            .await
            .map_err(|error| failed(&error, text))?;
        let done = client.execute_raw(&prepared, &statement.params).await;
        done.map_err(|error| failed(&error, text))
    }

    pub(crate) async fn rows<T>(
        &self,
        statement: &Statement,
        read: Read<'_, T>,
    ) -> Result<Vec<T>, MigrationError> {
        let text = &statement.text;
        let failed = |error: Error| failed(&error, text);
        let client = &self.connection.client;
        let prepared = client.prepare(text).await.map_err(failed)?;
        let rows = client.query_raw(&prepared, &statement.params).await;
        let mut rows = pin!(rows.map_err(failed)?);
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            found.push(read(&PostgresRow(&row))?);
        }
        Ok(found)
    }
}

fn failed(error: &Error, statement: &str) -> MigrationError {
    let code = error.code();
    if code == Some(&SqlState::LOCK_NOT_AVAILABLE) || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
    {
        return MigrationError::Busy;
    }
    match fault::reading(error) {
        StoreError::Internal(reason) => MigrationError::Failed {
            statement: statement.to_owned(),
            reason,
        },
        other => other.into(),
    }
}
