//! Working imports off: look over the file, check every row, write, or take back.
//!
//! Whatever this process dies of, another goes on from the row of the job: each commit of rows
//! carries where the import stands then, and holds only while the job is held. An import that is
//! all or nothing writes nothing before every row was checked; up to [`crate::writing::AT_ONCE`] rows are one commit
//! with its success. More are written batch by batch, and when one is refused after all (somebody
//! was faster), what was written is taken back before it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opsflux_model::Value;
use opsflux_model::schema::EntityIx;
use opsflux_records::{Caller, ConflictKind, Error, Origin};
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use crate::Importing;
use crate::batch::{Making, Wrong};
use crate::job::{Fields, Held, RowError, Stage, kept};
use crate::survey::{BATCH, Surveyed};

/// Most errors that are listed.
const LISTED: usize = 1_000;
/// How long a worker looks away at most.
const IDLE: Duration = Duration::from_secs(1);
/// How often a job is held on while a file is looked over.
const TICK: Duration = Duration::from_secs(5);

/// What has become of the rows so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub total: u64,
    pub ok: u64,
    pub failed: u64,
    pub count: u64,
    pub errors: Vec<RowError>,
}

impl Importing {
    /// Works imports off until `stop` turns true. Any number of processes may do so at once.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) {
        if let Err(error) = self.clear_up().await {
            tracing::warn!(%error, "files of ended imports may stay behind");
        }
        while !*stop.borrow() {
            let worked = tokio::select! {
                _ = stop.changed() => break,
                worked = self.work_next() => worked,
            };
            match worked {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "imports could not be worked off"),
            }
            tokio::select! {
                _ = stop.changed() => break,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// Takes one waiting import and works it off; false when none waits.
    ///
    /// # Errors
    /// When the database does not answer; the import is then taken up again later.
    pub async fn work_next(&self) -> Result<bool, Error> {
        let Some(mut held) = self.take().await? else {
            return Ok(false);
        };
        match self.work_off(&mut held).await {
            Ok(()) => {}
            // Somebody else holds it now.
            Err(Error::Conflict(ConflictKind::Guard { name })) if name == "import.held" => {
                return Ok(true);
            }
            Err(error) => self.give_up(&held, error).await?,
        }
        let entity = self.job_entity()?;
        let row = self
            .records
            .snapshot(held.tenant, entity, held.id())
            .await?;
        let schema = self.records.schema();
        let ended = row.is_none_or(|row| {
            matches!(
                row.get(&schema, "status").as_text(),
                Some("SUCCESS" | "FAILED")
            )
        });
        if ended {
            self.spool.forget(held.id());
        }
        Ok(true)
    }

    /// Files whose jobs have ended go.
    async fn clear_up(&self) -> Result<(), Error> {
        let Ok(entity) = self.job_entity() else {
            return Ok(());
        };
        let all = self
            .spool
            .all()
            .map_err(|error| Error::ReadOnly(error.to_string()))?;
        let schema = self.records.schema();
        for id in all {
            let mut goes_on = false;
            for tenant in self.records.store().tenants().await? {
                let row = self.records.snapshot(tenant.number, entity, id).await?;
                goes_on |= row.is_some_and(|row| {
                    matches!(
                        row.get(&schema, "status").as_text(),
                        Some("PENDING" | "RUNNING")
                    )
                });
            }
            if !goes_on {
                self.spool.forget(id);
            }
        }
        Ok(())
    }

    async fn work_off(&self, held: &mut Held) -> Result<(), Error> {
        let schema = self.records.schema();
        let spec = held.state.spec.clone();
        let entity = schema.find(&spec.entity);
        let entity =
            entity.ok_or_else(|| Error::field("entity", "unknown_entity", &*spec.entity))?;
        match held.state.stage {
            Stage::Undo => return self.undo(held, entity).await,
            Stage::RollBack => return self.roll_back(held, entity).await,
            _ => {}
        }
        let caller = self.caller_of(held).await?;
        if !caller.access.may(entity, opsflux_model::Action::Create) {
            let entity = spec.entity.clone();
            return Err(Error::Forbidden {
                action: "create".to_owned(),
                entity,
            });
        }
        let surveyed = match self.look(held, &caller, entity).await {
            Ok(surveyed) => surveyed,
            Err(Error::Invalid(fields)) => {
                return self.refuse(held, &Error::Invalid(fields)).await;
            }
            Err(error) => return Err(error),
        };
        let mut tally = Tally {
            total: surveyed.rows,
            ..Tally::default()
        };
        let read = (surveyed.columns.clone(), surveyed.reading.clone());
        let making = Making::new(&self.records, &caller, entity, held.id(), &spec, read);
        let mut making = match making {
            Ok(making) => making,
            Err(error) => return self.refuse(held, &error).await,
        };
        if spec.skip {
            return self.write_what_is_fine(held, &mut making, &mut tally).await;
        }
        if held.state.stage != Stage::Write {
            let fine = self.check_all(held, &mut making, &mut tally).await?;
            if !fine {
                return Ok(());
            }
        }
        self.write_all(held, &mut making, &mut tally).await
    }

    /// Looks over the file and holds the job on meanwhile.
    async fn look(
        &self,
        held: &mut Held,
        caller: &Caller,
        entity: EntityIx,
    ) -> Result<Surveyed, Error> {
        let seen = Arc::new(AtomicU64::new(0));
        let spec = held.state.spec.clone();
        let survey = self.survey(held.id(), &spec, caller, entity, seen.clone());
        tokio::pin!(survey);
        let mut tick = tokio::time::interval(TICK);
        let surveyed = loop {
            tokio::select! {
                surveyed = &mut survey => break surveyed?,
                _ = tick.tick() => {
                    let done = i64::try_from(seen.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                    self.keep(held, vec![("rows_done", done.into())]).await?;
                }
            }
        };
        let notes: Vec<Json> = surveyed
            .notes
            .iter()
            .map(|(column, what)| json!({"column": column, "ambiguous": what}))
            .collect();
        let total = i64::try_from(surveyed.rows).unwrap_or(i64::MAX);
        let fields: Fields = vec![
            ("rows_total", total.into()),
            ("mapping", Value::Json(json!(surveyed.mapping))),
            ("notes", Value::Json(notes.into())),
        ];
        self.keep(held, fields).await?;
        Ok(surveyed)
    }

    /// Checks every row; false when the job has ended because some were wrong.
    async fn check_all(
        &self,
        held: &mut Held,
        making: &mut Making,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        self.enter(held, Stage::Check, 0).await?;
        let mut rows = self.rows(held.id(), &held.state.spec, 0, BATCH);
        let mut done = 0;
        while let Some(batch) = rows.recv().await {
            let batch = batch?;
            done += batch.len() as u64;
            let (made, wrong) = making.make(batch).await?;
            self.note(held, making, tally, wrong);
            let (fine, wrong) = making.check(made).await?;
            tally.ok += fine.len() as u64;
            self.note(held, making, tally, wrong);
            let mut fields = counted(tally, done);
            // Nothing is written: what is fine is not done.
            fields.retain(|(name, _)| *name != "rows_ok");
            self.keep(held, fields).await?;
            if self.is_cancelled(held).await? {
                self.end_cancelled(held).await?;
                return Ok(false);
            }
        }
        if tally.count > 0 {
            tally.ok = 0;
            let why = Error::field("file", "base.import_refused", "");
            self.end_failed(held, Some(tally), &why).await?;
            return Ok(false);
        }
        Ok(true)
    }

    pub(crate) async fn enter(
        &self,
        held: &mut Held,
        stage: Stage,
        written: u64,
    ) -> Result<(), Error> {
        held.state.stage = stage;
        held.state.written = written;
        let fields: Fields = vec![
            ("stage", stage.code().into()),
            ("rows_done", 0.into()),
            ("state", kept(&held.state)?),
        ];
        self.keep(held, fields).await
    }

    /// Who asked, as he is now.
    pub(crate) async fn caller_of(&self, held: &Held) -> Result<Caller, Error> {
        let schema = self.records.schema();
        let user = held.row.get(&schema, "user").as_id().unwrap_or_default();
        let origin = Origin {
            source: "import".to_owned(),
            reason: Some(format!("import {}", held.id())),
            chain: Some(held.id()),
            ..Origin::default()
        };
        let caller = self.acting.caller(held.tenant, user, origin).await?;
        let mut caller = caller.ok_or(Error::Unauthenticated)?;
        caller.language = held.state.spec.language;
        caller.company = held.state.spec.company.or(caller.company);
        Ok(caller)
    }

    /// Adds what is wrong with rows, by line and column, in words.
    pub(crate) fn note(&self, held: &Held, making: &Making, tally: &mut Tally, wrong: Vec<Wrong>) {
        for (line, error) in wrong {
            tally.failed += 1;
            for said in self.saying.error(held.state.spec.language, &error) {
                tally.count += 1;
                if tally.errors.len() >= LISTED {
                    continue;
                }
                let field = said.field.filter(|field| !field.is_empty());
                let column = field.as_ref().and_then(|field| {
                    let mut columns = making.columns.iter();
                    columns.find(|column| column.field.name == *field)
                });
                tally.errors.push(RowError {
                    line,
                    column: column.map(|column| column.header.clone()),
                    field,
                    code: said.code,
                    message: said.message,
                });
            }
        }
    }

    pub(crate) fn resume(&self, held: &Held, tally: &mut Tally) {
        let schema = self.records.schema();
        tally.ok = stored(&schema, held, "rows_ok");
        tally.failed = stored(&schema, held, "rows_failed");
        tally.count = stored(&schema, held, "error_count");
        if let Value::Json(errors) = held.row.get(&schema, "errors") {
            tally.errors = serde_json::from_value(errors.clone()).unwrap_or_default();
        }
    }
}

pub(crate) fn stored(schema: &opsflux_model::Schema, held: &Held, name: &str) -> u64 {
    let value = held.row.get(schema, name).as_int().unwrap_or(0);
    u64::try_from(value).unwrap_or(0)
}

/// The counts of a job.
pub(crate) fn counted(tally: &Tally, done: u64) -> Fields {
    let number = |value: u64| Value::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let errors = serde_json::to_value(&tally.errors).unwrap_or_default();
    vec![
        ("rows_done", number(done)),
        ("rows_ok", number(tally.ok)),
        ("rows_failed", number(tally.failed)),
        ("error_count", number(tally.count)),
        ("errors", Value::Json(errors)),
    ]
}
