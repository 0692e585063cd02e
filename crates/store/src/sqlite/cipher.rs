//! Which file, and what it is encrypted with.
//!
//! An encrypted file is one of SQLCipher: every page with AES-256 and a code that shows a page that
//! was changed, in the file as in its log. Without a key the same library is plain SQLite.

use std::fmt;
use std::path::Path;

use rusqlite::Connection;

/// Pages of an encrypted file cannot be used where the system keeps them: what is in our cache need
/// not be opened again, so it is larger.
const CACHE_FACTOR: i64 = 4;

/// The key of an encrypted file: random, so nothing is derived from it at each opening.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// Of its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> FileKey {
        FileKey(bytes)
    }

    /// As SQLCipher takes a key that is one already.
    pub(crate) fn raw(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("x'{digits}'")
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// A file of SQLite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqliteFile<'f> {
    pub(crate) path: &'f Path,
    pub(crate) key: Option<&'f FileKey>,
}

impl SqliteFile<'_> {
    /// One that is not encrypted.
    #[cfg(test)]
    pub(crate) fn plain(path: &Path) -> SqliteFile<'_> {
        SqliteFile { path, key: None }
    }

    /// Before anything else is asked of a connection.
    pub(crate) fn unlock(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(key) = self.key else { return Ok(()) };
        connection.execute_batch(&format!("PRAGMA key = \"{}\"", key.raw()))
    }

    /// Kibibytes of a cache that is `plain` without encryption.
    pub(crate) fn cache(&self, plain: i64) -> i64 {
        match self.key {
            Some(_) => plain * CACHE_FACTOR,
            None => plain,
        }
    }
}
