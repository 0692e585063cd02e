//! The files of all modules, read and sorted into what they declare.
//!
//! Here the form of every file is checked, and that names are there once; what names refer to is
//! resolved in [`super::resolve`].

use std::collections::{BTreeMap, HashMap, HashSet};

use super::diagnostic::{Mistakes, Place, did_you_mean};
use super::keys;
use super::shape::{self, Shape, Style};
use super::tree::{Node, read_json, read_toml};
use super::{ModuleSource, Options};
use crate::lock::{Lock, LockError};

/// Everything declared, not yet resolved.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    /// In dependency order.
    pub(crate) modules: Vec<ModuleDecl>,
    /// In the order of their modules, then of their files.
    pub(crate) entities: Vec<EntityDecl>,
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) roles: BTreeMap<String, RoleDecl>,
    pub(crate) views: Vec<ViewDecl>,
}

#[derive(Debug)]
pub(crate) struct ModuleDecl {
    pub(crate) name: String,
    pub(crate) node: Node,
    /// By language.
    pub(crate) words: BTreeMap<String, Node>,
    pub(crate) workflows: BTreeMap<String, Node>,
    /// `None` when there is one that cannot be read.
    pub(crate) lock: Option<Lock>,
    /// Modules it depends on, directly or through others, itself included.
    pub(crate) sees: HashSet<String>,
}

#[derive(Debug)]
pub(crate) struct EntityDecl {
    /// Place among the modules.
    pub(crate) module: usize,
    pub(crate) name: String,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) struct RoleDecl {
    pub(crate) module: usize,
    pub(crate) node: Node,
    pub(crate) at: Place,
}

#[derive(Debug)]
pub(crate) struct ViewDecl {
    pub(crate) module: usize,
    pub(crate) node: Node,
}

/// Collections that are addresses of their own.
pub(crate) const RESERVED_COLLECTIONS: &[&str] = &[
    "auth",
    "meta",
    "stream",
    "sync",
    "search",
    "openapi.json",
    "imports",
    "reporting",
];

/// More than any installation; places of entities must fit sixteen bits.
const MAX_ENTITIES: usize = 5_000;

/// Reads every file, in whatever order the modules come.
pub(crate) fn collect<'a>(
    sources: &'a [ModuleSource],
    options: &Options,
    mistakes: &mut Mistakes<'a>,
) -> Declarations {
    let mut found: Vec<Found> = Vec::new();
    for source in sources {
        let module = read_module(source, options, mistakes);
        match found
            .iter()
            .find(|other| other.module.name == module.module.name)
        {
            Some(other) => {
                let first = mistakes.name(other.module.node.at);
                let message = format!("module {} is there twice, see {first}", source.name);
                mistakes.error(module.module.node.at, "duplicate", message);
            }
            None => found.push(module),
        }
    }
    let found = in_dependency_order(found, mistakes);
    let mut all = Declarations::default();
    for (place, found) in found.into_iter().enumerate() {
        for node in found.entities {
            add_entity(place, node, &mut all, mistakes);
        }
        for (code, at, node) in found.roles {
            add_role(place, code, at, node, &mut all, mistakes);
        }
        let views = found.views.into_iter();
        all.views.extend(views.map(|node| ViewDecl {
            module: place,
            node,
        }));
        all.modules.push(found.module);
    }
    all
}

/// One module with what its files hold.
struct Found {
    module: ModuleDecl,
    entities: Vec<Node>,
    roles: Vec<(String, Place, Node)>,
    views: Vec<Node>,
}

