//! `cargo xtask bench`: the workloads of `bench/` against OpsFlux and the bare reference.

use opsflux_testkit::postgres::Cluster;

use crate::steps::{Failed, program, run, step};
use crate::system::{POSTGRES, WRK, need};
use crate::web;

/// What the PostgreSQL under load is set to: durable, as it must be in production.
const DURABLE: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
];

/// Builds both programs in release, starts a PostgreSQL and hands over to `bench/run.py`, which
/// seeds, drives and compares. Arguments go to it: `--tickets 100000`,
/// `--databases sqlite,sqlite-encrypted,postgres`, `--seconds 6`.
///
/// # Errors
/// When something cannot be built or a workload answers errors.
pub fn bench(arguments: &[String]) -> Result<(), Failed> {
    step("tools", || need(&[&WRK, &POSTGRES]))?;
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
    let cluster = Cluster::private(DURABLE).map_err(|error| Failed(error.to_string()))?;
    let mut command = program("python3", &["bench/run.py"], "");
    command.env("BENCH_POSTGRES", cluster.url("{database}"));
    command.args(arguments);
    step("workloads", || run(command))
}
