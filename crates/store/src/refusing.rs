//! Whether changes are kept at the moment, for whoever wants to know before writing one.
//!
//! Nothing is tried as long as changes succeed. When one could not be kept, the next that is tells
//! that it is over; so does a small row of the engine that is written when somebody asks, once a
//! second at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::StoreError;
use crate::sql::system;
use crate::store::Store;

/// Least time between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of the last change.
#[derive(Debug, Default)]
pub(crate) struct Refusing {
    /// For the way of every change: nothing else is looked at while all is well.
    now: AtomicBool,
    last: Mutex<Option<(String, Instant)>>,
}

impl Refusing {
    /// Remembers what became of a change; what it was refused for by its own doing says nothing.
    pub(crate) fn saw<T>(&self, done: Result<&T, &StoreError>) {
        match done {
            Ok(_) if self.now.load(Ordering::Relaxed) => {
                self.now.store(false, Ordering::Relaxed);
                *self.last.lock() = None;
                tracing::info!("changes are kept again");
            }
            Err(StoreError::Unavailable(why) | StoreError::ReadOnly(why)) => {
                if !self.now.swap(true, Ordering::Relaxed) {
                    tracing::error!(%why, "changes are not kept");
                }
                *self.last.lock() = Some((why.clone(), Instant::now()));
            }
            _ => {}
        }
    }

    /// Why not, and whether it is time to try again.
    fn why(&self) -> Option<(String, bool)> {
        if !self.now.load(Ordering::Relaxed) {
            return None;
        }
        let mut last = self.last.lock();
        let (why, tried) = last.as_mut()?;
        let is_time = tried.elapsed() >= PAUSE;
        if is_time {
            *tried = Instant::now();
        }
        Some((why.clone(), is_time))
    }
}

impl Store {
    /// Whether changes are kept. After one that was not, it is tried whether they are again.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] with the reason.
    pub async fn takes_changes(&self) -> Result<(), StoreError> {
        match self.refusing.why() {
            None => Ok(()),
            Some((why, false)) => Err(StoreError::ReadOnly(why)),
            Some((_, true)) => self.run(system::sign(self.dialect())).await.map(|_| ()),
        }
    }
}
