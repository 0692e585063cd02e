//! An end of a copy: a database that is read or made, held by this process alone.

use opsflux_model::layout::Layout;
use serde::{Deserialize, Serialize};

use super::tables::META;
use super::{CopyError, MARK};
use crate::migrate::Session;
use crate::migrate::ddl::quoted;
use crate::migrate::recorded::Recorded;
use crate::postgres::copy::PostgresEnd;
use crate::row::Columns;
use crate::sql::{Dialect, Statement, system_tables};
use crate::sqlite::copy as sqlite;
use crate::store::DatabaseUrl;

/// What an end is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is copied; nobody may write meanwhile.
    Source,
    /// It is made.
    Target,
    /// It is compared.
    Compared,
}

/// An open database.
pub(crate) enum End {
    Sqlite(rusqlite::Connection),
    Postgres(Box<PostgresEnd>),
}

/// By what a source is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Its oldest tenant.
    tenant: Option<String>,
    /// How often its tables have changed.
    tables: i64,
    /// How far its feed goes.
    pub(super) feed_end: i64,
}

impl End {
    pub(super) async fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<End, CopyError> {
        Ok(match url.place() {
            Ok(file) => End::Sqlite(sqlite::open(file, purpose)?),
            Err(address) => End::Postgres(Box::new(PostgresEnd::open(address, purpose).await?)),
        })
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            End::Sqlite(_) => Dialect::Sqlite,
            End::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            End::Sqlite(connection) => Session::Sqlite(connection),
            End::Postgres(end) => Session::Postgres(end.session()),
        }
    }

    /// The number that a question answers; 0 without one.
    pub(super) async fn number(&mut self, question: &str) -> Result<i64, CopyError> {
        let mut read = |row: &dyn Columns| Ok(row.int(0)?.unwrap_or(0));
        let rows = self.session().rows(&asked(question), &mut read).await?;
        Ok(rows.first().copied().unwrap_or(0))
    }

    /// The tables that are there, but for those that an extension of the server brought.
    pub(super) async fn tables(&mut self) -> Result<Vec<String>, CopyError> {
        let question = match self.dialect() {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' \
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            }
            Dialect::Postgres => {
                "SELECT t.relname::text FROM pg_class t JOIN pg_namespace n \
                 ON n.oid = t.relnamespace AND n.nspname = 'public' \
                 WHERE t.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS \
                 (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass \
                 AND d.objid = t.oid AND d.deptype = 'e') ORDER BY t.relname"
            }
        };
        let mut read = |row: &dyn Columns| Ok(row.text(0)?.unwrap_or_default().to_owned());
        Ok(self.session().rows(&asked(question), &mut read).await?)
    }

    /// What the layout of the records is, and how a source is known again.
    ///
    /// # Errors
    /// [`CopyError::Foreign`] and [`CopyError::Release`] when its tables are not those of this release.
    pub(super) async fn state(&mut self, end: &'static str) -> Result<(Layout, Mark), CopyError> {
        let known = system_tables::version();
        let is_ours = self.tables().await?.iter().any(|table| table == META);
        let found = if is_ours {
            self.session().text(system_tables::READ_VERSION).await?
        } else {
            None
        };
        let found = found.ok_or(CopyError::Foreign(end))?;
        if found != known.to_string() {
            return Err(CopyError::Release { end, found, known });
        }
        let recorded = self.session().text(Recorded::READ).await?;
        let recorded = recorded.map_or(Ok(Recorded::default()), |text| Recorded::parse(&text))?;
        let oldest = match self.dialect() {
            Dialect::Sqlite => "SELECT lower(hex(id)) FROM sys_tenant ORDER BY number LIMIT 1",
            Dialect::Postgres => {
                "SELECT replace(id::text, '-', '') FROM sys_tenant ORDER BY number LIMIT 1"
            }
        };
        let mark = Mark {
            tenant: self.session().text(oldest).await?,
            tables: recorded.version,
            feed_end: self.number(feed_end(self.dialect())).await?,
        };
        Ok((recorded.layout, mark))
    }

    /// What stands in a target that is not whole yet.
    pub(super) async fn mark(&mut self) -> Result<Option<Mark>, CopyError> {
        let question = format!("SELECT value FROM {META} WHERE key = '{MARK}'");
        let text = self.session().text(&question).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// What keeps a target from being one, for a person: its largest tables.
    pub(super) async fn described(&mut self, tables: &[String]) -> Result<String, CopyError> {
        let mut counted = Vec::new();
        for table in tables {
            let count = format!("SELECT count(*) FROM {}", quoted(table));
            counted.push((self.number(&count).await?, table));
        }
        counted.sort_by_key(|(rows, table)| (-rows, (*table).clone()));
        let shown = counted.iter().take(5);
        let mut shown: Vec<String> = shown
            .map(|(n, table)| format!("{table} ({n} rows)"))
            .collect();
        if counted.len() > shown.len() {
            shown.push(format!("{} more tables", counted.len() - shown.len()));
        }
        Ok(shown.join(", "))
    }
}

/// How far the feed goes when everything in it has its place.
pub(super) fn feed_end(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT max(seq) FROM sqlite_sequence WHERE name = 'sys_feed'",
        Dialect::Postgres => {
            "SELECT coalesce(max(value::bigint), 0) + (SELECT count(*) FROM sys_feed_new) \
             FROM sys_meta WHERE key = 'feed_pos'"
        }
    }
}

fn asked(question: &str) -> Statement {
    Statement {
        text: question.to_owned(),
        params: Vec::new(),
    }
}
