//! The schema: every entity of every module, resolved.
//!
//! A [`Schema`] is immutable and shared (`Arc<Schema>`). Names have been resolved to small
//! indexes ([`EntityIx`], [`FieldIx`]) which are valid for this schema only; what outlives it
//! (tables, audit, feed) uses names and the immutable ids of `schema.lock`.
//!
//! Schemas are made by `declare` from TOML, or by tests with `Schema::from_declarations`.

mod derived;
mod field;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use derived::{Computed, Rollup};
pub use field::{
    ChoiceOption, DefaultValue, Field, FieldType, LinkSpec, OnDelete, Pattern, RollupOp,
    SearchWeight,
};

use crate::access::{Action, Scope};
use crate::condition::Condition;
use crate::value::Value;

/// Place of an entity in [`Schema::entities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityIx(pub u16);

/// Place of a field in [`Entity::fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldIx(pub u16);

/// Every entity and module of an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    /// In the order of their modules, then of their files.
    pub entities: Vec<Entity>,
    /// In dependency order.
    pub modules: Vec<Module>,
    /// Roles by code.
    pub roles: BTreeMap<String, RoleSpec>,
    /// How the roll-ups of all entities are made, in declared order.
    pub rollups: Vec<Rollup>,
    by_name: HashMap<String, EntityIx>,
    by_collection: HashMap<String, EntityIx>,
}

impl Schema {
    /// Indexes resolved entities. The caller (`declare`) guarantees unique names and collections
    /// and that every [`EntityIx`] and [`FieldIx`] inside points into `entities`.
    #[must_use]
    pub fn new(
        entities: Vec<Entity>,
        modules: Vec<Module>,
        roles: BTreeMap<String, RoleSpec>,
    ) -> Self {
        let ix = |place: usize| EntityIx(u16::try_from(place).unwrap_or(u16::MAX));
        let by_name = entities
            .iter()
            .enumerate()
            .map(|(i, e)| (e.name.clone(), ix(i)))
            .collect();
        let by_collection = entities
            .iter()
            .enumerate()
            .map(|(i, e)| (e.collection.clone(), ix(i)))
            .collect();
        Schema {
            entities,
            modules,
            roles,
            rollups: Vec::new(),
            by_name,
            by_collection,
        }
    }

    /// The entity at `ix`.
    #[must_use]
    pub fn entity(&self, ix: EntityIx) -> &Entity {
        &self.entities[usize::from(ix.0)]
    }

    /// The entity called `name` (singular).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<EntityIx> {
        self.by_name.get(name).copied()
    }

    /// The entity served at `/api/v1/{collection}`.
    #[must_use]
    pub fn find_collection(&self, collection: &str) -> Option<EntityIx> {
        self.by_collection.get(collection).copied()
    }

    /// The roll-ups that combine records of `rows`.
    pub fn rollups_of(&self, rows: EntityIx) -> impl Iterator<Item = &Rollup> {
        self.rollups
            .iter()
            .filter(move |rollup| rollup.rows == rows)
    }

    /// All entities with their places.
    pub fn iter(&self) -> impl Iterator<Item = (EntityIx, &Entity)> {
        self.entities
            .iter()
            .enumerate()
            .map(|(i, e)| (EntityIx(u16::try_from(i).unwrap_or(u16::MAX)), e))
    }
}

/// A module as declared in `module.toml`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Module {
    /// snake_case.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Names of modules that must be there.
    pub depends: Vec<String>,
    /// Lucide icon name.
    pub icon: String,
    /// Place in the sidebar, ascending.
    pub order: i64,
    /// Sidebar entries.
    pub menu: Vec<MenuItem>,
    /// Lucide icons of the pages in the menu that have one of their own, by page.
    pub page_icons: BTreeMap<String, String>,
    /// The entity that one must see to be shown a page of the menu, by page.
    pub page_of: BTreeMap<String, String>,
    /// Settings with their types and defaults, by name.
    pub settings: BTreeMap<String, Setting>,
    /// Saved views shipped with the module.
    pub views: Vec<View>,
    /// Catalogues by language (`fr`, `en`, `es`, `pt`), as in `locales/`.
    pub words: BTreeMap<String, serde_json::Value>,
    /// Workflows ready to be taken, by name, as in `workflows/`. What they say is the automation
    /// engine's to read.
    pub workflows: BTreeMap<String, serde_json::Value>,
}

