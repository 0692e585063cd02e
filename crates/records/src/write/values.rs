//! Steps 3 of a save and before: the inputs over the record as it was, secrets sealed, defaults.

use opsflux_model::schema::{DefaultValue, Entity, EntityIx, FieldIx, FieldType, system};
use opsflux_model::{Value, wire};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::WriteOptions;
use super::body::Input;
use super::change::Change;
use super::save::Saving;
use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::read::json::to_json;
use crate::records::Records;
use crate::rule::Snapshot;

/// The entity of legal entities.
const COMPANY_ENTITY: &str = "company";

/// Values and child rows after the inputs were applied.
pub(super) struct Applied {
    pub values: Vec<Value>,
    pub given: Vec<FieldIx>,
    pub children: Vec<(FieldIx, Vec<Map<String, Json>>)>,
}

impl Records {
    /// The inputs over the record as it was.
    pub(super) async fn apply(
        &self,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        errors: &mut Vec<FieldError>,
    ) -> Result<Applied, Error> {
        let empty = || vec![Value::Null; entity.fields.len()];
        let mut applied = Applied {
            values: saving
                .before
                .as_ref()
                .map_or_else(empty, |before| before.values.clone()),
            given: Vec::new(),
            children: Vec::new(),
        };
        for (ix, input) in &saving.inputs {
            applied.given.push(*ix);
            let place = usize::from(ix.0);
            let field = entity.field(*ix);
            let value = match input {
                Input::To(value) => value.clone(),
                Input::Members { add, remove } => {
                    let value = members(&applied.values[place], add, remove);
                    // Each request keeps the limits, many of them must as well.
                    if let Err(invalid) = wire::parse(&field.kind, &to_json(&value)) {
                        errors.push(FieldError::of(&field.name, invalid));
                        continue;
                    }
                    value
                }
                Input::Children(rows) => {
                    applied.children.push((*ix, rows.clone()));
                    continue;
                }
                Input::Number(number) => {
                    let FieldType::Link(link) = &field.kind else {
                        continue;
                    };
                    match self.by_number(caller, link.to, number).await? {
                        Some(id) => Value::Id(id),
                        None => {
                            errors.push(FieldError::new(&field.name, "not_found", ""));
                            continue;
                        }
                    }
                }
            };
            applied.values[place] = self.sealed_value(caller, field, value, errors).await?;
        }
        Ok(applied)
    }

    /// A new record that has its owner's readers belongs to its owner's company, whoever makes it:
    /// a comment to that of its ticket.
    pub(super) async fn company_of_owner(
        &self,
        change: &Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        given: &[FieldIx],
        values: &mut [Value],
    ) -> Result<(), Error> {
        let company = entity.find(system::COMPANY);
        let (Some(company), Some(link)) = (company, entity.scope.owner) else {
            return Ok(());
        };
        if saving.before.is_some() || given.contains(&company) {
            return Ok(());
        }
        let schema = self.schema();
        let (to, id) = match (&values[usize::from(link.0)], &entity.field(link).kind) {
            (Value::Ref { entity, id }, _) => (schema.find(entity), *id),
            (Value::Id(id), FieldType::Link(link)) => (Some(link.to), *id),
            _ => return Ok(()),
        };
        let Some(to) = to else { return Ok(()) };
        // An owner that comes into being by the same change is the caller's like this one.
        if let Some(owner) = self.near(change, caller.tenant(), to, id).await? {
            values[usize::from(company.0)] = owner.get(&schema, system::COMPANY).clone();
        }
        Ok(())
    }

    /// A record, out of what was read around rows that are alike.
    async fn near(
        &self,
        change: &Change,
        tenant: i64,
        entity: EntityIx,
        id: Uuid,
    ) -> Result<Option<Snapshot>, Error> {
        let Some(nearby) = &change.nearby else {
            return self.snapshot(tenant, entity, id).await;
        };
        if let Some(known) = nearby.record(entity, id) {
            return Ok(known);
        }
        let read = self.snapshot(tenant, entity, id).await?;
        nearby.keep_record(entity, id, &read);
        Ok(read)
    }

