//! `opsflux verify FILE`: checks a backup without restoring it.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::backup::{show, size};
use super::{Done, say};
use crate::backup::BackupError;
use crate::backup::archive::Kind;
use crate::backup::check::{Checked, check};
use crate::backup::lock::{Head, Keys, Opener};
use crate::config::{Config, Secret};

/// Longer than any recovery key with its separators.
const LONGEST: u64 = 1024;

pub async fn run(config: Config, file: PathBuf) -> Done {
    let keys = keys(&config, &file)?;
    let path = file.clone();
    let checked = tokio::task::spawn_blocking(move || check(&path, &keys, &mut show("checked")));
    let checked = checked.await??;
    say(&format!("{} is whole.\n{}", file.display(), told(&checked)))?;
    Ok(ExitCode::SUCCESS)
}

/// What is inside.
pub(super) fn told(checked: &Checked) -> String {
    let rows = checked.sum(&[Kind::Table]);
    let files = checked.sum(&[Kind::Data]);
    let others = checked.sum(&[Kind::Configuration, Kind::Module]);
    format!(
        "  made at   {} by OpsFlux {}, on {}\n  \
         database  {} rows in {} tables, {}\n  \
         files     {}, {}\n  \
         besides   {} files of configuration and modules\n",
        checked.head.made_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        checked.about.version,
        checked.about.database,
        rows.rows,
        rows.parts,
        size(rows.bytes),
        files.parts,
        size(files.bytes),
        others.parts,
    )
}

/// The keys of the configuration, and the recovery key from stdin when it is that one which opens
/// the backup.
pub(super) fn keys(config: &Config, path: &Path) -> Result<Keys, BackupError> {
    let failed = |source| BackupError::Io {
        path: path.to_owned(),
        source,
    };
    let mut keys = Keys::of(config);
    let (head, _) = Head::read(path, &mut File::open(path).map_err(failed)?)?;
    if head.opens_with == Opener::RecoveryKey && head.open(path, &keys).is_err() {
        let mut text = String::new();
        if io::stdin().is_terminal() {
            eprintln!("Recovery key:");
            io::stdin().read_line(&mut text).map_err(failed)?;
        } else {
            let mut given = io::stdin().take(LONGEST);
            given.read_to_string(&mut text).map_err(failed)?;
        }
        keys.recovery = Some(Secret::new(text)).filter(|key| !key.reveal().trim().is_empty());
    }
    Ok(keys)
}
