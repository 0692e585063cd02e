//! `opsflux restore FILE`

use std::path::PathBuf;
use std::process::ExitCode;

use super::backup::show;
use super::{Done, say, verify};
use crate::backup::restore;
use crate::config::Config;

pub async fn run(config: Config, file: PathBuf) -> Done {
    let keys = verify::keys(&config, &file)?;
    let restored = restore::restore(&config, &file, keys, show("restored")).await?;
    let mut text = format!(
        "{} is restored into {}.\n{}",
        file.display(),
        config.data.display(),
        verify::told(&restored.checked)
    );
    if let Some(path) = restored.configuration {
        text.push_str(&format!(
            "The configuration file is at {}; it is not read from there.\n",
            path.display()
        ));
    }
    if let Some(path) = restored.modules.filter(|_| config.modules.is_none()) {
        text.push_str(&format!(
            "The modules are at {0}: start with `modules = \"{0}\"`.\n",
            path.display()
        ));
    }
    text.push_str("Start it with `opsflux serve`; the search index is made again.\n");
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}
