//! A row is changed by who has seen it as it is.

use opsflux_model::Value;
use opsflux_store::{CommitError, Output, Set, Write};

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id, insert};

on_both!(
    of_two_writers_of_one_version_one_wins,
    a_failed_write_takes_back_the_whole_change,
    sets_obey_the_version_too,
    a_row_is_deleted_and_restored_once,
);

fn rename(bench: &Bench, version: Option<i64>, title: &str) -> Write {
    let set = |name: &str, value: Value| (bench.field("thing", name), Set::To(value));
    Write::Update {
        entity: bench.entity("thing"),
        id: id(1),
        expected_version: version,
        set: vec![
            set("title", Value::from(title)),
            set("version", Value::Int(version.unwrap_or(0) + 1)),
        ],
    }
}

fn conflicts<T: std::fmt::Debug>(result: Result<T, CommitError>) {
    match result {
        Err(CommitError::Version { entity, id: row }) => {
            assert_eq!((entity.as_str(), row), ("thing", id(1)));
        }
        other => panic!("{other:?}"),
    }
}

async fn title(bench: &Bench) -> Value {
    let mut select = bench.all("thing");
    select.outputs = vec![Output::Field(bench.field("thing", "title"))];
    bench.column(&select).await.remove(0)
}

async fn of_two_writers_of_one_version_one_wins(bench: Bench) {
    bench
        .commit(vec![insert(&bench.schema, "thing", id(1), &[])])
        .await
        .unwrap();
    let one = bench.commit(vec![rename(&bench, Some(1), "one")]);
    let other = bench.commit(vec![rename(&bench, Some(1), "other")]);
    let (one, other) = tokio::join!(one, other);
    let expected = if one.is_ok() {
        conflicts(other);
        "one"
    } else {
        conflicts(one);
        other.unwrap();
        "other"
    };
    assert_eq!(title(&bench).await, Value::from(expected));
    conflicts(bench.commit(vec![rename(&bench, Some(1), "late")]).await);
    bench
        .commit(vec![rename(&bench, None, "whatever")])
        .await
        .unwrap();
    assert_eq!(title(&bench).await, Value::from("whatever"));
}

async fn a_failed_write_takes_back_the_whole_change(bench: Bench) {
    bench
        .commit(vec![insert(&bench.schema, "thing", id(1), &[])])
        .await
        .unwrap();
    let second = insert(&bench.schema, "thing", id(2), &[]);
    let result = bench
        .commit(vec![second, rename(&bench, Some(7), "no")])
        .await;
    conflicts(result);
    assert_eq!(bench.rows(&bench.all("thing")).await.len(), 1);
}

async fn sets_obey_the_version_too(bench: Bench) {
    bench
        .commit(vec![insert(&bench.schema, "thing", id(1), &[])])
        .await
        .unwrap();
    let tag = |version| Write::Update {
        entity: bench.entity("thing"),
        id: id(1),
        expected_version: Some(version),
        set: vec![(
            bench.field("thing", "tags"),
            Set::Members {
                add: vec![Value::from("new")],
                remove: Vec::new(),
            },
        )],
    };
    conflicts(bench.commit(vec![tag(2)]).await);
    bench.commit(vec![tag(1)]).await.unwrap();
}

async fn a_row_is_deleted_and_restored_once(bench: Bench) {
    bench
        .commit(vec![insert(&bench.schema, "thing", id(1), &[])])
        .await
        .unwrap();
    let mark = |deletion: Option<u128>| Write::Mark {
        entity: bench.entity("thing"),
        id: id(1),
        expected_version: None,
        deletion: deletion.map(|number| (at(1), id(number))),
    };
    conflicts(bench.commit(vec![mark(None)]).await);
    bench.commit(vec![mark(Some(50))]).await.unwrap();
    conflicts(bench.commit(vec![mark(Some(51))]).await);
    bench.commit(vec![mark(None)]).await.unwrap();
    let mut select = bench.all("thing");
    select.outputs = vec![Output::Field(bench.field("thing", "version"))];
    assert_eq!(bench.column(&select).await, [Value::Int(3)]);
}
