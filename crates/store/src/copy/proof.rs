//! The proof that two databases hold the same: both are read again, by another way than they were
//! copied, see `canonical`.
//!
//! Rows come from both in the order of their keys and are compared as they come; beside that each
//! table has a hash of all its rows, which can be written down and compared later.

use std::cmp::Ordering;

use aws_lc_rs::digest::{Context, SHA256};
use opsflux_model::layout::ColumnKind;

use super::canonical;
use super::end::{End, Purpose, feed_end};
use super::load::{can_copy, counted};
use super::tables::{self, CopiedColumn, CopiedTable, Kind, META, OWN_META};
use super::{CopyError, Progress, Stage};
use crate::error::StoreError;
use crate::postgres::copy as postgres;
use crate::sql::Dialect;
use crate::sqlite::copy as sqlite;
use crate::store::DatabaseUrl;

/// Rows between two words of progress.
const TELL: u64 = 10_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// One entry a table, in the order in which they are copied.
    pub tables: Vec<TableComparison>,
}

impl Comparison {
    /// Nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(TableComparison::is_equal)
    }

    /// Rows of all tables of the first database.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows.0).sum()
    }
}

/// One table in both databases: `from`, `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableComparison {
    /// Its name.
    pub table: String,
    /// How many rows, as each database counts them.
    pub rows: (u64, u64),
    /// SHA-256 of all rows in the order of their keys, in hexadecimal digits.
    pub hash: (String, String),
    /// The first row that differs.
    pub first: Option<Difference>,
}

impl TableComparison {
    /// Nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.first.is_none() && self.rows.0 == self.rows.1 && self.hash.0 == self.hash.1
    }
}

/// A row that is not the same in both. Its key only: values stay where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The second database lacks it.
    Missing {
        /// Its key.
        key: String,
    },
    /// The first database lacks it.
    Additional {
        /// Its key.
        key: String,
    },
    /// Both have it.
    Other {
        /// Its key.
        key: String,
        /// The first column that differs.
        column: String,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Difference::Missing { key } => write!(to, "{key} is missing"),
            Difference::Additional { key } => write!(to, "{key} is there in addition"),
            Difference::Other { key, column } => write!(to, "{key} differs in {column}"),
        }
    }
}

/// Compares two databases, one of each kind, table by table.
///
/// # Errors
/// [`CopyError`] when one of them cannot be read or is no database of this release. That they
/// differ is no error.
pub async fn compare(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Comparison, CopyError> {
    can_copy(from, to)?;
    let mut from = End::open(from, Purpose::Compared).await?;
    let mut to = End::open(to, Purpose::Compared).await?;
    let (layout, _) = from.state("source").await?;
    to.state("target").await?;
    let tables = match (&mut from, &mut to) {
        (postgres @ End::Postgres(_), _) | (_, postgres) => {
            tables::all(&layout, &mut postgres.session()).await?
        }
    };
    let mut counts = Vec::with_capacity(tables.len());
    for table in &tables {
        counts.push((
            counted(&mut from, table).await?,
            counted(&mut to, table).await?,
        ));
    }
    let of = counts.iter().map(|(rows, _)| rows).sum();
    let mut found = Comparison::default();
    for (table, rows) in tables.iter().zip(counts) {
        let before = found.rows();
        let mut told = |rows| {
            progress(Progress {
                stage: Stage::Comparing,
                table: &table.name,
                rows: before + rows,
                of,
            });
        };
        told(0);
        let pair = (
            canonical::select(from.dialect(), table),
            canonical::select(to.dialect(), table),
        );
        let seen = compared(table, &from, &to, &pair, &mut told).await?;
        if seen.rows != rows {
            // Two ways of reading one moment that do not agree are no proof of anything.
            return Err(CopyError::Failed {
                what: table.name.clone(),
                reason: format!("rows counted {rows:?}, rows read {:?}", seen.rows),
            });
        }
        found.tables.push(seen);
    }
    for (table, texts) in apart() {
        let pair = (texts(from.dialect()), texts(to.dialect()));
        found
            .tables
            .push(compared(&table, &from, &to, &pair, &mut |_| {}).await?);
    }
    Ok(found)
}

type Texts = fn(Dialect) -> String;

/// What is copied otherwise than row by row, as tables of texts.
fn apart() -> [(CopiedTable, Texts); 2] {
    let text = |name: &str, kind| CopiedColumn {
        name: name.to_owned(),
        kind: Kind::Declared(kind),
    };
    let settings = CopiedTable {
        name: META.to_owned(),
        columns: vec![
            text("key", ColumnKind::Text),
            text("value", ColumnKind::Text),
        ],
        key: 1,
    };
    let end = CopiedTable {
        name: "the end of the feed".to_owned(),
        columns: vec![text("place", ColumnKind::Int)],
        key: 0,
    };
    let settings_of: Texts = |dialect| {
        let bytewise = match dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => " COLLATE \"C\"",
        };
        format!("SELECT key, value FROM {META} WHERE key NOT IN {OWN_META} ORDER BY key{bytewise}")
    };
    let end_of: Texts =
        |dialect| format!("SELECT CAST(coalesce(({}), 0) AS TEXT)", feed_end(dialect));
    [(settings, settings_of), (end, end_of)]
}

