//! From a condition as written to a [`Predicate`]: names resolved, values typed, rights inside.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Hop, Operand, Order, Path, Predicate, Step, Test, declared_order, moment, negate};
use crate::access::Access;
use crate::condition::{Condition, ConditionError, Op};
use crate::fold::fold;
use crate::schema::{Entity, EntityIx, FieldIx, FieldType, Schema};
use crate::value::Value;
use crate::wire;

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
    /// The person's zone: where days begin.
    pub zone: TimeZone,
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

    /// A record may be called by its own name where that is no field of it: `deal.montant` of a
    /// deal, as texts of workflows say it too.
    fn below_itself<'d>(&self, root: EntityIx, dotted: &'d str) -> &'d str {
        let declared = self.schema.entity(root);
        match dotted.split_once('.') {
            Some((own, rest))
                if own == declared.name
                    && declared.find(own).is_none()
                    && declared.find_related(own).is_none() =>
            {
                rest
            }
            _ => dotted,
        }
    }

    /// Resolves a dotted path for reading: the last name is a field, the others are links.
    ///
    /// # Errors
    /// [`ConditionError::UnknownField`], also for what the reader may not refer to.
    pub fn path(&self, root: EntityIx, dotted: &str, at: &str) -> Result<Path, ConditionError> {
        let unknown = || ConditionError::UnknownField {
            at: place(at),
            field: dotted.to_owned(),
        };
        let mut entity = root;
        let mut steps = Vec::new();
        let mut names = self.below_itself(root, dotted).split('.').peekable();
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
        let site = Site {
            at,
            field,
            kind,
            op,
        };
        if !operators(kind).contains(&op) {
            return Err(site.wrong_operator());
        }
        if matches!(kind, FieldType::DateTime)
            && let Some(compared) = moment::compared(&path, op, value, self.variables)
        {
            return compared.map_err(|reason| site.wrong_value(reason));
        }
        let read = |json: &Json| {
            let values = self.operand_values(kind, target, json);
            values.map_err(|reason| site.wrong_value(reason))
        };
        let ordered = |order| {
            let mut values = read(value)?;
            match values.pop() {
                Some(value) if values.is_empty() => Ok(compare(order, value, target, kind, &path)),
                _ => Err(site.wrong_value("exactly one value is needed".to_owned())),
            }
        };
        let test = |operand| leaf(&path, operand);
        let folded = || {
            let text = value.as_str().map(fold);
            text.ok_or_else(|| site.wrong_value("a text is needed".to_owned()))
        };
        Ok(match op {
            Op::Eq if value.is_null() => negate(test(Operand::Present)),
            Op::Ne if value.is_null() => test(Operand::Present),
            Op::Eq => test(Operand::OneOf(read(value)?)),
            Op::Ne => negate(test(Operand::OneOf(read(value)?))),
            Op::In => test(Operand::OneOf(many(value, read)?)),
            Op::NotIn => negate(test(Operand::OneOf(many(value, read)?))),
            Op::IsEmpty if site.truth(value)? => negate(test(Operand::Present)),
            Op::IsEmpty => test(Operand::Present),
            Op::Lt | Op::Lte | Op::Gt | Op::Gte if value.is_null() => Predicate::False,
            Op::Contains if declared.kind.is_set() => test(Operand::OneOf(read(value)?)),
            Op::Contains => test(Operand::Contains(folded()?)),
            Op::StartsWith => test(Operand::StartsWith(folded()?)),
            Op::EndsWith => test(Operand::EndsWith(folded()?)),
            Op::Lt => ordered(Order::Less)?,
            Op::Lte => ordered(Order::LessOrEqual)?,
            Op::Gt => ordered(Order::Greater)?,
            Op::Gte => ordered(Order::GreaterOrEqual)?,
            // Meaningful only where there is a before image; the pipeline handles them there.
            Op::Changed | Op::ChangedFrom | Op::ChangedTo => return Err(site.wrong_operator()),
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
        {
            let found = match kind {
                FieldType::Date => {
                    moment::day(name, self.variables).map(|day| vec![Value::Date(day)])
                }
                FieldType::DateTime => {
                    moment::moment(name, self.variables).map(|now| vec![Value::Time(now)])
                }
                _ => self.variable(kind, variable),
            };
            match found {
                Some(values) => return Ok(values),
                None if matches!(kind, FieldType::Date | FieldType::DateTime) => {
                    return Err(moment::USAGE.to_owned());
                }
                // A text may begin so.
                None => {}
            }
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
            _ => None,
        }
    }
}

/// One comparison as written, for its errors.
struct Site<'a> {
    at: &'a str,
    field: &'a str,
    kind: &'a FieldType,
    op: Op,
}

impl Site<'_> {
    fn wrong_operator(&self) -> ConditionError {
        ConditionError::WrongOperator {
            at: place(self.at),
            field: self.field.to_owned(),
            kind: self.kind.name(),
            op: self.op.name(),
        }
    }

    fn wrong_value(&self, reason: String) -> ConditionError {
        ConditionError::WrongValue {
            at: place(self.at),
            field: self.field.to_owned(),
            reason,
        }
    }

    /// The value of `is_empty`: nothing means true.
    fn truth(&self, value: &Json) -> Result<bool, ConditionError> {
        match value {
            Json::Null | Json::Bool(true) => Ok(true),
            Json::Bool(false) => Ok(false),
            Json::String(text) if text == "true" || text.is_empty() => Ok(true),
            Json::String(text) if text == "false" => Ok(false),
            _ => Err(self.wrong_value("true or false is needed".to_owned())),
        }
    }
}

fn place(at: &str) -> String {
    let root = if at.is_empty() { "/" } else { at };
    root.to_owned()
}

fn leaf(path: &Path, operand: Operand) -> Predicate {
    Predicate::Test(Test {
        path: path.clone(),
        operand,
    })
}

/// Query strings carry only text: numbers and booleans are recognised by the field's type.
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
    path: &Path,
) -> Predicate {
    let Some(codes) = declared_order(entity, kind) else {
        return leaf(path, Operand::Compare(order, value));
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
    let kept = kept.map(|(_, code)| Value::from(*code)).collect();
    leaf(path, Operand::OneOf(kept))
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
