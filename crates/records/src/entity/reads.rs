//! Lists, records, history, related lists.

use http::{Method, StatusCode};
use opsflux_model::Action;
use opsflux_model::schema::{Entity, EntityIx, EntityKind};
use serde_json::{Value as Json, json};

use super::{Room, handler, json_of, of, parameter};
use crate::error::Error;
use crate::operation::{Body, Call, Needs, Operation, Reply};
use crate::read::{Found, GetRequest, ListRequest, Nested};
use crate::records::Records;

pub(super) fn operations(records: &Records, ix: EntityIx, entity: &Entity) -> Vec<Operation> {
    let room = Room {
        records: records.clone(),
        entity: ix,
    };
    let view = Needs::Permission(ix, Action::View);
    let list = {
        let room = room.clone();
        Operation {
            needs: view,
            query: list_parameters(),
            output: (StatusCode::OK, json_of(entity, "Page")),
            problems: vec![StatusCode::BAD_REQUEST],
            handler: handler(move |call| list(room.clone(), call, None)),
            ..of(
                entity,
                "list",
                Method::GET,
                "",
                format!("List {}", entity.collection),
            )
        }
    };
    let get = {
        let room = room.clone();
        Operation {
            needs: view,
            query: get_parameters(),
            output: (StatusCode::OK, json_of(entity, "")),
            problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
            handler: handler(move |call| {
                let room = room.clone();
                async move { one(&room, &call, call.path(0)).await }
            }),
            ..of(
                entity,
                "get",
                Method::GET,
                "/{id}",
                format!("Read one of {}", entity.collection),
            )
        }
    };
    let mut all = vec![list, get];
    if entity.kind == EntityKind::Record {
        all.push(history(&room, entity));
    }
    all.extend(related(&room, entity));
    all
}

fn history(room: &Room, entity: &Entity) -> Operation {
    let room = room.clone();
    Operation {
        needs: Needs::Permission(room.entity, Action::View),
        query: vec![
            parameter(
                "cursor",
                json!({"type": "string"}),
                "Where the page before ended",
            ),
            parameter(
                "limit",
                json!({"type": "integer", "minimum": 1, "maximum": 500}),
                "Entries",
            ),
        ],
        output: (
            StatusCode::OK,
            Some((
                super::JSON.to_owned(),
                json!({"$ref": "#/components/schemas/HistoryPage"}),
            )),
        ),
        problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let request = ListRequest::from_query(
                    room.records.schema().entity(room.entity),
                    &call.query,
                )?;
                let body = room
                    .records
                    .history(
                        call.caller()?,
                        room.entity,
                        call.path(0),
                        request.cursor.as_deref(),
                        request.limit.unwrap_or(crate::read::query::DEFAULT_LIMIT),
                    )
                    .await?;
                Ok(Reply::json(body))
            }
        }),
        ..of(
            entity,
            "history",
            Method::GET,
            "/{id}/history",
            "Who changed what".to_owned(),
        )
    }
}

/// The lists of records whose links point at one of this entity.
fn related(room: &Room, entity: &Entity) -> Vec<Operation> {
    let schema = room.records.schema();
    let taken = |name: &str| {
        matches!(name, "history" | "restore" | "bulk")
            || (entity.comments && name == "comments")
            || (entity.files && name == "files")
    };
    let related = entity
        .related
        .iter()
        .filter(|related| !taken(&related.name));
    related
        .map(|related| {
            let other = schema.entity(related.entity);
            let target = Room {
                records: room.records.clone(),
                entity: related.entity,
            };
            let parent = room.entity;
            let via = related.via;
            let path = format!("/{{id}}/{}", related.name.replace('_', "-"));
            Operation {
                needs: Needs::Permission(parent, Action::View),
                query: list_parameters(),
                output: (StatusCode::OK, json_of(other, "Page")),
                problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
                handler: handler(move |call| {
                    let target = target.clone();
                    async move {
                        let id = {
                            let caller = call.caller()?;
                            target.records.resolve(caller, parent, call.path(0)).await?
                        };
                        list(
                            target,
                            call,
                            Some(Nested {
                                via,
                                to: parent,
                                id,
                            }),
                        )
                        .await
                    }
                }),
                ..of(
                    entity,
                    &format!("{}_list", related.name),
                    Method::GET,
                    &path,
                    format!("List {} of one of {}", related.name, entity.collection),
                )
            }
        })
        .collect()
}

