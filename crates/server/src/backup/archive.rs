//! Parts one after the other, each with its hash, and behind them the manifest of all.
//!
//! The stream is compressed; a part is begun by its name, comes in blocks and is ended, so that
//! nothing need be known before it is read from the database or the disk. The manifest comes last
//! and is held against what was read: the seal says that a file is as it was written, the manifest
//! that it was written whole.

use std::io::{self, BufReader, Read, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::seal::{Opening, Sealing};
use crate::secret;

/// Compressed as fast as a disk writes.
const LEVEL: i32 = 1;
/// Bytes of a block.
const BLOCK: usize = 64 * 1024;
/// More than any block or manifest is long: what says otherwise was written by nobody.
const LONGEST: u32 = 1 << 30;

const PART: u8 = 1;
const DATA: u8 = 2;
const END: u8 = 3;
const MANIFEST: u8 = 4;

/// What a part holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What is needed before anything else.
    About,
    /// Rows of a table, each behind its length.
    Table,
    /// A file of the data folder.
    Data,
    /// The configuration file.
    Configuration,
    /// A file of the modules folder.
    Module,
}

/// A part that was written or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it holds.
    pub kind: Kind,
    /// Name of the table, or path of the file below its folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// How many rows, of a table.
    pub rows: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Every part, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// What was written.
    pub parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Begin {
    kind: Kind,
    name: String,
}

/// What a part comes to while it passes.
struct Tally {
    begin: Begin,
    bytes: u64,
    rows: u64,
    hash: Context,
}

impl Tally {
    fn new(begin: Begin) -> Tally {
        Tally {
            begin,
            bytes: 0,
            rows: 0,
            hash: Context::new(&SHA256),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    fn finish(self) -> Part {
        Part {
            kind: self.begin.kind,
            name: self.begin.name,
            bytes: self.bytes,
            rows: self.rows,
            sha256: secret::hex(self.hash.finish().as_ref()),
        }
    }
}

/// Writes parts.
pub struct Writer<W: Write> {
    out: zstd::stream::write::Encoder<'static, Sealing<W>>,
    part: Option<Tally>,
    block: Vec<u8>,
    manifest: Manifest,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Nothing written yet.
    ///
    /// # Errors
    /// When the library fails.
    pub fn new(out: Sealing<W>) -> io::Result<Writer<W>> {
        Ok(Writer {
            out: zstd::stream::write::Encoder::new(out, LEVEL)?,
            part: None,
            block: Vec::with_capacity(BLOCK * 2),
            manifest: Manifest::default(),
            bytes: 0,
        })
    }

    /// Bytes of all parts so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there is a part of this kind and name.
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        let mut parts = self.manifest.parts.iter();
        parts.any(|part| part.kind == kind && part.name == name)
    }

    /// Begins a part.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(&mut self, kind: Kind, name: &str) -> io::Result<()> {
        let begin = Begin {
            kind,
            name: name.to_owned(),
        };
        self.frame(PART, &serde_json::to_vec(&begin)?)?;
        self.part = Some(Tally::new(begin));
        Ok(())
    }

    /// Adds bytes to the part.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    /// Adds a row to the part.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn row(&mut self, row: &[u8]) -> io::Result<()> {
        if let Some(part) = &mut self.part {
            part.rows += 1;
        }
        let length = u32::try_from(row.len()).map_err(io::Error::other)?;
        self.block.extend_from_slice(&length.to_be_bytes());
        self.add(row)
    }

    /// Ends the part.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        self.frame(END, &[])?;
        let part = self.part.take().map(Tally::finish);
        self.manifest.parts.extend(part);
        Ok(())
    }

    /// Writes the manifest; answers it and what was written to.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> io::Result<(Manifest, W)> {
        let manifest = std::mem::take(&mut self.manifest);
        self.frame(MANIFEST, &serde_json::to_vec(&manifest)?)?;
        Ok((manifest, self.out.finish()?.finish()?))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut block = std::mem::take(&mut self.block);
        if let Some(part) = &mut self.part {
            part.add(&block);
        }
        self.bytes += block.len() as u64;
        let written = self.frame(DATA, &block);
        block.clear();
        self.block = block;
        written
    }

    fn frame(&mut self, mark: u8, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&[mark])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(bytes)
    }
}

/// Reads parts.
pub struct Reader<R: Read> {
    source: zstd::stream::read::Decoder<'static, BufReader<Opening<R>>>,
    part: Option<Tally>,
    block: Vec<u8>,
    /// How much of `block` was handed on.
    read: usize,
    found: Vec<Part>,
    bytes: u64,
}

