//! Rows that engines keep, committed with the changes they stand for.

use opsflux_model::schema::EntityIx;
use opsflux_store::feed::NewEntry;
use opsflux_store::{Guard, Write};
use uuid::Uuid;

use super::change::Change;
use super::{BulkOperation, WriteOptions};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// What is committed with a change: rows of log entities, what must hold for them, what others are
/// told. An engine stores with it where it stands, so that a change is made exactly once however
/// often the engine dies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Along {
    /// What must hold.
    pub guards: Vec<Guard>,
    /// Rows of log entities.
    pub writes: Vec<Write>,
    /// What others are told.
    pub feed: Vec<NewEntry>,
}

impl Along {
    pub(super) fn join(&self, change: &mut Change) {
        for guard in &self.guards {
            change.guard(guard.clone());
        }
        for write in &self.writes {
            change.write(write.clone());
        }
        change.commit.feed.extend(self.feed.iter().cloned());
    }
}

impl Records {
    /// Operations on records of several entities, with the rights of `caller`, and rows of an
    /// engine: all in one change or nothing. Answers the records, in order.
    ///
    /// # Errors
    /// [`Error::Bulk`] names the operation that cannot be done; `ConflictKind::Guard` the guard
    /// that did not hold.
    pub async fn change_along(
        &self,
        caller: &Caller,
        operations: &[(EntityIx, BulkOperation)],
        along: &Along,
    ) -> Result<Vec<Uuid>, Error> {
        let operations = operations.iter().map(|(entity, one)| (*entity, one));
        let options = WriteOptions::default();
        let done = self.carry_out_along(caller, operations, &options, false, along);
        Ok(done.await?.into_iter().map(|done| done.record).collect())
    }
}
