//! Values and names as JSON text.

use opsflux_model::Value;
use rust_decimal::Decimal;
use serde_json::{Number, Value as Json, json};
use std::str::FromStr;

/// A value in its wire form, for audit, feed and conflicts. Rows of answers are written by the
/// store directly.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => json!(number),
        Value::Decimal(number) => exact(number),
        Value::Text(text) => Json::String(text.clone()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(at) => Json::String(at.to_string()),
        Value::Id(id) => Json::String(id.to_string()),
        Value::Money { amount, currency } => json!({"amount": exact(amount), "currency": currency}),
        Value::Geo { lat, lon } => json!({"lat": exact(lat), "lon": exact(lon)}),
        Value::Ref { entity, id } => json!({"entity": entity, "id": id.to_string()}),
        Value::Set(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Json(json) => json.clone(),
    }
}

/// A decimal as a JSON number with every digit it has.
fn exact(number: &Decimal) -> Json {
    Number::from_str(&number.normalize().to_string()).map_or(Json::Null, Json::Number)
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, text);
}

/// Appends `"name":`, with a comma unless it is the first of its object.
pub fn push_key(out: &mut Vec<u8>, name: &str) {
    if out.last().is_some_and(|last| *last != b'{') {
        out.push(b',');
    }
    push_name(out, name);
}

/// Appends `"name":`. Names of fields need no escaping.
pub fn push_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
