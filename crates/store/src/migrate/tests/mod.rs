//! What cannot be seen from outside: the SQL itself, and that a rebuild notices lost rows.

use opsflux_model::Schema;
use opsflux_model::layout::Layout;
use opsflux_model::migrate::{self, Step, Wishes};
use rusqlite::Connection;

use super::rebuild::{Former, Rebuild};
use super::script::Script;
use super::{MigrationError, ddl};
use crate::sql::Dialect;
use crate::sqlite::tables as sqlite;

const PLACE: &str = r#"
name = "place"
collection = "places"
title = "title"
icon = "map"
[fields]
title = { type = "text" }
"#;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
icon = "ticket"
number = "TIC-{seq:06}"
unique = [["priority", "title"]]
[list]
columns = ["title"]
sort = ["-priority"]
[fields]
title = { type = "text" }
priority = { type = "choice", options = ["low", "high"] }
cost = { type = "decimal", precision = 8, scale = 2 }
tags = { type = "tags" }
"#;

fn layout(entities: &[&str]) -> Layout {
    Layout::of(&Schema::from_declarations(entities, "").unwrap())
}

/// The statements from one layout to another, as a person reads them.
fn statements(dialect: Dialect, from: &Layout, to: &Layout) -> String {
    let plan = migrate::plan(from, to, &Wishes::default()).unwrap();
    let mut layout = from.clone();
    let all: Vec<Step> = plan.expand.into_iter().chain(plan.contract).collect();
    Script::of(dialect, &mut layout, &all)
        .readable()
        .join(";\n")
}

#[test]
fn tables_are_made_as_each_database_wants_them() {
    let made = layout(&[PLACE, TICKET]);
    let nothing = Layout::default();
    insta::assert_snapshot!(
        "tables_on_sqlite",
        statements(Dialect::Sqlite, &nothing, &made)
    );
    insta::assert_snapshot!(
        "tables_on_postgres",
        statements(Dialect::Postgres, &nothing, &made)
    );
}

#[test]
fn tables_are_changed_as_each_database_can() {
    let before = layout(&[PLACE, TICKET]);
    let more = TICKET.replace("precision = 8", "precision = 12").replace(
        "tags = ",
        "place = { type = \"link\", to = \"place\" }\ntags = ",
    );
    let after = layout(&[PLACE, &more]);
    insta::assert_snapshot!(
        "changes_on_sqlite",
        statements(Dialect::Sqlite, &before, &after)
    );
    insta::assert_snapshot!(
        "changes_on_postgres",
        statements(Dialect::Postgres, &before, &after)
    );
}

#[test]
fn long_names_are_cut_to_what_postgresql_keeps_and_stay_different() {
    let layout = layout(&[PLACE]);
    let mut table = layout.tables[0].clone();
    table.id = "e_".to_owned() + &"é".repeat(40);
    let names = [
        ddl::primary_key_name(&table),
        ddl::foreign_key_name(&table, &table.columns[0]),
    ];
    table.id.push('x');
    let others = [
        ddl::primary_key_name(&table),
        ddl::foreign_key_name(&table, &table.columns[0]),
    ];
    for (name, other) in names.iter().zip(&others) {
        assert!(name.len() <= 63 && other.len() <= 63 && name != other);
    }
}

/// A file with a parent, a child table that somebody made to follow its parent, and a rebuild.
fn parent_and_child() -> (Connection, Rebuild) {
    let mut layout = layout(&[PLACE]);
    let parent = layout.tables[0].clone();
    let connection = Connection::open_in_memory().unwrap();
    let made = [
        ddl::create_table(Dialect::Sqlite, &parent, &parent.name),
        "CREATE TABLE child (tenant_id INTEGER, place BLOB, FOREIGN KEY (tenant_id, place) \
         REFERENCES r_place (tenant_id, id) ON DELETE CASCADE) STRICT"
            .to_owned(),
        "INSERT INTO r_place (tenant_id, id, version, created_at, updated_at) VALUES
         (1, x'01', 1, 0, 0), (1, x'02', 1, 0, 0)"
            .to_owned(),
        "INSERT INTO child VALUES (1, x'01'), (1, x'02')".to_owned(),
    ];
    for statement in made {
        sqlite::run(&connection, &statement).unwrap();
    }
    let former = Former::of(&parent);
    let mut child = parent.clone();
    child.name = "child".to_owned();
    child.columns.retain(|column| column.name == "id");
    child.columns[0].references = Some("r_place".to_owned());
    layout.tables.push(child);
    let rebuild = Rebuild::of(&layout, "r_place", &former).unwrap();
    assert_eq!(rebuild.counted, ["r_place", "child"]);
    (connection, rebuild)
}

fn children(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM child", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn with_foreign_keys_on_a_rebuild_would_lose_rows_and_is_taken_back() {
    let (connection, rebuild) = parent_and_child();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    sqlite::run(&connection, "BEGIN IMMEDIATE").unwrap();
    let lost = sqlite::rebuild(&connection, &rebuild);
    let Err(MigrationError::Failed { reason, .. }) = lost else {
        panic!("{lost:?}");
    };
    assert_eq!(reason, "child had 2 rows and would have 0");
    sqlite::rollback(&connection).unwrap();
    assert_eq!(children(&connection), 2);
}

#[test]
fn switching_foreign_keys_off_inside_the_transaction_does_not_help_and_is_noticed() {
    let (connection, rebuild) = parent_and_child();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    sqlite::run(&connection, "BEGIN IMMEDIATE").unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    assert!(sqlite::rebuild(&connection, &rebuild).is_err());
    sqlite::rollback(&connection).unwrap();
    assert_eq!(children(&connection), 2);
}

#[test]
fn with_foreign_keys_off_before_the_transaction_every_row_stays() {
    let (connection, rebuild) = parent_and_child();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    sqlite::run(&connection, "BEGIN IMMEDIATE").unwrap();
    sqlite::rebuild(&connection, &rebuild).unwrap();
    sqlite::run(&connection, "COMMIT").unwrap();
    assert_eq!(children(&connection), 2);
}

#[test]
fn a_link_that_points_at_nothing_stops_a_rebuild() {
    let (connection, rebuild) = parent_and_child();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    sqlite::run(&connection, "DELETE FROM r_place WHERE id = x'02'").unwrap();
    sqlite::run(&connection, "BEGIN IMMEDIATE").unwrap();
    let broken = sqlite::rebuild(&connection, &rebuild);
    let Err(MigrationError::Failed { reason, .. }) = broken else {
        panic!("{broken:?}");
    };
    assert_eq!(reason, "1 links of child point at nothing");
}
