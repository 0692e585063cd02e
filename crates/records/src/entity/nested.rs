//! Records below the one they point at: made, read, changed and deleted at `/kpis/{id}/values`,
//! where their link says `nested = true`.
//!
//! It is the same pipeline as at their own collection; the address only says where they belong.

use http::{Method, StatusCode};
use opsflux_model::schema::{Entity, EntityIx, FieldType, Related};
use opsflux_model::{Action, Condition, FieldIx, Op};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::reads::{get_parameters, one};
use super::writes::{CONFLICTS, create_one, delete_one, note_refusal, update_one};
use super::{JSON, Room, handler, json_of, of, pascal, schema_name};
use crate::error::Error;
use crate::operation::{Call, Needs, Operation};
use crate::read::{ListRequest, Nested};
use crate::records::Records;

/// Name of the schema of what makes a record below another: `KpiValuesCreate`.
#[must_use]
pub fn nested_schema(owner: &Entity, related: &str) -> String {
    format!("{}{}Create", schema_name(owner), pascal(related))
}

/// Where records of an entity stand below another.
#[derive(Clone)]
struct Below {
    rows: Room,
    owner: EntityIx,
    via: FieldIx,
    link: String,
}

pub(super) fn operations(records: &Records, ix: EntityIx, entity: &Entity) -> Vec<Operation> {
    let schema = records.schema();
    let mut all = Vec::new();
    for related in &entity.related {
        let rows = schema.entity(related.entity);
        let via = rows.field(related.via);
        let FieldType::Link(link) = &via.kind else {
            continue;
        };
        if !link.nested {
            continue;
        }
        let below = Below {
            rows: Room {
                records: records.clone(),
                entity: related.entity,
            },
            owner: ix,
            via: related.via,
            link: via.name.clone(),
        };
        all.push(create(&below, entity, rows, related));
        all.push(read(&below, entity, rows, related));
        all.push(update(&below, entity, rows, related));
        all.push(delete(&below, entity, rows, related));
    }
    all
}

/// `/kpis/{id}/values/{value_id}`.
fn address(entity: &Entity, rows: &Entity, related: &Related) -> String {
    let prefix = format!("{}_", entity.name);
    let short = rows.name.strip_prefix(&prefix).unwrap_or(&rows.name);
    format!("{}/{{{short}_id}}", collection(related))
}

fn collection(related: &Related) -> String {
    format!("/{{id}}/{}", related.name.replace('_', "-"))
}

impl Below {
    /// The record above.
    async fn above(&self, call: &Call) -> Result<Uuid, Error> {
        let caller = call.caller()?;
        let records = &self.rows.records;
        records.resolve(caller, self.owner, call.path(0)).await
    }

