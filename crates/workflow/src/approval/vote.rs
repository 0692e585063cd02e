//! One person's decision: in his own name, or for whoever named him deputy. Each voice counts once,
//! and none after the question is closed. The vote, the count, what wakes the execution and the
//! entry of the audit are one commit.

use opsflux_model::Value;
use opsflux_model::schema::Schema;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error};
use opsflux_store::{Commit, CommitError, Guard};
use uuid::Uuid;

use super::{Decision, ENTITY, closed, people_in, still_open};
use crate::engine::Engine;
use crate::execution::{refused, some, wake};
use crate::log::Log;

/// How often a vote is counted again because others voted at the same moment.
const ATTEMPTS: usize = 10;

/// Where a person said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// In the application.
    Application,
    /// By the link of a mail.
    Mail,
}

impl Via {
    fn code(self) -> &'static str {
        match self {
            Via::Application => "application",
            Via::Mail => "mail",
        }
    }
}

/// What is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vote<'a> {
    pub decision: Decision,
    pub comment: &'a str,
    pub via: Via,
}

impl Engine {
    /// One person's decision.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whoever is not asked; `ConflictKind::Guard` when it is closed or he
    /// has decided before.
    pub(crate) async fn vote(
        &self,
        caller: &Caller,
        id: Uuid,
        vote: Vote<'_>,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        for _ in 0..ATTEMPTS {
            let schema = records.schema();
            let log = Log::of(&schema, ENTITY)?;
            let row = records.snapshot(caller.tenant(), log.ix, id).await?;
            let row = row.ok_or(Error::NotFound)?;
            let voice = self.voice(&schema, caller, &row).await?;
            if row.get(&schema, "status").as_text() != Some("PENDING") {
                return Err(closed());
            }
            let voice = voice.ok_or_else(closed)?;
            let commit = self.counted(caller, &row, voice, vote)?;
            match records.store().commit(commit).await {
                Ok(_) => {
                    self.inner.bell.notify_one();
                    return Ok(());
                }
                // Somebody else voted: counted again.
                Err(CommitError::Guard { .. } | CommitError::Retry) => {}
                Err(CommitError::Unique { .. }) => return Err(closed()),
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Error::Conflict(ConflictKind::Busy))
    }

    /// Whose voice a person's vote is: his own, else that of one he stands in for now; none when all
    /// of them were heard.
    pub(super) async fn voice(
        &self,
        schema: &Schema,
        caller: &Caller,
        row: &Snapshot,
    ) -> Result<Option<Uuid>, Error> {
        let me = caller.user();
        let his_own = row.get(schema, "requester").as_id() == Some(me);
        if his_own && row.get(schema, "self_allowed").as_bool() != Some(true) {
            return Err(Error::NotFound);
        }
        let mut people = people_in(row.get(schema, "approvers"));
        people.extend(people_in(row.get(schema, "escalated_to")));
        let now = self.inner.records.now();
        let mut mine: Vec<Uuid> = Vec::new();
        if people.contains(&me) {
            mine.push(me);
        }
        let standing_in = self.deputies_of(caller.tenant(), &people, now).await?;
        let his = standing_in
            .iter()
            .filter(|one| one.deputy == me && one.is_now(now));
        mine.extend(his.map(|one| one.person));
        if mine.is_empty() {
            return Err(Error::NotFound);
        }
        let heard = self.voices(schema, caller.tenant(), row.id).await?;
        Ok(mine.into_iter().find(|person| !heard.contains(person)))
    }

    fn counted(
        &self,
        caller: &Caller,
        row: &Snapshot,
        voice: Uuid,
        vote: Vote<'_>,
    ) -> Result<Commit, Error> {
        let schema = self.inner.records.schema();
        let now = self.inner.records.now();
        let (log, votes) = (
            Log::of(&schema, ENTITY)?,
            Log::of(&schema, "approval_vote")?,
        );
        let number = |name: &str| row.get(&schema, name).as_int().unwrap_or(0);
        let asked = people_in(row.get(&schema, "approvers")).len();
        let asked = i64::try_from(asked).unwrap_or(i64::MAX);
        let agrees = vote.decision == Decision::Approve;
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
        let values = vec![
            ("approval", row.id.into()),
            ("user", caller.user().into()),
            ("voice", voice.into()),
            ("decision", vote.decision.code().into()),
            ("via", vote.via.code().into()),
            ("comment", some(vote.comment)),
        ];
        writes.push(votes.insert(self.inner.records.new_id(), now, values)?);
        let mut says = caller.clone();
        if voice != caller.user() {
            says.origin = std::sync::Arc::new(opsflux_records::Origin {
                on_behalf_of: Some(voice),
                ..(*caller.origin).clone()
            });
        }
        let comment = Some(vote.comment);
        let action = vote.decision.code();
        writes.push(
            self.inner
                .records
                .audited(&says, action, ENTITY, row.id, comment)?,
        );
        let as_counted = log
            .is("agreed", Value::Int(number("agreed")))?
            .and(log.is("refused", Value::Int(number("refused")))?);
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
