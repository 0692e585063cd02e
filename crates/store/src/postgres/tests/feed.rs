//! Nobody who reads the feed in its order misses anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::opened;
use crate::error::StoreError;
use crate::feed::{Body, FeedOp, NewEntry};
use crate::postgres::Postgres;
use crate::row::Columns;
use crate::sql::{CommitStep, Dialect, Expect, RenderedCommit, system};

const BUDGET: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(10);

fn entry(record: u128, version: i64) -> NewEntry {
    NewEntry {
        change: Uuid::from_u128(1),
        at: jiff::Timestamp::UNIX_EPOCH,
        entity: "ticket".into(),
        record: Uuid::from_u128(record),
        version,
        op: FeedOp::Updated,
        body: Body::default(),
    }
}

fn change(entries: &[NewEntry]) -> RenderedCommit {
    let steps = entries.iter().map(|entry| CommitStep {
        statement: system::feed_insert(Dialect::Postgres, 1, entry),
        expect: Expect::Any,
        write: None,
    });
    RenderedCommit {
        locks: Vec::new(),
        steps: steps.collect(),
        entries: entries.len(),
    }
}

/// Record and version of what stands after `pos`, by place.
async fn after(postgres: &Postgres, pos: i64) -> BTreeMap<i64, (u128, i64)> {
    let mut found = BTreeMap::new();
    let asked = system::feed_after(Dialect::Postgres, pos, 100_000);
    let each = |row: &dyn Columns| {
        let record = row.id(5)?.unwrap().as_u128();
        found.insert(row.int(0)?.unwrap(), (record, row.int(6)?.unwrap()));
        Ok::<_, StoreError>(())
    };
    postgres.read(&asked, BUDGET, each).await.unwrap();
    found
}

/// Waits until the feed has gone as far as `pos`.
async fn reaches(postgres: &Postgres, pos: i64) {
    let mut end = postgres.subscribe_feed();
    let reached = end.wait_for(|end| *end >= pos);
    tokio::time::timeout(SOON, reached)
        .await
        .expect("the feed stands still")
        .unwrap();
}

