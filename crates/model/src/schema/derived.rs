//! Values nobody writes: what follows from other fields of a record, and from the records that
//! point at it.

use rust_decimal::Decimal;

use super::{EntityIx, FieldIx, FieldType, RollupOp, Schema};
use crate::expr::Expr;
use crate::predicate::Predicate;
use crate::value::Value;

/// A computed field with how it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// The field.
    pub field: FieldIx,
    /// Over the fields of the record, those computed before it among them.
    pub expr: Expr,
}

/// A roll-up with what it combines.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// The entity it is a field of.
    pub entity: EntityIx,
    /// The field.
    pub field: FieldIx,
    /// The entity of the records that are combined.
    pub rows: EntityIx,
    /// The link in them, to one or to many, that points at [`Rollup::entity`].
    pub via: FieldIx,
    /// How they are combined.
    pub op: RollupOp,
    /// What of them; none for a count.
    pub value: Option<FieldIx>,
    /// What makes one of them the latest; without, the moment it was made.
    pub by: Option<FieldIx>,
    /// Which of them count. Asks for their own fields only, and never for the reader or the day.
    pub holds: Predicate,
    /// Their fields that decide the result: when none of them changes, neither does it.
    pub reads: Vec<FieldIx>,
}

impl Rollup {
    /// What it is when nothing points at the record: no records are counted as zero and add up to
    /// zero; of none there is no smallest, largest, average or latest.
    #[must_use]
    pub fn of_none(&self, schema: &Schema) -> Value {
        let kind = &schema.entity(self.entity).field(self.field).kind;
        match (self.op, kind.holds()) {
            (RollupOp::Sum, FieldType::Decimal { .. }) => Value::Decimal(Decimal::ZERO),
            (RollupOp::Count | RollupOp::Sum, _) => Value::Int(0),
            _ => Value::Null,
        }
    }
}
