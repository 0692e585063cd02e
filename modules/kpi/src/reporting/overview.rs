//! Where every dashboard and process stands, and the management view made of it.

use std::collections::HashMap;

use jiff::civil::Date;
use opsflux_model::{Condition, Op};
use opsflux_records::{Caller, Error, Records, Uuid};
use serde_json::{Value as Json, json};

use super::reader::{self, Board, Indicator, Plan, exact};
use super::risks::{self, Risk};
use super::statistics;
use crate::test;
use crate::threshold::Status;

/// Plans in the management view.
const KEY_PLANS: usize = 20;
/// Periods of a trend.
const TREND: i64 = 24;

/// What is counted for a dashboard or a process.
#[derive(Debug, Clone, Default)]
struct Counts {
    green: u32,
    orange: u32,
    red: u32,
    no_data: u32,
    stale: u32,
    open: u32,
    late: u32,
}

impl Counts {
    fn add(&mut self, indicator: &Indicator, today: Date) {
        match indicator.latest_status {
            Some(Status::Green) => self.green += 1,
            Some(Status::Orange) => self.orange += 1,
            Some(Status::Red) => self.red += 1,
            None => self.no_data += 1,
        }
        self.stale += u32::from(indicator.is_stale(today));
    }

    fn plan(&mut self, plan: &Plan, today: Date) {
        self.open += 1;
        self.late += u32::from(plan.is_late(today));
    }

    fn join(&mut self, other: &Counts) {
        self.green += other.green;
        self.orange += other.orange;
        self.red += other.red;
        self.no_data += other.no_data;
        self.stale += other.stale;
        self.open += other.open;
        self.late += other.late;
    }

    /// The worst colour there is.
    fn status(&self) -> &'static str {
        match (self.red, self.orange, self.green) {
            (0, 0, 0) => "NO_DATA",
            (0, 0, _) => Status::Green.code(),
            (0, _, _) => Status::Orange.code(),
            _ => Status::Red.code(),
        }
    }

    fn write(&self, into: &mut Json) {
        into["status"] = json!(self.status());
        into["green"] = json!(self.green);
        into["orange"] = json!(self.orange);
        into["red"] = json!(self.red);
        into["no_data"] = json!(self.no_data);
        into["stale"] = json!(self.stale);
        into["open_actions"] = json!(self.open);
        into["late_actions"] = json!(self.late);
    }
}

/// All that is read for it.
struct Standing {
    boards: Vec<Board>,
    counts: HashMap<Uuid, Counts>,
    plans: Vec<Plan>,
    indicators: HashMap<Uuid, Indicator>,
}

async fn standing(records: &Records, caller: &Caller, today: Date) -> Result<Standing, Error> {
    let boards = reader::boards(records, caller).await?;
    let found = reader::indicators(records, caller, test("is_active", Op::Eq, true)).await?;
    let mut counts: HashMap<Uuid, Counts> = HashMap::new();
    let mut indicators = HashMap::new();
    for indicator in found {
        if let Some(board) = indicator.dashboard {
            counts.entry(board).or_default().add(&indicator, today);
        }
        indicators.insert(indicator.id, indicator);
    }
    let mut plans = reader::plans(records, caller, Condition::default()).await?;
    plans.retain(|plan| indicators.contains_key(&plan.kpi));
    for plan in &plans {
        let board = indicators.get(&plan.kpi).and_then(|known| known.dashboard);
        if let Some(board) = board {
            counts.entry(board).or_default().plan(plan, today);
        }
    }
    Ok(Standing {
        boards,
        counts,
        plans,
        indicators,
    })
}

