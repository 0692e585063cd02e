//! How many executions what happens begins: the same one once, so many in a time, one after the
//! other, and an end to what does not end by itself.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use opsflux_model::schema::Schema;
use opsflux_model::{Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error};
use opsflux_store::{Commit, CommitError, Guard};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::engine::Engine;
use crate::execution::{self, ENTITY, Ended, Held, NewExecution, refused, wake};
use crate::flow::{Excess, Limits};
use crate::log::Log;
use crate::pause::Why;
use crate::published::derived;
use crate::scope::{self, Scene};
use crate::template;

/// Name of the guards that hold the limits.
pub(crate) const LIMIT: &str = "workflow.limit";
/// Executions of one workflow about one record in a minute: more is a ring nobody wanted.
const BURST: u32 = 30;
/// Records whose executions are counted at a time.
const COUNTED: usize = 20_000;
/// How long one that waits for its turn waits until it looks itself.
const TURN: SignedDuration = SignedDuration::from_secs(30);
/// Executions with one key that are looked at.
const MOST: u32 = 500;
/// Longest key; longer ones are told apart by their hash.
const MAX_KEY: usize = 100;

/// Executions of this minute by workflow and record.
#[derive(Default)]
pub(crate) struct Counted {
    minute: i64,
    of: HashMap<(Uuid, Uuid), u32>,
}

impl Counted {
    /// How many there are in this minute with one more.
    pub fn one_more(&mut self, of: (Uuid, Uuid), now: Timestamp) -> u32 {
        let minute = now.as_second() / 60;
        if minute != self.minute || self.of.len() >= COUNTED {
            self.minute = minute;
            self.of.clear();
        }
        let count = self.of.entry(of).or_default();
        *count += 1;
        *count
    }
}

/// Keys of one execution, filled in.
type Keys = BTreeMap<&'static str, String>;

impl Engine {
    /// Begins an execution as far as the limits of what set it off let it.
    pub(crate) async fn admit(
        &self,
        caller: &Caller,
        mut new: NewExecution<'_>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let tenant = caller.tenant();
        if new.ended.is_some() {
            return self.put(tenant, &new).await;
        }
        let now = self.inner.records.now();
        if let Some((subject, _)) = &new.subject {
            let of = (new.workflow, subject.id);
            let count = self.inner.counted.lock().one_more(of, now);
            if count > BURST {
                return self.pause(caller, new.workflow, Why::Burst).await;
            }
        }
        let keys = match self.keys(caller, &new, limits).await? {
            Ok(keys) => keys,
            Err(why) => {
                new.ended = Some(Ended::Failed(why));
                return self.put(tenant, &new).await;
            }
        };
        if let Some(batch) = &limits.batch {
            let key = keys.get("batch.key").map_or("", String::as_str);
            return self.gather(caller, new, batch, key, now).await;
        }
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let of_it = log.is("workflow", new.workflow)?;
        let mut guards = Vec::new();
        let mut most = |filter: Predicate, max: u64| {
            guards.push(Guard::Count {
                name: LIMIT.to_owned(),
                entity: log.ix,
                filter,
                min: None,
                max: Some(max),
            });
        };
        let since = |span| {
            let zone = &caller.time_zone;
            let since = now.to_zoned(zone.clone()).checked_sub(span).ok();
            let since = since.map_or(now, |since| since.timestamp());
            log.is_after("created_at", since)
        };
        if let Some(throttle) = &limits.throttle {
            let begun = opsflux_model::predicate::negate(log.is("status", "SKIPPED")?);
            let filter = of_it.clone().and(since(throttle.per)?).and(begun);
            most(filter, throttle.count.saturating_sub(1));
        }
        if let Some(once) = &limits.once {
            let key = keys.get("once.key").cloned().unwrap_or_default();
            let same = log.is("once_key", key.as_str())?;
            most(of_it.clone().and(same).and(since(once.within)?), 0);
            new.once_key = key;
        }
        if let Some(slot) = &limits.slot {
            let key = keys.get("concurrency.key").cloned();
            new.slot = key.unwrap_or_else(|| "*".to_owned());
            let same = of_it.and(log.is("slot", new.slot.as_str())?);
            let open = same.and(execution::is_open(&log)?);
            match slot.excess {
                Excess::Queue => new.held_back = Some(now),
                Excess::Drop => most(open, 0),
                Excess::Latest => {
                    new.held_back = Some(now);
                    self.stop_all(tenant, open.and(log.is("queued", true)?), new.id)
                        .await?;
                }
                Excess::Cancel => self.stop_all(tenant, open, new.id).await?,
            }
        }
        self.put_under(tenant, &new, guards).await
    }

