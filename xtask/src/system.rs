//! What tests need from the system: installed when we may, named when we may not.

use std::path::Path;
use std::process::Command;

use crate::steps::{Failed, program, run};

/// A tool and the Debian package that brings it.
pub struct Tool {
    /// What it is for, in an error.
    pub purpose: &'static str,
    /// Where it is found: a name in the path, or a pattern with one `*`.
    pub found: &'static [&'static str],
    /// The package.
    pub package: &'static str,
}

/// PostgreSQL's own programs; tests start a private cluster.
pub const POSTGRES: Tool = Tool {
    purpose: "the suite runs on PostgreSQL too",
    found: &["initdb", "/usr/lib/postgresql/*/bin/initdb"],
    package: "postgresql",
};

/// The browser of the browser tests.
pub const CHROMIUM: Tool = Tool {
    purpose: "the interface is tested in a browser",
    found: &["chromium"],
    package: "chromium",
};

/// A mail server for the tests of mail.
pub const MAIL_SERVER: Tool = Tool {
    purpose: "mail is tested with a real mail server",
    found: &["/usr/lib/*/dist-packages/aiosmtpd/smtp.py"],
    package: "python3-aiosmtpd",
};

/// What the contract tests are written in.
pub const PYTHON: Tool = Tool {
    purpose: "the contract is tested with programs from PyPI",
    found: &["python3"],
    package: "python3-venv",
};

/// Watches what a program asks of the system.
pub const STRACE: Tool = Tool {
    purpose: "it counts the connections the server opens",
    found: &["strace"],
    package: "strace",
};

/// The load generator of the benchmarks.
pub const WRK: Tool = Tool {
    purpose: "it makes the load",
    found: &["wrk"],
    package: "wrk",
};

/// Makes sure that every tool is there.
///
/// # Errors
/// Naming the package that is missing, when it cannot be installed.
pub fn need(tools: &[&Tool]) -> Result<(), Failed> {
    let missing: Vec<&&Tool> = tools.iter().filter(|tool| !is_there(tool)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let install = format!("apt-get install -y {}", packages.join(" "));
    if !may_install() {
        let why: Vec<String> = missing
            .iter()
            .map(|tool| format!("{} ({})", tool.package, tool.purpose))
            .collect();
        return Err(Failed(format!(
            "missing: {}. Install with: {install}",
            why.join(", ")
        )));
    }
    println!("{install}");
    run(program("apt-get", &["update", "-q"], ""))?;
    let mut command = program(
        "apt-get",
        &["install", "-y", "-q", "--no-install-recommends"],
        "",
    );
    command
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(command)?;
    match missing.iter().find(|tool| !is_there(tool)) {
        Some(tool) => Err(Failed(format!(
            "{} was installed but is not found",
            tool.package
        ))),
        None => Ok(()),
    }
}

fn is_there(tool: &Tool) -> bool {
    tool.found.iter().any(|place| match place.split_once('*') {
        Some((before, after)) => below(Path::new(before), after.trim_start_matches('/')),
        None => in_path(place),
    })
}

fn below(folder: &Path, rest: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.path().join(rest).exists())
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output();
    root.is_ok_and(|id| id.stdout == b"0\n") && in_path("apt-get")
}
