//! What reaches a person or leaves the house: notifications, mail, calls to other systems.
//!
//! A message is a row of a log entity (`notification`, `delivery`), made by [`Messaging::notify`],
//! [`Messaging::mail`] or [`Messaging::webhook`] and put into the commit of whatever caused it: it is
//! there exactly when its cause is. [`Messaging::work`] sends what is due. Which promise a channel
//! keeps follows from what the other side can tell apart:
//!
//! | channel | promise | how |
//! | --- | --- | --- |
//! | notification | once | it is a row |
//! | webhook | at least once, always with the same `Idempotency-Key` | sent again until it is answered |
//! | mail | at most once by itself | that its text is about to leave is committed before; what breaks after that is `unknown` and waits for a person |
//!
//! What must never be here: when something is to be told (that is `workflow` and the modules), and
//! texts. Start reading at [`outgoing`], then [`work`].

pub mod address;
mod announce;
mod answer;
mod call;
mod deliveries;
mod handler;
pub mod mail;
pub mod message;
mod notifications;
pub mod outgoing;
mod past;
mod queue;
pub mod retry;
pub mod sign;
mod work;

use std::sync::Arc;

use jiff::SignedDuration;
use opsflux_records::{Operation, Records};
use tokio::sync::Notify;
use uuid::Uuid;

pub use call::Limits;
pub use mail::MailConfig;
pub use message::{Cause, Kind, Mail, Method, Notice, Request, Webhook};
pub use outgoing::Queued;
pub use retry::Dice;

/// Seals what may not be read in the database, and opens it when it is sent.
pub trait Vault: Send + Sync {
    /// Encrypts a text of a tenant.
    ///
    /// # Errors
    /// A text for the log.
    fn seal(&self, tenant: i64, clear: &str) -> Result<String, String>;

    /// Opens what [`Vault::seal`] has sealed for the same tenant.
    ///
    /// # Errors
    /// A text for the log.
    fn open(&self, tenant: i64, sealed: &str) -> Result<String, String>;
}

/// What [`Messaging`] is made with.
pub struct MessagingOptions {
    /// Where rows are, and what time it is.
    pub records: Records,
    /// Seals secrets.
    pub vault: Arc<dyn Vault>,
    /// The mail server; without one mail fails and says so.
    pub mail: Option<MailConfig>,
    /// What a call to another system may take and reach.
    pub calls: Limits,
    /// Chance, for the pauses between tries.
    pub dice: Dice,
    /// How long a process that died holds what it was sending.
    pub lease: SignedDuration,
}

/// The room. Cheap to clone.
#[derive(Clone)]
pub struct Messaging {
    inner: Arc<Inner>,
}

struct Inner {
    records: Records,
    vault: Arc<dyn Vault>,
    mail: Option<MailConfig>,
    calls: call::Caller,
    dice: Dice,
    lease: SignedDuration,
    /// The name of this process among those who send.
    worker: String,
    /// Rung when something was queued.
    queued: Notify,
}

impl Messaging {
    /// Opens what a field of secrets holds, for what is sent with it.
    ///
    /// # Errors
    /// A text for the log.
    pub fn unseal(&self, tenant: i64, sealed: &str) -> Result<String, String> {
        self.inner.vault.open(tenant, sealed)
    }

    /// Nothing is sent before [`Messaging::work`].
    #[must_use]
    pub fn new(options: MessagingOptions) -> Messaging {
        Messaging {
            inner: Arc::new(Inner {
                records: options.records,
                vault: options.vault,
                mail: options.mail,
                calls: call::Caller::new(options.calls),
                dice: options.dice,
                lease: options.lease,
                worker: Uuid::new_v4().to_string(),
                queued: Notify::new(),
            }),
        }
    }

    /// What HTTP serves besides the collections: reading marks, and what a person decides about a
    /// delivery.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut all = notifications::operations(&self.inner.records);
        all.push(announce::operation(self));
        all.extend(deliveries::operations(self));
        all
    }
}
