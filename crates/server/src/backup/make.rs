//! Making a backup beside a running server.
//!
//! Rows are read first, as they are at one moment, then files: the bytes of a file are on the disk
//! before a row speaks of them and are never written again. The backup grows under another name
//! and gets its own when it is on the disk, so that a file with the name of a backup is one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use opsflux_sealing::{DataKey, PurposeKey};
use opsflux_store::DatabaseUrl;
use opsflux_store::dump::Snapshot;
use tokio::runtime::Handle;

use super::archive::{Kind, Manifest, Writer};
use super::lock::{self, Opener};
use super::seal::Sealing;
use super::{About, BackupError, Progress, Watch, schedule};
use crate::config::Config;
use crate::encryption::change::read_file;
use crate::encryption::{self, FILES_FOLDER};
use crate::secret::{self, SecretError};

/// What the data folder has besides what belongs to the instance: what is made again, what is this
/// process's own, backups; and what stands outside the database to know better than it: beside older
/// rows it would tell of an end that was cut off.
const LEFT_OUT: [&str; 7] = [
    "search",
    "backups",
    "opsflux.lock",
    "opsflux.sock",
    "files/incoming",
    super::UNFINISHED,
    crate::audit_heads::FILE,
];
/// Ends of names of files that are not finished.
const PARTIAL: [&str; 5] = [".tmp", ".partial", ".restoring", ".fresh", ".stale"];
/// What SQLite keeps beside its file.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];
/// Deeper folders than this are a ring of links.
const DEEPEST: usize = 32;
/// Rows between two looks at whether to go on.
const LOOK: u64 = 1_000;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its size.
    pub bytes: u64,
    /// What is in it.
    pub manifest: Manifest,
    /// Whose key opens it.
    pub opens_with: Opener,
}

/// Makes a backup of the instance of `config`, on a thread of its own: reading, packing and
/// sealing keep a processor busy.
///
/// # Errors
/// [`BackupError`]; there is no file then.
pub async fn make(
    config: &Config,
    to: &Path,
    mut watch: impl FnMut(Progress<'_>) -> bool + Send + 'static,
) -> Result<Made, BackupError> {
    let (config, to, runtime) = (config.clone(), to.to_owned(), Handle::current());
    let making = tokio::task::spawn_blocking(move || {
        let mut watch = watch_of(&mut watch);
        runtime.block_on(write(&config, &to, &mut watch))
    });
    // A thread that failed has told why.
    making.await.unwrap_or(Err(BackupError::Stopped))
}

fn watch_of<'w>(
    watch: &'w mut (impl FnMut(Progress<'_>) -> bool + Send),
) -> impl FnMut(Progress<'_>) -> bool + Send + 'w {
    watch
}

async fn write(config: &Config, to: &Path, watch: Watch<'_>) -> Result<Made, BackupError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let url = encryption::database(config)?;
    let snapshot = Snapshot::open(&url).await?;
    let snapshot = snapshot.ok_or_else(|| {
        BackupError::Nothing(match url.path() {
            Some(path) => path.display().to_string(),
            None => "the PostgreSQL database".to_owned(),
        })
    })?;
    let held = encryption::held(config)?;
    let (head, key) = lock::close(config, &held, Timestamp::now())?;
    let partial = Partial::beside(to);
    let failed = || BackupError::io(to);
    let mut file = BufWriter::new(partial.create().map_err(failed())?);
    let bound = head.write(&mut file).map_err(failed())?;
    let sealing = Sealing::new(file, &key, bound).map_err(failed())?;
    let mut packing = Packing {
        writer: Writer::new(sealing).map_err(failed())?,
        to,
        watch,
        sealed_with: files_key(held.data.as_ref())?,
    };
    packing.text(
        Kind::About,
        "about",
        &About {
            version: head.version.clone(),
            database: snapshot.kind().to_owned(),
            shape: snapshot.shape().clone(),
            secret_mark: secret::mark(&held.key),
            secret_is_outside: held.is_outside,
            encrypted: held.data.is_some(),
        },
    )?;
    packing.tables(&snapshot).await?;
    // Let go of before the files: the log of the database grows as long as it is looked at.
    drop(snapshot);
    packing.folder(Kind::Data, &config.data, &left_out(config, &url))?;
    if let Some(file) = &config.file {
        packing.file(Kind::Configuration, "opsflux.toml", file)?;
    }
    if let Some(modules) = &config.modules {
        packing.folder(Kind::Module, modules, &[])?;
    }
    if !held.is_outside && !packing.writer.has(Kind::Data, secret::KEY_FILE) {
        // Without it what is sealed inside could never be read again.
        return Err(SecretError::Missing(config.data.clone()).into());
    }
    let (manifest, file) = packing.writer.finish().map_err(failed())?;
    let file = file
        .into_inner()
        .map_err(|error| failed()(error.into_error()))?;
    let bytes = file.metadata().map_err(failed())?.len();
    partial.keep(&file, to).map_err(failed())?;
    Ok(Made {
        bytes,
        manifest,
        opens_with: head.opens_with,
    })
}

/// A file under another name than its own; it goes with this value unless it was kept.
struct Partial(Option<PathBuf>);

impl Partial {
    fn beside(to: &Path) -> Partial {
        let mut name = OsString::from(".");
        name.push(to.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        Partial(Some(to.with_file_name(name)))
    }

    fn create(&self) -> std::io::Result<File> {
        let path = self.0.as_deref().unwrap_or(Path::new(""));
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
    }

    fn keep(mut self, file: &File, to: &Path) -> std::io::Result<()> {
        file.sync_all()?;
        if let Some(path) = self.0.take() {
            fs::rename(path, to)?;
        }
        let folder = to.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // It may never have been made.
            let _ = fs::remove_file(path);
        }
    }
}

/// Paths that are left out, whole.
fn left_out(config: &Config, url: &DatabaseUrl) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = LEFT_OUT.iter().map(|name| config.data.join(name)).collect();
    if let Some(path) = url.path() {
        paths.extend(BESIDE.iter().map(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        }));
    }
    paths.extend(config.backup.folder.clone());
    // A folder within the data folder may be written in another way than the data folder is.
    let same = |path: PathBuf| path.canonicalize().unwrap_or(path);
    paths.into_iter().map(same).collect()
}

