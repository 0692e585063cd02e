//! The one way out: a record, a page, related records, history.
//!
//! Every read compiles to one `Select` whose filter holds the caller's rule, plus one query per
//! linked entity for titles. Nothing is filtered after it was read.

mod address;
pub mod columns;
mod extras;
mod get;
pub mod history;
pub mod json;
pub mod labels;
mod page;
mod place;
mod plans;
pub mod query;
mod ranked;
mod rows;
pub mod search;
mod whole;

use opsflux_model::schema::{EntityIx, EntityKind, FieldIx, FieldType, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::{Living, Output, Select};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::Snapshot;

pub(crate) use address::By;
pub(crate) use get::GetPlan;
pub(crate) use plans::Plans;
pub use query::{ListRequest, Nested};
pub use rows::RowsRequest;
pub use whole::Judged;
pub(crate) use whole::{Whole, WholePlan};

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
        let living = query::living(&self.schema(), entity, false);
        self.seen(caller, entity, ids, living).await
    }

    /// Whether the caller may see a record, or might while it lived: for what is told of deletions.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sees(&self, caller: &Caller, entity: EntityIx, id: Uuid) -> Result<bool, Error> {
        let seen = self.seen(caller, entity, &[id], Living::Any).await?;
        Ok(!seen.is_empty())
    }

    async fn seen(
        &self,
        caller: &Caller,
        entity: EntityIx,
        ids: &[Uuid],
        living: Living,
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
        self.read_whole(tenant, entity, filter, limit, living).await
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
        self.read_whole(tenant, entity, filter, limit, living).await
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
