//! Accounts as they are signed in to: found by a log-in name, proved by a password.
//!
//! This is the only place that reads password hashes. What must never be here: an answer that
//! tells a wrong password from an unknown account, in words or in time.

use opsflux_model::fold::fold;
use opsflux_records::{Error, Origin, Records};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::ACTIVE;
use crate::journal::{Attempt, Journal, Outcome};
use crate::limits::Verdict;
use crate::password::Comparer;
use opsflux_records::table::{Query, Table, at, text_at};

/// An account with what proves that somebody is its owner.
pub(crate) struct Account {
    pub tenant: i64,
    pub user: Uuid,
    pub active: bool,
    /// The name it is known by in the journal when none was typed.
    pub email: String,
    /// Names and addresses, which a password must not contain.
    pub names: Vec<String>,
    hash: Option<String>,
}

/// Finds accounts and checks passwords within the limits.
pub(crate) struct Accounts {
    records: Records,
    journal: Journal,
    comparer: Comparer,
    /// Attempts on one account are checked one after the other: a hundred at once would all pass
    /// limits that none of them has used up yet.
    turns: Box<[Mutex<()>]>,
}

const TURNS: usize = 64;

impl Accounts {
    pub fn new(records: Records) -> Accounts {
        Accounts {
            journal: Journal::new(records.clone()),
            records,
            comparer: Comparer::new(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
        }
    }

    /// The account a log-in name belongs to: an e-mail or an `@username`, whatever the case.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn named(&self, identifier: &str) -> Result<Option<Account>, Error> {
        match self.records.store().log_name(&fold(identifier)).await? {
            Some((tenant, user)) => self.of(tenant, user).await,
            None => Ok(None),
        }
    }

    /// The account of a user who lives.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, tenant: i64, user: Uuid) -> Result<Option<Account>, Error> {
        const NAMES: [&str; 5] = ["email", "username", "full_name", "first_name", "last_name"];
        let schema = self.records.schema();
        let table = Table::of(&schema, "user")?;
        let fields: Vec<&str> = ["password", "status"].into_iter().chain(NAMES).collect();
        let filter = table.is("id", user)?;
        let query = Query {
            fields: &fields,
            filter,
            sort: &[],
            limit: 1,
        };
        let rows = table.rows(self.records.store(), tenant, query).await?;
        Ok(rows.first().map(|row| Account {
            tenant,
            user,
            email: text_at(row, 2).unwrap_or_default(),
            hash: text_at(row, 0),
            active: at(row, 1).as_text() == Some(ACTIVE),
            names: (2..fields.len())
                .filter_map(|place| text_at(row, place))
                .collect(),
        }))
    }

    /// The account whose name and password these are.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a wrong password, an unknown name and an account that may
    /// not be used, alike; [`Error::TooMany`] when there were too many failures.
    pub async fn prove(
        &self,
        identifier: &str,
        password: String,
        origin: &Origin,
    ) -> Result<Account, Error> {
        let account = self.named(identifier).await?;
        match self
            .check(identifier, account.as_ref(), password, origin)
            .await?
        {
            true => account.ok_or(Error::Unauthenticated),
            false => Err(Error::Unauthenticated),
        }
    }

    /// Whether the password is that of the account, within the limits and with a line in the
    /// journal when it is not. Without an account it takes as long.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub async fn check(
        &self,
        identifier: &str,
        account: Option<&Account>,
        password: String,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let known = account.map(|account| (account.tenant, account.user));
        let attempt = Attempt {
            account: known,
            identifier,
            origin,
        };
        // First without waiting: who is refused anyway costs no turn.
        self.within_limits(&attempt).await?;
        let _alone = match self.turn_of(&attempt) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let turn = self.comparer.turn().await?;
        self.within_limits(&attempt).await?;
        let hash = account.and_then(|account| account.hash.clone());
        let right = self.comparer.compare(&turn, password, hash).await?;
        let outcome = match account {
            Some(account) if right && account.active => return Ok(true),
            Some(_) if right => Outcome::Inactive,
            _ => Outcome::WrongCredentials,
        };
        // Before the turn is given back: the next attempt must find this one counted.
        self.journal.write(&attempt, outcome).await?;
        Ok(false)
    }

    async fn within_limits(&self, attempt: &Attempt<'_>) -> Result<(), Error> {
        let history = self.journal.history(attempt).await?;
        let (outcome, retry_after) = match history.verdict(self.records.now()) {
            Verdict::Go => return Ok(()),
            Verdict::Locked(seconds) => (Outcome::Locked, seconds),
            Verdict::RateLimited(seconds) => (Outcome::RateLimited, seconds),
        };
        self.journal.write(attempt, outcome).await?;
        Err(Error::TooMany { retry_after })
    }

    fn turn_of(&self, attempt: &Attempt<'_>) -> Option<&Mutex<()>> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        match attempt.account {
            Some(account) => account.hash(&mut hasher),
            None => fold(attempt.identifier).hash(&mut hasher),
        }
        self.turns
            .get(usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default())
    }
}
