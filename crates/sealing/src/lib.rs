//! Encryption at rest of what is a file: stored files and the search index.
//!
//! What lives here: the data key of an instance and what is derived from it ([`DataKey`]), the form
//! of a sealed file ([`form`]), and reading and writing one from its begin to its end ([`whole`]).
//!
//! What must never be here: where keys come from and how they are kept; the database, which seals
//! its own pages. Start reading at [`form`].

pub mod form;
pub mod whole;

use std::fmt;
use std::io;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

pub use form::{CHUNK, HEADER, Opener, Sealer};
pub use whole::{Sealing, Unsealing};

/// What everything at rest is encrypted with: random, made once for an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey([u8; 32]);

/// A key for one purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct PurposeKey([u8; 32]);

impl DataKey {
    /// Of its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> DataKey {
        DataKey(bytes)
    }

    /// Its bytes, to be kept wrapped.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one purpose: what is learnt of one tells nothing of another.
    ///
    /// # Errors
    /// When the library fails.
    pub fn purpose(&self, purpose: &str) -> io::Result<PurposeKey> {
        derive(&self.0, b"opsflux data", purpose.as_bytes()).map(PurposeKey)
    }
}

impl PurposeKey {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl fmt::Debug for PurposeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PurposeKey(…)")
    }
}

pub(crate) fn derive(key: &[u8; 32], salt: &[u8], what: &[u8]) -> io::Result<[u8; 32]> {
    let mut derived = [0; 32];
    Salt::new(HKDF_SHA256, salt)
        .extract(key)
        .expand(&[what], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut derived))
        .map_err(|_| io::Error::other("a key cannot be derived"))?;
    Ok(derived)
}
