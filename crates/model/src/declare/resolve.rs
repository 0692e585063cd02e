//! What the names of declarations refer to.
//!
//! In steps, so that a mistake in one place does not hide those in others: first every entity with
//! the names of its fields, then the types, the inverse sides and the roll-ups, then what is said
//! about fields. A field whose type is wrong keeps its name, so that nothing else about it is
//! reported.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::collect::Declarations;
use super::diagnostic::{Mistakes, Place, did_you_mean};
use super::ids::Ids;
use super::tree::Node;
use super::{conditions, derived, modules, number, rights};
use crate::condition::Condition;
use crate::layout;
use crate::lock::Kind;
use crate::schema::{
    DefaultValue, Entity, EntityIx, EntityKind, Field, FieldIx, FieldType, FormSpec, LinkSpec,
    ListSpec, NumberTemplate, OnDelete, Schema, ScopeSpec, SearchWeight, system,
};

/// Names that a record on the wire has besides its fields.
const WIRE_NAMES: &[&str] = &["labels", "can", "expanded", "highlights", "base_version"];
/// Names of parameters; a field called so is filtered as `name[eq]=`.
const PARAMETERS: &[&str] = &[
    "filter", "sort", "limit", "cursor", "fields", "expand", "total", "q", "deleted",
];
/// A field may need three columns, and a table of SQLite has at most 2 000.
const MAX_FIELDS: usize = 500;

/// Everything known while names are resolved.
pub(crate) struct Resolver<'r, 'a> {
    pub(crate) all: &'r Declarations,
    pub(crate) mistakes: &'r mut Mistakes<'a>,
    pub(crate) ids: Ids,
    /// By the place of their declarations.
    pub(crate) entities: Vec<Entity>,
    /// Fields whose type could not be resolved.
    broken: HashSet<(usize, String)>,
}

/// Resolves everything. The schema is to be used only when no error was reported.
pub(crate) fn resolve(all: &Declarations, ids: Ids, mistakes: &mut Mistakes<'_>) -> Schema {
    let mut resolver = Resolver {
        all,
        mistakes,
        ids,
        entities: Vec::new(),
        broken: HashSet::new(),
    };
    for place in 0..all.entities.len() {
        let entity = resolver.outline(place);
        resolver.entities.push(entity);
    }
    for place in 0..all.entities.len() {
        resolver.field_types(place);
    }
    resolver.inverses();
    for place in 0..all.entities.len() {
        resolver.rollups(place);
        resolver.states(place);
        resolver.defaults(place);
    }
    for place in 0..all.entities.len() {
        resolver.parts(place);
        resolver.columns_clash(place);
    }
    rights::owner_rings(&mut resolver);
    let roles = rights::roles(&mut resolver);
    rights::permissions(&mut resolver, &roles);
    let modules = modules::modules(&mut resolver);
    let Resolver {
        entities, broken, ..
    } = resolver;
    let mut schema = Schema::new(entities, modules, roles);
    derived::derive(all, &mut schema, &broken, mistakes);
    conditions::check(all, &schema, &broken, mistakes);
    schema
}

