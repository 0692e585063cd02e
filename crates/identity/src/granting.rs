//! What roles made in the tenant give: permissions and rights on fields, from the rows of
//! `role_permission` and `role_field`.
//!
//! A row is judged when it is saved ([`PermissionRule`], [`FieldRule`]) and read again whenever the
//! schema changes: one that speaks of something no longer declared then gives nothing.

use std::collections::HashMap;

use opsflux_model::access::{Action, FieldRight, Granted, GrantedPermission, Scope};
use opsflux_model::predicate::{Binder, Variables};
use opsflux_model::schema::{Entity, EntityIx};
use opsflux_model::{Condition, FieldIx, Schema, Value};
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use opsflux_records::table::{at, text_at};

/// Fields of a permission that [`granted`] reads, in order.
pub(crate) const PERMISSION: [&str; 5] = ["role", "app", "action", "scope", "condition"];
/// Fields of a right on a field that [`granted`] reads, in order.
pub(crate) const FIELD: [&str; 4] = ["role", "app", "field", "right"];

/// What each role gives, without its name.
pub(crate) fn granted(
    schema: &Schema,
    permissions: &[Vec<Value>],
    fields: &[Vec<Value>],
) -> HashMap<Uuid, Granted> {
    let mut given: HashMap<Uuid, Granted> = HashMap::new();
    let app = |row: &[Value]| schema.find_collection(&text_at(row, 1)?);
    for row in permissions {
        let permission = || {
            Some(GrantedPermission {
                entity: app(row)?,
                action: Action::parse(&text_at(row, 2)?)?,
                scope: Scope::parse(&text_at(row, 3)?)?,
                condition: condition(at(row, 4))?,
            })
        };
        if let (Some(role), Some(permission)) = (at(row, 0).as_id(), permission()) {
            given.entry(role).or_default().permissions.push(permission);
        }
    }
    for row in fields {
        let right = || {
            let entity = app(row)?;
            let field = schema.entity(entity).find(&text_at(row, 2)?)?;
            Some((entity, field, right_called(&text_at(row, 3)?)?))
        };
        if let (Some(role), Some(right)) = (at(row, 0).as_id(), right()) {
            given.entry(role).or_default().fields.push(right);
        }
    }
    given
}

fn right_called(name: &str) -> Option<FieldRight> {
    match name {
        "hidden" => Some(FieldRight::Hidden),
        "mask" => Some(FieldRight::Mask),
        "read" => Some(FieldRight::Read),
        "write" => Some(FieldRight::Write),
        _ => None,
    }
}

/// No condition is one that always holds.
fn condition(value: &Value) -> Option<Condition> {
    match value {
        Value::Json(json) if !json.is_null() => Condition::from_json(json).ok(),
        Value::Json(_) | Value::Null => Some(Condition::default()),
        _ => None,
    }
}

fn refusal(code: &'static str, field: &'static str, value: &str) -> Refusal {
    Refusal {
        code,
        params: Map::from_iter([("value".to_owned(), Json::from(value))]),
        field: Some(field),
        confirmable: false,
        errors: Vec::new(),
    }
}

/// The entity a row speaks of.
fn app<'s>(draft: &Draft<'s>) -> Result<(EntityIx, &'s Entity), Refusal> {
    let name = draft.get("app").as_text().unwrap_or_default().to_owned();
    let found = draft.schema.find_collection(&name);
    let ix = found.ok_or_else(|| refusal("base.unknown_app", "app", &name))?;
    Ok((ix, draft.schema.entity(ix)))
}

/// Roles that modules declare have their permissions there.
fn made_in_the_tenant(known: &Known, schema: &Schema) -> Result<(), Refusal> {
    let role = known.records(0).first();
    match role.map(|role| role.get(schema, "system").as_bool()) {
        Some(Some(true)) if known.user.is_some() => {
            let mut refused = refusal("base.declared_role", "role", "");
            refused.field = None;
            Err(refused)
        }
        _ => Ok(()),
    }
}

fn role(draft: &Draft<'_>) -> Vec<Need> {
    let role = draft.get("role").as_id();
    role.map(|id| Need::Record { entity: "role", id })
        .into_iter()
        .collect()
}

/// Permissions of roles made in the tenant.
pub(crate) struct PermissionRule;

impl Rule for PermissionRule {
    fn entity(&self) -> &'static str {
        "role_permission"
    }

    fn name(&self) -> &'static str {
        "role_permission"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        role(draft)
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        made_in_the_tenant(known, draft.schema)?;
        let (ix, entity) = app(draft)?;
        let scope = draft.get("scope").as_text().unwrap_or_default();
        let owned = entity.scope.owner.is_some();
        // What has an owner is seen with him, whatever the scope.
        let reaches = owned
            || match Scope::parse(scope) {
                Some(Scope::Own) => !entity.scope.own.is_empty(),
                Some(Scope::Department) => entity.scope.department.is_some(),
                Some(Scope::Company) => entity.scope.company.is_some(),
                Some(Scope::All) | None => true,
            };
        if !reaches {
            return Err(refusal("base.scope_without_anchor", "scope", scope));
        }
        let written = condition(draft.get("condition"));
        let bound = written.map(|condition| {
            Binder {
                schema: draft.schema,
                access: None,
                variables: &anybody(known),
            }
            .bind(ix, &condition)
        });
        match bound {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => {
                let why = error.to_string();
                Err(refusal("base.bad_condition", "condition", &why))
            }
            None => Err(refusal("base.bad_condition", "condition", "")),
        }
    }
}

/// What variables of a condition stand for while it is only judged.
fn anybody(known: &Known) -> Variables {
    let zone = jiff::tz::TimeZone::UTC;
    Variables {
        me: Uuid::nil(),
        my_groups: Vec::new(),
        my_departments: Vec::new(),
        now: known.now,
        today: known.now.to_zoned(zone.clone()).date(),
        zone,
    }
}

/// Rights on fields of roles made in the tenant.
pub(crate) struct FieldRule;

impl Rule for FieldRule {
    fn entity(&self) -> &'static str {
        "role_field"
    }

    fn name(&self) -> &'static str {
        "role_field"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        role(draft)
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        made_in_the_tenant(known, draft.schema)?;
        let (_, entity) = app(draft)?;
        let name = draft.get("field").as_text().unwrap_or_default();
        let found: Option<FieldIx> = entity.find(name);
        match found {
            Some(_) => Ok(()),
            None => Err(refusal("base.unknown_field", "field", name)),
        }
    }
}
