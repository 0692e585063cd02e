//! The keys of the instance, all derived from its one secret, and what they seal.
//!
//! Each purpose has a key of its own (HKDF-SHA256), so that nothing made for one can be used for
//! another. The secret itself is not kept. What must never be here: a key that is written
//! anywhere, also by `Debug`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, hkdf, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use opsflux_records::Sealer;

use crate::password;

/// The cryptography of the machine does not work; nothing can be done about it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refuses to work")]
pub struct CryptoFailed;

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed by another key, for another tenant, or altered")]
pub struct Sealed;

/// What stands before a sealed text: the way it was sealed, so that there can be another one.
const SEALED: &str = "s1.";

/// Keys by purpose.
pub struct Keys {
    sealing: RandomizedNonceKey,
    pub(crate) sign_access: EncodingKey,
    pub(crate) check_access: DecodingKey,
    pub(crate) refresh: hmac::Key,
    pub(crate) csrf: hmac::Key,
}

impl Keys {
    /// The keys of the instance whose secret is `secret`.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn derive(secret: &[u8; 32]) -> Result<Keys, CryptoFailed> {
        let access = key_for(secret, "access token")?;
        Ok(Keys {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &key_for(secret, "secret fields")?)
                .map_err(|_| CryptoFailed)?,
            sign_access: EncodingKey::from_secret(&access),
            check_access: DecodingKey::from_secret(&access),
            refresh: hmac::Key::new(hmac::HMAC_SHA256, &key_for(secret, "refresh token")?),
            csrf: hmac::Key::new(hmac::HMAC_SHA256, &key_for(secret, "csrf token")?),
        })
    }

    /// Opens what [`Sealer::seal`] has sealed for the same tenant.
    ///
    /// # Errors
    /// [`Sealed`].
    pub fn open(&self, tenant: i64, sealed: &str) -> Result<String, Sealed> {
        let text = sealed.strip_prefix(SEALED).ok_or(Sealed)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Sealed)?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE_LEN).ok_or(Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Sealed)?;
        let mut cipher = cipher.to_vec();
        let clear = self
            .sealing
            .open_in_place(nonce, Aad::from(tenant.to_be_bytes()), &mut cipher)
            .map_err(|_| Sealed)?;
        String::from_utf8(clear.to_vec()).map_err(|_| Sealed)
    }
}

impl Sealer for Keys {
    /// AES-256-GCM with a random nonce before it; the tenant is authenticated with the text, so
    /// that what was sealed for one does not open for another.
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String> {
        let mut cipher = clear.as_bytes().to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(tenant.to_be_bytes()), &mut cipher)
            .map_err(|_| CryptoFailed.to_string())?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut cipher);
        Ok(format!("{SEALED}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes tens of milliseconds of one core by design.
    fn hash_password(&self, clear: &str) -> Result<String, (&'static str, String)> {
        password::check(clear, &[]).map_err(|weak| (weak.code(), weak.to_string()))?;
        password::hash(clear).map_err(|failed| ("internal", failed.to_string()))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

fn key_for(secret: &[u8; 32], purpose: &str) -> Result<[u8; 32], CryptoFailed> {
    let mut key = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"opsflux identity")
        .extract(secret)
        .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| CryptoFailed)?;
    Ok(key)
}

/// `N` bytes nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CryptoFailed> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| CryptoFailed)?;
    Ok(bytes)
}

/// SHA-256 of a token of full entropy, as it is stored.
pub(crate) fn digest_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::derive(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_tenant_only() {
        let sealed = keys(1).seal(7, "s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(keys(1).open(7, &sealed).unwrap(), "s3cret");
        assert_eq!(keys(1).open(8, &sealed), Err(Sealed), "another tenant");
        assert_eq!(keys(2).open(7, &sealed), Err(Sealed), "another instance");
    }

    #[test]
    fn an_altered_text_does_not_open() {
        let keys = keys(1);
        let sealed = keys.seal(7, "s3cret").unwrap();
        for place in SEALED.len()..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(keys.open(7, &altered), Err(Sealed), "{altered}");
        }
        for garbage in ["", "s1.", "s1.AAAA", "s3cret", "s1.é"] {
            assert_eq!(keys.open(7, garbage), Err(Sealed), "{garbage}");
        }
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let keys = keys(1);
        assert_ne!(
            keys.seal(7, "s3cret").unwrap(),
            keys.seal(7, "s3cret").unwrap()
        );
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let secret = [3; 32];
        let purposes = [
            "access token",
            "secret fields",
            "refresh token",
            "csrf token",
        ];
        let made: std::collections::BTreeSet<_> = purposes
            .iter()
            .map(|purpose| key_for(&secret, purpose).unwrap())
            .collect();
        assert_eq!(made.len(), purposes.len());
    }

    #[test]
    fn weak_passwords_are_told_with_a_code() {
        let (code, _) = keys(1).hash_password("password").unwrap_err();
        assert_eq!(code, "password_too_weak");
        assert!(
            keys(1)
                .hash_password("tuyau d'orgue violet")
                .unwrap()
                .starts_with("$argon2id$")
        );
    }
}
