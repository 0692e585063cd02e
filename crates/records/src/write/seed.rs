//! Rows by the thousand: demo data, what another program leaves behind, very large imports
//! (decisions §15).
//!
//! A batch is one commit with one audit entry (`import`: how many rows of what, and their hash).
//! Values pass the same limits as those of a request, required fields must be there and links
//! must point at rows that exist. **No rules run**: what a rule would set, check or claim (a
//! username and its log-in name, the department of a ticket, when it was solved) the caller must
//! have got right; nor are the conditions of links and rings of parents looked at.
//!
//! Ids and moments are the caller's, because the past is being written: a row begins at version 1,
//! made and last changed when and by whom the caller says.

mod row;

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest;
use jiff::Timestamp;
use opsflux_model::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, Value};
use opsflux_store::feed::{Body, FeedOp, NewEntry};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Recount, Set, Write};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use self::row::Row;
use super::derived::Moved;
use super::{change, numbers, refused};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// Most rows in one batch: large enough that the wait for the disk is nothing, small enough that
/// others who write are not kept waiting.
pub const MAX_ROWS: usize = 10_000;

/// The entity of the one feed entry that stands for a whole batch, see [`Announce::Once`]. No
/// module can declare it.
pub const SEEDED: &str = "*";

/// One row to be.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedRecord {
    /// What kind.
    pub entity: EntityIx,
    /// Which.
    pub id: Uuid,
    /// The company it belongs to.
    pub company: Option<Uuid>,
    /// When it was made, and by whom.
    pub created: (Timestamp, Option<Uuid>),
    /// When it last changed, and by whom.
    pub updated: (Timestamp, Option<Uuid>),
    /// Declared fields, and `number` when the record brings its own. Defaults fill the others.
    pub values: Vec<(FieldIx, Value)>,
}

/// What of a batch the feed is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Announce {
    /// Every record, as if each had been created by itself.
    #[default]
    Each,
    /// One entry whose entity is [`SEEDED`] and whose `fields` name the entities of the batch:
    /// whoever keeps something of each record reads those entities again from the start. For
    /// seeds so large that following them record by record costs more than beginning anew.
    Once,
}

/// One batch.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// The rows. A link may point at any row of the batch, also at a later one.
    pub records: Vec<SeedRecord>,
    /// Rows of the engine's own that belong to them: names for signing in.
    pub system: Vec<SystemWrite>,
    /// What the feed is told.
    pub announce: Announce,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// The id shared by its feed entries and named in its audit entry.
    pub change: Uuid,
    /// SHA-256 over the rows, as in the audit, hexadecimal.
    pub sha256: String,
}

impl Records {
    /// Writes a batch, all of it or nothing. Numbers are taken from the series in one block for
    /// the rows that bring none, in the order of the rows.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_ROWS`]; [`Error::Bulk`] naming the first row that is wrong;
    /// conflicts with what is there.
    pub async fn seed(&self, caller: &Caller, seed: Seed) -> Result<Seeded, Error> {
        if seed.records.len() > MAX_ROWS {
            return Err(Error::TooLarge {
                limit: format!("{MAX_ROWS} rows"),
            });
        }
        let schema = self.schema();
        let mut entities: Vec<EntityIx> = seed.records.iter().map(|row| row.entity).collect();
        entities.sort_unstable();
        entities.dedup();
        for entity in entities {
            self.authorize(caller, entity, Action::Create)?;
        }
        let mut rows = Vec::with_capacity(seed.records.len());
        for (index, record) in seed.records.into_iter().enumerate() {
            let row = Row::complete(&schema, record, &caller.time_zone);
            rows.push(row.map_err(|errors| Error::Bulk {
                index,
                error: Box::new(Error::Invalid(errors)),
            })?);
        }
        let mut taken = numbers::Taken::default();
        self.give_numbers(&schema, caller.tenant(), &mut taken, &mut rows)
            .await?;
        let (series, _turn) = taken.finish();
        let id = self.new_id();
        let sha256 = hash(&schema, &rows);
        let mut commit = Commit {
            tenant: caller.tenant(),
            system: seed.system.into_iter().chain(series).collect(),
            feed: self.announced(caller, &schema, id, seed.announce, &rows),
            rollups: moved(&schema, &rows),
            ..Commit::default()
        };
        let audit = self.audit_entry(caller, &schema, id, &rows, &sha256)?;
        commit.writes = writes(&schema, rows);
        commit.writes.push(audit);
        self.inner.store.commit(commit).await.map_err(refused)?;
        Ok(Seeded { change: id, sha256 })
    }

