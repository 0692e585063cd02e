//! A condition bound to a schema: typed, resolved, with the reader's rights inside.
//!
//! Meaning (decisions §20): two-valued logic. Every leaf is a positive statement that is false
//! when a value is missing; `ne`, `not_in` and `not` are exact complements, so negation is the
//! one node [`Predicate::Not`]. A path through a link the reader may not follow is null, because
//! each [`Step`] carries the rule of the entity it enters.
//!
//! The store renders this tree to SQL for both databases, [`Predicate::holds`] evaluates it in
//! memory; a property test holds them together.

use jiff::{Timestamp, civil};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::access::{Access, Rule};
use crate::condition::{Condition, ConditionError, Op};
use crate::fold::fold;
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Schema};
use crate::value::Value;
use crate::wire;

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

/// What `@me` and its kin stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Variables {
    /// `@me`.
    pub me: Uuid,
    /// `@my_groups`.
    pub my_groups: Vec<Uuid>,
    /// `@my_departments`, those below included.
    pub my_departments: Vec<Uuid>,
    /// `@now`.
    pub now: Timestamp,
    /// `@today` in the person's zone.
    pub today: civil::Date,
}

/// Binds conditions for one reader.
#[derive(Clone, Copy)]
pub struct Binder<'a> {
    /// Where names are found.
    pub schema: &'a Schema,
    /// The reader; `None` for rules of the house itself (declared conditions), which see all.
    pub access: Option<&'a Access>,
    /// What variables stand for.
    pub variables: &'a Variables,
}

