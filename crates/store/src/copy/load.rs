//! The way of a copy: the tables, their rows, then everything that is quicker made when the rows
//! are there.
//!
//! Each batch is one transaction of the target. Rows are written in the order of their keys, so
//! the last row of a table says how far an attempt that was broken off has come.

use opsflux_model::layout::Layout;

use super::end::{End, Mark, Purpose};
use super::tables::{self, CopiedTable, META, OWN_META, cell, size};
use super::{Copied, CopyError, MARK, Progress, Stage};
use crate::error::StoreError;
use crate::migrate::{Session, ddl};
use crate::row::Columns;
use crate::sql::{Cell, Dialect, Sql, Statement, system_tables};
use crate::sqlite::copy as sqlite;
use crate::store::DatabaseUrl;

/// What a batch takes in memory, about; the first of a table is small, since its rows are not
/// known.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
const FIRST_BATCH: u32 = 200;

/// Copies everything from one database to the other, which must be empty or hold what an earlier
/// copy of the same source has left. A batch has at most `batch` rows.
///
/// Nobody else may write to either: the caller holds the data folders. On SQLite the lock of
/// writers is held besides; on PostgreSQL servers that are connected are seen.
///
/// # Errors
/// [`CopyError`]; the source is as it was, and the copy may be begun again where it was broken
/// off.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    batch: u32,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Copied, CopyError> {
    can_copy(from, to)?;
    let mut source = End::open(from, Purpose::Source).await?;
    let (layout, mark) = source.state("source").await?;
    if source.mark().await?.is_some() {
        let text = "the source is itself a copy that is not finished".to_owned();
        return Err(CopyError::InUse(text));
    }
    let mut target = End::open(to, Purpose::Target).await?;
    let resumed = prepare(&mut target, &layout, &mark).await?;
    let tables = match (&mut source, &mut target) {
        (postgres @ End::Postgres(_), _) | (_, postgres) => {
            tables::all(&layout, &mut postgres.session()).await?
        }
    };
    let mut way = Way {
        done: 0,
        of: 0,
        batch: batch.max(1),
        progress,
    };
    for table in &tables {
        way.of += counted(&mut source, table).await?;
    }
    for table in &tables {
        way.rows(table, &mut source, &mut target).await?;
    }
    way.tell(Stage::Finishing, "");
    finish(&layout, &mark, &mut source, &mut target).await?;
    Ok(Copied {
        tables: tables.len(),
        rows: way.done,
        resumed,
    })
}

/// Whether the one is SQLite and the other PostgreSQL, before anything is touched.
///
/// # Errors
/// [`CopyError::SameKind`] with what to do instead.
pub fn can_copy(from: &DatabaseUrl, to: &DatabaseUrl) -> Result<(), CopyError> {
    match (from.place(), to.place()) {
        (Ok(_), Ok(_)) => Err(CopyError::SameKind(
            "a file is copied as a file while no server runs on it",
        )),
        (Err(_), Err(_)) => Err(CopyError::SameKind(
            "pg_dump and pg_restore copy PostgreSQL to PostgreSQL",
        )),
        _ => Ok(()),
    }
}

/// How many rows of a table there are, what waits for its place in the feed among them.
pub(super) async fn counted(end: &mut End, table: &CopiedTable) -> Result<u64, CopyError> {
    let count = end.number(&table.count()).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Makes the tables in an empty target, with the mark, all at once; true when they were there.
async fn prepare(target: &mut End, layout: &Layout, mark: &Mark) -> Result<bool, CopyError> {
    let there = target.tables().await?;
    if !there.is_empty() {
        let found = if there.iter().any(|table| table == META) {
            target.mark().await?
        } else {
            None
        };
        return match found {
            Some(found) if found == *mark => Ok(true),
            Some(_) => Err(CopyError::SourceChanged),
            None => Err(CopyError::NotEmpty(target.described(&there).await?)),
        };
    }
    let dialect = target.dialect();
    let mut session = target.session();
    session.begin().await?;
    let mut statements = system_tables::bootstrap(dialect);
    statements.extend(system_tables::raise(dialect, 0));
    let tables = layout.tables.iter();
    statements.extend(tables.map(|table| ddl::create_table(dialect, table, &table.name)));
    for statement in statements {
        session.run(&statement).await?;
    }
    let text = serde_json::to_string(mark)
        .map_err(|error| StoreError::Internal(format!("the mark of a copy: {error}")))?;
    session.execute(&meta(dialect, MARK, &text)).await?;
    session.commit(&Default::default()).await?;
    Ok(false)
}

/// Sets a row of [`META`].
fn meta(dialect: Dialect, key: &str, value: &str) -> Statement {
    let mut sql = Sql::new(dialect);
    sql.push("INSERT INTO sys_meta (key, value) VALUES (");
    sql.param(Cell::Text(key.to_owned())).push(", ");
    sql.param(Cell::Text(value.to_owned()));
    sql.push(") ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    sql.finish()
}

/// What is under way.
struct Way<'p> {
    done: u64,
    of: u64,
    batch: u32,
    progress: &'p mut dyn FnMut(Progress<'_>),
}

impl Way<'_> {
    fn tell(&mut self, stage: Stage, table: &str) {
        (self.progress)(Progress {
            stage,
            table,
            rows: self.done,
            of: self.of,
        });
    }

    /// Copies the rows of a table that are not there yet.
    async fn rows(
        &mut self,
        table: &CopiedTable,
        source: &mut End,
        target: &mut End,
    ) -> Result<(), CopyError> {
        self.done += counted(target, table).await?;
        let mut after = last_key(target, table).await?;
        for relation in table.relations(source.dialect()) {
            let mut limit = FIRST_BATCH.min(self.batch);
            loop {
                let rows = read(source, table, &relation, after.as_deref(), limit).await?;
                let Some(last) = rows.last() else { break };
                after = Some(last[..table.key].to_vec());
                write(target, table, &rows).await?;
                self.done += u64::try_from(rows.len()).unwrap_or(0);
                self.tell(Stage::Copying, &table.name);
                limit = fitting(&rows).min(self.batch);
            }
        }
        Ok(())
    }
}

