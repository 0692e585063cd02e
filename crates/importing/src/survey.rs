//! Reading files beside what waits: blocking threads that hand rows on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opsflux_model::schema::{EntityIx, FieldIx, Schema};
use opsflux_records::{Caller, Error, FieldError};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Importing;
use crate::job::Spec;
use crate::locale::{Ambiguity, Seen};
use crate::mapping::{self, Mapping};
use crate::table::{Cell, Format, Row, Table, TableError};
use crate::value::{Column, Reading, is_date, is_number};

/// Rows handed on at once.
pub const BATCH: usize = 1_000;

/// What a look over the whole file has found.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its form.
    pub format: Format,
    /// Its headers.
    pub headers: Vec<String>,
    /// Lines in which something stands.
    pub rows: u64,
    /// Which column goes where.
    pub mapping: Mapping,
    /// The mapped columns.
    pub columns: Vec<Column>,
    /// What can be read in two ways, by header.
    pub notes: Vec<(String, Ambiguity)>,
    /// How cells are read.
    pub reading: Reading,
}

impl Importing {
    fn open(&self, id: Uuid, spec: &Spec) -> Result<Table, TableError> {
        let file = self.spool.read(id)?;
        Table::open(file, spec.sheet.as_deref(), spec.is_rows)
    }

    /// Looks over the whole file. `seen` counts its lines meanwhile.
    ///
    /// # Errors
    /// What is wrong with the file or the mapping.
    pub(crate) async fn survey(
        &self,
        id: Uuid,
        spec: &Spec,
        caller: &Caller,
        entity: EntityIx,
        seen: Arc<AtomicU64>,
    ) -> Result<Surveyed, Error> {
        let (importing, spec, caller) = (self.clone(), spec.clone(), caller.clone());
        let schema = self.records.schema();
        let looked = tokio::task::spawn_blocking(move || {
            importing.look_over(id, &spec, &caller, &schema, entity, &seen)
        });
        looked
            .await
            .map_err(|error| Error::Internal(error.to_string()))?
    }

    fn look_over(
        &self,
        id: Uuid,
        spec: &Spec,
        caller: &Caller,
        schema: &Schema,
        entity: EntityIx,
        counted: &AtomicU64,
    ) -> Result<Surveyed, Error> {
        let mut table = self.open(id, spec).map_err(told)?;
        let headers = table.headers.clone();
        let mapping = mapped(schema, caller, entity, spec, &headers);
        let places = mapping::places(schema, caller, entity, &mapping, &headers)?;
        let declared = schema.entity(entity);
        let mut found: Vec<(FieldIx, usize, Seen)> = places
            .into_iter()
            .map(|(ix, place)| (ix, place, Seen::default()))
            .collect();
        let mut rows = 0;
        let look = |row: Row| {
            rows += 1;
            counted.store(rows, Ordering::Relaxed);
            for (ix, place, seen) in &mut found {
                if let Some(Cell::Text(text)) = row.cells.get(*place) {
                    let kind = &declared.field(*ix).kind;
                    if is_number(kind) {
                        seen.number(text);
                    } else if is_date(kind) {
                        seen.date(text);
                    }
                }
            }
            Ok(())
        };
        table.each(look).map_err(told)?;
        if rows == 0 {
            return Err(Error::field("file", "base.no_rows", ""));
        }
        let mut notes = Vec::new();
        let columns = found.into_iter().map(|(ix, place, seen)| {
            let (style, ambiguities) = seen.style(spec.locale, spec.language);
            let header = headers.get(place).cloned().unwrap_or_default();
            notes.extend(ambiguities.into_iter().map(|one| (header.clone(), one)));
            Column {
                place,
                header,
                field: declared.field(ix).clone(),
                style,
            }
        });
        let columns = columns.collect();
        Ok(Surveyed {
            reading: Reading {
                from_1904: matches!(
                    table.format,
                    Format::Xlsx {
                        from_1904: true,
                        ..
                    }
                ),
                zone: caller.time_zone.clone(),
            },
            format: table.format,
            headers,
            rows,
            mapping,
            columns,
            notes,
        })
    }

    /// Hands on the rows after the line `after`, a batch at a time. Reading stops when nobody
    /// takes them any more.
    pub(crate) fn rows(
        &self,
        id: Uuid,
        spec: &Spec,
        after: u64,
        at_once: usize,
    ) -> mpsc::Receiver<Result<Vec<Row>, Error>> {
        let (sender, receiver) = mpsc::channel(2);
        let (importing, spec) = (self.clone(), spec.clone());
        // Its end is the end of the channel.
        drop(tokio::task::spawn_blocking(move || {
            let hand_on = |batch| {
                let sent = sender.blocking_send(Ok(batch));
                sent.map_err(|_| TableError::Stopped)
            };
            let read = || {
                let mut table = importing.open(id, &spec)?;
                let mut batch = Vec::with_capacity(at_once);
                table.each(|row| {
                    if row.line > after {
                        batch.push(row);
                    }
                    if batch.len() >= at_once {
                        hand_on(std::mem::replace(&mut batch, Vec::with_capacity(at_once)))?;
                    }
                    Ok(())
                })?;
                match batch.is_empty() {
                    true => Ok(()),
                    false => hand_on(batch),
                }
            };
            if let Err(error) = read() {
                // Nobody may be there to hear it.
                let _ = sender.blocking_send(Err(told(error)));
            }
        }));
        receiver
    }
}

/// The mapping that was given, else what the headers propose.
fn mapped(
    schema: &Schema,
    caller: &Caller,
    entity: EntityIx,
    spec: &Spec,
    headers: &[String],
) -> Mapping {
    if let Some(given) = &spec.mapping {
        return given
            .iter()
            .map(|(field, header)| (field.clone(), header.trim().to_owned()))
            .collect();
    }
    let fields: Vec<FieldIx> = mapping::fields(schema, caller, entity).collect();
    let mut proposed = mapping::propose(schema, schema.entity(entity), &fields, headers);
    for (header, field) in &spec.aliases {
        let known = headers
            .iter()
            .find(|known| known.eq_ignore_ascii_case(header));
        if let Some(header) = known
            && !proposed.values().any(|taken| taken == header)
        {
            proposed
                .entry(field.clone())
                .or_insert_with(|| header.clone());
        }
    }
    for name in &spec.key {
        if let Some(header) = headers
            .iter()
            .find(|header| header.eq_ignore_ascii_case(name))
        {
            proposed
                .entry(name.clone())
                .or_insert_with(|| header.clone());
        }
    }
    proposed
}

/// What is wrong with a file, for whoever sent it.
pub(crate) fn told(error: TableError) -> Error {
    let at =
        |code: &str, detail: String| Error::Invalid(vec![FieldError::new("file", code, detail)]);
    match error {
        TableError::Unreadable(why) => at("base.unreadable_file", why),
        TableError::Suspicious(why) => at("base.suspicious_file", why),
        TableError::NoSheet(name) => Error::field("sheet", "base.no_sheet", name),
        TableError::NoHeader => at("base.no_header", String::new()),
        TableError::TooManyColumns => at(
            "base.too_many_columns",
            crate::table::MAX_COLUMNS.to_string(),
        ),
        TableError::Disk(error) if error.kind() == std::io::ErrorKind::NotFound => {
            at("base.import_file_gone", String::new())
        }
        TableError::Disk(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            at("base.unreadable_file", error.to_string())
        }
        TableError::Disk(error) => Error::ReadOnly(error.to_string()),
        TableError::Stopped => Error::Internal("reading stopped".to_owned()),
    }
}
