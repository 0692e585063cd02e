//! Guards hold at the moment of the commit, whoever else writes.

use opsflux_model::predicate::Order;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::{Commit, CommitError, Committed, Guard, Set, Write};
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::filters::one_of;
use crate::fixture::{id, insert};

on_both!(
    the_last_seat_is_taken_once,
    stock_is_never_overdrawn,
    no_child_joins_a_parent_that_closes,
    two_moves_close_no_ring,
    a_ring_is_seen_however_long,
    a_count_has_a_floor,
);

async fn guarded(
    bench: &Bench,
    guard: Guard,
    writes: Vec<Write>,
) -> Result<Committed, CommitError> {
    let commit = Commit {
        tenant: bench.tenant,
        guards: vec![guard],
        writes,
        ..Commit::default()
    };
    bench.store.commit(commit).await
}

/// Exactly one succeeded; the other was refused by the guard called `name`.
fn one_wins(results: [Result<Committed, CommitError>; 2], name: &str) {
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    match failed.as_slice() {
        [CommitError::Guard { name: found }] => assert_eq!(found, name),
        other => panic!("{other:?}"),
    }
}

async fn row(bench: &Bench, entity: &str, number: u128, values: &[(&str, Value)]) {
    let write = insert(&bench.schema, entity, id(number), values);
    bench.commit(vec![write]).await.unwrap();
}

fn set(bench: &Bench, entity: &str, number: u128, field: &str, set: Set) -> Write {
    Write::Update {
        entity: bench.entity(entity),
        id: id(number),
        expected_version: None,
        set: vec![(bench.field(entity, field), set)],
    }
}

async fn the_last_seat_is_taken_once(bench: Bench) {
    row(&bench, "department", 1, &[]).await;
    for round in 0..10 {
        let department = 100 * (round + 1);
        row(&bench, "department", department, &[]).await;
        let seats = || Guard::Count {
            name: "seats".to_owned(),
            entity: bench.entity("user"),
            filter: one_of(
                &bench,
                "user",
                "department",
                vec![Value::Id(id(department))],
            ),
            min: None,
            max: Some(0),
        };
        let join = |number| {
            let department = Value::Id(id(department));
            let user = insert(
                &bench.schema,
                "user",
                id(number),
                &[("department", department)],
            );
            guarded(&bench, seats(), vec![user])
        };
        let (one, other) = tokio::join!(join(department + 1), join(department + 2));
        one_wins([one, other], "seats");
    }
}

async fn stock_is_never_overdrawn(bench: Bench) {
    for round in 0..10 {
        let ticket = 100 + round;
        row(&bench, "ticket", ticket, &[("seats", Value::Int(1))]).await;
        let enough = || Guard::Exists {
            name: "stock".to_owned(),
            entity: bench.entity("ticket"),
            id: id(ticket),
            holds: Predicate::test(
                bench.entity("ticket"),
                bench.field("ticket", "seats"),
                Operand::Compare(Order::GreaterOrEqual, Value::Int(1)),
            ),
        };
        let take = || {
            let take = set(&bench, "ticket", ticket, "seats", Set::Add(-1));
            guarded(&bench, enough(), vec![take])
        };
        let (one, other) = tokio::join!(take(), take());
        one_wins([one, other], "stock");
    }
}

async fn no_child_joins_a_parent_that_closes(bench: Bench) {
    let is_new = || one_of(&bench, "ticket", "status", vec![Value::from("new")]);
    for round in 0..10 {
        let (parent, child) = (1_000 + round, 2_000 + round);
        row(&bench, "ticket", parent, &[("status", Value::from("new"))]).await;
        let no_open_child = Guard::Count {
            name: "open children".to_owned(),
            entity: bench.entity("ticket"),
            filter: one_of(&bench, "ticket", "parent", vec![Value::Id(id(parent))]).and(is_new()),
            min: None,
            max: Some(0),
        };
        let done = Set::To(Value::from("done"));
        let close = set(&bench, "ticket", parent, "status", done);
        let open_parent = Guard::Exists {
            name: "open parent".to_owned(),
            entity: bench.entity("ticket"),
            id: id(parent),
            holds: is_new(),
        };
        let values = [
            ("parent", Value::Id(id(parent))),
            ("status", Value::from("new")),
        ];
        let join = insert(&bench.schema, "ticket", id(child), &values);
        let (closed, joined) = tokio::join!(
            guarded(&bench, no_open_child, vec![close]),
            guarded(&bench, open_parent, vec![join]),
        );
        assert!(closed.is_ok() != joined.is_ok(), "{closed:?} {joined:?}");
    }
}

fn acyclic(bench: &Bench, row: Uuid, target: Uuid) -> Guard {
    Guard::Acyclic {
        name: "ring".to_owned(),
        entity: bench.entity("department"),
        field: bench.field("department", "parent"),
        id: row,
        target,
    }
}

async fn under(bench: &Bench, row: u128, target: u128) -> Result<Committed, CommitError> {
    let link = Set::To(Value::Id(id(target)));
    let write = set(bench, "department", row, "parent", link);
    guarded(bench, acyclic(bench, id(row), id(target)), vec![write]).await
}

async fn two_moves_close_no_ring(bench: Bench) {
    for round in 0..10 {
        let first = 100 * (round + 1);
        for number in first..first + 4 {
            row(&bench, "department", number, &[]).await;
        }
        under(&bench, first + 1, first).await.unwrap();
        under(&bench, first + 3, first + 2).await.unwrap();
        let (one, other) = tokio::join!(
            under(&bench, first, first + 3),
            under(&bench, first + 2, first + 1),
        );
        one_wins([one, other], "ring");
    }
}

async fn a_ring_is_seen_however_long(bench: Bench) {
    row(&bench, "department", 1, &[]).await;
    let itself = under(&bench, 1, 1).await;
    assert!(matches!(itself, Err(CommitError::Guard { .. })));
    for number in 2..60 {
        row(&bench, "department", number, &[]).await;
        under(&bench, number, number - 1).await.unwrap();
    }
    let ring = under(&bench, 1, 59).await;
    assert!(matches!(ring, Err(CommitError::Guard { .. })), "{ring:?}");
    under(&bench, 59, 30).await.unwrap();
}

async fn a_count_has_a_floor(bench: Bench) {
    let two = || Guard::Count {
        name: "two".to_owned(),
        entity: bench.entity("user"),
        filter: Predicate::True,
        min: Some(2),
        max: Some(2),
    };
    for (number, holds) in [(1, false), (2, true), (3, false)] {
        row(&bench, "user", number, &[]).await;
        let result = guarded(&bench, two(), Vec::new()).await;
        assert_eq!(result.is_ok(), holds, "with {number}");
    }
}
