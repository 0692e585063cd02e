//! The form of a sealed file: a header, then chunks of AES-256-GCM.
//!
//! ```text
//! magic 8 | salt 32 | name 32 | chunk 0: CHUNK + 16 | chunk 1: CHUNK + 16 | … | the last: 0…CHUNK + 16
//! ```
//!
//! Each file has a key of its own, derived from a random salt, so nonces need only differ within a
//! file: a nonce is the number of its chunk and whether it is the last. A chunk put elsewhere, a
//! file cut off at a chunk or one that goes on after its end does not open. `name` is an HMAC of
//! salt and file name: a file put in another one's place does not open either. It is known last,
//! for a file that is called after its content; the chunks are written before it.

use std::io;
use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hmac, rand};

use crate::{PurposeKey, derive};

/// Bytes of content in a chunk: a part of a file costs the opening of the chunks it lies in.
pub const CHUNK: usize = 32 * 1024;
/// Bytes before the first chunk.
pub const HEADER: usize = 72;
const MAGIC: &[u8; 8] = b"OPSFLUX\x01";
const SALT: usize = 32;
const TAG: usize = 16;
const SEALED: u64 = (CHUNK + TAG) as u64;

/// Seals a file from its begin to its end.
pub struct Sealer {
    cipher: LessSafeKey,
    salt: [u8; SALT],
    name_key: [u8; 32],
    next: u32,
    waiting: Vec<u8>,
}

impl Sealer {
    /// Of a new file.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn new(key: &PurposeKey) -> io::Result<Sealer> {
        let mut salt = [0; SALT];
        rand::fill(&mut salt).map_err(|_| io::Error::other("there is no randomness"))?;
        Ok(Sealer {
            cipher: cipher(key, &salt)?,
            salt,
            name_key: name_key(key)?,
            next: 0,
            waiting: Vec::with_capacity(CHUNK + TAG),
        })
    }

    /// The header of the file when it is called `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let named = named(&self.name_key, &self.salt, name);
        let parts = MAGIC.iter().chain(&self.salt).chain(named.as_ref());
        for (byte, part) in header.iter_mut().zip(parts) {
            *byte = *part;
        }
        header
    }

    /// Takes content; appends the chunks that are full to `out`.
    ///
    /// # Errors
    /// When the file is longer than any may be.
    pub fn add(&mut self, mut content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        while !content.is_empty() {
            // A full chunk waits until more comes: it may be the last.
            if self.waiting.len() == CHUNK {
                self.seal(false, out)?;
            }
            let room = CHUNK - self.waiting.len();
            let (now, later) = content.split_at(room.min(content.len()));
            self.waiting.extend_from_slice(now);
            content = later;
        }
        Ok(())
    }

    /// Appends the last chunk to `out`; a file without content has one too.
    ///
    /// # Errors
    /// When the file is longer than any may be.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.seal(true, out)
    }

    fn seal(&mut self, is_last: bool, out: &mut Vec<u8>) -> io::Result<()> {
        let nonce = nonce(self.next, is_last);
        self.cipher
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut self.waiting)
            .map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        out.append(&mut self.waiting);
        let next = self.next.checked_add(1);
        self.next = next.ok_or_else(|| io::Error::other("the file is too long"))?;
        Ok(())
    }
}

/// Opens chunks of a file, in any order.
pub struct Opener {
    cipher: LessSafeKey,
    last: u32,
    size: u64,
}

impl Opener {
    /// Of a file called `name` that is `length` bytes long and begins with `header`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when it is none of ours, was sealed with another key, or is
    /// another file.
    pub fn new(key: &PurposeKey, name: &str, header: &[u8], length: u64) -> io::Result<Opener> {
        let rest = header.strip_prefix(MAGIC.as_slice()).ok_or_else(foreign)?;
        let (salt, said) = rest.split_at_checked(SALT).ok_or_else(foreign)?;
        let expected = named(&name_key(key)?, salt, name);
        constant_time::verify_slices_are_equal(expected.as_ref(), said).map_err(|_| foreign())?;
        let sealed = length.saturating_sub(HEADER as u64);
        let chunks = sealed.div_ceil(SEALED);
        let size = sealed.checked_sub(chunks * TAG as u64);
        let size = size.filter(|_| chunks > 0).ok_or_else(damaged)?;
        let last = u32::try_from(chunks - 1).map_err(|_| damaged())?;
        Ok(Opener {
            cipher: cipher(key, salt)?,
            last,
            size,
        })
    }

    /// Bytes of content.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The last chunk.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }

