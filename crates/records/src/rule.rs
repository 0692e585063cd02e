//! Code of modules that runs before a save (decisions §7, §35).
//!
//! A rule is pure: it sees the record before and after, and what it asked for in [`Rule::needs`];
//! it sets fields, adds guards and companions, or refuses. Rules run once, in order, before
//! validation; what a rule sets is validated like anything else.

use opsflux_model::schema::{Entity, EntityIx, FieldIx, Schema};
use opsflux_model::{Condition, Value};
use opsflux_store::Guard;
use opsflux_store::system::SystemWrite;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// One rule of one entity.
pub trait Rule: Send + Sync {
    /// Name of the entity.
    fn entity(&self) -> &'static str;

    /// Name for the audit: “rule NAME for caller”.
    fn name(&self) -> &'static str;

    /// What it must know besides the record. Asked once, before [`Rule::apply`].
    fn needs(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    /// Changes the draft or refuses it.
    ///
    /// # Errors
    /// [`Refusal`], told to the person who saves.
    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal>;

    /// What it must know before a record is marked deleted or brought back; a rule that does not
    /// judge that asks for nothing, for a deletion may take many records.
    fn needs_to_mark(&self, draft: &Draft<'_>) -> Vec<Need> {
        self.needs(draft)
    }

    /// Before a record is marked deleted: adds guards and rows of the engine, or refuses. The
    /// values are as they were; what is set here is not saved.
    ///
    /// # Errors
    /// [`Refusal`], told to the person who deletes.
    fn before_delete(&self, _draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        Ok(())
    }

    /// Before the mark is taken away again; as [`Rule::before_delete`].
    ///
    /// # Errors
    /// [`Refusal`], told to the person who restores.
    fn before_restore(&self, _draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Something a rule must know, read with the rights of the house.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// One record, whole.
    Record {
        /// Name of the entity.
        entity: &'static str,
        /// Which.
        id: Uuid,
    },
    /// Living records that satisfy a condition, whole, in order of creation.
    Records {
        /// Name of the entity.
        entity: &'static str,
        /// Which.
        condition: Condition,
        /// At most so many.
        limit: u32,
    },
    /// The value of a setting: `desk.close_parent_with_open_children`.
    Setting(&'static str),
    /// The id of the tenant, answered as a setting of one text.
    Tenant,
}

/// The answers, in the order of the needs.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// One per need: the record or none, the records, the setting as one JSON value.
    pub answers: Vec<Answer>,
    /// The moment of the change.
    pub now: jiff::Timestamp,
    /// The person, unless the house itself acts.
    pub user: Option<Uuid>,
    /// Whether the person is an administrator of the tenant, or the house itself acts.
    pub administrator: bool,
    /// Whether the person has said yes to the question with this code.
    pub confirmed: Option<String>,
    /// What the person may do.
    pub access: Option<std::sync::Arc<opsflux_model::Access>>,
}

/// The answer to a [`Need`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Need::Record`] and [`Need::Records`].
    Records(Vec<Snapshot>),
    /// To [`Need::Setting`].
    Setting(Json),
}

impl Known {
    /// The records that answer the n-th need.
    #[must_use]
    pub fn records(&self, need: usize) -> &[Snapshot] {
        match self.answers.get(need) {
            Some(Answer::Records(records)) => records,
            _ => &[],
        }
    }

    /// Whether the person sees a record that answers a need: those are read with the rights of the
    /// house, and what is said of them is said to him. What only other records could tell is not
    /// seen.
    #[must_use]
    pub fn sees(&self, schema: &Schema, record: &Snapshot) -> bool {
        self.access
            .as_ref()
            .is_none_or(|access| crate::write::sees(schema, access, record))
    }

    /// The records that answer any need.
    pub(crate) fn all_records(&self) -> impl Iterator<Item = &Snapshot> {
        self.answers.iter().flat_map(|answer| match answer {
            Answer::Records(records) => records.as_slice(),
            Answer::Setting(_) => &[],
        })
    }

