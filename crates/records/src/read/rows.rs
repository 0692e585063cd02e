//! Typed rows as a person may see them: what figures are made of.
//!
//! A report adds up what its reader sees and nothing else, so it asks here, where his rule is part
//! of the question, and never with the rights of the house.

use opsflux_model::schema::FieldIx;
use opsflux_model::{Action, Condition, Value};
use opsflux_store::{Output, Select, Sort};

use super::query;
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// Which rows, and what of each.
#[derive(Debug, Clone)]
pub struct RowsRequest<'a> {
    /// Name of the entity.
    pub entity: &'a str,
    /// Which of them.
    pub condition: Condition,
    /// Names of the fields wanted, in the order of the answer.
    pub fields: &'a [&'a str],
    /// Names of the fields they are sorted by, `-` for descending.
    pub sort: &'a [&'a str],
    /// At most so many.
    pub limit: u32,
}

impl Records {
    /// The living rows that satisfy the condition and that the caller may see, each with the
    /// fields in the order asked for. A field he may not read is null.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller sees no such records at all; a condition that does not
    /// bind; a database that does not answer.
    pub async fn read_rows(
        &self,
        caller: &Caller,
        request: &RowsRequest<'_>,
    ) -> Result<Vec<Vec<Value>>, Error> {
        let schema = self.schema();
        let entity = schema
            .find(request.entity)
            .filter(|ix| caller.access.may(*ix, Action::View))
            .ok_or(Error::NotFound)?;
        let declared = schema.entity(entity);
        let field = |name: &str| -> Result<FieldIx, Error> {
            let missing = || Error::Internal(format!("{} has no field {name}", request.entity));
            declared.find(name).ok_or_else(missing)
        };
        let bound = self
            .bind(caller, |binder| binder.bind(entity, &request.condition))
            .map_err(|error| Error::condition("filter", &error))?;
        let mut wanted = Vec::with_capacity(request.fields.len());
        for name in request.fields {
            wanted.push(field(name)?);
        }
        let mut sort = Vec::with_capacity(request.sort.len());
        for name in request.sort {
            let bare = name.trim_start_matches('-');
            sort.push(Sort::by(entity, field(bare)?, bare != *name));
        }
        let shown: Vec<bool> = wanted
            .iter()
            .map(|field| caller.access.may_refer(entity, *field))
            .collect();
        let select = Select {
            tenant: caller.tenant(),
            entity,
            filter: bound.and(query::rule(&schema, caller, entity, Action::View)),
            outputs: wanted.into_iter().map(Output::Field).collect(),
            sort,
            after: None,
            limit: request.limit,
            living: query::living(&schema, entity, false),
        };
        let mut rows = Vec::new();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let mut values = Vec::with_capacity(shown.len());
                for (place, shown) in shown.iter().enumerate() {
                    values.push(if *shown {
                        row.value(place)?
                    } else {
                        Value::Null
                    });
                }
                rows.push(values);
                Ok(())
            })
            .await?;
        Ok(rows)
    }

    /// How many living rows satisfy the condition and may be seen by the caller, `most` at most.
    ///
    /// # Errors
    /// As [`Records::read_rows`].
    pub async fn count_rows(
        &self,
        caller: &Caller,
        entity: &str,
        condition: &Condition,
        most: u64,
    ) -> Result<u64, Error> {
        let schema = self.schema();
        let entity = schema
            .find(entity)
            .filter(|ix| caller.access.may(*ix, Action::View))
            .ok_or(Error::NotFound)?;
        let bound = self
            .bind(caller, |binder| binder.bind(entity, condition))
            .map_err(|error| Error::condition("filter", &error))?;
        let select = Select {
            tenant: caller.tenant(),
            entity,
            filter: bound.and(query::rule(&schema, caller, entity, Action::View)),
            outputs: Vec::new(),
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: query::living(&schema, entity, false),
        };
        let store = &self.inner.store;
        Ok(store.count_up_to(&select, most, self.inner.budget).await?)
    }
}
