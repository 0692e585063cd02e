//! One way in, one way out.
//!
//! Every write of a record (HTTP, bulk, import, demo data, later mail, sync and workflows) is one
//! call of [`write`]; every read (record, list, related, history, search hit, live change) is one
//! call of [`read`]. Both take a [`Caller`], so there is no way to forget who asks.
//!
//! What lives here besides: [`operation`] (what HTTP serves, declared by rooms and modules),
//! [`rule`] (code of modules that runs before a save), [`standing`] (rules that people wrote), [`feed`] (reactors behind the change feed),
//! [`table`] (rows that rooms keep of their own), [`audit`] (seals that make tampering with the audit evident).
//!
//! What must never be here: SQL (that is `store`), HTTP framing (that is `server`), passwords and
//! tokens (that is `identity`).
//!
//! Start reading at [`Records`], then `write/mod.rs` for the order of execution.

pub mod audit;
pub mod caller;
pub mod cursor;
pub mod entity;
pub mod error;
pub mod feed;
pub mod image;
pub mod job;
pub mod judge;
pub mod operation;
pub mod read;
pub mod rule;
pub mod standing;
pub mod table;
pub mod write;

mod records;
mod upkeep;

pub use caller::{Acting, Actor, Caller, Language, Origin};
pub use entity::operations as entity_operations;
pub use error::{ConflictKind, Error, FieldError};
pub use operation::{Body, Call, Needs, Operation, Reply};
pub use read::{GetRequest, ListRequest};
pub use uuid::Uuid;

pub use records::{Clock, Records, RecordsOptions, Sealer, SystemClock};
pub use write::{Confirm, Deletion, Precondition, WriteOptions, Written};
