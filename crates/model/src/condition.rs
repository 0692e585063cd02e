//! The one condition language, as written.
//!
//! A list filter, a saved view, a workflow condition, a permission and a KPI source are all this
//! tree: `{"all": […]}`, `{"any": […]}`, `{"not": …}`, `{"field", "op", "value"}`. Here it is
//! only read and written back; [`crate::predicate`] binds it to a schema and gives it meaning.

use serde_json::{Map, Value as Json, json};

/// More nodes than any sentence a person builds; fewer than what would hurt a planner.
pub const MAX_NODES: usize = 200;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// A condition as written. The empty `all` is true, the empty `any` false.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One comparison.
    Test {
        /// Dotted path from the record: `assigned_group.name`.
        field: String,
        /// How it is compared.
        op: Op,
        /// With what; null for `is_empty` means `true`.
        value: Json,
    },
}

impl Default for Condition {
    fn default() -> Self {
        Condition::All(Vec::new())
    }
}

/// An operator. Comparison with null is false; `Ne`, `NotIn` are exact complements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsEmpty,
    Changed,
    ChangedFrom,
    ChangedTo,
}

impl Op {
    /// Every operator with its name; the first name is the canonical one, the symbols are aliases.
    pub const NAMES: [(&'static str, Op); 21] = [
        ("eq", Op::Eq),
        ("ne", Op::Ne),
        ("gt", Op::Gt),
        ("gte", Op::Gte),
        ("lt", Op::Lt),
        ("lte", Op::Lte),
        ("contains", Op::Contains),
        ("starts_with", Op::StartsWith),
        ("ends_with", Op::EndsWith),
        ("in", Op::In),
        ("not_in", Op::NotIn),
        ("is_empty", Op::IsEmpty),
        ("changed", Op::Changed),
        ("changed_from", Op::ChangedFrom),
        ("changed_to", Op::ChangedTo),
        ("==", Op::Eq),
        ("!=", Op::Ne),
        (">", Op::Gt),
        (">=", Op::Gte),
        ("<", Op::Lt),
        ("<=", Op::Lte),
    ];

    /// The operator called `name`, by its name or its symbol.
    #[must_use]
    pub fn parse(name: &str) -> Option<Op> {
        Op::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, op)| *op)
    }

    /// The canonical name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Op::NAMES
            .iter()
            .find(|(_, op)| *op == self)
            .map_or("eq", |(name, _)| name)
    }
}

/// Why a condition could not be read or bound. `at` is a JSON pointer into the condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ConditionError {
    #[error("{at}: a condition is an object with all, any, not, or field, op and value")]
    Shape { at: String },
    #[error(
        "{at}: there is no operator “{op}”; there are eq ne gt gte lt lte contains starts_with ends_with in not_in is_empty"
    )]
    UnknownOperator { at: String, op: String },
    #[error("the condition has more than {MAX_NODES} parts or is nested deeper than {MAX_DEPTH}")]
    TooLarge,
    #[error("{at}: there is no field “{field}”")]
    UnknownField { at: String, field: String },
    #[error("{at}: “{field}” of type {kind} cannot be compared with {op}")]
    WrongOperator {
        at: String,
        field: String,
        kind: &'static str,
        op: &'static str,
    },
    #[error("{at}: the value of “{field}” is not valid: {reason}")]
    WrongValue {
        at: String,
        field: String,
        reason: String,
    },
}

impl Condition {
    /// Reads a condition from JSON.
    ///
    /// # Errors
    /// The first part that is not a condition, with its place; or [`ConditionError::TooLarge`].
    pub fn from_json(json: &Json) -> Result<Condition, ConditionError> {
        let mut nodes = 0;
        read(json, &mut String::new(), 0, &mut nodes)
    }

    /// Writes it back as it would be read.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Condition::All(parts) => {
                json!({"all": parts.iter().map(Self::to_json).collect::<Vec<_>>()})
            }
            Condition::Any(parts) => {
                json!({"any": parts.iter().map(Self::to_json).collect::<Vec<_>>()})
            }
            Condition::Not(part) => json!({"not": part.to_json()}),
            Condition::Test { field, op, value } => {
                json!({"field": field, "op": op.name(), "value": value})
            }
        }
    }

    /// Whether it holds for every record whatever it contains.
    #[must_use]
    pub fn is_trivial(&self) -> bool {
        matches!(self, Condition::All(parts) if parts.iter().all(Condition::is_trivial))
    }
}

