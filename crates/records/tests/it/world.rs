//! A company with two departments and one person of each role, on a database of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use opsflux_model::access::{Membership, Principal};
use opsflux_model::declare::{ModuleSource, Options, declare};
use opsflux_model::{Access, EntityIx, Schema};
use opsflux_records::{
    Caller, Clock, Deletion, Error, GetRequest, Language, ListRequest, Origin, Precondition,
    Records, RecordsOptions, Sealer, Uuid, WriteOptions,
};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Store, StoreOptions};
use opsflux_testkit::postgres::Cluster;
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};

use crate::ground::Ground;

/// Runs a test on both databases.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(crate::world::World::sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(crate::world::World::postgres().await).await; })+
        }
    };
}
pub(crate) use both;

/// The time, moved by tests.
pub struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // One millisecond a look: what happens later has a later time.
        let mut now = self.0.lock();
        *now += Duration::from_millis(1);
        *now
    }
}

impl TestClock {
    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        *self.0.lock() += time;
    }
}

struct PlainSealer;

impl Sealer for PlainSealer {
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String> {
        Ok(format!("sealed:{tenant}:{}", clear.len()))
    }

    fn hash_password(&self, clear: &str) -> Result<String, (&'static str, String)> {
        if clear.len() < 8 {
            Err(("too_short", "8".into()))
        } else {
            Ok("hash".into())
        }
    }
}

pub struct World {
    pub records: Records,
    pub admin: Caller,
    pub company: Uuid,
    /// Two departments beside each other.
    pub north: Uuid,
    pub south: Uuid,
    pub clock: Arc<TestClock>,
    pub url: String,
    pub ground: Ground,
}

pub const TENANT: i64 = 1;
const SECRET: [u8; 32] = [7; 32];

