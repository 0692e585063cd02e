//! `cargo xtask crash`: the server is killed hundreds of times, and nothing it acknowledged is lost.

use crate::steps::{Failed, program, run, step};
use crate::system::{POSTGRES, need};

/// Kills on each database unless asked otherwise.
const KILLS: &str = "200";

/// Runs the tests of `crates/server/tests/it/crash.rs` with many more kills than the suite has
/// time for; `--kills N` says how many.
///
/// # Errors
/// When something is lost, there twice or half there.
pub fn crash(arguments: &[String]) -> Result<(), Failed> {
    let kills = match arguments {
        [] => KILLS,
        [flag, kills] if flag == "--kills" => kills,
        _ => return Err(Failed("cargo xtask crash [--kills N]".to_owned())),
    };
    step("tools", || need(&[&POSTGRES]))?;
    step(&format!("{kills} kills on each database"), || {
        let tests = ["test", "--package", "opsflux", "--test", "it", "crash::"];
        let mut command = program("cargo", &tests, "");
        command.env("CRASH_KILLS", kills);
        run(command)
    })
}
