//! What HTTP serves of this: verifying, and taking entries with their hashes outside.

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::schema::EntityIx;
use opsflux_model::{Action, Rule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::verify::{Finding, Walk};
use super::{Head, export};
use crate::caller::Caller;
use crate::entity::{handler, list_parameters};
use crate::error::Error;
use crate::job::{End, Job, NewJob, Step, Work};
use crate::operation::{Call, Needs, Operation, Reply};
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;

/// Chains up to so many entries are verified while the person waits.
const AT_ONCE: i64 = 1_000;

/// The operations of the audit besides reading it.
pub(crate) fn operations(records: &Records, ix: EntityIx, path: &str) -> Vec<Operation> {
    let verifier = records.clone();
    let verify = Operation {
        name: "audit_entry_verify".to_owned(),
        method: Method::POST,
        path: format!("/{path}/verify"),
        summary: "Whether every entry is as it was sealed; names the first that is not".to_owned(),
        tag: path.to_owned(),
        needs: Needs::Permission(ix, Action::View),
        query: Vec::new(),
        input: None,
        output: (
            StatusCode::OK,
            Some(("application/json".to_owned(), finding_schema())),
        ),
        problems: vec![StatusCode::ACCEPTED],
        handler: handler(move |call| {
            let records = verifier.clone();
            async move { verify(&records, &call).await }
        }),
    };
    let exporter = records.clone();
    let mut query = list_parameters();
    query.retain(|(name, ..)| !matches!(name.as_str(), "limit" | "cursor" | "total" | "expand"));
    let formats = json!({"type": "string", "enum": ["csv", "jsonl"]});
    query.insert(
        0,
        (
            "format".to_owned(),
            formats,
            "jsonl unless given".to_owned(),
        ),
    );
    let export = Operation {
        name: "audit_entry_export".to_owned(),
        method: Method::GET,
        path: format!("/{path}/export"),
        summary: "Entries with their seals, as CSV or one JSON object a line".to_owned(),
        tag: path.to_owned(),
        needs: Needs::Permission(ix, Action::View),
        query,
        input: None,
        output: (
            StatusCode::OK,
            Some((
                "application/x-ndjson, text/csv".to_owned(),
                json!({"type": "string"}),
            )),
        ),
        problems: vec![StatusCode::BAD_REQUEST],
        handler: handler(move |call| {
            let records = exporter.clone();
            async move { export::export(&records, ix, call).await }
        }),
    };
    vec![verify, export]
}

fn finding_schema() -> Json {
    let number = || json!({"type": "integer"});
    json!({
        "type": "object",
        "required": ["whole", "entries", "purged", "waiting", "outside_heads", "first_bad"],
        "properties": {
            "whole": {"type": "boolean"},
            "entries": number(), "purged": number(), "waiting": number(),
            "outside_heads": number(),
            "first_bad": {
                "type": ["object", "null"],
                "properties": {
                    "sequence": {"type": ["integer", "null"]},
                    "id": {"type": ["string", "null"], "format": "uuid"},
                    "code": {"type": "string"},
                },
            },
        },
    })
}

async fn verify(records: &Records, call: &Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    // It counts the entries of the whole tenant, and names one of them.
    let sees_all = records
        .schema()
        .find(AUDIT_ENTITY)
        .is_some_and(|ix| *caller.access.rule(ix, Action::View) == Rule::Always);
    if !sees_all {
        return Err(Error::Forbidden {
            action: "verify".to_owned(),
            entity: AUDIT_ENTITY.to_owned(),
        });
    }
    let last = records.inner.store.audit_last_seal(caller.tenant()).await?;
    let mut walk = Walk::of(caller.tenant());
    if last.map_or(0, |seal| seal.seq) > AT_ONCE {
        let job = records.verify_at_length(caller, &walk).await?;
        return Ok(
            Reply::json(json!({"job": job.to_string()}).to_string().into_bytes())
                .with_status(StatusCode::ACCEPTED)
                .with_header("location", &format!("/api/v1/jobs/{job}")),
        );
    }
    let outside = records.heads_outside().await?;
    let finding = loop {
        if let Some(finding) = walk.advance(records, &outside).await? {
            break finding;
        }
    };
    let found = found(&finding);
    let whole = if finding.bad.is_none() {
        "ok"
    } else {
        "failed"
    };
    records
        .audit_result(
            caller,
            "verify",
            Some(AUDIT_ENTITY),
            None,
            whole,
            None,
            found,
        )
        .await?;
    Ok(Reply::json(finding.to_json().to_string().into_bytes()))
}

fn found(finding: &Finding) -> Map<String, Json> {
    match finding.to_json() {
        Json::Object(found) => found,
        _ => Map::new(),
    }
}

impl Records {
    /// Every head that the anchor kept; none without an anchor.
    pub(super) async fn heads_outside(&self) -> Result<Vec<Head>, Error> {
        match self.inner.anchor.get() {
            Some(anchor) => anchor.kept().await.map_err(Error::Unavailable),
            None => Ok(Vec::new()),
        }
    }

    async fn verify_at_length(&self, caller: &Caller, walk: &Walk) -> Result<Uuid, Error> {
        let state = State {
            walk: walk.clone(),
            by: caller.user(),
        };
        let job = NewJob {
            kind: KIND,
            entity: AUDIT_ENTITY,
            record: None,
            state: kept(&state)?,
            done: 0,
        };
        let (id, row) = self.new_job(caller, &job)?;
        self.commit_log(caller.tenant(), row).await?;
        self.inner.jobs.notify_one();
        let after = Map::from_iter([("job".to_owned(), json!(id))]);
        self.audit_with(caller, "verify", Some(AUDIT_ENTITY), None, "", after)
            .await?;
        Ok(id)
    }
}

const KIND: &str = "verify";
/// Steps of a walk in one step of the job.
const STRIDES: usize = 10;

/// Where a job that verifies stands.
#[derive(Serialize, Deserialize)]
struct State {
    walk: Walk,
    by: Uuid,
}

fn kept(state: &State) -> Result<Json, Error> {
    serde_json::to_value(state).map_err(|error| Error::Internal(error.to_string()))
}

/// Verifies a chain that is long.
pub(crate) struct Verifying;

impl Work for Verifying {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn step<'a>(
        &'a self,
        records: &'a Records,
        job: &'a Job,
    ) -> BoxFuture<'a, Result<Step, Error>> {
        Box::pin(async move {
            let mut state: State = serde_json::from_value(job.state.clone())
                .map_err(|error| Error::Internal(error.to_string()))?;
            let before = state.walk.walked();
            let last = records.inner.store.audit_last_seal(job.tenant).await?;
            let mut end = job.cancel.then_some(End::Cancelled);
            for _ in 0..STRIDES {
                if end.is_some() {
                    break;
                }
                let outside = records.heads_outside().await?;
                let finding = state.walk.advance(records, &outside).await?;
                end = finding.map(|finding| End::Done(finding.to_json()));
            }
            let walked = state.walk.walked();
            Ok(Step {
                state: kept(&state)?,
                done: walked - before,
                total: last.map(|seal| seal.seq.max(walked)),
                end,
                ..Step::default()
            })
        })
    }
}
