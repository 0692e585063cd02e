//! What figures are made of, read with the rights of whoever asks.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan;
use jiff::civil::Date;
use opsflux_model::{Condition, Op, Value};
use opsflux_records::read::RowsRequest;
use opsflux_records::read::json::to_json;
use opsflux_records::{Caller, Error, Records, Uuid};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::period::Frequency;
use crate::threshold::{Direction, Limits, Status};
use crate::{ACTION, DASHBOARD, KPI, TARGET, VALUE, test};

/// Records of one kind that a report reads; a company has hundreds.
const MOST: u32 = 50_000;
/// Ids in one question.
const TOGETHER: usize = 400;

/// An indicator as reports need it.
#[derive(Debug, Clone)]
pub struct Indicator {
    pub id: Uuid,
    pub dashboard: Option<Uuid>,
    pub name: String,
    pub unit: Option<String>,
    pub frequency: Frequency,
    pub direction: Direction,
    pub limits: Limits,
    pub aggregation: String,
    pub multiplier: Decimal,
    pub decimals: i64,
    pub grace_days: i64,
    pub owner: Option<Uuid>,
    pub latest_value: Option<Decimal>,
    pub latest_status: Option<Status>,
    pub latest_start: Option<Date>,
    pub open_actions: i64,
    pub is_active: bool,
}

const FIELDS: [&str; 20] = [
    "id",
    "dashboard_id",
    "name",
    "unit",
    "frequency",
    "direction",
    "threshold_green",
    "threshold_orange",
    "threshold_red",
    "target",
    "aggregation",
    "ratio_multiplier",
    "decimals",
    "grace_days",
    "owner_id",
    "latest_value",
    "latest_status",
    "latest_period_start",
    "open_actions",
    "is_active",
];

impl Indicator {
    fn of(row: &[Value]) -> Option<Indicator> {
        let get = |name: &str| -> &Value {
            static NULL: Value = Value::Null;
            let place = FIELDS.iter().position(|field| *field == name);
            place.and_then(|place| row.get(place)).unwrap_or(&NULL)
        };
        let word = |name: &str| get(name).as_text().map(str::to_owned);
        Some(Indicator {
            id: get("id").as_id()?,
            dashboard: get("dashboard_id").as_id(),
            name: word("name").unwrap_or_default(),
            unit: word("unit"),
            frequency: Frequency::of(get("frequency").as_text()?)?,
            direction: Direction::of(get("direction").as_text()?)?,
            limits: Limits::read(get),
            aggregation: word("aggregation").unwrap_or_default(),
            multiplier: number(get("ratio_multiplier")).unwrap_or(Decimal::ONE),
            decimals: whole(get("decimals")).unwrap_or(2),
            grace_days: whole(get("grace_days")).unwrap_or_default(),
            owner: get("owner_id").as_id(),
            latest_value: number(get("latest_value")),
            latest_status: get("latest_status").as_text().and_then(Status::of),
            latest_start: day(get("latest_period_start")),
            open_actions: whole(get("open_actions")).unwrap_or_default(),
            is_active: get("is_active").as_bool() != Some(false),
        })
    }

    /// Whether a period that ended, with the days allowed for entering it, has no value: then the
    /// latest value is of an older one. Without any value there is nothing to be stale.
    #[must_use]
    pub fn is_stale(&self, today: Date) -> bool {
        let due = || {
            let ended = today.checked_sub((self.grace_days + 1).days()).ok()?;
            let begins = self.frequency.start(ended)?;
            match self.frequency.end(begins)? <= ended {
                true => Some(begins),
                false => self.frequency.shift(begins, -1),
            }
        };
        match (self.latest_start, due()) {
            (Some(latest), Some(due)) => latest < due,
            _ => false,
        }
    }
}

/// One measured period.
#[derive(Debug, Clone)]
pub struct Point {
    pub start: Date,
    pub end: Date,
    pub value: Decimal,
    pub numerator: Option<Decimal>,
    pub denominator: Option<Decimal>,
    pub status: Option<Status>,
}

/// A plan of action that is not finished.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: Uuid,
    pub kpi: Uuid,
    pub title: String,
    pub owner: Option<Uuid>,
    pub due: Option<Date>,
    pub progress: i64,
    pub status: String,
    pub created: Option<jiff::Timestamp>,
}

