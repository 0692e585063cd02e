//! Every key, once.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::sources::Raw;
use super::{Config, LoggedRequests, Mode, Secret};

/// One thing that can be decided.
pub(super) struct Key {
    /// As in `opsflux.toml`; the dot separates the table.
    pub name: &'static str,
    /// Environment variables besides the regular one.
    pub aliases: &'static [&'static str],
    /// What it takes, in words: for the reference and for refusals.
    pub takes: &'static str,
    /// Its value when nobody says anything.
    pub default: Default,
    /// What it is for.
    pub about: &'static str,
    /// Reads a value into its place.
    pub set: fn(&mut Config, &Raw) -> Result<(), NotAllowed>,
}

/// The value of a key nobody mentions.
pub(super) enum Default {
    /// None.
    None,
    /// The same in both modes.
    Is(&'static str),
    /// None in the table: the words say what happens instead.
    Described(&'static str),
    /// `production`, `development`.
    ByMode(&'static str, &'static str),
}

impl Default {
    /// The value in `mode`.
    pub fn text(&self, mode: Mode) -> Option<&'static str> {
        match (self, mode) {
            (Default::None | Default::Described(_), _) => None,
            (Default::Is(text), _)
            | (Default::ByMode(text, _), Mode::Production)
            | (Default::ByMode(_, text), Mode::Development) => Some(text),
        }
    }
}

/// The value is none that the key takes.
pub(super) struct NotAllowed;

impl Key {
    /// The regular environment variable.
    pub fn variable(&self) -> String {
        format!("OPSFLUX_{}", self.name.replace('.', "__").to_uppercase())
    }
}

/// Every key, in the order of the reference.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
        .chain(super::messages::KEYS)
        .chain(super::encryption::KEYS)
        .chain(super::backup::KEYS)
}

