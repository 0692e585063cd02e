//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands;
use crate::config::{Config, Mistakes, Sources};

/// One program a company installs itself: service desk, inventory and more on shared services.
#[derive(Debug, Parser)]
#[command(name = "opsflux", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    places: Places,
    #[command(subcommand)]
    command: Command,
}

/// Where everything is: for every command.
#[derive(Debug, Clone, clap::Args)]
struct Places {
    /// Configuration file; opsflux.toml in the current folder when there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the database file, keys, stored files and search index
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve {
        /// Address and port
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Fill an empty database with a lifelike company; in development mode only
    Demo {
        /// How many tickets, up to 1,000,000
        #[arg(long, default_value_t = 2_000)]
        tickets: u32,
        /// What chance begins with: the same number gives the same company
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Print the OpenAPI document of what is served
    Openapi,
    /// Bring the tables up to the modules
    Migrate {
        /// Print the SQL and change nothing
        #[arg(long)]
        plan: bool,
        /// What may be dropped with its values: ticket.cost
        #[arg(long, value_name = "NAME")]
        allow: Vec<String>,
    },
    /// The database: from SQLite to PostgreSQL or back
    #[command(subcommand)]
    Db(Db),
    /// Modules: what the program knows of
    #[command(subcommand)]
    Module(Module),
    /// Accounts, from the shell
    #[command(subcommand)]
    User(User),
    /// The audit
    #[command(subcommand)]
    Audit(Audit),
    /// The full-text index
    #[command(subcommand)]
    Search(SearchIndex),
    /// Make one encrypted file of everything, beside a running server
    Backup {
        /// The file; it must not be there yet
        file: PathBuf,
    },
    /// Make an instance from a backup, in an empty data folder and an empty database
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Check every hash and count of a backup without restoring it
    Verify {
        /// The backup
        file: PathBuf,
    },
    /// Encryption at rest: on, off, another key; while no server runs on the data folder
    #[command(subcommand)]
    Encryption(commands::encryption::Encryption),
    /// Check configuration, database, disk and clock
    Doctor,
    /// Ask the running server whether it is well, for containers
    Health,
    /// Bring the secret key of the data folder back with the recovery key, read from stdin
    RecoverKey,
    /// Print what documentation and editors are made from
    #[command(subcommand, hide = true)]
    Reference(Reference),
}

/// The database.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Copy everything into an empty database of the other kind and prove the copy equal; while no
    /// server runs on either. A copy that was broken off goes on where it was
    Copy {
        /// sqlite:PATH or postgres://…: read, never written
        #[arg(long, value_name = "URL")]
        from: String,
        /// The other kind, empty
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Tell whether two databases hold the same, table by table
    Compare {
        /// sqlite:PATH or postgres://…
        #[arg(long, value_name = "URL")]
        from: String,
        /// The other kind
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// Modules.
#[derive(Debug, Subcommand)]
pub enum Module {
    /// Report every mistake in the declarations of a module
    Check {
        /// Its folder
        folder: PathBuf,
        /// Give ids to what is new, in schema.lock
        #[arg(long)]
        fix: bool,
    },
    /// The modules in the program
    List,
}

/// The audit.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Name the first entry that was altered, removed, inserted or put elsewhere; beside a running
    /// server too
    Verify {
        /// A copy of audit-heads.log that was kept elsewhere, to compare with besides
        #[arg(long, value_name = "FILE")]
        heads: Option<PathBuf>,
    },
}

/// The full-text index.
#[derive(Debug, Subcommand)]
pub enum SearchIndex {
    /// Make it again from the records; while no server runs on the data folder
    Rebuild,
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make an account
    Create {
        /// E-mail address to sign in with
        #[arg(long)]
        email: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// Code of the role, such as user, technician, manager, admin
        #[arg(long, default_value = "user")]
        role: String,
        /// Read the password from stdin; otherwise one is made and printed
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account a new password
    Password {
        /// E-mail address or user name
        account: String,
        /// Read the password from stdin; otherwise one is made and printed
        #[arg(long)]
        password_stdin: bool,
    },
    /// All accounts
    List,
}

/// What documentation and editors are made from.
#[derive(Debug, Subcommand)]
pub enum Reference {
    /// The page about configuration
    Configuration,
    /// The JSON Schema of a kind of declaration file: module, entity, roles, view
    Declaration {
        /// Which
        kind: String,
    },
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let listen = match &cli.command {
        Command::Serve { listen } => listen.clone(),
        _ => None,
    };
    let config = match configuration(&cli.places, listen) {
        Ok(config) => config,
        Err(mistakes) => return fail(&mistakes),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let done = runtime.block_on(run(cli.command, config));
    match done {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

type Done = Result<ExitCode, Box<dyn std::error::Error + Send + Sync>>;

async fn run(command: Command, config: Config) -> Done {
    // Only the server tells a story; of a command people read the answer and the warnings.
    let log = match command {
        Command::Serve { .. } => config.log.clone(),
        _ => crate::config::Log {
            text: true,
            level: "warn".to_owned(),
            ..config.log.clone()
        },
    };
    let _flush = crate::logging::start(&log)?;
    match command {
        Command::Serve { .. } => commands::serve::run(config).await,
        Command::Demo { tickets, seed } => commands::demo::run(config, tickets, seed).await,
        Command::Openapi => commands::openapi::run(config).await,
        Command::Migrate { plan, allow } => commands::migrate::run(config, plan, allow).await,
        Command::Db(db) => commands::db::run(config, db).await,
        Command::Module(Module::Check { folder, fix }) => commands::module::check(&folder, fix),
        Command::Module(Module::List) => commands::module::list(),
        Command::User(user) => commands::user::run(config, user).await,
        Command::Audit(Audit::Verify { heads }) => commands::audit::verify(config, heads).await,
        Command::Search(SearchIndex::Rebuild) => commands::search::rebuild(config).await,
        Command::Backup { file } => commands::backup::run(config, file).await,
        Command::Restore { file } => commands::restore::run(config, file).await,
        Command::Verify { file } => commands::verify::run(config, file).await,
        Command::Encryption(command) => commands::encryption::run(&config, &command),
        Command::Doctor => commands::doctor::run(config).await,
        Command::Health => commands::health::run(config).await,
        Command::RecoverKey => commands::recover_key::run(&config),
        Command::Reference(reference) => commands::reference::run(&reference),
    }
}

fn configuration(places: &Places, listen: Option<String>) -> Result<Config, Mistakes> {
    // A variable that is no text cannot be one of ours.
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let named = environment
        .iter()
        .find(|(name, _)| name == "OPSFLUX_CONFIG");
    let file = places
        .config
        .clone()
        .or_else(|| named.map(|(_, path)| PathBuf::from(path)));
    let options = [
        ("data", places.data.clone()),
        ("database_url", places.database_url.clone()),
        ("listen", listen),
    ];
    Config::load(&Sources {
        file,
        default_file: Some(PathBuf::from("opsflux.toml")),
        environment,
        command_line: options
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect(),
    })
}

/// The reason, and that it failed.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("opsflux: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn places_are_understood_before_and_after_the_command() {
        for line in [
            ["opsflux", "--data", "here", "serve"].as_slice(),
            &["opsflux", "serve", "--data", "here"],
        ] {
            let cli = Cli::try_parse_from(line).expect("understood");
            assert_eq!(cli.places.data.as_deref(), Some("here"));
        }
    }
}
