//! A connection that changes tables, on either database.
//!
//! On SQLite it is a connection of its own, opened while the writer stands still, with foreign
//! keys switched off before the transaction begins. On PostgreSQL it is one of the pool's; whoever
//! changes tables holds one lock of the database, and waits for a table only briefly, because
//! everybody else waits behind it.

use std::collections::BTreeSet;

use super::MigrationError;
use super::ddl::quoted;
use super::rebuild::Rebuild;
use crate::error::StoreError;
use crate::postgres::TableSession;
use crate::row::Columns;
use crate::sql::{Dialect, Statement};
use crate::sqlite::tables as sqlite;

/// Reads one row.
pub(crate) type Read<'r, T> = &'r mut (dyn FnMut(&dyn Columns) -> Result<T, StoreError> + Send);

/// A connection that changes tables.
pub(crate) enum Session<'a> {
    /// Nothing on it ever waits.
    Sqlite(&'a mut rusqlite::Connection),
    /// Of the pool.
    Postgres(TableSession<'a>),
}

impl Session<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Session::Sqlite(_) => Dialect::Sqlite,
            Session::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins the transaction; nobody else changes tables until it ends.
    pub(crate) async fn begin(&mut self) -> Result<(), MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::run(connection, "BEGIN IMMEDIATE"),
            Session::Postgres(session) => session.begin().await,
        }
    }

    /// Makes it durable; statistics of `indexed` tables are taken.
    pub(crate) async fn commit(
        &mut self,
        indexed: &BTreeSet<String>,
    ) -> Result<(), MigrationError> {
        match self {
            Session::Sqlite(connection) => {
                // Inside the transaction: other connections load statistics with the tables.
                for table in indexed {
                    sqlite::run(connection, &format!("ANALYZE {}", quoted(table)))?;
                }
                sqlite::run(connection, "COMMIT")
            }
            Session::Postgres(session) => {
                session.run("COMMIT").await?;
                // Outside of it, which would keep the tables locked meanwhile.
                for table in indexed {
                    let analyzed = session.run(&format!("ANALYZE {}", quoted(table))).await;
                    if let Err(error) = analyzed {
                        tracing::warn!(%error, table, "statistics were not taken");
                    }
                }
                Ok(())
            }
        }
    }

    /// Takes it back.
    pub(crate) async fn rollback(&mut self) -> Result<(), MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::rollback(connection),
            Session::Postgres(session) => session.run("ROLLBACK").await,
        }
    }

    /// Runs a statement without parameters.
    pub(crate) async fn run(&mut self, text: &str) -> Result<(), MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::run(connection, text),
            Session::Postgres(session) => session.run(text).await,
        }
    }

    /// Runs a statement; answers how many rows it wrote.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::execute(connection, statement),
            Session::Postgres(session) => session.execute(statement).await,
        }
    }

    /// Every row of a statement.
    pub(crate) async fn rows<T: Send>(
        &mut self,
        statement: &Statement,
        read: Read<'_, T>,
    ) -> Result<Vec<T>, MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::rows(connection, statement, read),
            Session::Postgres(session) => session.rows(statement, read).await,
        }
    }

    /// The text of a question that one row answers, or none.
    pub(crate) async fn text(&mut self, question: &str) -> Result<Option<String>, MigrationError> {
        let statement = Statement {
            text: question.to_owned(),
            params: Vec::new(),
        };
        let mut read = |row: &dyn Columns| Ok(row.text(0)?.unwrap_or_default().to_owned());
        Ok(self.rows(&statement, &mut read).await?.pop())
    }

    /// SQLite: makes a table anew, and makes sure that no row is lost on the way.
    pub(crate) async fn rebuild(&mut self, rebuild: &Rebuild) -> Result<(), MigrationError> {
        match self {
            Session::Sqlite(connection) => sqlite::rebuild(connection, rebuild),
            Session::Postgres(_) => {
                let why = "PostgreSQL rebuilds no tables".to_owned();
                Err(StoreError::Internal(why).into())
            }
        }
    }
}
