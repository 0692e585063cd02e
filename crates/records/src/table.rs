//! Rows by the names their declarations give them: what the rooms keep of their own (log-ins,
//! deliveries, executions), beside the records that people write.
//!
//! Names are looked up at each use: a schema may be replaced while the server runs, and none of
//! this is on the path of a request that is answered from memory. A name that is not declared is a
//! defect of the build, told as such. What must never be here: rights. Rooms read with those of
//! the house, and answer for what they tell of it.

use std::time::Duration;

use opsflux_model::predicate::{Hop, Order, negate};
use opsflux_model::schema::{Entity, EntityKind, FieldType, system};
use opsflux_model::{EntityIx, FieldIx, Operand, Path, Predicate, Schema, Step, Test, Value};
use opsflux_store::{CommitError, Living, Output, Select, Set, Sort, Store, Write};
use uuid::Uuid;

use crate::error::{ConflictKind, Error};

/// What a read may take: each is one index look-up or one small table.
const BUDGET: Duration = Duration::from_secs(5);

/// One entity with its declaration.
#[derive(Clone, Copy)]
pub struct Table<'s> {
    /// Where.
    pub ix: EntityIx,
    declared: &'s Entity,
    schema: &'s Schema,
}

/// Which rows are read, and what of each.
pub struct Query<'q> {
    /// What of each.
    pub fields: &'q [&'q str],
    /// Which.
    pub filter: Predicate,
    /// In which order: names of fields, from the highest down after `-`.
    pub sort: &'q [&'q str],
    /// At most so many.
    pub limit: u32,
}

