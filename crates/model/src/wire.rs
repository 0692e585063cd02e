//! Values as they cross the edge: JSON in, with the limits of the field's type.
//!
//! Every way in (HTTP, import, sync, defaults in declarations, values of conditions) reads values
//! here, so a value that one way refuses no other lets through.

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::HashSet;
use std::str::FromStr;
use uuid::Uuid;

use crate::schema::{ChoiceOption, FieldType};
use crate::value::Value;

/// Why a value is not one of its field's type. `code` is stable; the message is translated at the
/// edge from it and `detail`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Invalid {
    /// `wrong_type`, `too_long`, `too_short`, `too_small`, `too_large`, `not_an_option`,
    /// `invalid_date`, `invalid_datetime`, `invalid_email`, `invalid_url`, `invalid_phone`,
    /// `invalid_color`, `invalid_id`, `pattern`, `precision`, `too_many`, `required`, `readonly`.
    pub code: &'static str,
    /// What was expected: a limit, the options, a format.
    pub detail: String,
}

impl Invalid {
    /// An [`Invalid`] with its code and what was expected.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Invalid {
            code,
            detail: detail.into(),
        }
    }
}

/// Reads `json` as a value of `kind`. JSON null is [`Value::Null`] for every type; whether null
/// is allowed is the caller's question. Links given as record numbers must have been resolved to
/// ids before; set types accept an array only (add/remove is the pipeline's).
///
/// # Errors
/// [`Invalid`] with the limit that is passed.
pub fn parse(kind: &FieldType, json: &Json) -> Result<Value, Invalid> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        FieldType::Text { min, max, pattern } => {
            let text = text(json, *max)?;
            if text.chars().count() < *min {
                return Err(Invalid::new("too_short", min.to_string()));
            }
            match pattern {
                Some(pattern) if !pattern.0.is_match(text) => {
                    Err(Invalid::new("pattern", pattern.0.as_str()))
                }
                _ => Ok(text.into()),
            }
        }
        FieldType::LongText { max } | FieldType::RichText { max } => {
            text(json, *max).map(Value::from)
        }
        FieldType::Email => email(json),
        FieldType::Phone => phone(json),
        FieldType::Url => url(json),
        FieldType::Color => color(json),
        FieldType::Secret | FieldType::Password => text(json, 1024).map(Value::from),
        FieldType::Integer { min, max } => integer(json, *min, *max),
        FieldType::Duration { min, max } => duration(json, *min, *max),
        FieldType::Decimal {
            precision,
            scale,
            min,
            max,
            ..
        } => decimal(json, *precision, *scale, *min, *max).map(Value::Decimal),
        FieldType::Money {
            precision,
            scale,
            currency,
        } => money(json, *precision, *scale, currency.as_deref()),
        FieldType::Boolean => json
            .as_bool()
            .map(Value::Bool)
            .ok_or_else(|| Invalid::new("wrong_type", "true or false")),
        FieldType::Date => date(json).map(Value::Date),
        FieldType::DateTime => instant(json).map(Value::Time),
        FieldType::Choice { options } => option(json, options),
        FieldType::State { .. } => text(json, 64).map(Value::from),
        FieldType::Choices { options } => set(json, options.len(), |item| option(item, options)),
        FieldType::Tags { max } => set(json, *max, tag),
        FieldType::Links(_) => set(json, 10_000, id),
        FieldType::Id | FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. } => {
            id(json)
        }
        FieldType::AnyLink { .. } => reference(json),
        FieldType::Geo => geo(json),
        FieldType::Json => json_value(json),
        FieldType::Children { .. } => Err(Invalid::new("wrong_type", "an array of objects")),
        FieldType::Computed { returns, .. } | FieldType::Rollup { returns, .. } => {
            parse(returns, json)
        }
    }
}

fn text(json: &Json, max: usize) -> Result<&str, Invalid> {
    let text = json
        .as_str()
        .ok_or_else(|| Invalid::new("wrong_type", "a text"))?;
    // A NUL cannot be stored by PostgreSQL; refusing it everywhere keeps both databases alike.
    if text.contains('\0') {
        return Err(Invalid::new("wrong_type", "a text without NUL characters"));
    }
    if text.len() > max && text.chars().count() > max {
        return Err(Invalid::new("too_long", max.to_string()));
    }
    Ok(text)
}

fn email(json: &Json) -> Result<Value, Invalid> {
    let text = text(json, 254)?.trim();
    // An address, not a mailbox: no display name, no bracketed IP.
    let options = email_address::Options::default()
        .without_display_text()
        .without_domain_literal();
    email_address::EmailAddress::parse_with_options(text, options)
        .map(|_| text.into())
        .map_err(|_| Invalid::new("invalid_email", "name@example.org"))
}

