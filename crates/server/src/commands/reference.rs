//! `opsflux reference …`: for `cargo xtask generate`.

use std::process::ExitCode;

use opsflux_model::declare::editor;

use super::{Done, say};
use crate::cli::Reference;
use crate::config;

pub fn run(reference: &Reference) -> Done {
    match reference {
        Reference::Configuration => say(&config::reference())?,
        Reference::Declaration { kind } => {
            let known = editor::File::NAMES.iter().find(|(name, _)| name == kind);
            let (_, file) = known.ok_or_else(|| {
                let names = editor::File::NAMES.map(|(name, _)| name);
                format!(
                    "there is no declaration file {kind}; there are {}",
                    names.join(", ")
                )
            })?;
            say(&format!("{:#}\n", editor::schema(*file)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
