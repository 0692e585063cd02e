//! One workflow that runs another: with what it hands over, in the same name, and waiting for the
//! end or not.
//!
//! What is called acts with the rights of whoever called it, never with those of its own owner:
//! else whoever may write a workflow could use another's rights on whatever he chooses.

use jiff::{SignedDuration, Timestamp};
use opsflux_model::Value;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error, GetRequest, Records};
use opsflux_store::{Commit, CommitError, Guard, Write};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::action::Failure;
use crate::course::{Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::{self, Ended, Held, NewExecution, Subject, refused, wake};
use crate::facts::Asked;
use crate::flow::{self, CallStep, Flow, Trigger};
use crate::log::Log;
use crate::matching::{MAX_DEPTH, title};
use crate::published::{content, derived, text, version_id};
use crate::step::{Outcome, Told, attempt};

/// How often a workflow that is waited for is looked at when nothing is heard of it.
const LOOK: SignedDuration = SignedDuration::from_mins(10);
/// Workflows of one name.
const MOST: u32 = 20;

impl Engine {
    /// Calls another workflow, or looks what became of it.
    pub(crate) async fn call(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        step: &CallStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let look = now.checked_add(LOOK).unwrap_or(now);
        if let Leaf::Called(id, _) = open.leaf {
            return self.came_back(held.tenant, *id, look).await;
        }
        let written = json!({"inputs": step.inputs, "record": step.record});
        let filled = match self.filled(caller, held, open, &written).await? {
            Ok(filled) => filled,
            Err(why) => return Ok(Outcome::failed(why, written)),
        };
        let inputs = filled["inputs"].as_object().cloned().unwrap_or_default();
        let of = self.subject(caller, held).await?;
        let wanted = Wanted {
            workflow: &step.workflow,
            inputs,
            record: step.record.as_ref().map(|_| &filled["record"]),
            id: derived(
                held.id,
                format!("call\0{}\0{}", open.place, attempt(open.leaf)).as_bytes(),
            ),
            by: held.id,
            waits: true,
        };
        match begin(&self.inner.records, caller, of.as_ref(), wanted, now).await {
            Ok((id, writes, is_over)) => {
                // What ends before it begins is told by nobody.
                let look = if is_over { now } else { look };
                let mut outcome = Outcome::of(Happened::Waits(Leaf::Called(id, look)));
                outcome.along.writes = writes;
                outcome.told.input = filled;
                outcome.told.output = json!({ "execution": id });
                Ok(outcome)
            }
            Err(Failure::Wrong(why)) => Ok(Outcome::failed(why, filled)),
            Err(Failure::Error(error)) => Err(error),
        }
    }

    async fn came_back(&self, tenant: i64, id: Uuid, look: Timestamp) -> Result<Outcome, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let Some(row) = records.snapshot(tenant, log.ix, id).await? else {
            return Ok(Outcome::failed(
                "its execution is gone".to_owned(),
                Json::Null,
            ));
        };
        let status = text(&schema, &row, "status");
        let gave = match row.get(&schema, "course") {
            Value::Json(course) => course["outputs"].clone(),
            _ => Json::Null,
        };
        let output = json!({"execution": id, "status": status, "steps": gave});
        let why = match status.as_str() {
            "RUNNING" | "WAITING" => {
                return Ok(Outcome::of(Happened::Waits(Leaf::Called(id, look))));
            }
            "FAILED" => match text(&schema, &row, "error").as_str() {
                "" => Some("it failed".to_owned()),
                error => Some(error.to_owned()),
            },
            "CANCELLED" => Some("it was stopped".to_owned()),
            _ => None,
        };
        let happened = match &why {
            Some(why) => Happened::Failed(why.clone()),
            None => Happened::Done(output.clone()),
        };
        Ok(Outcome {
            told: Told {
                output,
                error: why.unwrap_or_default(),
                ..Told::default()
            },
            ..Outcome::of(happened)
        })
    }

    /// The open steps whose workflows have ended.
    pub(crate) async fn returned(
        &self,
        held: &Held,
    ) -> Result<std::collections::BTreeSet<String>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let mut over = std::collections::BTreeSet::new();
        for open in held.course.open(&held.flow) {
            if let Leaf::Called(id, _) = open.leaf {
                let row = self
                    .inner
                    .records
                    .snapshot(held.tenant, log.ix, *id)
                    .await?;
                if row.is_none_or(|row| !execution::runs(&schema, &row)) {
                    over.insert(open.place.clone());
                }
            }
        }
        Ok(over)
    }

    /// An execution has ended: whoever called it looks.
    pub(crate) async fn wake_caller(&self, tenant: i64, row: &Snapshot) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let by = text(&schema, row, "called_by");
        let Ok(by) = Uuid::try_parse(&by) else {
            return Ok(());
        };
        let log = Log::of(&schema, execution::ENTITY)?;
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: "execution.open".to_owned(),
                entity: log.ix,
                id: by,
                holds: execution::is_open(&log)?,
            }],
            writes: vec![wake(&schema, by, records.now())?],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => {
                self.inner.bell.notify_one();
                Ok(())
            }
            Err(CommitError::Guard { .. }) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// The executions that one waits for.
    pub(crate) async fn called_by(&self, tenant: i64, id: Uuid) -> Result<Vec<Uuid>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let wanted = log.is("called_by", id.to_string())?;
        let wanted = wanted.and(execution::is_open(&log)?);
        let found = self.inner.records.find(tenant, log.ix, wanted, 100).await?;
        Ok(found.into_iter().map(|row| row.id).collect())
    }
}