/// One entry of the sidebar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuItem {
    /// The list of an entity.
    Entity(String),
    /// A page of the interface, by name.
    Page(String),
}

/// One setting of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its type: a scalar.
    pub kind: FieldType,
    /// Its value until an administrator changes it.
    pub default: Value,
}

/// A saved view shipped by a module.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Code, unique in its entity.
    pub name: String,
    /// Name of the entity.
    pub entity: String,
    /// Columns, in order.
    pub columns: Vec<String>,
    /// Sort, `-` for descending.
    pub sort: Vec<String>,
    /// What it shows.
    pub filter: Condition,
}

/// A role as declared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoleSpec {
    /// Roles whose permissions it has too.
    pub inherits: Vec<String>,
    /// Permissions named outright: `(collection, action, scope)`.
    pub permissions: Vec<(String, Action, Scope)>,
}

/// Whether an entity is written by the pipeline or by its engine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// Versioned, audited, softly deleted; every write is a change.
    #[default]
    Record,
    /// Written by its engine through `store`; read like any other.
    Log,
}

/// A declared kind of thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Singular, snake_case.
    pub name: String,
    /// Plural, kebab-case; the path.
    pub collection: String,
    /// The module that declares it.
    pub module: String,
    /// Immutable id from `schema.lock`.
    pub id: String,
    /// Record or log.
    pub kind: EntityKind,
    /// Lucide icon name.
    pub icon: String,
    /// The field that names a record.
    pub title: FieldIx,
    /// Template of the number, when numbered: `TIC-{seq:06}`.
    pub number: Option<NumberTemplate>,
    /// Whether people may comment on records.
    pub comments: bool,
    /// Whether files may be attached.
    pub files: bool,
    /// Whether a single record may be shared with a person or a group.
    pub sharing: bool,
    /// Whether reads are audited.
    pub audit_reads: bool,
    /// System fields first (see [`system`]), then declared order.
    pub fields: Vec<Field>,
    /// Uniqueness over several fields.
    pub unique: Vec<Vec<FieldIx>>,
    /// Declared indexes.
    pub indexes: Vec<Vec<SortField>>,
    /// What a list shows first.
    pub list: ListSpec,
    /// How a form is laid out.
    pub form: FormSpec,
    /// What makes a record somebody's.
    pub scope: ScopeSpec,
    /// The states of the state field, in declared order; empty without one.
    pub states: Vec<State>,
    /// By role code: what the role may do, and its field rights.
    pub permissions: BTreeMap<String, RolePermissions>,
    /// The other ends of links that point here, in declared order of the owners.
    pub related: Vec<Related>,
    /// How its computed fields are made, each after those it reads.
    pub computed: Vec<Computed>,
    pub(crate) field_names: HashMap<String, FieldIx>,
}

impl Entity {
    /// The field at `ix`.
    #[must_use]
    pub fn field(&self, ix: FieldIx) -> &Field {
        &self.fields[usize::from(ix.0)]
    }

    /// The field called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<FieldIx> {
        self.field_names.get(name).copied()
    }

    /// The inverse side called `name`.
    #[must_use]
    pub fn find_related(&self, name: &str) -> Option<&Related> {
        self.related.iter().find(|r| r.name == name)
    }

    /// The entity of the records behind an inverse side or a child table, and the link in them.
    #[must_use]
    pub fn rows_of(&self, name: &str) -> Option<(EntityIx, FieldIx)> {
        let table = self.find(name).map(|ix| &self.field(ix).kind);
        if let Some(FieldType::Children { of, via }) = table {
            return Some((*of, *via));
        }
        let related = self.find_related(name)?;
        Some((related.entity, related.via))
    }

    /// The field of type `state`, if there is one.
    #[must_use]
    pub fn state_field(&self) -> Option<FieldIx> {
        self.iter()
            .find(|(_, f)| matches!(f.kind, FieldType::State { .. }))
            .map(|(ix, _)| ix)
    }

    /// All fields with their places.
    pub fn iter(&self) -> impl Iterator<Item = (FieldIx, &Field)> {
        self.fields
            .iter()
            .enumerate()
            .map(|(i, f)| (FieldIx(u16::try_from(i).unwrap_or(u16::MAX)), f))
    }

    /// Rebuilds the index of names; called once by whoever assembles an entity.
    pub fn index_names(&mut self) {
        self.field_names = self.iter().map(|(ix, f)| (f.name.clone(), ix)).collect();
    }
}

