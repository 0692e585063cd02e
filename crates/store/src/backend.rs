//! Which of the two databases it is: the only `match` on it.

use std::sync::Arc;
use std::time::Duration;

use opsflux_model::Schema;
use tokio::sync::watch;

use crate::commit::{Commit, Committed};
use crate::error::{CommitError, StoreError};
use crate::migrate::{Done, MigrationError, Task};
use crate::postgres::Postgres;
use crate::row::{Columns, Row};
use crate::sql::{self, Dialect, Page, Statement};
use crate::sqlite::Sqlite;
use crate::store::StoreOptions;

/// A database that is open.
pub(crate) enum Backend {
    /// A file.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

impl Backend {
    pub(crate) async fn open(options: &StoreOptions) -> Result<Backend, StoreError> {
        let connections = options.connections.get();
        match options.url.place() {
            Ok(file) => Sqlite::open(file, connections).map(Backend::Sqlite),
            Err(address) => {
                let database = Postgres::open(address, connections).await?;
                Ok(Backend::Postgres(database))
            }
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs the parts of a page until it is full.
    pub(crate) async fn select<E: From<StoreError>>(
        &self,
        page: &Page,
        budget: Duration,
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        match self {
            Backend::Sqlite(database) => database.select(page, budget, each).await,
            Backend::Postgres(database) => Box::pin(database.select(page, budget, each)).await,
        }
    }

    /// Runs one statement that reads, and shows its rows.
    pub(crate) async fn read(
        &self,
        statement: &Statement,
        budget: Duration,
        each: impl FnMut(&dyn Columns) -> Result<(), StoreError>,
    ) -> Result<usize, StoreError> {
        match self {
            Backend::Sqlite(database) => database.read(statement, budget, each).await,
            Backend::Postgres(database) => Box::pin(database.read(statement, budget, each)).await,
        }
    }

    /// Runs one statement that writes, durably; answers the number in the first column of its
    /// last row.
    pub(crate) async fn run(
        &self,
        statement: Statement,
        budget: Duration,
    ) -> Result<Option<i64>, StoreError> {
        match self {
            Backend::Sqlite(database) => database.run(statement).await,
            Backend::Postgres(database) => {
                let mut number = None;
                let each = |columns: &dyn Columns| {
                    number = columns.int(0)?;
                    Ok::<_, StoreError>(())
                };
                Box::pin(database.read(&statement, budget, each)).await?;
                Ok(number)
            }
        }
    }

    /// Makes a change durable, or does nothing.
    pub(crate) async fn commit(
        &self,
        schema: Arc<Schema>,
        commit: Commit,
    ) -> Result<Committed, CommitError> {
        let rendered = sql::commit(self.dialect(), &schema, &commit)?;
        match self {
            Backend::Sqlite(database) => database.commit(rendered, commit, schema).await,
            Backend::Postgres(database) => Box::pin(database.commit(&schema, &rendered)).await,
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self, budget: Duration) -> Result<(), StoreError> {
        match self {
            Backend::Sqlite(database) => {
                let asked = sql::system::feed_end(Dialect::Sqlite);
                let answered = database.read(&asked, budget, |_| Ok::<_, StoreError>(()));
                answered.await.map(|_| ())
            }
            Backend::Postgres(database) => database.ping().await,
        }
    }

    /// Does something to the tables of records, in one transaction.
    pub(crate) async fn tables(&self, task: Task) -> Result<Done, MigrationError> {
        match self {
            Backend::Sqlite(database) => database.tables(task).await,
            Backend::Postgres(database) => database.tables(task).await,
        }
    }

    /// How far the feed goes; changes when it grows.
    pub(crate) fn subscribe(&self) -> watch::Receiver<i64> {
        match self {
            Backend::Sqlite(database) => database.subscribe(),
            Backend::Postgres(database) => database.subscribe_feed(),
        }
    }

    /// Finishes what waits and lets go of the database.
    pub(crate) async fn close(&self) {
        match self {
            Backend::Sqlite(database) => database.close().await,
            Backend::Postgres(database) => database.close(),
        }
    }
}
