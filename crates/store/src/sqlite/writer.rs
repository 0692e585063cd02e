//! The one thread that writes.
//!
//! SQLite has one writer at a time. Instead of letting tasks wait for each other's locks, they
//! hand what they have rendered to this thread, which writes whatever has come in the meantime
//! as one group.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use opsflux_model::Schema;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::group::{self, Change, Work};
use super::{Sqlite, fault};
use crate::commit::{Commit, Committed};
use crate::error::{CommitError, StoreError};
use crate::sql::{RenderedCommit, Statement};

/// Most changes in one transaction: beyond this the wait for the disk is shared by enough.
const GROUP: usize = 256;
/// Most that wait; who comes then waits to wait.
const QUEUE: usize = 1_024;

/// Work that wants the connection for itself.
type Exclusive = Box<dyn FnOnce(&mut Connection) + Send>;

enum Job {
    Work(Work),
    Exclusive(Exclusive),
    Stop,
}

/// The way to the thread.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        told: watch::Sender<i64>,
    ) -> Result<Writer, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("opsflux-writer".to_owned())
            .spawn(move || work(connection, waiting, &told))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Writer {
            jobs,
            thread: Mutex::new(Some(thread)),
        })
    }

    async fn hand(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).await.map_err(|_| gone())
    }

    /// Waits until everything handed in before is written and the file is let go.
    pub(super) async fn stop(&self) {
        // A thread that is gone has stopped.
        let _ = self.hand(Job::Stop).await;
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::error!("the writer ended badly");
            }
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the database is closed".to_owned())
}

impl Sqlite {
    /// Makes a change durable, or does nothing.
    ///
    /// # Errors
    /// [`CommitError`].
    pub(crate) async fn commit(
        &self,
        rendered: RenderedCommit,
        commit: Commit,
        schema: Arc<Schema>,
    ) -> Result<Committed, CommitError> {
        let (answer, answered) = oneshot::channel();
        let change = Change {
            rendered,
            commit,
            schema,
            answer,
        };
        let job = Job::Work(Work::Change(Box::new(change)));
        self.writer.hand(job).await?;
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Runs one statement of the engine, durably; answers the number in the first column of its
    /// last row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn run(&self, statement: Statement) -> Result<Option<i64>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Work(Work::Statement { statement, answer });
        self.writer.hand(job).await?;
        match answered.await {
            Ok(Ok(number)) => Ok(number),
            Ok(Err(CommitError::Store(error))) => Err(error),
            Ok(Err(other)) => Err(StoreError::Internal(other.to_string())),
            Err(_) => Err(gone()),
        }
    }

    /// Gives `work` the writing connection while nobody else writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database is closed.
    pub(crate) async fn exclusive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Exclusive(Box::new(move |connection| {
            // Whoever has stopped waiting does not need the answer.
            let _ = answer.send(work(connection));
        }));
        self.writer.hand(job).await?;
        answered.await.map_err(|_| gone())
    }
}

fn work(mut connection: Connection, mut waiting: mpsc::Receiver<Job>, told: &watch::Sender<i64>) {
    let mut works = Vec::new();
    while let Some(job) = waiting.blocking_recv() {
        let mut next = Some(job);
        let mut last = None;
        while let Some(job) = next {
            match job {
                Job::Work(work) => works.push(work),
                other => {
                    last = Some(other);
                    break;
                }
            }
            next = if works.len() < GROUP {
                waiting.try_recv().ok()
            } else {
                None
            };
        }
        if !works.is_empty() && group::write(&connection, std::mem::take(&mut works)) {
            tell(&connection, told);
        }
        match last {
            Some(Job::Exclusive(run)) => {
                run(&mut connection);
                tell(&connection, told);
            }
            Some(Job::Stop) => break,
            Some(Job::Work(_)) | None => {}
        }
    }
    close(connection);
}

/// Readers of the feed look again.
fn tell(connection: &Connection, told: &watch::Sender<i64>) {
    match group::feed_end(connection) {
        Ok(end) => {
            told.send_replace(end);
        }
        Err(error) => tracing::error!(%error, "the end of the feed could not be read"),
    }
}

fn close(connection: Connection) {
    if let Err((_, error)) = connection.close() {
        tracing::warn!(error = %fault::told(&error), "the database could not be closed");
    }
}
