//! Writing checked rows: each commit carries what is needed to take them back, and where the import
//! stands then.

use opsflux_model::Value;
use opsflux_model::schema::EntityIx;
use opsflux_records::write::alike::back_to;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{ConflictKind, Error, Uuid};
use opsflux_store::Write;
use serde_json::Value as Json;

use crate::batch::{Made, Making, Wrong};
use crate::job::{Held, Stage, State, kept, record_of};
use crate::run::{Tally, counted, stored};
use crate::survey::BATCH;
use crate::{CHANGE, Importing};

/// Most rows written by one commit.
pub const AT_ONCE: u64 = 2_000;
impl Importing {
    /// Writes every row, after all were checked.
    pub(crate) async fn write_all(
        &self,
        held: &mut Held,
        making: &mut Making,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let single = tally.total <= AT_ONCE;
        let at_once = if single { AT_ONCE } else { BATCH as u64 };
        if held.state.stage != Stage::Write {
            self.enter(held, Stage::Write, 0).await?;
        }
        tally.ok = stored(&self.records.schema(), held, "rows_ok");
        let at_once = usize::try_from(at_once).unwrap_or(BATCH);
        let mut rows = self.rows(held.id(), &held.state.spec, held.state.written, at_once);
        while let Some(batch) = rows.recv().await {
            let batch = batch?;
            let last = batch.last().map_or(0, |row| row.line);
            let (made, wrong) = making.make(batch).await?;
            if let Some((_, error)) = wrong.into_iter().next() {
                return self.take_back(held, making, tally, &error).await;
            }
            tally.ok += made.len() as u64;
            let ends = tally.ok >= tally.total;
            let written = self.commit(held, making, &made, last, tally, ends).await;
            match written {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => {
                    return self.take_back(held, making, tally, &error).await;
                }
                Err(error) => return Err(error),
            }
            if ends {
                return self.noted(held, tally, "ok").await;
            }
            if self.is_cancelled(held).await? {
                return self.take_back_cancelled(held, making.entity).await;
            }
        }
        self.end_succeeded(held, tally).await
    }

    /// Writes the rows that are fine, and tells of the others.
    pub(crate) async fn write_what_is_fine(
        &self,
        held: &mut Held,
        making: &mut Making,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        if held.state.stage != Stage::Write {
            self.enter(held, Stage::Write, 0).await?;
        }
        self.resume(held, tally);
        let mut rows = self.rows(held.id(), &held.state.spec, held.state.written, BATCH);
        while let Some(batch) = rows.recv().await {
            let batch = batch?;
            let last = batch.last().map_or(0, |row| row.line);
            let (made, mut all_wrong) = making.make(batch).await?;
            let (fine, wrong) = making.check(made).await?;
            all_wrong.extend(wrong);
            let wrong = self.write_fine(held, making, fine, tally).await?;
            all_wrong.extend(wrong);
            all_wrong.sort_by_key(|(line, _)| *line);
            self.note(held, making, tally, all_wrong);
            held.state.written = last;
            let mut fields = counted(tally, tally.ok + tally.failed);
            fields.push(("state", kept(&held.state)?));
            self.keep(held, fields).await?;
            if self.is_cancelled(held).await? {
                return self.take_back_cancelled(held, making.entity).await;
            }
        }
        if tally.ok == 0 {
            let why = Error::field("file", "base.import_refused", "");
            return self.end_failed(held, Some(tally), &why).await;
        }
        self.end_succeeded(held, tally).await
    }

