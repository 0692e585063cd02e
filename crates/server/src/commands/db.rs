//! `opsflux db`: from one database to the other, and whether two of them hold the same.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opsflux_store::{Comparison, CopyError, DatabaseUrl, Progress, Stage};

use super::{Done, say};
use crate::cli::Db;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::encryption;

/// Most rows written at once.
const BATCH: u32 = 5_000;

pub async fn run(config: Config, command: Db) -> Done {
    match command {
        Db::Copy { from, to } => copy(&config, from.parse()?, to.parse()?).await,
        Db::Compare { from, to } => {
            let from = encryption::located(&config, from.parse()?)?;
            let to = encryption::located(&config, to.parse()?)?;
            compare(&from, &to).await
        }
    }
}

async fn copy(config: &Config, from: DatabaseUrl, to: DatabaseUrl) -> Done {
    opsflux_store::can_copy(&from, &to)?;
    // Nobody may write to either meanwhile: a running server is named.
    let _held = folders(config, &from, &to)
        .iter()
        .map(|folder| DataFolder::take(folder))
        .collect::<Result<Vec<_>, _>>()?;
    // With the folders taken: what counts in them does not change any more.
    let (from, to) = (
        &encryption::located(config, from)?,
        &encryption::located(config, to)?,
    );
    let mut shown = Shown::default();
    let copied = opsflux_store::copy(from, to, BATCH, &mut |now| shown.show(now)).await?;
    shown.end();
    if copied.resumed {
        say("An earlier copy was broken off; this one went on where it was.\n")?;
    }
    let found = proof(from, to).await?;
    if !found.is_equal() {
        say(&differences(&found))?;
        return Err(
            "the copy is not equal to the source: do not use it. Empty the target, make \
                    sure that nobody writes to the source, and copy again"
                .into(),
        );
    }
    say(&format!(
        "Copied and proved equal: {} tables, {} rows.\n",
        copied.tables, copied.rows
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn compare(from: &DatabaseUrl, to: &DatabaseUrl) -> Done {
    let found = proof(from, to).await?;
    if !found.is_equal() {
        say(&differences(&found))?;
        return Ok(ExitCode::FAILURE);
    }
    let mut text = String::new();
    for table in &found.tables {
        let (rows, hash, name) = (table.rows.0, &table.hash.0, &table.table);
        text.push_str(&format!("{rows:>12}  {hash}  {name}\n"));
    }
    let tables = found.tables.len();
    text.push_str(&format!("Equal: {tables} tables, {} rows.\n", found.rows()));
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

async fn proof(from: &DatabaseUrl, to: &DatabaseUrl) -> Result<Comparison, CopyError> {
    let mut shown = Shown::default();
    let found = opsflux_store::compare(from, to, &mut |now| shown.show(now)).await;
    shown.end();
    found
}

/// Each table that differs, with its first difference.
fn differences(found: &Comparison) -> String {
    let mut text = String::new();
    for table in found.tables.iter().filter(|table| !table.is_equal()) {
        let (from, to) = table.rows;
        let first = table.first.as_ref().map(|first| format!(": {first}"));
        let first = first.unwrap_or_default();
        text.push_str(&format!(
            "DIFFERS  {} ({from} rows, {to} rows){first}\n",
            table.table
        ));
    }
    text
}

/// The data folders that are taken: that of the configuration, when there is one, and those in
/// which a file lies. A folder in which no server ever ran is none of ours to leave a lock in.
fn folders(config: &Config, from: &DatabaseUrl, to: &DatabaseUrl) -> BTreeSet<PathBuf> {
    let around = |url: &DatabaseUrl| url.path().and_then(Path::parent).map(Path::to_owned);
    let has_lock = |folder: &PathBuf| folder.join("opsflux.lock").exists();
    let configured = Some(config.data.clone()).filter(has_lock);
    let source = around(from).filter(has_lock);
    let found = [configured, source, around(to)].into_iter().flatten();
    // The same folder under two names is taken once.
    let known = found.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
    let known = known.map(|folder| folder.canonicalize().unwrap_or(folder));
    known.collect()
}

/// A line that counts, rewritten in place on a terminal; elsewhere a line a table.
#[derive(Default)]
struct Shown {
    last: Option<(Stage, String)>,
}

impl Shown {
    fn show(&mut self, now: Progress<'_>) {
        let mut out = io::stderr().lock();
        let terminal = out.is_terminal();
        let is_new = self
            .last
            .as_ref()
            .is_none_or(|(stage, table)| *stage != now.stage || table != now.table);
        if !terminal && !is_new {
            return;
        }
        self.last = Some((now.stage, now.table.to_owned()));
        let line = line(now);
        // Progress that cannot be shown is no reason to stop.
        let _ = if terminal {
            // What stood there may have been longer.
            write!(out, "\r\x1b[K{line}")
        } else {
            writeln!(out, "{line}")
        };
        let _ = out.flush();
    }

    fn end(&self) {
        let mut out = io::stderr().lock();
        if self.last.is_some() && out.is_terminal() {
            let _ = writeln!(out);
        }
    }
}

/// How far it is, as a person reads it.
fn line(now: Progress<'_>) -> String {
    const WIDTH: u64 = 20;
    let verb = match now.stage {
        Stage::Copying => "copying",
        Stage::Finishing => return "making indexes and links".to_owned(),
        Stage::Comparing => "comparing",
    };
    let done = now.rows.min(now.of);
    let share = |whole: u64| (done * whole).checked_div(now.of).unwrap_or(whole);
    let bar: String = (0..WIDTH)
        .map(|place| if place < share(WIDTH) { '#' } else { '.' })
        .collect();
    format!(
        "[{bar}] {:>3} %  {verb} {}: {} of {} rows",
        share(100),
        now.table,
        now.rows,
        now.of
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_is_told_in_one_line() {
        let now = Progress {
            stage: Stage::Copying,
            table: "r_ticket",
            rows: 50,
            of: 200,
        };
        assert_eq!(
            line(now),
            "[#####...............]  25 %  copying r_ticket: 50 of 200 rows"
        );
        let nothing = Progress {
            rows: 0,
            of: 0,
            ..now
        };
        assert!(line(nothing).contains("100 %"));
    }
}
