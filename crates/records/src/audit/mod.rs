//! What makes tampering with the audit evident.
//!
//! Every entry gets a seal within a second: its place in the chain of its tenant, hashes of what
//! it says, and a hash over all of that and the seal before (`canon` says what is hashed, and how;
//! `docs/decisions/0007-the-audit-chain.md` why). Sealing runs behind the writers ([`seal`]), in
//! one process at a time. How far each chain goes is signed, kept in the database and handed to
//! an [`Anchor`] outside of it. [`verify`] walks a chain and names the first entry that is not what
//! was sealed. Who did something, and the values, are hashed with salts: both can be taken away
//! ([`erase`]) and the chain still holds.
//!
//! What must never be here: the writing of entries (that is `write::audit`, in the commit of the
//! change), files (an anchor is the server's).
//!
//! Start reading at [`Records::seal_audit`].

mod canon;
mod erase;
mod export;
mod key;
mod operations;
mod retain;
mod seal;
mod verify;

use futures::future::BoxFuture;
pub use opsflux_store::audit::Head;

pub use erase::Erasure;
pub(crate) use key::AuditKey;
pub(crate) use operations::{Verifying, operations};
pub use verify::{Bad, Finding, Walk, Wrong};

#[allow(unused_imports)] // named by the documentation
use crate::records::Records;

/// A place outside the database that keeps how far the chains go.
pub trait Anchor: Send + Sync {
    /// Keeps heads, durably.
    ///
    /// # Errors
    /// In words for the log.
    fn keep<'a>(&'a self, heads: &'a [Head]) -> BoxFuture<'a, Result<(), String>>;

    /// Every head kept, in the order in which they came. What cannot be read is left out.
    ///
    /// # Errors
    /// In words for whoever verifies.
    fn kept(&self) -> BoxFuture<'_, Result<Vec<Head>, String>>;
}
