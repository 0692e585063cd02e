//! From a change to the executions it sets off.
//!
//! Follows the feed. What set a workflow off is known to the very value: the record as the change
//! left it and as it was before. An execution has an id made of workflow, record and change, so a
//! change that is looked at twice sets nothing off twice.

use std::sync::atomic::Ordering;

use futures::future::BoxFuture;
use opsflux_model::schema::Schema;
use opsflux_model::{FieldRight, Value};
use opsflux_records::feed::Reactor;
use opsflux_records::image::Image;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error};
use opsflux_store::FeedOp;
use opsflux_store::feed::Entry;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine};
use crate::execution::{Ended, NewExecution, Subject};
use crate::facts::Asked;
use crate::flow::{Event, OnRecord, Trigger};
use crate::log::Log;
use crate::published::{Active, derived};
use crate::{account, delivered, ending, execution};

/// Changes that lead to each other this often end there: a ring of workflows.
pub(crate) const MAX_DEPTH: u16 = 8;

/// What sets a workflow off.
pub(crate) struct Start<'a> {
    pub active: &'a Active,
    /// The id of the execution: made of what happened, so that it counts once.
    pub id: Uuid,
    /// Which of the triggers of the workflow.
    pub place: usize,
    /// The record it is about, and as it was before.
    pub record: Option<&'a Snapshot>,
    pub before: Option<&'a Snapshot>,
    pub trigger: Json,
    pub chain: Uuid,
    pub depth: u16,
    /// Whether what happened was itself set off by something.
    pub again: bool,
    /// Whether it is kept that the conditions did not hold: somebody asked for it by name.
    pub keeps_skipped: bool,
}

/// Begins executions.
pub(crate) struct Matching(pub Engine);

impl Reactor for Matching {
    fn name(&self) -> &'static str {
        "workflow"
    }

    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.0.heed_others(entries);
            for entry in entries {
                self.0.look_at(entry).await?;
            }
            self.0.overhear(entries).await?;
            Ok(())
        })
    }
}

