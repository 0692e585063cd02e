//! The value of an expression over the values of a record.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::{SignedDuration, Span};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Expr, Function, Node, Operator, OutOfRange};
use crate::schema::{FieldIx, FieldType};
use crate::value::Value;

type Made<'v> = Result<Cow<'v, Value>, OutOfRange>;

const MICROS: i64 = 1_000_000;

impl Expr {
    /// Its value over the values of a record, by [`FieldIx`], as a field of type `returns` holds
    /// it: decimals rounded to the digits of the type, half away from zero.
    ///
    /// # Errors
    /// [`OutOfRange`] when the type cannot hold it.
    pub fn value(&self, values: &[Value], returns: &FieldType) -> Result<Value, OutOfRange> {
        let made = Values(values).of(&self.root)?.into_owned();
        held(made, returns)
    }
}

/// A number as whole numbers and decimals hold it; other values as they are.
fn held(made: Value, returns: &FieldType) -> Result<Value, OutOfRange> {
    match (returns, &made) {
        (FieldType::Integer { .. } | FieldType::Duration { .. }, _) => match number(&made) {
            Some(number) => rounded(number, 0)
                .to_i64()
                .map(Value::Int)
                .ok_or(OutOfRange),
            None => Ok(Value::Null),
        },
        (
            FieldType::Decimal {
                precision, scale, ..
            },
            _,
        ) => {
            let Some(number) = number(&made) else {
                return Ok(Value::Null);
            };
            let whole = u32::from(precision.saturating_sub(*scale));
            let bound = 10_i128.checked_pow(whole).ok_or(OutOfRange)?;
            let number = rounded(number, u32::from(*scale)).normalize();
            if number.trunc().mantissa().abs() >= bound {
                return Err(OutOfRange);
            }
            Ok(Value::Decimal(number))
        }
        (_, Value::Text(text)) if text.is_empty() => Ok(Value::Null),
        _ => Ok(made),
    }
}

fn rounded(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

struct Values<'v>(&'v [Value]);

impl<'v> Values<'v> {
    fn field(&self, field: FieldIx) -> &'v Value {
        static NULL: Value = Value::Null;
        self.0.get(usize::from(field.0)).unwrap_or(&NULL)
    }

    fn of(&self, node: &Node) -> Made<'v> {
        Ok(match node {
            Node::Null => Cow::Owned(Value::Null),
            Node::Number(number) => Cow::Owned(Value::Decimal(*number)),
            Node::Text(text) => Cow::Owned(Value::Text(text.clone())),
            Node::Boolean(flag) => Cow::Owned(Value::Bool(*flag)),
            Node::Field(field) => Cow::Borrowed(self.field(*field)),
            Node::Not(part) => Cow::Owned(Value::Bool(!self.holds(part)?)),
            Node::Negative(part) => {
                let negative = number(&*self.of(part)?).map(|number| -number);
                Cow::Owned(negative.map_or(Value::Null, Value::Decimal))
            }
            Node::Two(operator, one, other) => Cow::Owned(self.two(*operator, one, other)?),
            Node::Call(function, parts) => return self.call(*function, parts),
        })
    }

    /// What is missing counts as false.
    fn holds(&self, node: &Node) -> Result<bool, OutOfRange> {
        Ok(self.of(node)?.as_bool() == Some(true))
    }

    fn two(&self, operator: Operator, one: &Node, other: &Node) -> Result<Value, OutOfRange> {
        match operator {
            Operator::And => return Ok(Value::Bool(self.holds(one)? && self.holds(other)?)),
            Operator::Or => return Ok(Value::Bool(self.holds(one)? || self.holds(other)?)),
            _ => {}
        }
        let (a, b) = (self.of(one)?, self.of(other)?);
        let asks_missing = *one == Node::Null || *other == Node::Null;
        let equal = || match asks_missing {
            true => a.is_empty() && b.is_empty(),
            false => ordered(&a, &b) == Some(Ordering::Equal),
        };
        Ok(match operator {
            Operator::Equal => Value::Bool(equal()),
            Operator::NotEqual => Value::Bool(!equal()),
            Operator::Less => Value::Bool(ordered(&a, &b).is_some_and(Ordering::is_lt)),
            Operator::LessOrEqual => Value::Bool(ordered(&a, &b).is_some_and(Ordering::is_le)),
            Operator::Greater => Value::Bool(ordered(&a, &b).is_some_and(Ordering::is_gt)),
            Operator::GreaterOrEqual => Value::Bool(ordered(&a, &b).is_some_and(Ordering::is_ge)),
            Operator::Join => Value::Text(format!("{}{}", said(&a), said(&b))),
            _ => arithmetic(operator, &a, &b)?,
        })
    }

    fn call(&self, function: Function, parts: &[Node]) -> Made<'v> {
        let first = || {
            parts
                .first()
                .map_or(Ok(Cow::Owned(Value::Null)), |part| self.of(part))
        };
        let value = match function {
            Function::If => {
                let [when, then, otherwise] = parts else {
                    return Ok(Cow::Owned(Value::Null));
                };
                return self.of(if self.holds(when)? { then } else { otherwise });
            }
            Function::Coalesce => {
                for part in parts {
                    let value = self.of(part)?;
                    if !value.is_empty() {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Function::Min | Function::Max => self.extreme(function, parts)?,
            Function::Round => {
                let digits = match parts.get(1) {
                    Some(part) => number(&*self.of(part)?),
                    None => Some(Decimal::ZERO),
                };
                let digits = digits.and_then(|digits| digits.to_u32());
                let number = number(&*first()?).zip(digits);
                number.map_or(Value::Null, |(number, digits)| {
                    Value::Decimal(rounded(number, digits))
                })
            }
            Function::Abs => {
                number(&*first()?).map_or(Value::Null, |number| Value::Decimal(number.abs()))
            }
            Function::Length => match &*first()? {
                Value::Text(text) => whole(text.chars().count()),
                _ => Value::Null,
            },
            Function::Lower => cased(&*first()?, str::to_lowercase),
            Function::Upper => cased(&*first()?, str::to_uppercase),
            Function::Amount => match &*first()? {
                Value::Money { amount, .. } => Value::Decimal(*amount),
                _ => Value::Null,
            },
            Function::Currency => match &*first()? {
                Value::Money { currency, .. } => Value::Text(currency.clone()),
                _ => Value::Null,
            },
            Function::Year | Function::Month | Function::Day => match (function, &*first()?) {
                (Function::Year, Value::Date(date)) => Value::Int(date.year().into()),
                (Function::Month, Value::Date(date)) => Value::Int(date.month().into()),
                (Function::Day, Value::Date(date)) => Value::Int(date.day().into()),
                _ => Value::Null,
            },
        };
        Ok(Cow::Owned(value))
    }

    /// The smallest or largest of what is there.
    fn extreme(&self, function: Function, parts: &[Node]) -> Result<Value, OutOfRange> {
        let wanted = match function {
            Function::Min => Ordering::Less,
            _ => Ordering::Greater,
        };
        let mut best = Value::Null;
        for part in parts {
            let value = self.of(part)?;
            let better = best.is_empty() || ordered(&value, &best) == Some(wanted);
            if better && !value.is_empty() {
                best = value.into_owned();
            }
        }
        Ok(best)
    }
}

fn whole(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn cased(value: &Value, case: fn(&str) -> String) -> Value {
    value
        .as_text()
        .map_or(Value::Null, |text| Value::Text(case(text)))
}

/// `None` when one of them is missing.
fn ordered(a: &Value, b: &Value) -> Option<Ordering> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (
            Value::Money { amount, currency },
            Value::Money {
                amount: other,
                currency: of,
            },
        ) => (currency == of).then(|| amount.cmp(other)),
        _ => Some(number(a)?.cmp(&number(b)?)),
    }
}

