//! What a step can do: one trait, with what ships. Other rooms bring their own.

mod cascade;
mod records;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use opsflux_model::schema::{EntityIx, Schema};
use opsflux_records::rule::Snapshot;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{Caller, Error, Records};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// What a definition may name: an action and what it is given.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// What it is given.
    pub inputs: &'static [Input],
}

/// One kind of act.
pub trait Action: Send + Sync {
    /// Its name in definitions.
    fn name(&self) -> &'static str;

    /// What it is given.
    fn inputs(&self) -> &'static [Input];

    /// What is to be done. Whatever it answers is committed with where the execution stands then,
    /// so it is done once, however often this is asked. Asking must change nothing.
    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>>;
}

/// One thing an action is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Its name among the parameters.
    pub name: &'static str,
    /// How it is filled in.
    pub kind: InputKind,
    /// Whether it must be there.
    pub required: bool,
}

impl Input {
    /// One that must be there.
    #[must_use]
    pub const fn needed(name: &'static str, kind: InputKind) -> Input {
        Input {
            name,
            kind,
            required: true,
        }
    }

    /// One that may be missing.
    #[must_use]
    pub const fn optional(name: &'static str, kind: InputKind) -> Input {
        Input {
            name,
            kind,
            required: false,
        }
    }
}

/// How a parameter is filled in: what the form shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// One line.
    Text,
    /// Several.
    LongText,
    /// The name of a field of the record.
    Field,
    /// The name of an entity.
    Entity,
    /// A value for the field named beside.
    Value,
    /// Fields with their values.
    Fields,
    /// People: ids, addresses, `{role}`, `{group}`, templates.
    People,
    /// Yes or no.
    Flag,
    /// A duration: `+3d`.
    Span,
    /// A whole number.
    Number,
    /// An object of texts.
    Map,
}

impl InputKind {
    /// Its name for whoever draws the form.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            InputKind::Text => "text",
            InputKind::LongText => "long_text",
            InputKind::Field => "field",
            InputKind::Entity => "entity",
            InputKind::Value => "value",
            InputKind::Fields => "fields",
            InputKind::People => "people",
            InputKind::Flag => "flag",
            InputKind::Span => "span",
            InputKind::Number => "number",
            InputKind::Map => "map",
        }
    }
}

/// Where an act is done.
pub struct At<'a> {
    /// The way in and out.
    pub records: &'a Records,
    /// In whose name.
    pub caller: &'a Caller,
    /// The record the execution is about, as it is now.
    pub subject: Option<&'a Snapshot>,
    /// Which execution.
    pub execution: Uuid,
    /// What people call the workflow.
    pub workflow: &'a str,
    /// The step, with those around it.
    pub place: &'a str,
    /// Which try.
    pub attempt: u32,
    /// The moment.
    pub now: Timestamp,
}

/// What an act comes to.
#[derive(Debug, Default)]
pub struct Act {
    /// Operations on records, with the rights of the caller.
    pub operations: Vec<(EntityIx, BulkOperation)>,
    /// Rows committed with them.
    pub along: Along,
    /// What later steps can read of it.
    pub output: Json,
    /// The deliveries whose end the step waits for; none: it is done when it is committed.
    pub sent: Vec<Uuid>,
}

/// Why an act was not done.
#[derive(Debug)]
pub enum Failure {
    /// It will not be done however often it is tried.
    Wrong(String),
    /// Something that may pass.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl At<'_> {
    /// The schema in force.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        self.records.schema()
    }

    /// The record the execution is about.
    ///
    /// # Errors
    /// [`Failure::Wrong`] when it is about none.
    pub fn subject(&self) -> Result<&Snapshot, Failure> {
        let gone = || Failure::Wrong("there is no record to do this with".to_owned());
        self.subject.ok_or_else(gone)
    }

    /// An id for something this step makes: the same for each try.
    #[must_use]
    pub fn id(&self, what: &str) -> Uuid {
        crate::published::derived(self.execution, [self.place, "\0", what].concat().as_bytes())
    }
}

/// A text among what an action is given.
///
/// # Errors
/// [`Failure::Wrong`] naming it when it is not there.
pub fn text(given: &Map<String, Json>, name: &str) -> Result<String, Failure> {
    match given.get(name) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Json::Number(number)) => Ok(number.to_string()),
        _ => Err(Failure::Wrong(format!("{name}: a text is needed"))),
    }
}

/// A text that may be missing.
#[must_use]
pub fn some_text(given: &Map<String, Json>, name: &str) -> Option<String> {
    text(given, name).ok()
}

/// The people meant by ids, addresses, usernames, `{"role": …}`, `{"group": …}` or lists of these:
/// each once, and only active ones.
///
/// # Errors
/// [`Failure::Wrong`] naming who is unknown.
pub async fn people(at: &At<'_>, wanted: &Json) -> Result<Vec<Uuid>, Failure> {
    crate::people::find(at.records, at.caller.tenant(), wanted).await
}

/// The actions that ship with the engine.
pub(crate) fn built_in() -> Vec<Arc<dyn Action>> {
    vec![
        Arc::new(records::UpdateField),
        Arc::new(records::AssignUser),
        Arc::new(records::AddTag),
        Arc::new(records::CreateRecord),
        Arc::new(records::CreateChild),
        Arc::new(records::Comment),
        Arc::new(start::StartWorkflow),
        Arc::new(cascade::CloseParent),
    ]
}

/// What definitions may name of them.
#[must_use]
pub fn signatures() -> Vec<Signature> {
    let all = built_in().into_iter();
    all.map(|action| Signature {
        name: action.name(),
        inputs: action.inputs(),
    })
    .collect()
}

/// Descriptions of actions, for those who draw forms.
pub(crate) fn described(actions: &BTreeMap<&'static str, Arc<dyn Action>>) -> Json {
    let one = |input: &Input| {
        serde_json::json!({
            "name": input.name, "kind": input.kind.name(), "required": input.required,
        })
    };
    let all = actions.values().map(|action| {
        let inputs: Vec<Json> = action.inputs().iter().map(one).collect();
        serde_json::json!({"name": action.name(), "inputs": inputs})
    });
    Json::Array(all.collect())
}