    /// Numbers for the rows that have none: one block for each series.
    async fn give_numbers(
        &self,
        schema: &Schema,
        tenant: i64,
        taken: &mut numbers::Taken,
        rows: &mut [Row],
    ) -> Result<(), Error> {
        let mut series: BTreeMap<(EntityIx, String), Vec<usize>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            let entity = schema.entity(row.entity);
            if let (Some(template), Some(field)) = (&entity.number, entity.find(system::NUMBER))
                && row.value(field).is_empty()
            {
                let period = numbers::render(template, row.made_on(), None);
                let numbered = series.entry((row.entity, period)).or_default();
                numbered.push(place);
            }
        }
        for ((ix, period), places) in series {
            let entity = schema.entity(ix);
            let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
            let store = &self.inner.store;
            let block: Vec<i64> = if entity.number.as_ref().is_some_and(|n| n.gapless) {
                let mut block = Vec::with_capacity(places.len());
                for _ in &places {
                    let numbers = &self.inner.numbers;
                    let next = taken.next(numbers, store, tenant, entity, &period);
                    block.push(next.await?);
                }
                block
            } else {
                let leased = store.lease_numbers(tenant, &entity.name, &period, count);
                leased.await?.collect()
            };
            let (Some(template), Some(field)) = (&entity.number, entity.find(system::NUMBER))
            else {
                continue;
            };
            for (place, number) in places.into_iter().zip(block) {
                let row = &mut rows[place];
                let number = numbers::render(template, row.made_on(), Some(number));
                row.values[usize::from(field.0)] = Value::Text(number);
            }
        }
        Ok(())
    }

    fn announced(
        &self,
        caller: &Caller,
        schema: &Schema,
        change: Uuid,
        announce: Announce,
        rows: &[Row],
    ) -> Vec<NewEntry> {
        let at = self.now();
        let origin = &caller.origin;
        let body = |fields, after| Body {
            fields,
            after,
            by: Some(caller.user()).filter(|id| !id.is_nil()),
            source: origin.source.clone(),
            chain: origin.chain,
            depth: origin.depth,
            ..Body::default()
        };
        let entry = |entity: &str, record, body| NewEntry {
            change,
            at,
            entity: entity.to_owned(),
            record,
            version: 1,
            op: FeedOp::Created,
            body,
        };
        match announce {
            Announce::Each => rows
                .iter()
                .map(|row| {
                    let entity = schema.entity(row.entity);
                    let after = change::anchors(entity, &row.values);
                    entry(&entity.name, row.id, body(Vec::new(), after))
                })
                .collect(),
            Announce::Once => {
                let names = counts(schema, rows).into_keys().map(str::to_owned);
                vec![entry(SEEDED, change, body(names.collect(), Map::new()))]
            }
        }
    }

    fn audit_entry(
        &self,
        caller: &Caller,
        schema: &Schema,
        change: Uuid,
        rows: &[Row],
        sha256: &str,
    ) -> Result<Write, Error> {
        let audit = self.entity_called(crate::read::history::AUDIT_ENTITY)?;
        let counts = counts(schema, rows);
        let mut entry = super::audit::Entry::new(caller, self.now(), "import", "ok");
        if let (Some(only), 1) = (counts.keys().next(), counts.len()) {
            entry.entity = Some(*only);
        }
        entry.after = Some(Map::from_iter([
            ("change".to_owned(), Json::from(change.to_string())),
            ("count".to_owned(), Json::from(rows.len())),
            ("rows".to_owned(), json!(counts)),
            ("sha256".to_owned(), Json::from(sha256)),
        ]));
        let values = entry.values(schema.entity(audit), self.new_id());
        Ok(Write::Insert {
            entity: audit,
            values,
        })
    }
}

/// Roll-ups that the rows move.
fn moved(schema: &Schema, rows: &[Row]) -> Vec<Recount> {
    let mut moved = Moved::default();
    for row in rows {
        for rollup in schema.rollups_of(row.entity) {
            moved.row(rollup, Some(&row.values));
        }
    }
    moved.recounts()
}

/// The rows, each whole, and after them the links that point at a later row.
fn writes(schema: &Schema, rows: Vec<Row>) -> Vec<Write> {
    let places: HashMap<(EntityIx, Uuid), usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| ((row.entity, row.id), place))
        .collect();
    let mut writes = Vec::with_capacity(rows.len() + 1);
    let mut later = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        let entity = schema.entity(row.entity);
        let mut values = Vec::with_capacity(row.values.len());
        for ((ix, field), value) in entity.iter().zip(row.values) {
            if field.kind.is_virtual() {
                continue;
            }
            let waits = match &field.kind {
                FieldType::Link(link) | FieldType::Links(link) if !field.system => targets(&value)
                    .any(|id| places.get(&(link.to, id)).is_some_and(|at| *at > place)),
                _ => false,
            };
            if waits {
                later.push(Write::Update {
                    entity: row.entity,
                    id: row.id,
                    expected_version: None,
                    set: vec![(ix, Set::To(value))],
                });
                continue;
            }
            // Nulls too: rows of one kind are then one statement.
            values.push((ix, value));
        }
        writes.push(Write::Insert {
            entity: row.entity,
            values,
        });
    }
    writes.extend(later);
    writes
}

fn targets(value: &Value) -> impl Iterator<Item = Uuid> {
    let items = match value {
        Value::Set(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    items.iter().filter_map(Value::as_id)
}

/// How many rows there are of each entity.
fn counts<'a>(schema: &'a Schema, rows: &[Row]) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts
            .entry(schema.entity(row.entity).name.as_str())
            .or_insert(0) += 1;
    }
    counts
}

/// SHA-256 over one line of JSON a row: entity, id, and the values in declared order, without what
/// is write-only.
fn hash(schema: &Schema, rows: &[Row]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut line = Vec::new();
    for row in rows {
        let entity = schema.entity(row.entity);
        let readable = entity.iter().zip(&row.values);
        let values: Vec<&Value> = readable
            .filter(|((_, field), _)| !field.kind.is_write_only())
            .map(|(_, value)| value)
            .collect();
        line.clear();
        // Values, names and ids always serialize.
        let _ = serde_json::to_writer(&mut line, &(&entity.name, row.id, values));
        line.push(b'\n');
        hash.update(&line);
    }
    let digest = hash.finish();
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