async fn raw(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Writes an entry in a transaction of its own making, which stays open.
async fn begin_entry(client: &Client, record: u128) {
    let insert = format!(
        "BEGIN;
         WITH made AS (
           INSERT INTO sys_feed (tenant_id, change_id, at, entity, record_id, version, op, body)
           VALUES (1, gen_random_uuid(), now(), 'ticket', '{}', 1, 'updated', '{{}}')
           RETURNING seq
         ) INSERT INTO sys_feed_new (seq) SELECT seq FROM made",
        Uuid::from_u128(record)
    );
    client.batch_execute(&insert).await.unwrap();
}

#[tokio::test]
async fn a_change_that_commits_late_is_not_skipped() {
    let (database, postgres) = opened().await;
    let late = raw(&database.url()).await;
    begin_entry(&late, 99).await;
    for version in 1..=3 {
        postgres
            .commit(&Default::default(), &change(&[entry(1, version)]))
            .await
            .unwrap();
    }
    reaches(&postgres, 3).await;
    // A reader comes by and reads all there is: the late entry is not among it.
    let read = after(&postgres, 0).await;
    assert_eq!(
        read.values().copied().collect::<Vec<_>>(),
        [(1, 1), (1, 2), (1, 3)]
    );
    let cursor = *read.keys().last().unwrap();
    late.batch_execute("COMMIT").await.unwrap();
    reaches(&postgres, cursor + 1).await;
    let rest = after(&postgres, cursor).await;
    assert_eq!(rest.values().copied().collect::<Vec<_>>(), [(99, 1)]);
}

#[tokio::test]
async fn a_change_that_is_rolled_back_leaves_no_gap_to_wait_for() {
    let (database, postgres) = opened().await;
    let failing = raw(&database.url()).await;
    begin_entry(&failing, 99).await;
    failing.batch_execute("ROLLBACK").await.unwrap();
    postgres
        .commit(&Default::default(), &change(&[entry(1, 1)]))
        .await
        .unwrap();
    reaches(&postgres, 1).await;
    assert_eq!(after(&postgres, 0).await, BTreeMap::from([(1, (1, 1))]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_everything_once_and_versions_in_order_while_processes_write() {
    let (database, first) = opened().await;
    let second = Postgres::open(&database.url(), 8).await.unwrap();
    let slow = raw(&database.url()).await;
    let (records, versions) = (8_u128, 25_i64);
    let writers = async {
        let write = |record: u128| {
            // Records are spread over the processes; each is written by one task at a time.
            let postgres = if record.is_multiple_of(2) {
                &first
            } else {
                &second
            };
            async move {
                for version in 1..=versions {
                    let change = change(&[entry(record, version)]);
                    postgres.commit(&Default::default(), &change).await.unwrap();
                }
            }
        };
        futures::future::join_all((0..records).map(write)).await;
    };
    // Transactions that stay open for a while and commit in between.
    let late = async {
        for record in 100..110 {
            begin_entry(&slow, record).await;
            tokio::time::sleep(Duration::from_millis(15)).await;
            slow.batch_execute("COMMIT").await.unwrap();
        }
    };
    let total = usize::try_from(records).unwrap() * usize::try_from(versions).unwrap() + 10;
    let reader = async {
        let (mut cursor, mut seen) = (0, Vec::new());
        let mut end = second.subscribe_feed();
        while seen.len() < total {
            for (pos, found) in after(&second, cursor).await {
                assert!(pos > cursor);
                cursor = pos;
                seen.push(found);
            }
            if seen.len() < total {
                let grown = end.wait_for(|end| *end > cursor);
                tokio::time::timeout(SOON, grown)
                    .await
                    .expect("entries are missing")
                    .unwrap();
            }
        }
        seen
    };
    let (_, _, seen) = futures::join!(writers, late, reader);
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (total, total));
    let mut latest = BTreeMap::new();
    for (record, version) in seen {
        let before = latest.insert(record, version);
        assert!(
            before.unwrap_or(0) < version,
            "{record}: {before:?} then {version}"
        );
    }
}

#[tokio::test]
async fn what_a_dead_process_left_behind_is_placed_by_another() {
    let (database, postgres) = opened().await;
    let dying = raw(&database.url()).await;
    begin_entry(&dying, 7).await;
    dying.batch_execute("COMMIT").await.unwrap();
    // Nobody says that there is something: it is found by looking.
    reaches(&postgres, 1).await;
    assert_eq!(after(&postgres, 0).await, BTreeMap::from([(1, (7, 1))]));
}

#[tokio::test]
async fn a_process_hears_of_what_another_one_commits() {
    let (database, writer) = opened().await;
    let reader = Postgres::open(&database.url(), 2).await.unwrap();
    let mut end = reader.subscribe_feed();
    end.mark_unchanged();
    writer
        .commit(&Default::default(), &change(&[entry(1, 1), entry(2, 1)]))
        .await
        .unwrap();
    tokio::time::timeout(SOON, end.changed())
        .await
        .expect("nothing heard")
        .unwrap();
    assert_eq!(*end.borrow(), 2);
}

#[tokio::test]
async fn the_feed_goes_on_after_its_connection_is_lost() {
    let (database, postgres) = opened().await;
    postgres
        .commit(&Default::default(), &change(&[entry(1, 1)]))
        .await
        .unwrap();
    reaches(&postgres, 1).await;
    database
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .unwrap();
    // The pool's own connections are lost too; the change is made by the one that replaces them.
    while postgres
        .commit(&Default::default(), &change(&[entry(1, 2)]))
        .await
        .is_err()
    {}
    reaches(&postgres, 2).await;
}

#[tokio::test]
async fn places_go_on_where_they_ended_though_everything_read_is_forgotten() {
    let (database, postgres) = opened().await;
    postgres
        .commit(&Default::default(), &change(&[entry(1, 1)]))
        .await
        .unwrap();
    reaches(&postgres, 1).await;
    database
        .sql("DELETE FROM sys_feed_pos; DELETE FROM sys_feed")
        .unwrap();
    drop(postgres);
    let postgres = Postgres::open(&database.url(), 2).await.unwrap();
    assert_eq!(*postgres.subscribe_feed().borrow(), 1);
    postgres
        .commit(&Default::default(), &change(&[entry(1, 2)]))
        .await
        .unwrap();
    reaches(&postgres, 2).await;
    assert_eq!(after(&postgres, 1).await, BTreeMap::from([(2, (1, 2))]));
}
