//! Changes that meet others, or an end, half-way.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use super::{opened, statement};
use crate::commit::Committed;
use crate::error::{CommitError, StoreError};
use crate::postgres::Postgres;
use crate::sql::{Cell, CommitStep, Expect, RenderedCommit};

const SOON: Duration = Duration::from_secs(20);

/// A change that adds one to these rows, one after the other.
async fn add(postgres: &Postgres, rows: &[i64]) -> Result<Committed, CommitError> {
    let steps = rows.iter().map(|row| CommitStep {
        statement: statement(
            "UPDATE t SET n = n + 1 WHERE id = $1",
            vec![Cell::Int(*row)],
        ),
        expect: Expect::Any,
        write: None,
    });
    let change = RenderedCommit {
        locks: Vec::new(),
        steps: steps.collect(),
        entries: 0,
    };
    postgres.commit(&Default::default(), &change).await
}

/// Rows 1 to 3, the last of which somebody else holds.
async fn held() -> (opsflux_testkit::postgres::Database, Postgres, Client) {
    let (database, postgres) = opened().await;
    let made = "CREATE TABLE t (id bigint PRIMARY KEY, n bigint NOT NULL);
                INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)";
    database.sql(made).unwrap();
    let (holder, connection) = tokio_postgres::connect(&database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    holder
        .batch_execute("BEGIN; SELECT 1 FROM t WHERE id = 3 FOR UPDATE")
        .await
        .unwrap();
    (database, postgres, holder)
}

/// Waits until so many sessions wait for a lock.
async fn waiting(database: &opsflux_testkit::postgres::Database, count: i64) {
    let asked = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let reached = async {
        while database.sql(asked).unwrap().parse::<i64>().unwrap() < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, reached).await.expect("nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_that_wait_for_each_other_one_is_to_be_tried_again() {
    let (database, postgres, holder) = held().await;
    let postgres = std::sync::Arc::new(postgres);
    let spawn = |rows: &'static [i64]| {
        let postgres = std::sync::Arc::clone(&postgres);
        tokio::spawn(async move { add(&postgres, rows).await })
    };
    let one = spawn(&[1, 3, 2]);
    waiting(&database, 1).await;
    let other = spawn(&[2, 1]);
    waiting(&database, 2).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let both = timeout(SOON, async { [one.await.unwrap(), other.await.unwrap()] });
    let failed: Vec<_> = both
        .await
        .unwrap()
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(
        matches!(failed.as_slice(), [CommitError::Retry]),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_caller_goes_away_does_nothing_and_holds_nothing() {
    let (database, postgres, holder) = held().await;
    {
        let mut change = std::pin::pin!(add(&postgres, &[1, 2, 3]));
        tokio::select! {
            done = &mut change => panic!("{done:?}"),
            () = waiting(&database, 1) => {}
        }
    }
    // Its rows are free again, and as they were.
    timeout(SOON, add(&postgres, &[1, 2]))
        .await
        .unwrap()
        .unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(
        database
            .sql("SELECT string_agg(n::text, ' ' ORDER BY id) FROM t")
            .unwrap(),
        "1 1 0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_connection_is_lost_is_unavailable_and_undone() {
    let (database, postgres, holder) = held().await;
    let kill = async {
        waiting(&database, 1).await;
        let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        database.sql(killed).unwrap();
    };
    let (lost, ()) = tokio::join!(add(&postgres, &[1, 3]), kill);
    assert!(
        matches!(lost, Err(CommitError::Store(StoreError::Unavailable(_)))),
        "{lost:?}"
    );
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.sql("SELECT sum(n) FROM t").unwrap(), "0");
    add(&postgres, &[1, 3]).await.unwrap();
}

#[tokio::test]
async fn a_step_that_fails_takes_the_whole_change_back() {
    let (database, postgres, holder) = held().await;
    holder.batch_execute("COMMIT").await.unwrap();
    let step = |text: &str, expect| CommitStep {
        statement: statement(text, Vec::new()),
        expect,
        write: None,
    };
    let id = uuid::Uuid::nil();
    let one_row = || Expect::OneRow {
        entity: "t".to_owned(),
        id,
    };
    let holds = || Expect::Holds {
        guard: "few".to_owned(),
    };
    let written = || step("UPDATE t SET n = 9 WHERE id = 1", one_row());
    let fails = [
        step("UPDATE t SET n = 9 WHERE id = 77", one_row()),
        step("SELECT count(*) > 3 FROM t", holds()),
        step("SELECT true WHERE false", holds()),
        step("INSERT INTO t VALUES (1, 0)", Expect::Any),
    ];
    let mut told = Vec::new();
    for failing in fails {
        let change = RenderedCommit {
            locks: Vec::new(),
            // What comes after the failure does not hide it, though it fails as well.
            steps: vec![written(), failing, step("SELECT 1/0", Expect::Any)],
            entries: 0,
        };
        let failed = postgres.commit(&Default::default(), &change).await;
        told.push(failed.unwrap_err());
    }
    assert!(
        matches!(&told[0], CommitError::Version { entity, .. } if entity == "t"),
        "{told:?}"
    );
    assert!(
        matches!(&told[1], CommitError::Guard { name } if name == "few"),
        "{told:?}"
    );
    assert!(matches!(&told[2], CommitError::Guard { .. }), "{told:?}");
    assert_eq!(database.sql("SELECT sum(n) FROM t").unwrap(), "0");
    let fine = RenderedCommit {
        locks: Vec::new(),
        steps: vec![written(), step("SELECT count(*) = 3 FROM t", holds())],
        entries: 0,
    };
    postgres.commit(&Default::default(), &fine).await.unwrap();
    assert_eq!(database.sql("SELECT sum(n) FROM t").unwrap(), "9");
}
