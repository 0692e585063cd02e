//! Lists in order of rank: hits of the index, judged again in SQL.

use std::collections::HashMap;
use std::ops::Range;

use opsflux_model::schema::{EntityIx, FieldIx, Schema, system};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::Select;
use uuid::Uuid;

use super::columns::{Columns, FoundLink};
use super::json::{push_key, push_string};
use super::page::Rows;
use super::query::ListRequest;
use super::search::{Hit, Marked, SearchQuery};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// Sorting by another key than rank is honoured up to here.
pub(super) const SORTED_HITS: usize = 10_000;

impl Records {
    /// A page in order of rank: hits are pulled until the page is full. `select` is then what a
    /// total counts.
    pub(super) async fn ranked(
        &self,
        caller: &Caller,
        request: &ListRequest,
        text: &str,
        columns: &Columns,
        select: &mut Select,
    ) -> Result<Ranked, Error> {
        let entity = select.entity;
        let schema = self.schema();
        let limit = select.limit as usize - 1;
        let mut skip = match &request.cursor {
            Some(cursor) => self.opened_rank(caller, entity, request, cursor)?,
            None => 0,
        };
        let mut page = Ranked::default();
        let filter = select.filter.clone();
        select.sort = Vec::new();
        select.outputs.truncate(columns.outputs.len());
        loop {
            // A few more than wanted, for those the index is late to have taken away.
            let hits = self.hits(caller, entity, text, skip, limit + limit / 4 + 1)?;
            if hits.is_empty() {
                break;
            }
            select.filter = among(&schema, entity, &hits).and(filter.clone());
            select.limit = u32::try_from(hits.len()).unwrap_or(u32::MAX);
            let read = self.rows(columns, select, hits.len()).await?;
            let full = page.take(read, &hits, limit, &mut skip);
            if full {
                let payload = skip.to_string();
                page.next = Some(self.inner.cursors.seal(
                    payload.as_bytes(),
                    self.binding(caller, entity, request, "rank"),
                )?);
                break;
            }
        }
        page.marks = self.marks(caller, entity, text, &page.rows)?;
        if request.total {
            let all = self.hits(caller, entity, text, 0, SORTED_HITS)?;
            select.filter = among(&schema, entity, &all).and(filter);
        }
        Ok(page)
    }

    fn marks(
        &self,
        caller: &Caller,
        entity: EntityIx,
        text: &str,
        rows: &Rows,
    ) -> Result<HashMap<Hit, Vec<Marked>>, Error> {
        let schema = self.schema();
        let shown: Vec<Hit> = rows
            .ranges
            .iter()
            .map(|(id, _)| Hit { entity, id: *id })
            .collect();
        let query = SearchQuery {
            schema: &schema,
            caller,
            entity: Some(entity),
            text,
            skip: 0,
            limit: shown.len(),
        };
        self.searcher()?.mark(&query, &shown)
    }

    pub(super) fn hits(
        &self,
        caller: &Caller,
        entity: EntityIx,
        text: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Hit>, Error> {
        let schema = self.schema();
        let query = SearchQuery {
            schema: &schema,
            caller,
            entity: Some(entity),
            text,
            skip,
            limit,
        };
        self.searcher()?.search(&query)
    }
}

/// Membership of the records hit.
pub(super) fn among(schema: &Schema, entity: EntityIx, hits: &[Hit]) -> Predicate {
    let id = schema.entity(entity).find(system::ID).unwrap_or(FieldIx(0));
    let ids = hits.iter().map(|hit| Value::Id(hit.id)).collect();
    Predicate::test(entity, id, Operand::OneOf(ids))
}

/// A page in order of rank, while it fills.
#[derive(Default)]
pub(super) struct Ranked {
    pub rows: Rows,
    pub marks: HashMap<Hit, Vec<Marked>>,
    pub next: Option<String>,
}

impl Ranked {
    /// Takes the rows of `read` in the order of `hits`, advancing `skip` past every hit looked
    /// at; true when the page is full.
    fn take(&mut self, read: Rows, hits: &[Hit], limit: usize, skip: &mut usize) -> bool {
        let found: HashMap<Uuid, &Range<usize>> =
            read.ranges.iter().map(|(id, range)| (*id, range)).collect();
        for hit in hits {
            if self.rows.ranges.len() == limit {
                return true;
            }
            *skip += 1;
            let Some(range) = found.get(&hit.id) else {
                continue;
            };
            let start = self.rows.bytes.len();
            let moved = |at: usize| at - range.start + start;
            let links = read.links.iter().filter_map(|link| match link.at {
                Some(at) if range.contains(&at) => Some(FoundLink {
                    at: Some(moved(at)),
                    ..*link
                }),
                Some(_) => None,
                // Links in sets are not tied to a row; one title too many does no harm.
                None => Some(*link),
            });
            self.rows.links.extend(links);
            self.rows
                .bytes
                .extend_from_slice(read.bytes.get((*range).clone()).unwrap_or_default());
            self.rows
                .ranges
                .push((hit.id, start..self.rows.bytes.len()));
        }
        false
    }
}

pub(super) fn write_highlights(
    schema: &Schema,
    entity: EntityIx,
    marked: &[Marked],
    out: &mut Vec<u8>,
) {
    out.pop();
    push_key(out, "highlights");
    out.push(b'{');
    for one in marked {
        push_key(out, &schema.entity(entity).field(one.field).name);
        push_string(out, &one.html);
    }
    out.extend_from_slice(b"}}");
}
