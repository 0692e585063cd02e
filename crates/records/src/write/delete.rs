//! Deleting: marks on a record and on what goes with it, under one deletion id. What is too much
//! for one change goes on in `large`.

use std::collections::BTreeSet;

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, OnDelete, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::feed::FeedOp;
use opsflux_store::{Guard, Write};
use uuid::Uuid;

use super::change::{Change, Touched};
use super::{Precondition, WriteOptions};
use crate::caller::Caller;
use crate::error::{ConflictKind, Error};
use crate::read::query;
use crate::records::Records;
use crate::rule::Snapshot;

/// Name of the guard that nothing joins what is being deleted.
pub(super) const CASCADE: &str = "cascade";

/// Most records one change takes or brings back; more are a job's.
pub(super) const MAX_AT_ONCE: u32 = 1_000;

/// A link to a deleted entity, seen from the entity that holds it.
#[derive(Clone, Copy)]
struct Incoming {
    from: EntityIx,
    field: FieldIx,
    on_delete: OnDelete,
}

impl Records {
    pub(super) async fn mark_deleted(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        options: &WriteOptions,
    ) -> Result<Uuid, Error> {
        self.authorize(caller, entity, Action::View)?;
        let root = self.load(caller, entity, reference, Action::Delete).await?;
        if let Precondition::IfMatch(_) = options.precondition {
            let nothing = serde_json::Map::new();
            self.check_version(caller, &root, &nothing, options.precondition)
                .await?;
        }
        let id = root.id;
        // Who deletes a parent and its child has asked for both.
        if change.deletes(entity, id) {
            return Ok(id);
        }
        if change.at_length {
            self.rules_before_mark(change, caller, &root, true).await?;
            change.job = Some(self.delete_at_length(change, caller, &root)?);
            return Ok(id);
        }
        let taken = self.with_what_goes(change, caller, root).await?;
        self.refuse_referenced(change, caller, &taken).await?;
        let deletion = (change.now, change.id);
        for record in &taken {
            change.spare(record.entity, record.id)?;
            self.rules_before_mark(change, caller, record, true).await?;
            self.mark(change, record, Some(deletion), None);
        }
        Ok(id)
    }

    /// The record and everything that goes with it, parents before children.
    async fn with_what_goes(
        &self,
        change: &mut Change,
        caller: &Caller,
        root: Snapshot,
    ) -> Result<Vec<Snapshot>, Error> {
        let mut taken = vec![root];
        let mut known: BTreeSet<(EntityIx, Uuid)> = taken
            .iter()
            .map(|record| (record.entity, record.id))
            .collect();
        let mut level = 0;
        while level < taken.len() {
            let end = taken.len();
            let mut next = Vec::new();
            for (entity, ids) in by_entity(&taken[level..end]) {
                for link in self.incoming(entity) {
                    if link.on_delete != OnDelete::Cascade {
                        continue;
                    }
                    let pointing = pointing(&link, &ids);
                    let found = self
                        .find(
                            caller.tenant(),
                            link.from,
                            pointing.clone(),
                            MAX_AT_ONCE + 1,
                        )
                        .await?;
                    // A record that joins meanwhile must go too: the change is made again.
                    let most = u64::try_from(found.len()).unwrap_or(u64::MAX);
                    change.guard(Guard::Count {
                        name: CASCADE.to_owned(),
                        entity: link.from,
                        filter: pointing,
                        min: None,
                        max: Some(most),
                    });
                    next.extend(found);
                }
            }
            level = end;
            next.retain(|r| !change.deletes(r.entity, r.id) && known.insert((r.entity, r.id)));
            taken.extend(next);
            if taken.len() > MAX_AT_ONCE as usize {
                return Err(super::too_many());
            }
        }
        Ok(taken)
    }

