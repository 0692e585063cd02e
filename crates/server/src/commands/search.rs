//! `opsflux search rebuild`: the index made again from the records.

use std::process::ExitCode;

use super::{Done, say};
use crate::config::Config;
use crate::run::Base;

/// Makes the index again. The folder is taken for it: a running server keeps its index up itself,
/// and makes it again at the start when it is not there.
pub async fn rebuild(config: Config) -> Done {
    let base = Base::open(config).await?;
    let search = base.search()?;
    let mut records = 0;
    search.fill(|done| records = done).await?;
    say(&format!("{records} records are in the search index.\n"))?;
    search.close().await;
    base.records.store().close().await;
    Ok(ExitCode::SUCCESS)
}
