//! An instance that has been set up and in which nothing has happened yet.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use opsflux_demo::{DemoOptions, Error, Summary, fill};
use opsflux_documents::Blobs;
use opsflux_identity::{Keys, bootstrap};
use opsflux_model::declare::{ModuleSource, Options, declare};
use opsflux_model::{Schema, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Clock, Records, RecordsOptions, Uuid};
use opsflux_store::{Store, StoreOptions};
use opsflux_testkit::postgres::{Cluster, Database};

/// The moment at which the history ends: a Wednesday afternoon.
pub const NOW: &str = "2026-03-04T14:20:00Z";

pub const TENANT: i64 = 1;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

pub struct Instance {
    pub records: Records,
    pub blobs: Arc<Blobs>,
    _folder: tempfile::TempDir,
    _postgres: Option<(Database, Cluster)>,
}

impl Instance {
    pub async fn sqlite() -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("demo.db").display());
        Instance::at(&url, folder, None).await
    }

    pub async fn postgres() -> Instance {
        let cluster = Cluster::shared().unwrap();
        let database = cluster.database().unwrap();
        let url = database.url();
        Instance::at(
            &url,
            tempfile::tempdir().unwrap(),
            Some((database, cluster)),
        )
        .await
    }

    async fn at(
        url: &str,
        folder: tempfile::TempDir,
        postgres: Option<(Database, Cluster)>,
    ) -> Instance {
        let options = StoreOptions {
            url: url.parse().unwrap(),
            connections: 4.try_into().unwrap(),
        };
        let store = Store::open(options).await.unwrap();
        store
            .migrate(Arc::new(built_in_schema()), &Default::default())
            .await
            .unwrap();
        let mut rules = opsflux_identity::rules();
        rules.extend(opsflux_desk::rules());
        rules.extend(opsflux_kpi::rules());
        rules.extend(opsflux_crm::rules());
        let records = Records::new(RecordsOptions {
            store,
            clock: Arc::new(Standing),
            sealer: Arc::new(Keys::derive(&[7; 32]).unwrap()),
            secret: [7; 32],
            rules,
            budget: Duration::from_secs(20),
        });
        bootstrap(
            &records,
            "admin@opsflux.local",
            Some("a password for tests"),
        )
        .await
        .unwrap();
        let blobs = Arc::new(Blobs::open(&folder.path().join("files"), &[7; 32]).unwrap());
        Instance {
            records,
            blobs,
            _folder: folder,
            _postgres: postgres,
        }
    }

    pub async fn fill(&self, tickets: u32, seed: u64) -> Result<Summary, Error> {
        let options = DemoOptions {
            tickets,
            seed,
            now: NOW.parse().unwrap(),
            password_hash: "$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$aGFzaA".to_owned(),
            blobs: Some(self.blobs.clone()),
        };
        fill(&self.records, options, |_| {}).await
    }

    /// Every record of an entity, in the order of their ids.
    pub async fn all(&self, entity: &str) -> Vec<Snapshot> {
        let ix = self.records.schema().find(entity).unwrap();
        let mut all: Vec<Snapshot> = Vec::new();
        loop {
            let after = all.last().map(|record| record.id);
            let next = self.records.scan(TENANT, ix, after, 1_000).await.unwrap();
            if next.is_empty() {
                return all;
            }
            all.extend(next);
        }
    }

    /// Every record of an entity, by id.
    pub async fn by_id(&self, entity: &str) -> BTreeMap<Uuid, Snapshot> {
        self.all(entity)
            .await
            .into_iter()
            .map(|record| (record.id, record))
            .collect()
    }

    pub fn schema(&self) -> Arc<Schema> {
        self.records.schema()
    }
}

pub fn text<'a>(schema: &Schema, record: &'a Snapshot, field: &str) -> &'a str {
    record.get(schema, field).as_text().unwrap_or_default()
}

pub fn time(schema: &Schema, record: &Snapshot, field: &str) -> Option<Timestamp> {
    match record.get(schema, field) {
        Value::Time(at) => Some(*at),
        _ => None,
    }
}

/// The modules that come with the program.
pub fn built_in_schema() -> Schema {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../modules");
    let mut modules = Vec::new();
    for name in ["base", "assets", "desk", "automation", "kpi", "crm"] {
        let mut source = ModuleSource::new(name);
        for part in ["", "entities", "views", "locales"] {
            let Ok(folder) = std::fs::read_dir(root.join(name).join(part)) else {
                continue;
            };
            for file in folder {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    let path = format!("{part}/{}", file.file_name().to_string_lossy());
                    let text = std::fs::read_to_string(file.path()).unwrap();
                    source = source.with(path.trim_start_matches('/'), text);
                }
            }
        }
        modules.push(source);
    }
    declare(&modules, Options::STRICT).unwrap().schema
}
