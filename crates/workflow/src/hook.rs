//! Set off by other systems: an address for each workflow, and a secret under which what comes is
//! signed.
//!
//! The secret is nowhere stored: it follows from the secret of the instance, the workflow and how
//! often it was renewed, so there is nothing to read in the database or a backup. It is told to
//! the owner of the workflow and to administrators, and to nobody else.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use futures::future::BoxFuture;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use opsflux_model::Action as Right;
use opsflux_records::operation::{Body, Call, Needs, Operation, Reply};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error, GetRequest};
use opsflux_store::Commit;
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine};
use crate::execution::{self, refused};
use crate::flow::{OnHook, Trigger};
use crate::gate::Counted;
use crate::log::Log;
use crate::matching::Start;
use crate::published::{Active, derived};
use crate::template::Scope;

/// Largest body.
const LARGEST: usize = 1024 * 1024;
/// Calls of one address in a minute.
const A_MINUTE: u32 = 120;
/// How far the clock of who calls may be off, and how long a call is remembered at least.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Header of the signature.
const SIGNATURE: &str = "opsflux-signature";
/// Operations that answer a workflow.
const ANSWER: [&str; 5] = [
    "workflow_get",
    "workflow_create",
    "workflow_update",
    "workflow_replace",
    "workflow_activate",
];

/// Whether a header signs a body under a secret, at most so far from now.
pub type IsSigned = fn(&str, &str, &[u8], Timestamp, SignedDuration) -> bool;

/// How other systems are let in.
pub struct Hooks {
    key: Option<hmac::Key>,
    /// Where the addresses begin.
    base: String,
    is_signed: IsSigned,
    counted: Mutex<Counted>,
    /// What came lately.
    seen: Mutex<HashMap<Uuid, Timestamp>>,
}

