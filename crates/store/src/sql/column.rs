//! How a field's value becomes cells, and a cell a column.

use jiff::Timestamp;
use opsflux_model::predicate::Order;
use opsflux_model::schema::{Entity, Field, FieldType};
use opsflux_model::{FieldIx, Value, fold, layout};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Cell, Decode, unfit};
use crate::error::StoreError;

/// The columns of a field with the cells that store `value`: what follows the field's name in
/// the name of a column, and what stands in it.
///
/// # Errors
/// [`StoreError::Internal`] when the value is not one of the field's type: values are validated
/// before they come here.
pub fn stored(
    entity: &Entity,
    field: FieldIx,
    value: &Value,
) -> Result<impl Iterator<Item = (&'static str, Cell)>, StoreError> {
    let field = entity.field(field);
    let kind = field.kind.holds();
    let wrong = || {
        unfit(format!(
            "{}.{} holds {} and cannot store {value:?}",
            entity.name,
            field.name,
            kind.name()
        ))
    };
    let suffixes = layout::column_suffixes(field);
    if suffixes.is_empty() {
        return Err(wrong());
    }
    let cells = match value {
        Value::Null => [Cell::Null, Cell::Null],
        value => cells(kind, value).ok_or_else(wrong)?,
    };
    Ok(suffixes.iter().copied().zip(cells))
}

/// A cell for each column, the second null where there is one column only; `None` when the value
/// does not belong to the type.
fn cells(kind: &FieldType, value: &Value) -> Option<[Cell; 2]> {
    let cells = match (kind, value) {
        (kind, Value::Text(text)) if kind.has_key() => {
            [Cell::Text(text.clone()), Cell::Text(fold::fold(text))]
        }
        (
            FieldType::Money {
                precision, scale, ..
            },
            Value::Money { amount, currency },
        ) => [
            storable(*amount, *precision, *scale)?,
            Cell::Text(currency.clone()),
        ],
        (FieldType::Geo, Value::Geo { lat, lon }) => [storable(*lat, 9, 6)?, storable(*lon, 9, 6)?],
        (FieldType::AnyLink { .. }, Value::Ref { entity, id }) => {
            [Cell::Text(entity.clone()), Cell::Id(*id)]
        }
        (FieldType::Json, Value::Json(json)) => [Cell::Text(json.to_string()), Cell::Null],
        (
            FieldType::Decimal {
                precision, scale, ..
            },
            Value::Decimal(number),
        ) => [storable(*number, *precision, *scale)?, Cell::Null],
        (_, value) => [plain(kind, value)?, Cell::Null],
    };
    Some(cells)
}

/// The cell of a type that has one column and no rounding.
fn plain(kind: &FieldType, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (FieldType::Boolean, Value::Bool(flag)) => Some(Cell::Bool(*flag)),
        (FieldType::Integer { .. } | FieldType::Duration { .. }, Value::Int(number)) => {
            Some(Cell::Int(*number))
        }
        (FieldType::Date, Value::Date(date)) => Some(Cell::Date(*date)),
        (FieldType::DateTime, Value::Time(time)) => Some(Cell::Time(*time)),
        (
            FieldType::Id | FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. },
            Value::Id(id),
        ) => Some(Cell::Id(*id)),
        (kind, Value::Text(text)) if is_text(kind) => Some(Cell::Text(text.clone())),
        _ => None,
    }
}

/// Kept as one text, or a text with its key.
#[must_use]
pub fn is_text(kind: &FieldType) -> bool {
    kind.has_key()
        || matches!(
            kind,
            FieldType::LongText { .. }
                | FieldType::RichText { .. }
                | FieldType::Color
                | FieldType::Choice { .. }
                | FieldType::State { .. }
                | FieldType::Secret
                | FieldType::Password
        )
}

fn storable(number: Decimal, precision: u8, scale: u8) -> Option<Cell> {
    let value = number.normalize();
    let whole = u32::from(precision.saturating_sub(scale));
    let bound = Decimal::try_from_i128_with_scale(10_i128.checked_pow(whole)?, 0).ok()?;
    (value.scale() <= u32::from(scale) && value.abs() < bound).then_some(Cell::Decimal {
        value,
        precision,
        scale,
    })
}

