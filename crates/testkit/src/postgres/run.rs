//! Which test run this is, and the shell that keeps its cluster as long as it lasts.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::ClusterError;
use super::programs::as_owner;

/// What counts as one test run, and the process whose end ends it.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) watched: u32,
}

impl Run {
    pub(super) fn current() -> Run {
        let runner = parent_id();
        if let Ok(id) = std::env::var("NEXTEST_RUN_ID") {
            Run {
                name: id,
                watched: runner,
            }
        } else if std::env::var_os("CARGO").is_some() {
            Run {
                name: format!("run-{runner}"),
                watched: runner,
            }
        } else {
            Run {
                name: format!("run-{}", std::process::id()),
                watched: std::process::id(),
            }
        }
    }
}

/// In memory where there is such a folder.
pub(super) fn base_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// A name no other test has.
pub(super) fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("t{}-{next}", std::process::id())
}

/// Starts the supervisor and returns when the server answers.
pub(super) fn supervise(
    bin: &Path,
    dir: &Path,
    watched: u32,
    settings: &[(&str, &str)],
) -> Result<Child, ClusterError> {
    let mut command = as_owner(Path::new("sh"))?;
    command
        .args(["-c", include_str!("supervise.sh"), "supervise"])
        .arg(bin)
        .arg(dir)
        .arg(watched.to_string())
        .args(
            settings
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        )
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Signals meant for the test do not reach it, it outlives the test that made it.
        .process_group(0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ClusterError::Missing("setpriv"),
        _ => ClusterError::Io(error),
    })?;
    let mut output = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        reader.read_line(&mut output)?;
        if output.trim_end() == "ready" {
            return Ok(child);
        }
        reader.read_to_string(&mut output)?;
    }
    child.wait()?;
    Err(ClusterError::Failed {
        what: "starting PostgreSQL".to_owned(),
        output,
    })
}
