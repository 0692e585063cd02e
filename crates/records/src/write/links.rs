//! Links of a change: numbers become ids, targets must live, be visible and satisfy `where`.

use std::sync::Arc;

use opsflux_model::predicate::{Binder, Record, Step, Variables};
use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Access, Action, Condition, Operand, Predicate, Value};
use opsflux_store::{Guard, Output, Select};
use uuid::Uuid;

use super::change::Change;
use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::read::{By, query};
use crate::records::Records;
use crate::rule::Snapshot;

/// Prefix of the names of guards that hold a link's target alive; the field follows.
pub(super) const GUARD: &str = "link:";

/// Whose rights decide which targets may be named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// The caller's.
    Caller,
    /// The house's: companions of rules, rows of child tables.
    House,
}

impl Records {
    /// The id of the record with this number that the caller may link to.
    pub(super) async fn by_number(
        &self,
        caller: &Caller,
        to: EntityIx,
        number: &str,
    ) -> Result<Option<Uuid>, Error> {
        match self.resolve(caller, to, number).await {
            Ok(id) => Ok(Some(id)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks the targets that `field` gains and guards that they still live at the commit.
    #[allow(clippy::too_many_arguments)] // one link with everything that judges it
    pub(super) async fn check_link(
        &self,
        change: &mut Change,
        caller: &Caller,
        rights: Rights,
        entity: EntityIx,
        field: FieldIx,
        value: &Value,
        errors: &mut Vec<FieldError>,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let declared = schema.entity(entity).field(field);
        let (to, condition) = match &declared.kind {
            FieldType::Link(link) | FieldType::Links(link) => (link.to, link.condition.clone()),
            FieldType::File { .. } | FieldType::Image { .. } => {
                (self.entity_called("file")?, Default::default())
            }
            FieldType::AnyLink { to } => match any_target(&schema, to, value) {
                Some(to) => (to, Default::default()),
                None => {
                    errors.push(FieldError::new(&declared.name, "not_found", ""));
                    return Ok(());
                }
            },
            _ => return Ok(()),
        };
        let ids: Vec<Uuid> = match value {
            Value::Set(items) => items.iter().filter_map(Value::as_id).collect(),
            single => single.as_id().into_iter().collect(),
        };
        // A person may always name himself.
        let own = schema.entity(to).name == "user" && condition.is_trivial();
        // Nor is a record that comes into being by the same change looked for in the database.
        let ids: Vec<Uuid> = ids
            .into_iter()
            .filter(|id| !(change.brings(to, *id) || own && *id == caller.user()))
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let variables = caller.variables(change.now);
        let wanted = bind_house(&schema, &variables, to, &condition)?;
        let linked = LinkedTo {
            tenant: caller.tenant(),
            entity,
            field,
            to,
        };
        let access = (rights == Rights::Caller).then_some(caller);
        let mut found = Vec::new();
        let mut unread = Vec::new();
        let nearby = change.nearby.clone().filter(|_| rights == Rights::Caller);
        for id in &ids {
            if nearby
                .as_ref()
                .is_some_and(|near| near.is_target(entity, field, *id))
            {
                found.push(*id);
                continue;
            }
            let read = change.read(to, *id);
            match read.and_then(|read| judged(&schema, access, &wanted, read)) {
                Some(true) => found.push(*id),
                Some(false) => {}
                None => unread.push(*id),
            }
        }
        let always = is_constant(schema.entity(to), &condition);
        match unread.as_slice() {
            [] => {}
            [id] if always && caller.companies.is_empty() => {
                found.extend(self.target(&schema, linked, access, &wanted, *id).await?);
            }
            unread => {
                let filter = targets(&schema, linked, access, &wanted, unread);
                let living = query::living(&schema, to, false);
                let limit = u32::try_from(unread.len()).unwrap_or(u32::MAX);
                found.extend(self.ids(linked.tenant, to, filter, living, limit).await?);
            }
        }
        if ids
            .iter()
            .any(|id| !found.contains(id) || change.deletes(to, *id))
        {
            errors.push(FieldError::new(&declared.name, "not_found", ""));
            return Ok(());
        }
        for id in ids {
            if let Some(nearby) = &nearby {
                nearby.keep_target(entity, field, id);
            }
            let name = format!("{GUARD}{}", declared.name);
            change.guard(Guard::Exists {
                name,
                entity: to,
                id,
                holds: wanted.clone(),
            });
        }
        Ok(())
    }
}

/// The target of a link that is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LinkedTo {
    tenant: i64,
    entity: EntityIx,
    field: FieldIx,
    to: EntityIx,
}

impl Records {
    /// The one target, when it may be named.
    async fn target(
        &self,
        schema: &Arc<Schema>,
        linked: LinkedTo,
        caller: Option<&Caller>,
        wanted: &Predicate,
        id: Uuid,
    ) -> Result<Vec<Uuid>, Error> {
        let access = caller.map(|caller| &caller.access);
        let plans = &self.inner.link_plans;
        let plan = plans.get(schema, access, linked, || {
            let stand_in = By::Id.stand_in();
            let (field, _) = self.is_addressed(linked.to, By::Id, stand_in.clone())?;
            let among: Vec<Uuid> = stand_in.as_id().into_iter().collect();
            let select = Select {
                tenant: linked.tenant,
                entity: linked.to,
                filter: targets(schema, linked, caller, wanted, &among),
                outputs: vec![Output::Field(field)],
                sort: Vec::new(),
                after: None,
                limit: 1,
                living: query::living(schema, linked.to, false),
            };
            let prepared = self
                .inner
                .store
                .prepare(&select, (linked.to, field), &stand_in);
            prepared.map_err(Error::from)
        })?;
        let mut found = Vec::new();
        self.inner
            .store
            .select_prepared(&plan, &Value::Id(id), self.inner.budget, |row| {
                found.extend(row.value(0)?.as_id());
                Ok::<_, Error>(())
            })
            .await?;
        Ok(found)
    }
}

/// Whether a living record that was read already may be named; none when that depends on other
/// records or on what was not read of it, so that the database must say.
fn judged(
    schema: &Schema,
    caller: Option<&Caller>,
    wanted: &Predicate,
    read: &Snapshot,
) -> Option<bool> {
    let visible = caller.map_or(Predicate::True, |caller| {
        query::rule(schema, caller, read.entity, Action::View)
    });
    let asked = wanted.clone().and(visible);
    is_of_itself(schema.entity(read.entity), &asked).then(|| asked.holds(schema, &Alone(read)))
}

/// Whether somebody sees a record, as far as it says so itself.
pub(crate) fn sees(schema: &Schema, access: &Access, record: &Snapshot) -> bool {
    let rule = access.rule(record.entity, Action::View).to_predicate();
    is_of_itself(schema.entity(record.entity), &rule) && rule.holds(schema, &Alone(record))
}

/// Whether a predicate asks only for what a snapshot holds of the record itself.
fn is_of_itself(entity: &Entity, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::True | Predicate::False => true,
        Predicate::All(parts) | Predicate::Any(parts) => {
            parts.iter().all(|part| is_of_itself(entity, part))
        }
        Predicate::Not(part) => is_of_itself(entity, part),
        Predicate::Test(test) => {
            let kind = &entity.field(test.path.field).kind;
            test.path.steps.is_empty() && !kind.is_virtual() && !kind.is_write_only()
        }
    }
}

/// A record whose surroundings were not read.
struct Alone<'a>(&'a Snapshot);

