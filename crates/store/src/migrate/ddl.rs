//! Tables, columns and indexes of records as SQL, for both databases.
//!
//! Pure: a piece of a [`Layout`](opsflux_model::layout::Layout) becomes a readable statement.
//! Nothing here looks at a database or knows in which order statements must run.
//!
//! Constraints are named by immutable ids, so that renaming a table or a column leaves them as
//! they are and an error can be told by the name of its constraint at any time.

use opsflux_model::layout::{Column, ColumnKind, Index, IndexColumn, Table, TableKind};
use opsflux_model::schema::system;

use crate::sql::{Cell, Dialect, expr};

/// The column every table begins with.
pub(crate) const TENANT: &str = "tenant_id";

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Name of the primary key of a table.
pub(crate) fn primary_key_name(table: &Table) -> String {
    within_limit(format!("p__{}", table.id))
}

/// The column whose foreign key is called `name`.
pub(crate) fn foreign_key_column<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    let mut columns = table.columns.iter();
    let found = columns.find(|column| foreign_key_name(table, column) == name)?;
    Some(&found.name)
}

/// Name of the foreign key of a column.
pub(crate) fn foreign_key_name(table: &Table, column: &Column) -> String {
    within_limit(format!("f__{}__{}", table.id, column.id))
}

/// PostgreSQL cuts names at 63 bytes; what would be cut is replaced by a digest of the whole.
fn within_limit(name: String) -> String {
    if name.len() <= 63 {
        return name;
    }
    let kept = &name[..name.floor_char_boundary(46)];
    format!("{kept}_{:016x}", digest(name.as_bytes()))
}

/// FNV-1a: the same name at any time, on any machine.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Type of a column.
pub(crate) fn column_type(dialect: Dialect, kind: ColumnKind) -> String {
    match (dialect, kind) {
        (Dialect::Sqlite, ColumnKind::Decimal { precision, .. }) => {
            if Cell::decimal_is_integer(precision) {
                "INTEGER".to_owned()
            } else {
                "BLOB".to_owned()
            }
        }
        (Dialect::Sqlite, ColumnKind::Text) => "TEXT".to_owned(),
        (Dialect::Sqlite, ColumnKind::Id) => "BLOB".to_owned(),
        (Dialect::Sqlite, _) => "INTEGER".to_owned(),
        (Dialect::Postgres, ColumnKind::Bool) => "boolean".to_owned(),
        (Dialect::Postgres, ColumnKind::Int) => "bigint".to_owned(),
        (Dialect::Postgres, ColumnKind::Decimal { precision, scale }) => {
            format!("numeric({precision},{scale})")
        }
        // Bytewise, as SQLite compares and as the folded keys are meant.
        (Dialect::Postgres, ColumnKind::Text) => "text COLLATE \"C\"".to_owned(),
        (Dialect::Postgres, ColumnKind::Date) => "date".to_owned(),
        (Dialect::Postgres, ColumnKind::Time) => "timestamptz".to_owned(),
        (Dialect::Postgres, ColumnKind::Id) => "uuid".to_owned(),
    }
}

/// A column as it stands in CREATE TABLE and ADD COLUMN.
pub(crate) fn column_definition(dialect: Dialect, column: &Column) -> String {
    let null = if column.nullable { "" } else { " NOT NULL" };
    let kind = column_type(dialect, column.kind);
    format!("{} {kind}{null}", quoted(&column.name))
}

