//! Waiting for something to happen to records: a row for each wait, found by the record it is
//! about, told of by whoever follows the feed.
//!
//! Nothing is missed between looking and listening: the row is committed first, and only then is
//! the condition looked at once more.

use std::collections::BTreeSet;

use jiff::Timestamp;
use opsflux_model::schema::Schema;
use opsflux_model::{Condition, FieldIx, Operand, Predicate, Value};
use opsflux_records::image::Image;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error};
use opsflux_store::feed::Entry;
use opsflux_store::{Commit, CommitError, FeedOp, Guard, Write};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::course::{Course, Happened, Leaf, Open};
use crate::engine::{Cause, Engine};
use crate::execution::{self, Held, refused, wake};
use crate::facts::Asked;
use crate::flow::{Event, Flow, ListenStep, OnRecord, later};
use crate::log::Log;
use crate::matching::{hears, moved};
use crate::published::{derived, text};
use crate::step::{Outcome, Told};

/// Name of the entity.
pub(crate) const ENTITY: &str = "listening";
/// Waits told of one change.
const MOST: u32 = 1_000;

impl Engine {
    /// Begins to listen, or looks what was heard.
    pub(crate) async fn listen(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        step: &ListenStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let id = row_id(held.id, &open.place);
        let (until, looked) = match open.leaf {
            Leaf::Listening { until, looked } => (*until, *looked),
            _ => {
                let until = step.timeout.map(|span| later(now, span, &caller.time_zone));
                return self.begin_to_listen(held, open, step, until.flatten(), now);
            }
        };
        let Some(row) = records.snapshot(held.tenant, log.ix, id).await? else {
            // It had stopped, and somebody told it to go on.
            return self.begin_to_listen(held, open, step, until, now);
        };
        if let Value::Json(heard) = row.get(&schema, "heard") {
            return Ok(Outcome {
                told: Told {
                    output: heard.clone(),
                    ..Told::default()
                },
                ..Outcome::of(Happened::Done(heard.clone()))
            });
        }
        if until.is_some_and(|until| until <= now) {
            let output = json!({"timed_out": true, "event": "timed_out", "at": now});
            return Ok(Outcome {
                told: Told {
                    output: output.clone(),
                    ..Told::default()
                },
                ..Outcome::of(Happened::Expired(output))
            });
        }
        if !looked && let Some(record) = self.subject(caller, held).await? {
            let facts = held.facts();
            let asked = Asked {
                records,
                caller,
                record: Some(&record),
                before: None,
                facts: &facts,
            };
            match asked.judge(&step.when).await {
                Ok(verdict) if verdict.holds => {
                    let output = json!({
                        "event": "already", "record": record.id, "at": now, "timed_out": false,
                        "conditions": verdict.told,
                    });
                    return Ok(Outcome {
                        told: Told {
                            output: output.clone(),
                            ..Told::default()
                        },
                        ..Outcome::of(Happened::Done(output))
                    });
                }
                Ok(_) => {}
                Err(error @ Error::Invalid(_)) => {
                    let why = crate::told::words(&error);
                    return Ok(Outcome::failed(why, Json::Null));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::of(Happened::Waits(Leaf::Listening {
            until,
            looked: true,
        })))
    }

    fn begin_to_listen(
        &self,
        held: &Held,
        open: &Open<'_, '_>,
        step: &ListenStep,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let schema = self.inner.records.schema();
        let Some(subject) = held.subject else {
            let why = "there is no record to listen for".to_owned();
            return Ok(Outcome::failed(why, Json::Null));
        };
        let own = schema.entity(subject.entity).name.as_str();
        let entity = step.event.as_ref().map_or(own, |on| on.entity.as_str());
        if step.link.is_none() && entity != own {
            let why = format!("{entity} is another kind of record: link is needed");
            return Ok(Outcome::failed(why, Json::Null));
        }
        let log = Log::of(&schema, ENTITY)?;
        let values = vec![
            ("execution", held.id.into()),
            ("place", open.place.as_str().into()),
            ("entity", entity.into()),
            ("record", subject.id.to_string().into()),
            ("asked", Value::Json(written(step))),
        ];
        let row = log.insert(row_id(held.id, &open.place), now, values)?;
        let mut outcome = Outcome::of(Happened::Waits(Leaf::Listening {
            until,
            looked: step.event.is_some(),
        }));
        outcome.along.writes.push(row);
        outcome.told.input = written(step);
        outcome.told.output = json!({ "until": until });
        Ok(outcome)
    }

    /// The open steps that something was heard for.
    pub(crate) async fn heard(&self, held: &Held) -> Result<BTreeSet<String>, Error> {
        let mut over = BTreeSet::new();
        let open = held.course.open(&held.flow);
        let listening = |open: &&Open<'_, '_>| matches!(open.leaf, Leaf::Listening { .. });
        let records = &self.inner.records;
        let schema = records.schema();
        for open in open.iter().filter(listening) {
            let log = Log::of(&schema, ENTITY)?;
            let id = row_id(held.id, &open.place);
            let row = records.snapshot(held.tenant, log.ix, id).await?;
            if row.is_none_or(|row| !row.get(&schema, "heard").is_empty()) {
                over.insert(open.place.clone());
            }
        }
        Ok(over)
    }

    /// Ends the waits that a course no longer has.
    pub(crate) fn stop_listening(
        &self,
        held: Uuid,
        flow: &Flow,
        before: &Course,
        after: &Course,
    ) -> Result<Vec<Write>, Error> {
        let places = |course: &Course| {
            let open = course.open(flow);
            let listening = open.iter().filter_map(|open| match open.leaf {
                Leaf::Listening { .. } => Some(open.place.clone()),
                _ => None,
            });
            listening.collect::<BTreeSet<String>>()
        };
        let was = places(before);
        if was.is_empty() {
            return Ok(Vec::new());
        }
        let entity = Log::of(&self.inner.records.schema(), ENTITY)?.ix;
        let is = places(after);
        let gone = was.difference(&is).map(|place| Write::Remove {
            entity,
            id: row_id(held, place),
        });
        Ok(gone.collect())
    }

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

fn written(step: &ListenStep) -> Json {
    let mut json = json!({"when": step.when.to_json(), "link": step.link});
    if let Some(on) = &step.event {
        json["event"] = json!(on.event.name());
        json["entity"] = json!(on.entity);
        json["changed"] = json!(on.changed);
        json["from"] = json!(on.from);
        json["to"] = json!(on.to);
    }
    json
}

/// The row of a wait: made of the execution and the step.
fn row_id(execution: Uuid, place: &str) -> Uuid {
    derived(execution, [ENTITY, "\0", place].concat().as_bytes())
}
