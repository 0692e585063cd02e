//! Creating, changing, deleting, restoring, in bulk or one by one.

use http::{Method, StatusCode};
use opsflux_model::Action;
use opsflux_model::schema::{Entity, EntityIx};
use serde_json::{Map, Value as Json, json};

use super::idempotency::{Kept, once};
use super::{JSON, Room, handler, json_of, of};
use crate::error::Error;
use crate::operation::{Body, Call, Needs, Operation, Reply};
use crate::read::GetRequest;
use crate::records::Records;
use crate::write::{
    BulkResult, Confirm, Precondition, WriteOptions, Written, done_json, read_bulk,
};

pub(super) const CONFLICTS: [StatusCode; 3] = [
    StatusCode::CONFLICT,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
];

pub(super) fn operations(records: &Records, ix: EntityIx, entity: &Entity) -> Vec<Operation> {
    let room = Room {
        records: records.clone(),
        entity: ix,
    };
    vec![
        create(&room, entity),
        update(&room, entity),
        delete(&room, entity),
        restore(&room, entity),
        bulk(&room, entity),
    ]
}

fn create(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::Create),
        input: json_of(entity, "Create"),
        output: (StatusCode::CREATED, json_of(entity, "")),
        problems: CONFLICTS.to_vec(),
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let body = call.object()?;
                let made = create_one(&room, &call, body).await;
                note_refusal(&room, &call, "create", call.path(0), made).await
            }
        }),
        ..of(
            entity,
            "create",
            Method::POST,
            "",
            format!("Create one of {}", entity.collection),
        )
    }
}

/// Creates a record, once per idempotency key.
pub(super) async fn create_one(
    room: &Room,
    call: &Call,
    body: Map<String, Json>,
) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let slot = match once(&room.records, call, StatusCode::CREATED).await? {
        Kept::Answered(status, recipe) => return again(room, call, status, &recipe).await,
        Kept::New(slot) => slot,
    };
    let options = WriteOptions {
        confirm: confirm(call),
        answer: slot.as_ref().map(|slot| slot.pending.clone()),
        ..WriteOptions::default()
    };
    let written = room
        .records
        .create(caller, room.entity, body, &options)
        .await?;
    Ok(created(room, written))
}

fn created(room: &Room, written: Written) -> Reply {
    let schema = room.records.schema();
    let location = format!(
        "/api/v1/{}/{}",
        schema.entity(room.entity).collection,
        written.id
    );
    let status = if written.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Reply::json(written.body)
        .with_status(status)
        .with_header("location", &location)
        .with_header("etag", &format!("\"{}\"", written.version))
}

/// The answer to a request that was carried out before, with today's rights.
async fn again(
    room: &Room,
    call: &Call,
    status: StatusCode,
    recipe: &Json,
) -> Result<Reply, Error> {
    let schema = room.records.schema();
    let name = &schema.entity(room.entity).name;
    let touched = recipe.as_array().into_iter().flatten();
    let own = touched.filter(|touched| touched["entity"].as_str() == Some(name));
    let Some(id) = own.filter_map(|touched| touched["id"].as_str()).next() else {
        return Ok(Reply::json(b"{}".to_vec()).with_status(status));
    };
    let found = room
        .records
        .get(call.caller()?, room.entity, id, &GetRequest::default())
        .await?;
    let written = Written {
        id: found.id,
        version: found.version,
        body: found.body,
        created: true,
    };
    Ok(created(room, written).with_status(status))
}

fn update(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::View),
        input: json_of(entity, "Patch"),
        output: (StatusCode::OK, json_of(entity, "")),
        problems: [
            CONFLICTS.as_slice(),
            &[StatusCode::NOT_FOUND, StatusCode::PRECONDITION_FAILED],
        ]
        .concat(),
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let reply = update_one(&room, &call, call.path(0)).await;
                note_refusal(&room, &call, "edit", call.path(0), reply).await
            }
        }),
        ..of(
            entity,
            "update",
            Method::PATCH,
            "/{id}",
            format!("Change one of {}", entity.collection),
        )
    }
}

/// Changes the record that `reference` addresses.
pub(super) async fn update_one(room: &Room, call: &Call, reference: &str) -> Result<Reply, Error> {
    let mut patch = call.object()?;
    let options = WriteOptions {
        precondition: precondition(call, &mut patch)?,
        confirm: confirm(call),
        ..WriteOptions::default()
    };
    let written = room
        .records
        .update(call.caller()?, room.entity, reference, patch, &options)
        .await?;
    let etag = format!("\"{}\"", written.version);
    Ok(Reply::json(written.body).with_header("etag", &etag))
}

/// Marks the record that `reference` addresses deleted.
pub(super) async fn delete_one(room: &Room, call: &Call, reference: &str) -> Result<Reply, Error> {
    let options = WriteOptions {
        precondition: precondition(call, &mut Map::new())?,
        confirm: confirm(call),
        ..WriteOptions::default()
    };
    let deletion = room
        .records
        .delete(call.caller()?, room.entity, reference, &options)
        .await?;
    let reply = goes_on(Reply::empty(), deletion.job);
    Ok(reply.with_header("opsflux-deletion", &deletion.id.to_string()))
}

fn delete(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::View),
        output: (StatusCode::NO_CONTENT, None),
        problems: vec![
            StatusCode::ACCEPTED,
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::PRECONDITION_FAILED,
        ],
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let reply = delete_one(&room, &call, call.path(0)).await;
                note_refusal(&room, &call, "delete", call.path(0), reply).await
            }
        }),
        ..of(
            entity,
            "delete",
            Method::DELETE,
            "/{id}",
            format!("Delete one of {}", entity.collection),
        )
    }
}