impl<'s> Table<'s> {
    /// The entity called `name`.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn of(schema: &'s Schema, name: &str) -> Result<Table<'s>, Error> {
        let ix = schema
            .find(name)
            .ok_or_else(|| Error::Internal(format!("no module declares “{name}”")))?;
        Ok(Table {
            ix,
            declared: schema.entity(ix),
            schema,
        })
    }

    /// The field called `name`.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn field(&self, name: &str) -> Result<FieldIx, Error> {
        let found = self.declared.find(name);
        found.ok_or_else(|| Error::Internal(format!("{} has no “{name}”", self.declared.name)))
    }

    fn test(&self, name: &str, operand: Operand) -> Result<Predicate, Error> {
        Ok(Predicate::test(self.ix, self.field(name)?, operand))
    }

    /// The field is this value, or has none when this is none; for sets: holds it.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        match value.into() {
            Value::Null => self.is_empty(name),
            value => self.test(name, Operand::OneOf(vec![value])),
        }
    }

    /// The field is one of these.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_one_of(&self, name: &str, values: &[&str]) -> Result<Predicate, Error> {
        self.test(
            name,
            Operand::OneOf(values.iter().copied().map(Value::from).collect()),
        )
    }

    /// The field has no value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_empty(&self, name: &str) -> Result<Predicate, Error> {
        Ok(negate(self.test(name, Operand::Present)?))
    }

    /// The field comes after this value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_after(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::Compare(Order::Greater, value.into()))
    }

    /// The field comes before this value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_before(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::Compare(Order::Less, value.into()))
    }

    /// The field is a moment that has come.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_due(&self, name: &str, now: jiff::Timestamp) -> Result<Predicate, Error> {
        self.test(name, Operand::Compare(Order::LessOrEqual, Value::Time(now)))
    }

    /// The field is a moment that has come, or has no value.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_over(&self, name: &str, now: jiff::Timestamp) -> Result<Predicate, Error> {
        Ok(self.is_due(name, now)?.or(self.is_empty(name)?))
    }

    /// The text is this one, whatever the letter case: neither before nor after it.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn is_alike(&self, name: &str, text: &str) -> Result<Predicate, Error> {
        let from = self.test(name, Operand::Compare(Order::GreaterOrEqual, text.into()))?;
        let to = self.test(name, Operand::Compare(Order::LessOrEqual, text.into()))?;
        Ok(from.and(to))
    }

    /// The record that `link` points at has this value in `name`.
    ///
    /// # Errors
    /// When it is not declared.
    pub fn linked(&self, link: &str, name: &str, value: &str) -> Result<Predicate, Error> {
        let link = self.field(link)?;
        let FieldType::Link(spec) = &self.declared.field(link).kind else {
            let declared = &self.declared.name;
            return Err(Error::Internal(format!("{declared}.{name} is no link")));
        };
        let (to, target) = (spec.to, self.schema.entity(spec.to));
        let field = target
            .find(name)
            .ok_or_else(|| Error::Internal(format!("{} has no “{name}”", target.name)))?;
        let step = Step {
            hop: Hop::Link(link),
            to,
            rule: Box::new(Predicate::True),
        };
        let path = Path {
            steps: vec![step],
            entity: to,
            field,
        };
        Ok(Predicate::Test(Test {
            path,
            operand: Operand::OneOf(vec![value.into()]),
        }))
    }

    /// Values by field, for a new row; what is null is left out, texts are cut to what fits.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn row(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Value)>, Error> {
        let filled = values
            .into_iter()
            .filter(|(_, value)| *value != Value::Null);
        filled
            .map(|(name, value)| {
                let field = self.field(name)?;
                Ok((field, self.fit(field, value)))
            })
            .collect()
    }

    /// Values by field, for a row that changes; texts are cut to what fits.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn set(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Set)>, Error> {
        let set = values.into_iter();
        set.map(|(name, value)| {
            let field = self.field(name)?;
            Ok((field, Set::To(self.fit(field, value))))
        })
        .collect()
    }

    /// A new row made at a moment.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn insert(
        &self,
        id: Uuid,
        at: jiff::Timestamp,
        mut values: Vec<(&str, Value)>,
    ) -> Result<Write, Error> {
        values.push((system::ID, Value::Id(id)));
        values.push((system::CREATED_AT, Value::Time(at)));
        Ok(Write::Insert {
            entity: self.ix,
            values: self.row(values)?,
        })
    }

    /// Some fields of a row, whatever its version.
    ///
    /// # Errors
    /// When a field is not declared.
    pub fn update(&self, id: Uuid, values: Vec<(&str, Value)>) -> Result<Write, Error> {
        Ok(Write::Update {
            entity: self.ix,
            id,
            expected_version: None,
            set: self.set(values)?,
        })
    }

    /// A text cut to what the field takes.
    #[must_use]
    pub fn cut(&self, name: &str, text: &str) -> String {
        let most = self.declared.find(name).and_then(|field| self.most(field));
        text.chars().take(most.unwrap_or(usize::MAX)).collect()
    }

    fn most(&self, field: FieldIx) -> Option<usize> {
        match &self.declared.field(field).kind {
            FieldType::Text { max, .. } | FieldType::LongText { max } => Some(*max),
            _ => None,
        }
    }

    fn fit(&self, field: FieldIx, value: Value) -> Value {
        match (value, self.most(field)) {
            (Value::Text(text), Some(most)) if text.chars().count() > most => {
                Value::Text(text.chars().take(most).collect())
            }
            (other, _) => other,
        }
    }

    /// The rows of a tenant that `query` asks for, each with its fields in order.
    ///
    /// # Errors
    /// When a field is not declared, or the database does not answer.
    pub async fn rows(
        &self,
        store: &Store,
        tenant: i64,
        query: Query<'_>,
    ) -> Result<Vec<Vec<Value>>, Error> {
        let outputs = query
            .fields
            .iter()
            .map(|name| Ok(Output::Field(self.field(name)?)));
        let outputs = outputs.collect::<Result<Vec<_>, Error>>()?;
        let sort = query.sort.iter().map(|name| {
            let down = name.strip_prefix('-');
            let field = self.field(down.unwrap_or(name))?;
            Ok(Sort::by(self.ix, field, down.is_some()))
        });
        let sort = sort.collect::<Result<Vec<_>, Error>>()?;
        let living = match self.declared.kind {
            EntityKind::Log => Living::Any,
            EntityKind::Record => Living::Only,
        };
        let width = outputs.len();
        let (entity, limit) = (self.ix, query.limit);
        let filter = query.filter;
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

/// The n-th value of a row.
#[must_use]
pub fn at(row: &[Value], place: usize) -> &Value {
    static NULL: Value = Value::Null;
    row.get(place).unwrap_or(&NULL)
}

/// The n-th value of a row as an owned text.
#[must_use]
pub fn text_at(row: &[Value], place: usize) -> Option<String> {
    at(row, place).as_text().map(str::to_owned)
}

/// The n-th value of a row as a moment.
#[must_use]
pub fn time_at(row: &[Value], place: usize) -> Option<jiff::Timestamp> {
    match at(row, place) {
        Value::Time(time) => Some(*time),
        _ => None,
    }
}

/// What a commit that did nothing means to a room.
#[must_use]
pub fn refused(error: CommitError) -> Error {
    match error {
        CommitError::Guard { name } => Error::Conflict(ConflictKind::Guard { name }),
        CommitError::Link { field, .. } => Error::field(field.unwrap_or_default(), "not_found", ""),
        CommitError::Store(error) => error.into(),
        _ => Error::Conflict(ConflictKind::Busy),
    }
}
