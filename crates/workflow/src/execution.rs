//! The row of an execution: made, and what it says.

use std::sync::Arc;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_model::schema::{EntityIx, Schema};
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_store::Write;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::course::{Course, End};
use crate::flow::Flow;
use crate::log::{Log, cut};
use crate::published::content;

pub(crate) use crate::log::refused;

/// Name of the entity.
pub(crate) const ENTITY: &str = "execution";
/// Name of the guard that a process still holds its execution and nothing happened meanwhile.
pub(crate) const HELD: &str = "execution.held";
/// Longest error kept.
const MAX_ERROR: usize = 2_000;

/// The record an execution is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject {
    pub entity: EntityIx,
    pub id: Uuid,
}

/// An execution to be.
pub(crate) struct NewExecution<'a> {
    pub id: Uuid,
    pub workflow: Uuid,
    pub version: Uuid,
    pub owner: Uuid,
    pub flow: &'a Flow,
    /// With its title.
    pub subject: Option<(Subject, String)>,
    pub trigger: Json,
    pub conditions: Json,
    pub chain: Uuid,
    pub depth: u16,
    /// How it ends before it has begun.
    pub ended: Option<Ended>,
    /// The execution that waits for its end.
    pub called_by: Option<Uuid>,
    /// When it begins, when not at once: it waits for its turn, or for more of the same.
    pub held_back: Option<Timestamp>,
    /// What those share of which one runs at a time; empty: nothing.
    pub slot: String,
    /// What those share of which one counts.
    pub once_key: String,
    /// What those share that happen together.
    pub batch: String,
}

/// How an execution ends before it has begun.
pub(crate) enum Ended {
    /// Something is wrong with the workflow.
    Failed(String),
    /// Somebody asked for it, and its conditions do not hold.
    Skipped,
    /// All of it was done at once.
    Done,
}

impl<'a> NewExecution<'a> {
    /// An execution about nothing, that begins at once and is the first of its chain.
    pub fn of(
        id: Uuid,
        workflow: Uuid,
        version: Uuid,
        owner: Uuid,
        flow: &'a Flow,
        trigger: Json,
    ) -> NewExecution<'a> {
        NewExecution {
            id,
            workflow,
            version,
            owner,
            flow,
            subject: None,
            trigger,
            conditions: Json::Null,
            chain: id,
            depth: 0,
            ended: None,
            called_by: None,
            held_back: None,
            slot: String::new(),
            once_key: String::new(),
            batch: String::new(),
        }
    }

    /// Its rows.
    ///
    /// # Errors
    /// When the declarations lack something.
    pub fn rows(&self, schema: &Schema, now: Timestamp) -> Result<Vec<Write>, Error> {
        let log = Log::of(schema, ENTITY)?;
        let mut course = Course::begin(self.flow);
        match &self.ended {
            Some(Ended::Failed(why)) => course.end = Some(End::Failed(why.clone())),
            Some(Ended::Skipped | Ended::Done) => course.end = Some(End::Success),
            None => {}
        }
        let (subject, title) = match &self.subject {
            Some((subject, title)) => (Some(*subject), title.as_str()),
            None => (None, ""),
        };
        let name = |subject: Subject| schema.entity(subject.entity).name.as_str().into();
        let mut values = vec![
            ("workflow", self.workflow.into()),
            ("revision", self.version.into()),
            ("owner", self.owner.into()),
            ("entity", subject.map_or(Value::Null, name)),
            (
                "record",
                subject.map_or(Value::Null, |subject| subject.id.to_string().into()),
            ),
            ("subject", some(&cut(title, 300))),
            ("trigger", Value::Json(self.trigger.clone())),
            ("conditions", json_or_null(&self.conditions)),
            ("chain", self.chain.to_string().into()),
            ("depth", i64::from(self.depth).into()),
            ("slot", some(&self.slot)),
            ("once_key", some(&self.once_key)),
            ("batch", some(&self.batch)),
            (
                "called_by",
                self.called_by
                    .map_or(Value::Null, |id| id.to_string().into()),
            ),
            ("started_at", now.into()),
        ];
        if let (Some(wake), None) = (self.held_back, &course.end) {
            values.extend([
                ("status", "WAITING".into()),
                ("queued", true.into()),
                ("gathered", 1.into()),
                ("wake_at", wake.into()),
            ]);
            return Ok(vec![log.insert(self.id, now, values)?]);
        }
        values.push(("course", kept(&course)?));
        match (&course.end, &self.ended) {
            (_, Some(Ended::Skipped)) => {
                values.extend([("status", "SKIPPED".into()), ("ended_at", now.into())]);
            }
            (Some(end), _) => values.extend(ended(end, now)),
            (None, _) => values.extend([("status", "RUNNING".into()), ("wake_at", now.into())]),
        }
        Ok(vec![log.insert(self.id, now, values)?])
    }
}

