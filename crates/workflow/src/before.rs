//! Workflows that change a record before it is saved: inside the change itself, so that its answer
//! already shows what they did, and in its one commit.
//!
//! They do only what needs nothing outside: they set fields of the record, or refuse. Each acts
//! with the rights of its owner: on what he may edit, and the fields he may write.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use opsflux_model::schema::Schema;
use opsflux_model::{Action, FieldIx, FieldRight, Value, wire};
use opsflux_records::rule::{Draft, Snapshot};
use opsflux_records::standing::{Shaped, Standing};
use opsflux_records::{Caller, Error, FieldError};
use opsflux_store::Write;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine, Inner};
use crate::execution::{Ended, NewExecution, Subject};
use crate::facts::Asked;
use crate::flow::{Flow, Step, StepKind, Trigger};
use crate::log::{Log, cut};
use crate::matching::title;
use crate::published::Active;
use crate::template::Scope;

/// The action they may do.
pub(crate) const SETS: &str = "update_field";

/// The engine as those see it who save records. It holds what saves them, so it is not held by it.
struct Saving(Weak<Inner>);

impl Standing for Saving {
    fn shape<'a>(
        &'a self,
        caller: &'a Caller,
        draft: &'a Draft<'a>,
    ) -> BoxFuture<'a, Result<Shaped, Error>> {
        Box::pin(async move {
            match self.0.upgrade() {
                Some(inner) => Engine { inner }.shape(caller, draft).await,
                None => Ok(Shaped::default()),
            }
        })
    }
}

impl Engine {
    /// What changes records before they are saved.
    #[must_use]
    pub fn before_save(&self) -> Arc<dyn Standing> {
        Arc::new(Saving(Arc::downgrade(&self.inner)))
    }

    fn shape<'a>(
        &'a self,
        caller: &'a Caller,
        draft: &'a Draft<'a>,
    ) -> BoxFuture<'a, Result<Shaped, Error>> {
        Box::pin(async move {
            let inner = &self.inner;
            let tenant = caller.tenant();
            // A process hears of what others put in force when it reads the feed, which may be
            // another's turn: here it looks for itself.
            let of_tenant = inner.published.fresh(&inner.records, tenant).await?;
            let mut shaped = Shaped::default();
            let entity = draft.entity().name.as_str();
            let wanted = of_tenant.before(entity);
            if wanted.is_empty() {
                return Ok(shaped);
            }
            let mut record = Snapshot {
                entity: draft.ix,
                id: draft.id,
                version: draft.before.map_or(0, |before| before.version),
                values: draft.values.clone(),
            };
            for active in wanted {
                if is_meant(active, draft) {
                    let work = Work {
                        engine: self,
                        caller,
                        active,
                        draft,
                    };
                    work.shape(&mut record, &mut shaped).await?;
                }
            }
            Ok(shaped)
        })
    }
}

/// Whether the change is one of those that a workflow is about.
fn is_meant(active: &Active, draft: &Draft<'_>) -> bool {
    active.flow.triggers.iter().any(|trigger| match trigger {
        Trigger::Before { changed, .. } => {
            draft.is_new() || changed.is_empty() || changed.iter().any(|name| draft.changes(name))
        }
        _ => false,
    })
}

/// One workflow at one change.
struct Work<'a> {
    engine: &'a Engine,
    caller: &'a Caller,
    active: &'a Active,
    draft: &'a Draft<'a>,
}

/// What came of the steps.
enum Came {
    Set(Vec<(FieldIx, Value, Json)>),
    Failed(String),
}

