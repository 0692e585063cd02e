//! The change feed: what happened, in the order in which it became visible.

use std::collections::VecDeque;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;
use crate::row::Columns;
use crate::sql::{system, unfit};
use crate::store::Store;

/// One record that changed, as handed in with a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The change it is part of; all rows of one change share it.
    pub change: Uuid,
    /// When.
    pub at: Timestamp,
    /// Name of the entity.
    pub entity: String,
    /// Which record.
    pub record: Uuid,
    /// Its version after the change.
    pub version: i64,
    /// What happened to it.
    pub op: FeedOp,
    /// Fields, anchors before and after, origin; see [`Body`].
    pub body: Body,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum FeedOp {
    Created,
    Updated,
    Deleted,
    Restored,
    Purged,
}

impl FeedOp {
    const NAMES: [(FeedOp, &'static str); 5] = [
        (FeedOp::Created, "created"),
        (FeedOp::Updated, "updated"),
        (FeedOp::Deleted, "deleted"),
        (FeedOp::Restored, "restored"),
        (FeedOp::Purged, "purged"),
    ];

    /// As stored and as told outside.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = FeedOp::NAMES.iter();
        names
            .find(|(op, _)| *op == self)
            .map_or("updated", |(_, name)| name)
    }

    /// The op called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<FeedOp> {
        let mut names = FeedOp::NAMES.iter();
        names.find(|(_, known)| *known == name).map(|(op, _)| *op)
    }
}

/// What readers of the feed need besides the record itself. Values of anchors only, no others:
/// the feed is no second copy of the data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Body {
    /// Names of the fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Values of the scope anchors and the state before, by field name; empty for a new record.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub before: serde_json::Map<String, serde_json::Value>,
    /// The same after; empty for a deleted record.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub after: serde_json::Map<String, serde_json::Value>,
    /// Who did it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
    /// Where it came from: `api`, `web`, `import`, `workflow`, …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The chain of changes it belongs to, and how deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Uuid>,
    /// Steps from the first change of the chain.
    #[serde(default)]
    pub depth: u16,
}

impl Body {
    /// As stored.
    pub(crate) fn to_json(&self) -> String {
        // Texts, numbers and maps with text keys always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An entry as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place: strictly ascending, in the order of visibility. No entry appears below a place
    /// that has been read.
    pub pos: i64,
    /// Whose.
    pub tenant: i64,
    /// As handed in.
    pub entry: NewEntry,
}

/// Entries kept for those who read a little later.
const RECENT: usize = 4_096;

/// The last entries that were read: several follow the feed, each entry is read once.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Run>);

/// Every entry from one place to another.
#[derive(Debug, Default)]
struct Run {
    /// The place before the first.
    after: i64,
    entries: VecDeque<Entry>,
}

impl Recent {
    /// Those after `pos`, `limit` at most; nothing when they are not known.
    fn after(&self, pos: i64, limit: u32) -> Vec<Entry> {
        let run = self.0.lock();
        if pos < run.after {
            return Vec::new();
        }
        let first = run.entries.partition_point(|entry| entry.pos <= pos);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        run.entries
            .iter()
            .skip(first)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Lets go of the entries up to place `up_to`.
    fn forget(&self, up_to: i64) {
        let mut run = self.0.lock();
        let first = run.entries.partition_point(|entry| entry.pos <= up_to);
        run.entries.drain(..first);
        run.after = run.after.max(up_to);
    }

    /// Keeps what was read after `pos`, when it continues what is kept or is newer.
    fn keep(&self, pos: i64, read: &[Entry]) {
        let mut run = self.0.lock();
        let end = run.entries.back().map_or(run.after, |last| last.pos);
        if pos > end || run.entries.is_empty() {
            *run = Run {
                after: pos,
                entries: VecDeque::new(),
            };
        } else if pos < end {
            return;
        }
        run.entries.extend(read.iter().cloned());
        while run.entries.len() > RECENT
            && let Some(first) = run.entries.pop_front()
        {
            run.after = first.pos;
        }
    }
}

impl Store {
    /// The entries after `pos`, in order, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed_after(&self, pos: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        // No entry appears below a place that has been read: what is known is whole up to its end.
        let mut found = self.recent.after(pos, limit);
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let from = found.last().map_or(pos, |last| last.pos);
            let statement = system::feed_after(self.dialect(), from, left);
            let read = self.rows(&statement, entry).await?;
            self.recent.keep(from, &read);
            found.extend(read);
        }
        Ok(found)
    }

    /// The last place in the feed; 0 when it is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed_end(&self) -> Result<i64, StoreError> {
        let statement = system::feed_end(self.dialect());
        let ends = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(ends.into_iter().flatten().next().unwrap_or(0))
    }

    /// The first place that is still kept; the one after the end when nothing is. A reader that
    /// stands further back has missed what was forgotten and must begin anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed_start(&self) -> Result<i64, StoreError> {
        let end = self.feed_end().await?;
        let statement = system::feed_start(self.dialect());
        let starts = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(starts.into_iter().flatten().next().unwrap_or(end + 1))
    }

    /// Forgets the first entries that were made before `before`, `limit` at most and none after
    /// place `up_to` nor after one that a cursor has yet to pass. False when there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_feed(
        &self,
        before: Timestamp,
        up_to: i64,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let statement = system::lowest_cursor(self.dialect());
        let lowest = self.rows(&statement, |columns| columns.int(0)).await?;
        let lowest = lowest.into_iter().flatten().next().unwrap_or(up_to);
        let statement = system::feed_ages(self.dialect(), up_to.min(lowest), limit);
        let ages = self
            .rows(&statement, |columns| {
                Ok((columns.int(0)?, columns.time(1)?))
            })
            .await?;
        let old = ages
            .into_iter()
            .take_while(|(_, at)| at.is_some_and(|at| at < before));
        let Some(last) = old.filter_map(|(pos, _)| pos).last() else {
            return Ok(false);
        };
        let statement = system::forget_feed(self.dialect(), last);
        self.run(statement).await?;
        self.recent.forget(last);
        Ok(true)
    }

    /// How far the reader called `name` has come; 0 when it has read nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cursor(&self, name: &str) -> Result<i64, StoreError> {
        let statement = system::cursor(self.dialect(), name);
        let found = self.rows(&statement, |columns| columns.int(0)).await?;
        Ok(found.into_iter().flatten().next().unwrap_or(0))
    }

    /// Remembers how far the reader called `name` has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_cursor(&self, name: &str, pos: i64) -> Result<(), StoreError> {
        let statement = system::set_cursor(self.dialect(), name, pos);
        self.run(statement).await.map(|_| ())
    }
}

fn entry(columns: &dyn Columns) -> Result<Entry, StoreError> {
    let missing = || unfit("an entry of the feed is not whole");
    let body = columns.text(8)?.ok_or_else(missing)?;
    let op = columns.text(7)?.and_then(FeedOp::parse);
    Ok(Entry {
        pos: columns.int(0)?.ok_or_else(missing)?,
        tenant: columns.int(1)?.ok_or_else(missing)?,
        entry: NewEntry {
            change: columns.id(2)?.ok_or_else(missing)?,
            at: columns.time(3)?.ok_or_else(missing)?,
            entity: columns.text(4)?.ok_or_else(missing)?.to_owned(),
            record: columns.id(5)?.ok_or_else(missing)?,
            version: columns.int(6)?.ok_or_else(missing)?,
            op: op.ok_or_else(missing)?,
            body: serde_json::from_str(body)
                .map_err(|error| unfit(format!("an entry of the feed: {error}")))?,
        },
    })
}
