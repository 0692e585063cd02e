//! Taking a person out of the audit while the chain still holds.
//!
//! Who did something and the values are hashed with salts that are kept beside the seals. Erasing
//! empties the fields and destroys the salt: the hash that stays says nothing any more (with the
//! salt, a name could be found by trying), and the chain goes over the hash, not over the fields.
//! The erasure is signed, so that whoever empties fields in the database is still found, and is
//! itself an entry.

use opsflux_model::schema::{EntityIx, Schema};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::audit::AuditWrite;
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Set, Write};
use serde_json::{Map, json};
use uuid::Uuid;

use super::canon;
use crate::caller::Caller;
use crate::error::{ConflictKind, Error};
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;

/// Entries erased by one commit.
const BATCH: u32 = 250;

/// What is taken out of which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Who acted and from where, in entries of what this person did, or what was done in this
    /// person's name.
    Acts(Uuid),
    /// The values, in entries about this record.
    Record(Uuid),
}

impl Records {
    /// Takes a person or the values of a record out of every sealed entry, by the request that
    /// asks for it. Answers how many entries were touched.
    ///
    /// # Errors
    /// [`Error::Forbidden`] but for administrators; [`ConflictKind::Busy`] while an entry has no
    /// seal yet, which takes a second.
    pub async fn erase_from_audit(
        &self,
        caller: &Caller,
        what: Erasure,
        request: &str,
    ) -> Result<u64, Error> {
        if !caller.access.is_admin() {
            let (action, entity) = ("erase".to_owned(), AUDIT_ENTITY.to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let audit = self.entity_called(AUDIT_ENTITY)?;
        let schema = self.schema();
        let wanted = wanted(&schema, audit, what)?;
        let mut erased = 0;
        loop {
            let entries = self.find(caller.tenant(), audit, wanted.clone(), BATCH);
            let ids: Vec<Uuid> = entries.await?.into_iter().map(|entry| entry.id).collect();
            if ids.is_empty() {
                break;
            }
            self.erase(caller.tenant(), audit, &ids, what, request)
                .await?;
            erased += ids.len() as u64;
        }
        let record = match what {
            Erasure::Acts(id) | Erasure::Record(id) => id,
        };
        let mut after = Map::new();
        after.insert("entries".to_owned(), json!(erased));
        after.insert("part".to_owned(), json!(part(what).0));
        self.audit_with(
            caller,
            "erase",
            Some(AUDIT_ENTITY),
            Some(record),
            request,
            after,
        )
        .await?;
        Ok(erased)
    }

    async fn erase(
        &self,
        tenant: i64,
        audit: EntityIx,
        ids: &[Uuid],
        what: Erasure,
        request: &str,
    ) -> Result<(), Error> {
        let (_, fields) = part(what);
        let schema = self.schema();
        let declared = schema.entity(audit);
        let store = &self.inner.store;
        let seals = store.audit_seals_of(tenant, ids).await?;
        if seals.len() < ids.len() {
            return Err(Error::Conflict(ConflictKind::Busy));
        }
        let mut commit = Commit {
            tenant,
            ..Commit::default()
        };
        for seal in seals {
            let who = seal.who_salt.is_none() || matches!(what, Erasure::Acts(_));
            let body = seal.body_salt.is_none() || matches!(what, Erasure::Record(_));
            let by = match &seal.erased_by {
                Some(before) if before != request => format!("{before}; {request}"),
                _ => request.to_owned(),
            };
            let mac = self
                .inner
                .audit_key
                .sign_erasure(tenant, &seal, (who, body), &by)?;
            let empty = fields.iter().filter_map(|name| declared.find(name));
            commit.writes.push(Write::Update {
                entity: audit,
                id: seal.entry,
                expected_version: None,
                set: empty.map(|field| (field, Set::To(Value::Null))).collect(),
            });
            commit.system.push(SystemWrite::Audit(AuditWrite::Erase {
                entry: seal.entry,
                who,
                body,
                by,
                mac,
            }));
        }
        let done = store.commit(commit).await;
        done.map(|_| ()).map_err(crate::write::refused)
    }
}

/// The name of what is erased, and its fields.
fn part(what: Erasure) -> (&'static str, &'static [&'static str]) {
    match what {
        Erasure::Acts(_) => ("who", &canon::WHO),
        Erasure::Record(_) => ("values", &canon::BODY),
    }
}

/// Entries in which something is left to erase.
fn wanted(schema: &Schema, audit: EntityIx, what: Erasure) -> Result<Predicate, Error> {
    let declared = schema.entity(audit);
    let field = |name: &str| {
        let missing = || Error::Internal(format!("audit has no “{name}”"));
        declared.find(name).ok_or_else(missing)
    };
    match what {
        Erasure::Acts(person) => {
            let is = || Operand::OneOf(vec![Value::Id(person)]);
            Ok(
                Predicate::test(audit, field("actor")?, is()).or(Predicate::test(
                    audit,
                    field("on_behalf_of")?,
                    is(),
                )),
            )
        }
        Erasure::Record(record) => {
            let is = Operand::OneOf(vec![Value::Text(record.to_string())]);
            let mut left = Predicate::False;
            for name in canon::BODY {
                left = left.or(Predicate::test(audit, field(name)?, Operand::Present));
            }
            // What is said about the erasure itself stays.
            let erasure = Operand::OneOf(vec![Value::from("erase")]);
            let other =
                opsflux_model::predicate::negate(Predicate::test(audit, field("action")?, erasure));
            Ok(Predicate::test(audit, field("record")?, is)
                .and(other)
                .and(left))
        }
    }
}
