//! What is written in a file, with the place of every part.
//!
//! TOML and JSON both become a [`Node`]; what the parts mean is not known here.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Mistakes, Place};

/// One value, as written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) is: Is,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Is {
    Text(String),
    Integer(i64),
    /// As written, so that a decimal stays exact.
    Float(String),
    Bool(bool),
    /// A TOML date or time, as text.
    Date(String),
    List(Vec<Node>),
    /// In the order written.
    Table(Vec<Entry>),
    Null,
}

/// One key of a table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) node: Node,
}

impl Node {
    /// The value under `key`, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.table().iter().find(|entry| entry.key == key)
    }

    /// The entries of a table; none for anything else.
    pub(crate) fn table(&self) -> &[Entry] {
        match &self.is {
            Is::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn list(&self) -> &[Node] {
        match &self.is {
            Is::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.is {
            Is::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self.is {
            Is::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The items of the list under `key`, when they are texts, with their places.
    pub(crate) fn texts(&self, key: &str) -> Vec<(&str, Place)> {
        self.get(key).map_or_else(Vec::new, Node::text_items)
    }

    /// The items of this list that are texts, with their places.
    pub(crate) fn text_items(&self) -> Vec<(&str, Place)> {
        self.list()
            .iter()
            .filter_map(|item| Some((item.text()?, item.at)))
            .collect()
    }

    /// The text under `key`.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The integer under `key`.
    pub(crate) fn integer_of(&self, key: &str) -> Option<i64> {
        self.get(key)?.integer()
    }

    /// Whether `true` stands under `key`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key).map(|node| &node.is), Some(Is::Bool(true)))
    }

    /// The place of the value under `key`, or of the whole.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.get(key).map_or(self.at, |node| node.at)
    }

    /// The same as JSON; numbers keep every digit written.
    pub(crate) fn to_json(&self) -> Json {
        match &self.is {
            Is::Text(text) | Is::Date(text) => Json::from(text.as_str()),
            Is::Integer(number) => Json::from(*number),
            // What JSON cannot say (nan, inf) becomes a text, which no number type accepts.
            Is::Float(text) => serde_json::from_str(text)
                .ok()
                .filter(Json::is_number)
                .unwrap_or_else(|| Json::from(text.as_str())),
            Is::Bool(flag) => Json::from(*flag),
            Is::List(items) => items.iter().map(Node::to_json).collect(),
            Is::Table(entries) => Json::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.node.to_json()))
                    .collect(),
            ),
            Is::Null => Json::Null,
        }
    }

    /// The part a JSON pointer leads to, or the last part on the way that exists.
    pub(crate) fn pointed(&self, pointer: &str) -> &Node {
        let mut node = self;
        for step in pointer.split('/').filter(|step| !step.is_empty()) {
            let next = match &node.is {
                Is::List(items) => step.parse().ok().and_then(|place: usize| items.get(place)),
                _ => node.get(step),
            };
            match next {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }
}

/// Reads TOML. What the parser can save of a broken file is returned with its errors reported.
pub(crate) fn read_toml(text: &str, file: usize, mistakes: &mut Mistakes<'_>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        mistakes.syntax(Place { file, offset }, error.message().to_owned());
    }
    let at = Place { file, offset: 0 };
    Node {
        at,
        is: from_table(table.get_ref(), file, mistakes),
    }
}

fn from_table(table: &DeTable<'_>, file: usize, mistakes: &mut Mistakes<'_>) -> Is {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            at: Place {
                file,
                offset: key.span().start,
            },
            node: from_value(value, file, mistakes),
        })
        .collect();
    // The parser sorts by name; declarations have the order in which they are written.
    entries.sort_by_key(|entry| entry.at.offset);
    Is::Table(entries)
}

fn from_value(value: &Spanned<DeValue<'_>>, file: usize, mistakes: &mut Mistakes<'_>) -> Node {
    let at = Place {
        file,
        offset: value.span().start,
    };
    let is = match value.get_ref() {
        DeValue::String(text) => Is::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Is::Integer(number),
            Err(_) => {
                mistakes.error(at, "wrong_type", "the integer has more than 64 bits");
                Is::Null
            }
        },
        DeValue::Float(number) => Is::Float(number.as_str().trim_start_matches('+').to_owned()),
        DeValue::Boolean(flag) => Is::Bool(*flag),
        DeValue::Datetime(at) => Is::Date(at.to_string()),
        DeValue::Array(items) => Is::List(
            items
                .iter()
                .map(|item| from_value(item, file, mistakes))
                .collect(),
        ),
        DeValue::Table(table) => from_table(table, file, mistakes),
    };
    Node { at, is }
}

