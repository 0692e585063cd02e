//! What the records of a collection measure in one period.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use opsflux_model::schema::FieldType;
use opsflux_model::{Condition, Op, Value};
use opsflux_records::read::RowsRequest;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error, Records};
use rust_decimal::Decimal;
use serde_json::json;

use super::check::word;
use super::condition;
use crate::test;
use crate::value::ratio;

/// Rows that are added up; more are refused rather than added up in part.
const MOST: u32 = 200_000;
/// Counted at most.
const MOST_COUNTED: u64 = 100_000_000;

/// Why there is no value.
#[derive(Debug)]
pub enum Missing {
    /// Nothing to measure: a mean of nothing.
    Nothing,
    /// The query no longer fits; the code of why.
    Unfit(&'static str),
    /// It could not be read.
    Error(Error),
}

impl From<Error> for Missing {
    fn from(error: Error) -> Missing {
        match error {
            Error::NotFound => Missing::Unfit("kpi.query_of"),
            Error::BadQuery { .. } => Missing::Unfit("kpi.query_filter"),
            error => Missing::Error(error),
        }
    }
}

/// Whether the query asks for one period, and not for the moment.
pub fn is_dated(records: &Records, kpi: &Snapshot) -> bool {
    let schema = records.schema();
    word(schema.entity(kpi.entity), kpi, "query_date").is_some()
}

/// The value of a period for `owner`, whose days begin in `zone`.
///
/// # Errors
/// [`Missing`].
pub async fn measure(
    records: &Records,
    owner: &Caller,
    kpi: &Snapshot,
    (start, end): (Date, Date),
    zone: &TimeZone,
) -> Result<Decimal, Missing> {
    let schema = records.schema();
    let declared = schema.entity(kpi.entity);
    let collection = word(declared, kpi, "query_of").unwrap_or_default();
    let of = schema
        .find_collection(collection)
        .ok_or(Missing::Unfit("kpi.query_of"))?;
    let measured = schema.entity(of);
    let filter = condition(kpi.get(&schema, "query_filter"));
    let filter = filter.ok_or(Missing::Unfit("kpi.query_filter"))?;
    let mut conditions = vec![filter];
    if let Some(name) = word(declared, kpi, "query_date") {
        let field = measured
            .find(name)
            .ok_or(Missing::Unfit("kpi.query_date"))?;
        let bounds = match measured.field(field).kind.holds() {
            FieldType::Date => Some((json!(start.to_string()), json!(end.to_string()), Op::Lte)),
            FieldType::DateTime => {
                let at = |day: Date| {
                    let begins = day.to_zoned(zone.clone()).ok()?;
                    Some(json!(begins.timestamp().to_string()))
                };
                let after = end.tomorrow().ok().and_then(at);
                at(start).zip(after).map(|(from, to)| (from, to, Op::Lt))
            }
            _ => None,
        };
        let (from, to, before) = bounds.ok_or(Missing::Unfit("kpi.query_date"))?;
        conditions.push(test(name, Op::Gte, from));
        conditions.push(test(name, before, to));
    }
    let condition = Condition::All(conditions);
    let measure = word(declared, kpi, "query_measure").unwrap_or("COUNT");
    if measure == "COUNT" {
        let count = records
            .count_rows(owner, &measured.name, &condition, MOST_COUNTED)
            .await?;
        return Ok(Decimal::from(count));
    }
    let field = word(declared, kpi, "query_field").unwrap_or_default();
    if measured.find(field).is_none() {
        return Err(Missing::Unfit("kpi.query_field"));
    }
    let request = RowsRequest {
        entity: &measured.name,
        condition,
        fields: &[field],
        sort: &[],
        limit: MOST + 1,
    };
    let rows = records.read_rows(owner, &request).await?;
    if rows.len() > MOST as usize {
        return Err(Missing::Unfit("kpi.too_many_values"));
    }
    let numbers: Vec<Decimal> = rows
        .iter()
        .filter_map(|row| match row.first()? {
            Value::Int(number) => Some(Decimal::from(*number)),
            Value::Decimal(number) => Some(*number),
            _ => None,
        })
        .collect();
    let sum = || {
        let mut numbers = numbers.iter();
        numbers.try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number))
    };
    let large = Missing::Unfit("kpi.ratio_too_large");
    match measure {
        "SUM" => sum().ok_or(large),
        "MIN" => numbers.iter().min().copied().ok_or(Missing::Nothing),
        "MAX" => numbers.iter().max().copied().ok_or(Missing::Nothing),
        _ if numbers.is_empty() => Err(Missing::Nothing),
        _ => sum()
            .and_then(|sum| ratio(sum, Decimal::from(numbers.len()), Decimal::ONE))
            .ok_or(large),
    }
}
