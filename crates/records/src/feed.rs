//! Reactors: everything that follows from changes, each with its own durable place in the feed.
//!
//! A reactor sees every entry at least once, in order. What it does carries keys that make a
//! second time harmless. An entry that fails again and again is parked, told in the log, and the
//! others go on; one that waits for a database or a disk is never parked.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use opsflux_store::feed::Entry;
use tokio::sync::watch;

use crate::error::Error;
use crate::records::Records;

/// Entries handed over at a time, unless a reactor likes it otherwise.
const BATCH: u32 = 500;
/// Tries before an entry is parked.
const TRIES: u32 = 5;
/// How long a reactor waits at most before it looks by itself.
const IDLE: Duration = Duration::from_secs(1);

/// Something that follows the feed.
pub trait Reactor: Send + Sync {
    /// Name of its durable cursor; never changed once used.
    fn name(&self) -> &'static str;

    /// Works a run of entries off. An error means: none of them is done, try again.
    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>>;

    /// How long it likes to wait after a turn, so that changes come in greater numbers. The first
    /// after a quiet time is handed over at once.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }

    /// How many entries it is handed at most.
    fn batch(&self) -> u32 {
        BATCH
    }

    /// Where it stands. Kept in the database, unless what it writes keeps its own place: an index
    /// on disk then knows it exactly.
    fn position<'a>(&'a self, records: &'a Records) -> BoxFuture<'a, Result<i64, Error>> {
        Box::pin(async move { Ok(records.store().cursor(self.name()).await?) })
    }

    /// Moves its place past what was handled or parked.
    fn advance<'a>(&'a self, records: &'a Records, pos: i64) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(records.store().set_cursor(self.name(), pos).await?) })
    }
}

/// Follows the feed for one reactor until `stop` turns true.
pub async fn follow(records: Records, reactor: Arc<dyn Reactor>, mut stop: watch::Receiver<bool>) {
    let mut wake = records.store().subscribe_feed();
    let mut failures = 0_u32;
    while !*stop.borrow() {
        let pause = match step(&records, &*reactor, failures).await {
            Ok(true) => {
                failures = 0;
                tokio::select! {
                    _ = stop.changed() => break,
                    () = tokio::time::sleep(reactor.rest()) => continue,
                }
            }
            Ok(false) => {
                failures = 0;
                IDLE
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(reactor = reactor.name(), failures, %error, "reactor failed");
                Duration::from_millis(100 * u64::from(failures.min(50)))
            }
        };
        tokio::select! {
            _ = stop.changed() => break,
            _ = wake.changed(), if failures == 0 => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One run; true when there may be more.
async fn step(records: &Records, reactor: &dyn Reactor, failures: u32) -> Result<bool, Error> {
    let store = records.store();
    let from = reactor.position(records).await?;
    // After a failure one entry at a time, so that a poisoned one stands alone.
    let batch = if failures > 0 { 1 } else { reactor.batch() };
    let entries = store.feed_after(from, batch).await?;
    let Some(last) = entries.last() else {
        return Ok(false);
    };
    if let Err(error) = reactor.handle(&entries).await {
        // A full disk is not the fault of an entry: it waits as long as it takes.
        if failures + 1 < TRIES || error.passes() {
            return Err(error);
        }
        tracing::error!(
            reactor = reactor.name(), pos = last.pos, entity = last.entry.entity,
            record = %last.entry.record, %error, "entry parked"
        );
    }
    reactor.advance(records, last.pos).await?;
    Ok(true)
}

/// How many places a reactor is behind the end of the feed.
///
/// # Errors
/// When the database does not answer.
pub async fn lag(records: &Records, reactor: &dyn Reactor) -> Result<i64, Error> {
    Ok(records.store().feed_end().await? - reactor.position(records).await?)
}
