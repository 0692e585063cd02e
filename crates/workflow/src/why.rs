//! Why a workflow did not start for a record: every question that is asked before it does, asked
//! again of the record's last change, with what was found.
//!
//! Whoever owns the workflow may ask, and administrators: the answers are what its owner may see.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::schema::Schema;
use opsflux_model::{Action as Right, Value};
use opsflux_records::image::Image;
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error, GetRequest};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine};
use crate::execution::{self, ENTITY};
use crate::facts::Asked;
use crate::flow::{self, Event, Flow, Limits, OnRecord, Trigger};
use crate::log::Log;
use crate::published::{content, text};

/// Executions for the record that are named.
const NAMED: u32 = 20;

/// The answers, in the order they are asked.
#[derive(Default)]
struct Answers(Vec<Json>);

impl Answers {
    fn add(&mut self, check: &str, holds: bool, found: Json) {
        let answer = json!({"check": check, "holds": holds, "found": found});
        self.0.push(answer);
    }
}

impl Engine {
    /// The operation that answers.
    pub(crate) fn why_operations(&self) -> Vec<Operation> {
        let schema = self.inner.records.schema();
        let view = schema
            .find("workflow")
            .map_or(Needs::Admin, |ix| Needs::Permission(ix, Right::View));
        let engine = self.clone();
        let parameter = |name: &str, what: &str| {
            let schema = json!({"type": "string"});
            (name.to_owned(), schema, what.to_owned())
        };
        vec![Operation {
            name: "workflow_why".to_owned(),
            method: Method::GET,
            path: "/workflows/{id}/why".to_owned(),
            summary: "Why a workflow starts, or does not, for a record and its last change"
                .to_owned(),
            tag: "workflows".to_owned(),
            needs: view,
            query: vec![
                parameter(
                    "entity",
                    "What kind of record; that of the trigger when absent",
                ),
                parameter("record", "Its id or number"),
            ],
            input: None,
            output: (
                StatusCode::OK,
                Some((
                    "application/json".to_owned(),
                    json!({
                        "type": "object", "required": ["starts", "checks", "executions"],
                        "properties": {
                            "starts": {"type": "boolean"},
                            "checks": {"type": "array", "items": {
                                "type": "object", "required": ["check", "holds", "found"],
                                "properties": {
                                    "check": {"enum": [
                                        "status", "owner", "sight", "trigger", "conditions",
                                        "chain", "limits",
                                    ]},
                                    "holds": {"type": "boolean"}, "found": {},
                                },
                            }},
                            "executions": {"type": "array", "items": {"type": "object"}},
                        },
                    }),
                )),
            ),
            problems: vec![StatusCode::UNPROCESSABLE_ENTITY],
            handler: Arc::new(move |call| {
                let engine = engine.clone();
                Box::pin(async move { engine.why(&call).await })
            }),
        }]
    }