    /// Writes rows that were checked, halving what is refused until the row is found that is.
    async fn write_fine(
        &self,
        held: &mut Held,
        making: &Making,
        fine: Vec<Made>,
        tally: &mut Tally,
    ) -> Result<Vec<Wrong>, Error> {
        let mut wrong = Vec::new();
        let mut parts = vec![fine];
        while let Some(mut part) = parts.pop() {
            let Some(last) = part.last().map(|one| one.line) else {
                continue;
            };
            let ok = tally.ok;
            tally.ok += part.len() as u64;
            match self.commit(held, making, &part, last, tally, false).await {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => {
                    tally.ok = ok;
                    if part.len() == 1 {
                        wrong.push((last, error));
                    } else {
                        // In the order of the lines: the first half is written first.
                        let rest = part.split_off(part.len() / 2);
                        parts.extend([rest, part]);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(wrong)
    }

    /// One commit: rows, what is needed to take them back, where the import stands then.
    async fn commit(
        &self,
        held: &mut Held,
        making: &Making,
        made: &[Made],
        last: u64,
        tally: &Tally,
        ends: bool,
    ) -> Result<(), Error> {
        let operations: Vec<BulkOperation> = made.iter().map(|one| one.operation.clone()).collect();
        let state = State {
            written: last,
            ..held.state.clone()
        };
        let mut fields = counted(tally, tally.ok + tally.failed);
        fields.push(("state", kept(&state)?));
        if ends {
            fields.extend(self.ended("SUCCESS"));
        }
        let mut writes = vec![self.update(held.id(), self.renewed(fields))?];
        for one in made {
            match (&one.before, &one.operation) {
                (Some(before), BulkOperation::Update(_, _, patch)) => {
                    let names: Vec<String> = patch.keys().cloned().collect();
                    let was = back_to(&self.records.schema(), before, &names);
                    let record = (before.id, before.version + 1);
                    writes.push(self.before(held, making.entity, one.line, record, was.into())?);
                }
                // Nobody could know what it is called.
                (None, BulkOperation::Create(body)) => {
                    let id = body.get("id").and_then(Json::as_str);
                    let id = id
                        .and_then(|id| Uuid::try_parse(id).ok())
                        .unwrap_or_default();
                    if id != record_of(held.id(), one.line) {
                        let record = (id, 1);
                        let nothing = Json::Null;
                        writes.push(self.before(held, making.entity, one.line, record, nothing)?);
                    }
                }
                _ => {}
            }
        }
        let along = Along {
            guards: vec![self.held(held)?],
            writes,
            feed: Vec::new(),
        };
        self.records
            .import_along(
                &making.caller,
                making.entity,
                &operations,
                &making.import,
                &along,
            )
            .await?;
        held.state = state;
        Ok(())
    }

    /// What a record was before this import changes it; nothing when the import made it.
    fn before(
        &self,
        held: &Held,
        of: EntityIx,
        line: u64,
        record: (Uuid, i64),
        was: Json,
    ) -> Result<Write, Error> {
        let schema = self.records.schema();
        let entity = schema.find(CHANGE);
        let entity = entity.ok_or_else(|| Error::Internal("no changes by imports".to_owned()))?;
        let (id, version) = record;
        let record = Value::Ref {
            entity: schema.entity(of).name.clone(),
            id,
        };
        let line = i64::try_from(line).unwrap_or(i64::MAX);
        let values = [
            ("id", Value::Id(self.records.new_id())),
            ("created_at", self.records.now().into()),
            ("job", Value::Id(held.id())),
            ("line", line.into()),
            ("record", record),
            ("record_version", version.into()),
            ("before", Value::Json(was)),
        ];
        let declared = schema.entity(entity);
        let values = values.into_iter();
        let values = values.filter_map(|(name, value)| Some((declared.find(name)?, value)));
        Ok(Write::Insert {
            entity,
            values: values.collect(),
        })
    }
}

/// Whether the rows are at fault, not the moment.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Bulk { error, .. } => is_refusal(error),
        Error::Conflict(ConflictKind::Guard { name }) => name != "import.held",
        Error::Conflict(ConflictKind::Busy | ConflictKind::InProgress) => false,
        Error::Conflict(_)
        | Error::Invalid(_)
        | Error::Refused { .. }
        | Error::Forbidden { .. }
        | Error::NotFound
        | Error::Precondition { .. }
        | Error::TooLarge { .. } => true,
        _ => false,
    }
}
