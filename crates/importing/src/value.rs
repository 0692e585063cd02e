//! What a cell means for a field: the JSON a request would have sent.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use opsflux_model::fold::fold;
use opsflux_model::schema::{ChoiceOption, Entity, Field, FieldType, Schema};
use opsflux_records::FieldError;
use serde_json::{Value as Json, json};

use crate::locale::{self, NoDate, Style};
use crate::table::Cell;

/// A column that goes into a field.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its place in the file.
    pub place: usize,
    /// What it is called there.
    pub header: String,
    /// The field.
    pub field: Field,
    /// How it is written.
    pub style: Style,
}

/// What reading cells of a file needs besides.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Whether the days of the workbook are counted from 1904 on.
    pub from_1904: bool,
    /// The zone of times without one.
    pub zone: TimeZone,
}

/// Whether a field can be filled from a file.
#[must_use]
pub fn is_importable(field: &Field) -> bool {
    !field.readonly
        && !field.system
        && !matches!(
            field.kind,
            FieldType::Id
                | FieldType::Children { .. }
                | FieldType::File { .. }
                | FieldType::Image { .. }
                | FieldType::Secret
                | FieldType::Password
                | FieldType::Computed { .. }
                | FieldType::Rollup { .. }
        )
}

/// Whether its texts are numbers.
#[must_use]
pub fn is_number(kind: &FieldType) -> bool {
    matches!(
        kind,
        FieldType::Integer { .. }
            | FieldType::Decimal { .. }
            | FieldType::Money { .. }
            | FieldType::Duration { .. }
    )
}

/// Whether its texts are days.
#[must_use]
pub fn is_date(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Date | FieldType::DateTime)
}

/// The value of a cell; links stay as they are called. Nothing for an empty cell.
///
/// # Errors
/// What is wrong with it, at the field.
pub fn read(
    schema: &Schema,
    entity: &Entity,
    column: &Column,
    reading: &Reading,
    cell: &Cell,
) -> Result<Option<Json>, FieldError> {
    let field = &column.field;
    let wrong = |code: &str, detail: &str| FieldError::new(&field.name, code, short(detail));
    let json = match cell {
        Cell::Empty => return Ok(None),
        Cell::Error(error) => return Err(wrong("base.cell_error", error)),
        Cell::Json(json) => return Ok(Some(json.clone())),
        cell => cell,
    };
    let text = json.shown();
    let value = match &field.kind {
        FieldType::Integer { .. } | FieldType::Decimal { .. } => Json::Number(
            exact(json, column.style).ok_or_else(|| wrong("base.not_a_number", &text))?,
        ),
        FieldType::Duration { .. } if text.starts_with('P') => text.into(),
        FieldType::Duration { .. } => Json::Number(
            exact(json, column.style).ok_or_else(|| wrong("base.not_a_number", &text))?,
        ),
        FieldType::Money { .. } => {
            money(json, &text, column.style).ok_or_else(|| wrong("base.not_a_number", &text))?
        }
        FieldType::Boolean => match boolean(json, &text) {
            Some(value) => value.into(),
            None => return Err(wrong("wrong_type", "true or false")),
        },
        FieldType::Date => moment(json, column, reading, true)
            .map(|at| at.date().to_string().into())
            .map_err(|no| undated(field, no, "invalid_date", "YYYY-MM-DD"))?,
        FieldType::DateTime => instant(json, &text, column, reading)
            .map_err(|no| undated(field, no, "invalid_datetime", "YYYY-MM-DDTHH:MM:SSZ"))?,
        FieldType::Choice { options } => option(schema, entity, field, options, &text)
            .ok_or_else(|| wrong("not_an_option", &codes(options)))?,
        FieldType::State { .. } => {
            let states = entity.states.iter().map(|state| state.name.as_str());
            let found = called(schema, entity, field, states, &text);
            found.map_or_else(|| text.clone().into(), Json::from)
        }
        FieldType::Choices { options } => {
            let mut chosen = Vec::new();
            for part in parts(&text) {
                let one = option(schema, entity, field, options, part);
                chosen.push(one.ok_or_else(|| wrong("not_an_option", &codes(options)))?);
            }
            chosen.into()
        }
        FieldType::Tags { .. } | FieldType::Links(_) => parts(&text).collect::<Vec<_>>().into(),
        FieldType::Geo => geo(&text).unwrap_or_else(|| text.clone().into()),
        FieldType::AnyLink { .. } | FieldType::Json => {
            serde_json::from_str(&text).unwrap_or_else(|_| text.clone().into())
        }
        _ => text.into(),
    };
    Ok(Some(value))
}

/// What an error quotes of a cell.
fn short(text: &str) -> String {
    let mut chars = text.chars();
    let mut kept: String = chars.by_ref().take(80).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    kept
}

