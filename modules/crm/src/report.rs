//! What is to be expected, and how it went: the forecast by month, the win rate by the day of
//! closing, the time from the first contact to the signature, how many come from stage to stage,
//! who has what in his pipeline.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use opsflux_model::schema::Schema;
use opsflux_model::{Action, Condition, Op, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Call, Caller, Error, GetRequest, Operation, Records};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::board::{FIGURES, MOST, Sum, currency, of_owner, owner_parameter, sum_schema};
use crate::serve::{date_parameter, handler, object, operation, parameter, seen, test};
use crate::{LOST, OPEN, WON};

/// Moves that are counted in one answer.
const MOVES: u32 = 200_000;

pub fn operations(records: &Records) -> Vec<Operation> {
    let Some(ix) = records.schema().find("deal") else {
        return Vec::new();
    };
    let query = || {
        vec![
            date_parameter("from", "The first day"),
            date_parameter("to", "The last day"),
            owner_parameter(),
        ]
    };
    let month = sum_schema(json!({"month": {"type": ["string", "null"]}}));
    let forecast = object(json!({
        "currency": {"type": "string"}, "months": {"type": "array", "items": month},
        "total": sum_schema(json!({})), "won": sum_schema(json!({})),
    }));
    let step = object(json!({
        "from": {"type": "string"}, "to": {"type": "string"}, "entered": {"type": "integer"},
        "moved": {"type": "integer"}, "rate": {"type": ["number", "null"]},
    }));
    let owner = sum_schema(json!({
        "owner": {"type": ["string", "null"]}, "name": {"type": "string"},
    }));
    let report = object(json!({
        "currency": {"type": "string"}, "won": sum_schema(json!({})), "lost": sum_schema(json!({})),
        "win_rate": {"type": ["number", "null"]}, "cycle_days": {"type": ["number", "null"]},
        "conversion": {"type": "array", "items": step},
        "owners": {"type": "array", "items": owner},
    }));
    vec![
        Operation {
            query: query(),
            problems: vec![StatusCode::PAYLOAD_TOO_LARGE],
            ..operation(
                "crm_forecast".to_owned(),
                (Method::GET, "/crm/forecast".to_owned()),
                "Open deals by the month in which they are to be signed",
                (ix, Action::View),
                forecast,
                handler(records, forecast_of),
            )
        },
        Operation {
            query: query(),
            problems: vec![StatusCode::PAYLOAD_TOO_LARGE],
            ..operation(
                "crm_report".to_owned(),
                (Method::GET, "/crm/report".to_owned()),
                "How deals went: win rate, time to the signature, conversion from stage to stage",
                (ix, Action::View),
                report,
                handler(records, report_of),
            )
        },
    ]
}

/// A date of the query.
fn date(call: &Call, name: &str) -> Result<Option<Date>, Error> {
    let Some(text) = parameter(call, name) else {
        return Ok(None);
    };
    let date = text.parse::<Date>().ok();
    let wrong = || Error::query(name, "invalid_value", "a date, YYYY-MM-DD");
    date.map(Some).ok_or_else(wrong)
}

/// The condition that `field` lies between `from` and `to`.
fn between(call: &Call, field: &str) -> Result<Vec<Condition>, Error> {
    let mut all = Vec::new();
    for (name, op) in [("from", Op::Gte), ("to", Op::Lte)] {
        if let Some(date) = date(call, name)? {
            all.push(test(field, op, json!(date.to_string())));
        }
    }
    Ok(all)
}

async fn deals(
    records: &Records,
    call: &Call,
    stages: &[&str],
    field: &str,
) -> Result<Vec<Snapshot>, Error> {
    let mut all = between(call, field)?;
    all.push(test("stage", Op::In, json!(stages)));
    all.extend(of_owner(call));
    let condition = Condition::All(all);
    let fields: Vec<&str> = FIGURES.iter().copied().chain([field]).collect();
    seen(
        records,
        call.caller()?,
        "deal",
        Some(&condition),
        &fields,
        MOST,
    )
    .await
}

fn sum(schema: &Schema, deals: &[Snapshot]) -> Sum {
    let mut sum = Sum::default();
    for deal in deals {
        sum.add(schema, deal);
    }
    sum
}

async fn forecast_of(records: Records, call: Call) -> Result<Json, Error> {
    let schema = records.schema();
    let open = deals(&records, &call, &OPEN, "expected_close").await?;
    let won = deals(&records, &call, &[WON], "closed_on").await?;
    // What has no date comes last.
    let mut months: BTreeMap<(bool, String), Sum> = BTreeMap::new();
    for deal in &open {
        let month = match deal.get(&schema, "expected_close") {
            Value::Date(date) => (false, format!("{:04}-{:02}", date.year(), date.month())),
            _ => (true, String::new()),
        };
        months.entry(month).or_default().add(&schema, deal);
    }
    let months: Vec<Json> = months
        .iter()
        .map(|((undated, month), sum)| {
            let month = (!undated).then_some(month);
            sum.told(json!({"month": month}))
        })
        .collect();
    Ok(json!({
        "currency": currency(&records, call.caller()?).await?, "months": months,
        "total": sum(&schema, &open).told(json!({})), "won": sum(&schema, &won).told(json!({})),
    }))
}

