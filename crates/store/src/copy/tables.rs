//! Which tables are copied, and how their rows are read and written.
//!
//! Tables of records follow from the recorded layout. The engine's own are told by the catalogue
//! of the PostgreSQL side, which knows every type: a table added later is copied without a line
//! here. Only those that the two databases keep in different shapes are named: the feed, whose
//! order PostgreSQL keeps beside it, and `sys_meta`, some rows of which are of the database itself.

use opsflux_model::layout::{ColumnKind, Layout, Table};

use super::CopyError;
use crate::error::StoreError;
use crate::migrate::Session;
use crate::migrate::ddl::{self, TENANT};
use crate::row::Columns;
use crate::sql::{Cell, Dialect, Sql, Statement, unfit};

/// The feed as SQLite keeps it; PostgreSQL has three tables for it.
pub(super) const FEED: &str = "sys_feed";
/// Settings of the database itself among other things.
pub(super) const META: &str = "sys_meta";
/// Rows of [`META`] that say something of the one database.
pub(super) const OWN_META: &str = "('feed_pos', 'copy')";

/// Engine tables that are not copied row by row as they are.
const APART: [&str; 4] = [FEED, "sys_feed_new", "sys_feed_pos", META];

/// Columns of the engine's tables: name of the table, of the column, its type, whether it is of
/// the primary key. Those of the key first, in its order.
const CATALOGUE: &str = "SELECT t.relname::text, a.attname::text, \
     format_type(a.atttypid, NULL), \
     array_position(i.indkey::int2[], a.attnum) IS NOT NULL \
     FROM pg_class t \
     JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public' \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary \
     WHERE t.relkind IN ('r', 'p') AND left(t.relname, 4) = 'sys_' \
     ORDER BY t.relname, array_position(i.indkey::int2[], a.attnum), a.attnum";

/// Places of PostgreSQL's feed.
const PLACED: &str = "(SELECT p.pos, f.* FROM sys_feed_pos p JOIN sys_feed f ON f.seq = p.seq)";
/// What has no place yet gets those it would be given, behind the last.
const WAITING: &str = "(SELECT w.pos, f.* FROM (SELECT seq, row_number() OVER (ORDER BY seq) + \
     (SELECT coalesce(max(value::bigint), 0) FROM sys_meta WHERE key = 'feed_pos') AS pos \
     FROM sys_feed_new) w JOIN sys_feed f ON f.seq = w.seq)";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What columns of records hold.
    Declared(ColumnKind),
    /// Bytes: in tables of the engine only.
    Bytes,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopiedColumn {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A table as it is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopiedTable {
    /// Its name.
    pub(crate) name: String,
    /// Those of the primary key first.
    pub(crate) columns: Vec<CopiedColumn>,
    /// How many of them are the key.
    pub(crate) key: usize,
}

/// Every table that is copied, those of the engine first.
pub(super) async fn all(
    layout: &Layout,
    postgres: &mut Session<'_>,
) -> Result<Vec<CopiedTable>, CopyError> {
    let mut tables = engine(postgres).await?;
    tables.extend(layout.tables.iter().map(CopiedTable::of));
    Ok(tables)
}

async fn engine(postgres: &mut Session<'_>) -> Result<Vec<CopiedTable>, CopyError> {
    let statement = Statement {
        text: CATALOGUE.to_owned(),
        params: Vec::new(),
    };
    let mut read = |row: &dyn Columns| {
        let text = |at| Ok::<_, StoreError>(row.text(at)?.unwrap_or_default().to_owned());
        Ok((
            text(0)?,
            text(1)?,
            text(2)?,
            row.boolean(3)?.unwrap_or(false),
        ))
    };
    let mut tables: Vec<CopiedTable> = Vec::new();
    for (table, name, kind, of_key) in postgres.rows(&statement, &mut read).await? {
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(CopiedTable {
                name: table.clone(),
                columns: Vec::new(),
                key: 0,
            });
        }
        let Some(last) = tables.last_mut() else {
            continue;
        };
        let kind = match kind.as_str() {
            "bigint" => Kind::Declared(ColumnKind::Int),
            "boolean" => Kind::Declared(ColumnKind::Bool),
            "text" => Kind::Declared(ColumnKind::Text),
            "timestamp with time zone" => Kind::Declared(ColumnKind::Time),
            "date" => Kind::Declared(ColumnKind::Date),
            "uuid" => Kind::Declared(ColumnKind::Id),
            "bytea" => Kind::Bytes,
            other => return Err(unfit(format!("{table}.{name} is {other}")).into()),
        };
        last.key += usize::from(of_key);
        last.columns.push(CopiedColumn { name, kind });
    }
    // Its number is the place here, and of no meaning there.
    for feed in tables.iter_mut().filter(|table| table.name == FEED) {
        for column in feed
            .columns
            .iter_mut()
            .filter(|column| column.name == "seq")
        {
            "pos".clone_into(&mut column.name);
        }
    }
    tables.retain(|table| table.name == FEED || !APART.contains(&table.name.as_str()));
    Ok(tables)
}