/// An execution this process holds.
pub(crate) struct Held {
    pub id: Uuid,
    pub tenant: i64,
    pub workflow: Uuid,
    pub name: String,
    pub owner: Uuid,
    pub flow: Arc<Flow>,
    pub course: Course,
    pub subject: Option<Subject>,
    pub title: String,
    pub trigger: Json,
    pub chain: Uuid,
    pub depth: u16,
    /// Whether anything of it was done.
    pub begun: bool,
    /// What those share of which one runs at a time; empty: nothing.
    pub slot: String,
    /// The execution that waits for its end.
    pub called_by: Option<Uuid>,
    /// What a person is to look at.
    pub attention: Option<&'static str>,
    /// When it was to be gone on with, as it stood when it was taken or kept last: something that
    /// happens to it moves this.
    pub wake_at: Value,
}

impl Held {
    /// When it was to be gone on with, as this process knows it.
    pub fn wake(&self) -> Value {
        self.wake_at.clone()
    }

    /// What conditions may ask of it besides its record.
    pub fn facts(&self) -> Json {
        serde_json::json!({"trigger": self.trigger, "steps": self.course.outputs})
    }

    /// As before a commit that was refused.
    pub fn set_wake(&mut self, wake_at: Value) {
        self.wake_at = wake_at;
    }
}

/// What makes an execution be gone on with at once: to be committed with what happened to it.
///
/// # Errors
/// When the declarations lack it.
pub(crate) fn wake(schema: &Schema, execution: Uuid, now: Timestamp) -> Result<Write, Error> {
    Log::of(schema, ENTITY)?.update(execution, vec![("wake_at", now.into())])
}

/// That an execution has not ended.
///
/// # Errors
/// When the declarations lack it.
pub(crate) fn is_open(log: &Log<'_>) -> Result<opsflux_model::Predicate, Error> {
    log.is_one_of("status", &["RUNNING", "WAITING"])
}

/// Whether an execution has not ended.
pub(crate) fn runs(schema: &Schema, row: &Snapshot) -> bool {
    let status = row.get(schema, "status").as_text();
    matches!(status, Some("RUNNING" | "WAITING"))
}

pub(crate) fn ended(end: &End, now: Timestamp) -> Vec<(&'static str, Value)> {
    let (status, error) = match end {
        End::Success => ("SUCCESS", Value::Null),
        End::Failed(why) => ("FAILED", some(&cut(why, MAX_ERROR))),
        End::Cancelled => ("CANCELLED", Value::Null),
    };
    vec![
        ("status", status.into()),
        ("error", error),
        ("ended_at", now.into()),
    ]
}

/// The content of a version.
pub(crate) fn opened(schema: &Schema, version: &Snapshot) -> serde_json::Map<String, Json> {
    match version.get(schema, "content") {
        Value::Json(Json::Object(content)) => content.clone(),
        _ => content(schema, version),
    }
}

pub(crate) fn kept(course: &Course) -> Result<Value, Error> {
    let json = serde_json::to_value(course).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Value::Json(json))
}

pub(crate) fn some(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => text.into(),
    }
}

fn json_or_null(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        json => Value::Json(json.clone()),
    }
}
