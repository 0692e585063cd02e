//! An empty database that is filled with what a [`Snapshot`](super::Snapshot) showed, all of it or
//! nothing.
//!
//! Tables are made as they were recorded, rows are written, then indexes, links and statistics are
//! made, then it counts. On PostgreSQL that is one transaction; on SQLite it is a file under
//! another name that gets its own at the end. The change feed goes on at the same places in
//! another epoch: who stood in it before may have seen what is no longer there.

use std::path::Path;
use std::pin::pin;

use opsflux_model::layout::Layout;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::sqlite_load::File;
use super::{CellKind, Shape, TableShape, cells, column_names, engine, parsed};
use crate::error::StoreError;
use crate::migrate::ddl;
use crate::postgres::dump as postgres;
use crate::sql::{Dialect, Statement, system, system_tables};
use crate::store::DatabaseUrl;

/// A database that is being filled. Dropped before [`Loading::finish`], it is as empty as before.
pub struct Loading {
    shape: Shape,
    target: Target,
}

enum Target {
    Sqlite(File),
    Postgres(Server),
}

struct Server {
    client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes the socket; the server rolls back whatever was open.
        self.driver.abort();
    }
}

impl Loading {
    /// What stands in the way at `url`; nothing where a database can be filled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn occupied(url: &DatabaseUrl) -> Result<Option<String>, StoreError> {
        match url.place() {
            Ok(file) => Ok(occupied_file(file.path)),
            Err(address) => {
                let (client, driver) = postgres::connect(address).await?;
                let server = Server { client, driver };
                occupied_server(&server.client).await
            }
        }
    }

    /// Makes the tables of `shape`.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the database is not empty, or the rows are of a newer release.
    pub async fn begin(url: &DatabaseUrl, shape: Shape) -> Result<Loading, StoreError> {
        if shape.system_version > system_tables::version() {
            return Err(StoreError::Setup(format!(
                "it was made by a newer OpsFlux (tables {}, known {})",
                shape.system_version,
                system_tables::version()
            )));
        }
        let layout = parsed(&shape.recorded)?.layout;
        let not_empty =
            |what: String| StoreError::Setup(format!("the database is not empty: {what}"));
        let target = match url.place() {
            Ok(file) => {
                if let Some(what) = occupied_file(file.path) {
                    return Err(not_empty(what));
                }
                let file = File::begin(file)?;
                for text in tables(Dialect::Sqlite, &shape, &layout) {
                    file.run(&text)?;
                }
                Target::Sqlite(file)
            }
            Err(address) => {
                let (client, driver) = postgres::connect(address).await?;
                let server = Server { client, driver };
                let client = &server.client;
                postgres::run(client, "BEGIN").await?;
                postgres::own_tables(client).await?;
                if let Some(what) = occupied_server(client).await? {
                    return Err(not_empty(what));
                }
                for text in tables(Dialect::Postgres, &shape, &layout) {
                    postgres::run(client, &text).await?;
                }
                Target::Postgres(server)
            }
        };
        Ok(Loading { shape, target })
    }

    /// Writes the rows of a table: `next` gives one after the other in canonical form and answers
    /// false when there are no more. Answers how many there were.
    ///
    /// # Errors
    /// What `next` fails with, and [`StoreError`].
    pub async fn fill<E: From<StoreError>>(
        &self,
        table: &TableShape,
        mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<u64, E> {
        match &self.target {
            Target::Sqlite(file) => file.fill(table, next),
            Target::Postgres(server) => {
                let failed = |error: tokio_postgres::Error| postgres::told(&error);
                let types: Vec<Type> = table.columns.iter().map(|c| copied(c.kind)).collect();
                let copy = copy(table);
                let sink = server.client.copy_in(&copy).await.map_err(failed)?;
                let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
                let (mut row, mut count) = (Vec::new(), 0);
                while next(&mut row)? {
                    let cells = cells::decode(table, &row)?;
                    writer.as_mut().write_raw(cells).await.map_err(failed)?;
                    count += 1;
                }
                writer.finish().await.map_err(failed)?;
                Ok(count)
            }
        }
    }

    /// Makes what rows wait for no longer, and the whole durable.
    ///
    /// # Errors
    /// [`StoreError`]; the database is then as empty as before.
    pub async fn finish(self) -> Result<(), StoreError> {
        let layout = parsed(&self.shape.recorded)?.layout;
        match self.target {
            Target::Sqlite(mut file) => {
                for statement in said(Dialect::Sqlite, &self.shape)? {
                    file.execute(&statement)?;
                }
                file.set_feed_end(self.shape.feed_end)?;
                for text in behind(Dialect::Sqlite, &layout) {
                    file.run(&text)?;
                }
                for text in system_tables::raise(Dialect::Sqlite, self.shape.system_version) {
                    file.run(&text)?;
                }
                file.finish()
            }
            Target::Postgres(server) => {
                let client = &server.client;
                for statement in said(Dialect::Postgres, &self.shape)? {
                    let done = client.execute_raw(&statement.text, statement.params).await;
                    done.map_err(|error| postgres::told(&error))?;
                }
                let end = self.shape.feed_end;
                let feed = format!(
                    "INSERT INTO sys_feed_pos (pos, seq) SELECT seq, seq FROM sys_feed; \
                     INSERT INTO sys_meta (key, value) VALUES ('feed_pos', '{end}'); \
                     SELECT setval(pg_get_serial_sequence('sys_feed', 'seq'), \
                     greatest({end}, 1), {end} > 0)"
                );
                postgres::run(client, &feed).await?;
                for text in behind(Dialect::Postgres, &layout) {
                    postgres::run(client, &text).await?;
                }
                for text in system_tables::raise(Dialect::Postgres, self.shape.system_version) {
                    postgres::run(client, &text).await?;
                }
                postgres::run(client, "COMMIT").await?;
                // Outside of the transaction: what is there counts without statistics too.
                if let Err(error) = postgres::run(client, "ANALYZE").await {
                    tracing::warn!(%error, "statistics were not taken");
                }
                Ok(())
            }
        }
    }
}

