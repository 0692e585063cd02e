//! Acts on records: every one goes through the pipeline, with the rights of the workflow's owner.

use futures::future::BoxFuture;
use opsflux_model::schema::{Entity, EntityIx, FieldType};
use opsflux_records::write::BulkOperation;
use serde_json::{Map, Value as Json, json};

use super::{Act, Action, At, Failure, Input, InputKind, text};
use crate::people;

/// Changes fields of the record.
pub(super) struct UpdateField;
/// Gives the record to a person.
pub(super) struct AssignUser;
/// Adds a tag to the record.
pub(super) struct AddTag;
/// Makes a record of any entity.
pub(super) struct CreateRecord;
/// Makes a record of the same entity below the record.
pub(super) struct CreateChild;
/// Says something about the record.
pub(super) struct Comment;

type Acting<'a> = BoxFuture<'a, Result<Act, Failure>>;

fn update(at: &At<'_>, set: Map<String, Json>) -> Result<Act, Failure> {
    let subject = at.subject()?;
    Ok(Act {
        output: json!({"id": subject.id, "set": set}),
        operations: vec![(
            subject.entity,
            BulkOperation::Update(subject.id.to_string(), None, set),
        )],
        ..Act::default()
    })
}

fn create(at: &At<'_>, entity: EntityIx, mut data: Map<String, Json>) -> Act {
    let id = at.id("record").to_string();
    data.insert("id".to_owned(), json!(id));
    let name = at.schema().entity(entity).name.clone();
    Act {
        output: json!({"id": id, "entity": name}),
        operations: vec![(entity, BulkOperation::Create(data))],
        ..Act::default()
    }
}

fn fields(given: &Map<String, Json>) -> Result<Map<String, Json>, Failure> {
    match (given.get("set"), given.get("field")) {
        (Some(Json::Object(set)), None) => Ok(set.clone()),
        (None, Some(Json::String(field))) => {
            let value = given.get("value").cloned().unwrap_or(Json::Null);
            Ok(Map::from_iter([(field.clone(), value)]))
        }
        _ => Err(Failure::Wrong(
            "either set, or field and value are needed".to_owned(),
        )),
    }
}

/// The first of some fields that an entity has.
fn first<'e>(entity: &'e Entity, names: &[&'e str]) -> Option<&'e str> {
    names
        .iter()
        .copied()
        .find(|name| entity.find(name).is_some())
}

impl Action for UpdateField {
    fn name(&self) -> &'static str {
        "update_field"
    }

    fn inputs(&self) -> &'static [Input] {
        const {
            &[
                Input::optional("field", InputKind::Field),
                Input::optional("value", InputKind::Value),
                Input::optional("set", InputKind::Fields),
            ]
        }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move { update(at, fields(&given)?) })
    }
}

impl Action for AssignUser {
    fn name(&self) -> &'static str {
        "assign_user"
    }

    fn inputs(&self) -> &'static [Input] {
        const { &[Input::needed("user", InputKind::People)] }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let entity = schema.entity(subject.entity);
            let wanted = given.get("user").unwrap_or(&Json::Null);
            let people = people::find(at.records, at.caller.tenant(), wanted).await?;
            let Some(person) = people.first() else {
                return Err(Failure::Wrong("user: nobody is there".to_owned()));
            };
            let Some(field) = first(entity, &["assignee", "owner", "user"]) else {
                let name = &entity.name;
                return Err(Failure::Wrong(format!(
                    "{name} has nobody it is assigned to"
                )));
            };
            update(at, Map::from_iter([(field.to_owned(), json!(person))]))
        })
    }
}

impl Action for AddTag {
    fn name(&self) -> &'static str {
        "add_tag"
    }

    fn inputs(&self) -> &'static [Input] {
        const { &[Input::needed("tag", InputKind::Text)] }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let entity = schema.entity(subject.entity);
            let mut all = entity.iter();
            let tags = all.find(|(_, field)| matches!(field.kind, FieldType::Tags { .. }));
            let Some((_, field)) = tags else {
                return Err(Failure::Wrong(format!("{} has no tags", entity.name)));
            };
            let tag = text(&given, "tag")?;
            update(
                at,
                Map::from_iter([(field.name.clone(), json!({"add": [tag]}))]),
            )
        })
    }
}

impl Action for CreateRecord {
    fn name(&self) -> &'static str {
        "create_record"
    }

    fn inputs(&self) -> &'static [Input] {
        const {
            &[
                Input::needed("entity", InputKind::Entity),
                Input::needed("set", InputKind::Fields),
            ]
        }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let name = text(&given, "entity")?;
            let Some(entity) = at.schema().find(&name) else {
                return Err(Failure::Wrong(format!("entity: there is no {name}")));
            };
            Ok(create(at, entity, fields(&given)?))
        })
    }
}

impl Action for CreateChild {
    fn name(&self) -> &'static str {
        "create_child"
    }

    fn inputs(&self) -> &'static [Input] {
        const { &[Input::needed("set", InputKind::Fields)] }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let entity = schema.entity(subject.entity);
            let mut all = entity.iter();
            let parent = all.find(|(_, field)| match &field.kind {
                FieldType::Link(link) => link.to == subject.entity && link.acyclic,
                _ => false,
            });
            let Some((_, field)) = parent else {
                return Err(Failure::Wrong(format!("{} has no children", entity.name)));
            };
            let mut set = fields(&given)?;
            set.insert(field.name.clone(), json!(subject.id));
            Ok(create(at, subject.entity, set))
        })
    }
}

impl Action for Comment {
    fn name(&self) -> &'static str {
        "comment"
    }

    fn inputs(&self) -> &'static [Input] {
        const {
            &[
                Input::needed("body", InputKind::LongText),
                Input::optional("internal", InputKind::Flag),
            ]
        }
    }

    fn act<'a>(&'a self, at: &'a At<'a>, given: Map<String, Json>) -> Acting<'a> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let Some(comment) = schema.find("comment") else {
                return Err(Failure::Wrong("there are no comments".to_owned()));
            };
            let target = json!({
                "entity": schema.entity(subject.entity).name, "id": subject.id,
            });
            let internal = given
                .get("internal")
                .and_then(Json::as_bool)
                .unwrap_or(false);
            let data = [
                ("target".to_owned(), target),
                ("body".to_owned(), json!(text(&given, "body")?)),
                ("internal".to_owned(), json!(internal)),
            ];
            Ok(create(at, comment, Map::from_iter(data)))
        })
    }
}
