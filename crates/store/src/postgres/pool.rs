//! Connections: made, set up, checked, kept, thrown away.
//!
//! Every connection speaks the same way (time zone UTC, one search path, no JIT) whatever the
//! server's or the role's defaults are. What must hold of the server itself, because durability
//! rests on it, is checked once when the store is opened, see `settings`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleError, RecycleResult, Timeouts};
use futures::future::join;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault;
use crate::error::StoreError;

/// Prepared statements kept by one connection. Filters of people make ever new ones; beyond this
/// many all are dropped and made again as they come.
const STATEMENTS: usize = 512;
/// How long to wait for a free connection, and for a new one.
const WAIT: Duration = Duration::from_secs(5);
const CREATE: Duration = Duration::from_secs(10);

/// The longest budget PostgreSQL knows, in milliseconds.
const LONGEST: u32 = i32::MAX.unsigned_abs();

/// What every connection is told first.
///
/// Locks are waited for a bounded time: a change that cannot have its rows gives way and is tried
/// again. A transaction whose process has been stopped is ended by the server, so that what it
/// locked is free.
const SESSION: &str = "SET search_path TO public; SET timezone TO 'UTC'; \
     SET client_encoding TO 'UTF8'; SET jit TO off; SET lock_timeout TO '10s'; \
     SET idle_in_transaction_session_timeout TO '30s'; \
     SET default_transaction_isolation TO 'read committed'";

/// Makes the server look whether we are still there while a statement runs or waits, so that what
/// an abandoned change has locked is free within a second. Servers on Windows cannot.
const WATCH: &str = "SET client_connection_check_interval TO '1s'";

/// Tells a new connection how we speak.
pub(crate) async fn set_up(client: &Client) -> Result<(), StoreError> {
    let (told, watched) = join(client.batch_execute(SESSION), client.batch_execute(WATCH)).await;
    let refused = watched.err().filter(|error| error.as_db_error().is_none());
    let failed = told.err().or(refused);
    failed.map_or(Ok(()), |error| Err(fault::reading(&error)))
}

/// A pooled connection; returned when dropped.
pub(crate) type Pooled = deadpool::managed::Object<Connector>;

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    /// Raised when tables change: statements prepared before are dropped.
    generation: Arc<AtomicU64>,
}

impl Connector {
    pub(crate) fn new(config: Config, tls: MakeRustlsConnect) -> Connector {
        Connector {
            config,
            tls,
            generation: Arc::default(),
        }
    }

    /// Tells every connection that tables have changed.
    pub(crate) fn forget_statements(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// A connection of one's own, with its driver still to be run.
    pub(crate) async fn connect(
        &self,
    ) -> Result<(Client, tokio_postgres::Connection<Socket, Stream>), StoreError> {
        let connected = self.config.connect(self.tls.clone()).await;
        connected.map_err(|error| fault::connecting(&error))
    }
}

/// The encrypted half of a connection.
pub(crate) type Stream = <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream;

/// One connection.
pub(crate) struct Connection {
    /// The driver's handle.
    pub(crate) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    /// Of the connector, when the statements were prepared.
    generation: AtomicU64,
    /// The budget last set, in milliseconds.
    budget: AtomicU32,
    /// Its work was dropped half-way.
    abandoned: AtomicBool,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Marks the beginning of work that must not be left half done.
    pub(crate) fn work(&self) -> Work<'_> {
        Work {
            connection: self,
            finished: false,
        }
    }

    /// The prepared form of a statement.
    pub(crate) async fn prepared(&self, text: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.lock().get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(text).await?;
        let mut kept = self.statements.lock();
        if kept.len() >= STATEMENTS {
            kept.clear();
        }
        kept.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Drops what was prepared: the tables have changed under it.
    pub(crate) fn forget_statements(&self) {
        self.statements.lock().clear();
    }

    /// What to say first so that the server stops statements after `budget`; nothing when that is
    /// how it stands already. The caller must send what it is given.
    pub(crate) fn limit(&self, budget: Duration) -> Option<String> {
        // Zero would mean no limit at all; PostgreSQL counts up to 2^31.
        let millis = u32::try_from(budget.as_millis())
            .unwrap_or(LONGEST)
            .clamp(1, LONGEST);
        let before = self.budget.swap(millis, Ordering::AcqRel);
        (before != millis).then(|| format!("SET statement_timeout TO {millis}"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closes the socket; the server rolls back whatever was open.
        self.driver.abort();
    }
}

impl Manager for Connector {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection, StoreError> {
        let generation = self.generation.load(Ordering::Acquire);
        let (client, driver) = self.connect().await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::warn!(%error, "a database connection ended");
            }
        });
        let connection = Connection {
            client,
            statements: Mutex::default(),
            generation: AtomicU64::new(generation),
            budget: AtomicU32::new(0),
            abandoned: AtomicBool::new(false),
            driver,
        };
        set_up(&connection.client).await?;
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.client.is_closed() || connection.abandoned.load(Ordering::Acquire) {
            return Err(RecycleError::message("closed"));
        }
        let generation = self.generation.load(Ordering::Acquire);
        if connection.generation.swap(generation, Ordering::AcqRel) != generation {
            connection.forget_statements();
        }
        Ok(())
    }
}

/// A pool of at most `size` connections.
pub(crate) fn pool(connector: Connector, size: usize) -> Result<Pool<Connector>, StoreError> {
    Pool::builder(connector)
        .max_size(size)
        .timeouts(Timeouts {
            wait: Some(WAIT),
            create: Some(CREATE),
            recycle: Some(WAIT),
        })
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Internal(error.to_string()))
}

/// A connection from the pool.
pub(crate) async fn take(pool: &Pool<Connector>) -> Result<Pooled, StoreError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    })
}

/// Work under way on a connection. A connection whose work is dropped half-way, because the
/// caller went away or the time is up, may be busy or in a transaction: it is closed, which frees
/// what it locked, and never used again.
pub(crate) struct Work<'a> {
    connection: &'a Connection,
    finished: bool,
}

impl Work<'_> {
    /// The connection is as it was before.
    pub(crate) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.connection.abandoned.store(true, Ordering::Release);
            self.connection.driver.abort();
        }
    }
}
