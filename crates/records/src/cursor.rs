//! Cursors: where a page ended, sealed so that it can neither be read nor made up.
//!
//! A cursor is AES-256-GCM over the values of the sort keys, bound to person, tenant, filter and
//! sort as associated data: one from another list, person or sort does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;

const NONCE_LENGTH: usize = 12;

/// The key that seals cursors of an instance.
pub struct CursorKey {
    key: Option<RandomizedNonceKey>,
}

/// What a cursor is bound to.
pub struct Binding(Context);

impl Binding {
    /// Begins a binding for one kind of cursor.
    #[must_use]
    pub fn new(purpose: &str) -> Binding {
        let mut context = Context::new(&SHA256);
        context.update(purpose.as_bytes());
        Binding(context)
    }

    /// Adds a part; parts cannot run into each other.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Binding {
        let part = part.as_ref();
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    fn finish(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        out
    }
}

impl CursorKey {
    /// The key derived from the instance's secret.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> CursorKey {
        let mut bytes = [0_u8; 32];
        let filled = Salt::new(HKDF_SHA256, b"opsflux")
            .extract(secret)
            .expand(&[b"cursor"], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut bytes));
        let key = filled
            .ok()
            .and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok());
        CursorKey { key }
    }

    /// Seals `payload`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the library fails.
    pub fn seal(&self, payload: &[u8], binding: Binding) -> Result<String, Error> {
        let failed = || Error::Internal("sealing a cursor".to_owned());
        let key = self.key.as_ref().ok_or_else(failed)?;
        let mut sealed = payload.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(binding.finish()), &mut sealed)
            .map_err(|_| failed())?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(URL_SAFE_NO_PAD.encode(out))
    }

    /// Opens a cursor; `None` when it was made up, altered, or belongs to something else.
    #[must_use]
    pub fn open(&self, cursor: &str, binding: Binding) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LENGTH)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let key = self.key.as_ref()?;
        let clear = key
            .open_in_place(nonce, Aad::from(binding.finish()), &mut sealed)
            .ok()?;
        Some(clear.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_where_it_was_made() {
        let key = CursorKey::derive(&[7; 32]);
        let cursor = key
            .seal(b"[1,2]", Binding::new("list").with("ann").with("tickets"))
            .unwrap();
        let open = |binding| key.open(&cursor, binding);
        assert_eq!(
            open(Binding::new("list").with("ann").with("tickets")).unwrap(),
            b"[1,2]"
        );
        assert_eq!(open(Binding::new("list").with("bob").with("tickets")), None);
        assert_eq!(open(Binding::new("list").with("annt").with("ickets")), None);
        let other = CursorKey::derive(&[8; 32]);
        assert_eq!(
            other.open(&cursor, Binding::new("list").with("ann").with("tickets")),
            None
        );
        for forged in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "é"] {
            assert_eq!(key.open(forged, Binding::new("list")), None);
        }
    }
}
