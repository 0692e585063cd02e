//! A company with two people, on a database of its own, and the room over it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opsflux_messaging::{
    Dice, Limits, MailConfig, Messaging, MessagingOptions, Queued, Vault, outgoing,
};
use opsflux_model::access::{Membership, Principal};
use opsflux_model::declare::{ModuleSource, Options, declare};
use opsflux_model::{Access, Schema};
use opsflux_records::{
    Caller, Clock, Error, GetRequest, ListRequest, Origin, Records, RecordsOptions, Sealer, Uuid,
    WriteOptions,
};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Entry, Store, StoreOptions};
use opsflux_testkit::postgres::Cluster;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};

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
        *self.0.lock()
    }
}

/// Seals so that one sees it, and opens only what it has sealed for the same tenant.
struct Safe;

impl Sealer for Safe {
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String> {
        Vault::seal(self, tenant, clear)
    }

    fn hash_password(&self, _: &str) -> Result<String, (&'static str, String)> {
        Ok("hash".into())
    }
}

impl Vault for Safe {
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String> {
        let hidden: String = clear.chars().rev().collect();
        Ok(format!("{tenant}:{hidden}"))
    }

    fn open(&self, tenant: i64, sealed: &str) -> Result<String, String> {
        let hidden = sealed.strip_prefix(&format!("{tenant}:"));
        Ok(hidden.ok_or("another tenant's")?.chars().rev().collect())
    }
}

/// The database, kept as long as the world.
type Ground = Box<dyn std::any::Any + Send + Sync>;

pub struct World {
    pub messaging: Messaging,
    pub records: Records,
    pub clock: Arc<TestClock>,
    pub admin: Caller,
    pub zoe: Caller,
    pub ben: Caller,
    pub calls: Limits,
    url: String,
    _ground: Ground,
}

pub const TENANT: i64 = 1;
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

