//! A consistent view of a database while others write.
//!
//! On SQLite it is one read transaction on a connection of its own: with a write-ahead log
//! readers and the writer do not wait for each other; only the log grows meanwhile. (SQLite's own
//! backup interface copies pages of one file format and begins anew when another process writes;
//! `VACUUM INTO` writes a second, unencrypted copy first.) On PostgreSQL it is one repeatable
//! read transaction, begun while no tables are being changed.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::TryStreamExt;
use opsflux_model::Schema;
use rusqlite::{Connection, OptionalExtension};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::{Shape, TableShape, cells, column_names, engine, parsed};
use crate::error::StoreError;
use crate::migrate::{Recorded, ddl};
use crate::postgres::dump as postgres;
use crate::row::Columns;
use crate::sql::{Dialect, system_tables};
use crate::sqlite::{self, SqliteFile, SqliteRow};
use crate::store::DatabaseUrl;

/// A database at one moment.
pub struct Snapshot {
    view: View,
    shape: Shape,
}

enum View {
    Sqlite(Connection),
    Postgres {
        client: Client,
        driver: JoinHandle<()>,
    },
}

impl Drop for View {
    fn drop(&mut self) {
        if let View::Postgres { driver, .. } = self {
            driver.abort();
        }
    }
}

impl Snapshot {
    /// The database at `url` as it is now; nothing where there is none of ours. Nothing is made or
    /// raised, whatever release wrote it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(url: &DatabaseUrl) -> Result<Option<Snapshot>, StoreError> {
        match url.place() {
            Ok(file) => Snapshot::of_file(file),
            Err(address) => Snapshot::of_server(address).await,
        }
    }

    fn of_file(file: SqliteFile<'_>) -> Result<Option<Snapshot>, StoreError> {
        let failed = |error: rusqlite::Error| sqlite::told(&error);
        let is_there = std::fs::metadata(file.path).is_ok_and(|found| found.len() > 0);
        if !is_there {
            return Ok(None);
        }
        let connection = sqlite::reading(file)?;
        connection.execute_batch("BEGIN").map_err(failed)?;
        let known = "SELECT count(*) FROM sqlite_master WHERE name = 'sys_layout'";
        let known: i64 = connection
            .query_row(known, [], |row| row.get(0))
            .map_err(failed)?;
        if known == 0 {
            return Ok(None);
        }
        let text = |question: &str| {
            let answer = connection.query_row(question, [], |row| row.get::<_, String>(0));
            answer.optional().map_err(failed)
        };
        whole(text(system_tables::READ_COPY)?)?;
        let version = version(text(system_tables::READ_VERSION)?)?;
        let recorded = text(Recorded::READ)?.unwrap_or_default();
        let end = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'sys_feed'";
        let end: Option<i64> = connection
            .query_row(end, [], |row| row.get(0))
            .map_err(failed)?;
        let shape = Shape::of(version, recorded, end.unwrap_or(0))?;
        Ok(Some(Snapshot {
            view: View::Sqlite(connection),
            shape,
        }))
    }

    async fn of_server(address: &str) -> Result<Option<Snapshot>, StoreError> {
        let (client, driver) = postgres::connect(address).await?;
        let view = View::Postgres { client, driver };
        let View::Postgres { client, .. } = &view else {
            return Ok(None);
        };
        if postgres::text(client, "SELECT to_regclass('public.sys_layout')::text")
            .await?
            .is_none()
        {
            return Ok(None);
        }
        whole(postgres::text(client, system_tables::READ_COPY).await?)?;
        // Whoever changes tables has this lock alone: what is named is what will be read.
        postgres::hold_tables(client).await?;
        let before = postgres::text(client, Recorded::READ)
            .await?
            .unwrap_or_default();
        let known = version(postgres::text(client, system_tables::READ_VERSION).await?)?;
        let tables = Shape::of(known, before.clone(), 0)?.tables;
        let names: Vec<String> = tables.iter().map(|t| ddl::quoted(&t.name)).collect();
        // Locked before the first question, which is the moment that is seen.
        postgres::run(
            client,
            &format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 LOCK TABLE {} IN ACCESS SHARE MODE",
                names.join(", ")
            ),
        )
        .await?;
        let end = "SELECT (coalesce((SELECT max(value::bigint) FROM sys_meta WHERE \
                   key = 'feed_pos'), 0) + (SELECT count(*) FROM sys_feed_new))::text";
        let end = postgres::text(client, end).await?.unwrap_or_default();
        postgres::release_tables(client).await?;
        let end = end.parse().unwrap_or(0);
        let shape = Shape::of(known, before, end)?;
        Ok(Some(Snapshot { view, shape }))
    }

    /// What is there.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Which database it is: `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.view {
            View::Sqlite(_) => "sqlite",
            View::Postgres { .. } => "postgres",
        }
    }

    /// Whether this program would change tables before it uses this database; `allow` as for
    /// [`crate::Store::migrate`]. What it would refuse to do is no change.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for what another release wrote and this one does not understand.
    pub fn is_outdated(
        &self,
        schema: &Schema,
        allow: &BTreeSet<String>,
    ) -> Result<bool, StoreError> {
        let recorded = parsed(&self.shape.recorded)?;
        let changes = recorded.plan(schema, allow).is_ok_and(|plan| {
            let is_new = !plan.expand.is_empty() || !plan.fill.is_empty();
            is_new || plan.contract != recorded.contract
        });
        Ok(changes || self.shape.system_version < system_tables::version())
    }

    /// Shows every row of a table in its canonical form, in the order of its key; answers how
    /// many there were.
    ///
    /// # Errors
    /// What `each` fails with, and [`StoreError`].
    pub async fn rows<E: From<StoreError>>(
        &self,
        table: &TableShape,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut bytes = Vec::with_capacity(1024);
        let mut count = 0;
        let mut show = |row: &dyn Columns| {
            bytes.clear();
            cells::encode(table, row, &mut bytes)?;
            count += 1;
            each(&bytes)
        };
        match &self.view {
            View::Sqlite(connection) => {
                let failed = |error: rusqlite::Error| sqlite::told(&error);
                let question = question(Dialect::Sqlite, table);
                let mut prepared = connection.prepare(&question).map_err(failed)?;
                let mut rows = prepared.raw_query();
                while let Some(row) = rows.next().map_err(failed)? {
                    show(&SqliteRow(row))?;
                }
            }
            View::Postgres { client, .. } => {
                let failed = |error: tokio_postgres::Error| postgres::told(&error);
                let question = question(Dialect::Postgres, table);
                let rows = client.query_raw(&question, postgres::NOTHING).await;
                let mut rows = pin!(rows.map_err(failed)?);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    show(&postgres::PostgresRow(&row))?;
                }
            }
        }
        Ok(count)
    }
}

