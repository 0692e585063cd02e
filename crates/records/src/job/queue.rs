//! Taking jobs, holding them, ending them.

use jiff::SignedDuration;
use opsflux_model::predicate::{Order, negate};
use opsflux_model::schema::{EntityIx, FieldIx};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::feed::{Body, NewEntry};
use opsflux_store::{Commit, CommitError, FeedOp, Guard, Set, Write};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{ENTITY, End, Held, Job, Step, row};
use crate::error::{ConflictKind, Error};
use crate::records::Records;

/// How long a worker holds a job without a word.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a job that could not go on waits before somebody tries again.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Tries of a step that could not go on.
const TRIES: i64 = 20;
/// Longest error kept.
const MAX_ERROR: usize = 1_000;
/// Name of the guard that a worker still holds its job.
const HELD: &str = "job.held";

impl Records {
    /// Takes the oldest job of a tenant that waits.
    pub(super) async fn take_job(
        &self,
        tenant: i64,
        entity: EntityIx,
    ) -> Result<Option<Held>, Error> {
        let waiting = self.waiting(entity)?;
        let found = self.find(tenant, entity, waiting.clone(), 1).await?;
        let Some(row) = found.into_iter().next() else {
            return Ok(None);
        };
        let schema = self.schema();
        let mut set = vec![
            ("status", Value::from("running")),
            ("worker", self.worker()),
            ("lease_until", self.after(LEASE)),
        ];
        if row.get(&schema, "started_at").is_empty() {
            set.push(("started_at", self.now().into()));
        }
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: HELD.to_owned(),
                entity,
                id: row.id,
                holds: waiting,
            }],
            writes: vec![update(entity, &row.id, row::set(&schema, &set))],
            ..Commit::default()
        };
        match self.inner.store.commit(commit).await {
            Ok(_) => {}
            // Another worker was faster.
            Err(CommitError::Guard { .. } | CommitError::Retry) => return Ok(None),
            Err(error) => return Err(crate::write::refused(error)),
        }
        let row = self.snapshot(tenant, entity, row.id).await?;
        Ok(row.map(|row| Held {
            tenant,
            entity,
            row,
        }))
    }

    /// The job as it is now, while this worker holds it.
    pub(super) async fn still_mine(&self, held: &Held) -> Result<Option<Held>, Error> {
        let row = self.snapshot(held.tenant, held.entity, held.row.id).await?;
        let schema = self.schema();
        let mine = |row: &crate::rule::Snapshot| {
            *row.get(&schema, "worker") == self.worker()
                && row.get(&schema, "status").as_text() == Some("running")
        };
        Ok(row.filter(mine).map(|row| Held {
            tenant: held.tenant,
            entity: held.entity,
            row,
        }))
    }

    /// Commits a step with where the job stands then.
    pub(super) async fn keep_step(&self, held: &Held, job: &Job, step: Step) -> Result<(), Error> {
        let schema = self.schema();
        let mut set = vec![
            ("done", Value::Int(job.done.saturating_add(step.done))),
            ("state", Value::Json(step.state)),
            ("attempts", Value::Int(0)),
            ("lease_until", self.after(LEASE)),
        ];
        set.extend(step.total.map(|total| ("expected", Value::Int(total))));
        set.extend(step.end.map(|end| self.ending(end)).into_iter().flatten());
        let _turn = step.turn;
        let mut commit = step.commit;
        commit.tenant = held.tenant;
        commit.guards.push(self.held(held)?);
        let row = update(held.entity, &held.row.id, row::set(&schema, &set));
        commit.writes.push(row);
        self.inner
            .store
            .commit(commit)
            .await
            .map(|_| ())
            .map_err(crate::write::refused)
    }

    /// Leaves a job to a later try, or ends it when trying again is of no use.
    pub(super) async fn give_up(&self, held: &Held, error: Error) -> Result<(), Error> {
        let schema = self.schema();
        let tries = held.row.get(&schema, "attempts").as_int().unwrap_or(0) + 1;
        let passes = error.passes()
            || matches!(
                error,
                Error::Conflict(ConflictKind::Busy | ConflictKind::Guard { .. })
            );
        let job = held.row.id;
        let mut feed = Vec::new();
        let set = if passes && tries < TRIES {
            tracing::warn!(%job, tries, %error, "a job could not go on");
            vec![
                ("attempts", Value::Int(tries)),
                ("lease_until", self.after(PAUSE)),
            ]
        } else {
            tracing::error!(%job, %error, "a job failed");
            feed = vec![self.told(&held.row.id)];
            self.ending(End::Failed(error.to_string()))
        };
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![self.held(held)?],
            writes: vec![update(held.entity, &job, row::set(&schema, &set))],
            feed,
            ..Commit::default()
        };
        match self.inner.store.commit(commit).await {
            Ok(_) | Err(CommitError::Guard { .. }) => Ok(()),
            Err(error) => Err(crate::write::refused(error)),
        }
    }

    /// That a job has failed, for the feed: whoever wants to know of failures does.
    fn told(&self, job: &Uuid) -> NewEntry {
        NewEntry {
            change: self.new_id(),
            at: self.now(),
            entity: ENTITY.to_owned(),
            record: *job,
            version: 0,
            op: FeedOp::Updated,
            body: Body {
                fields: vec!["status".to_owned()],
                source: ENTITY.to_owned(),
                ..Body::default()
            },
        }
    }

    fn ending(&self, end: End) -> Vec<(&'static str, Value)> {
        let (status, error, result) = match end {
            End::Done(result) => ("done", Value::Null, result),
            End::Failed(why) => {
                let why: String = why.chars().take(MAX_ERROR).collect();
                ("failed", Value::Text(why), Json::Null)
            }
            End::Cancelled => ("cancelled", Value::Null, Json::Null),
        };
        let result = match result {
            Json::Null => Value::Null,
            result => Value::Json(result),
        };
        vec![
            ("status", status.into()),
            ("error", error),
            ("result", result),
            ("ended_at", self.now().into()),
        ]
    }

    /// That the job is still held by this worker when the commit is made.
    fn held(&self, held: &Held) -> Result<Guard, Error> {
        let is = |name, value| self.field_is(held.entity, name, value);
        Ok(Guard::Exists {
            name: HELD.to_owned(),
            entity: held.entity,
            id: held.row.id,
            holds: is("worker", self.worker())?.and(is("status", "running".into())?),
        })
    }

    /// Queued, or running under a lease that is over.
    fn waiting(&self, entity: EntityIx) -> Result<Predicate, Error> {
        let lease = self.job_field(entity, "lease_until")?;
        let over = Operand::Compare(Order::Less, Value::Time(self.now()));
        let held = negate(Predicate::test(entity, lease, Operand::Present));
        let over = Predicate::test(entity, lease, over).or(held);
        let running = self.field_is(entity, "status", "running".into())?;
        let queued = self.field_is(entity, "status", "queued".into())?;
        Ok(queued.or(running.and(over)))
    }

    fn field_is(&self, entity: EntityIx, name: &str, value: Value) -> Result<Predicate, Error> {
        let field = self.job_field(entity, name)?;
        Ok(Predicate::test(entity, field, Operand::OneOf(vec![value])))
    }

    fn job_field(&self, entity: EntityIx, name: &str) -> Result<FieldIx, Error> {
        let schema = self.schema();
        let field = schema.entity(entity).find(name);
        field.ok_or_else(|| Error::Internal(format!("jobs have no “{name}”")))
    }

    /// The name of this process among workers.
    fn worker(&self) -> Value {
        Value::Text(self.inner.worker.to_string())
    }

    fn after(&self, pause: SignedDuration) -> Value {
        let now = self.now();
        Value::Time(now.checked_add(pause).unwrap_or(now))
    }
}

fn update(entity: EntityIx, id: &uuid::Uuid, set: Vec<(FieldIx, Set)>) -> Write {
    Write::Update {
        entity,
        id: *id,
        expected_version: None,
        set,
    }
}
