//! Values that nobody enters: counted from the records of any collection, or made of other
//! indicators.
//!
//! [`check`] says what may be written, [`work`] calculates behind the feed. A calculation is made
//! in the name of the owner of its indicator, with the rights he has at that moment, and written
//! by the house: nobody else writes values of a calculated indicator.

pub mod check;
mod query;
mod work;

use std::collections::BTreeMap;

use opsflux_model::expr::{Expr, Kind};
use opsflux_model::schema::FieldType;
use opsflux_model::{Condition, FieldIx, Value};
use opsflux_records::Uuid;
use serde_json::Value as Json;

pub use work::Sources;

/// The type of a value.
pub(crate) const MEASURE: FieldType = FieldType::Decimal {
    precision: 28,
    scale: 10,
    min: None,
    max: None,
    unit: None,
};
/// Indicators of one formula.
const MOST_INPUTS: usize = 50;

/// Where the values of an indicator come from.
#[derive(Debug, Clone, PartialEq, Eq, Copy)]
pub enum Source {
    /// Somebody enters them.
    Manual,
    /// Records are counted or added up.
    Query,
    /// Other indicators are combined.
    Formula,
}

impl Source {
    /// The source with this code.
    #[must_use]
    pub fn of(code: &str) -> Source {
        match code {
            "QUERY" => Source::Query,
            "FORMULA" => Source::Formula,
            _ => Source::Manual,
        }
    }
}

/// The condition of a query; nothing written is every record.
pub(crate) fn condition(value: &Value) -> Option<Condition> {
    match value {
        Value::Json(json) => Condition::from_json(json).ok(),
        _ => Some(Condition::default()),
    }
}

/// The indicators of a formula by their names in it; nothing when one is no id.
pub(crate) fn inputs(value: &Value) -> Option<BTreeMap<String, Uuid>> {
    let Value::Json(Json::Object(named)) = value else {
        return Some(BTreeMap::new());
    };
    if named.len() > MOST_INPUTS {
        return None;
    }
    named
        .iter()
        .map(|(name, id)| Some((name.clone(), Uuid::try_parse(id.as_str()?).ok()?)))
        .collect()
}

/// A formula over the names of `inputs`, in their order.
///
/// # Errors
/// The place of the first character that cannot be read.
pub(crate) fn formula(text: &str, inputs: &BTreeMap<String, Uuid>) -> Result<Expr, usize> {
    let find = |name: &str| {
        let place = inputs.keys().position(|known| known == name);
        let place = place.and_then(|place| u16::try_from(place).ok());
        place
            .map(|place| (FieldIx(place), Kind::Number))
            .ok_or_else(|| format!("there is no {name}"))
    };
    Expr::parse(text, &MEASURE, &find).map_err(|error| error.at + 1)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::json;

    use super::*;

    fn named(names: &[&str]) -> BTreeMap<String, Uuid> {
        let ids: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!(Uuid::nil().to_string())))
            .collect();
        inputs(&Value::Json(Json::Object(ids))).unwrap()
    }

    #[test]
    fn a_formula_is_exact_and_dividing_by_zero_gives_nothing() {
        let formula = formula("a / b * 100", &named(&["b", "a"])).unwrap();
        let of = |a: i64, b: i64| {
            let values = [Value::Decimal(a.into()), Value::Decimal(b.into())];
            formula.value(&values, &MEASURE).unwrap()
        };
        assert_eq!(of(1, 8), Value::Decimal("12.5".parse::<Decimal>().unwrap()));
        assert_eq!(of(1, 0), Value::Null);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        assert_eq!(formula("a + c", &named(&["a"])).unwrap_err(), 5);
        assert!(formula("a +", &named(&["a"])).is_err());
        assert_eq!(inputs(&Value::Json(json!({"a": "x"}))), None);
    }
}