fn read_module<'a>(
    source: &'a ModuleSource,
    options: &Options,
    mistakes: &mut Mistakes<'a>,
) -> Found {
    let mut files: Vec<(&str, &str)> = source
        .files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.sort_unstable();
    let mut node = None;
    let mut found = (Vec::new(), Vec::new(), Vec::new());
    let mut words = BTreeMap::new();
    let mut workflows = BTreeMap::new();
    let mut lock = Some(Lock::default());
    for (path, text) in files {
        let file = mistakes.open(source.path(path), text);
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        match (folder, name) {
            ("", "module.toml") => {
                node = Some(read(
                    file,
                    text,
                    Shape::Table(keys::MODULE),
                    "a module",
                    mistakes,
                ));
            }
            ("", "schema.lock") => lock = read_lock(file, text, mistakes),
            ("", "roles.toml") => {
                let roles = read(file, text, keys::ROLES, "roles.toml", mistakes);
                let each = roles.table().iter();
                found
                    .1
                    .extend(each.map(|e| (e.key.clone(), e.at, e.node.clone())));
            }
            ("entities", _) if path.ends_with(".toml") => {
                found.0.push(read(
                    file,
                    text,
                    Shape::Table(keys::ENTITY),
                    "an entity",
                    mistakes,
                ));
            }
            ("views", _) if path.ends_with(".toml") => {
                found.2.push(read(
                    file,
                    text,
                    Shape::Table(keys::VIEW),
                    "a view",
                    mistakes,
                ));
            }
            ("locales", _) if path.ends_with(".json") && options.words => {
                let language = name.trim_end_matches(".json");
                if !keys::LANGUAGES.contains(&language) {
                    let at = Place { file, offset: 0 };
                    let message = format!("“{language}” is not one of fr, en, es, pt");
                    mistakes.warn(at, "unknown_language", message);
                } else {
                    words.insert(language.to_owned(), read_json(text, file, mistakes));
                }
            }
            ("workflows", _) if path.ends_with(".json") => {
                let name = name.trim_end_matches(".json");
                workflows.insert(name.to_owned(), read_json(text, file, mistakes));
            }
            _ => warn_if_lost(file, path, mistakes),
        }
    }
    let node = node.unwrap_or_else(|| no_module_file(source, mistakes));
    check_module_name(source, &node, mistakes);
    Found {
        module: ModuleDecl {
            name: source.name.clone(),
            node,
            words,
            workflows,
            lock,
            sees: HashSet::new(),
        },
        entities: found.0,
        roles: found.1,
        views: found.2,
    }
}

fn read(file: usize, text: &str, shape: Shape, what: &str, mistakes: &mut Mistakes<'_>) -> Node {
    let node = read_toml(text, file, mistakes);
    shape::check(&node, shape, what, mistakes);
    node
}

fn read_lock(file: usize, text: &str, mistakes: &mut Mistakes<'_>) -> Option<Lock> {
    let node = read_toml(text, file, mistakes);
    let report = |error: LockError| {
        mistakes.error(node.pointed(&error.at).at, "lock", error.to_string());
    };
    Lock::parse(text).map_err(report).ok()
}

/// A declaration in a folder that nobody reads is more likely a slip than a wish.
fn warn_if_lost(file: usize, path: &str, mistakes: &mut Mistakes<'_>) {
    let folder = path.split('/').next().unwrap_or_default();
    let known = ["demo", "src", "workflows", "dashboards", "reports", "docs"];
    if path.ends_with(".toml") && path != "Cargo.toml" && !known.contains(&folder) {
        let hint = did_you_mean(folder, ["entities", "views"]);
        let message = "nothing reads this file".to_owned();
        mistakes.warn_hint(Place { file, offset: 0 }, "lost_file", message, hint);
    }
}

fn no_module_file(source: &ModuleSource, mistakes: &mut Mistakes<'_>) -> Node {
    let message = "module.toml is missing: name, version and depends of the module".to_owned();
    mistakes.missing_file(source.path("module.toml"), "missing_file", message);
    let nowhere = Place {
        file: usize::MAX,
        offset: 0,
    };
    Node {
        at: nowhere,
        is: super::tree::Is::Table(Vec::new()),
    }
}