async fn report_of(records: Records, call: Call) -> Result<Json, Error> {
    let schema = records.schema();
    let caller = call.caller()?;
    let won = deals(&records, &call, &[WON], "closed_on").await?;
    let lost = deals(&records, &call, &[LOST], "closed_on").await?;
    let decided = won.len() + lost.len();
    let open = Condition::All(
        [test("stage", Op::In, json!(OPEN))]
            .into_iter()
            .chain(of_owner(&call))
            .collect(),
    );
    let open = seen(&records, caller, "deal", Some(&open), &FIGURES, MOST).await?;
    Ok(json!({
        "currency": currency(&records, caller).await?,
        "won": sum(&schema, &won).told(json!({})), "lost": sum(&schema, &lost).told(json!({})),
        "win_rate": ratio(won.len(), decided), "cycle_days": cycle(&schema, &won),
        "conversion": conversion(&records, &call).await?,
        "owners": owners(&records, caller, &open).await?,
    }))
}

/// A share of a whole, in thousandths; nothing of nothing.
fn ratio(part: usize, whole: usize) -> Json {
    if whole == 0 {
        return Json::Null;
    }
    json!(part as f64 * 1000.0 / whole as f64)
        .as_f64()
        .map_or(Json::Null, |share| json!(share.round() / 1000.0))
}

/// The median of days from the making of a deal to its signature.
fn cycle(schema: &Schema, won: &[Snapshot]) -> Json {
    let mut days: Vec<i64> = won
        .iter()
        .filter_map(|deal| {
            match (
                deal.get(schema, "created_at"),
                deal.get(schema, "closed_on"),
            ) {
                (Value::Time(made), Value::Date(closed)) => {
                    let made = made.to_zoned(TimeZone::UTC).date();
                    let span = made.until(*closed).ok()?;
                    Some(i64::from(span.get_days()).max(0))
                }
                _ => None,
            }
        })
        .collect();
    days.sort_unstable();
    let middle = days.len() / 2;
    match (days.get(middle), days.len() % 2) {
        (Some(day), 1) => json!(day),
        (Some(upper), _) => {
            let lower = days.get(middle.wrapping_sub(1)).unwrap_or(upper);
            json!((*lower as f64 + *upper as f64) / 2.0)
        }
        (None, _) => Json::Null,
    }
}

/// From each stage to the next: of the deals that were at it, how many came further. From the log,
/// not from where deals stand, so that what was lost later still counts as having come so far.
async fn conversion(records: &Records, call: &Call) -> Result<Json, Error> {
    let caller = call.caller()?;
    let schema = records.schema();
    let mut all = between(call, "created_at")?;
    all.extend(of_owner(call).map(|_| {
        let owner = parameter(call, "owner").unwrap_or_default();
        let owner = if owner == "me" { "@me" } else { owner };
        test("deal.owner", Op::Eq, json!(owner))
    }));
    let condition = Condition::All(all);
    let moves = seen(
        records,
        caller,
        "deal_stage_change",
        Some(&condition),
        &["deal", "to"],
        MOVES,
    );
    let course: Vec<&str> = OPEN.iter().copied().chain([WON]).collect();
    let place = |stage: Option<&str>| course.iter().position(|known| Some(*known) == stage);
    let mut furthest: BTreeMap<Uuid, (usize, usize)> = BTreeMap::new();
    for row in moves.await? {
        let (Some(deal), Some(to)) = (
            row.get(&schema, "deal").as_id(),
            place(row.get(&schema, "to").as_text()),
        ) else {
            continue;
        };
        let reached = furthest.entry(deal).or_insert((to, to));
        reached.0 = reached.0.min(to);
        reached.1 = reached.1.max(to);
    }
    let steps = course.windows(2).enumerate().map(|(from, pair)| {
        let entered = furthest
            .values()
            .filter(|(first, last)| *first <= from && *last >= from);
        let moved = furthest
            .values()
            .filter(|(first, last)| *first <= from && *last > from);
        let (entered, moved) = (entered.count(), moved.count());
        json!({
            "from": pair[0], "to": pair[1], "entered": entered, "moved": moved,
            "rate": ratio(moved, entered),
        })
    });
    Ok(Json::Array(steps.collect()))
}

/// The open pipeline of each person, the largest first.
async fn owners(records: &Records, caller: &Caller, open: &[Snapshot]) -> Result<Json, Error> {
    let schema = records.schema();
    let mut all: BTreeMap<Option<Uuid>, Sum> = BTreeMap::new();
    for deal in open {
        let owner = deal.get(&schema, "owner").as_id();
        all.entry(owner).or_default().add(&schema, deal);
    }
    let mut told: Vec<(Option<Uuid>, Sum)> = all.into_iter().collect();
    told.sort_by(|a, b| b.1.amount.cmp(&a.1.amount));
    let mut owners = Vec::new();
    for (owner, sum) in told {
        let name = match owner {
            Some(id) => name(records, caller, id).await?,
            None => String::new(),
        };
        owners.push(sum.told(json!({"owner": owner, "name": name})));
    }
    Ok(Json::Array(owners))
}

/// What a person is called, for those who may know it.
async fn name(records: &Records, caller: &Caller, id: Uuid) -> Result<String, Error> {
    let Some(user) = records.schema().find("user") else {
        return Ok(String::new());
    };
    let request = GetRequest {
        fields: Some(vec!["full_name".to_owned()]),
        ..GetRequest::default()
    };
    match records.get(caller, user, &id.to_string(), &request).await {
        Ok(found) => {
            let body: Json = serde_json::from_slice(&found.body)
                .map_err(|error| Error::Internal(error.to_string()))?;
            Ok(body["full_name"].as_str().unwrap_or_default().to_owned())
        }
        Err(Error::NotFound | Error::BadQuery { .. }) => Ok(String::new()),
        Err(error) => Err(error),
    }
}
