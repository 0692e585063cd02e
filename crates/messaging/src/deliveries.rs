//! What a person decides about a delivery: `POST /deliveries/{id}/retry` and `/settle`. For
//! administrators; each decision is in the audit.

use http::{Method, StatusCode};
use opsflux_model::Value;
use opsflux_records::{Call, Caller, Error, Needs, Operation, Reply};
use opsflux_store::{Commit, Guard, Write};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::Messaging;
use crate::handler::handler;
use crate::outgoing::DELIVERY;
use opsflux_records::table::{Query, Table, refused};

const JSON: &str = "application/json";
/// Name of the guard that a delivery is in a state in which this can be decided.
const WAITS: &str = "delivery.waits";

/// What is decided.
struct Decision {
    /// For the audit.
    action: &'static str,
    /// From which states.
    from: &'static [&'static str],
    state: &'static str,
    set: Vec<(&'static str, Value)>,
    reason: String,
}

pub(crate) fn operations(messaging: &Messaging) -> Vec<Operation> {
    let settling = json!({
        "type": "object",
        "properties": {
            "state": {"type": "string", "enum": ["sent", "failed"]},
            "reason": {"type": "string", "maxLength": 1000},
        },
        "required": ["state"],
        "additionalProperties": false,
    });
    let operation = |name: &str, path: &str, summary: &str, input| Operation {
        name: name.to_owned(),
        method: Method::POST,
        path: path.to_owned(),
        summary: summary.to_owned(),
        tag: "deliveries".to_owned(),
        needs: Needs::Admin,
        query: Vec::new(),
        input,
        output: (StatusCode::NO_CONTENT, None),
        problems: vec![StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY],
        handler: handler(|_| async { Err(Error::NotFound) }),
    };
    let (retrying, settled) = (messaging.clone(), messaging.clone());
    vec![
        Operation {
            handler: handler(move |call| {
                let messaging = retrying.clone();
                async move { messaging.decide(&call, messaging.retrying()).await }
            }),
            ..operation(
                "delivery_retry",
                "/deliveries/{id}/retry",
                "Send again what failed, or what nobody knows of; it may then arrive twice",
                None,
            )
        },
        Operation {
            handler: handler(move |call| {
                let messaging = settled.clone();
                async move { messaging.decide(&call, messaging.settling(&call)?).await }
            }),
            ..operation(
                "delivery_settle",
                "/deliveries/{id}/settle",
                "Say what became of a delivery that nobody knows of",
                Some((JSON.to_owned(), settling)),
            )
        },
    ]
}

impl Messaging {
    fn retrying(&self) -> Decision {
        Decision {
            action: "retry",
            from: &["failed", "unknown"],
            state: "queued",
            set: vec![
                ("attempts", 0.into()),
                ("handed", Value::Bool(false)),
                ("ended_at", Value::Null),
                ("next_at", self.inner.records.now().into()),
            ],
            reason: String::new(),
        }
    }

    fn settling(&self, call: &Call) -> Result<Decision, Error> {
        let mut body = call.object()?;
        let state = match body.remove("state").as_ref().map(Json::as_str) {
            Some(Some("sent")) => "sent",
            Some(Some("failed")) => "failed",
            None => return Err(Error::field("state", "required", "")),
            _ => return Err(Error::field("state", "not_an_option", "sent, failed")),
        };
        let reason = match body.remove("reason") {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(reason)) if reason.chars().count() <= 1000 => reason,
            Some(Json::String(_)) => return Err(Error::field("reason", "too_long", "1000")),
            Some(_) => return Err(Error::field("reason", "wrong_type", "string")),
        };
        if let Some((unknown, _)) = body.into_iter().next() {
            return Err(Error::field(unknown, "unknown_field", ""));
        }
        let mut set = vec![("ended_at", self.inner.records.now().into())];
        if state == "sent" {
            set.push(("sent_at", self.inner.records.now().into()));
        }
        Ok(Decision {
            action: "settle",
            from: &["unknown"],
            state,
            set,
            reason,
        })
    }

    async fn decide(&self, call: &Call, decision: Decision) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let id: Uuid = call.path(0).parse().map_err(|_| Error::NotFound)?;
        let records = &self.inner.records;
        let schema = records.schema();
        let table = Table::of(&schema, DELIVERY)?;
        let one = table.is("id", id)?;
        let found = table
            .rows(
                records.store(),
                caller.tenant(),
                Query {
                    fields: &["state"],
                    filter: one,
                    sort: &[],
                    limit: 1,
                },
            )
            .await?;
        let was = found.first().and_then(|row| row.first()?.as_text());
        let was = was.ok_or(Error::NotFound)?.to_owned();
        let mut set = decision.set.clone();
        set.push(("state", decision.state.into()));
        let commit = Commit {
            tenant: caller.tenant(),
            guards: vec![Guard::Exists {
                name: WAITS.to_owned(),
                entity: table.ix,
                id,
                holds: table.is_one_of("state", decision.from)?,
            }],
            writes: vec![Write::Update {
                entity: table.ix,
                id,
                expected_version: None,
                set: table.set(set)?,
            }],
            feed: vec![self.ending(id, decision.state)],
            ..Commit::default()
        };
        records.store().commit(commit).await.map_err(refused)?;
        self.note_decision(caller, id, &decision, was).await?;
        Ok(Reply::empty())
    }

    async fn note_decision(
        &self,
        caller: &Caller,
        id: Uuid,
        decision: &Decision,
        was: String,
    ) -> Result<(), Error> {
        let after: Map<String, Json> = [
            ("was".to_owned(), json!(was)),
            ("state".to_owned(), json!(decision.state)),
        ]
        .into_iter()
        .collect();
        let (action, reason) = (decision.action, decision.reason.as_str());
        self.inner
            .records
            .audit_with(caller, action, Some(DELIVERY), Some(id), reason, after)
            .await
    }
}
