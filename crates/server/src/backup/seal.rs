//! Sealed chunks: a stream of bytes that nobody reads or alters without the key.
//!
//! AES-256-GCM over chunks of one size. The key is for this one file; the nonce counts the chunks
//! and marks the last one, and each chunk is bound to the head of the file: none can be altered,
//! moved, repeated, left out, cut off or brought over from another file unnoticed.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::secret::Key;

/// Bytes of a chunk before it is sealed; the last one may have fewer.
pub const CHUNK: usize = 256 * 1024;
/// Bytes by which sealing makes a chunk longer.
const TAG: usize = 16;

/// SHA-256 of the head of a file.
pub type Bound = [u8; 32];

/// What is wrong with a sealed stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A chunk is not what was written at its place.
    #[error("it was altered, or chunks of it were moved, at byte {at} of its content")]
    Altered {
        /// Where the chunk begins, before it was sealed.
        at: u64,
    },
    /// The last chunk is not there.
    #[error("it was cut off after {at} bytes of its content")]
    CutOff {
        /// What is there.
        at: u64,
    },
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }
}

struct Chunks {
    key: LessSafeKey,
    bound: Bound,
    count: u64,
}

impl Chunks {
    fn new(key: &Key, bound: Bound) -> io::Result<Chunks> {
        let key = UnboundKey::new(&AES_256_GCM, key);
        let key = key.map_err(|_| io::Error::other("the key cannot be used"))?;
        Ok(Chunks {
            key: LessSafeKey::new(key),
            bound,
            count: 0,
        })
    }

    /// Where the next chunk begins.
    fn at(&self) -> u64 {
        self.count * CHUNK as u64
    }

    fn nonce(&self, is_last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = u8::from(is_last);
        nonce[4..].copy_from_slice(&self.count.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> io::Result<()> {
        let nonce = self.nonce(is_last);
        let sealed = self
            .key
            .seal_in_place_append_tag(nonce, Aad::from(self.bound), chunk);
        sealed.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.count += 1;
        Ok(())
    }

    fn open(&self, sealed: &[u8], is_last: bool) -> Option<Vec<u8>> {
        let mut chunk = sealed.to_vec();
        let nonce = self.nonce(is_last);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(self.bound), &mut chunk);
        let length = opened.ok()?.len();
        chunk.truncate(length);
        Some(chunk)
    }
}

/// Seals what is written.
pub struct Sealing<W> {
    out: W,
    chunks: Chunks,
    /// Less than a chunk, or exactly one of which it is not yet known whether it is the last.
    buffer: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Seals for `key`, bound to a head.
    ///
    /// # Errors
    /// When the library fails.
    pub fn new(out: W, key: &Key, bound: Bound) -> io::Result<Sealing<W>> {
        Ok(Sealing {
            out,
            chunks: Chunks::new(key, bound)?,
            buffer: Vec::with_capacity(CHUNK + TAG),
        })
    }

