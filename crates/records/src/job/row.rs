//! The row of a job: what its entity declares, by name.

use opsflux_model::schema::{Schema, system};
use opsflux_model::{FieldIx, Value};
use opsflux_store::{Set, Write};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{ENTITY, Held, Job};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// A job to be.
pub(crate) struct NewJob<'a> {
    /// The code of its [`super::Work`].
    pub kind: &'static str,
    /// Name of the entity it is about.
    pub entity: &'a str,
    /// The record it is about, when it is about one.
    pub record: Option<Uuid>,
    /// Where it begins.
    pub state: Json,
    /// How many records the request itself has done.
    pub done: i64,
}

impl Records {
    /// The row of a new job, to be written with the change that asks for it. Answers its id.
    pub(crate) fn new_job(
        &self,
        caller: &Caller,
        job: &NewJob<'_>,
    ) -> Result<(Uuid, Write), Error> {
        let entity = self.entity_called(ENTITY)?;
        let id = self.new_id();
        let user = Some(caller.user()).filter(|user| !user.is_nil());
        let record = job.record.map(|id| Value::Ref {
            entity: job.entity.to_owned(),
            id,
        });
        let values = [
            (system::ID, Value::Id(id)),
            (system::CREATED_AT, Value::Time(self.now())),
            ("kind", job.kind.into()),
            ("status", "queued".into()),
            ("user", user.into()),
            ("entity", job.entity.into()),
            ("record", record.unwrap_or_default()),
            ("done", job.done.into()),
            ("attempts", 0.into()),
            ("state", Value::Json(job.state.clone())),
        ];
        let schema = self.schema();
        let values = fields(&schema, values).collect();
        Ok((id, Write::Insert { entity, values }))
    }
}

fn fields<const N: usize>(
    schema: &Schema,
    values: [(&'static str, Value); N],
) -> impl Iterator<Item = (FieldIx, Value)> {
    let entity = schema.find(ENTITY).map(|ix| schema.entity(ix));
    values
        .into_iter()
        .filter(|(_, value)| *value != Value::Null)
        .filter_map(move |(name, value)| Some((entity?.find(name)?, value)))
}

/// Some fields of the row, to be changed.
pub(super) fn set(schema: &Schema, values: &[(&str, Value)]) -> Vec<(FieldIx, Set)> {
    let entity = schema.find(ENTITY).map(|ix| schema.entity(ix));
    let named = values.iter();
    named
        .filter_map(|(name, value)| Some((entity?.find(name)?, Set::To(value.clone()))))
        .collect()
}

/// The row as its worker sees it.
pub(super) fn read(schema: &Schema, held: &Held) -> Job {
    let row = &held.row;
    let state = match row.get(schema, "state") {
        Value::Json(state) => state.clone(),
        _ => Json::Null,
    };
    Job {
        id: row.id,
        tenant: held.tenant,
        user: row.get(schema, "user").as_id(),
        state,
        done: row.get(schema, "done").as_int().unwrap_or(0),
        cancel: row.get(schema, "cancel").as_bool() == Some(true),
    }
}
