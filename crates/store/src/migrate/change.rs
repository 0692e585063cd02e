//! One transaction that changes tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use opsflux_model::Schema;
use opsflux_model::migrate::Step;

use super::recorded::Recorded;
use super::script::{Action, Script};
use super::{MigrationError, Session, fill};
use crate::sql::system;

/// What is to be done, in one transaction.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// The tables become what the schema needs.
    Migrate {
        /// The schema.
        schema: Arc<Schema>,
        /// What may be dropped.
        allow: BTreeSet<String>,
    },
    /// The next batch of rows gets values in a new column.
    Fill,
    /// What waits for columns to be filled.
    Contract,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// There was nothing to do; `more` waits for [`Task::Contract`].
    Nothing {
        /// See there.
        more: bool,
    },
    /// Tables have changed; `more` waits for [`Task::Fill`] and [`Task::Contract`].
    Changed {
        /// See there.
        more: bool,
    },
    /// There are columns to be filled first.
    Unfilled,
}

impl Task {
    /// Does it. The transaction is over when this returns, whatever comes of it.
    pub(crate) async fn perform(self, session: &mut Session<'_>) -> Result<Done, MigrationError> {
        let done = self.attempt(session).await;
        if done.is_err()
            && let Err(error) = session.rollback().await
        {
            // The connection is closed after a failure, which takes it back as well.
            tracing::warn!(%error, "a migration was not taken back in order");
        }
        done
    }

    async fn attempt(self, session: &mut Session<'_>) -> Result<Done, MigrationError> {
        session.begin().await?;
        let recorded = read(session).await?;
        let (done, indexed) = match self {
            Task::Migrate { schema, allow } => migrate(session, recorded, &schema, &allow).await?,
            Task::Fill => fill::batch(session, recorded).await?,
            Task::Contract => contract(session, recorded).await?,
        };
        session.commit(&indexed).await?;
        Ok(done)
    }
}

/// What is done, and the tables whose statistics are to be taken anew.
pub(super) type Progress = Result<(Done, BTreeSet<String>), MigrationError>;

async fn read(session: &mut Session<'_>) -> Result<Recorded, MigrationError> {
    let text = session.text(Recorded::READ).await?;
    Ok(text.map_or(Ok(Recorded::default()), |text| Recorded::parse(&text))?)
}

async fn migrate(
    session: &mut Session<'_>,
    recorded: Recorded,
    schema: &Schema,
    allow: &BTreeSet<String>,
) -> Progress {
    if !recorded.fill.is_empty() {
        return Ok((Done::Unfilled, BTreeSet::new()));
    }
    let plan = recorded.plan(schema, allow)?;
    let more = !plan.fill.is_empty() || !plan.contract.is_empty();
    // What an earlier plan left for later is in this one again, unless it is no longer wanted.
    if plan.expand.is_empty() && plan.fill.is_empty() && plan.contract == recorded.contract {
        return Ok((Done::Nothing { more }, BTreeSet::new()));
    }
    let left = Recorded {
        fill: plan.fill,
        contract: plan.contract,
        ..recorded
    };
    let indexed = carry_out(session, left, &plan.expand).await?;
    Ok((Done::Changed { more }, indexed))
}

async fn contract(session: &mut Session<'_>, mut recorded: Recorded) -> Progress {
    if !recorded.fill.is_empty() {
        return Ok((Done::Unfilled, BTreeSet::new()));
    }
    let steps = std::mem::take(&mut recorded.contract);
    if steps.is_empty() {
        return Ok((Done::Nothing { more: false }, BTreeSet::new()));
    }
    let indexed = carry_out(session, recorded, &steps).await?;
    Ok((Done::Changed { more: false }, indexed))
}

/// Runs steps, records what is there now and tells every process.
async fn carry_out(
    session: &mut Session<'_>,
    mut recorded: Recorded,
    steps: &[Step],
) -> Result<BTreeSet<String>, MigrationError> {
    let script = Script::of(session.dialect(), &mut recorded.layout, steps);
    for action in &script.actions {
        match action {
            Action::Run(text) => session.run(text).await?,
            Action::Rebuild(rebuild) => session.rebuild(rebuild).await?,
        }
    }
    recorded.version += 1;
    let dialect = session.dialect();
    session.execute(&recorded.write(dialect)?).await?;
    let entry = system::feed_insert(dialect, 0, &recorded.entry());
    session.execute(&entry).await?;
    Ok(script.indexed)
}
