//! What HTTP serves besides the entities: the paths of the CRM's specification, deciding, and what
//! the editor is drawn from.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::Action as Right;
use opsflux_model::schema::EntityIx;
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::rule::Snapshot;
use opsflux_records::write::WriteOptions;
use opsflux_records::{Caller, Error, FieldError, GetRequest};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::action;
use crate::approval::{self, Decision, Via, Vote};
use crate::engine::{Cause, Engine};
use crate::execution::{self, Ended, NewExecution, Subject};
use crate::facts::Asked;
use crate::flow;
use crate::log::Log;
use crate::matching::title;
use crate::published::{CONTENT, content, text, version_id};
use crate::stats;

const JSON: &str = "application/json";

impl Engine {
    /// The operations of workflows, executions and approvals.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let any = || json!({"type": "object"});
        let workflow = || json!({"$ref": "#/components/schemas/Workflow"});
        let entity = |name: &str| self.inner.records.schema().find(name);
        let needs = |name: &str, right| match entity(name) {
            Some(ix) => Needs::Permission(ix, right),
            None => Needs::Admin,
        };
        let conflict = || vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
        let flag = json!({
            "type": "object", "additionalProperties": false,
            "properties": {"active": {"type": ["boolean", "null"]}},
        });
        let target = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "entity": {"type": ["string", "null"]}, "record_id": {"type": ["string", "null"]},
                "organisation_id": {"type": ["string", "null"]},
            },
        });
        let said = json!({
            "type": "object", "additionalProperties": false,
            "properties": {"comment": {"type": ["string", "null"], "maxLength": 4000}},
        });
        let whole = json!({"$ref": "#/components/schemas/WorkflowCreate"});
        let one = |engine: &Engine, name, method, path, summary, needs, input, output| Made {
            engine: engine.clone(),
            name,
            method,
            path,
            summary,
            needs,
            input,
            output,
            problems: conflict(),
        };
        let edit = || needs("workflow", Right::Edit);
        let view = || needs("workflow", Right::View);
        let mut all = self.ready_operations();
        all.extend(self.retry_operations());
        all.extend(self.link_operations());
        all.extend(self.hook_operations());
        all.extend(self.why_operations());
        all.extend([
            one(
                self,
                "workflow_replace",
                Method::PUT,
                "/workflows/{id}",
                "Says anew what a workflow is; one in force does it from now on",
                edit(),
                Some(whole),
                Some(workflow()),
            )
            .by(|engine, call| Box::pin(async move { engine.replace(&call).await })),
            one(
                self,
                "workflow_activate",
                Method::POST,
                "/workflows/{id}/activate",
                "Puts a workflow in force, or takes it out; without a body the other way round",
                edit(),
                Some(flag),
                Some(workflow()),
            )
            .by(|engine, call| Box::pin(async move { engine.activate(&call).await })),
            one(
                self,
                "workflow_execute",
                Method::POST,
                "/workflows/{id}/execute",
                "Runs a workflow for a record, whatever sets it off otherwise",
                edit(),
                Some(target),
                Some(json!({"$ref": "#/components/schemas/Execution"})),
            )
            .by(|engine, call| Box::pin(async move { engine.execute(&call).await })),
            one(
                self,
                "workflow_execution",
                Method::GET,
                "/workflows/{id}/executions/{execution_id}",
                "One execution with its steps",
                view(),
                None,
                Some(any()),
            )
            .by(|engine, call| Box::pin(async move { engine.execution(&call).await })),
            one(
                self,
                "workflow_stats",
                Method::GET,
                "/workflows/{id}/stats",
                "How often it ran, and how it ended",
                view(),
                None,
                Some(stats::schema()),
            )
            .by(|engine, call| Box::pin(async move { engine.stats(&call).await })),
            one(
                self,
                "workflow_actions",
                Method::GET,
                "/workflows/actions/list",
                "What a step can do, and what it is given",
                view(),
                None,
                Some(json!({"type": "object"})),
            )
            .by(|engine, _| {
                Box::pin(async move {
                    let actions = action::described(&engine.inner.actions);
                    let triggers = crate::offered::triggers();
                    let steps = crate::offered::steps();
                    Ok(reply(&json!({
                        "items": actions, "triggers": triggers, "steps": steps,
                    })))
                })
            }),
            one(
                self,
                "execution_cancel",
                Method::POST,
                "/executions/{id}/cancel",
                "Ends an execution; what people are asked by it is taken back",
                edit(),
                None,
                None,
            )
            .by(|engine, call| Box::pin(async move { engine.cancelled(&call).await })),
            one(
                self,
                "approval_approve",
                Method::POST,
                "/approvals/{id}/approve",
                "Agrees",
                needs("approval", Right::View),
                Some(said.clone()),
                Some(json!({"$ref": "#/components/schemas/Approval"})),
            )
            .by(|engine, call| {
                Box::pin(async move { engine.decide(&call, Decision::Approve).await })
            }),
            one(
                self,
                "approval_reject",
                Method::POST,
                "/approvals/{id}/reject",
                "Refuses",
                needs("approval", Right::View),
                Some(said),
                Some(json!({"$ref": "#/components/schemas/Approval"})),
            )
            .by(|engine, call| {
                Box::pin(async move { engine.decide(&call, Decision::Reject).await })
            }),
        ]);
        all
    }

    /// A workflow the caller may see, with the answer to whether he may change it.
    pub(crate) async fn workflow(
        &self,
        call: &Call,
    ) -> Result<(Caller, EntityIx, Snapshot), Error> {
        let caller = call.caller()?.clone();
        let records = &self.inner.records;
        let schema = records.schema();
        let ix = Log::of(&schema, "workflow")?.ix;
        let found = records
            .get(&caller, ix, call.path(0), &GetRequest::default())
            .await?;
        let row = records.snapshot(caller.tenant(), ix, found.id).await?;
        Ok((caller, ix, row.ok_or(Error::NotFound)?))
    }

    pub(crate) async fn may_edit(
        &self,
        caller: &Caller,
        ix: EntityIx,
        id: Uuid,
    ) -> Result<bool, Error> {
        let found = self.answer(caller, ix, id).await;
        let body: Json = match found {
            Ok(body) => serde_json::from_slice(&body).unwrap_or_default(),
            Err(Error::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(body["can"]["edit"] == true)
    }

    pub(crate) async fn answer(
        &self,
        caller: &Caller,
        entity: EntityIx,
        id: Uuid,
    ) -> Result<Vec<u8>, Error> {
        let (id, request) = (id.to_string(), GetRequest::default());
        let found = self.inner.records.get(caller, entity, &id, &request);
        Ok(found.await?.body)
    }

    async fn replace(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, ix, row) = self.workflow(call).await?;
        let mut body = call.object()?;
        // What is not said is not there: this is the whole of it.
        for name in CONTENT.iter().chain(["description", "priority"].iter()) {
            body.entry((*name).to_owned()).or_insert(Json::Null);
        }
        let priority = body.get("priority").is_some_and(Json::is_null);
        if priority {
            body.remove("priority");
        }
        let id = row.id.to_string();
        let options = WriteOptions::default();
        let written = self
            .inner
            .records
            .update(&caller, ix, &id, body, &options)
            .await?;
        Ok(Reply::json(written.body))
    }

    async fn activate(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, ix, row) = self.workflow(call).await?;
        let schema = self.inner.records.schema();
        let is_active = row.get(&schema, "status").as_text() == Some("ACTIVE");
        let body = said(call)?;
        if let Some(unknown) = body.keys().find(|key| *key != "active") {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let wanted = match body.get("active") {
            None | Some(Json::Null) => !is_active,
            Some(Json::Bool(active)) => *active,
            Some(_) => return Err(Error::field("active", "wrong_type", "true or false")),
        };
        let status = if wanted { "ACTIVE" } else { "INACTIVE" };
        let patch = Map::from_iter([("status".to_owned(), json!(status))]);
        let id = row.id.to_string();
        let options = WriteOptions::default();
        let written = self
            .inner
            .records
            .update(&caller, ix, &id, patch, &options)
            .await?;
        self.inner.published.forget(caller.tenant());
        Ok(Reply::json(written.body))
    }

    async fn execute(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, ix, row) = self.workflow(call).await?;
        let records = &self.inner.records;
        let schema = records.schema();
        // It acts with its owner's rights: only he, or who has them all, says for what.
        let owner = row.get(&schema, "owner").as_id().unwrap_or(caller.user());
        let may = owner == caller.user() || caller.access.is_admin();
        if !may || !self.may_edit(&caller, ix, row.id).await? {
            let (action, entity) = ("execute".to_owned(), "workflow".to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let body = said(call)?;
        let unknown = body
            .keys()
            .find(|key| !["entity", "record_id", "organisation_id"].contains(&key.as_str()));
        if let Some(unknown) = unknown {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let wrong = body
            .iter()
            .find(|(_, value)| !value.is_string() && !value.is_null());
        if let Some((key, _)) = wrong {
            return Err(Error::field(key, "wrong_type", "a text"));
        }
        let written = content(&schema, &row);
        let flow = flow::read(&written).map_err(|mistakes| {
            Error::Invalid(mistakes.into_iter().map(FieldError::from).collect())
        })?;
        let change = records.new_id();
        let name = text(&schema, &row, "name");
        let cause = Cause {
            workflow: &name,
            chain: change,
            depth: 0,
        };
        let acting = self.act_as(caller.tenant(), owner, &cause).await?;
        let acting = acting.ok_or_else(|| Error::field("owner", "inactive", ""))?;
        let subject = self.target(&caller, &flow, &body).await?;
        let mut named = None;
        if let Some((subject, snapshot)) = &subject {
            if !records.sees(&acting, subject.entity, subject.id).await? {
                return Err(Error::field("record_id", "not_found", ""));
            }
            named = Some((*subject, title(&schema, &acting, snapshot)));
        }
        let trigger = json!({
            "type": "manual", "by": caller.user(), "at": records.now(),
            "entity": named.as_ref().map(|(subject, _)| schema.entity(subject.entity).name.clone()),
            "record": named.as_ref().map(|(subject, _)| subject.id),
        });
        let facts = json!({ "trigger": trigger });
        let asked = Asked {
            records,
            caller: &acting,
            record: subject.as_ref().map(|(_, snapshot)| snapshot),
            before: None,
            facts: &facts,
        };
        // Without a record there is nothing of one to ask.
        let verdict = match subject.is_some() || flow.when.is_trivial() {
            true => Some(asked.judge(&flow.when).await?),
            false => asked.judge(&flow.when).await.ok(),
        };
        let ended = match &verdict {
            Some(verdict) if !verdict.holds => Some(Ended::Skipped),
            _ => None,
        };
        let version = version_id(row.id, row.get(&schema, "revision").as_int().unwrap_or(0));
        let new = NewExecution {
            subject: named,
            conditions: verdict.map_or(Json::Null, |verdict| verdict.told),
            ended,
            ..NewExecution::of(change, row.id, version, owner, &flow, trigger)
        };
        self.put(caller.tenant(), &new).await?;
        let log = Log::of(&schema, execution::ENTITY)?;
        let body = self.answer(&caller, log.ix, change).await?;
        Ok(Reply::json(body).with_status(StatusCode::CREATED))
    }

    /// The record to run for, which the caller must see.
    async fn target(
        &self,
        caller: &Caller,
        flow: &flow::Flow,
        body: &Map<String, Json>,
    ) -> Result<Option<(Subject, Snapshot)>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let word = |key: &str| body.get(key).and_then(Json::as_str);
        let triggers = flow.triggers.iter().find_map(flow::Trigger::entity);
        let (entity, id, key) = match (word("organisation_id"), word("record_id")) {
            (Some(id), None) => ("organisation", id, "organisation_id"),
            (None, Some(id)) => (
                word("entity").or(triggers).unwrap_or_default(),
                id,
                "record_id",
            ),
            (Some(_), Some(_)) => return Err(Error::field("record_id", "not_with_other", "")),
            (None, None) if triggers.is_some() => {
                return Err(Error::field("record_id", "required", ""));
            }
            (None, None) => return Ok(None),
        };
        let missing = || Error::field("entity", "unknown_entity", entity);
        let ix = schema.find(entity).ok_or_else(missing)?;
        let found = records.get(caller, ix, id, &GetRequest::default()).await;
        let found = match found {
            Ok(found) => found,
            Err(Error::NotFound) => return Err(Error::field(key, "not_found", "")),
            Err(error) => return Err(error),
        };
        let snapshot = records.snapshot(caller.tenant(), ix, found.id).await?;
        let subject = Subject {
            entity: ix,
            id: found.id,
        };
        Ok(snapshot.map(|snapshot| (subject, snapshot)))
    }

    async fn execution(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, _, row) = self.workflow(call).await?;
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let found = records
            .get(&caller, log.ix, call.path(1), &GetRequest::default())
            .await?;
        let of = records.snapshot(caller.tenant(), log.ix, found.id).await?;
        let of = of.and_then(|of| of.get(&schema, "workflow").as_id());
        if of != Some(row.id) {
            return Err(Error::NotFound);
        }
        let mut body: Map<String, Json> =
            serde_json::from_slice(&found.body).map_err(|e| Error::Internal(e.to_string()))?;
        let steps = Log::of(&schema, "step_run")?;
        let of_it = opsflux_model::Condition::Test {
            field: "execution".to_owned(),
            op: opsflux_model::Op::Eq,
            value: json!(found.id),
        };
        let request = opsflux_records::ListRequest {
            conditions: vec![("execution".to_owned(), of_it)],
            sort: vec!["created_at".to_owned(), "id".to_owned()],
            limit: Some(500),
            ..opsflux_records::ListRequest::default()
        };
        let page = records.list(&caller, steps.ix, &request).await?;
        let page: Json =
            serde_json::from_slice(&page).map_err(|e| Error::Internal(e.to_string()))?;
        body.insert("steps".to_owned(), page["items"].clone());
        let progress = self.progress(caller.tenant(), found.id).await?;
        body.insert("progress".to_owned(), progress);
        Ok(reply(&Json::Object(body)))
    }

    async fn stats(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, _, row) = self.workflow(call).await?;
        let stats = stats::of(&self.inner.records, &caller, row.id).await?;
        Ok(reply(&stats))
    }

    async fn cancelled(&self, call: &Call) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let found = records
            .get(caller, log.ix, call.path(0), &GetRequest::default())
            .await?;
        let row = records.snapshot(caller.tenant(), log.ix, found.id).await?;
        let workflow = row.and_then(|row| row.get(&schema, "workflow").as_id());
        let workflow = workflow.ok_or(Error::NotFound)?;
        let ix = Log::of(&schema, "workflow")?.ix;
        if !self.may_edit(caller, ix, workflow).await? {
            let (action, entity) = ("cancel".to_owned(), "execution".to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        self.cancel(caller.tenant(), found.id).await?;
        let (user, name) = (Some(caller.user()), Some(execution::ENTITY));
        let (tenant, origin) = (caller.tenant(), &caller.origin);
        records
            .audit(
                tenant,
                origin,
                user,
                "cancel",
                name,
                Some(found.id),
                "ok",
                None,
            )
            .await?;
        Ok(Reply::empty())
    }

    async fn decide(&self, call: &Call, decision: Decision) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, approval::ENTITY)?;
        let found = records
            .get(caller, log.ix, call.path(0), &GetRequest::default())
            .await?;
        let body = said(call)?;
        if let Some(unknown) = body.keys().find(|key| *key != "comment") {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let vote = Vote {
            decision,
            comment: comment(&body)?,
            via: Via::Application,
        };
        self.vote(caller, found.id, vote).await?;
        Ok(Reply::json(self.answer(caller, log.ix, found.id).await?))
    }
}

