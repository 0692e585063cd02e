//! Steps 5 to 7 of a save: is every value one its field may have, here, now, by this caller.

use opsflux_model::schema::{Entity, FieldIx, FieldType, system};
use opsflux_model::state::{MoveRefused, check_move};
use opsflux_model::{Value, wire};
use opsflux_store::Guard;

use super::change::Change;
use super::links::Rights;
use super::save::{Saving, value_of};
use crate::caller::Caller;
use crate::error::{ConflictKind, Error, FieldError};
use crate::read::json::to_json;
use crate::records::Records;

impl Records {
    #[allow(clippy::too_many_arguments)] // one record with everything that judges it
    pub(super) async fn validate(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        changed: &[FieldIx],
        values: &[Value],
        errors: &mut Vec<FieldError>,
    ) -> Result<(), Error> {
        let given: Vec<FieldIx> = saving.inputs.iter().map(|(ix, _)| *ix).collect();
        for (ix, field) in entity.iter() {
            let value = &values[usize::from(ix.0)];
            let judged = saving.before.is_none() || changed.contains(&ix) || given.contains(&ix);
            if field.required && judged && value.is_empty() && !field.kind.is_virtual() {
                errors.push(FieldError::new(&field.name, "required", ""));
                continue;
            }
            if !changed.contains(&ix) || value.is_empty() || field.system {
                continue;
            }
            // What a rule set is held to the same limits as what a request says.
            if !given.contains(&ix)
                && !field.kind.is_write_only()
                && let Err(invalid) = wire::parse(&field.kind, &to_json(value))
            {
                errors.push(FieldError::of(&field.name, invalid));
                continue;
            }
            let rights = if given.contains(&ix) {
                saving.rights
            } else {
                Rights::House
            };
            let gained = gained(saving.before.as_ref().map(|b| b.value(ix)), value);
            self.check_link(change, caller, rights, saving.entity, ix, &gained, errors)
                .await?;
            if let FieldType::Link(link) = &field.kind
                && link.acyclic
                && let (Some(target), Some(id)) =
                    (value.as_id(), value_of(entity, values, system::ID).as_id())
            {
                change.guard(Guard::Acyclic {
                    name: format!("{}.acyclic", field.name),
                    entity: saving.entity,
                    field: ix,
                    id,
                    target,
                });
            }
        }
        if given
            .iter()
            .any(|ix| entity.field(*ix).name == system::COMPANY)
        {
            let company = entity.find(system::COMPANY).unwrap_or(FieldIx(0));
            let value = values[usize::from(company.0)].clone();
            if saving.rights == Rights::Caller && !belongs(caller, &value) {
                errors.push(FieldError::new(system::COMPANY, "not_allowed", ""));
                return Ok(());
            }
            self.check_link(
                change,
                caller,
                saving.rights,
                saving.entity,
                company,
                &value,
                errors,
            )
            .await?;
        }
        Ok(())
    }
}

/// Whether the caller acts in the company a record is said to belong to. What is his own he may
/// make anywhere he may be, not in companies he merely knows of. An administrator is everywhere.
fn belongs(caller: &Caller, company: &Value) -> bool {
    let memberships = &caller.access.principal.memberships;
    memberships.is_empty()
        || caller.access.is_admin()
        || memberships
            .iter()
            .any(|held| held.company.is_none() || held.company == company.as_id())
}

/// What of a value is new: links that were there before are not judged again.
fn gained(before: Option<&Value>, after: &Value) -> Value {
    match (before, after) {
        (Some(Value::Set(had)), Value::Set(has)) => Value::Set(
            has.iter()
                .filter(|item| !had.contains(item))
                .cloned()
                .collect(),
        ),
        _ => after.clone(),
    }
}

pub(super) fn check_state(
    entity: &Entity,
    saving: &Saving<'_>,
    values: &[Value],
) -> Result<(), Error> {
    let Some(field) = entity.state_field() else {
        return Ok(());
    };
    let FieldType::State { initial } = &entity.field(field).kind else {
        return Ok(());
    };
    if saving.options.import_state {
        return Ok(());
    }
    let to = values
        .get(usize::from(field.0))
        .and_then(Value::as_text)
        .unwrap_or(initial);
    let from = match &saving.before {
        Some(before) => before.value(field).as_text().unwrap_or(initial),
        None => initial,
    };
    let name = &entity.field(field).name;
    static NULL: Value = Value::Null;
    let value = |ix: FieldIx| values.get(usize::from(ix.0)).unwrap_or(&NULL);
    match check_move(entity, Some(from), to, value) {
        Ok(()) => Ok(()),
        Err(MoveRefused::Unknown(_)) => {
            let known: Vec<_> = entity.states.iter().map(|s| s.name.as_str()).collect();
            Err(Error::field(name, "not_an_option", known.join(", ")))
        }
        Err(MoveRefused::NotAllowed { allowed, .. }) => Err(Error::Conflict(ConflictKind::State {
            field: name.clone(),
            allowed,
        })),
        Err(MoveRefused::Requires { missing, .. }) => Err(Error::Invalid(
            missing
                .into_iter()
                .map(|ix| FieldError::new(&entity.field(ix).name, "required", to))
                .collect(),
        )),
    }
}
