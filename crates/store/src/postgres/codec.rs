//! Cells and columns in PostgreSQL's binary forms.
//!
//! A cell is written as the type the statement wants and never converted to another: what does
//! not fit is a defect of the renderer and fails before anything is sent.

use bytes::{BufMut, BytesMut};
use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::numeric;
use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::{Cell, unfit};

type Failure = Box<dyn std::error::Error + Sync + Send>;

/// 2000-01-01, where PostgreSQL's days and microseconds begin.
const EPOCH_DATE: civil::Date = civil::date(2000, 1, 1);
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const SECONDS_A_DAY: i64 = 86_400;

impl ToSql for Cell {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        write_cell(self, ty, out)
    }

    fn accepts(_: &Type) -> bool {
        // Which cell fits which type is decided cell by cell in `write_cell`.
        true
    }

    to_sql_checked!();
}

fn write_cell(cell: &Cell, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    match (cell, ty) {
        (Cell::Null, _) => return Ok(IsNull::Yes),
        (Cell::Bool(flag), &Type::BOOL) => out.put_u8(u8::from(*flag)),
        (Cell::Int(number), &Type::INT8) => out.put_i64(*number),
        (Cell::Int(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
        (Cell::Int(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
        (Cell::Decimal { value, .. }, &Type::NUMERIC) => numeric::write(*value, out),
        (Cell::Text(text), ty) if is_text(ty) => out.put_slice(text.as_bytes()),
        (Cell::Date(date), &Type::DATE) => out.put_i32(days(*date)?),
        (Cell::Time(time), &Type::TIMESTAMPTZ) => {
            out.put_i64(time.as_microsecond() - EPOCH_MICROS);
        }
        (Cell::Id(id), &Type::UUID) => out.put_slice(id.as_bytes()),
        (Cell::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
        (Cell::Array(items), ty) => match ty.kind() {
            Kind::Array(item) => write_array(items, item, out)?,
            _ => return Err(wrong_type(cell, ty)),
        },
        _ => return Err(wrong_type(cell, ty)),
    }
    Ok(IsNull::No)
}

fn wrong_type(cell: &Cell, ty: &Type) -> Failure {
    // The value itself stays out of logs.
    let given = match cell {
        Cell::Null => "null",
        Cell::Bool(_) => "a boolean",
        Cell::Int(_) => "an integer",
        Cell::Decimal { .. } => "a decimal",
        Cell::Text(_) => "a text",
        Cell::Date(_) => "a date",
        Cell::Time(_) => "an instant",
        Cell::Id(_) => "an id",
        Cell::Bytes(_) => "bytes",
        Cell::Array(_) => "an array",
    };
    format!("{given} where the statement wants {ty}").into()
}

fn is_text(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON
    )
}

/// One dimension, counted from 1, no nulls.
fn write_array(items: &[Cell], item: &Type, out: &mut BytesMut) -> Result<(), Failure> {
    out.put_i32(i32::from(!items.is_empty()));
    out.put_i32(0);
    out.put_u32(item.oid());
    if items.is_empty() {
        return Ok(());
    }
    out.put_i32(i32::try_from(items.len())?);
    out.put_i32(1);
    for cell in items {
        let start = out.len();
        out.put_i32(0);
        write_cell(cell, item, out)?;
        let written = i32::try_from(out.len() - start - 4)?;
        out[start..start + 4].copy_from_slice(&written.to_be_bytes());
    }
    Ok(())
}

fn days(date: civil::Date) -> Result<i32, Failure> {
    let seconds = date.duration_since(EPOCH_DATE).as_secs();
    Ok(i32::try_from(seconds / SECONDS_A_DAY)?)
}

/// A row as PostgreSQL sent it.
pub(crate) struct PostgresRow<'a>(pub &'a tokio_postgres::Row);

/// The bytes of a column, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl PostgresRow<'_> {
    fn raw(&self, column: usize) -> Result<Option<(&Type, &[u8])>, StoreError> {
        let raw: Option<Raw<'_>> = self
            .0
            .try_get(column)
            .map_err(|error| unfit(format!("column {column}: {error}")))?;
        Ok(raw.map(|raw| (self.0.columns()[column].type_(), raw.0)))
    }

    /// The bytes of a column of this type and this many bytes.
    fn fixed<const N: usize>(
        &self,
        column: usize,
        wanted: &Type,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let Some((ty, raw)) = self.raw(column)? else {
            return Ok(None);
        };
        if ty != wanted {
            return Err(other_type(column, ty));
        }
        let bytes = raw.try_into();
        bytes.map(Some).map_err(|_| other_type(column, ty))
    }
}

fn other_type(column: usize, ty: &Type) -> StoreError {
    unfit(format!("column {column} is {ty}"))
}

impl Columns for PostgresRow<'_> {
    fn boolean(&self, column: usize) -> Result<Option<bool>, StoreError> {
        Ok(self
            .fixed::<1>(column, &Type::BOOL)?
            .map(|[byte]| byte != 0))
    }

    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        let Some((ty, raw)) = self.raw(column)? else {
            return Ok(None);
        };
        let number = match *ty {
            Type::INT8 => raw.try_into().map(i64::from_be_bytes),
            Type::INT4 => raw.try_into().map(|raw| i64::from(i32::from_be_bytes(raw))),
            Type::INT2 => raw.try_into().map(|raw| i64::from(i16::from_be_bytes(raw))),
            _ => return Err(other_type(column, ty)),
        };
        number.map(Some).map_err(|_| other_type(column, ty))
    }

    fn decimal(&self, column: usize, _: u8, _: u8) -> Result<Option<Decimal>, StoreError> {
        let Some((ty, raw)) = self.raw(column)? else {
            return Ok(None);
        };
        if *ty != Type::NUMERIC {
            return Err(other_type(column, ty));
        }
        let number = numeric::read(raw);
        number
            .map(Some)
            .map_err(|error| unfit(format!("column {column}: {error}")))
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        let Some((ty, raw)) = self.raw(column)? else {
            return Ok(None);
        };
        if !is_text(ty) {
            return Err(other_type(column, ty));
        }
        let text = std::str::from_utf8(raw);
        text.map(Some).map_err(|_| other_type(column, ty))
    }

    fn date(&self, column: usize) -> Result<Option<civil::Date>, StoreError> {
        let Some(raw) = self.fixed(column, &Type::DATE)? else {
            return Ok(None);
        };
        let days = i64::from(i32::from_be_bytes(raw));
        let date = EPOCH_DATE.checked_add(SignedDuration::from_hours(days * 24));
        date.map(Some)
            .map_err(|_| unfit(format!("column {column} holds a day that is none")))
    }

    fn time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        let Some(raw) = self.fixed(column, &Type::TIMESTAMPTZ)? else {
            return Ok(None);
        };
        let micros = i64::from_be_bytes(raw).checked_add(EPOCH_MICROS);
        micros
            .and_then(|micros| Timestamp::from_microsecond(micros).ok())
            .map(Some)
            .ok_or_else(|| unfit(format!("column {column} holds no instant")))
    }

    fn id(&self, column: usize) -> Result<Option<Uuid>, StoreError> {
        Ok(self.fixed(column, &Type::UUID)?.map(Uuid::from_bytes))
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.raw(column)? {
            None => Ok(None),
            Some((&Type::BYTEA, raw)) => Ok(Some(raw)),
            Some((ty, _)) => Err(other_type(column, ty)),
        }
    }
}
