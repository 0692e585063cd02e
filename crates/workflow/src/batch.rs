//! Events taken together: an execution that is not begun before there are enough, or its time has
//! come.

use jiff::{SignedDuration, Timestamp};
use opsflux_model::predicate::Order;
use opsflux_model::schema::Schema;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error};
use opsflux_store::{Commit, CommitError, Guard};
use serde_json::{Value as Json, json};

use crate::engine::Engine;
use crate::execution::{self, ENTITY, Held, NewExecution, refused, some};
use crate::flow::{Batch, later};
use crate::gate::LIMIT;
use crate::log::{Log, cut};

/// How long a batch is remembered after it was closed: nothing is told twice after so long.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);
/// How often a batch is tried to be joined.
const ATTEMPTS: usize = 20;
/// Batches with one key that are looked at.
const MOST: u32 = 500;

impl Engine {
    /// Joins what happened to a batch, or begins one.
    pub(crate) async fn gather(
        &self,
        caller: &Caller,
        mut new: NewExecution<'_>,
        batch: &Batch,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tenant = caller.tenant();
        let records = &self.inner.records;
        let key = format!("+{key}");
        let needed = if batch.partial { 1 } else { batch.count };
        let event = {
            let mut event = new.trigger.clone();
            event["id"] = json!(new.id);
            event
        };
        for _ in 0..ATTEMPTS {
            let schema = records.schema();
            let log = Log::of(&schema, ENTITY)?;
            let within = later(now, batch.within, &caller.time_zone).unwrap_or(now);
            let age = within.duration_since(now).saturating_add(REMEMBERED);
            let since = now.checked_sub(age).unwrap_or(now);
            let same = log.is("workflow", new.workflow)?;
            let same = same.and(log.is("batch", key.as_str())?);
            let recent = same.and(after(&log, since)?);
            let found = records.find(tenant, log.ix, recent, MOST).await?;
            let mut open = None;
            for row in found {
                let events = events(&schema, &row);
                if events.iter().any(|known| known["id"] == event["id"]) {
                    return Ok(());
                }
                let gathers = row.get(&schema, "queued").as_bool() == Some(true)
                    && row.get(&schema, "worker").is_empty();
                if gathers && execution::runs(&schema, &row) {
                    open = Some((row, events));
                }
            }
            let Some((row, mut events)) = open else {
                new.trigger["count"] = json!(1);
                new.trigger["needed"] = json!(needed);
                new.trigger["events"] = json!([event]);
                new.batch = key;
                new.held_back = Some(if batch.count <= 1 { now } else { within });
                return self.put(tenant, &new).await;
            };
            events.push(event.clone());
            let count = events.len();
            let known = row.get(&schema, "gathered").as_int().unwrap_or(1);
            let mut trigger = new.trigger.clone();
            trigger["count"] = json!(count);
            trigger["needed"] = json!(needed);
            trigger["events"] = Json::Array(events);
            let mut set = vec![
                ("trigger", Value::Json(trigger)),
                ("gathered", (known + 1).into()),
            ];
            if let Some((subject, title)) = &new.subject {
                set.push(("record", subject.id.to_string().into()));
                set.push(("subject", some(&cut(title, 300))));
            }
            if u64::try_from(count).unwrap_or(u64::MAX) >= batch.count {
                set.push(("wake_at", now.into()));
            }
            let holds = log
                .is("queued", true)?
                .and(log.is("gathered", known)?)
                .and(log.is_empty("worker")?)
                .and(execution::is_open(&log)?);
            let commit = Commit {
                tenant,
                guards: vec![Guard::Exists {
                    name: LIMIT.to_owned(),
                    entity: log.ix,
                    id: row.id,
                    holds,
                }],
                writes: vec![log.update(row.id, set)?],
                ..Commit::default()
            };
            match records.store().commit(commit).await {
                Ok(_) => {
                    self.inner.bell.notify_one();
                    return Ok(());
                }
                // Another event joined it, or it was closed.
                Err(CommitError::Guard { .. } | CommitError::Retry) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Error::Conflict(ConflictKind::Busy))
    }

    /// Whether the time of a batch is over with less than it takes; it has ended then.
    pub(crate) async fn is_too_little(&self, held: &Held) -> Result<bool, Error> {
        let (count, needed) = (&held.trigger["count"], &held.trigger["needed"]);
        if held.begun || needed.is_null() || count.as_u64() >= needed.as_u64() {
            return Ok(false);
        }
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let set = vec![
            ("status", "SKIPPED".into()),
            ("error", format!("{count} of {needed} events").into()),
            ("queued", false.into()),
            ("wake_at", Value::Null),
            ("worker", Value::Null),
            ("lease_until", Value::Null),
            ("ended_at", records.now().into()),
        ];
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![self.holds(&log, held)?],
            writes: vec![log.update(held.id, set)?],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) | Err(CommitError::Guard { .. } | CommitError::Retry) => Ok(true),
            Err(error) => Err(refused(error)),
        }
    }
}

fn after(log: &Log<'_>, since: Timestamp) -> Result<Predicate, Error> {
    let operand = Operand::Compare(Order::GreaterOrEqual, Value::Time(since));
    Ok(Predicate::test(log.ix, log.field("created_at")?, operand))
}

fn events(schema: &Schema, row: &Snapshot) -> Vec<Json> {
    match row.get(schema, "trigger") {
        Value::Json(json) => json["events"].as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    }
}