fn occupied_file(path: &Path) -> Option<String> {
    let is_there = std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    is_there.then(|| path.display().to_string())
}

async fn occupied_server(client: &Client) -> Result<Option<String>, StoreError> {
    let question = "SELECT string_agg(relname, ', ') FROM (SELECT relname FROM pg_class \
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') \
                    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass \
                    AND d.objid = pg_class.oid AND d.deptype = 'e') \
                    ORDER BY relname LIMIT 5) AS tables";
    let found = postgres::text(client, question).await?;
    Ok(found.map(|names| format!("it has {names}")))
}

/// The tables, without what rows would wait for.
fn tables(dialect: Dialect, shape: &Shape, layout: &Layout) -> Vec<String> {
    let mut statements = system_tables::create(dialect, shape.system_version);
    let declared = layout.tables.iter();
    statements.extend(declared.map(|table| ddl::create_table(dialect, table, &table.name)));
    statements
}

/// What is made when the rows are there.
fn behind(dialect: Dialect, layout: &Layout) -> Vec<String> {
    let mut statements = Vec::new();
    for table in &layout.tables {
        let indexes = table.indexes.iter();
        statements.extend(indexes.map(|index| ddl::create_index(dialect, table, index)));
    }
    if dialect == Dialect::Postgres {
        for table in &layout.tables {
            let keys = ddl::foreign_keys(table);
            statements.extend(keys.map(|(column, to)| ddl::add_foreign_key(table, column, to)));
        }
    }
    statements
}

/// What the database says of itself.
fn said(dialect: Dialect, shape: &Shape) -> Result<Vec<Statement>, StoreError> {
    let version = shape.system_version.to_string();
    let epoch = Uuid::new_v4().simple().to_string();
    Ok(vec![
        parsed(&shape.recorded)?.write(dialect)?,
        system::set_meta(dialect, "system_version", &version),
        system::set_meta(dialect, "feed_epoch", &epoch),
    ])
}

fn copy(table: &TableShape) -> String {
    let mut columns = column_names(table);
    if table.name == engine::FEED {
        columns = columns.replacen("\"pos\"", "\"seq\"", 1);
    }
    let name = ddl::quoted(&table.name);
    format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)")
}

fn copied(kind: CellKind) -> Type {
    match kind {
        CellKind::Bool => Type::BOOL,
        CellKind::Int => Type::INT8,
        CellKind::Decimal { .. } => Type::NUMERIC,
        CellKind::Text => Type::TEXT,
        CellKind::Date => Type::DATE,
        CellKind::Time => Type::TIMESTAMPTZ,
        CellKind::Id => Type::UUID,
        CellKind::Bytes => Type::BYTEA,
    }
}
