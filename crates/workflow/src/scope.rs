//! What the words of a step stand for: the record with what it links to, what set the workflow
//! off, what steps gave, the elements of lists around.
//!
//! Read with the rights of the workflow's owner, and only what is asked for: a link is followed
//! when a text names something behind it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use minijinja::Value;
use opsflux_model::schema::{EntityIx, FieldType};
use opsflux_records::{Caller, Error, GetRequest, Records};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::execution::Subject;
use crate::template::{Scope, linked, to_value};

/// Links followed one after the other.
const MAX_DEPTH: usize = 4;
/// Names that stand for the record itself.
pub(crate) const RECORD: [&str; 2] = ["record", "subject"];

/// Where words are filled in.
pub(crate) struct Scene<'a> {
    pub subject: Option<Subject>,
    /// What the record is called.
    pub title: &'a str,
    pub trigger: &'a Json,
    /// What steps gave.
    pub outputs: &'a Map<String, Json>,
    pub workflow: Uuid,
    /// What people call the workflow.
    pub name: &'a str,
    pub execution: Uuid,
    /// The step, with those around it; empty outside of one.
    pub place: &'a str,
    /// The elements of lists around.
    pub items: &'a [(&'a str, &'a Json)],
}

/// Names asked for, by what stands before the dot.
#[derive(Default)]
struct Wanted(BTreeMap<String, Wanted>);

impl Wanted {
    fn add(&mut self, dotted: &str) {
        let mut at = self;
        for part in dotted.split('.') {
            at = at.0.entry(part.to_owned()).or_default();
        }
    }

    fn join(&mut self, other: Wanted) {
        for (name, below) in other.0 {
            self.0.entry(name).or_default().join(below);
        }
    }
}

/// What `names` stand for in an execution.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn of(
    records: &Records,
    caller: &Caller,
    scene: &Scene<'_>,
    names: &BTreeSet<String>,
) -> Result<Scope, Error> {
    let mut scope = Scope::default();
    let now = records.now();
    let today = now.to_zoned(caller.time_zone.clone()).date();
    scope.set("now", &json!(now));
    scope.set("today", &json!(today));
    scope.set("trigger", scene.trigger);
    scope.set("steps", &Json::Object(scene.outputs.clone()));
    scope.set(
        "workflow",
        &json!({"id": scene.workflow, "name": scene.name}),
    );
    scope.set("execution", &json!({"id": scene.execution}));
    let secrets: Map<String, Json> = names
        .iter()
        .filter_map(|name| name.strip_prefix("vault."))
        .map(|name| {
            let mark = crate::vault::mark(scene.execution, scene.place, name);
            (name.to_owned(), Json::from(mark))
        })
        .collect();
    if !secrets.is_empty() {
        scope.set(crate::vault::ROOT, &Json::Object(secrets));
    }
    if let Some(subject) = scene.subject {
        let schema = records.schema();
        let name = schema.entity(subject.entity).name.clone();
        let mut wanted = Wanted::default();
        for dotted in names {
            wanted.add(dotted);
        }
        for own in RECORD.iter().copied().chain([name.as_str()]) {
            if let Some(below) = wanted.0.remove(own) {
                wanted.join(below);
            }
        }
        let reader = Reader { records, caller };
        let id = subject.id.to_string();
        let fields = match reader.record(subject.entity, &id, &wanted, 0).await? {
            Some(fields) => fields,
            // It is gone, or out of the owner's sight: only what is known of it stays.
            None => BTreeMap::from([("id".to_owned(), Value::from(id.as_str()))]),
        };
        for (field, value) in &fields {
            scope.put(field, value.clone());
        }
        let record = linked(&id, scene.title, fields);
        for own in RECORD.iter().copied().chain([name.as_str()]) {
            scope.put(own, record.clone());
        }
    }
    for (name, item) in scene.items {
        scope.set(name, item);
    }
    Ok(scope)
}

struct Reader<'a> {
    records: &'a Records,
    caller: &'a Caller,
}

impl Reader<'_> {
    /// The fields of a record, with links as far as they are asked for; none when the caller may
    /// not see it.
    fn record<'a>(
        &'a self,
        entity: EntityIx,
        id: &'a str,
        wanted: &'a Wanted,
        depth: usize,
    ) -> BoxFuture<'a, Result<Option<BTreeMap<String, Value>>, Error>> {
        Box::pin(async move {
            let found = self
                .records
                .get(self.caller, entity, id, &GetRequest::default())
                .await;
            let found = match found {
                Ok(found) => found,
                Err(Error::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            };
            let mut body: Map<String, Json> = serde_json::from_slice(&found.body)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let labels = body.remove("labels").unwrap_or(Json::Null);
            body.remove("can");
            let schema = self.records.schema();
            let declared = schema.entity(entity);
            let mut fields = BTreeMap::new();
            for (name, json) in &body {
                let kind = declared.find(name).map(|ix| &declared.field(ix).kind);
                let below = wanted.0.get(name);
                let value = match kind {
                    Some(FieldType::Link(link)) => match json.as_str() {
                        Some(id) => self.link(link.to, id, &labels, below, depth).await?,
                        None => to_value(json),
                    },
                    Some(FieldType::Links(link)) => {
                        let mut list = Vec::new();
                        for id in json.as_array().into_iter().flatten() {
                            if let Some(id) = id.as_str() {
                                list.push(self.link(link.to, id, &labels, below, depth).await?);
                            }
                        }
                        Value::from(list)
                    }
                    _ => to_value(json),
                };
                fields.insert(name.clone(), value);
            }
            Ok(Some(fields))
        })
    }

    async fn link(
        &self,
        to: EntityIx,
        id: &str,
        labels: &Json,
        below: Option<&Wanted>,
        depth: usize,
    ) -> Result<Value, Error> {
        let title = labels.get(id).and_then(Json::as_str).unwrap_or(id);
        let below = below.filter(|below| !below.0.is_empty() && depth < MAX_DEPTH);
        let fields = match below {
            Some(below) => self.record(to, id, below, depth + 1).await?,
            None => None,
        };
        Ok(linked(id, title, fields.unwrap_or_default()))
    }
}
