//! Whether every word a person reads is there in every language.
//!
//! What must be said follows from the declarations; what may be said besides (help, errors) must
//! be said in all languages once it is said in one.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::{Declarations, ModuleDecl};
use super::diagnostic::{Mistakes, did_you_mean};
use super::ids::option_values;
use super::keys::LANGUAGES;
use super::tree::{Is, Node};
use crate::schema::{Entity, FieldType, Schema, system};

/// Suffixes that i18next appends to keys with a count.
const PLURALS: [&str; 6] = ["_zero", "_one", "_two", "_few", "_many", "_other"];
/// The plural forms every language of ours needs; the others are welcome.
const NEEDED_PLURALS: [&str; 2] = ["_one", "_other"];

/// What a catalogue should hold.
#[derive(Debug, Default)]
struct Wanted {
    needed: bool,
    below: BTreeMap<String, Wanted>,
}

impl Wanted {
    fn at(&mut self, path: &[&str]) -> &mut Wanted {
        path.iter().fold(self, |wanted, step| {
            wanted.below.entry((*step).to_owned()).or_default()
        })
    }

    /// A label that must be there.
    fn need(&mut self, path: &[&str]) {
        self.at(path).needed = true;
    }

    /// A label that may be there.
    fn allow(&mut self, path: &[&str]) {
        self.at(path);
    }

    fn needed_labels(&self) -> usize {
        let below: usize = self.below.values().map(Wanted::needed_labels).sum();
        below + usize::from(self.needed)
    }
}

/// Compares the catalogues of every module with what it declares.
pub(crate) fn check(all: &Declarations, schema: &Schema, mistakes: &mut Mistakes<'_>) {
    for (place, module) in all.modules.iter().enumerate() {
        let wanted = wanted(all, schema, place, module);
        for language in LANGUAGES {
            match module.words.get(*language) {
                Some(catalogue) => compare(catalogue, &wanted, "", mistakes),
                None => {
                    let path = format!("modules/{}/locales/{language}.json", module.name);
                    let count = wanted.needed_labels();
                    let message = format!("the file is missing, with {count} labels");
                    mistakes.missing_file(path, "missing_translation", message);
                }
            }
        }
        placeholders(module, mistakes);
    }
}

fn wanted(all: &Declarations, schema: &Schema, place: usize, module: &ModuleDecl) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.need(&["module"]);
    if all
        .by_name
        .get("user")
        .is_some_and(|user| all.entities[*user].module == place)
    {
        for name in SYSTEM_LABELS {
            wanted.need(&["system", name]);
        }
    }
    for (entity, declared) in schema.entities.iter().zip(&all.entities) {
        if declared.module == place {
            entity_words(entity, &declared.node, &mut wanted);
        }
        // The other end of a link is named by the module that declares the link.
        for related in &entity.related {
            if all.entities[usize::from(related.entity.0)].module == place {
                wanted.need(&["entities", &entity.name, "related", &related.name]);
            }
        }
    }
    for view in all.views.iter().filter(|view| view.module == place) {
        if let (Some(entity), Some(name)) = (view.node.text_of("entity"), view.node.text_of("name"))
        {
            wanted.need(&["entities", entity, "views", name]);
        }
    }
    for (code, _) in all.roles.iter().filter(|(_, role)| role.module == place) {
        wanted.need(&["roles", code]);
    }
    module_words(module, &mut wanted);
    free_words(module, &mut wanted);
    wanted
}

/// The fields every record has, named once by the module that declares people.
const SYSTEM_LABELS: [&str; 8] = [
    system::ID,
    system::VERSION,
    system::NUMBER,
    system::CREATED_AT,
    system::UPDATED_AT,
    system::CREATED_BY,
    system::UPDATED_BY,
    system::COMPANY,
];

fn entity_words(entity: &Entity, node: &Node, wanted: &mut Wanted) {
    let wanted = wanted.at(&["entities", &entity.name]);
    wanted.need(&["one"]);
    wanted.need(&["other"]);
    for field in &entity.fields {
        wanted.allow(&["help", &field.name]);
        if field.system {
            // An entity may call its number or its company by a better name.
            wanted.allow(&["fields", &field.name]);
            continue;
        }
        wanted.need(&["fields", &field.name]);
        if let FieldType::Choice { options } | FieldType::Choices { options } = &field.kind {
            for option in options {
                wanted.need(&["options", &field.name, &option.value]);
            }
        }
    }
    for state in &entity.states {
        wanted.need(&["states", &state.name]);
    }
    let sections = node.get("form").and_then(|form| form.get("sections"));
    for section in sections.map_or(&[][..], Node::list) {
        if let Some(name) = section.text_of("name") {
            wanted.need(&["sections", name]);
        }
    }
}

