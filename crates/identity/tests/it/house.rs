//! A whole house without HTTP: the declared modules on a fresh database, a clock that tests move.
//! Calls that go the way the server sends them are in [`crate::calls`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use opsflux_identity::{Identity, IdentityOptions, Keys, bootstrap, rules};
use opsflux_model::declare::{ModuleSource, Options, declare};
use opsflux_model::{EntityIx, Schema};
use opsflux_records::{Caller, Clock, Error, Origin, Records, RecordsOptions, WriteOptions};
use opsflux_store::{DatabaseUrl, Store, StoreOptions};
use opsflux_testkit::postgres::{Cluster, Database};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use tokio::sync::watch;
use uuid::Uuid;

pub use crate::calls::{Headers, wrong_fields};

pub const ADMIN: &str = "admin@opsflux.local";
pub const PASSWORD: &str = "tuyau d'orgue violet";
const SECRET: [u8; 32] = [7; 32];

/// A clock that stands still until a test moves it.
pub struct FakeClock(Mutex<Timestamp>);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

impl FakeClock {
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock() += by;
    }
}

/// One process of one instance.
pub struct House {
    pub records: Records,
    pub identity: Identity,
    pub clock: Arc<FakeClock>,
    stop: watch::Sender<bool>,
    _dir: tempfile::TempDir,
    _database: Option<Database>,
}

fn module_sources() -> Vec<ModuleSource> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules");
    let mut sources = Vec::new();
    for name in ["base", "assets", "desk"] {
        let mut source = ModuleSource::new(name);
        let mut todo = vec![root.join(name)];
        while let Some(folder) = todo.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let relative = path.strip_prefix(root.join(name)).unwrap().to_path_buf();
                if path.is_dir() {
                    if !relative.starts_with("demo") && !relative.starts_with("src") {
                        todo.push(path);
                    }
                } else if relative
                    .extension()
                    .is_some_and(|e| e == "toml" || e == "json")
                    && relative
                        .file_name()
                        .is_some_and(|name| name != "Cargo.toml")
                    || relative.ends_with("schema.lock")
                {
                    let text = std::fs::read_to_string(&path).unwrap();
                    source = source.with(relative.to_str().unwrap(), text);
                }
            }
        }
        sources.push(source);
    }
    sources
}

pub fn schema() -> Arc<Schema> {
    let accepted = declare(&module_sources(), Options::STRICT);
    Arc::new(
        accepted
            .unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
            .schema,
    )
}

impl House {
    /// One house on each database, with its first administrator.
    pub async fn on_both() -> [House; 2] {
        [House::on_sqlite().await, House::on_postgres().await]
    }

    pub async fn on_sqlite() -> House {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(dir.path().join("opsflux.db"));
        House::open(url, dir, None).await
    }

    pub async fn on_postgres() -> House {
        let database = Cluster::shared().unwrap().database().unwrap();
        let url = database.url().parse().unwrap();
        House::open(url, tempfile::tempdir().unwrap(), Some(database)).await
    }

    async fn open(url: DatabaseUrl, dir: tempfile::TempDir, database: Option<Database>) -> House {
        let connections = std::num::NonZeroUsize::new(4).unwrap();
        let store = Store::open(StoreOptions { url, connections })
            .await
            .unwrap();
        store.migrate(schema(), &Default::default()).await.unwrap();
        let keys = Arc::new(Keys::derive(&SECRET).unwrap());
        let clock = Arc::new(FakeClock(Mutex::new(
            "2026-03-02T08:00:00Z".parse().unwrap(),
        )));
        let records = Records::new(RecordsOptions {
            store,
            clock: clock.clone(),
            sealer: keys.clone(),
            secret: SECRET,
            rules: rules(),
            budget: Duration::from_secs(5),
        });
        let (stop, _) = watch::channel(false);
        let options = IdentityOptions {
            keys,
            signup: true,
            secure_cookies: true,
        };
        let identity = Identity::new(records.clone(), options);
        let house = House {
            records,
            identity,
            clock,
            stop,
            _dir: dir,
            _database: database,
        };
        tokio::spawn(house.identity.clone().follow(house.stop.subscribe()));
        house
    }

    /// The same with the administrator [`ADMIN`], [`PASSWORD`].
    pub async fn furnished() -> [House; 2] {
        let houses = House::on_both().await;
        for house in &houses {
            bootstrap(&house.records, ADMIN, Some(PASSWORD))
                .await
                .unwrap();
        }
        houses
    }

