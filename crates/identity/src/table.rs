//! Reading and writing the entities of `modules/base` by the names they declare.
//!
//! Names are looked up at each use: a schema may be replaced while the server runs, and none of
//! this is on the path of a request that is answered from memory. A name that is not declared is a
//! defect of the build, told as such. What must never be here: rights. Identity reads with those
//! of the house, because rights are what it makes.

use std::time::Duration;

use opsflux_model::predicate::{Hop, Order};
use opsflux_model::schema::{Entity, EntityKind, FieldType};
use opsflux_model::{EntityIx, FieldIx, Operand, Path, Predicate, Schema, Step, Test, Value};
use opsflux_records::Error;
use opsflux_store::{Living, Output, Select, Set, Sort, Store};

/// What a read may take: each is one index look-up or one small table.
const BUDGET: Duration = Duration::from_secs(5);

/// One entity with its declaration.
#[derive(Clone, Copy)]
pub(crate) struct Table<'s> {
    pub ix: EntityIx,
    declared: &'s Entity,
    schema: &'s Schema,
}

/// Which rows are read, and what of each.
pub(crate) struct Query<'q> {
    pub fields: &'q [&'q str],
    pub filter: Predicate,
    /// Newest first by this field.
    pub newest: Option<&'q str>,
    pub limit: u32,
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
            schema,
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

    /// The field is this value; for sets: holds it.
    pub fn is(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::OneOf(vec![value.into()]))
    }

    /// The field is one of these.
    pub fn is_one_of(&self, name: &str, values: &[&str]) -> Result<Predicate, Error> {
        self.test(
            name,
            Operand::OneOf(values.iter().copied().map(Value::from).collect()),
        )
    }

    /// The field has no value.
    pub fn is_empty(&self, name: &str) -> Result<Predicate, Error> {
        Ok(opsflux_model::predicate::negate(
            self.test(name, Operand::Present)?,
        ))
    }

    /// The field comes after this value.
    pub fn is_after(&self, name: &str, value: impl Into<Value>) -> Result<Predicate, Error> {
        self.test(name, Operand::Compare(Order::Greater, value.into()))
    }

    /// The text is this one, whatever the letter case: neither before nor after it.
    pub fn is_alike(&self, name: &str, text: &str) -> Result<Predicate, Error> {
        let from = self.test(name, Operand::Compare(Order::GreaterOrEqual, text.into()))?;
        let to = self.test(name, Operand::Compare(Order::LessOrEqual, text.into()))?;
        Ok(from.and(to))
    }

    /// The record that `link` points at has this value in `name`.
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

    /// Values by field, for a new row; what is null is left out.
    pub fn row(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Value)>, Error> {
        let filled = values
            .into_iter()
            .filter(|(_, value)| *value != Value::Null);
        filled
            .map(|(name, value)| Ok((self.field(name)?, value)))
            .collect()
    }

    /// Values by field, for a row that changes.
    pub fn set(&self, values: Vec<(&str, Value)>) -> Result<Vec<(FieldIx, Set)>, Error> {
        let set = values.into_iter();
        set.map(|(name, value)| Ok((self.field(name)?, Set::To(value))))
            .collect()
    }

    /// The longest text the field takes.
    pub fn cut(&self, name: &str, text: &str) -> String {
        let most = self
            .declared
            .find(name)
            .map(|ix| &self.declared.field(ix).kind);
        let most = match most {
            Some(FieldType::Text { max, .. }) => *max,
            _ => usize::MAX,
        };
        text.chars().take(most).collect()
    }

    /// The rows of a tenant that `query` asks for, each with its fields in order.
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
        let sort = match query.newest {
            Some(name) => vec![
                Sort::by(self.ix, self.field(name)?, true),
                Sort::by(self.ix, self.field("id")?, true),
            ],
            None => Vec::new(),
        };
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
pub(crate) fn at(row: &[Value], place: usize) -> &Value {
    static NULL: Value = Value::Null;
    row.get(place).unwrap_or(&NULL)
}

/// The n-th value of a row as an owned text.
pub(crate) fn text_at(row: &[Value], place: usize) -> Option<String> {
    at(row, place).as_text().map(str::to_owned)
}

/// The n-th value of a row as a moment.
pub(crate) fn time_at(row: &[Value], place: usize) -> Option<jiff::Timestamp> {
    match at(row, place) {
        Value::Time(time) => Some(*time),
        _ => None,
    }
}