struct Packing<'w, W: std::io::Write> {
    writer: Writer<W>,
    to: &'w Path,
    watch: Watch<'w>,
    /// Stored files are opened with it: a backup is sealed as a whole.
    sealed_with: Option<PurposeKey>,
}

impl<W: std::io::Write> Packing<'_, W> {
    fn go_on(&mut self, what: &str) -> Result<(), BackupError> {
        let bytes = self.writer.bytes();
        let of = None;
        (self.watch)(Progress { what, bytes, of })
            .then_some(())
            .ok_or(BackupError::Stopped)
    }

    fn text(&mut self, kind: Kind, name: &str, what: &About) -> Result<(), BackupError> {
        let write = || {
            self.writer.begin(kind, name)?;
            self.writer.add(&serde_json::to_vec(what)?)?;
            self.writer.end()
        };
        let mut write = write;
        write().map_err(BackupError::io(self.to))
    }

    async fn tables(&mut self, snapshot: &Snapshot) -> Result<(), BackupError> {
        let to = self.to;
        for table in &snapshot.shape().tables {
            self.go_on(&table.name)?;
            let begun = self.writer.begin(Kind::Table, &table.name);
            begun.map_err(BackupError::io(to))?;
            let mut count = 0_u64;
            let each = |row: &[u8]| {
                count += 1;
                if count.is_multiple_of(LOOK) {
                    self.go_on(&table.name)?;
                }
                self.writer.row(row).map_err(BackupError::io(to))
            };
            snapshot.rows(table, each).await?;
            self.writer.end().map_err(BackupError::io(to))?;
        }
        Ok(())
    }

    /// Every file below a folder, in the order of their names.
    fn folder(&mut self, kind: Kind, root: &Path, left_out: &[PathBuf]) -> Result<(), BackupError> {
        let mut todo = vec![(root.to_owned(), 0)];
        while let Some((path, depth)) = todo.pop() {
            let failed = || BackupError::io(&path);
            // Never all of it, also when somebody keeps backups there.
            let is_left_out = depth > 0
                && (path
                    .canonicalize()
                    .is_ok_and(|path| left_out.contains(&path))
                    || schedule::is_backup(&path));
            // What is gone by now was of no record.
            let Ok(about) = fs::metadata(&path) else {
                continue;
            };
            if is_left_out || is_partial(&path) {
                continue;
            }
            if about.is_file() {
                let below = path.strip_prefix(root).unwrap_or(&path);
                self.file(kind, &below.to_string_lossy(), &path)?;
            } else if about.is_dir() && depth < DEEPEST {
                let mut inside = Vec::new();
                for entry in fs::read_dir(&path).map_err(failed())? {
                    inside.push((entry.map_err(failed())?.path(), depth + 1));
                }
                inside.sort();
                todo.extend(inside.into_iter().rev());
            }
        }
        Ok(())
    }

    fn file(&mut self, kind: Kind, name: &str, path: &Path) -> Result<(), BackupError> {
        let stored = Path::new(name).strip_prefix(FILES_FOLDER).ok();
        let stored = stored.filter(|_| kind == Kind::Data);
        let key = self.sealed_with.as_ref().filter(|_| stored.is_some());
        let stored = stored.map(|name| name.to_string_lossy());
        let mut file = match read_file(path, &stored.unwrap_or_default(), key) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(BackupError::io(path))?,
        };
        let to = self.to;
        self.go_on(name)?;
        self.writer.begin(kind, name).map_err(BackupError::io(to))?;
        let mut block = vec![0; 64 * 1024];
        loop {
            let length = file.read(&mut block).map_err(BackupError::io(path))?;
            let read = block.get(..length).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            self.writer.add(read).map_err(BackupError::io(to))?;
            self.go_on(name)?;
        }
        self.writer.end().map_err(BackupError::io(to))
    }
}

/// The key of stored files, when they are sealed.
pub(super) fn files_key(data: Option<&DataKey>) -> Result<Option<PurposeKey>, SecretError> {
    let key = data.map(|data| data.purpose(encryption::FILES)).transpose();
    key.map_err(|_| SecretError::Crypto)
}

fn is_partial(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    PARTIAL.iter().any(|end| name.ends_with(end))
}