impl Binder<'_> {
    /// Binds `condition` for records of `entity`.
    ///
    /// # Errors
    /// The first field, operator or value that does not fit. A field the reader may not refer to
    /// gives the same error as one that does not exist.
    pub fn bind(
        &self,
        entity: EntityIx,
        condition: &Condition,
    ) -> Result<Predicate, ConditionError> {
        self.bind_at(entity, condition, &mut String::new())
    }

    fn bind_at(
        &self,
        entity: EntityIx,
        condition: &Condition,
        at: &mut String,
    ) -> Result<Predicate, ConditionError> {
        let end = at.len();
        let mut each = |key: &str, parts: &[Condition]| {
            let mut bound = Vec::with_capacity(parts.len());
            for (place, part) in parts.iter().enumerate() {
                at.push_str(&format!("/{key}/{place}"));
                bound.push(self.bind_at(entity, part, at)?);
                at.truncate(end);
            }
            Ok(bound)
        };
        match condition {
            Condition::All(parts) => Ok(each("all", parts)?
                .into_iter()
                .fold(Predicate::True, Predicate::and)),
            Condition::Any(parts) => Ok(each("any", parts)?
                .into_iter()
                .fold(Predicate::False, Predicate::or)),
            Condition::Not(part) => {
                at.push_str("/not");
                let bound = self.bind_at(entity, part, at)?;
                at.truncate(end);
                Ok(negate(bound))
            }
            Condition::Test { field, op, value } => self.bind_test(entity, field, *op, value, at),
        }
    }

    /// Resolves a dotted path for reading: the last name is a field, the others are links.
    ///
    /// # Errors
    /// [`ConditionError::UnknownField`], also for what the reader may not refer to.
    pub fn path(&self, root: EntityIx, dotted: &str, at: &str) -> Result<Path, ConditionError> {
        let unknown = || ConditionError::UnknownField {
            at: if at.is_empty() {
                "/".to_owned()
            } else {
                at.to_owned()
            },
            field: dotted.to_owned(),
        };
        let mut entity = root;
        let mut steps = Vec::new();
        let mut names = dotted.split('.').peekable();
        while let Some(name) = names.next() {
            let declared = self.schema.entity(entity);
            if names.peek().is_none() {
                let field = self.readable(entity, name).ok_or_else(unknown)?;
                return Ok(Path {
                    steps,
                    entity,
                    field,
                });
            }
            let (hop, to) = match self.readable(entity, name) {
                Some(ix) => match &declared.field(ix).kind {
                    FieldType::Link(link) => (Hop::Link(ix), link.to),
                    FieldType::Links(link) => (Hop::Links(ix), link.to),
                    FieldType::Children { of, via } => (Hop::Inverse(*via), *of),
                    _ => return Err(unknown()),
                },
                None => {
                    let related = declared.find_related(name).ok_or_else(unknown)?;
                    let via = related.via;
                    let link = &self.schema.entity(related.entity).field(via).name;
                    self.readable(related.entity, link).ok_or_else(unknown)?;
                    let hop = if related.many_to_many {
                        Hop::InverseLinks(via)
                    } else {
                        Hop::Inverse(via)
                    };
                    (hop, related.entity)
                }
            };
            if steps.len() >= 4 {
                return Err(unknown());
            }
            steps.push(Step {
                hop,
                to,
                rule: Box::new(self.rule(to)),
            });
            entity = to;
        }
        Err(unknown())
    }

    /// The field called `name`, when the reader may refer to it.
    fn readable(&self, entity: EntityIx, name: &str) -> Option<FieldIx> {
        let ix = self.schema.entity(entity).find(name)?;
        let field = self.schema.entity(entity).field(ix);
        let allowed = self
            .access
            .is_none_or(|access| access.may_refer(entity, ix));
        (allowed && !field.kind.is_write_only()).then_some(ix)
    }

    fn rule(&self, entity: EntityIx) -> Predicate {
        self.access.map_or(Predicate::True, |access| {
            access
                .rule(entity, crate::access::Action::View)
                .to_predicate()
        })
    }

    fn bind_test(
        &self,
        entity: EntityIx,
        field: &str,
        op: Op,
        value: &Json,
        at: &str,
    ) -> Result<Predicate, ConditionError> {
        let path = self.path(entity, field, at)?;
        let target = self.schema.entity(path.entity);
        let declared = target.field(path.field);
        let kind = declared.kind.holds();
        let wrong_operator = || ConditionError::WrongOperator {
            at: if at.is_empty() {
                "/".to_owned()
            } else {
                at.to_owned()
            },
            field: field.to_owned(),
            kind: kind.name(),
            op: op.name(),
        };
        if !operators(kind).contains(&op) {
            return Err(wrong_operator());
        }
        let wrong_value = |reason: String| ConditionError::WrongValue {
            at: if at.is_empty() {
                "/".to_owned()
            } else {
                at.to_owned()
            },
            field: field.to_owned(),
            reason,
        };
        let read = |json: &Json| self.operand_values(kind, target, json).map_err(wrong_value);
        let one = |json: &Json| {
            let mut values = read(json)?;
            match values.pop() {
                Some(value) if values.is_empty() => Ok(value),
                _ => Err(wrong_value("exactly one value is needed".to_owned())),
            }
        };
        let test = |operand| {
            Predicate::Test(Test {
                path: path.clone(),
                operand,
            })
        };
        let folded = |json: &Json| {
            json.as_str()
                .map(fold)
                .ok_or_else(|| wrong_value("a text is needed".to_owned()))
        };
        Ok(match op {
            Op::Eq if value.is_null() => negate(test(Operand::Present)),
            Op::Ne if value.is_null() => test(Operand::Present),
            Op::Eq => test(Operand::OneOf(read(value)?)),
            Op::Ne => negate(test(Operand::OneOf(read(value)?))),
            Op::In => test(Operand::OneOf(many(value, read)?)),
            Op::NotIn => negate(test(Operand::OneOf(many(value, read)?))),
            Op::IsEmpty => match value {
                Json::Null | Json::Bool(true) => negate(test(Operand::Present)),
                Json::Bool(false) => test(Operand::Present),
                Json::String(text) if text == "true" || text.is_empty() => {
                    negate(test(Operand::Present))
                }
                Json::String(text) if text == "false" => test(Operand::Present),
                _ => return Err(wrong_value("true or false is needed".to_owned())),
            },
            Op::Lt | Op::Lte | Op::Gt | Op::Gte if value.is_null() => Predicate::False,
            Op::Contains if declared.kind.is_set() => test(Operand::OneOf(read(value)?)),
            Op::Contains => test(Operand::Contains(folded(value)?)),
            Op::StartsWith => test(Operand::StartsWith(folded(value)?)),
            Op::EndsWith => test(Operand::EndsWith(folded(value)?)),
            Op::Lt => compare(Order::Less, one(value)?, target, kind, &test),
            Op::Lte => compare(Order::LessOrEqual, one(value)?, target, kind, &test),
            Op::Gt => compare(Order::Greater, one(value)?, target, kind, &test),
            Op::Gte => compare(Order::GreaterOrEqual, one(value)?, target, kind, &test),
            // Meaningful only where there is a before image; the pipeline handles them there.
            Op::Changed | Op::ChangedFrom | Op::ChangedTo => return Err(wrong_operator()),
        })
    }

    /// The values `json` stands for: one, or several for `@my_groups` and its kin.
    fn operand_values(
        &self,
        kind: &FieldType,
        entity: &Entity,
        json: &Json,
    ) -> Result<Vec<Value>, String> {
        // Nothing equals nothing: a null among values is no value.
        if json.is_null() {
            return Ok(Vec::new());
        }
        if let Json::String(name) = json
            && let Some(variable) = name.strip_prefix('@')
            && let Some(values) = self.variable(kind, variable)
        {
            return Ok(values);
        }
        let single = match kind {
            FieldType::Choices { options } => &FieldType::Choice {
                options: options.clone(),
            },
            FieldType::Tags { .. } => &FieldType::Text {
                min: 1,
                max: 60,
                pattern: None,
            },
            FieldType::Links(_) => &FieldType::Id,
            FieldType::State { .. } => {
                let known = json
                    .as_str()
                    .is_some_and(|code| entity.states.iter().any(|state| state.name == code));
                if !known {
                    let names: Vec<_> = entity.states.iter().map(|s| s.name.as_str()).collect();
                    return Err(format!("one of {} is needed", names.join(", ")));
                }
                kind
            }
            // Comparing is not storing: limits on length do not apply.
            FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url => {
                &FieldType::Text {
                    min: 0,
                    max: 2048,
                    pattern: None,
                }
            }
            other => other,
        };
        let json = from_query_text(single, json);
        wire::parse(single, &json)
            .map(|value| vec![value])
            .map_err(|invalid| invalid.to_string())
    }

    fn variable(&self, kind: &FieldType, name: &str) -> Option<Vec<Value>> {
        let ids = |ids: &[Uuid]| ids.iter().copied().map(Value::Id).collect();
        let links = matches!(
            kind,
            FieldType::Link(_) | FieldType::Links(_) | FieldType::Id
        );
        match (name, kind) {
            ("me", _) if links => Some(vec![Value::Id(self.variables.me)]),
            ("my_groups", _) if links => Some(ids(&self.variables.my_groups)),
            ("my_departments", _) if links => Some(ids(&self.variables.my_departments)),
            ("now", FieldType::DateTime) => Some(vec![Value::Time(self.variables.now)]),
            ("today", FieldType::Date) => Some(vec![Value::Date(self.variables.today)]),
            ("today", FieldType::DateTime) => {
                let midnight = self
                    .variables
                    .today
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .ok()?;
                Some(vec![Value::Time(midnight.timestamp())])
            }
            _ => None,
        }
    }
}

