//! Working executions off: whoever is due is taken, moved on and let go of.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opsflux_records::Error;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::engine::Engine;

/// Executions moved on at once.
const AT_ONCE: usize = 16;
/// Executions looked up at a time.
const LOOKED_UP: u32 = 128;
/// Seconds between two looks for what is past its time.
const TIDIED: i64 = 600;
/// How long this looks away at most: what is due fires within a second.
const IDLE: Duration = Duration::from_millis(500);

impl Engine {
    /// Works executions off until `stop` turns true. `alone` says that no other process works on
    /// this database: what an earlier life held is gone on with at once.
    pub async fn work(self, alone: bool, mut stop: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let busy: Arc<Mutex<HashSet<Uuid>>> = Arc::default();
        let mut released = !alone;
        while !*stop.borrow() {
            let turn = async {
                if !released {
                    for tenant in self.inner.records.store().tenants().await? {
                        self.release_all(tenant.number).await?;
                    }
                }
                self.turn(&permits, &busy).await
            };
            let more = tokio::select! {
                _ = stop.changed() => break,
                more = turn => more,
            };
            match more {
                Ok(more) => {
                    released = true;
                    if more {
                        continue;
                    }
                }
                Err(error) => tracing::warn!(%error, "executions cannot be gone on with"),
            }
            tokio::select! {
                _ = stop.changed() => break,
                () = self.inner.bell.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
        // What is being moved on ends its commit.
        let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let _ended = permits.acquire_many(all).await;
    }

    /// Hands out what is due; true when there may be more.
    async fn turn(
        &self,
        permits: &Arc<Semaphore>,
        busy: &Arc<Mutex<HashSet<Uuid>>>,
    ) -> Result<bool, Error> {
        let mut more = false;
        let now = self.inner.records.now().as_second();
        let tidies = now / TIDIED != self.inner.tidied.swap(now / TIDIED, Ordering::Relaxed);
        for tenant in self.inner.records.store().tenants().await? {
            let tenant = tenant.number;
            self.look_at_the_clock(tenant).await?;
            if tidies {
                more |= self.forget_what_is_past(tenant).await?;
            }
            let due = self.due(tenant, LOOKED_UP).await?;
            more |= u32::try_from(due.len()).unwrap_or(u32::MAX) >= LOOKED_UP;
            for row in due {
                if !busy.lock().insert(row.id) {
                    continue;
                }
                let permit = permits.clone().acquire_owned().await;
                let (engine, busy) = (self.clone(), busy.clone());
                tokio::spawn(async move {
                    let id = row.id;
                    let done = async {
                        match engine.take(tenant, &row).await? {
                            Some(held) => engine.run(held).await,
                            None => Ok(()),
                        }
                    };
                    if let Err(error) = done.await {
                        // Its lease ends, and another try is made.
                        tracing::warn!(execution = %id, %error, "an execution could not go on");
                    }
                    busy.lock().remove(&id);
                    drop(permit);
                    // Something may have happened to it while it was let go of.
                    engine.inner.bell.notify_one();
                });
            }
        }
        Ok(more)
    }
}