    async fn why(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, _, row) = self.workflow(call).await?;
        let records = &self.inner.records;
        let schema = records.schema();
        let owner = row.get(&schema, "owner").as_id().unwrap_or(caller.user());
        if owner != caller.user() && !caller.access.is_admin() {
            let (action, entity) = ("explain".to_owned(), "workflow".to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let flow = flow::read(&content(&schema, &row))
            .map_err(|mistakes| Error::Invalid(mistakes.into_iter().map(Into::into).collect()))?;
        let word = |name: &str| {
            let found = call.query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        let of_trigger = flow.triggers.iter().find_map(Trigger::entity);
        let entity = word("entity").or(of_trigger).unwrap_or_default();
        let ix = schema.find(entity);
        let ix = ix.ok_or_else(|| bad("entity", "unknown_entity", entity))?;
        let named = word("record").unwrap_or_default();
        let found = records
            .get(&caller, ix, named, &GetRequest::default())
            .await;
        let found = match found {
            Ok(found) => found,
            Err(Error::NotFound) => return Err(bad("record", "not_found", named)),
            Err(error) => return Err(error),
        };
        let tenant = caller.tenant();
        let now = records.snapshot(tenant, ix, found.id).await?;
        let version = now.as_ref().map_or(1, |now| now.version);
        let image = records.image(tenant, ix, found.id, version).await?;
        let image = image.ok_or(Error::NotFound)?;
        let mut answers = Answers::default();
        let status = text(&schema, &row, "status");
        let reason = text(&schema, &row, "paused_reason");
        answers.add(
            "status",
            status == "ACTIVE",
            json!({"status": status, "paused_reason": reason}),
        );
        let name = text(&schema, &row, "name");
        let cause = Cause {
            workflow: &name,
            chain: row.id,
            depth: 0,
        };
        let acting = self.act_as(tenant, owner, &cause).await?;
        answers.add("owner", acting.is_some(), json!(owner));
        if let Some(acting) = acting {
            let sees = records.sees(&acting, ix, found.id).await?;
            answers.add("sight", sees, Json::Null);
            self.ask_on(&acting, &row, &flow, &image, &mut answers)
                .await?;
        }
        let holds = |answer: &Json| answer["holds"] == true;
        let told = json!({
            "starts": answers.0.iter().all(holds),
            "checks": answers.0,
            "executions": self.executions_for(tenant, row.id, found.id).await?,
        });
        Ok(Reply::json(told.to_string().into_bytes()))
    }

    async fn ask_on(
        &self,
        acting: &Caller,
        row: &Snapshot,
        flow: &Flow,
        image: &Image,
        answers: &mut Answers,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let (mut matched, mut told) = (None, Vec::new());
        for (place, trigger) in flow.triggers.iter().enumerate() {
            let (holds, why) = heard(&schema, trigger, image);
            if holds && matched.is_none() {
                matched = Some(place);
            }
            told.push(json!({"place": place, "holds": holds, "why": why}));
        }
        let change = json!({
            "version": image.after.version,
            "changed": changed(&schema, image),
            "triggers": told,
        });
        answers.add("trigger", matched.is_some(), change);
        let facts = json!({"trigger": {}});
        let asked = Asked {
            records,
            caller: acting,
            record: Some(&image.after),
            before: image.before.as_ref(),
            facts: &facts,
        };
        match asked.judge(&flow.when).await {
            Ok(verdict) => answers.add("conditions", verdict.holds, verdict.told),
            Err(error @ Error::Invalid(_)) => {
                answers.add("conditions", false, json!(crate::told::words(&error)));
            }
            Err(error) => return Err(error),
        }
        let tenant = acting.tenant();
        let chain = self.chain_of(tenant, &schema, image).await?;
        let again = match &chain {
            // It had worked on the record before, within what one first cause set off.
            Some(chain) => self.was_in(tenant, row.id, image.after.id, chain).await?,
            None => false,
        };
        answers.add("chain", !again, json!({ "chain": chain }));
        if let Some(limits) = matched.and_then(|place| flow.limits_of(place)) {
            let (holds, found) = self.room(acting, row.id, limits).await?;
            answers.add("limits", holds, found);
        }
        Ok(())
    }

    /// The chain that the last change was part of.
    async fn chain_of(
        &self,
        tenant: i64,
        schema: &Schema,
        image: &Image,
    ) -> Result<Option<String>, Error> {
        let log = Log::of(schema, "audit_entry")?;
        let entity = schema.entity(image.after.entity).name.as_str();
        let wanted = log
            .is("entity", entity)?
            .and(log.is("record", image.after.id.to_string())?)
            .and(log.is("record_version", image.after.version)?);
        let found = self.inner.records.find(tenant, log.ix, wanted, 1).await?;
        let chain = found
            .first()
            .and_then(|row| row.get(schema, "chain").as_text());
        Ok(chain.map(str::to_owned))
    }

    async fn was_in(
        &self,
        tenant: i64,
        workflow: Uuid,
        record: Uuid,
        chain: &str,
    ) -> Result<bool, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let wanted = log
            .is("chain", chain)?
            .and(log.is("workflow", workflow)?)
            .and(log.is("record", record.to_string())?);
        let found = self.inner.records.find(tenant, log.ix, wanted, 1).await?;
        Ok(!found.is_empty())
    }

    /// Whether limits that do not depend on the event have room now.
    async fn room(
        &self,
        acting: &Caller,
        workflow: Uuid,
        limits: &Limits,
    ) -> Result<(bool, Json), Error> {
        let Some(throttle) = &limits.throttle else {
            return Ok((true, Json::Null));
        };
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let now = records.now().to_zoned(acting.time_zone.clone());
        let since = now.checked_sub(throttle.per).unwrap_or(now).timestamp();
        let begun = opsflux_model::predicate::negate(log.is("status", "SKIPPED")?);
        let wanted = log
            .is("workflow", workflow)?
            .and(log.is_after("created_at", since)?)
            .and(begun);
        let most = u32::try_from(throttle.count).unwrap_or(u32::MAX);
        let found = records.find(acting.tenant(), log.ix, wanted, most).await?;
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let told = json!({"executions": count, "most": throttle.count, "since": since});
        Ok((count < throttle.count, told))
    }

    async fn executions_for(
        &self,
        tenant: i64,
        workflow: Uuid,
        record: Uuid,
    ) -> Result<Vec<Json>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let wanted = log
            .is("workflow", workflow)?
            .and(log.is("record", record.to_string())?);
        let found = self
            .inner
            .records
            .find(tenant, log.ix, wanted, NAMED)
            .await?;
        let one = |row: &Snapshot| {
            let at = match row.get(&schema, "created_at") {
                Value::Time(at) => json!(at),
                _ => Json::Null,
            };
            json!({
                "id": row.id, "status": text(&schema, row, "status"), "created_at": at,
                "open": execution::runs(&schema, row),
            })
        };
        Ok(found.iter().map(one).collect())
    }
}

