//! Cells and columns as SQLite keeps them; the table stands at [`Cell`].

use jiff::{SignedDuration, Timestamp, civil};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::{Cell, unfit};

/// Where days begin.
const EPOCH: civil::Date = civil::date(1970, 1, 1);
const HOURS_A_DAY: i64 = 24;
const SECONDS_A_DAY: i64 = 86_400;

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = |number| ToSqlOutput::Owned(Value::Integer(number));
        let borrowed = |value| ToSqlOutput::Borrowed(value);
        Ok(match self {
            Cell::Null => borrowed(ValueRef::Null),
            Cell::Bool(flag) => number(i64::from(*flag)),
            Cell::Int(value) => number(*value),
            Cell::Decimal {
                value,
                precision,
                scale,
            } => ToSqlOutput::Owned(decimal(*value, *precision, *scale)),
            Cell::Text(text) => borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Date(date) => number(date.duration_since(EPOCH).as_secs() / SECONDS_A_DAY),
            Cell::Time(time) => number(time.as_microsecond()),
            Cell::Id(id) => borrowed(ValueRef::Blob(id.as_bytes())),
            Cell::Bytes(bytes) => borrowed(ValueRef::Blob(bytes)),
            Cell::Array(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure(
                    "SQLite knows no arrays".into(),
                ));
            }
        })
    }
}

/// A decimal as the integer of its smallest unit, or as bytes that sort like it. What is larger
/// than every number of the column stays so.
pub(super) fn decimal(value: Decimal, precision: u8, scale: u8) -> Value {
    let units = units(value, scale);
    if Cell::decimal_is_integer(precision) {
        let bound = if units < 0 { i64::MIN } else { i64::MAX };
        Value::Integer(i64::try_from(units).unwrap_or(bound))
    } else {
        Value::Blob(sortable(units).to_vec())
    }
}

/// What [`decimal`] made, read back; `None` when it is no decimal of these digits.
pub(super) fn stored_decimal(stored: ValueRef<'_>, precision: u8, scale: u8) -> Option<Decimal> {
    let units = match stored {
        ValueRef::Integer(units) if Cell::decimal_is_integer(precision) => i128::from(units),
        ValueRef::Blob(bytes) => from_sortable(bytes.try_into().ok()?),
        _ => return None,
    };
    Decimal::try_from_i128_with_scale(units, u32::from(scale)).ok()
}

fn units(value: Decimal, scale: u8) -> i128 {
    let value = value.normalize();
    let shift = u32::from(scale).saturating_sub(value.scale());
    10_i128
        .checked_pow(shift)
        .map_or(i128::MAX, |factor| value.mantissa().saturating_mul(factor))
}

/// Big-endian with the sign turned over, so that bytes compare as the numbers do.
pub(super) fn sortable(units: i128) -> [u8; 16] {
    (units ^ i128::MIN).to_be_bytes()
}

pub(super) fn from_sortable(bytes: [u8; 16]) -> i128 {
    i128::from_be_bytes(bytes) ^ i128::MIN
}

/// A row as SQLite gives it.
pub(crate) struct SqliteRow<'a>(pub &'a rusqlite::Row<'a>);

impl SqliteRow<'_> {
    fn get(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0
            .get_ref(column)
            .map_err(|error| unfit(format!("column {column}: {error}")))
    }

    fn blob(&self, column: usize) -> Result<Option<[u8; 16]>, StoreError> {
        match self.get(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => bytes
                .try_into()
                .map(Some)
                .map_err(|_| wrong(column, "16 bytes")),
            _ => Err(wrong(column, "bytes")),
        }
    }
}

fn wrong(column: usize, wanted: &str) -> StoreError {
    unfit(format!("column {column} is no {wanted}"))
}

impl Columns for SqliteRow<'_> {
    fn boolean(&self, column: usize) -> Result<Option<bool>, StoreError> {
        Ok(self.int(column)?.map(|number| number != 0))
    }

    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.get(column)? {
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(column, "integer")),
        }
    }

    fn decimal(
        &self,
        column: usize,
        precision: u8,
        scale: u8,
    ) -> Result<Option<Decimal>, StoreError> {
        let units = if Cell::decimal_is_integer(precision) {
            self.int(column)?.map(i128::from)
        } else {
            self.blob(column)?.map(from_sortable)
        };
        let Some(units) = units else { return Ok(None) };
        Decimal::try_from_i128_with_scale(units, u32::from(scale))
            .map(Some)
            .map_err(|_| wrong(column, "decimal of its precision"))
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.get(column)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes)
                .map(Some)
                .map_err(|_| wrong(column, "UTF-8")),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(column, "text")),
        }
    }

    fn date(&self, column: usize) -> Result<Option<civil::Date>, StoreError> {
        let Some(days) = self.int(column)? else {
            return Ok(None);
        };
        days.checked_mul(HOURS_A_DAY)
            .and_then(|hours| EPOCH.checked_add(SignedDuration::from_hours(hours)).ok())
            .map(Some)
            .ok_or_else(|| wrong(column, "date"))
    }

    fn time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        let micros = self.int(column)?;
        let time = micros.map(Timestamp::from_microsecond).transpose();
        time.map_err(|_| wrong(column, "instant"))
    }

    fn id(&self, column: usize) -> Result<Option<Uuid>, StoreError> {
        Ok(self.blob(column)?.map(Uuid::from_bytes))
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get(column)? {
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(column, "bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_decimals_sort_as_the_numbers_do() {
        let numbers = [
            "-9999999999999999999.999",
            "-1",
            "-0.001",
            "0",
            "0.001",
            "12.5",
        ];
        let stored: Vec<Value> = numbers
            .iter()
            .map(|number| decimal(number.parse().unwrap(), 22, 3))
            .collect();
        for pair in stored.windows(2) {
            let (Value::Blob(smaller), Value::Blob(larger)) = (&pair[0], &pair[1]) else {
                panic!("22 digits are kept as bytes");
            };
            assert!(smaller < larger);
        }
        assert_eq!(from_sortable(sortable(-12_345)), -12_345);
    }

    #[test]
    fn a_number_beyond_its_column_stays_beyond_it() {
        let huge: Decimal = "9999999999999999999999".parse().unwrap();
        assert_eq!(decimal(huge, 18, 6), Value::Integer(i64::MAX));
        assert_eq!(decimal(-huge, 18, 6), Value::Integer(i64::MIN));
    }
}
