//! What is past its time: executions that ended ninety days ago go, with their steps, questions
//! and votes.

use jiff::SignedDuration;
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_store::{Commit, Write};

use crate::engine::Engine;
use crate::execution::{ENTITY, refused};
use crate::log::Log;

/// How long executions are kept after their end.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Executions of one turn.
const AT_ONCE: u32 = 50;
/// Rows of one kind that hang on them, a turn.
const ROWS: u32 = 5_000;

impl Engine {
    /// Forgets executions past their time, a bounded turn. True when there may be more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_what_is_past(&self, tenant: i64) -> Result<bool, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let before = records.now().checked_sub(KEPT).unwrap_or(records.now());
        let over = log.is_due("ended_at", before)?;
        let rows = records.find(tenant, log.ix, over, AT_ONCE).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut commit = Commit {
            tenant,
            ..Commit::default()
        };
        let mut owners: Vec<Value> = rows.iter().map(|row| Value::Id(row.id)).collect();
        // Whoever points at a row goes before it.
        let (steps, asked) = (Log::of(&schema, "step_run")?, Log::of(&schema, "approval")?);
        let votes = Log::of(&schema, "approval_vote")?;
        let waits = Log::of(&schema, crate::listening::ENTITY)?;
        let of = |log: &Log<'_>, link: &str, owners: &[Value]| {
            let operand = Operand::OneOf(owners.to_vec());
            Ok::<_, Error>(Predicate::test(log.ix, log.field(link)?, operand))
        };
        let steps_of = of(&steps, "execution", &owners)?;
        let waits_of = of(&waits, "execution", &owners)?;
        let questions_of = of(&asked, "execution", &owners)?;
        let questions = records.find(tenant, asked.ix, questions_of, ROWS).await?;
        owners = questions.iter().map(|row| Value::Id(row.id)).collect();
        let votes_of = of(&votes, "approval", &owners)?;
        let steps_found = records.find(tenant, steps.ix, steps_of, ROWS).await?;
        let votes_found = match owners.is_empty() {
            true => Vec::new(),
            false => records.find(tenant, votes.ix, votes_of, ROWS).await?,
        };
        let waits_found = records.find(tenant, waits.ix, waits_of, ROWS).await?;
        let hanging = [
            (waits.ix, &waits_found),
            (steps.ix, &steps_found),
            (votes.ix, &votes_found),
            (asked.ix, &questions),
        ];
        let is_whole = |rows: &Vec<Snapshot>| u32::try_from(rows.len()).is_ok_and(|n| n < ROWS);
        let whole = hanging.iter().all(|(_, rows)| is_whole(rows));
        // What hangs on them goes first; when that is too much for one turn, they go with the next.
        let last = whole.then_some((log.ix, &rows));
        for (entity, rows) in hanging.into_iter().chain(last) {
            let gone = rows.iter().map(|row| Write::Remove { entity, id: row.id });
            commit.writes.extend(gone);
        }
        let done = records.store().commit(commit).await;
        done.map(|_| true).map_err(refused)
    }
}
