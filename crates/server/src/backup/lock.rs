//! The head of a backup: what it is, and which key opens it.
//!
//! Content is sealed with a random key of its own, which stands in the head wrapped by one of:
//! `OPSFLUX_BACKUP_KEY`; the secret key, when it comes from outside the data folder; else the
//! recovery key. Nobody but its holder knows the recovery key, so the content's key is wrapped by
//! the secret key, and the secret key lies beside it as the first start sealed it for the recovery
//! key. Everything in the head is bound to every chunk behind it.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::BackupError;
use super::seal::Bound;
use crate::config::{Config, Secret};
use crate::encryption;
use crate::secret::{self, Held, Key, SecretError};

/// How every backup begins.
const MAGIC: &[u8; 16] = b"OPSFLUX BACKUP\r\n";
/// The form of what follows.
const FORM: u32 = 1;
/// More than any head is long.
const LONGEST: u32 = 64 * 1024;

/// Whose key opens a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opener {
    /// `OPSFLUX_BACKUP_KEY`.
    BackupKey,
    /// `OPSFLUX_SECRET_KEY`.
    SecretKey,
    /// What the first start printed.
    RecoveryKey,
}

impl Opener {
    /// As a person knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Opener::BackupKey => "a backup key, to be given as OPSFLUX_BACKUP_KEY",
            Opener::SecretKey => {
                "the secret key of its instance, to be given as OPSFLUX_SECRET_KEY"
            }
            Opener::RecoveryKey => {
                "the recovery key that the first start of its instance printed, to be given on stdin"
            }
        }
    }
}

/// What can be read without a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The form of the content.
    pub form: u32,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The release that made it.
    pub version: String,
    /// Whose key opens it.
    pub opens_with: Opener,
    /// The content's key, wrapped.
    content_key: String,
    /// The secret key as it is sealed for the recovery key, where that opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
}

/// Keys somebody has.
#[derive(Debug, Default)]
pub struct Keys {
    /// `OPSFLUX_BACKUP_KEY`.
    pub backup: Option<Secret>,
    /// `OPSFLUX_SECRET_KEY`, or that of a data folder.
    pub secret: Option<Secret>,
    /// What the first start printed.
    pub recovery: Option<Secret>,
}

impl Keys {
    /// Those of a configuration, with the secret key that lies in its data folder.
    #[must_use]
    pub fn of(config: &Config) -> Keys {
        let held = encryption::held(config);
        Keys {
            backup: config.backup.key.clone(),
            secret: held.ok().map(|held| Secret::new(secret::hex(&held.key))),
            recovery: None,
        }
    }
}

/// A new head for an instance, with the key of the content behind it.
///
/// # Errors
/// [`BackupError::NoKey`].
pub fn close(config: &Config, held: &Held, now: Timestamp) -> Result<(Head, Key), BackupError> {
    let content = secret::random()?;
    let (opens_with, wrapped_by, secret_key) = match (&config.backup.key, &held.recovery) {
        (Some(key), _) => {
            let key = secret::parse(key.reveal()).ok_or(SecretError::Crypto)?;
            (Opener::BackupKey, key, None)
        }
        (None, _) if held.is_outside => (Opener::SecretKey, held.key, None),
        (None, Some(sealed)) => (Opener::RecoveryKey, held.key, Some(secret::hex(sealed))),
        (None, None) => return Err(BackupError::NoKey(config.data.clone())),
    };
    let wrapped = secret::seal(&wrapping(&wrapped_by)?, &content)?;
    let head = Head {
        form: FORM,
        made_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        opens_with,
        content_key: secret::hex(&wrapped),
        secret_key,
    };
    Ok((head, content))
}

/// Keys are for one purpose each.
fn wrapping(key: &Key) -> Result<Key, SecretError> {
    let mut derived = [0; 32];
    let made = Salt::new(HKDF_SHA256, b"opsflux")
        .extract(key)
        .expand(&[b"backup"], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut derived));
    made.map_err(|_| SecretError::Crypto)?;
    Ok(derived)
}

