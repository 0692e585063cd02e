//! Steps 3 to 9 of a save: one record, with its child rows and the companions of its rules.

use futures::future::BoxFuture;
use opsflux_model::schema::{
    DefaultValue, Entity, EntityIx, EntityKind, FieldIx, FieldType, system,
};
use opsflux_model::state::{MoveRefused, check_move};
use opsflux_model::{Action, Value, wire};
use opsflux_store::feed::FeedOp;
use opsflux_store::{Guard, Set, Write};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::body::{self, Input};
use super::change::{Change, Touched};
use super::links::Rights;
use super::{Confirm, Precondition, WriteOptions};
use crate::caller::Caller;
use crate::error::{ConflictKind, Error, FieldError};
use crate::read::json::to_json;
use crate::records::Records;
use crate::rule::{Companion, Draft, Snapshot};

/// Longest chain of companions, sub-tickets of sub-tickets for instance.
const MAX_DEPTH: u8 = 32;

/// One record to save.
pub(super) struct Saving<'a> {
    pub entity: EntityIx,
    pub before: Option<Snapshot>,
    pub inputs: Vec<(FieldIx, Input)>,
    pub rights: Rights,
    pub options: &'a WriteOptions,
    /// The rule that asked for it, when no person did.
    pub rule: Option<String>,
    /// Where the record stands inside the body: empty, or `lines[2].`.
    pub prefix: String,
    /// How many companions led here; each record is saved once, however many ask for it.
    pub depth: u8,
}

/// Values and child rows after the inputs were applied.
struct Applied {
    values: Vec<Value>,
    given: Vec<FieldIx>,
    children: Vec<(FieldIx, Vec<Map<String, Json>>)>,
}

impl Records {
    pub(super) async fn save_new(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: EntityIx,
        body: &Map<String, Json>,
        options: &WriteOptions,
    ) -> Result<Uuid, Error> {
        let schema = self.schema();
        let mut errors = Vec::new();
        let mut inputs = body::read(&schema, caller, entity, body, true, &mut errors);
        inputs.extend(engine(schema.entity(entity), options));
        let saving = Saving {
            entity,
            before: None,
            inputs,
            rights: Rights::Caller,
            options,
            rule: None,
            prefix: String::new(),
            depth: 0,
        };
        self.save(change, caller, saving, errors).await
    }

    pub(super) async fn save_patch(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        patch: &Map<String, Json>,
        options: &WriteOptions,
    ) -> Result<Uuid, Error> {
        self.authorize(caller, entity, Action::View)?;
        let before = self.load(caller, entity, reference, Action::Edit).await?;
        self.check_version(caller, &before, patch, options.precondition)
            .await?;
        let schema = self.schema();
        let mut errors = Vec::new();
        let mut inputs = body::read(&schema, caller, entity, patch, false, &mut errors);
        inputs.extend(engine(schema.entity(entity), options));
        let saving = Saving {
            entity,
            before: Some(before),
            inputs,
            rights: Rights::Caller,
            options,
            rule: None,
            prefix: String::new(),
            depth: 0,
        };
        self.save(change, caller, saving, errors).await
    }

