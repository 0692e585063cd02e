//! One file a command. Each answers how the process ends; what it has to say goes to stdout.

pub mod audit;
pub mod backup;
pub mod db;
pub mod demo;
pub mod doctor;
pub mod encryption;
pub mod health;
pub mod migrate;
pub mod module;
pub mod openapi;
pub mod recover_key;
pub mod reference;
pub mod restore;
pub mod search;
pub mod serve;
pub mod user;
pub mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use opsflux_identity::Bootstrapped;

use crate::config::{Config, Secret};
use crate::run::Base;

/// How a command ends.
type Done = Result<ExitCode, Box<dyn std::error::Error + Send + Sync>>;

/// Opens everything, makes what an empty database needs, and tells what cannot be asked for again.
async fn open(config: Config) -> Result<Base, Box<dyn std::error::Error + Send + Sync>> {
    let base = Base::open(config).await?;
    let made = base.bootstrap().await?;
    say(&first_start(&base.config, &made, base.recovery.as_ref()))?;
    Ok(base)
}

/// What a first start made and nobody can ask for again. Secrets are told here, once, and not
/// through the log.
fn first_start(config: &Config, bootstrapped: &Bootstrapped, recovery: Option<&Secret>) -> String {
    let mut text = String::new();
    if let Some(password) = &bootstrapped.generated_password {
        text.push_str(&format!(
            "\n  Administrator  {}\n  Password       {password}\n  \
             Shown this once; change it after signing in.\n",
            config.admin.email,
        ));
    }
    if let Some(recovery) = recovery {
        text.push_str(&format!(
            "\n  Recovery key   {}\n  \
             Shown this once; keep it away from this machine. It brings the secret key back.\n",
            recovery.reveal(),
        ));
    }
    text
}

/// Writes to stdout. A reader that went away (`| head`) is no failure.
fn say(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
