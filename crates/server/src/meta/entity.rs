//! One entity as the interface draws it.

use opsflux_model::Action;
use opsflux_model::access::FieldRight;
use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, SortField, View};
use serde_json::{Value as Json, json};

use super::{Reader, field};

/// Whether the caller knows of the entity at all.
pub fn is_seen(reader: &Reader<'_>, ix: EntityIx) -> bool {
    reader.caller.access.may(ix, Action::View) || reader.caller.access.may(ix, Action::Create)
}

/// Whether the caller may do it to some record. What an engine writes nobody else does, whatever a
/// role says.
pub fn may(reader: &Reader<'_>, ix: EntityIx, action: Action) -> bool {
    let engine_only = reader.schema.entity(ix).kind == EntityKind::Log
        && !matches!(action, Action::View | Action::Export);
    !engine_only && reader.caller.access.may(ix, action)
}

/// Whether full text finds its records: some field the caller may read is searched.
pub fn is_searched(reader: &Reader<'_>, ix: EntityIx) -> bool {
    let entity = reader.schema.entity(ix);
    entity.iter().any(|(field, declared)| {
        declared.search.is_some() && reader.caller.access.may_refer(ix, field)
    })
}

/// The whole document of one entity.
pub fn document(reader: &Reader<'_>, ix: EntityIx) -> Json {
    let entity = reader.schema.entity(ix);
    let name = entity.name.as_str();
    let view = EntityReader {
        reader: *reader,
        ix,
        entity,
    };
    let fields: Vec<Json> = entity
        .iter()
        .filter(|(f, _)| view.sees(*f))
        .map(|(f, _)| field::document(reader, ix, f))
        .collect();
    let state_field = entity.state_field().filter(|f| view.sees(*f));
    json!({
        "name": name,
        "collection": entity.collection,
        "module": entity.module,
        "kind": match entity.kind { EntityKind::Record => "record", EntityKind::Log => "log" },
        "icon": entity.icon,
        "label": reader.word(&["entities", name, "one"]),
        "label_plural": reader.word(&["entities", name, "other"]),
        "title_field": entity.field(entity.title).name,
        "number": entity.number.is_some(),
        "state_field": state_field.map(|f| &entity.field(f).name),
        "comments": entity.comments,
        "sharing": entity.sharing,
        "internal_comments": entity.comments && view.writes_internal_comments(),
        "files": entity.files,
        "search": is_searched(reader, ix),
        "can": view.can(),
        "fields": fields,
        "states": if state_field.is_some() { view.states() } else { Vec::new() },
        "related": view.related(),
        "list": {"columns": view.names(&entity.list.columns), "sort": view.sort(&entity.list.sort)},
        "form": view.form(),
        "views": view.views(),
    })
}

#[derive(Clone, Copy)]
struct EntityReader<'a> {
    reader: Reader<'a>,
    ix: EntityIx,
    entity: &'a Entity,
}

impl EntityReader<'_> {
    fn sees(&self, field: FieldIx) -> bool {
        self.reader.caller.access.field(self.ix, field) > FieldRight::Hidden
    }

    fn may(&self, action: Action) -> bool {
        may(&self.reader, self.ix, action)
    }

    fn can(&self) -> Json {
        json!({
            "view": self.may(Action::View), "create": self.may(Action::Create),
            "edit": self.may(Action::Edit), "delete": self.may(Action::Delete),
            "manage": self.may(Action::Manage), "export": self.may(Action::Export),
        })
    }

    fn label(&self, path: &[&str]) -> String {
        let whole: Vec<&str> = ["entities", self.entity.name.as_str()]
            .into_iter()
            .chain(path.iter().copied())
            .collect();
        self.reader.word(&whole)
    }

    /// A comment is internal when the caller may say so.
    fn writes_internal_comments(&self) -> bool {
        let Some(comment) = self.reader.schema.find("comment") else {
            return false;
        };
        let internal = self.reader.schema.entity(comment).find("internal");
        internal.is_some_and(|field| {
            self.reader.caller.access.field(comment, field) == FieldRight::Write
        })
    }

    fn names(&self, fields: &[FieldIx]) -> Vec<&str> {
        let seen = fields.iter().filter(|field| self.sees(**field));
        seen.map(|field| self.entity.field(*field).name.as_str())
            .collect()
    }

    fn sort(&self, sort: &[SortField]) -> Vec<String> {
        if sort.is_empty() {
            return vec!["-created_at".to_owned()];
        }
        let seen = sort
            .iter()
            .filter(|key| self.reader.caller.access.may_refer(self.ix, key.field));
        seen.map(|key| {
            let sign = if key.descending { "-" } else { "" };
            format!("{sign}{}", self.entity.field(key.field).name)
        })
        .collect()
    }

    fn states(&self) -> Vec<Json> {
        let moves = |to: &[String]| -> Vec<Json> {
            let targets = to
                .iter()
                .filter_map(|name| self.entity.states.iter().find(|s| s.name == *name));
            targets
                .map(|state| {
                    json!({
                        "state": state.name,
                        "label": self.label(&["states", &state.name]),
                        "requires": self.names(&state.requires),
                    })
                })
                .collect()
        };
        let states = self.entity.states.iter();
        states
            .map(|state| {
                json!({
                    "value": state.name,
                    "label": self.label(&["states", &state.name]),
                    "category": state.category,
                    "color": state.color,
                    "to": moves(&state.to),
                })
            })
            .collect()
    }

    /// The other ends of links, where the other side may be viewed and the link be known.
    fn related(&self) -> Vec<Json> {
        let access = &self.reader.caller.access;
        let seen = self.entity.related.iter().filter(|related| {
            access.may(related.entity, Action::View)
                && access.may_refer(related.entity, related.via)
        });
        seen.map(|related| {
            let other = self.reader.schema.entity(related.entity);
            json!({
                "name": related.name,
                "label": self.label(&["related", &related.name]),
                "entity": other.name,
                "collection": other.collection,
                "via": other.field(related.via).name,
                "many_to_many": related.many_to_many,
            })
        })
        .collect()
    }

    fn form(&self) -> Json {
        let form = &self.entity.form;
        let section = |name: &str, fields: &[FieldIx]| {
            let fields = self.names(fields);
            let label = self.label(&["sections", name]);
            (!fields.is_empty()).then(|| json!({"name": name, "label": label, "fields": fields}))
        };
        let mut sections: Vec<Json> = form
            .sections
            .iter()
            .filter_map(|(name, fields)| section(name, fields))
            .collect();
        if form.sections.is_empty() {
            let declared: Vec<FieldIx> = self
                .entity
                .iter()
                .filter(|(_, field)| !field.system)
                .map(|(ix, _)| ix)
                .collect();
            sections.extend(section("main", &declared));
        }
        json!({"sections": sections, "quick": self.names(&form.quick)})
    }

    fn views(&self) -> Vec<Json> {
        let modules = self.reader.schema.modules.iter();
        let views = modules.flat_map(|module| &module.views);
        views
            .filter(|view| view.entity == self.entity.name)
            .map(|view| self.view(view))
            .collect()
    }

    fn view(&self, view: &View) -> Json {
        let known = |name: &str| self.entity.find(name).is_some_and(|field| self.sees(field));
        let columns: Vec<&String> = view.columns.iter().filter(|name| known(name)).collect();
        let sort: Vec<&String> = view
            .sort
            .iter()
            .filter(|key| known(key.trim_start_matches('-')))
            .collect();
        json!({
            "name": view.name,
            "label": self.label(&["views", &view.name]),
            "columns": columns,
            "sort": sort,
            "filter": view.filter.to_json(),
        })
    }
}
