//! Comments under the record they are about.

use http::{Method, StatusCode};
use opsflux_model::Action;
use opsflux_model::schema::{Entity, EntityIx};
use serde_json::{Value as Json, json};

use super::reads::{list, list_parameters};
use super::writes::create_one;
use super::{Room, handler, json_of, of};
use crate::error::Error;
use crate::operation::{Needs, Operation};
use crate::read::Nested;
use crate::records::Records;

/// Name of the entity of comments.
const COMMENT: &str = "comment";
/// Its link to what it is about.
const TARGET: &str = "target";

pub(super) fn operations(records: &Records, ix: EntityIx, entity: &Entity) -> Vec<Operation> {
    let schema = records.schema();
    let Some(comments) = schema.find(COMMENT) else {
        return Vec::new();
    };
    let declared = schema.entity(comments);
    let Some(via) = declared.find(TARGET) else {
        return Vec::new();
    };
    let room = Room {
        records: records.clone(),
        entity: comments,
    };
    let read = {
        let room = room.clone();
        Operation {
            needs: Needs::Permission(ix, Action::View),
            query: list_parameters(),
            output: (StatusCode::OK, json_of(declared, "Page")),
            problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
            handler: handler(move |call| {
                let room = room.clone();
                async move {
                    let id = room
                        .records
                        .resolve(call.caller()?, ix, call.path(0))
                        .await?;
                    list(room, call, Some(Nested { via, to: ix, id })).await
                }
            }),
            ..of(
                entity,
                "comments",
                Method::GET,
                "/{id}/comments",
                "The conversation".to_owned(),
            )
        }
    };
    let name = entity.name.clone();
    let write = Operation {
        needs: Needs::Permission(ix, Action::View),
        input: Some((
            super::JSON.to_owned(),
            json!({"$ref": "#/components/schemas/NewComment"}),
        )),
        output: (StatusCode::CREATED, json_of(declared, "")),
        problems: vec![
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::UNPROCESSABLE_ENTITY,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ],
        handler: handler(move |call| {
            let (room, name) = (room.clone(), name.clone());
            async move {
                let id = room
                    .records
                    .resolve(call.caller()?, ix, call.path(0))
                    .await?;
                let mut body = call.object()?;
                if body.contains_key(TARGET) {
                    return Err(Error::field(TARGET, "readonly", ""));
                }
                body.insert(TARGET.to_owned(), target(&name, &id.to_string()));
                create_one(&room, &call, body).await
            }
        }),
        ..of(
            entity,
            "comment",
            Method::POST,
            "/{id}/comments",
            "Say something".to_owned(),
        )
    };
    vec![read, write]
}

fn target(entity: &str, id: &str) -> Json {
    json!({"entity": entity, "id": id})
}
