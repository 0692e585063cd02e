//! Walking a chain, and naming the first entry that is not what was sealed.
//!
//! A [`Walk`] goes on from where it stands, some hundred seals at a time, so that a command can
//! show how far it is and a job can be interrupted. It reads beside writers and beside the
//! process that seals: heads are read before the seals they speak of, and what is sealed meanwhile
//! is walked too.

use std::collections::VecDeque;
use std::fmt;

use opsflux_model::schema::{EntityIx, Schema};
use opsflux_store::audit::{Head, Place, Seal};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{canon, key};
use crate::error::Error;
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;
use crate::rule::Snapshot;

/// Seals looked at by one step.
const SEALS: u32 = 500;
/// Entries among which one without a seal is looked for by one step.
const ENTRIES: u32 = 10_000;

/// What is wrong with an entry or a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// What happened is not what was sealed.
    Edited,
    /// Who did it, or from where, is not what was sealed.
    WhoEdited,
    /// The values are not what was sealed.
    BodyEdited,
    /// The entry is gone.
    Removed,
    /// The seal at this place is gone, and whatever entry it was for.
    SealRemoved,
    /// The seal at this place is another one than was made here.
    Reordered,
    /// An entry that was not written by this program: it neither has a seal nor waits for one.
    Inserted,
    /// Something was erased, but not by this program.
    Erased,
    /// There were more entries.
    CutOff,
    /// Outside of the database more entries, or others, are known.
    CutOffOutside,
    /// The signed end of the chain is not one of this instance, or not there.
    Unsigned,
    /// Written in a way this release does not know.
    UnknownFormat,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Wrong::Edited => "it was edited: what happened is not what was sealed",
            Wrong::WhoEdited => "it was edited: who did it, or from where, is not what was sealed",
            Wrong::BodyEdited => "it was edited: the reason or the values are not what was sealed",
            Wrong::Removed => "it was removed: its seal is there, the entry is not",
            Wrong::SealRemoved => "it was removed: the seal at this place is gone",
            Wrong::Reordered => "it was put at another place, or its seal was altered",
            Wrong::Inserted => "it was inserted: no change of this program wrote it",
            Wrong::Erased => "something of it was erased, but not by this program",
            Wrong::CutOff => "the end was cut off: the signed head in the database knows of more",
            Wrong::CutOffOutside => {
                "the chain was cut off or made anew: a signed head outside the database knows another"
            }
            Wrong::Unsigned => "the end of the chain is not signed by this instance",
            Wrong::UnknownFormat => "its seal is of a newer release",
        })
    }
}

/// The first entry of a chain that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// Its place; none for an entry that has none.
    pub seq: Option<i64>,
    /// Which; none when nothing says which it was.
    pub entry: Option<Uuid>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What a walk came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whose chain.
    pub tenant: i64,
    /// Entries that were purged, and signed for.
    pub purged: i64,
    /// The last place that was looked at.
    pub entries: i64,
    /// Entries too young to have a seal.
    pub waiting: i64,
    /// Signed heads outside the database that were compared.
    pub outside: i64,
    /// The first entry that is wrong; none when all is well.
    pub bad: Option<Bad>,
}

impl Finding {
    /// As JSON for whoever asked over HTTP.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let bad = self
            .bad
            .as_ref()
            .map(|bad| json!({"sequence": bad.seq, "id": bad.entry, "code": bad.wrong}));
        json!({
            "whole": self.bad.is_none(), "entries": self.entries - self.purged,
            "purged": self.purged, "waiting": self.waiting, "outside_heads": self.outside,
            "first_bad": bad,
        })
    }
}

/// How far a walk has come. It may be written down and gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    tenant: i64,
    purged: i64,
    seq: i64,
    chain: Vec<u8>,
    outside: i64,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Before the first seal.
    Begin,
    /// Along the seals.
    Seals,
    /// All seals are well; entries without one are looked for, from this id.
    Entries(Uuid),
}

