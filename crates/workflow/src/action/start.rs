//! Starting another workflow without waiting for it.

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::{Act, Action, At, Failure, Input, InputKind, text};
use crate::calling::{Wanted, begin};

/// Starts another workflow.
pub(super) struct StartWorkflow;

impl Action for StartWorkflow {
    fn name(&self) -> &'static str {
        "start_workflow"
    }

    fn inputs(&self) -> &'static [Input] {
        const {
            &[
                Input::needed("workflow", InputKind::Text),
                Input::optional("with", InputKind::Map),
                Input::optional("record", InputKind::Text),
            ]
        }
    }

    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>> {
        Box::pin(async move {
            let inputs = given.get("with").and_then(Json::as_object);
            let wanted = Wanted {
                workflow: &text(&given, "workflow")?,
                inputs: inputs.cloned().unwrap_or_default(),
                record: given.get("record").filter(|record| !record.is_null()),
                id: at.id(&format!("workflow {}", at.attempt)),
                by: at.execution,
                waits: false,
            };
            let begun = begin(at.records, at.caller, at.subject, wanted, at.now);
            let (id, writes, _) = begun.await?;
            let mut act = Act {
                output: json!({ "execution": id }),
                ..Act::default()
            };
            act.along.writes = writes;
            Ok(act)
        })
    }
}
