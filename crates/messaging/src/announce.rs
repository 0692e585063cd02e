//! `POST /notifications/announce`: an administrator tells everybody, of maintenance or of an
//! emergency.

use http::{Method, StatusCode};
use opsflux_model::Schema;
use opsflux_records::{Call, Error, Needs, Operation, Reply};
use opsflux_store::Commit;
use serde_json::{Map, Value as Json, json};

use crate::handler::handler;
use crate::outgoing::NOTIFICATION;
use crate::{Cause, Kind, Messaging, Notice};
use opsflux_records::table::refused;

const JSON: &str = "application/json";
/// People told by one commit.
const BATCH: u32 = 500;

pub(crate) fn operation(messaging: &Messaging) -> Operation {
    let input = json!({
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 200},
            "message": {"type": ["string", "null"], "maxLength": 4000},
            "kind": {"type": "string", "enum": ["system", "alert"], "default": "system"},
            "about": {
                "type": ["object", "null"],
                "description": "The record it leads to; whoever may not see that finds nothing.",
                "properties": {
                    "entity": {"type": "string"}, "id": {"type": "string", "format": "uuid"},
                },
                "required": ["entity", "id"],
                "additionalProperties": false,
            },
        },
        "required": ["title"],
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 0}},
        "required": ["count"],
        "additionalProperties": false,
    });
    let messaging = messaging.clone();
    Operation {
        name: "notification_announce".to_owned(),
        method: Method::POST,
        path: "/notifications/announce".to_owned(),
        summary: "Tell everybody whose account is active; answers how many that are".to_owned(),
        tag: "notifications".to_owned(),
        needs: Needs::Admin,
        query: Vec::new(),
        input: Some((JSON.to_owned(), input)),
        output: (StatusCode::OK, Some((JSON.to_owned(), output))),
        problems: vec![StatusCode::UNPROCESSABLE_ENTITY],
        handler: handler(move |call| {
            let messaging = messaging.clone();
            async move { messaging.announce(&call).await }
        }),
    }
}

impl Messaging {
    async fn announce(&self, call: &Call) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let records = &self.inner.records;
        let announcement = records.new_id();
        let cause = Cause {
            text: format!("announcement:{announcement}"),
            user: Some(caller.user()),
            source: caller.origin.source.clone(),
            ..Cause::default()
        };
        let told = Notice {
            cause,
            ..read(&records.schema(), call.object()?)?
        };
        let (tenant, schema) = (caller.tenant(), records.schema());
        let users = schema.find("user").ok_or(Error::NotFound)?;
        let (mut count, mut after) = (0, None);
        loop {
            let people = records.scan(tenant, users, after, BATCH).await?;
            let Some(last) = people.last() else { break };
            after = Some(last.id);
            let mut commit = Commit {
                tenant,
                ..Commit::default()
            };
            for person in &people {
                if person.get(&schema, "status").as_text() != Some("active") {
                    continue;
                }
                count += 1;
                let notice = Notice {
                    recipient: person.id,
                    key: Some(format!("announcement:{announcement}:{}", person.id)),
                    ..told.clone()
                };
                self.notify(tenant, &notice)?.join(&mut commit);
            }
            records.store().commit(commit).await.map_err(refused)?;
        }
        let after: Map<String, Json> = [("count".to_owned(), json!(count))].into_iter().collect();
        records
            .audit_with(
                caller,
                "announce",
                Some(NOTIFICATION),
                None,
                &told.title,
                after,
            )
            .await?;
        Ok(Reply::json(
            json!({"count": count}).to_string().into_bytes(),
        ))
    }
}

/// What is announced; every wrong field at once.
fn read(schema: &Schema, mut body: Map<String, Json>) -> Result<Notice, Error> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, code: &str, detail: &str| {
        wrong.push(opsflux_records::FieldError::new(field, code, detail));
    };
    let mut notice = Notice {
        kind: Kind::System,
        ..Notice::default()
    };
    for (field, most, place) in [
        ("title", 200, &mut notice.title),
        ("message", 4_000, &mut notice.message),
    ] {
        match body.remove(field) {
            None | Some(Json::Null) => {}
            Some(Json::String(text)) if text.chars().count() > most => {
                refuse(field, "too_long", &most.to_string());
            }
            Some(Json::String(text)) => *place = text,
            Some(_) => refuse(field, "wrong_type", "string"),
        }
    }
    match body.remove("kind").as_ref().map(Json::as_str) {
        None | Some(Some("system")) => {}
        Some(Some("alert")) => notice.kind = Kind::Alert,
        Some(_) => refuse("kind", "not_an_option", "system, alert"),
    }
    match body.remove("about") {
        None | Some(Json::Null) => {}
        Some(about) => {
            let entity = about["entity"]
                .as_str()
                .filter(|name| schema.find(name).is_some());
            let id = about["id"].as_str().and_then(|id| id.parse().ok());
            let only = about.as_object().is_some_and(|about| about.len() == 2);
            match (entity, id) {
                (Some(entity), Some(id)) if only => notice.about = Some((entity.to_owned(), id)),
                _ => refuse("about", "not_found", ""),
            }
        }
    }
    for unknown in body.keys() {
        refuse(unknown, "unknown_field", "");
    }
    if notice.title.trim().is_empty() && !wrong.iter().any(|error| error.field == "title") {
        wrong.push(opsflux_records::FieldError::new("title", "required", ""));
    }
    if wrong.is_empty() {
        Ok(notice)
    } else {
        Err(Error::Invalid(wrong))
    }
}
