//! One running server: what every request can reach.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use opsflux_documents::Blobs;
use opsflux_identity::Identity;
use opsflux_importing::{Importing, Spool};
use opsflux_messaging::Messaging;
use opsflux_model::Schema;
use opsflux_records::feed::Reactor;
use opsflux_records::{Caller, Error, Operation, Records};
use opsflux_workflow::{Engine, Hooks};
use tokio::sync::watch;
use uuid::Uuid;

use crate::acting::People;
use crate::acts;
use crate::backup::schedule::Backups;
use crate::config::Config;
use crate::http::body::Limits;
use crate::http::limit::Limiter;
use crate::http::registry::{Registry, RegistryError};
use crate::http::request::Frame;
use crate::imports;
use crate::live::Live;
use crate::metrics::{Gauges, Meter, Metrics};
use crate::words::Words;

/// One running server.
pub struct App {
    /// What the person who installed it decided.
    pub config: Config,
    /// The pipeline.
    pub records: Records,
    /// Who asks.
    pub identity: Identity,
    /// What reaches people and other systems.
    pub messaging: Messaging,
    /// What is counted.
    pub metrics: Metrics,
    /// Requests that reach no operation.
    pub other_requests: Meter,
    /// What is measured when somebody asks.
    pub gauges: Gauges,
    /// Live changes.
    pub live: Live,
    /// What follows the feed besides live changes.
    pub reactors: Vec<Arc<dyn Reactor>>,
    /// What is done by itself.
    pub workflows: Engine,
    /// What calculates indicators.
    pub sources: Arc<opsflux_kpi::Sources>,
    /// The backups it makes by itself, when it does.
    pub backups: Option<Backups>,
    /// What people bring in.
    pub importing: Importing,
    blobs: Arc<Blobs>,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
    /// Whether columns of a migration are still being given their values.
    pub filling: AtomicBool,
    served: ArcSwap<Served>,
    limiter: Limiter<Asker>,
}

/// Everything that follows from the schema in force.
pub struct Served {
    /// The schema.
    pub schema: Arc<Schema>,
    /// Its operations.
    pub registry: Registry,
    /// The words of its modules and ours.
    pub words: Words,
    /// The OpenAPI document.
    pub openapi: bytes::Bytes,
}

/// Who has an allowance of requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asker {
    Person(i64, Uuid),
    Address(IpAddr),
}

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Operations stand in each other's way.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A catalogue of words is broken.
    #[error("a catalogue of words cannot be read: {0}")]
    Words(#[from] serde_json::Error),
}

impl Served {
    /// Mounts and documents `operations`.
    ///
    /// # Errors
    /// When two operations cannot both be served.
    pub fn new(
        schema: Arc<Schema>,
        operations: Vec<Operation>,
        metrics: &Metrics,
    ) -> Result<Served, ServeError> {
        let words = Words::new(&schema)?;
        let openapi = crate::openapi::document(&schema, &operations);
        let registry = Registry::new(operations, metrics)?;
        Ok(Served {
            schema,
            registry,
            words,
            openapi: openapi.into(),
        })
    }
}

/// What a server is made of.
pub struct Parts {
    /// What the person who installed it decided.
    pub config: Config,
    /// The pipeline.
    pub records: Records,
    /// Who asks.
    pub identity: Identity,
    /// What reaches people and other systems.
    pub messaging: Messaging,
    /// The bytes of files.
    pub blobs: Arc<Blobs>,
    /// Where files are while they are imported.
    pub spool: Spool,
    /// The secret of the instance, from which keys are derived.
    pub secret: [u8; 32],
    /// What follows the feed besides live changes, for their lag.
    pub reactors: Vec<Arc<dyn Reactor>>,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    /// Puts a server together.
    ///
    /// # Errors
    /// When two operations cannot both be served.
    pub fn new(parts: Parts) -> Result<Arc<App>, ServeError> {
        let Parts {
            config,
            records,
            identity,
            messaging,
            blobs,
            spool,
            secret,
            reactors,
            stopping,
        } = parts;
        let metrics = Metrics::new();
        let public_url = config.http.public_url.clone();
        let people = Arc::new(People::new(identity.clone(), public_url, &secret));
        let sources = opsflux_kpi::Sources::new(records.clone(), people.clone());
        let importing = imports::importing(&config, &records, spool, people.clone());
        let mut actions = acts::actions(&messaging);
        actions.extend(opsflux_crm::acts::actions());
        let workflows = Engine::new(
            records.clone(),
            people,
            actions,
            Hooks::new(
                &secret,
                config.http.public_url.as_deref(),
                opsflux_messaging::sign::is_signed,
            ),
        );
        records.set_standing(workflows.before_save());
        let live = Live::new(records.clone(), &secret, stopping.clone());
        let nothing = Served::new(Arc::default(), Vec::new(), &metrics)?;
        let app = Arc::new(App {
            other_requests: metrics.meter("none"),
            limiter: Limiter::per_minute(config.http.rate_limit),
            served: ArcSwap::from_pointee(nothing),
            gauges: Gauges::new(&metrics),
            backups: Backups::new(&config, &metrics),
            config,
            records,
            identity,
            messaging,
            metrics,
            live,
            reactors,
            workflows,
            sources: Arc::new(sources),
            importing,
            blobs,
            stopping,
            filling: AtomicBool::new(false),
        });
        app.serve_schema()?;
        Ok(app)
    }

    /// Serves what follows from the schema in force; called again when it changes.
    ///
    /// # Errors
    /// When two operations cannot both be served; the old ones go on.
    pub fn serve_schema(self: &Arc<Self>) -> Result<(), ServeError> {
        let operations = self.operations();
        let served = Served::new(self.records.schema(), operations, &self.metrics)?;
        self.served.store(Arc::new(served));
        Ok(())
    }

    /// Every operation of every room.
    fn operations(self: &Arc<Self>) -> Vec<Operation> {
        let mut all = opsflux_records::entity::operations(&self.records);
        all.extend(opsflux_documents::operations(&self.records, &self.blobs));
        all.extend(self.importing.operations());
        all.extend(opsflux_search::operations(&self.records));
        all.extend(self.messaging.operations());
        all.extend(self.workflows.operations());
        all.extend(opsflux_kpi::operations(&self.records));
        all.extend(opsflux_crm::operations(&self.records));
        all.extend(self.identity.operations());
        all.extend(crate::meta::operations(self));
        all.extend(crate::live::operations(self));
        all.into_iter()
            .map(|operation| self.workflows.around(opsflux_kpi::around(operation)))
            .map(|operation| self.identity.around(operation))
            .collect()
    }

    /// What follows from the schema in force.
    #[must_use]
    pub fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// How large bodies may be.
    #[must_use]
    pub fn body_limits(&self) -> Limits {
        Limits {
            json: self.config.http.body_limit,
            upload: self.config.http.upload_limit,
        }
    }

    /// Counts a request against the allowance of whoever asks.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn limit(&self, caller: Option<&Caller>, frame: &Frame) -> Result<(), Error> {
        let asker = match caller {
            Some(caller) => Asker::Person(caller.tenant(), caller.user()),
            None => Asker::Address(frame.address),
        };
        self.limiter.check(&asker)
    }

    /// What is done now and then, so that nothing grows without end.
    pub fn housekeeping(&self) {
        self.limiter.forget_idle();
        self.metrics.settle();
    }
}
