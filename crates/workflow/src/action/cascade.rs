//! Closing what is above when all that is below it is finished.

use futures::future::BoxFuture;
use opsflux_model::schema::{EntityIx, FieldType, Schema};
use opsflux_model::{FieldIx, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::write::BulkOperation;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Act, Action, At, Failure, Input, InputKind, some_text};
use crate::log::Log;

/// Finishes the record above when all records below it are finished.
pub(super) struct CloseParent;

/// Children looked at.
const MOST: u32 = 10_000;

impl Action for CloseParent {
    fn name(&self) -> &'static str {
        "close_parent"
    }

    fn inputs(&self) -> &'static [Input] {
        const { &[Input::optional("status", InputKind::Text)] }
    }

    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>> {
        Box::pin(async move {
            let subject = at.subject()?;
            let schema = at.schema();
            let tree = Tree::of(&schema, subject.entity)?;
            let nothing = |why: &str| {
                Ok(Act {
                    output: json!({"closed": false, "reason": why}),
                    ..Act::default()
                })
            };
            let Some(parent) = tree.above(subject) else {
                return nothing("nothing is above it");
            };
            if !tree.is_finished(subject) {
                return nothing("it is not finished itself");
            }
            let tenant = at.caller.tenant();
            let above = at.records.snapshot(tenant, subject.entity, parent).await?;
            let Some(above) = above.filter(|above| !tree.is_finished(above)) else {
                return nothing("what is above is finished or gone");
            };
            let below = tree.below(parent)?;
            let below = at.records.find(tenant, subject.entity, below, MOST).await?;
            let open = below
                .iter()
                .filter(|child| !tree.is_finished(child))
                .count();
            if open > 0 {
                return Ok(Act {
                    output: json!({"closed": false, "open": open}),
                    ..Act::default()
                });
            }
            let status = match some_text(&given, "status") {
                Some(status) => status,
                None => tree.state_of(subject).to_owned(),
            };
            let name = schema.entity(subject.entity).field(tree.state).name.clone();
            let set = Map::from_iter([(name, json!(status))]);
            Ok(Act {
                output: json!({"closed": true, "id": parent, "status": status}),
                operations: vec![(
                    subject.entity,
                    BulkOperation::Update(above.id.to_string(), None, set),
                )],
                ..Act::default()
            })
        })
    }
}

/// Records of an entity below each other, with a state.
struct Tree<'s> {
    schema: &'s Schema,
    entity: EntityIx,
    parent: FieldIx,
    state: FieldIx,
}

impl<'s> Tree<'s> {
    fn of(schema: &'s Schema, entity: EntityIx) -> Result<Tree<'s>, Failure> {
        let declared = schema.entity(entity);
        let mut all = declared.iter();
        let parent = all.find(|(_, field)| match &field.kind {
            FieldType::Link(link) => link.to == entity && link.acyclic,
            _ => false,
        });
        match (parent, declared.state_field()) {
            (Some((parent, _)), Some(state)) => Ok(Tree {
                schema,
                entity,
                parent,
                state,
            }),
            _ => Err(Failure::Wrong(format!(
                "{} has nothing above that could be finished",
                declared.name
            ))),
        }
    }

    fn above(&self, record: &Snapshot) -> Option<Uuid> {
        record.value(self.parent).as_id()
    }

    fn below(&self, parent: Uuid) -> Result<Predicate, Failure> {
        let log = Log::of(self.schema, &self.schema.entity(self.entity).name)?;
        let name = &self.schema.entity(self.entity).field(self.parent).name;
        Ok(log.is(name, Value::Id(parent))?)
    }

    fn state_of<'r>(&self, record: &'r Snapshot) -> &'r str {
        record.value(self.state).as_text().unwrap_or_default()
    }

    fn is_finished(&self, record: &Snapshot) -> bool {
        let now = self.state_of(record);
        let mut states = self.schema.entity(self.entity).states.iter();
        let found = states.find(|state| state.name == now);
        found.is_some_and(|state| matches!(state.category.as_str(), "done" | "closed"))
    }
}
