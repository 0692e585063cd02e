//! Backups: one encrypted file from which an instance is made again.
//!
//! What lives here: the file itself, from the outside in: its head with the keys that open it
//! ([`lock`]), sealed chunks ([`seal`]), parts with their hashes ([`archive`]); making one beside a
//! running server ([`make`]), looking through one ([`check`]), making an instance from one
//! ([`restore`]), and when the server makes them by itself ([`schedule`]).
//!
//! Rows are in the store's canonical form, so a backup of SQLite restores into PostgreSQL and the
//! other way. The search index is not in it: it is made again.
//!
//! What must never be here: SQL. Start reading at [`make::make`].

pub mod archive;
pub mod check;
pub mod keys;
pub mod lock;
pub mod make;
pub mod migration;
pub mod restore;
pub mod schedule;
pub mod seal;

use std::io;
use std::path::{Path, PathBuf};

use opsflux_store::StoreError;
use opsflux_store::dump::Shape;
use serde::{Deserialize, Serialize};

use crate::data_folder::FolderError;
use crate::secret::SecretError;

/// Stands in a data folder while a restore into it is not finished.
pub const UNFINISHED: &str = "restore.unfinished";

/// The first part: what is needed before anything is written.
#[derive(Debug, Serialize, Deserialize)]
pub struct About {
    /// The release that made it.
    pub version: String,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The tables.
    pub shape: Shape,
    /// What is written of the secret key, to know it again.
    pub secret_mark: String,
    /// Whether the secret key itself came from outside and is not inside.
    pub secret_is_outside: bool,
    /// Whether the instance was encrypted at rest.
    #[serde(default)]
    pub encrypted: bool,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done.
    pub what: &'a str,
    /// Bytes so far.
    pub bytes: u64,
    /// Of how many, where that is known.
    pub of: Option<u64>,
}

/// Is told now and then; false means: stop.
pub type Watch<'w> = &'w mut (dyn FnMut(Progress<'_>) -> bool + Send);

/// Why there is no backup, or no instance made from one.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says itself what it is
pub enum BackupError {
    #[error("there is nothing to back up: {0} holds no OpsFlux")]
    Nothing(String),
    #[error(
        "there is no key to encrypt for: set OPSFLUX_BACKUP_KEY to 64 hexadecimal digits, or give \
         the secret key from outside the data folder as OPSFLUX_SECRET_KEY; {0} has no recovery key"
    )]
    NoKey(PathBuf),
    #[error("{0} is there already")]
    Exists(PathBuf),
    #[error("{0} is no backup of OpsFlux")]
    Foreign(PathBuf),
    #[error("{0} was made by a newer OpsFlux, in a form this one does not know")]
    Newer(PathBuf),
    #[error("{path} is encrypted for {wanted}")]
    KeyNeeded { path: PathBuf, wanted: &'static str },
    #[error("this key does not open {path}: it is encrypted for {wanted}")]
    WrongKey { path: PathBuf, wanted: &'static str },
    #[error("{path} is damaged: {why}")]
    Damaged { path: PathBuf, why: String },
    #[error("{what} is not empty: {found}")]
    NotEmpty { what: String, found: String },
    #[error(
        "the secrets inside are sealed with a secret key that was given from outside: give the \
         same one as OPSFLUX_SECRET_KEY"
    )]
    SecretNeeded,
    #[error(
        "the secrets inside are sealed with another secret key than the one in OPSFLUX_SECRET_KEY"
    )]
    OtherSecret,
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl BackupError {
    /// A failure of the disk at `path`.
    fn io(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    }

    /// What was read at `path` is not what was written.
    fn damaged(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
        let path = path.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
                let why = error.to_string();
                BackupError::Damaged { path, why }
            }
            _ => BackupError::Io {
                path,
                source: error,
            },
        }
    }
}
