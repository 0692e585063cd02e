//! People decide: asking them, counting, and what follows when they do not answer.
//!
//! | file | part |
//! | --- | --- |
//! | `mod.rs` | asking, taking back |
//! | `due.rs` | reminding, escalating, what nobody answered in time |
//! | `vote.rs` | one person's decision, in his name or as somebody's deputy |
//! | `deputies.rs` | who stands in for whom |
//! | `link.rs` | deciding from a mail, without a session |

mod deputies;
mod due;
mod link;
mod vote;

pub(crate) use deputies::DELEGATION;
pub use deputies::Deputing;
pub(crate) use vote::{Via, Vote};

use std::collections::BTreeSet;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::write::Along;
use opsflux_records::{Caller, ConflictKind, Error};
use opsflux_store::{Guard, Write};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::action::{At, Failure};
use crate::course::{Course, Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::{Held, some};
use crate::flow::{ApprovalStep, Flow, Quorum, later};
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
/// The action that sends mail.
const MAILS: &str = "send_email";

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
        if let Leaf::Asked(id, _) = open.leaf {
            return self.answered(caller, held, open, *id, step, now).await;
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
        let at = |span: Option<jiff::Span>| {
            let at = span.and_then(|span| later(now, span, &caller.time_zone));
            at.map_or(Value::Null, Value::Time)
        };
        let moments = Moments {
            due: at(step.due),
            escalate: at(step.escalate),
            remind: at(step.remind),
        };
        let next = moments.next();
        let attempt = match open.leaf {
            Leaf::Due { attempt, .. } => *attempt,
            _ => 1,
        };
        let deputies = self.deputies_of(held.tenant, &approvers, now).await?;
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        // Asked anew, because a person wants the step done again, it is another question.
        let id = match attempt {
            1 => derived(held.id, open.place.as_bytes()),
            again => derived(held.id, format!("{}#{again}", open.place).as_bytes()),
        };
        let (stage, stages) = held.course.stage(&held.flow);
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
            ("stage", i64::try_from(stage).unwrap_or(i64::MAX).into()),
            ("stages", i64::try_from(stages).unwrap_or(i64::MAX).into()),
            ("self_allowed", step.allow_self.into()),
            ("by_mail", step.by_mail.into()),
            (
                "deputies",
                people_set(deputies.iter().map(|one| one.deputy)),
            ),
            ("due_at", moments.due.clone()),
            ("escalate_at", moments.escalate.clone()),
            ("remind_at", moments.remind.clone()),
        ];
        let mut along = Along {
            writes: vec![log.insert(id, now, values)?],
            ..Along::default()
        };
        let mut asked = approvers.clone();
        asked.extend(
            deputies
                .iter()
                .filter(|one| one.is_now(now))
                .map(|one| one.deputy),
        );
        asked.retain(|person| step.allow_self || Some(*person) != requester);
        let telling = Telling {
            approval: id,
            title: &title,
            message: filled["message"].as_str().unwrap_or_default(),
            by_mail: step.by_mail,
            attempt,
        };
        self.tell_people(caller, held, open, &asked, &telling, &mut along)
            .await?;
        Ok(Outcome {
            along,
            told: Told {
                output: json!({"approval": id, "approvers": approvers, "quorum": quorum}),
                ..Told::default()
            },
            ..Outcome::of(Happened::Waits(Leaf::Asked(id, next)))
        })
    }

    /// Tells people that they are asked, where there is a room that can: in the application, and
    /// by a mail of one's own when the step says so.
    async fn tell_people(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        people: &[Uuid],
        telling: &Telling<'_>,
        along: &mut Along,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let subject = self.subject(caller, held).await?;
        let at = At {
            records,
            caller,
            subject: subject.as_ref(),
            execution: held.id,
            workflow: &held.name,
            place: &open.place,
            attempt: telling.attempt,
            now: records.now(),
        };
        let mut acts = vec![(
            TELLS,
            json!({
                "to": people, "title": telling.title, "message": telling.message,
                "action": {"approval": telling.approval},
            }),
        )];
        if telling.by_mail {
            for person in people {
                acts.extend(self.letter(held, *person, telling).await?);
            }
        }
        for (name, given) in acts {
            let (Some(does), Json::Object(given)) = (self.inner.actions.get(name), given) else {
                continue;
            };
            match does.act(&at, given).await {
                Ok(act) => {
                    along.writes.extend(act.along.writes);
                    along.feed.extend(act.along.feed);
                }
                Err(Failure::Error(error)) => return Err(error),
                // The question stands in the list of those asked anyway.
                Err(Failure::Wrong(why)) => {
                    tracing::warn!(execution = %held.id, why, "somebody could not be told of a question");
                }
            }
        }
        Ok(())
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
}

fn still_open(log: &Log<'_>, id: Uuid) -> Result<Guard, Error> {
    Ok(Guard::Exists {
        name: OPEN.to_owned(),
        entity: log.ix,
        id,
        holds: log.is("status", "PENDING")?,
    })
}

/// What people are told.
struct Telling<'a> {
    approval: Uuid,
    title: &'a str,
    message: &'a str,
    by_mail: bool,
    /// Another for each time they are told.
    attempt: u32,
}

/// What is to happen to a question by itself, and when; null: never.
struct Moments {
    due: Value,
    escalate: Value,
    remind: Value,
}

impl Moments {
    fn next(&self) -> Option<Timestamp> {
        let all = [&self.due, &self.escalate, &self.remind];
        let moments = all.into_iter().filter_map(|value| match value {
            Value::Time(at) => Some(*at),
            _ => None,
        });
        moments.min()
    }
}

/// People as a field of links has them.
fn people_set(people: impl IntoIterator<Item = Uuid>) -> Value {
    let set: BTreeSet<Uuid> = people.into_iter().collect();
    match set.is_empty() {
        true => Value::Null,
        false => Value::Set(set.into_iter().map(Value::Id).collect()),
    }
}

/// The people in a field of links.
fn people_in(value: &Value) -> Vec<Uuid> {
    match value {
        Value::Set(people) => people.iter().filter_map(Value::as_id).collect(),
        _ => Vec::new(),
    }
}

fn closed() -> Error {
    let name = OPEN.to_owned();
    Error::Conflict(ConflictKind::Guard { name })
}
