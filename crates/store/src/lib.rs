//! All SQL. SQLite and PostgreSQL behind one small interface.
//!
//! What lives here: what is asked and written ([`query`], [`commit`]), its rendering ([`sql`]), the
//! two databases (`sqlite`, `postgres`), tables and their migrations (`migrate`), the engine's own
//! rows ([`system`]), the change feed ([`feed`]), the seals of the audit ([`audit`]), the way from
//! one database to the other ([`copy()`]), everything in one form for backups ([`dump`]).
//!
//! What must never be here: rights (a [`query::Select`] arrives with the reader's rule inside its
//! filter), validation, HTTP. And nothing outside this crate writes SQL.
//!
//! Both databases give the same results, order and errors; `match` on the back end stands in
//! `backend` only. Start reading at [`Store`].

pub mod audit;
mod backend;
pub mod commit;
mod copy;
pub mod dump;
pub mod error;
pub mod feed;
mod migrate;

mod postgres;
mod prepared;
pub mod query;
mod recrypt;
mod refusing;
mod row;
pub mod sql;
mod sqlite;
mod store;
pub mod system;

pub use commit::{Commit, Committed, Guard, Recount, Set, Write};
pub use copy::{
    Comparison, Copied, CopyError, Difference, Progress, Stage, TableComparison, can_copy, compare,
    copy,
};
pub use error::{CommitError, StoreError};
pub use feed::{Entry, FeedOp, NewEntry};
pub use migrate::{Migrated, MigrationError, MigrationPlan};
pub use prepared::Prepared;
pub use query::{Living, Output, Select, Sort};
pub use recrypt::recrypt;
pub use row::{Row, Target};
pub use sqlite::FileKey;
pub use store::{DatabaseUrl, Store, StoreOptions};
pub use system::{Answer, SystemWrite, Tenant};