impl Resolver<'_, '_> {
    /// The declaration of an entity.
    pub(crate) fn node(&self, entity: usize) -> &'_ Node {
        &self.all.entities[entity].node
    }

    /// The entity called `name`, reported when there is none or `module` may not use it.
    pub(crate) fn entity_ref(&mut self, module: usize, name: &str, at: Place) -> Option<EntityIx> {
        let Some(place) = self.all.by_name.get(name) else {
            let message = format!("there is no entity “{name}”");
            let hint = did_you_mean(name, self.all.by_name.keys().map(String::as_str));
            self.mistakes
                .error_hint(at, "unknown_entity", message, hint);
            return None;
        };
        let owner = &self.all.modules[self.all.entities[*place].module].name;
        let user = &self.all.modules[module];
        if !user.sees.contains(owner) {
            let message = format!(
                "{name} belongs to module {owner}, on which {} does not depend",
                user.name
            );
            let hint = Some(format!("add \"{owner}\" to depends in module.toml"));
            self.mistakes
                .error_hint(at, "not_depended_on", message, hint);
        }
        Some(index(*place))
    }

    /// The field of an entity, reported when there is none.
    pub(crate) fn field_ref(&mut self, entity: usize, name: &str, at: Place) -> Option<FieldIx> {
        let declared = &self.entities[entity];
        let found = declared.find(name);
        if found.is_none() {
            let message = format!("{} has no field “{name}”", declared.name);
            let hint = did_you_mean(name, declared.fields.iter().map(|f| f.name.as_str()));
            self.mistakes.error_hint(at, "unknown_field", message, hint);
        }
        found
    }

    /// Whether the type of a field could not be resolved, so that nothing follows from it.
    pub(crate) fn is_broken(&self, entity: usize, field: FieldIx) -> bool {
        let name = self.entities[entity].field(field).name.clone();
        self.broken.contains(&(entity, name))
    }

    pub(crate) fn break_field(&mut self, entity: usize, name: &str) {
        self.broken.insert((entity, name.to_owned()));
    }

    /// An entity with its fields, whose types are not known yet.
    fn outline(&mut self, place: usize) -> Entity {
        let declared = &self.all.entities[place];
        let node = &declared.node;
        let module = &self.all.modules[declared.module];
        let kind = match node.text_of("kind") {
            Some("log") => EntityKind::Log,
            _ => EntityKind::Record,
        };
        let number = node.get("number").and_then(|node| {
            let parsed = number::parse(node.text()?);
            parsed
                .map_err(|why| self.mistakes.error(node.at, "bad_number", why))
                .ok()
        });
        let gapless = node.is_true("gapless");
        if gapless && node.get("number").is_none() {
            let at = node.place_of("gapless");
            let message = "gapless is said of numbers, and there are none";
            self.mistakes.error(at, "bad_number", message);
        }
        let number = number.map(|template| NumberTemplate {
            gapless,
            ..template
        });
        let mut fields = self.system_fields(kind, number.is_some());
        let fields_node = node.get("fields");
        for entry in fields_node.map_or(&[][..], Node::table) {
            self.check_field_name(&entry.key, entry.at);
            if fields.len() >= MAX_FIELDS {
                let message = format!("{} has more than {MAX_FIELDS} fields", declared.name);
                self.mistakes.error(entry.at, "too_many", message);
                break;
            }
            if !fields.iter().any(|field| field.name == entry.key) {
                fields.push(self.named_field(&declared.name, &entry.key, &entry.node));
            }
        }
        let mut entity = Entity {
            name: declared.name.clone(),
            collection: node.text_of("collection").unwrap_or_default().to_owned(),
            module: module.name.clone(),
            id: self.ids.of(Kind::Entity, &declared.name),
            kind,
            icon: node
                .text_of("icon")
                .or_else(|| module.node.text_of("icon"))
                .unwrap_or("circle")
                .to_owned(),
            title: FieldIx(0),
            number,
            comments: node.is_true("comments"),
            files: node.is_true("files"),
            sharing: node.is_true("sharing"),
            audit_reads: node.is_true("audit_reads"),
            fields,
            unique: Vec::new(),
            indexes: Vec::new(),
            list: ListSpec::default(),
            form: FormSpec::default(),
            scope: ScopeSpec::default(),
            states: Vec::new(),
            permissions: BTreeMap::new(),
            related: Vec::new(),
            computed: Vec::new(),
            field_names: HashMap::new(),
        };
        entity.index_names();
        entity
    }

    fn check_field_name(&mut self, name: &str, at: Place) {
        let is_system = SYSTEM_NAMES.contains(&name);
        if is_system || WIRE_NAMES.contains(&name) {
            let message = if is_system {
                format!("every record has {name} without declaring it")
            } else {
                format!("{name} has a meaning of its own on every record")
            };
            self.mistakes.error(at, "reserved", message);
        } else if PARAMETERS.contains(&name) {
            let message =
                format!("{name} is also a parameter of lists: it is filtered as {name}[eq]=");
            self.mistakes.warn(at, "parameter_name", message);
        }
    }

    fn named_field(&self, entity: &str, name: &str, node: &Node) -> Field {
        let search = match node.text_of("search") {
            Some("high") => Some(SearchWeight::High),
            Some("normal") => Some(SearchWeight::Normal),
            Some("low") => Some(SearchWeight::Low),
            _ => None,
        };
        Field {
            name: name.to_owned(),
            id: self.ids.of(Kind::Field, &format!("{entity}.{name}")),
            // Until the types are resolved.
            kind: FieldType::Json,
            required: node.is_true("required"),
            default: DefaultValue::None,
            unique: node.is_true("unique"),
            index: node.is_true("index"),
            search,
            readonly: node.is_true("readonly"),
            system: false,
        }
    }

    fn system_fields(&self, kind: EntityKind, numbered: bool) -> Vec<Field> {
        let mut fields = vec![system_field(system::ID, FieldType::Id)];
        if kind == EntityKind::Log {
            fields.push(system_field(system::CREATED_AT, FieldType::DateTime));
            return fields;
        }
        let version = FieldType::Integer {
            min: Some(1),
            max: None,
        };
        fields.push(system_field(system::VERSION, version));
        if numbered {
            let text = FieldType::Text {
                min: 0,
                max: 60,
                pattern: None,
            };
            fields.push(Field {
                unique: true,
                search: Some(SearchWeight::High),
                ..system_field(system::NUMBER, text)
            });
        }
        fields.push(system_field(system::CREATED_AT, FieldType::DateTime));
        fields.push(system_field(system::UPDATED_AT, FieldType::DateTime));
        let link = |name, to: &str| {
            let to = index(*self.all.by_name.get(to)?);
            let spec = LinkSpec {
                to,
                condition: Condition::default(),
                on_delete: OnDelete::Clear,
                inverse: None,
                acyclic: false,
                nested: false,
            };
            Some(system_field(name, FieldType::Link(spec)))
        };
        fields.extend(link(system::CREATED_BY, "user"));
        fields.extend(link(system::UPDATED_BY, "user"));
        fields.extend(link(system::COMPANY, "company").map(|field| Field {
            readonly: false,
            index: true,
            ..field
        }));
        fields
    }

    /// Two fields must not need the same column: `title` brings `title_key`.
    fn columns_clash(&mut self, place: usize) {
        let entity = &self.entities[place];
        let mut columns: HashMap<String, &str> = HashMap::new();
        let mut clashes = Vec::new();
        for field in &entity.fields {
            for (column, _) in layout::columns_of(field) {
                if let Some(other) = columns.insert(column.clone(), &field.name) {
                    let (named_so, owner) = if column == field.name {
                        (&field.name, other)
                    } else {
                        (&other.to_owned(), field.name.as_str())
                    };
                    let message = format!("{named_so} is the name of a column of {owner}");
                    clashes.push((named_so.clone(), message));
                }
            }
        }
        for (field, message) in clashes {
            let node = self.node(place);
            let at = node
                .get("fields")
                .and_then(|n| n.entry(&field))
                .map_or(node.at, |e| e.at);
            self.mistakes.error(at, "column_taken", message);
        }
    }
}

const SYSTEM_NAMES: &[&str] = &[
    system::ID,
    system::VERSION,
    system::NUMBER,
    system::CREATED_AT,
    system::UPDATED_AT,
    system::CREATED_BY,
    system::UPDATED_BY,
    system::COMPANY,
    system::DELETED_AT,
    system::DELETION_ID,
    "tenant_id",
];

fn system_field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        id: name.to_owned(),
        kind,
        required: false,
        default: DefaultValue::None,
        unique: false,
        index: false,
        search: None,
        readonly: true,
        system: true,
    }
}

pub(crate) fn index(place: usize) -> EntityIx {
    EntityIx(u16::try_from(place).unwrap_or(u16::MAX))
}
