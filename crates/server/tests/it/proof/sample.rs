//! A value for every field of every entity, told from every other value: whoever meets it in an
//! answer knows which field of which record it came from.

use std::str::FromStr;

use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema};
use opsflux_model::{Condition, Op, wire};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::wire::CHOSEN;

/// Which of the values a field may have: that of both worlds, or that of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Shared,
    One,
    Other,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    pub schema: &'a Schema,
    pub entity: EntityIx,
    pub field: FieldIx,
    pub record: u32,
    pub variant: Variant,
    /// The name of the world; log-in names are unique over all of them.
    pub tag: &'a str,
}

/// The id of a record that the test chose.
pub fn id(entity: EntityIx, record: u32) -> Uuid {
    let text = format!("{CHOSEN}0000-7000-8000-{:04x}{record:08x}", entity.0);
    Uuid::from_str(&text).expect("an id")
}

/// Links that a rule demands, though each of them may be absent.
pub fn is_needed(entity: &Entity, field: &str) -> bool {
    (entity.name.as_str(), field) == ("grant", "user")
}

/// The record a needed link leads to: the one with the same number, or the next where a rule wants
/// another than that.
pub fn beside(entity: &Entity, field: &str, record: u32) -> u32 {
    match (entity.name.as_str(), field) {
        ("delegation", "deputy") => record + 1,
        _ => record,
    }
}

/// Whether a rule wants one link of several, so that the others stay as they are.
pub fn one_of_several(entity: &Entity) -> bool {
    entity.name == "grant"
}

/// A word of letters alone, which fits most patterns and is near no other.
pub fn word(spot: Spot<'_>) -> String {
    let side = match spot.variant {
        Variant::Shared => 'v',
        Variant::One => 'a',
        Variant::Other => 'b',
    };
    let letters = |number: u32| -> String {
        let letter = |n: u32| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
        [letter(number / 26), letter(number), letter(number * 7 + 3)]
            .iter()
            .collect()
    };
    let entity = letters(u32::from(spot.entity.0));
    let field = letters(u32::from(spot.field.0));
    format!("zq{side}{entity}x{field}{}", letters(spot.record))
}

/// The value a condition of some link asks of this field, which therefore does not vary.
fn demanded(schema: &Schema, entity: EntityIx, field: &str) -> Option<Json> {
    schema
        .iter()
        .flat_map(|(_, e)| &e.fields)
        .find_map(|f| match &f.kind {
            FieldType::Link(link) | FieldType::Links(link) if link.to == entity => {
                asked(&link.condition, field)
            }
            _ => None,
        })
}

fn asked(condition: &Condition, name: &str) -> Option<Json> {
    match condition {
        Condition::Test {
            field,
            op: Op::Eq,
            value,
        } if field == name => Some(value.clone()),
        Condition::All(parts) => parts.iter().find_map(|part| asked(part, name)),
        _ => None,
    }
}

/// The value of a field that is not a link; nothing for what requests do not set.
pub fn value(spot: Spot<'_>) -> Option<Json> {
    let entity = spot.schema.entity(spot.entity);
    let field = entity.field(spot.field);
    if is_left_out(entity, &field.name, spot.record) {
        return None;
    }
    if let Some(value) = demanded(spot.schema, spot.entity, &field.name) {
        return Some(value);
    }
    let mut all = hinted(entity, &field.name, spot);
    all.extend(candidates(&field.kind, spot));
    let fits = |value: &Json| wire::parse(&field.kind, value).is_ok();
    all.into_iter().find(fits)
}

/// What is not written: of the two ways to say what a workflow does, the first record has the
/// second; what closes periods to values; and what follows from another field.
fn is_left_out(entity: &Entity, field: &str, record: u32) -> bool {
    let longer = record == 1;
    match (entity.name.as_str(), field) {
        ("workflow", "trigger" | "conditions" | "actions") => longer,
        ("workflow", "format" | "definition") => !longer,
        ("dashboard", "closed_before") | ("kpi_value", "period_end") => true,
        // Calculated indicators are worked off by an engine, which would go on with them.
        (
            "kpi",
            "query_of" | "query_filter" | "query_field" | "query_date" | "query_measure"
            | "formula" | "formula_inputs" | "judged_from",
        ) => true,
        _ => false,
    }
}

