//! Moving one execution on: step after step until it ends or waits.
//!
//! Steps that only decide (branches, lists) are kept with the next step that does something. A
//! step that does something is one commit: its changes, the row that tells of it and where the
//! execution stands then. When the commit is refused, nothing of it was done.

use opsflux_records::write::Along;
use opsflux_records::{ConflictKind, Error};

use crate::course::End;
use crate::engine::{Cause, Engine};
use crate::execution::{HELD, Held};
use crate::step::{Outcome, attempt};
use crate::told::row_of;

impl Engine {
    /// Moves an execution on as far as it goes now.
    ///
    /// # Errors
    /// When the database does not answer; its lease ends then, and another try is made.
    pub(crate) async fn run(&self, mut held: Held) -> Result<(), Error> {
        if self.is_too_little(&held).await? || self.waits_for_its_turn(&held).await? {
            return Ok(());
        }
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
            decided.extend(self.heard(&held).await?);
            decided.extend(self.returned(&held).await?);
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
            let gone = self.stop_listening(held.id, &flow, &before, &held.course)?;
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
}

fn is_moved(error: &Error) -> bool {
    matches!(error, Error::Conflict(ConflictKind::Guard { name }) if name == HELD)
}
