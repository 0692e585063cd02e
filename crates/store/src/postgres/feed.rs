//! The order of the feed on PostgreSQL.
//!
//! A transaction that began earlier may commit later, so the number a row gets while it is
//! written is not the order in which rows become visible, and a reader that went by it would skip
//! what commits late. Rows therefore wait in `sys_feed_new` until a round, which sees committed
//! rows only, gives them their places in `sys_feed_pos`. Rounds are taken one at a time, whichever
//! process runs them (an advisory lock held for the transaction, so nothing has to be taken over
//! when its holder dies), and places are handed out without gaps: no place appears below one that
//! has been read.
//!
//! The process that commits runs a round, at most one each 10 ms, and then notifies the others;
//! each process also looks once a second, so that what a dying process left behind is placed and
//! a lost notification costs a second. Nothing of this happens inside the transaction of a
//! change, which would cost most of PostgreSQL's throughput.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{AsyncMessage, Client, Socket, Statement};

use super::pool::{Connector, Stream};
use super::{fault, pool};
use crate::error::StoreError;

/// Least time between two rounds of a process.
const PACE: Duration = Duration::from_millis(10);
/// How often a process looks unasked.
const LOOK: Duration = Duration::from_secs(1);
/// Most rows placed by one round.
const BATCH: i64 = 10_000;
/// What is fresh: rows that got their number since. Older ones, of transactions that took long,
/// are looked for once a second; looking for them each time would read over everything that the
/// server has not cleaned up yet.
const FRESH: Duration = Duration::from_secs(5);

/// Names the lock of rounds among the advisory locks of the database.
const ROUND_LOCK: i64 = 0x6f70_7366_6c78_0001;
const CHANNEL: &str = "opsflux_feed";

/// Places the oldest rows in the order of their numbers: a row that changes a record takes its
/// number after it has locked the record, so versions of one record come in order.
const PLACE: &str = "\
WITH fresh AS (
  DELETE FROM sys_feed_new WHERE seq IN (
    SELECT seq FROM sys_feed_new WHERE seq >= $1 ORDER BY seq LIMIT $2
  ) RETURNING seq
), numbered AS (
  SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM fresh
), head AS (
  INSERT INTO sys_meta (key, value)
  SELECT 'feed_pos', count(*)::text FROM fresh HAVING count(*) > 0
  ON CONFLICT (key) DO UPDATE
    SET value = (sys_meta.value::bigint + excluded.value::bigint)::text
  RETURNING value::bigint - (SELECT count(*) FROM fresh) AS before
), placed AS (
  INSERT INTO sys_feed_pos (pos, seq)
  SELECT before + place, seq FROM head, numbered
  RETURNING pos, seq
)
SELECT count(*), max(pos), max(seq) FROM placed";

/// The last place handed out.
const END: &str = "SELECT coalesce(max(value::bigint), 0) FROM sys_meta WHERE key = 'feed_pos'";

/// Places what this process commits, and tells its readers how far the feed goes.
pub(crate) struct Sequencer {
    committed: Arc<Notify>,
    end: watch::Receiver<i64>,
    task: JoinHandle<()>,
}

impl Sequencer {
    /// Starts placing. The feed's end is known when this returns.
    pub(crate) async fn start(connector: Connector) -> Result<Sequencer, StoreError> {
        let committed = Arc::new(Notify::new());
        let (told, end) = watch::channel(0);
        let runner = Runner {
            connector,
            committed: Arc::clone(&committed),
            told: Arc::new(told),
        };
        let first = runner.open().await?;
        Ok(Sequencer {
            committed,
            end,
            task: tokio::spawn(runner.run(first)),
        })
    }

    /// There are committed rows without a place.
    pub(crate) fn committed(&self) {
        self.committed.notify_one();
    }

    /// How far the feed goes; changes when it grows.
    pub(crate) fn subscribe(&self) -> watch::Receiver<i64> {
        self.end.clone()
    }
}

impl Drop for Sequencer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Runner {
    connector: Connector,
    committed: Arc<Notify>,
    told: Arc<watch::Sender<i64>>,
}

impl Runner {
    /// Works as long as the store is open, over as many connections as it takes.
    async fn run(self, first: Session) {
        let mut session = first;
        loop {
            let Err(error) = self.work(&mut session).await;
            tracing::warn!(%error, "the feed lost its database connection");
            session = self.reopen().await;
        }
    }

