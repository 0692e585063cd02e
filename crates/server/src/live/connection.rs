//! One listener: from his last place to the end of his session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use opsflux_records::{Call, Caller, Error};
use opsflux_store::feed::Entry;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::place::Rights;
use super::{BATCH, sight};
use crate::app::App;
use crate::http::serve;

/// How often a silent connection says that it is there, and looks whether its session is.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A listener further behind than this reads everything again: that is cheaper for both.
const FURTHEST: i64 = 20_000;

pub struct Connection {
    app: Arc<App>,
    call: Call,
    caller: Caller,
    rights: Rights,
    /// Everything up to here has been told.
    at: i64,
    batches: broadcast::Receiver<Arc<[Entry]>>,
    stopping: watch::Receiver<bool>,
    heartbeat: Interval,
    /// Chunks to be sent.
    waiting: VecDeque<Bytes>,
    /// Whether the entries between the last place and now have been read.
    caught_up: bool,
}

impl Connection {
    /// A connection that goes on where `Last-Event-ID` says, else begins now.
    pub async fn open(app: Arc<App>, call: Call) -> Result<Connection, Error> {
        let caller = call.caller()?.clone();
        let rights = Rights::of(&caller);
        // Subscribed before the end is asked for: what comes in between is there twice, not never.
        let batches = app.live.batches.subscribe();
        let end = app.records.store().feed_end().await?;
        let now = app.records.now();
        let last = call
            .header("last-event-id")
            .map(|sealed| app.live.places.open(&rights, sealed, now));
        let mut waiting = VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]);
        let at = match last {
            None => end,
            // A place beyond the end is of another history: of before a restore.
            Some(Some(pos)) if (0..=FURTHEST).contains(&(end - pos)) => pos,
            Some(_) => {
                waiting.push_back(resync());
                end
            }
        };
        let stopping = app.live.stopping.clone();
        let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection = Connection {
            caught_up: at == end,
            app,
            call,
            caller,
            rights,
            at,
            batches,
            stopping,
            heartbeat,
            waiting,
        };
        connection.tell_place()?;
        Ok(connection)
    }

    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, Error>> {
        Box::pin(futures::stream::unfold(self, |mut connection| async move {
            loop {
                if let Some(chunk) = connection.waiting.pop_front() {
                    return Some((Ok(chunk), connection));
                }
                match connection.next().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    // The client comes back to its last place by itself.
                    Err(error) => {
                        tracing::debug!(%error, "a stream ended");
                        return None;
                    }
                }
            }
        }))
    }

    /// Waits for something to tell; false when there is nothing more to come.
    async fn next(&mut self) -> Result<bool, Error> {
        if !self.caught_up {
            return self.catch_up().await.map(|()| true);
        }
        let batch = tokio::select! {
            biased;
            () = serve::told(&mut self.stopping) => return Ok(false),
            received = self.batches.recv() => match received {
                Ok(batch) => Some(batch),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.caught_up = false;
                    return Ok(true);
                }
                Err(broadcast::error::RecvError::Closed) => return Ok(false),
            },
            _ = self.heartbeat.tick() => None,
        };
        if !self.is_signed_in().await? {
            return Ok(false);
        }
        match batch {
            Some(batch) => self.tell(&batch).await?,
            None => self
                .waiting
                .push_back(Bytes::from_static(b": still here\n\n")),
        }
        Ok(true)
    }

    /// Reads what was missed, a batch at a time.
    async fn catch_up(&mut self) -> Result<(), Error> {
        let entries = self.app.records.store().feed_after(self.at, BATCH).await?;
        if entries.len() < BATCH as usize {
            self.caught_up = true;
        }
        self.tell(&entries).await
    }

    async fn tell(&mut self, entries: &[Entry]) -> Result<(), Error> {
        let new = entries.partition_point(|entry| entry.pos <= self.at);
        let Some(entries) = entries.get(new..).filter(|entries| !entries.is_empty()) else {
            return Ok(());
        };
        let told = sight::seen(&self.app.records, &self.caller, entries).await?;
        let now = self.app.records.now();
        for (pos, event) in &told {
            let place = self.app.live.places.seal(&self.rights, *pos, now)?;
            self.waiting
                .push_back(format!("id: {place}\nevent: change\ndata: {event}\n\n").into());
        }
        self.at = entries.last().map_or(self.at, |entry| entry.pos);
        Ok(())
    }

    /// An id without an event: the client keeps it and nothing else happens.
    fn tell_place(&mut self) -> Result<(), Error> {
        let place = self
            .app
            .live
            .places
            .seal(&self.rights, self.at, self.app.records.now())?;
        self.waiting.push_back(format!("id: {place}\n\n").into());
        Ok(())
    }

    /// Whether the session may go on. With other rights than before everything on screen is to be
    /// read again.
    async fn is_signed_in(&mut self) -> Result<bool, Error> {
        let origin = &self.call.origin;
        let resolved = self
            .app
            .identity
            .resolve(&self.call.headers, &http::Method::GET, origin)
            .await?;
        let Some(caller) = resolved else {
            return Ok(false);
        };
        let rights = Rights::of(&caller);
        if rights != self.rights {
            self.rights = rights;
            self.waiting.push_back(resync());
            self.tell_place()?;
        }
        self.caller = caller;
        Ok(true)
    }
}

fn resync() -> Bytes {
    Bytes::from_static(b"event: resync\ndata: {}\n\n")
}
