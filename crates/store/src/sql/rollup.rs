//! Roll-ups: what a row combines of the rows that point at it, in one statement for many rows.
//!
//! The value is made anew of the rows as they are, never moved by a difference: it is right
//! whatever happened before, and a second run changes nothing. An index of the link finds the rows.

use opsflux_model::schema::{Entity, FieldType, Rollup, RollupOp, Schema, system};
use opsflux_model::{FieldIx, Predicate, layout};
use rust_decimal::Decimal;

use super::compare::among;
use super::filter::{self, At};
use super::{Cell, Dialect, Sql, Statement, unfit};
use crate::commit::Recount;
use crate::error::StoreError;
use crate::query::Living;

/// SQLite's own sum gives up beyond 64 bits and its average is inexact, so it is given better
/// ones; see `sqlite::combine`.
pub const SUM: &str = "opsflux_sum";
/// As [`SUM`].
pub const AVERAGE: &str = "opsflux_average";

/// Rows of one statement.
const BATCH: usize = 500;

/// The name of the row that combines.
const OWNER: &str = "o";
/// The name of a row that is combined.
const ROW: &str = "t";

/// The statements that make the roll-ups of some rows anew.
///
/// # Errors
/// [`StoreError::Internal`] when a field is no roll-up.
pub fn recount(
    dialect: Dialect,
    schema: &Schema,
    tenant: i64,
    recount: &Recount,
) -> Result<Vec<Statement>, StoreError> {
    let mut rows = recount.rows.clone();
    rows.sort_unstable();
    rows.dedup();
    let batches = rows.chunks(BATCH);
    batches
        .map(|rows| {
            let mut sql = Sql::new(dialect);
            sql.bind(Cell::Int(tenant));
            let entity = schema.entity(recount.entity);
            sql.push("UPDATE ").name(&layout::table_name(entity));
            sql.push(" AS ").push(OWNER).push(" SET ");
            for (place, field) in recount.fields.iter().enumerate() {
                sql.push(if place > 0 { ", " } else { "" });
                assigned(&mut sql, schema, recount, *field)?;
            }
            sql.push(" WHERE ");
            filter::tenant(&mut sql, OWNER);
            sql.push(" AND ").column(OWNER, system::ID);
            among(&mut sql, rows.iter().copied().map(Cell::Id).collect());
            Ok(sql.finish())
        })
        .collect()
}

/// Adds `column = (SELECT …)` for each column of a roll-up.
fn assigned(
    sql: &mut Sql,
    schema: &Schema,
    recount: &Recount,
    field: FieldIx,
) -> Result<(), StoreError> {
    let entity = schema.entity(recount.entity);
    let declared = entity.field(field);
    let mut rollups = schema.rollups.iter();
    let rollup = rollups
        .find(|rollup| rollup.entity == recount.entity && rollup.field == field)
        .ok_or_else(|| unfit(format!("{} is no roll-up", declared.name)))?;
    let targets = layout::columns_of(declared);
    for (place, (name, _)) in targets.iter().enumerate() {
        sql.push(if place > 0 { ", " } else { "" });
        sql.name(name).push(" = ");
        combined(sql, schema, rollup, place)?;
    }
    Ok(())
}

/// Adds the value of the column at `place` of a roll-up.
fn combined(
    sql: &mut Sql,
    schema: &Schema,
    rollup: &Rollup,
    place: usize,
) -> Result<(), StoreError> {
    let rows = At {
        schema,
        alias: ROW,
        ix: rollup.rows,
    };
    let value = match rollup.value {
        Some(field) => {
            let mut columns = layout::columns_of(rows.entity().field(field)).into_iter();
            let column = columns.nth(place).map(|(name, _)| name);
            column.ok_or_else(|| unfit("a roll-up combines what has no column"))?
        }
        None => String::new(),
    };
    let owner = schema.entity(rollup.entity);
    sql.push("(SELECT ");
    expression(sql, rollup, owner, rows.entity(), &value);
    sql.push(" FROM ");
    pointing(sql, rows, rollup);
    if rollup.holds != Predicate::True {
        sql.push(" AND ");
        filter::predicate(sql, rows, &rollup.holds, false)?;
    }
    if rollup.op == RollupOp::Latest {
        sql.push(" AND ")
            .column(ROW, &value)
            .push(" IS NOT NULL ORDER BY ");
        if let Some(by) = rollup.by {
            sql.column(ROW, &rows.entity().field(by).name)
                .push(" DESC, ");
        }
        sql.column(ROW, system::CREATED_AT).push(" DESC, ");
        sql.column(ROW, system::ID).push(" DESC LIMIT 1");
    }
    sql.push(")");
    Ok(())
}

