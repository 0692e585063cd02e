//! `cargo xtask run`: from a fresh clone to a server with demo data.

use crate::steps::{Failed, program, root, run as go, step};
use crate::web;

/// Builds everything, fills `./data` with the demo company the first time, and serves until
/// Ctrl+C. Further arguments go to `opsflux serve`.
///
/// # Errors
/// When something cannot be built or the server does not end well.
pub fn run(arguments: &[String]) -> Result<(), Failed> {
    web::build()?;
    step("server: build", || {
        go(program("cargo", &["build", "--package", "opsflux"], ""))
    })?;
    let data = root().join("data");
    let program_path = root().join("target/debug/opsflux");
    let serve = |subcommand: &str| {
        let mut command = std::process::Command::new(&program_path);
        command
            .arg(subcommand)
            .arg("--data")
            .arg(&data)
            .env("OPSFLUX_MODE", "development")
            .env("OPSFLUX_LOG_FORMAT", "text");
        command
    };
    if !data.join("opsflux.db").exists() {
        step("demo company", || go(serve("demo")))?;
    }
    let mut command = serve("serve");
    command.args(arguments);
    go(command)
}