    /// Ends executions that make way for another.
    async fn stop_all(&self, tenant: i64, which: Predicate, but: Uuid) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        for row in self.inner.records.find(tenant, log.ix, which, MOST).await? {
            if row.id == but {
                continue;
            }
            match self.cancel(tenant, row.id).await {
                // It ended by itself.
                Ok(()) | Err(Error::Conflict(ConflictKind::Guard { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Stores a new execution, unless it is there.
    pub(crate) async fn put(&self, tenant: i64, new: &NewExecution<'_>) -> Result<(), Error> {
        self.put_under(tenant, new, Vec::new()).await
    }

    async fn put_under(
        &self,
        tenant: i64,
        new: &NewExecution<'_>,
        guards: Vec<Guard>,
    ) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let commit = Commit {
            tenant,
            guards,
            writes: new.rows(&schema, self.inner.records.now())?,
            ..Commit::default()
        };
        match self.inner.records.store().commit(commit).await {
            Ok(_) => {
                self.inner.bell.notify_one();
                Ok(())
            }
            // It was begun before, or is too much, or the workflow is gone.
            Err(CommitError::Unique { .. } | CommitError::Link { .. }) => Ok(()),
            Err(CommitError::Guard { name }) if name == LIMIT => {
                tracing::debug!(workflow = %new.workflow, "more than its limits let through");
                Ok(())
            }
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(_) => Err(Error::Conflict(ConflictKind::Busy)),
        }
    }

    async fn keys(
        &self,
        caller: &Caller,
        new: &NewExecution<'_>,
        limits: &Limits,
    ) -> Result<Result<Keys, String>, Error> {
        let mut keys = Keys::new();
        for (at, written) in limits.texts() {
            let written = json!(written);
            let mut names = std::collections::BTreeSet::new();
            if let Err((_, why)) = template::names(&written, at, &mut names) {
                return Ok(Err(format!("{at}: {why}")));
            }
            let nothing = Map::new();
            let scene = Scene {
                subject: new.subject.as_ref().map(|(subject, _)| *subject),
                title: new.subject.as_ref().map_or("", |(_, title)| title),
                trigger: &new.trigger,
                outputs: &nothing,
                workflow: new.workflow,
                name: "",
                execution: new.id,
                place: "",
                items: &[],
            };
            let scope = scope::of(&self.inner.records, caller, &scene, &names).await?;
            match scope.fill_all(&written) {
                Ok(Json::String(key)) => keys.insert(at, short(key)),
                Ok(other) => keys.insert(at, short(other.to_string())),
                Err(why) => return Ok(Err(format!("{at}: {why}"))),
            };
        }
        Ok(Ok(keys))
    }

    /// Whether an execution has to wait for others with its key; it is let go of then.
    pub(crate) async fn waits_for_its_turn(&self, held: &Held) -> Result<bool, Error> {
        if held.begun || held.slot.is_empty() {
            return Ok(false);
        }
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let open = log
            .is("workflow", held.workflow)?
            .and(log.is("slot", held.slot.as_str())?)
            .and(execution::is_open(&log)?);
        let rows = records.find(held.tenant, log.ix, open, MOST).await?;
        let mine = rows.iter().find(|row| row.id == held.id);
        let mine = mine.map(|row| age(&schema, row));
        let before = rows.iter().any(|row| {
            let queued = row.get(&schema, "queued").as_bool() == Some(true);
            row.id != held.id && (!queued || Some(age(&schema, row)) < mine)
        });
        if !before {
            return Ok(false);
        }
        let now = records.now();
        let set = vec![
            ("status", "WAITING".into()),
            ("wake_at", now.checked_add(TURN).unwrap_or(now).into()),
            ("worker", Value::Null),
            ("lease_until", Value::Null),
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

    /// An execution has ended: the next one with its key has its turn.
    pub(crate) async fn next_in_turn(&self, tenant: i64, row: &Snapshot) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let Some(slot) = row.get(&schema, "slot").as_text() else {
            return Ok(());
        };
        let log = Log::of(&schema, ENTITY)?;
        let workflow = row.get(&schema, "workflow").as_id().unwrap_or_default();
        let queued = log
            .is("workflow", workflow)?
            .and(log.is("slot", slot)?)
            .and(log.is("queued", true)?)
            .and(execution::is_open(&log)?);
        let rows = records.find(tenant, log.ix, queued, MOST).await?;
        let Some(next) = rows.iter().min_by_key(|row| age(&schema, row)) else {
            return Ok(());
        };
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: LIMIT.to_owned(),
                entity: log.ix,
                id: next.id,
                holds: log.is("queued", true)?.and(execution::is_open(&log)?),
            }],
            writes: vec![wake(&schema, next.id, records.now())?],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => self.inner.bell.notify_one(),
            Err(CommitError::Guard { .. }) => {}
            Err(error) => return Err(refused(error)),
        }
        Ok(())
    }
}

/// The order in which executions were begun.
fn age(schema: &Schema, row: &Snapshot) -> (Timestamp, Uuid) {
    match row.get(schema, "created_at") {
        Value::Time(at) => (*at, row.id),
        _ => (Timestamp::MAX, row.id),
    }
}

/// A key as it is stored.
fn short(key: String) -> String {
    if key.chars().count() <= MAX_KEY {
        return key;
    }
    derived(Uuid::nil(), key.as_bytes()).to_string()
}
