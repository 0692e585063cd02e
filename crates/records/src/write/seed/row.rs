//! One row of a batch: a value for every field, within the limits of its type.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use opsflux_model::schema::{DefaultValue, Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Invalid, Value, wire};
use uuid::Uuid;

use super::SeedRecord;
use crate::error::FieldError;
use crate::read::json::to_json;
use crate::write::derived;

/// A row with a value for every field.
pub(super) struct Row {
    pub entity: EntityIx,
    pub id: Uuid,
    created_at: Timestamp,
    /// By [`FieldIx`].
    pub values: Vec<Value>,
}

impl Row {
    /// The value of a field.
    pub fn value(&self, field: FieldIx) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(usize::from(field.0)).unwrap_or(&NULL)
    }

    /// The day by which its number is counted.
    pub fn made_on(&self) -> jiff::civil::Date {
        self.created_at.to_zoned(TimeZone::UTC).date()
    }

    /// The record with defaults for what it does not say.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn complete(
        schema: &Schema,
        record: SeedRecord,
        zone: &TimeZone,
    ) -> Result<Row, Vec<FieldError>> {
        let entity = schema.entity(record.entity);
        let mut errors = Vec::new();
        let mut values = vec![Value::Null; entity.fields.len()];
        let mut given = vec![false; entity.fields.len()];
        for (ix, value) in record.values {
            let (place, field) = (usize::from(ix.0), entity.field(ix));
            if field.system && field.name != system::NUMBER {
                errors.push(FieldError::new(&field.name, "readonly", ""));
                continue;
            }
            given[place] = true;
            match accepted(schema, entity, &field.kind, value) {
                Ok(value) => values[place] = value,
                Err(invalid) => errors.push(FieldError::of(&field.name, invalid)),
            }
        }
        for (ix, field) in entity.iter().filter(|(_, field)| !field.system) {
            let place = usize::from(ix.0);
            if !given[place] {
                values[place] = match (&field.default, &field.kind) {
                    (_, FieldType::State { initial }) => Value::from(initial.as_str()),
                    (DefaultValue::None, _) => Value::Null,
                    (DefaultValue::Constant(value), _) => value.clone(),
                    (DefaultValue::Now, _) => Value::Time(record.created.0),
                    (DefaultValue::Today, _) => {
                        Value::Date(record.created.0.to_zoned(zone.clone()).date())
                    }
                    (DefaultValue::Me, _) => Value::from(record.created.1),
                };
            }
            let told = errors
                .iter()
                .any(|error: &FieldError| error.field == field.name);
            if field.required && !field.kind.is_virtual() && values[place].is_empty() && !told {
                errors.push(FieldError::new(&field.name, "required", ""));
            }
        }
        for (name, value) in [
            (system::ID, Value::Id(record.id)),
            (system::VERSION, Value::Int(1)),
            (system::CREATED_AT, Value::Time(record.created.0)),
            (system::CREATED_BY, Value::from(record.created.1)),
            (system::UPDATED_AT, Value::Time(record.updated.0)),
            (system::UPDATED_BY, Value::from(record.updated.1)),
            (system::COMPANY, Value::from(record.company)),
        ] {
            if let Some(ix) = entity.find(name) {
                values[usize::from(ix.0)] = value;
            }
        }
        derived::none_yet(schema, record.entity, &mut values);
        derived::compute(entity, &mut values, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Row {
            entity: record.entity,
            id: record.id,
            created_at: record.created.0,
            values,
        })
    }
}

/// The value as its field keeps it. What has no limits but its type is not taken apart.
fn accepted(
    schema: &Schema,
    entity: &Entity,
    kind: &FieldType,
    value: Value,
) -> Result<Value, Invalid> {
    let wrong = |expected: &str| Err(Invalid::new("wrong_type", expected));
    match (kind, &value) {
        (FieldType::Children { .. }, _) => wrong("rows of their own"),
        (FieldType::Computed { .. } | FieldType::Rollup { .. }, _) => {
            Err(Invalid::new("readonly", ""))
        }
        (_, Value::Null)
        | (FieldType::Boolean, Value::Bool(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::DateTime, Value::Time(_))
        | (FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. }, Value::Id(_)) => {
            Ok(value)
        }
        (FieldType::Links(_), Value::Set(items)) => {
            if items.iter().all(|item| matches!(item, Value::Id(_))) {
                Ok(value)
            } else {
                wrong("ids")
            }
        }
        (FieldType::AnyLink { to }, Value::Ref { entity: name, .. }) => {
            let target = schema.find(name);
            if target.is_some_and(|target| to.is_empty() || to.contains(&target)) {
                Ok(value)
            } else {
                Err(Invalid::new("not_an_option", name.clone()))
            }
        }
        (FieldType::State { .. }, Value::Text(code)) => {
            if entity.states.iter().any(|state| state.name == *code) {
                Ok(value)
            } else {
                let known: Vec<&str> = entity.states.iter().map(|s| s.name.as_str()).collect();
                Err(Invalid::new("not_an_option", known.join(", ")))
            }
        }
        (kind, value) => wire::parse(kind, &to_json(value)),
    }
}
