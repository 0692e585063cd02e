//! Schemas that change over time, and stores they are brought to.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use opsflux_model::declare::{MintIds, ModuleSource, Options, declare, fix};
use opsflux_model::{Schema, Value};
use opsflux_store::{
    Commit, CommitError, Committed, DatabaseUrl, Migrated, MigrationError, Output, Row, Select,
    Store, StoreError, StoreOptions, Write,
};
use opsflux_testkit::postgres::Cluster;

use crate::bench::{BUDGET, Place};
use crate::fixture;

/// One module whose declarations change; its lock carries the ids on.
#[derive(Default)]
pub struct Versions {
    lock: String,
    minted: usize,
}

impl Versions {
    /// The schema of the next version.
    pub fn next(&mut self, entities: &[&str]) -> Arc<Schema> {
        let source = |lock: &str| {
            let module = "name = \"test\"\nversion = \"1.0.0\"";
            let mut source = ModuleSource::new("test")
                .with("module.toml", module)
                .with("schema.lock", lock);
            for (place, text) in entities.iter().enumerate() {
                source = source.with(format!("entities/{place}.toml"), *text);
            }
            source
        };
        let minted = &mut self.minted;
        let mut mint = || {
            *minted += 1;
            format!("{minted:08}")
        };
        let locks = fix(&[source(&self.lock)], &mut mint).unwrap();
        if let Some((_, lock)) = locks.into_iter().next() {
            self.lock = lock;
        }
        let options = Options {
            ids: MintIds::FromLock,
            words: false,
        };
        Arc::new(declare(&[source(&self.lock)], options).unwrap().schema)
    }
}

/// Declares an entity.
pub fn entity(name: &str, fields: &str) -> String {
    format!(
        "name = \"{name}\"\ncollection = \"{name}s\"\ntitle = \"title\"\nicon = \"box\"\n\
         [fields]\ntitle = {{ type = \"text\" }}\n{fields}"
    )
}

/// A store without tables.
pub struct Site {
    pub store: Store,
    pub place: Place,
}

pub async fn sqlite() -> Site {
    let folder = tempfile::tempdir().unwrap();
    Site::open(Place::Folder(folder)).await
}

pub async fn postgres() -> Site {
    let database = Cluster::shared().unwrap().database().unwrap();
    Site::open(Place::Server(database)).await
}

/// Runs each test on both databases, from an empty one.
macro_rules! from_nothing {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::schemas::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::schemas::postgres().await).await;
            })+
        }
    };
}
pub(crate) use from_nothing;

impl Site {
    async fn open(place: Place) -> Site {
        let store = Site::another(&place).await;
        Site { store, place }
    }

    /// One more process.
    pub async fn another(place: &Place) -> Store {
        let url = match place {
            Place::Folder(folder) => DatabaseUrl::Sqlite(folder.path().join("test.db")),
            Place::Server(database) => DatabaseUrl::Postgres(database.url()),
        };
        let connections = NonZeroUsize::new(4).unwrap();
        Store::open(StoreOptions { url, connections })
            .await
            .unwrap()
    }

    /// The process ends and starts again.
    pub async fn restart(self) -> Site {
        self.store.close().await;
        drop(self.store);
        Site::open(self.place).await
    }

    pub async fn migrate(&self, schema: &Arc<Schema>) -> Result<Migrated, MigrationError> {
        self.migrate_dropping(schema, &[]).await
    }

    pub async fn migrate_dropping(
        &self,
        schema: &Arc<Schema>,
        drop: &[&str],
    ) -> Result<Migrated, MigrationError> {
        let allow: BTreeSet<String> = drop.iter().map(|name| (*name).to_owned()).collect();
        self.store.migrate(Arc::clone(schema), &allow).await
    }

    /// To the schema and through everything that follows.
    pub async fn become_whole(&self, schema: &Arc<Schema>) {
        self.migrate(schema).await.unwrap();
        self.store.run_fills().await.unwrap();
    }

    pub async fn insert(
        &self,
        entity: &str,
        number: u128,
        values: &[(&str, Value)],
    ) -> Result<Committed, CommitError> {
        let schema = self.store.schema();
        let write = fixture::insert(&schema, entity, fixture::id(number), values);
        self.write(write).await
    }

    pub async fn write(&self, write: Write) -> Result<Committed, CommitError> {
        let commit = Commit {
            tenant: 1,
            writes: vec![write],
            ..Commit::default()
        };
        self.store.commit(commit).await
    }

    /// A field of every row, in the order of their ids.
    pub async fn values(&self, entity: &str, field: &str) -> Vec<Value> {
        let schema = self.store.schema();
        let ix = schema.find(entity).unwrap();
        let field_ix = |name: &str| schema.entity(ix).find(name).unwrap();
        let select = Select {
            tenant: 1,
            entity: ix,
            filter: opsflux_model::Predicate::True,
            outputs: vec![Output::Field(field_ix(field))],
            sort: vec![opsflux_store::Sort::by(ix, field_ix("id"), false)],
            after: None,
            limit: 1_000,
            living: opsflux_store::Living::Any,
        };
        let mut values = Vec::new();
        let each = |row: &Row<'_>| {
            values.push(row.value(0)?);
            Ok::<_, StoreError>(())
        };
        self.store.select(&select, BUDGET, each).await.unwrap();
        values
    }

    /// Runs SQL beside the program.
    pub fn sql(&self, sql: &str) {
        match &self.place {
            Place::Folder(_) => self.file().execute_batch(sql).unwrap(),
            Place::Server(database) => drop(database.sql(sql).unwrap()),
        }
    }

    /// The number that SQL answers, beside the program.
    pub fn number(&self, sql: &str) -> i64 {
        match &self.place {
            Place::Folder(_) => self.file().query_row(sql, [], |row| row.get(0)).unwrap(),
            Place::Server(database) => database.sql(sql).unwrap().parse().unwrap(),
        }
    }

    fn file(&self) -> rusqlite::Connection {
        let Place::Folder(folder) = &self.place else {
            panic!("not a file");
        };
        rusqlite::Connection::open(folder.path().join("test.db")).unwrap()
    }

    /// Makes many rows of `r_ticket` with a title each.
    pub fn many_tickets(&self, count: u32) {
        self.sql(&match &self.place {
            Place::Folder(_) => format!(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
                 INSERT INTO r_ticket (tenant_id, id, version, created_at, updated_at, title, title_key)
                 SELECT 1, randomblob(16), 1, 0, 0, 'Té ' || n, 'te ' || n FROM n"
            ),
            Place::Server(_) => format!(
                "INSERT INTO r_ticket (tenant_id, id, version, created_at, updated_at, title, title_key)
                 SELECT 1, gen_random_uuid(), 1, now(), now(), 'Té ' || n, 'te ' || n
                 FROM generate_series(1, {count}) n"
            ),
        });
    }
}
