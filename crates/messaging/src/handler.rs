//! Boxing the handlers of this room's operations.

use std::sync::Arc;

use futures::future::BoxFuture;
use opsflux_records::operation::Handler;
use opsflux_records::{Call, Error, Reply};

/// Boxes an async closure.
pub(crate) fn handler<F, W>(work: F) -> Handler
where
    F: Fn(Call) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> { Box::pin(work(call)) })
}
