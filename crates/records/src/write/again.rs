//! Making derived values anew in the records that exist: when a computed field or a roll-up is
//! declared, or declared otherwise; and numbers, when an entity becomes numbered.
//!
//! What a derived field was made of is remembered as a fingerprint of its declaration, per tenant.
//! Where it differs from today's, a job goes through the records of the entity in the order of
//! their ids. A batch writes only what differs, expects the versions it has read and raises none;
//! roll-ups are made anew by the database like those of any change.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use opsflux_model::Value;
use opsflux_model::schema::{Entity, EntityIx, EntityKind, FieldIx, Schema, system};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Living, Recount, Set, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::derived;
use super::numbers::Taken;
use crate::caller::{Caller, Origin};
use crate::error::Error;
use crate::job::{End, Job, NewJob, Step, Work};
use crate::records::Records;
use crate::rule::Snapshot;

/// The setting in which the fingerprints stand; no module can declare one of this name.
const KNOWN: &str = "@derived";
/// Records of one commit.
const BATCH: u32 = 500;

/// Which derived fields are made anew, and how far that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    entity: String,
    /// Fingerprints by the immutable ids of fields, to be remembered when all is done.
    fields: BTreeMap<String, String>,
    after: Option<Uuid>,
}

impl Records {
    /// Queues what makes derived values anew where their declarations have changed; to be called
    /// when the schema in force has been installed, at each start. Where an entity has no records
    /// yet there is nothing to do. Answers how many jobs were queued.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn derive_where_declared_anew(&self) -> Result<usize, Error> {
        let schema = self.schema();
        let mut queued = 0;
        for tenant in self.inner.store.tenants().await? {
            let known = self.known_derivations(tenant.number).await?;
            let mut commit = Commit {
                tenant: tenant.number,
                ..Commit::default()
            };
            let mut remembered = known.clone();
            for (ix, entity) in schema.iter() {
                let today = fingerprints(&schema, ix, entity);
                let is_new = |(id, made): &(&String, &String)| known.get(*id) != Some(made);
                let fields: BTreeMap<String, String> = today
                    .iter()
                    .filter(is_new)
                    .map(|(id, made)| (id.clone(), made.clone()))
                    .collect();
                if fields.is_empty() {
                    continue;
                }
                if self.has_any(tenant.number, ix).await? {
                    let state = State {
                        entity: entity.name.clone(),
                        fields,
                        after: None,
                    };
                    commit.writes.push(self.derivation(tenant.number, &state)?);
                    queued += 1;
                } else {
                    remembered.extend(fields);
                }
            }
            if remembered != known {
                commit.system.push(remember(&remembered));
            }
            if !commit.writes.is_empty() || !commit.system.is_empty() {
                let done = self.inner.store.commit(commit).await;
                done.map_err(super::refused)?;
                self.forget_settings(tenant.number);
            }
        }
        self.inner.jobs.notify_one();
        Ok(queued)
    }

    fn derivation(&self, tenant: i64, state: &State) -> Result<Write, Error> {
        let origin = Origin {
            source: "system".to_owned(),
            ..Origin::default()
        };
        let house = Caller::house(&self.schema(), tenant, Uuid::nil(), origin);
        let job = NewJob {
            kind: Deriving.kind(),
            entity: &state.entity,
            record: None,
            state: kept(state)?,
            done: 0,
        };
        Ok(self.new_job(&house, &job)?.1)
    }

    async fn known_derivations(&self, tenant: i64) -> Result<BTreeMap<String, String>, Error> {
        let settings = self.inner.store.settings(tenant).await?;
        let known = settings.into_iter().find(|(key, _)| key == KNOWN);
        let known = known.and_then(|(_, value)| serde_json::from_value(value).ok());
        Ok(known.unwrap_or_default())
    }

    async fn has_any(&self, tenant: i64, entity: EntityIx) -> Result<bool, Error> {
        let any = opsflux_model::Predicate::True;
        let found = self.ids(tenant, entity, any, Living::Any, 1).await?;
        Ok(!found.is_empty())
    }
}

fn kept(state: &State) -> Result<Json, Error> {
    serde_json::to_value(state).map_err(|error| Error::Internal(error.to_string()))
}

fn remember(known: &BTreeMap<String, String>) -> SystemWrite {
    SystemWrite::Setting {
        key: KNOWN.to_owned(),
        value: json!(known),
    }
}

/// What the derived fields of an entity are made of, by the immutable ids of the fields. A computed
/// field that reads another is made of what that one is made of.
fn fingerprints(schema: &Schema, ix: EntityIx, entity: &Entity) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    if entity.kind == EntityKind::Log {
        return all;
    }
    // A number is given once and kept, whatever the template becomes.
    if entity.number.is_some() {
        all.insert(number_key(entity), "given".to_owned());
    }
    let mut made: BTreeMap<FieldIx, String> = BTreeMap::new();
    for computed in &entity.computed {
        let field = entity.field(computed.field);
        let parts = computed
            .expr
            .reads()
            .iter()
            .filter_map(|read| made.get(read));
        let parts: Vec<&str> = parts.map(String::as_str).collect();
        let text = format!("{:?} {}", field.kind, parts.join(" "));
        made.insert(computed.field, text);
    }
    for (field, text) in made {
        all.insert(entity.field(field).id.clone(), text);
    }
    for rollup in schema.rollups.iter().filter(|rollup| rollup.entity == ix) {
        let field = entity.field(rollup.field);
        let rows = schema.entity(rollup.rows);
        let value = rollup.value.map(|value| &rows.field(value).kind);
        all.insert(field.id.clone(), format!("{:?} {value:?}", field.kind));
    }
    all
}