impl Hooks {
    /// With the secret of the instance, and the address under which it is reached from outside.
    #[must_use]
    pub fn new(secret: &[u8; 32], public_url: Option<&str>, is_signed: IsSigned) -> Hooks {
        let mut bytes = [0_u8; 32];
        let filled = Salt::new(HKDF_SHA256, b"opsflux")
            .extract(secret)
            .expand(&[b"hook"], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut bytes));
        let key = filled
            .ok()
            .map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Hooks {
            key,
            base: format!(
                "{}/api/v1/hooks/",
                public_url.unwrap_or_default().trim_end_matches('/')
            ),
            is_signed,
            counted: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    fn address(&self, tenant: i64, workflow: Uuid) -> String {
        format!("{}{tenant:x}-{}", self.base, workflow.simple())
    }

    fn secret(&self, tenant: i64, workflow: Uuid, turn: i64) -> Result<String, Error> {
        let none = || Error::Internal("the key of hooks could not be derived".to_owned());
        let mut context = hmac::Context::with_key(self.key.as_ref().ok_or_else(none)?);
        context.update(&tenant.to_be_bytes());
        context.update(workflow.as_bytes());
        context.update(&turn.to_be_bytes());
        let tag = context.sign();
        Ok(tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }

    /// Remembers that something came; false when it came before.
    fn is_new(&self, id: Uuid, now: Timestamp) -> bool {
        let mut seen = self.seen.lock();
        let old = now.checked_sub(TOLERANCE * 2).unwrap_or(now);
        seen.retain(|_, at| *at >= old);
        seen.insert(id, now).is_none()
    }
}

impl Engine {
    /// What other systems call, and the renewing of a secret.
    pub(crate) fn hook_operations(&self) -> Vec<Operation> {
        let json_type = "application/json".to_owned();
        let schema = self.inner.records.schema();
        let edit = schema
            .find("workflow")
            .map_or(Needs::Admin, |ix| Needs::Permission(ix, Right::Edit));
        let (receives, renews) = (self.clone(), self.clone());
        vec![
            Operation {
                name: "hook_receive".to_owned(),
                method: Method::POST,
                path: "/hooks/{address}".to_owned(),
                summary: "Sets a workflow off: signed under its secret, OpsFlux-Signature: \
                          t=UNIX,v1=HMAC-SHA256(secret, \"t.body\"), each call once"
                    .to_owned(),
                tag: "hooks".to_owned(),
                needs: Needs::Nothing,
                query: Vec::new(),
                input: Some((json_type.clone(), json!({}))),
                output: (
                    StatusCode::ACCEPTED,
                    Some((
                        json_type.clone(),
                        json!({
                            "type": "object", "required": ["execution"],
                            "properties": {"execution": {"type": ["string", "null"], "format": "uuid"}},
                        }),
                    )),
                ),
                problems: vec![
                    StatusCode::UNAUTHORIZED,
                    StatusCode::CONFLICT,
                    StatusCode::PAYLOAD_TOO_LARGE,
                ],
                handler: Arc::new(move |call| {
                    let engine = receives.clone();
                    Box::pin(async move { engine.receive(&call).await })
                }),
            },
            Operation {
                name: "workflow_renew_secret".to_owned(),
                method: Method::POST,
                path: "/workflows/{id}/renew-secret".to_owned(),
                summary: "Gives a workflow that other systems call another secret".to_owned(),
                tag: "workflows".to_owned(),
                needs: edit,
                query: Vec::new(),
                input: None,
                output: (
                    StatusCode::OK,
                    Some((
                        json_type,
                        json!({
                            "type": "object", "required": ["url", "secret"],
                            "properties": {"url": {"type": "string"}, "secret": {"type": "string"}},
                        }),
                    )),
                ),
                problems: vec![StatusCode::CONFLICT],
                handler: Arc::new(move |call| {
                    let engine = renews.clone();
                    Box::pin(async move { engine.renew(&call).await })
                }),
            },
        ]
    }

    /// Adds address and secret to what answers a workflow; and what changes one counts for the next
    /// request.
    #[must_use]
    pub fn around(&self, operation: Operation) -> Operation {
        let writes = operation.method != Method::GET && operation.path.starts_with("/workflows");
        let tells = ANSWER.contains(&operation.name.as_str());
        if !writes && !tells {
            return operation;
        }
        let (engine, within) = (self.clone(), operation.handler.clone());
        let handler = move |call: Call| -> BoxFuture<'static, Result<Reply, Error>> {
            let (engine, caller) = (engine.clone(), call.caller.clone());
            let work = within(call);
            Box::pin(async move {
                let done = work.await;
                if let (true, Some(caller)) = (writes, &caller) {
                    engine.inner.published.forget(caller.tenant());
                }
                let mut reply = done?;
                if let (true, Body::Json(body), Some(caller)) = (tells, &mut reply.body, caller) {
                    engine.add_address(&caller, body)?;
                }
                Ok(reply)
            })
        };
        Operation {
            handler: Arc::new(handler),
            ..operation
        }
    }

    fn add_address(&self, caller: &Caller, body: &mut Vec<u8>) -> Result<(), Error> {
        let Ok(mut record) = serde_json::from_slice::<Map<String, Json>>(body) else {
            return Ok(());
        };
        let is_hook = |trigger: &Json| trigger["type"] == "webhook_received";
        let short = record.get("trigger").is_some_and(is_hook);
        let whole = record
            .get("definition")
            .and_then(|it| it["triggers"].as_array());
        let whole = whole.is_some_and(|triggers| triggers.iter().any(is_hook));
        let edits = record.get("can").is_some_and(|can| can["edit"] == true);
        let owner = record.get("owner").and_then(Json::as_str);
        let owner = owner.and_then(|id| Uuid::try_parse(id).ok());
        let may = edits && may_know(caller, owner);
        let id = record.get("id").and_then(Json::as_str);
        let id = id.and_then(|id| Uuid::try_parse(id).ok());
        let (true, true, Some(id)) = (short || whole, may, id) else {
            return Ok(());
        };
        let turn = record.get("hook_turn").and_then(Json::as_i64).unwrap_or(0);
        let (hooks, tenant) = (&self.inner.hooks, caller.tenant());
        record.insert("url".to_owned(), json!(hooks.address(tenant, id)));
        record.insert("secret".to_owned(), json!(hooks.secret(tenant, id, turn)?));
        *body = serde_json::to_vec(&record).map_err(|e| Error::Internal(e.to_string()))?;
        Ok(())
    }

    async fn renew(&self, call: &Call) -> Result<Reply, Error> {
        let (caller, ix, row) = self.workflow(call).await?;
        let records = &self.inner.records;
        let schema = records.schema();
        let owner = row.get(&schema, "owner").as_id();
        if !may_know(&caller, owner) || !self.may_edit(&caller, ix, row.id).await? {
            let (action, entity) = ("edit".to_owned(), "workflow".to_owned());
            return Err(Error::Forbidden { action, entity });
        }
        let log = Log::of(&schema, "workflow")?;
        let (tenant, id) = (caller.tenant(), row.id);
        let turn = row.get(&schema, "hook_turn").as_int().unwrap_or(0) + 1;
        let commit = Commit {
            tenant,
            writes: vec![log.update(id, vec![("hook_turn", turn.into())])?],
            feed: vec![crate::pause::moved(records, &row, caller.user())],
            ..Commit::default()
        };
        records.store().commit(commit).await.map_err(refused)?;
        self.inner.published.forget(tenant);
        let (user, name) = (Some(caller.user()), Some("workflow"));
        records
            .audit(
                tenant,
                &caller.origin,
                user,
                "renew_secret",
                name,
                Some(id),
                "ok",
                None,
            )
            .await?;
        let hooks = &self.inner.hooks;
        let told = json!({
            "url": hooks.address(tenant, id), "secret": hooks.secret(tenant, id, turn)?,
        });
        Ok(Reply::json(told.to_string().into_bytes()))
    }

    /// Another system calls. An address there is none of answers as a wrong signature does.
    async fn receive(&self, call: &Call) -> Result<Reply, Error> {
        if call.body.len() > LARGEST {
            return Err(Error::TooLarge {
                limit: "1 MiB".to_owned(),
            });
        }
        let inner = &self.inner;
        let (tenant, id) = addressed(call.path(0)).ok_or(Error::Unauthenticated)?;
        let tenants = inner.records.store().tenants().await?;
        if !tenants.iter().any(|known| known.number == tenant) {
            return Err(Error::Unauthenticated);
        }
        let of_tenant = inner.published.of(&inner.records, tenant).await?;
        let active = of_tenant.one(id).ok_or(Error::Unauthenticated)?;
        let mut triggers = active.flow.triggers.iter().enumerate();
        let (place, on) = triggers
            .find_map(|(place, trigger)| match trigger {
                Trigger::Hook(on) => Some((place, on)),
                _ => None,
            })
            .ok_or(Error::Unauthenticated)?;
        let now = inner.records.now();
        if inner.hooks.counted.lock().one_more((id, Uuid::nil()), now) > A_MINUTE {
            let left = 60 - now.as_second().rem_euclid(60);
            return Err(Error::TooMany {
                retry_after: u64::try_from(left).unwrap_or(60),
            });
        }
        let secret = inner.hooks.secret(tenant, id, active.hook_turn)?;
        let header = call.header(SIGNATURE).unwrap_or_default();
        if !(inner.hooks.is_signed)(&secret, header, &call.body, now, TOLERANCE) {
            return Err(Error::Unauthenticated);
        }
        let body = call.json()?;
        let at = header.split(',').find(|part| part.trim().starts_with("t="));
        let signed = [at.unwrap_or_default().trim().as_bytes(), &call.body].concat();
        let execution = derived(id, &signed);
        if !inner.hooks.is_new(execution, now) || self.is_known(tenant, execution).await? {
            return Err(Error::Conflict(ConflictKind::AlreadyDone));
        }
        let done = self
            .set_off_by_hook(tenant, active, place, on, execution, body, now)
            .await;
        if done.is_err() {
            // It may come again.
            inner.hooks.seen.lock().remove(&execution);
        }
        done?;
        let begun = self.is_known(tenant, execution).await?.then_some(execution);
        let told = json!({ "execution": begun });
        Ok(Reply::json(told.to_string().into_bytes()).with_status(StatusCode::ACCEPTED))
    }

    async fn is_known(&self, tenant: i64, execution: Uuid) -> Result<bool, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let found = self.inner.records.snapshot(tenant, log.ix, execution).await;
        Ok(found?.is_some())
    }

