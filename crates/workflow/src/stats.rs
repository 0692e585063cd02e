//! How often a workflow ran, how it ended, how long it took.

use std::time::Duration;

use opsflux_model::{Action, Predicate, Value};
use opsflux_records::read::query;
use opsflux_records::{Caller, Error, Records};
use opsflux_store::{Living, Output, Select, Sort};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::execution::ENTITY;
use crate::log::Log;

/// Counted at most; a workflow that ran more often says so many.
const MOST: u64 = 1_000_000;
/// The newest that the average is made of.
const RECENT: u32 = 1_000;
/// What reading them may take.
const BUDGET: Duration = Duration::from_secs(5);

/// `{"total", "success_rate", "average_duration_seconds", "success", "failed", "skipped", …}`. The
/// rate is of those that ended well or badly; the average of the newest thousand that ended. Of the
/// executions that `caller` sees, from the fields he reads.
///
/// # Errors
/// [`Error::NotFound`] for who may not know how executions end; when the database does not answer.
pub(crate) async fn of(records: &Records, caller: &Caller, workflow: Uuid) -> Result<Json, Error> {
    let schema = records.schema();
    let tenant = caller.tenant();
    let log = Log::of(&schema, ENTITY)?;
    let reads = |name: &str| -> Result<bool, Error> {
        Ok(caller.access.may_refer(log.ix, log.field(name)?))
    };
    let sees = caller.access.may(log.ix, Action::View);
    if !sees || !reads("workflow")? || !reads("status")? {
        return Err(Error::NotFound);
    }
    let times = reads("started_at")? && reads("ended_at")?;
    let rule = query::rule(&schema, caller, log.ix, Action::View);
    let mine = log.is("workflow", workflow)?.and(rule);
    let select = |filter: Predicate, outputs: Vec<Output>, sort: Vec<Sort>, limit: u32| Select {
        tenant,
        entity: log.ix,
        filter,
        outputs,
        sort,
        after: None,
        limit,
        living: Living::Any,
    };
    let mut counts = serde_json::Map::new();
    let (mut total, mut success, mut failed) = (0, 0, 0);
    for status in [
        "RUNNING",
        "WAITING",
        "SUCCESS",
        "FAILED",
        "SKIPPED",
        "CANCELLED",
    ] {
        let wanted = mine.clone().and(log.is("status", status)?);
        let wanted = select(wanted, Vec::new(), Vec::new(), 1);
        let count = records.store().count_up_to(&wanted, MOST, BUDGET).await?;
        total += count;
        match status {
            "SUCCESS" => success = count,
            "FAILED" => failed = count,
            _ => {}
        }
        counts.insert(status.to_lowercase(), json!(count));
    }
    let (began, ended) = (log.field("started_at")?, log.field("ended_at")?);
    let newest = select(
        mine.and(log.is("status", "SUCCESS")?.or(log.is("status", "FAILED")?)),
        vec![Output::Field(began), Output::Field(ended)],
        vec![Sort::by(log.ix, log.field("created_at")?, true)],
        RECENT,
    );
    let mut seconds = Vec::new();
    records
        .store()
        .select(&newest, BUDGET, |row| -> Result<(), Error> {
            if times
                && let (Value::Time(began), Value::Time(ended)) = (row.value(0)?, row.value(1)?)
            {
                seconds.push(ended.duration_since(began).as_secs_f64());
            }
            Ok(())
        })
        .await?;
    let average = match seconds.len() {
        0 => Json::Null,
        count => json!(rounded(seconds.iter().sum::<f64>() / count as f64)),
    };
    let ended = success + failed;
    let rate = match ended {
        0 => Json::Null,
        ended => json!(rounded(success as f64 / ended as f64)),
    };
    counts.insert("total".to_owned(), json!(total));
    counts.insert("success_rate".to_owned(), rate);
    counts.insert("average_duration_seconds".to_owned(), average);
    Ok(Json::Object(counts))
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// The shape of the answer.
pub(crate) fn schema() -> Json {
    let count = || json!({"type": "integer"});
    let number = || json!({"type": ["number", "null"]});
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["total", "success_rate", "average_duration_seconds", "success", "failed", "skipped"],
        "properties": {
            "total": count(), "success": count(), "failed": count(), "skipped": count(),
            "running": count(), "waiting": count(), "cancelled": count(),
            "success_rate": number(), "average_duration_seconds": number(),
        },
    })
}
