//! Fields: their types with the limits they declare.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityIx, FieldIx};
use crate::condition::Condition;
use crate::value::Value;

/// One attribute of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// snake_case.
    pub name: String,
    /// Immutable id from `schema.lock`; system fields use their name.
    pub id: String,
    /// Its type with what belongs to it.
    pub kind: FieldType,
    /// May not be empty.
    pub required: bool,
    /// Value when absent on create.
    pub default: DefaultValue,
    /// Unique among living records of the tenant.
    pub unique: bool,
    /// Has an index of its own.
    pub index: bool,
    /// Weight in full-text search.
    pub search: Option<SearchWeight>,
    /// Written by rules and engines only.
    pub readonly: bool,
    /// One of [`system`].
    pub system: bool,
}

/// What a field gets when a create does not name it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DefaultValue {
    /// Nothing.
    #[default]
    None,
    /// A constant.
    Constant(Value),
    /// The moment of the change.
    Now,
    /// The day of the change in the company's zone.
    Today,
    /// The person who makes the change.
    Me,
}

/// Weight of a field in full-text search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchWeight {
    /// Titles, numbers, names.
    High,
    /// Most texts.
    Normal,
    /// Long bodies.
    Low,
}

/// The type of a field, with the limits it declares.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the keys are documented in docs/reference/declarations.md
pub enum FieldType {
    /// The UUID of the record itself.
    Id,
    Text {
        min: usize,
        max: usize,
        pattern: Option<Pattern>,
    },
    LongText {
        max: usize,
    },
    RichText {
        max: usize,
    },
    Email,
    Phone,
    Url,
    Color,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Decimal {
        precision: u8,
        scale: u8,
        min: Option<Decimal>,
        max: Option<Decimal>,
        unit: Option<String>,
    },
    Money {
        precision: u8,
        scale: u8,
        currency: Option<String>,
    },
    Boolean,
    Date,
    DateTime,
    /// Seconds.
    Duration {
        min: Option<i64>,
        max: Option<i64>,
    },
    Choice {
        options: Vec<ChoiceOption>,
    },
    Choices {
        options: Vec<ChoiceOption>,
    },
    Tags {
        max: usize,
    },
    /// The states stand in [`Entity::states`].
    State {
        initial: String,
    },
    Link(LinkSpec),
    /// Many-to-many.
    Links(LinkSpec),
    /// Link to a record of any of these entities; empty means any at all.
    AnyLink {
        to: Vec<EntityIx>,
    },
    /// Child table: records of `of` whose link `via` points here.
    Children {
        of: EntityIx,
        via: FieldIx,
    },
    File {
        max_size: Option<u64>,
    },
    Image {
        max_size: Option<u64>,
    },
    Geo,
    Json,
    Secret,
    Password,
    Computed {
        returns: Box<FieldType>,
        expr: String,
    },
    Rollup {
        of: String,
        op: RollupOp,
        field: Option<String>,
        by: Option<String>,
        condition: Condition,
        returns: Box<FieldType>,
    },
}

impl FieldType {
    /// The name used in declarations and metadata.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FieldType::Id => "id",
            FieldType::Text { .. } => "text",
            FieldType::LongText { .. } => "long_text",
            FieldType::RichText { .. } => "rich_text",
            FieldType::Email => "email",
            FieldType::Phone => "phone",
            FieldType::Url => "url",
            FieldType::Color => "color",
            FieldType::Integer { .. } => "integer",
            FieldType::Decimal { .. } => "decimal",
            FieldType::Money { .. } => "money",
            FieldType::Boolean => "boolean",
            FieldType::Date => "date",
            FieldType::DateTime => "datetime",
            FieldType::Duration { .. } => "duration",
            FieldType::Choice { .. } => "choice",
            FieldType::Choices { .. } => "choices",
            FieldType::Tags { .. } => "tags",
            FieldType::State { .. } => "state",
            FieldType::Link(_) => "link",
            FieldType::Links(_) => "links",
            FieldType::AnyLink { .. } => "any_link",
            FieldType::Children { .. } => "children",
            FieldType::File { .. } => "file",
            FieldType::Image { .. } => "image",
            FieldType::Geo => "geo",
            FieldType::Json => "json",
            FieldType::Secret => "secret",
            FieldType::Password => "password",
            FieldType::Computed { .. } => "computed",
            FieldType::Rollup { .. } => "rollup",
        }
    }

    /// The type of the values it holds: computed fields and roll-ups answer what they return.
    #[must_use]
    pub fn holds(&self) -> &FieldType {
        match self {
            FieldType::Computed { returns, .. } | FieldType::Rollup { returns, .. } => returns,
            other => other,
        }
    }

    /// Short text with a folded key stored beside it: can be sorted and matched blind to case
    /// and accents. Long texts have none; they are found by full-text search.
    #[must_use]
    pub fn has_key(&self) -> bool {
        matches!(
            self.holds(),
            FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url
        )
    }

    /// Has an order that a list can be sorted by.
    #[must_use]
    pub fn is_sortable(&self) -> bool {
        let kind = self.holds();
        kind.has_key()
            || matches!(
                kind,
                FieldType::Integer { .. }
                    | FieldType::Decimal { .. }
                    | FieldType::Money { .. }
                    | FieldType::Duration { .. }
                    | FieldType::Boolean
                    | FieldType::Date
                    | FieldType::DateTime
                    | FieldType::Choice { .. }
                    | FieldType::State { .. }
            )
    }

    /// Holds any number of values, kept in a table of their own.
    #[must_use]
    pub fn is_set(&self) -> bool {
        matches!(
            self,
            FieldType::Choices { .. } | FieldType::Tags { .. } | FieldType::Links(_)
        )
    }

    /// Has no column: child tables live in their own.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self, FieldType::Children { .. })
    }

    /// Never leaves by any way out.
    #[must_use]
    pub fn is_write_only(&self) -> bool {
        matches!(self, FieldType::Secret | FieldType::Password)
    }
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceOption {
    /// Immutable id from `schema.lock`.
    pub id: String,
    /// Stable code.
    pub value: String,
    /// One of the palette, for the badge.
    pub color: String,
}

/// A link to one entity.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkSpec {
    /// The target.
    pub to: EntityIx,
    /// What the target must satisfy.
    pub condition: Condition,
    /// What deleting the target does here.
    pub on_delete: OnDelete,
    /// Name of the inverse side on the target.
    pub inverse: Option<String>,
    /// A link of an entity to itself that must not form a ring.
    pub acyclic: bool,
    /// Whether records are also made, changed and deleted below the target: `/kpis/{id}/values`.
    pub nested: bool,
}

/// What deleting the target of a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The link stays until the target is purged, then becomes null; it reads as null meanwhile.
    #[default]
    Clear,
    /// The record goes with its target.
    Cascade,
    /// The target cannot be deleted.
    Refuse,
}

/// How a roll-up combines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RollupOp {
    Count,
    Sum,
    Min,
    Max,
    Average,
    Latest,
}

impl RollupOp {
    /// Every one with its name in declarations.
    pub const NAMES: [(&'static str, RollupOp); 6] = [
        ("count", RollupOp::Count),
        ("sum", RollupOp::Sum),
        ("min", RollupOp::Min),
        ("max", RollupOp::Max),
        ("average", RollupOp::Average),
        ("latest", RollupOp::Latest),
    ];

    /// Its name in declarations and metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = RollupOp::NAMES.iter();
        names
            .find(|(_, op)| *op == self)
            .map_or("count", |(name, _)| name)
    }
}

/// A compiled pattern of a text field; equal when its source is equal.
#[derive(Debug, Clone)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
