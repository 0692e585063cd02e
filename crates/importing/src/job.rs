//! The row of an import: what it is to do, where it stands, who holds it.

use opsflux_model::schema::{EntityIx, FieldIx, system};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, ConflictKind, Error, Language};
use opsflux_store::{Commit, CommitError, Set, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::locale::Locale;
use crate::mapping::Mapping;
use crate::{Importing, JOB};

/// What an import is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Name of the entity.
    pub entity: String,
    /// By field, its column; proposed ones when absent.
    pub mapping: Option<Mapping>,
    /// Names of headers that stand for fields besides, when there is no mapping.
    #[serde(default)]
    pub aliases: Mapping,
    /// Whether wrong rows are left out.
    pub skip: bool,
    /// The fields by which a record that is there already is found and changed.
    #[serde(default)]
    pub key: Vec<String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// How the file is written; found out when absent.
    pub locale: Option<Locale>,
    /// Whether it is rows of a request.
    pub is_rows: bool,
    /// The language of messages.
    pub language: Language,
    /// The company that new records belong to.
    pub company: Option<Uuid>,
    /// What records named by links must satisfy, by the field of the link.
    #[serde(default)]
    pub within: std::collections::BTreeMap<String, Json>,
}

/// What goes on with an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Read,
    Check,
    Write,
    Undo,
    RollBack,
    RolledBack,
    Cancelled,
}

impl Stage {
    pub fn code(self) -> &'static str {
        match self {
            Stage::Read => "read",
            Stage::Check => "check",
            Stage::Write => "write",
            Stage::Undo => "undo",
            Stage::RollBack => "roll_back",
            Stage::RolledBack => "rolled_back",
            Stage::Cancelled => "cancelled",
        }
    }
}

/// Where an import stands: all that whoever goes on must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub spec: Spec,
    pub stage: Stage,
    /// The last line that was written.
    pub written: u64,
    /// Why what was written is taken back.
    #[serde(default)]
    pub why: Option<String>,
}

/// What is wrong with a cell, or with a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowError {
    pub line: u64,
    pub column: Option<String>,
    pub field: Option<String>,
    pub code: String,
    pub message: String,
}

/// A job that this process holds.
#[derive(Clone)]
pub(crate) struct Held {
    pub tenant: i64,
    pub row: Snapshot,
    pub state: State,
}

impl Held {
    pub fn id(&self) -> Uuid {
        self.row.id
    }
}

