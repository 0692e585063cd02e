//! What new columns hold in the rows that exist: one batch at a time.
//!
//! A batch is a range of keys in one short transaction, which also keeps how far it went. Rows
//! that have a value, because somebody gave them one in the meantime, keep it.

use std::collections::BTreeSet;

use opsflux_model::Value;
use opsflux_model::fold::fold;
use opsflux_model::layout::{ColumnKind, Table};
use opsflux_model::migrate::{Fill, Filling};
use uuid::Uuid;

use super::change::{Done, Progress};
use super::recorded::Recorded;
use super::{MigrationError, Session};
use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::{Cell, Dialect, Sql, Statement, unfit};

/// Rows of one batch.
const BATCH: i64 = 5_000;

/// The key of a row.
type Key = (i64, Uuid);

/// Where in `sys_meta` the last key of the last batch stands.
const CURSOR: &str = "SELECT value FROM sys_meta WHERE key = 'fill_cursor'";

/// Fills the next batch.
pub(super) async fn batch(session: &mut Session<'_>, mut recorded: Recorded) -> Progress {
    let Some(fill) = recorded.fill.first().cloned() else {
        return Ok((Done::Nothing { more: false }, BTreeSet::new()));
    };
    let last = match recorded.layout.table(&fill.table) {
        Some(table) => {
            let range = range(session, table).await?;
            fill_range(session, table, &fill, range).await?;
            range.to
        }
        // Dropped since.
        None => None,
    };
    match last {
        Some(key) => {
            session
                .execute(&keep_cursor(session.dialect(), key))
                .await?
        }
        None => {
            recorded.fill.remove(0);
            let dialect = session.dialect();
            session.execute(&recorded.write(dialect)?).await?;
            session
                .run("DELETE FROM sys_meta WHERE key = 'fill_cursor'")
                .await?;
            0
        }
    };
    Ok((Done::Unfilled, BTreeSet::new()))
}

/// Keys above `from`, up to and with `to`; without bound where there is none.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: Option<Key>,
    to: Option<Key>,
}

impl Range {
    fn condition(self, sql: &mut Sql) {
        for (sign, key) in [(" > ", self.from), (" <= ", self.to)] {
            if let Some((tenant, id)) = key {
                sql.push(" AND (tenant_id, id)").push(sign).push("(");
                sql.param(Cell::Int(tenant)).push(", ");
                sql.param(Cell::Id(id)).push(")");
            }
        }
    }
}

/// The next range of a table.
async fn range(session: &mut Session<'_>, table: &Table) -> Result<Range, MigrationError> {
    let from = session
        .text(CURSOR)
        .await?
        .map(|text| parse(&text))
        .transpose()?;
    let mut sql = Sql::new(session.dialect());
    sql.push("SELECT tenant_id, id FROM ")
        .name(&table.name)
        .push(" WHERE 1 = 1");
    Range { from, to: None }.condition(&mut sql);
    sql.push(" ORDER BY tenant_id, id LIMIT 1 OFFSET ");
    sql.param(Cell::Int(BATCH - 1));
    let mut key = |row: &dyn Columns| key(row);
    let to = session.rows(&sql.finish(), &mut key).await?.pop();
    Ok(Range { from, to })
}

/// From the first two columns.
fn key(row: &dyn Columns) -> Result<Key, StoreError> {
    let (tenant, id) = (row.int(0)?, row.id(1)?);
    tenant.zip(id).ok_or_else(|| unfit("a row has no key"))
}

fn parse(text: &str) -> Result<Key, StoreError> {
    let key = text
        .split_once(' ')
        .and_then(|(tenant, id)| Some((tenant.parse().ok()?, id.parse().ok()?)));
    key.ok_or_else(|| unfit(format!("“{text}” is no key of a row")))
}

fn keep_cursor(dialect: Dialect, (tenant, id): Key) -> Statement {
    let mut sql = Sql::new(dialect);
    sql.push("INSERT INTO sys_meta (key, value) VALUES ('fill_cursor', ");
    sql.param(Cell::Text(format!("{tenant} {id}")));
    sql.push(") ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    sql.finish()
}

async fn fill_range(
    session: &mut Session<'_>,
    table: &Table,
    fill: &Fill,
    range: Range,
) -> Result<(), MigrationError> {
    let mut columns = table.columns.iter();
    let Some(column) = columns.find(|column| column.name == fill.column) else {
        return Ok(());
    };
    match &fill.with {
        Filling::Constant(value) => {
            let cell = constant(column.kind, value)
                .ok_or_else(|| unfit(format!("{} cannot hold its default", column.name)))?;
            let mut sql = Sql::new(session.dialect());
            sql.push("UPDATE ")
                .name(&table.name)
                .push(" SET ")
                .name(&column.name);
            sql.push(" = ")
                .param(cell)
                .push(" WHERE ")
                .name(&column.name);
            sql.push(" IS NULL");
            range.condition(&mut sql);
            session.execute(&sql.finish()).await?;
        }
        Filling::FoldOf(text) => {
            for (key, text) in unfolded(session, table, &column.name, text, range).await? {
                let statement = set_key(session.dialect(), table, &column.name, key, &text);
                session.execute(&statement).await?;
            }
        }
    }
    Ok(())
}

/// Rows with a text whose key is missing, locked where others may write.
async fn unfolded(
    session: &mut Session<'_>,
    table: &Table,
    column: &str,
    text: &str,
    range: Range,
) -> Result<Vec<(Key, String)>, MigrationError> {
    let mut sql = Sql::new(session.dialect());
    sql.push("SELECT tenant_id, id, ")
        .name(text)
        .push(" FROM ")
        .name(&table.name);
    sql.push(" WHERE ")
        .name(column)
        .push(" IS NULL AND ")
        .name(text)
        .push(" IS NOT NULL");
    range.condition(&mut sql);
    sql.push(" ORDER BY tenant_id, id");
    if session.dialect() == Dialect::Postgres {
        sql.push(" FOR NO KEY UPDATE");
    }
    let mut row = |row: &dyn Columns| {
        let text = row.text(2)?.unwrap_or_default();
        Ok((key(row)?, text.to_owned()))
    };
    session.rows(&sql.finish(), &mut row).await
}

fn set_key(
    dialect: Dialect,
    table: &Table,
    column: &str,
    (tenant, id): Key,
    text: &str,
) -> Statement {
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE ")
        .name(&table.name)
        .push(" SET ")
        .name(column)
        .push(" = ");
    sql.param(Cell::Text(fold(text)))
        .push(" WHERE tenant_id = ");
    sql.param(Cell::Int(tenant))
        .push(" AND id = ")
        .param(Cell::Id(id));
    sql.finish()
}

/// A default as it is stored; `None` when it does not belong to the column.
fn constant(kind: ColumnKind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (ColumnKind::Bool, Value::Bool(flag)) => Some(Cell::Bool(*flag)),
        (ColumnKind::Int, Value::Int(number)) => Some(Cell::Int(*number)),
        (ColumnKind::Decimal { precision, scale }, Value::Decimal(number)) => Some(Cell::Decimal {
            value: *number,
            precision,
            scale,
        }),
        (ColumnKind::Text, Value::Text(text)) => Some(Cell::Text(text.clone())),
        (ColumnKind::Text, Value::Json(json)) => Some(Cell::Text(json.to_string())),
        (ColumnKind::Date, Value::Date(date)) => Some(Cell::Date(*date)),
        (ColumnKind::Time, Value::Time(time)) => Some(Cell::Time(*time)),
        (ColumnKind::Id, Value::Id(id)) => Some(Cell::Id(*id)),
        _ => None,
    }
}
