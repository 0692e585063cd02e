//! The engine's own rows: what is no record and belongs to no module.
//!
//! Tenants, log-in names (the only names shared by all tenants), settings, answers kept for
//! idempotency keys, blocks of number series, cursors of reactors.

use jiff::Timestamp;
use uuid::Uuid;

use crate::audit::AuditWrite;
use crate::error::StoreError;
use crate::sql::{system as sql, unfit};
use crate::store::Store;

/// A row of the engine's own tables written with a change.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemWrite {
    /// A new tenant. `tenant` of the commit must be its number, see `Store::next_tenant`.
    Tenant {
        /// Its outside id.
        id: Uuid,
        /// What it is called.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// Reserves a name for signing in: folded e-mail or user name, unique over all tenants.
    ClaimName {
        /// Folded.
        name: String,
        /// Whose.
        user: Uuid,
    },
    /// Gives a name back.
    ReleaseName {
        /// Folded.
        name: String,
    },
    /// One setting of the tenant; null removes it.
    Setting {
        /// `module.name`.
        key: String,
        /// JSON.
        value: serde_json::Value,
    },
    /// Takes the numbers of a series from `from` up to `next` with the change, so that none is left
    /// out when it fails. Another change that took `from` makes it [`crate::CommitError::Version`].
    Series {
        /// Name of the entity.
        entity: String,
        /// What the series counts in.
        period: String,
        /// The first number taken, see [`Store::next_number`].
        from: i64,
        /// The first one left.
        next: i64,
    },
    /// Keeps the answer to an idempotency key.
    Answer(Answer),
    /// A row of the chain of the audit.
    Audit(AuditWrite),
}

/// The answer kept for an idempotency key. Ids and versions only: the body is made again with
/// the rights of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Person or API key.
    pub principal: Uuid,
    /// Method and path.
    pub operation: String,
    /// As sent.
    pub key: String,
    /// SHA-256 of the request body.
    pub body_hash: Vec<u8>,
    /// HTTP status of the answer.
    pub status: u16,
    /// What is needed to make the answer again: JSON, the operation's own.
    pub recipe: String,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// What stands in every row of it.
    pub number: i64,
    /// Its outside id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
}

impl Store {
    /// Whose the folded log-in name is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_name(&self, folded: &str) -> Result<Option<(i64, Uuid)>, StoreError> {
        let statement = sql::log_name(self.dialect(), folded);
        let found = self
            .rows(&statement, |columns| Ok((columns.int(0)?, columns.id(1)?)))
            .await?;
        Ok(found
            .into_iter()
            .find_map(|(tenant, user)| tenant.zip(user)))
    }

    /// Every tenant, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let statement = sql::tenants(self.dialect());
        self.rows(&statement, |columns| {
            Ok(Tenant {
                number: columns.int(0)?.ok_or_else(not_whole)?,
                id: columns.id(1)?.ok_or_else(not_whole)?,
                name: columns.text(2)?.ok_or_else(not_whole)?.to_owned(),
            })
        })
        .await
    }

    /// A number for a new tenant, never given again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_tenant(&self) -> Result<i64, StoreError> {
        // Tenants are counted like any numbered thing, by nobody's series.
        let numbers = self.lease_numbers(0, "tenant", "", 1).await?;
        Ok(numbers.start)
    }

    /// The number that a series gives next, taken by nobody yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_number(
        &self,
        tenant: i64,
        entity: &str,
        period: &str,
    ) -> Result<i64, StoreError> {
        let statement = sql::next_number(self.dialect(), tenant, entity, period);
        let found = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(found.into_iter().flatten().next().unwrap_or(1))
    }

    /// The settings of a tenant that somebody changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settings(
        &self,
        tenant: i64,
    ) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        let statement = sql::settings(self.dialect(), tenant);
        self.rows(&statement, |columns| {
            let key = columns.text(0)?.ok_or_else(not_whole)?.to_owned();
            let value = columns.text(1)?.ok_or_else(not_whole)?;
            let value = serde_json::from_str(value)
                .map_err(|error| unfit(format!("the setting {key}: {error}")))?;
            Ok((key, value))
        })
        .await
    }

    /// The answer kept for an idempotency key, though it may be past its time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer(
        &self,
        tenant: i64,
        principal: Uuid,
        operation: &str,
        key: &str,
    ) -> Result<Option<Answer>, StoreError> {
        let statement = sql::answer(self.dialect(), tenant, principal, operation, key);
        let found = self
            .rows(&statement, |columns| {
                let status = columns
                    .int(1)?
                    .and_then(|number| u16::try_from(number).ok());
                Ok(Answer {
                    principal,
                    operation: operation.to_owned(),
                    key: key.to_owned(),
                    body_hash: columns.bytes(0)?.ok_or_else(not_whole)?.to_vec(),
                    status: status.ok_or_else(not_whole)?,
                    recipe: columns.text(2)?.ok_or_else(not_whole)?.to_owned(),
                    expires_at: columns.time(3)?.ok_or_else(not_whole)?,
                })
            })
            .await?;
        Ok(found.into_iter().next())
    }

    /// Forgets the oldest answers that are past their time at `now`, `limit` at most: their keys
    /// may be used again. False when there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_answers(&self, now: Timestamp, limit: u32) -> Result<bool, StoreError> {
        let statement = sql::forget_answers(self.dialect(), now, limit);
        Ok(self.run(statement).await?.is_some())
    }
}

pub(crate) fn not_whole() -> StoreError {
    unfit("a row of the engine is not whole")
}