    /// Links that refuse to lose their target, unless what holds them goes too.
    async fn refuse_referenced(
        &self,
        change: &mut Change,
        caller: &Caller,
        taken: &[Snapshot],
    ) -> Result<(), Error> {
        let schema = self.schema();
        for (entity, ids) in by_entity(taken) {
            for link in self.incoming(entity) {
                if link.on_delete != OnDelete::Refuse {
                    continue;
                }
                let going: Vec<Value> = taken
                    .iter()
                    .filter(|record| record.entity == link.from)
                    .map(|record| Value::Id(record.id))
                    .collect();
                let id = schema
                    .entity(link.from)
                    .find(system::ID)
                    .unwrap_or(FieldIx(0));
                let staying = if going.is_empty() {
                    Predicate::True
                } else {
                    let among = Predicate::test(link.from, id, Operand::OneOf(going));
                    opsflux_model::predicate::negate(among)
                };
                let filter = pointing(&link, &ids).and(staying);
                let found = self
                    .find(caller.tenant(), link.from, filter.clone(), 1000)
                    .await?;
                if !found.is_empty() {
                    return Err(self.referenced(caller, &link, filter).await?);
                }
                change.guard(Guard::Count {
                    name: "referenced".to_owned(),
                    entity: link.from,
                    filter,
                    min: None,
                    max: Some(0),
                });
            }
        }
        Ok(())
    }

    /// Says what refuses to lose a record, as far as the caller may know of it.
    async fn referenced(
        &self,
        caller: &Caller,
        link: &Incoming,
        filter: Predicate,
    ) -> Result<Error, Error> {
        let schema = self.schema();
        let seen = query::rule(&schema, caller, link.from, Action::View);
        let found = match caller.access.may_refer(link.from, link.field) {
            true => {
                let filter = filter.and(seen);
                self.find(caller.tenant(), link.from, filter, 1000).await?
            }
            false => Vec::new(),
        };
        if found.is_empty() {
            let name = "referenced".to_owned();
            return Ok(Error::Conflict(ConflictKind::Guard { name }));
        }
        let declared = schema.entity(link.from);
        Ok(Error::Conflict(ConflictKind::Referenced {
            entity: declared.name.clone(),
            field: declared.field(link.field).name.clone(),
            count: u64::try_from(found.len()).unwrap_or(u64::MAX),
        }))
    }

    /// Every link that points at an entity.
    fn incoming(&self, to: EntityIx) -> Vec<Incoming> {
        let schema = self.schema();
        let mut links = Vec::new();
        for (from, entity) in schema.iter() {
            if !crate::read::is_record(entity.kind) {
                continue;
            }
            for (field, declared) in entity.iter() {
                let (FieldType::Link(link) | FieldType::Links(link)) = &declared.kind else {
                    continue;
                };
                if link.to == to && !declared.system {
                    links.push(Incoming {
                        from,
                        field,
                        on_delete: link.on_delete,
                    });
                }
            }
        }
        links
    }

    /// Adds the mark of one record, with its audit and feed entries.
    pub(super) fn mark(
        &self,
        change: &mut Change,
        record: &Snapshot,
        deletion: Option<(jiff::Timestamp, Uuid)>,
        rule: Option<&str>,
    ) {
        let schema = self.schema();
        let filled: Vec<FieldIx> = schema
            .entity(record.entity)
            .iter()
            .filter(|(ix, field)| !field.system && !record.value(*ix).is_empty())
            .map(|(ix, _)| ix)
            .collect();
        let deleted = deletion.is_some();
        change.record(&Touched {
            entity: record.entity,
            id: record.id,
            version: record.version + 1,
            op: if deleted {
                FeedOp::Deleted
            } else {
                FeedOp::Restored
            },
            before: deleted.then_some(record),
            after: (!deleted).then_some(record.values.as_slice()),
            fields: &filled,
            rule,
        });
        change.write(Write::Mark {
            entity: record.entity,
            id: record.id,
            expected_version: Some(record.version),
            deletion,
        });
    }
}

fn by_entity(records: &[Snapshot]) -> Vec<(EntityIx, Vec<Uuid>)> {
    let mut groups: Vec<(EntityIx, Vec<Uuid>)> = Vec::new();
    for record in records {
        match groups
            .iter_mut()
            .find(|(entity, _)| *entity == record.entity)
        {
            Some((_, ids)) => ids.push(record.id),
            None => groups.push((record.entity, vec![record.id])),
        }
    }
    groups
}

fn pointing(link: &Incoming, ids: &[Uuid]) -> Predicate {
    let ids = ids.iter().copied().map(Value::Id).collect();
    Predicate::test(link.from, link.field, Operand::OneOf(ids))
}
