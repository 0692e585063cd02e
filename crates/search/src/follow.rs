//! The index behind the feed: kept up and made again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, system};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::feed::Reactor;
use opsflux_records::{Error, Records};
use opsflux_sealing::PurposeKey;
use opsflux_store::feed::{Entry, FeedOp, NewEntry};
use tantivy::TantivyDocument;
use uuid::Uuid;

use crate::SearchError;
use crate::document::{anchors, document, key, searched};
use crate::index::{Index, UNFINISHED};

/// Records read at a time.
const BATCH: u32 = 2_000;
/// Batches of a fill between two commits.
const BATCHES_A_COMMIT: u64 = 20;
/// Between two turns: a commit of the index costs the same for one change as for hundreds.
const REST: Duration = Duration::from_secs(1);
/// Entries of a turn.
const TURN: u32 = 1_500;

/// Full text over the records of an instance.
pub struct Search {
    records: Records,
    pub(crate) index: Arc<Index>,
}

impl Search {
    /// Opens the index in `folder`; one that cannot follow is filled by [`Search::fill`].
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(records: Records, folder: &Path) -> Result<Search, SearchError> {
        Search::open_sealed(records, folder, None)
    }

    /// As [`Search::open`], for an index that is sealed with a key.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open_sealed(
        records: Records,
        folder: &Path,
        key: Option<PurposeKey>,
    ) -> Result<Search, SearchError> {
        let epoch = records.store().epoch();
        let index = Arc::new(Index::open(folder, &records.schema(), epoch, key)?);
        Ok(Search { records, index })
    }

    /// Whether the feed can be followed from where the index stands: it was filled, holds today's
    /// fields, nothing it has not read was forgotten, and the database was not put back behind it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn can_follow(&self) -> Result<bool, Error> {
        let Some(at) = self.index.position() else {
            return Ok(false);
        };
        let store = self.records.store();
        Ok(at + 1 >= store.feed_start().await? && at <= store.feed_end().await?)
    }

    /// Makes the index again from the records; `progress` hears how many are done.
    ///
    /// # Errors
    /// When the database or the folder cannot be used; the index then counts as empty.
    pub async fn fill(&self, mut progress: impl FnMut(u64)) -> Result<(), Error> {
        // Changes from here on are read from the feed afterwards.
        let end = self.records.store().feed_end().await?;
        self.index.clear().map_err(Error::from)?;
        let schema = self.records.schema();
        let mut done = 0;
        for tenant in self.records.store().tenants().await? {
            for (entity, declared) in schema.iter() {
                if searched(declared).is_empty() {
                    continue;
                }
                let mut after = None;
                loop {
                    let found = self
                        .records
                        .scan(tenant.number, entity, after, BATCH)
                        .await?;
                    let Some(last) = found.last() else { break };
                    after = Some(last.id);
                    let documents = found
                        .iter()
                        .filter_map(|r| document(&self.index.fields, &schema, tenant.number, r))
                        .collect();
                    // Found meanwhile, but not final until the last: a broken fill is begun again.
                    if (done / u64::from(BATCH)).is_multiple_of(BATCHES_A_COMMIT) {
                        self.apply(Vec::new(), documents, UNFINISHED).await?;
                    } else {
                        self.add(documents).await?;
                    }
                    done += found.len() as u64;
                    progress(done);
                }
            }
        }
        self.apply(Vec::new(), Vec::new(), end).await
    }

    /// Lets go of the folder, when the server stops; what is searched for is still found.
    pub async fn close(&self) {
        let index = self.index.clone();
        match tokio::task::spawn_blocking(move || index.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the search index did not end well"),
            Err(died) => tracing::warn!(%died, "the search index did not end well"),
        }
    }

    async fn add(&self, documents: Vec<TantivyDocument>) -> Result<(), Error> {
        let index = self.index.clone();
        tokio::task::spawn_blocking(move || index.add(documents))
            .await
            .map_err(|error| Error::Internal(error.to_string()))?
            .map_err(Error::from)
    }

    async fn apply(
        &self,
        keys: Vec<String>,
        documents: Vec<TantivyDocument>,
        position: i64,
    ) -> Result<(), Error> {
        let index = self.index.clone();
        tokio::task::spawn_blocking(move || index.apply(keys.into_iter(), documents, position))
            .await
            .map_err(|error| Error::Internal(error.to_string()))?
            .map_err(Error::from)
    }

    async fn take(&self, entries: &[Entry]) -> Result<(), Error> {
        let Some(last) = entries.last() else {
            return Ok(());
        };
        let schema = self.records.schema();
        let mut changed: BTreeMap<(i64, EntityIx), BTreeSet<Uuid>> = BTreeMap::new();
        for entry in entries {
            let Some(entity) = schema.find(&entry.entry.entity) else {
                continue;
            };
            if concerns(schema.entity(entity), &entry.entry) {
                changed
                    .entry((entry.tenant, entity))
                    .or_default()
                    .insert(entry.entry.record);
            }
        }
        let mut keys = Vec::new();
        let mut documents = Vec::new();
        for ((tenant, entity), ids) in changed {
            let declared = schema.entity(entity);
            keys.extend(ids.iter().map(|id| key(tenant, &declared.name, *id)));
            let field = declared.find(system::ID).unwrap_or(FieldIx(0));
            let limit = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            let among = Operand::OneOf(ids.into_iter().map(Value::Id).collect());
            let filter = Predicate::test(entity, field, among);
            let found = self.records.find(tenant, entity, filter, limit).await?;
            documents.extend(
                found
                    .iter()
                    .filter_map(|r| document(&self.index.fields, &schema, tenant, r)),
            );
        }
        self.apply(keys, documents, last.pos).await
    }
}

