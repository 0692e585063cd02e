//! A sealed file from its begin to its end.

use std::io::{self, Read, Write};

use crate::form::damaged;
use crate::{CHUNK, HEADER, Opener, PurposeKey, Sealer};

/// Reads the content of a sealed file.
pub struct Unsealing<R> {
    source: R,
    opener: Opener,
    next: u32,
    chunk: Vec<u8>,
    at: usize,
}

impl<R: Read> Unsealing<R> {
    /// Of a file called `name`, `length` bytes long as it lies.
    ///
    /// # Errors
    /// When it does not open, or cannot be read.
    pub fn new(key: &PurposeKey, name: &str, length: u64, mut source: R) -> io::Result<Self> {
        let mut header = [0; HEADER];
        source.read_exact(&mut header).map_err(|_| damaged())?;
        Ok(Unsealing {
            opener: Opener::new(key, name, &header, length)?,
            source,
            next: 0,
            chunk: Vec::new(),
            at: 0,
        })
    }

    fn refill(&mut self) -> io::Result<()> {
        let place = self.opener.place(self.next);
        let length = usize::try_from(place.end - place.start).map_err(|_| damaged())?;
        let mut sealed = vec![0; length];
        self.source.read_exact(&mut sealed)?;
        self.chunk = self.opener.open(self.next, sealed)?;
        (self.at, self.next) = (0, self.next.saturating_add(1));
        Ok(())
    }
}

impl<R: Read> Read for Unsealing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && self.next <= self.opener.last() {
            self.refill()?;
        }
        let mut left = self.chunk.get(self.at..).unwrap_or_default();
        let read = left.read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// Writes a sealed file whose name is known.
pub struct Sealing<W> {
    to: W,
    sealer: Sealer,
    out: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Of a file called `name`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(key: &PurposeKey, name: &str, mut to: W) -> io::Result<Self> {
        let sealer = Sealer::new(key)?;
        to.write_all(&sealer.header(name))?;
        Ok(Sealing {
            to,
            sealer,
            out: Vec::with_capacity(2 * CHUNK),
        })
    }

    /// Writes the end, without which the file does not open.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(&mut self) -> io::Result<()> {
        self.sealer.finish(&mut self.out)?;
        self.to.write_all(&self.out)?;
        self.out.clear();
        self.to.flush()
    }

    /// What is written to.
    pub fn inner(&mut self) -> &mut W {
        &mut self.to
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.sealer.add(content, &mut self.out)?;
        self.to.write_all(&self.out)?;
        self.out.clear();
        Ok(content.len())
    }

    /// What is on its way to a full chunk stays with us.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataKey;

    #[test]
    fn what_was_written_is_read() {
        let key = DataKey::new([5; 32]).purpose("files").unwrap();
        let content: Vec<u8> = (0..3 * CHUNK + 9).map(|at| (at % 13) as u8).collect();
        let mut sealing = Sealing::new(&key, "a", Vec::new()).unwrap();
        sealing.write_all(&content).unwrap();
        sealing.end().unwrap();
        let file = sealing.inner().clone();
        let mut read = Vec::new();
        let length = file.len() as u64;
        let mut source = Unsealing::new(&key, "a", length, file.as_slice()).unwrap();
        source.read_to_end(&mut read).unwrap();
        assert_eq!(read, content);
    }
}
