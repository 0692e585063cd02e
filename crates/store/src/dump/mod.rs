//! A database as typed rows, from which either database can be filled again.
//!
//! What lives here: what a database holds ([`Shape`]), the canonical form of a row (`cells`), a
//! consistent view of a database that others go on writing ([`Snapshot`]) and an empty database
//! that is filled ([`Loading`]). Rows come table by table in the order of their keys, so that the
//! same content gives the same bytes on both databases.
//!
//! The shape is read from what the database itself records, never from today's declarations: a
//! database of an older release is read as it is.
//!
//! What must never be here: files, keys, the form of a backup. Start reading at [`Snapshot`].

mod cells;
mod engine;
mod load;
mod snapshot;
mod sqlite_load;

use opsflux_model::layout::{self, Table};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::migrate::{Recorded, ddl};

pub use load::Loading;
pub use snapshot::Snapshot;

/// What a database holds, without its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Version of the engine's own tables.
    pub system_version: i64,
    /// The declared tables as the last migration left them, with what is still to be done of it.
    pub recorded: String,
    /// The last place of the change feed.
    pub feed_end: i64,
    /// Every table whose rows count, the engine's own first.
    pub tables: Vec<TableShape>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// In the order in which a row holds them.
    pub columns: Vec<ColumnShape>,
    /// The columns rows are ordered by.
    pub key: Vec<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub kind: CellKind,
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum CellKind {
    Bool,
    Int,
    Decimal { precision: u8, scale: u8 },
    Text,
    Date,
    Time,
    Id,
    Bytes,
}

impl From<layout::ColumnKind> for CellKind {
    fn from(kind: layout::ColumnKind) -> CellKind {
        match kind {
            layout::ColumnKind::Bool => CellKind::Bool,
            layout::ColumnKind::Int => CellKind::Int,
            layout::ColumnKind::Decimal { precision, scale } => {
                CellKind::Decimal { precision, scale }
            }
            layout::ColumnKind::Text => CellKind::Text,
            layout::ColumnKind::Date => CellKind::Date,
            layout::ColumnKind::Time => CellKind::Time,
            layout::ColumnKind::Id => CellKind::Id,
        }
    }
}

impl Shape {
    /// What is there according to the versions and layout a database records of itself.
    fn of(system_version: i64, recorded: String, feed_end: i64) -> Result<Shape, StoreError> {
        let layout = parsed(&recorded)?.layout;
        let mut tables = engine::tables(system_version);
        tables.extend(layout.tables.iter().map(declared));
        Ok(Shape {
            system_version,
            recorded,
            feed_end,
            tables,
        })
    }

    /// Whether any entity was ever given its table: without one there is nothing to lose.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        parsed(&self.recorded).is_ok_and(|recorded| recorded.layout.tables.is_empty())
    }
}

impl TableShape {
    /// Whether a row in canonical form is one of this table.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when it is not.
    pub fn check(&self, row: &[u8]) -> Result<(), StoreError> {
        cells::decode(self, row).map(|_| ())
    }
}

fn parsed(recorded: &str) -> Result<Recorded, StoreError> {
    if recorded.is_empty() {
        return Ok(Recorded::default());
    }
    Recorded::parse(recorded)
}

fn declared(table: &Table) -> TableShape {
    let tenant = ColumnShape {
        name: ddl::TENANT.to_owned(),
        kind: CellKind::Int,
    };
    let columns = table.columns.iter().map(|column| ColumnShape {
        name: column.name.clone(),
        kind: column.kind.into(),
    });
    TableShape {
        name: table.name.clone(),
        columns: std::iter::once(tenant).chain(columns).collect(),
        key: ddl::primary_key(table)
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
    }
}

/// Names of the columns, quoted.
fn column_names(table: &TableShape) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| ddl::quoted(&column.name))
        .collect();
    names.join(", ")
}