    /// The chunk in which the byte at `at` lies.
    #[must_use]
    pub fn chunk_of(&self, at: u64) -> u32 {
        u32::try_from(at / CHUNK as u64).map_or(self.last, |chunk| chunk.min(self.last))
    }

    /// Where a chunk lies in the sealed file.
    #[must_use]
    pub fn place(&self, chunk: u32) -> Range<u64> {
        let end = HEADER as u64 + self.size + (u64::from(self.last) + 1) * TAG as u64;
        let start = HEADER as u64 + u64::from(chunk) * SEALED;
        start..(start + SEALED).min(end)
    }

    /// Opens a chunk as it lies in the file.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when it was changed or put elsewhere.
    pub fn open(&self, chunk: u32, mut sealed: Vec<u8>) -> io::Result<Vec<u8>> {
        let nonce = nonce(chunk, chunk == self.last);
        let opened = self.cipher.open_in_place(nonce, Aad::empty(), &mut sealed);
        let length = opened.map_err(|_| damaged())?.len();
        sealed.truncate(length);
        Ok(sealed)
    }
}

fn cipher(key: &PurposeKey, salt: &[u8]) -> io::Result<LessSafeKey> {
    let key = derive(key.bytes(), salt, b"content")?;
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| io::Error::other("no cipher"))?;
    Ok(LessSafeKey::new(key))
}

fn name_key(key: &PurposeKey) -> io::Result<[u8; 32]> {
    derive(key.bytes(), b"", b"name")
}

fn named(key: &[u8; 32], salt: &[u8], name: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, &[salt, name.as_bytes()].concat())
}

fn nonce(chunk: u32, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    let parts = chunk.to_be_bytes().into_iter().chain([u8::from(is_last)]);
    for (byte, part) in nonce.iter_mut().zip(parts) {
        *byte = part;
    }
    Nonce::assume_unique_for_key(nonce)
}

fn foreign() -> io::Error {
    let why = "it was not sealed under this name with the data key of this instance";
    io::Error::new(io::ErrorKind::InvalidData, why)
}

pub(crate) fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a sealed file is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataKey;

    fn key(byte: u8) -> PurposeKey {
        DataKey::new([byte; 32]).purpose("files").unwrap()
    }

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(&key(1)).unwrap();
        let mut out = sealer.header("a").to_vec();
        for part in content.chunks(10_000) {
            sealer.add(part, &mut out).unwrap();
        }
        sealer.finish(&mut out).unwrap();
        out
    }

    fn opened(key: &PurposeKey, name: &str, file: &[u8]) -> io::Result<Vec<u8>> {
        let header = &file[..HEADER.min(file.len())];
        let opener = Opener::new(key, name, header, file.len() as u64)?;
        let mut all = Vec::new();
        for chunk in 0..=opener.last() {
            let place = opener.place(chunk);
            let bytes = &file[place.start as usize..place.end as usize];
            all.extend(opener.open(chunk, bytes.to_vec())?);
        }
        assert_eq!(all.len() as u64, opener.size());
        Ok(all)
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn every_length_opens_as_it_was() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
            let content = content(length);
            let file = sealed(&content);
            assert_eq!(opened(&key(1), "a", &file).unwrap(), content, "{length}");
        }
    }

    #[test]
    fn another_key_another_name_and_another_file_do_not_open() {
        let file = sealed(b"text");
        assert!(opened(&key(2), "a", &file).is_err());
        assert!(opened(&key(1), "b", &file).is_err());
        assert!(opened(&key(1), "a", b"text").is_err());
        assert!(opened(&key(1), "a", b"").is_err());
        assert_ne!(sealed(b"text"), file, "each time another salt");
    }

    #[test]
    fn what_is_cut_off_reordered_lengthened_or_flipped_does_not_open() {
        let file = sealed(&content(3 * CHUNK));
        let chunk = CHUNK + TAG;
        for end in [HEADER, HEADER + chunk, HEADER + 2 * chunk, file.len() - 1] {
            assert!(opened(&key(1), "a", &file[..end]).is_err(), "cut at {end}");
        }
        let mut swapped = file.clone();
        swapped[HEADER..HEADER + 2 * chunk].rotate_left(chunk);
        assert!(opened(&key(1), "a", &swapped).is_err());
        let mut longer = file.clone();
        longer.extend_from_slice(&file[HEADER..HEADER + chunk]);
        assert!(opened(&key(1), "a", &longer).is_err());
        for at in [0, 9, 45, HEADER, HEADER + chunk + 3, file.len() - 1] {
            let mut flipped = file.clone();
            flipped[at] ^= 1;
            assert!(opened(&key(1), "a", &flipped).is_err(), "flipped at {at}");
        }
    }
}