/// Whether a document may differ after a change: most change nothing that is searched.
fn concerns(entity: &Entity, entry: &NewEntry) -> bool {
    let searched = searched(entity);
    if searched.is_empty() || entry.op != FeedOp::Updated {
        return !searched.is_empty();
    }
    let mut kept = searched.iter().map(|(ix, _)| *ix).chain(anchors(entity));
    kept.any(|ix| entry.body.fields.contains(&entity.field(ix).name))
}

impl Reactor for Search {
    fn name(&self) -> &'static str {
        "search"
    }

    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.take(entries))
    }

    fn position<'a>(&'a self, _: &'a Records) -> BoxFuture<'a, Result<i64, Error>> {
        Box::pin(async { Ok(self.index.position().unwrap_or_default()) })
    }

    fn rest(&self) -> Duration {
        REST
    }

    fn batch(&self) -> u32 {
        TURN
    }

    /// Handling moved it already; only a parked entry is passed here.
    fn advance<'a>(&'a self, _: &'a Records, pos: i64) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            if self.index.position().is_some_and(|at| at >= pos) {
                return Ok(());
            }
            self.apply(Vec::new(), Vec::new(), pos).await
        })
    }
}

#[cfg(test)]
mod tests {
    use opsflux_model::Schema;
    use opsflux_store::feed::Body;

    use super::*;

    const USER: &str = r#"
name = "user"
collection = "users"
title = "full_name"
icon = "user"
[fields]
full_name = { type = "text" }
"#;

    const NOTE: &str = r#"
name = "note"
collection = "notes"
title = "title"
icon = "note"
[fields]
title = { type = "text", search = "high" }
color = { type = "color" }
author = { type = "link", to = "user", inverse = "notes" }
[scope]
own = ["author"]
"#;

    #[test]
    fn only_what_is_searched_or_decides_who_sees_it_is_indexed_again() {
        let schema = Schema::from_declarations(&[USER, NOTE], "").unwrap();
        let note = schema.entity(schema.find("note").unwrap());
        let changed = |op, fields: &[&str]| NewEntry {
            change: Uuid::nil(),
            at: jiff::Timestamp::UNIX_EPOCH,
            entity: "note".to_owned(),
            record: Uuid::nil(),
            version: 2,
            op,
            body: Body {
                fields: fields.iter().map(|name| (*name).to_owned()).collect(),
                ..Body::default()
            },
        };
        for (fields, indexed) in [
            (&["title"][..], true),
            (&["color", "author"], true),
            (&["color"], false),
            (&[], false),
        ] {
            let entry = changed(FeedOp::Updated, fields);
            assert_eq!(concerns(note, &entry), indexed, "{fields:?}");
        }
        for op in [FeedOp::Created, FeedOp::Deleted, FeedOp::Restored] {
            assert!(concerns(note, &changed(op, &[])), "{op:?}");
        }
    }
}
