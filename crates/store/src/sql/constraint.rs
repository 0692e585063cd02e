//! What a broken constraint means to the person who broke it.

use opsflux_model::layout::{self, Layout};
use opsflux_model::schema::{Entity, Field, FieldType, Schema, system};
use opsflux_model::{EntityIx, FieldIx, Value};
use uuid::Uuid;

use super::{Cell, Dialect, Sql, Statement};
use crate::commit::{Commit, Set, Write};
use crate::error::CommitError;
use crate::migrate::ddl;

/// The error of the broken constraint called `name`, as PostgreSQL tells it and as SQLite tells
/// an index over expressions; `None` when no constraint of ours has this name.
#[must_use]
pub fn named(schema: &Schema, name: &str) -> Option<CommitError> {
    if let Some(table) = name.strip_suffix("_pkey") {
        return Some(unique(schema, table, &[]));
    }
    let layout = Layout::of(schema);
    layout.tables.iter().find_map(|table| {
        if ddl::primary_key_name(table) == name {
            return Some(unique(schema, &table.name, &[system::ID]));
        }
        if let Some(column) = ddl::foreign_key_column(table, name) {
            return Some(link(schema, &table.name, column));
        }
        let index = table.indexes.iter().find(|index| index.name == name)?;
        let columns = index.columns.iter().map(|column| column.column.as_str());
        Some(unique(schema, &table.name, &columns.collect::<Vec<_>>()))
    })
}

/// The error of a row of `table` whose `columns` are taken.
#[must_use]
pub fn unique(schema: &Schema, table: &str, columns: &[&str]) -> CommitError {
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

/// The error of a row of `table` whose `column` points at nothing.
fn link(schema: &Schema, table: &str, column: &str) -> CommitError {
    let (entity, field) = match owner(schema, table) {
        // The owner of a set's row is its own record: the other column is the field.
        Some((entity, Some(set))) => (entity.name.as_str(), Some(set.name.clone())),
        Some((entity, None)) => {
            let field = field_of(entity, column).map(|field| field.name.clone());
            (entity.name.as_str(), field)
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

/// A question whose answer is true when a link is as it must be.
#[derive(Debug)]
pub struct LinkCheck {
    /// Name of the entity that holds the link.
    pub entity: String,
    /// Name of the link.
    pub field: String,
    /// Answers one boolean.
    pub holds: Statement,
}

/// For a database that does not tell which foreign key was broken: a question for each link that
/// the write may have left dangling.
#[must_use]
pub fn link_checks(
    dialect: Dialect,
    schema: &Schema,
    commit: &Commit,
    write: &Write,
) -> Vec<LinkCheck> {
    let tenant = commit.tenant;
    match write {
        Write::Insert { entity, values } | Write::Once { entity, values } => {
            let values = values.iter().map(|(field, value)| (*field, value));
            made(dialect, schema, tenant, *entity, values.collect())
        }
        Write::Update { entity, set, .. } => {
            let values = set.iter().flat_map(|(field, set)| linked(*field, set));
            made(dialect, schema, tenant, *entity, values.collect())
        }
        Write::Remove { entity, id } => left(dialect, schema, tenant, *entity, *id),
        Write::Mark { .. } => Vec::new(),
    }
}

fn linked(field: FieldIx, set: &Set) -> Vec<(FieldIx, &Value)> {
    match set {
        Set::To(value) => vec![(field, value)],
        Set::Members { add, .. } => add.iter().map(|value| (field, value)).collect(),
        Set::Add(_) => Vec::new(),
    }
}

/// Every target is there.
fn made(
    dialect: Dialect,
    schema: &Schema,
    tenant: i64,
    entity: EntityIx,
    values: Vec<(FieldIx, &Value)>,
) -> Vec<LinkCheck> {
    let entity = schema.entity(entity);
    let mut checks = Vec::new();
    for (field, value) in values {
        let field = entity.field(field);
        let (FieldType::Link(link) | FieldType::Links(link)) = &field.kind else {
            continue;
        };
        let targets = match value {
            Value::Set(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let table = layout::table_name(schema.entity(link.to));
        for target in targets.iter().filter_map(Value::as_id) {
            checks.push(LinkCheck {
                entity: entity.name.clone(),
                field: field.name.clone(),
                holds: found(dialect, tenant, "EXISTS", &table, system::ID, target),
            });
        }
    }
    checks
}

/// Nothing points at the row any more.
fn left(
    dialect: Dialect,
    schema: &Schema,
    tenant: i64,
    entity: EntityIx,
    id: Uuid,
) -> Vec<LinkCheck> {
    let gone = layout::table_name(schema.entity(entity));
    let mut checks = Vec::new();
    for table in &Layout::of(schema).tables {
        for column in &table.columns {
            if column.references.as_ref() != Some(&gone) {
                continue;
            }
            if let CommitError::Link {
                entity,
                field: Some(field),
            } = link(schema, &table.name, &column.name)
            {
                let holds = found(dialect, tenant, "NOT EXISTS", &table.name, &column.name, id);
                checks.push(LinkCheck {
                    entity,
                    field,
                    holds,
                });
            }
        }
    }
    checks
}

fn found(
    dialect: Dialect,
    tenant: i64,
    exists: &str,
    table: &str,
    column: &str,
    id: Uuid,
) -> Statement {
    let mut sql = Sql::new(dialect);
    sql.push("SELECT ")
        .push(exists)
        .push(" (SELECT 1 FROM ")
        .name(table);
    sql.push(" WHERE tenant_id = ").param(Cell::Int(tenant));
    sql.push(" AND ")
        .name(column)
        .push(" = ")
        .param(Cell::Id(id))
        .push(")");
    sql.finish()
}
