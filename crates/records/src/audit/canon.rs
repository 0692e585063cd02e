//! An entry as bytes to be hashed: the same on both databases, and for ever.
//!
//! Three parts, of the fields of [`META`], [`WHO`] and [`BODY`] in that order. Each field is one
//! byte with the length of its name, the name, one byte for the kind of value, and the value:
//!
//! | kind | value |
//! | --- | --- |
//! | 0 | nothing |
//! | 1 | a text: its length as 4 bytes, UTF-8 |
//! | 2 | an integer: 8 bytes |
//! | 3 | an instant: microseconds since 1970 UTC, 8 bytes |
//! | 4 | an id: 16 bytes |
//! | 5 | JSON: the length as 4 bytes, then the text without blanks, members sorted by the bytes of their names, numbers as they were stored |
//!
//! Numbers are big-endian. The way an entry is written is the `format` of its seal: a field that
//! is added to the entity belongs to a new one, and old seals are still read in theirs.

use opsflux_model::Value;
use opsflux_model::schema::{Schema, system};
use serde_json::Value as Json;

use crate::read::json::to_json;
use crate::rule::Snapshot;

/// The format of new seals.
pub(super) const FORMAT: i64 = 1;

/// What happened: never erased, and nobody's name is in it.
pub(super) const META: [&str; 11] = [
    system::ID,
    system::CREATED_AT,
    "actor_kind",
    "source",
    "request_id",
    "chain",
    "action",
    "entity",
    "record",
    "record_version",
    "result",
];
/// Who did it, and from where: erased with a person.
pub(super) const WHO: [&str; 5] = ["actor", "on_behalf_of", "device", "address", "user_agent"];
/// What it was about, in words and values: erased with whoever is in them.
pub(super) const BODY: [&str; 3] = ["reason", "before", "after"];

/// An entry in the three parts that are hashed.
pub(super) struct Parts {
    pub meta: Vec<u8>,
    pub who: Vec<u8>,
    pub body: Vec<u8>,
}

/// The parts of an entry.
pub(super) fn parts(schema: &Schema, entry: &Snapshot) -> Parts {
    Parts {
        meta: written(schema, entry, &META),
        who: written(schema, entry, &WHO),
        body: written(schema, entry, &BODY),
    }
}

/// Whether nothing is left in the fields of a part.
pub(super) fn is_blank(schema: &Schema, entry: &Snapshot, fields: &[&str]) -> bool {
    fields
        .iter()
        .all(|name| *entry.get(schema, name) == Value::Null)
}

fn written(schema: &Schema, entry: &Snapshot, fields: &[&str]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    for name in fields {
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend(name.as_bytes());
        match *name {
            system::ID => write(&Value::Id(entry.id), &mut out),
            name => write(entry.get(schema, name), &mut out),
        }
    }
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Text(text) => {
            out.push(1);
            sized(text, out);
        }
        Value::Int(number) => {
            out.push(2);
            out.extend(number.to_be_bytes());
        }
        Value::Time(time) => {
            out.push(3);
            out.extend(time.as_microsecond().to_be_bytes());
        }
        Value::Id(id) => {
            out.push(4);
            out.extend(id.as_bytes());
        }
        other => {
            out.push(5);
            let mut text = String::new();
            canonical(&to_json(other), &mut text);
            sized(&text, out);
        }
    }
}

fn sized(text: &str, out: &mut Vec<u8>) {
    out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

fn canonical(json: &Json, out: &mut String) {
    match json {
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_bytes());
            out.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn the_order_of_members_does_not_matter_and_everything_else_does() {
        let json = |text: &str| Value::Json(serde_json::from_str(text).expect("JSON"));
        let one = bytes(&json(r#"{"b": [1, {"z": null, "a": "é"}], "a": 1.10}"#));
        let other = bytes(&json(r#"{"a":1.10,"b":[1,{"a":"é","z":null}]}"#));
        assert_eq!(one, other);
        let text = String::from_utf8_lossy(&one[5..]).into_owned();
        assert_eq!(text, r#"{"a":1.10,"b":[1,{"a":"é","z":null}]}"#);
        assert_ne!(one, bytes(&json(r#"{"a":1.1,"b":[1,{"a":"é","z":null}]}"#)));
        assert_ne!(bytes(&Value::Null), bytes(&Value::from("")));
        assert_ne!(bytes(&Value::Int(1)), bytes(&Value::from("1")));
    }
}