/// Query strings carry only text: numbers and booleans are recognised by the field's type. A
/// plain day stands for its first instant, UTC, where an instant is compared.
fn from_query_text<'a>(kind: &FieldType, json: &'a Json) -> std::borrow::Cow<'a, Json> {
    use std::borrow::Cow;
    let Json::String(text) = json else {
        return Cow::Borrowed(json);
    };
    let parsed = match kind {
        FieldType::Integer { .. } | FieldType::Duration { .. } => {
            text.parse::<i64>().ok().map(Json::from)
        }
        FieldType::Boolean => text.parse::<bool>().ok().map(Json::from),
        FieldType::DateTime if text.len() == 10 => Some(Json::from(format!("{text}T00:00:00Z"))),
        FieldType::Money { .. } | FieldType::Geo | FieldType::AnyLink { .. } => {
            serde_json::from_str(text).ok()
        }
        _ => None,
    };
    parsed.map_or(Cow::Borrowed(json), Cow::Owned)
}

fn many(
    value: &Json,
    read: impl Fn(&Json) -> Result<Vec<Value>, ConditionError>,
) -> Result<Vec<Value>, ConditionError> {
    match value {
        Json::Array(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                values.extend(read(item)?);
            }
            Ok(values)
        }
        single => read(single),
    }
}

/// Choices and states compare in declared order, which is membership in a part of the options.
fn compare(
    order: Order,
    value: Value,
    entity: &Entity,
    kind: &FieldType,
    test: &impl Fn(Operand) -> Predicate,
) -> Predicate {
    let Some(codes) = declared_order(entity, kind) else {
        return test(Operand::Compare(order, value));
    };
    let place = codes.iter().position(|code| value.as_text() == Some(code));
    let kept = codes.iter().enumerate().filter(|(at, _)| {
        place.is_some_and(|place| match order {
            Order::Less => *at < place,
            Order::LessOrEqual => *at <= place,
            Order::Greater => *at > place,
            Order::GreaterOrEqual => *at >= place,
        })
    });
    test(Operand::OneOf(
        kept.map(|(_, code)| Value::from(*code)).collect(),
    ))
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

/// The operators a type knows, in the order an interface offers them.
#[must_use]
pub fn operators(kind: &FieldType) -> &'static [Op] {
    use Op::{Contains, EndsWith, Eq, Gt, Gte, In, IsEmpty, Lt, Lte, Ne, NotIn, StartsWith};
    match kind.holds() {
        FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url => &[
            Contains, Eq, Ne, StartsWith, EndsWith, In, NotIn, Gt, Gte, Lt, Lte, IsEmpty,
        ],
        FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Geo
        | FieldType::Json
        | FieldType::File { .. }
        | FieldType::Image { .. } => &[IsEmpty],
        FieldType::Integer { .. }
        | FieldType::Decimal { .. }
        | FieldType::Duration { .. }
        | FieldType::Date
        | FieldType::DateTime
        | FieldType::Choice { .. }
        | FieldType::State { .. } => &[Eq, Ne, In, NotIn, Gt, Gte, Lt, Lte, IsEmpty],
        FieldType::Money { .. } => &[Eq, Ne, Gt, Gte, Lt, Lte, IsEmpty],
        FieldType::Boolean => &[Eq, Ne, IsEmpty],
        FieldType::Color | FieldType::Link(_) | FieldType::AnyLink { .. } | FieldType::Id => {
            &[Eq, Ne, In, NotIn, IsEmpty]
        }
        FieldType::Choices { .. } | FieldType::Tags { .. } | FieldType::Links(_) => {
            &[Contains, Eq, Ne, In, NotIn, IsEmpty]
        }
        FieldType::Secret
        | FieldType::Password
        | FieldType::Children { .. }
        | FieldType::Computed { .. }
        | FieldType::Rollup { .. } => &[],
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
