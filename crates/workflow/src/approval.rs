//! People decide: asking them, counting, and what follows when they do not answer.

use std::collections::BTreeSet;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::Along;
use opsflux_records::{Caller, ConflictKind, Error};
use opsflux_store::{Commit, CommitError, Guard, Write};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::action::{At, Failure};
use crate::course::{Course, Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::{Held, refused, some, wake};
use crate::flow::{ApprovalStep, Flow, OnTimeout, Quorum, later};
use crate::log::{Log, cut};
use crate::people;
use crate::published::derived;
use crate::step::{Outcome, Told};

/// Name of the entity.
pub(crate) const ENTITY: &str = "approval";
/// Name of the guard that nobody decided meanwhile.
const OPEN: &str = "approval.open";
/// The action that tells people something.
const TELLS: &str = "send_notification";
/// How often a vote is counted again because others voted at the same moment.
const ATTEMPTS: usize = 10;

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Decision {
    Approve,
    Reject,
}

impl Decision {
    pub fn code(self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::Reject => "reject",
        }
    }
}

impl Engine {
    /// Asks the people of an approval step, or looks what became of the question.
    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        step: &ApprovalStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        if let Leaf::Asked(id, due) = open.leaf {
            return self.answered(held, *id, *due, step, now).await;
        }
        let written = json!({
            "approvers": step.approvers,
            "title": step.title.as_deref().unwrap_or_default(),
            "message": step.message.as_deref().unwrap_or_default(),
        });
        let failed = |why: String| Outcome {
            told: Told {
                error: why.clone(),
                ..Told::default()
            },
            ..Outcome::of(Happened::Failed(why))
        };
        let filled = match self.filled(caller, held, open, &written).await? {
            Ok(filled) => filled,
            Err(why) => return Ok(failed(why)),
        };
        let requester = held.trigger.get("by").and_then(Json::as_str);
        let requester = requester.and_then(|id| Uuid::try_parse(id).ok());
        let named = people::find(&self.inner.records, held.tenant, &filled["approvers"]).await;
        let mut approvers = match named {
            Ok(people) => people,
            Err(Failure::Wrong(why)) => return Ok(failed(format!("approvers: {why}"))),
            Err(Failure::Error(error)) => return Err(error),
        };
        if !step.allow_self {
            approvers.retain(|person| Some(*person) != requester);
        }
        if approvers.is_empty() {
            return Ok(failed("approvers: there is nobody to decide".to_owned()));
        }
        let quorum = match step.quorum {
            Quorum::Any => 1,
            Quorum::All => approvers.len(),
            Quorum::Count(count) => count.min(approvers.len()),
        };
        let due = step
            .due
            .and_then(|span| later(now, span, &caller.time_zone));
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let id = derived(held.id, open.place.as_bytes());
        let title = match filled["title"].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => match held.title.as_str() {
                "" => held.name.clone(),
                title => format!("{} – {title}", held.name),
            },
        };
        let entity = held
            .subject
            .map(|subject| schema.entity(subject.entity).name.clone());
        let values = vec![
            ("title", cut(&title, 300).into()),
            (
                "message",
                some(filled["message"].as_str().unwrap_or_default()),
            ),
            ("status", "PENDING".into()),
            ("workflow", held.workflow.into()),
            ("execution", held.id.into()),
            ("place", cut(&open.place, 300).into()),
            ("entity", entity.map_or(Value::Null, Value::Text)),
            (
                "record",
                held.subject
                    .map_or(Value::Null, |subject| subject.id.to_string().into()),
            ),
            ("subject", some(&cut(&held.title, 300))),
            ("requester", requester.into()),
            (
                "approvers",
                Value::Set(approvers.iter().copied().map(Value::Id).collect()),
            ),
            ("quorum", i64::try_from(quorum).unwrap_or(i64::MAX).into()),
            ("agreed", 0.into()),
            ("refused", 0.into()),
            ("due_at", due.map_or(Value::Null, Value::Time)),
        ];
        let mut along = Along {
            writes: vec![log.insert(id, now, values)?],
            ..Along::default()
        };
        let told = json!({
            "to": approvers, "title": title, "message": filled["message"],
            "action": {"approval": id},
        });
        self.tell_people(caller, held, open, told, now, &mut along)
            .await?;
        Ok(Outcome {
            along,
            told: Told {
                output: json!({"approval": id, "approvers": approvers, "quorum": quorum}),
                ..Told::default()
            },
            ..Outcome::of(Happened::Waits(Leaf::Asked(id, due)))
        })
    }

    /// Tells people that they are asked, where there is a room that can.
    async fn tell_people(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        told: Json,
        now: Timestamp,
        along: &mut Along,
    ) -> Result<(), Error> {
        let (Some(tells), Json::Object(told)) = (self.inner.actions.get(TELLS), told) else {
            return Ok(());
        };
        let subject = self.subject(caller, held).await?;
        let at = At {
            records: &self.inner.records,
            caller,
            subject: subject.as_ref(),
            execution: held.id,
            workflow: &held.name,
            place: &open.place,
            attempt: 1,
            now,
        };
        match tells.act(&at, told).await {
            Ok(act) => {
                along.writes.extend(act.along.writes);
                along.feed.extend(act.along.feed);
                Ok(())
            }
            Err(Failure::Error(error)) => Err(error),
            // The question stands in the list of those asked anyway.
            Err(Failure::Wrong(why)) => {
                tracing::warn!(execution = %held.id, why, "nobody could be told of a question");
                Ok(())
            }
        }
    }

    /// What became of a question.
    async fn answered(
        &self,
        held: &Held,
        id: Uuid,
        due: Option<Timestamp>,
        step: &ApprovalStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let row = records.snapshot(held.tenant, log.ix, id).await?;
        let status = row
            .as_ref()
            .and_then(|row| row.get(&schema, "status").as_text());
        let output = |decision: &str| json!({"decision": decision, "approval": id});
        let outcome = |happened: Happened, output: Json| Outcome {
            told: Told {
                output,
                ..Told::default()
            },
            ..Outcome::of(happened)
        };
        Ok(match status {
            Some("APPROVED") => outcome(Happened::Done(output("approve")), output("approve")),
            Some("REJECTED") => outcome(Happened::Refused(output("reject")), output("reject")),
            Some("PENDING") if due.is_some_and(|due| due <= now) => {
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
                outcome
            }
            // Woken for something else.
            Some("PENDING") => Outcome::of(Happened::Waits(Leaf::Asked(id, due))),
            _ => Outcome::of(Happened::Failed("the question is gone".to_owned())),
        })
    }

    /// The open steps whose people have decided.
    pub(crate) async fn decided(&self, held: &Held) -> Result<BTreeSet<String>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let mut decided = BTreeSet::new();
        for open in held.course.open(&held.flow) {
            if let Leaf::Asked(id, _) = open.leaf {
                let row = records.snapshot(held.tenant, log.ix, *id).await?;
                let status = row
                    .as_ref()
                    .and_then(|row| row.get(&schema, "status").as_text());
                if matches!(status, Some("APPROVED" | "REJECTED")) {
                    decided.insert(open.place.clone());
                }
            }
        }
        Ok(decided)
    }

    /// Takes back the questions that a course no longer waits for.
    pub(crate) fn take_back(
        &self,
        flow: &Flow,
        before: &Course,
        after: &Course,
        but: &str,
        now: Timestamp,
    ) -> Result<Vec<Write>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let asked = |course: &Course| {
            let open = course.open(flow);
            let asked = open.iter().filter_map(|open| match open.leaf {
                Leaf::Asked(id, _) if open.place != but => Some(*id),
                _ => None,
            });
            asked.collect::<BTreeSet<Uuid>>()
        };
        let (was, is) = (asked(before), asked(after));
        let gone = was.difference(&is).map(|id| {
            let set = vec![("status", "CANCELLED".into()), ("decided_at", now.into())];
            log.update(*id, set)
        });
        gone.collect()
    }

    /// One person's decision. Counts once, and none after the question is closed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whoever is not asked; `ConflictKind::Guard` when it is closed or he
    /// has decided before.
    pub(crate) async fn vote(
        &self,
        caller: &Caller,
        id: Uuid,
        decision: Decision,
        comment: &str,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        for _ in 0..ATTEMPTS {
            let schema = records.schema();
            let log = Log::of(&schema, ENTITY)?;
            let row = records.snapshot(caller.tenant(), log.ix, id).await?;
            let row = row.filter(|row| is_asked(&schema, row, caller.user()));
            let row = row.ok_or(Error::NotFound)?;
            if row.get(&schema, "status").as_text() != Some("PENDING") {
                return Err(closed());
            }
            let commit = self.counted(caller, &row, decision, comment)?;
            match records.store().commit(commit).await {
                Ok(_) => {
                    self.inner.bell.notify_one();
                    let name = Some(ENTITY);
                    let reason = Some(comment).filter(|text| !text.is_empty());
                    let (user, action) = (Some(caller.user()), decision.code());
                    let tenant = caller.tenant();
                    return records
                        .audit(
                            tenant,
                            &caller.origin,
                            user,
                            action,
                            name,
                            Some(id),
                            "ok",
                            reason,
                        )
                        .await;
                }
                // Somebody else voted: counted again.
                Err(CommitError::Guard { .. } | CommitError::Retry) => {}
                Err(CommitError::Unique { .. }) => return Err(closed()),
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Error::Conflict(ConflictKind::Busy))
    }

    fn counted(
        &self,
        caller: &Caller,
        row: &Snapshot,
        decision: Decision,
        comment: &str,
    ) -> Result<Commit, Error> {
        let schema = self.inner.records.schema();
        let now = self.inner.records.now();
        let (log, votes) = (
            Log::of(&schema, ENTITY)?,
            Log::of(&schema, "approval_vote")?,
        );
        let number = |name: &str| row.get(&schema, name).as_int().unwrap_or(0);
        let asked = match row.get(&schema, "approvers") {
            Value::Set(people) => i64::try_from(people.len()).unwrap_or(i64::MAX),
            _ => 0,
        };
        let agrees = decision == Decision::Approve;
        let agreed = number("agreed") + i64::from(agrees);
        let refused = number("refused") + i64::from(!agrees);
        let mut set = vec![("agreed", agreed.into()), ("refused", refused.into())];
        let end = match (
            agreed >= number("quorum"),
            refused > asked - number("quorum"),
        ) {
            (true, _) => Some("APPROVED"),
            (false, true) => Some("REJECTED"),
            (false, false) => None,
        };
        let mut writes = Vec::new();
        if let Some(end) = end {
            set.extend([("status", end.into()), ("decided_at", now.into())]);
            let execution = row.get(&schema, "execution").as_id().unwrap_or_default();
            writes.push(wake(&schema, execution, now)?);
        }
        writes.push(log.update(row.id, set)?);
        let vote = vec![
            ("approval", row.id.into()),
            ("user", caller.user().into()),
            ("decision", decision.code().into()),
            ("comment", some(comment)),
        ];
        writes.push(votes.insert(self.inner.records.new_id(), now, vote)?);
        let as_counted = log
            .is("agreed", number("agreed"))?
            .and(log.is("refused", number("refused"))?);
        let mut guard = still_open(&log, row.id)?;
        if let Guard::Exists { holds, .. } = &mut guard {
            *holds = holds.clone().and(as_counted);
        }
        Ok(Commit {
            tenant: caller.tenant(),
            guards: vec![guard],
            writes,
            ..Commit::default()
        })
    }
}

fn still_open(log: &Log<'_>, id: Uuid) -> Result<Guard, Error> {
    Ok(Guard::Exists {
        name: OPEN.to_owned(),
        entity: log.ix,
        id,
        holds: log.is("status", "PENDING")?,
    })
}

fn is_asked(schema: &opsflux_model::Schema, row: &Snapshot, person: Uuid) -> bool {
    match row.get(schema, "approvers") {
        Value::Set(people) => people.contains(&Value::Id(person)),
        _ => false,
    }
}

fn closed() -> Error {
    let name = OPEN.to_owned();
    Error::Conflict(ConflictKind::Guard { name })
}
