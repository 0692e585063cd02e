//! The canonical form of a row: the same bytes whichever database it comes from.
//!
//! Cell after cell a mark (0: null, 1: a value) and the value, numbers with the largest byte
//! first: booleans 1 byte, integers 8, decimals 16 in the smallest unit of their column, days
//! since 1970 in 4, microseconds since 1970 in 8, ids 16; texts and bytes behind their length
//! in 4.

use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{CellKind, TableShape};
use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::{Cell, unfit};

const EPOCH: civil::Date = civil::date(1970, 1, 1);
const SECONDS_A_DAY: i64 = 86_400;

/// Appends the current row.
pub(super) fn encode(
    table: &TableShape,
    row: &dyn Columns,
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    for (at, column) in table.columns.iter().enumerate() {
        let mark = out.len();
        out.push(1);
        if !value(column.kind, row, at, out)? {
            out.truncate(mark);
            out.push(0);
        }
    }
    Ok(())
}

/// Appends a value; false when there is none.
fn value(
    kind: CellKind,
    row: &dyn Columns,
    at: usize,
    out: &mut Vec<u8>,
) -> Result<bool, StoreError> {
    let is_there = match kind {
        CellKind::Bool => row.boolean(at)?.map(|flag| out.push(u8::from(flag))),
        CellKind::Int => row.int(at)?.map(|number| out.extend(number.to_be_bytes())),
        CellKind::Decimal { precision, scale } => {
            let number = row.decimal(at, precision, scale)?;
            let units = number.map(|number| units(number, scale)).transpose()?;
            units.map(|units| out.extend(units.to_be_bytes()))
        }
        CellKind::Text => {
            let text = row.text(at)?;
            text.map(|text| long(text.as_bytes(), out)).transpose()?
        }
        CellKind::Date => {
            let days = row.date(at)?.map(days).transpose()?;
            days.map(|days| out.extend(days.to_be_bytes()))
        }
        CellKind::Time => row
            .time(at)?
            .map(|time| out.extend(time.as_microsecond().to_be_bytes())),
        CellKind::Id => row.id(at)?.map(|id| out.extend(id.as_bytes())),
        CellKind::Bytes => {
            let bytes = row.bytes(at)?;
            bytes.map(|bytes| long(bytes, out)).transpose()?
        }
    };
    Ok(is_there.is_some())
}

fn long(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StoreError> {
    let length = u32::try_from(bytes.len()).map_err(|_| unfit("a value of 4 GiB"))?;
    out.extend(length.to_be_bytes());
    out.extend(bytes);
    Ok(())
}

fn days(date: civil::Date) -> Result<i32, StoreError> {
    let days = date.duration_since(EPOCH).as_secs() / SECONDS_A_DAY;
    i32::try_from(days).map_err(|_| unfit("a day out of range"))
}

fn units(number: Decimal, scale: u8) -> Result<i128, StoreError> {
    let number = number.normalize();
    let shift = u32::from(scale).checked_sub(number.scale());
    shift
        .and_then(|shift| 10_i128.checked_pow(shift))
        .and_then(|factor| number.mantissa().checked_mul(factor))
        .ok_or_else(|| unfit("a decimal with more digits than its column"))
}

/// The cells of a row.
pub(super) fn decode(table: &TableShape, row: &[u8]) -> Result<Vec<Cell>, StoreError> {
    let broken = || {
        StoreError::Setup(format!(
            "a row of {} is not what the table holds",
            table.name
        ))
    };
    let mut rest = row;
    let cells = table
        .columns
        .iter()
        .map(|column| cell(column.kind, &mut rest).ok_or_else(broken));
    let cells = cells.collect::<Result<Vec<Cell>, _>>()?;
    if rest.is_empty() {
        Ok(cells)
    } else {
        Err(broken())
    }
}

fn cell(kind: CellKind, rest: &mut &[u8]) -> Option<Cell> {
    match take::<1>(rest)? {
        [0] => return Some(Cell::Null),
        [1] => {}
        _ => return None,
    }
    Some(match kind {
        CellKind::Bool => match take::<1>(rest)? {
            [0] => Cell::Bool(false),
            [1] => Cell::Bool(true),
            _ => return None,
        },
        CellKind::Int => Cell::Int(i64::from_be_bytes(take(rest)?)),
        CellKind::Decimal { precision, scale } => {
            let units = i128::from_be_bytes(take(rest)?);
            Cell::Decimal {
                value: Decimal::try_from_i128_with_scale(units, u32::from(scale)).ok()?,
                precision,
                scale,
            }
        }
        CellKind::Text => Cell::Text(String::from_utf8(long_of(rest)?.to_vec()).ok()?),
        CellKind::Date => {
            let days = i64::from(i32::from_be_bytes(take(rest)?));
            let since = SignedDuration::from_hours(days * 24);
            Cell::Date(EPOCH.checked_add(since).ok()?)
        }
        CellKind::Time => {
            let micros = i64::from_be_bytes(take(rest)?);
            Cell::Time(Timestamp::from_microsecond(micros).ok()?)
        }
        CellKind::Id => Cell::Id(Uuid::from_bytes(take(rest)?)),
        CellKind::Bytes => Cell::Bytes(long_of(rest)?.to_vec()),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn long_of<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?;
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}