/// The cell that equals `value` in the one column of `kind`; `None` when nothing stored there
/// can.
#[must_use]
pub fn equal_to(kind: &FieldType, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (
            FieldType::Decimal {
                precision, scale, ..
            },
            Value::Decimal(number),
        ) => exactly(*number, *precision, *scale),
        (FieldType::DateTime, Value::Time(time)) if floor(*time) != *time => None,
        (FieldType::Json, Value::Json(json)) => Some(Cell::Text(json.to_string())),
        _ => plain(kind, value),
    }
}

/// A decimal that a column of this precision may equal.
#[must_use]
pub fn exactly(number: Decimal, precision: u8, scale: u8) -> Option<Cell> {
    storable(number, precision, scale)
}

/// The cell that stored values compare with as they do with `value`, though the column is coarser
/// than the value; `None` when they do not compare.
#[must_use]
pub fn bound(kind: &FieldType, order: Order, value: &Value) -> Option<Cell> {
    // Nothing is stored between two steps of a column: below 1.5 is below 2, at most 1.5 is at
    // most 1.
    let up = matches!(order, Order::Less | Order::GreaterOrEqual);
    match (kind, value) {
        (
            FieldType::Decimal {
                precision, scale, ..
            },
            Value::Decimal(number),
        )
        | (
            FieldType::Money {
                precision, scale, ..
            },
            Value::Money { amount: number, .. },
        ) => {
            let strategy = if up {
                RoundingStrategy::ToPositiveInfinity
            } else {
                RoundingStrategy::ToNegativeInfinity
            };
            Some(Cell::Decimal {
                value: number.round_dp_with_strategy(u32::from(*scale), strategy),
                precision: *precision,
                scale: *scale,
            })
        }
        (FieldType::DateTime, Value::Time(time)) => {
            let below = floor(*time);
            let step = jiff::SignedDuration::from_micros(1);
            let time = if up && below != *time {
                below.checked_add(step).ok()?
            } else {
                below
            };
            Some(Cell::Time(time))
        }
        _ => plain(kind, value),
    }
}

/// The last microsecond that is not later.
fn floor(time: Timestamp) -> Timestamp {
    let micros = time.as_nanosecond().div_euclid(1000);
    i64::try_from(micros)
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .unwrap_or(time)
}

/// The name of the column that holds the value itself (for money the amount, for a reference the
/// id, for a point the latitude).
#[must_use]
pub fn main_column(field: &Field) -> String {
    match field.kind.holds() {
        FieldType::Geo => format!("{}_lat", field.name),
        _ => field.name.clone(),
    }
}

/// How the columns of a field are read; sets and child tables have none.
///
/// # Errors
/// [`StoreError::Internal`] for a child table.
pub fn decode(field: &Field) -> Result<Decode, StoreError> {
    Ok(match field.kind.holds() {
        FieldType::Integer { .. } | FieldType::Duration { .. } => Decode::Int,
        FieldType::Decimal {
            precision, scale, ..
        } => Decode::Decimal {
            precision: *precision,
            scale: *scale,
        },
        FieldType::Money {
            precision, scale, ..
        } => Decode::Money {
            precision: *precision,
            scale: *scale,
        },
        FieldType::Boolean => Decode::Bool,
        FieldType::Date => Decode::Date,
        FieldType::DateTime => Decode::Time,
        FieldType::Id | FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. } => {
            Decode::Id
        }
        FieldType::AnyLink { .. } => Decode::Ref,
        FieldType::Geo => Decode::Geo,
        FieldType::Json => Decode::Json,
        FieldType::Secret | FieldType::Password => Decode::Sealed,
        FieldType::Choices { .. } | FieldType::Tags { .. } => Decode::TextSet,
        FieldType::Links(_) => Decode::IdSet,
        FieldType::Children { .. } => {
            return Err(unfit(format!("{} is a table of its own", field.name)));
        }
        _ => Decode::Text,
    })
}