/// Lines of roles, which say what others may do.
pub fn is_made_of_rules(entity: &Entity) -> bool {
    entity.name.starts_with("role_")
}

/// What rules of modules demand and no declaration says.
fn hinted(entity: &Entity, field: &str, spot: Spot<'_>) -> Vec<Json> {
    match (entity.name.as_str(), field) {
        ("role_permission" | "role_field", "app") => vec![json!("tickets")],
        ("role_permission", "action") => vec![json!("view")],
        ("role_permission", "scope") => {
            let scopes = ["all", "company", "department", "own"];
            vec![json!(scopes[spot.record as usize % scopes.len()])]
        }
        ("role_permission", "condition") => {
            let test = json!({"field": "title", "op": "eq", "value": word(spot)});
            vec![test]
        }
        ("role_field", "field") => {
            let of = spot.schema.find(if spot.variant == Variant::Other {
                "asset"
            } else {
                "ticket"
            });
            let shared = ["title", "description", "kind", "source", "resolution"];
            let mut place = spot.record as usize % 3;
            if spot.variant == Variant::Other {
                place = 4;
            }
            of.map(|_| json!(shared[place])).into_iter().collect()
        }
        // Every day is a period, and all values are good: their colour is made from thresholds.
        ("kpi", "source") => vec![json!("MANUAL")],
        ("kpi", "frequency") => vec![json!("DAILY")],
        ("kpi", "direction") => vec![json!("UP_IS_BETTER")],
        ("kpi", "aggregation") => vec![json!("LAST")],
        ("kpi" | "kpi_target", "threshold_green" | "threshold_orange" | "threshold_red") => {
            let from = match field {
                "threshold_green" => 500,
                "threshold_orange" => 300,
                _ => 100,
            };
            let way = u32::from(spot.variant == Variant::Other);
            vec![json!(format!("{}", from + spot.record * 2 + way))]
        }
        ("workflow", "status") => {
            let way = usize::from(spot.variant == Variant::Other);
            vec![json!(["DRAFT", "INACTIVE"][way])]
        }
        ("workflow", "trigger") => {
            let way = usize::from(spot.variant == Variant::Other);
            let kind = ["record_created", "record_updated"][way];
            vec![json!({"type": kind, "entity": "ticket"})]
        }
        ("workflow", "conditions") => {
            let test = json!({"field": "title", "op": "eq", "value": word(spot)});
            vec![json!([test])]
        }
        ("workflow", "actions") => {
            vec![json!([{"type": "comment", "params": {"body": word(spot)}}])]
        }
        ("workflow", "format") => vec![json!("opsflux.flow/1")],
        ("workflow", "definition") => {
            let note = json!({"id": "note", "type": "action", "use": "comment", "with": {"body": word(spot)}});
            let trigger = json!({"type": "record_created", "entity": "ticket"});
            vec![json!({"triggers": [trigger], "steps": [note]})]
        }
        // What is over, so that no engine goes on with it.
        ("execution" | "job" | "delivery" | "approval", "status" | "state") => {
            let way = usize::from(spot.variant == Variant::Other);
            let ends = match entity.name.as_str() {
                "execution" => ["SUCCESS", "FAILED"],
                "job" => ["done", "failed"],
                "delivery" => ["sent", "failed"],
                _ => ["APPROVED", "REJECTED"],
            };
            vec![json!(ends[way])]
        }
        // Part of log-in names, which are unique over all tenants.
        ("company", "code") => vec![json!(format!("{}-{}", word(spot), spot.tag))],
        ("company" | "user" | "site", "time_zone") => {
            let zones = ["Europe/Paris", "Africa/Libreville", "Africa/Douala"];
            vec![json!(zones[spot.variant as usize % zones.len()])]
        }
        _ => Vec::new(),
    }
}

