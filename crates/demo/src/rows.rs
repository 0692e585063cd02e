//! Records by the names of their fields.

use std::sync::Arc;

use jiff::Timestamp;
use opsflux_model::{Schema, Value};
use opsflux_records::write::seed::SeedRecord;
use uuid::Uuid;

use crate::Error;

/// When something happened, and who did it; nobody is the house.
pub type Act = (Timestamp, Option<Uuid>);

/// Makes the records of one company.
#[derive(Clone)]
pub struct Rows {
    pub schema: Arc<Schema>,
    pub company: Uuid,
}

impl Rows {
    /// A record that has not changed since it was made.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is not declared.
    pub fn row(
        &self,
        entity: &str,
        id: Uuid,
        created: Act,
        values: Vec<(&str, Value)>,
    ) -> Result<SeedRecord, Error> {
        self.changed(entity, id, (created, created), values)
    }

    /// A record that was made and last changed.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is not declared.
    pub fn changed(
        &self,
        entity: &str,
        id: Uuid,
        (created, updated): (Act, Act),
        values: Vec<(&str, Value)>,
    ) -> Result<SeedRecord, Error> {
        let unknown = |field: &str| Error::Unknown {
            entity: entity.to_owned(),
            field: field.to_owned(),
        };
        let ix = self.schema.find(entity).ok_or_else(|| unknown(""))?;
        let declared = self.schema.entity(ix);
        let named = values.into_iter().map(|(name, value)| {
            let field = declared.find(name).ok_or_else(|| unknown(name))?;
            Ok((field, value))
        });
        Ok(SeedRecord {
            entity: ix,
            id,
            company: Some(self.company),
            created,
            updated,
            values: named.collect::<Result<_, Error>>()?,
        })
    }
}

/// What stands in an `any_link`.
pub fn reference(entity: &str, id: Uuid) -> Value {
    Value::Ref {
        entity: entity.to_owned(),
        id,
    }
}

/// A set of texts.
pub fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Set(items.into_iter().map(Value::from).collect())
}

/// A set of records.
pub fn ids(items: impl IntoIterator<Item = Uuid>) -> Value {
    Value::Set(items.into_iter().map(Value::Id).collect())
}
