//! The store: what everybody else sees of a database.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use opsflux_model::schema::system;
use opsflux_model::{EntityIx, Schema, layout};
use tokio::sync::watch;

use crate::backend::Backend;
use crate::commit::{Commit, Committed};
use crate::error::{CommitError, StoreError};
use crate::feed::Recent;
use crate::query::{Select, Sort};
use crate::refusing::Refusing;
use crate::row::{Columns, Row};
use crate::sql::{self, Dialect, Indexes, Page, Statement};
use crate::sqlite::{FileKey, SqliteFile};

/// What the engine's own reads and writes may take: they touch a handful of rows.
const OWN_BUDGET: Duration = Duration::from_secs(10);

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// A file that is encrypted with a key.
    Sealed(PathBuf, FileKey),
    /// `postgres://…` or `postgresql://…`, whole.
    Postgres(String),
}

impl DatabaseUrl {
    /// The file, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            DatabaseUrl::Sqlite(path) | DatabaseUrl::Sealed(path, _) => Some(path),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    /// The file with its key, or the address of a server.
    pub(crate) fn place(&self) -> Result<SqliteFile<'_>, &str> {
        match self {
            DatabaseUrl::Sqlite(path) => Ok(SqliteFile { path, key: None }),
            DatabaseUrl::Sealed(path, key) => Ok(SqliteFile {
                path,
                key: Some(key),
            }),
            DatabaseUrl::Postgres(address) => Err(address),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
            }
            Some(("postgres" | "postgresql", _)) => Ok(DatabaseUrl::Postgres(text.to_owned())),
            // The text itself may hold a password.
            _ => Err(StoreError::Setup(
                "a database is sqlite:PATH or postgres://USER@HOST/NAME".to_owned(),
            )),
        }
    }
}

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How many connections read (SQLite) or are kept (PostgreSQL).
    pub connections: NonZeroUsize,
}

/// An open database. Cheap to share by reference; nothing outside this crate writes SQL.
pub struct Store {
    pub(crate) backend: Backend,
    installed: ArcSwap<Installed>,
    pub(crate) recent: Recent,
    pub(crate) refusing: Refusing,
    epoch: String,
}

/// A schema with what follows from it.
#[derive(Default)]
struct Installed {
    schema: Arc<Schema>,
    indexes: Indexes,
}

impl Store {
    /// Opens a database, with the engine's own tables. The schema is empty until
    /// [`Store::install_schema`] or a migration.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when it cannot be used as it is, [`StoreError::Unavailable`] when it
    /// does not answer.
    pub async fn open(options: StoreOptions) -> Result<Store, StoreError> {
        let mut store = Store {
            backend: Backend::open(&options).await?,
            installed: ArcSwap::default(),
            recent: Recent::default(),
            refusing: Refusing::default(),
            epoch: String::new(),
        };
        let asked = sql::system::meta(store.dialect(), "feed_epoch");
        let read = |columns: &dyn Columns| Ok(columns.text(0)?.unwrap_or_default().to_owned());
        let found = store.rows(&asked, read).await?;
        store.epoch = found.into_iter().next().unwrap_or_default();
        Ok(store)
    }

    /// Which history the places of the feed belong to: another one after each restore. A place
    /// of another epoch is not gone on from, what its holder has seen may not have been.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The schema that selects and commits are read by.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.installed.load().schema)
    }

    /// Sets the schema whose tables are there.
    pub fn install_schema(&self, schema: Arc<Schema>) {
        let indexes = Indexes::of(&schema);
        let installed = Installed { schema, indexes };
        self.installed.store(Arc::new(installed));
    }

    /// Whether some index carries what `sort` compares: a field of the entity itself.
    #[must_use]
    pub fn is_indexed(&self, entity: EntityIx, sort: &Sort) -> bool {
        // The field of a path belongs to the entity at its end.
        if !sort.path.steps.is_empty() {
            return false;
        }
        let installed = self.installed.load();
        let declared = installed.schema.entity(entity);
        let wanted = layout::compared(declared, sort.path.field, sort.descending);
        wanted.column == system::ID || installed.indexes.carry(entity, &wanted)
    }

    /// Which database it is: `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// Reads a page: shows each row to `each` and answers how many there were.
    ///
    /// # Errors
    /// What `each` fails with; [`StoreError::Timeout`] when `budget` is used up.
    pub async fn select<E: From<StoreError>>(
        &self,
        select: &Select,
        budget: Duration,
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let page = self.page(select)?;
        self.backend.select(&page, budget, each).await
    }

    /// Counts the rows that pass the filter of `select`, `cap` at most.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] when `budget` is used up.
    pub async fn count_up_to(
        &self,
        select: &Select,
        cap: u64,
        budget: Duration,
    ) -> Result<u64, StoreError> {
        let installed = self.installed.load_full();
        let (schema, indexes) = (&installed.schema, &installed.indexes);
        let statement = sql::count(self.dialect(), schema, indexes, select, cap)?;
        let mut count = 0;
        let each = |columns: &dyn Columns| {
            count = columns.int(0)?.unwrap_or(0);
            Ok(())
        };
        self.backend.read(&statement, budget, each).await?;
        Ok(u64::try_from(count).unwrap_or(0).min(cap))
    }

    /// Makes a change durable, or does nothing.
    ///
    /// # Errors
    /// [`CommitError`]; after [`StoreError::Unavailable`] the change may have been made, when the
    /// connection was lost on the way.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let done = self.backend.commit(self.schema(), commit).await;
        match &done {
            Ok(committed) => self.refusing.saw(Ok(committed)),
            Err(CommitError::Store(error)) => self.refusing.saw::<Committed>(Err(error)),
            Err(_) => {}
        }
        done
    }

    /// Takes `count` numbers of a series for the caller alone, whatever becomes of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_numbers(
        &self,
        tenant: i64,
        entity: &str,
        period: &str,
        count: u32,
    ) -> Result<Range<i64>, StoreError> {
        let statement = sql::system::lease(self.dialect(), tenant, entity, period, count);
        let end = self.run(statement).await?;
        let end = end.ok_or_else(|| sql::unfit("a series answered no number"))?;
        Ok(end - i64::from(count)..end)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.backend.ping(OWN_BUDGET).await
    }

    /// Changes when the feed grows, whichever process wrote.
    #[must_use]
    pub fn subscribe_feed(&self) -> watch::Receiver<i64> {
        self.backend.subscribe()
    }

    /// Finishes what waits and lets go of the database.
    pub async fn close(&self) {
        self.backend.close().await;
    }

    pub(crate) fn page(&self, select: &Select) -> Result<Page, StoreError> {
        let installed = self.installed.load();
        sql::page(
            self.dialect(),
            &installed.schema,
            &installed.indexes,
            select,
        )
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.backend.dialect()
    }

    pub(crate) async fn run(&self, statement: Statement) -> Result<Option<i64>, StoreError> {
        let done = self.backend.run(statement, OWN_BUDGET).await;
        self.refusing.saw(done.as_ref());
        done
    }

    /// Every row of a statement of the engine.
    pub(crate) async fn rows<T>(
        &self,
        statement: &Statement,
        mut row: impl FnMut(&dyn Columns) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        let each = |columns: &dyn Columns| {
            rows.push(row(columns)?);
            Ok(())
        };
        self.backend.read(statement, OWN_BUDGET, each).await?;
        Ok(rows)
    }
}