impl Work<'_> {
    async fn shape(&self, record: &mut Snapshot, shaped: &mut Shaped) -> Result<(), Error> {
        let (engine, active) = (self.engine, self.active);
        let records = &engine.inner.records;
        let id = records.new_id();
        let cause = Cause {
            workflow: &active.name,
            chain: self.caller.origin.chain.unwrap_or(id),
            depth: self.caller.origin.depth,
        };
        let tenant = self.caller.tenant();
        let Some(owner) = engine.act_as(tenant, active.owner, &cause).await? else {
            return Ok(());
        };
        let action = if self.draft.is_new() {
            Action::Create
        } else {
            Action::Edit
        };
        if !records.covers(&owner, record, action).await? {
            return Ok(());
        }
        let user = Some(self.caller.user()).filter(|user| !user.is_nil());
        let trigger = json!({
            "type": "before_save", "entity": self.draft.entity().name, "record": record.id,
            "by": user, "at": records.now(),
        });
        let facts = json!({ "trigger": trigger });
        let asked = Asked {
            records,
            caller: &owner,
            record: Some(record),
            before: self.draft.before,
            facts: &facts,
        };
        let (conditions, came) = match asked.judge(&active.flow.when).await {
            Ok(verdict) if !verdict.holds => return Ok(()),
            Ok(verdict) => (verdict.told, self.steps(&owner, record, &trigger)?),
            Err(error @ Error::Invalid(_)) => {
                (Json::Null, Came::Failed(crate::told::words(&error)))
            }
            Err(error) => return Err(error),
        };
        let schema = records.schema();
        let (ended, set) = match came {
            Came::Failed(why) => (Ended::Failed(why), Vec::new()),
            Came::Set(set) => {
                let is_same =
                    |(field, value, _): &(FieldIx, Value, Json)| record.value(*field) == value;
                // What changes nothing is nothing that happened.
                if set.iter().all(is_same) {
                    return Ok(());
                }
                (Ended::Done, set)
            }
        };
        let subject = Subject {
            entity: record.entity,
            id: record.id,
        };
        let told: Map<String, Json> = set
            .iter()
            .map(|(field, _, json)| {
                let name = self.draft.entity().field(*field).name.clone();
                (name, json.clone())
            })
            .collect();
        if !told.is_empty() {
            shaped.names.push(active.name.clone());
        }
        for (field, value, _) in set {
            if let Some(slot) = record.values.get_mut(usize::from(field.0)) {
                *slot = value.clone();
            }
            shaped.set.push((field, value));
        }
        let new = NewExecution {
            subject: Some((subject, title(&schema, &owner, record))),
            conditions,
            chain: cause.chain,
            depth: cause.depth,
            ended: Some(ended),
            ..NewExecution::of(
                id,
                active.id,
                active.version,
                active.owner,
                &active.flow,
                trigger,
            )
        };
        let now = records.now();
        shaped.logs.extend(new.rows(&schema, now)?);
        if !told.is_empty() {
            shaped.logs.push(self.told(&schema, id, told)?);
        }
        Ok(())
    }

    fn told(
        &self,
        schema: &Schema,
        execution: Uuid,
        set: Map<String, Json>,
    ) -> Result<Write, Error> {
        let records = &self.engine.inner.records;
        let (log, now) = (Log::of(schema, "step_run")?, records.now());
        let values = vec![
            ("execution", execution.into()),
            ("place", "before_save".into()),
            ("kind", SETS.into()),
            ("status", "DONE".into()),
            ("attempt", 1.into()),
            ("output", Value::Json(json!({ "set": set }))),
            ("ended_at", now.into()),
        ];
        log.insert(records.new_id(), now, values)
    }

    /// What the steps set.
    fn steps(&self, owner: &Caller, record: &Snapshot, trigger: &Json) -> Result<Came, Error> {
        let scope = self.scope(owner, record, trigger);
        let entity = self.draft.entity();
        let mut set = Vec::new();
        for step in &self.active.flow.steps {
            let given = match &step.kind {
                StepKind::Action(action) => scope.fill_map(&action.params),
                StepKind::Stop {
                    failed: true,
                    message,
                } => {
                    let message = message.as_deref().unwrap_or_default();
                    let said = scope.fill(message).unwrap_or_else(|_| json!(message));
                    let said = said
                        .as_str()
                        .map_or_else(|| said.to_string(), str::to_owned);
                    let field = &entity.field(entity.title).name;
                    let said = cut(&said, 500);
                    let error = FieldError::new(field, "refused_by_rule", said);
                    return Err(Error::Invalid(vec![error]));
                }
                _ => break,
            };
            let given = match given {
                Ok(given) => given,
                Err(why) => return Ok(Came::Failed(why)),
            };
            for (name, json) in named(given) {
                let Some(field) = entity.find(&name) else {
                    return Ok(Came::Failed(format!("{name}: there is no such field")));
                };
                let declared = entity.field(field);
                let writes = owner.access.field(record.entity, field) >= FieldRight::Write;
                if !writes || declared.readonly {
                    return Ok(Came::Failed(format!("{name}: its owner may not write it")));
                }
                match wire::parse(&declared.kind, &json) {
                    Ok(value) => set.push((field, value, json)),
                    Err(wrong) => return Ok(Came::Failed(format!("{name}: {}", wrong.code))),
                }
            }
        }
        Ok(Came::Set(set))
    }

    /// The fields of the record as it will be, as far as the owner may read them.
    fn scope(&self, owner: &Caller, record: &Snapshot, trigger: &Json) -> Scope {
        let records = &self.engine.inner.records;
        let (entity, now) = (self.draft.entity(), records.now());
        let mut fields = Map::new();
        for (ix, field) in entity.iter() {
            if owner.access.field(record.entity, ix) >= FieldRight::Read {
                let json = opsflux_records::read::json::to_json(record.value(ix));
                fields.insert(field.name.clone(), json);
            }
        }
        let mut scope = Scope::default();
        for (name, json) in &fields {
            scope.set(name, json);
        }
        let whole = Json::Object(fields);
        for own in [entity.name.as_str(), "record", "subject"] {
            scope.set(own, &whole);
        }
        scope.set("trigger", trigger);
        scope.set("now", &json!(now));
        let today = now.to_zoned(owner.time_zone.clone()).date();
        scope.set("today", &json!(today));
        let (id, name) = (self.active.id, &self.active.name);
        scope.set("workflow", &json!({"id": id, "name": name}));
        scope
    }
}

/// Fields with their values, of either way to write them.
fn named(mut given: Map<String, Json>) -> Vec<(String, Json)> {
    match (given.remove("set"), given.remove("field")) {
        (Some(Json::Object(set)), None) => set.into_iter().collect(),
        (None, Some(Json::String(field))) => {
            vec![(field, given.remove("value").unwrap_or(Json::Null))]
        }
        _ => Vec::new(),
    }
}

/// The steps that cannot be done before a record is saved.
pub(crate) fn misplaced(flow: &Flow) -> Vec<&Step> {
    if !flow.triggers.iter().any(Trigger::is_before) {
        return Vec::new();
    }
    let fits = |step: &Step| match &step.kind {
        StepKind::Action(action) => action.action == SETS,
        StepKind::Stop { .. } => true,
        _ => false,
    };
    flow.steps.iter().filter(|step| !fits(step)).collect()
}

/// The names in texts that lead through a link: nothing is read before a record is saved.
pub(crate) fn leads_away(names: &BTreeSet<String>, own: &[&str]) -> Option<String> {
    let away = |name: &&String| {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        match own.contains(&root) {
            true => rest.contains('.'),
            false => !rest.is_empty() && !["trigger", "workflow"].contains(&root),
        }
    };
    names.iter().find(away).cloned()
}
