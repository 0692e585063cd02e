//! `opsflux doctor`: what would keep the server from working, before somebody finds out.
//!
//! It reads beside a running server and changes nothing but making a data folder that is not
//! there.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jiff::Timestamp;

use super::{Done, say};
use crate::backup::{BackupError, lock};
use crate::config::{Config, Mode};
use crate::secret::{self, SecretError};
use crate::{encryption, health, messages, modules, run};

/// Nothing runs before this was written: an earlier clock is wrong.
const WRITTEN: &str = "2026-01-01T00:00:00Z";

/// One finding.
struct Finding {
    what: &'static str,
    trouble: Option<String>,
    note: String,
}

impl Finding {
    fn good(what: &'static str, note: impl Into<String>) -> Finding {
        Finding {
            what,
            trouble: None,
            note: note.into(),
        }
    }

    fn bad(what: &'static str, trouble: impl Into<String>) -> Finding {
        Finding {
            what,
            trouble: Some(trouble.into()),
            note: String::new(),
        }
    }
}

pub async fn run(config: Config) -> Done {
    // That we are here means that every key exists and parses.
    let mut findings = vec![configuration(&config), disk(&config)];
    findings.extend(database(&config).await);
    findings.push(at_rest(&config));
    findings.push(backup(&config));
    findings.push(mail(&config).await);
    findings.push(clock());
    let mut healthy = true;
    for finding in &findings {
        let (mark, text) = match &finding.trouble {
            None => ("ok    ", &finding.note),
            Some(trouble) => {
                healthy = false;
                ("FAILED", trouble)
            }
        };
        say(&format!("{mark}  {:<14} {text}\n", finding.what))?;
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn configuration(config: &Config) -> Finding {
    let listens_outside = !config.http.listen.ip().is_loopback();
    if config.mode == Mode::Development && listens_outside {
        return Finding::bad(
            "configuration",
            "development mode listens on an address others can reach: anybody may sign up, \
             cookies travel in clear text",
        );
    }
    Finding::good(
        "configuration",
        format!("{} mode, {}", config.mode.name(), config.http.listen),
    )
}

fn disk(config: &Config) -> Finding {
    if let Err(error) = std::fs::create_dir_all(&config.data) {
        return Finding::bad("disk", format!("{}: {error}", config.data.display()));
    }
    let probe = config.data.join(format!("doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, "x").and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = written {
        return Finding::bad(
            "disk",
            format!("{} cannot be written: {error}", config.data.display()),
        );
    }
    let disk = health::disk(&config.data);
    match disk.trouble {
        Some(trouble) => Finding::bad("disk", trouble),
        None => {
            let free = disk
                .figures
                .iter()
                .map(|(_, bytes)| bytes / (1024 * 1024))
                .sum::<u64>();
            Finding::good(
                "disk",
                format!("{}, {free} MiB free", config.data.display()),
            )
        }
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let schema = match modules::schema(config.modules.as_deref()) {
        Ok(schema) => schema,
        Err(mistakes) => return vec![Finding::bad("modules", mistakes.to_string())],
    };
    let modules = Finding::good(
        "modules",
        format!(
            "{} with {} entities",
            schema.modules.len(),
            schema.entities.len()
        ),
    );
    let store = match run::open_store(config).await {
        Ok(store) => store,
        Err(error) => return vec![modules, Finding::bad("database", error.to_string())],
    };
    let answers = match store.ping().await {
        Ok(()) => {
            // Opening it has checked the settings; one that is not so is told by its refusal.
            let kept = match store.kind() {
                "sqlite" => "journal_mode wal, synchronous full",
                _ => "fsync, full_page_writes and synchronous_commit on",
            };
            Finding::good("database", format!("{} answers: {kept}", store.kind()))
        }
        Err(error) => Finding::bad("database", error.to_string()),
    };
    let tables = match store.plan(&schema, &BTreeSet::new()).await {
        Ok(plan) if plan.sql.is_empty() && plan.later.is_empty() => {
            Finding::good("tables", "as the modules need them")
        }
        Ok(plan) => Finding::good(
            "tables",
            format!(
                "{} changes at the next start, see `opsflux migrate --plan`",
                plan.sql.len()
            ),
        ),
        Err(error) => Finding::bad("tables", error.to_string()),
    };
    store.close().await;
    vec![modules, answers, tables]
}

/// Whether what lies on the disk is encrypted, and with a key that is where it should be.
fn at_rest(config: &Config) -> Finding {
    match encryption::held(config) {
        Ok(held) if held.data.is_some() => Finding::good(
            "encryption",
            "on: database file, stored files and index are encrypted; the key is outside",
        ),
        Ok(_) if config.encryption.wanted == Some(true) => {
            let error = SecretError::NotEncrypted(config.data.clone());
            Finding::bad("encryption", error.to_string())
        }
        Ok(_) => Finding::good("encryption", "off: see `opsflux encryption on`"),
        // Before the first start there is no key.
        Err(SecretError::Missing(_)) if !secret::was_used(&config.data) => {
            Finding::good("encryption", "nothing to encrypt yet")
        }
        Err(error) => Finding::bad("encryption", error.to_string()),
    }
}

/// Whether a backup could be made, before one is needed.
fn backup(config: &Config) -> Finding {
    let held = match encryption::held(config) {
        // Before the first start there is nothing to back up.
        Err(SecretError::Missing(_)) if !secret::was_used(&config.data) => {
            return Finding::good("backup", "nothing to back up yet");
        }
        held => held,
    };
    let head = held
        .map_err(BackupError::from)
        .and_then(|held| lock::close(config, &held, Timestamp::now()));
    let head = match head {
        Ok((head, _)) => head,
        Err(error) => return Finding::bad("backup", error.to_string()),
    };
    let by_itself = match &config.backup.folder {
        Some(folder) if !folder.is_dir() && folder.exists() => {
            return Finding::bad("backup", format!("{} is no folder", folder.display()));
        }
        Some(folder) => format!("the server puts them into {}", folder.display()),
        None => "the server makes none by itself: name a backup.folder".to_owned(),
    };
    let note = format!("{by_itself}; one opens with {}", head.opens_with.name());
    Finding::good("backup", note)
}

/// Whether the mail server takes us, before somebody waits for a mail.
async fn mail(config: &Config) -> Finding {
    let Some(server) = messages::mail(&config.messages) else {
        return Finding::good("mail", "no mail leaves: name a mail.host");
    };
    let place = format!("{}:{}", server.host, server.port);
    match opsflux_messaging::mail::check(&server).await {
        Ok(()) => {
            let signed_in = if server.user.is_some() {
                ", signed in"
            } else {
                ""
            };
            Finding::good("mail", format!("{place} answers{signed_in}"))
        }
        Err(trouble) => Finding::bad("mail", format!("{place}: {trouble}")),
    }
}

fn clock() -> Finding {
    let now = Timestamp::now();
    match WRITTEN.parse::<Timestamp>() {
        Ok(written) if now < written => Finding::bad("clock", format!("it says {now}")),
        _ => Finding::good("clock", format!("{now:.0}")),
    }
}