fn module_words(module: &ModuleDecl, wanted: &mut Wanted) {
    for item in module.node.get("menu").map_or(&[][..], Node::list) {
        if let Some(page) = item.text_of("page") {
            wanted.need(&["pages", page]);
        }
    }
    for setting in module.node.get("settings").map_or(&[][..], Node::table) {
        wanted.need(&["settings", &setting.key]);
        wanted.allow(&["setting_help", &setting.key]);
        for (value, _) in option_values(&setting.node) {
            wanted.need(&["setting_options", &setting.key, value]);
        }
    }
}

/// What one language says freely, all must say.
fn free_words(module: &ModuleDecl, wanted: &mut Wanted) {
    for catalogue in module.words.values() {
        for entity in catalogue.get("entities").map_or(&[][..], Node::table) {
            for help in entity.node.get("help").map_or(&[][..], Node::table) {
                need_if_known(wanted, &["entities", &entity.key, "help"], &help.key);
            }
        }
        for help in catalogue.get("setting_help").map_or(&[][..], Node::table) {
            need_if_known(wanted, &["setting_help"], &help.key);
        }
        for error in catalogue.get("errors").map_or(&[][..], Node::table) {
            match plural_stem(&error.key) {
                None => wanted.need(&["errors", &error.key]),
                Some(stem) => {
                    for suffix in PLURALS {
                        wanted.allow(&["errors", &format!("{stem}{suffix}")]);
                    }
                    for suffix in NEEDED_PLURALS {
                        wanted.need(&["errors", &format!("{stem}{suffix}")]);
                    }
                }
            }
        }
    }
}

fn need_if_known(wanted: &mut Wanted, group: &[&str], key: &str) {
    let mut known = Some(wanted);
    for step in group {
        known = known.and_then(|wanted| wanted.below.get_mut(*step));
    }
    if let Some(label) = known.and_then(|wanted| wanted.below.get_mut(key)) {
        label.needed = true;
    }
}

fn plural_stem(key: &str) -> Option<&str> {
    PLURALS.iter().find_map(|suffix| key.strip_suffix(suffix))
}

fn compare(node: &Node, wanted: &Wanted, path: &str, mistakes: &mut Mistakes<'_>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    let mut seen = BTreeSet::new();
    for entry in node.table() {
        let path = below(&entry.key);
        if !seen.insert(entry.key.as_str()) {
            mistakes.error(entry.at, "duplicate", format!("{path} is there twice"));
        }
        match wanted.below.get(&entry.key) {
            None => {
                let hint = did_you_mean(&entry.key, wanted.below.keys().map(String::as_str));
                let message = format!("nothing is called {path}");
                mistakes.warn_hint(entry.at, "unknown_label", message, hint);
            }
            Some(wanted) if !wanted.below.is_empty() => match &entry.node.is {
                Is::Table(_) => compare(&entry.node, wanted, &path, mistakes),
                _ => mistakes.error(entry.at, "wrong_type", format!("{path} must be an object")),
            },
            Some(_) => match entry.node.text() {
                Some(text) if text.trim().is_empty() => {
                    mistakes.error(entry.at, "missing_translation", format!("{path} is empty"));
                }
                Some(_) => {}
                None => mistakes.error(entry.at, "wrong_type", format!("{path} must be a text")),
            },
        }
    }
    for (key, wanted) in &wanted.below {
        if seen.contains(key.as_str()) {
            continue;
        }
        let path = below(key);
        let message = match wanted.needed_labels() {
            0 => continue,
            1 => format!("{path} is missing"),
            count => format!("{path} is missing, with {count} labels"),
        };
        mistakes.error(node.at, "missing_translation", message);
    }
}

/// `{{count}}` in one language and `{{number}}` in another shows braces to somebody.
fn placeholders(module: &ModuleDecl, mistakes: &mut Mistakes<'_>) {
    let mut first: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for language in LANGUAGES {
        let errors = module
            .words
            .get(*language)
            .and_then(|words| words.get("errors"));
        for entry in errors.map_or(&[][..], Node::table) {
            let Some(text) = entry.node.text() else {
                continue;
            };
            let found = names_in_braces(text);
            let (other, expected) = first
                .entry(&entry.key)
                .or_insert_with(|| (language, found.clone()));
            if *expected != found {
                let message = format!("errors.{} has other {{{{…}}}} than in {other}", entry.key);
                mistakes.error(entry.at, "placeholder", message);
            }
        }
    }
}

fn names_in_braces(text: &str) -> BTreeSet<&str> {
    let parts = text.split("{{").skip(1);
    parts
        .filter_map(|part| part.split_once("}}"))
        .map(|(name, _)| name.trim())
        .collect()
}
