//! `schema.lock`: the immutable ids of entities, fields, options and states.
//!
//! Declarations have names, databases are kept by ids: a rename moves the id to the new name, so
//! it is never a drop and an add. The file is written by the tool, one line per id, sorted, so
//! that two branches merge line by line. Ids of things no longer declared stay in it: what comes
//! back under its name finds its data again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use serde::Deserialize;

/// What has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `ticket`
    Entity,
    /// `ticket.title`
    Field,
    /// `ticket.priority.low`
    Option,
    /// `ticket.new`
    State,
}

impl Kind {
    const ALL: [(Kind, &'static str, &'static str); 4] = [
        (Kind::Entity, "entities", "e_"),
        (Kind::Field, "fields", "f_"),
        (Kind::Option, "options", "o_"),
        (Kind::State, "states", "s_"),
    ];

    /// The name of its table in the file.
    #[must_use]
    pub fn table(self) -> &'static str {
        Kind::ALL[self as usize].1
    }

    /// What its ids begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        Kind::ALL[self as usize].2
    }
}

/// Something declared that needs an id. Owners come before what they own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// What it is.
    pub kind: Kind,
    /// Names from the entity down, joined by dots.
    pub path: String,
    /// Its own former name.
    pub was: Option<String>,
}

/// The contents of a `schema.lock`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    ids: BTreeMap<(Kind, String), String>,
    /// Renames already carried out, so that a `was` which is still there counts once.
    renamed: BTreeMap<(Kind, String), String>,
}

/// A `schema.lock` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schema.lock: {reason}")]
pub struct LockError {
    /// JSON pointer to the part.
    pub at: String,
    reason: String,
}

const HEADER: &str = "\
# Immutable ids, minted by `opsflux module check --fix` and never edited by hand.
# When two branches meet here, keep the lines of both.
";

type Names = BTreeMap<String, String>;

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct File {
    entities: Names,
    fields: Names,
    options: Names,
    states: Names,
    renamed: BTreeMap<String, Names>,
}

impl Lock {
    /// Reads the text of a `schema.lock`.
    ///
    /// # Errors
    /// What is wrong with the file: its syntax, an unknown table, an id used twice.
    pub fn parse(text: &str) -> Result<Lock, LockError> {
        let wrong = |at: String, reason: String| LockError { at, reason };
        let mut file: File = toml::from_str(text)
            .map_err(|error| wrong(String::new(), error.message().to_owned()))?;
        let mut lock = Lock::default();
        let mut seen: HashMap<String, String> = HashMap::new();
        for (kind, table, prefix) in Kind::ALL {
            let names = match kind {
                Kind::Entity => std::mem::take(&mut file.entities),
                Kind::Field => std::mem::take(&mut file.fields),
                Kind::Option => std::mem::take(&mut file.options),
                Kind::State => std::mem::take(&mut file.states),
            };
            for (path, id) in names {
                let at = format!("/{table}/{path}");
                if !id.starts_with(prefix) {
                    return Err(wrong(at, format!("“{id}” does not begin with {prefix}")));
                }
                if let Some(other) = seen.insert(id.clone(), path.clone()) {
                    return Err(wrong(
                        at,
                        format!("{path} and {other} have the same id {id}"),
                    ));
                }
                lock.ids.insert((kind, path), id);
            }
            for (path, was) in file.renamed.remove(table).unwrap_or_default() {
                lock.renamed.insert((kind, path), was);
            }
        }
        match file.renamed.keys().next() {
            Some(table) => Err(wrong(
                format!("/renamed/{table}"),
                format!("there is no table “{table}”"),
            )),
            None => Ok(lock),
        }
    }

    /// Writes it as a file: reading it back gives the same.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        for (kind, table, _) in Kind::ALL {
            write_table(&mut text, table, &self.ids, kind);
        }
        for (kind, table, _) in Kind::ALL {
            write_table(&mut text, &format!("renamed.{table}"), &self.renamed, kind);
        }
        text
    }

    /// The id of something.
    #[must_use]
    pub fn get(&self, kind: Kind, path: &str) -> Option<&str> {
        self.ids.get(&(kind, path.to_owned())).map(String::as_str)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Every id with what it belongs to.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str, &str)> {
        let each = self.ids.iter();
        each.map(|((kind, path), id)| (*kind, path.as_str(), id.as_str()))
    }

    /// Whether `was` of a thing has not been carried out here yet.
    #[must_use]
    pub fn is_pending(&self, thing: &Declared) -> bool {
        thing.was.is_some()
            && self.renamed.get(&(thing.kind, thing.path.clone())) != thing.was.as_ref()
    }
}

