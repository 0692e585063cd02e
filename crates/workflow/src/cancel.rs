//! Ending an execution because somebody asks for it.

use opsflux_model::Value;
use opsflux_records::Error;
use opsflux_store::{Commit, Guard};
use uuid::Uuid;

use crate::course::End;
use crate::engine::Engine;
use crate::execution::{ENTITY, ended, refused};
use crate::log::Log;

impl Engine {
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
}
