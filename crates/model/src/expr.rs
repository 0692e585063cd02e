//! How a computed field is made: one expression over the fields of its record.
//!
//! `quantity * unit_price`, `first_name ~ ' ' ~ last_name`, `if(amount(cost) > 1000, 'high', 'low')`.
//! An expression is read and typed once, when it is declared ([`Expr::parse`]), and is then a pure
//! function of the values of a record ([`Expr::value`]): no clock, no other record, no rounding but
//! that of its result, so that a value can be made again at any time and is the same.
//!
//! Numbers are exact decimals. A missing value makes arithmetic give none, and so does dividing by
//! zero; comparisons with it are false, `==` and `!=` with `null` ask whether it is missing.
//!
//! What must never be here: names of entities, SQL. How it is written stands in
//! `docs/reference/declarations.md`.

mod eval;
mod parse;

use crate::schema::{FieldIx, FieldType};
use rust_decimal::Decimal;

/// Longest expression, in bytes.
pub const MAX_SOURCE: usize = 2_000;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// Answers the field a name stands for, or why there is none.
pub type Find<'f> = &'f dyn Fn(&str) -> Result<(FieldIx, Kind), String>;

/// An expression, read and typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    root: Node,
    reads: Vec<FieldIx>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// The byte of the expression at which it is noticed.
    pub at: usize,
    /// What, for the person who declares.
    pub message: String,
}

/// A result that its type cannot hold: too large, or a day outside of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

/// The kinds of values expressions know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Number,
    Text,
    Boolean,
    Date,
    Time,
    /// An amount with its currency: only `amount()` and `currency()` take it.
    Money,
    /// `null`, which goes with everything.
    Nothing,
}

impl Kind {
    /// The kind of the values of a field; `None` when expressions cannot read it.
    #[must_use]
    pub fn of(kind: &FieldType) -> Option<Kind> {
        Some(match kind {
            FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Duration { .. } => {
                Kind::Number
            }
            FieldType::Text { .. }
            | FieldType::LongText { .. }
            | FieldType::RichText { .. }
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Color
            | FieldType::Choice { .. }
            | FieldType::State { .. } => Kind::Text,
            FieldType::Boolean => Kind::Boolean,
            FieldType::Date => Kind::Date,
            FieldType::DateTime => Kind::Time,
            FieldType::Money { .. } => Kind::Money,
            // A roll-up changes without its record: what is computed of it would be late.
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Boolean => "true or false",
            Kind::Date => "a date",
            Kind::Time => "a datetime",
            Kind::Money => "money",
            Kind::Nothing => "null",
        }
    }

    /// The kind both are, when they can stand for each other.
    fn with(self, other: Kind) -> Option<Kind> {
        match (self, other) {
            (Kind::Nothing, kind) | (kind, Kind::Nothing) => Some(kind),
            (one, same) if one == same => Some(one),
            _ => None,
        }
    }
}

impl Expr {
    /// Reads an expression whose value is of type `returns`.
    ///
    /// # Errors
    /// The first thing that is wrong, and where.
    pub fn parse(source: &str, returns: &FieldType, find: Find<'_>) -> Result<Expr, ExprError> {
        parse::parse(source, returns, find)
    }

    /// The fields it reads, each once.
    #[must_use]
    pub fn reads(&self) -> &[FieldIx] {
        &self.reads
    }
}

/// One part of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Null,
    Number(Decimal),
    Text(String),
    Boolean(bool),
    Field(FieldIx),
    Not(Box<Node>),
    Negative(Box<Node>),
    Two(Operator, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    If,
    Coalesce,
    Round,
    Abs,
    Min,
    Max,
    Length,
    Lower,
    Upper,
    Amount,
    Currency,
    Year,
    Month,
    Day,
}

impl Function {
    const NAMES: [(&'static str, Function); 14] = [
        ("if", Function::If),
        ("coalesce", Function::Coalesce),
        ("round", Function::Round),
        ("abs", Function::Abs),
        ("min", Function::Min),
        ("max", Function::Max),
        ("length", Function::Length),
        ("lower", Function::Lower),
        ("upper", Function::Upper),
        ("amount", Function::Amount),
        ("currency", Function::Currency),
        ("year", Function::Year),
        ("month", Function::Month),
        ("day", Function::Day),
    ];
}

#[cfg(test)]
mod tests;