fn bad(parameter: &str, code: &'static str, detail: &str) -> Error {
    Error::field(parameter, code, detail)
}

/// The fields the last change touched.
fn changed(schema: &Schema, image: &Image) -> Vec<String> {
    let Some(before) = &image.before else {
        return Vec::new();
    };
    let fields = schema.entity(image.after.entity).fields.iter();
    fields
        .filter(|field| before.get(schema, &field.name) != image.after.get(schema, &field.name))
        .map(|field| field.name.clone())
        .collect()
}

/// Whether a trigger is about the record's last change, and why not.
fn heard(schema: &Schema, trigger: &Trigger, image: &Image) -> (bool, &'static str) {
    let entity = schema.entity(image.after.entity).name.as_str();
    if trigger.entity().is_some_and(|wanted| wanted != entity) {
        return (false, "other_entity");
    }
    match trigger {
        Trigger::Record(on) => of_record(schema, on, image),
        Trigger::Clock(_) | Trigger::Moment(_) => (false, "by_the_clock"),
        Trigger::Manual { .. } | Trigger::Called { .. } => (false, "by_hand"),
        Trigger::Hook(_) => (false, "by_another_system"),
        Trigger::Before { .. } => (false, "while_saving"),
        Trigger::Account { .. } | Trigger::Trouble => (false, "not_this_event"),
    }
}

fn of_record(schema: &Schema, on: &OnRecord, image: &Image) -> (bool, &'static str) {
    let is_new = image.before.is_none();
    let changed = changed(schema, image);
    let entity = schema.entity(image.after.entity);
    let state = entity
        .state_field()
        .map(|ix| entity.field(ix).name.as_str());
    match on.event {
        Event::Created if is_new => (true, ""),
        Event::Updated if !is_new => {
            let any = on.changed.is_empty();
            match any || on.changed.iter().any(|name| changed.contains(name)) {
                true => (true, ""),
                false => (false, "not_changed"),
            }
        }
        Event::StateChanged if !is_new => {
            let moves = state.is_some_and(|state| changed.iter().any(|name| name == state));
            match moves && crate::matching::moved(schema, image, on, state) {
                true => (true, ""),
                false => (false, "state_not_moved"),
            }
        }
        _ => (false, "not_this_event"),
    }
}