fn phone(json: &Json) -> Result<Value, Invalid> {
    let text = text(json, 40)?.trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let known = text
        .chars()
        .all(|c| c.is_ascii_digit() || "+-(). /x#".contains(c));
    if known && (3..=20).contains(&digits) {
        Ok(text.into())
    } else {
        Err(Invalid::new("invalid_phone", "+241 11 22 33 44"))
    }
}

fn url(json: &Json) -> Result<Value, Invalid> {
    let text = text(json, 2048)?.trim();
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "mailto" | "ftp" | "sftp") => {
            Ok(text.into())
        }
        _ => Err(Invalid::new("invalid_url", "https://example.org")),
    }
}

fn color(json: &Json) -> Result<Value, Invalid> {
    let text = text(json, 7)?;
    let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6);
    match digits {
        Some(rest) if rest.chars().all(|c| c.is_ascii_hexdigit()) => {
            Ok(text.to_ascii_lowercase().into())
        }
        _ => Err(Invalid::new("invalid_color", "#rrggbb")),
    }
}

fn integer(json: &Json, min: Option<i64>, max: Option<i64>) -> Result<Value, Invalid> {
    let number = json
        .as_i64()
        .ok_or_else(|| Invalid::new("wrong_type", "an integer"))?;
    in_range(number, min, max).map(Value::Int)
}

fn in_range(number: i64, min: Option<i64>, max: Option<i64>) -> Result<i64, Invalid> {
    match (min, max) {
        (Some(min), _) if number < min => Err(Invalid::new("too_small", min.to_string())),
        (_, Some(max)) if number > max => Err(Invalid::new("too_large", max.to_string())),
        _ => Ok(number),
    }
}

fn duration(json: &Json, min: Option<i64>, max: Option<i64>) -> Result<Value, Invalid> {
    let expected = || Invalid::new("wrong_type", "seconds, or PT1H30M");
    let seconds = match json {
        Json::String(text) => {
            let span = jiff::SignedDuration::from_str(text).map_err(|_| expected())?;
            if span.subsec_nanos() != 0 {
                return Err(Invalid::new("precision", "whole seconds"));
            }
            span.as_secs()
        }
        other => other.as_i64().ok_or_else(expected)?,
    };
    in_range(seconds, min, max).map(Value::Int)
}

/// Reads an exact decimal from a JSON number or string. More digits than the field has are
/// refused, never rounded.
///
/// # Errors
/// `wrong_type`, `precision`, `too_small`, `too_large`.
pub fn decimal(
    json: &Json,
    precision: u8,
    scale: u8,
    min: Option<Decimal>,
    max: Option<Decimal>,
) -> Result<Decimal, Invalid> {
    let source = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return Err(Invalid::new("wrong_type", "a number")),
    };
    if !is_number(&source) {
        return Err(Invalid::new("wrong_type", "a number"));
    }
    let parsed = if source.contains(['e', 'E']) {
        Decimal::from_scientific(&source)
    } else {
        Decimal::from_str_exact(&source)
    };
    // Too many digits for the type itself are too many for every field.
    let too_precise = || Invalid::new("precision", format!("{precision},{scale}"));
    let number = parsed.map_err(|_| too_precise())?;
    let number = number.normalize();
    let whole_digits = number
        .trunc()
        .abs()
        .mantissa()
        .to_string()
        .trim_start_matches('0')
        .len();
    if number.scale() > u32::from(scale) || whole_digits > usize::from(precision - scale) {
        return Err(too_precise());
    }
    match (min, max) {
        (Some(min), _) if number < min => Err(Invalid::new("too_small", min.to_string())),
        (_, Some(max)) if number > max => Err(Invalid::new("too_large", max.to_string())),
        _ => Ok(number),
    }
}

/// Sign, digits, point and digits, exponent: what JSON calls a number, with `+` and leading zeros.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent = exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    let mantissa = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(mantissa),
    };
    mantissa && exponent
}

fn money(json: &Json, precision: u8, scale: u8, default: Option<&str>) -> Result<Value, Invalid> {
    let expected = || Invalid::new("wrong_type", "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    let object = json.as_object().ok_or_else(expected)?;
    if object
        .keys()
        .any(|key| key != "amount" && key != "currency")
    {
        return Err(expected());
    }
    let amount = decimal(
        object.get("amount").ok_or_else(expected)?,
        precision,
        scale,
        None,
        None,
    )?;
    let currency = match object.get("currency") {
        Some(Json::String(code)) => code.as_str(),
        None => default.ok_or_else(expected)?,
        Some(_) => return Err(expected()),
    };
    if currency.len() != 3 || !currency.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(Invalid::new(
            "not_an_option",
            "an ISO 4217 code such as EUR",
        ));
    }
    Ok(Value::Money {
        amount,
        currency: currency.to_owned(),
    })
}

