//! The row of an execution: made, taken, read, kept.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use opsflux_model::predicate::negate;
use opsflux_model::schema::{EntityIx, Schema};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::Along;
use opsflux_store::{Commit, CommitError, Guard, Write};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::course::{Course, End};
use crate::engine::Engine;
use crate::flow::{self, Flow};
use crate::log::{Log, cut};
use crate::published::{content, text};

/// Name of the entity.
pub(crate) const ENTITY: &str = "execution";
/// How long a process holds an execution without a word.
const LEASE: SignedDuration = SignedDuration::from_secs(20);
/// Name of the guard that a process still holds its execution and nothing happened meanwhile.
pub(crate) const HELD: &str = "execution.held";
/// Processes that die over an execution before it is put aside.
const MAX_CRASHES: i64 = 3;
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
}

/// How an execution ends before it has begun.
pub(crate) enum Ended {
    /// Something is wrong with the workflow.
    Failed(String),
    /// Somebody asked for it, and its conditions do not hold.
    Skipped,
}

impl NewExecution<'_> {
    /// Its rows.
    ///
    /// # Errors
    /// When the declarations lack something.
    pub fn rows(&self, schema: &Schema, now: Timestamp) -> Result<Vec<Write>, Error> {
        let log = Log::of(schema, ENTITY)?;
        let mut course = Course::begin(self.flow);
        match &self.ended {
            Some(Ended::Failed(why)) => course.end = Some(End::Failed(why.clone())),
            Some(Ended::Skipped) => course.end = Some(End::Success),
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
            ("course", kept(&course)?),
            ("started_at", now.into()),
        ];
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
    /// What a person is to look at.
    pub attention: Option<&'static str>,
    /// When it was to be gone on with, as it stood when it was taken or kept last: something that
    /// happens to it moves this.
    wake_at: Value,
}

impl Held {
    /// When it was to be gone on with, as this process knows it.
    pub fn wake(&self) -> Value {
        self.wake_at.clone()
    }

    /// As before a commit that was refused.
    pub fn set_wake(&mut self, wake_at: Value) {
        self.wake_at = wake_at;
    }
}

