//! SQLite: a table made anew under its name.
//!
//! A new table is filled from the old one, which is dropped before the new one takes its name.
//! With foreign keys on, or switched off only inside the transaction (where the switch does
//! nothing), dropping the old table deletes its rows first and every row that refers to them with
//! them, silently. Therefore a rebuild runs on a connection of its own with foreign keys switched
//! off before the transaction begins, every table that refers to it is counted before and after,
//! and links are checked before the commit; see `Session::rebuild`.

use std::collections::BTreeMap;

use opsflux_model::layout::{Column, ColumnKind, Layout, Table};

use super::ddl::{self, quoted};
use crate::sql::Dialect;

/// The function that gives a number its new form; registered by the session. Takes the value, the
/// precision and scale it is stored with (null for an integer), and those it gets.
pub(crate) const WIDEN: &str = "opsflux_widen";

/// A table as it is before its rebuild.
#[derive(Debug)]
pub(crate) struct Former {
    table: Table,
    conversions: BTreeMap<String, (ColumnKind, ColumnKind)>,
}

impl Former {
    pub(crate) fn of(table: &Table) -> Former {
        Former {
            table: table.clone(),
            conversions: BTreeMap::new(),
        }
    }

    /// A column gets another type on the way.
    pub(crate) fn convert(&mut self, column: &str, from: ColumnKind, to: ColumnKind) {
        let conversion = self.conversions.entry(column.to_owned());
        conversion
            .and_modify(|(_, last)| *last = to)
            .or_insert((from, to));
    }

    /// What the new column is given.
    fn source(&self, column: &Column) -> String {
        let mut columns = self.table.columns.iter();
        if !columns.any(|former| former.name == column.name) {
            return "NULL".to_owned();
        }
        let name = quoted(&column.name);
        match self.conversions.get(&column.name) {
            None => name,
            Some((from, to)) => format!("{WIDEN}({name}, {}, {})", digits(*from), digits(*to)),
        }
    }
}

/// Precision and scale as arguments; an integer has none.
fn digits(kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Decimal { precision, scale } => format!("{precision}, {scale}"),
        _ => "NULL, NULL".to_owned(),
    }
}

/// A rebuild.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rebuild {
    /// The table.
    pub table: String,
    /// Tables whose rows must be as many afterwards: itself, and those that refer to it.
    pub counted: Vec<String>,
    /// In order.
    pub statements: Vec<String>,
}

impl Rebuild {
    /// Makes `table` as it stands in `layout`; nothing when it does not stand there.
    pub(crate) fn of(layout: &Layout, table: &str, former: &Former) -> Option<Rebuild> {
        let made = layout.table(table)?;
        let passing = format!("{table}__rebuilt");
        let mut names = vec![quoted(ddl::TENANT)];
        let mut sources = names.clone();
        for column in &made.columns {
            names.push(quoted(&column.name));
            sources.push(former.source(column));
        }
        let mut statements = vec![
            ddl::create_table(Dialect::Sqlite, made, &passing),
            format!(
                "INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY rowid",
                quoted(&passing),
                names.join(", "),
                sources.join(", "),
                quoted(table),
            ),
            format!("DROP TABLE {}", quoted(table)),
            format!(
                "ALTER TABLE {} RENAME TO {}",
                quoted(&passing),
                quoted(table)
            ),
        ];
        let indexes = made.indexes.iter();
        statements.extend(indexes.map(|index| ddl::create_index(Dialect::Sqlite, made, index)));
        let mut counted = vec![table.to_owned()];
        let referring = layout.tables.iter().filter(|other| {
            other.name != table && ddl::foreign_keys(other).any(|(_, to)| to == table)
        });
        counted.extend(referring.map(|other| other.name.clone()));
        Some(Rebuild {
            table: table.to_owned(),
            counted,
            statements,
        })
    }
}
