//! A condition bound to a schema: typed, resolved, with the reader's rights inside.
//!
//! Meaning (decisions §20): two-valued logic. Every leaf is a positive statement that is false
//! when a value is missing; `ne`, `not_in` and `not` are exact complements, so negation is the
//! one node [`Predicate::Not`]. A path through a link the reader may not follow is null, because
//! each [`Step`] carries the rule of the entity it enters.
//!
//! The store renders this tree to SQL for both databases, [`Predicate::holds`] evaluates it in
//! memory; a property test holds them together.

mod bind;
mod moment;

pub use bind::{Binder, Variables, operators};

use crate::access::Rule;
use crate::fold::fold;
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Schema};
use crate::value::Value;

/// A bound condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Holds always.
    True,
    /// Holds never.
    False,
    /// Every one holds.
    All(Vec<Predicate>),
    /// At least one holds.
    Any(Vec<Predicate>),
    /// The exact complement.
    Not(Box<Predicate>),
    /// One comparison.
    Test(Test),
}

/// One positive comparison; false when there is nothing to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What is compared.
    pub path: Path,
    /// With what.
    pub operand: Operand,
}

/// Where the compared value is found, from the record outwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Links followed first. Through several records the test asks whether one of them passes.
    pub steps: Vec<Step>,
    /// The entity `field` belongs to: that of the last step, or the root.
    pub entity: EntityIx,
    /// The compared field.
    pub field: FieldIx,
}

/// One hop to other records.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How to get there.
    pub hop: Hop,
    /// The entity entered.
    pub to: EntityIx,
    /// What a record there must satisfy to be seen; [`Predicate::True`] when all are.
    pub rule: Box<Predicate>,
}

/// How a step moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// Along a link (or any-link, entering records of the step's entity only).
    Link(FieldIx),
    /// Along a many-to-many link.
    Links(FieldIx),
    /// Back along a link of the entity entered.
    Inverse(FieldIx),
    /// Back along a many-to-many link of the entity entered.
    InverseLinks(FieldIx),
}

/// What a value is compared with. Values have the type of the field.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// There is a value: not null, not the empty text, not the empty set.
    Present,
    /// Equals one of these; for sets: contains one of these.
    OneOf(Vec<Value>),
    /// In the order of the field's type (texts by folded key).
    Compare(Order, Value),
    /// The folded text contains this (already folded).
    Contains(String),
    /// The folded text starts with this (already folded).
    StartsWith(String),
    /// The folded text ends with this (already folded).
    EndsWith(String),
}

/// A strict or loose order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Predicate {
    /// Both hold, without needless nodes.
    #[must_use]
    pub fn and(self, other: Predicate) -> Predicate {
        match (self, other) {
            (Predicate::False, _) | (_, Predicate::False) => Predicate::False,
            (Predicate::True, other) => other,
            (this, Predicate::True) => this,
            (Predicate::All(mut parts), Predicate::All(more)) => {
                parts.extend(more);
                Predicate::All(parts)
            }
            (Predicate::All(mut parts), other) => {
                parts.push(other);
                Predicate::All(parts)
            }
            (this, other) => Predicate::All(vec![this, other]),
        }
    }

    /// At least one holds, without needless nodes.
    #[must_use]
    pub fn or(self, other: Predicate) -> Predicate {
        match (self, other) {
            (Predicate::True, _) | (_, Predicate::True) => Predicate::True,
            (Predicate::False, other) => other,
            (this, Predicate::False) => this,
            (this, other) if this == other => this,
            (Predicate::Any(mut parts), other) => {
                if !parts.contains(&other) {
                    parts.push(other);
                }
                Predicate::Any(parts)
            }
            (this, other) => Predicate::Any(vec![this, other]),
        }
    }

    /// A test of a field of the record itself.
    #[must_use]
    pub fn test(entity: EntityIx, field: FieldIx, operand: Operand) -> Predicate {
        Predicate::Test(Test {
            path: Path {
                steps: Vec::new(),
                entity,
                field,
            },
            operand,
        })
    }

    /// Whether it holds for `record`.
    pub fn holds<R: Record>(&self, schema: &Schema, record: &R) -> bool {
        match self {
            Predicate::True => true,
            Predicate::False => false,
            Predicate::All(parts) => parts.iter().all(|part| part.holds(schema, record)),
            Predicate::Any(parts) => parts.iter().any(|part| part.holds(schema, record)),
            Predicate::Not(part) => !part.holds(schema, record),
            Predicate::Test(test) => test.reaches(schema, record, &test.path.steps),
        }
    }
}

