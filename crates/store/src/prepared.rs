//! Reads that are made ready once and asked again and again, each time for another value.

use std::time::Duration;

use opsflux_model::schema::FieldType;
use opsflux_model::{EntityIx, FieldIx, Value};

use crate::error::StoreError;
use crate::query::Select;
use crate::row::Row;
use crate::sql::{Cell, Page, column, key_of, unfit};
use crate::store::Store;

/// A [`Select`] as statements, in which the value one field must equal is left open.
#[derive(Debug)]
pub struct Prepared {
    page: Page,
    kind: FieldType,
    /// What stands in the statements for the value, and for its key.
    open: [Cell; 2],
}

impl Prepared {
    /// The statements for `value`; `None` when no record can have it.
    fn page(&self, value: &Value) -> Option<Page> {
        let cell = column::equal_to(&self.kind, value)?;
        let key = key_of(&cell);
        let mut page = self.page.clone();
        let params = page.parts.iter_mut().flat_map(|part| &mut part.params);
        for param in params {
            if *param == self.open[0] {
                param.clone_from(&cell);
            } else if *param == self.open[1] {
                param.clone_from(&key);
            }
        }
        Some(page)
    }
}

impl Store {
    /// Makes `select` ready, whose filter asks that `field` equal `stand_in`: a value that occurs
    /// nowhere else in it, and whose key is another text than itself.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when the select does not fit the schema.
    pub fn prepare(
        &self,
        select: &Select,
        (entity, field): (EntityIx, FieldIx),
        stand_in: &Value,
    ) -> Result<Prepared, StoreError> {
        let kind = self.schema().entity(entity).field(field).kind.clone();
        let open = column::equal_to(&kind, stand_in)
            .ok_or_else(|| unfit("a stand-in is no value of its field"))?;
        Ok(Prepared {
            page: self.page(select)?,
            open: [open.clone(), key_of(&open)],
            kind,
        })
    }

    /// [`Store::select`] made ready, for `value`.
    ///
    /// # Errors
    /// As [`Store::select`].
    pub async fn select_prepared<E: From<StoreError>>(
        &self,
        prepared: &Prepared,
        value: &Value,
        budget: Duration,
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        match prepared.page(value) {
            Some(page) => self.backend.select(&page, budget, each).await,
            None => Ok(0),
        }
    }
}
