//! Waiting for what was sent outside: a mail, a call of another system. The room that sends says in
//! the feed when a delivery has ended.

use std::collections::BTreeSet;

use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::Error;
use opsflux_records::rule::Snapshot;
use opsflux_store::{Commit, CommitError, Guard};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::course::{Happened, Leaf, Open};
use crate::engine::Engine;
use crate::execution::{self, Held, refused, wake};
use crate::log::Log;
use crate::step::{Outcome, Told};

/// Name of the entity of deliveries.
pub(crate) const ENTITY: &str = "delivery";
/// Where the cause of a delivery begins that a workflow asked for: `workflow:EXECUTION:STEP`.
const CAUSE: &str = "workflow:";
/// Deliveries of one step.
const MOST: u32 = 1_000;

impl Engine {
    /// A delivery has moved: whoever waits for it looks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn delivery_moved(&self, tenant: i64, delivery: Uuid) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let Some(row) = records.snapshot(tenant, log.ix, delivery).await? else {
            return Ok(());
        };
        if !has_ended(&schema, &row) {
            return Ok(());
        }
        let cause = row.get(&schema, "cause").as_text().unwrap_or_default();
        let execution = cause
            .strip_prefix(CAUSE)
            .and_then(|rest| rest.split(':').next());
        let Some(execution) = execution.and_then(|id| Uuid::try_parse(id).ok()) else {
            return Ok(());
        };
        let executions = Log::of(&schema, execution::ENTITY)?;
        let waits = executions
            .is("status", "RUNNING")?
            .or(executions.is("status", "WAITING")?);
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: "execution.open".to_owned(),
                entity: executions.ix,
                id: execution,
                holds: waits,
            }],
            writes: vec![wake(&schema, execution, records.now())?],
            ..Commit::default()
        };
        match records.store().commit(commit).await {
            Ok(_) => {
                self.inner.bell.notify_one();
                Ok(())
            }
            // It has ended, or is gone.
            Err(CommitError::Guard { .. }) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// The open steps whose deliveries have all ended.
    pub(crate) async fn delivered(&self, held: &Held) -> Result<BTreeSet<String>, Error> {
        let schema = self.inner.records.schema();
        let mut over = BTreeSet::new();
        for open in held.course.open(&held.flow) {
            if let Leaf::Sent(ids, _) = open.leaf {
                let rows = self.deliveries(held.tenant, ids).await?;
                // An unknown outcome is no end: a person decides.
                let ended = rows.iter().all(|row| {
                    let state = row.get(&schema, "state").as_text();
                    matches!(state, Some("sent" | "failed"))
                });
                if ended {
                    over.insert(open.place.clone());
                }
            }
        }
        Ok(over)
    }

    /// What became of what a step sent.
    pub(crate) async fn sent(&self, held: &Held, open: &Open<'_, '_>) -> Result<Outcome, Error> {
        let Leaf::Sent(ids, _) = open.leaf else {
            return Err(Error::Internal("nothing was sent".to_owned()));
        };
        let schema = self.inner.records.schema();
        let rows = self.deliveries(held.tenant, ids).await?;
        let text = |row: &Snapshot, name: &str| {
            row.get(&schema, name)
                .as_text()
                .unwrap_or_default()
                .to_owned()
        };
        let told: Vec<Json> = rows
            .iter()
            .map(|row| {
                let response = match row.get(&schema, "response") {
                    Value::Json(json) => json.clone(),
                    _ => Json::Null,
                };
                json!({
                    "id": row.id, "to": text(row, "target"), "state": text(row, "state"),
                    "response": response,
                })
            })
            .collect();
        let output = match told.as_slice() {
            [one] => one.clone(),
            _ => json!({ "deliveries": told }),
        };
        let failed: Vec<String> = rows
            .iter()
            .filter(|row| text(row, "state") == "failed")
            .map(|row| format!("{}: {}", text(row, "target"), text(row, "error")))
            .collect();
        let error = failed.join("; ");
        let happened = match failed.is_empty() {
            true => Happened::Done(output.clone()),
            false => Happened::Failed(error.clone()),
        };
        Ok(Outcome {
            told: Told {
                input: Json::Null,
                output,
                error,
            },
            ..Outcome::of(happened)
        })
    }

    /// What a person is to look at: a delivery nobody knows the outcome of.
    pub(crate) async fn attention(&self, held: &Held) -> Result<Option<&'static str>, Error> {
        let schema = self.inner.records.schema();
        for open in held.course.open(&held.flow) {
            if let Leaf::Sent(ids, _) = open.leaf {
                let rows = self.deliveries(held.tenant, ids).await?;
                let unknown =
                    |row: &Snapshot| row.get(&schema, "state").as_text() == Some("unknown");
                if rows.iter().any(unknown) {
                    return Ok(Some("unknown_outcome"));
                }
            }
        }
        Ok(None)
    }

    pub(crate) async fn deliveries(
        &self,
        tenant: i64,
        ids: &[Uuid],
    ) -> Result<Vec<Snapshot>, Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, ENTITY)?;
        let ids = ids.iter().copied().map(Value::Id).collect();
        let wanted = Predicate::test(log.ix, log.field("id")?, Operand::OneOf(ids));
        self.inner.records.find(tenant, log.ix, wanted, MOST).await
    }
}

fn has_ended(schema: &opsflux_model::Schema, row: &Snapshot) -> bool {
    let state = row.get(schema, "state").as_text();
    matches!(state, Some("sent" | "failed" | "unknown"))
}
