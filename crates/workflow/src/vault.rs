//! Secrets that rules name and nobody reads.
//!
//! `{{ vault.NAME }}` becomes a mark where it stands: the mark is what steps, courses and logs keep.
//! Whoever sends something outside puts the secret in its place at the last moment, for the other
//! side alone. A mark holds a part made of the execution and the step, so a text that people write
//! into a record is never taken for one.

use std::collections::BTreeMap;

use opsflux_model::Value;
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_store::{Living, Output, Select, Write};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::action::{At, Failure};
use crate::log::Log;
use crate::published::derived;

/// Name of the entity.
const ENTITY: &str = "credential";
/// The name that secrets stand behind.
pub(crate) const ROOT: &str = "vault";
/// Actions that hand secrets on.
pub(crate) const HAND_ON: [&str; 1] = ["call_webhook"];
/// How long one look may take.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(5);
const BEGIN: &str = "⟦vault:";
const END: char = '⟧';

/// What stands for a secret.
pub(crate) fn mark(execution: Uuid, place: &str, name: &str) -> String {
    let own = derived(
        execution,
        ["vault\0", place, "\0", name].concat().as_bytes(),
    );
    format!("{BEGIN}{name}:{}{END}", own.simple())
}

/// The secrets that a step names, as they lie in the database, with the entries of the audit about
/// their use: to be committed with what uses them.
#[derive(Debug, Default)]
pub struct Named {
    /// By mark: the sealed secret.
    pub sealed: BTreeMap<String, String>,
    /// Entries of the audit.
    pub audit: Vec<Write>,
}

/// Finds the secrets whose marks stand in what an action is given.
///
/// # Errors
/// [`Failure::Wrong`] naming one that is not there for the one in whose name this is done.
pub async fn named(at: &At<'_>, given: &Map<String, Json>) -> Result<Named, Failure> {
    let mut marks = BTreeMap::new();
    for json in given.values() {
        find(json, &mut marks);
    }
    let mut named = Named::default();
    for (written, name) in marks {
        if written != mark(at.execution, at.place, &name) {
            continue;
        }
        let row = credential(at, &name).await?;
        let sealed = sealed(at, row.id).await?;
        let sealed = sealed.ok_or_else(|| missing(&name))?;
        named.sealed.insert(written, sealed);
        let why = format!("workflow {}", at.workflow);
        let entry = at
            .records
            .audited(at.caller, "use", ENTITY, row.id, Some(&why))?;
        named.audit.push(entry);
    }
    Ok(named)
}

async fn credential(at: &At<'_>, name: &str) -> Result<Snapshot, Failure> {
    let schema = at.schema();
    let log = Log::of(&schema, ENTITY).map_err(|_| missing(name))?;
    let is = log.is("name", name)?;
    let found = at.records.find(at.caller.tenant(), log.ix, is, 1).await?;
    let row = found.into_iter().next().ok_or_else(|| missing(name))?;
    // One that he may not see is one that is not there.
    match at.records.sees(at.caller, log.ix, row.id).await? {
        true => Ok(row),
        false => Err(missing(name)),
    }
}

/// The secret as it lies in the database: no other way out reads it.
async fn sealed(at: &At<'_>, id: Uuid) -> Result<Option<String>, Failure> {
    let schema = at.schema();
    let log = Log::of(&schema, ENTITY)?;
    let select = Select {
        tenant: at.caller.tenant(),
        entity: log.ix,
        filter: log.is("id", Value::Id(id))?,
        outputs: vec![Output::Field(log.field("secret")?)],
        sort: Vec::new(),
        after: None,
        limit: 1,
        living: Living::Any,
    };
    let mut found = None;
    at.records
        .store()
        .select(&select, BUDGET, |row| -> Result<(), Error> {
            if let Value::Text(sealed) = row.value(0)? {
                found = Some(sealed);
            }
            Ok(())
        })
        .await?;
    Ok(found)
}

fn missing(name: &str) -> Failure {
    Failure::Wrong(format!("{ROOT}.{name}: there is no such credential"))
}

/// Every mark in a value, with the name it carries.
fn find(json: &Json, marks: &mut BTreeMap<String, String>) {
    match json {
        Json::String(text) => {
            let mut rest = text.as_str();
            while let Some(start) = rest.find(BEGIN) {
                rest = rest.get(start..).unwrap_or_default();
                let Some(end) = rest.find(END) else { return };
                let whole = rest.get(..end + END.len_utf8()).unwrap_or_default();
                let inner = rest.get(BEGIN.len()..end).unwrap_or_default();
                if let Some((name, _)) = inner.split_once(':') {
                    marks.insert(whole.to_owned(), name.to_owned());
                }
                rest = rest.get(BEGIN.len()..).unwrap_or_default();
            }
        }
        Json::Array(list) => list.iter().for_each(|json| find(json, marks)),
        Json::Object(map) => map.values().for_each(|json| find(json, marks)),
        _ => {}
    }
}

/// A value with something else where marks stand.
#[must_use]
pub fn replaced(json: &Json, with: &BTreeMap<String, String>) -> Json {
    match json {
        Json::String(text) => {
            let mut text = text.clone();
            for (mark, other) in with {
                text = text.replace(mark, other);
            }
            Json::String(text)
        }
        Json::Array(list) => list.iter().map(|json| replaced(json, with)).collect(),
        Json::Object(map) => Json::Object(replaced_in(map, with)),
        other => other.clone(),
    }
}

/// As [`replaced`], of an object.
#[must_use]
pub fn replaced_in(map: &Map<String, Json>, with: &BTreeMap<String, String>) -> Map<String, Json> {
    let all = map.iter();
    all.map(|(key, json)| (key.clone(), replaced(json, with)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_are_found_where_they_stand_and_only_whole_ones() {
        let execution = Uuid::from_u128(7);
        let (key, other) = (
            mark(execution, "call", "KEY"),
            mark(execution, "call", "OTHER"),
        );
        let given = json!({"headers": {"a": format!("Bearer {key}")}, "body": [format!("{other}{key}"), 3]});
        let mut marks = BTreeMap::new();
        find(&given, &mut marks);
        let names: Vec<&str> = marks.values().map(String::as_str).collect();
        assert_eq!(names, ["KEY", "OTHER"]);
        assert_ne!(key, mark(execution, "other", "KEY"));
        let with = BTreeMap::from([(key, "s3".to_owned()), (other, "x".to_owned())]);
        assert_eq!(
            replaced(&given, &with),
            json!({"headers": {"a": "Bearer s3"}, "body": ["xs3", 3]})
        );
        let mut none = BTreeMap::new();
        find(&json!(["⟦vault:", "⟦vault:⟧", "⟦vault:é"]), &mut none);
        assert!(none.is_empty());
    }
}
