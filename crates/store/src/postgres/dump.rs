//! A connection of one's own, for reading everything at one moment and for filling a database.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error};

pub(crate) use super::codec::PostgresRow;
use super::pool::{self, Connector};
use super::tables::TABLES_LOCK;
use super::{address, fault};
use crate::error::StoreError;
use crate::sql::Cell;

/// No parameters.
pub(crate) const NOTHING: [Cell; 0] = [];

/// What such a connection does takes as long as it takes; whoever changes tables is waited for.
const PATIENT: &str = "SET statement_timeout TO 0; SET lock_timeout TO '10min'; \
     SET idle_in_transaction_session_timeout TO 0";

/// Connects, and drives the connection until the handle is aborted or the client dropped.
pub(crate) async fn connect(address: &str) -> Result<(Client, JoinHandle<()>), StoreError> {
    let (config, tls) = address::parse(address)?;
    let (client, connection) = Connector::new(config, tls.connector()?).connect().await?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a database connection ended");
        }
    });
    pool::set_up(&client).await?;
    run(&client, PATIENT).await?;
    Ok((client, driver))
}

/// Runs statements without parameters.
pub(crate) async fn run(client: &Client, text: &str) -> Result<(), StoreError> {
    let done = client.batch_execute(text).await;
    done.map_err(|error| fault::reading(&error))
}

/// The text of a question that one row answers, or none.
pub(crate) async fn text(client: &Client, question: &str) -> Result<Option<String>, StoreError> {
    let row = client.query_opt(question, &[]).await;
    let text = match row {
        Ok(Some(row)) => row.try_get(0),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    text.map_err(|error| told(&error))
}

/// Keeps everybody from changing tables; who is about it is waited for.
pub(crate) async fn hold_tables(client: &Client) -> Result<(), StoreError> {
    run(
        client,
        &format!("SELECT pg_advisory_lock_shared({TABLES_LOCK})"),
    )
    .await
}

/// Lets others change tables again.
pub(crate) async fn release_tables(client: &Client) -> Result<(), StoreError> {
    run(
        client,
        &format!("SELECT pg_advisory_unlock_shared({TABLES_LOCK})"),
    )
    .await
}

/// Takes the lock of who changes tables, until the transaction ends.
pub(crate) async fn own_tables(client: &Client) -> Result<(), StoreError> {
    run(
        client,
        &format!("SELECT pg_advisory_xact_lock({TABLES_LOCK})"),
    )
    .await
}

/// What an error means for the caller.
pub(crate) fn told(error: &Error) -> StoreError {
    fault::reading(error)
}
