//! How messages leave the house: the mail server, and what calls may reach.

use std::path::PathBuf;

use jiff::SignedDuration;
use opsflux_messaging::mail::{Tls, mailbox};

use super::Secret;
use super::keys::{Default, Key, NotAllowed};

/// What is decided about messages.
#[derive(Debug, Clone)]
pub struct Messages {
    /// The mail server; without one no mail leaves.
    pub host: Option<String>,
    /// Its port, when it is not the usual one.
    pub port: Option<u16>,
    /// Its log-in.
    pub user: Option<String>,
    /// The password of the log-in.
    pub password: Option<Secret>,
    /// Who mails are from.
    pub from: Option<String>,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Authorities besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether calls may reach this machine and private networks.
    pub allow_private_targets: bool,
    /// How long a process that died holds what it was sending.
    pub lease: SignedDuration,
}

impl std::default::Default for Messages {
    fn default() -> Messages {
        Messages {
            host: None,
            port: None,
            user: None,
            password: None,
            from: None,
            tls: Tls::StartTls,
            ca_file: None,
            allow_private_targets: false,
            lease: SignedDuration::from_secs(60),
        }
    }
}

/// The keys about messages.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "http.allow_private_targets",
        aliases: &[],
        takes: "`on` or `off`",
        default: Default::Is("off"),
        about: "Whether webhooks may call this machine and private networks. Whoever may write a \
                workflow then reaches what stands beside the server.",
        set: |config, raw| {
            config.messages.allow_private_targets = raw.switch()?;
            Ok(())
        },
    },
    Key {
        name: "mail.host",
        aliases: &[],
        takes: "the name or address of an SMTP server",
        default: Default::None,
        about: "Through whom mail leaves. None: no mail leaves, and what should have says so.",
        set: |config, raw| {
            config.messages.host = Some(raw.filled()?.to_owned());
            Ok(())
        },
    },
    Key {
        name: "mail.port",
        aliases: &[],
        takes: "a number from 1 to 65535",
        default: Default::Described("587 with `starttls`, 465 with `tls`, 25 with `none`"),
        about: "The port of the mail server.",
        set: |config, raw| {
            config.messages.port = Some(raw.number(1..=65_535)?);
            Ok(())
        },
    },
    Key {
        name: "mail.tls",
        aliases: &[],
        takes: "`starttls`, `tls` or `none`",
        default: Default::Is("starttls"),
        about: "How the connection to the mail server is encrypted: after the greeting, from the \
                first byte, or not at all. `starttls` never goes on in clear.",
        set: |config, raw| {
            config.messages.tls = raw.one_of(&[
                ("starttls", Tls::StartTls),
                ("tls", Tls::Tls),
                ("none", Tls::None),
            ])?;
            Ok(())
        },
    },
    Key {
        name: "mail.ca_file",
        aliases: &[],
        takes: "a file with a certificate as PEM",
        default: Default::None,
        about: "An authority to trust besides the system's, for a mail server of one's own.",
        set: |config, raw| {
            config.messages.ca_file = Some(PathBuf::from(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "mail.user",
        aliases: &[],
        takes: "a name",
        default: Default::None,
        about: "The log-in at the mail server. None: it takes mail without one.",
        set: |config, raw| {
            config.messages.user = Some(raw.filled()?.to_owned());
            Ok(())
        },
    },
    Key {
        name: "mail.password",
        aliases: &[],
        takes: "a password",
        default: Default::None,
        about: "The password of the log-in at the mail server. Never logged.",
        set: |config, raw| {
            config.messages.password = Some(Secret::new(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "mail.from",
        aliases: &[],
        takes: "an address, or `Name <address>`",
        default: Default::Described("`OpsFlux <opsflux@HOST>` with the mail server's name"),
        about: "Who mails are from.",
        set: |config, raw| {
            let from = raw.filled()?;
            mailbox(from).ok_or(NotAllowed)?;
            config.messages.from = Some(from.to_owned());
            Ok(())
        },
    },
    Key {
        name: "messages.lease",
        aliases: &[],
        takes: "a number of seconds from 2 to 3600",
        default: Default::Is("60"),
        about: "How long a process that died holds what it was sending, before another goes on.",
        set: |config, raw| {
            config.messages.lease = SignedDuration::from_secs(raw.number(2..=3600)?);
            Ok(())
        },
    },
];
