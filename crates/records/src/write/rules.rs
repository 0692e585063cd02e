//! Rules of modules: what they asked to know, what they made of the draft, what they refuse; and
//! whether the caller may make this very record.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use opsflux_model::predicate::{Hop, Record, Step};
use opsflux_model::schema::{EntityIx, FieldIx, Schema};
use opsflux_model::{Action, Predicate, Rule as Right, Value};
use opsflux_store::Guard;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Confirm;
use super::change::Change;
use super::links::{Rights, bind_house};
use super::save::Saving;
use crate::caller::Caller;
use crate::error::{ConflictKind, Error};
use crate::records::Records;
use crate::rule::{Answer, Companion, Draft, Known, Need, Refusal, Snapshot};

/// What the rules made of a draft.
#[derive(Default)]
pub(super) struct Ruled {
    pub values: Vec<Value>,
    pub guards: Vec<Guard>,
    pub companions: Vec<Companion>,
    /// The rules people wrote that set something.
    pub names: Vec<String>,
}

impl Records {
    /// Runs the rules of the entity over the draft.
    pub(super) async fn run_rules(
        &self,
        change: &mut Change,
        caller: &Caller,
        saving: &Saving<'_>,
        id: Uuid,
        values: Vec<Value>,
    ) -> Result<Ruled, Error> {
        let schema = self.schema();
        let entity = schema.entity(saving.entity);
        let rules = self.inner.rules.get(&entity.name);
        let standing = self.inner.standing.get();
        if rules.is_none() && standing.is_none() {
            return Ok(Ruled {
                values,
                ..Ruled::default()
            });
        }
        let mut draft = Draft {
            schema: &schema,
            ix: saving.entity,
            id,
            before: saving.before.as_ref(),
            values,
            guards: Vec::new(),
            system: Vec::new(),
            logs: Vec::new(),
            companions: Vec::new(),
        };
        let confirmed = self.confirmed(caller, saving.options.confirm.as_ref(), id);
        for rule in rules.into_iter().flatten() {
            let needs = rule.needs(&draft);
            let known = self
                .known_near(change, caller, needs, confirmed.clone())
                .await?;
            rule.apply(&mut draft, &known)
                .map_err(|refusal| self.refusal(caller, id, &saving.prefix, refusal))?;
            // Rows that are alike know the same records: one look at each is enough.
            if change.nearby.is_none() {
                change.knows(known);
            }
        }
        let mut names = Vec::new();
        if let Some(standing) = standing {
            let shaped = standing.shape(caller, &draft).await?;
            for (field, value) in shaped.set {
                if let Some(slot) = draft.values.get_mut(usize::from(field.0)) {
                    *slot = value;
                }
            }
            draft.logs.extend(shaped.logs);
            names = shaped.names;
        }
        let Draft {
            values,
            guards,
            system,
            logs,
            companions,
            ..
        } = draft;
        change.commit.system.extend(system);
        change.log_rows.extend(logs);
        Ok(Ruled {
            values,
            guards,
            companions,
            names,
        })
    }

    /// As [`Records::known`], out of what was read around the rows before.
    async fn known_near(
        &self,
        change: &Change,
        caller: &Caller,
        needs: Vec<Need>,
        confirmed: Option<String>,
    ) -> Result<Known, Error> {
        let Some(nearby) = change.nearby.clone() else {
            return self.known(caller, change.now, needs, confirmed).await;
        };
        let mut all = self
            .known(caller, change.now, Vec::new(), confirmed)
            .await?;
        for need in needs {
            let answer = match nearby.answer(&need) {
                Some(known) => known,
                None => {
                    let one = vec![need.clone()];
                    let read = self.known(caller, change.now, one, None).await?;
                    let answer = read.answers.into_iter().next();
                    let answer = answer.unwrap_or(Answer::Records(Vec::new()));
                    nearby.keep(&need, &answer);
                    answer
                }
            };
            all.answers.push(answer);
        }
        Ok(all)
    }