/// Names of the fields every entity has without declaring them.
///
/// Records have them all (`number` when numbered); logs have `id` and `created_at`.
pub mod system {
    /// UUID of the record.
    pub const ID: &str = "id";
    /// +1 at each change.
    pub const VERSION: &str = "version";
    /// The human number.
    pub const NUMBER: &str = "number";
    /// When it was made.
    pub const CREATED_AT: &str = "created_at";
    /// When it last changed.
    pub const UPDATED_AT: &str = "updated_at";
    /// Who made it.
    pub const CREATED_BY: &str = "created_by";
    /// Who last changed it.
    pub const UPDATED_BY: &str = "updated_by";
    /// The legal entity it belongs to.
    pub const COMPANY: &str = "company";
    /// When it was deleted; null while it lives.
    pub const DELETED_AT: &str = "deleted_at";
    /// The deletion that took it; restoring undoes one deletion.
    pub const DELETION_ID: &str = "deletion_id";
}

/// A state and the moves out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Immutable id from `schema.lock`.
    pub id: String,
    /// Stable code.
    pub name: String,
    /// `open active waiting done closed`.
    pub category: String,
    /// One of the palette.
    pub color: String,
    /// Codes of the states it may move to.
    pub to: Vec<String>,
    /// Fields that must be filled to enter it.
    pub requires: Vec<FieldIx>,
}

/// The other end of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Name on this side: the nested path and the key of the label.
    pub name: String,
    /// The entity that holds the link.
    pub entity: EntityIx,
    /// The link.
    pub via: FieldIx,
    /// Whether the link is many-to-many.
    pub many_to_many: bool,
}

/// A field with a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortField {
    /// What is compared.
    pub field: FieldIx,
    /// Largest first. Nulls come last either way.
    pub descending: bool,
}

/// What a list shows before anyone changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListSpec {
    /// Columns, in order.
    pub columns: Vec<FieldIx>,
    /// Sort; `-created_at` when not declared.
    pub sort: Vec<SortField>,
}

/// How a form is laid out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormSpec {
    /// Sections, in order.
    pub sections: Vec<(String, Vec<FieldIx>)>,
    /// Fields of the short create dialog.
    pub quick: Vec<FieldIx>,
}

/// What makes a record somebody's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSpec {
    /// Links (one or many) to user.
    pub own: Vec<FieldIx>,
    /// Link to department.
    pub department: Option<FieldIx>,
    /// Link to company; the system column unless declared.
    pub company: Option<FieldIx>,
    /// Instead of the above: the link to the record whose readers are this record's readers.
    pub owner: Option<FieldIx>,
    /// What one must be able to do with the owner to write this record; absent: to see it.
    pub write_needs: Option<Action>,
}

/// What one role may do with an entity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RolePermissions {
    /// By action.
    pub actions: BTreeMap<Action, Permission>,
    /// Field rights below what the action gives.
    pub fields: BTreeMap<FieldIx, crate::access::FieldRight>,
}

/// One permission of a role on an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    /// How far it reaches.
    pub scope: Scope,
    /// Only records that satisfy this.
    pub condition: Condition,
}

/// The parts of a number template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberTemplate {
    /// As declared.
    pub source: String,
    /// Parsed.
    pub parts: Vec<NumberPart>,
    /// No number is ever left out: each is taken by the change that makes its record.
    pub gapless: bool,
}

/// One part of a number template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberPart {
    /// Fixed text.
    Text(String),
    /// The sequence, padded with zeros to this width.
    Sequence(usize),
    /// Year, four or two digits.
    Year {
        /// Two digits.
        short: bool,
    },
    /// Month, two digits.
    Month,
}