pub(super) async fn list(room: Room, call: Call, nested: Option<Nested>) -> Result<Reply, Error> {
    let caller = call.caller()?;
    if !caller.access.may(room.entity, Action::View) {
        return Err(Error::NotFound);
    }
    // Which records a hidden link points at is not told by the other end of it.
    if nested.is_some_and(|nested| !caller.access.may_refer(room.entity, nested.via)) {
        return Err(Error::NotFound);
    }
    let schema = room.records.schema();
    let mut request = ListRequest::from_query(schema.entity(room.entity), &call.query)?;
    request.nested = nested;
    Ok(Reply::json(
        room.records.list(caller, room.entity, &request).await?,
    ))
}

/// The record that `reference` addresses.
pub(super) async fn one(room: &Room, call: &Call, reference: &str) -> Result<Reply, Error> {
    let mut request = GetRequest::default();
    for (name, value) in &call.query {
        let names = || value.split(',').map(str::trim).map(str::to_owned).collect();
        match name.as_str() {
            "fields" => request.fields = Some(names()),
            "expand" => request.expand = names(),
            "deleted" => request.deleted = value != "false",
            other => {
                return Err(Error::query(
                    other,
                    "unknown_parameter",
                    "fields, expand, deleted",
                ));
            }
        }
    }
    let found = room
        .records
        .get(call.caller()?, room.entity, reference, &request)
        .await?;
    let etag = format!("\"{}\"", found.version);
    if call
        .header("if-none-match")
        .is_some_and(|known| known == etag)
    {
        let reply = Reply {
            status: StatusCode::NOT_MODIFIED,
            headers: Vec::new(),
            body: Body::Empty,
        };
        return Ok(reply.with_header("etag", &etag));
    }
    Ok(with_etag(found))
}

/// A record with its version as `ETag`.
pub(super) fn with_etag(found: Found) -> Reply {
    Reply::json(found.body).with_header("etag", &format!("\"{}\"", found.version))
}

pub(super) fn get_parameters() -> Vec<(String, Json, String)> {
    vec![
        parameter(
            "fields",
            json!({"type": "string"}),
            "Names of the fields wanted, with commas",
        ),
        parameter(
            "expand",
            json!({"type": "string"}),
            "Links whose records are wanted whole",
        ),
        parameter("deleted", json!({"type": "boolean"}), "A deleted record"),
    ]
}

pub(crate) fn list_parameters() -> Vec<(String, Json, String)> {
    let text = || json!({"type": "string"});
    vec![
        parameter(
            "filter",
            text(),
            "A condition as JSON: {\"all\": [{\"field\", \"op\", \"value\"}]}",
        ),
        parameter(
            "q",
            json!({"type": "string", "maxLength": 500}),
            "Full text",
        ),
        parameter("sort", text(), "Fields with commas, - for descending"),
        parameter(
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 500}),
            "Rows, 50 unless given",
        ),
        parameter("cursor", text(), "next_cursor of the page before"),
        parameter("fields", text(), "Names of the fields wanted, with commas"),
        parameter("expand", text(), "Links whose records are wanted whole"),
        parameter(
            "total",
            json!({"type": "boolean"}),
            "Whether to count, up to 10,000",
        ),
        parameter(
            "deleted",
            json!({"type": "boolean"}),
            "Deleted records instead of living ones",
        ),
        parameter(
            "*",
            text(),
            "FIELD=value or FIELD[op]=value, the field may be a dotted path",
        ),
    ]
}
