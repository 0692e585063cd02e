//! Rows of the engine's log entities, by the names their declarations give them.

use opsflux_model::schema::{EntityIx, Schema, system};
use opsflux_model::{FieldIx, Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_store::{Set, Write};
use uuid::Uuid;

/// One log entity.
#[derive(Clone, Copy)]
pub(crate) struct Log<'s> {
    schema: &'s Schema,
    /// Where.
    pub ix: EntityIx,
}

impl<'s> Log<'s> {
    /// The entity called `name`.
    ///
    /// # Errors
    /// When the module is not there.
    pub fn of(schema: &'s Schema, name: &str) -> Result<Log<'s>, Error> {
        let ix = schema.find(name);
        let ix = ix.ok_or_else(|| Error::Internal(format!("no entity “{name}”")))?;
        Ok(Log { schema, ix })
    }

    /// A field.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn field(&self, name: &str) -> Result<FieldIx, Error> {
        let entity = self.schema.entity(self.ix);
        let missing = || Error::Internal(format!("{} has no “{name}”", entity.name));
        entity.find(name).ok_or_else(missing)
    }

    /// A new row. Nulls are left out.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn insert(
        &self,
        id: Uuid,
        at: jiff::Timestamp,
        values: Vec<(&str, Value)>,
    ) -> Result<Write, Error> {
        let known = [
            (system::ID, Value::Id(id)),
            (system::CREATED_AT, Value::Time(at)),
        ];
        let mut row = Vec::with_capacity(values.len() + 2);
        for (name, value) in known.into_iter().chain(values) {
            if value != Value::Null {
                row.push((self.field(name)?, value));
            }
        }
        Ok(Write::Insert {
            entity: self.ix,
            values: row,
        })
    }

    /// Some fields of a row.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn update(&self, id: Uuid, values: Vec<(&str, Value)>) -> Result<Write, Error> {
        let mut set = Vec::with_capacity(values.len());
        for (name, value) in values {
            set.push((self.field(name)?, Set::To(value)));
        }
        Ok(Write::Update {
            entity: self.ix,
            id,
            expected_version: None,
            set,
        })
    }

    /// That a field has a value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        let field = self.field(name)?;
        Ok(match value.into() {
            Value::Null => {
                opsflux_model::predicate::negate(Predicate::test(self.ix, field, Operand::Present))
            }
            value => Predicate::test(self.ix, field, Operand::OneOf(vec![value])),
        })
    }

    /// That a field is before a moment, or has no value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_over(&self, name: &str, now: jiff::Timestamp) -> Result<Predicate, Error> {
        Ok(self.is_due(name, now)?.or(self.is(name, Value::Null)?))
    }

    /// That a field is a moment that has come.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_due(&self, name: &str, now: jiff::Timestamp) -> Result<Predicate, Error> {
        let order = opsflux_model::predicate::Order::LessOrEqual;
        let operand = Operand::Compare(order, Value::Time(now));
        Ok(Predicate::test(self.ix, self.field(name)?, operand))
    }
}

/// A text cut to what its field holds.
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
