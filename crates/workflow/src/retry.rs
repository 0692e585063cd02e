//! A step that failed, or whose outcome nobody knows, is done again or left out because a person
//! says so: the execution goes on from where it stopped, with all it did before.
//!
//! What had been sent is not sent again where it arrived; what failed or is unknown is, under the
//! same key. Questions that were taken back when it failed are asked anew. An approval is never
//! left out: that would be deciding it.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;
use opsflux_model::schema::Schema;
use opsflux_model::{Action as Right, Value};
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error, GetRequest};
use opsflux_store::{Commit, Guard, Write};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::course::{Course, Happened, Leaf};
use crate::delivered;
use crate::engine::Engine;
use crate::execution::{self, refused, some};
use crate::flow::{self, Flow, StepKind};
use crate::log::{Log, cut};
use crate::operations::{operation, said};

/// Name of the guard that an execution stands still and waits for a person.
const STANDS: &str = "execution.stands";
/// Rows of steps that are looked through.
const MAX_STEPS: u32 = 5_000;

/// What a person says of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Again,
    LeftOut,
}

/// An execution that stands still.
struct Standing {
    row: Snapshot,
    flow: Flow,
    course: Course,
    /// How often each place was tried.
    tries: BTreeMap<String, i64>,
    /// Where it failed, when a step did.
    failed: Option<String>,
}

impl Engine {
    /// The operations of this file.
    pub(crate) fn retry_operations(&self) -> Vec<Operation> {
        let schema = self.inner.records.schema();
        let needs = || match schema.find("workflow") {
            Some(ix) => Needs::Permission(ix, Right::Edit),
            None => Needs::Admin,
        };
        let place = json!({
            "type": "object", "additionalProperties": false,
            "properties": {"place": {"type": ["string", "null"], "maxLength": 300}},
        });
        let given = || {
            let answer = json!({"$ref": "#/components/schemas/Execution"});
            (Some(place.clone()), Some(answer), StatusCode::OK)
        };
        vec![
            operation(
                self,
                "execution_retry",
                Method::POST,
                "/workflows/{id}/executions/{execution_id}/retry",
                "Does again the step an execution failed at, or whose outcome nobody knows",
                needs(),
                given(),
                |engine, call| Box::pin(async move { engine.go_on(&call, Said::Again).await }),
            ),
            operation(
                self,
                "execution_skip",
                Method::POST,
                "/workflows/{id}/executions/{execution_id}/skip",
                "Leaves out the step an execution failed at, and goes on with the next",
                needs(),
                given(),
                |engine, call| Box::pin(async move { engine.go_on(&call, Said::LeftOut).await }),
            ),
        ]
    }

