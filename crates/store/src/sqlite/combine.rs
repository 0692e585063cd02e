//! Sums and averages over stored numbers, exact and without overflow.
//!
//! `opsflux_sum(value, precision)` and `opsflux_average(value, scale, precision, scale)`: the
//! value is a stored integer or decimal, the result is as a decimal column of that precision
//! stores it, as an integer for precision 0, and nothing when it does not fit.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};

use super::codec::{from_sortable, sortable};
use crate::sql::Cell;
use crate::sql::rollup::{AVERAGE, SUM};

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_aggregate_function(SUM, 2, flags, Sum)?;
    connection.create_aggregate_function(AVERAGE, 4, flags, Average)
}

/// What was seen so far: nothing more once it does not fit.
#[derive(Clone, Copy, Default)]
struct Total {
    units: Option<i128>,
    count: i128,
    from: u8,
    precision: u8,
    scale: u8,
}

impl Total {
    fn add(&mut self, value: ValueRef<'_>) -> rusqlite::Result<()> {
        let units = match value {
            ValueRef::Null => return Ok(()),
            ValueRef::Integer(units) => i128::from(units),
            ValueRef::Blob(bytes) => {
                let bytes = bytes.try_into();
                from_sortable(bytes.map_err(|_| Error::UserFunctionError("no number".into()))?)
            }
            _ => return Err(Error::UserFunctionError("no number".into())),
        };
        self.units = self.units.and_then(|total| total.checked_add(units));
        self.count += 1;
        Ok(())
    }
}

/// As a column of this precision stores it.
fn stored(units: Option<i128>, precision: u8) -> Option<Value> {
    let units = units?;
    if precision == 0 {
        return i64::try_from(units).ok().map(Value::Integer);
    }
    let bound = 10_i128.checked_pow(u32::from(precision))?;
    if units.abs() >= bound {
        return None;
    }
    if Cell::decimal_is_integer(precision) {
        i64::try_from(units).ok().map(Value::Integer)
    } else {
        Some(Value::Blob(sortable(units).to_vec()))
    }
}

struct Sum;

impl Aggregate<Total, Option<Value>> for Sum {
    fn init(&self, context: &mut Context<'_>) -> rusqlite::Result<Total> {
        Ok(Total {
            units: Some(0),
            precision: context.get(1)?,
            ..Total::default()
        })
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Total) -> rusqlite::Result<()> {
        total.add(context.get_raw(0))
    }

    fn finalize(
        &self,
        _context: &mut Context<'_>,
        total: Option<Total>,
    ) -> rusqlite::Result<Option<Value>> {
        Ok(total.and_then(|total| stored(total.units, total.precision)))
    }
}

struct Average;

impl Aggregate<Total, Option<Value>> for Average {
    fn init(&self, context: &mut Context<'_>) -> rusqlite::Result<Total> {
        Ok(Total {
            units: Some(0),
            from: context.get(1)?,
            precision: context.get(2)?,
            scale: context.get(3)?,
            ..Total::default()
        })
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Total) -> rusqlite::Result<()> {
        total.add(context.get_raw(0))
    }

    fn finalize(
        &self,
        _context: &mut Context<'_>,
        total: Option<Total>,
    ) -> rusqlite::Result<Option<Value>> {
        let Some(total) = total.filter(|total| total.count > 0) else {
            return Ok(None);
        };
        let factor = 10_i128.checked_pow(u32::from(total.scale.saturating_sub(total.from)));
        let raised = total.units.zip(factor);
        let raised = raised.and_then(|(units, factor)| units.checked_mul(factor));
        let average = raised.map(|units| divided(units, total.count));
        Ok(stored(average, total.precision))
    }
}

/// Rounded half away from zero, as PostgreSQL does.
fn divided(units: i128, by: i128) -> i128 {
    let (whole, rest) = (units / by, units % by);
    if rest.abs() * 2 >= by {
        whole + units.signum()
    } else {
        whole
    }
}
