//! How imports end, and how they are taken back.

use opsflux_model::predicate::Order;
use opsflux_model::schema::{EntityIx, FieldIx, system};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::write::alike::Import;
use opsflux_records::write::{Along, BulkOperation};
use opsflux_records::{Caller, Error, Origin};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::batch::Making;
use crate::job::{Fields, Held, Stage, kept, record_of};
use crate::run::{Tally, counted};
use crate::{CHANGE, Importing};

/// Records taken back by one commit.
const BATCH: u64 = 250;
/// Records that are named when they stand in the way.
const NAMED: usize = 5;

/// A record, the version it had after an import, and what it was before; nothing when the import
/// made it.
type Before = (Uuid, i64, Option<Map<String, Json>>);

impl Importing {
    /// The fields of a job that has ended.
    pub(crate) fn ended(&self, status: &'static str) -> Fields {
        vec![
            ("status", status.into()),
            ("ended_at", self.records.now().into()),
        ]
    }

    pub(crate) async fn end_succeeded(&self, held: &Held, tally: &Tally) -> Result<(), Error> {
        let mut fields = counted(tally, tally.total);
        fields.extend(self.ended("SUCCESS"));
        self.keep(held, fields).await?;
        self.noted(held, tally, "ok").await
    }

    pub(crate) async fn end_failed(
        &self,
        held: &Held,
        tally: Option<&Tally>,
        why: &Error,
    ) -> Result<(), Error> {
        let mut fields = tally.map_or_else(Vec::new, |tally| counted(tally, tally.total));
        let said = self.saying.error(held.state.spec.language, why);
        let message: Vec<String> = said.into_iter().map(|said| said.message).collect();
        fields.push(("error_message", message.join(" ").into()));
        fields.extend(self.ended("FAILED"));
        self.keep(held, fields).await?;
        let nothing = Tally::default();
        self.noted(held, tally.unwrap_or(&nothing), "failed").await
    }

    /// The file or the mapping is wrong: nothing was begun.
    pub(crate) async fn refuse(&self, held: &Held, why: &Error) -> Result<(), Error> {
        self.end_failed(held, None, why).await
    }

    pub(crate) async fn end_cancelled(&self, held: &Held) -> Result<(), Error> {
        let mut fields: Fields = vec![
            ("stage", Stage::Cancelled.code().into()),
            ("rows_ok", 0.into()),
        ];
        fields.extend(self.ended("FAILED"));
        self.keep(held, fields).await
    }

    /// The audit knows of every import, with its counts.
    pub(crate) async fn noted(
        &self,
        held: &Held,
        tally: &Tally,
        result: &str,
    ) -> Result<(), Error> {
        let caller = self.caller_of(held).await?;
        let counts = Map::from_iter([
            ("job".to_owned(), Json::from(held.id().to_string())),
            ("rows_total".to_owned(), tally.total.into()),
            ("rows_ok".to_owned(), tally.ok.into()),
            ("rows_failed".to_owned(), tally.failed.into()),
        ]);
        let entity = Some(held.state.spec.entity.as_str());
        self.records
            .audit_result(&caller, "import", entity, None, result, None, counts)
            .await
    }

    /// A row was refused after all had been checked: what was written goes.
    pub(crate) async fn take_back(
        &self,
        held: &mut Held,
        making: &Making,
        tally: &mut Tally,
        why: &Error,
    ) -> Result<(), Error> {
        tally.ok = 0;
        if held.state.written == 0 {
            return self.end_failed(held, Some(tally), why).await;
        }
        let said = self.saying.error(held.state.spec.language, why);
        let said: Vec<String> = said.into_iter().map(|said| said.message).collect();
        self.begin_undo(held, Some(said.join(" "))).await?;
        self.undo(held, making.entity).await
    }

    pub(crate) async fn take_back_cancelled(
        &self,
        held: &mut Held,
        entity: EntityIx,
    ) -> Result<(), Error> {
        self.begin_undo(held, None).await?;
        self.undo(held, entity).await
    }

    async fn begin_undo(&self, held: &mut Held, why: Option<String>) -> Result<(), Error> {
        held.state.stage = Stage::Undo;
        held.state.why = why;
        let fields: Fields = vec![
            ("stage", Stage::Undo.code().into()),
            ("state", kept(&held.state)?),
        ];
        self.keep(held, fields).await
    }

    /// Takes back all that was written, with the rights of the house: nobody may keep a half.
    pub(crate) async fn undo(&self, held: &mut Held, entity: EntityIx) -> Result<(), Error> {
        let schema = self.records.schema();
        let caller = self.caller_of(held).await.ok();
        let user = held.row.get(&schema, "user").as_id().unwrap_or_default();
        let origin = caller
            .map(|caller| Origin::clone(&caller.origin))
            .unwrap_or_default();
        let house = Caller::house(&schema, held.tenant, user, origin);
        self.take_lines(held, entity, &house).await?;
        let mut fields: Fields = vec![("rows_ok", 0.into())];
        match held.state.why.clone() {
            Some(why) => fields.push(("error_message", why.into())),
            None => fields.push(("stage", Stage::Cancelled.code().into())),
        }
        fields.extend(self.ended("FAILED"));
        self.keep(held, fields).await?;
        self.noted(held, &Tally::default(), "failed").await
    }

