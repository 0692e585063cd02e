//! `opsflux migrate`

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use super::{Done, say};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::{backup, modules, run};

pub async fn run(config: Config, plan_only: bool, allow: Vec<String>) -> Done {
    let schema = Arc::new(modules::schema(config.modules.as_deref())?);
    let allow: BTreeSet<String> = allow.into_iter().collect();
    // A plan is read beside a running server; a change is made alone.
    let _folder = if plan_only {
        std::fs::create_dir_all(&config.data)?;
        None
    } else {
        Some(DataFolder::take(&config.data)?)
    };
    if !plan_only {
        backup::migration::backup(&config, &schema, &allow).await?;
    }
    let store = run::open_store(&config).await?;
    let plan = store.plan(&schema, &allow).await?;
    if plan_only {
        let now = plan.sql.iter().map(|sql| format!("{sql};\n"));
        let later = plan.later.iter().map(|sql| format!("{sql};\n"));
        let mut text: String = now.collect();
        if !plan.later.is_empty() {
            text.push_str("\n-- when the new columns are filled:\n");
            text.extend(later);
        }
        if text.is_empty() {
            text.push_str("-- nothing to do\n");
        }
        say(&text)?;
    } else {
        let migrated = store.migrate(schema, &allow).await?;
        if migrated.unfinished {
            store.run_fills().await?;
        }
        say(if migrated.changed {
            "The tables are up to date.\n"
        } else {
            "Nothing to do.\n"
        })?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
