//! Which tables follow from a small schema.

use std::fmt::Write as _;

use super::*;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
number = "TIC-{seq:06}"
unique = [["company", "code"]]
index = [["status", "priority", "-created_at"], ["assignee", "-priority", "due_at"]]
[list]
columns = ["number", "title"]
sort = ["-priority"]
[fields]
title = { type = "text", required = true }
code = { type = "text" }
status = { type = "state", initial = "new" }
priority = { type = "choice", options = ["low", "high"] }
assignee = { type = "link", to = "user" }
parent = { type = "link", to = "ticket", acyclic = true, inverse = "children" }
watchers = { type = "links", to = "user" }
about = { type = "any_link", to = "*", index = true }
cost = { type = "money" }
place = { type = "geo" }
due_at = { type = "datetime" }
tags = { type = "tags" }
body = { type = "rich_text" }
key = { type = "secret" }
steps = { type = "rollup", of = "children", op = "count" }
[scope]
own = ["assignee", "watchers", "created_by"]
[states]
new = {}
"#;

const USER: &str = r#"
name = "user"
collection = "users"
title = "email"
[fields]
email = { type = "email", unique = true }
[permissions.guest]
view = "own"
"#;

const COMPANY: &str = "name = \"company\"\ncollection = \"companies\"\ntitle = \"name\"\n[fields]\nname = { type = \"text\" }";

const VISIT: &str = r#"
name = "visit"
collection = "visits"
title = "id"
kind = "log"
[fields]
user = { type = "link", to = "user", on_delete = "cascade" }
"#;

fn schema() -> Schema {
    Schema::from_declarations(&[TICKET, USER, COMPANY, VISIT], "").unwrap()
}

/// A layout as one reads it.
fn readable(layout: &Layout) -> String {
    let mut text = String::new();
    for table in &layout.tables {
        let _ = writeln!(text, "{} ({})", table.name, table.id);
        for column in &table.columns {
            let null = if column.nullable { "" } else { " not null" };
            let to = column.references.as_ref().map(|to| format!(" → {to}"));
            let (name, id, kind) = (&column.name, &column.id, &column.kind);
            let _ = writeln!(
                text,
                "  {name} {kind:?}{null}{}  [{id}]",
                to.unwrap_or_default()
            );
        }
        for index in &table.indexes {
            let unique = if index.unique { "unique" } else { "index" };
            let columns = index.columns.iter().map(|column| {
                let sign = if column.descending { "-" } else { "" };
                let order = column.codes.as_ref().map(|codes| format!("{codes:?}"));
                format!("{sign}{}{}", column.column, order.unwrap_or_default())
            });
            let filled = if index.filled_only { " filled" } else { "" };
            let _ = writeln!(
                text,
                "  {unique} {}{filled}",
                columns.collect::<Vec<_>>().join(", ")
            );
        }
    }
    text
}

#[test]
fn tables_columns_and_indexes_of_a_small_schema() {
    insta::assert_snapshot!(readable(&Layout::of(&schema())));
}

#[test]
fn a_layout_is_read_back_as_it_was_recorded() {
    let layout = Layout::of(&schema());
    let text = serde_json::to_string(&layout).unwrap();
    assert_eq!(serde_json::from_str::<Layout>(&text).unwrap(), layout);
}

#[test]
fn names_too_long_for_postgresql_stay_different() {
    let long = "x".repeat(60);
    let (one, two) = (
        short_name(&format!("{long}_one")),
        short_name(&format!("{long}_two")),
    );
    assert!(one.len() <= 63 && two.len() <= 63);
    assert_ne!(one, two);
    assert_eq!(short_name("short"), "short");
    // A cut inside a letter would be no name at all.
    assert!(short_name(&"é".repeat(40)).len() <= 63);
}

#[test]
fn no_two_indexes_of_a_database_share_a_name() {
    let layout = Layout::of(&schema());
    let mut names: Vec<_> = layout
        .tables
        .iter()
        .flat_map(|table| &table.indexes)
        .map(|index| &index.name)
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
