//! Bringing rows in: from CSV and Excel files or from a program, for every entity that the caller
//! may create.
//!
//! A file is kept beside ([`spool`]) and read as rows ([`table`]); how its columns are written is
//! found out from all of them ([`locale`]); columns become fields ([`mapping`], [`value`]); rows go
//! through the pipeline with the rights of whoever asked (`batch`), as a job that survives the death
//! of its process (`run`) and can be taken back (`ending`). What anybody else may do with an import
//! is in `operations`.
//!
//! What must never be here: another way to write records than the pipeline; rules of single
//! entities; words (those come from [`Saying`]).

mod batch;
mod ending;
mod job;
mod kpi_values;
mod lease;
pub mod locale;
pub mod mapping;
mod operations;
mod preview;
mod receive;
mod run;
mod schemas;
mod spool;
mod survey;
pub mod table;
pub mod value;
mod writing;

use std::sync::Arc;

use opsflux_records::{Acting, Error, Language, Records};
use tokio::sync::Notify;
use uuid::Uuid;

pub use schemas::schemas;
pub use spool::Spool;

/// Name of the entity of imports.
const JOB: &str = "import_job";
/// Of what records were before an import.
const CHANGE: &str = "import_change";

/// Something that is wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The field it is about.
    pub field: Option<String>,
    /// Stable.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Puts refusals into words.
pub trait Saying: Send + Sync {
    /// What is wrong, one after the other.
    fn error(&self, language: Language, error: &Error) -> Vec<Said>;
}

/// What imports are made with.
pub struct Parts {
    /// The pipeline.
    pub records: Records,
    /// Where files are while they are imported.
    pub spool: Spool,
    /// Who people are.
    pub acting: Arc<dyn Acting>,
    /// Words.
    pub saying: Arc<dyn Saying>,
    /// Whether no other process works on this database.
    pub alone: bool,
    /// Entities that have other ways in.
    pub closed: &'static [&'static str],
    /// Largest file.
    pub upload_limit: u64,
}

/// The import service. Cheap to clone.
#[derive(Clone)]
pub struct Importing {
    inner: Arc<Inner>,
}

/// What it is made of.
pub struct Inner {
    records: Records,
    spool: Spool,
    acting: Arc<dyn Acting>,
    saying: Arc<dyn Saying>,
    alone: bool,
    closed: &'static [&'static str],
    upload_limit: u64,
    /// Rung when an import was asked for here.
    bell: Notify,
    /// The name of this process among those that work imports off.
    worker: Uuid,
}

impl std::ops::Deref for Importing {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Importing {
    /// Puts the service together.
    #[must_use]
    pub fn new(parts: Parts) -> Importing {
        let Parts {
            records,
            spool,
            acting,
            saying,
            alone,
            closed,
            upload_limit,
        } = parts;
        Importing {
            inner: Arc::new(Inner {
                records,
                spool,
                acting,
                saying,
                alone,
                closed,
                upload_limit,
                bell: Notify::new(),
                worker: Uuid::new_v4(),
            }),
        }
    }
}