/// What is to be called.
pub(crate) struct Wanted<'a> {
    /// Its name or id.
    pub workflow: &'a str,
    pub inputs: Map<String, Json>,
    /// Another record than that of the caller's execution.
    pub record: Option<&'a Json>,
    /// The id of the execution to be.
    pub id: Uuid,
    /// The execution that calls.
    pub by: Uuid,
    /// Whether that one waits for the end.
    pub waits: bool,
}

/// The id and the rows of an execution of another workflow, and whether it is over before it begins.
///
/// # Errors
/// [`Failure::Wrong`] when there is none such, or it goes too deep.
pub(crate) async fn begin(
    records: &Records,
    caller: &Caller,
    of: Option<&Snapshot>,
    wanted: Wanted<'_>,
    now: Timestamp,
) -> Result<(Uuid, Vec<Write>, bool), Failure> {
    let schema = records.schema();
    let depth = caller.origin.depth;
    if depth >= MAX_DEPTH {
        let why = format!("workflows call each other without end: {MAX_DEPTH} at most");
        return Err(Failure::Wrong(why));
    }
    let (row, flow) = callee(records, caller, wanted.workflow).await?;
    let entity = flow.triggers.iter().find_map(|trigger| match trigger {
        Trigger::Called { entity } => entity.as_deref(),
        _ => None,
    });
    let own = of.map(|record| schema.entity(record.entity).name.as_str());
    let subject = match (entity, wanted.record) {
        (Some(entity), Some(Json::String(id))) => {
            let missing = || Failure::Wrong(format!("record: there is no {entity} “{id}”"));
            let ix = schema.find(entity).ok_or_else(missing)?;
            let found = records.get(caller, ix, id, &GetRequest::default()).await;
            let found = found.map_err(|error| match error {
                Error::NotFound => missing(),
                error => Failure::Error(error),
            })?;
            let snapshot = records.snapshot(caller.tenant(), ix, found.id).await?;
            Some(snapshot.ok_or_else(missing)?)
        }
        (Some(entity), None) if own == Some(entity) => of.cloned(),
        (Some(entity), _) => {
            return Err(Failure::Wrong(format!("record: {entity} is needed")));
        }
        (None, _) => of.cloned(),
    };
    let trigger = json!({
        "type": "called", "inputs": wanted.inputs, "by": caller.user(), "at": now,
        "execution": wanted.by,
        "entity": subject.as_ref().map(|record| schema.entity(record.entity).name.clone()),
        "record": subject.as_ref().map(|record| record.id),
    });
    let facts = json!({ "trigger": trigger });
    let asked = Asked {
        records,
        caller,
        record: subject.as_ref(),
        before: None,
        facts: &facts,
    };
    let verdict = asked.judge(&flow.when).await.map_err(|error| match error {
        error @ Error::Invalid(_) => Failure::Wrong(crate::told::words(&error)),
        error => Failure::Error(error),
    })?;
    let revision = row.get(&schema, "revision").as_int().unwrap_or(0);
    let named = subject.as_ref().map(|record| {
        let subject = Subject {
            entity: record.entity,
            id: record.id,
        };
        (subject, title(&schema, caller, record))
    });
    let new = NewExecution {
        subject: named,
        conditions: verdict.told,
        ended: (!verdict.holds).then_some(Ended::Skipped),
        called_by: wanted.waits.then_some(wanted.by),
        chain: caller.origin.chain.unwrap_or(wanted.id),
        depth,
        ..NewExecution::of(
            wanted.id,
            row.id,
            version_id(row.id, revision),
            caller.user(),
            &flow,
            trigger,
        )
    };
    Ok((wanted.id, new.rows(&schema, now)?, !verdict.holds))
}

/// The workflow in force that is meant, as far as the caller may know of it.
async fn callee(
    records: &Records,
    caller: &Caller,
    named: &str,
) -> Result<(Snapshot, Flow), Failure> {
    let schema = records.schema();
    let log = Log::of(&schema, "workflow")?;
    let is = match Uuid::try_parse(named) {
        Ok(id) => log.is("id", id)?,
        Err(_) => log.is("name", named)?,
    };
    let wanted = is.and(log.is("status", "ACTIVE")?);
    for row in records.find(caller.tenant(), log.ix, wanted, MOST).await? {
        if !records.sees(caller, log.ix, row.id).await? {
            continue;
        }
        if let Ok(flow) = flow::read(&content(&schema, &row))
            && is_callable(&flow)
        {
            return Ok((row, flow));
        }
    }
    let why = format!("there is no workflow “{named}” in force that can be called");
    Err(Failure::Wrong(why))
}

/// Whether another workflow may call it.
pub(crate) fn is_callable(flow: &Flow) -> bool {
    let called = |trigger: &Trigger| matches!(trigger, Trigger::Called { .. });
    flow.triggers.iter().any(called)
}
