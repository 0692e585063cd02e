//! Conditions that ask besides the record what is known of the execution: what set it off
//! (`trigger.body.amount`) and what its steps gave (`steps.ask.decision`).
//!
//! What stands in JSON has no declaration, so it is compared as what it is: numbers as numbers,
//! texts without regard to case and accents where a list would do so, moments by their order.

use std::cmp::Ordering;

use futures::future::BoxFuture;
use opsflux_model::fold::fold;
use opsflux_model::{Condition, Op};
use opsflux_records::judge::Verdict;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error, FieldError, Records};
use serde_json::{Value as Json, json};

/// The names that stand for facts before the first dot.
pub(crate) const ROOTS: [&str; 2] = ["trigger", "steps"];

/// Whether a field of a condition is a fact rather than one of the record.
pub(crate) fn is_fact(field: &str) -> bool {
    let root = field.split_once('.').map(|(root, _)| root);
    root.is_some_and(|root| ROOTS.contains(&root))
}

/// Whether an operator can be asked of a fact.
pub(crate) fn fits(op: Op) -> bool {
    !matches!(op, Op::Changed | Op::ChangedFrom | Op::ChangedTo)
}

/// What conditions are asked of.
pub(crate) struct Asked<'a> {
    pub records: &'a Records,
    pub caller: &'a Caller,
    /// The record, when there is one, and as it was before.
    pub record: Option<&'a Snapshot>,
    pub before: Option<&'a Snapshot>,
    /// `{"trigger": …, "steps": …}`.
    pub facts: &'a Json,
}

impl Asked<'_> {
    /// Judges a condition.
    ///
    /// # Errors
    /// A field, operator or value that does not fit, as [`Error::Invalid`]; when the database does
    /// not answer.
    pub fn judge<'a>(&'a self, condition: &'a Condition) -> BoxFuture<'a, Result<Verdict, Error>> {
        Box::pin(async move {
            if let (Some(record), false) = (self.record, asks_facts(condition)) {
                let judged = self
                    .records
                    .judge(self.caller, record, self.before, condition);
                return judged.await;
            }
            let (key, parts) = match condition {
                Condition::All(parts) => ("all", parts),
                Condition::Any(parts) => ("any", parts),
                Condition::Not(part) => {
                    let part = self.judge(part).await?;
                    let holds = !part.holds;
                    let told = json!({"not": part.told, "holds": holds});
                    return Ok(Verdict { holds, told });
                }
                Condition::Test { field, op, value } if is_fact(field) => {
                    let found = find(self.facts, field);
                    let holds = holds(found, *op, value);
                    let told = json!({
                        "field": field, "op": op.name(), "value": value, "found": found,
                        "holds": holds,
                    });
                    return Ok(Verdict { holds, told });
                }
                Condition::Test { field, .. } => {
                    let error = FieldError::new(field, "invalid_condition", "there is no record");
                    return Err(Error::Invalid(vec![error]));
                }
            };
            let mut told = Vec::with_capacity(parts.len());
            let mut holding = 0;
            for part in parts {
                let part = self.judge(part).await?;
                holding += usize::from(part.holds);
                told.push(part.told);
            }
            let holds = match key {
                "all" => holding == parts.len(),
                _ => holding > 0,
            };
            Ok(Verdict {
                holds,
                told: json!({key: told, "holds": holds}),
            })
        })
    }
}

fn asks_facts(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_facts),
        Condition::Not(part) => asks_facts(part),
        Condition::Test { field, .. } => is_fact(field),
    }
}

/// What a dotted path leads to; numbers are places in lists.
fn find<'j>(facts: &'j Json, path: &str) -> &'j Json {
    path.split('.').fold(facts, |at, part| {
        let next = match at {
            Json::Array(list) => part.parse().ok().and_then(|at: usize| list.get(at)),
            other => other.get(part),
        };
        next.unwrap_or(&Json::Null)
    })
}

fn is_empty(found: &Json) -> bool {
    match found {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether what was found is as asked: two-valued, as everywhere.
fn holds(found: &Json, op: Op, value: &Json) -> bool {
    let one_of = |value: &Json| match value {
        Json::Array(list) => list.iter().any(|one| is_equal(found, one)),
        one => is_equal(found, one),
    };
    let text = |test: fn(&str, &str) -> bool| match (found.as_str(), value.as_str()) {
        (Some(found), Some(value)) => test(&fold(found), &fold(value)),
        _ => false,
    };
    match op {
        Op::Eq => is_equal(found, value),
        Op::Ne => !is_equal(found, value),
        Op::In => one_of(value),
        Op::NotIn => !one_of(value),
        Op::Gt => compare(found, value) == Some(Ordering::Greater),
        Op::Lt => compare(found, value) == Some(Ordering::Less),
        Op::Gte => matches!(
            compare(found, value),
            Some(Ordering::Greater | Ordering::Equal)
        ),
        Op::Lte => matches!(
            compare(found, value),
            Some(Ordering::Less | Ordering::Equal)
        ),
        Op::Contains => match found {
            Json::Array(list) => list.iter().any(|one| is_equal(one, value)),
            _ => text(|found, value| found.contains(value)),
        },
        Op::StartsWith => text(|found, value| found.starts_with(value)),
        Op::EndsWith => text(|found, value| found.ends_with(value)),
        Op::IsEmpty => is_empty(found) == (*value != Json::Bool(false)),
        Op::Changed | Op::ChangedFrom | Op::ChangedTo => false,
    }
}

fn is_equal(found: &Json, value: &Json) -> bool {
    match (found, value) {
        (Json::Null, _) | (_, Json::Null) => false,
        (Json::Number(_), Json::Number(_)) => compare(found, value) == Some(Ordering::Equal),
        _ => found == value,
    }
}

fn compare(found: &Json, value: &Json) -> Option<Ordering> {
    match (found, value) {
        (Json::Number(found), Json::Number(value)) => match (found.as_i128(), value.as_i128()) {
            (Some(found), Some(value)) => Some(found.cmp(&value)),
            _ => found.as_f64()?.partial_cmp(&value.as_f64()?),
        },
        (Json::String(found), Json::String(value)) => {
            let moments = (
                found.parse::<jiff::Timestamp>(),
                value.parse::<jiff::Timestamp>(),
            );
            Some(match moments {
                (Ok(found), Ok(value)) => found.cmp(&value),
                _ => fold(found).cmp(&fold(value)),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, op: Op, value: Json, wanted: bool) {
        let facts = json!({"trigger": {"body": {
            "amount": 12.5, "name": "Été", "lines": [{"sku": "A1"}], "tags": ["x"], "none": null,
            "at": "2026-01-02T00:00:00Z",
        }}});
        let found = find(&facts, &format!("trigger.body.{path}"));
        assert_eq!(holds(found, op, &value), wanted, "{path} {op:?} {value}");
    }

    #[test]
    fn facts_are_compared_as_what_they_are() {
        check("amount", Op::Gt, json!(12), true);
        check("amount", Op::Lte, json!(12.5), true);
        check("amount", Op::Gt, json!("12"), false);
        check("name", Op::Contains, json!("ete"), true);
        check("name", Op::Eq, json!("ete"), false);
        check("lines.0.sku", Op::Eq, json!("A1"), true);
        check("lines.1.sku", Op::IsEmpty, json!(true), true);
        check("tags", Op::Contains, json!("x"), true);
        check("tags", Op::In, json!([["x"], 1]), true);
        check("none", Op::Eq, json!(null), false);
        check("none", Op::Ne, json!(1), true);
        check("at", Op::Lt, json!("2026-01-02T01:00:00+00:30"), true);
    }
}
