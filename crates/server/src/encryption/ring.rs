//! The key ring: what the secret key opens.
//!
//! One small file, replaced as a whole: that is the moment from which another key opens the
//! instance, and from which it counts as encrypted.

use std::fs::File;
use std::path::{Path, PathBuf};

use opsflux_sealing::DataKey;
use serde::{Deserialize, Serialize};

use crate::data_folder::write_private;
use crate::secret::{self, Key, SecretError};

/// The file.
pub const RING_FILE: &str = "secret.ring";
const FORM: u32 = 1;

/// The ring as it lies.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ring {
    form: u32,
    /// Root and data key, sealed with the secret key.
    sealed: String,
    /// Whether what lies under names of its own is still to be put in place.
    #[serde(default)]
    switching: bool,
}

/// What is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What is signed and sealed derives from it.
    pub root: Key,
    /// What is encrypted at rest is encrypted with it.
    pub data: Option<DataKey>,
}

impl Ring {
    /// The ring of a folder, when it has one.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn read(folder: &Path) -> Result<Option<Ring>, SecretError> {
        let path = folder.join(RING_FILE);
        let Some(text) = secret::read(&path)? else {
            return Ok(None);
        };
        Ring::parse(&text)
            .map(Some)
            .ok_or(SecretError::Malformed(path))
    }

    /// A ring that was read elsewhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Ring> {
        let ring: Ring = serde_json::from_str(text).ok()?;
        (ring.form == FORM).then_some(ring)
    }

    /// A ring that `key` opens.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(key: &Key, content: &Content, switching: bool) -> Result<Ring, SecretError> {
        let mut clear = content.root.to_vec();
        if let Some(data) = &content.data {
            clear.extend_from_slice(data.bytes());
        }
        let sealed = secret::seal_bytes(&wrapping(key)?, &clear)?;
        Ok(Ring {
            form: FORM,
            sealed: secret::hex(&sealed),
            switching,
        })
    }

    /// What is in it; nothing with another key.
    #[must_use]
    pub fn open(&self, key: &Key) -> Option<Content> {
        let sealed = secret::unhex(&self.sealed)?;
        let clear = secret::open(&wrapping(key).ok()?, &sealed)?;
        let (root, data) = clear.split_at_checked(32)?;
        let data = match data {
            [] => None,
            data => Some(DataKey::new(data.try_into().ok()?)),
        };
        let root = root.try_into().ok()?;
        Some(Content { root, data })
    }

    /// Whether a change was decided and is not yet finished.
    #[must_use]
    pub fn is_switching(&self) -> bool {
        self.switching
    }

    /// The same, with nothing left to be put in place.
    #[must_use]
    pub fn settled(self) -> Ring {
        Ring {
            switching: false,
            ..self
        }
    }

    /// Puts it in the place of the one before, at once and for good.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<(), SecretError> {
        let path = folder.join(RING_FILE);
        let text = serde_json::to_string(self).map_err(|_| SecretError::Crypto)?;
        write_private(&path, &format!("{text}\n"))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(failed(&path))
    }
}

/// A failure of the disk.
pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> SecretError + use<> {
    let path: PathBuf = path.to_owned();
    move |source| SecretError::Io { path, source }
}

/// Keys are for one purpose each.
fn wrapping(key: &Key) -> Result<Key, SecretError> {
    let purpose = DataKey::new(*key).purpose("key ring");
    Ok(*purpose.map_err(|_| SecretError::Crypto)?.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_opens_with_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Ring::read(folder.path()).unwrap().is_none());
        for data in [None, Some(DataKey::new([3; 32]))] {
            let content = Content {
                root: [1; 32],
                data,
            };
            let ring = Ring::seal(&[2; 32], &content, true).unwrap();
            ring.write(folder.path()).unwrap();
            let read = Ring::read(folder.path()).unwrap().unwrap();
            assert!(read.is_switching());
            assert_eq!(read.open(&[2; 32]), Some(content));
            assert_eq!(read.open(&[4; 32]), None);
            assert!(!read.settled().is_switching());
        }
        std::fs::write(folder.path().join(RING_FILE), "none").unwrap();
        assert!(Ring::read(folder.path()).is_err());
    }
}
