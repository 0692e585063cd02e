//! Predicates mean in SQL what they mean in memory.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use opsflux_model::predicate::Order;
use opsflux_model::{Operand, Predicate, Schema, Value};
use opsflux_store::{Commit, Living, Output, Sort, Write};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;

use crate::bench::{BUDGET, Bench, on_both};
use crate::fixture::{self, at, id, insert};
use crate::random::{self, InMemory, Rows};

on_both!(
    any_predicate_holds_in_sql_where_it_holds_in_memory,
    counting_stops_at_the_cap,
    what_a_row_allows_is_an_output,
    long_lists_of_values_are_one_list,
    deleted_rows_are_seen_when_asked_for,
    a_budget_ends_a_query,
);

/// The field is one of these.
pub fn one_of(bench: &Bench, entity: &str, field: &str, values: Vec<Value>) -> Predicate {
    let operand = Operand::OneOf(values);
    Predicate::test(bench.entity(entity), bench.field(entity, field), operand)
}

/// The folded text contains this.
pub fn contains(bench: &Bench, entity: &str, field: &str, part: &str) -> Predicate {
    let operand = Operand::Contains(part.to_owned());
    Predicate::test(bench.entity(entity), bench.field(entity, field), operand)
}

async fn any_predicate_holds_in_sql_where_it_holds_in_memory(bench: Bench) {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    let schema = SCHEMA.get_or_init(fixture::schema);
    let predicates = proptest::collection::vec(random::predicate(schema), 20);
    let cases = (random::rows(schema), predicates);
    let mut runner = TestRunner::new(Config {
        cases: 100,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    });
    let tenants = AtomicI64::new(1);
    let handle = Handle::current();
    let ran = tokio::task::block_in_place(|| {
        runner.run(&cases, |(rows, predicates)| {
            // Shrinking runs cases again: each gets a tenant of its own.
            let tenant = tenants.fetch_add(1, Ordering::Relaxed);
            handle.block_on(agree(&bench, tenant, &rows, &predicates))
        })
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}

async fn agree(
    bench: &Bench,
    tenant: i64,
    rows: &Rows,
    predicates: &[Predicate],
) -> Result<(), TestCaseError> {
    store(bench, tenant, rows).await;
    let mut select = bench.all("thing");
    select.tenant = tenant;
    let id = bench.field("thing", "id");
    select.sort = vec![Sort::by(bench.entity("thing"), id, false)];
    for predicate in predicates {
        let things = rows
            .iter()
            .filter(|row| row.entity == "thing" && !row.deleted);
        let schema: &Schema = &bench.schema;
        let expected: Vec<Value> = things
            .filter(|row| predicate.holds(schema, &InMemory { schema, rows, row }))
            .map(|row| Value::Id(row.id))
            .collect();
        select.filter = predicate.clone();
        let found = bench.column(&select).await;
        if found != expected {
            let text = format!("{predicate:?}\nin memory {expected:?}\nin SQL {found:?}");
            return Err(TestCaseError::fail(text));
        }
        let count = bench.store.count_up_to(&select, 100, BUDGET).await.unwrap();
        assert_eq!(count, expected.len() as u64);
    }
    Ok(())
}

/// Writes rows that may point at each other in any way: links come after all rows are there.
async fn store(bench: &Bench, tenant: i64, rows: &Rows) {
    let mut writes = Vec::new();
    for row in rows {
        writes.push(insert(&bench.schema, row.entity, row.id, &[]));
    }
    for row in rows {
        let set = row.values.iter();
        writes.push(Write::Update {
            entity: bench.entity(row.entity),
            id: row.id,
            expected_version: Some(1),
            set: set
                .map(|(field, value)| (*field, opsflux_store::Set::To(value.clone())))
                .collect(),
        });
        if row.deleted {
            writes.push(Write::Mark {
                entity: bench.entity(row.entity),
                id: row.id,
                expected_version: Some(1),
                deletion: Some((at(9), id(999))),
            });
        }
    }
    let commit = Commit {
        tenant,
        writes,
        ..Commit::default()
    };
    bench.store.commit(commit).await.unwrap();
}

async fn counting_stops_at_the_cap(bench: Bench) {
    let things = (0..20).map(|n| insert(&bench.schema, "thing", id(n), &[]));
    bench.commit(things.collect()).await.unwrap();
    let select = bench.all("thing");
    let count = |cap| bench.store.count_up_to(&select, cap, BUDGET);
    assert_eq!(count(7).await.unwrap(), 7);
    assert_eq!(count(20).await.unwrap(), 20);
    assert_eq!(count(21).await.unwrap(), 20);
}

async fn what_a_row_allows_is_an_output(bench: Bench) {
    let things = [(1, Some(1)), (2, Some(5)), (3, None)].map(|(n, count)| {
        let count = Value::from(count.map(i64::from));
        insert(&bench.schema, "thing", id(n), &[("count", count)])
    });
    bench.commit(things.into()).await.unwrap();
    let small = Predicate::test(
        bench.entity("thing"),
        bench.field("thing", "count"),
        Operand::Compare(Order::Less, Value::Int(3)),
    );
    let mut select = bench.all("thing");
    select.sort = vec![Sort::by(
        bench.entity("thing"),
        bench.field("thing", "id"),
        false,
    )];
    select.outputs = vec![
        Output::Holds(small.clone()),
        Output::Holds(Predicate::Not(Box::new(small))),
        Output::Holds(Predicate::True),
    ];
    let yes = Value::Bool(true);
    let no = Value::Bool(false);
    assert_eq!(
        bench.rows(&select).await,
        [
            [yes.clone(), no.clone(), yes.clone()],
            [no.clone(), yes.clone(), yes.clone()],
            // Nothing is not below three, and therefore not below three is true of it.
            [no, yes.clone(), yes],
        ]
    );
}

async fn long_lists_of_values_are_one_list(bench: Bench) {
    let things = (0..5).map(|n| insert(&bench.schema, "thing", id(n), &[]));
    bench.commit(things.collect()).await.unwrap();
    let mut select = bench.all("thing");
    let many = (3..3_000).map(|n| Value::Id(id(n))).collect();
    select.filter = one_of(&bench, "thing", "id", many);
    assert_eq!(bench.rows(&select).await.len(), 2);
}

async fn deleted_rows_are_seen_when_asked_for(bench: Bench) {
    let things = (1..4).map(|n| insert(&bench.schema, "thing", id(n), &[]));
    bench.commit(things.collect()).await.unwrap();
    for (n, deletion) in [(1, 100), (2, 200)] {
        let mark = Write::Mark {
            entity: bench.entity("thing"),
            id: id(n),
            expected_version: Some(1),
            deletion: Some((at(5), id(deletion))),
        };
        bench.commit(vec![mark]).await.unwrap();
    }
    let mut select = bench.all("thing");
    let ids = |numbers: &[u128]| {
        numbers
            .iter()
            .map(|n| Value::Id(id(*n)))
            .collect::<Vec<_>>()
    };
    for (living, expected) in [
        (Living::Only, ids(&[3])),
        (Living::Deleted, ids(&[1, 2])),
        (Living::By(id(200)), ids(&[2])),
        (Living::Any, ids(&[1, 2, 3])),
    ] {
        select.living = living;
        select.sort = vec![Sort::by(
            bench.entity("thing"),
            bench.field("thing", "id"),
            false,
        )];
        assert_eq!(bench.column(&select).await, expected, "{living:?}");
    }
    select.living = Living::By(id(100));
    select.outputs = vec![Output::System("deleted_at"), Output::System("deletion_id")];
    let row = [Value::Time(at(5)), Value::Id(id(100))];
    assert_eq!(bench.rows(&select).await, [row]);
}

async fn a_budget_ends_a_query(bench: Bench) {
    // Each of 3,000 rows asks all others for a text that none has.
    let things: Vec<Write> = (0..3_000)
        .map(|n| {
            let title = Value::from(format!("thing {n}"));
            insert(&bench.schema, "thing", id(n), &[("title", title)])
        })
        .collect();
    bench.commit(things).await.unwrap();
    let mut select = bench.all("sighting");
    select.entity = bench.entity("thing");
    let mut filter = contains(&bench, "thing", "title", "nothing");
    for part in 0..150 {
        filter = filter.or(contains(
            &bench,
            "thing",
            "title",
            &format!("nothing {part}"),
        ));
    }
    select.filter = filter;
    select.outputs = Vec::new();
    let budget = std::time::Duration::from_micros(100);
    let store = Arc::clone(&bench.store);
    let ended = store.count_up_to(&select, 10, budget).await;
    assert!(
        matches!(ended, Err(opsflux_store::StoreError::Timeout)),
        "{ended:?}"
    );
    // The connection is as good as new.
    assert_eq!(
        store
            .count_up_to(&bench.all("thing"), 10, BUDGET)
            .await
            .unwrap(),
        10
    );
}
