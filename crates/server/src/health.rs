//! Whether what the server stands on is there: for probes and for `opsflux doctor`.

use std::path::Path;
use std::time::{Duration, Instant};

use opsflux_records::Records;

/// Less free space than this is a failure waiting to happen.
const LEAST_FREE: u64 = 100 * 1024 * 1024;

/// A database that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// One thing the server stands on.
#[derive(Debug)]
pub struct Component {
    /// Whether it holds.
    pub ok: bool,
    /// What was measured.
    pub figures: Vec<(&'static str, u64)>,
    /// What is wrong, for the log and the doctor; never for strangers.
    pub trouble: Option<String>,
}

impl Component {
    fn failed(trouble: impl Into<String>) -> Component {
        Component {
            ok: false,
            figures: Vec::new(),
            trouble: Some(trouble.into()),
        }
    }
}

/// Whether the database answers.
pub async fn database(records: &Records) -> Component {
    let began = Instant::now();
    match tokio::time::timeout(PATIENCE, records.store().ping()).await {
        Ok(Ok(())) => {
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            Component {
                ok: true,
                figures: vec![("milliseconds", took)],
                trouble: None,
            }
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            Component::failed(error.to_string())
        }
        Err(_) => {
            tracing::error!("the database does not answer in time");
            Component::failed("no answer in time")
        }
    }
}

/// Whether changes are kept: they may not be while reads go on.
pub async fn changes(records: &Records) -> Component {
    match tokio::time::timeout(PATIENCE, records.store().takes_changes()).await {
        Ok(Ok(())) => Component {
            ok: true,
            figures: Vec::new(),
            trouble: None,
        },
        Ok(Err(error)) => Component::failed(error.to_string()),
        Err(_) => Component::failed("no answer in time"),
    }
}

/// Whether the disk under the data folder has room.
#[must_use]
pub fn disk(data: &Path) -> Component {
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let ok = free >= LEAST_FREE;
            let trouble = (!ok).then(|| format!("only {free} bytes are free"));
            Component {
                ok,
                figures: vec![("free_bytes", free)],
                trouble,
            }
        }
        Err(error) => Component::failed(error.to_string()),
    }
}

/// Whether the change feed can be read.
pub async fn feed(records: &Records) -> Component {
    match tokio::time::timeout(PATIENCE, records.store().feed_end()).await {
        Ok(Ok(end)) => Component {
            ok: true,
            figures: vec![("position", u64::try_from(end).unwrap_or_default())],
            trouble: None,
        },
        Ok(Err(error)) => Component::failed(error.to_string()),
        Err(_) => Component::failed("no answer in time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_room_is_fine_and_a_folder_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = disk(folder.path());
        assert!(here.ok, "{here:?}");
        assert!(here.figures[0].1 > 0);
        let nowhere = disk(&folder.path().join("nowhere"));
        assert!(!nowhere.ok && nowhere.trouble.is_some());
    }
}
