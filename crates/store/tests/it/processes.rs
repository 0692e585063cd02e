//! Several processes on one PostgreSQL, and tables that are in use while they change.

use std::sync::Arc;
use std::time::Duration;

use opsflux_model::Value;
use opsflux_store::{MigrationError, StoreError};
use tokio::time::timeout;

use crate::bench::{BUDGET, Place};
use crate::fixture;
use crate::schemas::{self, Site, Versions, entity};

fn server(site: &Site) -> &opsflux_testkit::postgres::Database {
    match &site.place {
        Place::Server(database) => database,
        Place::Folder(_) => panic!("a file has one process"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_make_the_tables_once() {
    let site = schemas::postgres().await;
    let other = Site::another(&site.place).await;
    let schema = Arc::new(fixture::schema());
    let nothing = Default::default();
    let (one, two) = tokio::join!(
        site.store.migrate(Arc::clone(&schema), &nothing),
        other.migrate(Arc::clone(&schema), &nothing),
    );
    assert_ne!(one.unwrap().changed, two.unwrap().changed);
    let version = "SELECT (layout::json->>'version')::int FROM sys_layout";
    assert_eq!(site.number(version), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_fill_together_what_one_of_them_added() {
    let site = schemas::postgres().await;
    let mut versions = Versions::default();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.many_tickets(20_000);
    let cost = "cost = { type = \"integer\", default = 7 }";
    site.migrate(&versions.next(&[&entity("ticket", cost)]))
        .await
        .unwrap();
    let other = Site::another(&site.place).await;
    let (one, two) = tokio::join!(site.store.run_fills(), other.run_fills());
    one.unwrap();
    two.unwrap();
    assert_eq!(
        site.number("SELECT count(*) FROM r_ticket WHERE cost = 7"),
        20_000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_reads_and_writes_on_while_another_one_changes_the_tables() {
    let site = schemas::postgres().await;
    let mut versions = Versions::default();
    let schema = versions.next(&[&entity("ticket", "")]);
    site.become_whole(&schema).await;
    for number in 1..=8 {
        site.insert("ticket", number, &[("title", "Old".into())])
            .await
            .unwrap();
        assert_eq!(
            site.values("ticket", "title").await.len(),
            usize::try_from(number).unwrap()
        );
    }
    let other = Site::another(&site.place).await;
    let more = versions.next(&[&entity("ticket", "cost = { type = \"integer\" }")]);
    other.migrate(more, &Default::default()).await.unwrap();
    // This one has not heard of it and has its statements prepared.
    site.insert("ticket", 9, &[("title", "Old".into())])
        .await
        .unwrap();
    assert_eq!(site.values("ticket", "title").await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_use_is_waited_for_without_keeping_others_waiting() {
    let site = schemas::postgres().await;
    let mut versions = Versions::default();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.insert("ticket", 1, &[("title", "Here".into())])
        .await
        .unwrap();
    let (reader, connection) = tokio_postgres::connect(&server(&site).url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    reader
        .batch_execute("BEGIN; SELECT * FROM r_ticket")
        .await
        .unwrap();
    let more = versions.next(&[&entity("ticket", "cost = { type = \"integer\" }")]);
    let other = Site::another(&site.place).await;
    let migrating = tokio::spawn(async move { other.migrate(more, &Default::default()).await });
    // Longer than the migration waits for a table: others get through behind it.
    timeout(BUDGET, async {
        for number in 2..=5 {
            site.insert("ticket", number, &[("title", "Here".into())])
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await
    .expect("changes wait behind the migration");
    assert!(!migrating.is_finished());
    reader.batch_execute("COMMIT").await.unwrap();
    assert!(
        timeout(BUDGET, migrating)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .changed
    );
    assert_eq!(
        site.values("ticket", "title").await,
        vec![Value::from("Here"); 5]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_whose_connection_is_lost_has_not_happened() {
    let site = schemas::postgres().await;
    let mut versions = Versions::default();
    let first = versions.next(&[&entity("ticket", "")]);
    site.become_whole(&first).await;
    let (reader, connection) = tokio_postgres::connect(&server(&site).url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    reader
        .batch_execute("BEGIN; SELECT * FROM r_ticket")
        .await
        .unwrap();
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'ALTER TABLE%'";
    let more = versions.next(&[
        &entity("place", ""),
        &entity("ticket", "cost = { type = \"integer\" }"),
    ]);
    let lost = tokio::select! {
        done = site.migrate(&more) => done,
        () = async { while site.number(kill) == 0 { tokio::task::yield_now().await } std::future::pending().await } => unreachable!(),
    };
    assert!(
        matches!(lost, Err(MigrationError::Store(StoreError::Unavailable(_)))),
        "{lost:?}"
    );
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(
        site.number("SELECT count(*) FROM pg_class WHERE relname = 'r_place'"),
        0
    );
    assert!(site.migrate(&more).await.unwrap().changed);
}
