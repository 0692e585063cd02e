//! Moving one execution on: step after step until it ends or waits.
//!
//! Steps that only decide (branches, lists) are kept with the next step that does something. A
//! step that does something is one commit: its changes, the row that tells of it and where the
//! execution stands then. When the commit is refused, nothing of it was done.

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
use crate::engine::{Cause, Engine};
use crate::execution::{HELD, Held, some};
use crate::flow::{StepKind, WaitStep, later};
use crate::log::{Log, cut};
use crate::{scope, template};

/// Elements of a list that are worked off.
const MAX_ITEMS: usize = 1_000;
/// First pause between tries; doubled each time.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Longest pause between tries.
const LONGEST: SignedDuration = SignedDuration::from_secs(600);
/// Longest output kept of a step.
const MAX_OUTPUT: usize = 64 * 1024;

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

    fn failed(why: String, input: Json) -> Outcome {
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
    /// Moves an execution on as far as it goes now.
    ///
    /// # Errors
    /// When the database does not answer; its lease ends then, and another try is made.
    pub(crate) async fn run(&self, mut held: Held) -> Result<(), Error> {
        let chain = held.chain;
        let cause = Cause {
            workflow: &held.name.clone(),
            chain,
            depth: held.depth,
        };
        let caller = self.act_as(held.tenant, held.owner, &cause).await?;
        let Some(caller) = caller else {
            let why = "its owner may not act (any more)".to_owned();
            held.course.end = Some(End::Failed(why));
            let mut along = Along::default();
            self.keep(&mut held, true, &mut along)?;
            return self.commit_rows(held.tenant, along).await;
        };
        let mut pending = Along::default();
        loop {
            let now = self.inner.records.now();
            let mut decided = self.decided(&held).await?;
            decided.extend(self.delivered(&held).await?);
            let next = {
                let open = held.course.open(&held.flow);
                let due = open.into_iter().find(|open| {
                    decided.contains(&open.place) || open.leaf.due(now).is_some_and(|at| at <= now)
                });
                match due {
                    Some(open) => Some((
                        open.place.clone(),
                        attempt(open.leaf),
                        self.work_on(&caller, &held, &open, now).await?,
                        row_of(&open),
                    )),
                    None => None,
                }
            };
            let Some((place, tries, outcome, row)) = next else {
                held.attention = self.attention(&held).await?;
                self.keep(&mut held, true, &mut pending)?;
                match self
                    .commit_rows(held.tenant, std::mem::take(&mut pending))
                    .await
                {
                    Err(error) if is_moved(&error) => {
                        match self.read(held.tenant, held.id).await? {
                            Some(again) => held = again,
                            None => return Ok(()),
                        }
                    }
                    done => return done,
                }
                continue;
            };
            let Outcome {
                happened,
                operations,
                along,
                told,
            } = outcome;
            let before = held.course.clone();
            let pure = operations.is_empty() && along == Along::default();
            let earlier = pending.clone();
            self.tell(
                &held,
                &place,
                tries,
                &row,
                &happened,
                &told,
                now,
                &mut pending,
            )?;
            let flow = held.flow.clone();
            held.course.advance(&flow, &place, happened);
            let gone = self.take_back(&flow, &before, &held.course, &place, now)?;
            pending.writes.extend(gone);
            if pure && held.course.end.is_none() {
                continue;
            }
            pending.guards.extend(along.guards);
            pending.writes.extend(along.writes);
            pending.feed.extend(along.feed);
            let known_wake = held.wake();
            let goes_on = held.course.end.is_none()
                && held
                    .course
                    .due(&held.flow, now)
                    .is_some_and(|due| due <= now);
            self.keep(&mut held, !goes_on, &mut pending)?;
            let commit = std::mem::take(&mut pending);
            let done = match operations.as_slice() {
                [] => self.commit_rows(held.tenant, commit).await,
                operations => {
                    let done = self
                        .inner
                        .records
                        .change_along(&caller, operations, &commit);
                    done.await.map(|_| ())
                }
            };
            match done {
                Ok(()) if held.course.end.is_some() || !goes_on => return Ok(()),
                Ok(()) => {}
                // Something happened to it, or its lease is over: from where it stands.
                Err(error) if is_moved(&error) => match self.read(held.tenant, held.id).await? {
                    Some(again) => held = again,
                    None => return Ok(()),
                },
                Err(error) if operations.is_empty() => return Err(error),
                Err(error) => {
                    held.course = before;
                    held.set_wake(known_wake);
                    pending = earlier;
                    let outcome = self.not_done(&held, &place, tries, told.input, error, now);
                    self.tell(
                        &held,
                        &place,
                        tries,
                        &row,
                        &outcome.happened,
                        &outcome.told,
                        now,
                        &mut pending,
                    )?;
                    held.course
                        .advance(&held.flow.clone(), &place, outcome.happened);
                }
            }
        }
    }

    async fn commit_rows(&self, tenant: i64, along: Along) -> Result<(), Error> {
        let commit = opsflux_store::Commit {
            tenant,
            guards: along.guards,
            writes: along.writes,
            feed: along.feed,
            ..opsflux_store::Commit::default()
        };
        let done = self.inner.records.store().commit(commit).await;
        done.map(|_| ()).map_err(crate::execution::refused)
    }

    /// Works on one open step: what becomes of it, with nothing done yet.
    async fn work_on(
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
                let Some(subject) = self.subject(caller, held).await? else {
                    let why = "the record is gone, or out of sight".to_owned();
                    return Ok(Outcome::failed(why, Json::Null));
                };
                let mut told = Vec::new();
                let mut chosen = None;
                for (place, case) in cases.iter().enumerate() {
                    let verdict = self
                        .inner
                        .records
                        .judge(caller, &subject, None, &case.when)
                        .await;
                    let verdict = match verdict {
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
        let scope = scope::of(&self.inner.records, caller, held, open, &names).await?;
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
    fn not_done(
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

    #[allow(clippy::too_many_arguments)] // they are the columns of one row
    fn tell(
        &self,
        held: &Held,
        place: &str,
        tries: u32,
        row: &StepRow,
        happened: &Happened,
        told: &Told,
        now: Timestamp,
        along: &mut Along,
    ) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, "step_run")?;
        let status = match happened {
            Happened::Failed(_) => "FAILED",
            Happened::Waits(Leaf::Due { .. }) => "RETRY",
            Happened::Waits(_) => "WAITING",
            _ => "DONE",
        };
        let values = vec![
            ("execution", held.id.into()),
            ("place", cut(place, 300).into()),
            ("name", some(&cut(&row.name, 300))),
            ("kind", row.kind.as_str().into()),
            ("status", status.into()),
            ("attempt", i64::from(tries).into()),
            ("input", bounded(&told.input)),
            ("output", bounded(&told.output)),
            ("error", some(&cut(&told.error, 2_000))),
            ("ended_at", now.into()),
        ];
        let id = self.inner.records.new_id();
        along.writes.push(log.insert(id, now, values)?);
        Ok(())
    }
}

/// What a step is called in its rows.
struct StepRow {
    name: String,
    kind: String,
}

fn row_of(open: &Open<'_, '_>) -> StepRow {
    let kind = match &open.step.kind {
        StepKind::Action(action) => action.action.as_str(),
        StepKind::Branch { .. } => "branch",
        StepKind::Parallel { .. } => "parallel",
        StepKind::ForEach { .. } => "foreach",
        StepKind::Wait(_) => "wait",
        StepKind::Approval(_) => "approval",
        StepKind::Stop { .. } => "stop",
    };
    StepRow {
        name: open.step.name.clone().unwrap_or_default(),
        kind: cut(kind, 60),
    }
}

fn attempt(leaf: &Leaf) -> u32 {
    match leaf {
        Leaf::Due { attempt, .. } | Leaf::Sent(_, attempt) => *attempt,
        Leaf::Waiting(_) | Leaf::Asked(..) => 1,
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

fn is_moved(error: &Error) -> bool {
    matches!(error, Error::Conflict(ConflictKind::Guard { name }) if name == HELD)
}

fn has_words(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains("{{") || text.contains("{%"),
        Json::Array(list) => list.iter().any(has_words),
        Json::Object(map) => map.values().any(has_words),
        _ => false,
    }
}

/// JSON as it is kept: what is too long is left out.
fn bounded(json: &Json) -> opsflux_model::Value {
    match json {
        Json::Null => opsflux_model::Value::Null,
        json if json.to_string().len() > MAX_OUTPUT => {
            opsflux_model::Value::Json(json!({ "left_out": "too long" }))
        }
        json => opsflux_model::Value::Json(json.clone()),
    }
}

/// What went wrong, for people: fields by name.
pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::Bulk { error, .. } => words(error),
        Error::Invalid(errors) => {
            let all = errors.iter().map(|error| {
                let detail = match error.detail.as_str() {
                    "" => String::new(),
                    detail => format!(" ({detail})"),
                };
                format!("{}: {}{detail}", error.field, error.code)
            });
            all.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
