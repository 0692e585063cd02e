//! Hashes of the chain and what signs it.
//!
//! The chain itself is plain SHA-256, so that an auditor can follow an export without any secret.
//! Whoever can write the database could make such a chain anew; the signatures (HMAC-SHA256 under
//! a key derived from the secret of the instance, which is not in the database) cannot be.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::{hmac, rand};
use opsflux_store::audit::{Head, Place, Seal};

use super::canon::Parts;
use crate::error::Error;

/// A SHA-256.
pub(super) type Hash = [u8; 32];
/// Enough that nobody finds a salt by trying.
const SALT: usize = 16;
/// A signature of a single seal is cut to this; forging it takes 2^127 tries.
const MAC: usize = 16;

/// What signs seals, heads and erasures.
pub struct AuditKey(Option<hmac::Key>);

impl AuditKey {
    /// The key derived from the instance's secret.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> AuditKey {
        let mut bytes = [0_u8; 32];
        let filled = Salt::new(HKDF_SHA256, b"opsflux")
            .extract(secret)
            .expand(&[b"audit"], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut bytes));
        AuditKey(
            filled
                .ok()
                .map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        )
    }

    fn key(&self) -> Result<&hmac::Key, Error> {
        let none = || Error::Internal("the key of the audit could not be derived".to_owned());
        self.0.as_ref().ok_or_else(none)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(hmac::sign(self.key()?, message).as_ref().to_vec())
    }

    pub(super) fn sign_seal(&self, tenant: i64, seal: &Seal) -> Result<Vec<u8>, Error> {
        let mut mac = self.sign(&seal_message(tenant, seal.seq, &seal.chain))?;
        mac.truncate(MAC);
        Ok(mac)
    }

    pub(super) fn signed_seal(&self, tenant: i64, seal: &Seal) -> Result<bool, Error> {
        let wanted = self.sign_seal(tenant, seal)?;
        Ok(same(&wanted, &seal.mac))
    }

    pub(super) fn sign_head(&self, place: Place, head: &Head) -> Result<Vec<u8>, Error> {
        self.sign(&head_message(place, head))
    }

    pub(super) fn signed_head(&self, place: Place, head: &Head) -> Result<bool, Error> {
        let message = head_message(place, head);
        Ok(hmac::verify(self.key()?, &message, &head.mac).is_ok())
    }

    pub(super) fn sign_erasure(
        &self,
        tenant: i64,
        seal: &Seal,
        (who, body): (bool, bool),
        by: &str,
    ) -> Result<Vec<u8>, Error> {
        self.sign(&erasure_message(tenant, seal, (who, body), by))
    }

    /// Whether this instance took the salts away that are gone.
    pub(super) fn signed_erasure(&self, tenant: i64, seal: &Seal) -> Result<bool, Error> {
        let (Some(by), Some(mac)) = (&seal.erased_by, &seal.erased_mac) else {
            return Ok(false);
        };
        let gone = (seal.who_salt.is_none(), seal.body_salt.is_none());
        let message = erasure_message(tenant, seal, gone, by);
        Ok(hmac::verify(self.key()?, &message, mac).is_ok())
    }
}

fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

fn seal_message(tenant: i64, seq: i64, chain: &[u8]) -> Vec<u8> {
    let mut message = b"opsflux.audit.seal/1\0".to_vec();
    message.extend(tenant.to_be_bytes());
    message.extend(seq.to_be_bytes());
    message.extend(chain);
    message
}

fn head_message(place: Place, head: &Head) -> Vec<u8> {
    let mut message = b"opsflux.audit.head/1\0".to_vec();
    message.extend(place.name().as_bytes());
    message.push(0);
    message.extend(head.tenant.to_be_bytes());
    message.extend(head.entries.to_be_bytes());
    message.extend(head.at.as_microsecond().to_be_bytes());
    message.extend(&head.hash);
    message
}

fn erasure_message(tenant: i64, seal: &Seal, (who, body): (bool, bool), by: &str) -> Vec<u8> {
    let mut message = b"opsflux.audit.erasure/1\0".to_vec();
    message.extend(tenant.to_be_bytes());
    message.extend(seal.seq.to_be_bytes());
    message.extend([u8::from(who), u8::from(body)]);
    message.extend(&seal.chain);
    message.extend(by.as_bytes());
    message
}

/// Two fresh salts, of one draw.
pub(super) fn salts() -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut both = [0; 2 * SALT];
    let no_chance = |_| Error::Internal("the machine has no randomness".to_owned());
    rand::fill(&mut both).map_err(no_chance)?;
    let (one, other) = both.split_at(SALT);
    Ok((one.to_vec(), other.to_vec()))
}

/// What stands before the first seal of a tenant.
pub(super) fn genesis(tenant: i64) -> Hash {
    hash(&[b"opsflux.audit.genesis/1\0", &tenant.to_be_bytes()])
}

pub(super) fn meta(parts: &Parts) -> Hash {
    hash(&[b"opsflux.audit.meta/1\0", &parts.meta])
}

pub(super) fn who(parts: &Parts, salt: &[u8]) -> Hash {
    hash(&[b"opsflux.audit.who/1\0", salt, &parts.who])
}

pub(super) fn body(parts: &Parts, salt: &[u8]) -> Hash {
    hash(&[b"opsflux.audit.body/1\0", salt, &parts.body])
}

/// The chain at a seal: everything the seal says that is never erased, and the chain before it.
pub(super) fn link(before: &[u8], tenant: i64, seal: &Seal) -> Hash {
    hash(&[
        b"opsflux.audit.chain/1\0",
        before,
        &tenant.to_be_bytes(),
        &seal.seq.to_be_bytes(),
        &seal.format.to_be_bytes(),
        &seal.sealed_at.as_microsecond().to_be_bytes(),
        seal.entry.as_bytes(),
        &seal.meta,
        &seal.who,
        &seal.body,
    ])
}

fn hash(pieces: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Bytes as people read them.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
