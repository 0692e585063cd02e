//! How SQLite finds what lists ask for: golden files. None reads a whole table or sorts.

use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::sql::{self, Dialect};
use opsflux_store::{Living, Output, Select, Sort};

use crate::bench::{self, Bench, Place};
use crate::fixture::{at, id};

/// The steps SQLite takes for each part of a page.
fn plan(bench: &Bench, select: &Select) -> String {
    let indexes = sql::Indexes::of(&bench.schema);
    let page = sql::page(Dialect::Sqlite, &bench.schema, &indexes, select).unwrap();
    let statements = page.parts.iter().map(|part| part.text.clone());
    explain(bench, statements.collect())
}

fn explain(bench: &Bench, statements: Vec<String>) -> String {
    let Place::Folder(folder) = &bench.place else {
        unreachable!("plans are those of SQLite");
    };
    let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    let mut lines = Vec::new();
    for text in statements {
        lines.push(text.clone());
        let mut statement = file.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            lines.push(format!("  {step}"));
        }
    }
    lines.join("\n")
}

fn tickets(bench: &Bench, sort: &[(&str, bool)]) -> Select {
    let key = |(name, descending): &(&str, bool)| {
        Sort::by(
            bench.entity("ticket"),
            bench.field("ticket", name),
            *descending,
        )
    };
    Select {
        outputs: ["id", "title", "priority"]
            .map(|name| Output::Field(bench.field("ticket", name)))
            .into(),
        sort: sort.iter().map(key).collect(),
        limit: 50,
        ..bench.all("ticket")
    }
}

const NEWEST: [(&str, bool); 2] = [("created_at", true), ("id", true)];

fn is(bench: &Bench, field: &str, value: Value) -> Predicate {
    crate::filters::one_of(bench, "ticket", field, vec![value])
}

#[tokio::test]
async fn a_record_is_found_by_its_key() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &[]);
    select.filter = is(&bench, "id", Value::Id(id(1)));
    insta::assert_snapshot!(plan(&bench, &select));
}

#[tokio::test]
async fn the_default_list_walks_its_index() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    insta::assert_snapshot!("first_page", plan(&bench, &select));
    select.after = Some(vec![Value::Time(at(0)), Value::Id(id(1))]);
    insta::assert_snapshot!("next_page", plan(&bench, &select));
}

#[tokio::test]
async fn a_declared_index_serves_its_filter_and_its_sort() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    select.filter =
        is(&bench, "status", Value::from("new")).and(is(&bench, "priority", Value::from("high")));
    insta::assert_snapshot!("status_and_priority", plan(&bench, &select));
    select.after = Some(vec![Value::Time(at(0)), Value::Id(id(1))]);
    insta::assert_snapshot!("status_and_priority_next", plan(&bench, &select));
}

#[tokio::test]
async fn a_rule_of_a_department_walks_its_index_in_order() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    select.filter = is(&bench, "department", Value::Id(id(1)));
    insta::assert_snapshot!("department", plan(&bench, &select));
    select.after = Some(vec![Value::Time(at(0)), Value::Id(id(1))]);
    insta::assert_snapshot!("department_next", plan(&bench, &select));
    let departments = (1..4).map(|n| Value::Id(id(n))).collect();
    select.filter = crate::filters::one_of(&bench, "ticket", "department", departments);
    insta::assert_snapshot!("departments", plan(&bench, &select));
}

#[tokio::test]
async fn a_rule_of_many_alternatives_merges_their_walks() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    let departments = (1..3).map(|n| Value::Id(id(n))).collect();
    let rule = crate::filters::one_of(&bench, "ticket", "department", departments).or(is(
        &bench,
        "assignee",
        Value::Id(id(9)),
    ));
    select.filter = rule.and(is(&bench, "status", Value::from("new")));
    select.after = Some(vec![Value::Time(at(0)), Value::Id(id(1))]);
    insta::assert_snapshot!("alternatives", plan(&bench, &select));
    // No index begins with what the alternatives have in common: the order itself is read.
    select.filter = is(&bench, "title", Value::from("a")).or(is(&bench, "code", Value::from("b")));
    insta::assert_snapshot!("no_index", plan(&bench, &select));
}

#[tokio::test]
async fn named_records_are_fetched_beside_the_walks() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    let named = (20..50).map(|n| Value::Id(id(n))).collect();
    let named = crate::filters::one_of(&bench, "ticket", "id", named);
    select.filter = is(&bench, "department", Value::Id(id(1))).or(named);
    let plan = plan(&bench, &select);
    // Thirty parameters say nothing to a reader.
    let steps = plan.lines().filter(|line| line.starts_with(' '));
    insta::assert_snapshot!("named", steps.collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn a_sort_by_text_walks_its_index() {
    let bench = bench::sqlite().await;
    let name = |name: &str| Sort::by(bench.entity("user"), bench.field("user", name), false);
    let mut select = Select {
        sort: vec![name("full_name"), name("id")],
        limit: 50,
        ..bench.all("user")
    };
    insta::assert_snapshot!("names", plan(&bench, &select));
    select.after = Some(vec![Value::from("Zoé"), Value::Id(id(1))]);
    insta::assert_snapshot!("names_next", plan(&bench, &select));
}

#[tokio::test]
async fn a_sort_by_what_may_be_null_walks_its_index() {
    let bench = bench::sqlite().await;
    let mut select = tickets(
        &bench,
        &[("due_at", false), ("created_at", true), ("id", true)],
    );
    insta::assert_snapshot!("due", plan(&bench, &select));
    select.after = Some(vec![
        Value::Time(at(0)),
        Value::Time(at(0)),
        Value::Id(id(1)),
    ]);
    insta::assert_snapshot!("due_next", plan(&bench, &select));
}

#[tokio::test]
async fn steps_and_bins_are_found_by_index() {
    let bench = bench::sqlite().await;
    let mut select = tickets(&bench, &NEWEST);
    let step = opsflux_model::Step {
        hop: opsflux_model::predicate::Hop::Link(bench.field("ticket", "assignee")),
        to: bench.entity("user"),
        rule: Box::new(Predicate::True),
    };
    select.filter = Predicate::Test(opsflux_model::Test {
        path: opsflux_model::Path {
            steps: vec![step],
            entity: bench.entity("user"),
            field: bench.field("user", "full_name"),
        },
        operand: Operand::OneOf(vec![Value::from("Zoé")]),
    });
    insta::assert_snapshot!("through_a_link", plan(&bench, &select));
    select.filter = Predicate::True;
    select.sort = Vec::new();
    select.living = Living::By(id(1));
    insta::assert_snapshot!("one_deletion", plan(&bench, &select));
    let unique = crate::filters::one_of(&bench, "user", "email", vec![Value::from("a@b.org")]);
    let by_email = Select {
        filter: unique,
        ..bench.all("user")
    };
    insta::assert_snapshot!("by_unique_text", plan(&bench, &by_email));
}
