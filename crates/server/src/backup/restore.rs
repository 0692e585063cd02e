//! Making an instance from a backup: an empty data folder and an empty database, or neither.
//!
//! The backup is read to its end first; what is damaged or does not open has then changed nothing.
//! While files and rows are written a mark stands in the data folder, with which no server starts
//! there; a restore that finds it begins anew. The database counts from one moment on, the last.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use opsflux_sealing::PurposeKey;
use opsflux_store::DatabaseUrl;
use opsflux_store::dump::Loading;
use tokio::runtime::Handle;

use super::archive::{Kind, Reader};
use super::check::{self, Checked};
use super::keys::Coming;
use super::lock::Keys;
use super::{About, BackupError, Progress, UNFINISHED, Watch};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::encryption::FILES_FOLDER;
use crate::encryption::change::write_file;

/// What a data folder may hold and still be empty.
const OURS: [&str; 2] = ["opsflux.lock", "lost+found"];
/// Names told of what is in the way.
const TOLD: usize = 5;
/// Where the configuration file is put: not where it would be read at the next start.
pub const CONFIGURATION: &str = "restored.toml";
/// Where modules are put when the configuration names no folder.
const MODULES: &str = "modules";

/// What was made.
#[derive(Debug)]
pub struct Restored {
    /// What was in the backup.
    pub checked: Checked,
    /// Where its configuration file was put.
    pub configuration: Option<PathBuf>,
    /// Where its modules were put.
    pub modules: Option<PathBuf>,
}

/// Makes the instance of `config` from the backup at `from`, on a thread of its own.
///
/// # Errors
/// [`BackupError`]; everything is then as it was.
pub async fn restore(
    config: &Config,
    from: &Path,
    keys: Keys,
    mut watch: impl FnMut(Progress<'_>) -> bool + Send + 'static,
) -> Result<Restored, BackupError> {
    let (config, from, runtime) = (config.clone(), from.to_owned(), Handle::current());
    let making = tokio::task::spawn_blocking(move || {
        let checked = check::check(&from, &keys, &mut watch)?;
        let coming = Coming::with(&config, &checked.about)?;
        may_begin(&config)?;
        let url = coming.database(&config)?;
        if let Some(found) = runtime.block_on(Loading::occupied(&url))? {
            let what = "the database".to_owned();
            return Err(BackupError::NotEmpty { what, found });
        }
        let target = Target::begin(&config)?;
        let total = checked.sum(&[Kind::Table, Kind::Data, Kind::Module]).bytes;
        let mut writing = Writing {
            config: &config,
            path: &from,
            of: total,
            watch: &mut watch,
            configuration: None,
            modules: None,
            sealed_with: coming.files()?,
            coming,
        };
        let (configuration, modules) = runtime.block_on(writing.all(&url, &keys))?;
        writing.coming.finish(&config)?;
        target.finish()?;
        Ok(Restored {
            checked,
            configuration,
            modules,
        })
    });
    // A thread that failed has told why.
    making.await.unwrap_or(Err(BackupError::Stopped))
}

/// Whether there is nothing yet where something is to be made.
fn may_begin(config: &Config) -> Result<(), BackupError> {
    if let Some(modules) = &config.modules {
        let found = names(modules, &[]);
        if !found.is_empty() {
            let what = format!("the folder of modules {}", modules.display());
            return Err(not_empty(what, &found));
        }
    }
    let data = &config.data;
    if data.join(UNFINISHED).exists() {
        return Ok(());
    }
    let found = names(data, &OURS);
    if found.is_empty() {
        return Ok(());
    }
    Err(not_empty(
        format!("the data folder {}", data.display()),
        &found,
    ))
}

fn not_empty(what: String, found: &[OsString]) -> BackupError {
    let told: Vec<_> = found
        .iter()
        .take(TOLD)
        .map(|n| n.to_string_lossy())
        .collect();
    let more = if found.len() > TOLD { ", …" } else { "" };
    BackupError::NotEmpty {
        what,
        found: format!("it has {}{more}", told.join(", ")),
    }
}

/// What is in a folder besides some names; nothing in one that is not there.
fn names(folder: &Path, besides: &[&str]) -> Vec<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
    names.retain(|name| !besides.iter().any(|known| name == known));
    names.sort();
    names
}

/// The data folder while it is filled. It is emptied again unless that was finished.
struct Target {
    folder: DataFolder,
    is_new: bool,
    is_finished: bool,
}

impl Target {
    fn begin(config: &Config) -> Result<Target, BackupError> {
        let is_new = !config.data.exists();
        let target = Target {
            folder: DataFolder::take(&config.data)?,
            is_new,
            is_finished: false,
        };
        let mark = config.data.join(UNFINISHED);
        target.clear().map_err(BackupError::io(&config.data))?;
        let why = "A restore into this folder was begun and is not finished.\n";
        fs::write(&mark, why).map_err(BackupError::io(&mark))?;
        Ok(target)
    }

