//! Stopping a job: `POST /jobs/{id}/cancel`.

use http::{Method, StatusCode};
use opsflux_model::schema::EntityIx;
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::{Commit, Guard, Write};
use uuid::Uuid;

use super::{ENTITY, row};
use crate::caller::Caller;
use crate::entity::handler;
use crate::error::Error;
use crate::operation::{Needs, Operation, Reply};
use crate::read::GetRequest;
use crate::records::Records;

/// Name of the guard that the job has not ended.
const GOES_ON: &str = "job.goes_on";

impl Records {
    /// Asks a job to stop; its work decides what that means: a deletion brings everything back.
    /// Who sees a job may stop it.
    ///
    /// # Errors
    /// [`crate::ConflictKind::Guard`] when it has ended.
    pub async fn cancel_job(&self, caller: &Caller, reference: &str) -> Result<(), Error> {
        let entity = self.entity_called(ENTITY)?;
        let found = self
            .get(caller, entity, reference, &GetRequest::default())
            .await?;
        let schema = self.schema();
        let commit = Commit {
            tenant: caller.tenant(),
            guards: vec![Guard::Exists {
                name: GOES_ON.to_owned(),
                entity,
                id: found.id,
                holds: goes_on(&schema, entity)?,
            }],
            writes: vec![Write::Update {
                entity,
                id: found.id,
                expected_version: None,
                set: row::set(&schema, &[("cancel", Value::Bool(true))]),
            }],
            ..Commit::default()
        };
        self.inner
            .store
            .commit(commit)
            .await
            .map_err(crate::write::refused)?;
        self.note_cancelled(caller, found.id).await
    }

    async fn note_cancelled(&self, caller: &Caller, job: Uuid) -> Result<(), Error> {
        let (user, origin) = (Some(caller.user()), &caller.origin);
        let tenant = caller.tenant();
        self.audit(
            tenant,
            origin,
            user,
            "cancel",
            Some(ENTITY),
            Some(job),
            "ok",
            None,
        )
        .await
    }
}

fn goes_on(schema: &opsflux_model::Schema, entity: EntityIx) -> Result<Predicate, Error> {
    let status = schema.entity(entity).find("status");
    let status = status.ok_or_else(|| Error::Internal("jobs have no status".to_owned()))?;
    let going = ["queued", "running"].map(Value::from).to_vec();
    Ok(Predicate::test(entity, status, Operand::OneOf(going)))
}

/// The operation of jobs besides reading them.
pub(crate) fn operations(records: &Records, ix: EntityIx, path: &str) -> Vec<Operation> {
    let records = records.clone();
    vec![Operation {
        name: "job_cancel".to_owned(),
        method: Method::POST,
        path: format!("/{path}/{{id}}/cancel"),
        summary: "Stop a job; a deletion brings back what it has taken".to_owned(),
        tag: path.to_owned(),
        needs: Needs::Permission(ix, Action::View),
        query: Vec::new(),
        input: None,
        output: (StatusCode::NO_CONTENT, None),
        problems: vec![StatusCode::NOT_FOUND, StatusCode::CONFLICT],
        handler: handler(move |call| {
            let records = records.clone();
            async move {
                records.cancel_job(call.caller()?, call.path(0)).await?;
                Ok(Reply::empty())
            }
        }),
    }]
}