/// Fields of the row, by name.
pub(crate) type Fields = Vec<(&'static str, Value)>;

impl Importing {
    pub(crate) fn job_entity(&self) -> Result<EntityIx, Error> {
        let schema = self.records.schema();
        let found = schema.find(JOB);
        found.ok_or_else(|| Error::Internal("there are no imports".to_owned()))
    }

    pub(crate) fn field(&self, name: &str) -> Result<FieldIx, Error> {
        let schema = self.records.schema();
        let found = schema.entity(self.job_entity()?).find(name);
        found.ok_or_else(|| Error::Internal(format!("imports have no “{name}”")))
    }

    pub(crate) fn is(&self, name: &str, value: Value) -> Result<Predicate, Error> {
        let (entity, field) = (self.job_entity()?, self.field(name)?);
        Ok(Predicate::test(entity, field, Operand::OneOf(vec![value])))
    }

    /// Writes the row of a new job.
    pub(crate) async fn queue(
        &self,
        caller: &Caller,
        id: Uuid,
        file_name: &str,
        spec: Spec,
    ) -> Result<(), Error> {
        let entity = self.job_entity()?;
        let mapping = spec
            .mapping
            .as_ref()
            .map(|mapping| serde_json::json!(mapping));
        let mode = if spec.skip {
            "skip_bad_rows"
        } else {
            "all_or_nothing"
        };
        let mut fields: Fields = vec![
            (system::ID, Value::Id(id)),
            (system::CREATED_AT, self.records.now().into()),
            ("type", if spec.is_rows { "API" } else { "EXCEL" }.into()),
            ("status", "PENDING".into()),
            ("stage", Stage::Read.code().into()),
            ("entity", spec.entity.as_str().into()),
            ("file_name", file_name.into()),
            ("mode", mode.into()),
            ("rows_done", 0.into()),
            ("rows_ok", 0.into()),
            ("rows_failed", 0.into()),
            ("error_count", 0.into()),
            (
                "user",
                Some(caller.user()).filter(|user| !user.is_nil()).into(),
            ),
            ("attempts", 0.into()),
        ];
        fields.extend(mapping.map(|mapping| ("mapping", Value::Json(mapping))));
        let state = State {
            spec,
            stage: Stage::Read,
            written: 0,
            why: None,
        };
        fields.push(("state", kept(&state)?));
        let mut values = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            if value != Value::Null {
                values.push((self.field(name)?, value));
            }
        }
        let commit = Commit {
            tenant: caller.tenant(),
            writes: vec![Write::Insert { entity, values }],
            ..Commit::default()
        };
        let done = self.records.store().commit(commit).await;
        done.map(|_| ()).map_err(refused)?;
        self.bell.notify_one();
        Ok(())
    }

    /// The row of a job, changed so.
    pub(crate) fn update(&self, id: Uuid, fields: Fields) -> Result<Write, Error> {
        let entity = self.job_entity()?;
        let mut set = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            set.push((self.field(name)?, Set::To(value)));
        }
        Ok(Write::Update {
            entity,
            id,
            expected_version: None,
            set,
        })
    }

    /// Commits where a held job stands, and rows that go with it.
    pub(crate) async fn keep(&self, held: &Held, fields: Fields) -> Result<(), Error> {
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![self.held(held)?],
            writes: vec![self.update(held.id(), self.renewed(fields))?],
            ..Commit::default()
        };
        let done = self.records.store().commit(commit).await;
        done.map(|_| ()).map_err(refused)
    }
}

/// A state as the row keeps it.
pub(crate) fn kept(state: &State) -> Result<Value, Error> {
    let json = serde_json::to_value(state);
    json.map(Value::Json)
        .map_err(|error| Error::Internal(error.to_string()))
}

/// What a commit that did nothing means.
pub(crate) fn refused(error: CommitError) -> Error {
    match error {
        CommitError::Guard { name } => Error::Conflict(ConflictKind::Guard { name }),
        CommitError::Unique { fields, .. } => Error::Conflict(ConflictKind::Unique { fields }),
        CommitError::Store(error) => error.into(),
        _ => Error::Conflict(ConflictKind::Busy),
    }
}

/// The id of the record that a line becomes: made of the job and the line, so that whoever goes on
/// with a job, or takes it back, knows what it has made. In the order of the lines.
pub(crate) fn record_of(job: Uuid, line: u64) -> Uuid {
    let mut bytes = *job.as_bytes();
    let line = u32::try_from(line).unwrap_or(u32::MAX).to_be_bytes();
    // The moment of the job stays; what was random in it moves behind the line.
    let [_, _, _, _, _, _, a, b, c, d, e, f, g, h, i, j] = bytes;
    let mixed = [a ^ h, b ^ i, c ^ j, d ^ e, f, g];
    let [high, second, third, low] = line;
    bytes[6] = 0x70 | (high >> 4);
    bytes[7] = (high << 4) | (second >> 4);
    bytes[8] = 0x80 | ((second & 0x0f) << 2) | (third >> 6);
    bytes[9] = (third << 2) | (low >> 6);
    bytes[10] = (low << 2) | (mixed[0] & 0x03);
    bytes[11..16].copy_from_slice(&mixed[1..6]);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_own_id_in_the_order_of_the_lines() {
        let job = Uuid::now_v7();
        let lines = [
            1_u64, 2, 3, 63, 64, 255, 256, 4_096, 65_535, 65_536, 1_048_576, 9_000_000,
        ];
        let ids: Vec<Uuid> = lines.iter().map(|line| record_of(job, *line)).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(ids, sorted);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert_ne!(record_of(Uuid::now_v7(), 1), ids[0]);
    }
}
