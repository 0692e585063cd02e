//! Pages and single records as JSON.

use std::collections::HashMap;
use std::ops::Range;

use opsflux_model::schema::{EntityIx, system};
use opsflux_model::{Action, Value};
use opsflux_store::{Output, Select};
use uuid::Uuid;

use super::columns::{Columns, FoundLink};
use super::json::{push_key, push_string};
use super::query::{self, DEFAULT_LIMIT, ListRequest};
use super::ranked::{SORTED_HITS, among, write_highlights};
use super::{Found, GetRequest};
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
    /// One record as the caller may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for what the caller may not know of.
    pub async fn get(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        request: &GetRequest,
    ) -> Result<Found, Error> {
        let schema = self.schema();
        let columns = Columns::choose(&schema, &caller.access, entity, request.fields.as_deref())?;
        let may = |action| Output::Holds(query::rule(&schema, caller, entity, action));
        let mut outputs = columns.outputs.clone();
        outputs.extend([may(Action::Edit), may(Action::Delete)]);
        let action = if request.deleted {
            Action::Delete
        } else {
            Action::View
        };
        let select = Select {
            tenant: caller.tenant(),
            entity,
            filter: self
                .addressed(entity, reference)?
                .and(query::rule(&schema, caller, entity, action)),
            outputs,
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: query::living(&schema, entity, request.deleted),
        };
        let mut rows = Rows::default();
        let mut version = 0;
        let versioned = schema.entity(entity).find(system::VERSION).is_some();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let id = row.value(0)?.as_id().unwrap_or_default();
                if versioned {
                    version = row.value(1)?.as_int().unwrap_or_default();
                }
                let start = rows.bytes.len();
                columns.write(&schema, row, &mut rows.bytes, &mut rows.links)?;
                push_key(&mut rows.bytes, "can");
                let may = |place| Ok::<_, Error>(row.value(place)?.as_bool() == Some(true));
                let edit = may(columns.outputs.len())?;
                let delete = may(columns.outputs.len() + 1)?;
                rows.bytes.extend_from_slice(
                    format!("{{\"edit\":{edit},\"delete\":{delete}}}").as_bytes(),
                );
                rows.ranges.push((id, start..rows.bytes.len()));
                Ok(())
            })
            .await?;
        let id = rows
            .ranges
            .first()
            .map(|(id, _)| *id)
            .ok_or(Error::NotFound)?;
        let extras = self
            .extras(caller, entity, &columns, &mut rows, &request.expand)
            .await?;
        let labels = self.labels(caller, &rows.links).await?;
        labels.blank_deleted(&rows.links, &mut rows.bytes);
        let mut body = Vec::with_capacity(rows.bytes.len() + 256);
        extras.put_together(&rows, 0, &mut body);
        body.pop();
        labels.write(&mut body);
        body.push(b'}');
        Ok(Found { id, version, body })
    }

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
        let (mut rows, next, highlights) = match ranked {
            Some(ranked) => (ranked.rows, ranked.next, ranked.highlights),
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
            if let Some(hit) = highlights.get(id) {
                write_highlights(&schema, entity, hit, &mut body);
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