/// Reads `YYYY-MM-DD`.
///
/// # Errors
/// `invalid_date`.
pub fn date(json: &Json) -> Result<civil::Date, Invalid> {
    let expected = || Invalid::new("invalid_date", "YYYY-MM-DD");
    let text = json
        .as_str()
        .filter(|text| text.len() == 10)
        .ok_or_else(expected)?;
    civil::Date::from_str(text).map_err(|_| expected())
}

/// Reads an RFC 3339 instant; finer than a microsecond is cut off.
///
/// # Errors
/// `invalid_datetime`.
pub fn instant(json: &Json) -> Result<Timestamp, Invalid> {
    let expected = || Invalid::new("invalid_datetime", "2026-01-31T08:30:00Z");
    let text = json
        .as_str()
        .filter(|text| text.len() <= 40)
        .ok_or_else(expected)?;
    let at = Timestamp::from_str(text).map_err(|_| expected())?;
    Timestamp::from_microsecond(at.as_microsecond()).map_err(|_| expected())
}

fn option(json: &Json, options: &[ChoiceOption]) -> Result<Value, Invalid> {
    match json.as_str() {
        Some(code) if options.iter().any(|option| option.value == code) => Ok(code.into()),
        _ => {
            let known: Vec<_> = options.iter().map(|option| option.value.as_str()).collect();
            Err(Invalid::new("not_an_option", known.join(", ")))
        }
    }
}

fn tag(json: &Json) -> Result<Value, Invalid> {
    let text = text(json, 60)?.trim();
    if text.is_empty() {
        Err(Invalid::new("too_short", "1"))
    } else {
        Ok(text.into())
    }
}

fn id(json: &Json) -> Result<Value, Invalid> {
    let expected = || Invalid::new("invalid_id", "a UUID");
    let text = json.as_str().ok_or_else(expected)?;
    Uuid::try_parse(text).map(Value::Id).map_err(|_| expected())
}

fn reference(json: &Json) -> Result<Value, Invalid> {
    let expected = || Invalid::new("wrong_type", "{\"entity\": \"ticket\", \"id\": \"…\"}");
    let object = json
        .as_object()
        .filter(|o| o.len() == 2)
        .ok_or_else(expected)?;
    let entity = object
        .get("entity")
        .and_then(Json::as_str)
        .ok_or_else(expected)?;
    match id(object.get("id").ok_or_else(expected)?)? {
        Value::Id(id) => Ok(Value::Ref {
            entity: entity.to_owned(),
            id,
        }),
        _ => Err(expected()),
    }
}

fn geo(json: &Json) -> Result<Value, Invalid> {
    let expected = || Invalid::new("wrong_type", "{\"lat\": -0.72, \"lon\": 8.78}");
    let object = json
        .as_object()
        .filter(|o| o.len() == 2)
        .ok_or_else(expected)?;
    let degrees = |key: &str, limit: i64| {
        let limit = Decimal::from(limit);
        decimal(
            object.get(key).ok_or_else(expected)?,
            9,
            6,
            Some(-limit),
            Some(limit),
        )
    };
    Ok(Value::Geo {
        lat: degrees("lat", 90)?,
        lon: degrees("lon", 180)?,
    })
}

fn json_value(json: &Json) -> Result<Value, Invalid> {
    // Bounded here because the text is stored and read whole.
    if json.to_string().len() > 1_000_000 {
        return Err(Invalid::new("too_long", "1000000"));
    }
    Ok(Value::Json(json.clone()))
}

fn set(
    json: &Json,
    max: usize,
    item: impl Fn(&Json) -> Result<Value, Invalid>,
) -> Result<Value, Invalid> {
    let items = json
        .as_array()
        .ok_or_else(|| Invalid::new("wrong_type", "an array"))?;
    let mut values: Vec<Value> = Vec::with_capacity(items.len().min(max));
    let mut seen: HashSet<String> = HashSet::with_capacity(values.capacity());
    for json in items {
        let value = item(json)?;
        let key = match &value {
            Value::Id(id) => id.to_string(),
            other => other.as_text().unwrap_or_default().to_owned(),
        };
        if seen.insert(key) {
            values.push(value);
        }
        if values.len() > max {
            return Err(Invalid::new("too_many", max.to_string()));
        }
    }
    Ok(Value::Set(values))
}

#[cfg(test)]
mod tests;