fn read(
    json: &Json,
    at: &mut String,
    depth: usize,
    nodes: &mut usize,
) -> Result<Condition, ConditionError> {
    *nodes += 1;
    if depth > MAX_DEPTH || *nodes > MAX_NODES {
        return Err(ConditionError::TooLarge);
    }
    let Json::Object(object) = json else {
        return Err(shape(at));
    };
    if object.is_empty() {
        return Ok(Condition::default());
    }
    if object.len() == 1 {
        if let Some(Json::Array(parts)) = object.get("all") {
            return read_all(parts, "all", at, depth, nodes).map(Condition::All);
        }
        if let Some(Json::Array(parts)) = object.get("any") {
            return read_all(parts, "any", at, depth, nodes).map(Condition::Any);
        }
        if let Some(part) = object.get("not") {
            let end = at.len();
            at.push_str("/not");
            let part = read(part, at, depth + 1, nodes)?;
            at.truncate(end);
            return Ok(Condition::Not(Box::new(part)));
        }
    }
    read_test(object, at)
}

fn read_all(
    parts: &[Json],
    key: &str,
    at: &mut String,
    depth: usize,
    nodes: &mut usize,
) -> Result<Vec<Condition>, ConditionError> {
    let end = at.len();
    let mut out = Vec::with_capacity(parts.len().min(MAX_NODES));
    for (place, part) in parts.iter().enumerate() {
        at.push_str(&format!("/{key}/{place}"));
        out.push(read(part, at, depth + 1, nodes)?);
        at.truncate(end);
    }
    Ok(out)
}

fn read_test(object: &Map<String, Json>, at: &str) -> Result<Condition, ConditionError> {
    if object
        .keys()
        .any(|key| !matches!(key.as_str(), "field" | "op" | "value"))
    {
        return Err(shape(at));
    }
    let (Some(Json::String(field)), Some(Json::String(op))) =
        (object.get("field"), object.get("op"))
    else {
        return Err(shape(at));
    };
    let op = Op::parse(op).ok_or_else(|| ConditionError::UnknownOperator {
        at: place(at),
        op: op.clone(),
    })?;
    let value = object.get("value").cloned().unwrap_or(Json::Null);
    Ok(Condition::Test {
        field: field.clone(),
        op,
        value,
    })
}

fn shape(at: &str) -> ConditionError {
    ConditionError::Shape { at: place(at) }
}

fn place(at: &str) -> String {
    if at.is_empty() {
        "/".to_owned()
    } else {
        at.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_back() {
        let json = json!({"all": [
            {"field": "priority", "op": "in", "value": ["high", "critical"]},
            {"not": {"any": [{"field": "assignee", "op": "is_empty", "value": true}]}},
        ]});
        assert_eq!(Condition::from_json(&json).unwrap().to_json(), json);
    }

    #[test]
    fn symbols_are_other_names_of_the_same_operators() {
        let read = Condition::from_json(&json!({"field": "a", "op": ">=", "value": 3})).unwrap();
        assert_eq!(
            read.to_json(),
            json!({"field": "a", "op": "gte", "value": 3})
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let error =
            Condition::from_json(&json!({"all": [{"any": [{"field": "a", "op": "like"}]}]}));
        assert_eq!(
            error.unwrap_err(),
            ConditionError::UnknownOperator {
                at: "/all/0/any/0".into(),
                op: "like".into()
            }
        );
        assert!(matches!(
            Condition::from_json(&json!({"field": "a", "op": "eq", "vlaue": 1})),
            Err(ConditionError::Shape { .. })
        ));
    }

    #[test]
    fn deep_and_wide_conditions_are_refused() {
        let mut deep = json!({"field": "a", "op": "eq", "value": 1});
        for _ in 0..40 {
            deep = json!({"not": deep});
        }
        assert_eq!(Condition::from_json(&deep), Err(ConditionError::TooLarge));
        let wide = json!({"any": vec![json!({"field": "a", "op": "eq", "value": 1}); 201]});
        assert_eq!(Condition::from_json(&wide), Err(ConditionError::TooLarge));
    }
}
