//! Holding an execution: taken when it is due, read, kept with each step, let go of.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::Along;
use opsflux_store::{Commit, CommitError, Guard};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::course::Course;
use crate::ending;
use crate::engine::{Cause, Engine};
use crate::execution::{ENTITY, HELD, Held, Subject, ended, kept, opened, refused};
use crate::flow;
use crate::log::Log;
use crate::pause::Why;
use crate::published::text;

/// How long a process holds an execution without a word.
const LEASE: SignedDuration = SignedDuration::from_secs(20);
/// Processes that die over an execution before it is put aside.
const MAX_CRASHES: i64 = 3;

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
            feed: match crashes >= MAX_CRASHES {
                true => vec![ending::told(row.id, row.id, 0, now)],
                false => Vec::new(),
            },
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => {}
            Err(CommitError::Guard { .. } | CommitError::Retry) => return Ok(None),
            Err(error) => return Err(refused(error)),
        }
        if crashes >= MAX_CRASHES {
            tracing::error!(execution = %row.id, crashes, "an execution was put aside");
            self.put_aside(tenant, row).await?;
            return Ok(None);
        }
        self.read(tenant, row.id).await
    }

    /// Processes died over an execution: its workflow begins no others.
    async fn put_aside(&self, tenant: i64, row: &Snapshot) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let owner = row.get(&schema, "owner").as_id().unwrap_or_default();
        let cause = Cause {
            workflow: "",
            chain: row.id,
            depth: 0,
        };
        let Some(caller) = self.act_as(tenant, owner, &cause).await? else {
            return Ok(());
        };
        let workflow = row.get(&schema, "workflow").as_id().unwrap_or_default();
        self.pause(&caller, workflow, Why::Crashes).await
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
            begun: matches!(row.get(&schema, "course"), Value::Json(_)),
            slot: text(&schema, &row, "slot"),
            called_by: row
                .get(&schema, "called_by")
                .as_text()
                .and_then(|id| Uuid::try_parse(id).ok()),
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
        along.guards.push(self.holds(&log, held)?);
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
                // Told when somebody is to hear of it.
                let heard = held.called_by.is_some() || !held.slot.is_empty();
                if heard || matches!(end, crate::course::End::Failed(_)) {
                    let told = ending::told(held.id, held.chain, held.depth, now);
                    along.feed.push(told);
                }
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
        set.push(("queued", false.into()));
        held.begun = true;
        along.writes.push(log.update(held.id, set)?);
        Ok(())
    }

    /// That this process still holds an execution and nothing happened to it meanwhile.
    ///
    /// # Errors
    /// When the declarations lack something.
    pub(crate) fn holds(&self, log: &Log<'_>, held: &Held) -> Result<Guard, Error> {
        Ok(Guard::Exists {
            name: HELD.to_owned(),
            entity: log.ix,
            id: held.id,
            holds: log
                .is("worker", self.worker())?
                .and(log.is("wake_at", held.wake_at.clone())?),
        })
    }

    /// The name of this process among those that work executions off.
    fn worker(&self) -> Value {
        Value::Text(self.inner.worker.to_string())
    }
}

fn lease(now: Timestamp) -> Value {
    Value::Time(now.checked_add(LEASE).unwrap_or(now))
}
