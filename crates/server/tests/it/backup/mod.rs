//! Backups as whoever answers for an instance knows them: made beside a running server, looked
//! through, restored elsewhere, and refused when something is wrong.

mod drill;
mod killed;
mod refused;
mod scheduled;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opsflux_server::config::Config;
use opsflux_server::encryption;
use opsflux_server::run::{Running, start};
use opsflux_store::dump::Snapshot;
use opsflux_store::{DatabaseUrl, StoreError};
use opsflux_testkit::postgres::{Cluster, Database};
use tempfile::TempDir;

use crate::process::opsflux;
use crate::support::config;

/// 64 digits that are nobody's key.
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A place for an instance: a data folder and a database.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    database: Option<Database>,
    /// Besides those of the place.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Place {
    pub(crate) fn sqlite() -> Place {
        Place {
            folder: tempfile::tempdir().expect("a folder"),
            database: None,
            settings: Vec::new(),
        }
    }

    pub(crate) fn postgres() -> Place {
        let database = Cluster::shared().and_then(|cluster| cluster.database());
        Place {
            database: Some(database.unwrap_or_else(|error| panic!("{error}"))),
            ..Place::sqlite()
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Place {
        self.settings.push((name, value.into()));
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self) -> DatabaseUrl {
        encryption::database(&self.config()).expect("a database")
    }

    pub(crate) fn all_settings(&self) -> Vec<(&'static str, String)> {
        let database = self.database.as_ref();
        let url = database.map(|database| ("OPSFLUX_DATABASE_URL", database.url()));
        self.settings.iter().cloned().chain(url).collect()
    }

    /// The program on this place.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = opsflux(&self.data());
        command.envs(self.all_settings()).args(arguments);
        command
    }

    /// Runs the program with something on stdin: whether it succeeded, and what it said.
    pub(crate) fn told(&self, arguments: &[&str], stdin: &str) -> (bool, String) {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let mut input = child.stdin.take().expect("its stdin");
        // A program that asks for nothing may have ended.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("its end");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.success(), said)
    }

    /// Runs the program, which succeeds.
    pub(crate) fn done(&self, arguments: &[&str], stdin: &str) -> String {
        let (ok, said) = self.told(arguments, stdin);
        assert!(ok, "{arguments:?}: {said}");
        said
    }

    /// Runs the program, which refuses.
    pub(crate) fn refused(&self, arguments: &[&str], stdin: &str) -> String {
        let (ok, said) = self.told(arguments, stdin);
        assert!(!ok, "{arguments:?}: {said}");
        said
    }

    /// As somebody would write it.
    pub(crate) fn config(&self) -> Config {
        let settings = self.all_settings();
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        config(&self.folder, &settings)
    }

    /// A server on it.
    pub(crate) async fn start(&self) -> Running {
        let started = start(self.config()).await;
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every row of every table.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let snapshot = Snapshot::open(&self.url()).await.expect("the database");
        let snapshot = snapshot.expect("a database");
        let mut rows = BTreeMap::new();
        for table in &snapshot.shape().tables {
            let mut found = Vec::new();
            let each = |row: &[u8]| {
                found.push(row.to_vec());
                Ok::<_, StoreError>(())
            };
            snapshot.rows(table, each).await.expect("the rows");
            rows.insert(table.name.clone(), found);
        }
        rows
    }

    /// Whether nothing was made here.
    async fn is_untouched(&self) -> bool {
        let folder = std::fs::read_dir(self.folder.path()).expect("the folder");
        let names: Vec<_> = folder
            .map(|entry| entry.expect("one").file_name())
            .collect();
        let database = Snapshot::open(&self.url()).await.expect("the database");
        names.is_empty() && database.is_none()
    }
}

/// Every file below a folder.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let below = path.strip_prefix(root).expect("below").to_owned();
                files.insert(below, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// A file of somebody's, which goes with the value.
pub(crate) fn file(name: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name).display().to_string();
    (folder, path)
}
