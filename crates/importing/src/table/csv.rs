//! Separated values: what separates them and how they are encoded is found out, not asked.

use std::io::{self, BufReader, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::{Cell, Format, Row, TableError};
use crate::spool::Spooled;

/// Longest line: an open quotation mark must not swallow the whole file into memory.
const MAX_LINE: u64 = 8 * 1024 * 1024;
/// What is looked at to find the separator.
const HEAD: u64 = 64 * 1024;
/// Bytes read at once.
const BUFFER: usize = 64 * 1024;

type Decoded = DecodeReaderBytes<BufReader<Spooled>, Vec<u8>>;

/// Separated values that are being read.
pub struct Separated {
    format: Format,
    reader: csv::Reader<Counted<Decoded>>,
    since: Arc<AtomicU64>,
    record: StringRecord,
}

impl Separated {
    /// Finds out how the file is written and begins to read it.
    pub fn open(mut file: Spooled) -> Result<Separated, TableError> {
        let encoding = encoding_of(&mut file)?;
        let mut head = Vec::new();
        file.rewind()?;
        (&mut file).take(HEAD).read_to_end(&mut head)?;
        file.rewind()?;
        let (head, _, _) = encoding.decode(&head);
        let separator = separator_of(head.as_bytes());
        let since = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            inner: decoding(file, encoding),
            since: since.clone(),
        };
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(BUFFER)
            .from_reader(counted);
        Ok(Separated {
            format: Format::Csv {
                separator: char::from(separator),
                encoding: encoding.name().to_owned(),
            },
            reader,
            since,
            record: StringRecord::new(),
        })
    }

    pub fn format(&self) -> Format {
        self.format.clone()
    }

    /// Hands on one line after the other.
    pub fn each(
        &mut self,
        mut take: impl FnMut(Row) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        loop {
            self.since.store(0, Ordering::Relaxed);
            let read = self.reader.read_record(&mut self.record);
            if !read.map_err(broken)? {
                return Ok(());
            }
            let line = self.record.position().map_or(0, csv::Position::line);
            let cells = self.record.iter().map(Cell::of_text).collect();
            take(Row { line, cells })?;
        }
    }
}

fn broken(error: csv::Error) -> TableError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            TableError::Unreadable(error.to_string())
        }
        csv::ErrorKind::Io(error) => TableError::Disk(error),
        other => TableError::Unreadable(format!("{other:?}")),
    }
}

fn decoding(file: Spooled, encoding: &'static Encoding) -> Decoded {
    DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .build(BufReader::with_capacity(BUFFER, file))
}

/// By its mark, else UTF-8 when all of it is, else the one that old programs write.
fn encoding_of(file: &mut Spooled) -> Result<&'static Encoding, TableError> {
    let mut buffer = vec![0; BUFFER];
    let mut read = file.read(&mut buffer)?;
    let head = buffer.get(..read).unwrap_or_default();
    if head.starts_with(b"\xFF\xFE") {
        return Ok(UTF_16LE);
    }
    if head.starts_with(b"\xFE\xFF") {
        return Ok(UTF_16BE);
    }
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut decoded = vec![0; BUFFER * 3 + 16];
    while read > 0 {
        let part = buffer.get(..read).unwrap_or_default();
        if part.contains(&0) {
            return Err(TableError::Unreadable("NUL".to_owned()));
        }
        let (result, _, _) = decoder.decode_to_utf8_without_replacement(part, &mut decoded, false);
        if matches!(result, encoding_rs::DecoderResult::Malformed(_, _)) {
            return Ok(WINDOWS_1252);
        }
        read = file.read(&mut buffer)?;
    }
    let (result, _, _) = decoder.decode_to_utf8_without_replacement(&[], &mut decoded, true);
    match result {
        encoding_rs::DecoderResult::Malformed(_, _) => Ok(WINDOWS_1252),
        _ => Ok(UTF_8),
    }
}

/// The one that gives the most cells, the same number of them in the most lines.
fn separator_of(head: &[u8]) -> u8 {
    let judged = [b';', b',', b'\t', b'|'].map(|separator| {
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .from_reader(head);
        let widths: Vec<usize> = reader
            .records()
            .take(30)
            .filter_map(Result::ok)
            .map(|record| record.len())
            .collect();
        let width = widths.first().copied().unwrap_or(1);
        let alike = widths.iter().filter(|other| **other == width).count();
        let score = if width > 1 { alike * 1_000 + width } else { 0 };
        (score, separator)
    });
    let mut best = (0, b',');
    for (score, separator) in judged {
        if score > best.0 {
            best = (score, separator);
        }
    }
    best.1
}

/// Counts what is read of one line.
struct Counted<R> {
    inner: R,
    since: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let since = self.since.fetch_add(read as u64, Ordering::Relaxed);
        if since > MAX_LINE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a line is longer than {MAX_LINE} bytes"),
            ));
        }
        Ok(read)
    }
}