    /// The text of the setting that answers the n-th need.
    #[must_use]
    pub fn setting(&self, need: usize) -> Option<&str> {
        match self.answers.get(need) {
            Some(Answer::Setting(Json::String(text))) => Some(text),
            _ => None,
        }
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What kind.
    pub entity: EntityIx,
    /// Which.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// By [`FieldIx`]; child tables are null.
    pub values: Vec<Value>,
}

impl Snapshot {
    /// The value of a field.
    #[must_use]
    pub fn value(&self, field: FieldIx) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(usize::from(field.0)).unwrap_or(&NULL)
    }

    /// The value of the field called `name`; null when there is none.
    #[must_use]
    pub fn get(&self, schema: &Schema, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        schema
            .entity(self.entity)
            .find(name)
            .map_or(&NULL, |field| self.value(field))
    }
}

/// A record about to be saved.
pub struct Draft<'a> {
    /// Where names are found.
    pub schema: &'a Schema,
    /// What kind.
    pub ix: EntityIx,
    /// Which.
    pub id: Uuid,
    /// As it was; `None` for a new record.
    pub before: Option<&'a Snapshot>,
    /// As it will be, by [`FieldIx`].
    pub values: Vec<Value>,
    /// What must hold at the moment of the commit.
    pub guards: Vec<Guard>,
    /// Other records that change with it: the fields to set, saved through the same pipeline with
    /// the rights of the house and audited under the rule's name.
    pub companions: Vec<Companion>,
    /// Rows of the engine's own tables that change with it: names for signing in.
    pub system: Vec<SystemWrite>,
    /// Rows of log entities that are written with it.
    pub logs: Vec<opsflux_store::Write>,
}

/// Another record that changes with a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Companion {
    /// Name of the entity.
    pub entity: String,
    /// Which.
    pub id: Uuid,
    /// What to set.
    pub set: Vec<(String, Value)>,
    /// The rule that asks for it, for the audit.
    pub rule: &'static str,
}

impl Draft<'_> {
    /// The declaration.
    #[must_use]
    pub fn entity(&self) -> &Entity {
        self.schema.entity(self.ix)
    }

    /// Whether it is a new record.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// The value it will have.
    #[must_use]
    pub fn get(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        let place = self.entity().find(name).map(|ix| usize::from(ix.0));
        place
            .and_then(|place| self.values.get(place))
            .unwrap_or(&NULL)
    }

    /// The value it had; null for a new record.
    #[must_use]
    pub fn was(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.before
            .map_or(&NULL, |before| before.get(self.schema, name))
    }

    /// Whether the change touches the field; for a new record, whether it has a value.
    #[must_use]
    pub fn changes(&self, name: &str) -> bool {
        self.get(name) != self.was(name)
    }

    /// Sets a field. A name that is not declared is left alone: rules and declarations of a
    /// module change together, and the module's tests hold them together.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(ix) = self.entity().find(name)
            && let Some(slot) = self.values.get_mut(usize::from(ix.0))
        {
            *slot = value.into();
        }
    }
}

/// A rule says no, or asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Key of the words in the module's catalogue, under `errors`.
    pub code: &'static str,
    /// What the words mention.
    pub params: Map<String, Json>,
    /// The field it is about.
    pub field: Option<&'static str>,
    /// Whether the person may confirm and go on.
    pub confirmable: bool,
    /// Every wrong part of what was written, by its place; then nothing else here counts.
    pub errors: Vec<crate::error::FieldError>,
}

impl Refusal {
    /// Names every wrong part of what was written.
    #[must_use]
    pub fn of(errors: Vec<crate::error::FieldError>) -> Refusal {
        Refusal {
            code: "invalid",
            params: Map::new(),
            field: None,
            confirmable: false,
            errors,
        }
    }
}
