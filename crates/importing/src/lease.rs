//! Holding a job: one process at a time, and another when that one is dead.

use jiff::SignedDuration;
use opsflux_model::predicate::{Order, negate};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{ConflictKind, Error};
use opsflux_store::{Commit, CommitError, Guard};

use crate::Importing;
use crate::job::{Fields, Held, Stage, State, refused};

/// How long a worker holds a job without a word.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a job that could not go on waits before somebody tries again.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Tries of a job that could not go on.
const TRIES: i64 = 20;
/// Jobs looked at for one whose file is here.
const LOOKED_AT: u32 = 50;
/// Name of the guard that a worker still holds its job.
const HELD: &str = "import.held";

impl Importing {
    /// The fields, and that the job is held on.
    pub(crate) fn renewed(&self, mut fields: Fields) -> Fields {
        fields.push(("lease_until", self.after(LEASE)));
        fields.push(("attempts", 0.into()));
        fields
    }

    /// That this worker still holds the job when a commit is made.
    pub(crate) fn held(&self, held: &Held) -> Result<Guard, Error> {
        let mine = self.is("worker", Value::Text(self.worker.to_string()))?;
        Ok(Guard::Exists {
            name: HELD.to_owned(),
            entity: self.job_entity()?,
            id: held.id(),
            holds: mine.and(self.is("status", "RUNNING".into())?),
        })
    }

    /// Takes the oldest job that waits and whose file is here.
    pub(crate) async fn take(&self) -> Result<Option<Held>, Error> {
        let Ok(entity) = self.job_entity() else {
            return Ok(None);
        };
        for tenant in self.records.store().tenants().await? {
            let waiting = self.waiting()?;
            let found = self
                .records
                .find(tenant.number, entity, waiting.clone(), LOOKED_AT)
                .await?;
            for row in found {
                let Some(state) = self.state(&row) else {
                    continue;
                };
                let needs_file = !matches!(state.stage, Stage::Undo | Stage::RollBack);
                if needs_file && !self.spool.has(row.id) && !self.alone {
                    // Another process has it.
                    continue;
                }
                if let Some(held) = self.take_one(tenant.number, row, &waiting).await? {
                    return Ok(Some(held));
                }
            }
        }
        Ok(None)
    }

    async fn take_one(
        &self,
        tenant: i64,
        row: Snapshot,
        waiting: &Predicate,
    ) -> Result<Option<Held>, Error> {
        let schema = self.records.schema();
        let entity = self.job_entity()?;
        let mut fields: Fields = vec![
            ("status", "RUNNING".into()),
            ("worker", Value::Text(self.worker.to_string())),
            ("lease_until", self.after(LEASE)),
        ];
        if row.get(&schema, "started_at").is_empty() {
            fields.push(("started_at", self.records.now().into()));
        }
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: HELD.to_owned(),
                entity,
                id: row.id,
                holds: waiting.clone(),
            }],
            writes: vec![self.update(row.id, fields)?],
            ..Commit::default()
        };
        match self.records.store().commit(commit).await {
            Ok(_) => {}
            // Another worker was faster.
            Err(CommitError::Guard { .. } | CommitError::Retry) => return Ok(None),
            Err(error) => return Err(refused(error)),
        }
        let row = self.records.snapshot(tenant, entity, row.id).await?;
        Ok(row.and_then(|row| {
            let state = self.state(&row)?;
            Some(Held { tenant, row, state })
        }))
    }

    pub(crate) fn state(&self, row: &Snapshot) -> Option<State> {
        match row.get(&self.records.schema(), "state") {
            Value::Json(state) => serde_json::from_value(state.clone()).ok(),
            _ => None,
        }
    }

    /// Whether somebody wants a held job to stop; an error when it is held no more.
    pub(crate) async fn is_cancelled(&self, held: &Held) -> Result<bool, Error> {
        let entity = self.job_entity()?;
        let row = self
            .records
            .snapshot(held.tenant, entity, held.id())
            .await?;
        let schema = self.records.schema();
        Ok(row.is_some_and(|row| row.get(&schema, "cancel").as_bool() == Some(true)))
    }

    /// Leaves a job to a later try, or ends it when trying again is of no use.
    pub(crate) async fn give_up(&self, held: &Held, error: Error) -> Result<(), Error> {
        let schema = self.records.schema();
        let tries = held.row.get(&schema, "attempts").as_int().unwrap_or(0) + 1;
        let passes = error.passes()
            || matches!(
                error,
                Error::Conflict(ConflictKind::Busy | ConflictKind::Guard { .. })
            );
        let job = held.id();
        let fields: Fields = if passes && tries < TRIES {
            tracing::warn!(%job, tries, %error, "an import could not go on");
            vec![
                ("attempts", tries.into()),
                ("lease_until", self.after(PAUSE)),
            ]
        } else {
            tracing::error!(%job, %error, "an import failed");
            let why = self.saying.error(held.state.spec.language, &error);
            let why = why
                .first()
                .map_or_else(String::new, |said| said.message.clone());
            vec![
                ("status", "FAILED".into()),
                ("error_message", why.into()),
                ("ended_at", self.records.now().into()),
            ]
        };
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![self.held(held)?],
            writes: vec![self.update(job, fields)?],
            ..Commit::default()
        };
        match self.records.store().commit(commit).await {
            Ok(_) | Err(CommitError::Guard { .. }) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Pending, or running under a lease that is over.
    fn waiting(&self) -> Result<Predicate, Error> {
        let entity = self.job_entity()?;
        let lease = self.field("lease_until")?;
        let over = Operand::Compare(Order::Less, self.records.now().into());
        let free = negate(Predicate::test(entity, lease, Operand::Present));
        let mut over = Predicate::test(entity, lease, over).or(free);
        if self.alone {
            // Nobody else works here: who held it before this process is dead.
            let mine = self.is("worker", Value::Text(self.worker.to_string()))?;
            over = over.or(negate(mine));
        }
        let running = self.is("status", "RUNNING".into())?;
        Ok(self.is("status", "PENDING".into())?.or(running.and(over)))
    }

    fn after(&self, pause: SignedDuration) -> Value {
        let now = self.records.now();
        Value::Time(now.checked_add(pause).unwrap_or(now))
    }
}
