//! Whether a condition holds for a record as somebody may see it, and why.
//!
//! The same meaning as in a list: every comparison is bound with the rights of the one in whose
//! name it is asked, so a path through what he may not see is nothing. Besides, what a change did
//! can be asked here (`changed`, `changed_from`, `changed_to`), because there is a before.

use std::sync::Arc;

use futures::future::BoxFuture;
use opsflux_model::predicate::{Binder, Path, Record};
use opsflux_model::{Condition, Op, Predicate, Value};
use serde_json::{Value as Json, json};

use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::read::json::to_json;
use crate::records::Records;
use crate::rule::Snapshot;
use crate::write::rules::{Graph, Node};

/// What came of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// The condition with what was found: `{"all": […], "holds"}`, `{"any": […], "holds"}`,
    /// `{"not": …, "holds"}`, `{"field", "op", "value", "found", "holds"}`.
    pub told: Json,
}

impl Records {
    /// Judges a record, with the rights of `caller`.
    ///
    /// # Errors
    /// A field, operator or value that does not fit, as [`Error::Invalid`]; when the database does
    /// not answer.
    pub async fn judge(
        &self,
        caller: &Caller,
        record: &Snapshot,
        before: Option<&Snapshot>,
        condition: &Condition,
    ) -> Result<Verdict, Error> {
        let asked = Asked {
            records: self,
            caller,
            record,
            before,
        };
        asked.judge(condition).await
    }
}

struct Asked<'a> {
    records: &'a Records,
    caller: &'a Caller,
    record: &'a Snapshot,
    before: Option<&'a Snapshot>,
}

impl Asked<'_> {
    fn judge<'a>(&'a self, condition: &'a Condition) -> BoxFuture<'a, Result<Verdict, Error>> {
        Box::pin(async move {
            let (key, parts, all) = match condition {
                Condition::All(parts) => ("all", parts, true),
                Condition::Any(parts) => ("any", parts, false),
                Condition::Not(part) => {
                    let part = self.judge(part).await?;
                    let holds = !part.holds;
                    let told = json!({"not": part.told, "holds": holds});
                    return Ok(Verdict { holds, told });
                }
                Condition::Test { field, op, value } => return self.test(field, *op, value).await,
            };
            let mut told = Vec::with_capacity(parts.len());
            let mut holds = all;
            for part in parts {
                let part = self.judge(part).await?;
                holds = if all {
                    holds && part.holds
                } else {
                    holds || part.holds
                };
                told.push(part.told);
            }
            let told = json!({key: told, "holds": holds});
            Ok(Verdict { holds, told })
        })
    }

    async fn test(&self, field: &str, op: Op, value: &Json) -> Result<Verdict, Error> {
        let entity = self.record.entity;
        let (tenant, schema) = (self.caller.tenant(), self.records.schema());
        // What changed is asked of the record itself; with what, as if it were compared.
        let compared = match op {
            Op::ChangedFrom | Op::ChangedTo => Op::Eq,
            Op::Changed => Op::IsEmpty,
            other => other,
        };
        let compared = Condition::Test {
            field: field.to_owned(),
            op: compared,
            value: match op {
                Op::Changed => Json::Bool(true),
                _ => value.clone(),
            },
        };
        let bound = self.records.bind(self.caller, |binder: &Binder<'_>| {
            Ok::<_, opsflux_model::ConditionError>((
                binder.path(entity, field, "")?,
                binder.bind(entity, &compared)?,
            ))
        });
        let (path, predicate) = bound.map_err(|error| {
            Error::Invalid(vec![FieldError::new(
                field,
                "invalid_condition",
                error.to_string(),
            )])
        })?;
        let mut graph = Graph::default();
        self.records
            .reach(tenant, &schema, &predicate, self.record, &mut graph)
            .await?;
        let node = |record: &Snapshot| Node {
            snapshot: Arc::new(record.clone()),
            graph: &graph,
        };
        let now = node(self.record);
        let found = found(&schema, &now, &path);
        let holds = match op {
            Op::Changed | Op::ChangedFrom | Op::ChangedTo => {
                self.changed(&schema, &path, &predicate, op, &node)
            }
            _ => predicate.holds(&schema, &now),
        };
        let told = json!({
            "field": field, "op": op.name(), "value": value, "found": found, "holds": holds,
        });
        Ok(Verdict { holds, told })
    }

    /// Whether the change touched the field, coming from or to what is asked. A new record has
    /// changed what it has; paths through links do not change with a record.
    fn changed<'g>(
        &self,
        schema: &opsflux_model::Schema,
        path: &Path,
        predicate: &Predicate,
        op: Op,
        node: &dyn Fn(&Snapshot) -> Node<'g>,
    ) -> bool {
        if !path.steps.is_empty() {
            return false;
        }
        let null = Value::Null;
        let is = self.record.value(path.field);
        let was = self.before.map_or(&null, |before| before.value(path.field));
        if is == was || (is.is_empty() && was.is_empty()) {
            return false;
        }
        match op {
            Op::ChangedTo => predicate.holds(schema, &node(self.record)),
            Op::ChangedFrom => self
                .before
                .is_some_and(|before| predicate.holds(schema, &node(before))),
            _ => true,
        }
    }
}

/// What a path leads to: a value, or several through several records.
fn found(schema: &opsflux_model::Schema, record: &Node<'_>, path: &Path) -> Json {
    let mut at = vec![record.clone()];
    for step in &path.steps {
        at = at
            .iter()
            .flat_map(|record| record.follow(step))
            .filter(|next| step.rule.holds(schema, next))
            .collect();
    }
    let mut values: Vec<Json> = at
        .iter()
        .map(|node| to_json(node.value(path.field)))
        .collect();
    match values.len() {
        0 => Json::Null,
        1 => values.remove(0),
        _ => Json::Array(values),
    }
}
