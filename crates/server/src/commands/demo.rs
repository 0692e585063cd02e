//! `opsflux demo`

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use opsflux_demo::{DemoOptions, Progress, fill};
use opsflux_records::Sealer;

use super::{Done, say};
use crate::config::{Config, Mode};

/// What every account of the demo company signs in with. It is printed and stands in the
/// documentation, so it is given only where nothing is at stake.
const PASSWORD: &str = "Demo-OpsFlux-2026";

/// Tickets written between two lines of progress where nobody watches a terminal.
const EVERY: u32 = 10_000;

pub async fn run(config: Config, tickets: u32, seed: u64) -> Done {
    if config.mode == Mode::Production {
        return Err("demo accounts share a known password: set OPSFLUX_MODE=development".into());
    }
    let base = super::open(config).await?;
    let keys = base.keys.clone();
    let hashed = tokio::task::spawn_blocking(move || keys.hash_password(PASSWORD)).await?;
    let password_hash = hashed.map_err(|(code, _)| format!("the demo password: {code}"))?;
    let blobs = base.blobs()?;
    let options = DemoOptions {
        tickets,
        seed,
        now: base.records.now(),
        password_hash,
        blobs: Some(Arc::new(blobs)),
    };
    let made = fill(&base.records, options, show).await?;
    let mut text = format!("\n{}: ", made.company);
    let rows: Vec<String> = made
        .rows
        .iter()
        .map(|(name, n)| format!("{n} {name}"))
        .collect();
    text.push_str(&rows.join(", "));
    text.push_str(&format!("\n\n  Password of every account  {PASSWORD}\n\n"));
    for login in &made.logins {
        text.push_str(&format!(
            "  {:<12} {:<38} {} ({})\n",
            login.role, login.email, login.full_name, login.job_title
        ));
    }
    say(&text)?;
    base.records.store().close().await;
    Ok(ExitCode::SUCCESS)
}

/// A line that counts, rewritten in place on a terminal.
fn show(progress: Progress) {
    let mut out = io::stderr().lock();
    let Progress { tickets, of } = progress;
    // Progress that cannot be shown is no reason to stop.
    if out.is_terminal() {
        let _ = write!(out, "\r{tickets} of {of} tickets");
        if tickets == of {
            let _ = writeln!(out);
        }
    } else if tickets % EVERY == 0 || tickets == of {
        let _ = writeln!(out, "{tickets} of {of} tickets");
    }
}