fn undated(field: &Field, no: NoDate, code: &str, form: &str) -> FieldError {
    match no {
        NoDate::Ambiguous => FieldError::new(&field.name, "base.ambiguous_dates", ""),
        NoDate::Invalid => FieldError::new(&field.name, code, form),
    }
}

fn exact(cell: &Cell, style: Style) -> Option<serde_json::Number> {
    let text = match cell {
        Cell::Number(number) => number.clone(),
        Cell::Text(text) => locale::number(text, style)?,
        _ => return None,
    };
    text.parse().ok()
}

/// An amount, with its currency before or after it.
fn money(cell: &Cell, text: &str, style: Style) -> Option<Json> {
    if let Some(amount) = exact(cell, style) {
        return Some(json!({"amount": amount}));
    }
    let is_code = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_uppercase());
    let begin = text.get(..3).filter(|part| is_code(part));
    let end = text.len().checked_sub(3);
    let end = end
        .and_then(|at| text.get(at..))
        .filter(|part| is_code(part));
    let (amount, currency) = match (begin, end) {
        (Some(code), _) => (text.get(3..)?, code),
        (None, Some(code)) => (text.get(..text.len() - 3)?, code),
        (None, None) if text.contains('€') => (text, "EUR"),
        _ => return None,
    };
    let amount = amount.replace('€', "");
    let amount: serde_json::Number = locale::number(amount.trim(), style)?.parse().ok()?;
    Some(json!({"amount": amount, "currency": currency}))
}

fn boolean(cell: &Cell, text: &str) -> Option<bool> {
    if let Cell::Bool(value) = cell {
        return Some(*value);
    }
    match fold(text).as_str() {
        "1" | "true" | "yes" | "y" | "x" | "oui" | "o" | "vrai" | "si" | "s" | "verdadero"
        | "sim" | "verdadeiro" => Some(true),
        "0" | "false" | "no" | "n" | "non" | "faux" | "falso" | "nao" => Some(false),
        _ => None,
    }
}

fn moment(
    cell: &Cell,
    column: &Column,
    reading: &Reading,
    day_only: bool,
) -> Result<DateTime, NoDate> {
    match cell {
        Cell::Moment(at) => Ok(*at),
        Cell::Number(days) => {
            let days: f64 = days.parse().map_err(|_| NoDate::Invalid)?;
            locale::serial(days, reading.from_1904).ok_or(NoDate::Invalid)
        }
        Cell::Text(text) if day_only => match locale::date(text, column.style) {
            Ok(day) => Ok(day.to_datetime(jiff::civil::Time::midnight())),
            // A program that knows no days alone writes midnight after them.
            Err(NoDate::Invalid) => locale::moment(text, column.style),
            Err(other) => Err(other),
        },
        Cell::Text(text) => locale::moment(text, column.style),
        _ => Err(NoDate::Invalid),
    }
}

fn instant(cell: &Cell, text: &str, column: &Column, reading: &Reading) -> Result<Json, NoDate> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.to_string().into());
    }
    let at = moment(cell, column, reading, false)?;
    let at = at
        .to_zoned(reading.zone.clone())
        .map_err(|_| NoDate::Invalid)?;
    Ok(at.timestamp().to_string().into())
}

fn option(
    schema: &Schema,
    entity: &Entity,
    field: &Field,
    options: &[ChoiceOption],
    text: &str,
) -> Option<Json> {
    let codes = options.iter().map(|option| option.value.as_str());
    called(schema, entity, field, codes, text).map(Json::from)
}

/// The code that is written or called so in one of the languages.
fn called<'a>(
    schema: &Schema,
    entity: &Entity,
    field: &Field,
    mut codes: impl Iterator<Item = &'a str> + Clone,
    text: &str,
) -> Option<&'a str> {
    if let Some(code) = codes.clone().find(|code| *code == text) {
        return Some(code);
    }
    let wanted = fold(text);
    codes.find(|code| {
        fold(code) == wanted
            || words(schema, entity, &["options", &field.name, code])
                .any(|label| fold(label) == wanted)
    })
}

/// What something of an entity is called, in every language.
pub(crate) fn words<'a>(
    schema: &'a Schema,
    entity: &'a Entity,
    path: &'a [&'a str],
) -> impl Iterator<Item = &'a str> {
    schema.modules.iter().flat_map(move |module| {
        module.words.values().filter_map(move |words| {
            let mut at = words.get("entities")?.get(&entity.name)?;
            for key in path {
                at = at.get(key)?;
            }
            at.as_str()
        })
    })
}

fn codes(options: &[ChoiceOption]) -> String {
    let codes: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
    codes.join(", ")
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([',', ';', '|', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn geo(text: &str) -> Option<Json> {
    let (lat, lon) = text.split_once([',', ';', ' '])?;
    let number = |part: &str| part.trim().parse::<serde_json::Number>().ok();
    Some(json!({"lat": number(lat)?, "lon": number(lon)?}))
}
