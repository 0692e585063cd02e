//! Restoring: one deletion is undone whole, by its id.

use std::collections::{BTreeMap, BTreeSet};

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, OnDelete, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::{Guard, Living};
use uuid::Uuid;

use super::change::Change;
use super::delete::MAX_AT_ONCE;
use crate::caller::Caller;
use crate::error::{ConflictKind, Error};
use crate::read::query;
use crate::records::Records;
use crate::rule::Snapshot;

impl Records {
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
        let (by, value) = self.address(entity, reference)?;
        let filter = self.is_addressed(entity, by, value)?.1.and(rule);
        let root = self
            .read_whole(caller.tenant(), entity, filter, 1, Living::Deleted)
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        let deletion = self.deletion_of(caller.tenant(), &root).await?;
        if change.at_length {
            let alone = std::slice::from_ref(&root);
            self.refuse_deleted_owner(change, caller, alone, deletion)
                .await?;
            self.rules_before_mark(change, caller, &root, false).await?;
            change.job = Some(self.restore_at_length(change, caller, &root, deletion)?);
            return Ok(root.id);
        }
        let restored = self.taken_by(caller.tenant(), deletion).await?;
        self.refuse_deleted_owner(change, caller, &restored, deletion)
            .await?;
        for record in &restored {
            change.once(record.entity, record.id)?;
            self.rules_before_mark(change, caller, record, false)
                .await?;
            self.mark(change, record, None, None);
        }
        Ok(root.id)
    }

    /// Everything a deletion took, when it is not too much for one change.
    async fn taken_by(&self, tenant: i64, deletion: Uuid) -> Result<Vec<Snapshot>, Error> {
        let schema = self.schema();
        let mut taken: Vec<Snapshot> = Vec::new();
        let records = schema.iter();
        for (ix, _) in records.filter(|(_, declared)| crate::read::is_record(declared.kind)) {
            let most = MAX_AT_ONCE + 1;
            let living = Living::By(deletion);
            let found = self.read_whole(tenant, ix, Predicate::True, most, living);
            taken.extend(found.await?);
            if taken.len() > MAX_AT_ONCE as usize {
                return Err(super::too_many());
            }
        }
        Ok(taken)
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

    /// A record that goes with another cannot come back without it: its owner lives, comes back
    /// with it, or went by the same deletion and so will.
    pub(super) async fn refuse_deleted_owner(
        &self,
        change: &mut Change,
        caller: &Caller,
        restored: &[Snapshot],
        deletion: Uuid,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let back: BTreeSet<Uuid> = restored.iter().map(|record| record.id).collect();
        // By the entity they are of: the owners, each with a link that names it.
        let mut owners: BTreeMap<EntityIx, BTreeMap<Uuid, String>> = BTreeMap::new();
        for record in restored {
            for (ix, field) in schema.entity(record.entity).iter() {
                let FieldType::Link(link) = &field.kind else {
                    continue;
                };
                let owner = record.value(ix).as_id().filter(|id| !back.contains(id));
                let counts = !field.system && link.on_delete == OnDelete::Cascade;
                if let Some(owner) = owner.filter(|_| counts) {
                    let named = owners.entry(link.to).or_default();
                    named.entry(owner).or_insert_with(|| field.name.clone());
                }
            }
        }
        for (entity, named) in owners {
            let ids = named.keys().copied().map(Value::Id).collect();
            let id = schema.entity(entity).find(system::ID).unwrap_or(FieldIx(0));
            let among = Predicate::test(entity, id, Operand::OneOf(ids));
            let most = u32::try_from(named.len()).unwrap_or(u32::MAX);
            let mut known = Vec::new();
            for living in [Living::Only, Living::By(deletion)] {
                let found = self.ids(caller.tenant(), entity, among.clone(), living, most);
                known.push(found.await?);
            }
            for (owner, field) in named {
                if known[0].contains(&owner) {
                    change.guard(Guard::Exists {
                        name: format!("{field}.deleted"),
                        entity,
                        id: owner,
                        holds: Predicate::True,
                    });
                } else if !known[1].contains(&owner) {
                    return Err(Error::Conflict(ConflictKind::DeletedOwner { field }));
                }
            }
        }
        Ok(())
    }
}
