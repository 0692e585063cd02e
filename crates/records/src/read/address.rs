//! By what a record is addressed: its id, or the number of a numbered entity.

use opsflux_model::schema::{EntityIx, FieldIx, system};
use opsflux_model::{Action, Operand, Predicate, Value};
use uuid::Uuid;

use super::query;
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// What stands in a plan for the id.
const NO_ID: Uuid = Uuid::from_u128(0x9d3f_71c2_5b0e_4e6a_8f4d_2c71_e5a9_06b3);
/// What stands in a plan for the number: no number, and not its own key.
const NO_NUMBER: &str = "NO-SUCH-NUMBER-9D3F71C2";
/// Longest number.
const LONGEST: usize = 64;

/// By what a record is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Id,
    Number,
}

impl By {
    /// The field that holds it.
    fn field(self) -> &'static str {
        match self {
            By::Id => system::ID,
            By::Number => system::NUMBER,
        }
    }

    /// What stands for it in a plan: a value nothing has.
    pub fn stand_in(self) -> Value {
        match self {
            By::Id => Value::Id(NO_ID),
            By::Number => Value::from(NO_NUMBER),
        }
    }
}

impl Records {
    /// What `reference` means.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is neither.
    pub(crate) fn address(&self, entity: EntityIx, reference: &str) -> Result<(By, Value), Error> {
        match Uuid::try_parse(reference) {
            Ok(id) => Ok((By::Id, Value::Id(id))),
            Err(_) => {
                let numbered = self.schema().entity(entity).number.is_some();
                if numbered && reference.len() <= LONGEST {
                    Ok((By::Number, Value::from(reference)))
                } else {
                    Err(Error::NotFound)
                }
            }
        }
    }

    /// That a record is the one addressed, and the field that says so.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the entity has no such field.
    pub(crate) fn is_addressed(
        &self,
        entity: EntityIx,
        by: By,
        value: Value,
    ) -> Result<(FieldIx, Predicate), Error> {
        let field = self.schema().entity(entity).find(by.field());
        let field = field.ok_or(Error::NotFound)?;
        let operand = Operand::OneOf(vec![value]);
        Ok((field, Predicate::test(entity, field, operand)))
    }

    /// The id of a living record the caller may see.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resolve(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
    ) -> Result<Uuid, Error> {
        let schema = self.schema();
        let (by, value) = self.address(entity, reference)?;
        let (_, filter) = self.is_addressed(entity, by, value)?;
        let filter = filter.and(query::rule(&schema, caller, entity, Action::View));
        let living = query::living(&schema, entity, false);
        let ids = self.ids(caller.tenant(), entity, filter, living, 1).await?;
        ids.first().copied().ok_or(Error::NotFound)
    }
}
