//! `cargo xtask test`: everything, on a fresh clone.

use crate::steps::{Failed, program, run, step};
use crate::system::{CHROMIUM, MAIL_SERVER, POSTGRES, STRACE, need};
use crate::{contract, generate, tidy, web};

/// Runs every test. `--quick` leaves the browser out.
///
/// # Errors
/// The first step that fails.
pub fn test(arguments: &[String]) -> Result<(), Failed> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    step("tools", || {
        need(&[&POSTGRES, &CHROMIUM, &STRACE, &MAIL_SERVER])
    })?;
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("tidy", tidy::tidy)?;
    step("licences, bans, sources", contract::deny)?;
    web::build()?;
    step("clippy", || {
        cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ])
    })?;
    step("Rust tests", || cargo(&["test", "--quiet", "--workspace"]))?;
    step("generated files", generate::check)?;
    contract::check()?;
    for script in ["lint", "typecheck", "knip", "test"] {
        step(&format!("web: {script}"), || {
            npm(&["run", "--silent", script])
        })?;
    }
    if !quick {
        step("web: browser", || npm(&["run", "--silent", "e2e"]))?;
    }
    println!("\nAll tests passed.");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<(), Failed> {
    run(program("cargo", arguments, ""))
}

fn npm(arguments: &[&str]) -> Result<(), Failed> {
    run(program("npm", arguments, "web"))
}
