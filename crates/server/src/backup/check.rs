//! Looking through a backup: is it whole, and what is inside?

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use opsflux_store::StoreError;

use super::archive::{Kind, Part, Reader};
use super::lock::{Head, Keys};
use super::seal::Opening;
use super::{About, BackupError, Progress, Watch};

/// What is inside a backup that is whole.
#[derive(Debug)]
pub struct Checked {
    /// What can be read without a key.
    pub head: Head,
    /// What is needed before anything is written.
    pub about: About,
    /// Every part.
    pub parts: Vec<Part>,
}

/// What parts of a kind come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
}

impl Checked {
    /// What the parts of some kinds come to.
    #[must_use]
    pub fn sum(&self, kinds: &[Kind]) -> Sum {
        let parts = self.parts.iter().filter(|part| kinds.contains(&part.kind));
        parts.fold(Sum::default(), |sum, part| Sum {
            parts: sum.parts + 1,
            bytes: sum.bytes + part.bytes,
            rows: sum.rows + part.rows,
        })
    }
}

/// A backup being read.
pub(super) struct Opened {
    pub head: Head,
    pub about: About,
    pub reader: Reader<BufReader<File>>,
}

/// Opens a backup, up to and with what it is about.
pub(super) fn open(path: &Path, keys: &Keys) -> Result<Opened, BackupError> {
    let damaged = || BackupError::damaged(path);
    let file = File::open(path).map_err(BackupError::io(path))?;
    let mut source = BufReader::new(file);
    let (head, bound) = Head::read(path, &mut source)?;
    let key = head.open(path, keys)?;
    let opening = Opening::new(source, &key, bound).map_err(damaged())?;
    let mut reader = Reader::new(opening).map_err(damaged())?;
    let first = reader.next_part().map_err(damaged())?;
    let mut text = Vec::new();
    if first.is_some_and(|(kind, _)| kind == Kind::About) {
        while let Some(block) = reader.block().map_err(damaged())? {
            text.extend_from_slice(block);
        }
    }
    let about = serde_json::from_slice(&text).map_err(|error| damaged()(error.into()))?;
    Ok(Opened {
        head,
        about,
        reader,
    })
}

/// Reads a backup to its end: every seal, hash and count, and whether each row is one of its
/// table.
///
/// # Errors
/// [`BackupError`] naming what is wrong.
pub fn check(path: &Path, keys: &Keys, watch: Watch<'_>) -> Result<Checked, BackupError> {
    let damaged = || BackupError::damaged(path);
    let Opened {
        head,
        about,
        mut reader,
    } = open(path, keys)?;
    let mut tables = about.shape.tables.iter();
    let mut row = Vec::new();
    while let Some((kind, name)) = reader.next_part().map_err(damaged())? {
        let mut go_on = |bytes| {
            let what = name.as_str();
            let of = None;
            watch(Progress { what, bytes, of })
                .then_some(())
                .ok_or(BackupError::Stopped)
        };
        go_on(reader.bytes())?;
        if kind != Kind::Table {
            while reader.block().map_err(damaged())?.is_some() {
                go_on(reader.bytes())?;
            }
            continue;
        }
        let table = tables.next().filter(|table| table.name == name);
        let table = table.ok_or_else(|| BackupError::Damaged {
            path: path.to_owned(),
            why: format!("it has rows of {name}, which is none of its tables in this place"),
        })?;
        let mut count = 0_u64;
        while reader.row(&mut row).map_err(damaged())? {
            table
                .check(&row)
                .map_err(|error: StoreError| BackupError::Damaged {
                    path: path.to_owned(),
                    why: error.to_string(),
                })?;
            count += 1;
            if count.is_multiple_of(1_000) {
                go_on(reader.bytes())?;
            }
        }
    }
    if let Some(table) = tables.next() {
        return Err(BackupError::Damaged {
            path: path.to_owned(),
            why: format!("the rows of {} are missing", table.name),
        });
    }
    Ok(Checked {
        head,
        about,
        parts: reader.into_parts(),
    })
}
