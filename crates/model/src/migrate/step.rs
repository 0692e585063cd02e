//! One step of a plan, and what it does to a layout.

use serde::{Deserialize, Serialize};

use crate::layout::{Column, ColumnKind, Index, Layout, Table, TableKind};
use crate::value::Value;

/// One change of the database. Tables and columns are named as they are at that moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names of the parts say what they are
pub enum Step {
    DropIndex {
        table: String,
        name: String,
    },
    RenameTable {
        from: String,
        to: String,
    },
    RenameColumn {
        table: String,
        from: String,
        to: String,
    },
    /// With its columns and foreign keys; indexes are steps of their own. Tables made by one plan
    /// may refer to each other in rings: a database that minds adds those keys when all exist.
    CreateTable(Table),
    /// With its foreign key. Always nullable.
    AddColumn {
        table: String,
        column: Column,
    },
    /// To a type that holds every value of the former. An integer that has more digits than the
    /// decimal must make the step fail: only the data can tell.
    ChangeKind {
        table: String,
        column: String,
        from: ColumnKind,
        to: ColumnKind,
    },
    CreateIndex {
        table: String,
        index: Index,
    },
    DropColumn {
        table: String,
        column: String,
    },
    DropTable {
        table: String,
    },
}

/// What a column is given in the rows that exist, where it is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// Name of the table.
    pub table: String,
    /// Name of the column.
    pub column: String,
    /// With what.
    pub with: Filling,
}

/// With what a column is filled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filling {
    /// The same in every row.
    Constant(Value),
    /// The folded text of another column of the row.
    FoldOf(String),
}

impl Step {
    /// What the layout is after the step. A step that names what is not there changes nothing.
    pub fn apply(&self, layout: &mut Layout) {
        match self {
            Step::RenameTable { from, to } => rename_table(layout, from, to),
            Step::CreateTable(table) => layout.tables.push(table.clone()),
            Step::DropTable { table } => layout.tables.retain(|other| other.name != *table),
            Step::DropIndex { table, name } => {
                if let Some(table) = find(layout, table) {
                    table.indexes.retain(|index| index.name != *name);
                }
            }
            Step::CreateIndex { table, index } => {
                if let Some(table) = find(layout, table) {
                    table.indexes.push(index.clone());
                }
            }
            Step::AddColumn { table, column } => {
                if let Some(table) = find(layout, table) {
                    table.columns.push(column.clone());
                }
            }
            Step::DropColumn { table, column } => {
                if let Some(table) = find(layout, table) {
                    table.columns.retain(|other| other.name != *column);
                }
            }
            Step::RenameColumn { table, from, to } => {
                if let Some(column) = find_column(layout, table, from) {
                    column.name.clone_from(to);
                }
            }
            Step::ChangeKind {
                table, column, to, ..
            } => {
                if let Some(column) = find_column(layout, table, column) {
                    column.kind = *to;
                }
            }
        }
    }
}

fn find<'l>(layout: &'l mut Layout, name: &str) -> Option<&'l mut Table> {
    layout.tables.iter_mut().find(|table| table.name == name)
}

fn find_column<'l>(layout: &'l mut Layout, table: &str, name: &str) -> Option<&'l mut Column> {
    let columns = &mut find(layout, table)?.columns;
    columns.iter_mut().find(|column| column.name == name)
}

/// Both databases follow a renamed table in the foreign keys that point at it.
fn rename_table(layout: &mut Layout, from: &str, to: &str) {
    let follow = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    for table in &mut layout.tables {
        follow(&mut table.name);
        if let TableKind::Set { owner } = &mut table.kind {
            follow(owner);
        }
        for reference in table
            .columns
            .iter_mut()
            .filter_map(|c| c.references.as_mut())
        {
            follow(reference);
        }
    }
}
