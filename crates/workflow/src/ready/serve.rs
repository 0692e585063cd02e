//! What HTTP serves of the workflows ready to be taken.

use http::{Method, StatusCode};
use opsflux_model::Action as Right;
use opsflux_records::operation::{Call, Needs, Operation, Reply};
use opsflux_records::write::WriteOptions;
use opsflux_records::{Error, Language};
use serde_json::{Map, Value as Json, json};

use super::{Ready, all};
use crate::engine::Engine;
use crate::log::Log;
use crate::operations::operation;

impl Engine {
    /// The operations of workflows ready to be taken.
    pub(crate) fn ready_operations(&self) -> Vec<Operation> {
        let schema = self.inner.records.schema();
        let needs = |right| match schema.find("workflow") {
            Some(ix) => Needs::Permission(ix, right),
            None => Needs::Admin,
        };
        let list = operation(
            self,
            "workflow_templates",
            Method::GET,
            "/workflows/templates/list",
            "The workflows that modules bring ready to be taken",
            needs(Right::View),
            (None, Some(json!({"type": "object"})), StatusCode::OK),
            |engine, call| Box::pin(async move { engine.ready(&call) }),
        );
        let taken = json!({"$ref": "#/components/schemas/Workflow"});
        let take = operation(
            self,
            "workflow_from_template",
            Method::POST,
            "/workflows/templates/{id}/create",
            "Takes a ready workflow as a draft of one's own",
            needs(Right::Create),
            (None, Some(taken), StatusCode::CREATED),
            |engine, call| Box::pin(async move { engine.take_ready(&call).await }),
        );
        vec![list, take]
    }

    fn ready(&self, call: &Call) -> Result<Reply, Error> {
        let language = call.caller()?.language;
        let schema = self.inner.records.schema();
        let items: Vec<Json> = all(&schema)
            .iter()
            .map(|ready| ready.described(language))
            .collect();
        let body = json!({ "items": items }).to_string();
        Ok(Reply::json(body.into_bytes()))
    }

    async fn take_ready(&self, call: &Call) -> Result<Reply, Error> {
        let caller = call.caller()?;
        let records = &self.inner.records;
        let schema = records.schema();
        let wanted = call.path(0);
        let ready = all(&schema).into_iter().find(|ready| ready.id == wanted);
        let ready = ready.ok_or(Error::NotFound)?;
        let mut body = ready.content(caller.language);
        for key in ["name", "description"] {
            body.insert(key.to_owned(), ready.text(key, caller.language));
        }
        body.insert("status".to_owned(), json!("DRAFT"));
        let ix = Log::of(&schema, "workflow")?.ix;
        let options = WriteOptions::default();
        let written = records.create(caller, ix, body, &options).await?;
        Ok(Reply::json(written.body).with_status(StatusCode::CREATED))
    }
}

impl Ready<'_> {
    fn described(&self, language: Language) -> Json {
        let mut told = Map::new();
        told.insert("id".to_owned(), json!(self.id));
        told.insert("module".to_owned(), json!(self.module));
        for key in ["name", "description", "icon"] {
            told.insert(key.to_owned(), self.text(key, language));
        }
        told.extend(self.content(language));
        Json::Object(told)
    }
}