fn write_table(
    text: &mut String,
    title: &str,
    entries: &BTreeMap<(Kind, String), String>,
    kind: Kind,
) {
    let mut lines = entries
        .iter()
        .filter(|((of, _), _)| *of == kind)
        .map(|((_, path), value)| (quoted(path), quoted(value)))
        .peekable();
    if lines.peek().is_none() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n[{title}]");
    for (path, value) in lines {
        let _ = writeln!(text, "{path} = {value}");
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The lock that follows from what is declared, and whether it differs from `lock`.
///
/// Known things keep their ids, renamed ones (`was`) take them along, new ones get the prefix of
/// their kind and what `mint` returns. Renames happen all at once, so two fields may swap names.
pub fn assign(
    declared: &[Declared],
    lock: &Lock,
    mint: &mut dyn FnMut() -> String,
) -> (Lock, bool) {
    let former = former_paths(declared, lock);
    let mut next = Lock::default();
    let mut claimed: BTreeSet<&str> = BTreeSet::new();
    // Renamed things first: a new thing may already stand under a name that was given up.
    let mut order: Vec<(&Declared, &str)> = declared
        .iter()
        .map(|thing| (thing, former[&(thing.kind, thing.path.as_str())].as_str()))
        .collect();
    order.sort_by_key(|(thing, former)| thing.path == *former);
    let mut unknown = Vec::new();
    for (thing, former) in order {
        let known = lock.get(thing.kind, former);
        let known = known.or_else(|| lock.get(thing.kind, &thing.path));
        match known.filter(|id| claimed.insert(id)) {
            Some(id) => {
                next.ids
                    .insert((thing.kind, thing.path.clone()), id.to_owned());
            }
            None => unknown.push(thing),
        }
        if let Some(was) = &thing.was {
            next.renamed
                .insert((thing.kind, thing.path.clone()), was.clone());
        }
    }
    keep_undeclared(lock, &former, &claimed, &mut next);
    unknown.sort_by_key(|thing| (thing.kind, thing.path.as_str()));
    let mut used: BTreeSet<String> = lock.ids.values().cloned().collect();
    for thing in unknown {
        let id = fresh(thing.kind, &mut used, mint);
        next.ids.insert((thing.kind, thing.path.clone()), id);
    }
    let changed = next != *lock;
    (next, changed)
}

/// By kind and present path: the path under which the lock knows a thing.
fn former_paths<'d>(declared: &'d [Declared], lock: &Lock) -> HashMap<(Kind, &'d str), String> {
    let mut former: HashMap<(Kind, &str), String> = HashMap::new();
    for thing in declared {
        let (owner, name) = match thing.path.rsplit_once('.') {
            Some((owner, name)) => (Some(owner), name),
            None => (None, thing.path.as_str()),
        };
        let name = match &thing.was {
            Some(was) if lock.is_pending(thing) => was.as_str(),
            _ => name,
        };
        let owner = owner.map(|path| {
            let kind = if thing.kind == Kind::Option {
                Kind::Field
            } else {
                Kind::Entity
            };
            former.get(&(kind, path)).map_or(path, String::as_str)
        });
        let path = owner.map_or_else(|| name.to_owned(), |owner| format!("{owner}.{name}"));
        former.insert((thing.kind, thing.path.as_str()), path);
    }
    former
}

/// Ids of what is no longer declared stay, below the present name of their owner.
fn keep_undeclared(
    lock: &Lock,
    former: &HashMap<(Kind, &str), String>,
    claimed: &BTreeSet<&str>,
    next: &mut Lock,
) {
    let moved: HashMap<(Kind, &str), &str> = former
        .iter()
        .map(|((kind, now), was)| ((*kind, was.as_str()), *now))
        .collect();
    for ((kind, path), id) in &lock.ids {
        if claimed.contains(id.as_str()) {
            continue;
        }
        let owner = path.rsplit_once('.');
        let kept = owner.and_then(|(owner, name)| {
            let above = if *kind == Kind::Option {
                Kind::Field
            } else {
                Kind::Entity
            };
            moved
                .get(&(above, owner))
                .map(|owner| format!("{owner}.{name}"))
        });
        let path = kept.unwrap_or_else(|| path.clone());
        next.ids.entry((*kind, path)).or_insert_with(|| id.clone());
    }
}

fn fresh(kind: Kind, used: &mut BTreeSet<String>, mint: &mut dyn FnMut() -> String) -> String {
    let mut id = format!("{}{}", kind.prefix(), mint());
    // A source of ids that repeats itself must not hang the tool.
    while !used.insert(id.clone()) {
        let _ = write!(id, "0{}", mint());
    }
    id
}

#[cfg(test)]
mod tests;
