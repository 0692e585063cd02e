//! `cargo xtask mutate`: each place that keeps something from somebody is switched off, one at a
//! time, and the proof must notice.
//!
//! The sources are changed where they stand and put back afterwards: every place gets a switch that
//! an environment variable turns, so that one build serves for all. No switch is ever committed or
//! released: a run begins with sources that are as committed and ends with them.

mod places;

use std::fs;
use std::path::PathBuf;

use places::{PLACES, Place};

use crate::steps::{Failed, output, program, root, run, step};
use crate::system::{POSTGRES, need};

/// What turns a switch.
const VARIABLE: &str = "OPSFLUX_SWITCHED_OFF";

/// Switches places off and runs the proof on SQLite against each; names of places choose some.
///
/// # Errors
/// When the proof does not notice, or a place is not where it was.
pub fn mutate(arguments: &[String]) -> Result<(), Failed> {
    let chosen: Vec<&Place> = PLACES
        .iter()
        .filter(|place| arguments.is_empty() || arguments.iter().any(|name| name == place.name))
        .collect();
    if chosen.is_empty() {
        let known: Vec<&str> = PLACES.iter().map(|place| place.name).collect();
        return Err(Failed(format!("there are {}", known.join(", "))));
    }
    step("tools", || need(&[&POSTGRES]))?;
    let sources = Sources::switched(&chosen)?;
    step("switches", || {
        run(program(
            "cargo",
            &["nextest", "run", "-p", "opsflux", "--no-run"],
            "",
        ))
    })?;
    let mut unnoticed = Vec::new();
    for place in &chosen {
        let filter = format!("test(/^proof::{}/) and test(sqlite)", place.proof);
        let tests = [
            "nextest",
            "run",
            "-p",
            "opsflux",
            "--no-fail-fast",
            "-E",
            &filter,
        ];
        let mut command = program("cargo", &tests, "");
        command.env(VARIABLE, place.name);
        command.env("PROOF_ONLY", place.only);
        let ran = command.output()?;
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        let ways: Vec<&str> = said
            .lines()
            .chain(std::str::from_utf8(&ran.stdout).unwrap_or_default().lines())
            .filter(|line| line.trim_start().starts_with("== "))
            .collect();
        let noticed = !ran.status.success() && said.contains("FAIL");
        println!(
            "{}\t{}\t{} ways out{}",
            place.name,
            if noticed { "noticed" } else { "NOT NOTICED" },
            ways.len(),
            ways.first()
                .map(|way| format!(", first {}", way.trim()))
                .unwrap_or_default(),
        );
        if !noticed {
            unnoticed.push(place.name);
        }
    }
    drop(sources);
    match unnoticed.is_empty() {
        true => Ok(()),
        false => Err(Failed(format!("not noticed: {}", unnoticed.join(", ")))),
    }
}

/// Sources as they were, put back when this goes.
struct Sources(Vec<(PathBuf, String)>);

impl Sources {
    fn switched(places: &[&Place]) -> Result<Sources, Failed> {
        let mut sources = Sources(Vec::new());
        for place in places {
            let path = root().join(place.file);
            let changed = output(program(
                "git",
                &["status", "--porcelain", "--", place.file],
                "",
            ))?;
            let known = sources.0.iter().any(|(known, _)| *known == path);
            if !known && !changed.trim().is_empty() {
                return Err(Failed(format!("{} is not as committed", place.file)));
            }
            let text = fs::read_to_string(&path)?;
            if text.matches(place.from).count() != 1 {
                let why = format!("{}: not once in {}: {}", place.name, place.file, place.from);
                return Err(Failed(why));
            }
            if !known {
                sources.0.push((path.clone(), text.clone()));
            }
            let off = format!(
                "std::env::var_os(\"{VARIABLE}\").is_some_and(|off| off == \"{}\")",
                place.name
            );
            let to = place.to.replace("OFF", &off);
            fs::write(&path, text.replacen(place.from, &to, 1))?;
        }
        Ok(sources)
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        for (path, text) in &self.0 {
            if let Err(error) = fs::write(path, text) {
                eprintln!("{} is not put back: {error}", path.display());
            }
        }
    }
}
