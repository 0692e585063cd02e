//! The messaging room with this configuration and the keys of the instance.

use std::sync::Arc;

use opsflux_identity::Keys;
use opsflux_messaging::mail::Tls;
use opsflux_messaging::{Dice, Limits, MailConfig, Messaging, MessagingOptions, Vault};
use opsflux_records::{Records, Sealer};

use crate::config::{Config, Messages, Secret};

/// The keys of the instance as messaging uses them.
struct Sealed(Arc<Keys>);

impl Vault for Sealed {
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String> {
        Sealer::seal(&*self.0, tenant, clear)
    }

    fn open(&self, tenant: i64, sealed: &str) -> Result<String, String> {
        self.0
            .open(tenant, sealed)
            .map_err(|error| error.to_string())
    }
}

/// The room; nothing is sent before it works.
#[must_use]
pub fn messaging(config: &Config, records: &Records, keys: &Arc<Keys>) -> Messaging {
    let decided = &config.messages;
    Messaging::new(MessagingOptions {
        records: records.clone(),
        vault: Arc::new(Sealed(keys.clone())),
        mail: mail(decided),
        calls: Limits {
            allow_private: decided.allow_private_targets,
            ..Limits::default()
        },
        dice: Dice::fair(),
        lease: decided.lease,
    })
}

/// The mail server, when one is named.
#[must_use]
pub fn mail(decided: &Messages) -> Option<MailConfig> {
    let host = decided.host.clone()?;
    let usual = match decided.tls {
        Tls::None => 25,
        Tls::StartTls => 587,
        Tls::Tls => 465,
    };
    let from = decided.from.clone();
    Some(MailConfig {
        port: decided.port.unwrap_or(usual),
        user: decided.user.clone(),
        password: decided
            .password
            .as_ref()
            .map(Secret::reveal)
            .map(str::to_owned),
        from: from.unwrap_or_else(|| format!("OpsFlux <opsflux@{host}>")),
        tls: decided.tls,
        authorities: decided.ca_file.clone(),
        host,
    })
}
