//! Files held by records.
//!
//! The bytes lie on disk by content ([`blobs`]); a record of the entity `file` says what they are
//! called and which record holds them, and follows that record's rights. [`operations`] are the
//! ways in and out.
//!
//! What must never be here: a way to bytes that does not go through the record that holds them.

pub mod blobs;
mod download;
mod upload;

use std::sync::Arc;

use futures::future::BoxFuture;
use opsflux_records::operation::Handler;
use opsflux_records::{Call, Error, Operation, Records, Reply};

pub use blobs::Blobs;

/// Name of the entity of files.
const FILE: &str = "file";
/// Its link to what holds it.
const TARGET: &str = "target";

/// Uploads to and lists of every entity that says `files = true`, and the content of a file.
#[must_use]
pub fn operations(records: &Records, blobs: &Arc<Blobs>) -> Vec<Operation> {
    let mut all = upload::operations(records, blobs);
    all.extend(download::operations(records, blobs));
    all
}

/// Boxes an async closure.
fn handler<F, W>(work: F) -> Handler
where
    F: Fn(Call) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> { Box::pin(work(call)) })
}
