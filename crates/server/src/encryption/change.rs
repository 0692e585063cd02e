//! Turning encryption on and off, and going over to another key, while no server runs.
//!
//! What is written anew lies under names of its own beside what counts, until all of it is on the
//! disk. Then the ring is replaced: from that moment the new key opens the instance, and what was
//! written is put in place, by this command or by the next start. Killed before, everything is as
//! it was and what was written in part is thrown away; killed after, nothing is lost and the rest
//! is done. There is room needed for a second copy meanwhile.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opsflux_sealing::{DataKey, PurposeKey, Sealing, Unsealing};
use opsflux_store::{DatabaseUrl, recrypt};

use super::ring::{Content, Ring, failed};
use super::{FILES, FILES_FOLDER, INDEX_FOLDER, given, outer, outside, with_key};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::secret::{self, Key, SecretError};

/// The end of names of what is written anew.
const FRESH: &str = ".fresh";
/// The end of the name of what was, while it is thrown away.
const STALE: &str = ".stale";
/// What SQLite keeps beside its file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What is to be.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Encrypted, with the secret key that is given.
    On,
    /// Not encrypted.
    Off,
    /// Opened by another secret key.
    Rotate {
        /// That key.
        to: Key,
        /// Whether what is encrypted is encrypted anew, with another data key.
        data_too: bool,
    },
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is being done.
    pub what: &'static str,
    /// Bytes or files so far.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// Is told between any two things that are done; false leaves everything as a kill would.
pub type Watch = Arc<dyn Fn(Step) -> bool + Send + Sync>;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It was so already.
    Nothing,
    /// It is so now.
    Done,
}

/// Makes the folder as wanted.
///
/// # Errors
/// [`SecretError`]; what can be opened is then opened by the key of before.
pub fn change(
    config: &Config,
    folder: &DataFolder,
    wanted: &Wanted,
    watch: &Watch,
) -> Result<Changed, SecretError> {
    settle(config, folder)?;
    let path = folder.path();
    let old = current(config)?;
    let given = given::secret(config)?;
    let key = match wanted {
        Wanted::On if old.data.is_some() => return Ok(Changed::Nothing),
        Wanted::Off if old.data.is_none() => return Ok(Changed::Nothing),
        Wanted::On => {
            let needed = || SecretError::OutsideNeeded(path.to_owned());
            given::not_beside_the_data(config)?;
            let given = given.ok_or_else(needed)?;
            secret::parse(given.reveal()).ok_or(SecretError::Crypto)?
        }
        Wanted::Off => outer(path, given.as_ref())?,
        Wanted::Rotate { to, .. } => *to,
    };
    let data = match wanted {
        Wanted::Off => None,
        Wanted::Rotate { data_too, .. } if !data_too || old.data.is_none() => old.data.clone(),
        Wanted::On | Wanted::Rotate { .. } => Some(DataKey::new(secret::random()?)),
    };
    let new = Content {
        root: old.root,
        data,
    };
    let at = |what| tell(watch, what, 0, 0);
    at("beginning")?;
    if new.data != old.data {
        write_database(config, &old, &new, watch)?;
        write_files(path, &old, &new, watch)?;
        at("waiting for the disk")?;
        // Everything that was written is there before anything says that it counts.
        rustix::fs::sync();
    }
    at("going over")?;
    let ring = Ring::seal(&key, &new, true)?;
    ring.write(path)?;
    at("putting in place")?;
    put_in_place(config, path, ring, &mut || at("putting in place"))?;
    Ok(Changed::Done)
}

/// Finishes a change that was decided, throws away what is left of one that was not.
///
/// # Errors
/// When the disk refuses.
pub fn settle(config: &Config, folder: &DataFolder) -> Result<(), SecretError> {
    let path = folder.path();
    match Ring::read(path)? {
        Some(ring) if ring.is_switching() => put_in_place(config, path, ring, &mut || Ok(())),
        _ => {
            if let Some(database) = file(config)? {
                remove_database(&with_end(&database, FRESH))?;
            }
            remove_folder(&path.join(format!("{FILES_FOLDER}{FRESH}")))
        }
    }
}

/// The keys as they are, whoever gave them.
fn current(config: &Config) -> Result<Content, SecretError> {
    let given = given::secret(config)?;
    if let Some(ring) = Ring::read(&config.data)? {
        let key = outer(&config.data, given.as_ref())?;
        let content = ring.open(&key);
        let content = content.ok_or_else(|| SecretError::Other(config.data.clone()))?;
        if content.data.is_some() {
            outside(config, given.as_ref())?;
        }
        return Ok(content);
    }
    // The key in the folder is the one that counts until now, also when another one is given.
    let kept = secret::kept(&config.data)?;
    let held = secret::held(&config.data, given.as_ref().filter(|_| kept.is_none()))?;
    Ok(Content {
        root: held.root,
        data: None,
    })
}

fn write_database(
    config: &Config,
    old: &Content,
    new: &Content,
    watch: &Watch,
) -> Result<(), SecretError> {
    let Some(path) = file(config)?.filter(|path| path.exists()) else {
        return Ok(());
    };
    let fresh = with_end(&path, FRESH);
    let from = with_key(path, old.data.as_ref())?;
    let key = new.data.as_ref().map(super::file_key).transpose()?;
    let told = watch.clone();
    recrypt(&from, &fresh, key.as_ref(), move |done, of| {
        // It is not broken off in the middle: what is not whole is thrown away either way.
        told(Step {
            what: "the database",
            done,
            of,
        });
    })?;
    let bytes = fs::metadata(&fresh).map_or(0, |file| file.len());
    tell(watch, "the database", bytes, bytes)
}

