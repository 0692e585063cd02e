//! Hearing of changes: what was kept in memory about people and sessions is passed when the feed
//! says that they changed.
//!
//! Each process reads the feed from where it stands when the process starts: what was kept before
//! is not believed (see [`crate::freshness`]).

use std::sync::Arc;
use std::time::Duration;

use opsflux_records::Records;
use opsflux_store::StoreError;
use opsflux_store::feed::NewEntry;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::freshness::Freshness;
use crate::{session, sharing};

/// How often the feed is asked even when nothing woke us: an answer without entries also proves
/// that we hear. Four times within the silence after which memory is not believed.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How soon after one read the next may follow: the feed of a busy instance grows all the time,
/// and reading it a hundred times a second is enough to hear of everything at once.
const GAP: Duration = Duration::from_millis(10);
/// Entries of one read.
const PAGE: u32 = 1_000;

/// Reads the feed until the store is closed. A database that does not answer only makes memory
/// old.
pub(crate) async fn follow(records: Records, freshness: Arc<Freshness>) {
    let mut wake = records.store().subscribe_feed();
    let mut position = None;
    loop {
        match catch_up(&records, &freshness, position).await {
            Ok(reached) => position = Some(reached),
            Err(error) => tracing::warn!(%error, "identity cannot read the feed"),
        }
        let read = Instant::now();
        match timeout_at(read + HEARTBEAT, wake.changed()).await {
            Ok(Ok(())) => sleep_until(read + GAP).await,
            Ok(Err(_closed)) => return,
            Err(_elapsed) => {}
        }
        wake.mark_unchanged();
    }
}

/// Reads on from `position`; the first time from the end.
async fn catch_up(
    records: &Records,
    freshness: &Freshness,
    position: Option<i64>,
) -> Result<i64, StoreError> {
    let store = records.store();
    let Some(mut position) = position else {
        let (asked, end) = (records.now(), store.feed_end().await?);
        freshness.everything_changed();
        freshness.heard(asked);
        return Ok(end);
    };
    loop {
        let asked = records.now();
        let entries = store.feed_after(position, PAGE).await?;
        for entry in &entries {
            position = entry.pos;
            heed(freshness, entry.tenant, &entry.entry);
        }
        if entries.len() < PAGE as usize {
            freshness.heard(asked);
            return Ok(position);
        }
    }
}

/// Passes what is kept about the thing that changed.
fn heed(freshness: &Freshness, tenant: i64, entry: &NewEntry) {
    match entry.entity.as_str() {
        "user" => freshness.person_changed(tenant, entry.record),
        "membership" | "role" | "role_permission" | "role_field" | "group" | "group_role"
        | "department" | "company" => {
            freshness.tenant_changed(tenant);
        }
        sharing::ENTITY => freshness.shares_changed(tenant),
        session::ENTITY => freshness.session_changed(tenant, entry.record),
        _ => {}
    }
}
