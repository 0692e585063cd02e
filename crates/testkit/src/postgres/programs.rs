//! PostgreSQL's programs: where they are, and who may run them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ClusterError;

/// PostgreSQL's own default.
pub(super) const PORT: &str = "5432";

/// Where a cluster is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Data, logs and the socket.
    pub(super) dir: PathBuf,
    /// PostgreSQL's programs.
    pub(super) bin: PathBuf,
    pub(super) port: String,
}

impl Place {
    pub(super) fn url(&self, database: &str) -> String {
        let host = self.dir.display();
        format!(
            "postgres:///{database}?user=opsflux&host={host}&port={}",
            self.port
        )
    }

    pub(super) fn psql(&self, database: &str, sql: &str) -> Result<String, ClusterError> {
        let beside = self.bin.join("psql");
        let program = if beside.is_file() {
            beside
        } else {
            PathBuf::from("psql")
        };
        let output = Command::new(program)
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "opsflux",
            ])
            .arg("-h")
            .arg(&self.dir)
            .args(["-p", &self.port, "-d", database, "-c", sql])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => ClusterError::Missing("psql"),
                _ => ClusterError::Io(error),
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned());
        }
        Err(ClusterError::Failed {
            what: sql.to_owned(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// The folder with `initdb`, `pg_ctl` and `postgres`: from `PATH`, else the newest of Debian's.
pub(super) fn binaries() -> Result<PathBuf, ClusterError> {
    let has_all = |dir: &Path| {
        let mut programs = ["initdb", "pg_ctl", "postgres"].iter();
        programs.all(|name| dir.join(name).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).find(|dir| has_all(dir));
    if found.is_none() {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let folders = versions.flatten().map(|entry| entry.path().join("bin"));
        found = folders
            .filter(|dir| has_all(dir))
            .max_by_key(|dir| version(dir));
    }
    found.ok_or(ClusterError::Missing(
        "PostgreSQL (initdb, pg_ctl, postgres)",
    ))
}

/// The major version in `/usr/lib/postgresql/VERSION/bin`.
fn version(bin: &Path) -> u32 {
    let folder = bin.parent().and_then(Path::file_name);
    folder
        .and_then(|name| name.to_str())
        .and_then(|name| name.parse().ok())
        .unwrap_or(0)
}

/// Number of the user these tests run as.
pub(super) fn user() -> Result<u32, ClusterError> {
    Ok(fs::metadata("/proc/self")?.uid())
}

/// Runs a program as somebody PostgreSQL accepts.
pub(super) fn as_owner(program: &Path) -> Result<Command, ClusterError> {
    if user()? != 0 {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .arg(program);
    Ok(command)
}
