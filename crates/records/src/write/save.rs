//! Steps 3 to 9 of a save: one record, with its child rows and the companions of its rules.
//!
//! The steps themselves stand beside: `values` (inputs and defaults), `rules`, `checks`,
//! `family` (child rows and companions).

use futures::future::BoxFuture;
use opsflux_model::schema::{
    Entity, EntityIx, EntityKind, FieldIx, FieldType, NumberTemplate, system,
};
use opsflux_model::{Action, Value};
use opsflux_store::feed::FeedOp;
use opsflux_store::{Set, Write};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::WriteOptions;
use super::body::{self, Input};
use super::change::{Change, Touched};
use super::checks::check_state;
use super::derived;
use super::links::Rights;
use super::numbers::{Taken, render};
use super::values::engine;
use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::records::Records;
use crate::rule::Snapshot;

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
        change.once(entity, before.id)?;
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
        mut saving: Saving<'a>,
        mut errors: Vec<FieldError>,
    ) -> BoxFuture<'a, Result<Uuid, Error>> {
        Box::pin(async move {
            let schema = self.schema();
            let entity = schema.entity(saving.entity);
            let applied = self.apply(caller, entity, &saving, &mut errors).await?;
            let mut values = applied.values;
            self.fill(change, caller, entity, &saving, &applied.given, &mut values);
            self.company_of_owner(change, caller, entity, &saving, &applied.given, &mut values)
                .await?;
            let id = value_of(entity, &values, system::ID)
                .as_id()
                .unwrap_or_default();
            // Rules see values of the right types only.
            if !errors.is_empty() {
                return Err(invalid(&saving.prefix, errors));
            }
            let named = names_links(entity, &applied.given).then(|| values.clone());
            let ruled = self.run_rules(change, caller, &saving, id, values).await;
            let ruled = match ruled {
                Ok(ruled) => ruled,
                Err(refusal) => {
                    self.unseen(change, caller, entity, &saving, named).await?;
                    return Err(refusal);
                }
            };
            for guard in ruled.guards {
                change.guard(guard);
            }
            let companions = ruled.companions;
            if saving.rule.is_none() && !ruled.names.is_empty() {
                saving.rule = Some(ruled.names.join(", "));
            }
            let mut values = ruled.values;
            derived::compute(entity, &mut values, &mut errors);
            let changed = changed_fields(entity, saving.before.as_ref(), &values);
            self.validate(
                change,
                caller,
                entity,
                &saving,
                &changed,
                &values,
                &mut errors,
            )
            .await?;
            if !errors.is_empty() {
                return Err(invalid(&saving.prefix, errors));
            }
            check_state(entity, &saving, &values)?;
            if saving.before.is_none() {
                self.check_create(change, caller, &saving, &values).await?;
                self.number(change, caller, entity, &mut values).await?;
            }
            let changed = changed_fields(entity, saving.before.as_ref(), &values);
            let children_from = change.commit.writes.len();
            if saving.before.is_none() {
                self.write(change, entity, &saving, id, values, &changed)?;
                self.save_children(change, caller, entity, &saving, id, applied.children)
                    .await?;
            } else {
                self.save_children(change, caller, entity, &saving, id, applied.children)
                    .await?;
                let children_changed = change.commit.writes.len() > children_from;
                if !changed.is_empty() || children_changed {
                    self.write(change, entity, &saving, id, values, &changed)?;
                }
            }
            for companion in companions {
                self.save_companion(change, caller, &saving, companion)
                    .await?;
            }
            Ok(id)
        })
    }

    /// Refuses what the caller named and may not see, instead of saying what a rule said: it looks
    /// at it with the rights of the house, and why it refuses would tell of it.
    async fn unseen(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        values: Option<Vec<Value>>,
    ) -> Result<(), Error> {
        let Some(values) = values else { return Ok(()) };
        let mut errors = Vec::new();
        let changed = changed_fields(entity, saving.before.as_ref(), &values);
        self.validate(
            change,
            caller,
            entity,
            saving,
            &changed,
            &values,
            &mut errors,
        )
        .await?;
        match errors.iter().any(|error| error.code == "not_found") {
            true => Err(invalid(&saving.prefix, errors)),
            false => Ok(()),
        }
    }

    async fn number(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        values: &mut [Value],
    ) -> Result<(), Error> {
        let (Some(template), Some(ix)) = (&entity.number, entity.find(system::NUMBER)) else {
            return Ok(());
        };
        if change.is_trial {
            return Ok(());
        }
        let now = change.now;
        let number = self
            .next_number(&mut change.taken, caller.tenant(), entity, template, now)
            .await?;
        values[usize::from(ix.0)] = Value::Text(number);
        Ok(())
    }

    /// The next number of an entity.
    pub(super) async fn next_number(
        &self,
        taken: &mut Taken,
        tenant: i64,
        entity: &Entity,
        template: &NumberTemplate,
        at: jiff::Timestamp,
    ) -> Result<String, Error> {
        let (store, numbers) = (&self.inner.store, &self.inner.numbers);
        if !template.gapless {
            return numbers.next(store, tenant, entity, template, at).await;
        }
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let period = render(template, date, None);
        let number = taken.next(numbers, store, tenant, entity, &period);
        Ok(render(template, date, Some(number.await?)))
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
                let named = entity.iter().map(|(ix, _)| ix).zip(values);
                let values = named
                    .filter(|(ix, value)| stored(ix) && *value != Value::Null)
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
}

/// Whether links are among the fields given.
fn names_links(entity: &Entity, given: &[FieldIx]) -> bool {
    given.iter().any(|ix| {
        matches!(
            entity.field(*ix).kind,
            FieldType::Link(_) | FieldType::Links(_) | FieldType::AnyLink { .. }
        )
    })
}

pub(super) fn value_of<'a>(entity: &Entity, values: &'a [Value], name: &str) -> &'a Value {
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

fn invalid(prefix: &str, errors: Vec<FieldError>) -> Error {
    let named = errors.into_iter().map(|mut error| {
        error.field.insert_str(0, prefix);
        error
    });
    Error::Invalid(named.collect())
}