fn candidates(kind: &FieldType, spot: Spot<'_>) -> Vec<Json> {
    let word = word(spot);
    let way = usize::from(spot.variant == Variant::Other);
    let number = 710_000
        + i64::from(spot.entity.0) * 2_000
        + i64::from(spot.field.0) * 24
        + i64::from(spot.record) * 3
        + spot.variant as i64;
    match kind {
        FieldType::Text { max, .. } => {
            let short: String = word.chars().take(*max).collect();
            let last: String = word.chars().rev().take(*max).collect();
            vec![
                json!(word),
                json!(short),
                json!(last.to_uppercase()),
                json!(format!("A-{number}")),
            ]
        }
        FieldType::LongText { .. } | FieldType::RichText { .. } => vec![json!(word)],
        FieldType::Secret => vec![json!(word)],
        FieldType::Email => vec![json!(format!("{word}@{}.example", spot.tag))],
        FieldType::Phone => vec![json!(format!("+241 {number}"))],
        FieldType::Url => vec![json!(format!("https://{word}.example/"))],
        FieldType::Color => vec![json!(format!("#{number:06x}"))],
        FieldType::Integer { .. } | FieldType::Duration { .. } => {
            vec![json!(number), json!(number % 100), json!(1 + way)]
        }
        FieldType::Decimal { .. } => vec![json!(format!("{number}.25")), json!(format!("{way}"))],
        FieldType::Money { currency, .. } => {
            let amount = format!("{number}.25");
            let currency = currency.as_deref().unwrap_or("EUR");
            vec![
                json!(amount),
                json!({"amount": amount, "currency": currency}),
            ]
        }
        FieldType::Boolean => vec![json!(way == 1)],
        FieldType::Date | FieldType::DateTime => {
            let day = jiff::civil::date(2041, 1, 1);
            let span = jiff::Span::new().days(number - 710_000);
            let day = day.checked_add(span).expect("a day");
            vec![json!(day.to_string()), json!(format!("{day}T10:11:12Z"))]
        }
        FieldType::Choice { options } => {
            let place = (spot.record as usize + way) % options.len().max(1);
            options
                .get(place)
                .map(|o| json!(o.value))
                .into_iter()
                .collect()
        }
        FieldType::Choices { options } => {
            let place = way % options.len().max(1);
            vec![json!([options[place].value])]
        }
        FieldType::Tags { .. } => vec![json!([word])],
        FieldType::Geo => vec![json!({
            "lat": format!("{way}.{number}"), "lon": format!("8.{number}")
        })],
        FieldType::Json => vec![json!({"filter": {"field": "id", "op": "eq", "value": word}})],
        _ => Vec::new(),
    }
}

/// How a value looks in an answer, when it can be told from any other.
pub fn canary(spot: Spot<'_>) -> Option<String> {
    let entity = spot.schema.entity(spot.entity);
    let field = entity.field(spot.field);
    if demanded(spot.schema, spot.entity, &field.name).is_some() {
        return None;
    }
    let is_json = matches!(field.kind, FieldType::Json);
    if !is_json && !hinted(entity, &field.name, spot).is_empty() {
        return None;
    }
    let value = value(spot)?;
    match &field.kind {
        FieldType::Choice { .. } | FieldType::Choices { .. } | FieldType::Boolean => None,
        FieldType::Json | FieldType::Tags { .. } => Some(word(spot)),
        FieldType::Geo => value["lat"]
            .as_str()
            .map(str::to_owned)
            .filter(|t| t.len() > 5),
        FieldType::Money { .. } => value["amount"].as_str().map(str::to_owned),
        _ => {
            let text = match value {
                Json::String(text) => text,
                other => other.to_string(),
            };
            let telling = text.trim_end_matches("T10:11:12Z").to_owned();
            (telling.len() >= 6 && !telling.contains('/')).then_some(telling)
        }
    }
}
