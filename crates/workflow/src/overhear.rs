//! Telling those who listen of what happens to records.

use std::collections::BTreeSet;

use opsflux_model::schema::Schema;
use opsflux_model::{Condition, FieldIx, Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_records::image::Image;
use opsflux_records::rule::Snapshot;
use opsflux_store::feed::Entry;
use opsflux_store::{Commit, CommitError, FeedOp, Guard};
use serde_json::{Value as Json, json};

use crate::engine::{Cause, Engine};
use crate::execution::{self, refused, wake};
use crate::facts::Asked;
use crate::flow::{Event, OnRecord};
use crate::listening::ENTITY;
use crate::log::Log;
use crate::matching::{hears, moved};
use crate::published::text;

/// Waits told of one change.
const MOST: u32 = 1_000;

impl Engine {
    /// Tells those who listen of changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn overhear(&self, entries: &[Entry]) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let tenants: BTreeSet<i64> = entries.iter().map(|entry| entry.tenant).collect();
        for tenant in tenants {
            let of_tenant = || entries.iter().filter(|entry| entry.tenant == tenant);
            let names: BTreeSet<&str> = of_tenant()
                .map(|entry| entry.entry.entity.as_str())
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            let any = log.is_one_of("entity", &names)?;
            if self
                .inner
                .records
                .find(tenant, log.ix, any, 1)
                .await?
                .is_empty()
            {
                continue;
            }
            for entry in of_tenant() {
                self.tell_listeners(entry).await?;
            }
        }
        Ok(())
    }

    async fn tell_listeners(&self, entry: &Entry) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let tenant = entry.tenant;
        let Some(entity) = schema.find(&entry.entry.entity) else {
            return Ok(());
        };
        let any = log.is("entity", entry.entry.entity.as_str())?;
        if records
            .find(tenant, log.ix, any.clone(), 1)
            .await?
            .is_empty()
        {
            return Ok(());
        }
        let (record, version) = (entry.entry.record, entry.entry.version);
        let Some(image) = records.image(tenant, entity, record, version).await? else {
            return Ok(());
        };
        // Itself, and whatever it points at.
        let mut about = vec![Value::from(record.to_string())];
        for place in 0..schema.entity(entity).fields.len() {
            let value = image
                .after
                .value(FieldIx(u16::try_from(place).unwrap_or(u16::MAX)));
            about.extend(value.as_id().map(|id| Value::from(id.to_string())));
        }
        let about = Predicate::test(log.ix, log.field("record")?, Operand::OneOf(about));
        let rows = records.find(tenant, log.ix, any.and(about), MOST).await?;
        for row in rows {
            if row.get(&schema, "heard").is_empty() {
                self.tell_listener(entry, &image, &row).await?;
            }
        }
        Ok(())
    }

    async fn tell_listener(
        &self,
        entry: &Entry,
        image: &Image,
        row: &Snapshot,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let (tenant, log) = (entry.tenant, Log::of(&schema, ENTITY)?);
        let Some(wanted) = Wanted::of(&schema, row) else {
            return Ok(());
        };
        if !wanted.is_about(&schema, entry, image, row) {
            return Ok(());
        }
        let executions = Log::of(&schema, execution::ENTITY)?;
        let id = row.get(&schema, "execution").as_id().unwrap_or_default();
        let Some(of) = records.snapshot(tenant, executions.ix, id).await? else {
            return Ok(());
        };
        let workflows = Log::of(&schema, "workflow")?;
        let workflow = of.get(&schema, "workflow").as_id().unwrap_or_default();
        let named = records.snapshot(tenant, workflows.ix, workflow).await?;
        let cause = Cause {
            workflow: &named.map_or_else(String::new, |row| text(&schema, &row, "name")),
            chain: entry.entry.body.chain.unwrap_or(entry.entry.change),
            depth: entry.entry.body.depth,
        };
        let owner = of.get(&schema, "owner").as_id().unwrap_or_default();
        let Some(caller) = self.act_as(tenant, owner, &cause).await? else {
            return Ok(());
        };
        let entity = image.after.entity;
        if !records.sees(&caller, entity, entry.entry.record).await? {
            return Ok(());
        }
        let facts = json!({"trigger": match of.get(&schema, "trigger") {
            Value::Json(json) => json.clone(),
            _ => Json::Null,
        }});
        let asked = Asked {
            records,
            caller: &caller,
            record: Some(&image.after),
            before: image.before.as_ref(),
            facts: &facts,
        };
        let verdict = match asked.judge(&wanted.when).await {
            Ok(verdict) if verdict.holds => verdict,
            Ok(_) | Err(Error::Invalid(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let heard = json!({
            "entity": entry.entry.entity, "record": entry.entry.record,
            "version": entry.entry.version, "event": entry.entry.op.name(),
            "by": entry.entry.body.by, "at": entry.entry.at, "conditions": verdict.told,
            "timed_out": false,
        });
        let commit = Commit {
            tenant,
            guards: vec![
                Guard::Exists {
                    name: "execution.open".to_owned(),
                    entity: executions.ix,
                    id,
                    holds: execution::is_open(&executions)?,
                },
                Guard::Exists {
                    name: "listening.open".to_owned(),
                    entity: log.ix,
                    id: row.id,
                    holds: log.is_empty("heard")?,
                },
            ],
            writes: vec![
                log.update(row.id, vec![("heard", Value::Json(heard))])?,
                wake(&schema, id, records.now())?,
            ],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => {
                self.inner.bell.notify_one();
                Ok(())
            }
            // It has ended, or heard of it before.
            Err(CommitError::Guard { .. }) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }
}

/// What somebody listens for.
struct Wanted {
    event: Option<OnRecord>,
    link: Option<String>,
    when: Condition,
}

impl Wanted {
    fn of(schema: &Schema, row: &Snapshot) -> Option<Wanted> {
        let Value::Json(asked) = row.get(schema, "asked") else {
            return None;
        };
        let texts = |name: &str| {
            let list = asked[name].as_array().into_iter().flatten();
            list.filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let event = asked["event"].as_str().and_then(|name| {
            let found = Event::NAMES.iter().find(|(known, _)| *known == name);
            found.map(|(_, event)| OnRecord {
                entity: text(schema, row, "entity"),
                event: *event,
                changed: texts("changed"),
                from: texts("from"),
                to: texts("to"),
            })
        });
        Some(Wanted {
            event,
            link: asked["link"].as_str().map(str::to_owned),
            when: Condition::from_json(&asked["when"]).ok()?,
        })
    }

    fn is_about(&self, schema: &Schema, entry: &Entry, image: &Image, row: &Snapshot) -> bool {
        let about = match &self.link {
            None => Some(entry.entry.record),
            Some(link) => image.after.get(schema, link).as_id(),
        };
        let wanted = row.get(schema, "record").as_text();
        if about.map(|id| id.to_string()).as_deref() != wanted {
            return false;
        }
        let Some(on) = &self.event else {
            return !matches!(entry.entry.op, FeedOp::Deleted | FeedOp::Purged);
        };
        // What happened before is not what is waited for.
        let since = match row.get(schema, "created_at") {
            Value::Time(since) => *since,
            _ => return false,
        };
        let entity = schema.entity(image.after.entity);
        let state = entity
            .state_field()
            .map(|ix| entity.field(ix).name.as_str());
        entry.entry.at > since && hears(on, entry, state) && moved(schema, image, on, state)
    }
}
