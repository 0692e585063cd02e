//! Pages and single records as JSON.

use std::collections::HashMap;
use std::ops::Range;

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, FieldRight, Operand, Predicate, Value};
use opsflux_store::{Output, Select, Sort};
use uuid::Uuid;

use super::columns::{Columns, FoundLink};
use super::json::{push_key, push_string, to_json};
use super::query::{self, DEFAULT_LIMIT, ListRequest};
use super::search::{Hit, SearchQuery};
use super::{Found, GetRequest, is_child_scalar};
use crate::caller::Caller;
use crate::cursor::Binding;
use crate::error::Error;
use crate::records::Records;

/// Totals are exact up to here.
const COUNT_CAP: u64 = 10_000;
/// Sorting by hits is honoured up to here.
const SORTED_HITS: usize = 10_000;
/// A sort without an index is refused above so many rows.
const UNINDEXED_SORT: u64 = 50_000;

/// Rows written, not yet put together.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    /// One per row: its id and the inside of its object.
    ranges: Vec<(Uuid, Range<usize>)>,
    links: Vec<FoundLink>,
    /// The values of the sort keys of the last row of the page, when there are more.
    last: Option<Vec<Value>>,
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
    async fn rows(&self, columns: &Columns, select: &Select, limit: usize) -> Result<Rows, Error> {
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

    /// A page in order of rank: hits are pulled until the page is full.
    async fn ranked(
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
            let hits = self.hits(caller, entity, text, skip, limit.max(100))?;
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
        // The count, when asked for, is of the filtered hits.
        let all = self.hits(caller, entity, text, 0, SORTED_HITS)?;
        select.filter = among(&schema, entity, &all).and(filter);
        Ok(page)
    }

    fn hits(
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

    /// What a cursor of this list is bound to: person, tenant, entity, filter and sort.
    fn binding(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        purpose: &str,
    ) -> Binding {
        let mut binding = Binding::new(purpose)
            .with(caller.tenant().to_be_bytes())
            .with(caller.user())
            .with(&self.schema().entity(entity).name)
            .with([u8::from(request.deleted)])
            .with(request.q.as_deref().unwrap_or_default());
        if let Some(nested) = request.nested {
            binding = binding.with(nested.via.0.to_be_bytes()).with(nested.id);
        }
        for company in &caller.companies {
            binding = binding.with(company);
        }
        for key in &request.sort {
            binding = binding.with(key);
        }
        for (parameter, condition) in &request.conditions {
            binding = binding
                .with(parameter)
                .with(condition.to_json().to_string());
        }
        binding
    }

    fn sealed(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        values: &[Value],
    ) -> Result<String, Error> {
        let payload =
            serde_json::to_vec(values).map_err(|error| Error::Internal(error.to_string()))?;
        self.inner
            .cursors
            .seal(&payload, self.binding(caller, entity, request, "list"))
    }

    fn opened(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        sort: &[Sort],
    ) -> Result<Option<Vec<Value>>, Error> {
        let Some(cursor) = &request.cursor else {
            return Ok(None);
        };
        let payload = self
            .inner
            .cursors
            .open(cursor, self.binding(caller, entity, request, "list"));
        let values: Option<Vec<Value>> =
            payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        match values {
            Some(values) if values.len() == sort.len() => Ok(Some(values)),
            _ => Err(invalid_cursor()),
        }
    }

    fn opened_rank(
        &self,
        caller: &Caller,
        entity: EntityIx,
        request: &ListRequest,
        cursor: &str,
    ) -> Result<usize, Error> {
        let binding = self.binding(caller, entity, request, "rank");
        let payload = self
            .inner
            .cursors
            .open(cursor, binding)
            .ok_or_else(invalid_cursor)?;
        let text = std::str::from_utf8(&payload).map_err(|_| invalid_cursor())?;
        text.parse().map_err(|_| invalid_cursor())
    }

    /// A sort no index serves is fine in a small table and a trap in a large one.
    async fn refuse_slow_sort(&self, select: &Select, request: &ListRequest) -> Result<(), Error> {
        if request.sort.is_empty() || select.after.is_some() {
            return Ok(());
        }
        let schema = self.schema();
        if has_index(&schema, select) {
            return Ok(());
        }
        let rows = self
            .inner
            .store
            .count_up_to(select, UNINDEXED_SORT + 1, self.inner.budget)
            .await?;
        if rows > UNINDEXED_SORT {
            let declare = request
                .sort
                .iter()
                .map(|key| format!("\"{key}\""))
                .collect::<Vec<_>>();
            return Err(Error::query(
                "sort",
                "needs_index",
                format!(
                    "declare index = [[{}]], or narrow the filter",
                    declare.join(", ")
                ),
            ));
        }
        Ok(())
    }

    /// What a row has besides its columns: child tables and expanded links.
    async fn extras(
        &self,
        caller: &Caller,
        entity: EntityIx,
        columns: &Columns,
        rows: &mut Rows,
        expand: &[String],
    ) -> Result<Extras, Error> {
        let mut extras = Extras::default();
        let schema = self.schema();
        let owners: Vec<Uuid> = rows.ranges.iter().map(|(id, _)| *id).collect();
        if owners.is_empty() {
            return Ok(extras);
        }
        for field in &columns.children {
            let declared = schema.entity(entity).field(*field);
            let FieldType::Children { of, via } = declared.kind else {
                continue;
            };
            let found = self.children(caller.tenant(), of, via, &owners).await?;
            let mut tables: HashMap<Uuid, Vec<serde_json::Value>> = HashMap::new();
            for child in found {
                let owner = child.value(via).as_id().unwrap_or_default();
                let row = child_row(&schema, caller, &child, via, &mut rows.links);
                tables.entry(owner).or_default().push(row);
            }
            for owner in &owners {
                let table = tables.remove(owner).unwrap_or_default();
                let json = serde_json::Value::Array(table).to_string();
                extras.add(*owner, &declared.name, json.as_bytes());
            }
        }
        if !expand.is_empty() {
            self.expand(caller, columns, rows, expand, &mut extras)
                .await?;
        }
        Ok(extras)
    }

    async fn expand(
        &self,
        caller: &Caller,
        columns: &Columns,
        rows: &mut Rows,
        expand: &[String],
        extras: &mut Extras,
    ) -> Result<(), Error> {
        let mut expanded: HashMap<Uuid, Vec<u8>> = HashMap::new();
        for name in expand {
            let (column, to) = columns.link(name).ok_or_else(|| {
                Error::query(
                    "expand",
                    "unknown_field",
                    format!("“{name}” is not a link here"),
                )
            })?;
            let targets = self.targets(caller, to, rows, column).await?;
            let mut links = rows
                .links
                .iter()
                .filter(|link| link.column == column)
                .peekable();
            for (owner, range) in &rows.ranges {
                let linked = links
                    .next_if(|link| link.at.is_some_and(|at| range.contains(&at)))
                    .and_then(|link| targets.get(&link.id));
                let inside = expanded.entry(*owner).or_insert_with(|| vec![b'{']);
                push_key(inside, name);
                inside.extend_from_slice(linked.map_or(b"null", Vec::as_slice));
            }
        }
        for (owner, mut object) in expanded {
            object.push(b'}');
            extras.add(owner, "expanded", &object);
        }
        Ok(())
    }

    /// The records a column of links points at, as JSON by id.
    async fn targets(
        &self,
        caller: &Caller,
        to: EntityIx,
        rows: &mut Rows,
        column: usize,
    ) -> Result<HashMap<Uuid, Vec<u8>>, Error> {
        let schema = self.schema();
        let mut ids: Vec<Uuid> = rows
            .links
            .iter()
            .filter(|link| link.column == column)
            .map(|link| link.id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let hits: Vec<Hit> = ids
            .iter()
            .map(|id| Hit {
                entity: to,
                id: *id,
                highlights: Vec::new(),
            })
            .collect();
        let mut columns = Columns::choose(&schema, &caller.access, to, None)?;
        columns.children.clear();
        let select = Select {
            tenant: caller.tenant(),
            entity: to,
            filter: among(&schema, to, &hits).and(query::rule(&schema, caller, to, Action::View)),
            outputs: columns.outputs.clone(),
            sort: Vec::new(),
            after: None,
            limit: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            living: query::living(&schema, to, false),
        };
        let read = self.rows(&columns, &select, ids.len()).await?;
        let objects = read.ranges.iter().map(|(id, range)| {
            let mut object = vec![b'{'];
            object.extend_from_slice(read.bytes.get(range.clone()).unwrap_or_default());
            object.push(b'}');
            (*id, object)
        });
        Ok(objects.collect())
    }
}

fn invalid_cursor() -> Error {
    Error::query(
        "cursor",
        "invalid_cursor",
        "a cursor belongs to one list, filter and sort",
    )
}

/// Membership of the records hit.
fn among(schema: &Schema, entity: EntityIx, hits: &[Hit]) -> Predicate {
    let id = schema.entity(entity).find(system::ID).unwrap_or(FieldIx(0));
    let ids = hits.iter().map(|hit| Value::Id(hit.id)).collect();
    Predicate::test(entity, id, Operand::OneOf(ids))
}

/// Whether some index of the entity carries the first sort key.
fn has_index(schema: &Schema, select: &Select) -> bool {
    let Some(first) = select.sort.first() else {
        return true;
    };
    if !first.path.steps.is_empty() {
        return false;
    }
    let entity = schema.entity(select.entity);
    let key = opsflux_model::layout::compared(entity, first.path.field, first.descending);
    let layout = opsflux_model::layout::Layout::of(schema);
    let table = opsflux_model::layout::table_name(entity);
    key.column == system::ID
        || layout.table(&table).is_some_and(|table| {
            table.indexes.iter().any(|index| {
                index
                    .columns
                    .iter()
                    .any(|c| c.column == key.column && c.codes == key.codes)
            })
        })
}

fn child_row(
    schema: &Schema,
    caller: &Caller,
    child: &crate::rule::Snapshot,
    via: FieldIx,
    links: &mut Vec<FoundLink>,
) -> serde_json::Value {
    let declared = schema.entity(child.entity);
    let mut row = serde_json::Map::new();
    for (ix, field) in declared.iter() {
        let shown = ix != via
            && is_child_scalar(&field.kind)
            && (!field.system || matches!(field.name.as_str(), system::ID | system::COMPANY));
        if !shown || caller.access.field(child.entity, ix) < FieldRight::Read {
            continue;
        }
        let value = child.value(ix);
        if let (FieldType::Link(link), Some(id)) = (&field.kind, value.as_id()) {
            links.push(FoundLink {
                to: link.to,
                id,
                at: None,
                column: usize::MAX,
            });
        }
        row.insert(field.name.clone(), to_json(value));
    }
    serde_json::Value::Object(row)
}

/// Parts of rows that are read by queries of their own.
#[derive(Default)]
struct Extras {
    by_row: HashMap<Uuid, Vec<u8>>,
}

impl Extras {
    fn add(&mut self, row: Uuid, name: &str, json: &[u8]) {
        let extra = self.by_row.entry(row).or_default();
        extra.extend_from_slice(b",\"");
        extra.extend_from_slice(name.as_bytes());
        extra.extend_from_slice(b"\":");
        extra.extend_from_slice(json);
    }

    /// Appends the n-th row as an object.
    fn put_together(&self, rows: &Rows, place: usize, out: &mut Vec<u8>) {
        let Some((id, range)) = rows.ranges.get(place) else {
            return;
        };
        out.push(b'{');
        out.extend_from_slice(rows.bytes.get(range.clone()).unwrap_or_default());
        if let Some(extra) = self.by_row.get(id) {
            out.extend_from_slice(extra);
        }
        out.push(b'}');
    }
}

/// A page in order of rank, while it fills.
#[derive(Default)]
struct Ranked {
    rows: Rows,
    highlights: HashMap<Uuid, Hit>,
    next: Option<String>,
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
            self.highlights.insert(hit.id, hit.clone());
        }
        false
    }
}

fn write_highlights(schema: &Schema, entity: EntityIx, hit: &Hit, out: &mut Vec<u8>) {
    out.pop();
    push_key(out, "highlights");
    out.push(b'{');
    for (field, html) in &hit.highlights {
        push_key(out, &schema.entity(entity).field(*field).name);
        push_string(out, html);
    }
    out.extend_from_slice(b"}}");
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