impl World {
    pub async fn sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        World::on(&url, Ground::Sqlite { _folder: folder }).await
    }

    pub async fn postgres() -> World {
        let cluster = Cluster::shared().unwrap();
        let database = cluster.database().unwrap();
        let url = database.url();
        World::on(
            &url,
            Ground::Postgres {
                database,
                _cluster: cluster,
            },
        )
        .await
    }

    async fn on(url: &str, ground: Ground) -> World {
        let connections = 4.try_into().unwrap();
        let store = Store::open(StoreOptions {
            url: url.parse().unwrap(),
            connections,
        });
        let store = store.await.unwrap();
        store
            .migrate(Arc::new(built_in_schema()), &Default::default())
            .await
            .unwrap();
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let clock = Arc::new(TestClock(Mutex::new(start)));
        let tenant = SystemWrite::Tenant {
            id: Uuid::nil(),
            name: "ACME".into(),
            at: start,
        };
        let founding = Commit {
            tenant: TENANT,
            system: vec![tenant],
            ..Commit::default()
        };
        store.commit(founding).await.unwrap();
        let records = process(store, clock.clone(), SECRET);
        let schema = records.schema();
        let origin = Origin {
            source: "test".into(),
            ..Origin::default()
        };
        let mut admin = Caller::house(&schema, TENANT, Uuid::nil(), origin);
        let mut world = World {
            records,
            admin: admin.clone(),
            company: Uuid::nil(),
            north: Uuid::nil(),
            south: Uuid::nil(),
            clock,
            url: url.to_owned(),
            ground,
        };
        world.company = world
            .make("company", json!({"name": "ACME", "code": "acme"}))
            .await;
        admin.company = Some(world.company);
        world.admin = admin.clone();
        world.north = world.make("department", json!({"name": "North"})).await;
        world.south = world.make("department", json!({"name": "South"})).await;
        let boss = world.person("Ada Boss", None).await;
        let principal = Principal {
            user: boss,
            ..admin.access.principal.clone()
        };
        admin.access = Arc::new(Access::everything(&schema, principal));
        world.admin = admin;
        world
    }

    /// The same database as another process sees it.
    pub async fn another_process(&self) -> Records {
        self.with_secret(SECRET).await
    }

    /// The same, by a process that has another secret.
    pub async fn with_secret(&self, secret: [u8; 32]) -> Records {
        let store = Store::open(StoreOptions {
            url: self.url.parse().unwrap(),
            connections: 2.try_into().unwrap(),
        });
        let store = store.await.unwrap();
        store.install_schema(self.records.schema());
        process(store, self.clock.clone(), secret)
    }

    pub fn entity(&self, name: &str) -> EntityIx {
        self.records
            .schema()
            .find(name)
            .unwrap_or_else(|| panic!("no entity {name}"))
    }

    /// A user row; people of tests need no account to act.
    pub async fn person(&self, name: &str, department: Option<Uuid>) -> Uuid {
        let handle = name.to_lowercase().replace(' ', ".");
        let body = json!({
            "full_name": name,
            "email": format!("{handle}@acme.test"),
            "department": department.map(|d| d.to_string()),
        });
        let options = WriteOptions {
            engine: vec![("username", format!("@{handle}.acme").into())],
            ..WriteOptions::default()
        };
        let caller = self.admin.clone();
        let written = self
            .records
            .create(&caller, self.entity("user"), object(body), &options)
            .await;
        written.unwrap().id
    }

    /// Somebody with one role in the company, in a department.
    pub async fn caller(&self, name: &str, role: &str, department: Option<Uuid>) -> Caller {
        let user = self.person(name, department).await;
        let schema = self.records.schema();
        let principal = Principal {
            tenant: TENANT,
            user,
            home_company: Some(self.company),
            memberships: vec![Membership::of(
                role,
                Some(self.company),
                department.into_iter().collect(),
            )],
            groups: Vec::new(),
            shares: Vec::new(),
            instance_admin: false,
        };
        let mut caller = Caller {
            access: self.admin.access.clone(),
            origin: Arc::new(Origin {
                source: "test".into(),
                ..Origin::default()
            }),
            language: Language::En,
            time_zone: jiff::tz::TimeZone::UTC,
            company: Some(self.company),
            companies: Vec::new(),
            viewer: None,
        };
        caller.access = Arc::new(Access::everything(&schema, principal.clone()));
        let variables = caller.variables(self.records.now());
        caller.access = Arc::new(Access::compile(&schema, principal, &variables));
        caller
    }

    /// A new record by the house.
    pub async fn make(&self, entity: &str, body: Json) -> Uuid {
        let caller = self.admin.clone();
        id_of(&self.create(&caller, entity, body).await.unwrap())
    }

    pub async fn create(&self, caller: &Caller, entity: &str, body: Json) -> Result<Json, Error> {
        let options = WriteOptions::default();
        let ix = self.entity(entity);
        let written = self
            .records
            .create(caller, ix, object(body), &options)
            .await?;
        Ok(serde_json::from_slice(&written.body).unwrap())
    }

    pub async fn get(&self, caller: &Caller, entity: &str, id: Uuid) -> Result<Json, Error> {
        let request = GetRequest::default();
        let ix = self.entity(entity);
        let found = self
            .records
            .get(caller, ix, &id.to_string(), &request)
            .await?;
        Ok(serde_json::from_slice(&found.body).unwrap())
    }

    pub async fn patch(
        &self,
        caller: &Caller,
        entity: &str,
        id: Uuid,
        patch: Json,
        precondition: Precondition,
    ) -> Result<Json, Error> {
        let options = WriteOptions {
            precondition,
            ..WriteOptions::default()
        };
        let ix = self.entity(entity);
        let patch = object(patch);
        let written = self
            .records
            .update(caller, ix, &id.to_string(), patch, &options)
            .await?;
        Ok(serde_json::from_slice(&written.body).unwrap())
    }

    pub async fn set(
        &self,
        caller: &Caller,
        entity: &str,
        id: Uuid,
        patch: Json,
    ) -> Result<Json, Error> {
        self.patch(caller, entity, id, patch, Precondition::None)
            .await
    }

    pub async fn delete(&self, caller: &Caller, entity: &str, id: Uuid) -> Result<Deletion, Error> {
        let options = WriteOptions::default();
        self.records
            .delete(caller, self.entity(entity), &id.to_string(), &options)
            .await
    }

    pub async fn restore(&self, caller: &Caller, entity: &str, id: Uuid) -> Result<(), Error> {
        let options = WriteOptions::default();
        let ix = self.entity(entity);
        self.records
            .restore(caller, ix, &id.to_string(), &options)
            .await
            .map(|_| ())
    }

    /// A page, asked for as an address would.
    pub async fn list(&self, caller: &Caller, entity: &str, query: &str) -> Result<Json, Error> {
        let ix = self.entity(entity);
        let schema = self.records.schema();
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let request = ListRequest::from_query(schema.entity(ix), &pairs)?;
        let page = self.records.list(caller, ix, &request).await?;
        Ok(serde_json::from_slice(&page).unwrap())
    }

    /// The values of one field over a list.
    pub async fn column(
        &self,
        caller: &Caller,
        entity: &str,
        query: &str,
        field: &str,
    ) -> Vec<Json> {
        let page = self.list(caller, entity, query).await.unwrap();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[field].clone())
            .collect()
    }
}

pub fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub fn id_of(record: &Json) -> Uuid {
    record["id"].as_str().unwrap().parse().unwrap()
}

/// The pipeline on a store, with the rules of the desk.
fn process(store: Store, clock: Arc<TestClock>, secret: [u8; 32]) -> Records {
    Records::new(RecordsOptions {
        store,
        clock,
        sealer: Arc::new(PlainSealer),
        secret,
        rules: opsflux_desk::rules(),
        budget: Duration::from_secs(20),
    })
}

/// The schema of the modules in this repository, and of the tests' own.
fn built_in_schema() -> Schema {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules");
    let built_in = ["base", "assets", "desk"].into_iter().map(|name| {
        let mut source = ModuleSource::new(name);
        read_into(&root.join(name), &root.join(name), &mut source);
        source
    });
    let modules: Vec<ModuleSource> = built_in.chain([crate::shop::module()]).collect();
    match declare(&modules, Options::DRAFT) {
        Ok(accepted) => accepted.schema,
        Err(diagnostics) => panic!("{}", diagnostics[0]),
    }
}

fn read_into(root: &Path, folder: &Path, source: &mut ModuleSource) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let skipped = path
            .file_name()
            .is_some_and(|name| name == "demo" || name == "src");
        if path.is_dir() && !skipped {
            read_into(root, &path, source);
        } else if path.is_file() && !path.ends_with("Cargo.toml") {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            *source = std::mem::take(source).with(name, text);
        }
    }
}
