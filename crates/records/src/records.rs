//! [`Records`]: the schema, the store and everything a pipeline needs, in one place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use opsflux_model::predicate::Binder;
use opsflux_model::{EntityIx, Schema};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Prepared, Store};
use parking_lot::Mutex;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::audit::{Anchor, AuditKey};
use crate::caller::Caller;
use crate::cursor::CursorKey;
use crate::entity::InFlight;
use crate::read::search::Searcher;
use crate::read::{By, GetPlan, Plans, Whole, WholePlan};
use crate::rule::Rule;
use crate::write::LinkedTo;
use crate::write::numbers::Numbers;

/// Where the time comes from. Passed in, so that tests decide what time it is.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Seals secrets and hashes passwords; given by whoever holds the keys (`identity`, `server`).
pub trait Sealer: Send + Sync {
    /// Encrypts a secret field for storage.
    ///
    /// # Errors
    /// A text for the log when it cannot.
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String>;

    /// Hashes a password for storage.
    ///
    /// # Errors
    /// `(code, detail)` when the password is too weak, told at its field.
    fn hash_password(&self, clear: &str) -> Result<String, (&'static str, String)>;
}

/// What [`Records`] is made with.
pub struct RecordsOptions {
    /// Where rows are.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Seals secrets.
    pub sealer: Arc<dyn Sealer>,
    /// 32 bytes from which the keys of cursors and of the audit are derived.
    pub secret: [u8; 32],
    /// Rules of the modules, in order.
    pub rules: Vec<Arc<dyn Rule>>,
    /// What a read may take.
    pub budget: Duration,
}

/// The one way in and the one way out. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub sealer: Arc<dyn Sealer>,
    pub cursors: CursorKey,
    /// Signs the chain of the audit.
    pub audit_key: AuditKey,
    /// Where heads of that chain are kept outside the database.
    pub anchor: OnceLock<Arc<dyn Anchor>>,
    pub rules: BTreeMap<String, Vec<Arc<dyn Rule>>>,
    pub budget: Duration,
    pub numbers: Numbers,
    pub settings: ArcSwap<BTreeMap<i64, Arc<BTreeMap<String, Json>>>>,
    pub searcher: OnceLock<Arc<dyn Searcher>>,
    pub standing: OnceLock<Arc<dyn crate::standing::Standing>>,
    /// How records are read one by one.
    pub get_plans: Plans<(EntityIx, By), GetPlan>,
    /// How whole records are read by those who change them.
    pub whole_plans: Plans<Whole, WholePlan>,
    /// How targets of links are looked up.
    pub link_plans: Plans<LinkedTo, Prepared>,
    /// Idempotency keys being worked on in this process.
    pub in_flight: Mutex<HashSet<InFlight>>,
    /// Refused attempts noted in the current second, by address.
    pub refusals: Mutex<(i64, HashMap<String, u32>)>,
    /// Rung when a job was queued here.
    pub jobs: tokio::sync::Notify,
    /// The name of this process among the workers of jobs.
    pub worker: Uuid,
}

impl Records {
    /// Puts the pipeline together. The store has its schema already.
    #[must_use]
    pub fn new(options: RecordsOptions) -> Records {
        let mut rules: BTreeMap<String, Vec<Arc<dyn Rule>>> = BTreeMap::new();
        for rule in options.rules {
            rules
                .entry(rule.entity().to_owned())
                .or_default()
                .push(rule);
        }
        Records {
            inner: Arc::new(Inner {
                store: options.store,
                clock: options.clock,
                sealer: options.sealer,
                cursors: CursorKey::derive(&options.secret),
                audit_key: AuditKey::derive(&options.secret),
                anchor: OnceLock::new(),
                rules,
                budget: options.budget,
                numbers: Numbers::default(),
                settings: ArcSwap::default(),
                searcher: OnceLock::new(),
                standing: OnceLock::new(),
                get_plans: Plans::default(),
                whole_plans: Plans::default(),
                link_plans: Plans::default(),
                in_flight: Mutex::default(),
                refusals: Mutex::default(),
                jobs: tokio::sync::Notify::new(),
                worker: Uuid::new_v4(),
            }),
        }
    }

