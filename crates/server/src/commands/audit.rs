//! `opsflux audit verify`: whether every entry of the audit is as it was sealed.
//!
//! It reads beside a running server and changes nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use opsflux_records::Records;
use opsflux_records::audit::{Finding, Head, Walk};
use opsflux_store::DatabaseUrl;

use super::{Done, say};
use crate::audit_heads::{FILE, HeadsFile};
use crate::config::Config;
use crate::{encryption, pipeline, run};

/// What nothing inside can show.
const NO_ANCHOR: &str = "\
Nothing outside the data folder was compared: a roll-back of the whole folder cannot be seen.
Keep copies of audit-heads.log elsewhere and give one with --heads FILE.
";

/// Walks every chain; exit 1 naming the first bad entry of each.
pub async fn verify(config: Config, elsewhere: Option<PathBuf>) -> Done {
    let (records, own) = open(&config).await?;
    let mut outside = own.read().map_err(|error| format!("{FILE}: {error}"))?;
    let inside = outside.len();
    if let Some(path) = &elsewhere {
        let copy = std::fs::metadata(path).and_then(|_| HeadsFile::at(path).read());
        outside.extend(copy.map_err(|error| format!("{}: {error}", path.display()))?);
        if outside.len() == inside {
            return Err(format!("{} holds no heads", path.display()).into());
        }
    }
    let names: BTreeMap<i64, String> = records
        .store()
        .tenants()
        .await?
        .into_iter()
        .map(|tenant| (tenant.number, tenant.name))
        .collect();
    let mut tenants = records.store().audit_tenants().await?;
    // A chain that is gone from the database whole may still be known outside.
    tenants.extend(outside.iter().map(|head| head.tenant));
    tenants.sort_unstable();
    tenants.dedup();
    let mut whole = true;
    for tenant in tenants {
        let name = names.get(&tenant).map_or("unknown", String::as_str);
        let finding = walk(&records, tenant, &outside).await?;
        whole &= finding.bad.is_none();
        say(&format!("tenant {tenant} ({name}): {}\n", told(&finding)))?;
    }
    if elsewhere.is_none() {
        say(NO_ANCHOR)?;
    }
    records.store().close().await;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The pipeline, without taking the folder or making anything in it.
async fn open(
    config: &Config,
) -> Result<(Records, HeadsFile), Box<dyn std::error::Error + Send + Sync>> {
    let url: DatabaseUrl = config.database().parse()?;
    if let Some(path) = url.path()
        && !path.exists()
    {
        return Err(format!("there is no database at {}", path.display()).into());
    }
    let key = encryption::held(config)?.root;
    let store = run::open_store(config).await?;
    let schema = crate::modules::schema(config.modules.as_deref())?;
    store.install_schema(schema.into());
    let (records, _) = pipeline::over(store, key)?;
    Ok((records, HeadsFile::at(&config.data.join(FILE))))
}

async fn walk(
    records: &Records,
    tenant: i64,
    outside: &[Head],
) -> Result<Finding, Box<dyn std::error::Error + Send + Sync>> {
    let last = records.store().audit_last_seal(tenant).await?;
    let last = last.map_or(0, |seal| seal.seq);
    let shown = std::io::stderr().is_terminal();
    let mut walk = Walk::of(tenant);
    loop {
        let finding = walk.advance(records, outside).await?;
        if shown {
            let done = finding.is_some();
            let text = match done {
                false => format!("\rtenant {tenant}: {} of {last} entries", walk.walked()),
                true => format!("\r{:60}\r", ""),
            };
            std::io::stderr().write_all(text.as_bytes())?;
        }
        if let Some(finding) = finding {
            return Ok(finding);
        }
    }
}

fn told(finding: &Finding) -> String {
    let mut text = match &finding.bad {
        None => format!("{} entries, whole", finding.entries - finding.purged),
        Some(bad) => {
            let place = bad.seq.map_or("without a place".to_owned(), |seq| {
                format!("sequence {seq}")
            });
            let entry = bad.entry.map_or("unknown".to_owned(), |id| id.to_string());
            format!("BAD at {place}, entry {entry}: {}", bad.wrong)
        }
    };
    if finding.waiting > 0 {
        text.push_str(&format!("; {} not sealed yet", finding.waiting));
    }
    if finding.purged > 0 {
        text.push_str(&format!("; {} purged before, signed for", finding.purged));
    }
    text
}
