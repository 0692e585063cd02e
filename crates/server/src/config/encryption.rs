//! Keys about encryption at rest and where its key comes from.

use std::path::PathBuf;

use super::Secret;
use super::keys::{Default, Key, NotAllowed};

/// Encryption at rest, and where the secret key comes from when not from `secret_key`.
#[derive(Debug, Clone, Default)]
pub struct Encryption {
    /// Whether what lies on the disk is to be encrypted; as it is when nobody says.
    pub wanted: Option<bool>,
    /// A file with the secret key.
    pub key_file: Option<PathBuf>,
    /// A command that prints the secret key.
    pub key_command: Option<String>,
    /// The key that `opsflux encryption rotate` goes over to.
    pub new_key: Option<Secret>,
}

/// Whether a text is a key as people write one.
#[must_use]
pub fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "encryption",
        aliases: &[],
        takes: "`on` or `off`",
        default: Default::Described("a new data folder is not encrypted, another stays as it is"),
        about: "Whether the SQLite file, stored files and the search index are encrypted on the \
                disk. It holds for a new data folder; another one is changed by `opsflux \
                encryption on` or `off`, and refused while it is not as said here.",
        set: |config, raw| {
            config.encryption.wanted = Some(raw.switch()?);
            Ok(())
        },
    },
    Key {
        name: "secret_key_file",
        aliases: &[],
        takes: "a file outside the data folder",
        default: Default::None,
        about: "A file to read `secret_key` from, when that is not given.",
        set: |config, raw| {
            config.encryption.key_file = Some(PathBuf::from(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "secret_key_command",
        aliases: &[],
        takes: "a command for `sh`",
        default: Default::None,
        about: "A command that prints `secret_key`, when neither that nor its file is given: for \
                key stores that have a client. It is run at each start.",
        set: |config, raw| {
            config.encryption.key_command = Some(raw.filled()?.to_owned());
            Ok(())
        },
    },
    Key {
        name: "new_secret_key",
        aliases: &[],
        takes: "32 bytes as 64 hexadecimal digits",
        default: Default::None,
        about: "The secret key that `opsflux encryption rotate` goes over to; nothing else reads it.",
        set: |config, raw| {
            let text = raw.filled()?;
            if !is_key(text) {
                return Err(NotAllowed);
            }
            config.encryption.new_key = Some(Secret::new(text));
            Ok(())
        },
    },
];