    #[allow(clippy::too_many_arguments)] // each is what came from outside, or from whom
    async fn set_off_by_hook(
        &self,
        tenant: i64,
        active: &Active,
        place: usize,
        on: &OnHook,
        id: Uuid,
        body: Json,
        now: Timestamp,
    ) -> Result<(), Error> {
        let cause = Cause {
            workflow: &active.name,
            chain: id,
            depth: 0,
        };
        let caller = self.act_as(tenant, active.owner, &cause).await?;
        let caller = caller.ok_or(Error::Unauthenticated)?;
        let mut trigger = json!({"type": "webhook_received", "body": body, "at": now});
        let record = self.hooked(&caller, on, &trigger).await?;
        if let Some(record) = &record {
            trigger["entity"] = json!(on.entity);
            trigger["record"] = json!(record.id);
        }
        let start = Start {
            active,
            id,
            place,
            record: record.as_ref(),
            before: None,
            trigger,
            chain: id,
            depth: 0,
            again: false,
            keeps_skipped: true,
        };
        self.start(&caller, start).await
    }

    /// The record that a call is about.
    async fn hooked(
        &self,
        caller: &Caller,
        on: &OnHook,
        trigger: &Json,
    ) -> Result<Option<Snapshot>, Error> {
        let (Some(entity), Some(written)) = (&on.entity, &on.record) else {
            return Ok(None);
        };
        let records = &self.inner.records;
        let missing = |detail: &str| Error::field("record", "not_found", detail);
        let mut scope = Scope::default();
        scope.set("trigger", trigger);
        let filled = scope.fill(written).map_err(|why| missing(&why))?;
        let named = filled.as_str().unwrap_or_default();
        let ix = records.schema().find(entity).ok_or_else(|| missing(""))?;
        let found = records.get(caller, ix, named, &GetRequest::default()).await;
        let found = match found {
            Ok(found) => found,
            Err(Error::NotFound) => return Err(missing("")),
            Err(error) => return Err(error),
        };
        records.snapshot(caller.tenant(), ix, found.id).await
    }
}

/// Who may know a secret: a call under it is done with the rights of the workflow's owner. Nobody
/// else, though he may edit it: by that it becomes his own; and nobody with another's eyes.
fn may_know(caller: &Caller, owner: Option<Uuid>) -> bool {
    let is_his = owner == Some(caller.user()) || caller.access.is_admin();
    is_his && caller.viewer.is_none()
}

/// Tenant and workflow of an address.
fn addressed(text: &str) -> Option<(i64, Uuid)> {
    let (tenant, id) = text.split_once('-')?;
    let tenant = i64::from_str_radix(tenant, 16).ok()?;
    Some((tenant, Uuid::try_parse(id).ok()?))
}