    /// Saves one record into the change; answers its id. Boxed because companions and child rows
    /// are saved by it too.
    pub(super) fn save<'a>(
        &'a self,
        change: &'a mut Change,
        caller: &'a Caller,
        saving: Saving<'a>,
        mut errors: Vec<FieldError>,
    ) -> BoxFuture<'a, Result<Uuid, Error>> {
        Box::pin(async move {
            let schema = self.schema();
            let entity = schema.entity(saving.entity);
            let applied = self.apply(caller, entity, &saving, &mut errors).await?;
            let mut values = applied.values;
            self.fill(change, caller, entity, &saving, &applied.given, &mut values);
            let id = value_of(entity, &values, system::ID)
                .as_id()
                .unwrap_or_default();
            // Rules see values of the right types only.
            if !errors.is_empty() {
                return Err(invalid(&saving.prefix, errors));
            }
            let (values, guards, companions) =
                self.run_rules(change, caller, &saving, id, values).await?;
            for guard in guards {
                change.guard(guard);
            }
            let mut values = values;
            let changed = changed_fields(entity, saving.before.as_ref(), &values);
            self.validate(
                change,
                caller,
                entity,
                &saving,
                &changed,
                &mut values,
                &mut errors,
            )
            .await?;
            if !errors.is_empty() {
                return Err(invalid(&saving.prefix, errors));
            }
            check_state(entity, &saving, &values)?;
            if saving.before.is_none() {
                self.check_create(caller, &saving, &values).await?;
                self.number(caller, entity, change.now, &mut values).await?;
            }
            let changed = changed_fields(entity, saving.before.as_ref(), &values);
            let children_from = change.commit.writes.len();
            if saving.before.is_none() {
                self.write(change, entity, &saving, id, values.clone(), &changed)?;
                self.save_children(change, caller, entity, &saving, id, applied.children)
                    .await?;
            } else {
                self.save_children(change, caller, entity, &saving, id, applied.children)
                    .await?;
                let children_changed = change.commit.writes.len() > children_from;
                if !changed.is_empty() || children_changed {
                    self.write(change, entity, &saving, id, values.clone(), &changed)?;
                }
            }
            for companion in companions {
                self.save_companion(change, caller, &saving, companion)
                    .await?;
            }
            Ok(id)
        })
    }

    /// The inputs over the record as it was.
    async fn apply(
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
                Input::Members { add, remove } => members(&applied.values[place], add, remove),
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
    fn fill(
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

    /// Runs the rules of the entity over the draft.
    async fn run_rules(
        &self,
        change: &mut Change,
        caller: &Caller,
        saving: &Saving<'_>,
        id: Uuid,
        values: Vec<Value>,
    ) -> Result<(Vec<Value>, Vec<Guard>, Vec<Companion>), Error> {
        let schema = self.schema();
        let entity = schema.entity(saving.entity);
        let Some(rules) = self.inner.rules.get(&entity.name) else {
            return Ok((values, Vec::new(), Vec::new()));
        };
        let mut draft = Draft {
            schema: &schema,
            ix: saving.entity,
            id,
            before: saving.before.as_ref(),
            values,
            guards: Vec::new(),
            system: Vec::new(),
            companions: Vec::new(),
        };
        let confirmed = self.confirmed(caller, saving.options.confirm.as_ref(), id);
        for rule in rules {
            let needs = rule.needs(&draft);
            let known = self
                .known(caller, change.now, needs, confirmed.clone())
                .await?;
            rule.apply(&mut draft, &known)
                .map_err(|refusal| self.refusal(caller, id, refusal))?;
        }
        let Draft {
            values,
            guards,
            system,
            companions,
            ..
        } = draft;
        change.commit.system.extend(system);
        Ok((values, guards, companions))
    }

    #[allow(clippy::too_many_arguments)] // one record with everything that judges it
    async fn validate(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        changed: &[FieldIx],
        values: &mut [Value],
        errors: &mut Vec<FieldError>,
    ) -> Result<(), Error> {
        let given: Vec<FieldIx> = saving.inputs.iter().map(|(ix, _)| *ix).collect();
        for (ix, field) in entity.iter() {
            let value = values[usize::from(ix.0)].clone();
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
                && let Err(invalid) = wire::parse(&field.kind, &to_json(&value))
            {
                errors.push(FieldError::of(&field.name, invalid));
                continue;
            }
            let rights = if given.contains(&ix) {
                saving.rights
            } else {
                Rights::House
            };
            let gained = gained(saving.before.as_ref().map(|b| b.value(ix)), &value);
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

    async fn number(
        &self,
        caller: &Caller,
        entity: &Entity,
        now: jiff::Timestamp,
        values: &mut [Value],
    ) -> Result<(), Error> {
        let (Some(template), Some(ix)) = (&entity.number, entity.find(system::NUMBER)) else {
            return Ok(());
        };
        let store = &self.inner.store;
        let number = self
            .inner
            .numbers
            .next(store, caller.tenant(), entity, template, now)
            .await?;
        values[usize::from(ix.0)] = Value::Text(number);
        Ok(())
    }

    /// Adds the row, its audit and its feed entry.
    fn write(
        &self,
        change: &mut Change,
        entity: &Entity,
        saving: &Saving<'_>,
        id: Uuid,
        values: Vec<Value>,
        changed: &[FieldIx],
    ) -> Result<(), Error> {
        if entity.kind == EntityKind::Log {
            return Err(Error::Internal("a log is not saved".to_owned()));
        }
        let version = value_of(entity, &values, system::VERSION)
            .as_int()
            .unwrap_or(1);
        let stored = |ix: &FieldIx| !entity.field(*ix).kind.is_virtual();
        change.record(&Touched {
            entity: saving.entity,
            id,
            version,
            op: if saving.before.is_some() {
                FeedOp::Updated
            } else {
                FeedOp::Created
            },
            before: saving.before.as_ref(),
            after: Some(&values),
            fields: changed,
            rule: saving.rule.as_deref(),
        });
        let write = match &saving.before {
            None => {
                let filled = entity.iter().map(|(ix, _)| ix).filter(stored);
                let values = filled
                    .map(|ix| (ix, values[usize::from(ix.0)].clone()))
                    .filter(|(_, value)| *value != Value::Null)
                    .collect();
                Write::Insert {
                    entity: saving.entity,
                    values,
                }
            }
            Some(before) => {
                let kept = [system::VERSION, system::UPDATED_AT, system::UPDATED_BY];
                let engine = kept.into_iter().filter_map(|name| entity.find(name));
                let set = changed.iter().copied().filter(stored).chain(engine);
                let set = set
                    .map(|ix| (ix, Set::To(values[usize::from(ix.0)].clone())))
                    .collect();
                let expected_version = Some(before.version);
                Write::Update {
                    entity: saving.entity,
                    id,
                    expected_version,
                    set,
                }
            }
        };
        change.write(write);
        Ok(())
    }

    /// Rows of child tables: with an id changed, without added, those not named deleted.
    async fn save_children(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        owner: Uuid,
        tables: Vec<(FieldIx, Vec<Map<String, Json>>)>,
    ) -> Result<(), Error> {
        let schema = self.schema();
        for (field, rows) in tables {
            let declared = entity.field(field);
            let FieldType::Children { of, via } = declared.kind else {
                continue;
            };
            let existing = match saving.before {
                Some(_) => self.children(caller.tenant(), of, via, &[owner]).await?,
                None => Vec::new(),
            };
            let mut kept = Vec::new();
            for (place, mut row) in rows.into_iter().enumerate() {
                let prefix = format!("{}{}[{place}].", saving.prefix, declared.name);
                let id = row
                    .get(system::ID)
                    .and_then(Json::as_str)
                    .map(Uuid::try_parse);
                let before = match id {
                    Some(Ok(id)) => existing.iter().find(|row| row.id == id).cloned(),
                    _ => None,
                };
                if let Some(before) = &before {
                    kept.push(before.id);
                    row.remove(system::ID);
                }
                let mut errors = Vec::new();
                let mut inputs =
                    body::read(&schema, caller, of, &row, before.is_none(), &mut errors);
                inputs.retain(|(ix, _)| *ix != via);
                inputs.push((via, Input::To(Value::Id(owner))));
                let saving = Saving {
                    entity: of,
                    before,
                    inputs,
                    rights: Rights::House,
                    options: saving.options,
                    rule: saving.rule.clone(),
                    prefix,
                    depth: saving.depth,
                };
                self.save(change, caller, saving, errors).await?;
            }
            let deletion = (change.now, change.id);
            for gone in existing.iter().filter(|row| !kept.contains(&row.id)) {
                self.mark(change, gone, Some(deletion), None);
            }
        }
        Ok(())
    }

    async fn save_companion(
        &self,
        change: &mut Change,
        caller: &Caller,
        saving: &Saving<'_>,
        companion: Companion,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let entity = self.entity_called(&companion.entity)?;
        if saving.depth >= MAX_DEPTH || change.touches(entity, companion.id) {
            return Ok(());
        }
        let Some(before) = self.snapshot(caller.tenant(), entity, companion.id).await? else {
            return Ok(());
        };
        let declared = schema.entity(entity);
        let inputs = companion
            .set
            .into_iter()
            .filter_map(|(name, value)| declared.find(&name).map(|ix| (ix, Input::To(value))));
        let options = WriteOptions {
            precondition: Precondition::None,
            ..saving.options.clone()
        };
        let next = Saving {
            entity,
            before: Some(before),
            inputs: inputs.collect(),
            rights: Rights::House,
            options: &options,
            rule: Some(companion.rule.to_owned()),
            prefix: String::new(),
            depth: saving.depth + 1,
        };
        self.save(change, caller, next, Vec::new())
            .await
            .map(|_| ())
    }

    fn confirmed(&self, caller: &Caller, token: Option<&Confirm>, id: Uuid) -> Option<String> {
        let binding = crate::cursor::Binding::new("confirm")
            .with(caller.user())
            .with(id);
        let payload = self.inner.cursors.open(&token?.0, binding)?;
        String::from_utf8(payload).ok()
    }

    fn refusal(&self, caller: &Caller, id: Uuid, refusal: crate::rule::Refusal) -> Error {
        let code = refusal.code.to_owned();
        if !refusal.confirmable {
            let field = refusal.field.map(str::to_owned);
            return Error::Refused {
                code,
                params: refusal.params,
                field,
            };
        }
        let binding = crate::cursor::Binding::new("confirm")
            .with(caller.user())
            .with(id);
        match self.inner.cursors.seal(code.as_bytes(), binding) {
            Ok(token) => Error::Conflict(ConflictKind::Confirm {
                code,
                params: refusal.params,
                token,
            }),
            Err(error) => error,
        }
    }
}

/// Whether the caller acts in the company a record is said to belong to. What is his own he may
/// make anywhere he may be, not in companies he merely knows of.
fn belongs(caller: &Caller, company: &Value) -> bool {
    let memberships = &caller.access.principal.memberships;
    memberships.is_empty()
        || memberships
            .iter()
            .any(|held| held.company.is_none() || held.company == company.as_id())
}

/// The fields the calling engine sets itself.
fn engine(entity: &Entity, options: &WriteOptions) -> Vec<(FieldIx, Input)> {
    let set = options.engine.iter();
    set.filter_map(|(name, value)| Some((entity.find(name)?, Input::To(value.clone()))))
        .collect()
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

fn value_of<'a>(entity: &Entity, values: &'a [Value], name: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    entity
        .find(name)
        .and_then(|ix| values.get(usize::from(ix.0)))
        .unwrap_or(&NULL)
}

/// Declared fields whose value differs; for a new record those that have one. What the engine
/// keeps itself is no change.
fn changed_fields(entity: &Entity, before: Option<&Snapshot>, values: &[Value]) -> Vec<FieldIx> {
    let null = Value::Null;
    let differs = |ix: FieldIx| {
        let is = values.get(usize::from(ix.0)).unwrap_or(&null);
        let was = before.map_or(&null, |before| before.value(ix));
        // No value and an empty set are the same.
        is != was && !(is.is_empty() && was.is_empty() && !matches!(is, Value::Text(_)))
    };
    let own = |name: &str| {
        !matches!(name, system::ID | system::VERSION | system::CREATED_AT)
            && !matches!(
                name,
                system::UPDATED_AT | system::CREATED_BY | system::UPDATED_BY
            )
    };
    let fields = entity.iter().filter(|(_, field)| own(&field.name));
    fields.map(|(ix, _)| ix).filter(|ix| differs(*ix)).collect()
}

fn check_state(entity: &Entity, saving: &Saving<'_>, values: &[Value]) -> Result<(), Error> {
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

fn invalid(prefix: &str, errors: Vec<FieldError>) -> Error {
    let named = errors.into_iter().map(|mut error| {
        error.field.insert_str(0, prefix);
        error
    });
    Error::Invalid(named.collect())
}
