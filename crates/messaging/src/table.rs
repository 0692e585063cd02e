//! Reading and writing the log entities of this room by the names they declare.

use std::time::Duration;

use opsflux_model::predicate::Order;
use opsflux_model::schema::{Entity, FieldType};
use opsflux_model::{EntityIx, FieldIx, Operand, Predicate, Schema, Value};
use opsflux_records::{ConflictKind, Error};
use opsflux_store::{CommitError, Living, Output, Select, Set, Sort, Store};

/// What a read may take: each follows one index.
const BUDGET: Duration = Duration::from_secs(5);

/// One entity with its declaration.
#[derive(Clone, Copy)]
pub(crate) struct Table<'s> {
    pub ix: EntityIx,
    declared: &'s Entity,
}

impl<'s> Table<'s> {
    /// The entity called `name`.
    pub fn of(schema: &'s Schema, name: &str) -> Result<Table<'s>, Error> {
        let ix = schema
            .find(name)
            .ok_or_else(|| Error::Internal(format!("no module declares “{name}”")))?;
        Ok(Table {
            ix,
            declared: schema.entity(ix),
        })
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Result<FieldIx, Error> {
        let found = self.declared.find(name);
        found.ok_or_else(|| Error::Internal(format!("{} has no “{name}”", self.declared.name)))
    }

    fn test(&self, name: &str, operand: Operand) -> Result<Predicate, Error> {
        Ok(Predicate::test(self.ix, self.field(name)?, operand))
    }

    /// The field is this value.
    pub fn is(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::OneOf(vec![value.into()]))
    }

    /// The field is one of these.
    pub fn is_one_of(&self, name: &str, values: &[&str]) -> Result<Predicate, Error> {
        let values = values.iter().copied().map(Value::from).collect();
        self.test(name, Operand::OneOf(values))
    }

    /// The field has no value.
    pub fn is_empty(&self, name: &str) -> Result<Predicate, Error> {
        let present = self.test(name, Operand::Present)?;
        Ok(opsflux_model::predicate::negate(present))
    }

    /// The field comes before this value.
    pub fn is_before(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::Compare(Order::Less, value.into()))
    }

    /// Values by field, for a new row; what is null is left out, texts are cut to what fits.
    pub fn row(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Value)>, Error> {
        let filled = values
            .into_iter()
            .filter(|(_, value)| *value != Value::Null);
        filled
            .map(|(name, value)| {
                let field = self.field(name)?;
                Ok((field, self.cut(field, value)))
            })
            .collect()
    }

    /// Values by field, for a row that changes.
    pub fn set(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Set)>, Error> {
        let set = values.into_iter();
        set.map(|(name, value)| {
            let field = self.field(name)?;
            Ok((field, Set::To(self.cut(field, value))))
        })
        .collect()
    }

    fn cut(&self, field: FieldIx, value: Value) -> Value {
        let most = match &self.declared.field(field).kind {
            FieldType::Text { max, .. } | FieldType::LongText { max } => *max,
            _ => return value,
        };
        match value {
            Value::Text(text) if text.chars().count() > most => {
                Value::Text(text.chars().take(most).collect())
            }
            other => other,
        }
    }

    /// The rows of a tenant that satisfy `filter`, each with `fields` in order, by `sort` from the
    /// lowest on.
    pub async fn rows(
        &self,
        store: &Store,
        tenant: i64,
        fields: &[&str],
        filter: Predicate,
        sort: &[&str],
        limit: u32,
    ) -> Result<Vec<Vec<Value>>, Error> {
        let outputs = fields
            .iter()
            .map(|name| Ok(Output::Field(self.field(name)?)));
        let sort = sort
            .iter()
            .map(|name| Ok(Sort::by(self.ix, self.field(name)?, false)));
        let width = fields.len();
        let select = Select {
            tenant,
            entity: self.ix,
            filter,
            outputs: outputs.collect::<Result<_, Error>>()?,
            sort: sort.collect::<Result<_, Error>>()?,
            after: None,
            limit,
            living: Living::Any,
        };
        let mut rows = Vec::new();
        store
            .select(&select, BUDGET, |row| -> Result<(), Error> {
                let mut values = Vec::with_capacity(width);
                for place in 0..width {
                    values.push(row.value(place)?);
                }
                rows.push(values);
                Ok(())
            })
            .await?;
        Ok(rows)
    }
}

/// What a commit that did nothing means here.
pub(crate) fn refused(error: CommitError) -> Error {
    match error {
        CommitError::Guard { name } => Error::Conflict(ConflictKind::Guard { name }),
        CommitError::Link { field, .. } => Error::field(field.unwrap_or_default(), "not_found", ""),
        CommitError::Store(error) => error.into(),
        _ => Error::Conflict(ConflictKind::Busy),
    }
}
