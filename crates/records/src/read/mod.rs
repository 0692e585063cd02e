//! The one way out: a record, a page, related records, history.
//!
//! Every read compiles to one `Select` whose filter holds the caller's rule, plus one query per
//! linked entity for titles. Nothing is filtered after it was read.

pub mod columns;
mod extras;
mod get;
pub mod history;
pub mod json;
pub mod labels;
mod page;
mod place;
pub mod query;
mod ranked;
pub mod search;

use opsflux_model::schema::{EntityIx, EntityKind, FieldIx, FieldType, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::{Living, Output, Select};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::Snapshot;

pub(crate) use get::Plans;
pub use query::{ListRequest, Nested};

/// One record.
#[derive(Debug, Clone, Default)]
pub struct GetRequest {
    /// Names of the fields wanted; all when absent.
    pub fields: Option<Vec<String>>,
    /// Links whose records are wanted whole.
    pub expand: Vec<String>,
    /// A deleted record instead of a living one.
    pub deleted: bool,
}

/// A record as the caller may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id, also when it was asked for by number.
    pub id: Uuid,
    /// Its version; 0 for logs.
    pub version: i64,
    /// The record as a JSON object, with `labels` and `can`.
    pub body: Vec<u8>,
}

impl Records {
    /// Which record `reference` means: an id, or the number of a numbered entity.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is neither.
    pub(crate) fn addressed(&self, entity: EntityIx, reference: &str) -> Result<Predicate, Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        let (name, value) = match Uuid::try_parse(reference) {
            Ok(id) => (system::ID, Value::Id(id)),
            Err(_) if declared.number.is_some() && reference.len() <= 64 => {
                (system::NUMBER, Value::from(reference))
            }
            Err(_) => return Err(Error::NotFound),
        };
        let field = declared.find(name).ok_or(Error::NotFound)?;
        Ok(Predicate::test(entity, field, Operand::OneOf(vec![value])))
    }

    /// The id of a living record the caller may see.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resolve(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
    ) -> Result<Uuid, Error> {
        let schema = self.schema();
        let rule = query::rule(&schema, caller, entity, Action::View);
        let filter = self.addressed(entity, reference)?.and(rule);
        let living = query::living(&schema, entity, false);
        let ids = self.ids(caller.tenant(), entity, filter, living, 1).await?;
        ids.first().copied().ok_or(Error::NotFound)
    }

    /// Those of `ids` that live and that the caller may see: for search hits and live changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn visible(
        &self,
        caller: &Caller,
        entity: EntityIx,
        ids: &[Uuid],
    ) -> Result<Vec<Uuid>, Error> {
        let schema = self.schema();
        let Some(id) = schema.entity(entity).find(system::ID) else {
            return Ok(Vec::new());
        };
        if ids.is_empty() || !caller.access.may(entity, Action::View) {
            return Ok(Vec::new());
        }
        let wanted = ids.iter().copied().map(Value::Id).collect();
        let filter = Predicate::test(entity, id, Operand::OneOf(wanted)).and(query::rule(
            &schema,
            caller,
            entity,
            Action::View,
        ));
        let living = query::living(&schema, entity, false);
        let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        self.ids(caller.tenant(), entity, filter, living, limit)
            .await
    }

    pub(crate) async fn ids(
        &self,
        tenant: i64,
        entity: EntityIx,
        filter: Predicate,
        living: Living,
        limit: u32,
    ) -> Result<Vec<Uuid>, Error> {
        let schema = self.schema();
        let id = schema.entity(entity).find(system::ID).unwrap_or(FieldIx(0));
        let outputs = vec![Output::Field(id)];
        let select = Select {
            tenant,
            entity,
            filter,
            outputs,
            sort: Vec::new(),
            after: None,
            limit,
            living,
        };
        let mut ids = Vec::new();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                ids.extend(row.value(0)?.as_id());
                Ok(())
            })
            .await?;
        Ok(ids)
    }

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
        let Some(field) = schema.entity(entity).find(system::ID) else {
            return Ok(None);
        };
        let filter = Predicate::test(entity, field, Operand::OneOf(vec![Value::Id(id)]));
        Ok(self.find(tenant, entity, filter, 1).await?.pop())
    }

    /// Living records that satisfy `filter`, oldest first, with the rights of the house.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        tenant: i64,
        entity: EntityIx,
        filter: Predicate,
        limit: u32,
    ) -> Result<Vec<Snapshot>, Error> {
        let living = query::living(&self.schema(), entity, false);
        let read = self
            .read_whole(tenant, entity, filter, limit, living, &[])
            .await?;
        Ok(read.into_iter().map(|(snapshot, _)| snapshot).collect())
    }

    /// Living records in the order of their ids, from the one after `after`: for work over all of
    /// them, with the rights of the house.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn scan(
        &self,
        tenant: i64,
        entity: EntityIx,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, Error> {
        let living = query::living(&self.schema(), entity, false);
        self.scanned(tenant, entity, after, limit, living).await
    }

    /// Records in the order of their ids, from the one after `after`.
    pub(crate) async fn scanned(
        &self,
        tenant: i64,
        entity: EntityIx,
        after: Option<Uuid>,
        limit: u32,
        living: Living,
    ) -> Result<Vec<Snapshot>, Error> {
        let schema = self.schema();
        let Some(id) = schema.entity(entity).find(system::ID) else {
            return Ok(Vec::new());
        };
        let filter = match after {
            Some(after) => {
                let order = opsflux_model::predicate::Order::Greater;
                Predicate::test(entity, id, Operand::Compare(order, Value::Id(after)))
            }
            None => Predicate::True,
        };
        let read = self
            .read_whole(tenant, entity, filter, limit, living, &[])
            .await?;
        Ok(read.into_iter().map(|(snapshot, _)| snapshot).collect())
    }

    /// Whole records together with whether each satisfies `asked`.
    pub(crate) async fn read_whole(
        &self,
        tenant: i64,
        entity: EntityIx,
        filter: Predicate,
        limit: u32,
        living: Living,
        asked: &[Predicate],
    ) -> Result<Vec<(Snapshot, Vec<bool>)>, Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        let stored: Vec<FieldIx> = declared
            .iter()
            .filter(|(_, f)| !f.kind.is_virtual() && !f.kind.is_write_only())
            .map(|(ix, _)| ix)
            .collect();
        let mut outputs: Vec<Output> = stored.iter().copied().map(Output::Field).collect();
        outputs.extend(asked.iter().cloned().map(Output::Holds));
        let sort = match (limit, declared.find(system::ID)) {
            (2.., Some(id)) => vec![opsflux_store::Sort::by(entity, id, false)],
            _ => Vec::new(),
        };
        let select = Select {
            tenant,
            entity,
            filter,
            outputs,
            sort,
            after: None,
            limit,
            living,
        };
        let version = declared.find(system::VERSION);
        let mut found = Vec::new();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let mut values = vec![Value::Null; declared.fields.len()];
                for (place, ix) in stored.iter().enumerate() {
                    values[usize::from(ix.0)] = row.value(place)?;
                }
                let read = |ix: Option<FieldIx>| {
                    ix.and_then(|ix| values.get(usize::from(ix.0)))
                        .unwrap_or(&Value::Null)
                };
                let id = read(declared.find(system::ID)).as_id().unwrap_or_default();
                let version = read(version).as_int().unwrap_or_default();
                let mut answers = Vec::with_capacity(asked.len());
                for place in 0..asked.len() {
                    answers.push(row.value(stored.len() + place)?.as_bool() == Some(true));
                }
                found.push((
                    Snapshot {
                        entity,
                        id,
                        version,
                        values,
                    },
                    answers,
                ));
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// The records of child tables of `owners`, with the rights of the house, in order.
    pub(crate) async fn children(
        &self,
        tenant: i64,
        of: EntityIx,
        via: FieldIx,
        owners: &[Uuid],
    ) -> Result<Vec<Snapshot>, Error> {
        let wanted = owners.iter().copied().map(Value::Id).collect();
        let filter = Predicate::test(of, via, Operand::OneOf(wanted));
        self.find(tenant, of, filter, 10_000).await
    }

    /// The file entity and the like are found by name; a schema without them cannot serve them.
    pub(crate) fn entity_called(&self, name: &str) -> Result<EntityIx, Error> {
        self.schema()
            .find(name)
            .ok_or_else(|| Error::Internal(format!("no entity “{name}”")))
    }
}

/// Whether rows of an entity carry a mark when they are deleted.
pub(crate) fn is_record(kind: EntityKind) -> bool {
    kind == EntityKind::Record
}

/// The scalar fields of child rows that are answered inside their owner.
pub(crate) fn is_child_scalar(kind: &FieldType) -> bool {
    !kind.is_virtual() && !kind.is_write_only()
}
