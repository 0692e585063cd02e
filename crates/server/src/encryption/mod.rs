//! Encryption at rest: which keys open what lies on the disk, and the way from one to another.
//!
//! What lives here: the key ring of a data folder ([`ring`]), where the secret key comes from
//! ([`given`]), turning encryption on and off and going over to another key ([`change`]).
//!
//! The secret key opens the ring and nothing else. In the ring lie the root, from which everything
//! signed and sealed derives and which never changes, and the data key of what is encrypted at
//! rest. A folder without a ring is one of before, or one nobody encrypted: there the secret key is
//! the root itself.
//!
//! What must never be here: ciphers of files (`opsflux_sealing`) and of pages (the store). Start
//! reading at [`open`].

pub mod change;
pub mod given;
pub mod ring;

use std::path::Path;

use opsflux_sealing::DataKey;
use opsflux_store::{DatabaseUrl, FileKey};

use crate::config::{Config, Secret};
use crate::data_folder::DataFolder;
use crate::secret::{self, Found, Held, KEY_FILE, Key, SecretError};
use ring::{Content, Ring};

/// For what keys are derived from the data key.
const DATABASE: &str = "database";
/// See [`DATABASE`].
pub const FILES: &str = "files";
/// See [`DATABASE`].
pub const INDEX: &str = "index";
/// The folder of stored files, below the data folder.
pub const FILES_FOLDER: &str = "files";
/// The folder of the index, below the data folder.
pub const INDEX_FOLDER: &str = "search";

/// The keys of this start, in a folder that is ours: a change that was broken off is finished or
/// undone, and a new folder gets its keys.
///
/// # Errors
/// [`SecretError`].
pub fn open(config: &Config, folder: &DataFolder) -> Result<Found, SecretError> {
    change::settle(config, folder)?;
    let (path, wanted) = (folder.path(), config.encryption.wanted);
    let given = given::secret(config)?;
    if let Some(ring) = Ring::read(path)? {
        let content = content(config, &ring, given.as_ref())?;
        return match (wanted, &content.data) {
            (Some(true), None) => Err(SecretError::NotEncrypted(path.to_owned())),
            (Some(false), Some(_)) => Err(SecretError::Encrypted(path.to_owned())),
            _ => Ok(Found {
                key: content.root,
                data: content.data,
                recovery: None,
            }),
        };
    }
    if wanted != Some(true) {
        return secret::find(path, given.as_ref());
    }
    if !is_new(config)? {
        return Err(SecretError::NotEncrypted(path.to_owned()));
    }
    let key = outside(config, given.as_ref())?;
    let content = Content {
        root: key,
        data: Some(DataKey::new(secret::random()?)),
    };
    Ring::seal(&key, &content, false)?.write(path)?;
    Ok(Found {
        key,
        data: content.data,
        recovery: None,
    })
}

/// The keys that are there, without making any or leaving a mark: also beside a running server.
///
/// # Errors
/// [`SecretError`]; [`SecretError::Missing`] when there is none.
pub fn held(config: &Config) -> Result<Held, SecretError> {
    let given = given::secret(config)?;
    let Some(ring) = Ring::read(&config.data)? else {
        return secret::held(&config.data, given.as_ref());
    };
    if ring.is_switching() {
        return Err(SecretError::Switching(config.data.clone()));
    }
    let content = content(config, &ring, given.as_ref())?;
    let key = outer(&config.data, given.as_ref())?;
    Ok(Held {
        key,
        root: content.root,
        data: content.data,
        is_outside: !config.data.join(KEY_FILE).exists(),
        recovery: None,
    })
}

/// Where the rows are, with the key of the file when it has one.
///
/// # Errors
/// [`SecretError`].
pub fn database(config: &Config) -> Result<DatabaseUrl, SecretError> {
    located(config, config.database().parse()?)
}

/// A database as given, with the key of this data folder when it is an encrypted file.
///
/// # Errors
/// [`SecretError`].
pub fn located(config: &Config, url: DatabaseUrl) -> Result<DatabaseUrl, SecretError> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(url);
    };
    let own: DatabaseUrl = config.database().parse()?;
    let is_own = own.path().is_some_and(|own| same(own, &path));
    // Another file is encrypted when it is there and is no plain one.
    let is_sealed = match is_plain(&path) {
        Some(is_plain) => !is_plain,
        None => is_own,
    };
    let ring = Ring::read(&config.data)?.filter(|_| is_sealed);
    let data = match ring {
        Some(_) => held(config)?.data,
        None => None,
    };
    with_key(path, data.as_ref())
}

/// A file of SQLite with what is derived from the data key.
///
/// # Errors
/// When the library fails.
pub fn with_key(
    path: std::path::PathBuf,
    data: Option<&DataKey>,
) -> Result<DatabaseUrl, SecretError> {
    Ok(match data {
        Some(data) => DatabaseUrl::Sealed(path, file_key(data)?),
        None => DatabaseUrl::Sqlite(path),
    })
}

/// The key of the SQLite file.
fn file_key(data: &DataKey) -> Result<FileKey, SecretError> {
    let key = data.purpose(DATABASE).map_err(|_| SecretError::Crypto)?;
    Ok(FileKey::new(*key.bytes()))
}

/// Whether a file is one of SQLite without encryption; nothing for one that is not there or empty.
fn is_plain(path: &Path) -> Option<bool> {
    use std::io::Read;
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut begin = [0; MAGIC.len()];
    let mut file = std::fs::File::open(path).ok()?;
    file.read_exact(&mut begin).ok()?;
    Some(&begin == MAGIC)
}

fn same(one: &Path, other: &Path) -> bool {
    let known = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    match (known(one), known(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// The secret key: given, else the one in the folder.
fn outer(folder: &Path, given: Option<&Secret>) -> Result<Key, SecretError> {
    let kept = secret::kept(folder)?;
    match (given, kept) {
        (Some(given), _) => secret::parse(given.reveal()).ok_or(SecretError::Crypto),
        (None, Some(kept)) => Ok(kept),
        (None, None) => Err(SecretError::Missing(folder.to_owned())),
    }
}

/// What is in the ring; with encryption on, only with a key that is not beside the data.
fn content(config: &Config, ring: &Ring, given: Option<&Secret>) -> Result<Content, SecretError> {
    let folder = &config.data;
    let key = outer(folder, given)?;
    let content = ring.open(&key);
    let content = content.ok_or_else(|| SecretError::Other(folder.clone()))?;
    if content.data.is_some() {
        outside(config, given)?;
    }
    Ok(content)
}

/// The secret key, when it was given and does not lie in the data folder.
fn outside(config: &Config, given: Option<&Secret>) -> Result<Key, SecretError> {
    let inside = config.data.join(KEY_FILE);
    if inside.exists() {
        return Err(SecretError::Inside(inside));
    }
    given::not_beside_the_data(config)?;
    let given = given.ok_or_else(|| SecretError::OutsideNeeded(config.data.clone()))?;
    secret::parse(given.reveal()).ok_or(SecretError::Crypto)
}

/// Whether nothing was ever kept here.
fn is_new(config: &Config) -> Result<bool, SecretError> {
    let url: DatabaseUrl = config.database().parse()?;
    let has_rows = url
        .path()
        .is_some_and(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0));
    Ok(!has_rows && !secret::was_used(&config.data) && !config.data.join(FILES_FOLDER).exists())
}