    fn flush_chunk(&mut self, is_last: bool) -> io::Result<()> {
        self.chunks.seal(&mut self.buffer, is_last)?;
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the last chunk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush_chunk(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.buffer.len() == CHUNK {
            self.flush_chunk(false)?;
        }
        let room = CHUNK - self.buffer.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A chunk goes out when it is full: a shorter one is the last.
        Ok(())
    }
}

/// Opens what is read.
pub struct Opening<R> {
    source: R,
    chunks: Chunks,
    /// The chunk after the current one, still sealed; empty behind the last.
    ahead: Vec<u8>,
    chunk: Vec<u8>,
    /// How much of `chunk` was handed on.
    read: usize,
    is_last: bool,
}

impl<R: Read> Opening<R> {
    /// Opens with `key` what is bound to a head.
    ///
    /// # Errors
    /// When the disk fails or the file ends there.
    pub fn new(mut source: R, key: &Key, bound: Bound) -> io::Result<Opening<R>> {
        let ahead = sealed_chunk(&mut source)?;
        Ok(Opening {
            source,
            chunks: Chunks::new(key, bound)?,
            ahead,
            chunk: Vec::new(),
            read: 0,
            is_last: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let sealed = std::mem::take(&mut self.ahead);
        let at = self.chunks.at();
        if sealed.is_empty() {
            return Err(Fault::CutOff { at }.into());
        }
        self.ahead = sealed_chunk(&mut self.source)?;
        let is_last = self.ahead.is_empty();
        let Some(chunk) = self.chunks.open(&sealed, is_last) else {
            let goes_on = is_last && self.chunks.open(&sealed, false).is_some();
            let cut = Fault::CutOff {
                at: at + (sealed.len().saturating_sub(TAG)) as u64,
            };
            // A short chunk that is not the last was cut within.
            let is_short = is_last && sealed.len() < CHUNK + TAG;
            return Err(match (goes_on, is_short) {
                (true, _) => cut,
                (_, true) => Fault::CutOff { at },
                _ => Fault::Altered { at },
            }
            .into());
        };
        self.chunks.count += 1;
        (self.chunk, self.read, self.is_last) = (chunk, 0, is_last);
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.chunk.len() {
            if self.is_last {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let left = self.chunk.get(self.read..).unwrap_or_default();
        let length = left.len().min(out.len());
        for (to, from) in out.iter_mut().zip(left) {
            *to = *from;
        }
        self.read += length;
        Ok(length)
    }
}

/// As much of a sealed chunk as there is.
fn sealed_chunk(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::with_capacity(CHUNK + TAG);
    source.take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 32];
    const BOUND: Bound = [1; 32];
    const SEALED: usize = CHUNK + TAG;

    fn content(length: usize) -> Vec<u8> {
        (0..length)
            .map(|n| u8::try_from(n % 251).unwrap_or(0))
            .collect()
    }

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealing = Sealing::new(Vec::new(), &KEY, BOUND).expect("a key");
        sealing.write_all(content).expect("memory");
        sealing.finish().expect("memory")
    }

    fn opened(sealed: &[u8], key: &Key, bound: Bound) -> Result<Vec<u8>, Option<Fault>> {
        let mut content = Vec::new();
        let mut opening = Opening::new(sealed, key, bound).expect("a key");
        match opening.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => Err(error
                .into_inner()
                .and_then(|inner| inner.downcast::<Fault>().ok())
                .map(|fault| *fault)),
        }
    }

    #[test]
    fn what_was_sealed_is_opened_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content = content(length);
            let sealed = sealed(&content);
            assert_eq!(opened(&sealed, &KEY, BOUND), Ok(content));
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found_at_its_chunk() {
        let whole = sealed(&content(2 * CHUNK + 100));
        for at in [0, SEALED - 1, SEALED, 2 * SEALED + 50, whole.len() - 1] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            let chunk = (at / SEALED * CHUNK) as u64;
            let fault = opened(&altered, &KEY, BOUND).expect_err("altered");
            let found = match fault.expect("a fault") {
                Fault::Altered { at } | Fault::CutOff { at } => at,
            };
            assert_eq!(found, chunk);
        }
    }

    #[test]
    fn chunks_that_are_moved_left_out_or_repeated_are_found() {
        let whole = sealed(&content(3 * CHUNK + 9));
        let chunk = |n: usize| &whole[n * SEALED..whole.len().min((n + 1) * SEALED)];
        for order in [
            [1, 0, 2, 3].as_slice(),
            &[0, 2, 3],
            &[0, 1, 1, 2, 3],
            &[0, 1, 3, 2],
        ] {
            let moved: Vec<u8> = order.iter().flat_map(|n| chunk(*n)).copied().collect();
            assert!(opened(&moved, &KEY, BOUND).is_err(), "{order:?}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_says_so() {
        let whole = sealed(&content(2 * CHUNK + 100));
        for (length, at) in [
            (0, 0),
            (SEALED, CHUNK),
            (2 * SEALED, 2 * CHUNK),
            (whole.len() - 1, 2 * CHUNK),
        ] {
            let fault = opened(&whole[..length], &KEY, BOUND).expect_err("cut off");
            assert_eq!(fault, Some(Fault::CutOff { at: at as u64 }), "{length}");
        }
        let longer = [whole.as_slice(), b"more"].concat();
        assert!(opened(&longer, &KEY, BOUND).is_err());
    }

    #[test]
    fn another_key_and_another_head_open_nothing() {
        let whole = sealed(&content(10));
        assert!(opened(&whole, &[8; 32], BOUND).is_err());
        assert!(opened(&whole, &KEY, [2; 32]).is_err());
    }
}
