//! `opsflux encryption`: what lies on the disk, encrypted, not, or for another key.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;

use super::{Done, say};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::encryption::change::{Changed, Step, Wanted, Watch, change, settle};
use crate::encryption::{given, held};
use crate::secret::{self, SecretError};

/// Encryption at rest.
#[derive(Debug, Subcommand)]
pub enum Encryption {
    /// Tell whether the data folder is encrypted; finish a change that was broken off
    Status,
    /// Encrypt everything in the data folder for the secret key given from outside it
    On,
    /// Write everything in the data folder in clear again
    Off,
    /// Go over to another secret key: OPSFLUX_NEW_SECRET_KEY, or from a file or a command
    Rotate {
        /// The file of the new key
        #[arg(long, value_name = "FILE", conflicts_with = "new_key_command")]
        new_key_file: Option<PathBuf>,
        /// A command that prints the new key
        #[arg(long, value_name = "COMMAND")]
        new_key_command: Option<String>,
        /// Encrypt everything anew besides, with another data key
        #[arg(long)]
        re_encrypt: bool,
    },
}

pub fn run(config: &Config, command: &Encryption) -> Done {
    if matches!(command, Encryption::Status) {
        return status(config);
    }
    // Beside a running server nothing of this is possible: it is named.
    let folder = DataFolder::take(&config.data)?;
    let wanted = match command {
        Encryption::Status | Encryption::On => Wanted::On,
        Encryption::Off => Wanted::Off,
        Encryption::Rotate {
            new_key_file,
            new_key_command,
            re_encrypt,
        } => {
            let new = match (new_key_file, new_key_command) {
                (Some(file), _) if given::lies_in(file, &config.data) => {
                    return Err(SecretError::Inside(file.clone()).into());
                }
                (Some(file), _) => given::from_file(file)?,
                (None, Some(command)) => given::from_command(command)?,
                (None, None) => config.encryption.new_key.clone().ok_or(
                    "give the new key as OPSFLUX_NEW_SECRET_KEY, --new-key-file or \
                     --new-key-command",
                )?,
            };
            Wanted::Rotate {
                to: secret::parse(new.reveal()).ok_or(SecretError::Crypto)?,
                data_too: *re_encrypt,
            }
        }
    };
    let changed = change(config, &folder, &wanted, &shown())?;
    if io::stderr().is_terminal() {
        eprintln!();
    }
    say(match (changed, &wanted) {
        (Changed::Nothing, _) => "It is so already.\n",
        (Changed::Done, Wanted::On) => {
            "Everything in the data folder is encrypted. What was there before in clear may still \
             be found in free blocks of the disk. The search index is made again at the next \
             start.\n"
        }
        (Changed::Done, Wanted::Off) => {
            "Nothing in the data folder is encrypted any more. The search index is made again at \
             the next start.\n"
        }
        (Changed::Done, Wanted::Rotate { .. }) => {
            "The new key opens the data folder from now on. The old one still opens the backups \
             that were made with it: keep it as long as them.\n"
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn status(config: &Config) -> Done {
    let found = match held(config) {
        Err(SecretError::Switching(_)) => {
            settle(config, &DataFolder::take(&config.data)?)?;
            say("A change that was broken off is finished.\n")?;
            held(config)?
        }
        found => found?,
    };
    say(match (found.data.is_some(), found.is_outside) {
        (true, _) => "on: everything is encrypted; the key comes from outside the data folder.\n",
        (false, true) => "off: nothing is encrypted; the key comes from outside the data folder.\n",
        (false, false) => "off: nothing is encrypted; the key lies in the data folder.\n",
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A line that counts on a terminal.
fn shown() -> Watch {
    let terminal = io::stderr().is_terminal();
    Arc::new(move |step: Step| {
        let share = (step.done * 100).checked_div(step.of).unwrap_or(100);
        if terminal {
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{:>3} %  {}", share, step.what);
        }
        true
    })
}
