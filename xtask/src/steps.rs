//! Steps: a name, a program, how long it took.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why a run ends.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Failed(error.to_string())
    }
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Announces a step, does it and says how long it took.
///
/// # Errors
/// What the step fails with, with its name.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
    println!("\n── {name}");
    let begun = Instant::now();
    let outcome = work();
    let seconds = begun.elapsed().as_secs_f32();
    match outcome {
        Ok(done) => {
            println!("── {name}: {seconds:.0} s");
            Ok(done)
        }
        Err(Failed(why)) => Err(Failed(format!("{name} failed after {seconds:.0} s: {why}"))),
    }
}

/// A program of the repository's tools, in `folder` below the root.
#[must_use]
pub fn program(name: &str, arguments: &[&str], folder: &str) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// Runs a program to its end, its output to ours.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn run(mut command: Command) -> Result<(), Failed> {
    let shown = shown(&command);
    let status = command
        .status()
        .map_err(|error| Failed(format!("{shown}: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failed(format!("{shown}: {status}")))
    }
}

/// Runs a program to its end and returns what it said on stdout.
///
/// # Errors
/// When it cannot be started or does not end well.
pub fn output(mut command: Command) -> Result<String, Failed> {
    let shown = shown(&command);
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failed(format!("{shown}: {error}")))?;
    if !done.status.success() {
        return Err(Failed(format!("{shown}: {}", done.status)));
    }
    String::from_utf8(done.stdout).map_err(|_| Failed(format!("{shown}: not UTF-8")))
}

fn shown(command: &Command) -> String {
    let mut parts = vec![command.get_program().to_string_lossy().into_owned()];
    parts.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    parts.join(" ")
}
