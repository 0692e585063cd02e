//! Many rows of one kind, one after the other: what an import is made of.
//!
//! Rows that are alike ask for the same surroundings again and again: the indicator of a value, its
//! dashboard, whether both may be named. [`Nearby`] keeps what was read for one change, so that a
//! thousand rows cost little more than their own writes; it goes with the change. [`Records::try_each`]
//! takes rows through the whole pipeline but for the commit: what it refuses a commit would refuse,
//! and it refuses for every row, not only for the first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use opsflux_model::schema::{EntityIx, FieldIx};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::{Set, Write};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::along::Along;
use super::change::Change;
use super::rules::Graph;
use super::{BulkOperation, WriteOptions};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::{Answer, Need, Snapshot};

/// Most records that are looked up by what they hold at once.
const MOST_FOUND: u32 = 20_000;
/// Most values of one field in one look-up.
const AT_ONCE: usize = 400;

/// What was read around the rows of one change.
#[derive(Default)]
pub(crate) struct Nearby {
    answers: Mutex<Vec<(Need, Answer)>>,
    targets: Mutex<HashSet<(EntityIx, FieldIx, Uuid)>>,
    records: Mutex<HashMap<(EntityIx, Uuid), Option<Snapshot>>>,
    /// What rules of creation lead to.
    pub graph: Mutex<Graph>,
    places: Mutex<HashMap<String, usize>>,
}

impl Nearby {
    /// What was answered to this need before.
    pub fn answer(&self, need: &Need) -> Option<Answer> {
        let place = *self.places.lock().get(&key(need))?;
        let answers = self.answers.lock();
        let (known, answer) = answers.get(place)?;
        (known == need).then(|| answer.clone())
    }

    /// Keeps an answer.
    pub fn keep(&self, need: &Need, answer: &Answer) {
        let mut answers = self.answers.lock();
        self.places.lock().insert(key(need), answers.len());
        answers.push((need.clone(), answer.clone()));
    }

    /// Whether this target of a link was found to be one.
    pub fn is_target(&self, entity: EntityIx, field: FieldIx, id: Uuid) -> bool {
        self.targets.lock().contains(&(entity, field, id))
    }

    /// Keeps that it is.
    pub fn keep_target(&self, entity: EntityIx, field: FieldIx, id: Uuid) {
        self.targets.lock().insert((entity, field, id));
    }

    /// A record that was read before, if it was.
    pub fn record(&self, entity: EntityIx, id: Uuid) -> Option<Option<Snapshot>> {
        self.records.lock().get(&(entity, id)).cloned()
    }

    /// Keeps a record.
    pub fn keep_record(&self, entity: EntityIx, id: Uuid, record: &Option<Snapshot>) {
        self.records.lock().insert((entity, id), record.clone());
    }
}

/// Needs with the same key are compared.
fn key(need: &Need) -> String {
    match need {
        Need::Record { entity, id } => format!("{entity} {id}"),
        Need::Records {
            entity, condition, ..
        } => format!("{entity} {condition:?}"),
        Need::Setting(name) => (*name).to_owned(),
        Need::Tenant => String::new(),
    }
}

/// How one row of an import is written.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// What the caller may besides: enter states without their moves.
    pub import_state: bool,
}

/// What would be written of a record, by its fields.
pub type Tried = Vec<(FieldIx, Value)>;

fn outcome(change: &Change, entity: EntityIx, record: Uuid) -> Tried {
    let mut outcome = Vec::new();
    for write in &change.commit.writes {
        match write {
            Write::Insert {
                entity: into,
                values,
            } if *into == entity && values.iter().any(|(_, v)| *v == Value::Id(record)) => {
                outcome.clone_from(values);
            }
            Write::Update {
                entity: at,
                id,
                set,
                ..
            } if *at == entity && *id == record => {
                let set = set.iter().filter_map(|(ix, set)| match set {
                    Set::To(value) => Some((*ix, value.clone())),
                    _ => None,
                });
                outcome.extend(set);
            }
            _ => {}
        }
    }
    outcome
}

impl Import {
    fn options(&self) -> WriteOptions {
        WriteOptions {
            import_state: self.import_state,
            ..WriteOptions::default()
        }
    }
}

