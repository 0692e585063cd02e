//! A value of a field, in memory.
//!
//! The wire form (JSON) is given by the field's type, see [`crate::schema::FieldType`]; the
//! stored form by the store. A value knows neither.

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a field holds. `Null` is the absence of a value for every type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// `boolean`.
    Bool(bool),
    /// `integer`, `duration` (seconds), `version`, integer roll-ups.
    Int(i64),
    /// `decimal` and computed decimals: exact.
    Decimal(Decimal),
    /// Every textual type, and the codes of choices and states.
    Text(String),
    /// `date`.
    Date(civil::Date),
    /// `datetime`: an instant, UTC, microseconds.
    Time(Timestamp),
    /// `link`, `file`, `image`, ids.
    Id(Uuid),
    /// `money`.
    Money {
        /// The exact amount.
        amount: Decimal,
        /// ISO 4217 code.
        currency: String,
    },
    /// `geo`: WGS 84 degrees, exact to six decimals.
    Geo {
        /// −90 to 90.
        lat: Decimal,
        /// −180 to 180.
        lon: Decimal,
    },
    /// `any_link`.
    Ref {
        /// Name of the entity.
        entity: String,
        /// Id of the record.
        id: Uuid,
    },
    /// `choices`, `tags`, `links`: a set, in the order given, without duplicates.
    Set(Vec<Value>),
    /// `json`.
    Json(serde_json::Value),
}

impl Value {
    /// Whether the value counts as empty for `required` and `is_empty`: null, the empty text and
    /// the empty set. A `false` or a zero is a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::Set(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The text inside, for textual types and codes.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The id inside, for links and ids.
    #[must_use]
    pub fn as_id(&self) -> Option<Uuid> {
        match self {
            Value::Id(id) | Value::Ref { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The integer inside.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean inside.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Value::Id(id)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Value::Time(at)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
