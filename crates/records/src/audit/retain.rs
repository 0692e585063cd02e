//! Letting old entries go, without letting anybody else do so.
//!
//! Only the beginning of a chain is purged, and only as far as it is whole: an entry that was
//! tampered with stays, and all behind it, until somebody has looked. What is left begins at a
//! signed cut (how many went, and the chain there), and the purge is an entry like any other, so
//! that the cut is in the chain too.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use opsflux_model::Value;
use opsflux_model::schema::{EntityIx, system};
use opsflux_store::audit::{AuditWrite, Head, Place};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Write};
use serde_json::json;

use super::key::hex;
use super::verify::Walk;
use crate::caller::{Actor, Origin};
use crate::error::Error;
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;

/// Entries purged by one commit.
const BATCH: u32 = 500;

impl Records {
    /// Purges entries older than `years`; answers how many. To be called by the process that
    /// seals.
    ///
    /// # Errors
    /// When the database does not answer; what was purged until then is purged.
    pub async fn purge_audit(&self, years: i16) -> Result<u64, Error> {
        let audit = self.entity_called(AUDIT_ENTITY)?;
        let now = self.now().to_zoned(TimeZone::UTC);
        let Ok(before) = now.checked_sub(i32::from(years).years()) else {
            return Ok(0);
        };
        let mut purged = 0;
        for tenant in self.inner.store.audit_tenants().await? {
            loop {
                let gone = self.purge_some(tenant, audit, before.timestamp()).await?;
                purged += gone;
                if gone < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(purged)
    }

    async fn purge_some(
        &self,
        tenant: i64,
        audit: EntityIx,
        before: Timestamp,
    ) -> Result<u64, Error> {
        let store = &self.inner.store;
        let mut walk = Walk::of(tenant);
        if walk.advance(self, &[]).await?.is_some() {
            tracing::error!(
                tenant,
                "the cut of the audit is not signed: nothing is purged"
            );
            return Ok(0);
        }
        let seals = store.audit_seals(tenant, walk.place(), BATCH).await?;
        let ids: Vec<_> = seals.iter().map(|seal| seal.entry).collect();
        let entries = self.audit_entries(tenant, audit, &ids).await?;
        let schema = self.schema();
        let mut commit = Commit {
            tenant,
            ..Commit::default()
        };
        for seal in seals {
            let entry = entries.get(&seal.entry);
            let old = entry.is_none_or(|entry| match entry.get(&schema, system::CREATED_AT) {
                Value::Time(at) => *at < before,
                _ => false,
            });
            if !old || seal.sealed_at >= before {
                break;
            }
            if let Some((_, wrong)) = walk.judge(self, &schema, &seal, entry)? {
                tracing::error!(
                    tenant, sequence = walk.place() + 1, %wrong,
                    "the audit is not purged beyond an entry that is not as it was sealed"
                );
                break;
            }
            commit.writes.push(Write::Remove {
                entity: audit,
                id: seal.entry,
            });
            walk.pass(seal);
        }
        let gone = commit.writes.len() as u64;
        if gone == 0 {
            return Ok(0);
        }
        let mut cut = Head {
            tenant,
            entries: walk.place(),
            hash: walk.chain().to_vec(),
            at: super::seal::micros(self.now()),
            mac: Vec::new(),
        };
        cut.mac = self.inner.audit_key.sign_head(Place::Cut, &cut)?;
        let told = json!({"entries": gone, "up_to": cut.entries, "chain": hex(&cut.hash)});
        commit.writes.push(self.house_entry(audit, "purge", told));
        commit.system = vec![
            SystemWrite::Audit(AuditWrite::Purge { up_to: cut.entries }),
            SystemWrite::Audit(AuditWrite::Head(Place::Cut, cut)),
        ];
        store.commit(commit).await.map_err(crate::write::refused)?;
        tracing::info!(
            tenant,
            entries = gone,
            "old entries of the audit were purged"
        );
        Ok(gone)
    }

    /// An entry about an act of the house itself.
    fn house_entry(&self, audit: EntityIx, action: &str, after: serde_json::Value) -> Write {
        let origin = Origin {
            actor: Actor::System,
            source: "system".to_owned(),
            ..Origin::default()
        };
        self.audit_of_house(audit, &origin, action, AUDIT_ENTITY, after)
    }
}
