//! The secret key of the instance: everything encrypted and signed hangs on it.
//!
//! Given from outside, or made at the first start and kept in the data folder. A key made here can
//! be had again by the recovery key, which is printed once and kept by a person. A key that does
//! not fit the data folder is refused: going on with another one would make every sealed value
//! unreadable, one by one and silently.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use opsflux_sealing::DataKey;

use crate::config::Secret;
use crate::data_folder::write_private;

/// The file of a key that was made here.
pub const KEY_FILE: &str = "secret.key";
const RECOVERY_FILE: &str = "secret.recovery";
const CHECK_FILE: &str = "secret.check";
/// What lies in a folder that keeps its key itself.
pub const OWN_FILES: [&str; 3] = [KEY_FILE, RECOVERY_FILE, CHECK_FILE];
const NONCE_LENGTH: usize = 12;

/// 32 bytes.
pub type Key = [u8; 32];

/// The key of this start.
#[derive(Debug)]
pub struct Found {
    /// The key.
    pub key: Key,
    /// What is encrypted at rest is encrypted with it.
    pub data: Option<DataKey>,
    /// To be printed once, when the key was made now.
    pub recovery: Option<Secret>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The data folder was made with another one.
    #[error("the secret key is not the one the data in {0} was sealed with")]
    Other(PathBuf),
    /// It came from outside before, or its file is gone.
    #[error(
        "the data in {0} was sealed with a secret key that is not there: give it as \
         OPSFLUX_SECRET_KEY, or bring it back with `opsflux recover-key`"
    )]
    Missing(PathBuf),
    /// The recovery key does not open the key.
    #[error("this is not the recovery key of the data in {0}")]
    WrongRecoveryKey(PathBuf),
    /// A file of the key holds something else.
    #[error("{0} does not hold a key")]
    Malformed(PathBuf),
    /// Encryption is wanted and the folder is not encrypted.
    #[error("encryption is on and the data in {0} is not encrypted: run `opsflux encryption on`")]
    NotEncrypted(PathBuf),
    /// Encryption is not wanted and the folder is encrypted.
    #[error("encryption is off and the data in {0} is encrypted: run `opsflux encryption off`")]
    Encrypted(PathBuf),
    /// The key lies beside what it opens.
    #[error(
        "with encryption on the secret key must not lie in the data folder, and {0} is in it: \
         keep the key elsewhere and remove it there"
    )]
    Inside(PathBuf),
    /// The key has to come from outside.
    #[error(
        "with encryption on the secret key of {0} comes from outside: give 64 hexadecimal digits \
         as OPSFLUX_SECRET_KEY, OPSFLUX_SECRET_KEY_FILE or OPSFLUX_SECRET_KEY_COMMAND"
    )]
    OutsideNeeded(PathBuf),
    /// A change of encryption is not finished.
    #[error(
        "a change of encryption in {0} was decided and is not finished: the next start or \
         `opsflux encryption status` finishes it"
    )]
    Switching(PathBuf),
    /// A file or a command gives no key.
    #[error("{place} gives no secret key: {why}")]
    NotGiven {
        /// Which.
        place: String,
        /// Why.
        why: String,
    },
    /// Somebody wanted it.
    #[error("stopped")]
    Stopped,
    /// The database.
    #[error(transparent)]
    Store(#[from] opsflux_store::StoreError),
    /// The machine has no randomness, or the library fails.
    #[error("a key cannot be made")]
    Crypto,
    /// The disk.
    #[error("the secret key in {path} cannot be read or kept: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The key given from outside, else the one in `folder`, else a new one.
///
/// # Errors
/// [`SecretError`].
pub fn find(folder: &Path, given: Option<&Secret>) -> Result<Found, SecretError> {
    let kept = read(&folder.join(KEY_FILE))?;
    let (key, recovery) = match (given, kept) {
        (Some(given), _) => (parse(given.reveal()).ok_or(SecretError::Crypto)?, None),
        (None, Some(kept)) => (
            parse(&kept).ok_or_else(|| SecretError::Malformed(folder.join(KEY_FILE)))?,
            None,
        ),
        (None, None) if folder.join(CHECK_FILE).exists() => {
            return Err(SecretError::Missing(folder.to_owned()));
        }
        (None, None) => {
            let (key, recovery) = make(folder)?;
            (key, Some(recovery))
        }
    };
    check(folder, &key)?;
    Ok(Found {
        key,
        data: None,
        recovery,
    })
}

/// A key that is there, with where it comes from.
pub struct Held {
    /// The key.
    pub key: Key,
    /// What everything signed and sealed derives from: the key itself, unless there is a ring.
    pub root: Key,
    /// What is encrypted at rest is encrypted with it.
    pub data: Option<DataKey>,
    /// Given from outside, and not in the data folder.
    pub is_outside: bool,
    /// The key sealed with the recovery key, when there is one and the key is in the folder.
    pub recovery: Option<Vec<u8>>,
}

/// The key [`find`] would find, without making one or leaving a mark.
///
/// # Errors
/// [`SecretError`]; [`SecretError::Missing`] when there is none.
pub fn held(folder: &Path, given: Option<&Secret>) -> Result<Held, SecretError> {
    let kept = read(&folder.join(KEY_FILE))?;
    let is_outside = given.is_some() && kept.is_none();
    let missing = || SecretError::Missing(folder.to_owned());
    let text = given.map(|given| given.reveal().to_owned()).or(kept);
    let key = parse(&text.ok_or_else(missing)?)
        .ok_or_else(|| SecretError::Malformed(folder.join(KEY_FILE)))?;
    if read(&folder.join(CHECK_FILE))?.is_some_and(|known| known.trim() != mark(&key)) {
        return Err(SecretError::Other(folder.to_owned()));
    }
    let recovery = read(&folder.join(RECOVERY_FILE))?.and_then(|text| unhex(&text));
    Ok(Held {
        key,
        root: key,
        data: None,
        is_outside,
        recovery: recovery.filter(|_| !is_outside),
    })
}

/// The key that lies in `folder`.
///
/// # Errors
/// [`SecretError::Malformed`].
pub fn kept(folder: &Path) -> Result<Option<Key>, SecretError> {
    let path = folder.join(KEY_FILE);
    match read(&path)? {
        Some(text) => Ok(Some(parse(&text).ok_or(SecretError::Malformed(path))?)),
        None => Ok(None),
    }
}

/// Whether something was ever sealed in `folder`.
#[must_use]
pub fn was_used(folder: &Path) -> bool {
    [KEY_FILE, CHECK_FILE]
        .iter()
        .any(|name| folder.join(name).exists())
}

/// Removes the key from `folder` with what belongs to it: a ring has taken its place.
///
/// # Errors
/// When the disk refuses.
pub fn forget(folder: &Path) -> Result<(), SecretError> {
    for name in OWN_FILES {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(SecretError::Io { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The key in `sealed`, when `recovery` is its recovery key, however it is written.
#[must_use]
pub fn recovered(recovery: &str, sealed: &[u8]) -> Option<Key> {
    let digits: String = recovery.chars().filter(char::is_ascii_hexdigit).collect();
    open(&parse(&digits)?, sealed)?.try_into().ok()
}

/// Brings the key of `folder` back.
///
/// # Errors
/// [`SecretError::WrongRecoveryKey`].
pub fn recover(folder: &Path, recovery: &str) -> Result<(), SecretError> {
    let wrong = || SecretError::WrongRecoveryKey(folder.to_owned());
    let path = folder.join(RECOVERY_FILE);
    let sealed = read(&path)?
        .and_then(|text| unhex(&text))
        .ok_or(SecretError::Malformed(path))?;
    let key = recovered(recovery, &sealed).ok_or_else(wrong)?;
    check(folder, &key)?;
    keep(&folder.join(KEY_FILE), &hex(&key))
}

fn make(folder: &Path) -> Result<(Key, Secret), SecretError> {
    let (key, recovery) = (random()?, random()?);
    let sealed = seal(&recovery, &key)?;
    // The way back first: a key that cannot be recovered must not be used.
    keep(&folder.join(RECOVERY_FILE), &hex(&sealed))?;
    keep(&folder.join(KEY_FILE), &hex(&key))?;
    let digits = hex(&recovery);
    let groups: Vec<&str> = (0..digits.len())
        .step_by(8)
        .filter_map(|at| digits.get(at..at + 8))
        .collect();
    Ok((key, Secret::new(groups.join("-"))))
}

/// Compares the key with what is written of it, or writes that.
fn check(folder: &Path, key: &Key) -> Result<(), SecretError> {
    let path = folder.join(CHECK_FILE);
    let mark = mark(key);
    match read(&path)? {
        None => keep(&path, &mark),
        Some(known) if known.trim() == mark => Ok(()),
        Some(_) => Err(SecretError::Other(folder.to_owned())),
    }
}

/// What is written of a key, to know it again.
#[must_use]
pub fn mark(key: &Key) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hex(hmac::sign(&key, b"opsflux secret key").as_ref())
}

pub(crate) fn random() -> Result<Key, SecretError> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| SecretError::Crypto)?;
    Ok(key)
}

pub(crate) fn seal(with: &Key, clear: &Key) -> Result<Vec<u8>, SecretError> {
    seal_bytes(with, clear)
}

pub(crate) fn seal_bytes(with: &Key, clear: &[u8]) -> Result<Vec<u8>, SecretError> {
    let failed = |_| SecretError::Crypto;
    let with = RandomizedNonceKey::new(&AES_256_GCM, with).map_err(failed)?;
    let mut sealed = clear.to_vec();
    let nonce = with
        .seal_in_place_append_tag(Aad::empty(), &mut sealed)
        .map_err(failed)?;
    Ok([nonce.as_ref().as_slice(), &sealed].concat())
}

pub(crate) fn open(with: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
    let with = RandomizedNonceKey::new(&AES_256_GCM, with).ok()?;
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LENGTH)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = sealed.to_vec();
    with.open_in_place(nonce, Aad::empty(), &mut sealed)
        .ok()
        .map(|clear| clear.to_vec())
}

pub(crate) fn read(path: &Path) -> Result<Option<String>, SecretError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SecretError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn keep(path: &Path, text: &str) -> Result<(), SecretError> {
    write_private(path, &format!("{text}\n")).map_err(|source| SecretError::Io {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn parse(text: &str) -> Option<Key> {
    unhex(text)?.try_into().ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| {
            text.get(at..at + 2)
                .and_then(|byte| u8::from_str_radix(byte, 16).ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_key_and_the_next_ones_find_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = find(folder.path(), None).expect("made");
        assert!(first.recovery.is_some());
        let second = find(folder.path(), None).expect("found");
        assert_eq!(second.key, first.key);
        assert!(second.recovery.is_none(), "told once");
    }

    #[test]
    fn a_lost_key_comes_back_with_the_recovery_key_and_not_with_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = find(folder.path(), None).expect("made");
        std::fs::remove_file(folder.path().join(KEY_FILE)).expect("lost");
        assert!(matches!(
            find(folder.path(), None),
            Err(SecretError::Missing(_))
        ));
        let wrong = recover(folder.path(), &"ab".repeat(32));
        assert!(matches!(wrong, Err(SecretError::WrongRecoveryKey(_))));
        let recovery = first.recovery.expect("told");
        recover(folder.path(), recovery.reveal()).expect("recovered");
        assert_eq!(find(folder.path(), None).expect("found").key, first.key);
    }

    #[test]
    fn a_key_from_outside_stays_outside_and_must_stay_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = Secret::new("0f".repeat(32));
        let found = find(folder.path(), Some(&outside)).expect("taken");
        assert_eq!(found.key, [15; 32]);
        assert!(found.recovery.is_none() && !folder.path().join(KEY_FILE).exists());
        let another = find(folder.path(), Some(&Secret::new("0e".repeat(32))));
        assert!(matches!(another, Err(SecretError::Other(_))));
        let forgotten = find(folder.path(), None);
        assert!(matches!(forgotten, Err(SecretError::Missing(_))));
    }

    #[test]
    fn a_file_with_something_else_is_not_taken_for_a_key() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(KEY_FILE), "not a key").expect("written");
        assert!(matches!(
            find(folder.path(), None),
            Err(SecretError::Malformed(_))
        ));
    }
}