/// CREATE TABLE under the name `name`, which is another one than the table's while it is rebuilt.
///
/// On PostgreSQL foreign keys come later, by [`add_foreign_key`], when every table is there; on
/// SQLite they cannot come later and need not: a table may be named before it exists.
pub(crate) fn create_table(dialect: Dialect, table: &Table, name: &str) -> String {
    let tenant_type = match dialect {
        Dialect::Sqlite => "INTEGER",
        Dialect::Postgres => "bigint",
    };
    let mut lines = vec![format!("{TENANT} {tenant_type} NOT NULL")];
    let columns = table.columns.iter();
    lines.extend(columns.map(|column| column_definition(dialect, column)));
    let key = names(primary_key(table));
    lines.push(match dialect {
        Dialect::Sqlite => format!("PRIMARY KEY ({key})"),
        Dialect::Postgres => {
            let name = quoted(&primary_key_name(table));
            format!("CONSTRAINT {name} PRIMARY KEY ({key})")
        }
    });
    if dialect == Dialect::Sqlite {
        lines.extend(foreign_keys(table).map(|(column, to)| foreign_key(column, to)));
    }
    let end = match dialect {
        Dialect::Sqlite => ") STRICT",
        Dialect::Postgres => ")",
    };
    let body = lines.join(",\n  ");
    format!("CREATE TABLE {} (\n  {body}\n{end}", quoted(name))
}

/// The columns of the primary key.
pub(crate) fn primary_key(table: &Table) -> &'static [&'static str] {
    match table.kind {
        TableKind::Entity { .. } => &[TENANT, system::ID],
        TableKind::Set { .. } => &[TENANT, "owner_id", "value"],
    }
}

/// Columns that refer to a table, with the name of that table.
pub(crate) fn foreign_keys(table: &Table) -> impl Iterator<Item = (&Column, &str)> {
    let columns = table.columns.iter();
    columns.filter_map(|column| Some((column, column.references.as_deref()?)))
}

fn foreign_key(column: &Column, to: &str) -> String {
    format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        names(&[TENANT, &column.name]),
        quoted(to),
        names(&[TENANT, system::ID]),
    )
}

/// ALTER TABLE that makes a column refer to a table: PostgreSQL only.
pub(crate) fn add_foreign_key(table: &Table, column: &Column, to: &str) -> String {
    format!(
        "ALTER TABLE {} ADD CONSTRAINT {} {}",
        quoted(&table.name),
        quoted(&foreign_key_name(table, column)),
        foreign_key(column, to),
    )
}

/// CREATE INDEX. Indexes of records leave deleted rows out: lists never show them, and a deleted
/// record does not keep its unique values. That of deletions holds nothing else.
pub(crate) fn create_index(dialect: Dialect, table: &Table, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let mut columns = vec![TENANT.to_owned()];
    let indexed = index.columns.iter();
    columns.extend(indexed.map(|column| index_column(dialect, column)));
    let first = index.columns.first().map(|first| first.column.as_str());
    let mut rows = Vec::new();
    if let TableKind::Entity { soft_delete: true } = table.kind {
        let null = if first == Some(system::DELETION_ID) {
            "IS NOT NULL"
        } else {
            "IS NULL"
        };
        rows.push(format!("{} {null}", quoted(system::DELETED_AT)));
    }
    if let (true, Some(first)) = (index.filled_only, first) {
        rows.push(format!("{} IS NOT NULL", quoted(first)));
    }
    let rows = match rows.as_slice() {
        [] => String::new(),
        rows => format!(" WHERE {}", rows.join(" AND ")),
    };
    format!(
        "CREATE {unique}INDEX {} ON {} ({}){rows}",
        quoted(&index.name),
        quoted(&table.name),
        columns.join(", "),
    )
}

/// As the query that the index serves spells it, see [`expr`].
fn index_column(dialect: Dialect, column: &IndexColumn) -> String {
    let name = quoted(&column.column);
    let (compared, nullable) = match &column.codes {
        Some(codes) => {
            let place = expr::ordered(&name, codes, column.descending);
            (format!("({place})"), false)
        }
        None => (name, !expr::never_null(&column.column)),
    };
    let direction = expr::index_direction(dialect, nullable, column.descending);
    format!("{compared} {direction}")
}

fn names(columns: &[&str]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| self::quoted(name)).collect();
    quoted.join(", ")
}
