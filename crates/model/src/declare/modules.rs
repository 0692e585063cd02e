//! Modules themselves: menu, settings, views.

use std::collections::{BTreeMap, HashMap};

use super::collect::ViewDecl;
use super::diagnostic::Place;
use super::fields::Site;
use super::resolve::Resolver;
use super::tree::{Entry, Node};
use crate::schema::{Entity, FieldIx, MenuItem, Module, Setting, SortField, View};
use crate::value::Value;

/// Resolves what modules say beside entities and roles.
pub(crate) fn modules(resolver: &mut Resolver<'_, '_>) -> Vec<Module> {
    let all = resolver.all;
    let mut modules: Vec<Module> = Vec::new();
    for (place, declared) in all.modules.iter().enumerate() {
        let node = &declared.node;
        let words = declared.words.iter();
        modules.push(Module {
            name: declared.name.clone(),
            version: node.text_of("version").unwrap_or_default().to_owned(),
            depends: node
                .texts("depends")
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            icon: node.text_of("icon").unwrap_or("box").to_owned(),
            order: node.integer_of("order").unwrap_or_default(),
            menu: resolver.menu(place, node),
            page_icons: of_pages(node, "icon"),
            page_of: of_pages(node, "of"),
            settings: resolver.settings(place, node),
            views: Vec::new(),
            words: words
                .map(|(language, node)| (language.clone(), node.to_json()))
                .collect(),
            workflows: declared
                .workflows
                .iter()
                .map(|(name, node)| (name.clone(), node.to_json()))
                .collect(),
        });
    }
    let mut names: HashMap<(String, String), Place> = HashMap::new();
    for declared in &all.views {
        if let Some(view) = resolver.view(declared) {
            let at = declared.node.place_of("name");
            let key = (view.entity.clone(), view.name.clone());
            if let Some(other) = names.insert(key, at) {
                let other = resolver.mistakes.name(other);
                let message = format!("{} has a view “{}”, see {other}", view.entity, view.name);
                resolver.mistakes.error(at, "duplicate", message);
            }
            modules[declared.module].views.push(view);
        }
    }
    modules
}

impl Resolver<'_, '_> {
    fn menu(&mut self, module: usize, node: &Node) -> Vec<MenuItem> {
        let mut menu = Vec::new();
        for item in node.get("menu").map_or(&[][..], Node::list) {
            match (item.get("entity"), item.get("page")) {
                (Some(entity), None) => {
                    let name = entity.text().unwrap_or_default();
                    if self.entity_ref(module, name, entity.at).is_some() {
                        menu.push(MenuItem::Entity(name.to_owned()));
                    }
                    if let Some(icon) = item.entry("icon") {
                        let message = "the icon of an entity is declared with the entity";
                        self.mistakes.error(icon.at, "unknown_key", message);
                    }
                    if let Some(of) = item.entry("of") {
                        let message = "a list is for those who see its entity";
                        self.mistakes.error(of.at, "unknown_key", message);
                    }
                }
                (None, Some(page)) => {
                    if let Some(of) = item.get("of") {
                        self.entity_ref(module, of.text().unwrap_or_default(), of.at);
                    }
                    menu.push(MenuItem::Page(page.text().unwrap_or_default().to_owned()));
                }
                _ => {
                    let message = "an entry of the menu has either entity or page";
                    self.mistakes.error(item.at, "bad_menu", message);
                }
            }
        }
        menu
    }

    fn settings(&mut self, module: usize, node: &Node) -> BTreeMap<String, Setting> {
        let mut settings = BTreeMap::new();
        for Entry { key, node, .. } in node.get("settings").map_or(&[][..], Node::table) {
            let site = Site {
                module,
                path: key,
                entity: None,
            };
            let (Some(kind), Some(default)) = (self.field_type(site, node), node.get("default"))
            else {
                continue;
            };
            let default: Value = self.constant(&kind, default);
            settings.insert(key.clone(), Setting { kind, default });
        }
        settings
    }

    fn view(&mut self, declared: &ViewDecl) -> Option<View> {
        let node = &declared.node;
        let (name, entity) = (node.text_of("name")?, node.get("entity")?);
        let ix = self.entity_ref(declared.module, entity.text()?, entity.at)?;
        let place = usize::from(ix.0);
        let columns = self.columns(place, node.get("columns"));
        let sort = self.sort(place, node.get("sort"));
        let filter = self.condition(node.get("filter"));
        let entity = &self.entities[place];
        let columns = if columns.is_empty() {
            &entity.list.columns
        } else {
            &columns
        };
        let sort = if sort.is_empty() {
            &entity.list.sort
        } else {
            &sort
        };
        Some(View {
            name: name.to_owned(),
            entity: entity.name.clone(),
            columns: columns.iter().map(|ix| field_name(entity, *ix)).collect(),
            sort: sort.iter().map(|sort| sort_name(entity, *sort)).collect(),
            filter,
        })
    }
}

/// What the pages of the menu say under a key, by page.
fn of_pages(node: &Node, key: &str) -> BTreeMap<String, String> {
    let items = node.get("menu").map_or(&[][..], Node::list).iter();
    let said = items.filter_map(|item| Some((item.text_of("page")?, item.text_of(key)?)));
    said.map(|(page, said)| (page.to_owned(), said.to_owned()))
        .collect()
}

fn field_name(entity: &Entity, ix: FieldIx) -> String {
    entity.field(ix).name.clone()
}

fn sort_name(entity: &Entity, sort: SortField) -> String {
    let sign = if sort.descending { "-" } else { "" };
    format!("{sign}{}", entity.field(sort.field).name)
}