impl Walk {
    /// A walk along the chain of a tenant.
    #[must_use]
    pub fn of(tenant: i64) -> Walk {
        Walk {
            tenant,
            purged: 0,
            seq: 0,
            chain: key::genesis(tenant).to_vec(),
            outside: 0,
            stage: Stage::Begin,
        }
    }

    /// How many seals were walked along.
    #[must_use]
    pub fn walked(&self) -> i64 {
        self.seq - self.purged
    }

    /// The last place it has passed.
    pub(super) fn place(&self) -> i64 {
        self.seq
    }

    /// The chain there.
    pub(super) fn chain(&self) -> &[u8] {
        &self.chain
    }

    /// Goes past a seal that was judged to be well.
    pub(super) fn pass(&mut self, seal: Seal) {
        self.seq = seal.seq;
        self.chain = seal.chain;
    }

    /// Goes some way; answers what came of it at the end. `outside` are the heads that an anchor
    /// kept, read before this call.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn advance(
        &mut self,
        records: &Records,
        outside: &[Head],
    ) -> Result<Option<Finding>, Error> {
        let audit = records.entity_called(AUDIT_ENTITY)?;
        match self.stage.clone() {
            Stage::Begin => self.begin(records).await,
            Stage::Seals => self.seals(records, audit, outside).await,
            Stage::Entries(after) => self.entries(records, audit, after).await,
        }
    }

    async fn found(
        &self,
        records: &Records,
        bad: Option<(Option<i64>, Option<Uuid>, Wrong)>,
    ) -> Result<Option<Finding>, Error> {
        let waiting = records.inner.store.audit_waiting_count(self.tenant);
        Ok(Some(Finding {
            tenant: self.tenant,
            purged: self.purged,
            entries: self.seq,
            waiting: waiting.await?,
            outside: self.outside,
            bad: bad.map(|(seq, entry, wrong)| Bad { seq, entry, wrong }),
        }))
    }

    async fn begin(&mut self, records: &Records) -> Result<Option<Finding>, Error> {
        let store = &records.inner.store;
        if let Some(cut) = store.audit_head(self.tenant, Place::Cut).await? {
            if !records.inner.audit_key.signed_head(Place::Cut, &cut)? {
                let bad = (Some(cut.entries), None, Wrong::Unsigned);
                return self.found(records, Some(bad)).await;
            }
            self.purged = cut.entries;
            self.seq = cut.entries;
            self.chain = cut.hash;
        }
        self.stage = Stage::Seals;
        Ok(None)
    }

    async fn seals(
        &mut self,
        records: &Records,
        audit: EntityIx,
        outside: &[Head],
    ) -> Result<Option<Finding>, Error> {
        let store = &records.inner.store;
        let key = &records.inner.audit_key;
        let mut known: Vec<&Head> = Vec::new();
        for head in outside {
            let ours = head.tenant == self.tenant && head.entries > self.seq;
            if ours && key.signed_head(Place::End, head)? {
                known.push(head);
            }
        }
        known.sort_by_key(|head| head.entries);
        let mut known = VecDeque::from(known);
        // Before the seals it speaks of: the process that seals writes both at once.
        let head = store.audit_head(self.tenant, Place::End).await?;
        let seals = store.audit_seals(self.tenant, self.seq, SEALS).await?;
        if seals.is_empty() {
            return self.end(records, head, known.front().copied()).await;
        }
        let ids: Vec<Uuid> = seals.iter().map(|seal| seal.entry).collect();
        let entries = records.audit_entries(self.tenant, audit, &ids).await?;
        let schema = records.schema();
        for seal in seals {
            let wrong = self.judge(records, &schema, &seal, entries.get(&seal.entry))?;
            if let Some((entry, wrong)) = wrong {
                let bad = (Some(self.seq + 1), entry, wrong);
                return self.found(records, Some(bad)).await;
            }
            let entry = seal.entry;
            self.pass(seal);
            while let Some(head) = known.pop_front_if(|head| head.entries == self.seq) {
                self.outside += 1;
                if head.hash != self.chain {
                    let bad = (Some(self.seq), Some(entry), Wrong::CutOffOutside);
                    return self.found(records, Some(bad)).await;
                }
            }
        }
        Ok(None)
    }

    /// What is wrong with a seal that should be the next one, or with its entry.
    pub(super) fn judge(
        &self,
        records: &Records,
        schema: &Schema,
        seal: &Seal,
        entry: Option<&Snapshot>,
    ) -> Result<Option<(Option<Uuid>, Wrong)>, Error> {
        let sign = &records.inner.audit_key;
        let wrong = |wrong| Ok(Some((Some(seal.entry), wrong)));
        if seal.seq != self.seq + 1 {
            return Ok(Some((None, Wrong::SealRemoved)));
        }
        if seal.format != canon::FORMAT {
            return wrong(Wrong::UnknownFormat);
        }
        let chain = key::link(&self.chain, self.tenant, seal);
        if chain[..] != seal.chain[..] || !sign.signed_seal(self.tenant, seal)? {
            return wrong(Wrong::Reordered);
        }
        let Some(entry) = entry else {
            return wrong(Wrong::Removed);
        };
        let parts = canon::parts(schema, entry);
        if key::meta(&parts)[..] != seal.meta[..] {
            return wrong(Wrong::Edited);
        }
        let erased = seal.who_salt.is_none() || seal.body_salt.is_none();
        if erased && !sign.signed_erasure(self.tenant, seal)? {
            return wrong(Wrong::Erased);
        }
        let who = match &seal.who_salt {
            Some(salt) => key::who(&parts, salt)[..] == seal.who[..],
            None => canon::is_blank(schema, entry, &canon::WHO),
        };
        let body = match &seal.body_salt {
            Some(salt) => key::body(&parts, salt)[..] == seal.body[..],
            None => canon::is_blank(schema, entry, &canon::BODY),
        };
        match (who, body) {
            (false, _) => wrong(Wrong::WhoEdited),
            (_, false) => wrong(Wrong::BodyEdited),
            _ => Ok(None),
        }
    }

    /// There are no more seals: whether there should be.
    async fn end(
        &mut self,
        records: &Records,
        head: Option<Head>,
        outside: Option<&Head>,
    ) -> Result<Option<Finding>, Error> {
        let next = (Some(self.seq + 1), None);
        let bad = match head {
            None if self.seq > self.purged => Some((Some(self.seq), None, Wrong::Unsigned)),
            None => None,
            Some(head) if !records.inner.audit_key.signed_head(Place::End, &head)? => {
                Some((Some(self.seq), None, Wrong::Unsigned))
            }
            Some(head) if head.entries > self.seq => Some((next.0, next.1, Wrong::CutOff)),
            // A head may be older than the seals only while both are being written, and then
            // there are seals.
            Some(head) if head.entries < self.seq || head.hash != self.chain => {
                Some((Some(self.seq), None, Wrong::Unsigned))
            }
            Some(_) => None,
        };
        let bad = bad.or(outside.map(|_| (next.0, next.1, Wrong::CutOffOutside)));
        if bad.is_some() {
            return self.found(records, bad).await;
        }
        self.stage = Stage::Entries(Uuid::nil());
        Ok(None)
    }

    async fn entries(
        &mut self,
        records: &Records,
        audit: EntityIx,
        after: Uuid,
    ) -> Result<Option<Finding>, Error> {
        let (store, tenant) = (&records.inner.store, self.tenant);
        let next = store.audit_milestone(tenant, audit, after, ENTRIES).await?;
        let range = (after, next.unwrap_or(Uuid::max()));
        if let Some(entry) = store.audit_stranger(tenant, audit, range).await? {
            let bad = (None, Some(entry), Wrong::Inserted);
            return self.found(records, Some(bad)).await;
        }
        match next {
            Some(next) => {
                self.stage = Stage::Entries(next);
                Ok(None)
            }
            None => self.found(records, None).await,
        }
    }
}