/// Makes derived values anew.
pub(crate) struct Deriving;

impl Work for Deriving {
    fn kind(&self) -> &'static str {
        "derive"
    }

    fn step<'a>(
        &'a self,
        records: &'a Records,
        job: &'a Job,
    ) -> BoxFuture<'a, Result<Step, Error>> {
        Box::pin(async move {
            let mut state: State = serde_json::from_value(job.state.clone())
                .map_err(|error| Error::Internal(format!("the state of a job: {error}")))?;
            let schema = records.schema();
            let Some(ix) = schema.find(&state.entity) else {
                return ended(records, job, state, End::Done(Json::Null)).await;
            };
            let rows = records
                .scanned(job.tenant, ix, state.after, BATCH, Living::Any)
                .await?;
            let Some(last) = rows.last() else {
                return ended(records, job, state, End::Done(Json::Null)).await;
            };
            let mut commit = Commit::default();
            state.after = Some(last.id);
            let entity = schema.entity(ix);
            let mut taken = Taken::default();
            let mut moved = derived::Moved::default();
            let mut derived_rows = Vec::with_capacity(rows.len());
            for row in &rows {
                derived_rows.push(row.id);
                let mut set = anew(entity, &row.values);
                if state.fields.contains_key(&number_key(entity)) {
                    set.extend(
                        records
                            .number_for(&mut taken, job.tenant, entity, row)
                            .await?,
                    );
                }
                // What combines these rows has combined what they were.
                for rollup in schema.rollups_of(ix) {
                    if set.iter().any(|(field, _)| rollup.reads.contains(field)) {
                        moved.row(rollup, Some(&row.values));
                    }
                }
                if !set.is_empty() {
                    commit.writes.push(Write::Update {
                        entity: ix,
                        id: row.id,
                        expected_version: Some(row.version),
                        set,
                    });
                }
            }
            commit.rollups = moved.recounts();
            let rollups = schema.rollups.iter().filter(|r| r.entity == ix);
            let rollups = rollups.map(|rollup| rollup.field);
            let fields: Vec<FieldIx> = rollups
                .filter(|field| state.fields.contains_key(&entity.field(*field).id))
                .collect();
            if !fields.is_empty() {
                commit.rollups.push(Recount {
                    entity: ix,
                    fields,
                    rows: derived_rows,
                });
            }
            let (series, turn) = taken.finish();
            commit.system.extend(series);
            Ok(Step {
                commit,
                turn,
                state: kept(&state)?,
                done: i64::try_from(rows.len()).unwrap_or(i64::MAX),
                ..Step::default()
            })
        })
    }
}

/// Stands for the number among the derived fields of an entity.
fn number_key(entity: &Entity) -> String {
    format!("{}#number", entity.id)
}

impl Records {
    /// A number for a record that was made before its entity had numbers.
    async fn number_for(
        &self,
        taken: &mut Taken,
        tenant: i64,
        entity: &Entity,
        row: &Snapshot,
    ) -> Result<Option<(FieldIx, Set)>, Error> {
        let (Some(template), Some(field)) = (&entity.number, entity.find(system::NUMBER)) else {
            return Ok(None);
        };
        if !row.value(field).is_empty() {
            return Ok(None);
        }
        let made = entity.find(system::CREATED_AT).map(|at| row.value(at));
        let at = match made {
            Some(Value::Time(at)) => *at,
            _ => self.now(),
        };
        let number = self
            .next_number(taken, tenant, entity, template, at)
            .await?;
        Ok(Some((field, Set::To(Value::Text(number)))))
    }
}

/// The computed fields of a record that are not what they should be. What cannot be held is no
/// value until somebody changes the record, who is then told.
fn anew(entity: &Entity, values: &[Value]) -> Vec<(FieldIx, Set)> {
    let mut made = values.to_vec();
    derived::compute(entity, &mut made, &mut Vec::new());
    let computed = entity.computed.iter().map(|computed| computed.field);
    computed
        .filter_map(|field| {
            let place = usize::from(field.0);
            let (is, was) = (made.get(place)?, values.get(place)?);
            (is != was).then(|| (field, Set::To(is.clone())))
        })
        .collect()
}

/// The last step: what the fields are made of now is remembered with it.
async fn ended(records: &Records, job: &Job, state: State, end: End) -> Result<Step, Error> {
    let mut known = records.known_derivations(job.tenant).await?;
    known.extend(state.fields.clone());
    let commit = Commit {
        system: vec![remember(&known)],
        ..Commit::default()
    };
    Ok(Step {
        commit,
        state: kept(&state)?,
        end: Some(end),
        ..Step::default()
    })
}