    /// The record below, if it really is below the one the address names.
    async fn found(&self, call: &Call) -> Result<String, Error> {
        let caller = call.caller()?;
        let id = self.above(call).await?;
        // Which record a hidden link points at is not told by the other end of it.
        if !caller.access.may_refer(self.rows.entity, self.via) {
            return Err(Error::NotFound);
        }
        let records = &self.rows.records;
        let row = records
            .resolve(caller, self.rows.entity, call.path(1))
            .await?;
        let this = Condition::Test {
            field: "id".to_owned(),
            op: Op::Eq,
            value: json!(row.to_string()),
        };
        let request = ListRequest {
            conditions: vec![("id".to_owned(), this)],
            limit: Some(1),
            fields: Some(vec!["id".to_owned()]),
            nested: Some(Nested {
                via: self.via,
                to: self.owner,
                id,
            }),
            ..ListRequest::default()
        };
        let page = records.list(caller, self.rows.entity, &request).await?;
        let page: Json = serde_json::from_slice(&page).unwrap_or_default();
        let is_below = page["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty());
        is_below.then(|| row.to_string()).ok_or(Error::NotFound)
    }

    /// What is written, with the record above put in.
    async fn body(&self, call: &Call) -> Result<Map<String, Json>, Error> {
        let mut body = call.object()?;
        let above = json!(self.above(call).await?.to_string());
        if body
            .insert(self.link.clone(), above.clone())
            .is_some_and(|said| said != above)
        {
            return Err(Error::field(
                &self.link,
                "readonly",
                "the record of the address",
            ));
        }
        Ok(body)
    }
}

fn create(below: &Below, entity: &Entity, rows: &Entity, related: &Related) -> Operation {
    let below = below.clone();
    let schema = format!(
        "#/components/schemas/{}",
        nested_schema(entity, &related.name)
    );
    Operation {
        needs: Needs::Permission(below.owner, Action::View),
        input: Some((JSON.to_owned(), json!({"$ref": schema}))),
        output: (StatusCode::CREATED, json_of(rows, "")),
        problems: [CONFLICTS.as_slice(), &[StatusCode::NOT_FOUND]].concat(),
        handler: handler(move |call| {
            let below = below.clone();
            async move {
                let made = match below.body(&call).await {
                    Ok(body) => create_one(&below.rows, &call, body).await,
                    Err(error) => Err(error),
                };
                note_refusal(&below.rows, &call, "create", call.path(1), made).await
            }
        }),
        ..of(
            entity,
            &format!("{}_create", related.name),
            Method::POST,
            &collection(related),
            format!(
                "Create one of {} of one of {}",
                related.name, entity.collection
            ),
        )
    }
}

fn read(below: &Below, entity: &Entity, rows: &Entity, related: &Related) -> Operation {
    let below = below.clone();
    Operation {
        needs: Needs::Permission(below.owner, Action::View),
        query: get_parameters(),
        output: (StatusCode::OK, json_of(rows, "")),
        problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
        handler: handler(move |call| {
            let below = below.clone();
            async move {
                let row = below.found(&call).await?;
                one(&below.rows, &call, &row).await
            }
        }),
        ..of(
            entity,
            &format!("{}_get", related.name),
            Method::GET,
            &address(entity, rows, related),
            format!("One of {} of one of {}", related.name, entity.collection),
        )
    }
}

fn update(below: &Below, entity: &Entity, rows: &Entity, related: &Related) -> Operation {
    let below = below.clone();
    Operation {
        needs: Needs::Permission(below.owner, Action::View),
        input: json_of(rows, "Patch"),
        output: (StatusCode::OK, json_of(rows, "")),
        problems: [
            CONFLICTS.as_slice(),
            &[StatusCode::NOT_FOUND, StatusCode::PRECONDITION_FAILED],
        ]
        .concat(),
        handler: handler(move |call| {
            let below = below.clone();
            async move {
                let row = below.found(&call).await?;
                let reply = update_one(&below.rows, &call, &row).await;
                note_refusal(&below.rows, &call, "edit", call.path(1), reply).await
            }
        }),
        ..of(
            entity,
            &format!("{}_update", related.name),
            Method::PATCH,
            &address(entity, rows, related),
            format!(
                "Change one of {} of one of {}",
                related.name, entity.collection
            ),
        )
    }
}

fn delete(below: &Below, entity: &Entity, rows: &Entity, related: &Related) -> Operation {
    let below = below.clone();
    Operation {
        needs: Needs::Permission(below.owner, Action::View),
        output: (StatusCode::NO_CONTENT, None),
        problems: vec![
            StatusCode::ACCEPTED,
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::PRECONDITION_FAILED,
        ],
        handler: handler(move |call| {
            let below = below.clone();
            async move {
                let row = below.found(&call).await?;
                let reply = delete_one(&below.rows, &call, &row).await;
                note_refusal(&below.rows, &call, "delete", call.path(1), reply).await
            }
        }),
        ..of(
            entity,
            &format!("{}_delete", related.name),
            Method::DELETE,
            &address(entity, rows, related),
            format!(
                "Delete one of {} of one of {}",
                related.name, entity.collection
            ),
        )
    }
}