/// A row as both databases tell it.
type Row = Vec<Option<Vec<u8>>>;

/// The rows of one database as they come.
enum Rows<'s> {
    Sqlite(sqlite::Texts<'s>, &'s CopiedTable),
    Postgres(postgres::Texts),
}

impl Rows<'_> {
    async fn next(&mut self) -> Result<Option<Row>, StoreError> {
        match self {
            Rows::Sqlite(texts, table) => Ok(texts.next()?.map(|row| {
                let columns = table.columns.iter();
                let settled = row.into_iter().zip(columns);
                settled
                    .map(|(text, column)| Some(canonical::settled(column.kind, text?)))
                    .collect()
            })),
            Rows::Postgres(texts) => texts.next().await,
        }
    }
}

async fn compared(
    table: &CopiedTable,
    from: &End,
    to: &End,
    pair: &(String, String),
    told: &mut dyn FnMut(u64),
) -> Result<TableComparison, CopyError> {
    let (mut first, mut second);
    let mut one = match from {
        End::Sqlite(connection) => {
            first = sqlite::prepare(connection, &pair.0)?;
            Rows::Sqlite(sqlite::Texts::of(&mut first)?, table)
        }
        End::Postgres(end) => Rows::Postgres(end.texts(&pair.0).await?),
    };
    let mut other = match to {
        End::Sqlite(connection) => {
            second = sqlite::prepare(connection, &pair.1)?;
            Rows::Sqlite(sqlite::Texts::of(&mut second)?, table)
        }
        End::Postgres(end) => Rows::Postgres(end.texts(&pair.1).await?),
    };
    let mut hashes = (Hash::new(), Hash::new());
    let mut rows = (0_u64, 0_u64);
    let mut first = None;
    loop {
        let (left, right) = (one.next().await?, other.next().await?);
        if left.is_none() && right.is_none() {
            break;
        }
        if first.is_none() {
            first = difference(table, left.as_ref(), right.as_ref());
        }
        if rows.0 > 0 && rows.0.is_multiple_of(TELL) {
            told(rows.0);
        }
        rows.0 += u64::from(left.is_some());
        rows.1 += u64::from(right.is_some());
        hashes.0.add(left.as_ref());
        hashes.1.add(right.as_ref());
    }
    Ok(TableComparison {
        table: table.name.clone(),
        rows,
        hash: (hashes.0.finish(), hashes.1.finish()),
        first,
    })
}

/// What differs in rows at the same place; the smaller key is the one that the other side lacks.
fn difference(table: &CopiedTable, left: Option<&Row>, right: Option<&Row>) -> Option<Difference> {
    let (left, right) = match (left, right) {
        (None, None) => return None,
        (Some(row), None) => {
            return Some(Difference::Missing {
                key: key(table, row),
            });
        }
        (None, Some(row)) => {
            return Some(Difference::Additional {
                key: key(table, row),
            });
        }
        (Some(left), Some(right)) => (left, right),
    };
    let keys = table.key_columns().iter().zip(left.iter().zip(right));
    let order = keys
        .map(|(column, (left, right))| ordered(column.kind, left.as_deref(), right.as_deref()))
        .find(|order| order.is_ne());
    match order {
        Some(Ordering::Less) => Some(Difference::Missing {
            key: key(table, left),
        }),
        Some(_) => Some(Difference::Additional {
            key: key(table, right),
        }),
        None => {
            let mut columns = table.columns.iter().zip(left.iter().zip(right));
            let (column, _) = columns.find(|(_, (left, right))| left != right)?;
            Some(Difference::Other {
                key: key(table, left),
                column: column.name.clone(),
            })
        }
    }
}

/// As both databases order keys.
fn ordered(kind: Kind, left: Option<&[u8]>, right: Option<&[u8]>) -> Ordering {
    let number = |text: Option<&[u8]>| {
        let text = std::str::from_utf8(text?).ok()?;
        text.parse::<i128>().ok()
    };
    match kind {
        Kind::Declared(ColumnKind::Int | ColumnKind::Date | ColumnKind::Time) => {
            number(left).cmp(&number(right))
        }
        _ => left.cmp(&right),
    }
}

/// A key for a person.
fn key(table: &CopiedTable, row: &Row) -> String {
    let columns = table.key_columns().iter().zip(row);
    let shown = columns.map(|(column, value)| {
        let value = value.as_deref().unwrap_or_default();
        format!("{} {}", column.name, String::from_utf8_lossy(value))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() {
        table.name.clone()
    } else {
        shown.join(", ")
    }
}

/// The hash of rows one after the other: each value with its length, so that no two lists of
/// values have the same bytes.
struct Hash(Context);

impl Hash {
    fn new() -> Hash {
        Hash(Context::new(&SHA256))
    }

    fn add(&mut self, row: Option<&Row>) {
        for value in row.into_iter().flatten() {
            match value {
                None => self.0.update(&[0]),
                Some(text) => {
                    self.0.update(&[1]);
                    self.0.update(&(text.len() as u64).to_be_bytes());
                    self.0.update(text);
                }
            }
        }
    }

    fn finish(self) -> String {
        let digest = self.0.finish();
        let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        digits.collect()
    }
}
