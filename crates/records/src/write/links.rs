//! Links of a change: numbers become ids, targets must live, be visible and satisfy `where`.

use opsflux_model::predicate::Binder;
use opsflux_model::predicate::Variables;
use opsflux_model::schema::{EntityIx, FieldIx, FieldType, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use opsflux_store::Guard;
use uuid::Uuid;

use super::change::Change;
use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::read::query;
use crate::records::Records;

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
        let visible = match rights {
            Rights::Caller => query::rule(&schema, caller, to, Action::View),
            Rights::House => Predicate::True,
        };
        let id_field = schema.entity(to).find(system::ID).unwrap_or(FieldIx(0));
        let among = Predicate::test(
            to,
            id_field,
            Operand::OneOf(ids.iter().copied().map(Value::Id).collect()),
        );
        let living = query::living(&schema, to, false);
        let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let filter = among.and(wanted.clone()).and(visible);
        let found = self.ids(caller.tenant(), to, filter, living, limit).await?;
        if ids
            .iter()
            .any(|id| !found.contains(id) || change.deletes(to, *id))
        {
            errors.push(FieldError::new(&declared.name, "not_found", ""));
            return Ok(());
        }
        for id in ids {
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

/// Binds a declared condition with the rights of the house.
pub(super) fn bind_house(
    schema: &opsflux_model::Schema,
    variables: &Variables,
    entity: EntityIx,
    condition: &opsflux_model::Condition,
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
fn any_target(
    schema: &opsflux_model::Schema,
    allowed: &[EntityIx],
    value: &Value,
) -> Option<EntityIx> {
    let Value::Ref { entity, .. } = value else {
        return None;
    };
    let to = schema.find(entity)?;
    (allowed.is_empty() || allowed.contains(&to)).then_some(to)
}
