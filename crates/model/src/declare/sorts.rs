//! Whether an index brings the records of a view in its order.
//!
//! Above a few ten thousand records a list without such an index is refused at run time; here it
//! is an error, so that nobody ships a view that stops working when the data grows.

use super::diagnostic::Mistakes;
use super::tree::Node;
use crate::condition::{Condition, Op};
use crate::layout::{self, IndexColumn, Layout};
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, SortField, system};

/// Reports a view whose sort no index of its entity serves.
pub(crate) fn check(
    schema: &Schema,
    layout: &Layout,
    ix: EntityIx,
    view: &Node,
    mistakes: &mut Mistakes<'_>,
) {
    let entity = schema.entity(ix);
    let Some(sort_node) = view.get("sort") else {
        return;
    };
    let mut sort = Vec::new();
    for (text, _) in sort_node.text_items() {
        let name = text.strip_prefix('-');
        // What cannot be sorted by has been reported where the sort was read.
        match entity.find(name.unwrap_or(text)) {
            Some(field) if entity.field(field).kind.is_sortable() => sort.push(SortField {
                field,
                descending: name.is_some(),
            }),
            _ => return,
        }
    }
    let filter = view.get("filter").map(Node::to_json).unwrap_or_default();
    let filter = Condition::from_json(&filter).unwrap_or_default();
    let narrowed = narrowed(entity, &filter);
    let table = layout.table(&layout::table_name(entity));
    let indexes = table.map_or(&[][..], |table| &table.indexes);
    let is_served = indexes
        .iter()
        .any(|index| serves(entity, &index.columns, &narrowed, &sort));
    if !is_served {
        let mut names: Vec<String> = narrowed
            .iter()
            .take(1)
            .map(|field| entity.field(*field).name.clone())
            .collect();
        names.extend(
            sort_node
                .text_items()
                .iter()
                .map(|(text, _)| (*text).to_owned()),
        );
        let hint = format!("add {names:?} to index of {}", entity.name);
        let message = "sort without index".to_owned();
        mistakes.error_hint(sort_node.at, "sort_without_index", message, Some(hint));
    }
}

/// Fields the filter holds to one value or a few, on every way it can be true.
fn narrowed(entity: &Entity, filter: &Condition) -> Vec<FieldIx> {
    match filter {
        Condition::All(parts) => parts
            .iter()
            .flat_map(|part| narrowed(entity, part))
            .collect(),
        Condition::Any(parts) if parts.len() == 1 => narrowed(entity, &parts[0]),
        Condition::Test { field, op, value } => {
            let is_empty = *op == Op::IsEmpty && value.as_bool() != Some(false);
            let is_held = is_empty || matches!(op, Op::Eq | Op::In);
            let field = entity.find(field).filter(|_| is_held);
            field
                .filter(|field| !entity.field(*field).kind.is_set())
                .into_iter()
                .collect()
        }
        Condition::Any(_) | Condition::Not(_) => Vec::new(),
    }
}

/// Whether an index is: some narrowed fields in any order, then the sort, then the id.
fn serves(
    entity: &Entity,
    columns: &[IndexColumn],
    narrowed: &[FieldIx],
    sort: &[SortField],
) -> bool {
    let mut wanted: Vec<IndexColumn> = sort
        .iter()
        .map(|sort| layout::compared(entity, sort.field, sort.descending))
        .collect();
    let ends_unique = sort
        .last()
        .is_some_and(|sort| is_unique(entity, sort.field));
    if !ends_unique {
        wanted.push(IndexColumn {
            column: system::ID.to_owned(),
            descending: wanted.last().is_some_and(|last| last.descending),
            codes: None,
        });
    }
    let Some(start) = (0..columns.len()).find(|start| columns[*start..].starts_with(&wanted))
    else {
        return false;
    };
    columns[..start].iter().all(|column| {
        let mut names = narrowed.iter().map(|field| equality_column(entity, *field));
        names.any(|name| name == column.column)
    })
}

fn equality_column(entity: &Entity, field: FieldIx) -> String {
    layout::compared(entity, field, false).column
}

fn is_unique(entity: &Entity, field: FieldIx) -> bool {
    let field = entity.field(field);
    field.unique && !matches!(field.kind, FieldType::AnyLink { .. })
}
