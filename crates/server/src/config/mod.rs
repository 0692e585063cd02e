//! What the person who installs OpsFlux decides.
//!
//! Defaults < `opsflux.toml` < environment < command line. Every key stands once in [`keys`], with
//! its default, what it takes and what it is for; the reference in the documentation is made from
//! that table. A key that does not exist or does not parse stops the start: a setting somebody
//! wrote down and nobody obeys is worse than no start.
//!
//! What must never be here: settings of a tenant (those are records), anything read later than at
//! the start.

mod backup;
mod encryption;
mod keys;
mod messages;
mod reference;
mod sources;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;

pub use backup::{Backup, Moment};
pub use encryption::{Encryption, is_key};
pub use messages::Messages;
pub use reference::reference;
pub use sources::{Mistake, Mistakes, Sources};

/// Everything decided before the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// For whom this runs.
    pub mode: Mode,
    /// The folder this process owns.
    pub data: PathBuf,
    /// Modules besides those in the program.
    pub modules: Option<PathBuf>,
    /// Where the rows are, as given; `None` is the file in the data folder.
    pub database_url: Option<String>,
    /// How many connections read from the database.
    pub database_readers: usize,
    /// How requests come in.
    pub http: Http,
    /// Who may sign in and how.
    pub auth: Auth,
    /// The first administrator.
    pub admin: Admin,
    /// What is logged, and where.
    pub log: Log,
    /// When backups are made, and where they go.
    pub backup: Backup,
    /// How messages leave the house.
    pub messages: Messages,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// How long the audit is kept.
    pub audit: Audit,
    /// The key of secrets when it comes from outside the data folder: 32 bytes.
    pub secret_key: Option<Secret>,
    /// Encryption at rest.
    pub encryption: Encryption,
}

/// For whom the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A company at work.
    #[default]
    Production,
    /// Somebody trying or building OpsFlux on their own machine.
    Development,
}

impl Mode {
    /// Its name in configuration and metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Production => "production",
            Mode::Development => "development",
        }
    }
}

/// How long the audit is kept.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Years after which an entry may go.
    pub keep_years: i16,
}

/// How requests come in.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address people use, for links in mails.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of other sites whose scripts may call the API.
    pub cors_origins: Vec<String>,
    /// Requests a minute and session; 0 is no limit.
    pub rate_limit: u32,
    /// The largest JSON body, in bytes.
    pub body_limit: usize,
    /// The largest upload, in bytes.
    pub upload_limit: usize,
    /// Whether requests in clear text may come from anywhere, or only from this machine and from
    /// trusted proxies.
    pub plain_from_anywhere: bool,
    /// Whether cookies are for HTTPS only.
    pub secure_cookies: bool,
}

/// Who may sign in and how.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Whether a stranger may make an organisation of their own.
    pub signup: bool,
}

/// The first administrator, made when the database is empty.
#[derive(Debug, Clone, Default)]
pub struct Admin {
    /// E-mail.
    pub email: String,
    /// Password; a generated one when absent.
    pub password: Option<Secret>,
}

/// What is logged, and where.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Lines for people instead of JSON.
    pub text: bool,
    /// The least important level that is written.
    pub level: String,
    /// A file besides stderr; a new one begins each day.
    pub file: Option<PathBuf>,
    /// How many of these files are kept.
    pub keep: usize,
    /// Which requests are written.
    pub requests: LoggedRequests,
}

/// Which requests are written to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoggedRequests {
    /// Those that fail on our side.
    #[default]
    Failed,
    /// All.
    All,
}

/// A text that must not be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text. Whoever calls this keeps it out of logs and answers.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    /// Every key that does not exist or does not parse, at once.
    pub fn load(sources: &Sources) -> Result<Config, Mistakes> {
        let given = sources.read()?;
        let mut mistakes = Vec::new();
        let mut config = Config {
            file: sources.read_file(),
            ..Config::blank()
        };
        // The mode first: it decides the defaults of others.
        let (first, others): (Vec<_>, Vec<_>) = keys::keys().partition(|key| key.name == "mode");
        for key in first.into_iter().chain(others) {
            let place = given.iter().rev().find(|given| given.key.name == key.name);
            let default = key.default.text(config.mode).map(sources::Raw::text);
            let Some(raw) = place.map(|given| given.raw.clone()).or(default) else {
                continue;
            };
            if (key.set)(&mut config, &raw).is_err() {
                mistakes.push(Mistake::value(key, place.map(|given| given.place.as_str())));
            }
        }
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(Mistakes(mistakes))
        }
    }

    /// Before anything is decided; every field with a default is set by its key.
    fn blank() -> Config {
        Config {
            mode: Mode::Production,
            data: PathBuf::new(),
            modules: None,
            database_url: None,
            database_readers: 0,
            http: Http {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                public_url: None,
                trusted_proxies: Vec::new(),
                cors_origins: Vec::new(),
                rate_limit: 0,
                body_limit: 0,
                upload_limit: 0,
                plain_from_anywhere: false,
                secure_cookies: true,
            },
            auth: Auth::default(),
            admin: Admin::default(),
            log: Log::default(),
            backup: Backup::default(),
            messages: Messages::default(),
            file: None,
            audit: Audit { keep_years: 7 },
            secret_key: None,
            encryption: Encryption::default(),
        }
    }

    /// Where the rows are: `sqlite:PATH` or `postgres://…`.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("opsflux.db").display()))
    }
}

#[cfg(test)]
mod tests;
