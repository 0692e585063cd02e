//! `DATA/audit-heads.log`: how far the chains of the audit go, outside the database.
//!
//! Whoever cuts the end of the database off, with the head that was signed for it, is found by
//! these lines. One line a head, JSON; only appended to, but for thinning: of days that are over
//! the last head of each tenant says as much as all of them. A copy of the file kept elsewhere
//! shows what nothing in the folder can: that the whole folder was rolled back.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use opsflux_records::audit::{Anchor, Head};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::data_folder::write_private;
use crate::secret::{hex, unhex};

/// Name of the file in the data folder.
pub const FILE: &str = "audit-heads.log";
/// It is thinned when it is larger.
const LARGE: u64 = 16 * 1024 * 1024;

/// The file. Cheap to clone.
#[derive(Clone)]
pub struct HeadsFile(Arc<Shared>);

struct Shared {
    path: PathBuf,
    /// Size after it was thinned last: it is done again when it has grown as much once more.
    thinned: Mutex<u64>,
}

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    tenant: i64,
    entries: i64,
    hash: String,
    at: Timestamp,
    signature: String,
}

impl HeadsFile {
    /// The file at a path; it need not be there.
    #[must_use]
    pub fn at(path: &Path) -> HeadsFile {
        HeadsFile(Arc::new(Shared {
            path: path.to_owned(),
            thinned: Mutex::new(0),
        }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Reads every head. What is no head (half a line, when the disk was full) is left out.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self) -> io::Result<Vec<Head>> {
        let file = match File::open(&self.0.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut heads = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            heads.extend(parse(&line?));
        }
        Ok(heads)
    }

    fn append(&self, heads: &[Head]) -> io::Result<()> {
        let mut thinned = self.0.thinned.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.0.path)?;
        let mut text = String::new();
        let size = file.metadata()?.len();
        if size > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(size - 1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                text.push('\n');
            }
        }
        text.extend(heads.iter().map(line));
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        if size > LARGE.max(*thinned * 2) {
            let heads = thin(self.read()?);
            let text: String = heads.iter().map(line).collect();
            write_private(&self.0.path, &text)?;
            *thinned = text.len() as u64;
        }
        Ok(())
    }
}

impl Anchor for HeadsFile {
    fn keep<'a>(&'a self, heads: &'a [Head]) -> BoxFuture<'a, Result<(), String>> {
        let (file, heads) = (self.clone(), heads.to_vec());
        Box::pin(async move {
            let kept = tokio::task::spawn_blocking(move || file.append(&heads)).await;
            told(kept, &self.0.path)
        })
    }

    fn kept(&self) -> BoxFuture<'_, Result<Vec<Head>, String>> {
        let file = self.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || file.read()).await;
            told(read, &self.0.path)
        })
    }
}

fn told<T>(done: Result<io::Result<T>, tokio::task::JoinError>, path: &Path) -> Result<T, String> {
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{}: {error}", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn line(head: &Head) -> String {
    let line = Line {
        tenant: head.tenant,
        entries: head.entries,
        hash: hex(&head.hash),
        at: head.at,
        signature: hex(&head.mac),
    };
    // Numbers, digits and a moment can always be written.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

fn parse(line: &[u8]) -> Option<Head> {
    let line: Line = serde_json::from_slice(line).ok()?;
    Some(Head {
        tenant: line.tenant,
        entries: line.entries,
        hash: unhex(&line.hash)?,
        at: line.at,
        mac: unhex(&line.signature)?,
    })
}

/// Of each tenant and day the last head; of the last day of each tenant all.
fn thin(heads: Vec<Head>) -> Vec<Head> {
    let day = |head: &Head| head.at.to_zoned(TimeZone::UTC).date();
    let mut newest: BTreeMap<i64, Date> = BTreeMap::new();
    let mut last: BTreeMap<(i64, Date), usize> = BTreeMap::new();
    for (place, head) in heads.iter().enumerate() {
        last.insert((head.tenant, day(head)), place);
        let newest = newest.entry(head.tenant).or_insert_with(|| day(head));
        *newest = day(head).max(*newest);
    }
    let wanted = |place: usize, head: &Head| {
        newest.get(&head.tenant) == Some(&day(head))
            || last.get(&(head.tenant, day(head))) == Some(&place)
    };
    let all = heads.into_iter().enumerate();
    all.filter(|(place, head)| wanted(*place, head))
        .map(|(_, head)| head)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(tenant: i64, entries: i64, at: &str) -> Head {
        Head {
            tenant,
            entries,
            hash: vec![1, 2],
            at: at.parse().expect("a moment"),
            mac: vec![3],
        }
    }

    #[test]
    fn heads_are_appended_and_read_again_also_behind_half_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = HeadsFile::at(&folder.path().join(FILE));
        assert_eq!(file.read().expect("nothing yet"), []);
        let (one, two) = (
            head(1, 5, "2026-03-01T10:00:00Z"),
            head(2, 7, "2026-03-01T10:00:01.5Z"),
        );
        file.append(std::slice::from_ref(&one)).expect("written");
        let mut raw = OpenOptions::new()
            .append(true)
            .open(file.path())
            .expect("the file");
        raw.write_all(b"{\"tenant\":1,\"ent").expect("half a line");
        file.append(std::slice::from_ref(&two)).expect("written");
        assert_eq!(file.read().expect("both"), [one, two]);
    }

    #[test]
    fn of_days_that_are_over_the_last_head_of_each_tenant_stays() {
        let heads = vec![
            head(1, 1, "2026-03-01T10:00:00Z"),
            head(2, 1, "2026-03-01T11:00:00Z"),
            head(1, 2, "2026-03-01T12:00:00Z"),
            head(1, 3, "2026-03-02T10:00:00Z"),
            head(1, 4, "2026-03-02T11:00:00Z"),
        ];
        let left: Vec<(i64, i64)> = thin(heads).iter().map(|h| (h.tenant, h.entries)).collect();
        assert_eq!(left, [(2, 1), (1, 2), (1, 3), (1, 4)]);
    }
}
