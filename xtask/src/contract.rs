//! The OpenAPI document against the server that serves it.
//!
//! A server on a fresh folder with the demo company is asked what its own document promises: the
//! document is validated, and a fuzzer driven by it asks every operation as administrator and as
//! plain user. No answer may be a failure of ours, undocumented, or other than its schema says.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::server::Server;
use crate::steps::{Failed, output, root, run, step};

/// What chance begins with: the same run finds the same.
const SEED: &str = "20260101";

/// Operations that end what the fuzzer asks with, or never end.
const LEFT_OUT: &[&str] = &["auth_logout", "auth_session_end", "auth_password", "stream"];

/// Somebody of the demo company.
struct Person {
    who: &'static str,
    email: &'static str,
    password: &'static str,
    /// Which requests are made up, and how many of them for each operation.
    phases: &'static str,
    examples: &'static str,
}

/// The user first: he can take nothing from the administrator.
const PEOPLE: [Person; 2] = [
    Person {
        who: "user",
        email: "grace.koumba@ges-energie.example",
        password: "Demo-OpsFlux-2026",
        phases: "fuzzing",
        examples: "4",
    },
    Person {
        who: "administrator",
        email: "admin@opsflux.local",
        password: crate::server::ADMIN_PASSWORD,
        phases: "coverage,fuzzing",
        examples: "3",
    },
];

/// Validates the document and lets the fuzzer loose on the server.
///
/// # Errors
/// What the validator or the fuzzer found.
pub fn check() -> Result<(), Failed> {
    let tools = step("contract: tools", cache::python)?;
    let server = step("contract: server", || Server::with_demo(60))?;
    let document = server.folder().join("openapi.json");
    step("contract: document", || {
        let served = server.get("/api/v1/openapi.json", None)?;
        std::fs::write(&document, served)?;
        let mut validate = Command::new(tools.join("python"));
        validate
            .args(["-m", "openapi_spec_validator"])
            .arg(&document);
        run(validate)
    })?;
    for person in &PEOPLE {
        step(&format!("contract: fuzz as {}", person.who), || {
            fuzz(&tools, &server, &document, person)
        })?;
    }
    Ok(())
}

fn fuzz(tools: &Path, server: &Server, document: &Path, person: &Person) -> Result<(), Failed> {
    let token = server.sign_in(person.email, person.password)?;
    let mut fuzzer = Command::new(tools.join("schemathesis"));
    fuzzer
        .current_dir(server.folder())
        .arg("--config-file")
        .arg(config())
        .arg("run")
        .arg(document)
        .args(["--url", &format!("{}/api/v1", server.address())])
        .env("OPSFLUX_TOKEN", &token)
        .args(["--phases", person.phases])
        .args(["--max-examples", person.examples])
        // One worker: the same order each time, and no two threads in Python's parser at once.
        .args(["--seed", SEED, "--workers", "1", "--no-shrink"])
        .args(["--warnings", "off", "--continue-on-failure"]);
    for operation in LEFT_OUT {
        fuzzer.args(["--exclude-operation-id", operation]);
    }
    run(fuzzer)?;
    // A run that lost its session half-way would have asked nothing but 401.
    server.get("/api/v1/auth/me", Some(&token)).map(|_| ())
}

fn config() -> PathBuf {
    root().join("xtask/schemathesis.toml")
}

/// Checks licences, banned crates and sources of everything we link.
///
/// # Errors
/// What is not allowed.
pub fn deny() -> Result<(), Failed> {
    let mut deny = Command::new(cache::cargo_deny()?);
    deny.current_dir(root())
        .args(["--log-level", "error"])
        .args(["check", "licenses", "bans", "sources"]);
    output(deny).map(|said| print!("{said}"))
}