impl Standing {
    fn to_json(&self) -> Json {
        let mut items = Vec::new();
        let mut processes: Vec<(Option<String>, Counts)> = Vec::new();
        for board in &self.boards {
            let counts = self.counts.get(&board.id).cloned().unwrap_or_default();
            let mut item = json!({
                "dashboard_id": board.id.to_string(),
                "title": board.title,
                "process_name": board.process,
            });
            counts.write(&mut item);
            items.push(item);
            match processes
                .iter_mut()
                .find(|(name, _)| *name == board.process)
            {
                Some((_, known)) => known.join(&counts),
                None => processes.push((board.process.clone(), counts)),
            }
        }
        let processes: Vec<Json> = processes
            .into_iter()
            .map(|(name, counts)| {
                let mut item = json!({"process_name": name});
                counts.write(&mut item);
                item
            })
            .collect();
        json!({"items": items, "processes": processes})
    }
}

/// `{"items": […], "processes": […]}`.
///
/// # Errors
/// When the caller sees no dashboards, or the database does not answer.
pub async fn overview(records: &Records, caller: &Caller, today: Date) -> Result<Json, Error> {
    Ok(standing(records, caller, today).await?.to_json())
}

/// The overview with the worst indicators, their trends and the plans to speak of.
///
/// # Errors
/// As [`overview`].
pub async fn direction(
    records: &Records,
    caller: &Caller,
    today: Date,
    limit: usize,
) -> Result<Json, Error> {
    let standing = standing(records, caller, today).await?;
    let risks = risks::risks(records, caller, limit).await?;
    let trends = trends(records, caller, &risks).await?;
    let (late, rest): (Vec<&Plan>, Vec<&Plan>) =
        standing.plans.iter().partition(|plan| plan.is_late(today));
    let key: Vec<&Plan> = late.into_iter().chain(rest).take(KEY_PLANS).collect();
    let owners = key.iter().filter_map(|plan| plan.owner);
    let owners = owners.chain(risks.iter().filter_map(|risk| risk.indicator.owner));
    let labels = reader::people(records, caller, owners).await?;
    let mut answer = standing.to_json();
    answer["top_risks"] = risks.iter().map(risks::to_json).collect();
    answer["trends"] = trends.into();
    answer["key_actions"] = key.iter().map(|plan| standing.plan(plan, today)).collect();
    answer["labels"] = labels;
    answer["today"] = json!(today.to_string());
    Ok(answer)
}

impl Standing {
    fn plan(&self, plan: &Plan, today: Date) -> Json {
        let indicator = self.indicators.get(&plan.kpi);
        json!({
            "id": plan.id.to_string(),
            "title": plan.title,
            "kpi_id": plan.kpi.to_string(),
            "kpi_name": indicator.map(|indicator| indicator.name.clone()),
            "owner_id": plan.owner.map(|id| id.to_string()),
            "due_date": reader::date(plan.due),
            "progress": plan.progress,
            "status": plan.status,
            "late": plan.is_late(today),
        })
    }
}

/// The latest periods of the worst indicators, with what is to be expected next.
async fn trends(records: &Records, caller: &Caller, risks: &[Risk]) -> Result<Vec<Json>, Error> {
    let since: Vec<(Uuid, Date)> = risks
        .iter()
        .filter_map(|risk| {
            let indicator = &risk.indicator;
            let from = indicator
                .frequency
                .shift(indicator.latest_start?, 1 - TREND)?;
            Some((indicator.id, from))
        })
        .collect();
    let values = reader::values(records, caller, &since).await?;
    let told = risks.iter().map(|risk| {
        let indicator = &risk.indicator;
        let points = values.get(&indicator.id).map_or(&[][..], Vec::as_slice);
        let numbers: Vec<_> = points.iter().map(|point| point.value).collect();
        let next = points
            .last()
            .and_then(|last| indicator.frequency.shift(last.start, 1));
        let listed: Vec<Json> = points
            .iter()
            .map(|point| {
                json!({
                    "period_start": point.start.to_string(),
                    "value": exact(Some(point.value)),
                    "status": point.status.map(Status::code),
                })
            })
            .collect();
        json!({
            "kpi_id": indicator.id.to_string(),
            "name": indicator.name,
            "unit": indicator.unit,
            "decimals": indicator.decimals,
            "values": listed,
            "forecast": statistics::forecast(&numbers).map(|forecast| forecast.to_json(next)),
        })
    });
    Ok(told.collect())
}