impl World {
    pub async fn sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        World::on(url, Box::new(folder)).await
    }

    pub async fn postgres() -> World {
        let cluster = Cluster::shared().unwrap();
        let database = cluster.database().unwrap();
        let url = database.url();
        World::on(url, Box::new((database, cluster))).await
    }

    async fn on(url: String, ground: Ground) -> World {
        let store = open(&url).await;
        store
            .migrate(Arc::new(schema()), &Default::default())
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
        let records = pipeline(store, clock.clone());
        let house = Caller::house(&records.schema(), TENANT, Uuid::nil(), Origin::default());
        let calls = Limits {
            allow_private: true,
            within: Duration::from_secs(10),
        };
        let mut world = World {
            messaging: room(records.clone(), None, calls),
            records,
            clock,
            admin: house.clone(),
            zoe: house.clone(),
            ben: house,
            calls,
            url,
            _ground: ground,
        };
        let company = world
            .make("company", json!({"name": "ACME", "code": "acme"}))
            .await;
        world.admin.company = Some(company);
        world.zoe = world.person("zoe", company).await;
        world.ben = world.person("ben", company).await;
        world
    }

    async fn make(&self, entity: &str, body: Json) -> Uuid {
        let ix = self.records.schema().find(entity).unwrap();
        let Json::Object(body) = body else { panic!() };
        let options = match entity {
            "user" => WriteOptions {
                engine: vec![("username", body["email"].as_str().unwrap().into())],
                ..WriteOptions::default()
            },
            _ => WriteOptions::default(),
        };
        let made = self.records.create(&self.admin, ix, body, &options).await;
        made.unwrap().id
    }

    async fn person(&self, name: &str, company: Uuid) -> Caller {
        let email = format!("{name}@acme.test");
        let body = json!({"full_name": name, "email": email});
        let user = self.make("user", body).await;
        let principal = Principal {
            tenant: TENANT,
            user,
            home_company: Some(company),
            memberships: vec![Membership::of("guest", Some(company), Vec::new())],
            groups: Vec::new(),
            instance_admin: false,
            shares: Default::default(),
        };
        let mut caller = self.admin.clone();
        caller.access = Arc::new(Access::everything(
            &self.records.schema(),
            principal.clone(),
        ));
        let variables = caller.variables(self.records.now());
        let access = Access::compile(&self.records.schema(), principal, &variables);
        caller.access = Arc::new(access);
        caller
    }

    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        *self.clock.0.lock() += time;
    }

    /// The room of another process on the same database.
    pub async fn another(&self, mail: Option<MailConfig>) -> Messaging {
        let store = open(&self.url).await;
        store.install_schema(self.records.schema());
        room(pipeline(store, self.clock.clone()), mail, self.calls)
    }

    /// The room with a mail server.
    pub fn with_mail(&mut self, mail: MailConfig) {
        self.messaging = room(self.records.clone(), Some(mail), self.calls);
    }

    /// The room with other limits for calls.
    pub fn with_calls(&mut self, calls: Limits) {
        self.calls = calls;
        self.messaging = room(self.records.clone(), None, calls);
    }

    /// Commits messages; the id of the first.
    pub async fn queue(&self, messages: Vec<Queued>) -> Uuid {
        let first = messages[0].id;
        self.messaging.send(TENANT, messages).await.unwrap();
        first
    }

    pub async fn work_off(&self) -> usize {
        self.messaging.work_off().await.unwrap()
    }

    pub async fn get(&self, caller: &Caller, entity: &str, id: Uuid) -> Result<Json, Error> {
        let ix = self.records.schema().find(entity).unwrap();
        let request = GetRequest::default();
        let found = self
            .records
            .get(caller, ix, &id.to_string(), &request)
            .await?;
        Ok(serde_json::from_slice(&found.body).unwrap())
    }

    /// A delivery as an administrator sees it.
    pub async fn delivery(&self, id: Uuid) -> Json {
        self.get(&self.admin, outgoing::DELIVERY, id).await.unwrap()
    }

    pub async fn list(&self, caller: &Caller, entity: &str, query: &[(&str, &str)]) -> Vec<Json> {
        let ix = self.records.schema().find(entity).unwrap();
        let schema = self.records.schema();
        let pairs: Vec<(String, String)> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = ListRequest::from_query(schema.entity(ix), &pairs).unwrap();
        let page = self.records.list(caller, ix, &request).await.unwrap();
        let page: Json = serde_json::from_slice(&page).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// The first `count` things the feed says of an entity, once it says them.
    pub async fn feed(&self, entity: &str, count: usize) -> Vec<Entry> {
        let store = self.records.store();
        let mut wake = store.subscribe_feed();
        let told = async {
            loop {
                let all = store.feed_after(0, 10_000).await.unwrap();
                let of = all.into_iter().filter(|entry| entry.entry.entity == entity);
                let of: Vec<Entry> = of.collect();
                if of.len() >= count {
                    return of;
                }
                // A look each second besides: on PostgreSQL places are given behind the commits.
                let _ = tokio::time::timeout(Duration::from_secs(1), wake.changed()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), told)
            .await
            .unwrap()
    }
}

async fn open(url: &str) -> Store {
    let store = Store::open(StoreOptions {
        url: url.parse().unwrap(),
        connections: 4.try_into().unwrap(),
    });
    store.await.unwrap()
}

fn pipeline(store: Store, clock: Arc<TestClock>) -> Records {
    Records::new(RecordsOptions {
        store,
        clock,
        sealer: Arc::new(Safe),
        secret: [7; 32],
        rules: Vec::new(),
        budget: Duration::from_secs(10),
    })
}

fn room(records: Records, mail: Option<MailConfig>, calls: Limits) -> Messaging {
    Messaging::new(MessagingOptions {
        records,
        vault: Arc::new(Safe),
        mail,
        calls,
        dice: Dice::new(|| 1.0),
        lease: LEASE,
    })
}

fn schema() -> Schema {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules/base");
    let mut base = ModuleSource::new("base");
    read_into(&root, &root, &mut base);
    match declare(&[base], Options::DRAFT) {
        Ok(accepted) => accepted.schema,
        Err(diagnostics) => panic!("{}", diagnostics[0]),
    }
}

fn read_into(root: &Path, folder: &Path, source: &mut ModuleSource) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("demo") {
            read_into(root, &path, source);
        } else if path.is_file() {
            let name = path.strip_prefix(root).unwrap().to_string_lossy();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = name.into_owned();
            *source = std::mem::take(source).with(name, text);
        }
    }
}
