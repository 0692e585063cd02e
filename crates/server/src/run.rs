//! From a configuration to a running server, and back down.
//!
//! The order matters: the folder is taken before anything is read in it, the tables are there
//! before anybody asks for rows, somebody can sign in before the socket opens.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use opsflux_documents::Blobs;
use opsflux_identity::{Bootstrapped, Identity, IdentityOptions, Keys, bootstrap};
use opsflux_importing::Spool;
use opsflux_messaging::Messaging;
use opsflux_records::feed::{Reactor, follow};
use opsflux_records::{Error, Records};
use opsflux_sealing::{DataKey, PurposeKey};
use opsflux_search::{Search, SearchError};
use opsflux_store::{MigrationError, Store, StoreError, StoreOptions};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, Parts, ServeError};
use crate::audit_heads::{self, HeadsFile};
use crate::backup::{self, BackupError, schedule};
use crate::config::{Config, Encryption, Secret};
use crate::data_folder::{DataFolder, FolderError};
use crate::encryption;
use crate::http::{router, serve};
use crate::messages;
use crate::modules;
use crate::pipeline;
use crate::secret::SecretError;

/// The folder of files that are being imported, and what their key is for.
const IMPORTS: &str = "imports";

/// How often counters and allowances are tidied.
const HOUSEKEEPING: Duration = Duration::from_secs(30);
/// How often what is past its time is looked for, and the pause while there is more of it.
const FORGETTING: Duration = Duration::from_secs(3600);
const BETWEEN_TURNS: Duration = Duration::from_secs(1);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says itself what it is
pub enum StartError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(
        "a restore into {0} was begun and is not finished: run `opsflux restore` again, into an \
         empty database"
    )]
    Unfinished(PathBuf),
    #[error("the tables stay as they are, because no backup could be made before: {0}")]
    Backup(BackupError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the modules cannot be used:\n{0}")]
    Modules(#[from] modules::Unusable),
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
    #[error("the tables cannot be brought up to the modules: {0}")]
    Migration(#[from] MigrationError),
    #[error("the keys of the instance cannot be made")]
    Keys,
    #[error("the folder of {what} cannot be used: {why}")]
    SubFolder { what: &'static str, why: String },
    #[error("the first administrator cannot be made: {0}")]
    Bootstrap(Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
}

/// The pipeline over an open database, without a socket: what every command that touches records
/// needs.
pub struct Base {
    /// What the person who installed it decided.
    pub config: Config,
    /// The pipeline.
    pub records: Records,
    /// Keys derived from the secret.
    pub keys: Arc<Keys>,
    /// The secret of the instance.
    pub secret: [u8; 32],
    /// What is encrypted at rest is encrypted with it.
    pub data: Option<DataKey>,
    /// To be printed once, when the secret was made now.
    pub recovery: Option<Secret>,
    /// Whether new columns still have to be filled.
    pub unfinished: bool,
    /// Held as long as anything runs.
    pub folder: DataFolder,
}

impl Base {
    /// Takes the data folder, opens the database and brings its tables up to the modules.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(config: Config) -> Result<Base, StartError> {
        let folder = DataFolder::take(&config.data)?;
        if folder.path().join(backup::UNFINISHED).exists() {
            return Err(StartError::Unfinished(folder.path().to_owned()));
        }
        let found = encryption::open(&config, &folder)?;
        let schema = Arc::new(modules::schema(config.modules.as_deref())?);
        backup::migration::backup(&config, &schema, &BTreeSet::new()).await?;
        let store = open_store(&config).await?;
        let migrated = store.migrate(schema, &BTreeSet::new()).await?;
        let (records, keys) = pipeline::over(store, found.key).map_err(|_| StartError::Keys)?;
        Ok(Base {
            config,
            records,
            keys,
            secret: found.key,
            data: found.data,
            recovery: found.recovery,
            unfinished: migrated.unfinished,
            folder,
        })
    }

    /// Who may sign in.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::new(
            self.records.clone(),
            IdentityOptions {
                keys: self.keys.clone(),
                signup: self.config.auth.signup,
                secure_cookies: self.config.http.secure_cookies,
            },
        )
    }

    /// What reaches people and other systems.
    #[must_use]
    pub fn messaging(&self) -> Messaging {
        messages::messaging(&self.config, &self.records, &self.keys)
    }

    /// The bytes of files, in the folder.
    ///
    /// # Errors
    /// [`StartError::SubFolder`].
    pub fn blobs(&self) -> Result<Blobs, StartError> {
        let root = self.folder.path().join(encryption::FILES_FOLDER);
        let opened = self
            .purpose(encryption::FILES)
            .and_then(|key| Blobs::open_sealed(&root, &self.secret, key));
        opened.map_err(|error| StartError::SubFolder {
            what: "files",
            why: error.to_string(),
        })
    }

    /// Where files are while they are imported, in the folder.
    ///
    /// # Errors
    /// [`StartError::SubFolder`].
    pub fn spool(&self) -> Result<Spool, StartError> {
        let root = self.folder.path().join(IMPORTS);
        let opened = self
            .purpose(IMPORTS)
            .and_then(|key| Spool::open(&root, key));
        opened.map_err(|error| StartError::SubFolder {
            what: "imports",
            why: error.to_string(),
        })
    }

    /// The index of the full text, in the folder.
    ///
    /// # Errors
    /// [`StartError::SubFolder`].
    pub fn search(&self) -> Result<Search, StartError> {
        let folder = self.folder.path().join(encryption::INDEX_FOLDER);
        let opened = self
            .purpose(encryption::INDEX)
            .map_err(SearchError::from)
            .and_then(|key| Search::open_sealed(self.records.clone(), &folder, key));
        opened.map_err(|error| StartError::SubFolder {
            what: "the search index",
            why: error.to_string(),
        })
    }

    fn purpose(&self, purpose: &str) -> std::io::Result<Option<PurposeKey>> {
        let key = self.data.as_ref().map(|data| data.purpose(purpose));
        key.transpose()
    }

    /// Makes what an empty database needs so that somebody can sign in.
    ///
    /// # Errors
    /// [`StartError::Bootstrap`].
    pub async fn bootstrap(&self) -> Result<Bootstrapped, StartError> {
        let password = self.config.admin.password.as_ref().map(Secret::reveal);
        let bootstrapped = bootstrap(&self.records, &self.config.admin.email, password)
            .await
            .map_err(StartError::Bootstrap)?;
        // Before anything is written: where there are no records yet, nothing is to be made anew.
        self.records
            .derive_where_declared_anew()
            .await
            .map_err(StartError::Bootstrap)?;
        Ok(bootstrapped)
    }
}

/// Opens the database of a configuration; its schema is not installed.
///
/// # Errors
/// When it cannot be used.
pub async fn open_store(config: &Config) -> Result<Store, StartError> {
    let url = encryption::database(config)?;
    let connections = NonZeroUsize::new(config.database_readers).unwrap_or(NonZeroUsize::MIN);
    Ok(Store::open(StoreOptions { url, connections }).await?)
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the first start made.
    pub bootstrapped: Bootstrapped,
    /// To be printed once, when the secret was made now.
    pub recovery: Option<Secret>,
    /// Everything a request can reach.
    pub app: Arc<App>,
    stop: watch::Sender<bool>,
    sockets: JoinHandle<bool>,
    followers: Vec<JoinHandle<()>>,
    search: Arc<Search>,
    _folder: DataFolder,
}

/// Starts a server.
///
/// # Errors
/// [`StartError`]; nothing runs then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let base = Base::open(config).await?;
    let bootstrapped = base.bootstrap().await?;
    let identity = base.identity();
    let messaging = base.messaging();
    let (stop, stopping) = watch::channel(false);
    let blobs = base.blobs()?;
    let spool = base.spool()?;
    let search = Arc::new(base.search()?);
    base.records.set_searcher(search.clone());
    let heads = Arc::new(HeadsFile::at(&base.folder.path().join(audit_heads::FILE)));
    base.records.set_anchor(heads.clone());
    let address = base.config.http.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    let app = App::new(Parts {
        config: base.config,
        records: base.records,
        identity,
        messaging,
        blobs: Arc::new(blobs),
        spool,
        secret: base.secret,
        reactors: vec![search.clone()],
        stopping: stopping.clone(),
    })?;
    let mut followers = followers(&app, search.clone(), &stopping);
    let keep = app.config.audit.keep_years;
    let sealing = app
        .records
        .clone()
        .seal_audit(heads, keep, stopping.clone());
    followers.push(tokio::spawn(sealing));
    if base.unfinished {
        app.filling.store(true, Ordering::Relaxed);
        followers.push(tokio::spawn(fill_columns(app.clone(), stopping.clone())));
    }
    let sockets = tokio::spawn(serve::serve(listener, router(app.clone()), stopping));
    Ok(Running {
        address,
        bootstrapped,
        recovery: base.recovery,
        app,
        stop,
        sockets,
        followers,
        search,
        _folder: base.folder,
    })
}

