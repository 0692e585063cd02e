//! The PostgreSQL back end.
//!
//! What lives here: connections and what is demanded of the server (`pool`, `settings`, `tls`),
//! cells in binary (`codec`, `numeric`), reading (`read`), changes (`write`) and the order in
//! which they become visible in the feed (`feed`).
//!
//! What must never be here: SQL of records; it comes rendered from [`crate::sql`].
//!
//! Start reading at [`Postgres`].

mod address;
mod codec;
pub(crate) mod copy;
pub(crate) mod dump;
mod fault;
mod feed;
mod numeric;
mod pool;
mod read;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod tls;
mod write;

use std::time::Duration;

use deadpool::managed::Pool;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::sql::{Dialect, system_tables};
use pool::Connector;
use tables::TABLES_LOCK;
pub(crate) use tables::TableSession;

/// A database on a PostgreSQL server, shared by any number of processes.
pub(crate) struct Postgres {
    pool: Pool<Connector>,
    feed: feed::Sequencer,
}

impl Postgres {
    /// Opens the database at `address`, with at most `connections` besides the one of the feed.
    /// The server is checked and the engine's own tables are there when this returns.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the address is not understood, the server refuses us or is not
    /// set up as documented; [`StoreError::Unavailable`] when it does not answer.
    pub(crate) async fn open(address: &str, connections: usize) -> Result<Postgres, StoreError> {
        let (config, tls) = address::parse(address)?;
        let connector = Connector::new(config, tls.connector()?);
        let pool = pool::pool(connector.clone(), connections)?;
        let connection = pool::take(&pool).await?;
        settings::check(&connection.client).await?;
        raise_system_tables(&connection).await?;
        drop(connection);
        let feed = feed::Sequencer::start(connector).await?;
        Ok(Postgres { pool, feed })
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        let connection = pool::take(&self.pool).await?;
        let work = connection.work();
        let asked =
            tokio::time::timeout(Duration::from_secs(2), connection.client.check_connection());
        match asked.await {
            Ok(Ok(())) => {
                work.finish();
                Ok(())
            }
            Ok(Err(error)) => Err(fault::reading(&error)),
            Err(_) => Err(StoreError::Unavailable(
                "PostgreSQL does not answer".to_owned(),
            )),
        }
    }

    /// How far the feed goes; changes when it grows.
    pub(crate) fn subscribe_feed(&self) -> watch::Receiver<i64> {
        self.feed.subscribe()
    }

    /// Closes every connection once its work is done.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// Makes the engine's own tables, or raises them to today's version.
async fn raise_system_tables(connection: &pool::Connection) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| fault::reading(&error);
    let work = connection.work();
    let client = &connection.client;
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({TABLES_LOCK})");
    client.batch_execute(&lock).await.map_err(failed)?;
    let bootstrap = system_tables::bootstrap(Dialect::Postgres).join(";");
    client.batch_execute(&bootstrap).await.map_err(failed)?;
    let row = client
        .query_opt(system_tables::READ_VERSION, &[])
        .await
        .map_err(failed)?;
    let copying = client.query_opt(system_tables::READ_COPY, &[]).await;
    if copying.map_err(failed)?.is_some() {
        let text = system_tables::UNFINISHED_COPY.to_owned();
        return Err(StoreError::Setup(text));
    }
    let known: Option<String> = row.map(|row| row.try_get(0)).transpose().map_err(failed)?;
    let known = known.map_or(Ok(0), |text| text.parse::<i64>());
    let known = known.map_err(|_| StoreError::Setup("sys_meta holds no version".to_owned()))?;
    if known > system_tables::version() {
        return Err(StoreError::Setup(format!(
            "the database was written by a newer release (tables of version {known}, this release knows {})",
            system_tables::version()
        )));
    }
    let raise = system_tables::raise(Dialect::Postgres, known).join(";");
    client.batch_execute(&raise).await.map_err(failed)?;
    client.batch_execute("COMMIT").await.map_err(failed)?;
    work.finish();
    Ok(())
}
