//! From one database to the other, both ways.

mod proof;
mod source;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use opsflux_model::{Schema, Value};
use opsflux_store::feed::Body;
use opsflux_store::{
    Commit, CommitError, Comparison, CopyError, DatabaseUrl, FeedOp, Living, NewEntry, Output,
    Progress, Stage, Store, StoreError, StoreOptions, compare, copy,
};
use opsflux_testkit::postgres::{Cluster, Database};

use crate::bench::{self, Bench, Place};
use crate::fixture::{at, id, insert};
use crate::schemas::{Site, Versions, entity};
use source::fill;

/// Runs each test from SQLite to PostgreSQL and from PostgreSQL to SQLite.
macro_rules! both_ways {
    ($($test:ident),+ $(,)?) => {
        mod to_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::bench::sqlite().await, $crate::copying::server()).await;
            })+
        }
        mod to_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::bench::postgres().await, $crate::copying::folder()).await;
            })+
        }
    };
}
pub(crate) use both_ways;

both_ways!(
    everything_is_there_and_goes_on,
    what_was_broken_off_goes_on,
    a_target_with_something_in_it_is_left_alone,
    a_source_that_has_moved_on_is_refused,
    a_source_that_is_in_use_is_refused,
);

fn server() -> Place {
    Place::Server(Cluster::shared().unwrap().database().unwrap())
}

fn folder() -> Place {
    Place::Folder(tempfile::tempdir().unwrap())
}

fn url(place: &Place) -> DatabaseUrl {
    match place {
        Place::Folder(folder) => DatabaseUrl::Sqlite(folder.path().join("test.db")),
        Place::Server(database) => DatabaseUrl::Postgres(database.url()),
    }
}

/// Runs SQL beside the program: what is damaged is damaged from outside.
fn sql(place: &Place, on_sqlite: &str, on_postgres: &str) {
    match place {
        Place::Folder(folder) => {
            let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
            file.pragma_update(None, "foreign_keys", false).unwrap();
            assert_eq!(file.execute(on_sqlite, []).unwrap(), 1);
        }
        Place::Server(database) => drop(database.sql(on_postgres).unwrap()),
    }
}

async fn whole(from: &Place, to: &Place) -> Result<opsflux_store::Copied, CopyError> {
    copy(&url(from), &url(to), 7, &mut |_| {}).await
}

async fn compared(from: &Place, to: &Place) -> Comparison {
    compare(&url(from), &url(to), &mut |_| {}).await.unwrap()
}

/// A filled source, closed, and a copy of it.
async fn copied(mut from: Bench, to: Place) -> (Place, Place) {
    fill(&mut from).await;
    from.store.close().await;
    drop(from.store);
    whole(&from.place, &to).await.unwrap();
    let found = compared(&from.place, &to).await;
    assert!(found.is_equal(), "{found:#?}");
    (from.place, to)
}

async fn open(place: &Place, schema: &Arc<Schema>) -> Result<Store, StoreError> {
    let connections = NonZeroUsize::new(2).unwrap();
    let url = url(place);
    let store = Store::open(StoreOptions { url, connections }).await?;
    let migrated = store.migrate(Arc::clone(schema), &BTreeSet::new()).await;
    assert!(!migrated.unwrap().changed, "the tables are as they were");
    Ok(store)
}

/// Every field of every row, and its feed.
async fn told(bench: &Bench) -> (Vec<serde_json::Value>, Vec<opsflux_store::Entry>) {
    let mut rows = Vec::new();
    for name in ["user", "department", "ticket", "thing", "sighting"] {
        let mut select = bench.all(name);
        select.living = Living::Any;
        let declared = bench.schema.entity(select.entity);
        let fields = declared.iter().map(|(ix, _)| Output::Field(ix));
        select.outputs = fields.collect();
        let order = bench.field(name, "id");
        select.sort = vec![opsflux_store::Sort::by(select.entity, order, false)];
        rows.extend(bench.json(&select).await);
    }
    (rows, bench.store.feed_after(0, 1_000).await.unwrap())
}

