//! A store on each database, for one test.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use opsflux_model::{EntityIx, FieldIx, Schema, Value};
use opsflux_store::{
    Commit, CommitError, Committed, DatabaseUrl, Output, Row, Select, Store, StoreError,
    StoreOptions, Write,
};
use opsflux_testkit::postgres::{Cluster, Database};
use tempfile::TempDir;

use crate::fixture;

/// More than any query of a test needs, on a busy machine.
pub const BUDGET: Duration = Duration::from_secs(20);

/// An open store whose tables are those of [`fixture::schema`].
pub struct Bench {
    pub store: Arc<Store>,
    pub schema: Arc<Schema>,
    pub tenant: i64,
    /// Kept as long as the store.
    pub place: Place,
}

/// Where the database is.
#[allow(dead_code)] // the server's database is only kept
pub enum Place {
    Folder(TempDir),
    Server(Database),
}

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::bench::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::bench::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

pub async fn sqlite() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
    open(url, Place::Folder(folder)).await
}

pub async fn postgres() -> Bench {
    let database = Cluster::shared().unwrap().database().unwrap();
    let url = DatabaseUrl::Postgres(database.url());
    open(url, Place::Server(database)).await
}

async fn open(url: DatabaseUrl, place: Place) -> Bench {
    let connections = NonZeroUsize::new(4).unwrap();
    let store = Store::open(StoreOptions { url, connections })
        .await
        .unwrap();
    let schema = Arc::new(fixture::schema());
    let migrated = store.migrate(Arc::clone(&schema), &BTreeSet::new()).await;
    assert!(!migrated.unwrap().unfinished, "new tables need no filling");
    Bench {
        store: Arc::new(store),
        schema,
        tenant: 1,
        place,
    }
}

impl Bench {
    pub fn entity(&self, name: &str) -> EntityIx {
        self.schema.find(name).unwrap()
    }

    pub fn field(&self, entity: &str, field: &str) -> FieldIx {
        self.schema.entity(self.entity(entity)).find(field).unwrap()
    }

    pub async fn commit(&self, writes: Vec<Write>) -> Result<Committed, CommitError> {
        let commit = Commit {
            tenant: self.tenant,
            writes,
            ..Commit::default()
        };
        self.store.commit(commit).await
    }

    /// A select of everything that lives, ids only.
    pub fn all(&self, entity: &str) -> Select {
        let ix = self.entity(entity);
        Select {
            tenant: self.tenant,
            entity: ix,
            filter: opsflux_model::Predicate::True,
            outputs: vec![Output::Field(self.field(entity, "id"))],
            sort: Vec::new(),
            after: None,
            limit: 1_000,
            living: opsflux_store::Living::Only,
        }
    }

    /// The values of every row.
    pub async fn rows(&self, select: &Select) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let each = |row: &Row<'_>| {
            let values = (0..select.outputs.len()).map(|place| row.value(place));
            rows.push(values.collect::<Result<_, _>>()?);
            Ok::<_, StoreError>(())
        };
        self.store.select(select, BUDGET, each).await.unwrap();
        rows
    }

    /// The only output of every row.
    pub async fn column(&self, select: &Select) -> Vec<Value> {
        let rows = self.rows(select).await;
        rows.into_iter().map(|mut row| row.remove(0)).collect()
    }

    /// Every row as a JSON array.
    pub async fn json(&self, select: &Select) -> Vec<serde_json::Value> {
        let mut rows = Vec::new();
        let each = |row: &Row<'_>| {
            let mut text = b"[".to_vec();
            for place in 0..select.outputs.len() {
                if place > 0 {
                    text.push(b',');
                }
                row.write_json(place, &mut text)?;
            }
            text.push(b']');
            rows.push(serde_json::from_slice(&text).unwrap());
            Ok::<_, StoreError>(())
        };
        self.store.select(select, BUDGET, each).await.unwrap();
        rows
    }
}