    /// Answers what a rule asked for, with the rights of the house.
    pub(super) async fn known(
        &self,
        caller: &Caller,
        now: Timestamp,
        needs: Vec<Need>,
        confirmed: Option<String>,
    ) -> Result<Known, Error> {
        let user = Some(caller.user()).filter(|id| !id.is_nil());
        let mut known = Known {
            answers: Vec::with_capacity(needs.len()),
            now,
            user,
            administrator: user.is_none() || caller.access.is_admin(),
            confirmed,
            access: Some(caller.access.clone()),
        };
        for need in needs {
            let answer = match need {
                Need::Record { entity, id } => {
                    let ix = self.entity_called(entity)?;
                    let record = self.snapshot(caller.tenant(), ix, id).await?;
                    Answer::Records(record.into_iter().collect())
                }
                Need::Records {
                    entity,
                    condition,
                    limit,
                } => {
                    let ix = self.entity_called(entity)?;
                    let variables = caller.variables(now);
                    let filter = bind_house(&self.schema(), &variables, ix, &condition)?;
                    Answer::Records(self.find(caller.tenant(), ix, filter, limit).await?)
                }
                Need::Tenant => Answer::Setting(self.tenant_id(caller.tenant()).await?),
                Need::Setting(key) => Answer::Setting(self.setting(caller.tenant(), key).await?),
            };
            known.answers.push(answer);
        }
        Ok(known)
    }

    async fn tenant_id(&self, tenant: i64) -> Result<Json, Error> {
        let all = self.store().tenants().await?;
        let found = all.iter().find(|known| known.number == tenant);
        Ok(found.map_or(Json::Null, |known| known.id.to_string().into()))
    }

    fn confirmed(&self, caller: &Caller, token: Option<&Confirm>, id: Uuid) -> Option<String> {
        let binding = crate::cursor::Binding::new("confirm")
            .with(caller.user())
            .with(id);
        let payload = self.inner.cursors.open(&token?.0, binding)?;
        String::from_utf8(payload).ok()
    }

    /// A refusal as it is told; `prefix` is where the record stands in what was sent.
    fn refusal(&self, caller: &Caller, id: Uuid, prefix: &str, mut refusal: Refusal) -> Error {
        if !refusal.errors.is_empty() {
            for error in &mut refusal.errors {
                error.field.insert_str(0, prefix);
            }
            return Error::Invalid(refusal.errors);
        }
        let code = refusal.code.to_owned();
        if !refusal.confirmable {
            let field = refusal.field.map(|field| format!("{prefix}{field}"));
            return Error::Refused {
                code,
                params: refusal.params,
                field,
            };
        }
        let binding = crate::cursor::Binding::new("confirm")
            .with(caller.user())
            .with(id);
        match self.inner.cursors.seal(code.as_bytes(), binding) {
            Ok(token) => Error::Conflict(ConflictKind::Confirm {
                code,
                params: refusal.params,
                token,
            }),
            Err(error) => error,
        }
    }

    /// Asks the rules of the entity before a mark is set or taken away.
    pub(super) async fn rules_before_mark(
        &self,
        change: &mut Change,
        caller: &Caller,
        record: &Snapshot,
        deleting: bool,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let name = &schema.entity(record.entity).name;
        let Some(rules) = self.inner.rules.get(name) else {
            return Ok(());
        };
        let mut draft = Draft {
            schema: &schema,
            ix: record.entity,
            id: record.id,
            before: Some(record),
            values: record.values.clone(),
            guards: Vec::new(),
            system: Vec::new(),
            logs: Vec::new(),
            companions: Vec::new(),
        };
        for rule in rules {
            let needs = rule.needs_to_mark(&draft);
            let known = self.known(caller, change.now, needs, None).await?;
            let judged = match deleting {
                true => rule.before_delete(&mut draft, &known),
                false => rule.before_restore(&mut draft, &known),
            };
            judged.map_err(|refusal| self.refusal(caller, record.id, "", refusal))?;
        }
        let Draft { guards, system, .. } = draft;
        for guard in guards {
            change.guard(guard);
        }
        change.commit.system.extend(system);
        Ok(())
    }

