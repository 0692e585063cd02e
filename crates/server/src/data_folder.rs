//! The folder this process owns: one process at a time (decisions §28).

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A data folder nobody else uses while this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Held, not read: the lock goes when the process goes, however it goes.
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("the data folder {path} is in use by process {pid}")]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other process, as it wrote itself down.
        pid: String,
    },
    /// It cannot be made or written.
    #[error("the data folder {path} cannot be used: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataFolder {
    /// Makes the folder when it is not there and takes it.
    ///
    /// # Errors
    /// [`FolderError::InUse`] naming the process that has it.
    pub fn take(path: &Path) -> Result<DataFolder, FolderError> {
        let failed = |source| FolderError::Io {
            path: path.to_owned(),
            source,
        };
        // Secrets and people's data lie in it: for its owner only.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("opsflux.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                lock.read_to_string(&mut pid).map_err(failed)?;
                let pid = pid.trim().to_owned();
                return Err(FolderError::InUse {
                    path: path.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0).map_err(failed)?;
        lock.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(DataFolder {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes a file only its owner can read, whole or not at all.
///
/// # Errors
/// When the disk refuses.
pub fn write_private(path: &Path, contents: &str) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_process_is_refused_and_told_who_has_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/data");
        let first = DataFolder::take(&path).expect("the first");
        let mode = std::fs::metadata(&path).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let second = DataFolder::take(&path).expect_err("the second");
        let pid = std::process::id().to_string();
        assert!(
            matches!(&second, FolderError::InUse { pid: told, .. } if *told == pid),
            "{second}"
        );
        drop(first);
        assert!(DataFolder::take(&path).is_ok());
    }

    #[test]
    fn a_private_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret.key");
        write_private(&path, "text").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "text");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
