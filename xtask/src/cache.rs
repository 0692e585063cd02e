//! Tools that are neither Debian's nor the repository's: Python programs from PyPI, cargo programs
//! from crates.io. They live in a cache outside the checkout, in pinned versions, so that a run
//! after the first one needs nothing from anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{Failed, output, run};
use crate::system::{PYTHON, need};

/// What the contract tests are run with.
const PYTHON_TOOLS: &[&str] = &["schemathesis==4.32.5", "openapi-spec-validator==0.9.0"];

/// What checks licences, bans and sources.
const CARGO_DENY: &str = "0.20.2";

/// The folder of the cache.
fn folder() -> Result<PathBuf, Failed> {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = given
        .or(home)
        .ok_or_else(|| Failed("neither XDG_CACHE_HOME nor HOME says where to keep tools".into()))?;
    Ok(cache.join("opsflux"))
}

/// The folder with the Python programs, made and filled when it is not there.
///
/// # Errors
/// Naming what is missing.
pub fn python() -> Result<PathBuf, Failed> {
    need(&[&PYTHON])?;
    // A folder a list: another list never meets what was installed for this one.
    let name = PYTHON_TOOLS.join("-").replace("==", "-");
    let home = folder()?.join(name);
    let programs = home.join("bin");
    if programs.join("installed").exists() {
        return Ok(programs);
    }
    fs::create_dir_all(&home)?;
    println!(
        "installing {} into {}",
        PYTHON_TOOLS.join(", "),
        home.display()
    );
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&home);
    run(make)?;
    let mut install = Command::new(programs.join("python"));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(PYTHON_TOOLS);
    run(install)?;
    // Said last: a run that was stopped in the middle begins again.
    fs::write(programs.join("installed"), "")?;
    Ok(programs)
}

/// `cargo deny`, in this very version: what a check finds must not hang on who runs it.
///
/// # Errors
/// When it is neither there nor can be installed.
pub fn cargo_deny() -> Result<PathBuf, Failed> {
    let root = folder()?.join(format!("cargo-deny-{CARGO_DENY}"));
    let kept = root.join("bin/cargo-deny");
    for place in [Path::new("cargo-deny"), &kept] {
        let mut version = Command::new(place);
        version.arg("--version");
        if output(version).is_ok_and(|said| said.trim().ends_with(CARGO_DENY)) {
            return Ok(place.to_owned());
        }
    }
    println!("compiling cargo-deny {CARGO_DENY}, once");
    let mut install = Command::new("cargo");
    install
        .args(["install", "--quiet", "--locked", "cargo-deny", "--version"])
        .arg(CARGO_DENY)
        .arg("--root")
        .arg(&root);
    run(install)?;
    Ok(kept)
}