fn check_module_name(source: &ModuleSource, node: &Node, mistakes: &mut Mistakes<'_>) {
    if let Some(name) = node.text_of("name")
        && name != source.name
    {
        let message = format!("module {name} stands in a folder called {}", source.name);
        mistakes.error(node.place_of("name"), "bad_name", message);
    }
    if let Some(version) = node.text_of("version")
        && !is_version(version)
    {
        let message = format!("“{version}” is not a version such as 1.4.0");
        mistakes.error(node.place_of("version"), "bad_version", message);
    }
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<_> = core.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

/// Sorts modules so that each comes after those it depends on; unknown and circular
/// dependencies are reported and then ignored.
fn in_dependency_order(mut rest: Vec<Found>, mistakes: &mut Mistakes<'_>) -> Vec<Found> {
    let names: Vec<String> = rest.iter().map(|found| found.module.name.clone()).collect();
    for found in &rest {
        for (depends, at) in found.module.node.texts("depends") {
            if !names.iter().any(|name| name == depends) {
                let message = format!("there is no module “{depends}”");
                let hint = did_you_mean(depends, names.iter().map(String::as_str));
                mistakes.error_hint(at, "unknown_module", message, hint);
            }
        }
    }
    let mut sorted: Vec<Found> = Vec::new();
    while !rest.is_empty() {
        let is_waiting = |found: &Found| {
            found
                .module
                .node
                .texts("depends")
                .iter()
                .any(|(name, _)| rest.iter().any(|other| other.module.name == *name))
        };
        let next = rest.iter().position(|found| !is_waiting(found));
        if next.is_none() {
            let names: Vec<_> = rest.iter().map(|f| f.module.name.as_str()).collect();
            let message = format!("modules depend on each other: {}", names.join(", "));
            let node = &rest[0].module.node;
            mistakes.error(node.place_of("depends"), "circular_modules", message);
        }
        let mut found = rest.remove(next.unwrap_or(0));
        let mut sees = HashSet::from([found.module.name.clone()]);
        for (name, _) in found.module.node.texts("depends") {
            let below = sorted.iter().find(|other| other.module.name == name);
            sees.extend(
                below
                    .into_iter()
                    .flat_map(|other| other.module.sees.clone()),
            );
        }
        found.module.sees = sees;
        sorted.push(found);
    }
    sorted
}

fn add_entity(module: usize, node: Node, all: &mut Declarations, mistakes: &mut Mistakes<'_>) {
    let Some(name) = node.text_of("name").map(str::to_owned) else {
        return;
    };
    let same = |key: &'static str| {
        let written = node.text_of(key)?;
        let taken = |other: &&EntityDecl| other.node.text_of(key) == Some(written);
        let other = all.entities.iter().find(taken)?;
        Some((key, written, other.node.place_of(key)))
    };
    let name_taken = same("name");
    for (key, written, other) in [name_taken, same("collection")].into_iter().flatten() {
        let other = mistakes.name(other);
        let message = format!("the {key} “{written}” is taken, see {other}");
        mistakes.error(node.place_of(key), "duplicate", message);
    }
    if let Some(collection) = node.text_of("collection")
        && RESERVED_COLLECTIONS.contains(&collection)
    {
        let message = format!("/api/v1/{collection} is an address of its own");
        mistakes.error(node.place_of("collection"), "reserved", message);
    }
    if all.entities.len() >= MAX_ENTITIES {
        let message = format!("there are more than {MAX_ENTITIES} entities");
        mistakes.error(node.place_of("name"), "too_many", message);
    } else if name_taken.is_none() && Style::Snake.accepts(&name) {
        all.by_name.insert(name.clone(), all.entities.len());
        all.entities.push(EntityDecl { module, name, node });
    }
}

fn add_role(
    module: usize,
    code: String,
    at: Place,
    node: Node,
    all: &mut Declarations,
    mistakes: &mut Mistakes<'_>,
) {
    match all.roles.get(&code) {
        Some(other) => {
            let other = mistakes.name(other.at);
            mistakes.error(
                at,
                "duplicate",
                format!("the role “{code}” is there, see {other}"),
            );
        }
        None => {
            all.roles.insert(code, RoleDecl { module, node, at });
        }
    }
}
