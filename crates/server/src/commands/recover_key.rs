//! `opsflux recover-key`

use std::io::Read;
use std::process::ExitCode;

use super::{Done, say};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::secret;

/// Longer than any recovery key with its separators.
const LONGEST: u64 = 1024;

pub fn run(config: &Config) -> Done {
    let folder = DataFolder::take(&config.data)?;
    let mut recovery = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut recovery)?;
    secret::recover(folder.path(), &recovery)?;
    say("The secret key is back.\n")?;
    Ok(ExitCode::SUCCESS)
}
