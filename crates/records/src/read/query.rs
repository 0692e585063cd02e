//! A list request: read from the query of an address, bound with the caller's rights.

use opsflux_model::predicate::Binder;
use opsflux_model::predicate::{Hop, Path, Step};
use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, Condition, Op, Predicate};
use opsflux_store::{Living, Sort};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::Error;

/// Rows of a page unless asked otherwise, and at most.
pub const DEFAULT_LIMIT: u32 = 50;
/// At most so many rows in a page.
pub const MAX_LIMIT: u32 = 500;

/// One list. Everything in it is checked when it is run, not before.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Conditions, all of which must hold, each with the parameter it came from.
    pub conditions: Vec<(String, Condition)>,
    /// Keys, `-` for descending; the entity's own when empty.
    pub sort: Vec<String>,
    /// Rows; [`DEFAULT_LIMIT`] when absent.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Names of the fields wanted; all when absent.
    pub fields: Option<Vec<String>>,
    /// Links whose records are wanted whole.
    pub expand: Vec<String>,
    /// Whether to count, up to 10,000.
    pub total: bool,
    /// Deleted records instead of living ones.
    pub deleted: bool,
    /// Full text.
    pub q: Option<String>,
    /// Records linked to one record.
    pub nested: Option<Nested>,
}

/// The records at the other end of a link to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nested {
    /// The link, of the entity that is listed.
    pub via: FieldIx,
    /// The record it must point at.
    pub to: EntityIx,
    /// Its id.
    pub id: Uuid,
}

impl ListRequest {
    /// Reads `FIELD=value`, `FIELD[op]=value`, `filter=`, `q=`, `sort=`, `limit=`, `cursor=`,
    /// `fields=`, `expand=`, `total=`, `deleted=`.
    ///
    /// # Errors
    /// The first parameter that is unknown or not well formed.
    pub fn from_query(entity: &Entity, query: &[(String, String)]) -> Result<ListRequest, Error> {
        let mut request = ListRequest::default();
        for (name, value) in query {
            match name.as_str() {
                "filter" => {
                    let json: Json = serde_json::from_str(value)
                        .map_err(|e| Error::query("filter", "invalid_value", e.to_string()))?;
                    let condition = Condition::from_json(&json)
                        .map_err(|error| Error::condition("filter", &error))?;
                    request.conditions.push(("filter".to_owned(), condition));
                }
                "q" => request.q = Some(value.trim().to_owned()).filter(|q| !q.is_empty()),
                "sort" => request.sort = names(value),
                "limit" => request.limit = Some(limit(value)?),
                "cursor" => request.cursor = Some(value.clone()),
                "fields" => request.fields = Some(names(value)),
                "expand" => request.expand = names(value),
                "total" => request.total = flag(name, value)?,
                "deleted" => request.deleted = flag(name, value)?,
                _ => {
                    let condition = field_condition(entity, name, value)?;
                    merge(&mut request.conditions, name, condition);
                }
            }
        }
        Ok(request)
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn limit(value: &str) -> Result<u32, Error> {
    value
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| Error::query("limit", "invalid_value", format!("1 to {MAX_LIMIT}")))
}

fn flag(name: &str, value: &str) -> Result<bool, Error> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Error::query(name, "invalid_value", "true or false")),
    }
}

/// `FIELD=value`, `FIELD[op]=value`; the field may be a dotted path.
fn field_condition(entity: &Entity, name: &str, value: &str) -> Result<Condition, Error> {
    let (field, op) = match name.split_once('[') {
        Some((field, rest)) => {
            let op = rest.strip_suffix(']').and_then(Op::parse).ok_or_else(|| {
                Error::query(
                    name,
                    "unknown_operator",
                    "eq ne gt gte lt lte contains starts_with ends_with in not_in is_empty",
                )
            })?;
            (field, op)
        }
        None => (name, Op::Eq),
    };
    let first = field.split('.').next().unwrap_or(field);
    if entity.find(first).is_none() && entity.find_related(first).is_none() {
        return Err(Error::query(
            name,
            "unknown_parameter",
            format!("there is no field “{first}”"),
        ));
    }
    let value = match op {
        Op::In | Op::NotIn => Json::Array(names(value).into_iter().map(Json::String).collect()),
        _ => Json::String(value.to_owned()),
    };
    Ok(Condition::Test {
        field: field.to_owned(),
        op,
        value,
    })
}

/// `in` may be repeated: its values are united. Any other repetition is one more condition.
fn merge(conditions: &mut Vec<(String, Condition)>, name: &str, condition: Condition) {
    if let Condition::Test {
        op: Op::In | Op::NotIn,
        value: Json::Array(more),
        ..
    } = &condition
    {
        let known = conditions.iter_mut().find(|(known, _)| known == name);
        if let Some((
            _,
            Condition::Test {
                value: Json::Array(values),
                ..
            },
        )) = known
        {
            values.extend(more.iter().cloned());
            return;
        }
    }
    conditions.push((name.to_owned(), condition));
}

