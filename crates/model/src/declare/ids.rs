//! Which immutable id everything declared has, from the locks of the modules.

use std::collections::{HashMap, HashSet};

use super::MintIds;
use super::collect::{Declarations, EntityDecl};
use super::diagnostic::{Mistakes, Place};
use super::tree::{Is, Node};
use crate::lock::{self, Declared, Kind, Lock};

const FIX: &str = "run opsflux module check --fix";

/// The id of everything declared, by kind and path.
#[derive(Debug, Default)]
pub(crate) struct Ids(HashMap<(Kind, String), String>);

impl Ids {
    /// The id of a thing; empty when it has none, which has been reported.
    pub(crate) fn of(&self, kind: Kind, path: &str) -> String {
        let found = self.0.get(&(kind, path.to_owned()));
        found.cloned().unwrap_or_default()
    }
}

/// Finds the ids of everything; what has none is reported or gets one made of its name.
pub(crate) fn find(all: &Declarations, mint: MintIds, mistakes: &mut Mistakes<'_>) -> Ids {
    let mut ids = Ids::default();
    let mut owners: HashMap<String, String> = HashMap::new();
    for (place, module) in all.modules.iter().enumerate() {
        let nothing = Lock::default();
        let (lock, mint) = match &module.lock {
            Some(lock) => (lock, mint),
            // The lock is the mistake; that nothing has an id is only a consequence.
            None => (&nothing, MintIds::Deterministic),
        };
        let things = things(all, place);
        let declared: Vec<Declared> = things.iter().map(|(thing, _)| thing.clone()).collect();
        let mut count = 0;
        let (assigned, _) = lock::assign(&declared, lock, &mut || {
            count += 1;
            format!("?{count}")
        });
        let known: HashSet<&str> = lock.iter().map(|(_, _, id)| id).collect();
        let mut unknown_entity = String::new();
        for (thing, at) in things {
            let path = &thing.path;
            let mut id = assigned
                .get(thing.kind, path)
                .unwrap_or_default()
                .to_owned();
            if !known.contains(id.as_str()) {
                let below_unknown = path.starts_with(&unknown_entity);
                if mint == MintIds::FromLock && (unknown_entity.is_empty() || !below_unknown) {
                    let message = format!("{path} has no id in schema.lock yet");
                    mistakes.error_hint(at, "no_id", message, Some(FIX.to_owned()));
                }
                if thing.kind == Kind::Entity {
                    unknown_entity = format!("{path}.");
                }
                id = format!("{}{path}", thing.kind.prefix());
            } else if mint == MintIds::FromLock && lock.is_pending(&thing) {
                let message = format!("schema.lock does not know of the rename to {path} yet");
                mistakes.error_hint(at, "no_id", message, Some(FIX.to_owned()));
            }
            if let Some(other) = owners.insert(id.clone(), path.clone()) {
                let message = format!("{path} and {other} have the same id {id} in schema.lock");
                mistakes.error(at, "duplicate_id", message);
            }
            ids.0.insert((thing.kind, thing.path), id);
        }
    }
    ids
}

/// Everything of a module that needs an id, owners before what they own.
pub(crate) fn things(all: &Declarations, module: usize) -> Vec<(Declared, Place)> {
    all.entities
        .iter()
        .filter(|entity| entity.module == module)
        .flat_map(of_entity)
        .collect()
}

fn of_entity(entity: &EntityDecl) -> Vec<(Declared, Place)> {
    let thing = |kind, path: String, node: &Node, at| {
        let was = node.text_of("was").map(str::to_owned);
        (Declared { kind, path, was }, at)
    };
    let name = &entity.name;
    let at = entity.node.place_of("name");
    let mut found = vec![thing(Kind::Entity, name.clone(), &entity.node, at)];
    for field in entity.node.get("fields").map_or(&[][..], Node::table) {
        let path = format!("{name}.{}", field.key);
        found.push(thing(Kind::Field, path.clone(), &field.node, field.at));
        for (value, option) in option_values(&field.node) {
            let path = format!("{path}.{value}");
            if !found.iter().any(|(other, _)| other.path == path) {
                found.push(thing(Kind::Option, path, option, option.at));
            }
        }
    }
    for state in entity.node.get("states").map_or(&[][..], Node::table) {
        let path = format!("{name}.{}", state.key);
        found.push(thing(Kind::State, path, &state.node, state.at));
    }
    found
}

/// The options of a field with their codes.
pub(crate) fn option_values(field: &Node) -> Vec<(&str, &Node)> {
    let options = field.get("options").map_or(&[][..], Node::list);
    options
        .iter()
        .filter_map(|option| match &option.is {
            Is::Text(value) => Some((value.as_str(), option)),
            _ => Some((option.text_of("value")?, option)),
        })
        .collect()
}