/// Everything that goes on besides answering.
fn followers(
    app: &Arc<App>,
    search: Arc<Search>,
    stopping: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let live = app.clone();
    let tidied = app.clone();
    let (jobs, stop_jobs) = (app.records.clone(), stopping.clone());
    let (messaging, stop_messaging) = (app.messaging.clone(), stopping.clone());
    let (importing, stop_imports) = (app.importing.clone(), stopping.clone());
    let mut tidying = stopping.clone();
    vec![
        tokio::spawn(app.identity.clone().follow(stopping.clone())),
        tokio::spawn(async move { live.live.follow().await }),
        tokio::spawn(async move { jobs.work_jobs(stop_jobs).await }),
        tokio::spawn(async move { messaging.work(stop_messaging).await }),
        tokio::spawn(async move { importing.work(stop_imports).await }),
        tokio::spawn(follow(
            app.records.clone(),
            app.workflows.matching(),
            stopping.clone(),
        )),
        tokio::spawn(follow(
            app.records.clone(),
            app.sources.clone(),
            stopping.clone(),
        )),
        tokio::spawn(app.sources.clone().work(stopping.clone())),
        tokio::spawn(follow(
            app.records.clone(),
            opsflux_crm::recurring(&app.records),
            stopping.clone(),
        )),
        // A folder belongs to one process, and on SQLite the database is in it.
        tokio::spawn(
            app.workflows
                .clone()
                .work(app.records.store().kind() == "sqlite", stopping.clone()),
        ),
        tokio::spawn(forget_what_is_past(app.clone(), stopping.clone())),
        tokio::spawn(schedule::run(app.clone(), stopping.clone())),
        tokio::spawn(search_follows(
            app.records.clone(),
            search,
            stopping.clone(),
        )),
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(HOUSEKEEPING);
            loop {
                tokio::select! {
                    () = serve::told(&mut tidying) => return,
                    _ = tick.tick() => tidied.housekeeping(),
                }
            }
        }),
    ]
}