    async fn go_on(&self, call: &Call, said_of: Said) -> Result<Reply, Error> {
        let (caller, ix, workflow) = self.workflow(call).await?;
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let found = records
            .get(&caller, log.ix, call.path(1), &GetRequest::default())
            .await?;
        let row = records.snapshot(caller.tenant(), log.ix, found.id).await?;
        let row = row.filter(|row| row.get(&schema, "workflow").as_id() == Some(workflow.id));
        let row = row.ok_or(Error::NotFound)?;
        if !self.may_edit(&caller, ix, workflow.id).await? {
            let action = match said_of {
                Said::Again => "retry",
                Said::LeftOut => "skip",
            };
            let (action, entity) = (action.to_owned(), execution::ENTITY.to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let body = said(call)?;
        if let Some(unknown) = body.keys().find(|key| *key != "place") {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let wanted = match body.get("place") {
            None | Some(Json::Null) => None,
            Some(Json::String(place)) => Some(place.as_str()),
            Some(_) => return Err(Error::field("place", "wrong_type", "a text")),
        };
        let standing = self.stands(&schema, caller.tenant(), row).await?;
        let commit = self
            .going_on(&caller, &schema, standing, said_of, wanted)
            .await?;
        records.store().commit(commit).await.map_err(refused)?;
        self.inner.bell.notify_one();
        Ok(Reply::json(self.answer(&caller, log.ix, found.id).await?))
    }

    /// An execution that failed, was put aside, or waits for somebody to say what became of what it
    /// sent.
    async fn stands(&self, schema: &Schema, tenant: i64, row: Snapshot) -> Result<Standing, Error> {
        let records = &self.inner.records;
        let status = row.get(schema, "status").as_text();
        let attention = row.get(schema, "attention").as_text();
        let unknown = status == Some("WAITING") && attention == Some("unknown_outcome");
        if status != Some("FAILED") && !unknown {
            return Err(moves());
        }
        let versions = Log::of(schema, "workflow_version")?;
        let version = row.get(schema, "revision").as_id().unwrap_or_default();
        let version = records.snapshot(tenant, versions.ix, version).await?;
        let content = version.map(|version| version.get(schema, "content").clone());
        let flow = match content {
            Some(Value::Json(Json::Object(content))) => flow::read(&content).ok(),
            _ => None,
        };
        // What cannot be read any more cannot be gone on with.
        let flow = flow.ok_or_else(moves)?;
        let course = match row.get(schema, "course") {
            Value::Json(json) => serde_json::from_value(json.clone()).ok(),
            _ => None,
        };
        let mut course: Course = course.ok_or_else(moves)?;
        course.end = None;
        let steps = Log::of(schema, "step_run")?;
        let of_it = steps.is("execution", row.id)?;
        let mut rows = records.find(tenant, steps.ix, of_it, MAX_STEPS).await?;
        rows.sort_by_key(|row| row.id);
        let mut tries: BTreeMap<String, i64> = BTreeMap::new();
        let mut failed = None;
        for step in &rows {
            let place = step.get(schema, "place").as_text().unwrap_or_default();
            let attempt = step.get(schema, "attempt").as_int().unwrap_or(1);
            let most = tries.entry(place.to_owned()).or_default();
            *most = attempt.max(*most);
            if step.get(schema, "status").as_text() == Some("FAILED") {
                failed = Some(place.to_owned());
            }
        }
        Ok(Standing {
            row,
            flow,
            course,
            tries,
            failed,
        })
    }

    async fn going_on(
        &self,
        caller: &Caller,
        schema: &Schema,
        standing: Standing,
        said_of: Said,
        wanted: Option<&str>,
    ) -> Result<Commit, Error> {
        let Standing {
            row,
            flow,
            mut course,
            tries,
            failed,
        } = standing;
        let now = self.inner.records.now();
        let place = self
            .stopped_at(caller.tenant(), &flow, &course, failed, wanted)
            .await?;
        let next = |place: &str| {
            let tried = tries.get(&cut(place, 300)).copied().unwrap_or(0);
            u32::try_from(tried + 1).unwrap_or(u32::MAX)
        };
        let mut writes = Vec::new();
        let mut happened = None;
        let mut again = Vec::new();
        for open in course.open(&flow) {
            let due = Leaf::Due {
                attempt: next(&open.place),
                at: None,
            };
            match (open.place == place, said_of, open.leaf) {
                (true, Said::LeftOut, _) => {
                    if matches!(
                        open.step.kind,
                        StepKind::Approval(_) | StepKind::Stop { .. }
                    ) {
                        return Err(Error::field("place", "not_skippable", &place));
                    }
                    happened = Some((
                        Happened::Done(json!({"skipped": true})),
                        row_of(&open.step.kind, open.step.name.as_deref()),
                    ));
                }
                (true, Said::Again, leaf) => {
                    let leaf = match leaf {
                        Leaf::Sent(ids, attempt) => {
                            let sent = self.send_again(schema, caller.tenant(), ids, now).await?;
                            writes.extend(sent);
                            Leaf::Sent(ids.clone(), *attempt)
                        }
                        _ => due,
                    };
                    happened = Some((
                        Happened::Waits(leaf),
                        row_of(&open.step.kind, open.step.name.as_deref()),
                    ));
                }
                // What people were asked when it failed was taken back: they are asked anew.
                (false, _, Leaf::Asked(id, _)) if !self.pending(schema, caller, *id).await? => {
                    again.push((open.place.clone(), due));
                }
                _ => {}
            }
        }
        let Some((happened, (name, kind))) = happened else {
            return Err(Error::field("place", "not_open", &place));
        };
        course.advance(&flow, &place, happened);
        for (place, leaf) in again {
            course.advance(&flow, &place, Happened::Waits(leaf));
        }
        let (status, action) = match said_of {
            Said::Again => ("RETRY", "retry"),
            Said::LeftOut => ("SKIPPED", "skip"),
        };
        let (log, steps) = (
            Log::of(schema, execution::ENTITY)?,
            Log::of(schema, "step_run")?,
        );
        let told = vec![
            ("execution", row.id.into()),
            ("place", cut(&place, 300).into()),
            ("name", some(&name)),
            ("kind", kind.as_str().into()),
            ("status", status.into()),
            ("attempt", tries.get(&place).copied().unwrap_or(1).into()),
            ("output", Value::Json(json!({ "by": caller.user() }))),
            ("ended_at", now.into()),
        ];
        writes.push(steps.insert(self.inner.records.new_id(), now, told)?);
        let kept = serde_json::to_value(&course).map_err(|e| Error::Internal(e.to_string()))?;
        let set = vec![
            ("course", Value::Json(kept)),
            ("status", "RUNNING".into()),
            ("attention", Value::Null),
            ("error", Value::Null),
            ("ended_at", Value::Null),
            ("crashes", 0.into()),
            ("wake_at", now.into()),
        ];
        writes.push(log.update(row.id, set)?);
        let audit =
            self.inner
                .records
                .audited(caller, action, execution::ENTITY, row.id, Some(&place))?;
        writes.push(audit);
        let known = row.get(schema, "status").as_text().unwrap_or_default();
        let as_it_was = log
            .is("status", known)?
            .and(log.is("worker", Value::Null)?)
            .and(log.is("attention", row.get(schema, "attention").clone())?);
        Ok(Commit {
            tenant: caller.tenant(),
            guards: vec![Guard::Exists {
                name: STANDS.to_owned(),
                entity: log.ix,
                id: row.id,
                holds: as_it_was,
            }],
            writes,
            ..Commit::default()
        })
    }

    /// The step that is meant: the one that is named, that failed, whose outcome nobody knows, or
    /// the only one there is.
    async fn stopped_at(
        &self,
        tenant: i64,
        flow: &Flow,
        course: &Course,
        failed: Option<String>,
        wanted: Option<&str>,
    ) -> Result<String, Error> {
        let open = course.open(flow);
        if let Some(wanted) = wanted {
            return Ok(wanted.to_owned());
        }
        if let Some(failed) = failed {
            let found = open.iter().find(|open| cut(&open.place, 300) == failed);
            if let Some(found) = found {
                return Ok(found.place.clone());
            }
        }
        for one in &open {
            if let Leaf::Sent(ids, _) = one.leaf
                && self.unknown(tenant, ids).await?
            {
                return Ok(one.place.clone());
            }
        }
        match open.as_slice() {
            [one] => Ok(one.place.clone()),
            _ => Err(Error::field("place", "required", "")),
        }
    }

    async fn unknown(&self, tenant: i64, ids: &[Uuid]) -> Result<bool, Error> {
        let schema = self.inner.records.schema();
        let rows = self.deliveries(tenant, ids).await?;
        let mut states = rows.iter().map(|row| row.get(&schema, "state").as_text());
        Ok(states.any(|state| state == Some("unknown")))
    }

    async fn pending(&self, schema: &Schema, caller: &Caller, id: Uuid) -> Result<bool, Error> {
        let log = Log::of(schema, "approval")?;
        let row = self.inner.records.snapshot(caller.tenant(), log.ix, id);
        let row = row.await?;
        Ok(row.is_some_and(|row| row.get(schema, "status").as_text() == Some("PENDING")))
    }

    /// What did not arrive, or of which nobody knows, is queued anew under the key it has.
    async fn send_again(
        &self,
        schema: &Schema,
        tenant: i64,
        ids: &[Uuid],
        now: Timestamp,
    ) -> Result<Vec<Write>, Error> {
        let log = Log::of(schema, delivered::ENTITY)?;
        let rows = self.deliveries(tenant, ids).await?;
        let lost = rows.iter().filter(|row| {
            let state = row.get(schema, "state").as_text();
            matches!(state, Some("failed" | "unknown"))
        });
        let queued = lost.map(|row| {
            let set = vec![
                ("state", "queued".into()),
                ("attempts", 0.into()),
                ("handed", Value::Bool(false)),
                ("ended_at", Value::Null),
                ("next_at", now.into()),
            ];
            log.update(row.id, set)
        });
        queued.collect()
    }
}

fn row_of(kind: &StepKind, name: Option<&str>) -> (String, String) {
    let kind = match kind {
        StepKind::Action(action) => cut(&action.action, 60),
        StepKind::Branch { .. } => "branch".to_owned(),
        StepKind::ForEach { .. } => "foreach".to_owned(),
        StepKind::Wait(_) => "wait".to_owned(),
        StepKind::Approval(_) => "approval".to_owned(),
        _ => "step".to_owned(),
    };
    (cut(name.unwrap_or_default(), 300), kind)
}

/// It goes on by itself, or has ended well.
fn moves() -> Error {
    let name = STANDS.to_owned();
    Error::Conflict(ConflictKind::Guard { name })
}
