//! A database is read while others write, and either database is filled from it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use opsflux_model::Value;
use opsflux_store::dump::{Loading, Shape, Snapshot};
use opsflux_store::feed::Body;
use opsflux_store::{
    Commit, DatabaseUrl, FeedOp, NewEntry, Store, StoreError, StoreOptions, SystemWrite,
};
use opsflux_testkit::postgres::{Cluster, Database};
use serde_json::json;
use tempfile::TempDir;

use crate::bench::{Bench, Place, on_both};
use crate::fixture::{at, id, insert};
use crate::values::samples;

on_both!(
    either_database_is_filled_with_every_type_and_goes_on,
    what_is_written_meanwhile_is_not_seen,
    a_database_that_is_not_empty_is_left_alone,
    half_a_database_is_none,
    where_nothing_is_nothing_is_seen,
);

/// Every row of every table.
type Rows = BTreeMap<String, Vec<Vec<u8>>>;

async fn read(snapshot: &Snapshot) -> Rows {
    let mut rows = Rows::new();
    for table in &snapshot.shape().tables {
        let mut found = Vec::new();
        let each = |row: &[u8]| {
            found.push(row.to_vec());
            Ok::<_, StoreError>(())
        };
        let count = snapshot.rows(table, each).await.unwrap();
        assert_eq!(count, found.len() as u64);
        rows.insert(table.name.clone(), found);
    }
    rows
}

async fn load(url: &DatabaseUrl, shape: Shape, rows: &Rows) -> Result<Loading, StoreError> {
    let loading = Loading::begin(url, shape.clone()).await?;
    for table in &shape.tables {
        let mut left = rows[&table.name].iter();
        let next = |row: &mut Vec<u8>| {
            let next = left.next();
            if let Some(next) = next {
                row.clone_from(next);
            }
            Ok::<_, StoreError>(next.is_some())
        };
        loading.fill(table, next).await?;
    }
    Ok(loading)
}

fn url(place: &Place) -> DatabaseUrl {
    match place {
        Place::Folder(folder) => DatabaseUrl::Sqlite(folder.path().join("test.db")),
        Place::Server(database) => DatabaseUrl::Postgres(database.url()),
    }
}

async fn snapshot(url: &DatabaseUrl) -> Snapshot {
    Snapshot::open(url).await.unwrap().unwrap()
}

/// An empty database of each kind.
struct Targets {
    folder: TempDir,
    database: Database,
}

impl Targets {
    fn new() -> Targets {
        Targets {
            folder: tempfile::tempdir().unwrap(),
            database: Cluster::shared().unwrap().database().unwrap(),
        }
    }

    fn urls(&self) -> [DatabaseUrl; 2] {
        [
            DatabaseUrl::Sqlite(self.folder.path().join("restored.db")),
            DatabaseUrl::Postgres(self.database.url()),
        ]
    }
}

fn entry(number: u128) -> NewEntry {
    NewEntry {
        change: id(number),
        at: at(3),
        entity: "thing".to_owned(),
        record: id(10),
        version: 2,
        op: FeedOp::Updated,
        body: Body::default(),
    }
}

/// Rows of every type, of the engine, and entries of the feed.
async fn fill(bench: &Bench) {
    let user = |number| insert(&bench.schema, "user", id(number), &[]);
    bench.commit(vec![user(1), user(2)]).await.unwrap();
    let values: Vec<(&str, Value)> = samples()
        .into_iter()
        .map(|(name, value, _)| (name, value))
        .collect();
    let whole = insert(&bench.schema, "thing", id(10), &values);
    let empty = insert(&bench.schema, "thing", id(11), &[]);
    bench.commit(vec![whole, empty]).await.unwrap();
    let tenant = bench.store.next_tenant().await.unwrap();
    let system = vec![
        SystemWrite::Tenant {
            id: id(500),
            name: "Émile & fils".to_owned(),
            at: at(5),
        },
        SystemWrite::ClaimName {
            name: "awa@example.org".to_owned(),
            user: id(1),
        },
        SystemWrite::Setting {
            key: "base.zone".to_owned(),
            value: json!("Africa/Libreville"),
        },
    ];
    let commit = Commit {
        tenant,
        system,
        feed: vec![entry(20), entry(21)],
        ..Commit::default()
    };
    bench.store.commit(commit).await.unwrap();
    bench.store.set_cursor("mail", 2).await.unwrap();
    bench
        .store
        .lease_numbers(1, "ticket", "2026", 7)
        .await
        .unwrap();
    let mut feed = bench.store.subscribe_feed();
    feed.wait_for(|end| *end >= 3).await.unwrap();
}