impl Records {
    /// Takes each operation through the pipeline as a change of its own and commits none of them:
    /// what is wrong with each, in their order. Takes no numbers.
    ///
    /// # Errors
    /// Only what is nobody's doing: the database does not answer.
    pub async fn try_each(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operations: &[BulkOperation],
        import: &Import,
    ) -> Result<Vec<Result<Tried, Error>>, Error> {
        let nearby = Arc::new(Nearby::default());
        let options = import.options();
        let mut tried = Vec::with_capacity(operations.len());
        for operation in operations {
            let mut change = Change::new(self, caller);
            change.nearby = Some(nearby.clone());
            change.is_trial = true;
            let step = self.step(&mut change, caller, entity, operation, &options);
            match step.await {
                Ok(done) => tried.push(Ok(outcome(&change, entity, done.record))),
                Err(error) if error.passes() => return Err(error),
                Err(error) => tried.push(Err(error)),
            }
        }
        Ok(tried)
    }

    /// As [`Records::change_along`], for rows of one entity that are alike.
    ///
    /// # Errors
    /// As [`Records::change_along`].
    pub async fn import_along(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operations: &[BulkOperation],
        import: &Import,
        along: &Along,
    ) -> Result<Vec<Uuid>, Error> {
        let named = operations.iter().map(|operation| (entity, operation));
        let options = WriteOptions {
            alike: true,
            ..import.options()
        };
        let done = self.carry_out_along(caller, named, &options, false, along);
        Ok(done.await?.into_iter().map(|done| done.record).collect())
    }

    /// Living records whose `fields` hold one of `rows` (the values in the order of the fields),
    /// as far as `within` holds: by those values.
    ///
    /// # Errors
    /// When the database does not answer, or more than twenty thousand hold some of them.
    pub async fn holding(
        &self,
        tenant: i64,
        entity: EntityIx,
        fields: &[FieldIx],
        rows: &[Vec<Value>],
        within: &Predicate,
    ) -> Result<HashMap<String, Vec<Snapshot>>, Error> {
        let mut found: HashMap<String, Vec<Snapshot>> = HashMap::new();
        let wanted: HashSet<String> = rows.iter().map(|row| written(row)).collect();
        for rows in rows.chunks(AT_ONCE) {
            let mut filter = within.clone();
            for (place, field) in fields.iter().enumerate() {
                let mut values: Vec<Value> = Vec::with_capacity(rows.len());
                let mut seen = HashSet::new();
                for value in rows.iter().filter_map(|row| row.get(place)) {
                    if !value.is_empty() && seen.insert(written(std::slice::from_ref(value))) {
                        values.push(value.clone());
                    }
                }
                filter = filter.and(Predicate::test(entity, *field, Operand::OneOf(values)));
            }
            let records = self.find(tenant, entity, filter, MOST_FOUND).await?;
            if records.len() >= MOST_FOUND as usize {
                return Err(Error::TooLarge {
                    limit: MOST_FOUND.to_string(),
                });
            }
            for record in records {
                let values: Vec<Value> =
                    fields.iter().map(|ix| record.value(*ix).clone()).collect();
                let values = written(&values);
                if wanted.contains(&values) {
                    let same = found.entry(values).or_default();
                    if !same.iter().any(|known| known.id == record.id) {
                        same.push(record);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Values as one text, equal exactly when they are.
#[must_use]
pub fn written(values: &[Value]) -> String {
    let all: Vec<Json> = values.iter().map(plain).collect();
    Json::Array(all).to_string()
}

fn plain(value: &Value) -> Json {
    match value {
        // 1.50 and 1.5 are the same number.
        Value::Decimal(decimal) => Json::String(decimal.normalize().to_string()),
        other => crate::read::json::to_json(other),
    }
}

/// What a record was before a change, as a patch that makes it so again.
#[must_use]
pub fn back_to(
    schema: &opsflux_model::Schema,
    was: &Snapshot,
    names: &[String],
) -> Map<String, Json> {
    let entity = schema.entity(was.entity);
    let named = names.iter().filter_map(|name| {
        let ix = entity.find(name)?;
        Some((name.clone(), crate::read::json::to_json(was.value(ix))))
    });
    named.collect()
}
