//! What workflows do here: give somebody something to do, note that something happened. On any
//! record, since a task may be about any.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use opsflux_records::write::BulkOperation;
use opsflux_workflow::action::{
    Act, Action, At, Failure, Input, InputKind, Signature, people, some_text, text,
};
use opsflux_workflow::flow;
use serde_json::{Map, Value as Json, json};

/// Makes a task.
struct CreateTask;
/// Notes an activity.
struct CreateActivity;

const TASK: &[Input] = &[
    Input::needed("title", InputKind::Text),
    Input::optional("description", InputKind::LongText),
    Input::optional("due_in", InputKind::Span),
    Input::optional("priority", InputKind::Text),
    Input::optional("assignee", InputKind::People),
];
const ACTIVITY: &[Input] = &[
    Input::needed("title", InputKind::Text),
    Input::optional("type", InputKind::Text),
    Input::optional("description", InputKind::LongText),
];

/// What definitions may name of these.
#[must_use]
pub fn signatures() -> Vec<Signature> {
    [("create_task", TASK), ("create_activity", ACTIVITY)]
        .map(|(name, inputs)| Signature { name, inputs })
        .to_vec()
}

/// The actions.
#[must_use]
pub fn actions() -> Vec<Arc<dyn Action>> {
    vec![Arc::new(CreateTask), Arc::new(CreateActivity)]
}

type Acting<'a> = BoxFuture<'a, Result<Act, Failure>>;

/// A new record with the id of this step, so that it is made once.
fn create(at: &At<'_>, name: &str, mut data: Map<String, Json>) -> Result<Act, Failure> {
    let Some(entity) = at.schema().find(name) else {
        return Err(Failure::Wrong(format!("there is no entity {name}")));
    };
    let id = at.id(name).to_string();
    data.insert("id".to_owned(), json!(id));
    Ok(Act {
        output: json!({"id": id, "entity": name}),
        operations: vec![(entity, BulkOperation::Create(data))],
        ..Act::default()
    })
}

/// The moment a duration from now, by the calendar of whoever acts.
fn later(at: &At<'_>, text: &str) -> Result<Timestamp, Failure> {
    let span = flow::duration(text);
    let end = span.and_then(|span| flow::later(at.now, span, &at.caller.time_zone));
    end.ok_or_else(|| Failure::Wrong(format!("due_in: {text} is not a duration")))
}

impl Action for CreateTask {
    fn name(&self) -> &'static str {
        "create_task"
    }

    fn inputs(&self) -> &'static [Input] {
        TASK
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let mut data = Map::new();
            data.insert("title".to_owned(), json!(text(&given, "title")?));
            for name in ["description", "priority"] {
                if let Some(text) = some_text(&given, name) {
                    data.insert(name.to_owned(), json!(text));
                }
            }
            if let Some(span) = some_text(&given, "due_in") {
                let due = later(at, &span)?.to_zoned(at.caller.time_zone.clone());
                data.insert("due_date".to_owned(), json!(due.date().to_string()));
            }
            if let Some(wanted) = given.get("assignee").filter(|wanted| !wanted.is_null()) {
                let Some(person) = people(at, wanted).await?.first().copied() else {
                    return Err(Failure::Wrong("assignee: nobody is there".to_owned()));
                };
                data.insert("assignee".to_owned(), json!(person));
            }
            if let Some(subject) = at.subject {
                let entity = at.schema().entity(subject.entity).name.clone();
                data.insert(
                    "about".to_owned(),
                    json!({"entity": entity, "id": subject.id}),
                );
            }
            create(at, "task", data)
        })
    }
}

impl Action for CreateActivity {
    fn name(&self) -> &'static str {
        "create_activity"
    }

    fn inputs(&self) -> &'static [Input] {
        ACTIVITY
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let entity = schema.entity(subject.entity);
            let kind = some_text(&given, "type").unwrap_or_else(|| "system".to_owned());
            let mut data = Map::from_iter([
                ("title".to_owned(), json!(text(&given, "title")?)),
                ("type".to_owned(), json!(kind)),
            ]);
            let note = some_text(&given, "description");
            let by = format!("⚙ {}", at.workflow);
            let note = note.map_or(by.clone(), |note| format!("{note}\n\n{by}"));
            data.insert("description".to_owned(), json!(note));
            match entity.name.as_str() {
                own @ ("organisation" | "person" | "deal") => {
                    data.insert(own.to_owned(), json!(subject.id));
                }
                // Of anything else the customer it is about, when it says so.
                _ => {
                    let customer = subject.get(&schema, "organisation").as_id();
                    let Some(customer) = customer else {
                        let name = &entity.name;
                        return Err(Failure::Wrong(format!("{name} has no timeline")));
                    };
                    data.insert("organisation".to_owned(), json!(customer));
                }
            }
            create(at, "activity", data)
        })
    }
}
