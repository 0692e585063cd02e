//! What the interface is drawn from: entities, fields, states and words, as far as the caller may
//! see them. Shapes: `docs/reference/interface-metadata.md`.
//!
//! What must never be here: anything about records themselves.

mod app;
mod entity;
mod field;

use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::Schema;
use opsflux_records::operation::Handler;
use opsflux_records::{Call, Caller, Error, Language, Needs, Operation, Reply};
use serde_json::{Value as Json, json};

use crate::app::{App, Served};
use crate::config::Mode;
use crate::words::Words;

/// Who reads the metadata, and in which language.
#[derive(Clone, Copy)]
struct Reader<'a> {
    schema: &'a Schema,
    words: &'a Words,
    caller: &'a Caller,
    language: Language,
}

impl<'a> Reader<'a> {
    fn new(served: &'a Served, call: &'a Call) -> Result<Reader<'a>, Error> {
        let caller = call.caller()?;
        Ok(Reader {
            schema: &served.schema,
            words: &served.words,
            caller,
            language: call.language,
        })
    }

    /// The word at `path`; the last part of the path where there is none.
    fn word(&self, path: &[&str]) -> String {
        let fallback = path.last().copied().unwrap_or_default();
        self.words
            .text(self.language, path)
            .unwrap_or(fallback)
            .to_owned()
    }
}

/// The operations that answer metadata, and the document of all operations.
pub fn operations(app: &Arc<App>) -> Vec<Operation> {
    // In production strangers learn nothing of what is installed.
    let document = match app.config.mode {
        Mode::Production => Needs::Session,
        Mode::Development => Needs::Nothing,
    };
    vec![
        of(
            "meta_app",
            "/meta/app",
            "What the frame of the interface shows",
            "AppMeta",
            handler(app, frame),
        ),
        of(
            "meta_entities",
            "/meta/entities",
            "Every entity you may see",
            "EntityMetaList",
            handler(app, all),
        ),
        Operation {
            problems: vec![StatusCode::NOT_FOUND],
            ..of(
                "meta_entity",
                "/meta/entities/{name}",
                "One entity",
                "EntityMeta",
                handler(app, one),
            )
        },
        Operation {
            needs: document,
            output: (
                StatusCode::OK,
                Some(("application/json".to_owned(), json!(true))),
            ),
            ..of(
                "openapi",
                "/openapi.json",
                "This document",
                "",
                handler(app, openapi),
            )
        },
    ]
}

fn of(name: &str, path: &str, summary: &str, schema: &str, handler: Handler) -> Operation {
    let body = json!({"$ref": format!("#/components/schemas/{schema}")});
    Operation {
        name: name.to_owned(),
        method: Method::GET,
        path: path.to_owned(),
        summary: summary.to_owned(),
        tag: "meta".to_owned(),
        needs: Needs::Session,
        query: Vec::new(),
        input: None,
        output: (StatusCode::OK, Some(("application/json".to_owned(), body))),
        problems: Vec::new(),
        handler,
    }
}

/// Boxes a function of the server and a call. The server holds its operations, so they must not
/// hold the server.
fn handler<W>(app: &Arc<App>, work: fn(Arc<App>, Call) -> W) -> Handler
where
    W: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    let app: Weak<App> = Arc::downgrade(app);
    Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> {
        match app.upgrade() {
            Some(app) => Box::pin(work(app, call)),
            None => Box::pin(async { Err(Error::Unavailable("the server stops".to_owned())) }),
        }
    })
}

fn reply(document: &Json) -> Reply {
    Reply::json(document.to_string().into_bytes())
}

async fn frame(app: Arc<App>, call: Call) -> Result<Reply, Error> {
    let served = app.served();
    let reader = Reader::new(&served, &call)?;
    let profile = app.identity.profile(reader.caller).await?;
    let settings = app::settings(&app.records, &reader).await?;
    Ok(reply(&app::document(
        &app.config,
        &reader,
        &profile,
        settings,
    )))
}

async fn all(app: Arc<App>, call: Call) -> Result<Reply, Error> {
    let served = app.served();
    let reader = Reader::new(&served, &call)?;
    let seen = reader
        .schema
        .iter()
        .filter(|(ix, _)| entity::is_seen(&reader, *ix));
    let items: Vec<Json> = seen.map(|(ix, _)| entity::document(&reader, ix)).collect();
    Ok(reply(&json!({"items": items})))
}

async fn one(app: Arc<App>, call: Call) -> Result<Reply, Error> {
    let served = app.served();
    let reader = Reader::new(&served, &call)?;
    let found = reader
        .schema
        .find(call.path(0))
        .filter(|ix| entity::is_seen(&reader, *ix));
    Ok(reply(&entity::document(
        &reader,
        found.ok_or(Error::NotFound)?,
    )))
}

async fn openapi(app: Arc<App>, _: Call) -> Result<Reply, Error> {
    Ok(Reply::json(app.served().openapi.to_vec()))
}

#[cfg(test)]
mod tests;
