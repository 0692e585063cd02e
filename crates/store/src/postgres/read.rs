//! Reading: one statement, rows streamed as they come, a budget the server keeps.

use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::join;
use tokio_postgres::RowStream;

use super::codec::PostgresRow;
use super::pool::Connection;
use super::{Postgres, fault, pool};
use crate::error::StoreError;
use crate::row::{Columns, Once, Row};
use crate::sql::{Page, Statement};

/// Beyond its budget a read is given so much for the way there and back; who has not answered
/// then will not.
const GRACE: Duration = Duration::from_secs(1);

impl Postgres {
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
        let work = async {
            let connection = pool::take(&self.pool).await?;
            let mut count = 0;
            let mut once = Once::by(page.once);
            for part in &page.parts {
                if count >= page.limit {
                    break;
                }
                let left = page.limit - count;
                count += rows(&connection, part, left, budget, &mut once, &mut |columns| {
                    each(&Row::new(columns, &page.outputs))
                })
                .await?;
            }
            Ok(count)
        };
        within(budget, work).await
    }

    /// Runs one statement and shows its rows.
    ///
    /// # Errors
    /// As [`Postgres::select`].
    pub(crate) async fn read<E: From<StoreError>>(
        &self,
        statement: &Statement,
        budget: Duration,
        mut each: impl FnMut(&dyn Columns) -> Result<(), E>,
    ) -> Result<usize, E> {
        let work = async {
            let connection = pool::take(&self.pool).await?;
            let once = &mut Once::default();
            rows(&connection, statement, usize::MAX, budget, once, &mut each).await
        };
        within(budget, work).await
    }
}

async fn within<T, E: From<StoreError>>(
    budget: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(budget.saturating_add(GRACE), work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Timeout.into()),
    }
}

/// Runs a statement and shows at most `limit` rows. One prepared before the tables changed is
/// prepared again, once.
async fn rows<E: From<StoreError>>(
    connection: &Connection,
    statement: &Statement,
    limit: usize,
    budget: Duration,
    once: &mut Once,
    each: &mut impl FnMut(&dyn Columns) -> Result<(), E>,
) -> Result<usize, E> {
    let work = connection.work();
    let mut started = start(connection, statement, budget).await;
    if started.as_ref().is_err_and(fault::is_stale) {
        connection.forget_statements();
        started = start(connection, statement, budget).await;
    }
    let streamed = match started {
        Ok(stream) => show(stream, limit, once, each).await,
        Err(error) => Err(error),
    };
    match streamed {
        Ok(Ok(count)) => {
            work.finish();
            Ok(count)
        }
        // The other rows are still on their way: the connection is of no more use.
        Ok(Err(error)) => Err(error),
        Err(error) => {
            if error.as_db_error().is_some() {
                work.finish();
            }
            Err(fault::reading(&error).into())
        }
    }
}

/// Shows the rows as they come, the first `limit` of them: a page whose other parts have filled it
/// but for a few has no use for the rest. The inner error is that of `each`.
async fn show<E: From<StoreError>>(
    stream: RowStream,
    limit: usize,
    once: &mut Once,
    each: &mut impl FnMut(&dyn Columns) -> Result<(), E>,
) -> Result<Result<usize, E>, tokio_postgres::Error> {
    let mut stream = pin!(stream);
    let mut count = 0;
    while let Some(row) = stream.try_next().await? {
        if count >= limit {
            continue;
        }
        let columns = PostgresRow(&row);
        match once.is_new(&columns) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => return Ok(Err(error.into())),
        }
        if let Err(error) = each(&columns) {
            return Ok(Err(error));
        }
        count += 1;
    }
    Ok(Ok(count))
}

/// Sends the budget, where it is another one than before, and the statement behind it at once.
async fn start(
    connection: &Connection,
    statement: &Statement,
    budget: Duration,
) -> Result<RowStream, tokio_postgres::Error> {
    let prepared = connection.prepared(&statement.text).await?;
    let query = connection.client.query_raw(&prepared, &statement.params);
    match connection.limit(budget) {
        None => query.await,
        Some(limit) => {
            // `join` starts its first future first, so they are sent in this order.
            let (limited, started) = join(connection.client.batch_execute(&limit), query).await;
            limited.and(started)
        }
    }
}