    /// Secrets are sealed and passwords hashed before anything else sees them.
    async fn sealed_value(
        &self,
        caller: &Caller,
        field: &opsflux_model::Field,
        value: Value,
        errors: &mut Vec<FieldError>,
    ) -> Result<Value, Error> {
        match (&field.kind, &value) {
            (FieldType::Secret, Value::Text(clear)) => self
                .inner
                .sealer
                .seal(caller.tenant(), clear)
                .map(Value::Text)
                .map_err(Error::Internal),
            (FieldType::Password, Value::Text(clear)) => {
                // Hashing takes tens of milliseconds by design; never on a thread that serves.
                let (sealer, clear) = (self.inner.sealer.clone(), clear.clone());
                let hashed = tokio::task::spawn_blocking(move || sealer.hash_password(&clear))
                    .await
                    .map_err(|error| Error::Internal(error.to_string()))?;
                match hashed {
                    Ok(hash) => Ok(Value::Text(hash)),
                    Err((code, detail)) => {
                        errors.push(FieldError::new(&field.name, code, detail));
                        Ok(Value::Null)
                    }
                }
            }
            _ => Ok(value),
        }
    }

    /// Defaults of a new record, and what the engine keeps itself.
    pub(super) fn fill(
        &self,
        change: &Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        given: &[FieldIx],
        values: &mut [Value],
    ) {
        let now = Value::Time(change.now);
        let me = Value::from(Some(caller.user()).filter(|id| !id.is_nil()));
        let mut set = |name: &str, value: Value| {
            if let Some(ix) = entity.find(name) {
                values[usize::from(ix.0)] = value;
            }
        };
        if let Some(before) = &saving.before {
            set(system::VERSION, Value::Int(before.version + 1));
            set(system::UPDATED_AT, now);
            set(system::UPDATED_BY, me);
            return;
        }
        set(system::VERSION, Value::Int(1));
        set(system::CREATED_AT, now.clone());
        set(system::UPDATED_AT, now.clone());
        set(system::CREATED_BY, me.clone());
        set(system::UPDATED_BY, me.clone());
        let given_name = |name: &str| entity.find(name).is_some_and(|ix| given.contains(&ix));
        if !given_name(system::ID) {
            set(system::ID, Value::Id(self.new_id()));
        }
        if !given_name(system::COMPANY) {
            set(system::COMPANY, Value::from(caller.company));
        }
        // A company is its own: its members see it like everything of it.
        if entity.name == COMPANY_ENTITY
            && let (Some(id), Some(company)) =
                (entity.find(system::ID), entity.find(system::COMPANY))
        {
            values[usize::from(company.0)] = values[usize::from(id.0)].clone();
        }
        super::derived::none_yet(&self.schema(), saving.entity, values);
        for (ix, field) in entity.iter() {
            if given.contains(&ix) || field.system {
                continue;
            }
            let default = match (&field.default, &field.kind) {
                (_, FieldType::State { initial }) => Value::from(initial.as_str()),
                (DefaultValue::None, _) => continue,
                (DefaultValue::Constant(value), _) => value.clone(),
                (DefaultValue::Now, _) => now.clone(),
                (DefaultValue::Today, _) => Value::Date(caller.variables(change.now).today),
                (DefaultValue::Me, _) => me.clone(),
            };
            values[usize::from(ix.0)] = default;
        }
    }
}

/// The fields the calling engine sets itself.
pub(super) fn engine(entity: &Entity, options: &WriteOptions) -> Vec<(FieldIx, Input)> {
    let set = options.engine.iter();
    set.filter_map(|(name, value)| Some((entity.find(name)?, Input::To(value.clone()))))
        .collect()
}

fn members(current: &Value, add: &[Value], remove: &[Value]) -> Value {
    let mut items = match current {
        Value::Set(items) => items.clone(),
        _ => Vec::new(),
    };
    items.retain(|item| !remove.contains(item));
    for item in add {
        if !items.contains(item) {
            items.push(item.clone());
        }
    }
    Value::Set(items)
}