    /// Takes back a finished import, with the rights of whoever asked.
    pub(crate) async fn roll_back(&self, held: &mut Held, entity: EntityIx) -> Result<(), Error> {
        let caller = self.caller_of(held).await?;
        match self.take_lines(held, entity, &caller).await {
            Ok(()) => {}
            Err(error) if error.passes() => return Err(error),
            Err(error) => {
                let said = self.saying.error(held.state.spec.language, &error);
                let said: Vec<String> = said.into_iter().map(|said| said.message).collect();
                let mut fields: Fields = vec![("error_message", said.join(" ").into())];
                fields.extend(self.ended("SUCCESS"));
                return self.keep(held, fields).await;
            }
        }
        let mut fields: Fields = vec![
            ("stage", Stage::RolledBack.code().into()),
            ("rows_ok", 0.into()),
        ];
        fields.extend(self.ended("SUCCESS"));
        self.keep(held, fields).await?;
        self.noted(held, &Tally::default(), "ok").await
    }

    /// Goes through the lines from the last one written to the first; where it stands is committed
    /// with what it takes.
    async fn take_lines(
        &self,
        held: &mut Held,
        entity: EntityIx,
        caller: &Caller,
    ) -> Result<(), Error> {
        while held.state.written > 0 {
            let upto = held.state.written;
            let from = upto.saturating_sub(BATCH);
            let mut operations = Vec::new();
            for record in self.created(held, entity, from, upto).await? {
                operations.push(BulkOperation::Delete(record.id.to_string()));
            }
            for (id, version, before) in self.changed(held, from, upto).await? {
                let now = self.records.snapshot(held.tenant, entity, id).await?;
                // What somebody changed since stays as he left it.
                if now.is_some_and(|now| now.version == version) {
                    operations.push(match before {
                        Some(before) => BulkOperation::Update(id.to_string(), None, before),
                        None => BulkOperation::Delete(id.to_string()),
                    });
                }
            }
            let mut state = held.state.clone();
            state.written = from;
            let fields: Fields = vec![
                ("rows_done", i64::try_from(from).unwrap_or(0).into()),
                ("state", kept(&state)?),
            ];
            let along = Along {
                guards: vec![self.held(held)?],
                writes: vec![self.update(held.id(), self.renewed(fields))?],
                feed: Vec::new(),
            };
            let import = Import { import_state: true };
            self.records
                .import_along(caller, entity, &operations, &import, &along)
                .await?;
            held.state = state;
        }
        Ok(())
    }

    /// The living records that lines after `from`, up to `upto`, have become.
    async fn created(
        &self,
        held: &Held,
        entity: EntityIx,
        from: u64,
        upto: u64,
    ) -> Result<Vec<Snapshot>, Error> {
        let schema = self.records.schema();
        let id = schema.entity(entity).find(system::ID).unwrap_or(FieldIx(0));
        let ids = (from + 1..=upto).map(|line| Value::Id(record_of(held.id(), line)));
        let among = Predicate::test(entity, id, Operand::OneOf(ids.collect()));
        let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
        self.records.find(held.tenant, entity, among, limit).await
    }

    /// What lines have changed: the record, the version it had then, what it was before.
    async fn changed(&self, held: &Held, from: u64, upto: u64) -> Result<Vec<Before>, Error> {
        let schema = self.records.schema();
        let Some(entity) = schema.find(CHANGE) else {
            return Ok(Vec::new());
        };
        let declared = schema.entity(entity);
        let (Some(job), Some(line)) = (declared.find("job"), declared.find("line")) else {
            return Ok(Vec::new());
        };
        let number = |line: u64| Value::Int(i64::try_from(line).unwrap_or(i64::MAX));
        let within = Predicate::test(entity, job, Operand::OneOf(vec![Value::Id(held.id())]))
            .and(Predicate::test(
                entity,
                line,
                Operand::Compare(Order::Greater, number(from)),
            ))
            .and(Predicate::test(
                entity,
                line,
                Operand::Compare(Order::Less, number(upto + 1)),
            ));
        let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
        let rows = self
            .records
            .find(held.tenant, entity, within, limit)
            .await?;
        let read = |row: &Snapshot| {
            let id = row.get(&schema, "record").as_id()?;
            let version = row.get(&schema, "record_version").as_int()?;
            let before = match row.get(&schema, "before") {
                Value::Json(Json::Object(before)) => Some(before.clone()),
                _ => None,
            };
            Some((id, version, before))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// What was touched since an import made or changed it: a few names, so that people know.
    pub(crate) async fn touched(
        &self,
        held: &Held,
        entity: EntityIx,
    ) -> Result<Vec<String>, Error> {
        let schema = self.records.schema();
        let declared = schema.entity(entity);
        let mut names = Vec::new();
        let mut upto = held.state.written;
        let name = |record: &Snapshot| {
            let number = record.get(&schema, system::NUMBER);
            let title = match number.is_empty() {
                true => record.value(declared.title),
                false => number,
            };
            match title {
                Value::Text(text) => text.clone(),
                other => json!(opsflux_records::read::json::to_json(other)).to_string(),
            }
        };
        while upto > 0 && names.len() < NAMED {
            let from = upto.saturating_sub(BATCH);
            for record in self.created(held, entity, from, upto).await? {
                if record.version > 1 {
                    names.push(name(&record));
                }
            }
            for (id, version, _) in self.changed(held, from, upto).await? {
                match self.records.snapshot(held.tenant, entity, id).await? {
                    Some(now) if now.version != version => names.push(name(&now)),
                    _ => {}
                }
            }
            upto = from;
        }
        names.truncate(NAMED);
        Ok(names)
    }
}