/// How many rows like these a batch may have.
fn fitting(rows: &[Vec<Cell>]) -> u32 {
    let bytes: usize = rows.iter().flatten().map(size).sum();
    let each = bytes.div_ceil(rows.len().max(1)).max(1);
    u32::try_from(BATCH_BYTES / each).unwrap_or(u32::MAX).max(1)
}

async fn last_key(target: &mut End, table: &CopiedTable) -> Result<Option<Vec<Cell>>, CopyError> {
    let statement = table.last_key(target.dialect());
    let key = table.key_columns();
    let mut read = |row: &dyn Columns| {
        let cells = key.iter().enumerate();
        cells
            .map(|(at, column)| cell(row, at, column.kind))
            .collect()
    };
    Ok(target.session().rows(&statement, &mut read).await?.pop())
}

async fn read(
    source: &mut End,
    table: &CopiedTable,
    relation: &str,
    after: Option<&[Cell]>,
    limit: u32,
) -> Result<Vec<Vec<Cell>>, CopyError> {
    let statement = table.read(source.dialect(), relation, after, limit);
    let mut read = |row: &dyn Columns| {
        let cells = table.columns.iter().enumerate();
        cells
            .map(|(at, column)| cell(row, at, column.kind))
            .collect()
    };
    let rows = source.session().rows(&statement, &mut read).await;
    rows.map_err(|error| of_table(table, error.into()))
}

async fn write(target: &mut End, table: &CopiedTable, rows: &[Vec<Cell>]) -> Result<(), CopyError> {
    let dialect = target.dialect();
    let mut session = target.session();
    session.begin().await?;
    let written = match &mut session {
        Session::Sqlite(connection) => sqlite::insert(connection, &table.insert(), rows),
        Session::Postgres(session) => {
            let kinds = table.columns.iter().map(|column| column.kind);
            session.copy_in(&table.copy_in(), kinds, rows).await
        }
    };
    if let Err(error) = written {
        // What is lost with the connection is taken back as well.
        let _ = session.rollback().await;
        return Err(of_table(table, error.into()));
    }
    if let Some(statement) = table.after_batch(dialect) {
        session.run(statement).await?;
    }
    Ok(session.commit(&Default::default()).await?)
}

/// A value that does not fit is told by its table.
fn of_table(table: &CopiedTable, error: CopyError) -> CopyError {
    let reason = match error {
        CopyError::Store(StoreError::Internal(reason)) | CopyError::Failed { reason, .. } => reason,
        other => return other,
    };
    CopyError::Failed {
        what: table.name.clone(),
        reason,
    }
}

/// Makes what a target still lacks and takes the mark away, all at once.
async fn finish(
    layout: &Layout,
    mark: &Mark,
    source: &mut End,
    target: &mut End,
) -> Result<(), CopyError> {
    let question = Statement {
        text: format!("SELECT key, value FROM {META} WHERE key NOT IN {OWN_META}"),
        params: Vec::new(),
    };
    let mut read = |row: &dyn Columns| {
        let text = |at| Ok::<_, StoreError>(row.text(at)?.unwrap_or_default().to_owned());
        Ok((text(0)?, text(1)?))
    };
    let settings = source.session().rows(&question, &mut read).await?;
    let dialect = target.dialect();
    let mut session = target.session();
    session.begin().await?;
    let done = async {
        for (key, value) in &settings {
            session.execute(&meta(dialect, key, value)).await?;
        }
        for statement in place(dialect, mark.feed_end) {
            session.run(&statement).await?;
        }
        for table in &layout.tables {
            for index in &table.indexes {
                session
                    .run(&ddl::create_index(dialect, table, index))
                    .await?;
            }
        }
        links(layout, &mut session).await?;
        session
            .run(&format!("DELETE FROM {META} WHERE key = '{MARK}'"))
            .await?;
        Ok(())
    };
    if let Err(error) = done.await {
        // What is lost with the connection is taken back as well.
        let _ = session.rollback().await;
        return Err(error);
    }
    let tables = layout.tables.iter().map(|table| table.name.clone());
    Ok(session.commit(&tables.collect()).await?)
}

/// The feed goes on after its last place.
fn place(dialect: Dialect, end: i64) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => vec![
            "DELETE FROM sqlite_sequence WHERE name = 'sys_feed'".to_owned(),
            format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('sys_feed', {end})"),
        ],
        Dialect::Postgres => vec![
            format!(
                "INSERT INTO sys_meta (key, value) VALUES ('feed_pos', '{end}') \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            format!(
                "SELECT setval(pg_get_serial_sequence('sys_feed', 'seq'), {}, {})",
                end.max(1),
                end > 0
            ),
        ],
    }
}

/// Makes sure that every link points at something.
async fn links(layout: &Layout, session: &mut Session<'_>) -> Result<(), CopyError> {
    if let Session::Sqlite(connection) = session {
        let broken = sqlite::dangling(connection)?;
        return match broken.as_slice() {
            [] => Ok(()),
            [table, ..] => Err(CopyError::Failed {
                what: table.clone(),
                reason: "a link points at nothing".to_owned(),
            }),
        };
    }
    for table in &layout.tables {
        for (column, to) in ddl::foreign_keys(table) {
            session
                .run(&ddl::add_foreign_key(table, column, to))
                .await?;
        }
    }
    Ok(())
}
