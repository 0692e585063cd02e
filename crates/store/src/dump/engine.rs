//! The engine's own tables as they are dumped: known from the statements that make them.
//!
//! PostgreSQL's statements say the type of each column without doubt, so a table that a later
//! version adds is dumped without anybody thinking of it. What the two databases keep differently
//! has one form here: the feed is a table of entries with their places.

use super::{CellKind, ColumnShape, TableShape};
use crate::sql::{Dialect, system_tables};

/// Said by the shape itself, or a means of PostgreSQL to the places of the feed.
const LEFT_OUT: [&str; 3] = ["sys_layout", "sys_feed_new", "sys_feed_pos"];
/// The entries of the feed.
pub(super) const FEED: &str = "sys_feed";
/// What a database says of itself.
pub(super) const META: &str = "sys_meta";
/// Keys of [`META`] that belong to one database and do not move to another.
pub(super) const OWN_KEYS: &str = "'system_version', 'feed_pos', 'feed_epoch', 'sign'";

/// The tables of version `version` whose rows count.
pub(super) fn tables(version: i64) -> Vec<TableShape> {
    let mut tables: Vec<TableShape> = Vec::new();
    let statements = system_tables::create(Dialect::Postgres, version);
    for statement in &statements {
        if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
            tables.extend(created(rest));
        } else if let Some((name, rest)) = altered(statement)
            && let Some(table) = tables.iter_mut().find(|table| table.name == name)
        {
            table.columns.extend(column(rest));
        }
    }
    tables.retain(|table| !LEFT_OUT.contains(&table.name.as_str()));
    let feed = tables.iter_mut().find(|table| table.name == FEED);
    if let Some(place) = feed.and_then(|feed| feed.columns.first_mut()) {
        // PostgreSQL numbers rows as they are written; what counts is their place.
        "pos".clone_into(&mut place.name);
    }
    tables
}

/// `[IF NOT EXISTS] name (column TYPE …, PRIMARY KEY (a, b))`.
fn created(text: &str) -> Option<TableShape> {
    let text = text.strip_prefix("IF NOT EXISTS ").unwrap_or(text);
    let (name, body) = text.split_once(" (")?;
    let body = body.get(..body.rfind(')')?)?;
    let parts = parts(body);
    let together = parts.iter().find_map(|part| {
        let columns = part.strip_prefix("PRIMARY KEY (")?.strip_suffix(')')?;
        Some(columns.split(", ").map(str::to_owned).collect())
    });
    let alone = || {
        let mut keys = parts.iter().filter(|part| part.contains(" PRIMARY KEY"));
        let first = keys.next().and_then(|part| part.split(' ').next());
        first.map(str::to_owned).into_iter().collect()
    };
    let name = name.trim().to_owned();
    let key: Vec<String> = together.unwrap_or_else(alone);
    Some(TableShape {
        key: if name == FEED {
            vec!["pos".to_owned()]
        } else {
            key
        },
        columns: parts.iter().filter_map(|part| column(part)).collect(),
        name,
    })
}

/// `ALTER TABLE name ADD COLUMN …`.
fn altered(statement: &str) -> Option<(&str, &str)> {
    let rest = statement.strip_prefix("ALTER TABLE ")?;
    rest.split_once(" ADD COLUMN ")
}

/// `name TYPE …`; nothing for what is no column.
fn column(part: &str) -> Option<ColumnShape> {
    let mut words = part.split(' ');
    let (name, kind) = (words.next()?, words.next()?);
    let kind = match kind {
        "BOOLEAN" => CellKind::Bool,
        "BIGINT" => CellKind::Int,
        "TEXT" => CellKind::Text,
        "TIMESTAMPTZ" => CellKind::Time,
        "UUID" => CellKind::Id,
        "BYTEA" => CellKind::Bytes,
        _ => return None,
    };
    Some(ColumnShape {
        name: name.to_owned(),
        kind,
    })
}

/// What stands between the commas that are in no brackets.
fn parts(body: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, sign) in body.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.extend(body.get(start..at).map(str::trim));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(body.get(start..).map(str::trim));
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;

    use super::*;

    /// Whoever adds a table or a column to the engine's own is told here when a backup would
    /// leave it out.
    #[test]
    fn every_table_of_the_engine_is_known_with_all_its_columns() {
        let version = system_tables::version();
        let connection = Connection::open_in_memory().unwrap();
        for statement in system_tables::create(Dialect::Sqlite, version) {
            connection.execute_batch(&statement).unwrap();
        }
        let mut there = connection
            .prepare(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name LIKE 'sys\\_%' ESCAPE '\\'",
            )
            .unwrap();
        let there: BTreeSet<(String, String)> = there
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .filter(|(table, _): &(String, String)| !LEFT_OUT.contains(&table.as_str()))
            .collect();
        let known: BTreeSet<(String, String)> = tables(version)
            .iter()
            .flat_map(|table| {
                let columns = table.columns.iter();
                columns.map(|column| (table.name.clone(), column.name.clone()))
            })
            .collect();
        assert_eq!(known, there);
        let without_key = tables(version).into_iter().find(|t| t.key.is_empty());
        assert_eq!(without_key, None);
    }

    #[test]
    fn keys_and_types_are_read_from_the_statement() {
        let answers = tables(1).into_iter().find(|t| t.name == "sys_answer");
        let answers = answers.unwrap();
        assert_eq!(
            answers.key,
            ["tenant_id", "principal", "operation", "key"].map(str::to_owned)
        );
        let kind = |name: &str| {
            let mut columns = answers.columns.iter();
            columns.find(|column| column.name == name).map(|c| c.kind)
        };
        assert_eq!(kind("principal"), Some(CellKind::Id));
        assert_eq!(kind("body_hash"), Some(CellKind::Bytes));
        assert_eq!(kind("expires_at"), Some(CellKind::Time));
        assert_eq!(kind("status"), Some(CellKind::Int));
        assert_eq!(kind("PRIMARY"), None);
    }
}
