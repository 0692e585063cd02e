//! Whether an index is the same before and after: by the ids of its columns, for names may have
//! changed hands.

use crate::layout::{Index, Table};

/// Whether `other` has the very index that `index` is in `table`.
pub(super) fn has_same(other: &Table, table: &Table, index: &Index) -> bool {
    let same = other.indexes.iter().find(|candidate| *candidate == index);
    same.is_some_and(|same| column_ids(other, same) == column_ids(table, index))
}

/// Whether the columns that `index` makes unique in `table` already were in `former`, under
/// whatever names.
pub(super) fn was_unique(former: &Table, table: &Table, index: &Index) -> bool {
    let wanted = column_ids(table, index);
    let mut unique = former.indexes.iter().filter(|other| other.unique);
    unique.any(|other| column_ids(former, other) == wanted)
}

fn column_ids<'t>(table: &'t Table, index: &Index) -> Vec<Option<&'t str>> {
    let id_of = |name: &str| {
        let column = table.columns.iter().find(|column| column.name == name);
        column.map(|column| column.id.as_str())
    };
    index
        .columns
        .iter()
        .map(|column| id_of(&column.column))
        .collect()
}
