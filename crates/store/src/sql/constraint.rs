//! What a broken constraint means to the person who broke it.

use opsflux_model::layout::{self, Layout};
use opsflux_model::schema::{Entity, Field, FieldType, Schema, system};
use opsflux_model::{FieldIx, Value};

use super::{Cell, Dialect, Sql, Statement};
use crate::commit::{Commit, Set, Write};
use crate::error::CommitError;

/// A unique constraint as the database names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique<'a> {
    /// By table and columns.
    Columns {
        /// Name of the table.
        table: &'a str,
        /// Its columns.
        columns: &'a [&'a str],
    },
    /// By the name of its index; that of a primary key is the table's with `_pkey`.
    Index(&'a str),
}

/// The error of a broken unique constraint.
#[must_use]
pub fn unique(schema: &Schema, constraint: Unique<'_>) -> CommitError {
    match constraint {
        Unique::Columns { table, columns } => taken(schema, table, columns),
        Unique::Index(name) => match name.strip_suffix("_pkey") {
            Some(table) => taken(schema, table, &[system::ID]),
            None => taken_by_index(schema, name),
        },
    }
}

fn taken_by_index(schema: &Schema, name: &str) -> CommitError {
    let layout = Layout::of(schema);
    let found = layout.tables.iter().find_map(|table| {
        let index = table.indexes.iter().find(|index| index.name == name)?;
        Some((table.name.as_str(), index))
    });
    match found {
        Some((table, index)) => {
            let columns = index.columns.iter().map(|column| column.column.as_str());
            taken(schema, table, &columns.collect::<Vec<_>>())
        }
        None => taken(schema, name, &[]),
    }
}

fn taken(schema: &Schema, table: &str, columns: &[&str]) -> CommitError {
    match table {
        "sys_name" => return CommitError::NameTaken,
        "sys_answer" => return CommitError::KeyTaken,
        _ => {}
    }
    let mut fields: Vec<String> = Vec::new();
    let mut name = |field: &str| {
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    };
    let entity = match owner(schema, table) {
        Some((entity, Some(set))) => {
            name(&set.name);
            &entity.name
        }
        Some((entity, None)) => {
            for column in columns.iter().filter(|column| **column != "tenant_id") {
                name(field_of(entity, column).map_or(column, |field| &field.name));
            }
            &entity.name
        }
        None => table,
    };
    CommitError::Unique {
        entity: entity.to_owned(),
        fields,
    }
}

/// The error of a foreign key broken by a row of `table`, in `column` where it is told.
#[must_use]
pub fn link(schema: &Schema, table: &str, column: Option<&str>) -> CommitError {
    let (entity, field) = match owner(schema, table) {
        Some((entity, Some(set))) => (entity.name.as_str(), Some(set.name.clone())),
        Some((entity, None)) => {
            let field = column.and_then(|column| field_of(entity, column));
            (entity.name.as_str(), field.map(|field| field.name.clone()))
        }
        None => (table, None),
    };
    CommitError::Link {
        entity: entity.to_owned(),
        field,
    }
}

/// The entity a table belongs to, with the field when it is a set's.
fn owner<'a>(schema: &'a Schema, table: &str) -> Option<(&'a Entity, Option<&'a Field>)> {
    schema.entities.iter().find_map(|entity| {
        if layout::table_name(entity) == table {
            return Some((entity, None));
        }
        let mut sets = entity.fields.iter().filter(|field| field.kind.is_set());
        sets.find(|field| layout::set_table_name(entity, field) == table)
            .map(|field| (entity, Some(field)))
    })
}

fn field_of<'a>(entity: &'a Entity, column: &str) -> Option<&'a Field> {
    entity.fields.iter().find(|field| {
        let mut columns = layout::columns_of(field).into_iter();
        columns.any(|(name, _)| name == column)
    })
}

/// For a database that does not tell which foreign key was broken: a statement for each link the
/// row sets, which answers whether its target is there.
#[must_use]
pub fn link_checks(
    dialect: Dialect,
    schema: &Schema,
    commit: &Commit,
    write: &Write,
) -> Vec<(String, Statement)> {
    let (entity, values): (_, Vec<(FieldIx, &Value)>) = match write {
        Write::Insert { entity, values } => (
            *entity,
            values
                .iter()
                .map(|(field, value)| (*field, value))
                .collect(),
        ),
        Write::Update { entity, set, .. } => (
            *entity,
            set.iter()
                .flat_map(|(field, set)| linked(*field, set))
                .collect(),
        ),
        Write::Mark { .. } | Write::Remove { .. } => return Vec::new(),
    };
    let mut checks = Vec::new();
    for (field, value) in values {
        let field = schema.entity(entity).field(field);
        let (FieldType::Link(link) | FieldType::Links(link)) = &field.kind else {
            continue;
        };
        let targets = match value {
            Value::Set(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for target in targets.iter().filter_map(Value::as_id) {
            let mut sql = Sql::new(dialect);
            sql.push("SELECT EXISTS (SELECT 1 FROM ");
            sql.name(&layout::table_name(schema.entity(link.to)));
            sql.push(" WHERE tenant_id = ")
                .param(Cell::Int(commit.tenant));
            sql.push(" AND id = ").param(Cell::Id(target)).push(")");
            checks.push((field.name.clone(), sql.finish()));
        }
    }
    checks
}

fn linked(field: FieldIx, set: &Set) -> Vec<(FieldIx, &Value)> {
    match set {
        Set::To(value) => vec![(field, value)],
        Set::Members { add, .. } => add.iter().map(|value| (field, value)).collect(),
        Set::Add(_) => Vec::new(),
    }
}
