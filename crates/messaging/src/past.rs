//! Forgetting messages that are past their time.

use jiff::{SignedDuration, Timestamp};
use opsflux_records::Error;
use opsflux_store::{Commit, Write};

use crate::Messaging;
use crate::outgoing::{DELIVERY, NOTIFICATION};
use opsflux_records::table::{Query, Table, refused};

/// Rows of one tenant forgotten at a time.
const BATCH: u32 = 500;
/// How long a delivery is kept after it ended.
const DELIVERIES: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long a notification is kept, for somebody who was away too.
const NOTIFICATIONS: SignedDuration = SignedDuration::from_hours(180 * 24);

impl Messaging {
    /// One turn of forgetting; true when there may be more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_what_is_past(&self) -> Result<bool, Error> {
        let deliveries = self.forget(DELIVERY, "ended_at", DELIVERIES).await?;
        let notifications = self
            .forget(NOTIFICATION, "created_at", NOTIFICATIONS)
            .await?;
        Ok(deliveries || notifications)
    }

    async fn forget(&self, entity: &str, since: &str, kept: SignedDuration) -> Result<bool, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let Ok(table) = Table::of(&schema, entity) else {
            return Ok(false);
        };
        let old = records.now().checked_sub(kept).unwrap_or(Timestamp::MIN);
        let past = table.is_before(since, old)?;
        let mut more = false;
        for tenant in records.store().tenants().await? {
            let found = table
                .rows(
                    records.store(),
                    tenant.number,
                    Query {
                        fields: &["id"],
                        filter: past.clone(),
                        sort: &[],
                        limit: BATCH,
                    },
                )
                .await?;
            more |= found.len() >= BATCH as usize;
            let ids = found.iter().filter_map(|row| row.first()?.as_id());
            let writes: Vec<Write> = ids
                .map(|id| Write::Remove {
                    entity: table.ix,
                    id,
                })
                .collect();
            if writes.is_empty() {
                continue;
            }
            let commit = Commit {
                tenant: tenant.number,
                writes,
                ..Commit::default()
            };
            records.store().commit(commit).await.map_err(refused)?;
        }
        Ok(more)
    }
}