/// A copy that was broken off is no database yet.
fn whole(copying: Option<String>) -> Result<(), StoreError> {
    match copying {
        Some(_) => Err(StoreError::Setup(system_tables::UNFINISHED_COPY.to_owned())),
        None => Ok(()),
    }
}

fn version(found: Option<String>) -> Result<i64, StoreError> {
    let found = found.unwrap_or_default().parse::<i64>();
    let found = found.map_err(|_| StoreError::Setup("sys_meta holds no version".to_owned()))?;
    if found > system_tables::version() {
        return Err(StoreError::Setup(format!(
            "the database was last used by a newer OpsFlux (tables {found}, known {})",
            system_tables::version()
        )));
    }
    Ok(found)
}

fn question(dialect: Dialect, table: &TableShape) -> String {
    let columns = column_names(table);
    let key: Vec<String> = table.key.iter().map(|name| ddl::quoted(name)).collect();
    let order = key.join(", ");
    let name = ddl::quoted(&table.name);
    if table.name == engine::META {
        let own = engine::OWN_KEYS;
        return format!("SELECT {columns} FROM {name} WHERE key NOT IN ({own}) ORDER BY {order}");
    }
    if table.name == engine::FEED && dialect == Dialect::Postgres {
        return feed(table);
    }
    format!("SELECT {columns} FROM {name} ORDER BY {order}")
}

/// Entries with their places; those that wait for one get what the next round would give them.
fn feed(table: &TableShape) -> String {
    let columns = table.columns.iter().skip(1);
    let columns: String = columns
        .map(|column| format!(", f.{}", ddl::quoted(&column.name)))
        .collect();
    format!(
        "SELECT p.pos{columns} FROM sys_feed_pos p JOIN sys_feed f ON f.seq = p.seq \
         UNION ALL \
         SELECT coalesce((SELECT max(value::bigint) FROM sys_meta WHERE key = 'feed_pos'), 0) \
         + row_number() OVER (ORDER BY n.seq){columns} \
         FROM sys_feed_new n JOIN sys_feed f ON f.seq = n.seq ORDER BY 1"
    )
}
