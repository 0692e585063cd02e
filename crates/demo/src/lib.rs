//! A lifelike company, made from a seed: what `opsflux demo` fills a database with.
//!
//! The words come from the modules (`modules/*/demo`), chance from a number: the same modules,
//! seed and moment give the same records. They are written by `Records::seed`, so no rules run;
//! what rules would see to (usernames, where a ticket belongs, when it was solved) is seen to
//! here, and a test compares.
//!
//! What lives here: [`fill`]; the parts of the company in the order in which they are made:
//! [`company`] and [`people`], [`assets`], [`customers`], [`tickets`].
//!
//! What must never be here: the way to a real database or what a real person is called; SQL.

mod assets;
mod choice;
mod company;
mod customers;
mod data;
mod draw;
mod files;
mod fill;
mod life;
mod people;
mod rhythm;
mod rows;
mod steering;
mod structure;
mod ticket;
mod tickets;
mod views;
mod words;

use std::sync::Arc;

use jiff::Timestamp;
use opsflux_documents::Blobs;
use uuid::Uuid;

pub use fill::fill;

/// Most tickets.
pub const MOST_TICKETS: u32 = 1_000_000;

/// What is to be made.
pub struct DemoOptions {
    /// How many tickets, sub-tickets among them; [`MOST_TICKETS`] at most.
    pub tickets: u32,
    /// What chance begins with.
    pub seed: u64,
    /// The moment at which the history ends.
    pub now: Timestamp,
    /// The hash of the password that every account gets.
    pub password_hash: String,
    /// Where the bytes of attachments go; without it there are none.
    pub blobs: Option<Arc<Blobs>>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tickets written.
    pub tickets: u32,
    /// Of how many.
    pub of: u32,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// What the company is called.
    pub company: String,
    /// Rows, by the name of their entity.
    pub rows: std::collections::BTreeMap<String, u64>,
    /// Accounts worth trying.
    pub logins: Vec<Login>,
}

/// An account worth trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The person.
    pub user: Uuid,
    /// What the person is called.
    pub full_name: String,
    /// What the person does.
    pub job_title: String,
    /// Code of the role.
    pub role: String,
    /// `@first.last.company`.
    pub username: String,
    /// The other name for signing in.
    pub email: String,
}

/// Why nothing, or not everything, was made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database holds something that somebody may miss.
    #[error(
        "the database is not empty: there are already records of “{entity}”; demo data goes into a new one"
    )]
    NotEmpty {
        /// Name of the entity.
        entity: String,
    },
    /// The first start has not been: there is no tenant, no company or no role.
    #[error("the database has not been set up yet: there is no {0}")]
    NotSetUp(&'static str),
    /// More than [`MOST_TICKETS`].
    #[error("at most {MOST_TICKETS} tickets can be made")]
    TooMany,
    /// A demo file of a module does not say what it should.
    #[error("the demo file {file}: {what}")]
    Data {
        /// Its path in its `demo` folder.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The modules declare something else than the demo data was written for.
    #[error("{entity} has no field “{field}”")]
    Unknown {
        /// Name of the entity.
        entity: String,
        /// Name of the field; empty when there is no such entity.
        field: String,
    },
    /// An attachment could not be written.
    #[error("an attachment could not be written: {0}")]
    Files(#[from] opsflux_documents::blobs::BlobError),
    /// The pipeline refused.
    #[error(transparent)]
    Records(#[from] opsflux_records::Error),
}

impl Error {
    fn data(file: &str, what: impl Into<String>) -> Error {
        Error::Data {
            file: file.to_owned(),
            what: what.into(),
        }
    }
}