impl Head {
    /// The key of the content.
    ///
    /// # Errors
    /// [`BackupError::KeyNeeded`] when none of `keys` is of the kind that opens it,
    /// [`BackupError::WrongKey`] when they do not.
    pub fn open(&self, path: &Path, keys: &Keys) -> Result<Key, BackupError> {
        let wanted = self.opens_with.name();
        let candidates = self.candidates(keys);
        if candidates.is_empty() {
            let path = path.to_owned();
            return Err(BackupError::KeyNeeded { path, wanted });
        }
        let wrapped = secret::unhex(&self.content_key).unwrap_or_default();
        for candidate in candidates.into_iter().flatten() {
            let opened = secret::open(&wrapping(&candidate)?, &wrapped);
            if let Some(key) = opened.and_then(|key| key.try_into().ok()) {
                return Ok(key);
            }
        }
        let path = path.to_owned();
        Err(BackupError::WrongKey { path, wanted })
    }

    /// What each key that may open it comes to.
    fn candidates(&self, keys: &Keys) -> Vec<Option<Key>> {
        let plain = |key: &Secret| secret::parse(key.reveal());
        let recovered = |key: &Secret| {
            let sealed = secret::unhex(self.secret_key.as_deref()?)?;
            secret::recovered(key.reveal(), &sealed)
        };
        let (plain_keys, recovery) = match self.opens_with {
            Opener::BackupKey => (&keys.backup, &None),
            Opener::SecretKey => (&keys.secret, &None),
            Opener::RecoveryKey => (&keys.secret, &keys.recovery),
        };
        let plain_keys = plain_keys.iter().map(plain);
        plain_keys.chain(recovery.iter().map(recovered)).collect()
    }

    /// Writes it; answers what the content is bound to.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Bound> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let head = [MAGIC.as_slice(), &length.to_be_bytes(), &text].concat();
        out.write_all(&head)?;
        Ok(bound(&head))
    }

    /// Reads one; answers what the content is bound to.
    ///
    /// # Errors
    /// [`BackupError::Foreign`] for another kind of file, [`BackupError::Newer`].
    pub fn read(path: &Path, source: &mut impl Read) -> Result<(Head, Bound), BackupError> {
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }
        let foreign = || BackupError::Foreign(path.to_owned());
        let damaged = |why: &str| BackupError::Damaged {
            path: PathBuf::from(path),
            why: why.to_owned(),
        };
        let mut begin = [0; MAGIC.len() + 4];
        fill(source, &mut begin, path)?
            .then_some(())
            .ok_or_else(foreign)?;
        let (magic, length) = begin.split_at(MAGIC.len());
        let length = u32::from_be_bytes(length.try_into().unwrap_or_default());
        if magic != MAGIC {
            return Err(foreign());
        }
        if length > LONGEST {
            return Err(damaged("its head is none"));
        }
        let mut text = vec![0; usize::try_from(length).unwrap_or_default()];
        if !fill(source, &mut text, path)? {
            return Err(damaged("it was cut off within its head"));
        }
        let unreadable = |_| damaged("its head cannot be read");
        let Form { form } = serde_json::from_slice(&text).map_err(unreadable)?;
        if form != FORM {
            return Err(BackupError::Newer(path.to_owned()));
        }
        let head = serde_json::from_slice(&text).map_err(unreadable)?;
        Ok((head, bound(&[begin.as_slice(), &text].concat())))
    }
}

/// Reads as many bytes as fit; false when there are fewer.
fn fill(source: &mut impl Read, bytes: &mut [u8], path: &Path) -> Result<bool, BackupError> {
    match source.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(BackupError::io(path)(error)),
    }
}

fn bound(head: &[u8]) -> Bound {
    let mut bound = [0; 32];
    bound.copy_from_slice(digest(&SHA256, head).as_ref());
    bound
}
