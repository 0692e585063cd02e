//! From the tables a database has to those a schema needs: a readable plan, made without looking
//! at either.
//!
//! The recorded [`Layout`] is compared with the one that follows from today's schema
//! ([`plan()`]). Things are recognised by their immutable ids, so a rename is a rename. What is no
//! longer declared is kept, hidden, and found again when it comes back; it is dropped only when
//! named. What would lose values is refused.
//!
//! A plan has three parts: `expand` runs in one transaction, `fill` by a resumable job, `contract`
//! when the job is done. [`Step::apply`] carries a step out on a layout, so that whoever runs the
//! plan knows at each step what the tables look like. Rendering steps as SQL is the store's.

mod compare;
mod indexes;
mod names;
mod order;
mod step;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::plan;
pub use step::{Fill, Filling, Step};

use crate::fold::fold;
use crate::layout::{ColumnKind, Layout, columns_of};
use crate::schema::{DefaultValue, Field, FieldType, Schema};
use crate::value::Value;

/// What is wished besides the new layout.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// What may be dropped with its values: `ticket`, `ticket.cost`.
    pub drop: BTreeSet<String>,
    /// What new columns hold in the rows that exist, by the id of the column.
    pub defaults: BTreeMap<String, Value>,
    /// Fields that hold certain texts only, with what they are called, by the id of the field: a
    /// column of free text cannot become one of them.
    pub bounded: BTreeMap<String, &'static str>,
}

impl Wishes {
    /// The constant defaults of a schema; nothing may be dropped.
    #[must_use]
    pub fn of(schema: &Schema) -> Wishes {
        let fields = || schema.entities.iter().flat_map(|entity| &entity.fields);
        let bounded = fields().filter(|field| {
            let kind = field.kind.holds();
            matches!(
                kind,
                FieldType::Choice { .. } | FieldType::State { .. } | FieldType::Color
            )
        });
        Wishes {
            drop: BTreeSet::new(),
            defaults: fields().flat_map(column_defaults).collect(),
            bounded: bounded
                .map(|field| (field.id.clone(), field.kind.name()))
                .collect(),
        }
    }
}

/// What the columns of a field hold when it holds its default. The moment and the person of a
/// create mean nothing for records that exist.
fn column_defaults(field: &Field) -> Vec<(String, Value)> {
    let DefaultValue::Constant(value) = &field.default else {
        return Vec::new();
    };
    let values = match value {
        Value::Money { amount, currency } => {
            vec![Value::Decimal(*amount), Value::from(currency.as_str())]
        }
        Value::Geo { lat, lon } => vec![Value::Decimal(*lat), Value::Decimal(*lon)],
        Value::Text(text) if field.kind.has_key() => {
            vec![value.clone(), Value::from(fold(text))]
        }
        Value::Null | Value::Set(_) | Value::Ref { .. } => Vec::new(),
        value => vec![value.clone()],
    };
    let ids = columns_of(field);
    let ids = (0..ids.len()).map(|place| crate::layout::column_id(field, place));
    ids.zip(values).collect()
}

/// How to get from one layout to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In one transaction: what adds, renames and widens.
    pub expand: Vec<Step>,
    /// By a resumable job, in batches: what new columns hold in the rows that exist.
    pub fill: Vec<Fill>,
    /// When the job is done: new unique constraints, and what was asked to be dropped.
    pub contract: Vec<Step>,
    /// What is no longer declared and stays, hidden: `ticket.cost`.
    pub kept: Vec<String>,
    /// The layout afterwards, what is kept included: to be recorded, and compared with next time.
    pub layout: Layout,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expand.is_empty() && self.fill.is_empty() && self.contract.is_empty()
    }
}

/// A change that would lose values or their meaning. Names are those of declarations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// A decimal with fewer digits.
    #[error("{what} has values of {from} digits, which {to} cannot hold")]
    Narrower {
        /// The field.
        what: String,
        /// `18,6`
        from: String,
        /// `18,2`
        to: String,
    },
    /// Values of one type under another.
    #[error(
        "{what} changes from {from} to {to}: declare a new field, move the values, then remove the old one"
    )]
    OtherType {
        /// The field.
        what: String,
        /// What it holds.
        from: String,
        /// What it would hold.
        to: String,
    },
    /// A link whose ids are those of another entity's records.
    #[error("{what} leads to {from}, not to {to}: declare a new link")]
    OtherTarget {
        /// The link.
        what: String,
        /// Where its values lead.
        from: String,
        /// Where they would be looked for.
        to: String,
    },
    /// A log cannot become a record, nor a record a log.
    #[error("{what} cannot turn from a log into a record or back: declare a new entity")]
    OtherKind {
        /// The entity.
        what: String,
    },
    /// Something hidden or living still points at what is to be dropped.
    #[error("{what} cannot be dropped while {by} leads to it: name {by} too")]
    StillReferred {
        /// The entity.
        what: String,
        /// The link.
        by: String,
    },
    /// A name to drop that is not there, or is still declared.
    #[error("{what} cannot be dropped: {}", if *declared { "it is declared" } else { "there is nothing of that name" })]
    NotToDrop {
        /// As it was written.
        what: String,
        /// Whether it exists and is declared.
        declared: bool,
    },
}

/// How a kind of column is called in refusals.
fn kind_name(kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Bool => "boolean".to_owned(),
        ColumnKind::Int => "integer".to_owned(),
        ColumnKind::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        ColumnKind::Text => "text".to_owned(),
        ColumnKind::Date => "date".to_owned(),
        ColumnKind::Time => "datetime".to_owned(),
        ColumnKind::Id => "link".to_owned(),
    }
}
