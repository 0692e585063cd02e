//! What is written: one change, all or nothing.
//!
//! A [`Commit`] is rendered to statements before the write lock is taken and answers after it is
//! durable. Guards are evaluated inside the transaction: on SQLite by the single writer, on
//! PostgreSQL after locking the rows they name in id order.

use opsflux_model::{EntityIx, FieldIx, Predicate, Value};
use uuid::Uuid;

use crate::feed::NewEntry;
use crate::system::SystemWrite;

/// One change as the database sees it. Order of execution: guards, series,
/// writes, roll-ups, other system writes, feed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// The tenant of every row in it.
    pub tenant: i64,
    /// What must still be true.
    pub guards: Vec<Guard>,
    /// Rows, in order (a parent before its child).
    pub writes: Vec<Write>,
    /// What is combined anew of rows that point at these.
    pub rollups: Vec<Recount>,
    /// Rows of the engine's own tables.
    pub system: Vec<SystemWrite>,
    /// What others are told.
    pub feed: Vec<NewEntry>,
}

/// One row written.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A new row. Fields not named are null; sets are written to their tables.
    Insert {
        /// Where.
        entity: EntityIx,
        /// Values by field, the id among them.
        values: Vec<(FieldIx, Value)>,
    },
    /// A new row, unless there is one with its id already: what is written again by somebody who
    /// cannot know whether he has, under an id made from a key. It has no sets.
    Once {
        /// Where.
        entity: EntityIx,
        /// Values by field, the id among them.
        values: Vec<(FieldIx, Value)>,
    },
    /// Some fields of a row.
    Update {
        /// Where.
        entity: EntityIx,
        /// Which row.
        id: Uuid,
        /// The version it must have; another one is [`crate::CommitError::Version`].
        expected_version: Option<i64>,
        /// What changes. The version is among it when the change counts as one.
        set: Vec<(FieldIx, Set)>,
    },
    /// Marks a row deleted, or takes the mark away. Its version grows by one.
    Mark {
        /// Where.
        entity: EntityIx,
        /// Which row.
        id: Uuid,
        /// The version it must have.
        expected_version: Option<i64>,
        /// When and by which deletion; `None` restores.
        deletion: Option<(jiff::Timestamp, Uuid)>,
    },
    /// Removes a row and its sets for good: child rows that left their table, logs past their
    /// time, purges.
    Remove {
        /// Where.
        entity: EntityIx,
        /// Which row.
        id: Uuid,
    },
}

impl Write {
    /// Where it writes.
    #[must_use]
    pub fn entity(&self) -> EntityIx {
        match self {
            Write::Insert { entity, .. }
            | Write::Once { entity, .. }
            | Write::Update { entity, .. }
            | Write::Mark { entity, .. }
            | Write::Remove { entity, .. } => *entity,
        }
    }
}

/// Roll-ups of some rows, made again of the rows that point at them when all writes are done. The
/// rows are locked before: two changes that both add to one of them see each other.
///
/// Neither the version nor the time of change of a row moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Recount {
    /// Whose.
    pub entity: EntityIx,
    /// Which of its roll-ups.
    pub fields: Vec<FieldIx>,
    /// Of which rows.
    pub rows: Vec<Uuid>,
}

/// How a field changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Set {
    /// Becomes this.
    To(Value),
    /// Grows by this: integers only, null counts as zero.
    Add(i64),
    /// Set fields: these join and those leave.
    Members {
        /// Join, at the end, unless they are there.
        add: Vec<Value>,
        /// Leave, if they are there.
        remove: Vec<Value>,
    },
}

/// What must hold at the moment of the commit, whatever was true when the change was made.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// A living row satisfies the predicate.
    Exists {
        /// Name told when it fails.
        name: String,
        /// Where.
        entity: EntityIx,
        /// Which row.
        id: Uuid,
        /// What must hold of it.
        holds: Predicate,
    },
    /// So many living rows satisfy the predicate.
    Count {
        /// Name told when it fails.
        name: String,
        /// Where.
        entity: EntityIx,
        /// Which rows.
        filter: Predicate,
        /// At least.
        min: Option<u64>,
        /// At most.
        max: Option<u64>,
    },
    /// Setting `field` of `id` to `target` closes no ring.
    Acyclic {
        /// Name told when it fails.
        name: String,
        /// Where.
        entity: EntityIx,
        /// The link, of the entity to itself.
        field: FieldIx,
        /// The row that gets the link.
        id: Uuid,
        /// What it will point at.
        target: Uuid,
    },
}

/// A durable change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// How many rows the feed gained.
    pub entries: usize,
}