/// All but those of parts of the program with a file of their own.
static KEYS: &[Key] = &[
    Key {
        name: "mode",
        aliases: &[],
        takes: "`production` or `development`",
        default: Default::Is("production"),
        about: "For whom the server runs. It sets the defaults of the keys that say so below, \
                and nothing else.",
        set: |config, raw| {
            config.mode = raw.one_of(&[
                ("production", Mode::Production),
                ("development", Mode::Development),
            ])?;
            Ok(())
        },
    },
    Key {
        name: "listen",
        aliases: &[],
        takes: "an IP address and a port, such as `0.0.0.0:8080`; port 0 takes a free one",
        default: Default::Is("127.0.0.1:8080"),
        about: "Where the server listens.",
        set: |config, raw| {
            config.http.listen = raw.parse::<SocketAddr>()?;
            Ok(())
        },
    },
    Key {
        name: "data",
        aliases: &[],
        takes: "a folder; it is made when it does not exist",
        default: Default::Is("data"),
        about: "The folder this process owns: database file, secret key, stored files, search \
                index. One running process per folder.",
        set: |config, raw| {
            config.data = PathBuf::from(raw.filled()?);
            Ok(())
        },
    },
    Key {
        name: "modules",
        aliases: &[],
        takes: "a folder with a folder for each module",
        default: Default::None,
        about: "Modules besides those in the program; one with the name of a built-in module takes \
                its place. For those who write modules.",
        set: |config, raw| {
            config.modules = Some(PathBuf::from(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "database_url",
        aliases: &[],
        takes: "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`",
        default: Default::Described("`sqlite:` with `opsflux.db` in the data folder"),
        about: "Where the rows are.",
        set: |config, raw| {
            let url = raw.filled()?;
            let known = ["sqlite:", "postgres://", "postgresql://"];
            if !known.iter().any(|scheme| url.starts_with(scheme)) {
                return Err(NotAllowed);
            }
            config.database_url = Some(url.to_owned());
            Ok(())
        },
    },
    Key {
        name: "database.readers",
        aliases: &[],
        takes: "a number from 1 to 64",
        default: Default::Is("8"),
        about: "How many connections read from the database.",
        set: |config, raw| {
            config.database_readers = raw.number(1..=64)?;
            Ok(())
        },
    },
    Key {
        name: "admin_email",
        aliases: &[],
        takes: "an e-mail address",
        default: Default::Is("admin@opsflux.local"),
        about: "The account that is made in an empty database. It holds the instance.",
        set: |config, raw| {
            let email = raw.filled()?;
            let (name, domain) = email.split_once('@').ok_or(NotAllowed)?;
            if name.is_empty() || domain.is_empty() {
                return Err(NotAllowed);
            }
            config.admin.email = email.to_owned();
            Ok(())
        },
    },
    Key {
        name: "admin_password",
        aliases: &["ADMIN_PASSWORD"],
        takes: "a password",
        default: Default::Described("generated and printed once"),
        about: "Its first password. Kept as a hash only, never logged, and of no effect once the \
                account exists.",
        set: |config, raw| {
            config.admin.password = Some(Secret::new(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "secret_key",
        aliases: &[],
        takes: "32 bytes as 64 hexadecimal digits",
        default: Default::Described(
            "made at the first start and kept in `secret.key` in the data folder",
        ),
        about: "The key of everything encrypted and signed. Given here, it is never written to \
                the data folder.",
        set: |config, raw| {
            let text = raw.filled()?;
            if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(NotAllowed);
            }
            config.secret_key = Some(Secret::new(text));
            Ok(())
        },
    },
    Key {
        name: "http.public_url",
        aliases: &[],
        takes: "an address such as `https://desk.example.org`, without a path",
        default: Default::None,
        about: "The address people use; links in messages begin with it.",
        set: |config, raw| {
            config.http.public_url = Some(origin(raw.filled()?)?);
            Ok(())
        },
    },
    Key {
        name: "http.trusted_proxies",
        aliases: &[],
        takes: "IP addresses or networks, such as `10.0.0.0/8`; in the environment separated by commas",
        default: Default::Is(""),
        about: "Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
        set: |config, raw| {
            config.http.trusted_proxies = raw
                .list()
                .into_iter()
                .map(network)
                .collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Key {
        name: "http.cors_origins",
        aliases: &[],
        takes: "origins such as `https://portal.example.org`; in the environment separated by commas",
        default: Default::Is(""),
        about: "Sites whose scripts may call the API with a bearer token. None: closed.",
        set: |config, raw| {
            config.http.cors_origins = raw
                .list()
                .into_iter()
                .map(origin)
                .collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Key {
        name: "http.rate_limit",
        aliases: &[],
        takes: "a number from 0 to 1000000; 0 is no limit",
        default: Default::Is("600"),
        about: "Requests a minute and session, or address without a session; then 429 with `Retry-After`.",
        set: |config, raw| {
            config.http.rate_limit = raw.number(0..=1_000_000)?;
            Ok(())
        },
    },
    Key {
        name: "http.body_limit",
        aliases: &[],
        takes: "a number of bytes from 1024 to 1073741824",
        default: Default::Is("8388608"),
        about: "The largest JSON body; then 413.",
        set: |config, raw| {
            config.http.body_limit = raw.number(1024..=1 << 30)?;
            Ok(())
        },
    },
    Key {
        name: "http.upload_limit",
        aliases: &[],
        takes: "a number of bytes from 1024 to 107374182400",
        default: Default::Is("104857600"),
        about: "The largest upload; then 413.",
        set: |config, raw| {
            config.http.upload_limit = raw.number(1024..=100 << 30)?;
            Ok(())
        },
    },
    Key {
        name: "http.plain",
        aliases: &[],
        takes: "`local` or `anywhere`",
        default: Default::ByMode("local", "anywhere"),
        about: "Who may speak plain HTTP: `local` is this machine and trusted proxies, which \
                should themselves speak HTTPS to the outside. The probes answer anybody.",
        set: |config, raw| {
            config.http.plain_from_anywhere =
                raw.one_of(&[("local", false), ("anywhere", true)])?;
            Ok(())
        },
    },
    Key {
        name: "http.secure_cookies",
        aliases: &[],
        takes: "`on` or `off`",
        default: Default::ByMode("on", "off"),
        about: "Whether browsers send the session over HTTPS only.",
        set: |config, raw| {
            config.http.secure_cookies = raw.switch()?;
            Ok(())
        },
    },
    Key {
        name: "auth.signup",
        aliases: &[],
        takes: "`on` or `off`",
        default: Default::ByMode("off", "on"),
        about: "Whether a stranger may sign up and get an organisation of their own.",
        set: |config, raw| {
            config.auth.signup = raw.switch()?;
            Ok(())
        },
    },
    Key {
        name: "auth.mfa",
        aliases: &[],
        takes: "`off`, until the second factor is there",
        default: Default::Is("off"),
        about: "Who needs a second factor to sign in.",
        set: |_, raw| raw.one_of(&[("off", ())]),
    },
    Key {
        name: "log.level",
        aliases: &[],
        takes: "`error`, `warn`, `info`, `debug` or `trace`",
        default: Default::Is("info"),
        about: "The least important lines that are written.",
        set: |config, raw| {
            let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
            config.log.level = raw.one_of(&levels)?.to_owned();
            Ok(())
        },
    },
    Key {
        name: "log.format",
        aliases: &["OPSFLUX_LOG_FORMAT"],
        takes: "`json` (one object a line) or `text`",
        default: Default::Is("json"),
        about: "For machines or for people.",
        set: |config, raw| {
            config.log.text = raw.one_of(&[("json", false), ("text", true)])?;
            Ok(())
        },
    },
    Key {
        name: "log.requests",
        aliases: &[],
        takes: "`failed` or `all`",
        default: Default::Is("failed"),
        about: "Which requests get a line: those that fail on our side, or all.",
        set: |config, raw| {
            config.log.requests = raw.one_of(&[
                ("failed", LoggedRequests::Failed),
                ("all", LoggedRequests::All),
            ])?;
            Ok(())
        },
    },
    Key {
        name: "log.file",
        aliases: &[],
        takes: "a file; the date is added to its name",
        default: Default::None,
        about: "A file besides stderr. A new one begins each day.",
        set: |config, raw| {
            let file = PathBuf::from(raw.filled()?);
            if file.file_name().is_none() {
                return Err(NotAllowed);
            }
            config.log.file = Some(file);
            Ok(())
        },
    },
    Key {
        name: "log.keep",
        aliases: &[],
        takes: "a number from 1 to 3650",
        default: Default::Is("14"),
        about: "How many of these files are kept.",
        set: |config, raw| {
            config.log.keep = raw.number(1..=3650)?;
            Ok(())
        },
    },
    Key {
        name: "audit.keep_years",
        aliases: &[],
        takes: "a number from 7 to 100",
        default: Default::Is("7"),
        about: "How long entries of the audit are kept. Older ones are purged behind a signed cut, \
                and the purge is an entry.",
        set: |config, raw| {
            config.audit.keep_years = raw.number(7..=100)?;
            Ok(())
        },
    },
];

/// `https://host[:port]`, as browsers send it.
fn origin(text: &str) -> Result<String, NotAllowed> {
    let url = url::Url::parse(text).map_err(|_| NotAllowed)?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if bare && url.username().is_empty() => {
            Ok(url.origin().ascii_serialization())
        }
        _ => Err(NotAllowed),
    }
}

/// A network, or one address as a network of its own.
fn network(text: &str) -> Result<IpNet, NotAllowed> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| NotAllowed)
}
