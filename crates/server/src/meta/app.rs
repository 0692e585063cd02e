//! `GET /meta/app`: the person, the menu, the entities in short.

use opsflux_identity::Profile;
use opsflux_model::Action;
use opsflux_model::schema::{EntityIx, MenuItem, Module};
use opsflux_records::{Error, Language, Records};
use serde_json::{Map, Value as Json, json};

use super::{Reader, entity};
use crate::config::Config;

pub fn document(
    config: &Config,
    reader: &Reader<'_>,
    profile: &Profile,
    settings: Map<String, Json>,
) -> Json {
    let companies = profile.companies.iter();
    let companies: Vec<Json> = companies
        .map(|(id, name)| json!({"id": id.to_string(), "name": name}))
        .collect();
    let mut modules: Vec<&Module> = reader.schema.modules.iter().collect();
    modules.sort_by_key(|module| module.order);
    let menu: Vec<Json> = modules
        .into_iter()
        .filter_map(|module| menu(reader, module))
        .collect();
    let seen = reader
        .schema
        .iter()
        .filter(|(ix, _)| entity::is_seen(reader, *ix));
    let entities: Vec<Json> = seen.map(|(ix, _)| summary(reader, ix)).collect();
    json!({
        "name": "OpsFlux",
        "version": env!("CARGO_PKG_VERSION"),
        "mode": config.mode.name(),
        "languages": Language::ALL.map(Language::code),
        "user": profile.to_json(),
        "companies": companies,
        "menu": menu,
        "entities": entities,
        "settings": settings,
    })
}

/// The module's part of the sidebar; none when nothing in it may be seen.
fn menu(reader: &Reader<'_>, module: &Module) -> Option<Json> {
    let items: Vec<Json> = module
        .menu
        .iter()
        .filter_map(|item| menu_item(reader, module, item))
        .collect();
    (!items.is_empty()).then(|| {
        json!({
            "module": module.name,
            "label": reader.word(&["modules", &module.name, "module"]),
            "icon": module.icon,
            "items": items,
        })
    })
}

fn menu_item(reader: &Reader<'_>, module: &Module, item: &MenuItem) -> Option<Json> {
    match item {
        MenuItem::Entity(name) => {
            let ix = reader
                .schema
                .find(name)
                .filter(|ix| entity::is_seen(reader, *ix))?;
            let entity = reader.schema.entity(ix);
            Some(json!({
                "entity": name,
                "collection": entity.collection,
                "label": reader.word(&["entities", name, "other"]),
                "icon": entity.icon,
            }))
        }
        MenuItem::Page(name) => {
            if let Some(of) = module.page_of.get(name) {
                reader
                    .schema
                    .find(of)
                    .filter(|ix| entity::is_seen(reader, *ix))?;
            }
            Some(json!({
                "page": name,
                "label": reader.word(&["pages", name]),
                "icon": module.page_icons.get(name).unwrap_or(&module.icon),
            }))
        }
    }
}

fn summary(reader: &Reader<'_>, ix: EntityIx) -> Json {
    let declared = reader.schema.entity(ix);
    let may = |action| entity::may(reader, ix, action);
    json!({
        "name": declared.name,
        "collection": declared.collection,
        "label": reader.word(&["entities", &declared.name, "one"]),
        "label_plural": reader.word(&["entities", &declared.name, "other"]),
        "icon": declared.icon,
        "title_field": declared.field(declared.title).name,
        "search": entity::is_searched(reader, ix),
        "can": {"view": may(Action::View), "create": may(Action::Create)},
    })
}

/// What the modules are set to in the caller's tenant.
pub async fn settings(records: &Records, reader: &Reader<'_>) -> Result<Map<String, Json>, Error> {
    let mut all = Map::new();
    for module in &reader.schema.modules {
        for name in module.settings.keys() {
            let key = format!("{}.{name}", module.name);
            let value = records.setting(reader.caller.tenant(), &key).await?;
            all.insert(key, value);
        }
    }
    Ok(all)
}
