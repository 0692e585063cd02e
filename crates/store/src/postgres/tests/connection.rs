//! Connections: budgets, losses, settings, tables that change.

use std::time::Duration;

use opsflux_testkit::postgres::Cluster;
use tokio::time::Instant;

use super::{opened, statement};
use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::row::Columns;
use crate::sql::Cell;

const BUDGET: Duration = Duration::from_secs(5);

async fn number(postgres: &Postgres, sql: &str) -> Result<Option<i64>, StoreError> {
    let mut answer = None;
    let each = |row: &dyn Columns| {
        answer = row.int(0)?;
        Ok::<_, StoreError>(())
    };
    postgres
        .read(&statement(sql, Vec::new()), BUDGET, each)
        .await?;
    Ok(answer)
}

#[tokio::test]
async fn a_read_is_stopped_when_its_budget_is_used_up_and_the_next_one_is_not() {
    let (_database, postgres) = opened().await;
    let slow = statement("SELECT pg_sleep(20)::text", Vec::new());
    let begun = Instant::now();
    let stopped = postgres.read(
        &slow,
        Duration::from_millis(50),
        |_| Ok::<_, StoreError>(()),
    );
    assert!(matches!(stopped.await, Err(StoreError::Timeout)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let short = statement("SELECT pg_sleep(0.2)::text", Vec::new());
    let read = postgres.read(&short, BUDGET, |_| Ok::<_, StoreError>(()));
    assert_eq!(read.await.unwrap(), 1);
}

#[tokio::test]
async fn a_reader_that_goes_away_leaves_no_work_behind() {
    let (database, postgres) = opened().await;
    let slow = statement("SELECT pg_sleep(20)::text", Vec::new());
    let read = postgres.read(&slow, Duration::from_secs(30), |_| Ok::<_, StoreError>(()));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), read)
            .await
            .is_err()
    );
    // Its connection is not used again: others are not kept waiting behind it.
    let begun = Instant::now();
    for _ in 0..8 {
        assert_eq!(number(&postgres, "SELECT 1").await.unwrap(), Some(1));
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(postgres);
    drop(database);
}

#[tokio::test]
async fn lost_connections_are_unavailable_once_and_then_replaced() {
    let (database, postgres) = opened().await;
    assert_eq!(number(&postgres, "SELECT 1").await.unwrap(), Some(1));
    database
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
              AND datname = current_database() AND application_name = 'opsflux'",
        )
        .unwrap();
    let mut lost = 0;
    while let Err(error) = number(&postgres, "SELECT 1").await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        lost += 1;
        assert!(lost < 10, "the pool does not recover");
    }
    postgres.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_until_it_is_back() {
    let cluster = Cluster::private(&[]).unwrap();
    let database = cluster.database().unwrap();
    let postgres = Postgres::open(&database.url(), 4).await.unwrap();
    cluster.crash().unwrap();
    for _ in 0..3 {
        let asked = number(&postgres, "SELECT 1").await;
        assert!(
            matches!(asked, Err(StoreError::Unavailable(_))),
            "{asked:?}"
        );
    }
    assert!(matches!(
        postgres.ping().await,
        Err(StoreError::Unavailable(_))
    ));
    cluster.start().unwrap();
    assert_eq!(number(&postgres, "SELECT 1").await.unwrap(), Some(1));
    postgres.ping().await.unwrap();
}

#[tokio::test]
async fn statements_prepared_before_a_table_changed_are_prepared_again() {
    let (database, postgres) = opened().await;
    database
        .sql("CREATE TABLE t (a bigint); INSERT INTO t VALUES (1)")
        .unwrap();
    for _ in 0..8 {
        assert_eq!(number(&postgres, "SELECT * FROM t").await.unwrap(), Some(1));
    }
    // By another process: this one is not told.
    database.sql("ALTER TABLE t ADD COLUMN b text").unwrap();
    assert_eq!(number(&postgres, "SELECT * FROM t").await.unwrap(), Some(1));
}

#[tokio::test]
async fn many_statements_do_not_fill_the_server() {
    let (database, postgres) = opened().await;
    for n in 0..1_100 {
        let asked = statement(&format!("SELECT $1::bigint + {n}"), vec![Cell::Int(1)]);
        postgres
            .read(&asked, BUDGET, |_| Ok::<_, StoreError>(()))
            .await
            .unwrap();
    }
    let kept = number(&postgres, "SELECT count(*) FROM pg_prepared_statements")
        .await
        .unwrap();
    assert!(kept.unwrap() <= 513, "{kept:?}");
    drop(database);
}

/// What a start is refused with.
async fn refused(url: &str) -> String {
    match Postgres::open(url, 1).await.err() {
        Some(StoreError::Setup(told)) => told,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_would_lose_confirmed_changes_is_refused() {
    let cluster = Cluster::private(&[("fsync", "off"), ("full_page_writes", "off")]).unwrap();
    let told = refused(&cluster.url("postgres")).await;
    assert!(
        told.contains("fsync") && told.contains("full_page_writes"),
        "{told}"
    );
    let database = Cluster::shared().unwrap().database().unwrap();
    for (setting, named) in [
        ("synchronous_commit TO off", "synchronous_commit"),
        ("default_transaction_read_only TO on", "accepts no writes"),
    ] {
        let name = database.name();
        database
            .sql(&format!("ALTER DATABASE \"{name}\" SET {setting}"))
            .unwrap();
        let told = refused(&database.url()).await;
        assert!(told.contains(named), "{told}");
    }
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let cluster = Cluster::shared().unwrap();
    let name = format!("latin-{}", std::process::id());
    let made = format!(
        "CREATE DATABASE \"{name}\" ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
    );
    cluster.sql("postgres", &made).unwrap();
    let refused = Postgres::open(&cluster.url(&name), 1).await.err();
    cluster
        .sql(
            "postgres",
            &format!("DROP DATABASE \"{name}\" WITH (FORCE)"),
        )
        .unwrap();
    assert!(matches!(refused, Some(StoreError::Setup(told)) if told.contains("LATIN1")));
}

#[tokio::test]
async fn what_a_person_must_put_right_is_told_as_such() {
    let cluster = Cluster::shared().unwrap();
    let missing = Postgres::open(&cluster.url("no-such-database"), 1)
        .await
        .err();
    assert!(matches!(missing, Some(StoreError::Setup(_))), "{missing:?}");
    let nobody = Postgres::open("postgres://opsflux@127.0.0.1:1/x", 1)
        .await
        .err();
    assert!(
        matches!(nobody, Some(StoreError::Unavailable(_))),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn every_connection_speaks_the_same_way_whatever_the_role_prefers() {
    let (database, postgres) = opened().await;
    drop(postgres);
    let name = database.name();
    database
        .sql(&format!(
            "ALTER DATABASE \"{name}\" SET timezone TO 'Asia/Tokyo';
             ALTER DATABASE \"{name}\" SET search_path TO elsewhere, public;
             ALTER DATABASE \"{name}\" SET client_encoding TO 'LATIN1'"
        ))
        .unwrap();
    let postgres = Postgres::open(&database.url(), 2).await.unwrap();
    let asked = "SELECT (current_setting('timezone') = 'UTC')::int
        + (current_setting('search_path') = 'public')::int
        + (current_setting('client_encoding') = 'UTF8')::int";
    assert_eq!(number(&postgres, asked).await.unwrap(), Some(3));
}
