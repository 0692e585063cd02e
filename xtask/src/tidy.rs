//! `cargo xtask tidy`: what the compiler does not hold.
//!
//! Arrows between crates point down, every Rust file says what lives in it, files stay short, and
//! nothing of the machine it was written on is in the repository.

use std::fs;
use std::path::Path;

use crate::steps::{Failed, output, program, root};

/// Which crate may use which of ours. Tests may use anything.
const ARROWS: &[(&str, &[&str])] = &[
    ("opsflux-model", &[]),
    ("opsflux-sealing", &[]),
    ("opsflux-store", &["opsflux-model"]),
    ("opsflux-records", &["opsflux-model", "opsflux-store"]),
    (
        "opsflux-identity",
        &["opsflux-model", "opsflux-store", "opsflux-records"],
    ),
    (
        "opsflux-documents",
        &[
            "opsflux-model",
            "opsflux-sealing",
            "opsflux-store",
            "opsflux-records",
        ],
    ),
    (
        "opsflux-importing",
        &[
            "opsflux-model",
            "opsflux-sealing",
            "opsflux-store",
            "opsflux-records",
        ],
    ),
    (
        "opsflux-search",
        &[
            "opsflux-model",
            "opsflux-sealing",
            "opsflux-store",
            "opsflux-records",
        ],
    ),
    (
        "opsflux-messaging",
        &["opsflux-model", "opsflux-store", "opsflux-records"],
    ),
    (
        "opsflux-workflow",
        &["opsflux-model", "opsflux-store", "opsflux-records"],
    ),
    (
        "opsflux-desk",
        &["opsflux-model", "opsflux-store", "opsflux-records"],
    ),
    (
        "opsflux-kpi",
        &["opsflux-model", "opsflux-store", "opsflux-records"],
    ),
    (
        "opsflux-crm",
        &[
            "opsflux-model",
            "opsflux-store",
            "opsflux-records",
            "opsflux-workflow",
        ],
    ),
    (
        "opsflux-demo",
        &[
            "opsflux-model",
            "opsflux-store",
            "opsflux-records",
            "opsflux-identity",
            "opsflux-documents",
            "opsflux-kpi",
        ],
    ),
    (
        "opsflux",
        &[
            "opsflux-model",
            "opsflux-sealing",
            "opsflux-store",
            "opsflux-records",
            "opsflux-identity",
            "opsflux-documents",
            "opsflux-importing",
            "opsflux-search",
            "opsflux-messaging",
            "opsflux-workflow",
            "opsflux-desk",
            "opsflux-kpi",
            "opsflux-crm",
            "opsflux-demo",
        ],
    ),
    ("opsflux-testkit", &[]),
    ("xtask", &["opsflux-testkit"]),
];

/// A file longer than this is too long.
const TOO_LONG: usize = 800;
/// A file longer than this makes one think.
const LONG: usize = 400;

/// Checks the repository.
///
/// # Errors
/// Every finding, one a line.
pub fn tidy() -> Result<(), Failed> {
    let mut findings = Vec::new();
    arrows(&mut findings)?;
    let mut long = Vec::new();
    for file in tracked()? {
        // A file that was just removed is still listed.
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        traces(&file, &text, &mut findings);
        if is_code(&file) {
            header(&file, &text, &mut findings);
            let lines = text.lines().count();
            if lines > TOO_LONG {
                findings.push(format!("{file}: {lines} lines, {TOO_LONG} at most"));
            } else if lines > LONG {
                long.push(format!("{file} ({lines})"));
            }
        }
    }
    if !long.is_empty() {
        println!("over {LONG} lines: {}", long.join(", "));
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Failed(findings.join("\n")))
    }
}

fn tracked() -> Result<Vec<String>, Failed> {
    let files = output(program(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
        "",
    ))?;
    Ok(files.lines().map(str::to_owned).collect())
}

fn arrows(findings: &mut Vec<String>) -> Result<(), Failed> {
    let metadata = output(program(
        "cargo",
        &[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ],
        "",
    ))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| Failed(error.to_string()))?;
    let empty = Vec::new();
    for package in metadata["packages"].as_array().unwrap_or(&empty) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            findings.push(format!(
                "{name}: a crate that tidy does not know; add it to ARROWS"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap_or(&empty) {
            let to = dependency["name"].as_str().unwrap_or_default();
            let ours = dependency["path"].is_string();
            let in_tests = dependency["kind"].as_str() == Some("dev");
            if ours && !in_tests && !allowed.contains(&to) {
                findings.push(format!("{name} → {to}: an arrow that points up or aside"));
            }
        }
    }
    Ok(())
}

fn is_code(file: &str) -> bool {
    let extension = Path::new(file)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let generated = file.contains(".gen.") || file.starts_with("web/public/");
    matches!(extension, "rs" | "ts" | "tsx") && !generated && !file.starts_with("bench/limits")
}

fn header(file: &str, text: &str, findings: &mut Vec<String>) {
    if file.ends_with(".rs") && !text.starts_with("//!") {
        findings.push(format!(
            "{file}: begins without a //! that says what lives here"
        ));
    }
}

/// Paths and hosts of a workplace have no business in a repository.
fn traces(file: &str, text: &str, findings: &mut Vec<String>) {
    // Put together, so that this file does not find itself.
    let traces = [
        ["/work", "/main"].concat(),
        ["/root", "/"].concat(),
        ["arti", "factory"].concat(),
    ];
    for (number, line) in text.lines().enumerate() {
        if let Some(trace) = traces.iter().find(|trace| line.contains(trace.as_str())) {
            findings.push(format!("{file}:{}: “{trace}”", number + 1));
        }
    }
}
