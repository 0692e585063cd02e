//! What is read: one entity, filtered, sorted, cut to a page.

use opsflux_model::Value;
use opsflux_model::{EntityIx, FieldIx, Path, Predicate};

/// One read. The filter already holds the reader's rule; the store adds the tenant and whether
/// deleted rows count, nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// Whose rows.
    pub tenant: i64,
    /// What kind of rows.
    pub entity: EntityIx,
    /// Which of them.
    pub filter: Predicate,
    /// What is wanted of each.
    pub outputs: Vec<Output>,
    /// In which order; nulls last in both directions. For a page the last key is the id.
    pub sort: Vec<Sort>,
    /// Values of the sort keys of the row after which the page begins.
    pub after: Option<Vec<Value>>,
    /// At most so many rows.
    pub limit: u32,
    /// Whether deleted rows count.
    pub living: Living,
}

/// Whether softly deleted rows are seen. Records reached along links must always live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Living {
    /// Only rows that live.
    #[default]
    Only,
    /// Only deleted rows.
    Deleted,
    /// Only the rows that one deletion took.
    By(uuid::Uuid),
    /// Both.
    Any,
}

/// One column of the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The whole value of a field: sets and money as one. A link is the id as stored, though its
    /// target may be deleted; whoever shows it hides that.
    Field(FieldIx),
    /// Whether the row satisfies a predicate: what the caller may do with it.
    Holds(Predicate),
    /// What is known of the record a link points at; read by [`crate::Row::target`].
    Target {
        /// The link.
        link: FieldIx,
        /// Of which records the title may be shown.
        visible: Predicate,
    },
    /// The n-th sort key, for the cursor.
    SortKey(usize),
    /// `deleted_at` or `deletion_id`, which are not fields.
    System(&'static str),
}

/// One sort key: texts by folded key then text, choices and states in declared order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What is compared; at most one record may be reached by each step (links, not inverses).
    pub path: Path,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// Sorting by a field of the record itself.
    #[must_use]
    pub fn by(entity: EntityIx, field: FieldIx, descending: bool) -> Sort {
        Sort {
            path: Path {
                steps: Vec::new(),
                entity,
                field,
            },
            descending,
        }
    }
}
