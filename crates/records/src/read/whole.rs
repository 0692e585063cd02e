//! Whole records, for those who change them or decide about a change.

use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, Schema, system};
use opsflux_model::{Action, Predicate, Value};
use opsflux_store::{Living, Output, Prepared, Row, Select};
use uuid::Uuid;

use super::{By, query};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::Snapshot;

/// How one whole record is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Whole {
    tenant: i64,
    entity: EntityIx,
    by: By,
    /// What is asked whether the caller may do it; none with the rights of the house.
    action: Option<Action>,
}

/// That, worked out.
pub(crate) struct WholePlan {
    fields: Vec<FieldIx>,
    prepared: Prepared,
}

/// A record and which questions it answers with yes, see [`Records::judged`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Which it is.
    pub id: Uuid,
    /// Whether it satisfies each of the predicates.
    pub holds: Vec<bool>,
    /// Whether it is deleted: then nobody sees it.
    pub deleted: bool,
}

impl Records {
    /// A record whole, with the rights of the house; write-only fields and child tables are null.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn snapshot(
        &self,
        tenant: i64,
        entity: EntityIx,
        id: Uuid,
    ) -> Result<Option<Snapshot>, Error> {
        let schema = self.schema();
        let whole = Whole {
            tenant,
            entity,
            by: By::Id,
            action: None,
        };
        let make = || self.make_whole(&schema, whole, Predicate::True, &[]);
        let plan = self.inner.whole_plans.get(&schema, None, whole, make)?;
        let found = self.read_one(&schema, whole, &plan, &Value::Id(id)).await?;
        Ok(found.map(|(snapshot, _)| snapshot))
    }

    /// The living record that the caller addresses, and whether he may do `action` to it; none
    /// when he may not see it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what addresses nothing.
    pub(crate) async fn whole(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        action: Action,
    ) -> Result<Option<(Snapshot, bool)>, Error> {
        let schema = self.schema();
        let (by, value) = self.address(entity, reference)?;
        let whole = Whole {
            tenant: caller.tenant(),
            entity,
            by,
            action: Some(action),
        };
        let rule = |action| query::rule(&schema, caller, entity, action);
        let make = || self.make_whole(&schema, whole, rule(Action::View), &[rule(action)]);
        if caller.companies.is_empty() {
            let (plans, access) = (&self.inner.whole_plans, Some(&caller.access));
            let plan = plans.get(&schema, access, whole, make)?;
            return self.read_one(&schema, whole, &plan, &value).await;
        }
        self.read_one(&schema, whole, &make()?, &value).await
    }

    fn make_whole(
        &self,
        schema: &Schema,
        whole: Whole,
        seen: Predicate,
        asked: &[Predicate],
    ) -> Result<WholePlan, Error> {
        let stand_in = whole.by.stand_in();
        let (field, addressed) = self.is_addressed(whole.entity, whole.by, stand_in.clone())?;
        let fields = whole_fields(schema.entity(whole.entity));
        let select = Select {
            tenant: whole.tenant,
            entity: whole.entity,
            filter: addressed.and(seen),
            outputs: outputs(&fields, asked),
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: query::living(schema, whole.entity, false),
        };
        let open = (whole.entity, field);
        let prepared = self.inner.store.prepare(&select, open, &stand_in)?;
        Ok(WholePlan { fields, prepared })
    }

    async fn read_one(
        &self,
        schema: &Schema,
        whole: Whole,
        plan: &WholePlan,
        value: &Value,
    ) -> Result<Option<(Snapshot, bool)>, Error> {
        let declared = schema.entity(whole.entity);
        let mut found = None;
        self.inner
            .store
            .select_prepared(&plan.prepared, value, self.inner.budget, |row| {
                let read = snapshot_of(row, whole.entity, declared, &plan.fields)?;
                let allowed = match whole.action {
                    Some(_) => row.value(plan.fields.len())?.as_bool() == Some(true),
                    None => true,
                };
                found = Some((read, allowed));
                Ok::<_, Error>(())
            })
            .await?;
        Ok(found)
    }

    /// Which of `asked` the addressed record satisfies, living or deleted, with the rights of the
    /// house: to explain why somebody may do something with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such record in the tenant.
    pub async fn judged(
        &self,
        tenant: i64,
        entity: EntityIx,
        reference: &str,
        asked: &[Predicate],
    ) -> Result<Judged, Error> {
        let schema = self.schema();
        let (by, value) = self.address(entity, reference)?;
        let (_, addressed) = self.is_addressed(entity, by, value)?;
        let id = schema.entity(entity).find(system::ID);
        let id = id.ok_or(Error::NotFound)?;
        let mut outputs = outputs(&[id], asked);
        let is_record = schema.entity(entity).kind == EntityKind::Record;
        if is_record {
            outputs.push(Output::System(system::DELETED_AT));
        }
        let select = Select {
            tenant,
            entity,
            filter: addressed,
            outputs,
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: Living::Any,
        };
        let mut found = None;
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let holds = 1..=asked.len();
                let holds = holds.map(|place| Ok(row.value(place)?.as_bool() == Some(true)));
                found = Some(Judged {
                    id: row.value(0)?.as_id().unwrap_or_default(),
                    holds: holds.collect::<Result<_, Error>>()?,
                    deleted: is_record && row.value(1 + asked.len())? != Value::Null,
                });
                Ok(())
            })
            .await?;
        found.ok_or(Error::NotFound)
    }

    /// Whole records, in the order of their ids.
    pub(crate) async fn read_whole(
        &self,
        tenant: i64,
        entity: EntityIx,
        filter: Predicate,
        limit: u32,
        living: Living,
    ) -> Result<Vec<Snapshot>, Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        let fields = whole_fields(declared);
        let sort = match (limit, declared.find(system::ID)) {
            (2.., Some(id)) => vec![opsflux_store::Sort::by(entity, id, false)],
            _ => Vec::new(),
        };
        let select = Select {
            tenant,
            entity,
            filter,
            outputs: outputs(&fields, &[]),
            sort,
            after: None,
            limit,
            living,
        };
        let mut found = Vec::new();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                found.push(snapshot_of(row, entity, declared, &fields)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }
}

/// What a whole record is made of.
fn whole_fields(declared: &Entity) -> Vec<FieldIx> {
    let fields = declared.iter();
    let kept = fields.filter(|(_, field)| !field.kind.is_virtual() && !field.kind.is_write_only());
    kept.map(|(ix, _)| ix).collect()
}

fn outputs(fields: &[FieldIx], asked: &[Predicate]) -> Vec<Output> {
    let fields = fields.iter().copied().map(Output::Field);
    fields
        .chain(asked.iter().cloned().map(Output::Holds))
        .collect()
}

fn snapshot_of(
    row: &Row<'_>,
    entity: EntityIx,
    declared: &Entity,
    fields: &[FieldIx],
) -> Result<Snapshot, Error> {
    let mut values = vec![Value::Null; declared.fields.len()];
    for (place, ix) in fields.iter().enumerate() {
        values[usize::from(ix.0)] = row.value(place)?;
    }
    let read = |name: &str| {
        let place = declared.find(name).map(|ix| usize::from(ix.0));
        place.map_or(&Value::Null, |place| &values[place])
    };
    Ok(Snapshot {
        entity,
        id: read(system::ID).as_id().unwrap_or_default(),
        version: read(system::VERSION).as_int().unwrap_or_default(),
        values,
    })
}