    /// Removes what a restore puts there.
    fn clear(&self) -> std::io::Result<()> {
        for name in names(self.folder.path(), &OURS) {
            let path = self.folder.path().join(name);
            if fs::symlink_metadata(&path)?.is_dir() {
                fs::remove_dir_all(&path)?;
            } else {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), BackupError> {
        let mark = self.folder.path().join(UNFINISHED);
        // Everything is on the disk before the mark goes.
        rustix::fs::sync();
        fs::remove_file(&mark).map_err(BackupError::io(&mark))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let path = self.folder.path();
        let cleared = self.clear();
        let gone = match (&cleared, self.is_new) {
            (Ok(()), true) => fs::remove_dir_all(path),
            _ => cleared,
        };
        if let Err(error) = gone {
            tracing::warn!(%error, path = %path.display(), "what was restored in part stays behind");
        }
    }
}

struct Writing<'w> {
    config: &'w Config,
    path: &'w Path,
    of: u64,
    watch: Watch<'w>,
    configuration: Option<PathBuf>,
    modules: Option<PathBuf>,
    /// Stored files are sealed with it.
    sealed_with: Option<PurposeKey>,
    coming: Coming,
}

type Source = Reader<BufReader<File>>;

impl Writing<'_> {
    async fn all(
        &mut self,
        url: &DatabaseUrl,
        keys: &Keys,
    ) -> Result<(Option<PathBuf>, Option<PathBuf>), BackupError> {
        let damaged = || BackupError::damaged(self.path);
        let opened = check::open(self.path, keys)?;
        let (about, mut reader) = (opened.about, opened.reader);
        let loading = Loading::begin(url, about.shape.clone()).await?;
        while let Some((kind, name)) = reader.next_part().map_err(damaged())? {
            let data = &self.config.data;
            match kind {
                Kind::About => {}
                Kind::Table => self.table(&loading, &about, &name, &mut reader).await?,
                Kind::Data if Coming::is_key(&name) => {
                    let mut bytes = Vec::new();
                    while let Some(block) = reader.block().map_err(damaged())? {
                        bytes.extend_from_slice(block);
                    }
                    if self.coming.take(&name, &bytes) {
                        self.write(data.join(&name), "", None, &mut bytes.as_slice())?;
                    }
                }
                Kind::Data => self.file(data.join(below(self.path, &name)?), &name, &mut reader)?,
                Kind::Configuration => {
                    let to = data.join(CONFIGURATION);
                    self.configuration = Some(to.clone());
                    self.file(to, &name, &mut reader)?;
                }
                Kind::Module => {
                    let given = self.config.modules.clone();
                    let folder = given.unwrap_or_else(|| data.join(MODULES));
                    let to = folder.join(below(self.path, &name)?);
                    self.modules = Some(folder);
                    self.file(to, &name, &mut reader)?;
                }
            }
        }
        loading.finish().await?;
        Ok((self.configuration.take(), self.modules.take()))
    }

    async fn table(
        &mut self,
        loading: &Loading,
        about: &About,
        name: &str,
        reader: &mut Source,
    ) -> Result<(), BackupError> {
        let table = about.shape.tables.iter().find(|table| table.name == name);
        let table = table.ok_or_else(|| BackupError::Damaged {
            path: self.path.to_owned(),
            why: format!("it has rows of {name}, which is none of its tables"),
        })?;
        let path = self.path;
        let mut count = 0_u64;
        let next = |row: &mut Vec<u8>| {
            count += 1;
            if count.is_multiple_of(1_000) {
                self.go_on(name, reader.bytes())?;
            }
            reader.row(row).map_err(BackupError::damaged(path))
        };
        loading.fill(table, next).await?;
        Ok(())
    }

    fn file(&mut self, to: PathBuf, name: &str, reader: &mut Source) -> Result<(), BackupError> {
        let stored = to.strip_prefix(self.config.data.join(FILES_FOLDER));
        let stored = stored.map(|name| name.to_string_lossy().into_owned());
        let key = self.sealed_with.as_ref().filter(|_| stored.is_ok());
        let mut blocks = Blocks {
            reader,
            left: Vec::new(),
            at: 0,
        };
        self.write(to, &stored.unwrap_or_default(), key, &mut blocks)?;
        self.go_on(name, reader.bytes())
    }

    fn write(
        &self,
        to: PathBuf,
        name: &str,
        key: Option<&PurposeKey>,
        content: &mut dyn Read,
    ) -> Result<(), BackupError> {
        write_file(&to, name, key, content).map_err(|error| {
            // What the backup itself is at fault for is told of it, not of the new file.
            let is_damage = matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other
            );
            match is_damage {
                true => BackupError::damaged(self.path)(error),
                false => BackupError::io(&to)(error),
            }
        })
    }

    fn go_on(&mut self, what: &str, bytes: u64) -> Result<(), BackupError> {
        let of = Some(self.of);
        (self.watch)(Progress { what, bytes, of })
            .then_some(())
            .ok_or(BackupError::Stopped)
    }
}

/// A part of a backup, read as one reads a file.
struct Blocks<'r> {
    reader: &'r mut Source,
    left: Vec<u8>,
    at: usize,
}

impl Read for Blocks<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.left.len() {
            let Some(block) = self.reader.block()? else {
                return Ok(0);
            };
            (self.left, self.at) = (block.to_vec(), 0);
        }
        let mut left = self.left.get(self.at..).unwrap_or_default();
        let read = left.read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// A path that stays below its folder.
fn below(backup: &Path, name: &str) -> Result<PathBuf, BackupError> {
    let path = PathBuf::from(name);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if stays && !name.is_empty() {
        return Ok(path);
    }
    Err(BackupError::Damaged {
        path: backup.to_owned(),
        why: format!("{name} is no path below a folder"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_their_folder() {
        let backup = Path::new("a.backup");
        assert!(below(backup, "files/ab/cd").is_ok());
        for name in ["", "../x", "/etc/passwd", "files/../../x", "."] {
            assert!(below(backup, name).is_err(), "{name}");
        }
    }
}
