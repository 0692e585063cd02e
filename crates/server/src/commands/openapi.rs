//! `opsflux openapi`

use std::process::ExitCode;

use super::{Done, say};
use crate::config::Config;
use crate::run;

pub async fn run(config: Config) -> Done {
    let document: serde_json::Value = serde_json::from_slice(&run::document(config).await?)?;
    say(&format!("{document:#}\n"))?;
    Ok(ExitCode::SUCCESS)
}