/// As text, what is missing as none.
fn said(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Decimal(number) => Cow::Owned(number.normalize().to_string()),
        Value::Bool(flag) => Cow::Owned(flag.to_string()),
        Value::Date(date) => Cow::Owned(date.to_string()),
        Value::Time(time) => Cow::Owned(time.to_string()),
        _ => Cow::Borrowed(""),
    }
}

fn arithmetic(operator: Operator, a: &Value, b: &Value) -> Result<Value, OutOfRange> {
    match (a, b) {
        (Value::Date(a), Value::Date(b)) => {
            return Ok(Value::Int(a.duration_since(*b).as_hours() / 24));
        }
        (Value::Time(a), Value::Time(b)) => {
            let micros = a.as_microsecond().checked_sub(b.as_microsecond());
            let seconds = Decimal::new(micros.ok_or(OutOfRange)?, 6);
            return Ok(Value::Decimal(seconds));
        }
        _ => {}
    }
    let Some(by) = number(b) else {
        return Ok(Value::Null);
    };
    let moved = match operator {
        Operator::Subtract => -by,
        _ => by,
    };
    match a {
        Value::Date(date) => {
            let days = moved.floor().to_i64().ok_or(OutOfRange)?;
            let days = Span::new().try_days(days).map_err(|_| OutOfRange)?;
            return date
                .checked_add(days)
                .map(Value::Date)
                .map_err(|_| OutOfRange);
        }
        Value::Time(time) => {
            let micros = moved.checked_mul(Decimal::from(MICROS));
            let micros = micros.and_then(|micros| rounded(micros, 0).to_i64());
            let step = SignedDuration::from_micros(micros.ok_or(OutOfRange)?);
            return time
                .checked_add(step)
                .map(Value::Time)
                .map_err(|_| OutOfRange);
        }
        _ => {}
    }
    let Some(number) = number(a) else {
        return Ok(Value::Null);
    };
    let made = match operator {
        Operator::Add | Operator::Subtract => number.checked_add(moved),
        Operator::Multiply => number.checked_mul(by),
        // Dividing by nothing gives no value.
        _ if by.is_zero() => return Ok(Value::Null),
        _ => number.checked_div(by),
    };
    made.map(Value::Decimal).ok_or(OutOfRange)
}
