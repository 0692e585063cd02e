//! Forgetting what is past its time: answers kept for idempotency keys, entries of the feed, jobs
//! that have ended.
//!
//! In turns, each bounded, so that whoever writes meanwhile is not kept waiting. The time is that
//! of the clock; who calls it, and how often, is the server's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use opsflux_model::predicate::Order;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::{Commit, Write};

use crate::error::Error;
use crate::feed::Reactor;
use crate::job::ENTITY;
use crate::records::Records;

/// Rows forgotten by one statement.
const BATCH: u32 = 500;
/// Statements of one turn, for each kind of row.
const BATCHES: usize = 20;
/// How long the feed and ended jobs are kept (decisions §16).
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Records {
    /// One turn of forgetting; true when there may be more. To be called about once an hour, and
    /// again soon while it answers true. Entries of the feed stay until every one of `reactors`,
    /// and every other reader with a place in the database, has passed them.
    ///
    /// # Errors
    /// When the database does not answer; what was forgotten until then is forgotten.
    pub async fn forget_what_is_past(&self, reactors: &[Arc<dyn Reactor>]) -> Result<bool, Error> {
        let now = self.now();
        let old = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        let store = &self.inner.store;
        let mut up_to = store.feed_end().await?;
        for reactor in reactors {
            up_to = up_to.min(reactor.position(self).await?);
        }
        let mut more = (true, true, true);
        for _ in 0..BATCHES {
            if more.0 {
                more.0 = store.forget_answers(now, BATCH).await?;
            }
            if more.1 {
                more.1 = store.forget_feed(old, up_to, BATCH).await?;
            }
            if more.2 {
                more.2 = self.forget_jobs(old).await?;
            }
            if more == (false, false, false) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes jobs that ended before `old`; false when there was none.
    async fn forget_jobs(&self, old: Timestamp) -> Result<bool, Error> {
        let Ok(entity) = self.entity_called(ENTITY) else {
            return Ok(false);
        };
        let schema = self.schema();
        let Some(ended) = schema.entity(entity).find("ended_at") else {
            return Ok(false);
        };
        let before = Operand::Compare(Order::Less, Value::Time(old));
        let past = Predicate::test(entity, ended, before);
        let mut any = false;
        for tenant in self.inner.store.tenants().await? {
            let jobs = self.find(tenant.number, entity, past.clone(), BATCH);
            let jobs = jobs.await?;
            if jobs.is_empty() {
                continue;
            }
            any = true;
            let removed = jobs.iter().map(|job| Write::Remove { entity, id: job.id });
            let commit = Commit {
                tenant: tenant.number,
                writes: removed.collect(),
                ..Commit::default()
            };
            let done = self.inner.store.commit(commit).await;
            done.map_err(crate::write::refused)?;
        }
        Ok(any)
    }
}
