//! What a file may look like, and whether one does.
//!
//! A [`Shape`] says which keys and kinds of values are allowed; [`check`] reports every deviation.
//! The tables themselves are in [`super::keys`]; [`super::editor`] turns the same tables into a
//! JSON Schema. Meaning (does this field exist?) is not known here.

use super::diagnostic::{Mistakes, did_you_mean};
use super::tree::{Entry, Is, Node};

/// What may stand somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// A name of the given style.
    Name(Style),
    Bool,
    /// At least this.
    Integer(i64),
    /// With or without decimals.
    Number,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Any number of these.
    List(&'static Shape),
    /// These keys.
    Table(&'static [Key]),
    /// Names of a style, each with this.
    Map(Style, &'static Shape),
    /// A table in which `type` chooses the keys.
    Typed(&'static [Type]),
    /// A table of the second shape, anything else of the first.
    OrTable(&'static Shape, &'static Shape),
    /// A list of the second shape, anything else of the first.
    OrList(&'static Shape, &'static Shape),
    /// A condition; read and bound later.
    Condition,
    /// A value whose type is known later.
    Value,
}

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// Shown by editors.
    pub(crate) doc: &'static str,
}

/// One type a field can have, with its keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// Besides `type`.
    pub(crate) keys: &'static [&'static [Key]],
}

impl Type {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.keys.iter().flat_map(|group| group.iter())
    }
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `assigned_group`: entities, fields, roles, modules, sections, settings.
    Snake,
    /// `support-groups`: collections and pages.
    Kebab,
    /// `in_progress`, `pt-BR`, `RUNNING`: options and states, which data may dictate.
    Code,
}

impl Style {
    /// The longest name; what a database, an address and a screen bear.
    pub(crate) const MAX: usize = 40;

    /// As a regular expression, for editors.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Style::Snake => "^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
            Style::Kebab => "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            Style::Code => "^[A-Za-z0-9][A-Za-z0-9_-]*$",
        }
    }

    /// Whether `name` is written so.
    pub(crate) fn accepts(self, name: &str) -> bool {
        let words = |separator: char| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.split(separator).all(|word| {
                    !word.is_empty()
                        && word
                            .chars()
                            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                })
        };
        let fits = match self {
            Style::Snake => words('_'),
            Style::Kebab => words('-'),
            Style::Code => {
                name.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            }
        };
        fits && name.len() <= Style::MAX
    }

    fn example(self) -> &'static str {
        match self {
            Style::Snake => "lower case words joined by _, at most 40 characters",
            Style::Kebab => "lower case words joined by -, at most 40 characters",
            Style::Code => "letters, digits, _ and -, at most 40 characters",
        }
    }
}

/// Reports everything in `node` that is not of `shape`. `what` names it in messages.
pub(crate) fn check(node: &Node, shape: Shape, what: &str, mistakes: &mut Mistakes<'_>) {
    match (shape, &node.is) {
        // What could not be read has been reported where it was.
        (_, Is::Null)
        | (Shape::Text, Is::Text(_))
        | (Shape::Bool, Is::Bool(_))
        | (Shape::Number, Is::Integer(_) | Is::Float(_))
        | (Shape::Condition, Is::Table(_))
        | (Shape::Value, _) => {}
        (Shape::Name(style), Is::Text(name)) => check_name(node, name, style, mistakes),
        (Shape::Integer(least), Is::Integer(number)) => {
            if *number < least {
                let message = format!("{what} must be at least {least}");
                mistakes.error(node.at, "too_small", message);
            }
        }
        (Shape::OneOf(known), Is::Text(text)) => {
            if !known.contains(&text.as_str()) {
                unknown_word(node, what, text, known, mistakes);
            }
        }
        (Shape::List(item), Is::List(items)) => {
            for node in items {
                check(node, *item, what, mistakes);
            }
        }
        (Shape::Table(keys), Is::Table(_)) => check_table(node, keys.iter(), what, mistakes),
        (Shape::Map(style, value), Is::Table(entries)) => {
            for entry in entries {
                if !style.accepts(&entry.key) {
                    bad_name(entry.at, &entry.key, style, mistakes);
                }
                check(&entry.node, *value, &entry.key, mistakes);
            }
        }
        (Shape::Typed(types), Is::Table(_)) => check_typed(node, types, what, mistakes),
        (Shape::OrTable(_, table), Is::Table(_)) => check(node, *table, what, mistakes),
        (Shape::OrTable(other, _), _) => check(node, *other, what, mistakes),
        (Shape::OrList(_, list), Is::List(_)) => check(node, *list, what, mistakes),
        (Shape::OrList(other, _), _) => check(node, *other, what, mistakes),
        _ => {
            let message = format!("{what} must be {}, not {}", wanted(shape), found(&node.is));
            mistakes.error(node.at, "wrong_type", message);
        }
    }
}