impl Plan {
    /// Whether it should be done by now.
    #[must_use]
    pub fn is_late(&self, today: Date) -> bool {
        self.due.is_some_and(|due| due < today)
    }
}

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Board {
    pub id: Uuid,
    pub title: String,
    pub process: Option<String>,
}

pub fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(*decimal),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

fn day(value: &Value) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        _ => None,
    }
}

/// A decimal as an exact JSON number, or null.
pub fn exact(number: Option<Decimal>) -> Json {
    number.map_or(Json::Null, |number| to_json(&Value::Decimal(number)))
}

/// A day, or null.
pub fn date(day: Option<Date>) -> Json {
    day.map_or(Json::Null, |day| json!(day.to_string()))
}

/// The condition that holds for any of `ids`.
pub fn among(field: &str, ids: &[Uuid]) -> Condition {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    test(field, Op::In, json!(ids))
}

/// The indicators that satisfy a condition.
///
/// # Errors
/// When the caller sees none at all, or the database does not answer.
pub async fn indicators(
    records: &Records,
    caller: &Caller,
    condition: Condition,
) -> Result<Vec<Indicator>, Error> {
    let request = RowsRequest {
        entity: KPI,
        condition,
        fields: &FIELDS,
        sort: &["dashboard_id", "position", "id"],
        limit: MOST,
    };
    let rows = records.read_rows(caller, &request).await?;
    Ok(rows.iter().filter_map(|row| Indicator::of(row)).collect())
}

/// The dashboards, by process and title.
///
/// # Errors
/// As [`indicators`].
pub async fn boards(records: &Records, caller: &Caller) -> Result<Vec<Board>, Error> {
    let request = RowsRequest {
        entity: DASHBOARD,
        condition: Condition::default(),
        fields: &["id", "title", "process_name"],
        sort: &["process_name", "title", "id"],
        limit: MOST,
    };
    let rows = records.read_rows(caller, &request).await?;
    let board = |row: &Vec<Value>| {
        let word = |place: usize| row.get(place).and_then(Value::as_text).map(str::to_owned);
        Some(Board {
            id: row.first()?.as_id()?,
            title: word(1).unwrap_or_default(),
            process: word(2),
        })
    };
    Ok(rows.iter().filter_map(board).collect())
}

/// The plans that are open or in progress, of active indicators, the earliest due first.
///
/// # Errors
/// As [`indicators`]; who sees no plans at all gets none.
pub async fn plans(records: &Records, caller: &Caller, of: Condition) -> Result<Vec<Plan>, Error> {
    let open = test("status", Op::In, json!(["OPEN", "IN_PROGRESS"]));
    let request = RowsRequest {
        entity: ACTION,
        condition: Condition::All(vec![open, of]),
        fields: &[
            "id",
            "kpi_id",
            "title",
            "owner_id",
            "due_date",
            "progress",
            "status",
            "created_at",
        ],
        sort: &["due_date", "id"],
        limit: MOST,
    };
    let rows = none_unless_seen(records.read_rows(caller, &request).await)?;
    let plan = |row: &Vec<Value>| {
        Some(Plan {
            id: row.first()?.as_id()?,
            kpi: row.get(1)?.as_id()?,
            title: row.get(2)?.as_text().unwrap_or_default().to_owned(),
            owner: row.get(3)?.as_id(),
            due: day(row.get(4)?),
            progress: whole(row.get(5)?).unwrap_or_default(),
            status: row.get(6)?.as_text().unwrap_or_default().to_owned(),
            created: match row.get(7)? {
                Value::Time(at) => Some(*at),
                _ => None,
            },
        })
    };
    Ok(rows.iter().filter_map(plan).collect())
}

fn none_unless_seen(found: Result<Vec<Vec<Value>>, Error>) -> Result<Vec<Vec<Value>>, Error> {
    match found {
        Err(Error::NotFound) => Ok(Vec::new()),
        found => found,
    }
}