impl Record for Alone<'_> {
    fn value(&self, field: FieldIx) -> &Value {
        self.0.value(field)
    }

    fn follow(&self, _: &Step) -> Vec<Self> {
        Vec::new()
    }
}

/// Those of `ids` that satisfy the link's condition and, when a caller is named, that he sees.
fn targets(
    schema: &Schema,
    linked: LinkedTo,
    caller: Option<&Caller>,
    wanted: &Predicate,
    ids: &[Uuid],
) -> Predicate {
    let to = linked.to;
    let id_field = schema.entity(to).find(system::ID).unwrap_or(FieldIx(0));
    let ids = ids.iter().copied().map(Value::Id).collect();
    let among = Predicate::test(to, id_field, Operand::OneOf(ids));
    let visible = caller.map_or(Predicate::True, |caller| {
        query::rule(schema, caller, to, Action::View)
    });
    among.and(wanted.clone()).and(visible)
}

/// Whether a condition means the same whoever asks and whenever.
fn is_constant(entity: &Entity, condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().all(|part| is_constant(entity, part))
        }
        Condition::Not(part) => is_constant(entity, part),
        Condition::Test { field, .. } => {
            let kind = entity.find(field).map(|ix| &entity.field(ix).kind);
            matches!(
                kind,
                Some(FieldType::Choice { .. } | FieldType::State { .. } | FieldType::Boolean)
            )
        }
    }
}

/// Binds a declared condition with the rights of the house.
pub(super) fn bind_house(
    schema: &Schema,
    variables: &Variables,
    entity: EntityIx,
    condition: &Condition,
) -> Result<Predicate, Error> {
    Binder {
        schema,
        access: None,
        variables,
    }
    .bind(entity, condition)
    .map_err(|error| Error::Internal(error.to_string()))
}

/// The entity an any-link names, when it may.
fn any_target(schema: &Schema, allowed: &[EntityIx], value: &Value) -> Option<EntityIx> {
    let Value::Ref { entity, .. } = value else {
        return None;
    };
    let to = schema.find(entity)?;
    (allowed.is_empty() || allowed.contains(&to)).then_some(to)
}