/// Fills the index when it is empty, then keeps it up. Searching answers meanwhile with what is
/// there.
async fn search_follows(
    records: Records,
    search: Arc<Search>,
    mut stopping: watch::Receiver<bool>,
) {
    let made = async {
        let stale = !search.can_follow().await?;
        if stale {
            search.fill(|_| {}).await?;
        }
        Ok::<_, Error>(stale)
    };
    let made = tokio::select! {
        () = serve::told(&mut stopping) => return,
        made = made => made,
    };
    match made {
        Ok(true) => tracing::info!("the search index was made"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the search index could not be made"),
    }
    follow(records, search as Arc<dyn Reactor>, stopping).await;
}

/// Forgets what is past its time, a bounded turn at a time.
async fn forget_what_is_past(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut pause = FORGETTING;
    loop {
        tokio::select! {
            () = serve::told(&mut stopping) => return,
            () = tokio::time::sleep(pause) => {}
        }
        let records = app.records.forget_what_is_past(&app.reactors).await;
        let messages = app.messaging.forget_what_is_past().await;
        pause = match records.and_then(|more| Ok(messages? || more)) {
            Ok(true) => BETWEEN_TURNS,
            Ok(false) => FORGETTING,
            Err(error) => {
                tracing::warn!(%error, "what is past its time could not be forgotten");
                FORGETTING
            }
        };
    }
}

/// Finishes a migration while people work. It may be stopped at any moment and goes on at the
/// next start.
async fn fill_columns(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let began = Instant::now();
    tracing::info!("new columns are being filled");
    let filled = tokio::select! {
        () = serve::told(&mut stopping) => return,
        filled = app.records.store().run_fills() => filled,
    };
    app.filling.store(false, Ordering::Relaxed);
    let seconds = began.elapsed().as_secs();
    match filled {
        Ok(()) => tracing::info!(seconds, "new columns were filled"),
        Err(error) => tracing::error!(%error, seconds, "new columns could not be filled"),
    }
}

impl Running {
    /// Stops accepting, finishes what runs, lets go of the database; false when something had to
    /// be cut off.
    pub async fn stop(self) -> bool {
        // Everybody who listens is told; nobody listening means that all have ended already.
        let _ = self.stop.send(true);
        let finished = self.sockets.await.unwrap_or(false);
        for follower in self.followers {
            if follower.await.is_err() {
                tracing::warn!("a follower of the feed had failed");
            }
        }
        self.search.close().await;
        self.app.records.store().close().await;
        finished
    }
}

/// The document of everything a server with this configuration serves. Operations need a database
/// to be made, so one is made for the moment, beside the real one.
///
/// # Errors
/// [`StartError`].
pub async fn document(config: Config) -> Result<bytes::Bytes, StartError> {
    let data = std::env::temp_dir().join(format!("opsflux-openapi-{}", uuid::Uuid::new_v4()));
    let made = document_in(Config {
        data: data.clone(),
        database_url: None,
        secret_key: None,
        encryption: Encryption::default(),
        ..config
    })
    .await;
    if let Err(error) = std::fs::remove_dir_all(&data) {
        tracing::warn!(%error, path = %data.display(), "a temporary folder stays behind");
    }
    made
}

async fn document_in(config: Config) -> Result<bytes::Bytes, StartError> {
    let base = Base::open(config).await?;
    let (_stop, stopping) = watch::channel(false);
    let blobs = base.blobs()?;
    let spool = base.spool()?;
    let identity = base.identity();
    let messaging = base.messaging();
    let app = App::new(Parts {
        config: base.config,
        records: base.records,
        identity,
        messaging,
        blobs: Arc::new(blobs),
        spool,
        secret: base.secret,
        reactors: Vec::new(),
        stopping,
    })?;
    let document = app.served().openapi.clone();
    app.records.store().close().await;
    Ok(document)
}
