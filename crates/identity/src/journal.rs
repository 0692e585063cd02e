//! The journal of connections: every attempt is a row of the log entity `login`, and the rows are
//! the counters of the limits.
//!
//! An attempt with a known account stands in its tenant, one with a name nobody has in the first
//! tenant. A failure in another tenant leaves a second line in the first one, without name or
//! account: that is where an address is counted, whoever it tries.

use std::collections::HashMap;

use jiff::Timestamp;
use opsflux_model::{Schema, Value};
use opsflux_records::{Error, Origin, Records};
use opsflux_store::Write;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::limits::{History, PER_ACCOUNT, PER_ADDRESS, WINDOW};
use crate::people::FIRST_TENANT;
use opsflux_records::table::{Query, Table, at, time_at};

const ENTITY: &str = "login";

/// How an attempt ended; the codes of the field `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    WrongCredentials,
    /// Right, but the account may not be used. Counts as a failure and is answered like one.
    Inactive,
    /// Too many failures of the account.
    Locked,
    /// Too many failures from the address.
    RateLimited,
}

impl Outcome {
    fn code(self) -> &'static str {
        match self {
            Outcome::WrongCredentials => "wrong_credentials",
            Outcome::Inactive => "inactive",
            Outcome::Locked => "locked",
            Outcome::RateLimited => "rate_limited",
        }
    }

    fn is_failure(self) -> bool {
        matches!(self, Outcome::WrongCredentials | Outcome::Inactive)
    }
}

const FAILURES: [&str; 2] = ["wrong_credentials", "inactive"];

/// Who is tried, from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The account, when there is one: tenant and user.
    pub account: Option<(i64, Uuid)>,
    /// What was typed.
    pub identifier: &'a str,
    pub origin: &'a Origin,
}

impl Attempt<'_> {
    fn tenant(&self) -> i64 {
        self.account.map_or(FIRST_TENANT, |(tenant, _)| tenant)
    }

    fn address(&self) -> Option<&str> {
        self.origin.address.as_deref()
    }
}

/// Writes and counts attempts.
pub(crate) struct Journal {
    records: Records,
    refused: Mutex<Refused>,
}

impl Journal {
    pub fn new(records: Records) -> Journal {
        Journal {
            records,
            refused: Mutex::default(),
        }
    }