/// Deeper than any catalogue, shallower than the stack.
const MAX_JSON_DEPTH: usize = 16;

/// Reads JSON. What cannot be read is reported and reads as nothing.
pub(crate) fn read_json(text: &str, file: usize, mistakes: &mut Mistakes<'_>) -> Node {
    let node = match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => from_json(raw.get(), text, file, 0, mistakes),
        Err(error) => {
            json_error(&error, text, 0, file, mistakes);
            None
        }
    };
    let at = Place { file, offset: 0 };
    node.unwrap_or(Node { at, is: Is::Null })
}

fn from_json(
    part: &str,
    text: &str,
    file: usize,
    depth: usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<Node> {
    // A raw value borrows from the text it was read from, so its address gives its place.
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let at = Place { file, offset };
    if depth > MAX_JSON_DEPTH {
        mistakes.syntax(at, format!("nested deeper than {MAX_JSON_DEPTH}"));
        return None;
    }
    let mut read = |part: &str| from_json(part, text, file, depth + 1, mistakes);
    let is = match part.bytes().next() {
        Some(b'{') => serde_json::from_str::<Entries<'_>>(part).map(|Entries(entries)| {
            let entry = |(key, raw): (String, &RawValue)| {
                let node = read(raw.get())?;
                let at = node.at;
                Some(Entry { key, at, node })
            };
            Is::Table(entries.into_iter().filter_map(entry).collect())
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(part)
            .map(|items| Is::List(items.iter().filter_map(|raw| read(raw.get())).collect())),
        _ => serde_json::from_str::<Json>(part).map(|json| match json {
            Json::String(text) => Is::Text(text),
            Json::Bool(flag) => Is::Bool(flag),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Is::Integer(number),
                None => Is::Float(number.to_string()),
            },
            _ => Is::Null,
        }),
    };
    match is {
        Ok(is) => Some(Node { at, is }),
        Err(error) => {
            json_error(&error, part, offset, file, mistakes);
            None
        }
    }
}

fn json_error(
    error: &serde_json::Error,
    part: &str,
    start: usize,
    file: usize,
    mistakes: &mut Mistakes<'_>,
) {
    let line_start: usize = part
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = start + line_start + error.column().saturating_sub(1);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    mistakes.syntax(Place { file, offset }, message.to_owned());
}

/// The members of an object in their order, duplicates included.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> Node {
        let mut mistakes = Mistakes::default();
        let file = mistakes.open("a.toml".into(), text);
        read_toml(text, file, &mut mistakes)
    }

    #[test]
    fn keys_keep_the_order_in_which_they_are_written() {
        let node = toml("zulu = 1\nalpha = 2\n[mike]\nx = 1\n[bravo]\n");
        let keys: Vec<_> = node.table().iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["zulu", "alpha", "mike", "bravo"]);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let node = toml("a = 12.50\nb = +0.1\nc = nan");
        assert_eq!(
            node.to_json().to_string(),
            r#"{"a":12.50,"b":0.1,"c":"nan"}"#
        );
    }

    #[test]
    fn parts_of_json_know_their_place_and_duplicates_are_kept() {
        let text = "{\n  \"a\": {\"b\": \"é\"},\n  \"a\": 1\n}";
        let mut mistakes = Mistakes::default();
        let file = mistakes.open("fr.json".into(), text);
        let node = read_json(text, file, &mut mistakes);
        assert_eq!(node.table().len(), 2);
        let b = node.get("a").unwrap().get("b").unwrap();
        assert_eq!(mistakes.name(b.at), "fr.json:2:14");
    }

    #[test]
    fn broken_json_is_reported_where_it_breaks() {
        for (text, place) in [
            ("{\n  \"a\": 1,\n}", "fr.json:3:1"),
            (&"[".repeat(100_000), "fr.json:1:100000"),
            (
                &format!("{}{}", "[".repeat(40), "]".repeat(40)),
                "fr.json:1:18",
            ),
        ] {
            let mut mistakes = Mistakes::default();
            let file = mistakes.open("fr.json".into(), text);
            read_json(text, file, &mut mistakes);
            let found = mistakes.into_found();
            assert!(found[0].to_string().starts_with(place), "{}", found[0]);
        }
    }
}
