//! Work that goes on after its request was answered.
//!
//! A job is a row of the log entity `job`: whoever asked reads it like any other record. It is
//! worked off in steps. Each step is one commit, which writes what the step does **and** where the
//! job stands then, so that a process may die at any moment and another goes on from there, having
//! done nothing twice. A worker holds a job by a lease that every step renews; each commit is
//! guarded by it, so a worker that was too slow cannot write over whoever took the job.
//!
//! What must never be here: what the jobs do. A kind of job is a [`Work`], in the room it belongs
//! to. Start reading at [`Records::work_jobs`].

mod cancel;
mod queue;
mod row;

use std::time::Duration;

use futures::future::BoxFuture;
use opsflux_model::schema::EntityIx;
use opsflux_store::Commit;
use serde_json::Value as Json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::audit;
use crate::error::{ConflictKind, Error};
use crate::records::Records;
use crate::rule::Snapshot;
use crate::write::numbers::Turn;
use crate::write::{again, large};

pub(crate) use cancel::operations;
pub(crate) use row::NewJob;

/// Name of the entity of jobs.
pub const ENTITY: &str = "job";

/// How often a step is made again at once when something has moved under it.
const ATTEMPTS: u32 = 5;

/// How long a worker looks away at most.
const IDLE: Duration = Duration::from_secs(1);

/// A job this process holds.
struct Held {
    tenant: i64,
    entity: EntityIx,
    row: Snapshot,
}

/// One kind of job.
pub trait Work: Send + Sync {
    /// Its code among the options of `job.kind`.
    fn kind(&self) -> &'static str;

    /// The next step. Called until it says that the job has ended; again for the same state when
    /// its commit found that something had moved.
    ///
    /// # Errors
    /// What passes by itself (no database, records that others change) is tried again later; any
    /// other error ends the job as failed.
    fn step<'a>(&'a self, records: &'a Records, job: &'a Job)
    -> BoxFuture<'a, Result<Step, Error>>;
}

/// A job as its worker sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub tenant: i64,
    /// Who asked; nobody when the house did.
    pub user: Option<Uuid>,
    /// Where it stands: the work's own.
    pub state: Json,
    /// How many records are done.
    pub done: i64,
    /// Whether somebody wants it to stop.
    pub cancel: bool,
}

/// What one step does.
#[derive(Debug, Default)]
pub struct Step {
    /// Rows, audit and feed entries; nothing in it when the step only looked around.
    pub commit: Commit,
    /// Where the job stands then.
    pub state: Json,
    /// How many records the step has done.
    pub done: i64,
    /// How many there are in all, once that is known.
    pub total: Option<i64>,
    /// Whether the job has ended, and how.
    pub end: Option<End>,
    /// Held until the commit is made.
    pub(crate) turn: Turn,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// All is done; what came of it.
    Done(Json),
    /// It cannot be done, in words for whoever asked.
    Failed(String),
    /// Somebody stopped it.
    Cancelled,
}

impl Records {
    /// Works jobs off, one after the other, until `stop` turns true. Any number of processes may
    /// do so at once.
    pub async fn work_jobs(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let worked = tokio::select! {
                _ = stop.changed() => break,
                worked = self.work_next_job() => worked,
            };
            match worked {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "jobs could not be worked off"),
            }
            tokio::select! {
                _ = stop.changed() => break,
                () = self.inner.jobs.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// Takes one waiting job and works it off; false when none waits. A job whose worker died
    /// waits again when its lease is over.
    ///
    /// # Errors
    /// When the database does not answer; the job is then taken up again later.
    pub async fn work_next_job(&self) -> Result<bool, Error> {
        let Ok(entity) = self.entity_called(ENTITY) else {
            return Ok(false);
        };
        for tenant in self.inner.store.tenants().await? {
            if let Some(held) = self.take_job(tenant.number, entity).await? {
                self.work_off(held).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn work_off(&self, mut held: Held) -> Result<(), Error> {
        let schema = self.schema();
        let kind = held.row.get(&schema, "kind").as_text().unwrap_or_default();
        let Some(work) = work(kind) else {
            let why = format!("this program knows no job “{kind}”");
            return self.give_up(&held, Error::Internal(why)).await;
        };
        let mut moved = 0;
        loop {
            let job = row::read(&schema, &held);
            let step = match work.step(self, &job).await {
                Ok(step) => step,
                Err(error) => return self.give_up(&held, error).await,
            };
            let ended = step.end.is_some();
            match self.keep_step(&held, &job, step).await {
                Ok(()) if ended => return Ok(()),
                Ok(()) => moved = 0,
                // Something moved under the step: it is made again, if this worker still may.
                Err(Error::Conflict(ConflictKind::Guard { .. } | ConflictKind::Busy))
                    if moved < ATTEMPTS =>
                {
                    moved += 1;
                }
                Err(error) => return self.give_up(&held, error).await,
            }
            match self.still_mine(&held).await? {
                Some(now) => held = now,
                None => return Ok(()),
            }
        }
    }
}

/// The kind of job with this code.
fn work(kind: &str) -> Option<&'static dyn Work> {
    static KINDS: [&dyn Work; 4] = [
        &large::Deleting,
        &large::Restoring,
        &again::Deriving,
        &audit::Verifying,
    ];
    KINDS.into_iter().find(|work| work.kind() == kind)
}
