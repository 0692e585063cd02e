//! Ending an execution because somebody asks for it.

use opsflux_model::Value;
use opsflux_records::{ConflictKind, Error};
use opsflux_store::{Commit, Guard, Write};
use uuid::Uuid;

use crate::course::End;
use crate::ending;
use crate::engine::Engine;
use crate::execution::{ENTITY, ended, refused};
use crate::listening;
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
        let listening = Log::of(&schema, listening::ENTITY)?;
        let waits = listening.is("execution", id)?;
        for row in records.find(tenant, listening.ix, waits, 500).await? {
            let entity = listening.ix;
            writes.push(Write::Remove { entity, id: row.id });
        }
        let called = self.called_by(tenant, id).await?;
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
            feed: vec![ending::told(id, id, 0, now)],
            ..Commit::default()
        };
        records.store().commit(commit).await.map_err(refused)?;
        // What it waited for is waited for by nobody.
        for id in called {
            match Box::pin(self.cancel(tenant, id)).await {
                Ok(()) | Err(Error::Conflict(ConflictKind::Guard { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
