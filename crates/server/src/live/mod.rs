//! Live changes: what others do, as it happens, to those who may see it.
//!
//! One reader follows the feed for all connections ([`Live`]); each connection keeps what its
//! person may see ([`sight`]) and where it stands ([`place`]).
//!
//! What must never be here: values of records. A client learns that something changed and reads
//! it again, with its rights of the moment.

mod connection;
mod place;
mod sight;

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Method, StatusCode};
use opsflux_records::operation::Body;
use opsflux_records::{Call, Error, Needs, Operation, Records, Reply};
use opsflux_store::feed::Entry;
use serde_json::json;
use tokio::sync::{broadcast, watch};

use crate::app::App;
use crate::http::serve;
use connection::Connection;
use place::Places;

/// Entries read at a time.
const BATCH: u32 = 1000;
/// Batches a connection may be behind before it is told to read again.
const BACKLOG: usize = 256;
/// How long the reader waits before it looks by itself.
const IDLE: Duration = Duration::from_secs(5);
/// After the database did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// The live changes of one process.
pub struct Live {
    records: Records,
    places: Places,
    batches: broadcast::Sender<Arc<[Entry]>>,
    stopping: watch::Receiver<bool>,
}

impl Live {
    /// Nobody listens yet.
    #[must_use]
    pub fn new(records: Records, secret: &[u8; 32], stopping: watch::Receiver<bool>) -> Live {
        let (batches, _) = broadcast::channel(BACKLOG);
        let places = Places::new(secret, records.store().epoch());
        Live {
            records,
            places,
            batches,
            stopping,
        }
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.batches.receiver_count()
    }

    /// Follows the feed until the server stops.
    pub async fn follow(&self) {
        let store = self.records.store();
        let mut wake = store.subscribe_feed();
        let mut stopping = self.stopping.clone();
        let mut at: Option<i64> = None;
        loop {
            let pause = match self.step(at).await {
                Ok(Step::More(reached)) => {
                    at = Some(reached);
                    continue;
                }
                Ok(Step::End(reached)) => {
                    at = Some(reached);
                    IDLE
                }
                Err(error) => {
                    tracing::warn!(%error, "live changes wait for the database");
                    PAUSE
                }
            };
            tokio::select! {
                () = serve::told(&mut stopping) => return,
                changed = wake.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn step(&self, at: Option<i64>) -> Result<Step, opsflux_store::StoreError> {
        let store = self.records.store();
        let Some(at) = at else {
            return Ok(Step::End(store.feed_end().await?));
        };
        if self.listeners() == 0 {
            let end = store.feed_end().await?;
            // Whoever has come meanwhile may have asked for the end before this did.
            if self.listeners() == 0 {
                return Ok(Step::End(end));
            }
        }
        let entries = store.feed_after(at, BATCH).await?;
        let Some(last) = entries.last().map(|entry| entry.pos) else {
            return Ok(Step::End(at));
        };
        // Those who have left need not be told.
        let _ = self.batches.send(entries.into());
        Ok(Step::More(last))
    }
}

enum Step {
    More(i64),
    End(i64),
}

/// `GET /stream`.
pub fn operations(app: &Arc<App>) -> Vec<Operation> {
    let app: Weak<App> = Arc::downgrade(app);
    vec![Operation {
        name: "stream".to_owned(),
        method: Method::GET,
        path: "/stream".to_owned(),
        summary: "What changes, as it happens, as server-sent events".to_owned(),
        tag: "live".to_owned(),
        needs: Needs::Session,
        query: Vec::new(),
        input: None,
        output: (
            StatusCode::OK,
            Some(("text/event-stream".to_owned(), json!({"type": "string"}))),
        ),
        problems: Vec::new(),
        handler: Arc::new(move |call| {
            let app = app.clone();
            Box::pin(async move {
                let app = app
                    .upgrade()
                    .ok_or_else(|| Error::Unavailable("stopping".to_owned()))?;
                open(app, call).await
            })
        }),
    }]
}

async fn open(app: Arc<App>, call: Call) -> Result<Reply, Error> {
    let connection = Connection::open(app, call).await?;
    let body = Body::Stream("text/event-stream".to_owned(), connection.into_stream());
    let reply = Reply {
        status: StatusCode::OK,
        headers: Vec::new(),
        body,
    };
    // Proxies that collect an answer before they pass it on would keep all of it.
    Ok(reply.with_header("x-accel-buffering", "no"))
}
