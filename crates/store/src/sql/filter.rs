//! Predicates as SQL.
//!
//! Negation is pushed down to the comparisons, each of which knows its exact complement, so that
//! what comes out has two values only where it matters: a comparison that is null counts as
//! false, and its complement then is true. `Predicate::holds` is the same in memory; a property
//! test holds the two together. Single comparisons are written in `compare`.

use opsflux_model::layout;
use opsflux_model::predicate::{Hop, Step};
use opsflux_model::schema::{Entity, EntityKind, FieldType, Schema, system};
use opsflux_model::{EntityIx, FieldIx, Predicate, Test};

use super::{Cell, Sql, compare};
use crate::error::StoreError;
use crate::query::Living;

/// The number of the parameter that holds the tenant: the first of every statement.
pub const TENANT: usize = 1;

/// A record of the statement: the name of its table there, and what it is.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Where names are found.
    pub schema: &'a Schema,
    /// Its name in the statement.
    pub alias: &'a str,
    /// What it is.
    pub ix: EntityIx,
}

impl<'a> At<'a> {
    /// Its declaration.
    #[must_use]
    pub fn entity(&self) -> &'a Entity {
        self.schema.entity(self.ix)
    }
}

/// Adds the tenant and whether deleted rows count, to be followed by what else is asked.
pub fn walls(sql: &mut Sql, at: At<'_>, living: Living) {
    tenant(sql, at.alias);
    let record = at.entity().kind == EntityKind::Record;
    match living {
        Living::Only if record => {
            sql.push(" AND ").column(at.alias, system::DELETED_AT);
            sql.push(" IS NULL");
        }
        Living::Deleted if record => {
            sql.push(" AND ").column(at.alias, system::DELETED_AT);
            sql.push(" IS NOT NULL");
        }
        Living::By(deletion) if record => {
            // Said twice so that the index of deletions, which holds deleted rows only, serves.
            sql.push(" AND ").column(at.alias, system::DELETED_AT);
            sql.push(" IS NOT NULL AND ");
            sql.column(at.alias, system::DELETION_ID);
            sql.push(" = ").param(Cell::Id(deletion));
        }
        // Logs are never deleted, only removed.
        Living::Deleted | Living::By(_) => {
            sql.push(" AND FALSE");
        }
        Living::Only | Living::Any => {}
    }
}

/// Adds the tenant of the table called `alias`.
pub fn tenant(sql: &mut Sql, alias: &str) {
    sql.column(alias, "tenant_id").push(" = ").again(TENANT);
}

/// Adds `predicate` about a record; its complement when `negated`.
///
/// # Errors
/// [`StoreError::Internal`] when a comparison does not fit its field.
pub fn predicate(
    sql: &mut Sql,
    at: At<'_>,
    predicate: &Predicate,
    negated: bool,
) -> Result<(), StoreError> {
    match predicate {
        Predicate::True => constant(sql, !negated),
        Predicate::False => constant(sql, negated),
        Predicate::Not(part) => return self::predicate(sql, at, part, !negated),
        Predicate::All(parts) => return joined(sql, at, parts, negated, !negated),
        Predicate::Any(parts) => return joined(sql, at, parts, negated, negated),
        Predicate::Test(test) => return reach(sql, at, test, &test.path.steps, negated),
    }
    Ok(())
}

/// Adds what always or never holds.
pub fn constant(sql: &mut Sql, value: bool) {
    sql.push(if value { "TRUE" } else { "FALSE" });
}

fn joined(
    sql: &mut Sql,
    at: At<'_>,
    parts: &[Predicate],
    negated: bool,
    all: bool,
) -> Result<(), StoreError> {
    if parts.is_empty() {
        constant(sql, all);
        return Ok(());
    }
    sql.push("(");
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            sql.push(if all { " AND " } else { " OR " });
        }
        predicate(sql, at, part, negated)?;
    }
    sql.push(")");
    Ok(())
}

/// Follows the steps that are left, then compares.
fn reach(
    sql: &mut Sql,
    at: At<'_>,
    test: &Test,
    steps: &[Step],
    negated: bool,
) -> Result<(), StoreError> {
    let Some((step, rest)) = steps.split_first() else {
        return compare::test(sql, at, test.path.field, &test.operand, negated);
    };
    let alias = sql.alias();
    let next = At {
        alias: &alias,
        ix: step.to,
        ..at
    };
    sql.push(if negated {
        "NOT EXISTS (SELECT 1 FROM "
    } else {
        "EXISTS (SELECT 1 FROM "
    });
    enter(sql, at, step.hop, next);
    if *step.rule != Predicate::True {
        sql.push(" AND ");
        predicate(sql, next, &step.rule, false)?;
    }
    sql.push(" AND ");
    reach(sql, next, test, rest, false)?;
    sql.push(")");
    Ok(())
}

/// Adds the tables a hop enters and `WHERE` with what binds them to the record it comes from.
fn enter(sql: &mut Sql, at: At<'_>, hop: Hop, next: At<'_>) {
    let table = layout::table_name(next.entity());
    match hop {
        Hop::Link(link) => {
            sql.name(&table).push(" ").push(next.alias).push(" WHERE ");
            walls(sql, next, Living::Only);
            follow(sql, at, link, next);
        }
        Hop::Inverse(via) => {
            sql.name(&table).push(" ").push(next.alias).push(" WHERE ");
            walls(sql, next, Living::Only);
            follow(sql, next, via, at);
        }
        Hop::Links(links) => through(sql, at, links, at, next, "owner_id", "value"),
        Hop::InverseLinks(via) => through(sql, next, via, at, next, "value", "owner_id"),
    }
}

/// Adds that the link of `from` points at `to`.
pub fn follow(sql: &mut Sql, from: At<'_>, link: FieldIx, to: At<'_>) {
    let field = from.entity().field(link);
    sql.push(" AND ").column(to.alias, system::ID).push(" = ");
    sql.column(from.alias, &field.name);
    if matches!(field.kind, FieldType::AnyLink { .. }) {
        sql.push(" AND ");
        sql.column(from.alias, &format!("{}_entity", field.name));
        sql.push(" = ").param(Cell::Text(to.entity().name.clone()));
    }
}

/// Adds the table of a many-to-many link, entered at column `near` and left at column `far`.
fn through(
    sql: &mut Sql,
    holder: At<'_>,
    links: FieldIx,
    at: At<'_>,
    next: At<'_>,
    near: &str,
    far: &str,
) {
    let pairs = sql.alias();
    let field = holder.entity().field(links);
    sql.name(&layout::set_table_name(holder.entity(), field));
    sql.push(" ").push(&pairs).push(" JOIN ");
    sql.name(&layout::table_name(next.entity()));
    sql.push(" ").push(next.alias).push(" ON ");
    tenant(sql, next.alias);
    sql.push(" AND ").column(next.alias, system::ID).push(" = ");
    sql.column(&pairs, far).push(" WHERE ");
    tenant(sql, &pairs);
    sql.push(" AND ").column(&pairs, near).push(" = ");
    sql.column(at.alias, system::ID).push(" AND ");
    walls(sql, next, Living::Only);
}
