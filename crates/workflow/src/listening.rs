//! Waiting for something to happen to records: a row for each wait, found by the record it is
//! about, told of by whoever follows the feed.
//!
//! Nothing is missed between looking and listening: the row is committed first, and only then is
//! the condition looked at once more.

use std::collections::BTreeSet;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::{Caller, Error};
use opsflux_store::Write;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::course::{Course, Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::Held;
use crate::facts::Asked;
use crate::flow::{Flow, ListenStep, later};
use crate::log::Log;
use crate::published::derived;
use crate::step::{Outcome, Told};

/// Name of the entity.
pub(crate) const ENTITY: &str = "listening";

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