    pub fn name(&self) -> &'static str {
        self.records.store().kind()
    }

    /// Another process on the same database: nothing in memory is shared.
    pub fn elsewhere(&self) -> Identity {
        let keys = Arc::new(Keys::derive(&SECRET).unwrap());
        let options = IdentityOptions {
            keys,
            signup: false,
            secure_cookies: true,
        };
        let identity = Identity::new(self.records.clone(), options);
        tokio::spawn(identity.clone().follow(self.stop.subscribe()));
        identity
    }

    /// Lets an event happen: polls until `done` answers, ten seconds at most.
    pub async fn until<T>(&self, mut done: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(answer) = done().await {
                return answer;
            }
            assert!(std::time::Instant::now() < deadline, "it did not happen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Who the token is, when it is anybody.
    pub async fn who(&self, token: &str) -> Option<Caller> {
        who(&self.identity, token).await
    }

    pub async fn caller(&self, token: &str) -> Caller {
        self.who(token).await.expect("a token of somebody")
    }

    pub fn entity(&self, name: &str) -> EntityIx {
        self.records.schema().find(name).unwrap()
    }

    pub async fn create(&self, caller: &Caller, entity: &str, body: Json) -> Result<Uuid, Error> {
        let options = WriteOptions::default();
        let written = self
            .records
            .create(caller, self.entity(entity), object(body), &options)
            .await?;
        Ok(written.id)
    }

    pub async fn update(
        &self,
        caller: &Caller,
        entity: &str,
        id: Uuid,
        body: Json,
    ) -> Result<(), Error> {
        let (entity, id) = (self.entity(entity), id.to_string());
        let options = WriteOptions::default();
        self.records
            .update(caller, entity, &id, object(body), &options)
            .await
            .map(|_| ())
    }

    pub async fn delete(&self, caller: &Caller, entity: &str, id: Uuid) -> Result<(), Error> {
        let (entity, id) = (self.entity(entity), id.to_string());
        self.records
            .delete(caller, entity, &id, &WriteOptions::default())
            .await
            .map(|_| ())
    }

    /// All fields of a record, with the rights of the caller.
    pub async fn record(&self, caller: &Caller, entity: &str, id: Uuid) -> Json {
        let request = opsflux_records::GetRequest::default();
        let found = self
            .records
            .get(caller, self.entity(entity), &id.to_string(), &request)
            .await;
        serde_json::from_slice(&found.unwrap().body).unwrap()
    }

    /// Rows of a log or entity, newest first, as the caller sees them.
    pub async fn list(&self, caller: &Caller, entity: &str, query: &[(&str, &str)]) -> Vec<Json> {
        let schema = self.records.schema();
        let entity = self.entity(entity);
        let query: Vec<(String, String)> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request =
            opsflux_records::ListRequest::from_query(schema.entity(entity), &query).unwrap();
        let page = self.records.list(caller, entity, &request).await.unwrap();
        let page: Json = serde_json::from_slice(&page).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    pub async fn role(&self, caller: &Caller, name: &str) -> Uuid {
        let found = self.list(caller, "role", &[("name", name)]).await;
        Uuid::try_parse(found[0]["id"].as_str().unwrap()).unwrap()
    }

    /// A person with one role, who can sign in with [`PASSWORD`].
    pub async fn person(&self, admin: &Caller, full_name: &str, email: &str, role: &str) -> Uuid {
        let role = self.role(admin, role).await.to_string();
        let body = json!({
            "full_name": full_name, "email": email, "password": PASSWORD,
            "memberships": [{"role": role}],
        });
        self.create(admin, "user", body).await.unwrap()
    }

    /// The first membership of a person.
    pub async fn membership(&self, caller: &Caller, of: Uuid) -> Uuid {
        let found = self
            .list(caller, "membership", &[("user", &of.to_string())])
            .await;
        Uuid::try_parse(found[0]["id"].as_str().unwrap()).unwrap()
    }

    pub async fn admin(&self) -> Caller {
        let tokens = self.sign_in(ADMIN, PASSWORD).await;
        self.caller(&tokens.access).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

pub async fn who(identity: &Identity, token: &str) -> Option<Caller> {
    let headers = Headers::bearer(token);
    let origin = Arc::new(Origin::default());
    identity
        .resolve(&headers.map, &Method::GET, &origin)
        .await
        .unwrap()
}

pub fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
