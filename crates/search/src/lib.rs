//! Full text: an index on disk that follows the change feed.
//!
//! Each process keeps its own index and its own place in the feed, which is committed with the
//! index: after a crash it goes on exactly where the index stands. What may be found is narrowed
//! here by indexed scope anchors ([`query`]) and judged again in SQL by whoever asked, so the
//! index can be late but never leaks.
//!
//! What must never be here: values of records that are not searched.

mod document;
mod follow;
mod found;
mod highlight;
mod index;
mod operation;
pub mod query;
mod sealed;
mod words;

pub use follow::Search;
pub use operation::operations;
use tantivy::TantivyError;

/// Why the index could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index itself.
    #[error("the index: {0}")]
    Index(#[from] tantivy::TantivyError),
    /// The folder.
    #[error("the folder of the index: {0}")]
    Folder(#[from] std::io::Error),
    /// The server is on its way out.
    #[error("the index is closed")]
    Closed,
}

impl From<SearchError> for opsflux_records::Error {
    fn from(error: SearchError) -> Self {
        let told = error.to_string();
        match error {
            // A disk that is full or gone comes back, and a thread ends for no other reason.
            SearchError::Index(
                TantivyError::IoError(_)
                | TantivyError::OpenDirectoryError(_)
                | TantivyError::OpenReadError(_)
                | TantivyError::OpenWriteError(_)
                | TantivyError::LockFailure(..)
                | TantivyError::ErrorInThread(_),
            )
            | SearchError::Folder(_)
            | SearchError::Closed => opsflux_records::Error::Unavailable(told),
            SearchError::Index(_) => opsflux_records::Error::Internal(told),
        }
    }
}
