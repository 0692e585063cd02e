//! What HTTP serves of imports.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::schema::EntityIx;
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_records::operation::Handler;
use opsflux_records::read::{GetRequest, ListRequest};
use opsflux_records::{Call, Caller, ConflictKind, Error, Needs, Operation, Reply, Uuid};
use opsflux_store::{Commit, Guard};
use serde_json::{Map, Value as Json, json};

use crate::job::{Held, Spec, Stage, kept, refused};
use crate::receive::Received;
use crate::schemas::reference;
use crate::{Importing, JOB};

/// What requests may send.
pub(crate) const BODIES: &str = "multipart/form-data, application/json";

impl Importing {
    /// The operations.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let schema = self.records.schema();
        let Some(jobs) = schema.find(JOB) else {
            return Vec::new();
        };
        let mut all = vec![
            self.operation("import_create", Method::POST, "/imports", |i, call| {
                Box::pin(async move { i.create(call).await })
            }),
            self.operation(
                "import_preview",
                Method::POST,
                "/imports/preview",
                |i, call| Box::pin(async move { i.preview(call).await }),
            ),
            self.operation("import_jobs", Method::GET, "/imports/jobs", |i, call| {
                Box::pin(async move { i.jobs(&call).await })
            }),
            self.operation(
                "import_job",
                Method::GET,
                "/imports/jobs/{id}",
                |i, call| {
                    Box::pin(async move {
                        let id = call.path(0).to_owned();
                        Ok(Reply::json(
                            i.job(call.caller()?, &id).await?.to_string().into(),
                        ))
                    })
                },
            ),
            self.operation(
                "import_cancel",
                Method::POST,
                "/imports/jobs/{id}/cancel",
                |i, call| Box::pin(async move { i.cancel(&call).await }),
            ),
            self.operation(
                "import_roll_back",
                Method::POST,
                "/imports/jobs/{id}/rollback",
                |i, call| Box::pin(async move { i.ask_roll_back(&call).await }),
            ),
        ];
        all.extend(self.kpi_values());
        for operation in &mut all {
            operation.needs = Needs::Permission(jobs, Action::View);
        }
        all
    }

    /// One operation of imports.
    pub(crate) fn operation(
        &self,
        name: &str,
        method: Method,
        path: &str,
        work: fn(Importing, Call) -> BoxFuture<'static, Result<Reply, Error>>,
    ) -> Operation {
        let importing = self.clone();
        let handler: Handler = Arc::new(move |call| work(importing.clone(), call));
        let is_json = |name: &str| ("application/json".to_owned(), reference(name));
        let (input, output, query) = match (name, path) {
            ("import_jobs", _) => (
                None,
                (StatusCode::OK, Some(is_json("ImportStandingPage"))),
                paging(),
            ),
            ("import_job", _) => (
                None,
                (StatusCode::OK, Some(is_json("ImportStanding"))),
                Vec::new(),
            ),
            ("import_preview", _) => (
                Some((BODIES.to_owned(), reference("NewImport"))),
                (StatusCode::OK, Some(is_json("ImportPreview"))),
                Vec::new(),
            ),
            ("import_cancel" | "import_roll_back", _) => (
                None,
                (StatusCode::ACCEPTED, Some(is_json("ImportStanding"))),
                Vec::new(),
            ),
            _ => (
                Some((BODIES.to_owned(), reference("NewImport"))),
                (StatusCode::ACCEPTED, Some(is_json("ImportStanding"))),
                Vec::new(),
            ),
        };
        let summary = match name {
            "import_create" => "Import a file or rows; goes on as a job",
            "import_preview" => "What the first rows of a file would become",
            "import_jobs" => "The imports of the caller, the newest first",
            "import_job" => "Where an import stands",
            "import_cancel" => "Stop an import; what it has written is taken back",
            "import_roll_back" => "Take back a finished import",
            _ => "Import values of indicators; goes on as a job",
        };
        Operation {
            name: name.to_owned(),
            method,
            path: path.to_owned(),
            summary: summary.to_owned(),
            tag: "imports".to_owned(),
            needs: Needs::Session,
            query,
            input,
            output,
            problems: vec![
                StatusCode::BAD_REQUEST,
                StatusCode::NOT_FOUND,
                StatusCode::CONFLICT,
                StatusCode::PAYLOAD_TOO_LARGE,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                StatusCode::UNPROCESSABLE_ENTITY,
            ],
            handler,
        }
    }

    async fn create(&self, mut call: Call) -> Result<Reply, Error> {
        let mut received = self.receive(&mut call).await?;
        let begun = self.begin(&call, &mut received).await;
        self.answered(&call, &received, begun).await
    }

    /// The answer to a new import; its file goes when it is none.
    pub(crate) async fn answered(
        &self,
        call: &Call,
        received: &Received,
        begun: Result<(), Error>,
    ) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let id = received.id.to_string();
        let is_repeated = match begun {
            Ok(()) => false,
            // The same request again: the same job.
            Err(Error::Conflict(ConflictKind::Unique { .. })) => true,
            Err(error) => {
                self.spool.forget(received.id);
                return Err(error);
            }
        };
        let job = self.job(caller, &id).await?;
        // A job that has ended reads its file no more.
        let has_ended = matches!(job["status"].as_str(), Some("SUCCESS" | "FAILED"));
        if is_repeated && has_ended {
            self.spool.forget(received.id);
        }
        let location = format!("/api/v1/imports/jobs/{id}");
        Ok(Reply::json(job.to_string().into_bytes())
            .with_status(StatusCode::ACCEPTED)
            .with_header("location", &location))
    }

    async fn begin(&self, call: &Call, received: &mut Received) -> Result<(), Error> {
        let caller = call.caller()?;
        let entity = self.entity_of(caller, received)?;
        let spec = self.spec(caller, call, received, entity)?;
        self.begin_as(caller, received, entity, spec).await
    }

    /// Queues an import after what can be known at once was looked at: the mapping.
    pub(crate) async fn begin_as(
        &self,
        caller: &Caller,
        received: &Received,
        entity: EntityIx,
        spec: Spec,
    ) -> Result<(), Error> {
        if !caller.access.may(entity, Action::Create) {
            return Err(Error::Forbidden {
                action: "create".to_owned(),
                entity: spec.entity,
            });
        }
        self.queue(caller, received.id, &received.file_name, spec)
            .await
    }

    /// The entity a request names, which the caller may fill.
    pub(crate) fn entity_of(
        &self,
        caller: &Caller,
        received: &mut Received,
    ) -> Result<EntityIx, Error> {
        let schema = self.records.schema();
        let by_name = received.fields.remove("entity");
        let by_collection = received.fields.remove("collection");
        let text = |json: &Option<Json>| json.as_ref().and_then(Json::as_str).map(str::to_owned);
        let found = match (text(&by_name), text(&by_collection)) {
            (Some(name), _) => schema.find(&name).or_else(|| schema.find_collection(&name)),
            (None, Some(collection)) => schema.find_collection(&collection),
            (None, None) => return Err(Error::field("entity", "required", "")),
        };
        let visible = found.filter(|ix| caller.access.may(*ix, Action::View));
        let entity = visible.ok_or_else(|| Error::field("entity", "unknown_entity", ""))?;
        let declared = schema.entity(entity);
        let is_log = declared.kind == opsflux_model::schema::EntityKind::Log;
        if is_log || self.closed.contains(&declared.name.as_str()) {
            return Err(Error::field("entity", "base.not_importable", ""));
        }
        Ok(entity)
    }

    async fn jobs(&self, call: &Call) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let entity = self.job_entity()?;
        let schema = self.records.schema();
        let request = ListRequest::from_query(schema.entity(entity), &call.query)?;
        let page = self.records.list(caller, entity, &request).await?;
        let mut page: Json =
            serde_json::from_slice(&page).map_err(|error| Error::Internal(error.to_string()))?;
        let tenant = self.tenant(caller).await?;
        for job in page["items"].as_array_mut().into_iter().flatten() {
            told(job, &tenant);
        }
        Ok(Reply::json(page.to_string().into_bytes()))
    }

    /// A job as the caller sees it.
    pub(crate) async fn job(&self, caller: &Caller, id: &str) -> Result<Json, Error> {
        let entity = self.job_entity()?;
        let request = GetRequest::default();
        let found = self.records.get(caller, entity, id, &request).await?;
        let mut job: Json = serde_json::from_slice(&found.body)
            .map_err(|error| Error::Internal(error.to_string()))?;
        told(&mut job, &self.tenant(caller).await?);
        Ok(job)
    }

    async fn tenant(&self, caller: &Caller) -> Result<Json, Error> {
        let all = self.records.store().tenants().await?;
        let own = all.iter().find(|known| known.number == caller.tenant());
        Ok(own.map_or(Json::Null, |own| own.id.to_string().into()))
    }

    async fn cancel(&self, call: &Call) -> Result<Reply, Error> {
        let held = self.seen(call).await?;
        let set = vec![("cancel", Value::Bool(true))];
        self.change_while(&held, &["PENDING", "RUNNING"], set, "base.import_ended")
            .await?;
        self.accepted(call, &held).await
    }

    async fn ask_roll_back(&self, call: &Call) -> Result<Reply, Error> {
        let mut held = self.seen(call).await?;
        let schema = self.records.schema();
        let unfit = || conflict("base.import_not_done", "");
        let is_done = held.row.get(&schema, "status").as_text() == Some("SUCCESS");
        if !is_done || held.state.stage != Stage::Write {
            return Err(unfit());
        }
        // The import of another is his to take back.
        if held.row.get(&schema, "user").as_id() != Some(call.caller()?.user()) {
            return Err(unfit());
        }
        let entity = schema.find(&held.state.spec.entity).ok_or_else(unfit)?;
        let touched = self.touched(&held, entity).await?;
        if !touched.is_empty() {
            return Err(conflict("base.import_touched", &touched.join(", ")));
        }
        held.state.stage = Stage::RollBack;
        let set = vec![
            ("status", "PENDING".into()),
            ("stage", Stage::RollBack.code().into()),
            ("state", kept(&held.state)?),
            ("error_message", Value::Null),
            ("ended_at", Value::Null),
            ("lease_until", Value::Null),
        ];
        self.change_while(&held, &["SUCCESS"], set, "base.import_not_done")
            .await?;
        self.bell.notify_one();
        self.accepted(call, &held).await
    }

    async fn accepted(&self, call: &Call, held: &Held) -> Result<Reply, Error> {
        let job = self.job(call.caller()?, &held.id().to_string()).await?;
        Ok(Reply::json(job.to_string().into_bytes()).with_status(StatusCode::ACCEPTED))
    }

    /// The row of a job that the caller sees.
    async fn seen(&self, call: &Call) -> Result<Held, Error> {
        let caller = call.caller()?;
        let entity = self.job_entity()?;
        let id: Uuid = self.records.resolve(caller, entity, call.path(0)).await?;
        let row = self.records.snapshot(caller.tenant(), entity, id).await?;
        let row = row.ok_or(Error::NotFound)?;
        let state = self.state(&row).ok_or(Error::NotFound)?;
        Ok(Held {
            tenant: caller.tenant(),
            row,
            state,
        })
    }

    async fn change_while(
        &self,
        held: &Held,
        statuses: &[&str],
        set: crate::job::Fields,
        otherwise: &str,
    ) -> Result<(), Error> {
        let entity = self.job_entity()?;
        let schema = self.records.schema();
        let status = schema
            .entity(entity)
            .find("status")
            .ok_or(Error::NotFound)?;
        let among = statuses.iter().map(|code| Value::from(*code)).collect();
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![Guard::Exists {
                name: "import.status".to_owned(),
                entity,
                id: held.id(),
                holds: Predicate::test(entity, status, Operand::OneOf(among)),
            }],
            writes: vec![self.update(held.id(), set)?],
            ..Commit::default()
        };
        match self.records.store().commit(commit).await.map_err(refused) {
            Ok(_) => Ok(()),
            Err(Error::Conflict(ConflictKind::Guard { .. })) => Err(conflict(otherwise, "")),
            Err(error) => Err(error),
        }
    }
}