fn restore(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::Delete),
        output: (StatusCode::OK, json_of(entity, "")),
        problems: vec![
            StatusCode::ACCEPTED,
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
        ],
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let options = WriteOptions::default();
                let (written, job) = room
                    .records
                    .restore(call.caller()?, room.entity, call.path(0), &options)
                    .await?;
                let etag = format!("\"{}\"", written.version);
                Ok(goes_on(
                    Reply::json(written.body).with_header("etag", &etag),
                    job,
                ))
            }
        }),
        ..of(
            entity,
            "restore",
            Method::POST,
            "/{id}/restore",
            format!(
                "Bring back a deleted one of {}, with what went with it",
                entity.collection
            ),
        )
    }
}

fn bulk(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::View),
        input: json_of(entity, "Bulk"),
        output: (
            StatusCode::OK,
            Some((
                JSON.to_owned(),
                json!({"$ref": "#/components/schemas/BulkResults"}),
            )),
        ),
        problems: CONFLICTS.to_vec(),
        handler: handler(move |call| {
            let room = room.clone();
            async move { run_bulk(&room, &call).await }
        }),
        ..of(
            entity,
            "bulk",
            Method::POST,
            "/bulk",
            format!(
                "Up to 1,000 operations on {}, all or nothing unless atomic is false",
                entity.collection
            ),
        )
    }
}

async fn run_bulk(room: &Room, call: &Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let (operations, atomic) = read_bulk(&call.object()?)?;
    if !atomic {
        let confirm = confirm(call);
        let results = room
            .records
            .bulk_each(caller, room.entity, &operations, confirm.as_ref())
            .await;
        return Ok(Reply {
            body: Body::Bulk(results),
            ..Reply::json(Vec::new())
        });
    }
    let slot = match once(&room.records, call, StatusCode::OK).await? {
        Kept::Answered(status, recipe) => {
            let ids = recipe.as_array().into_iter().flatten();
            let results: Vec<Json> = ids
                .map(|touched| json!({"status": status.as_u16(), "record": touched}))
                .collect();
            let body = json!({"results": results}).to_string().into_bytes();
            return Ok(Reply::json(body).with_status(status));
        }
        Kept::New(slot) => slot,
    };
    let options = WriteOptions {
        confirm: confirm(call),
        answer: slot.as_ref().map(|slot| slot.pending.clone()),
        ..WriteOptions::default()
    };
    let done = room
        .records
        .bulk_atomic(caller, room.entity, &operations, &options)
        .await?;
    let results: Vec<Json> = done
        .iter()
        .filter_map(|result| match result {
            BulkResult::Done(status, body) => Some(done_json(*status, body.as_deref())),
            BulkResult::Failed(_) => None,
        })
        .collect();
    Ok(Reply::json(
        json!({"results": results}).to_string().into_bytes(),
    ))
}

/// 202 with the address of the job that does the rest, when there is one.
fn goes_on(reply: Reply, job: Option<uuid::Uuid>) -> Reply {
    let Some(job) = job else { return reply };
    reply
        .with_status(StatusCode::ACCEPTED)
        .with_header("location", &format!("/api/v1/jobs/{job}"))
}

/// `If-Match`, else `base_version` in the body.
fn precondition(call: &Call, patch: &mut Map<String, Json>) -> Result<Precondition, Error> {
    let base = patch.remove("base_version");
    if let Some(header) = call.header("if-match") {
        let version = header.trim().trim_start_matches("W/").trim_matches('"');
        let wrong = || Error::query("If-Match", "invalid_value", "a version as in ETag");
        return version
            .parse()
            .map(Precondition::IfMatch)
            .map_err(|_| wrong());
    }
    match base {
        None | Some(Json::Null) => Ok(Precondition::None),
        Some(base) => base
            .as_i64()
            .map(Precondition::Base)
            .ok_or_else(|| Error::field("base_version", "wrong_type", "an integer")),
    }
}

fn confirm(call: &Call) -> Option<Confirm> {
    call.header("x-confirm")
        .map(|token| Confirm(token.to_owned()))
}

/// Why something was refused, in the words of the audit: who reads the history of a record may not
/// be allowed to see the values that two people quarrelled about.
fn said(error: &Error) -> String {
    match error {
        Error::Conflict(kind) => format!("conflict: {}", kind.name()),
        other => other.to_string(),
    }
}

/// A refused attempt is told to the audit; the person gets the same answer either way.
pub(super) async fn note_refusal(
    room: &Room,
    call: &Call,
    action: &str,
    reference: &str,
    outcome: Result<Reply, Error>,
) -> Result<Reply, Error> {
    if let (Err(error), Some(caller)) = (&outcome, &call.caller)
        && matches!(
            error,
            Error::Forbidden { .. } | Error::Conflict(_) | Error::Refused { .. }
        )
        && room
            .records
            .may_note_refusal(call.origin.address.as_deref())
    {
        let schema = room.records.schema();
        let entity = &schema.entity(room.entity).name;
        let record = uuid::Uuid::try_parse(reference).ok();
        let reason = said(error);
        let noted = room
            .records
            .audit(
                caller.tenant(),
                &caller.origin,
                Some(caller.user()),
                action,
                Some(entity),
                record,
                "refused",
                Some(&reason),
            )
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "a refused attempt could not be noted");
        }
    }
    outcome
}
