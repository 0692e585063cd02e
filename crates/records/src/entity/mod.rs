//! The operations every declared entity has, without anyone writing them.
//!
//! A record: list, create, get, change, delete, restore, bulk, history, related lists, comments.
//! A log: list and get. Schemas of bodies and answers are named here and made by the server from
//! the declarations: `Ticket`, `TicketCreate`, `TicketPatch`, `TicketPage`, `TicketBulk`.

mod comments;
mod idempotency;
mod nested;
mod reads;
mod writes;

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::schema::{Entity, EntityIx, EntityKind};
use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::operation::{Call, Handler, Needs, Operation, Reply};
use crate::records::Records;

pub(crate) use idempotency::InFlight;
pub use idempotency::KEY_HEADER;
pub use nested::nested_schema;
pub(crate) use reads::list_parameters;

/// The operations of every entity of the schema in force.
#[must_use]
pub fn operations(records: &Records) -> Vec<Operation> {
    let schema = records.schema();
    let mut all = Vec::new();
    for (ix, entity) in schema.iter() {
        all.extend(reads::operations(records, ix, entity));
        all.extend(nested::operations(records, ix, entity));
        if entity.kind == EntityKind::Record {
            all.extend(writes::operations(records, ix, entity));
        }
        if entity.name == crate::job::ENTITY {
            all.extend(crate::job::operations(records, ix, &entity.collection));
        }
        if entity.name == crate::read::history::AUDIT_ENTITY {
            all.extend(crate::audit::operations(records, ix, &entity.collection));
        }
        if entity.comments {
            all.extend(comments::operations(records, ix, entity));
        }
    }
    all
}

/// `audit_entry` → `AuditEntry`.
#[must_use]
pub fn schema_name(entity: &Entity) -> String {
    pascal(&entity.name)
}

fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// A reference to a schema of the document: `Ticket`, `TicketPage`.
fn reference(entity: &Entity, suffix: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{}{suffix}", schema_name(entity))})
}

const JSON: &str = "application/json";

fn json_of(entity: &Entity, suffix: &str) -> Option<(String, Json)> {
    Some((JSON.to_owned(), reference(entity, suffix)))
}

/// An operation of one entity, to be completed by its maker.
fn of(entity: &Entity, verb: &str, method: Method, path: &str, summary: String) -> Operation {
    Operation {
        name: format!("{}_{verb}", entity.name),
        method,
        path: format!("/{}{path}", entity.collection),
        summary,
        tag: entity.collection.clone(),
        needs: Needs::Session,
        query: Vec::new(),
        input: None,
        output: (StatusCode::NO_CONTENT, None),
        problems: Vec::new(),
        handler: handler(|_| async { Err(Error::NotFound) }),
    }
}

/// Boxes an async closure.
pub(crate) fn handler<F, W>(work: F) -> Handler
where
    F: Fn(Call) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> { Box::pin(work(call)) })
}

/// A parameter of a query for the document.
fn parameter(name: &str, schema: Json, description: &str) -> (String, Json, String) {
    (name.to_owned(), schema, description.to_owned())
}

/// What a handler of one entity works with.
#[derive(Clone)]
struct Room {
    records: Records,
    entity: EntityIx,
}