/// Adds the tables of the rows that point at the owner, and `WHERE` with what binds them to it.
fn pointing(sql: &mut Sql, rows: At<'_>, rollup: &Rollup) {
    let via = rows.entity().field(rollup.via);
    let table = layout::table_name(rows.entity());
    if let FieldType::Links(_) = via.kind {
        sql.name(&layout::set_table_name(rows.entity(), via));
        sql.push(" l JOIN ")
            .name(&table)
            .push(" ")
            .push(ROW)
            .push(" ON ");
        filter::tenant(sql, ROW);
        sql.push(" AND ")
            .column(ROW, system::ID)
            .push(" = l.owner_id WHERE ");
        filter::tenant(sql, "l");
        sql.push(" AND l.value = ").column(OWNER, system::ID);
    } else {
        sql.name(&table).push(" ").push(ROW).push(" WHERE ");
        filter::tenant(sql, ROW);
        sql.push(" AND ").column(ROW, &via.name).push(" = ");
        sql.column(OWNER, system::ID);
    }
    sql.push(" AND ");
    filter::walls(sql, rows, Living::Only);
}

/// Adds what is selected. A sum or average that its column cannot hold is no value.
fn expression(sql: &mut Sql, rollup: &Rollup, owner: &Entity, rows: &Entity, value: &str) {
    let returns = owner.field(rollup.field).kind.holds();
    let column = |sql: &mut Sql, before: &str, after: &str| {
        sql.push(before).column(ROW, value).push(after);
    };
    match (rollup.op, sql.dialect) {
        (RollupOp::Count, _) => {
            sql.push("count(*)");
        }
        (RollupOp::Min, _) => column(sql, "min(", ")"),
        (RollupOp::Max, _) => column(sql, "max(", ")"),
        (RollupOp::Latest, _) => column(sql, "", ""),
        (RollupOp::Sum, Dialect::Sqlite) => {
            let (precision, scale) = digits(returns);
            let zero = match precision {
                0 => Cell::Int(0),
                _ => Cell::Decimal {
                    value: Decimal::ZERO,
                    precision,
                    scale,
                },
            };
            // A sum that does not fit gives nothing, a sum of nothing zero.
            column(sql, "CASE count(", ") WHEN 0 THEN ");
            sql.param(zero).push(" ELSE ").push(SUM);
            column(sql, "(", &format!(", {precision}) END"));
        }
        (RollupOp::Average, Dialect::Sqlite) => {
            let value = rollup.value.map(|field| rows.field(field).kind.holds());
            let (_, from) = value.map_or((0, 0), digits);
            let (precision, to) = digits(returns);
            let after = format!(", {from}, {precision}, {to})");
            sql.push(AVERAGE);
            column(sql, "(", &after);
        }
        (RollupOp::Sum, Dialect::Postgres) => match returns {
            FieldType::Decimal {
                precision, scale, ..
            } => {
                let bound = bound(*precision, *scale);
                column(sql, "CASE WHEN abs(coalesce(sum(", "), 0)) < ");
                sql.push(&bound);
                column(sql, " THEN coalesce(sum(", "), 0) END");
            }
            _ => {
                column(sql, "CASE WHEN coalesce(sum(", "), 0) BETWEEN ");
                sql.push(&format!("{} AND {}", i64::MIN, i64::MAX));
                column(sql, " THEN coalesce(sum(", "), 0)::bigint END");
            }
        },
        (RollupOp::Average, Dialect::Postgres) => match returns {
            FieldType::Decimal {
                precision, scale, ..
            } => {
                let bound = bound(*precision, *scale);
                column(sql, "CASE WHEN abs(avg(", "))");
                sql.push(&format!(" < {bound}"));
                column(sql, " THEN round(avg(", "::numeric)");
                sql.push(&format!(", {scale}) END"));
            }
            // Seconds.
            _ => column(sql, "round(avg(", "::numeric))::bigint"),
        },
    }
}

/// Precision and scale; nothing for whole numbers.
fn digits(kind: &FieldType) -> (u8, u8) {
    match kind {
        FieldType::Decimal {
            precision, scale, ..
        } => (*precision, *scale),
        _ => (0, 0),
    }
}

/// The first number that a decimal of these digits cannot hold.
fn bound(precision: u8, scale: u8) -> String {
    format!(
        "1{}",
        "0".repeat(usize::from(precision.saturating_sub(scale)))
    )
}
