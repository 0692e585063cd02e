//! The rows that make tampering with the audit evident: seals, heads, what waits for a seal.
//!
//! What they mean and how they are made is the business of `records::audit`; here they are only
//! kept. An entry waits from the commit that writes it, whoever commits it (`sql::write` sees to
//! that), until a seal for it is committed: both are one transaction, so at any moment an entry
//! has a seal, or waits, or was written by somebody else.

use jiff::{SignedDuration, Timestamp};
use opsflux_model::EntityIx;
use opsflux_model::layout;
use uuid::Uuid;

use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::Dialect;
use crate::sql::audit as sql;
use crate::store::Store;
use crate::system::not_whole;

/// A seal: what an entry was when it was sealed, and its place in the chain of its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// The entry.
    pub entry: Uuid,
    /// How the entry was written for hashing.
    pub format: i64,
    /// When.
    pub sealed_at: Timestamp,
    /// Hash of what happened.
    pub meta: Vec<u8>,
    /// Salted hash of who did it, and from where.
    pub who: Vec<u8>,
    /// Salted hash of the values.
    pub body: Vec<u8>,
    /// Hash over all of this and the chain before.
    pub chain: Vec<u8>,
    /// Proof that this instance made the seal.
    pub mac: Vec<u8>,
    /// Salt of `who`; none when that was erased.
    pub who_salt: Option<Vec<u8>>,
    /// Salt of `body`; none when that was erased.
    pub body_salt: Option<Vec<u8>>,
    /// The request by which something was erased.
    pub erased_by: Option<String>,
    /// Proof that this instance erased it.
    pub erased_mac: Option<Vec<u8>>,
}

/// Where in a chain a [`Head`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At its end.
    End,
    /// At its beginning: what was before was purged.
    Cut,
}

impl Place {
    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Place::End => "end",
            Place::Cut => "cut",
        }
    }
}

/// How far a chain goes, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub tenant: i64,
    /// How many entries were sealed, purged ones among them.
    pub entries: i64,
    /// The chain there.
    pub hash: Vec<u8>,
    /// When.
    pub at: Timestamp,
    /// Proof that this instance says so.
    pub mac: Vec<u8>,
}

/// One row of the chain written with a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditWrite {
    /// A seal. Another one at its place, or for its entry, makes the commit fail.
    Seal(Box<Seal>),
    /// The entry waits no more.
    Sealed(Uuid),
    /// How far the chain goes.
    Head(Place, Head),
    /// Takes salts of the seal of an entry away, for good.
    Erase {
        /// The entry.
        entry: Uuid,
        /// Whether who it was is erased.
        who: bool,
        /// Whether the values are erased.
        body: bool,
        /// The request.
        by: String,
        /// Proof that this instance erased it.
        mac: Vec<u8>,
    },
    /// Removes the seals up to a place.
    Purge {
        /// The last one removed.
        up_to: i64,
    },
}

