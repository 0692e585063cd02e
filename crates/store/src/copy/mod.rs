//! From one database to the other: everything, and the proof that it is everything.
//!
//! What lives here: which tables are copied and how their rows are read and written (`tables`),
//! the two ends (`end`), the way of a copy (`load`), and the comparison (`proof`, `canonical`),
//! which shares no encoding of values with it: each database tells its own values as text, so that
//! a fault of the copying is no fault of the proof.
//!
//! The tables of the target follow from the layout recorded in the source, not from any
//! declaration: entities somebody added and columns that are hidden are copied like all others.
//! Places in the feed stay what they are, so whoever follows it goes on where it was. A copy that
//! is broken off goes on at the last row that the target has; until it is whole, a mark in the
//! target keeps servers away.
//!
//! What must never be here: who may copy, locks of data folders (see the command `db copy`).
//!
//! Start reading at [`copy`].

mod canonical;
mod end;
mod load;
mod proof;
mod tables;

pub(crate) use end::Purpose;
pub(crate) use tables::Kind;

use crate::error::StoreError;
use crate::migrate::MigrationError;

pub use load::{can_copy, copy};
pub use proof::{Comparison, Difference, TableComparison, compare};

/// The row of `sys_meta` that stands in a target until it is whole.
pub(crate) const MARK: &str = "copy";

/// Why a database was not copied, or not compared.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Both are of one kind, which the database's own tools copy.
    #[error("a copy goes from SQLite to PostgreSQL or from PostgreSQL to SQLite; {0}")]
    SameKind(&'static str),
    /// Something is there already.
    #[error("the target is not empty: {0}")]
    NotEmpty(String),
    /// There is something else, or nothing.
    #[error("the {0} holds no database of OpsFlux")]
    Foreign(&'static str),
    /// Another release wrote the tables.
    #[error(
        "the tables of the {end} are of version {found}, this release works with {known}: \
         start the server on it once, or take the release that wrote it"
    )]
    Release {
        /// Which end.
        end: &'static str,
        /// What stands there.
        found: String,
        /// Ours.
        known: i64,
    },
    /// Somebody else works on it.
    #[error("{0}")]
    InUse(String),
    /// It is not the source that the copy was begun from, or it has moved on.
    #[error(
        "the source is not as it was when this copy was begun: empty the target and begin again"
    )]
    SourceChanged,
    /// A statement failed: a value that the other database cannot hold, a link that points at
    /// nothing.
    #[error("{what}: {reason}")]
    Failed {
        /// The table, or the statement.
        what: String,
        /// What the database said.
        reason: String,
    },
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<MigrationError> for CopyError {
    fn from(error: MigrationError) -> CopyError {
        match error {
            MigrationError::Failed { statement, reason } => CopyError::Failed {
                what: statement,
                reason,
            },
            MigrationError::Store(error) => error.into(),
            MigrationError::Busy => {
                CopyError::InUse("the tables are in use by somebody else".to_owned())
            }
            refused @ MigrationError::Refused(_) => CopyError::Failed {
                what: "the tables".to_owned(),
                reason: refused.to_string(),
            },
        }
    }
}

/// What a copy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many tables.
    pub tables: usize,
    /// How many rows the target has, those of an earlier attempt among them.
    pub rows: u64,
    /// It went on where an earlier one had been broken off.
    pub resumed: bool,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are written.
    Copying,
    /// Indexes and links are made.
    Finishing,
    /// Both databases are read again.
    Comparing,
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// With what.
    pub stage: Stage,
    /// With which table.
    pub table: &'a str,
    /// Rows of all tables so far.
    pub rows: u64,
    /// Of so many.
    pub of: u64,
}
