//! What happens to a question nobody has answered: people are told again, somebody above them is
//! asked, and in the end it is decided as its step says.

use std::collections::BTreeSet;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_model::schema::Schema;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{ENTITY, Moments, Telling, people_in, people_set, still_open};
use crate::action::Failure;
use crate::course::{Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::Held;
use crate::flow::{ApprovalStep, OnTimeout, later};
use crate::log::Log;
use crate::people;
use crate::step::{Outcome, Told};

/// Votes of one question.
const MOST: u32 = 1_000;

fn outcome(happened: Happened, output: Json) -> Outcome {
    Outcome {
        told: Told {
            output,
            ..Told::default()
        },
        ..Outcome::of(happened)
    }
}

impl Engine {
    /// What became of a question, and what is to happen to it by itself.
    pub(super) async fn answered(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        id: Uuid,
        step: &ApprovalStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let row = records.snapshot(held.tenant, log.ix, id).await?;
        let output = |decision: &str| json!({"decision": decision, "approval": id});
        let Some(row) = row else {
            let why = "the question is gone".to_owned();
            return Ok(Outcome::of(Happened::Failed(why)));
        };
        let passed = |name: &str| matches!(row.get(&schema, name), Value::Time(at) if *at <= now);
        match row.get(&schema, "status").as_text() {
            Some("APPROVED") => Ok(outcome(
                Happened::Done(output("approve")),
                output("approve"),
            )),
            Some("REJECTED") => Ok(outcome(
                Happened::Refused(output("reject")),
                output("reject"),
            )),
            Some("PENDING") if passed("due_at") => {
                let told = output("expired");
                let happened = match step.on_timeout {
                    OnTimeout::Reject => Happened::Refused(told.clone()),
                    OnTimeout::Approve => Happened::Done(told.clone()),
                    OnTimeout::Fail => Happened::Failed("nobody decided in time".to_owned()),
                };
                let set = vec![("status", "EXPIRED".into()), ("decided_at", now.into())];
                let mut outcome = outcome(happened, told);
                outcome.along.guards.push(still_open(&log, id)?);
                outcome.along.writes.push(log.update(id, set)?);
                Ok(outcome)
            }
            Some("PENDING") if passed("escalate_at") => {
                self.escalated(caller, held, open, &row, step).await
            }
            Some("PENDING") if passed("remind_at") => {
                self.reminded(caller, held, open, &row, step).await
            }
            // Woken for something else.
            Some("PENDING") => {
                let next = moments(&schema, &row).next();
                Ok(Outcome::of(Happened::Waits(Leaf::Asked(id, next))))
            }
            _ => {
                let why = "the question is gone".to_owned();
                Ok(Outcome::of(Happened::Failed(why)))
            }
        }
    }

    /// Asks those above whoever has not answered, or whom the step names. So many must agree as
    /// before, and one of them may stand in for one who does not answer.
    async fn escalated(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        row: &Snapshot,
        step: &ApprovalStep,
    ) -> Result<Outcome, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let now = records.now();
        let silent = self.silent(&schema, held.tenant, row).await?;
        let named = match &step.escalate_to {
            None => self.managers(held.tenant, &silent).await?,
            Some(written) => {
                let found = match self.filled(caller, held, open, written).await? {
                    Ok(filled) => people::find(records, held.tenant, &filled).await,
                    Err(why) => Err(Failure::Wrong(why)),
                };
                match found {
                    Ok(people) => people,
                    Err(Failure::Error(error)) => return Err(error),
                    // It waits on for those who are asked; the row of the step says why.
                    Err(Failure::Wrong(why)) => {
                        tracing::warn!(execution = %held.id, why, "nobody to escalate to");
                        Vec::new()
                    }
                }
            }
        };
        let asked = people_in(row.get(&schema, "approvers"));
        let requester = row.get(&schema, "requester").as_id();
        let above: Vec<Uuid> = named
            .into_iter()
            .filter(|person| !asked.contains(person))
            .filter(|person| step.allow_self || Some(*person) != requester)
            .collect();
        let log = Log::of(&schema, ENTITY)?;
        let mut moments = moments(&schema, row);
        moments.escalate = Value::Null;
        let mut deputies = people_in(row.get(&schema, "deputies"));
        let standing_in = self.deputies_of(held.tenant, &above, now).await?;
        deputies.extend(standing_in.iter().map(|one| one.deputy));
        let set = vec![
            ("escalated_to", people_set(above.iter().copied())),
            ("deputies", people_set(deputies)),
            ("escalate_at", Value::Null),
        ];
        let told = json!({"approval": row.id, "escalated_to": above});
        let waits = Happened::Waits(Leaf::Asked(row.id, moments.next()));
        let mut outcome = outcome(waits, told);
        outcome.along.guards.push(still_open(&log, row.id)?);
        outcome.along.writes.push(log.update(row.id, set)?);
        let people: Vec<Uuid> = above
            .into_iter()
            .chain(
                standing_in
                    .iter()
                    .filter(|one| one.is_now(now))
                    .map(|one| one.deputy),
            )
            .collect();
        self.tell_again(
            caller,
            held,
            open,
            row,
            &people,
            "escalate_at",
            &mut outcome,
        )
        .await?;
        Ok(outcome)
    }

    /// Tells those who have not answered once more, and again after as long.
    async fn reminded(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        row: &Snapshot,
        step: &ApprovalStep,
    ) -> Result<Outcome, Error> {
        let schema = self.inner.records.schema();
        let now = self.inner.records.now();
        let log = Log::of(&schema, ENTITY)?;
        let again = step
            .remind
            .and_then(|span| later(now, span, &caller.time_zone));
        let mut moments = moments(&schema, row);
        moments.remind = again.map_or(Value::Null, Value::Time);
        let silent = self.silent(&schema, held.tenant, row).await?;
        let told = json!({"approval": row.id, "reminded": silent});
        let waits = Happened::Waits(Leaf::Asked(row.id, moments.next()));
        let mut outcome = outcome(waits, told);
        let set = vec![("remind_at", moments.remind.clone())];
        outcome.along.guards.push(still_open(&log, row.id)?);
        outcome.along.writes.push(log.update(row.id, set)?);
        let standing_in = self.deputies_of(held.tenant, &silent, now).await?;
        let people: Vec<Uuid> = silent
            .into_iter()
            .chain(
                standing_in
                    .iter()
                    .filter(|one| one.is_now(now))
                    .map(|one| one.deputy),
            )
            .collect();
        self.tell_again(caller, held, open, row, &people, "remind_at", &mut outcome)
            .await?;
        Ok(outcome)
    }

    #[allow(clippy::too_many_arguments)] // what is told of, and where it goes
    async fn tell_again(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        row: &Snapshot,
        people: &[Uuid],
        moment: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        if people.is_empty() {
            return Ok(());
        }
        let schema = self.inner.records.schema();
        let at = match row.get(&schema, moment) {
            Value::Time(at) => at.as_second(),
            _ => 0,
        };
        let telling = Telling {
            approval: row.id,
            title: row.get(&schema, "title").as_text().unwrap_or_default(),
            message: row.get(&schema, "message").as_text().unwrap_or_default(),
            by_mail: row.get(&schema, "by_mail").as_bool() == Some(true),
            // The moment tells this time from the others, and is the same when it is tried again.
            attempt: u32::try_from(at.rem_euclid(i64::from(u32::MAX))).unwrap_or(u32::MAX),
        };
        self.tell_people(caller, held, open, people, &telling, &mut outcome.along)
            .await
    }

    /// Those who are asked and have not answered, nor anybody for them.
    async fn silent(
        &self,
        schema: &Schema,
        tenant: i64,
        row: &Snapshot,
    ) -> Result<Vec<Uuid>, Error> {
        let voices = self.voices(schema, tenant, row.id).await?;
        let mut people = people_in(row.get(schema, "approvers"));
        people.extend(people_in(row.get(schema, "escalated_to")));
        people.retain(|person| !voices.contains(person));
        Ok(people)
    }

    /// For whom it was decided already.
    pub(super) async fn voices(
        &self,
        schema: &Schema,
        tenant: i64,
        approval: Uuid,
    ) -> Result<BTreeSet<Uuid>, Error> {
        let votes = Log::of(schema, "approval_vote")?;
        let of_it = votes.is("approval", approval)?;
        let rows = self
            .inner
            .records
            .find(tenant, votes.ix, of_it, MOST)
            .await?;
        let voice = |row: &Snapshot| {
            let voice = row.get(schema, "voice").as_id();
            voice.or_else(|| row.get(schema, "user").as_id())
        };
        Ok(rows.iter().filter_map(voice).collect())
    }

    async fn managers(&self, tenant: i64, people: &[Uuid]) -> Result<Vec<Uuid>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let user = Log::of(&schema, "user")?;
        let mut above = Vec::new();
        for person in people {
            let row = records.snapshot(tenant, user.ix, *person).await?;
            above.extend(row.and_then(|row| row.get(&schema, "manager").as_id()));
        }
        // Who has left decides nothing.
        match people::find(records, tenant, &json!(above)).await {
            Ok(people) => Ok(people),
            Err(Failure::Wrong(_)) => Ok(Vec::new()),
            Err(Failure::Error(error)) => Err(error),
        }
    }
}

fn moments(schema: &Schema, row: &Snapshot) -> Moments {
    let of = |name: &str| row.get(schema, name).clone();
    Moments {
        due: of("due_at"),
        escalate: of("escalate_at"),
        remind: of("remind_at"),
    }
}
