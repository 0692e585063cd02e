//! The web interface that the server embeds.

use std::fs;
use std::time::SystemTime;

use crate::steps::{Failed, program, root, run, step};

/// Installs what `package-lock.json` says, unless it is there, and builds `web/dist`.
///
/// # Errors
/// When npm fails.
pub fn build() -> Result<(), Failed> {
    install()?;
    step("web: build", || {
        run(program("npm", &["run", "--silent", "build"], "web"))
    })
}

/// Installs what `package-lock.json` says; nothing when that was done since it last changed.
///
/// # Errors
/// When npm fails.
pub fn install() -> Result<(), Failed> {
    let web = root().join("web");
    let changed =
        |path: &str| -> Option<SystemTime> { fs::metadata(web.join(path)).ok()?.modified().ok() };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    step("web: install", || {
        run(program(
            "npm",
            &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
            "web",
        ))
    })
}