impl<R: Read> Reader<R> {
    /// Nothing read yet.
    ///
    /// # Errors
    /// When the library fails.
    pub fn new(source: Opening<R>) -> io::Result<Reader<R>> {
        Ok(Reader {
            source: zstd::stream::read::Decoder::new(source)?,
            part: None,
            block: Vec::new(),
            read: 0,
            found: Vec::new(),
            bytes: 0,
        })
    }

    /// Bytes of all parts so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes on to the next part; nothing behind the last one. What is left of the current part is
    /// passed over.
    ///
    /// # Errors
    /// When the file is not as it was written.
    pub fn next_part(&mut self) -> io::Result<Option<(Kind, String)>> {
        while self.part.is_some() {
            self.block()?;
        }
        match self.frame()? {
            PART => {
                let begin: Begin = serde_json::from_slice(&self.block).map_err(broken)?;
                let named = (begin.kind, begin.name.clone());
                self.part = Some(Tally::new(begin));
                self.read = self.block.len();
                Ok(Some(named))
            }
            MANIFEST => self.compare().map(|()| None),
            _ => Err(broken("a part without a beginning")),
        }
    }

    /// The next bytes of the part; nothing at its end.
    ///
    /// # Errors
    /// When the file is not as it was written.
    pub fn block(&mut self) -> io::Result<Option<&[u8]>> {
        if self.part.is_none() {
            return Ok(None);
        }
        match self.frame()? {
            DATA => {
                if let Some(part) = &mut self.part {
                    part.add(&self.block);
                }
                self.bytes += self.block.len() as u64;
                self.read = 0;
                Ok(Some(&self.block))
            }
            END => {
                let part = self.part.take().map(Tally::finish);
                self.found.extend(part);
                self.read = self.block.len();
                Ok(None)
            }
            _ => Err(broken("a part without an end")),
        }
    }

    /// The next row of the part, into `row`; false at its end.
    ///
    /// # Errors
    /// When the file is not as it was written.
    pub fn row(&mut self, row: &mut Vec<u8>) -> io::Result<bool> {
        row.clear();
        let mut length = Vec::with_capacity(4);
        if !self.take(4, &mut length)? {
            return Ok(false);
        }
        let length = <[u8; 4]>::try_from(length.as_slice()).map_err(broken)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(broken)?;
        if !self.take(length, row)? && length > 0 {
            return Err(broken("a row without an end"));
        }
        if let Some(part) = &mut self.part {
            part.rows += 1;
        }
        Ok(true)
    }

    /// Exactly so many bytes of the part; false when it has ended before the first.
    fn take(&mut self, count: usize, out: &mut Vec<u8>) -> io::Result<bool> {
        while out.len() < count {
            let left = self.block.get(self.read..).unwrap_or_default();
            if left.is_empty() {
                if self.block()?.is_some() {
                    continue;
                }
                if out.is_empty() {
                    return Ok(false);
                }
                return Err(broken("a row without an end"));
            }
            let taken = left.len().min(count - out.len());
            out.extend_from_slice(left.get(..taken).unwrap_or_default());
            self.read += taken;
        }
        Ok(true)
    }

    /// Everything that was read, as it was found; the manifest has been held against it.
    pub fn into_parts(self) -> Vec<Part> {
        self.found
    }

    /// Holds what was read against the manifest, which must be the end.
    fn compare(&mut self) -> io::Result<()> {
        let manifest: Manifest = serde_json::from_slice(&self.block).map_err(broken)?;
        let mut wanted = manifest.parts.iter();
        for found in &self.found {
            let wanted = wanted.next();
            let Some(wanted) = wanted.filter(|part| part.name == found.name) else {
                return Err(broken(format!("{} is not in its manifest", found.name)));
            };
            if wanted != found {
                return Err(broken(format!(
                    "{} has {} bytes, {} rows and the hash {}; its manifest says {} bytes, {} \
                     rows and {}",
                    found.name,
                    found.bytes,
                    found.rows,
                    found.sha256,
                    wanted.bytes,
                    wanted.rows,
                    wanted.sha256
                )));
            }
        }
        if let Some(missing) = wanted.next() {
            return Err(broken(format!("{} is missing", missing.name)));
        }
        let mut end = [0];
        if self.source.read(&mut end)? > 0 {
            return Err(broken("there is something behind its end"));
        }
        // The last chunk is read to its end, where it says that it is the last.
        let mut behind = Vec::new();
        self.source.get_mut().read_to_end(&mut behind)?;
        Ok(())
    }

    fn frame(&mut self) -> io::Result<u8> {
        let mut begin = [0; 5];
        self.source.read_exact(&mut begin)?;
        let [mark, length @ ..] = begin;
        let length = u32::from_be_bytes(length);
        if length > LONGEST {
            return Err(broken("a block that nobody wrote"));
        }
        self.block
            .resize(usize::try_from(length).map_err(broken)?, 0);
        self.source.read_exact(&mut self.block)?;
        Ok(mark)
    }
}

fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
