//! Working on one open step: what becomes of it, with nothing done yet.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use opsflux_model::schema::EntityIx;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{Caller, ConflictKind, Error};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::action::{At, Failure};
use crate::course::{End, Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::Held;
use crate::facts::Asked;
use crate::flow::{RepeatStep, StepKind, WaitStep, later};
use crate::scope::{self, Scene};
use crate::template;
use crate::told::words;

/// Elements of a list that are worked off.
const MAX_ITEMS: usize = 1_000;
/// First pause between tries; doubled each time.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Longest pause between tries.
const LONGEST: SignedDuration = SignedDuration::from_secs(600);

/// What became of an open step.
pub(crate) struct Outcome {
    pub happened: Happened,
    pub operations: Vec<(EntityIx, BulkOperation)>,
    pub along: Along,
    pub told: Told,
}

/// What the row of a step says.
#[derive(Default)]
pub(crate) struct Told {
    pub input: Json,
    pub output: Json,
    pub error: String,
}

impl Outcome {
    pub fn of(happened: Happened) -> Outcome {
        Outcome {
            happened,
            operations: Vec::new(),
            along: Along::default(),
            told: Told::default(),
        }
    }

    pub fn failed(why: String, input: Json) -> Outcome {
        Outcome {
            told: Told {
                input,
                error: why.clone(),
                ..Told::default()
            },
            ..Outcome::of(Happened::Failed(why))
        }
    }
}

impl Engine {
    /// Works on one open step: what becomes of it, with nothing done yet.
    pub(crate) async fn work_on(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        match &open.step.kind {
            StepKind::Action(_) if matches!(open.leaf, Leaf::Sent(..)) => {
                self.sent(held, open).await
            }
            StepKind::Action(action) => {
                let found = self.inner.actions.get(action.action.as_str());
                let Some(does) = found else {
                    let why = format!("there is no action “{}”", action.action);
                    return Ok(Outcome::failed(why, Json::Null));
                };
                let written = Json::Object(action.params.clone());
                let given = match self.filled(caller, held, open, &written).await? {
                    Ok(Json::Object(given)) => given,
                    Ok(_) => serde_json::Map::new(),
                    Err(why) => return Ok(Outcome::failed(why, written)),
                };
                let input = Json::Object(given.clone());
                let subject = self.subject(caller, held).await?;
                let at = At {
                    records: &self.inner.records,
                    caller,
                    subject: subject.as_ref(),
                    execution: held.id,
                    workflow: &held.name,
                    place: &open.place,
                    attempt: attempt(open.leaf),
                    now,
                };
                match does.act(&at, given).await {
                    Ok(act) => Ok(Outcome {
                        happened: match act.sent.is_empty() {
                            false => Happened::Waits(Leaf::Sent(act.sent, attempt(open.leaf))),
                            true => Happened::Done(act.output.clone()),
                        },
                        operations: act.operations,
                        along: act.along,
                        told: Told {
                            input,
                            output: act.output,
                            ..Told::default()
                        },
                    }),
                    Err(Failure::Wrong(why)) => Ok(Outcome::failed(why, input)),
                    Err(Failure::Error(error)) => {
                        let place = &open.place;
                        Ok(self.not_done(held, place, attempt(open.leaf), input, error, now))
                    }
                }
            }
            StepKind::Branch { cases, .. } => {
                let subject = self.subject(caller, held).await?;
                if held.subject.is_some() && subject.is_none() {
                    let why = "the record is gone, or out of sight".to_owned();
                    return Ok(Outcome::failed(why, Json::Null));
                }
                let mut told = Vec::new();
                let mut chosen = None;
                let facts = held.facts();
                let asked = Asked {
                    records: &self.inner.records,
                    caller,
                    record: subject.as_ref(),
                    before: None,
                    facts: &facts,
                };
                for (place, case) in cases.iter().enumerate() {
                    let verdict = match asked.judge(&case.when).await {
                        Ok(verdict) => verdict,
                        Err(error @ Error::Invalid(_)) => {
                            return Ok(Outcome::failed(words(&error), Json::Null));
                        }
                        Err(error) => return Err(error),
                    };
                    told.push(verdict.told);
                    if verdict.holds {
                        chosen = Some(place);
                        break;
                    }
                }
                Ok(Outcome {
                    told: Told {
                        input: Json::Array(told),
                        output: json!({ "case": chosen }),
                        ..Told::default()
                    },
                    ..Outcome::of(Happened::Case(chosen))
                })
            }
            StepKind::ForEach { list, .. } => match self.filled(caller, held, open, list).await? {
                Ok(Json::Array(items)) if items.len() <= MAX_ITEMS => Ok(Outcome {
                    told: Told {
                        output: json!({ "items": items.len() }),
                        ..Told::default()
                    },
                    ..Outcome::of(Happened::Items(items))
                }),
                Ok(Json::Null) => Ok(Outcome::of(Happened::Items(Vec::new()))),
                Ok(Json::Array(items)) => {
                    let why = format!("the list has {} elements, {MAX_ITEMS} at most", items.len());
                    Ok(Outcome::failed(why, Json::Null))
                }
                Ok(other) => Ok(Outcome::failed("that is no list".to_owned(), other)),
                Err(why) => Ok(Outcome::failed(why, list.clone())),
            },
            StepKind::Listen(step) => self.listen(caller, held, open, step, now).await,
            StepKind::Repeat(step) => self.again(caller, held, open, step, now).await,
            StepKind::Call(step) => self.call(caller, held, open, step, now).await,
            StepKind::Wait(wait) => self.wait(caller, held, open, wait, now).await,
            StepKind::Approval(approval) => self.ask(caller, held, open, approval, now).await,
            StepKind::Stop { failed, message } => {
                let written = message.as_ref().map_or(Json::Null, |text| json!(text));
                let said = match self.filled(caller, held, open, &written).await? {
                    Ok(Json::String(text)) => text,
                    Ok(_) => String::new(),
                    Err(why) => why,
                };
                let end = match failed {
                    true => End::Failed(said.clone()),
                    false => End::Success,
                };
                Ok(Outcome {
                    told: Told {
                        output: json!(said),
                        ..Told::default()
                    },
                    ..Outcome::of(Happened::Ends(end))
                })
            }
            StepKind::Parallel { .. } => Err(Error::Internal(
                "branches are never open themselves".to_owned(),
            )),
        }
    }

    /// Before a round of a step that repeats: rests first, except before the first one, and looks
    /// whether it still holds.
    async fn again(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        step: &RepeatStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let rests = matches!(open.leaf, Leaf::Due { .. }) && open.rounds > 0;
        if rests {
            let until = later(now, step.every, &caller.time_zone).unwrap_or(now);
            return Ok(Outcome {
                told: Told {
                    output: json!({"rounds": open.rounds, "until": until}),
                    ..Told::default()
                },
                ..Outcome::of(Happened::Waits(Leaf::Waiting(until)))
            });
        }
        let subject = self.subject(caller, held).await?;
        if held.subject.is_some() && subject.is_none() {
            // Nothing holds of what is gone.
            return Ok(Outcome::of(Happened::Case(None)));
        }
        let facts = held.facts();
        let asked = Asked {
            records: &self.inner.records,
            caller,
            record: subject.as_ref(),
            before: None,
            facts: &facts,
        };
        let verdict = match asked.judge(&step.holds).await {
            Ok(verdict) => verdict,
            Err(error @ Error::Invalid(_)) => {
                return Ok(Outcome::failed(words(&error), Json::Null));
            }
            Err(error) => return Err(error),
        };
        Ok(Outcome {
            told: Told {
                input: verdict.told,
                output: json!({"rounds": open.rounds, "again": verdict.holds}),
                ..Told::default()
            },
            ..Outcome::of(Happened::Case(verdict.holds.then_some(0)))
        })
    }

    async fn wait(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        wait: &WaitStep,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        if let Leaf::Waiting(_) = open.leaf {
            return Ok(Outcome::of(Happened::Done(Json::Null)));
        }
        let until = match wait {
            WaitStep::For(span) => later(now, *span, &caller.time_zone),
            WaitStep::Until(text) => match self.filled(caller, held, open, &json!(text)).await? {
                Ok(Json::String(moment)) => moment.parse::<Timestamp>().ok(),
                Ok(_) => None,
                Err(why) => return Ok(Outcome::failed(why, json!(text))),
            },
        };
        Ok(match until {
            Some(until) => Outcome {
                told: Told {
                    output: json!({ "until": until }),
                    ..Told::default()
                },
                ..Outcome::of(Happened::Waits(Leaf::Waiting(until)))
            },
            None => Outcome::failed("that is no moment".to_owned(), Json::Null),
        })
    }

    /// A value with its words filled in; the inner error is what is wrong with them.
    pub(crate) async fn filled(
        &self,
        caller: &Caller,
        held: &Held,
        open: &Open<'_, '_>,
        written: &Json,
    ) -> Result<Result<Json, String>, Error> {
        let mut names = BTreeSet::new();
        if let Err((at, why)) = template::names(written, "", &mut names) {
            return Ok(Err(format!("{at}: {why}")));
        }
        if names.is_empty() && !has_words(written) {
            return Ok(Ok(written.clone()));
        }
        let scene = Scene {
            subject: held.subject,
            title: &held.title,
            trigger: &held.trigger,
            outputs: &held.course.outputs,
            workflow: held.workflow,
            name: &held.name,
            execution: held.id,
            place: &open.place,
            items: &open.items,
        };
        let scope = scope::of(&self.inner.records, caller, &scene, &names).await?;
        Ok(scope.fill_all(written))
    }

    /// The record an execution is about, as it is now; none when it is gone, or out of the sight of
    /// the one in whose name this is done.
    pub(crate) async fn subject(
        &self,
        caller: &Caller,
        held: &Held,
    ) -> Result<Option<Snapshot>, Error> {
        match held.subject {
            Some(subject) => {
                let records = &self.inner.records;
                if !records.sees(caller, subject.entity, subject.id).await? {
                    return Ok(None);
                }
                records
                    .snapshot(held.tenant, subject.entity, subject.id)
                    .await
            }
            None => Ok(None),
        }
    }

    /// A step whose changes were refused: tried again later, or failed.
    pub(crate) fn not_done(
        &self,
        held: &Held,
        place: &str,
        tries: u32,
        input: Json,
        error: Error,
        now: Timestamp,
    ) -> Outcome {
        let why = words(&error);
        let passes = error.passes() || matches!(error, Error::Conflict(ConflictKind::Busy));
        let open = held.course.open(&held.flow);
        let most = open
            .iter()
            .find(|open| open.place == place)
            .map_or(1, |open| match &open.step.kind {
                StepKind::Action(action) => action.tries,
                _ => 1,
            });
        if !passes || tries >= most {
            return Outcome::failed(why, input);
        }
        let again = Leaf::Due {
            attempt: tries + 1,
            at: Some(now.checked_add(pause(tries)).unwrap_or(now)),
        };
        Outcome {
            told: Told {
                input,
                error: why,
                ..Told::default()
            },
            ..Outcome::of(Happened::Waits(again))
        }
    }
}

pub(crate) fn attempt(leaf: &Leaf) -> u32 {
    match leaf {
        Leaf::Due { attempt, .. } | Leaf::Sent(_, attempt) => *attempt,
        Leaf::Waiting(_) | Leaf::Asked(..) | Leaf::Listening { .. } | Leaf::Called(..) => 1,
    }
}

/// Twice as long each time, anywhere between nothing and that: those that failed together do not
/// come back together.
fn pause(tries: u32) -> SignedDuration {
    let doubled = PAUSE * (1_i32 << tries.saturating_sub(1).min(12));
    let most = doubled.min(LONGEST);
    let chance = u32::from(u16::from_be_bytes([
        Uuid::new_v4().as_bytes()[0],
        Uuid::new_v4().as_bytes()[1],
    ]));
    let millis = most.as_millis() * i128::from(chance) / i128::from(u16::MAX);
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(2_000))
}

fn has_words(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains("{{") || text.contains("{%"),
        Json::Array(list) => list.iter().any(has_words),
        Json::Object(map) => map.values().any(has_words),
        _ => false,
    }
}