fn write_files(
    folder: &Path,
    old: &Content,
    new: &Content,
    watch: &Watch,
) -> Result<(), SecretError> {
    let from = folder.join(FILES_FOLDER);
    let to = folder.join(format!("{FILES_FOLDER}{FRESH}"));
    let names = stored(&from).map_err(failed(&from))?;
    make_folder(&to).map_err(failed(&to))?;
    let of = names.len() as u64;
    let (open, seal) = (files_key(old)?, files_key(new)?);
    for (done, name) in names.iter().enumerate() {
        tell(watch, "files", done as u64, of)?;
        let path = from.join(name);
        let target = to.join(name);
        let write = || {
            let mut content = read_file(&path, name, open.as_ref())?;
            write_file(&target, name, seal.as_ref(), &mut content)
        };
        write().map_err(failed(&path))?;
    }
    tell(watch, "files", of, of)
}

/// The key of stored files, when they are sealed.
fn files_key(content: &Content) -> Result<Option<PurposeKey>, SecretError> {
    let purpose = content.data.as_ref().map(|data| data.purpose(FILES));
    purpose.transpose().map_err(|_| SecretError::Crypto)
}

/// The content of a stored file; `name` is its folder and its name.
///
/// # Errors
/// When it cannot be read or does not open.
pub fn read_file(
    path: &Path,
    name: &str,
    key: Option<&PurposeKey>,
) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let file = io::BufReader::new(file);
    Ok(match key {
        Some(key) => Box::new(Unsealing::new(key, name, length, file)?),
        None => Box::new(file),
    })
}

/// Writes a stored file.
///
/// # Errors
/// When it cannot be written, or `content` not be read.
pub fn write_file(
    path: &Path,
    name: &str,
    key: Option<&PurposeKey>,
    content: &mut dyn Read,
) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let options = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut file = io::BufWriter::new(options);
    match key {
        Some(key) => {
            let mut sealing = Sealing::new(key, name, file)?;
            io::copy(content, &mut sealing)?;
            sealing.end()
        }
        None => {
            io::copy(content, &mut file)?;
            file.flush()
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Folder and name of every stored file; what is coming in is nobody's yet.
fn stored(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    if !folder.exists() {
        return Ok(names);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let outer = entry.file_name().to_string_lossy().into_owned();
        if outer.len() != 2 || !entry.file_type()?.is_dir() {
            continue;
        }
        for inner in fs::read_dir(entry.path())? {
            names.push(format!("{outer}/{}", inner?.file_name().to_string_lossy()));
        }
    }
    names.sort();
    Ok(names)
}

/// What was written takes the place of what was; may be begun again at any point.
fn put_in_place(
    config: &Config,
    folder: &Path,
    ring: Ring,
    between: &mut dyn FnMut() -> Result<(), SecretError>,
) -> Result<(), SecretError> {
    if let Some(path) = file(config)? {
        let fresh = with_end(&path, FRESH);
        if fresh.exists() {
            // The log belongs to what was; nothing waits in it.
            for end in BESIDE {
                remove_file(&with_end(&path, end))?;
            }
            between()?;
            fs::rename(&fresh, &path).map_err(failed(&path))?;
            sync_folder(&path)?;
        }
    }
    between()?;
    let files = folder.join(FILES_FOLDER);
    let fresh = folder.join(format!("{FILES_FOLDER}{FRESH}"));
    let stale = folder.join(format!("{FILES_FOLDER}{STALE}"));
    if fresh.exists() {
        if files.exists() {
            remove_folder(&stale)?;
            fs::rename(&files, &stale).map_err(failed(&files))?;
            between()?;
        }
        fs::rename(&fresh, &files).map_err(failed(&fresh))?;
        sync_folder(&files)?;
    }
    between()?;
    remove_folder(&stale)?;
    // It is made again from the rows, under the new key.
    remove_folder(&folder.join(INDEX_FOLDER))?;
    between()?;
    secret::forget(folder)?;
    between()?;
    ring.settled().write(folder)
}

/// The file of the rows, when they are in one.
fn file(config: &Config) -> Result<Option<PathBuf>, SecretError> {
    let url: DatabaseUrl = config.database().parse()?;
    Ok(url.path().map(Path::to_owned))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

fn tell(watch: &Watch, what: &'static str, done: u64, of: u64) -> Result<(), SecretError> {
    let step = Step { what, done, of };
    watch(step).then_some(()).ok_or(SecretError::Stopped)
}

fn remove_database(path: &Path) -> Result<(), SecretError> {
    remove_file(path)?;
    BESIDE
        .iter()
        .try_for_each(|end| remove_file(&with_end(path, end)))
}

fn remove_file(path: &Path) -> Result<(), SecretError> {
    gone(fs::remove_file(path)).map_err(failed(path))
}

fn remove_folder(path: &Path) -> Result<(), SecretError> {
    gone(fs::remove_dir_all(path)).map_err(failed(path))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn sync_folder(of: &Path) -> Result<(), SecretError> {
    let folder = match of.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Ok(()),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed(folder))
}