/// An operation while it is made.
struct Made {
    engine: Engine,
    name: &'static str,
    method: Method,
    path: &'static str,
    summary: &'static str,
    needs: Needs,
    input: Option<Json>,
    output: Option<Json>,
    problems: Vec<StatusCode>,
}

impl Made {
    fn by(self, work: fn(Engine, Call) -> BoxFuture<'static, Result<Reply, Error>>) -> Operation {
        let engine = self.engine;
        let tag = self.path.split('/').nth(1).unwrap_or("workflows");
        let status = match (self.name, &self.output) {
            ("workflow_execute", _) => StatusCode::CREATED,
            (_, Some(_)) => StatusCode::OK,
            (_, None) => StatusCode::NO_CONTENT,
        };
        Operation {
            name: self.name.to_owned(),
            method: self.method,
            path: self.path.to_owned(),
            summary: self.summary.to_owned(),
            tag: tag.to_owned(),
            needs: self.needs,
            query: Vec::new(),
            input: self.input.map(|schema| (JSON.to_owned(), schema)),
            output: (status, self.output.map(|schema| (JSON.to_owned(), schema))),
            problems: self.problems,
            handler: Arc::new(move |call| work(engine.clone(), call)),
        }
    }
}

/// What somebody says besides.
pub(crate) fn comment(body: &Map<String, Json>) -> Result<&str, Error> {
    match body.get("comment") {
        None | Some(Json::Null) => Ok(""),
        Some(Json::String(text)) if text.chars().count() <= 4_000 => Ok(text.as_str()),
        Some(Json::String(_)) => Err(Error::field("comment", "too_long", "4000")),
        Some(_) => Err(Error::field("comment", "wrong_type", "a text")),
    }
}

/// An operation of the engine's own files: what it is given, what it answers and with what.
#[allow(clippy::too_many_arguments)] // they are the members of an operation
pub(crate) fn operation(
    engine: &Engine,
    name: &'static str,
    method: Method,
    path: &'static str,
    summary: &'static str,
    needs: Needs,
    (input, output, status): (Option<Json>, Option<Json>, StatusCode),
    work: fn(Engine, Call) -> BoxFuture<'static, Result<Reply, Error>>,
) -> Operation {
    let made = Made {
        engine: engine.clone(),
        name,
        method,
        path,
        summary,
        needs,
        input,
        output,
        problems: vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY],
    };
    let mut made = made.by(work);
    made.output.0 = status;
    made
}

/// The body as an object; nothing is an empty one.
pub(crate) fn said(call: &Call) -> Result<Map<String, Json>, Error> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    call.object()
}

fn reply(json: &Json) -> Reply {
    Reply::json(json.to_string().into_bytes())
}