/// The values of some indicators from a day of each on, in order of time.
///
/// # Errors
/// As [`plans`].
pub async fn values(
    records: &Records,
    caller: &Caller,
    since: &[(Uuid, Date)],
) -> Result<HashMap<Uuid, Vec<Point>>, Error> {
    let mut found: HashMap<Uuid, Vec<Point>> = HashMap::new();
    for together in since.chunks(TOGETHER) {
        // Indicators of one frequency begin on the same day, so there are few alternatives.
        let mut by_day: BTreeMap<Date, Vec<Uuid>> = BTreeMap::new();
        for (id, day) in together {
            by_day.entry(*day).or_default().push(*id);
        }
        for (from, ids) in by_day {
            let condition = Condition::All(vec![
                among("kpi_id", &ids),
                test("period_start", Op::Gte, from.to_string()),
            ]);
            for (kpi, point) in points(records, caller, condition).await? {
                found.entry(kpi).or_default().push(point);
            }
        }
    }
    Ok(found)
}

/// The values that satisfy a condition, each with its indicator, in order of time.
///
/// # Errors
/// As [`plans`].
pub async fn points(
    records: &Records,
    caller: &Caller,
    condition: Condition,
) -> Result<Vec<(Uuid, Point)>, Error> {
    let request = RowsRequest {
        entity: VALUE,
        condition,
        fields: &[
            "kpi_id",
            "period_start",
            "period_end",
            "value",
            "numerator",
            "denominator",
            "status",
        ],
        sort: &["kpi_id", "period_start", "id"],
        limit: MOST,
    };
    let rows = none_unless_seen(records.read_rows(caller, &request).await)?;
    let point = |row: &Vec<Value>| {
        let start = day(row.get(1)?)?;
        let point = Point {
            start,
            end: day(row.get(2)?).unwrap_or(start),
            value: number(row.get(3)?)?,
            numerator: number(row.get(4)?),
            denominator: number(row.get(5)?),
            status: row.get(6)?.as_text().and_then(Status::of),
        };
        Some((row.first()?.as_id()?, point))
    };
    Ok(rows.iter().filter_map(point).collect())
}

/// The dated thresholds of some indicators, earliest first.
///
/// # Errors
/// As [`plans`].
pub async fn dated(
    records: &Records,
    caller: &Caller,
    kpis: &[Uuid],
) -> Result<HashMap<Uuid, Vec<(Date, Limits)>>, Error> {
    let mut found: HashMap<Uuid, Vec<(Date, Limits)>> = HashMap::new();
    for ids in kpis.chunks(TOGETHER) {
        let fields = [
            "kpi_id",
            "valid_from",
            "threshold_green",
            "threshold_orange",
            "threshold_red",
            "target",
        ];
        let request = RowsRequest {
            entity: TARGET,
            condition: among("kpi_id", ids),
            fields: &fields,
            sort: &["valid_from", "id"],
            limit: MOST,
        };
        let rows = none_unless_seen(records.read_rows(caller, &request).await)?;
        for row in rows {
            let limits = Limits::read(|name| {
                static NULL: Value = Value::Null;
                let place = fields.iter().position(|field| *field == name);
                place.and_then(|place| row.get(place)).unwrap_or(&NULL)
            });
            let from = row.get(1).and_then(day);
            if let (Some(kpi), Some(from)) = (row.first().and_then(Value::as_id), from) {
                found.entry(kpi).or_default().push((from, limits));
            }
        }
    }
    Ok(found)
}

/// The limits of an indicator on a day.
pub fn limits_on(indicator: &Indicator, dated: Option<&Vec<(Date, Limits)>>, day: Date) -> Limits {
    let dated = dated.map_or(&[][..], Vec::as_slice);
    let begun = dated.iter().rev().find(|(from, _)| *from <= day);
    begun.map_or(indicator.limits, |(_, limits)| *limits)
}

/// The names of people the caller may see.
///
/// # Errors
/// When the database does not answer.
pub async fn people(
    records: &Records,
    caller: &Caller,
    ids: impl Iterator<Item = Uuid>,
) -> Result<Json, Error> {
    let Some(user) = records.schema().find("user") else {
        return Ok(json!({}));
    };
    let wanted: Vec<_> = ids.map(|id| (user, id)).collect();
    let titles = records.titles_of(caller, &wanted).await?;
    let labels = titles
        .into_iter()
        .map(|(id, title)| (id.to_string(), json!(title)));
    Ok(Json::Object(labels.collect()))
}
