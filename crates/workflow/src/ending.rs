//! What follows when an execution has ended: whoever called it goes on, the next in turn begins,
//! and who wants to know of failures does. Told by the feed, so that it follows whatever dies.

use jiff::Timestamp;
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_store::FeedOp;
use opsflux_store::feed::{Body, Entry, NewEntry};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine};
use crate::execution::{self, ENTITY};
use crate::flow::Trigger;
use crate::log::Log;
use crate::matching::Start;
use crate::published::{derived, text};

/// Name of the entity of background jobs.
pub(crate) const JOB: &str = "job";

/// That an execution has ended, for the feed.
pub(crate) fn told(execution: Uuid, chain: Uuid, depth: u16, at: Timestamp) -> NewEntry {
    NewEntry {
        change: execution,
        at,
        entity: ENTITY.to_owned(),
        record: execution,
        version: 0,
        op: FeedOp::Updated,
        body: Body {
            fields: vec!["status".to_owned()],
            source: "workflow".to_owned(),
            chain: Some(chain),
            depth,
            ..Body::default()
        },
    }
}

impl Engine {
    /// An execution has moved.
    pub(crate) async fn execution_moved(&self, entry: &Entry) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let (tenant, log) = (entry.tenant, Log::of(&schema, ENTITY)?);
        let row = records.snapshot(tenant, log.ix, entry.entry.record).await?;
        let Some(row) = row.filter(|row| !execution::runs(&schema, row)) else {
            return Ok(());
        };
        self.wake_caller(tenant, &row).await?;
        self.next_in_turn(tenant, &row).await?;
        let is_told_of_trouble = match row.get(&schema, "trigger") {
            opsflux_model::Value::Json(trigger) => trigger["type"] == "system_error",
            _ => false,
        };
        if row.get(&schema, "status").as_text() != Some("FAILED") || is_told_of_trouble {
            return Ok(());
        }
        let workflows = Log::of(&schema, "workflow")?;
        let workflow = row.get(&schema, "workflow").as_id().unwrap_or_default();
        let named = records.snapshot(tenant, workflows.ix, workflow).await?;
        let what = json!({
            "kind": "execution",
            "workflow": named.map_or_else(String::new, |row| text(&schema, &row, "name")),
            "subject": text(&schema, &row, "subject"),
            "error": text(&schema, &row, "error"),
        });
        self.trouble(entry, &row, what).await
    }

    /// A delivery or a job has moved: who wants to know of failures does when it failed for good.
    pub(crate) async fn work_moved(&self, entry: &Entry) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, &entry.entry.entity)?;
        let row = records
            .snapshot(entry.tenant, log.ix, entry.entry.record)
            .await?;
        let Some(row) = row else {
            return Ok(());
        };
        let is_job = entry.entry.entity == JOB;
        let state = row.get(&schema, if is_job { "status" } else { "state" });
        let state = state.as_text();
        if state != Some("failed") {
            return Ok(());
        }
        // A workflow that waits for a delivery fails by itself.
        if !is_job && text(&schema, &row, "cause").starts_with("workflow:") {
            return Ok(());
        }
        let subject = if is_job { "kind" } else { "target" };
        let what = json!({
            "kind": entry.entry.entity,
            "subject": text(&schema, &row, subject),
            "error": text(&schema, &row, "error"),
        });
        self.trouble(entry, &row, what).await
    }

    async fn trouble(&self, entry: &Entry, row: &Snapshot, what: Json) -> Result<(), Error> {
        let inner = &self.inner;
        let of_tenant = inner.published.of(&inner.records, entry.tenant).await?;
        for active in of_tenant.troubled() {
            let trigger = Trigger::is_trouble;
            let Some(place) = active.flow.triggers.iter().position(trigger) else {
                continue;
            };
            let chain = entry.entry.body.chain.unwrap_or(entry.entry.change);
            let cause = Cause {
                workflow: &active.name,
                chain,
                depth: entry.entry.body.depth,
            };
            let Some(caller) = self.act_as(entry.tenant, active.owner, &cause).await? else {
                continue;
            };
            // What its owner may not see fails without him.
            if !inner.records.sees(&caller, row.entity, row.id).await? {
                continue;
            }
            let mut trigger = what.clone();
            trigger["type"] = json!("system_error");
            trigger["id"] = json!(row.id);
            trigger["at"] = json!(entry.entry.at);
            let start = Start {
                active,
                id: derived(row.id, active.id.as_bytes()),
                place,
                record: None,
                before: None,
                trigger,
                chain,
                depth: entry.entry.body.depth,
                again: false,
                keeps_skipped: false,
            };
            self.start(&caller, start).await?;
        }
        Ok(())
    }
}
