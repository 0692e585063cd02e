//! Rules that people write, beside those of modules: what they make of a record before it is saved.
//!
//! They see the record as the rules of modules left it, and what they set is validated like
//! anything else. One pass: what one sets the next one sees, and nothing sets a rule off twice.

use futures::future::BoxFuture;
use opsflux_model::{Action, FieldIx, Predicate, Rule as Right, Value};
use opsflux_store::Write;

use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::{Draft, Snapshot};
use crate::write::rules::{Graph, Node};

/// Who knows the rules that people wrote.
pub trait Standing: Send + Sync {
    /// What they make of a draft that a caller saves.
    ///
    /// # Errors
    /// When one of them refuses, told to the person who saves; when the database does not answer.
    fn shape<'a>(
        &'a self,
        caller: &'a Caller,
        draft: &'a Draft<'a>,
    ) -> BoxFuture<'a, Result<Shaped, Error>>;
}

/// What became of a draft.
#[derive(Debug, Clone, Default)]
pub struct Shaped {
    /// Fields with what they are set to.
    pub set: Vec<(FieldIx, Value)>,
    /// Rows of log entities that tell of it.
    pub logs: Vec<Write>,
    /// The names of those that set something, for the audit.
    pub names: Vec<String>,
}

impl Records {
    /// Lets the rules that people wrote have their say. Once; later calls change nothing.
    pub fn set_standing(&self, standing: std::sync::Arc<dyn Standing>) {
        let _ = self.inner.standing.set(standing);
    }

    /// Whether what a person may do with records of a kind covers this one, as it is here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn covers(
        &self,
        caller: &Caller,
        record: &Snapshot,
        action: Action,
    ) -> Result<bool, Error> {
        let rule = match caller.access.rule(record.entity, action) {
            Right::Always => return Ok(true),
            Right::Never => Predicate::False,
            Right::When(predicate) => predicate.clone(),
        };
        let schema = self.schema();
        let mut graph = Graph::default();
        self.reach(caller.tenant(), &schema, &rule, record, &mut graph)
            .await?;
        let node = Node {
            snapshot: std::sync::Arc::new(record.clone()),
            graph: &graph,
        };
        Ok(rule.holds(&schema, &node))
    }
}