    /// The caller's right to create must cover the record as it will be.
    pub(super) async fn check_create(
        &self,
        change: &Change,
        caller: &Caller,
        saving: &Saving<'_>,
        values: &[Value],
    ) -> Result<(), Error> {
        if saving.rights == Rights::House {
            return Ok(());
        }
        let schema = self.schema();
        let rule = match caller.access.rule(saving.entity, Action::Create) {
            Right::Always => return Ok(()),
            Right::Never => Predicate::False,
            Right::When(predicate) => predicate.clone(),
        };
        let record = Snapshot {
            entity: saving.entity,
            id: Uuid::nil(),
            version: 0,
            values: values.to_vec(),
        };
        let nearby = change.nearby.as_ref();
        let mut graph = nearby.map_or_else(Graph::default, |nearby| {
            std::mem::take(&mut *nearby.graph.lock())
        });
        self.reach(caller.tenant(), &schema, &rule, &record, &mut graph)
            .await?;
        let draft = Node {
            snapshot: Arc::new(record),
            graph: &graph,
        };
        let holds = rule.holds(&schema, &draft);
        if let Some(nearby) = nearby {
            *nearby.graph.lock() = graph;
        }
        if holds {
            return Ok(());
        }
        Err(Error::Forbidden {
            action: "create".to_owned(),
            entity: schema.entity(saving.entity).name.clone(),
        })
    }

    /// Loads the records that the paths of `rule` lead to from `record`.
    pub(crate) fn reach<'a>(
        &'a self,
        tenant: i64,
        schema: &'a Schema,
        rule: &'a Predicate,
        record: &'a Snapshot,
        graph: &'a mut Graph,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            match rule {
                Predicate::True | Predicate::False => {}
                Predicate::Not(part) => {
                    self.reach(tenant, schema, part, record, graph).await?;
                }
                Predicate::All(parts) | Predicate::Any(parts) => {
                    for part in parts {
                        self.reach(tenant, schema, part, record, graph).await?;
                    }
                }
                Predicate::Test(test) => {
                    let mut at = record.clone();
                    for step in &test.path.steps {
                        let Some(id) = linked(schema, &at, step) else {
                            break;
                        };
                        let next = match graph.records.get(&(step.to, id)) {
                            Some(known) => known.clone(),
                            None => match self.snapshot(tenant, step.to, id).await? {
                                Some(next) => Arc::new(next),
                                None => break,
                            },
                        };
                        graph.records.insert((step.to, id), next.clone());
                        self.reach(tenant, schema, &step.rule, &next, graph).await?;
                        at = Snapshot::clone(&next);
                    }
                }
            }
            Ok(())
        })
    }
}

/// Where a step along a single link leads; other steps lead nowhere from a draft, which reads as
/// "no" and never as "yes".
fn linked(schema: &Schema, record: &Snapshot, step: &Step) -> Option<Uuid> {
    let Hop::Link(field) = step.hop else {
        return None;
    };
    match record.value(field) {
        Value::Id(id) => Some(*id),
        Value::Ref { entity, id } => (schema.find(entity) == Some(step.to)).then_some(*id),
        _ => None,
    }
}

/// Records loaded around a draft.
#[derive(Default)]
pub(crate) struct Graph {
    records: HashMap<(EntityIx, Uuid), Arc<Snapshot>>,
}

/// One of them, with those around it.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    pub snapshot: Arc<Snapshot>,
    pub graph: &'a Graph,
}

impl Record for Node<'_> {
    fn value(&self, field: FieldIx) -> &Value {
        self.snapshot.value(field)
    }

    fn follow(&self, step: &Step) -> Vec<Self> {
        let Hop::Link(field) = step.hop else {
            return Vec::new();
        };
        let id = match self.snapshot.value(field) {
            Value::Id(id) | Value::Ref { id, .. } => *id,
            _ => return Vec::new(),
        };
        let next = self.graph.records.get(&(step.to, id)).cloned();
        next.map(|snapshot| Node {
            snapshot,
            graph: self.graph,
        })
        .into_iter()
        .collect()
    }
}