async fn everything_is_there_and_goes_on(mut from: Bench, to: Place) {
    fill(&mut from).await;
    let before = told(&from).await;
    assert!(before.1[0].pos > 1, "some of the feed is forgotten");
    from.store.close().await;
    drop(from.store);
    let mut seen = BTreeSet::new();
    let (from_url, to_url) = (url(&from.place), url(&to));
    let mut last = (0, 0);
    let mut progress = |now: Progress<'_>| {
        seen.insert(now.stage as u8);
        last = (now.rows, now.of);
    };
    let done = copy(&from_url, &to_url, 5_000, &mut progress)
        .await
        .unwrap();
    assert!(!done.resumed);
    assert_eq!(last, (done.rows, done.rows), "progress ends at the end");
    assert!(seen.contains(&(Stage::Copying as u8)));
    let found = compared(&from.place, &to).await;
    assert!(found.is_equal(), "{found:#?}");
    assert!(found.rows() >= done.rows, "settings are counted besides");

    let store = open(&to, &from.schema).await.unwrap();
    let to = Bench {
        store: Arc::new(store),
        schema: Arc::clone(&from.schema),
        tenant: 1,
        place: to,
    };
    assert_eq!(told(&to).await, before);
    // Numbers, places and names go on; links and unique values are held.
    assert_eq!(to.store.next_number(1, "ticket", "2026").await.unwrap(), 42);
    assert_eq!(to.store.next_tenant().await.unwrap(), 2);
    assert_eq!(to.store.cursor("search").await.unwrap(), 30);
    let named = to.store.log_name("awa@example.org").await.unwrap();
    assert_eq!(named, Some((1, id(1))));
    let end = to.store.feed_end().await.unwrap();
    let entry = before.1.last().unwrap().entry.clone();
    let commit = Commit {
        tenant: 1,
        feed: vec![entry],
        ..Commit::default()
    };
    to.store.commit(commit).await.unwrap();
    let mut feed = to.store.subscribe_feed();
    feed.wait_for(|now| *now > end).await.unwrap();
    assert_eq!(to.store.feed_after(end, 9).await.unwrap()[0].pos, end + 1);
    let nowhere = [("department", Value::Id(id(666)))];
    let broken = to
        .commit(vec![insert(&to.schema, "ticket", id(5_000), &nowhere)])
        .await;
    assert!(
        matches!(broken, Err(CommitError::Link { .. })),
        "{broken:?}"
    );
    let mail = [("email", Value::from("a@b.org"))];
    let user = |number| insert(&to.schema, "user", id(number), &mail);
    to.commit(vec![user(600)]).await.unwrap();
    let twice = to.commit(vec![user(601)]).await;
    assert!(
        matches!(twice, Err(CommitError::Unique { .. })),
        "{twice:?}"
    );
    assert_eq!(structure(&to.place), fresh_structure(&to).await);
}

/// Indexes, columns and constraints as the database tells them.
fn structure(place: &Place) -> Vec<String> {
    match place {
        Place::Folder(folder) => {
            let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
            let question = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL \
                            AND name <> 'sqlite_stat1' ORDER BY name";
            let mut asked = file.prepare(question).unwrap();
            let rows = asked.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        }
        Place::Server(database) => {
            let question = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
                UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
                WHERE connamespace = 'public'::regnamespace \
                UNION ALL SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, \
                numeric_precision, numeric_scale, collation_name) FROM information_schema.columns \
                WHERE table_schema = 'public' ORDER BY 1";
            database
                .sql(question)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect()
        }
    }
}

async fn fresh_structure(like: &Bench) -> Vec<String> {
    let fresh = match like.place {
        Place::Folder(_) => bench::sqlite().await,
        Place::Server(_) => bench::postgres().await,
    };
    structure(&fresh.place)
}

/// Begins a copy and lets it die when so many rows are written.
async fn broken_off(from: &Place, to: &Place, rows: u64) {
    let (from, to) = (url(from), url(to));
    let enough = tokio::sync::Notify::new();
    let mut progress = |now: Progress<'_>| {
        if now.stage == Stage::Copying && now.rows >= rows {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => {}
        done = copy(&from, &to, 3, &mut progress) => panic!("it went through: {done:?}"),
    }
}

async fn what_was_broken_off_goes_on(mut from: Bench, to: Place) {
    fill(&mut from).await;
    let schema = Arc::clone(&from.schema);
    from.store.close().await;
    drop(from.store);
    for rows in [1, 20, 60, 90] {
        broken_off(&from.place, &to, rows).await;
        // It is no database to work with yet.
        let connections = NonZeroUsize::MIN;
        let url = url(&to);
        let refused = Store::open(StoreOptions { url, connections }).await;
        let Err(StoreError::Setup(told)) = refused else {
            panic!("a server would start on half a copy");
        };
        assert!(told.contains("broken off"), "{told}");
    }
    let mut first = None;
    let mut progress = |now: Progress<'_>| {
        first.get_or_insert(now.rows);
    };
    let done = copy(&url(&from.place), &url(&to), 7, &mut progress)
        .await
        .unwrap();
    assert!(done.resumed);
    assert!(first > Some(60), "it began anew: {first:?}");
    let found = compared(&from.place, &to).await;
    assert!(found.is_equal(), "{found:#?}");
    open(&to, &schema).await.unwrap().close().await;
}

async fn a_target_with_something_in_it_is_left_alone(from: Bench, to: Place) {
    from.store.close().await;
    drop(from.store);
    let someone = "CREATE TABLE letters AS SELECT 1 AS n";
    match &to {
        Place::Folder(folder) => {
            let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
            file.execute_batch(someone).unwrap();
        }
        Place::Server(database) => drop(database.sql(someone).unwrap()),
    }
    let refused = whole(&from.place, &to).await.unwrap_err();
    assert!(matches!(refused, CopyError::NotEmpty(_)), "{refused}");
    assert!(
        refused.to_string().contains("letters (1 rows)"),
        "{refused}"
    );
}

