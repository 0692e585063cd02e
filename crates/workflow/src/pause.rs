//! Taking a workflow out of force because it does harm, and telling its owner.

use opsflux_records::rule::Snapshot;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{Caller, Error, Records};
use opsflux_store::FeedOp;
use opsflux_store::feed::{Body, NewEntry};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::action::{At, Failure};
use crate::engine::Engine;
use crate::log::Log;
use crate::published::text;
use crate::words::say;

/// The action that tells people something.
const TELLS: &str = "send_notification";

/// Why a workflow is taken out of force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It ran for one record again and again.
    Burst,
    /// Processes died over it.
    Crashes,
}

impl Engine {
    /// Takes a workflow out of force, in the name of its owner, who is told; nothing when it is out
    /// of force.
    pub(crate) async fn pause(&self, caller: &Caller, id: Uuid, why: Why) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, "workflow")?;
        let tenant = caller.tenant();
        self.inner.published.forget(tenant);
        let row = records.snapshot(tenant, log.ix, id).await?;
        let row = row.filter(|row| row.get(&schema, "status").as_text() == Some("ACTIVE"));
        let Some(row) = row else {
            return Ok(());
        };
        let name = text(&schema, &row, "name");
        let reason = match why {
            Why::Burst => "paused.burst",
            Why::Crashes => "paused.crashes",
        };
        let reason = say(caller.language, reason, &name);
        let mut along = Along::default();
        let set = vec![("paused_reason", reason.as_str().into())];
        along.writes.push(log.update(id, set)?);
        if let Some(tells) = self.inner.actions.get(TELLS) {
            let told = Map::from_iter([
                ("to".to_owned(), json!(caller.user())),
                (
                    "title".to_owned(),
                    json!(say(caller.language, "paused.title", &name)),
                ),
                ("message".to_owned(), json!(reason)),
            ]);
            let at = At {
                records,
                caller,
                subject: Some(&row),
                execution: records.new_id(),
                workflow: &name,
                place: "paused",
                attempt: 1,
                now: records.now(),
            };
            match tells.act(&at, told).await {
                Ok(act) => {
                    along.writes.extend(act.along.writes);
                    along.feed.extend(act.along.feed);
                }
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Wrong(why)) => tracing::warn!(workflow = %id, why, "nobody was told"),
            }
        }
        let set = Map::from_iter([("status".to_owned(), json!("INACTIVE"))]);
        let operation = BulkOperation::Update(id.to_string(), None, set);
        let done = records
            .change_along(caller, &[(log.ix, operation)], &along)
            .await;
        self.inner.published.forget(tenant);
        match done {
            Ok(_) => {
                tracing::warn!(workflow = %id, ?why, "a workflow was taken out of force");
                Ok(())
            }
            Err(error) if error.passes() => Err(error),
            Err(error) => {
                tracing::error!(workflow = %id, %error, "a workflow could not be taken out of force");
                Ok(())
            }
        }
    }
}

/// That a workflow has changed, for those who know what is in force.
pub(crate) fn moved(records: &Records, row: &Snapshot, by: Uuid) -> NewEntry {
    NewEntry {
        change: records.new_id(),
        at: records.now(),
        entity: "workflow".to_owned(),
        record: row.id,
        version: row.version,
        op: FeedOp::Updated,
        body: Body {
            by: Some(by),
            ..Body::default()
        },
    }
}
