//! Tables of records: made, and changed when their declarations change.
//!
//! What lives here: the way from the recorded layout to that of today's schema. The plan is made
//! by [`opsflux_model::migrate`] without looking at the database; here it becomes SQL (`ddl`,
//! `script`, `rebuild`) and is carried out: what adds and renames in one transaction (`change`),
//! what new columns hold in batches that survive a restart (`fill`), what tightens and drops when
//! all is filled. A migration that fails leaves everything as it was.
//!
//! What must never be here: queries and changes of records, see [`crate::sql`].
//!
//! Start reading at [`Store::migrate`].

mod change;
pub(crate) mod ddl;
mod fill;
mod rebuild;
pub(crate) mod recorded;
mod script;
mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use opsflux_model::Schema;
use opsflux_model::migrate::{Plan, Refusal};

use crate::error::StoreError;
use crate::store::Store;
pub(crate) use change::{Done, Task};
pub(crate) use rebuild::{Rebuild, WIDEN};
pub(crate) use recorded::Recorded;
use script::Script;
pub(crate) use session::{Read, Session};

/// How often tables that are in use are tried again, and after which pause: whoever waits behind
/// a migration that waits gets through in between.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);

/// Why tables were not changed. They are as they were.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It would lose values; each refusal says what to do instead.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Refusal>),
    /// The data does not allow it: values that are not unique, numbers that do not fit.
    #[error("the tables could not be changed: {reason}, at: {statement}")]
    Failed {
        /// What was run.
        statement: String,
        /// What the database said.
        reason: String,
    },
    /// Tables stayed in use.
    #[error("the tables are in use by somebody else; try again when it is quiet")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a migration would do.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationPlan {
    /// The plan; see there what its parts mean.
    pub plan: Plan,
    /// Its SQL: what runs in one transaction.
    pub sql: Vec<String>,
    /// Its SQL: what runs when new columns are filled.
    pub later: Vec<String>,
}

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// Tables have changed; if not, they were as the schema needs them.
    pub changed: bool,
    /// There is more to do by [`Store::run_fills`].
    pub unfinished: bool,
}

impl Store {
    /// What [`Store::migrate`] would do, without doing it. `allow` names what may be dropped with
    /// its values: `ticket.cost`.
    ///
    /// # Errors
    /// [`MigrationError::Refused`] for what would lose values.
    pub async fn plan(
        &self,
        schema: &Schema,
        allow: &BTreeSet<String>,
    ) -> Result<MigrationPlan, MigrationError> {
        let statement = crate::sql::Statement {
            text: Recorded::READ.to_owned(),
            params: Vec::new(),
        };
        let read = |row: &dyn crate::row::Columns| Ok(row.text(0)?.unwrap_or_default().to_owned());
        let found = self.rows(&statement, read).await?.pop();
        let recorded = found.map_or(Ok(Recorded::default()), |text| Recorded::parse(&text))?;
        let plan = recorded.plan(schema, allow)?;
        let mut layout = recorded.layout;
        let sql = Script::of(self.dialect(), &mut layout, &plan.expand).readable();
        let later = Script::of(self.dialect(), &mut layout, &plan.contract).readable();
        Ok(MigrationPlan { plan, sql, later })
    }

    /// Makes the tables what `schema` needs, in one transaction, and installs it. What is no longer
    /// declared stays, hidden, unless `allow` names it; it is then dropped by
    /// [`Store::run_fills`], which also fills new columns.
    ///
    /// # Errors
    /// [`MigrationError`]; the tables are then as they were and the schema is not installed.
    pub async fn migrate(
        &self,
        schema: Arc<Schema>,
        allow: &BTreeSet<String>,
    ) -> Result<Migrated, MigrationError> {
        let task = Task::Migrate {
            schema: Arc::clone(&schema),
            allow: allow.clone(),
        };
        let (changed, unfinished) = loop {
            match self.patiently(&task).await? {
                // Columns of an earlier plan are still being filled, here or elsewhere.
                Done::Unfilled => self.fill_all().await?,
                Done::Changed { more } => break (true, more),
                Done::Nothing { more } => break (false, more),
            }
        };
        self.install_schema(schema);
        Ok(Migrated {
            changed,
            unfinished,
        })
    }

    /// Finishes what [`Store::migrate`] began: gives new columns their values in batches, then
    /// adds unique constraints and drops what was to be dropped. May be stopped at any moment and
    /// called again, by any process, at any time.
    ///
    /// # Errors
    /// [`MigrationError::Failed`] when values are not unique; the columns stay filled, and it may
    /// be tried again when the values are put right.
    pub async fn run_fills(&self) -> Result<(), MigrationError> {
        loop {
            self.fill_all().await?;
            match self.patiently(&Task::Contract).await? {
                Done::Unfilled => {}
                Done::Changed { .. } | Done::Nothing { .. } => return Ok(()),
            }
        }
    }

    async fn fill_all(&self) -> Result<(), MigrationError> {
        while self.patiently(&Task::Fill).await? == Done::Unfilled {}
        Ok(())
    }

    /// Tries again while tables are in use.
    async fn patiently(&self, task: &Task) -> Result<Done, MigrationError> {
        for _ in 1..ATTEMPTS {
            match self.backend.tables(task.clone()).await {
                Err(MigrationError::Busy) => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
        self.backend.tables(task.clone()).await
    }
}