    /// What the limits judge.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn history(&self, attempt: &Attempt<'_>) -> Result<History, Error> {
        let schema = self.records.schema();
        let table = Table::of(&schema, ENTITY)?;
        let failed = table
            .is_one_of("result", &FAILURES)?
            .and(table.is_after("at", self.records.now() - WINDOW)?);
        let of_account = match attempt.account {
            Some((_, user)) => table.is("user", user)?,
            // A name nobody has is counted like an account: who tries names learns nothing.
            None => table
                .is_alike("identifier", attempt.identifier)?
                .and(table.is_empty("user")?),
        };
        let query = Query {
            fields: &["at", "address"],
            filter: of_account.and(failed.clone()),
            sort: &["-at", "-id"],
            limit: u32::try_from(PER_ACCOUNT).unwrap_or(u32::MAX),
        };
        let rows = table
            .rows(self.records.store(), attempt.tenant(), query)
            .await?;
        let account = rows.iter().filter_map(|row| {
            let here = at(row, 1).as_text() == attempt.address();
            time_at(row, 0).map(|at| (at, here))
        });
        let account = account.collect();
        let Some(address) = attempt.address() else {
            return Ok(History {
                account,
                address: None,
            });
        };
        let query = Query {
            fields: &["at"],
            filter: table.is("address", address)?.and(failed),
            sort: &["-at", "-id"],
            limit: u32::try_from(PER_ADDRESS).unwrap_or(u32::MAX),
        };
        let rows = table
            .rows(self.records.store(), FIRST_TENANT, query)
            .await?;
        let address = rows.get(PER_ADDRESS - 1).and_then(|row| time_at(row, 0));
        Ok(History { account, address })
    }

    /// Writes an attempt that got nothing.
    ///
    /// # Errors
    /// When the database does not answer; the attempt must not be answered then, because it was
    /// not counted.
    pub async fn write(&self, attempt: &Attempt<'_>, outcome: Outcome) -> Result<(), Error> {
        let now = self.records.now();
        let address = attempt.address().unwrap_or_default();
        if !outcome.is_failure() && !self.refused.lock().may_write(address, now) {
            return Ok(());
        }
        let user = attempt.account.map(|(_, user)| user);
        let row = self.row(
            user,
            Some(attempt.identifier),
            attempt.origin,
            outcome.code(),
            now,
        )?;
        let line = self.records.write_log(attempt.tenant(), ENTITY, &row);
        if outcome.is_failure() && attempt.tenant() != FIRST_TENANT {
            let nameless = self.row(None, None, attempt.origin, outcome.code(), now)?;
            let counted = self.records.write_log(FIRST_TENANT, ENTITY, &nameless);
            // Together: two in a row would tell by their time that there is such an account.
            tokio::try_join!(line, counted)?;
        } else {
            line.await?;
        }
        Ok(())
    }

    fn row(
        &self,
        user: Option<Uuid>,
        identifier: Option<&str>,
        origin: &Origin,
        result: &str,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, Value)>, Error> {
        let schema = self.records.schema();
        Ok(values(
            &Table::of(&schema, ENTITY)?,
            user,
            identifier,
            origin,
            result,
            now,
        ))
    }

    /// The row of a log-in that succeeded, to be committed with its session.
    ///
    /// # Errors
    /// When `base` does not declare the journal.
    pub fn success(
        schema: &Schema,
        records: &Records,
        user: Uuid,
        identifier: &str,
        origin: &Origin,
    ) -> Result<Write, Error> {
        let table = Table::of(schema, ENTITY)?;
        let now = records.now();
        let mut row = values(&table, Some(user), Some(identifier), origin, "success", now);
        row.push(("id", Value::Id(records.new_id())));
        row.push(("created_at", now.into()));
        Ok(Write::Insert {
            entity: table.ix,
            values: table.row(row)?,
        })
    }
}

fn values(
    table: &Table<'_>,
    user: Option<Uuid>,
    identifier: Option<&str>,
    origin: &Origin,
    result: &str,
    now: Timestamp,
) -> Vec<(&'static str, Value)> {
    let text = |name: &str, value: Option<&str>| Value::from(value.map(|v| table.cut(name, v)));
    vec![
        ("at", now.into()),
        ("user", Value::from(user)),
        ("identifier", text("identifier", identifier)),
        ("result", result.into()),
        ("address", text("address", origin.address.as_deref())),
        (
            "user_agent",
            text("user_agent", origin.user_agent.as_deref()),
        ),
    ]
}

/// How many refused attempts of this second were written, by address: an attacker who is refused
/// anyway does not fill the disk (decisions §15).
#[derive(Debug, Default)]
struct Refused {
    second: i64,
    written: HashMap<String, u32>,
}

const REFUSED_PER_SECOND: u32 = 10;

impl Refused {
    fn may_write(&mut self, address: &str, now: Timestamp) -> bool {
        if self.second != now.as_second() {
            self.second = now.as_second();
            self.written.clear();
        }
        match self.written.get_mut(address) {
            Some(written) if *written >= REFUSED_PER_SECOND => false,
            Some(written) => {
                *written += 1;
                true
            }
            None => {
                self.written.insert(address.to_owned(), 1);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_refused_attempts_a_second_are_written_per_address() {
        let mut refused = Refused::default();
        let second = |at: i64| Timestamp::from_second(at).unwrap();
        let written = |refused: &mut Refused, address: &str, at: i64| {
            (0..30)
                .filter(|_| refused.may_write(address, second(at)))
                .count()
        };
        assert_eq!(written(&mut refused, "192.0.2.1", 7), 10);
        assert_eq!(written(&mut refused, "192.0.2.2", 7), 10, "another address");
        assert_eq!(written(&mut refused, "192.0.2.1", 7), 0);
        assert_eq!(written(&mut refused, "192.0.2.1", 8), 10, "another second");
    }
}
