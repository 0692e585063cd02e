//! `cargo xtask bench`: the workloads of `bench/` against OpsFlux and the bare reference.

use crate::steps::{Failed, program, run, step};
use crate::system::{WRK, need};
use crate::web;

/// Builds both programs in release and hands over to `bench/run.py`, which seeds, drives and
/// compares. Arguments go to it: `--tickets 100000`, `--databases sqlite,postgres`, `--seconds 6`.
///
/// # Errors
/// When something cannot be built or a workload answers errors.
pub fn bench(arguments: &[String]) -> Result<(), Failed> {
    step("tools", || need(&[&WRK]))?;
    web::build()?;
    step("server: release build", || {
        run(program(
            "cargo",
            &["build", "--release", "--package", "opsflux"],
            "",
        ))
    })?;
    step("reference: release build", || {
        run(program(
            "cargo",
            &["build", "--release", "--target-dir", "../../target/limits"],
            "bench/limits",
        ))
    })?;
    let mut command = program("python3", &["bench/run.py"], "");
    command.args(arguments);
    step("workloads", || run(command))
}
