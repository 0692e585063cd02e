//! Whether conditions can be bound: that the fields they name exist and have such values.

use std::collections::HashSet;

use jiff::{Timestamp, civil};
use uuid::Uuid;

use super::collect::Declarations;
use super::diagnostic::{Mistakes, Place};
use super::sorts;
use super::tree::Node;
use crate::condition::{Condition, ConditionError, Op};
use crate::layout::Layout;
use crate::predicate::{Binder, Variables};
use crate::schema::{Entity, EntityIx, FieldType, Schema};

/// Checks every condition of every declaration, and the sorts of views, which depend on them.
pub(crate) fn check(
    all: &Declarations,
    schema: &Schema,
    broken: &HashSet<(usize, String)>,
    mistakes: &mut Mistakes<'_>,
) {
    let variables = placeholders();
    let mut checker = Checker {
        binder: Binder {
            schema,
            access: None,
            variables: &variables,
        },
        broken,
        mistakes,
    };
    for ((ix, entity), declared) in schema.iter().zip(&all.entities) {
        checker.fields(ix, entity, &declared.node);
        let by_role = declared
            .node
            .get("permissions")
            .map_or(&[][..], Node::table);
        for entry in by_role.iter().flat_map(|role| role.node.table()) {
            checker.bind(ix, entry.node.get("where"));
            checker.never_widens(entry.node.get("where"));
        }
    }
    let layout = Layout::of(schema);
    for declared in &all.views {
        let entity = declared
            .node
            .text_of("entity")
            .and_then(|name| schema.find(name));
        if let Some(ix) = entity {
            checker.bind(ix, declared.node.get("filter"));
            sorts::check(schema, &layout, ix, &declared.node, checker.mistakes);
        }
    }
}

/// Where in a written condition an error is.
pub(crate) fn place(node: &Node, error: &ConditionError) -> Place {
    let at = match error {
        ConditionError::Shape { at }
        | ConditionError::UnknownOperator { at, .. }
        | ConditionError::UnknownField { at, .. }
        | ConditionError::WrongOperator { at, .. }
        | ConditionError::WrongValue { at, .. } => at.as_str(),
        ConditionError::TooLarge => "",
    };
    let part = node.pointed(at);
    let key = match error {
        ConditionError::UnknownField { .. } => "field",
        ConditionError::UnknownOperator { .. } | ConditionError::WrongOperator { .. } => "op",
        ConditionError::WrongValue { .. } => "value",
        ConditionError::Shape { .. } | ConditionError::TooLarge => return part.at,
    };
    part.place_of(key)
}

/// The error without the pointer that [`place`] made needless.
pub(crate) fn message(error: &ConditionError) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((at, rest)) if at.starts_with('/') => rest.to_owned(),
        _ => text,
    }
}

struct Checker<'c, 'a> {
    binder: Binder<'c>,
    broken: &'c HashSet<(usize, String)>,
    mistakes: &'c mut Mistakes<'a>,
}

impl Checker<'_, '_> {
    fn fields(&mut self, ix: EntityIx, entity: &Entity, node: &Node) {
        for entry in node.get("fields").map_or(&[][..], Node::table) {
            let Some(field) = entity.find(&entry.key) else {
                continue;
            };
            if self
                .broken
                .contains(&(usize::from(ix.0), entry.key.clone()))
            {
                continue;
            }
            let root = match &entity.field(field).kind {
                FieldType::Link(link) | FieldType::Links(link) => Some(link.to),
                FieldType::Rollup { of, .. } => entity.rows_of(of).map(|(rows, _)| rows),
                _ => None,
            };
            if let Some(root) = root {
                self.bind(root, entry.node.get("where"));
            }
        }
    }

    fn bind(&mut self, root: EntityIx, node: Option<&Node>) {
        let Some(node) = node else { return };
        // What cannot be read has been reported where it was read.
        let Ok(condition) = Condition::from_json(&node.to_json()) else {
            return;
        };
        if self.meets_broken(&condition) {
            return;
        }
        if let Err(error) = self.binder.bind(root, &condition) {
            self.mistakes
                .error(place(node, &error), "bad_condition", message(&error));
        }
    }

    /// Leaving a group or a department must not open records: a permission that asks for not
    /// being in one would.
    fn never_widens(&mut self, node: Option<&Node>) {
        let Some(node) = node else { return };
        let condition = Condition::from_json(&node.to_json()).unwrap_or_default();
        if let Some(variable) = asked_against(&condition, false) {
            let message = format!("a permission cannot ask for not being in {variable}");
            self.mistakes.error(node.at, "widening", message);
        }
    }

    /// Whether a path passes a field whose own declaration is wrong.
    fn meets_broken(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().any(|part| self.meets_broken(part))
            }
            Condition::Not(part) => self.meets_broken(part),
            Condition::Test { field, .. } => field
                .split('.')
                .any(|name| self.broken.iter().any(|(_, broken)| broken == name)),
        }
    }
}

/// The variable of membership that a condition negates, if there is one.
fn asked_against(condition: &Condition, negated: bool) -> Option<&str> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().find_map(|part| asked_against(part, negated))
        }
        Condition::Not(part) => asked_against(part, !negated),
        Condition::Test { op, value, .. } => {
            let negated = negated != matches!(op, Op::Ne | Op::NotIn);
            let items = value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice);
            let mut names = items.iter().filter_map(|item| item.as_str());
            names.find(|name| negated && matches!(*name, "@my_groups" | "@my_departments"))
        }
    }
}

/// Values of the right type for `@me` and its kin; only whether they fit is asked.
pub(crate) fn placeholders() -> Variables {
    Variables {
        me: Uuid::nil(),
        my_groups: vec![Uuid::nil()],
        my_departments: vec![Uuid::nil()],
        now: Timestamp::UNIX_EPOCH,
        today: civil::Date::constant(1970, 1, 1),
        zone: jiff::tz::TimeZone::UTC,
    }
}
