//! Sealing: entries that wait get their seals, off the writers' path.
//!
//! What waits is a table that the commit of an entry writes and the commit of its seal clears
//! (`store::audit`). A transaction that commits late therefore shows its entries late and they are
//! sealed then, after newer ones; the order of the chain is the order of sealing, and each entry
//! carries its own moment. Nothing is passed over, because nothing is looked for by time or number.
//!
//! One process seals: on PostgreSQL whoever holds the lease. It is no more than courtesy: a place
//! in a chain is taken once (its key), so a second process that believes to hold the lease fails
//! and looks again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opsflux_model::schema::{EntityIx, system};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::Commit;
use opsflux_store::audit::{AuditWrite, Head, Place, Seal};
use opsflux_store::system::SystemWrite;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Anchor, canon, key};
use crate::error::Error;
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;
use crate::rule::Snapshot;

/// How often what waits is looked for: an entry is sealed within a second.
const PACE: Duration = Duration::from_millis(400);
/// Entries sealed by one commit: the writer of SQLite is not kept for long.
const BATCH: u32 = 250;

/// How often entries past their time are looked for.
const PURGING: SignedDuration = SignedDuration::from_hours(1);

const LEASE: &str = "audit";
/// After so long without a word another process seals.
const LEASE_LASTS: SignedDuration = SignedDuration::from_secs(6);
const LEASE_RENEWED: SignedDuration = SignedDuration::from_secs(2);

/// Where the chain of a tenant ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub entries: i64,
    pub chain: Vec<u8>,
}

/// What the process that seals knows.
#[derive(Default)]
struct Sealer {
    /// Where the chains end, of tenants seen.
    ends: HashMap<i64, End>,
    /// Heads not yet handed to the anchor.
    heads: BTreeMap<i64, Head>,
    /// When the lease was last asked for, and whether it is held.
    asked: Option<Timestamp>,
    held: bool,
    /// When old entries were last looked for.
    purged: Option<Timestamp>,
}

impl Records {
    /// Seals what waits, again and again, until `stop` turns true; what waits then is sealed
    /// first. Once an hour entries older than `keep_years` are purged.
    pub async fn seal_audit(
        self,
        anchor: Arc<dyn Anchor>,
        keep_years: i16,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut sealer = Sealer::default();
        let mut failing = false;
        loop {
            let stopping = *stop.borrow();
            match sealer.turn(&self, &*anchor).await {
                Ok(()) if failing => {
                    failing = false;
                    tracing::info!("audit entries are sealed again");
                }
                Ok(()) => {}
                // Told once: it is tried again at once and for ever.
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(%error, "audit entries could not be sealed");
                }
                Err(_) => {}
            }
            if sealer.is_to_purge(self.now())
                && let Err(error) = self.purge_audit(keep_years).await
            {
                tracing::error!(%error, "old entries of the audit could not be purged");
            }
            if stopping {
                break;
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(PACE) => {}
            }
        }
        if sealer.held
            && let Err(error) = self
                .inner
                .store
                .release_lease(LEASE, self.inner.worker)
                .await
        {
            tracing::warn!(%error, "the lease of sealing could not be given back");
        }
    }

    /// Seals everything that waits, now. For commands and tests; a server does it by itself.
    ///
    /// # Errors
    /// When the database does not answer, or another process is sealing.
    pub async fn seal_audit_now(&self, anchor: &dyn Anchor) -> Result<(), Error> {
        Sealer::default().turn(self, anchor).await
    }

    /// Entries by id, with the rights of the house.
    pub(super) async fn audit_entries(
        &self,
        tenant: i64,
        audit: EntityIx,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Snapshot>, Error> {
        let schema = self.schema();
        let Some(id) = schema.entity(audit).find(system::ID) else {
            return Ok(HashMap::new());
        };
        let wanted = ids.iter().copied().map(Value::Id).collect();
        let filter = Predicate::test(audit, id, Operand::OneOf(wanted));
        let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let found = self.find(tenant, audit, filter, limit).await?;
        Ok(found.into_iter().map(|entry| (entry.id, entry)).collect())
    }

    /// Where the chain of a tenant ends: by the signed head, or by the last seal when that is
    /// further. What was cut off behind the head leaves a gap, which is found.
    async fn audit_end(&self, tenant: i64) -> Result<End, Error> {
        let store = &self.inner.store;
        let mut end = End {
            entries: 0,
            chain: key::genesis(tenant).to_vec(),
        };
        for place in [Place::Cut, Place::End] {
            let Some(head) = store.audit_head(tenant, place).await? else {
                continue;
            };
            if !self.inner.audit_key.signed_head(place, &head)? {
                tracing::error!(tenant, "a head of the audit is not signed by this instance");
            } else if head.entries >= end.entries {
                end = End {
                    entries: head.entries,
                    chain: head.hash,
                };
            }
        }
        if let Some(last) = store.audit_last_seal(tenant).await?
            && last.seq > end.entries
        {
            end = End {
                entries: last.seq,
                chain: last.chain,
            };
        }
        Ok(end)
    }
}

impl Sealer {
    /// Whether it is time to look for entries that are past theirs.
    fn is_to_purge(&mut self, now: Timestamp) -> bool {
        let lately = |last: Timestamp| now.duration_since(last) < PURGING;
        if !self.held || self.purged.is_some_and(lately) {
            return false;
        }
        self.purged = Some(now);
        true
    }