impl CopiedTable {
    fn of(table: &Table) -> CopiedTable {
        let key = ddl::primary_key(table);
        let column = |name: &str| {
            let found = table.columns.iter().find(|column| column.name == name);
            // Only the tenant is none of the layout's columns.
            let kind = found.map_or(ColumnKind::Int, |column| column.kind);
            CopiedColumn {
                name: name.to_owned(),
                kind: Kind::Declared(kind),
            }
        };
        let others = table.columns.iter().map(|column| column.name.as_str());
        let others = others.filter(|name| !key.contains(name));
        debug_assert_eq!(key.first(), Some(&TENANT));
        CopiedTable {
            name: table.name.clone(),
            columns: key.iter().copied().chain(others).map(column).collect(),
            key: key.len(),
        }
    }

    fn is_feed(&self) -> bool {
        self.name == FEED
    }

    /// What its rows are read from, one after the other: ends are keys of the next.
    pub(super) fn relations(&self, dialect: Dialect) -> Vec<String> {
        match dialect {
            Dialect::Postgres if self.is_feed() => vec![PLACED.to_owned(), WAITING.to_owned()],
            _ => vec![ddl::quoted(&self.name)],
        }
    }

    /// Answers how many rows there are.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM {}", ddl::quoted(&self.name))
    }

    /// The next rows of a relation after a key.
    pub(super) fn read(
        &self,
        dialect: Dialect,
        relation: &str,
        after: Option<&[Cell]>,
        limit: u32,
    ) -> Statement {
        let mut sql = Sql::new(dialect);
        sql.push("SELECT ");
        names(&mut sql, &self.columns, "");
        sql.push(" FROM ").push(relation).push(" t");
        if let Some(after) = after {
            sql.push(" WHERE (");
            names(&mut sql, self.key_columns(), "");
            sql.push(") > (");
            for (place, cell) in after.iter().enumerate() {
                sql.push(if place > 0 { ", " } else { "" });
                sql.param(cell.clone());
            }
            sql.push(")");
        }
        sql.push(" ORDER BY ");
        names(&mut sql, self.key_columns(), "");
        sql.push(" LIMIT ").param(Cell::Int(i64::from(limit)));
        sql.finish()
    }

    /// The key of the last row.
    pub(super) fn last_key(&self, dialect: Dialect) -> Statement {
        let mut sql = Sql::new(dialect);
        sql.push("SELECT ");
        names(&mut sql, self.key_columns(), "");
        // What is being copied has no rows without a place.
        let relations = self.relations(dialect);
        sql.push(" FROM ").push(&relations[0]).push(" t ORDER BY ");
        names(&mut sql, self.key_columns(), " DESC");
        sql.push(" LIMIT 1");
        sql.finish()
    }

    pub(super) fn key_columns(&self) -> &[CopiedColumn] {
        &self.columns[..self.key]
    }

    /// The names of the columns as the target's table has them.
    fn target_names(&self, dialect: Dialect) -> String {
        let renamed = dialect == Dialect::Postgres && self.is_feed();
        let names = self
            .columns
            .iter()
            .map(|column| match column.name.as_str() {
                "pos" if renamed => "seq".to_owned(),
                name => ddl::quoted(name),
            });
        names.collect::<Vec<_>>().join(", ")
    }

    /// SQLite: writes one row.
    pub(super) fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|n| format!("?{n}")).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            ddl::quoted(&self.name),
            self.target_names(Dialect::Sqlite),
            places.join(", ")
        )
    }

    /// PostgreSQL: writes rows as they come.
    pub(super) fn copy_in(&self) -> String {
        format!(
            "COPY {} ({}) FROM STDIN BINARY",
            ddl::quoted(&self.name),
            self.target_names(Dialect::Postgres)
        )
    }

    /// What a batch needs besides its rows.
    pub(super) fn after_batch(&self, dialect: Dialect) -> Option<&'static str> {
        (dialect == Dialect::Postgres && self.is_feed()).then_some(
            "INSERT INTO sys_feed_pos (pos, seq) SELECT seq, seq FROM sys_feed \
             WHERE seq > (SELECT coalesce(max(pos), 0) FROM sys_feed_pos)",
        )
    }
}

fn names(sql: &mut Sql, columns: &[CopiedColumn], after: &str) {
    for (place, column) in columns.iter().enumerate() {
        sql.push(if place > 0 { ", t." } else { "t." });
        sql.name(&column.name).push(after);
    }
}

/// What stands in a column, to be written elsewhere.
pub(super) fn cell(row: &dyn Columns, at: usize, kind: Kind) -> Result<Cell, StoreError> {
    let cell = match kind {
        Kind::Declared(ColumnKind::Bool) => row.boolean(at)?.map(Cell::Bool),
        Kind::Declared(ColumnKind::Int) => row.int(at)?.map(Cell::Int),
        Kind::Declared(ColumnKind::Decimal { precision, scale }) => row
            .decimal(at, precision, scale)?
            .map(|value| Cell::Decimal {
                value,
                precision,
                scale,
            }),
        Kind::Declared(ColumnKind::Text) => row.text(at)?.map(|text| Cell::Text(text.to_owned())),
        Kind::Declared(ColumnKind::Date) => row.date(at)?.map(Cell::Date),
        Kind::Declared(ColumnKind::Time) => row.time(at)?.map(Cell::Time),
        Kind::Declared(ColumnKind::Id) => row.id(at)?.map(Cell::Id),
        Kind::Bytes => row.bytes(at)?.map(|bytes| Cell::Bytes(bytes.to_vec())),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

/// What a cell takes in memory, about.
pub(super) fn size(cell: &Cell) -> usize {
    size_of::<Cell>()
        + match cell {
            Cell::Text(text) => text.len(),
            Cell::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
}
