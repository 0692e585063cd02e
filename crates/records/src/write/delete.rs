//! Deleting and restoring: marks on a record and on what goes with it, under one deletion id.

use std::collections::BTreeSet;

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, OnDelete, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::feed::FeedOp;
use opsflux_store::{Guard, Living, Write};
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

/// Most records one deletion takes.
const MAX_DELETED: u32 = 10_000;

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
        let taken = self.with_what_goes(change, caller, root).await?;
        self.refuse_referenced(change, caller, &taken).await?;
        let deletion = (change.now, change.id);
        for record in &taken {
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
                            MAX_DELETED + 1,
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
            taken.extend(next.into_iter().filter(|r| known.insert((r.entity, r.id))));
            if taken.len() > MAX_DELETED as usize {
                return Err(Error::TooLarge {
                    limit: format!("{MAX_DELETED} records"),
                });
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
                    let declared = schema.entity(link.from);
                    return Err(Error::Conflict(ConflictKind::Referenced {
                        entity: declared.name.clone(),
                        field: declared.field(link.field).name.clone(),
                        count: u64::try_from(found.len()).unwrap_or(u64::MAX),
                    }));
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

    pub(super) async fn unmark_deleted(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
    ) -> Result<Uuid, Error> {
        self.authorize(caller, entity, Action::Delete)?;
        let schema = self.schema();
        let rule = query::rule(&schema, caller, entity, Action::Delete);
        let filter = self.addressed(entity, reference)?.and(rule);
        let root = self
            .read_whole(caller.tenant(), entity, filter, 1, Living::Deleted, &[])
            .await?
            .pop()
            .map(|(snapshot, _)| snapshot)
            .ok_or(Error::NotFound)?;
        let deletion = self.deletion_of(caller.tenant(), &root).await?;
        let mut restored: Vec<Snapshot> = Vec::new();
        for (ix, declared) in schema.iter() {
            if crate::read::is_record(declared.kind) {
                let found = self
                    .read_whole(
                        caller.tenant(),
                        ix,
                        Predicate::True,
                        MAX_DELETED,
                        Living::By(deletion),
                        &[],
                    )
                    .await?;
                restored.extend(found.into_iter().map(|(snapshot, _)| snapshot));
            }
        }
        self.refuse_deleted_owner(change, caller, &restored).await?;
        for record in &restored {
            self.rules_before_mark(change, caller, record, false)
                .await?;
            self.mark(change, record, None, None);
        }
        Ok(root.id)
    }

    async fn deletion_of(&self, tenant: i64, record: &Snapshot) -> Result<Uuid, Error> {
        let schema = self.schema();
        let id = schema
            .entity(record.entity)
            .find(system::ID)
            .unwrap_or(FieldIx(0));
        let select = opsflux_store::Select {
            tenant,
            entity: record.entity,
            filter: Predicate::test(
                record.entity,
                id,
                Operand::OneOf(vec![Value::Id(record.id)]),
            ),
            outputs: vec![opsflux_store::Output::System(system::DELETION_ID)],
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: Living::Deleted,
        };
        let mut deletion = None;
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                deletion = row.value(0)?.as_id();
                Ok(())
            })
            .await?;
        deletion.ok_or(Error::NotFound)
    }

    /// A record that goes with another cannot come back without it.
    async fn refuse_deleted_owner(
        &self,
        change: &mut Change,
        caller: &Caller,
        restored: &[Snapshot],
    ) -> Result<(), Error> {
        let schema = self.schema();
        let back: BTreeSet<Uuid> = restored.iter().map(|record| record.id).collect();
        for record in restored {
            for (ix, field) in schema.entity(record.entity).iter() {
                let FieldType::Link(link) = &field.kind else {
                    continue;
                };
                let Some(target) = record.value(ix).as_id() else {
                    continue;
                };
                if field.system || link.on_delete != OnDelete::Cascade || back.contains(&target) {
                    continue;
                }
                if self
                    .snapshot(caller.tenant(), link.to, target)
                    .await?
                    .is_none()
                {
                    let field = field.name.clone();
                    return Err(Error::Conflict(ConflictKind::DeletedOwner { field }));
                }
                change.guard(Guard::Exists {
                    name: format!("{}.deleted", field.name),
                    entity: link.to,
                    id: target,
                    holds: Predicate::True,
                });
            }
        }
        Ok(())
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
