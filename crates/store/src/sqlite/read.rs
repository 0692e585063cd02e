//! Reading, on the task that asks.
//!
//! A point read takes microseconds, a hop to another thread more than that: queries run where
//! they are asked for, on a connection taken from a pool. One that turns out to be long before
//! it has answered its first row is broken off and run again with the runtime told that this
//! thread is busy, so that a report never makes others wait. Each has a budget, which SQLite
//! looks at as it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::codec::SqliteRow;
use super::{Sqlite, SqliteFile, connection, fault};
use crate::error::StoreError;
use crate::row::{Columns, Once, Row};
use crate::sql::{Page, Statement};

/// Steps of SQLite's machine between two looks at the clock: some ten microseconds.
const STEPS: i32 = 1_000;
/// What a query may take before it counts as long.
const SHORT: Duration = Duration::from_millis(5);

/// Connections that read.
pub(crate) struct Readers {
    idle: Mutex<Vec<Reader>>,
    permits: Semaphore,
}

struct Reader {
    connection: Connection,
    alarm: Arc<Alarm>,
}

/// When the query that runs on a connection is broken off.
struct Alarm {
    start: Instant,
    /// Nanoseconds after `start`.
    at: AtomicU64,
}

impl Alarm {
    fn set(&self, after: Duration) {
        let at = (self.start.elapsed() + after).as_nanos();
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        self.at.store(at, Ordering::Relaxed);
    }

    fn rings(&self) -> bool {
        self.start.elapsed().as_nanos() >= u128::from(self.at.load(Ordering::Relaxed))
    }
}

impl Readers {
    pub(crate) fn open(file: SqliteFile<'_>, count: usize) -> Result<Readers, StoreError> {
        let count = count.max(1);
        let readers = (0..count).map(|_| Reader::open(file));
        Ok(Readers {
            idle: Mutex::new(readers.collect::<Result<_, _>>()?),
            permits: Semaphore::new(count),
        })
    }

    /// Waits for a connection that nobody uses.
    async fn take(&self) -> Result<Taken<'_>, StoreError> {
        let closed = || StoreError::Unavailable("the database is closed".to_owned());
        let permit = self.permits.acquire().await.map_err(|_| closed())?;
        let reader = self.idle.lock().pop().ok_or_else(closed)?;
        Ok(Taken {
            readers: self,
            reader: Some(reader),
            _permit: permit,
        })
    }

    /// Refuses whoever comes from now on; who reads finishes.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().clear();
    }
}

impl Reader {
    fn open(file: SqliteFile<'_>) -> Result<Reader, StoreError> {
        let mut connection = connection::reading(file)?;
        let alarm = Arc::new(Alarm {
            start: Instant::now(),
            at: AtomicU64::new(u64::MAX),
        });
        let heard = Arc::clone(&alarm);
        connection
            .progress_handler(STEPS, Some(move || heard.rings()))
            .map_err(|error| fault::told(&error))?;
        Ok(Reader { connection, alarm })
    }
}

/// A connection that goes back when it is dropped.
struct Taken<'a> {
    readers: &'a Readers,
    reader: Option<Reader>,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take()
            && !self.readers.permits.is_closed()
        {
            self.readers.idle.lock().push(reader);
        }
    }
}

impl Sqlite {
    /// Runs the parts of a page until it is full.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] when the budget is used up, whatever `each` answers, and the usual.
    pub(crate) async fn select<E: From<StoreError>>(
        &self,
        page: &Page,
        budget: Duration,
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let taken = self.readers.take().await?;
        let end = Instant::now() + budget;
        let mut count = 0;
        let mut once = Once::by(page.once);
        for part in &page.parts {
            if count >= page.limit {
                break;
            }
            let left = page.limit - count;
            count += taken.rows(part, left, end, &mut once, &mut |columns| {
                each(&Row::new(columns, &page.outputs))
            })?;
        }
        Ok(count)
    }

    /// Runs one statement and shows its rows.
    ///
    /// # Errors
    /// As [`Sqlite::select`].
    pub(crate) async fn read<E: From<StoreError>>(
        &self,
        statement: &Statement,
        budget: Duration,
        mut each: impl FnMut(&dyn Columns) -> Result<(), E>,
    ) -> Result<usize, E> {
        let taken = self.readers.take().await?;
        let end = Instant::now() + budget;
        taken.rows(statement, usize::MAX, end, &mut Once::default(), &mut each)
    }
}

impl Taken<'_> {
    fn rows<E: From<StoreError>>(
        &self,
        statement: &Statement,
        limit: usize,
        end: Instant,
        once: &mut Once,
        each: &mut impl FnMut(&dyn Columns) -> Result<(), E>,
    ) -> Result<usize, E> {
        let Some(reader) = &self.reader else {
            return Ok(0);
        };
        let left = end.saturating_duration_since(Instant::now());
        let may_move = matches!(
            Handle::try_current().map(|handle| handle.runtime_flavor()),
            Ok(RuntimeFlavor::MultiThread)
        );
        if !may_move || left <= SHORT {
            return reader.rows(statement, limit, left, end, once, each).result;
        }
        let first = reader.rows(statement, limit, SHORT, end, once, each);
        if !first.was_long {
            return first.result;
        }
        tokio::task::block_in_place(|| {
            let left = end.saturating_duration_since(Instant::now());
            reader.rows(statement, limit, left, end, once, each).result
        })
    }
}

/// What came of running a statement.
struct Run<E> {
    result: Result<usize, E>,
    /// It was broken off before its first row.
    was_long: bool,
}

impl Reader {
    /// Runs a statement that may take `first` until its first row, and until `end` in all.
    fn rows<E: From<StoreError>>(
        &self,
        statement: &Statement,
        limit: usize,
        first: Duration,
        end: Instant,
        once: &mut Once,
        each: &mut impl FnMut(&dyn Columns) -> Result<(), E>,
    ) -> Run<E> {
        self.alarm.set(first);
        let mut count = 0;
        let result = self.step(statement, limit, end, &mut count, once, each);
        let was_long = count == 0 && matches!(result, Err(Stop::Interrupted));
        let result = match result {
            Ok(()) => Ok(count),
            Err(Stop::Interrupted) => Err(StoreError::Timeout.into()),
            Err(Stop::Failed(error)) => Err(error),
        };
        Run { result, was_long }
    }

    fn step<E: From<StoreError>>(
        &self,
        statement: &Statement,
        limit: usize,
        end: Instant,
        count: &mut usize,
        once: &mut Once,
        each: &mut impl FnMut(&dyn Columns) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let mut prepared = self.connection.prepare_cached(&statement.text)?;
        for (place, cell) in statement.params.iter().enumerate() {
            prepared.raw_bind_parameter(place + 1, cell)?;
        }
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next()? {
            if *count == 0 {
                self.alarm
                    .set(end.saturating_duration_since(Instant::now()));
            }
            let columns = SqliteRow(row);
            let new = once.is_new(&columns).map_err(E::from);
            if !new.map_err(Stop::Failed)? {
                continue;
            }
            each(&columns).map_err(Stop::Failed)?;
            *count += 1;
            if *count >= limit {
                break;
            }
        }
        Ok(())
    }
}

/// Why a statement stopped early.
enum Stop<E> {
    Interrupted,
    Failed(E),
}

impl<E: From<StoreError>> From<rusqlite::Error> for Stop<E> {
    fn from(error: rusqlite::Error) -> Self {
        match fault::told(&error) {
            StoreError::Timeout => Stop::Interrupted,
            other => Stop::Failed(other.into()),
        }
    }
}
