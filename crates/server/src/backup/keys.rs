//! The keys of an instance that is made from a backup.
//!
//! What a backup holds of keys is not simply put there: an encrypted instance keeps no key beside
//! its data and has a data key of its own. What everything was signed with comes along.

use opsflux_sealing::{DataKey, PurposeKey};
use opsflux_store::DatabaseUrl;

use super::make::files_key;
use super::{About, BackupError};
use crate::config::Config;
use crate::encryption::ring::{Content, RING_FILE, Ring};
use crate::encryption::{given, with_key};
use crate::secret::{self, KEY_FILE, Key, OWN_FILES, SecretError};

/// What is known of the keys while a backup is read.
pub struct Coming {
    given: Option<Key>,
    /// The data key of the new instance, when it is encrypted.
    data: Option<DataKey>,
    /// The key that lay in the data folder.
    kept: Option<Key>,
    ring: Option<Ring>,
}

impl Coming {
    /// Whether what is inside can be used here: nothing is worse than secrets nobody can open.
    ///
    /// # Errors
    /// [`BackupError::OtherSecret`], [`BackupError::SecretNeeded`], and with encryption on a key
    /// that is missing or lies beside the data.
    pub fn with(config: &Config, about: &About) -> Result<Coming, BackupError> {
        let is_encrypted = config.encryption.wanted.unwrap_or(about.encrypted);
        let given = given::secret(config)?;
        let given = given.and_then(|given| secret::parse(given.reveal()));
        match given {
            Some(given) if secret::mark(&given) == about.secret_mark => {}
            // The key inside goes into the ring, which the one given here opens.
            Some(_) if is_encrypted && !about.secret_is_outside => {}
            Some(_) => return Err(BackupError::OtherSecret),
            None if about.secret_is_outside => return Err(BackupError::SecretNeeded),
            None if is_encrypted => {
                return Err(SecretError::OutsideNeeded(config.data.clone()).into());
            }
            None => {}
        }
        if is_encrypted {
            given::not_beside_the_data(config)?;
        }
        let data = match is_encrypted {
            true => Some(DataKey::new(secret::random()?)),
            false => None,
        };
        Ok(Coming {
            given,
            data,
            kept: None,
            ring: None,
        })
    }

    /// Where the rows go.
    ///
    /// # Errors
    /// When the address is none.
    pub fn database(&self, config: &Config) -> Result<DatabaseUrl, BackupError> {
        Ok(match config.database().parse()? {
            DatabaseUrl::Sqlite(path) => with_key(path, self.data.as_ref())?,
            other => other,
        })
    }

    /// What stored files are sealed with.
    ///
    /// # Errors
    /// When the library fails.
    pub fn files(&self) -> Result<Option<PurposeKey>, BackupError> {
        Ok(files_key(self.data.as_ref())?)
    }

    /// Whether a part of the data folder is a key, and is to be shown to [`Coming::take`].
    #[must_use]
    pub fn is_key(name: &str) -> bool {
        name == RING_FILE || OWN_FILES.contains(&name)
    }

    /// Takes a key; answers whether it lies in the new folder as it lay in the old one.
    pub fn take(&mut self, name: &str, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        match name {
            RING_FILE => self.ring = Ring::parse(&text),
            KEY_FILE => self.kept = secret::parse(&text),
            _ => {}
        }
        name != RING_FILE && self.data.is_none()
    }

    /// Makes the ring, where there is one: the last thing of a restore.
    ///
    /// # Errors
    /// When what was sealed inside could not be read.
    pub fn finish(self, config: &Config) -> Result<(), BackupError> {
        if self.ring.is_none() && self.data.is_none() {
            return Ok(());
        }
        let missing = || SecretError::Missing(config.data.clone());
        let outer = self.given.or(self.kept).ok_or_else(missing)?;
        let root = match &self.ring {
            Some(ring) => {
                // The key of its folder opens it, also where another is given here.
                let keys = [self.given, self.kept].into_iter().flatten();
                let content = keys.filter_map(|key| ring.open(&key)).next();
                content.ok_or(BackupError::OtherSecret)?.root
            }
            None => self.kept.unwrap_or(outer),
        };
        let content = Content {
            root,
            data: self.data,
        };
        Ring::seal(&outer, &content, false)?.write(&config.data)?;
        Ok(())
    }
}
