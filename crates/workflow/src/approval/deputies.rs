//! Who stands in for whom: a delegation names a deputy for a time. He finds the questions of whom
//! he stands in for among his own, and his vote says for whom it is.

use jiff::Timestamp;
use opsflux_model::predicate::Order;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::{Draft, Known, Refusal, Rule};
use opsflux_records::{Error, FieldError};
use opsflux_store::{Commit, CommitError};
use uuid::Uuid;

use super::{ENTITY, people_in, people_set, still_open};
use crate::engine::Engine;
use crate::execution::refused;
use crate::log::Log;

/// Name of the entity.
pub(crate) const DELEGATION: &str = "delegation";
/// Delegations and questions looked at for one person.
const MOST: u32 = 500;

/// One person standing in for another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deputation {
    pub person: Uuid,
    pub deputy: Uuid,
    starts: Timestamp,
    ends: Timestamp,
}

impl Deputation {
    pub fn is_now(&self, now: Timestamp) -> bool {
        self.starts <= now && now < self.ends
    }
}

/// What a delegation must be.
pub struct Deputing;

impl Rule for Deputing {
    fn entity(&self) -> &'static str {
        DELEGATION
    }

    fn name(&self) -> &'static str {
        "delegation.deputing"
    }

    fn apply(&self, draft: &mut Draft<'_>, _: &Known) -> Result<(), Refusal> {
        let mut wrong = Vec::new();
        if let (Value::Time(starts), Value::Time(ends)) =
            (draft.get("starts_at"), draft.get("ends_at"))
            && ends <= starts
        {
            wrong.push(FieldError::new("ends_at", "ends_before", ""));
        }
        let (person, deputy) = (draft.get("person").as_id(), draft.get("deputy").as_id());
        if person.is_some() && person == deputy {
            wrong.push(FieldError::new("deputy", "same_person", ""));
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Refusal::of(wrong)),
        }
    }
}

impl Engine {
    /// Who stands in for some people now, or will.
    pub(super) async fn deputies_of(
        &self,
        tenant: i64,
        people: &[Uuid],
        now: Timestamp,
    ) -> Result<Vec<Deputation>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        if people.is_empty() || schema.find(DELEGATION).is_none() {
            return Ok(Vec::new());
        }
        let log = Log::of(&schema, DELEGATION)?;
        let wanted = people.iter().copied().map(Value::Id).collect();
        let ends = Operand::Compare(Order::Greater, Value::Time(now));
        let wanted = Predicate::test(log.ix, log.field("person")?, Operand::OneOf(wanted))
            .and(Predicate::test(log.ix, log.field("ends_at")?, ends));
        let rows = records.find(tenant, log.ix, wanted, MOST).await?;
        let read = |row: &opsflux_records::rule::Snapshot| {
            let moment = |name: &str| match row.get(&schema, name) {
                Value::Time(at) => Some(*at),
                _ => None,
            };
            Some(Deputation {
                person: row.get(&schema, "person").as_id()?,
                deputy: row.get(&schema, "deputy").as_id()?,
                starts: moment("starts_at")?,
                ends: moment("ends_at")?,
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// A delegation came, changed or went: the questions its person is asked are shown to whoever
    /// stands in for him now, and to nobody else.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn deputies_moved(
        &self,
        tenant: i64,
        delegation: Uuid,
        version: i64,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, DELEGATION)?;
        // Also one that is deleted says for whom it was.
        let image = records.image(tenant, log.ix, delegation, version).await?;
        let person = image.and_then(|image| image.after.get(&schema, "person").as_id());
        let Some(person) = person else {
            return Ok(());
        };
        let asked = Log::of(&schema, ENTITY)?;
        let pending = asked.is("status", "PENDING")?;
        let of_him = asked
            .is("approvers", person)?
            .or(asked.is("escalated_to", person)?);
        let found = records
            .find(tenant, asked.ix, pending.and(of_him), MOST)
            .await?;
        for question in found {
            let mut people = people_in(question.get(&schema, "approvers"));
            people.extend(people_in(question.get(&schema, "escalated_to")));
            let standing_in = self.deputies_of(tenant, &people, records.now()).await?;
            let deputies = people_set(standing_in.iter().map(|one| one.deputy));
            if deputies == *question.get(&schema, "deputies") {
                continue;
            }
            let commit = Commit {
                tenant,
                guards: vec![still_open(&asked, question.id)?],
                writes: vec![asked.update(question.id, vec![("deputies", deputies)])?],
                ..Commit::default()
            };
            match records.store().commit(commit).await {
                // Decided meanwhile.
                Ok(_) | Err(CommitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Ok(())
    }
}