async fn either_database_is_filled_with_every_type_and_goes_on(bench: Bench) {
    fill(&bench).await;
    let before = snapshot(&url(&bench.place)).await;
    let (shape, rows) = (before.shape().clone(), read(&before).await);
    assert_eq!(shape.feed_end, 3, "the tables and two entries");
    assert_eq!(rows["sys_feed"].len(), 3);
    assert_eq!(rows["r_thing"].len(), 2);
    let targets = Targets::new();
    for url in targets.urls() {
        assert_eq!(Loading::occupied(&url).await.unwrap(), None);
        let loading = load(&url, shape.clone(), &rows).await.unwrap();
        loading.finish().await.unwrap();
        let after = snapshot(&url).await;
        assert_eq!(after.shape(), &shape);
        assert_eq!(read(&after).await, rows, "{url:?}");
        drop(after);
        let connections = NonZeroUsize::new(2).unwrap();
        let options = StoreOptions {
            url: url.clone(),
            connections,
        };
        let store = Store::open(options).await.unwrap();
        let migrated = store
            .migrate(Arc::clone(&bench.schema), &Default::default())
            .await
            .unwrap();
        assert!(!migrated.changed, "the tables are as they were recorded");
        assert_ne!(store.epoch(), bench.store.epoch(), "another history begins");
        assert_eq!(store.feed_end().await.unwrap(), 3);
        assert_eq!(store.cursor("mail").await.unwrap(), 2);
        let numbers = store.lease_numbers(1, "ticket", "2026", 1).await.unwrap();
        assert_eq!(numbers, 8..9);
        // Links and unique values are held as before, and the feed goes on behind its end.
        let nowhere = Value::Id(id(999));
        let lost = insert(&bench.schema, "thing", id(12), &[("owner", nowhere)]);
        let refused = commit(&store, vec![lost], vec![]).await;
        assert!(refused.is_err(), "a link that points at nothing");
        let twice = |number| {
            insert(
                &bench.schema,
                "user",
                id(number),
                &[("email", "a@b.c".into())],
            )
        };
        commit(&store, vec![twice(13)], vec![entry(22)])
            .await
            .unwrap();
        assert!(commit(&store, vec![twice(14)], vec![]).await.is_err());
        let mut feed = store.subscribe_feed();
        feed.wait_for(|end| *end > 3).await.unwrap();
        let entries = store.feed_after(1, 10).await.unwrap();
        let places: Vec<i64> = entries.iter().map(|entry| entry.pos).collect();
        assert_eq!(places, [2, 3, 4]);
        store.close().await;
    }
}

async fn commit(
    store: &Store,
    writes: Vec<opsflux_store::Write>,
    feed: Vec<NewEntry>,
) -> Result<(), opsflux_store::CommitError> {
    let commit = Commit {
        tenant: 1,
        writes,
        feed,
        ..Commit::default()
    };
    store.commit(commit).await.map(|_| ())
}

async fn what_is_written_meanwhile_is_not_seen(bench: Bench) {
    fill(&bench).await;
    let snapshot = snapshot(&url(&bench.place)).await;
    let user = insert(&bench.schema, "user", id(3), &[]);
    bench.commit(vec![user]).await.unwrap();
    let rows = read(&snapshot).await;
    assert_eq!(rows["r_user"].len(), 2, "the third came later");
    assert_eq!(bench.rows(&bench.all("user")).await.len(), 3);
}

async fn a_database_that_is_not_empty_is_left_alone(bench: Bench) {
    let url = url(&bench.place);
    let occupied = Loading::occupied(&url).await.unwrap().unwrap();
    assert!(
        occupied.contains("test.db") || occupied.contains("r_department"),
        "{occupied}"
    );
    let before = snapshot(&url).await;
    let (shape, rows) = (before.shape().clone(), read(&before).await);
    let refused = Loading::begin(&url, shape).await.err().unwrap();
    assert!(refused.to_string().contains("not empty"), "{refused}");
    assert_eq!(read(&snapshot(&url).await).await, rows);
}

async fn half_a_database_is_none(bench: Bench) {
    fill(&bench).await;
    let before = snapshot(&url(&bench.place)).await;
    let (shape, rows) = (before.shape().clone(), read(&before).await);
    let targets = Targets::new();
    for url in targets.urls() {
        drop(load(&url, shape.clone(), &rows).await.unwrap());
        assert!(Snapshot::open(&url).await.unwrap().is_none());
        // A row that is none of the table.
        let mut broken = rows.clone();
        broken.get_mut("r_thing").unwrap()[0].pop();
        let failed = load(&url, shape.clone(), &broken).await.err().unwrap();
        assert!(failed.to_string().contains("r_thing"), "{failed}");
        assert_eq!(Loading::occupied(&url).await.unwrap(), None);
    }
    let left: Vec<_> = std::fs::read_dir(targets.folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let newer = Shape {
        system_version: 1_000,
        ..shape
    };
    let refused = Loading::begin(&targets.urls()[0], newer).await.err();
    assert!(refused.unwrap().to_string().contains("newer"));
}

async fn where_nothing_is_nothing_is_seen(bench: Bench) {
    drop(bench);
    let targets = Targets::new();
    for url in targets.urls() {
        assert!(Snapshot::open(&url).await.unwrap().is_none());
    }
}
