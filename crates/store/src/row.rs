//! One row of an answer, whatever database it comes from.
//!
//! A back end says what stands in a column ([`Columns`]); how columns make a value, and how a
//! value is written as JSON, is said here once. On the way to JSON nothing is allocated per cell.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use opsflux_model::Value;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::StoreError;
use crate::sql::{Decode, OutputPlan, unfit};

/// What stands in the columns of the current row; `None` is null. A column of another type is
/// [`StoreError::Internal`].
pub trait Columns {
    /// `Bool`.
    fn boolean(&self, column: usize) -> Result<Option<bool>, StoreError>;
    /// `Int`, of any width.
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    /// `Decimal`.
    fn decimal(
        &self,
        column: usize,
        precision: u8,
        scale: u8,
    ) -> Result<Option<Decimal>, StoreError>;
    /// `Text`.
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    /// `Date`.
    fn date(&self, column: usize) -> Result<Option<civil::Date>, StoreError>;
    /// `Time`.
    fn time(&self, column: usize) -> Result<Option<Timestamp>, StoreError>;
    /// `Id`.
    fn id(&self, column: usize) -> Result<Option<Uuid>, StoreError>;
    /// `Bytes`.
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;
}

/// What is known of the record a link points at, see [`crate::Output::Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// It lives and its title may be shown.
    Title(&'a str),
    /// It is deleted.
    Gone,
}

/// How statements answer a [`Target`]: a deleted one, and one with its title behind.
pub(crate) const GONE: &str = "-";
pub(crate) const TITLE: &str = "+";

/// Tells rows that come again from new ones; see [`crate::sql::Page::once`].
#[derive(Debug, Default)]
pub(crate) struct Once {
    column: Option<usize>,
    last: Option<Uuid>,
}

impl Once {
    /// By the id in `column`; without one every row is new.
    pub(crate) fn by(column: Option<usize>) -> Once {
        Once { column, last: None }
    }

    /// Whether this is another row than the one before.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when there is no id.
    pub(crate) fn is_new(&mut self, columns: &dyn Columns) -> Result<bool, StoreError> {
        let Some(column) = self.column else {
            return Ok(true);
        };
        let id = columns.id(column)?;
        let is_new = id.is_none() || id != self.last;
        self.last = id;
        Ok(is_new)
    }
}

/// One row of an answer; its outputs are those of the [`crate::Select`], in order.
pub struct Row<'a> {
    columns: &'a dyn Columns,
    outputs: &'a [OutputPlan],
}