impl Store {
    /// Holds the lease `name` for `holder`; false while another one has it. A file belongs to one
    /// process anyway, so on SQLite it is always held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_lease(
        &self,
        name: &str,
        holder: Uuid,
        now: Timestamp,
        lasting: SignedDuration,
    ) -> Result<bool, StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(true);
        }
        let until = now.checked_add(lasting).unwrap_or(now);
        let statement = sql::hold_lease(self.dialect(), name, holder, now, until);
        Ok(self.run(statement).await?.is_some())
    }

    /// Lets the next one have the lease at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let statement = sql::release_lease(self.dialect(), name, holder);
        self.run(statement).await.map(|_| ())
    }

    /// Lets every entry of a database wait that has never had a seal, such as those written
    /// before there were any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn adopt_audit(&self, audit: EntityIx) -> Result<(), StoreError> {
        let statement = sql::adopt(self.dialect(), &self.table(audit));
        self.run(statement).await.map(|_| ())
    }

    /// Entries that wait for a seal: tenant and id, in that order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_waiting(&self, limit: u32) -> Result<Vec<(i64, Uuid)>, StoreError> {
        let statement = sql::waiting(self.dialect(), limit);
        self.rows(&statement, |columns| {
            let tenant = columns.int(0)?.ok_or_else(not_whole)?;
            Ok((tenant, columns.id(1)?.ok_or_else(not_whole)?))
        })
        .await
    }

    /// How many entries of a tenant wait for a seal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_waiting_count(&self, tenant: i64) -> Result<i64, StoreError> {
        let statement = sql::waiting_count(self.dialect(), tenant);
        let found = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(found.into_iter().flatten().next().unwrap_or(0))
    }

    /// Seals of a tenant after place `after`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_seals(
        &self,
        tenant: i64,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Seal>, StoreError> {
        let statement = sql::seals(self.dialect(), tenant, after, limit);
        self.rows(&statement, seal).await
    }

    /// The seals of some entries; fewer when some have none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_seals_of(
        &self,
        tenant: i64,
        entries: &[Uuid],
    ) -> Result<Vec<Seal>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let statement = sql::seals_of(self.dialect(), tenant, entries);
        self.rows(&statement, seal).await
    }

    /// The last seal of a tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_last_seal(&self, tenant: i64) -> Result<Option<Seal>, StoreError> {
        let statement = sql::last_seal(self.dialect(), tenant);
        Ok(self.rows(&statement, seal).await?.into_iter().next())
    }

    /// The head of a tenant's chain at a place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_head(&self, tenant: i64, place: Place) -> Result<Option<Head>, StoreError> {
        let statement = sql::head(self.dialect(), tenant, place);
        let found = self.rows(&statement, |columns| {
            Ok(Head {
                tenant,
                entries: columns.int(0)?.ok_or_else(not_whole)?,
                hash: columns.bytes(1)?.ok_or_else(not_whole)?.to_vec(),
                at: columns.time(2)?.ok_or_else(not_whole)?,
                mac: columns.bytes(3)?.ok_or_else(not_whole)?.to_vec(),
            })
        });
        Ok(found.await?.into_iter().next())
    }

    /// Tenants that have a chain, or entries that wait for one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_tenants(&self) -> Result<Vec<i64>, StoreError> {
        let statement = sql::tenants(self.dialect());
        let found = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The entry `count` places after `after` in the order of ids; none when there are fewer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_milestone(
        &self,
        tenant: i64,
        audit: EntityIx,
        after: Uuid,
        count: u32,
    ) -> Result<Option<Uuid>, StoreError> {
        let statement = sql::milestone(self.dialect(), &self.table(audit), tenant, after, count);
        let found = self.rows(&statement, |columns| columns.id(0)).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// The first entry in a range of ids that neither has a seal
    /// nor waits for one: nobody here wrote it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_stranger(
        &self,
        tenant: i64,
        audit: EntityIx,
        range: (Uuid, Uuid),
    ) -> Result<Option<Uuid>, StoreError> {
        let statement = sql::stranger(self.dialect(), &self.table(audit), tenant, range);
        let found = self.rows(&statement, |columns| columns.id(0)).await?;
        Ok(found.into_iter().flatten().next())
    }

    fn table(&self, entity: EntityIx) -> String {
        layout::table_name(self.schema().entity(entity))
    }
}

fn seal(columns: &dyn Columns) -> Result<Seal, StoreError> {
    let bytes = |at| -> Result<Vec<u8>, StoreError> {
        Ok(columns.bytes(at)?.ok_or_else(not_whole)?.to_vec())
    };
    let maybe =
        |at| -> Result<Option<Vec<u8>>, StoreError> { Ok(columns.bytes(at)?.map(<[u8]>::to_vec)) };
    Ok(Seal {
        seq: columns.int(0)?.ok_or_else(not_whole)?,
        entry: columns.id(1)?.ok_or_else(not_whole)?,
        format: columns.int(2)?.ok_or_else(not_whole)?,
        sealed_at: columns.time(3)?.ok_or_else(not_whole)?,
        meta: bytes(4)?,
        who: bytes(5)?,
        body: bytes(6)?,
        chain: bytes(7)?,
        mac: bytes(8)?,
        who_salt: maybe(9)?,
        body_salt: maybe(10)?,
        erased_by: columns.text(11)?.map(str::to_owned),
        erased_mac: maybe(12)?,
    })
}
