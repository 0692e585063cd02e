//! What a row has besides its columns: child tables and expanded links, read for a whole page at
//! once.

use std::collections::HashMap;

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, FieldRight};
use opsflux_store::Select;
use uuid::Uuid;

use super::columns::{Columns, FoundLink};
use super::is_child_scalar;
use super::json::{push_key, to_json};
use super::page::Rows;
use super::query;
use super::ranked::among;
use super::search::Hit;
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

impl Records {
    /// What a row has besides its columns: child tables and expanded links.
    pub(super) async fn extras(
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
pub(super) struct Extras {
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
    pub fn put_together(&self, rows: &Rows, place: usize, out: &mut Vec<u8>) {
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