/// Which rows: the caller's conditions within the caller's rule.
///
/// # Errors
/// A condition that does not bind.
pub fn filter(
    binder: &Binder<'_>,
    caller: &Caller,
    entity: EntityIx,
    request: &ListRequest,
) -> Result<Predicate, Error> {
    let mut filter = Predicate::True;
    if let Some(nested) = &request.nested {
        let id = opsflux_model::Value::Id(nested.id);
        let id = match &binder.schema.entity(entity).field(nested.via).kind {
            FieldType::AnyLink { .. } => opsflux_model::Value::Ref {
                entity: binder.schema.entity(nested.to).name.clone(),
                id: nested.id,
            },
            _ => id,
        };
        let operand = opsflux_model::Operand::OneOf(vec![id]);
        filter = filter.and(Predicate::test(entity, nested.via, operand));
    }
    for (parameter, condition) in &request.conditions {
        let bound = binder
            .bind(entity, condition)
            .map_err(|error| Error::condition(parameter, &error))?;
        filter = filter.and(bound);
    }
    let action = if request.deleted {
        Action::Delete
    } else {
        Action::View
    };
    Ok(filter.and(rule(binder.schema, caller, entity, action)))
}

/// The caller's rule for an action, narrowed to the companies the caller looks at.
#[must_use]
pub fn rule(schema: &Schema, caller: &Caller, entity: EntityIx, action: Action) -> Predicate {
    let rule = caller.access.rule(entity, action).to_predicate();
    match schema.entity(entity).scope.company {
        Some(company) if !caller.companies.is_empty() => {
            let ids = caller
                .companies
                .iter()
                .copied()
                .map(opsflux_model::Value::Id)
                .collect();
            let operand = opsflux_model::Operand::OneOf(ids);
            Predicate::test(entity, company, operand).and(rule)
        }
        _ => rule,
    }
}

/// Which rows count as there.
#[must_use]
pub fn living(schema: &Schema, entity: EntityIx, deleted: bool) -> Living {
    match (schema.entity(entity).kind, deleted) {
        (opsflux_model::schema::EntityKind::Log, _) => Living::Any,
        (_, true) => Living::Deleted,
        (_, false) => Living::Only,
    }
}

/// In which order, ending with the id so that no two rows tie.
///
/// # Errors
/// A key that is unknown, or of a type without order.
pub fn sort(
    binder: &Binder<'_>,
    entity: EntityIx,
    request: &ListRequest,
) -> Result<Vec<Sort>, Error> {
    let declared = binder.schema.entity(entity);
    let mut keys = Vec::new();
    if request.sort.is_empty() {
        // What the caller may not refer to does not order his lists either.
        let allowed = |key: &Sort| {
            binder
                .access
                .is_none_or(|access| access.may_refer(entity, key.path.field))
        };
        keys.extend(default_sort(declared, entity).into_iter().filter(allowed));
    }
    for name in &request.sort {
        let (name, descending) = match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let path = binder
            .path(entity, name, "")
            .map_err(|error| Error::condition("sort", &error))?;
        keys.push(Sort {
            path: sortable(binder, path, name)?,
            descending,
        });
    }
    if keys.len() > 5 {
        return Err(Error::query("sort", "invalid_value", "at most five keys"));
    }
    let id = declared.find(system::ID).unwrap_or(FieldIx(0));
    let by_id = |key: &Sort| key.path.steps.is_empty() && key.path.field == id;
    if let Some(place) = keys.iter().position(by_id) {
        keys.truncate(place + 1);
    } else {
        let descending = keys.last().is_some_and(|key| key.descending);
        keys.push(Sort::by(entity, id, descending));
    }
    Ok(keys)
}

fn default_sort(declared: &Entity, entity: EntityIx) -> Vec<Sort> {
    if !declared.list.sort.is_empty() {
        let own = declared.list.sort.iter();
        return own
            .map(|key| Sort::by(entity, key.field, key.descending))
            .collect();
    }
    declared
        .find(system::CREATED_AT)
        .map(|at| Sort::by(entity, at, true))
        .into_iter()
        .collect()
}

/// Links sort by the title of what they point at, through the rule of its entity.
fn sortable(binder: &Binder<'_>, path: Path, name: &str) -> Result<Path, Error> {
    let through_many = path
        .steps
        .iter()
        .any(|step| !matches!(step.hop, Hop::Link(_)));
    let field = binder.schema.entity(path.entity).field(path.field);
    let refused = || Error::query("sort", "not_sortable", format!("“{name}” has no order"));
    if through_many {
        return Err(refused());
    }
    match field.kind.holds() {
        FieldType::Link(link) => {
            let target = binder.schema.entity(link.to);
            let allowed = binder
                .access
                .is_none_or(|access| access.may_refer(link.to, target.title));
            if !allowed || matches!(target.field(target.title).kind, FieldType::Link(_)) {
                return Err(refused());
            }
            let rule = binder.access.map_or(Predicate::True, |access| {
                access.rule(link.to, Action::View).to_predicate()
            });
            let mut steps = path.steps;
            steps.push(Step {
                hop: Hop::Link(path.field),
                to: link.to,
                rule: Box::new(rule),
            });
            Ok(Path {
                steps,
                entity: link.to,
                field: target.title,
            })
        }
        kind if is_ordered(kind) => Ok(path),
        _ => Err(refused()),
    }
}

/// Whether values of a type have an order people expect.
#[must_use]
pub fn is_ordered(kind: &FieldType) -> bool {
    kind.has_key()
        || matches!(
            kind.holds(),
            FieldType::Id
                | FieldType::Integer { .. }
                | FieldType::Decimal { .. }
                | FieldType::Boolean
                | FieldType::Date
                | FieldType::DateTime
                | FieldType::Duration { .. }
                | FieldType::Choice { .. }
                | FieldType::State { .. }
                | FieldType::Link(_)
        )
}
