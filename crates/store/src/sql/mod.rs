//! SQL text for reads and writes, for both databases.
//!
//! The only place that builds SQL for records. Rendering is pure: a [`crate::Select`] or a
//! [`crate::Commit`] and a schema become [`Statement`]s, whose text depends on the shape of the
//! question only (values are parameters), so that prepared statements are found again. How a
//! [`Cell`] is bound and a column is read back is the business of each back end.
//!
//! What must never be here: connections, transactions, time budgets; DDL of records (see
//! `migrate`).
//!
//! Start reading at [`page`].

pub mod audit;
mod branches;
pub(crate) mod column;
mod compare;
pub mod constraint;
pub mod expr;
mod filter;
mod guard;
pub mod rollup;
mod select;
mod sort;
pub mod system;
pub mod system_tables;
mod write;

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::StoreError;

pub use branches::Indexes;
pub(crate) use compare::key_of;
pub use select::{count, page};
pub use write::commit;

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Parameters are `?1`, `?2`, …
    Sqlite,
    /// Parameters are `$1`, `$2`, …
    Postgres,
}

/// A value on its way into a statement.
///
/// | cell | SQLite | PostgreSQL |
/// | --- | --- | --- |
/// | `Bool` | INTEGER 0, 1 | `boolean` |
/// | `Int` | INTEGER | whatever integer type the statement wants (`int2`, `int4`, `int8`) |
/// | `Decimal` | scaled INTEGER, see [`Cell::decimal_is_integer`], else 16 bytes that sort | `numeric`, every digit kept |
/// | `Text` | TEXT | `text` |
/// | `Date` | INTEGER, days since 1970-01-01 | `date` |
/// | `Time` | INTEGER, microseconds since 1970 | `timestamptz` |
/// | `Id` | BLOB of 16 bytes | `uuid` |
/// | `Bytes` | BLOB | `bytea` |
/// | `Array` | never sent | array of its items, which are of one kind and never null |
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    /// `value` may be outside of what the column can hold when it is compared with, never when it
    /// is stored. It has at most `scale` decimals either way.
    Decimal {
        value: Decimal,
        precision: u8,
        scale: u8,
    },
    Text(String),
    Date(civil::Date),
    Time(Timestamp),
    Id(Uuid),
    Bytes(Vec<u8>),
    Array(Vec<Cell>),
}

impl Cell {
    /// Whether SQLite keeps decimals of this precision as scaled integers (up to 18 digits) rather
    /// than as sortable bytes.
    #[must_use]
    pub fn decimal_is_integer(precision: u8) -> bool {
        precision <= 18
    }
}

/// A statement with its parameters, the first of which stands for `?1` or `$1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// SQL of one statement.
    pub text: String,
    /// Values in the order of their numbers.
    pub params: Vec<Cell>,
}

/// Where an output stands in a row of the answer, and how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputPlan {
    /// Its first column.
    pub column: usize,
    /// What is there.
    pub decode: Decode,
}

/// How columns become a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Decode {
    Bool,
    Int,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Text,
    Date,
    Time,
    Id,
    /// Two columns: the amount, the currency.
    Money {
        precision: u8,
        scale: u8,
    },
    /// Two columns: latitude, longitude; both decimals of precision 9 and scale 6.
    Geo,
    /// Two columns: name of the entity, id.
    Ref,
    /// Text that is JSON.
    Json,
    /// Text that leaves in clear as a value only; in JSON it is masked.
    Sealed,
    /// Text: a JSON array of strings.
    TextSet,
    /// Text: the ids as hexadecimal digits, 32 each, one after the other.
    IdSet,
}

/// A page: its statements one after the other give the rows in order, until `limit` is reached.
///
/// There are several when the page begins inside of nulls or of mixed directions: each part is
/// then one range of an index, where a single statement would have to sort.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// To be run in order, each only while rows are missing.
    pub parts: Vec<Statement>,
    /// The same for every part.
    pub outputs: Vec<OutputPlan>,
    /// The column with the id of a row, when one may come several times, one after the other: it
    /// is shown once.
    pub once: Option<usize>,
    /// At most so many rows in all.
    pub limit: usize,
}

/// A change as statements.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenderedCommit {
    /// PostgreSQL: locks the rows that guards name, in an order that is the same for every
    /// change. Run first; their rows are ignored. Empty on SQLite, where one writer runs alone.
    pub locks: Vec<Statement>,
    /// Run in order, in one transaction, stopping at the first that fails.
    pub steps: Vec<CommitStep>,
    /// How many rows the feed gains.
    pub entries: usize,
}

/// One statement of a change, and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitStep {
    /// What is run.
    pub statement: Statement,
    /// What must come of it.
    pub expect: Expect,
    /// Place in [`crate::Commit::writes`] of the row it is part of, to tell an error by.
    pub write: Option<usize>,
}

/// What must come of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Nothing in particular.
    Any,
    /// It changes exactly one row; else [`crate::CommitError::Version`] of the row.
    OneRow {
        /// Name of the entity.
        entity: String,
        /// Which row.
        id: Uuid,
    },
    /// It answers one row whose first column is true; else [`crate::CommitError::Guard`].
    Holds {
        /// Name of the guard.
        guard: String,
    },
}

/// Builds one statement: text grows at the end, values get the next number.
#[derive(Debug)]
pub struct Sql {
    /// Which SQL is spoken.
    pub dialect: Dialect,
    /// So far.
    pub text: String,
    params: Vec<Cell>,
    aliases: u32,
}

impl Sql {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: Dialect) -> Sql {
        Sql {
            dialect,
            text: String::with_capacity(512),
            params: Vec::new(),
            aliases: 0,
        }
    }

    /// Adds text as it is.
    pub fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Adds a quoted name. Names come from checked declarations, which know no quotes.
    pub fn name(&mut self, name: &str) -> &mut Sql {
        self.suffixed(name, "")
    }

    /// Adds a quoted name of two parts.
    pub fn suffixed(&mut self, name: &str, suffix: &str) -> &mut Sql {
        debug_assert!(!name.contains('"'));
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str(suffix);
        self.text.push('"');
        self
    }

    /// Adds a quoted column of an alias.
    pub fn column(&mut self, alias: &str, column: &str) -> &mut Sql {
        self.text.push_str(alias);
        self.text.push('.');
        self.name(column)
    }

    /// Adds a parameter.
    pub fn param(&mut self, cell: Cell) -> &mut Sql {
        self.params.push(cell);
        self.again(self.params.len())
    }

    /// Takes a parameter without saying it; [`Sql::again`] does. Answers its number.
    pub fn bind(&mut self, cell: Cell) -> usize {
        self.params.push(cell);
        self.params.len()
    }

    /// Adds a parameter once more, by its number.
    pub fn again(&mut self, number: usize) -> &mut Sql {
        self.text.push(match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        });
        self.text.push_str(itoa::Buffer::new().format(number));
        self
    }

    /// How many parameters there are: the number of the last one.
    #[must_use]
    pub fn params(&self) -> usize {
        self.params.len()
    }

    /// A name for a table that no other table of the statement has.
    pub fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("a{}", self.aliases)
    }

    /// The statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement {
            text: self.text,
            params: self.params,
        }
    }
}

/// A question that does not fit the schema: a defect of the caller.
pub(crate) fn unfit(what: impl Into<String>) -> StoreError {
    StoreError::Internal(what.into())
}