impl<'a> Row<'a> {
    pub(crate) fn new(columns: &'a dyn Columns, outputs: &'a [OutputPlan]) -> Row<'a> {
        Row { columns, outputs }
    }

    /// The value of an output.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when there is no such output or the database holds something
    /// else.
    pub fn value(&self, output: usize) -> Result<Value, StoreError> {
        let plan = self.plan(output)?;
        let (columns, at) = (self.columns, plan.column);
        let value = match plan.decode {
            Decode::Bool => columns.boolean(at)?.map(Value::Bool),
            Decode::Int => columns.int(at)?.map(Value::Int),
            Decode::Decimal { precision, scale } => columns
                .decimal(at, precision, scale)?
                .map(|number| Value::Decimal(number.normalize())),
            Decode::Text | Decode::Sealed => columns.text(at)?.map(Value::from),
            Decode::Date => columns.date(at)?.map(Value::Date),
            Decode::Time => columns.time(at)?.map(Value::Time),
            Decode::Id => columns.id(at)?.map(Value::Id),
            Decode::Money { precision, scale } => {
                self.money(at, precision, scale)?
                    .map(|(amount, currency)| Value::Money {
                        amount,
                        currency: currency.to_owned(),
                    })
            }
            Decode::Geo => self.geo(at)?.map(|(lat, lon)| Value::Geo { lat, lon }),
            Decode::Ref => self.reference(at)?.map(|(entity, id)| Value::Ref {
                entity: entity.to_owned(),
                id,
            }),
            Decode::Json => match columns.text(at)? {
                Some(text) => {
                    let json = serde_json::from_str(text)
                        .map_err(|error| unfit(format!("stored JSON: {error}")))?;
                    Some(Value::Json(json))
                }
                None => None,
            },
            Decode::TextSet => Some(Value::Set(self.texts(at)?)),
            Decode::IdSet => {
                let ids = self.ids(at)?.map(|id| id.map(Value::Id));
                Some(Value::Set(ids.collect::<Result<_, _>>()?))
            }
        };
        Ok(value.unwrap_or(Value::Null))
    }

    /// What is known of the record a link points at; nothing for an empty link, and of a record
    /// whose title may not be shown.
    ///
    /// # Errors
    /// As [`Row::value`].
    pub fn target(&self, output: usize) -> Result<Option<Target<'a>>, StoreError> {
        let plan = self.plan(output)?;
        let text = self.columns.text(plan.column)?;
        Ok(text.map(|text| match text.strip_prefix(TITLE) {
            Some(title) => Target::Title(title),
            None => Target::Gone,
        }))
    }

    /// Appends an output to `out` in its wire form: decimals as exact numbers in their shortest
    /// form, instants in RFC 3339 with `Z` and microseconds only when there are any.
    ///
    /// # Errors
    /// As [`Row::value`].
    pub fn write_json(&self, output: usize, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let plan = self.plan(output)?;
        let (columns, at) = (self.columns, plan.column);
        let written = match plan.decode {
            Decode::Bool => columns
                .boolean(at)?
                .map(|flag| out.extend_from_slice(if flag { b"true" } else { b"false" })),
            Decode::Int => columns.int(at)?.map(|number| write_int(number, out)),
            Decode::Decimal { precision, scale } => columns
                .decimal(at, precision, scale)?
                .map(|number| write_decimal(number, out)),
            Decode::Text => columns.text(at)?.map(|text| write_text(text, out)),
            Decode::Sealed => columns.text(at)?.map(|_| write_text("••••", out)),
            Decode::Date => columns.date(at)?.map(|date| {
                out.push(b'"');
                write_date(date, out);
                out.push(b'"');
            }),
            Decode::Time => columns.time(at)?.map(|time| write_time(time, out)),
            Decode::Id => columns.id(at)?.map(|id| write_id(id, out)),
            Decode::Money { precision, scale } => {
                self.money(at, precision, scale)?.map(|(amount, currency)| {
                    out.extend_from_slice(b"{\"amount\":");
                    write_decimal(amount, out);
                    out.extend_from_slice(b",\"currency\":");
                    write_text(currency, out);
                    out.push(b'}');
                })
            }
            Decode::Geo => self.geo(at)?.map(|(lat, lon)| {
                out.extend_from_slice(b"{\"lat\":");
                write_decimal(lat, out);
                out.extend_from_slice(b",\"lon\":");
                write_decimal(lon, out);
                out.push(b'}');
            }),
            Decode::Ref => self.reference(at)?.map(|(entity, id)| {
                out.extend_from_slice(b"{\"entity\":");
                write_text(entity, out);
                out.extend_from_slice(b",\"id\":");
                write_id(id, out);
                out.push(b'}');
            }),
            Decode::Json => columns
                .text(at)?
                .map(|text| out.extend_from_slice(text.as_bytes())),
            Decode::TextSet => {
                out.extend_from_slice(columns.text(at)?.unwrap_or("[]").as_bytes());
                Some(())
            }
            Decode::IdSet => {
                self.write_ids(at, out)?;
                Some(())
            }
        };
        if written.is_none() {
            out.extend_from_slice(b"null");
        }
        Ok(())
    }

    fn plan(&self, output: usize) -> Result<OutputPlan, StoreError> {
        self.outputs
            .get(output)
            .copied()
            .ok_or_else(|| unfit(format!("there is no output {output}")))
    }

    fn money(
        &self,
        at: usize,
        precision: u8,
        scale: u8,
    ) -> Result<Option<(Decimal, &str)>, StoreError> {
        let amount = self.columns.decimal(at, precision, scale)?;
        Ok(amount.zip(self.columns.text(at + 1)?))
    }

    fn geo(&self, at: usize) -> Result<Option<(Decimal, Decimal)>, StoreError> {
        let lat = self.columns.decimal(at, 9, 6)?;
        Ok(lat.zip(self.columns.decimal(at + 1, 9, 6)?))
    }

    fn reference(&self, at: usize) -> Result<Option<(&str, Uuid)>, StoreError> {
        let entity = self.columns.text(at)?;
        Ok(entity.zip(self.columns.id(at + 1)?))
    }

    fn texts(&self, at: usize) -> Result<Vec<Value>, StoreError> {
        let Some(text) = self.columns.text(at)? else {
            return Ok(Vec::new());
        };
        let texts: Vec<String> =
            serde_json::from_str(text).map_err(|error| unfit(format!("a stored set: {error}")))?;
        Ok(texts.into_iter().map(Value::Text).collect())
    }

    fn ids(&self, at: usize) -> Result<impl Iterator<Item = Result<Uuid, StoreError>>, StoreError> {
        let digits = self.columns.text(at)?.unwrap_or_default().as_bytes();
        Ok(digits.chunks(32).map(|digits| {
            Uuid::try_parse_ascii(digits).map_err(|error| unfit(format!("a stored id: {error}")))
        }))
    }

    fn write_ids(&self, at: usize, out: &mut Vec<u8>) -> Result<(), StoreError> {
        out.push(b'[');
        for (place, id) in self.ids(at)?.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_id(id?, out);
        }
        out.push(b']');
        Ok(())
    }
}

fn write_id(id: Uuid, out: &mut Vec<u8>) {
    let mut digits = Uuid::encode_buffer();
    out.push(b'"');
    out.extend_from_slice(id.hyphenated().encode_lower(&mut digits).as_bytes());
    out.push(b'"');
}

fn write_int(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_decimal(number: Decimal, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to memory cannot fail.
    let _ = write!(out, "{}", number.normalize());
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing a text to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

fn write_date(date: civil::Date, out: &mut Vec<u8>) {
    let year = date.year();
    if year < 0 {
        out.push(b'-');
    }
    let year = u32::from(year.unsigned_abs());
    write_digits(year / 100, out);
    write_digits(year % 100, out);
    out.push(b'-');
    write_digits(u32::from(date.month().unsigned_abs()), out);
    out.push(b'-');
    write_digits(u32::from(date.day().unsigned_abs()), out);
}

fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    let at = Offset::UTC.to_datetime(time);
    out.push(b'"');
    write_date(at.date(), out);
    for (sign, part) in [(b'T', at.hour()), (b':', at.minute()), (b':', at.second())] {
        out.push(sign);
        write_digits(u32::from(part.unsigned_abs()), out);
    }
    let micros = at.subsec_nanosecond().unsigned_abs() / 1000;
    if micros > 0 {
        out.push(b'.');
        write_digits(micros / 10_000, out);
        write_digits(micros / 100 % 100, out);
        write_digits(micros % 100, out);
    }
    out.extend_from_slice(b"Z\"");
}

/// Two digits; `number` is below 100.
fn write_digits(number: u32, out: &mut Vec<u8>) {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    out.push(digit(number / 10));
    out.push(digit(number));
}
