//! How things are called: in refusals and wishes, and in the database when hidden.

use std::collections::BTreeSet;

use crate::layout::{Column, ColumnKind, KEY_SUFFIX, Layout, Table, TableKind};

/// The declared name of a table or a column: `ticket`, `ticket.cost`, `ticket.tags`.
pub(super) fn spoken(table: &Table, column: Option<&Column>) -> String {
    let name = match &table.kind {
        TableKind::Entity { .. } => table.name.strip_prefix("r_").unwrap_or(&table.name),
        TableKind::Set { .. } => table.name.strip_prefix("s_").unwrap_or(&table.name),
    };
    let name = name.replacen("__", ".", 1);
    match (column, &table.kind) {
        (Some(column), TableKind::Entity { .. }) => format!("{name}.{}", column.name),
        _ => name,
    }
}

pub(super) fn spoken_all(layout: &Layout) -> BTreeSet<String> {
    layout
        .tables
        .iter()
        .flat_map(|table| {
            let columns = table.columns.iter();
            let columns = columns.map(|column| spoken(table, Some(column)));
            columns.chain([spoken(table, None)]).collect::<Vec<_>>()
        })
        .collect()
}

/// A name for what is no longer declared: its own, unless something declared needs it.
pub(super) fn hidden(name: &str, id: &str, declared: &BTreeSet<&str>) -> String {
    if !declared.contains(name) {
        return name.to_owned();
    }
    let id: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("gone_{id}")
}

/// The id of the field a column belongs to: of `f_1#1`, `f_1`.
pub(super) fn base_id(id: &str) -> &str {
    id.split('#').next().unwrap_or(id)
}

pub(super) fn is_key(column: &Column) -> bool {
    column.id.contains('#') && column.kind == ColumnKind::Text && column.name.ends_with(KEY_SUFFIX)
}

/// The text a column holds the folded key of.
pub(super) fn text_of_key<'t>(table: &'t Table, column: &Column) -> Option<&'t Column> {
    let text = column.name.strip_suffix(KEY_SUFFIX)?;
    let field = base_id(&column.id);
    let mut columns = table.columns.iter().filter(|_| is_key(column));
    columns.find(|other| other.id == field && other.name == text)
}