    /// Everything that waits, and then the heads outside.
    async fn turn(&mut self, records: &Records, anchor: &dyn Anchor) -> Result<(), Error> {
        let Ok(audit) = records.entity_called(AUDIT_ENTITY) else {
            return Ok(());
        };
        if !self.hold(records, audit).await? {
            return Ok(());
        }
        let sealed = self.drain(records, audit).await;
        // What is sealed is told outside, whatever came after.
        let heads: Vec<Head> = self.heads.values().cloned().collect();
        if !heads.is_empty() {
            let kept = anchor.keep(&heads).await;
            kept.map_err(|why| Error::Unavailable(format!("heads outside the database: {why}")))?;
            self.heads.clear();
        }
        sealed
    }

    async fn drain(&mut self, records: &Records, audit: EntityIx) -> Result<(), Error> {
        loop {
            let waiting = records.inner.store.audit_waiting(BATCH).await?;
            let full = waiting.len() == BATCH as usize;
            let mut tenants: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
            for (tenant, entry) in waiting {
                tenants.entry(tenant).or_default().push(entry);
            }
            for (tenant, entries) in tenants {
                // As a rule what waits has no seal; the commit fails when some has.
                let none = HashSet::new();
                let mut sealed = self.seal(records, audit, tenant, &entries, &none).await;
                if sealed.is_err() {
                    // Another process may have gone on with it.
                    self.ends.remove(&tenant);
                    let seals = records.inner.store.audit_seals_of(tenant, &entries);
                    let had = seals.await?.into_iter().map(|seal| seal.entry).collect();
                    sealed = self.seal(records, audit, tenant, &entries, &had).await;
                }
                if sealed.is_err() {
                    self.ends.remove(&tenant);
                }
                sealed?;
            }
            if !full || !self.hold(records, audit).await? {
                return Ok(());
            }
        }
    }

    /// Whether this process seals. Coming to it, it looks anew at everything.
    async fn hold(&mut self, records: &Records, audit: EntityIx) -> Result<bool, Error> {
        let now = records.now();
        let fresh = |asked: Timestamp| now.duration_since(asked) < LEASE_RENEWED && now >= asked;
        if self.asked.is_some_and(fresh) {
            return Ok(self.held);
        }
        let (store, me) = (&records.inner.store, records.inner.worker);
        let held = store.hold_lease(LEASE, me, now, LEASE_LASTS).await?;
        if held && !self.held {
            self.ends.clear();
            store.adopt_audit(audit).await?;
        }
        self.asked = Some(now);
        self.held = held;
        Ok(held)
    }

    /// Seals some entries of a tenant by one commit; those that are `sealed` only wait no more.
    async fn seal(
        &mut self,
        records: &Records,
        audit: EntityIx,
        tenant: i64,
        entries: &[Uuid],
        sealed: &HashSet<Uuid>,
    ) -> Result<(), Error> {
        let store = &records.inner.store;
        let mut end = match self.ends.get(&tenant) {
            Some(end) => end.clone(),
            None => records.audit_end(tenant).await?,
        };
        let found = records.audit_entries(tenant, audit, entries).await?;
        let at = micros(records.now());
        let mut writes = Vec::with_capacity(entries.len() * 2 + 1);
        for entry in entries {
            if !sealed.contains(entry) {
                let seal = records.new_seal(tenant, &end, *entry, found.get(entry), at)?;
                end = End {
                    entries: seal.seq,
                    chain: seal.chain.clone(),
                };
                writes.push(AuditWrite::Seal(Box::new(seal)));
            }
            writes.push(AuditWrite::Sealed(*entry));
        }
        let mut head = Head {
            tenant,
            entries: end.entries,
            hash: end.chain.clone(),
            at,
            mac: Vec::new(),
        };
        head.mac = records.inner.audit_key.sign_head(Place::End, &head)?;
        writes.push(AuditWrite::Head(Place::End, head.clone()));
        let commit = Commit {
            tenant,
            system: writes.into_iter().map(SystemWrite::Audit).collect(),
            ..Commit::default()
        };
        store.commit(commit).await.map_err(crate::write::refused)?;
        self.ends.insert(tenant, end);
        self.heads.insert(tenant, head);
        Ok(())
    }
}

impl Records {
    /// The next seal of a chain. An entry that is gone before it could be sealed gets one that
    /// fits nothing: its place shows that it was there.
    fn new_seal(
        &self,
        tenant: i64,
        end: &End,
        id: Uuid,
        entry: Option<&Snapshot>,
        at: Timestamp,
    ) -> Result<Seal, Error> {
        let (who_salt, body_salt) = key::salts()?;
        let parts = entry.map(|entry| canon::parts(&self.schema(), entry));
        let hash = |hash: Option<key::Hash>| hash.unwrap_or_default().to_vec();
        let mut seal = Seal {
            seq: end.entries + 1,
            entry: id,
            format: canon::FORMAT,
            sealed_at: at,
            meta: hash(parts.as_ref().map(key::meta)),
            who: hash(parts.as_ref().map(|parts| key::who(parts, &who_salt))),
            body: hash(parts.as_ref().map(|parts| key::body(parts, &body_salt))),
            chain: Vec::new(),
            mac: Vec::new(),
            who_salt: Some(who_salt),
            body_salt: Some(body_salt),
            erased_by: None,
            erased_mac: None,
        };
        seal.chain = key::link(&end.chain, tenant, &seal).to_vec();
        seal.mac = self.inner.audit_key.sign_seal(tenant, &seal)?;
        Ok(seal)
    }
}

/// What a database keeps of a moment.
pub(super) fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