impl Engine {
    /// Processes share one place in the feed, so another may have looked at entries this one never
    /// saw, a workflow's among them: what is known of workflows is then read again.
    fn heed_others(&self, entries: &[Entry]) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let seen = self.inner.seen.swap(last.pos, Ordering::Relaxed);
        if seen.checked_add(1) != Some(first.pos) {
            self.inner.published.forget_all();
        }
    }

    async fn look_at(&self, entry: &Entry) -> Result<(), Error> {
        let inner = &self.inner;
        if entry.entry.entity == "workflow" {
            inner.published.forget(entry.tenant);
        }
        match entry.entry.entity.as_str() {
            delivered::ENTITY => {
                self.delivery_moved(entry.tenant, entry.entry.record)
                    .await?;
                return self.work_moved(entry).await;
            }
            ending::JOB => return self.work_moved(entry).await,
            execution::ENTITY => return self.execution_moved(entry).await,
            account::SESSION => return self.session_moved(entry).await,
            _ => {}
        }
        if entry.entry.entity == crate::approval::DELEGATION {
            let moved = self.deputies_moved(entry.tenant, entry.entry.record, entry.entry.version);
            moved.await?;
        }
        let of_tenant = inner.published.of(&inner.records, entry.tenant).await?;
        let listening = of_tenant.of(&entry.entry.entity);
        if listening.is_empty() {
            return Ok(());
        }
        let schema = inner.records.schema();
        let Some(entity) = schema.find(&entry.entry.entity) else {
            return Ok(());
        };
        let state = schema.entity(entity).state_field();
        let state = state.map(|ix| schema.entity(entity).field(ix).name.as_str());
        let wanted: Vec<_> = listening
            .iter()
            .filter_map(|active| {
                let mut triggers = active.flow.triggers.iter().enumerate();
                let trigger = triggers.find_map(|(place, trigger)| match trigger {
                    Trigger::Record(on) if hears(on, entry, state) => Some((place, on)),
                    _ => None,
                });
                Some((active, trigger?))
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (record, version) = (entry.entry.record, entry.entry.version);
        let image = inner.records.image(entry.tenant, entity, record, version);
        // It is gone for good: nothing can be done with it.
        let Some(image) = image.await? else {
            return Ok(());
        };
        for (active, (place, on)) in wanted {
            if moved(&schema, &image, on, state) {
                self.begin(entry, &image, active, place, on).await?;
            }
        }
        Ok(())
    }

    async fn begin(
        &self,
        entry: &Entry,
        image: &Image,
        active: &Active,
        place: usize,
        on: &OnRecord,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let body = &entry.entry.body;
        let (tenant, record) = (entry.tenant, entry.entry.record);
        let chain = body.chain.unwrap_or(entry.entry.change);
        let cause = Cause {
            workflow: &active.name,
            chain,
            depth: body.depth,
        };
        let Some(caller) = self.act_as(tenant, active.owner, &cause).await? else {
            tracing::warn!(workflow = %active.id, "its owner may not act");
            return Ok(());
        };
        let ix = image.after.entity;
        // What the owner may not see sets nothing of his off.
        if !records.sees(&caller, ix, record).await? {
            return Ok(());
        }
        let schema = records.schema();
        let entity = schema.entity(ix);
        let known = |name: &&String| {
            let field = entity.find(name);
            field.is_some_and(|field| caller.access.may_refer(ix, field))
        };
        let changed: Vec<&String> = body.fields.iter().filter(known).collect();
        let trigger = json!({
            "type": on.event.name(),
            "event": format!("{}.{}", on.entity, on.event),
            "entity": on.entity, "record": record, "version": entry.entry.version,
            "changed": changed, "by": body.by, "at": entry.entry.at, "source": body.source,
        });
        let id = [active.id.as_bytes().as_slice(), record.as_bytes()].concat();
        let start = Start {
            active,
            id: derived(entry.entry.change, &id),
            place,
            record: Some(&image.after),
            before: image.before.as_ref(),
            trigger,
            chain,
            depth: body.depth,
            again: body.chain.is_some(),
            keeps_skipped: false,
        };
        self.start(&caller, start).await
    }

    /// Begins an execution when the conditions hold, nothing goes round in circles and its limits
    /// let it.
    pub(crate) async fn start(&self, caller: &Caller, start: Start<'_>) -> Result<(), Error> {
        let records = &self.inner.records;
        let active = start.active;
        let facts = json!({ "trigger": start.trigger });
        let asked = Asked {
            records,
            caller,
            record: start.record,
            before: start.before,
            facts: &facts,
        };
        let (conditions, ended) = match asked.judge(&active.flow.when).await {
            Ok(verdict) if verdict.holds => (verdict.told, None),
            Ok(verdict) if start.keeps_skipped => (verdict.told, Some(Ended::Skipped)),
            Ok(_) => return Ok(()),
            Err(Error::Invalid(errors)) => {
                let told = errors.first().map(|error| error.detail.clone());
                (Json::Null, told.map(Ended::Failed))
            }
            Err(error) => return Err(error),
        };
        if start.depth >= MAX_DEPTH {
            let chain = start.chain;
            tracing::warn!(workflow = %active.id, %chain, "changes lead to each other without end");
            return Ok(());
        }
        let tenant = caller.tenant();
        let schema = records.schema();
        if let Some(record) = start.record
            && start.again
            && self
                .was_here(tenant, start.chain, active.id, record.id)
                .await?
        {
            return Ok(());
        }
        let subject = start.record.map(|record| {
            let subject = Subject {
                entity: record.entity,
                id: record.id,
            };
            (subject, title(&schema, caller, record))
        });
        let new = NewExecution {
            subject,
            conditions,
            chain: start.chain,
            depth: start.depth,
            ended,
            ..NewExecution::of(
                start.id,
                active.id,
                active.version,
                active.owner,
                &active.flow,
                start.trigger,
            )
        };
        match active.flow.limits_of(start.place) {
            Some(limits) => self.admit(caller, new, limits).await,
            None => self.put(tenant, &new).await,
        }
    }

    /// Whether a workflow has worked on a record within one chain of changes: it does not again.
    async fn was_here(
        &self,
        tenant: i64,
        chain: Uuid,
        workflow: Uuid,
        record: Uuid,
    ) -> Result<bool, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, "execution")?;
        let wanted = log
            .is("chain", chain.to_string())?
            .and(log.is("workflow", workflow)?)
            .and(log.is("record", record.to_string())?);
        let found = self.inner.records.find(tenant, log.ix, wanted, 1).await?;
        Ok(!found.is_empty())
    }
}

/// Whether a trigger is about this kind of change.
pub(crate) fn hears(on: &OnRecord, entry: &Entry, state: Option<&str>) -> bool {
    let fields = &entry.entry.body.fields;
    let op = entry.entry.op;
    on.entity == entry.entry.entity
        && match on.event {
            Event::Created => op == FeedOp::Created,
            Event::Deleted => op == FeedOp::Deleted,
            Event::Restored => op == FeedOp::Restored,
            Event::Updated => {
                let any = on.changed.is_empty();
                op == FeedOp::Updated
                    && (any || on.changed.iter().any(|name| fields.contains(name)))
            }
            Event::StateChanged => {
                op == FeedOp::Updated
                    && state.is_some_and(|state| fields.iter().any(|field| field == state))
            }
        }
}

/// Whether the state came from and to what the trigger says.
pub(crate) fn moved(schema: &Schema, image: &Image, on: &OnRecord, state: Option<&str>) -> bool {
    let Some(state) = state.filter(|_| on.event == Event::StateChanged) else {
        return true;
    };
    let is_one = |list: &[String], record: Option<&Snapshot>| {
        let value = record.and_then(|record| record.get(schema, state).as_text());
        list.is_empty() || value.is_some_and(|value| list.iter().any(|one| one == value))
    };
    is_one(&on.from, image.before.as_ref()) && is_one(&on.to, Some(&image.after))
}

/// What a record is called: its title, a text; empty for who may not read it.
pub(crate) fn title(schema: &Schema, caller: &Caller, record: &Snapshot) -> String {
    let title = schema.entity(record.entity).title;
    let read = caller.access.field(record.entity, title) >= FieldRight::Read;
    match record.value(title) {
        Value::Text(text) if read => text.clone(),
        _ => String::new(),
    }
}
