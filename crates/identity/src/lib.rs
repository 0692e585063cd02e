//! Accounts, sessions, roles: who calls, and what the person may do.
//!
//! What lives here: [`Identity::resolve`] (from the headers of a request to its `Caller`), the
//! operations under `/auth` ([`Identity::operations`]), the rules of accounts ([`rules`]), the
//! first start ([`bootstrap`]), the keys of the instance ([`Keys`]).
//!
//! What must never be here: what a permission means (that is `model`), SQL (that is `store`),
//! HTTP framing (that is `server`).
//!
//! Start reading at [`Identity`], then `resolve.rs` for the way of every request and
//! `operations/login.rs` for the way of a password.

mod account;
mod around;
mod bootstrap;
mod cookies;
mod founding;
mod freshness;
mod granting;
mod handing;
mod journal;
mod keys;
mod limits;
mod password;
mod people;
mod profile;
mod resolve;
mod rules;
mod session;
mod sharing;
mod structure;
mod token;
// Outside too: demo data makes usernames as the rule does.
pub mod username;
mod watch;

mod operations;

use std::sync::Arc;

use http::{HeaderMap, Method};
use moka::sync::Cache;
use opsflux_records::{Caller, Error, Operation, Origin, Records};
use uuid::Uuid;

pub use bootstrap::{Bootstrapped, bootstrap};
pub use cookies::{ACCESS as ACCESS_COOKIE, CSRF as CSRF_COOKIE, REFRESH as REFRESH_COOKIE};
pub use keys::{CryptoFailed, Keys, Sealed};
pub use operations::viewing::VIEWING;
pub use profile::Profile;
pub use resolve::{COMPANY_HEADER, CSRF, CSRF_HEADER};
pub use rules::{LAST_ADMINISTRATOR, rules};
pub use token::{ACCESS_LIFE, REFRESH_LIFE};

/// The state of an account that may be used; the others (`inactive`, `suspended`, `archived`) are
/// refused alike.
pub(crate) const ACTIVE: &str = "active";

/// How identity works in this instance.
#[derive(Debug, Clone)]
pub struct IdentityOptions {
    /// The keys; the same that seal the secrets of records.
    pub keys: Arc<Keys>,
    /// Whether a stranger may make a tenant of his own (`auth.signup`).
    pub signup: bool,
    /// Whether cookies are `Secure`: always, but for development over plain HTTP.
    pub secure_cookies: bool,
}

/// Who calls. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub records: Records,
    pub options: IdentityOptions,
    pub tokens: token::Tokens,
    pub checked: resolve::Checked,
    pub freshness: Arc<freshness::Freshness>,
    pub sessions: session::Sessions,
    pub people: people::People,
    pub accounts: account::Accounts,
    /// Held while a tenant is made by a stranger.
    pub founding: tokio::sync::Mutex<()>,
    tenant_ids: Cache<i64, Uuid>,
}

impl Identity {
    /// Identity over these records. What is kept in memory is believed once [`Identity::follow`]
    /// runs; without it everything is read each time.
    #[must_use]
    pub fn new(records: Records, options: IdentityOptions) -> Identity {
        let tokens = token::Tokens::new(options.keys.clone());
        let freshness = Arc::new(freshness::Freshness::new());
        let inner = Inner {
            checked: resolve::Checked::new(tokens.clone()),
            sessions: session::Sessions::new(records.clone(), tokens.clone(), freshness.clone()),
            people: people::People::new(records.clone(), freshness.clone()),
            accounts: account::Accounts::new(records.clone()),
            founding: tokio::sync::Mutex::new(()),
            tenant_ids: Cache::new(1_024),
            tokens,
            freshness,
            options,
            records,
        };
        Identity {
            inner: Arc::new(inner),
        }
    }

    /// Who makes the request; `None` without a credential that is good: none, a wrong or expired
    /// one, an ended session, an account that may not be used.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when a writing request comes with a session's cookie but without its
    /// CSRF token; [`Error::BadQuery`] for a company that is not the person's; when the database
    /// does not answer.
    pub async fn resolve(
        &self,
        headers: &HeaderMap,
        method: &Method,
        origin: &Arc<Origin>,
    ) -> Result<Option<Caller>, Error> {
        self.inner.resolve(headers, method, origin.clone()).await
    }

    /// A person as the caller of what is done in his name while he is away; none when he may not
    /// act (any more).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn in_the_name_of(
        &self,
        tenant: i64,
        user: Uuid,
        origin: Origin,
    ) -> Result<Option<Caller>, Error> {
        let now = self.inner.records.now();
        let found = self.inner.people.find(tenant, user, now).await?;
        let active = found.filter(|person| person.is_active());
        Ok(active.map(|person| Caller {
            access: person.access.clone(),
            origin: origin.into(),
            language: person.language.unwrap_or_default(),
            time_zone: person.time_zone.clone(),
            company: person.access.principal.home_company,
            companies: Vec::new(),
            viewer: None,
        }))
    }

    /// What the server mounts under `/auth`.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        operations::all(&self.inner)
    }

    /// The caller's own account, as `/auth/me` tells it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is gone; when the database does not answer.
    pub async fn profile(&self, caller: &Caller) -> Result<Profile, Error> {
        self.inner.profile(caller).await
    }

    /// Follows the feed until `stop` turns true, so that memory may be believed. One of these runs
    /// in every process.
    pub async fn follow(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        let hearing = watch::follow(self.inner.records.clone(), self.inner.freshness.clone());
        tokio::select! {
            () = hearing => {}
            // An error means that nobody is left to say stop, which says it too.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// The same operation with identity around it, for those of the entities that rights come
    /// from: what they write decides about the next request of this process at once, before it
    /// comes back by the feed. To be put around every operation that is served.
    #[must_use]
    pub fn around(&self, operation: Operation) -> Operation {
        around::around(&self.inner, operation)
    }
}