    async fn reopen(&self) -> Session {
        let mut retry = tokio::time::interval(LOOK);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            retry.tick().await;
            match self.open().await {
                Ok(session) => return session,
                Err(error) => tracing::warn!(%error, "the feed has no database connection"),
            }
        }
    }

    async fn open(&self) -> Result<Session, StoreError> {
        let session = Session::open(&self.connector, Arc::clone(&self.told)).await?;
        tell(&self.told, session.end().await?);
        Ok(session)
    }

    /// Rounds on one connection, until it fails.
    async fn work(&self, session: &mut Session) -> Result<Infallible, StoreError> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut recent = Recent::default();
        loop {
            let from = tokio::select! {
                () = self.committed.notified() => recent.from(Instant::now()),
                _ = look.tick() => {
                    // What other processes placed, should their notification be lost.
                    tell(&self.told, session.end().await?);
                    i64::MIN
                }
            };
            let begun = Instant::now();
            while let Some(placed) = session.round(from).await? {
                recent.add(begun, placed.newest);
                tell(&self.told, placed.end);
                session.notify(placed.end).await?;
                if placed.count < BATCH {
                    break;
                }
            }
            tokio::time::sleep_until(begun + PACE).await;
        }
    }
}

/// The end only grows, whoever tells it first.
fn tell(told: &watch::Sender<i64>, end: i64) {
    told.send_if_modified(|known| {
        let grown = end > *known;
        *known = end.max(*known);
        grown
    });
}

/// Numbers of rows by the time they were placed, to know which are fresh.
#[derive(Debug, Default)]
struct Recent {
    marks: VecDeque<(Instant, i64)>,
}

impl Recent {
    /// The number from which rows are fresh.
    fn from(&mut self, now: Instant) -> i64 {
        while self.marks.get(1).is_some_and(|(at, _)| *at + FRESH <= now) {
            self.marks.pop_front();
        }
        match self.marks.front() {
            Some((at, seq)) if *at + FRESH <= now => *seq,
            _ => i64::MIN,
        }
    }

    fn add(&mut self, at: Instant, newest: i64) {
        self.marks.push_back((at, newest));
    }
}

/// What a round placed.
struct Placed {
    count: i64,
    /// The last place.
    end: i64,
    /// The largest number of a row.
    newest: i64,
}

/// A connection that listens and places.
struct Session {
    client: Client,
    place: Statement,
    driver: JoinHandle<()>,
}

impl Session {
    async fn open(
        connector: &Connector,
        told: Arc<watch::Sender<i64>>,
    ) -> Result<Session, StoreError> {
        let failed = |error: tokio_postgres::Error| fault::reading(&error);
        let (client, connection) = connector.connect().await?;
        let driver = tokio::spawn(listen(connection, told));
        pool::set_up(&client).await?;
        let listen = format!("SET statement_timeout TO '30s'; LISTEN {CHANNEL}");
        client.batch_execute(&listen).await.map_err(failed)?;
        let place = client.prepare(PLACE).await.map_err(failed)?;
        Ok(Session {
            client,
            place,
            driver,
        })
    }

    async fn end(&self) -> Result<i64, StoreError> {
        let row = self.client.query_one(END, &[]).await;
        let end = row.and_then(|row| row.try_get(0));
        end.map_err(|error| fault::reading(&error))
    }

    /// Places rows; nothing when there were none.
    async fn round(&mut self, from: i64) -> Result<Option<Placed>, StoreError> {
        let placed = self.place(from).await;
        placed.map_err(|error| fault::reading(&error))
    }

    async fn place(&mut self, from: i64) -> Result<Option<Placed>, tokio_postgres::Error> {
        let transaction = self.client.transaction().await?;
        // A statement of its own: the next one looks when the lock is held.
        let lock = format!("SELECT pg_advisory_xact_lock({ROUND_LOCK})");
        transaction.batch_execute(&lock).await?;
        let row = transaction.query_one(&self.place, &[&from, &BATCH]).await?;
        transaction.commit().await?;
        let count = row.try_get(0)?;
        if count == 0 {
            return Ok(None);
        }
        Ok(Some(Placed {
            count,
            end: row.try_get(1)?,
            newest: row.try_get(2)?,
        }))
    }

    /// Wakes the readers of all processes.
    async fn notify(&self, end: i64) -> Result<(), StoreError> {
        let told = format!("NOTIFY {CHANNEL}, '{end}'");
        let sent = self.client.batch_execute(&told).await;
        sent.map_err(|error| fault::reading(&error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Drives the connection and passes on what other processes tell.
async fn listen(
    mut connection: tokio_postgres::Connection<Socket, Stream>,
    told: Arc<watch::Sender<i64>>,
) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notification(heard)) => {
                if let Ok(end) = heard.payload().parse() {
                    tell(&told, end);
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the connection of the feed ended");
                return;
            }
        }
    }
}