impl Engine {
    /// Executions that are due and that nobody holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn due(&self, tenant: i64, limit: u32) -> Result<Vec<Snapshot>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let wanted = self.waiting(&log)?;
        self.inner.records.find(tenant, log.ix, wanted, limit).await
    }

    fn waiting(&self, log: &Log<'_>) -> Result<Predicate, Error> {
        let now = self.inner.records.now();
        Ok(log
            .is_due("wake_at", now)?
            .and(log.is_over("lease_until", now)?))
    }

    /// Lets go of what processes of an earlier life held: only one process works on this database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn release_all(&self, tenant: i64) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let held = Predicate::test(log.ix, log.field("lease_until")?, Operand::Present);
        loop {
            let wanted = held.clone();
            let found = self.inner.records.find(tenant, log.ix, wanted, 500).await?;
            if found.is_empty() {
                return Ok(());
            }
            let mut commit = Commit {
                tenant,
                ..Commit::default()
            };
            for row in found {
                commit
                    .writes
                    .push(log.update(row.id, vec![("lease_until", Value::Null)])?);
            }
            let done = self.inner.records.store().commit(commit).await;
            done.map_err(refused)?;
        }
    }

    /// Ends an execution because somebody asks for it. Nothing of it is done any more; what people
    /// are asked is taken back.
    ///
    /// # Errors
    /// `ConflictKind::Guard` when it has ended.
    pub(crate) async fn cancel(&self, tenant: i64, id: Uuid) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let now = records.now();
        let (log, asked) = (Log::of(&schema, ENTITY)?, Log::of(&schema, "approval")?);
        let pending = asked
            .is("execution", id)?
            .and(asked.is("status", "PENDING")?);
        let pending = records.find(tenant, asked.ix, pending, 500).await?;
        let mut writes = Vec::new();
        for row in pending {
            let set = vec![("status", "CANCELLED".into()), ("decided_at", now.into())];
            writes.push(asked.update(row.id, set)?);
        }
        let mut set = ended(&End::Cancelled, now);
        set.extend([
            ("wake_at", Value::Null),
            ("worker", Value::Null),
            ("lease_until", Value::Null),
        ]);
        writes.push(log.update(id, set)?);
        let runs = log
            .is("status", "RUNNING")?
            .or(log.is("status", "WAITING")?);
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: "execution.open".to_owned(),
                entity: log.ix,
                id,
                holds: runs,
            }],
            writes,
            ..Commit::default()
        };
        let done = records.store().commit(commit).await;
        done.map(|_| ()).map_err(refused)
    }

    /// Takes an execution that is due; none when another process was faster or it was put aside.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn take(&self, tenant: i64, row: &Snapshot) -> Result<Option<Held>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let now = records.now();
        // Whoever held it did not let go of it: he died over it.
        let died = !row.get(&schema, "worker").is_empty();
        let crashes = row.get(&schema, "crashes").as_int().unwrap_or(0) + i64::from(died);
        let mut set = vec![("crashes", crashes.into())];
        if crashes >= MAX_CRASHES {
            set.extend([
                ("attention", "quarantined".into()),
                ("status", "FAILED".into()),
                ("wake_at", Value::Null),
                ("worker", Value::Null),
                ("lease_until", Value::Null),
                ("ended_at", now.into()),
            ]);
        } else {
            set.extend([
                ("worker", self.worker()),
                ("lease_until", lease(now)),
                ("status", "RUNNING".into()),
            ]);
        }
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: HELD.to_owned(),
                entity: log.ix,
                id: row.id,
                holds: self.waiting(&log)?,
            }],
            writes: vec![log.update(row.id, set)?],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => {}
            Err(CommitError::Guard { .. } | CommitError::Retry) => return Ok(None),
            Err(error) => return Err(refused(error)),
        }
        if crashes >= MAX_CRASHES {
            tracing::error!(execution = %row.id, crashes, "an execution was put aside");
            return Ok(None);
        }
        self.read(tenant, row.id).await
    }

    /// An execution that this process holds, as it is now; none when it no longer does.
    ///
    /// # Errors
    /// When the database does not answer; when it cannot be read any more.
    pub(crate) async fn read(&self, tenant: i64, id: Uuid) -> Result<Option<Held>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let Some(row) = records.snapshot(tenant, log.ix, id).await? else {
            return Ok(None);
        };
        if *row.get(&schema, "worker") != self.worker() {
            return Ok(None);
        }
        let versions = Log::of(&schema, "workflow_version")?;
        let workflows = Log::of(&schema, "workflow")?;
        let version = row.get(&schema, "revision").as_id().unwrap_or_default();
        let version = records.snapshot(tenant, versions.ix, version).await?;
        let workflow = row.get(&schema, "workflow").as_id().unwrap_or_default();
        let named = records.snapshot(tenant, workflows.ix, workflow).await?;
        let flow = version.map(|version| flow::read(&opened(&schema, &version)));
        let Some(Ok(flow)) = flow else {
            return Err(Error::Internal(format!(
                "the version of execution {id} cannot be read"
            )));
        };
        let course = match row.get(&schema, "course") {
            Value::Json(json) => serde_json::from_value(json.clone())
                .map_err(|error| Error::Internal(format!("execution {id}: {error}")))?,
            _ => Course::begin(&flow),
        };
        let entity = row
            .get(&schema, "entity")
            .as_text()
            .and_then(|name| schema.find(name));
        let record = row
            .get(&schema, "record")
            .as_text()
            .and_then(|id| Uuid::try_parse(id).ok());
        let chain = row
            .get(&schema, "chain")
            .as_text()
            .and_then(|id| Uuid::try_parse(id).ok());
        Ok(Some(Held {
            id,
            tenant,
            workflow,
            name: named.map_or_else(String::new, |row| text(&schema, &row, "name")),
            owner: row.get(&schema, "owner").as_id().unwrap_or_default(),
            flow: Arc::new(flow),
            course,
            subject: entity
                .zip(record)
                .map(|(entity, id)| Subject { entity, id }),
            title: text(&schema, &row, "subject"),
            trigger: match row.get(&schema, "trigger") {
                Value::Json(json) => json.clone(),
                _ => Json::Null,
            },
            chain: chain.unwrap_or(id),
            depth: row
                .get(&schema, "depth")
                .as_int()
                .and_then(|depth| u16::try_from(depth).ok())
                .unwrap_or(0),
            attention: None,
            wake_at: row.get(&schema, "wake_at").clone(),
        }))
    }

    /// Adds where an execution stands to what is committed with a step: it is only kept while this
    /// process holds it and nothing happened to it meanwhile.
    ///
    /// # Errors
    /// When the declarations lack something.
    pub(crate) fn keep(
        &self,
        held: &mut Held,
        let_go: bool,
        along: &mut Along,
    ) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let now = self.inner.records.now();
        let field = log.field("wake_at")?;
        let as_it_was = match &held.wake_at {
            Value::Null => negate(Predicate::test(log.ix, field, Operand::Present)),
            known => Predicate::test(log.ix, field, Operand::OneOf(vec![known.clone()])),
        };
        along.guards.push(Guard::Exists {
            name: HELD.to_owned(),
            entity: log.ix,
            id: held.id,
            holds: log.is("worker", self.worker())?.and(as_it_was),
        });
        let attention = held.attention.map_or(Value::Null, Value::from);
        let mut set = vec![
            ("course", kept(&held.course)?),
            ("crashes", 0.into()),
            ("attention", attention),
        ];
        match &held.course.end {
            Some(end) => {
                set.extend(ended(end, now));
                set.push(("wake_at", Value::Null));
            }
            None => {
                let due = held.course.due(&held.flow, now);
                let due = due.map_or(Value::Null, Value::Time);
                held.wake_at = due.clone();
                set.push(("wake_at", due));
                let status = if let_go { "WAITING" } else { "RUNNING" };
                set.push(("status", status.into()));
            }
        }
        if let_go || held.course.end.is_some() {
            set.extend([("worker", Value::Null), ("lease_until", Value::Null)]);
        } else {
            set.push(("lease_until", lease(now)));
        }
        along.writes.push(log.update(held.id, set)?);
        Ok(())
    }

    /// The name of this process among those that work executions off.
    fn worker(&self) -> Value {
        Value::Text(self.inner.worker.to_string())
    }
}

/// What makes an execution be gone on with at once: to be committed with what happened to it.
///
/// # Errors
/// When the declarations lack it.
pub(crate) fn wake(schema: &Schema, execution: Uuid, now: Timestamp) -> Result<Write, Error> {
    Log::of(schema, ENTITY)?.update(execution, vec![("wake_at", now.into())])
}

fn lease(now: Timestamp) -> Value {
    Value::Time(now.checked_add(LEASE).unwrap_or(now))
}

fn ended(end: &End, now: Timestamp) -> Vec<(&'static str, Value)> {
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
fn opened(schema: &Schema, version: &Snapshot) -> serde_json::Map<String, Json> {
    match version.get(schema, "content") {
        Value::Json(Json::Object(content)) => content.clone(),
        _ => content(schema, version),
    }
}

fn kept(course: &Course) -> Result<Value, Error> {
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

/// What a commit that did nothing means here.
pub(crate) fn refused(error: CommitError) -> Error {
    match error {
        CommitError::Store(error) => error.into(),
        CommitError::Guard { name } => {
            Error::Conflict(opsflux_records::ConflictKind::Guard { name })
        }
        _ => Error::Conflict(opsflux_records::ConflictKind::Busy),
    }
}
