//! Pages as JSON.

use std::collections::HashMap;
use std::ops::Range;

use opsflux_model::Value;
use opsflux_model::schema::EntityIx;
use opsflux_store::{Output, Select};
use uuid::Uuid;

use super::columns::{Columns, FoundLink};
use super::json::{push_key, push_string};
use super::query::{self, DEFAULT_LIMIT, ListRequest};
use super::ranked::{SORTED_HITS, among, write_highlights};
use super::search::Hit;
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// Totals are exact up to here.
const COUNT_CAP: u64 = 10_000;

/// Rows written, not yet put together.
#[derive(Default)]
pub(super) struct Rows {
    pub bytes: Vec<u8>,
    /// One per row: its id and the inside of its object.
    pub ranges: Vec<(Uuid, Range<usize>)>,
    pub links: Vec<FoundLink>,
    /// The values of the sort keys of the last row of the page, when there are more.
    pub last: Option<Vec<Value>>,
}

impl Records {
    /// A page as `{"items": […], "labels": {…}, "next_cursor": …, "total": …}`.
    ///
    /// # Errors
    /// Whatever is wrong with the request, naming the parameter.
    pub async fn list(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
    ) -> Result<Vec<u8>, Error> {
        let schema = self.schema();
        let columns = Columns::choose(&schema, &caller.access, entity, request.fields.as_deref())?;
        let (filter, sort) = self.bind(caller, |binder| {
            let filter = query::filter(binder, caller, entity, request)?;
            Ok::<_, Error>((filter, query::sort(binder, entity, request)?))
        })?;
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        let mut outputs = columns.outputs.clone();
        outputs.extend((0..sort.len()).map(Output::SortKey));
        let mut select = Select {
            tenant: caller.tenant(),
            entity,
            filter,
            outputs,
            sort,
            after: None,
            limit: limit + 1,
            living: query::living(&schema, entity, request.deleted),
        };
        let ranked = match &request.q {
            Some(text) if request.sort.is_empty() => Some(
                self.ranked(caller, request, text, &columns, &mut select)
                    .await?,
            ),
            Some(text) => {
                let hits = self.hits(caller, entity, text, 0, SORTED_HITS)?;
                select.filter = among(&schema, entity, &hits).and(select.filter);
                None
            }
            None => None,
        };
        let (mut rows, next, marks) = match ranked {
            Some(ranked) => (ranked.rows, ranked.next, ranked.marks),
            None => {
                select.after = self.opened(caller, entity, request, &select.sort)?;
                self.refuse_slow_sort(&select, request).await?;
                let rows = self.rows(&columns, &select, limit as usize).await?;
                let next = match &rows.last {
                    Some(values) => Some(self.sealed(caller, entity, request, values)?),
                    None => None,
                };
                (rows, next, HashMap::new())
            }
        };
        let extras = self
            .extras(caller, entity, &columns, &mut rows, &request.expand)
            .await?;
        let labels = self.labels(caller, &rows.links).await?;
        labels.blank_deleted(&rows.links, &mut rows.bytes);
        let total = match request.total {
            true => Some(
                self.inner
                    .store
                    .count_up_to(&select, COUNT_CAP + 1, self.inner.budget)
                    .await?,
            ),
            false => None,
        };
        let mut body = Vec::with_capacity(rows.bytes.len() + 512);
        body.extend_from_slice(b"{\"items\":[");
        for (place, (id, _)) in rows.ranges.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            extras.put_together(&rows, place, &mut body);
            if let Some(marked) = marks.get(&Hit { entity, id: *id }) {
                write_highlights(&schema, entity, marked, &mut body);
            }
        }
        body.push(b']');
        labels.write(&mut body);
        write_page_end(&mut body, next.as_deref(), total);
        Ok(body)
    }

    /// Reads rows of `select`, keeping at most `limit` of them.
    pub(super) async fn rows(
        &self,
        columns: &Columns,
        select: &Select,
        limit: usize,
    ) -> Result<Rows, Error> {
        let schema = self.schema();
        let mut rows = Rows::default();
        let mut keys = Vec::new();
        let mut more = false;
        self.inner
            .store
            .select(select, self.inner.budget, |row| -> Result<(), Error> {
                if rows.ranges.len() == limit {
                    more = true;
                    return Ok(());
                }
                let id = row.value(0)?.as_id().unwrap_or_default();
                let start = rows.bytes.len();
                columns.write(&schema, row, &mut rows.bytes, &mut rows.links)?;
                rows.ranges.push((id, start..rows.bytes.len()));
                if rows.ranges.len() == limit {
                    for place in 0..select.sort.len() {
                        keys.push(row.value(columns.outputs.len() + place)?);
                    }
                }
                Ok(())
            })
            .await?;
        rows.last = more.then_some(keys);
        Ok(rows)
    }
}

fn write_page_end(out: &mut Vec<u8>, next: Option<&str>, total: Option<u64>) {
    push_key(out, "next_cursor");
    match next {
        Some(cursor) => push_string(out, cursor),
        None => out.extend_from_slice(b"null"),
    }
    push_key(out, "total");
    match total {
        Some(total) => {
            let (number, kind) = match total {
                0..=COUNT_CAP => (total, "exact"),
                _ => (COUNT_CAP, "at_least"),
            };
            out.extend_from_slice(format!("{number},\"total_is\":\"{kind}\"").as_bytes());
        }
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}
