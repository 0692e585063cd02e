//! A private PostgreSQL cluster per test run, and a fresh database per test.
//!
//! The first test of a run makes the cluster, the others find it, and it goes when the run ends:
//! a supervising shell waits for the process that runs the tests. The cluster lies in memory
//! where the system has such a folder, so that it is fast with every durability setting on.
//!
//! PostgreSQL refuses to run as root; root's tests run it as the user `postgres`. Nothing here is
//! ever skipped: without PostgreSQL the tests fail and say what to install.

mod programs;
mod run;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use programs::{PORT, Place, as_owner, binaries, user};
use run::{Run, base_folder, supervise, unique_name};

/// Why there is no database to test with.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A program is not installed.
    #[error(
        "{0} is needed: install the Debian packages postgresql and util-linux, or put it in PATH"
    )]
    Missing(&'static str),
    /// A program failed.
    #[error("{what} failed:\n{output}")]
    Failed {
        /// What was run.
        what: String,
        /// What it said.
        output: String,
    },
    /// Files could not be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    place: Place,
    /// The supervisor of a cluster of one's own; ends the cluster when dropped.
    own: Option<Child>,
}

impl Cluster {
    /// The cluster of this test run, made when it is the first to ask.
    ///
    /// # Errors
    /// [`ClusterError`]: PostgreSQL is not installed or does not start.
    pub fn shared() -> Result<Cluster, ClusterError> {
        let run = Run::current();
        let base = base_folder();
        let dir = base.join(format!("opsflux-pg-{}", run.name));
        let bin = binaries()?;
        let lock = File::create(base.join(format!("opsflux-pg-{}.lock", user()?)))?;
        lock.lock()?;
        if !dir.join("data/postmaster.pid").exists() {
            supervise(&bin, &dir, run.watched, &[])?;
        }
        Ok(Cluster {
            place: Place {
                dir,
                bin,
                port: PORT.to_owned(),
            },
            own: None,
        })
    }

    /// A cluster of one's own with settings that differ, for tests of settings and of failures.
    /// It is reached by its socket unless they say `listen_addresses` and `port`.
    ///
    /// # Errors
    /// As for [`Cluster::shared`].
    pub fn private(settings: &[(&str, &str)]) -> Result<Cluster, ClusterError> {
        let bin = binaries()?;
        let dir = base_folder().join(format!("opsflux-pg-{}", unique_name()));
        let child = supervise(&bin, &dir, std::process::id(), settings)?;
        let port = settings.iter().find(|(name, _)| *name == "port");
        Ok(Cluster {
            place: Place {
                dir,
                bin,
                port: port.map_or(PORT, |(_, port)| port).to_owned(),
            },
            own: Some(child),
        })
    }

    /// A fresh, empty database.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] with what PostgreSQL said.
    pub fn database(&self) -> Result<Database, ClusterError> {
        let name = unique_name();
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        Ok(Database {
            name,
            place: self.place.clone(),
        })
    }

    /// What `--database-url` takes for a database of this cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.place.url(database)
    }

    /// Runs SQL as the cluster's owner and answers what it printed.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] with what PostgreSQL said.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, ClusterError> {
        self.place.psql(database, sql)
    }

    /// Stops the server at once, as a crash would.
    ///
    /// # Errors
    /// [`ClusterError::Failed`].
    pub fn crash(&self) -> Result<(), ClusterError> {
        self.pg_ctl(&["stop", "-m", "immediate"])
    }

    /// Starts it again.
    ///
    /// # Errors
    /// [`ClusterError::Failed`].
    pub fn start(&self) -> Result<(), ClusterError> {
        self.pg_ctl(&["start", "-w"])
    }

    /// Puts a file into the data folder, readable by the server only: keys, certificates.
    ///
    /// # Errors
    /// [`ClusterError::Io`].
    pub fn put_file(&self, name: &str, content: &[u8]) -> Result<PathBuf, ClusterError> {
        let data = self.place.dir.join("data");
        let path = data.join(name);
        File::create(&path)?.write_all(content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&data)?;
        chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        Ok(path)
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<(), ClusterError> {
        let mut command = as_owner(&self.place.bin.join("pg_ctl"))?;
        command
            .arg("-D")
            .arg(self.place.dir.join("data"))
            .arg("-l")
            .arg(self.place.dir.join("server.log"))
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if command.status()?.success() {
            return Ok(());
        }
        let output = fs::read_to_string(self.place.dir.join("server.log")).unwrap_or_default();
        Err(ClusterError::Failed {
            what: format!("pg_ctl {}", arguments.join(" ")),
            output,
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(child) = &mut self.own {
            // The server goes first: the supervisor then only has the folder to remove, whether
            // it notices the end of this process or of its own `tail` first.
            let _ = child.kill();
            let _ = child.wait();
            if let Ok(mut stop) = as_owner(&self.place.bin.join("pg_ctl")) {
                stop.arg("-D").arg(self.place.dir.join("data"));
                stop.args(["stop", "-m", "immediate"]).current_dir("/");
                let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
            }
            let _ = fs::remove_dir_all(&self.place.dir);
        }
    }
}

/// A database of one test, dropped with it.
#[derive(Debug)]
pub struct Database {
    name: String,
    place: Place,
}

impl Database {
    /// What `--database-url` takes.
    #[must_use]
    pub fn url(&self) -> String {
        self.place.url(&self.name)
    }

    /// Its name in the cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL beside the program and answers what it printed, one row a line, columns by `|`.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] with what PostgreSQL said.
    pub fn sql(&self, sql: &str) -> Result<String, ClusterError> {
        self.place.psql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // A test that failed has more to say than this; the cluster takes it along at the end.
        let _ = self.place.psql("postgres", &drop);
    }
}