async fn a_source_that_has_moved_on_is_refused(mut from: Bench, to: Place) {
    fill(&mut from).await;
    from.store.close().await;
    drop(from.store);
    broken_off(&from.place, &to, 20).await;
    let store = open(&from.place, &from.schema).await.unwrap();
    let feed = vec![NewEntry {
        change: id(99),
        at: at(99),
        entity: "ticket".to_owned(),
        record: id(1_000),
        version: 2,
        op: FeedOp::Updated,
        body: Body::default(),
    }];
    let commit = Commit {
        tenant: 1,
        feed,
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    store.close().await;
    drop(store);
    let refused = whole(&from.place, &to).await.unwrap_err();
    assert!(matches!(refused, CopyError::SourceChanged), "{refused}");
}

async fn a_source_that_is_in_use_is_refused(from: Bench, to: Place) {
    // SQLite: somebody is in the middle of a change. PostgreSQL: a server is connected.
    let writing = match &from.place {
        Place::Folder(folder) => {
            let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
            file.execute_batch("BEGIN IMMEDIATE").unwrap();
            Some(file)
        }
        Place::Server(_) => None,
    };
    let refused = whole(&from.place, &to).await.unwrap_err();
    assert!(matches!(refused, CopyError::InUse(_)), "{refused}");
    drop(writing);
    from.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_place_in_the_feed_is_copied() {
    let mut from = bench::postgres().await;
    fill(&mut from).await;
    from.store.close().await;
    drop(from.store);
    let Place::Server(database) = &from.place else {
        panic!("a server");
    };
    waiting(database);
    let to = folder();
    whole(&from.place, &to).await.unwrap();
    let found = compared(&from.place, &to).await;
    assert!(found.is_equal(), "{found:#?}");
    let store = open(&to, &from.schema).await.unwrap();
    let end = store.feed_end().await.unwrap();
    let last = store.feed_after(end - 2, 9).await.unwrap();
    let versions: Vec<i64> = last.iter().map(|entry| entry.entry.version).collect();
    assert_eq!(versions, [7, 8]);
    store.close().await;
}

/// Two entries of a server that ended before it placed them.
fn waiting(database: &Database) {
    let insert = "INSERT INTO sys_feed (tenant_id, change_id, at, entity, record_id, version, op, \
         body) SELECT 1, gen_random_uuid(), now(), 'ticket', gen_random_uuid(), n, 'updated', '{}' \
         FROM generate_series(7, 8) n RETURNING seq";
    let text = format!("WITH made AS ({insert}) INSERT INTO sys_feed_new SELECT seq FROM made");
    database.sql(&text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_columns_and_entities_are_copied() {
    let site = crate::schemas::sqlite().await;
    let mut versions = Versions::default();
    let cost = "cost = { type = \"integer\", index = true }";
    let both = versions.next(&[&entity("place", ""), &entity("ticket", cost)]);
    site.become_whole(&both).await;
    let five = [("cost", Value::Int(5))];
    site.insert("ticket", 1, &five).await.unwrap();
    let here = [("title", "Here".into())];
    site.insert("place", 2, &here).await.unwrap();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.store.close().await;
    let to = server();
    whole(&site.place, &to).await.unwrap();
    assert!(compared(&site.place, &to).await.is_equal());
    let copy = Site {
        store: Site::another(&to).await,
        place: to,
    };
    copy.become_whole(&both).await;
    assert_eq!(copy.values("ticket", "cost").await, [Value::Int(5)]);
    assert_eq!(copy.values("place", "title").await, ["Here".into()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_extension_of_the_server_brings_is_in_nobodys_way() {
    let (from, to) = (bench::sqlite().await, server());
    let Place::Server(database) = &to else {
        panic!("a server");
    };
    database.sql("CREATE EXTENSION pg_stat_statements").unwrap();
    let views = "SELECT count(*) FROM pg_views WHERE schemaname = 'public'";
    assert_ne!(database.sql(views).unwrap(), "0");
    from.store.close().await;
    whole(&from.place, &to).await.unwrap();
    assert!(compared(&from.place, &to).await.is_equal());
}

#[tokio::test]
async fn two_of_a_kind_are_refused() {
    let file = |name: &str| DatabaseUrl::Sqlite(name.into());
    let refused = copy(&file("a"), &file("b"), 1, &mut |_| {}).await;
    assert!(matches!(refused, Err(CopyError::SameKind(_))));
    let postgres = DatabaseUrl::Postgres("postgres://h/a".to_owned());
    let refused = compare(&postgres, &postgres, &mut |_| {}).await;
    assert!(matches!(refused, Err(CopyError::SameKind(_))));
    let nothing = copy(&file("not/there.db"), &postgres, 1, &mut |_| {}).await;
    assert!(nothing.unwrap_err().to_string().contains("not/there.db"));
}