impl Test {
    fn reaches<R: Record>(&self, schema: &Schema, record: &R, steps: &[Step]) -> bool {
        match steps.split_first() {
            None => {
                let kind = schema
                    .entity(self.path.entity)
                    .field(self.path.field)
                    .kind
                    .holds();
                let order = ValueOrder {
                    schema,
                    entity: self.path.entity,
                    kind,
                };
                self.operand.accepts(&order, record.value(self.path.field))
            }
            Some((step, rest)) => record
                .follow(step)
                .into_iter()
                .any(|next| step.rule.holds(schema, &next) && self.reaches(schema, &next, rest)),
        }
    }
}

/// A record as seen by [`Predicate::holds`].
pub trait Record: Sized {
    /// The value of a field; [`Value::Null`] when it has none.
    fn value(&self, field: FieldIx) -> &Value;
    /// The living records that `step` leads to, whatever its rule says.
    fn follow(&self, step: &Step) -> Vec<Self>;
}

impl Operand {
    fn accepts(&self, order: &ValueOrder<'_>, value: &Value) -> bool {
        if value.is_empty() {
            return false;
        }
        let folded = |test: &dyn Fn(&str) -> bool| match value {
            Value::Text(text) => test(&fold(text)),
            _ => false,
        };
        match self {
            Operand::Present => true,
            Operand::OneOf(wanted) => match value {
                Value::Set(items) => items.iter().any(|item| wanted.contains(item)),
                single => wanted.contains(single),
            },
            Operand::Compare(direction, with) => {
                order
                    .compare(value, with)
                    .is_some_and(|found| match direction {
                        Order::Less => found.is_lt(),
                        Order::LessOrEqual => found.is_le(),
                        Order::Greater => found.is_gt(),
                        Order::GreaterOrEqual => found.is_ge(),
                    })
            }
            Operand::Contains(part) => folded(&|text| text.contains(part.as_str())),
            Operand::StartsWith(part) => folded(&|text| text.starts_with(part.as_str())),
            Operand::EndsWith(part) => folded(&|text| text.ends_with(part.as_str())),
        }
    }
}

/// The order of the values of one field type.
struct ValueOrder<'a> {
    schema: &'a Schema,
    entity: EntityIx,
    kind: &'a FieldType,
}

impl ValueOrder<'_> {
    /// `None` when the two cannot be compared (amounts in different currencies).
    fn compare(&self, left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
            (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Id(a), Value::Id(b)) => Some(a.cmp(b)),
            (
                Value::Money {
                    amount: a,
                    currency: x,
                },
                Value::Money {
                    amount: b,
                    currency: y,
                },
            ) => (x == y).then(|| a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => {
                match declared_order(self.schema.entity(self.entity), self.kind) {
                    Some(codes) => {
                        let place = |code: &str| codes.iter().position(|known| *known == code);
                        Some(place(a)?.cmp(&place(b)?))
                    }
                    None => Some(fold(a).cmp(&fold(b))),
                }
            }
            _ => None,
        }
    }
}

/// The codes of a choice or state in their declared order, which is the order they compare and
/// sort in; `None` for other types.
#[must_use]
pub fn declared_order<'a>(entity: &'a Entity, kind: &'a FieldType) -> Option<Vec<&'a str>> {
    match kind {
        FieldType::Choice { options } => {
            Some(options.iter().map(|option| option.value.as_str()).collect())
        }
        FieldType::State { .. } => Some(
            entity
                .states
                .iter()
                .map(|state| state.name.as_str())
                .collect(),
        ),
        _ => None,
    }
}

/// The exact complement, without double negation.
#[must_use]
pub fn negate(predicate: Predicate) -> Predicate {
    match predicate {
        Predicate::True => Predicate::False,
        Predicate::False => Predicate::True,
        Predicate::Not(inner) => *inner,
        other => Predicate::Not(Box::new(other)),
    }
}

impl Rule {
    /// The rule as a predicate to be joined to a query.
    #[must_use]
    pub fn to_predicate(&self) -> Predicate {
        match self {
            Rule::Never => Predicate::False,
            Rule::Always => Predicate::True,
            Rule::When(predicate) => predicate.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