fn check_table(
    node: &Node,
    keys: impl Iterator<Item = &'static Key> + Clone,
    what: &str,
    mistakes: &mut Mistakes<'_>,
) {
    for entry in node.table() {
        match keys.clone().find(|key| key.name == entry.key) {
            Some(key) => check(&entry.node, key.shape, key.name, mistakes),
            None => unknown_key(entry, what, keys.clone().map(|key| key.name), mistakes),
        }
    }
    for key in keys.filter(|key| key.required && node.get(key.name).is_none()) {
        let message = format!("{} of {what} is missing", key.name);
        mistakes.error(node.at, "missing_key", message);
    }
}

fn check_typed(node: &Node, types: &'static [Type], what: &str, mistakes: &mut Mistakes<'_>) {
    let Some(kind) = node.get("type") else {
        let message = format!("type of {what} is missing");
        mistakes.error(node.at, "missing_key", message);
        return;
    };
    let Some(name) = kind.text() else {
        check(kind, Shape::Text, "type", mistakes);
        return;
    };
    let Some(found) = types.iter().find(|known| known.name == name) else {
        let message = format!("unknown type “{name}”");
        let hint = did_you_mean(name, types.iter().map(|known| known.name));
        mistakes.error_hint(kind.at, "unknown_type", message, hint);
        // Which keys it may have cannot be said; what no type has is a slip all the same.
        let any = || std::iter::once(&super::types::TYPE).chain(types.iter().flat_map(Type::keys));
        for entry in node.table() {
            if !any().any(|key| key.name == entry.key) {
                unknown_key(entry, what, any().map(|key| key.name), mistakes);
            }
        }
        return;
    };
    let keys = std::iter::once(&super::types::TYPE).chain(found.keys());
    let what = format!("{what} of type {name}");
    check_table(node, keys.collect::<Vec<_>>().into_iter(), &what, mistakes);
}

fn unknown_key(
    entry: &Entry,
    what: &str,
    known: impl Iterator<Item = &'static str>,
    mistakes: &mut Mistakes<'_>,
) {
    let message = format!("{what} has no key “{}”", entry.key);
    let hint = did_you_mean(&entry.key, known);
    mistakes.error_hint(entry.at, "unknown_key", message, hint);
}

fn check_name(node: &Node, name: &str, style: Style, mistakes: &mut Mistakes<'_>) {
    if !style.accepts(name) {
        bad_name(node.at, name, style, mistakes);
    }
}

fn bad_name(at: super::diagnostic::Place, name: &str, style: Style, mistakes: &mut Mistakes<'_>) {
    let message = format!("“{name}” is not a name: {}", style.example());
    mistakes.error(at, "bad_name", message);
}

fn unknown_word(
    node: &Node,
    what: &str,
    text: &str,
    known: &'static [&'static str],
    mistakes: &mut Mistakes<'_>,
) {
    let message = format!("{what} cannot be “{text}”");
    let hint = did_you_mean(text, known.iter().copied())
        .unwrap_or_else(|| format!("one of {}", known.join(", ")));
    mistakes.error_hint(node.at, "unknown_word", message, Some(hint));
}

fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Name(_) | Shape::OneOf(_) => "a text",
        Shape::Bool => "true or false",
        Shape::Integer(_) => "an integer",
        Shape::Number => "a number",
        Shape::List(_) | Shape::OrList(..) => "a list",
        Shape::Table(_) | Shape::Map(..) | Shape::Typed(_) | Shape::OrTable(..) => "a table",
        Shape::Condition => "a condition, a table",
        Shape::Value => "a value",
    }
}

fn found(is: &Is) -> &'static str {
    match is {
        Is::Text(_) => "a text",
        Is::Integer(_) => "an integer",
        Is::Float(_) => "a decimal number",
        Is::Bool(_) => "a boolean",
        Is::Date(_) => "a date",
        Is::List(_) => "a list",
        Is::Table(_) => "a table",
        Is::Null => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_their_pattern_says() {
        for style in [Style::Snake, Style::Kebab, Style::Code] {
            let pattern = regex::Regex::new(style.pattern()).unwrap();
            for name in [
                "a", "ticket", "due_at", "due-at", "a1", "1a", "A", "a__b", "_a", "a_", "a-", "é",
                "", "pt-BR", "a b", "a.b",
            ] {
                assert_eq!(
                    style.accepts(name),
                    pattern.is_match(name),
                    "{style:?} {name}"
                );
            }
            assert!(!style.accepts(&"a".repeat(Style::MAX + 1)));
        }
    }
}
