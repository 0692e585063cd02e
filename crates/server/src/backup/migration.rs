//! A backup before tables change: the way back after an update.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use opsflux_model::Schema;
use opsflux_store::dump::Snapshot;

use super::BackupError;
use super::make::{self, Made};
use super::schedule::{self, BEFORE};
use crate::config::Config;
use crate::encryption;
use crate::run::StartError;

/// Makes a backup when this program would change tables that hold something; tells its place.
/// `allow` names what may be dropped.
///
/// # Errors
/// [`BackupError`]: nothing may be changed then.
pub async fn backup(
    config: &Config,
    schema: &Schema,
    allow: &BTreeSet<String>,
) -> Result<Option<(PathBuf, Made)>, BackupError> {
    if !config.backup.before_migration {
        return Ok(None);
    }
    let url = encryption::database(config)?;
    let Some(snapshot) = Snapshot::open(&url).await? else {
        return Ok(None);
    };
    if snapshot.shape().is_empty() || !snapshot.is_outdated(schema, allow)? {
        return Ok(None);
    }
    drop(snapshot);
    let folder = schedule::folder(config);
    schedule::make_folder(&folder)?;
    let now = Timestamp::now();
    let path = schedule::name(&folder, BEFORE, now);
    tracing::info!(path = %path.display(), "a backup is made before tables change");
    let made = make::make(config, &path, |_| true).await?;
    tracing::info!(path = %path.display(), bytes = made.bytes, "a backup was made");
    schedule::prune(&folder, config.backup.keep_days, now);
    Ok(Some((path, made)))
}

impl From<BackupError> for StartError {
    fn from(error: BackupError) -> StartError {
        match error {
            // It would not have opened without a backup either.
            BackupError::Store(error) => StartError::Store(error),
            other => StartError::Backup(other),
        }
    }
}