    /// The schema in force.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        self.inner.store.schema()
    }

    /// The store, for engines that keep rows of their own (log entities, system rows).
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Gives the pipeline its full text. The search room is built on `Records`, so it comes after;
    /// a second one is ignored.
    pub fn set_searcher(&self, searcher: Arc<dyn Searcher>) {
        let _ = self.inner.searcher.set(searcher);
    }

    /// Gives the pipeline a place outside the database for heads of the audit; a second one is
    /// ignored.
    pub fn set_anchor(&self, anchor: Arc<dyn Anchor>) {
        let _ = self.inner.anchor.set(anchor);
    }

    /// The full text.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] while there is none.
    pub fn searcher(&self) -> Result<&dyn Searcher, crate::error::Error> {
        let searcher = self.inner.searcher.get();
        searcher
            .map(|searcher| &**searcher)
            .ok_or_else(|| crate::error::Error::Unavailable("full-text search".to_owned()))
    }

    /// Whether a refused attempt from this address is still to be written to the audit: at most
    /// ten a second, so that refusing costs less than asking (decisions §15).
    #[must_use]
    pub fn may_note_refusal(&self, address: Option<&str>) -> bool {
        let second = self.now().as_second();
        let mut noted = self.inner.refusals.lock();
        if noted.0 != second {
            *noted = (second, HashMap::new());
        }
        let count = noted
            .1
            .entry(address.unwrap_or_default().to_owned())
            .or_insert(0);
        *count += 1;
        *count <= 10
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// A new id: UUIDv7 of the given moment.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let at = self.now();
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(
            uuid::timestamp::context::ContextV7::new(),
            seconds,
            nanos,
        ))
    }

    /// Binds conditions with the rights of `caller` and hands the binder to `work`.
    pub fn bind<T>(&self, caller: &Caller, work: impl FnOnce(&Binder<'_>) -> T) -> T {
        let schema = self.schema();
        let variables = caller.variables(self.now());
        let binder = Binder {
            schema: &schema,
            access: Some(&caller.access),
            variables: &variables,
        };
        work(&binder)
    }

    /// The entity served at `collection`, when the caller may know of it.
    #[must_use]
    pub fn collection(&self, caller: &Caller, collection: &str) -> Option<EntityIx> {
        let ix = self.schema().find_collection(collection)?;
        caller
            .access
            .may(ix, opsflux_model::Action::View)
            .then_some(ix)
    }

    /// The settings of a tenant: what administrators changed, by `module.name`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settings(
        &self,
        tenant: i64,
    ) -> Result<Arc<BTreeMap<String, Json>>, crate::error::Error> {
        if let Some(known) = self.inner.settings.load().get(&tenant) {
            return Ok(known.clone());
        }
        let read: BTreeMap<String, Json> = self
            .inner
            .store
            .settings(tenant)
            .await?
            .into_iter()
            .collect();
        let read = Arc::new(read);
        self.inner.settings.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.insert(tenant, read.clone());
            all
        });
        Ok(read)
    }

    /// Sets one setting of the caller's tenant; null takes the module's default back.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`] but for administrators; the setting or value that is wrong.
    pub async fn set_setting(
        &self,
        caller: &Caller,
        key: &str,
        value: Json,
    ) -> Result<(), crate::error::Error> {
        use crate::error::Error;
        if !caller.access.is_admin() {
            let (action, entity) = ("manage".to_owned(), "settings".to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let schema = self.schema();
        let declared = key.split_once('.').and_then(|(module, name)| {
            schema
                .modules
                .iter()
                .find(|m| m.name == module)?
                .settings
                .get(name)
        });
        let declared = declared.ok_or_else(|| Error::field(key, "unknown_field", ""))?;
        opsflux_model::wire::parse(&declared.kind, &value)
            .map_err(|invalid| Error::Invalid(vec![crate::FieldError::of(key, invalid)]))?;
        let tenant = caller.tenant();
        let setting = SystemWrite::Setting {
            key: key.to_owned(),
            value,
        };
        let commit = Commit {
            tenant,
            system: vec![setting],
            ..Commit::default()
        };
        self.inner
            .store
            .commit(commit)
            .await
            .map_err(crate::write::refused)?;
        self.forget_settings(tenant);
        let (user, origin) = (caller.viewer.or(Some(caller.user())), &caller.origin);
        self.audit(tenant, origin, user, "setting", None, None, "ok", Some(key))
            .await
    }

    /// Forgets cached settings of a tenant; called when the feed says that they changed.
    pub fn forget_settings(&self, tenant: i64) {
        self.inner.settings.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.remove(&tenant);
            all
        });
    }

    /// The value of one setting: what was set, else what the module declares.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setting(&self, tenant: i64, key: &str) -> Result<Json, crate::error::Error> {
        if let Some(value) = self.settings(tenant).await?.get(key) {
            return Ok(value.clone());
        }
        let schema = self.schema();
        let declared = key.split_once('.').and_then(|(module, name)| {
            let module = schema.modules.iter().find(|m| m.name == module)?;
            module.settings.get(name)
        });
        Ok(declared.map_or(Json::Null, |setting| {
            crate::read::json::to_json(&setting.default)
        }))
    }
}