/// The state of things is against it, in the words of the catalogue.
fn conflict(code: &str, expected: &str) -> Error {
    Error::Refused {
        code: code.to_owned(),
        params: Map::from_iter([("expected".to_owned(), expected.into())]),
        field: None,
    }
}

/// A job as the contract has it.
fn told(job: &mut Json, tenant: &Json) {
    let Some(job) = job.as_object_mut() else {
        return;
    };
    for hidden in ["state", "worker", "lease_until", "attempts"] {
        job.remove(hidden);
    }
    let user = job.remove("user").unwrap_or_default();
    let moved = ["ended_at", "started_at", "created_at"];
    let mut updated = moved
        .iter()
        .filter_map(|name| job.get(*name).filter(|at| !at.is_null()));
    let updated = updated.next().cloned().unwrap_or_default();
    job.insert("created_by".to_owned(), user);
    job.insert("updated_at".to_owned(), updated);
    job.insert("organization_id".to_owned(), tenant.clone());
    for list in ["errors", "notes"] {
        if job.get(list).is_none_or(Json::is_null) {
            job.insert(list.to_owned(), json!([]));
        }
    }
    let can =
        job.get("status") == Some(&json!("SUCCESS")) && job.get("stage") == Some(&json!("write"));
    job.insert("can_roll_back".to_owned(), can.into());
}

fn paging() -> Vec<(String, Json, String)> {
    vec![(
        "*".to_owned(),
        json!({"type": "string"}),
        "As in every list".to_owned(),
    )]
}
