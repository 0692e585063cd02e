//! What time sets off: schedules, deadlines that come near, records nobody touched for long.
//!
//! A workflow has the moment the clock looks at it next. Moving that moment and beginning what is
//! due are guarded by it, so of several processes one does it; what is begun has an id made of the
//! workflow and the moment, so a process that dies in between begins nothing twice. Moments that
//! were missed while nothing ran are made up for once.

use jiff::{SignedDuration, Timestamp, ToSpan};
use opsflux_model::{Condition, Op, Operand, Predicate, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Caller, Error, ListRequest};
use opsflux_store::{Commit, CommitError, Guard};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::engine::{Cause, Engine};
use crate::execution::{NewExecution, Subject, refused};
use crate::flow::{self, Flow, Limits, OnClock, OnMoment, Trigger};
use crate::log::Log;
use crate::published::{content, derived, text, version_id};
use crate::rhythm::next;

/// Workflows looked at in one turn.
const AT_ONCE: u32 = 100;
/// Records looked at a time.
const PAGE: u32 = 200;
/// How often records are looked through for those nobody touched.
const INACTIVE: SignedDuration = SignedDuration::from_mins(30);
/// How often records are looked through for deadlines.
const DEADLINES: SignedDuration = SignedDuration::from_secs(30);
/// How far back a deadline may lie that was missed.
const MISSED: SignedDuration = SignedDuration::from_hours(24);

/// A workflow the clock looks at.
struct Timed<'a> {
    row: &'a Snapshot,
    flow: &'a Flow,
    name: String,
    owner: Uuid,
    caller: Caller,
    now: Timestamp,
}

impl Engine {
    /// Begins what time sets off in a tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn look_at_the_clock(&self, tenant: i64) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, "workflow")?;
        let now = records.now();
        let due = log
            .is_due("next_run_at", now)?
            .and(log.is("status", "ACTIVE")?);
        for row in records.find(tenant, log.ix, due, AT_ONCE).await? {
            if let Err(error) = self.set_off(tenant, &row, now).await {
                tracing::warn!(workflow = %row.id, %error, "the clock could not set it off");
                if error.passes() {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn set_off(&self, tenant: i64, row: &Snapshot, now: Timestamp) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let Ok(flow) = flow::read(&content(&schema, row)) else {
            return self.rearm(tenant, row, None, None).await;
        };
        let owner = row.get(&schema, "owner").as_id().unwrap_or_default();
        let name = text(&schema, row, "name");
        let due = match row.get(&schema, "next_run_at") {
            Value::Time(due) => *due,
            _ => return Ok(()),
        };
        let cause = Cause {
            workflow: &name,
            chain: derived(row.id, &due.as_microsecond().to_be_bytes()),
            depth: 0,
        };
        let Some(caller) = self.act_as(tenant, owner, &cause).await? else {
            // Whoever may act looks at it again when he comes back.
            let later = now.checked_add(INACTIVE).unwrap_or(now);
            return self.rearm(tenant, row, Some(later), None).await;
        };
        let timed = Timed {
            row,
            flow: &flow,
            name: name.clone(),
            owner,
            caller,
            now,
        };
        let armed = row.get(&schema, "armed").as_bool() == Some(true);
        if armed {
            let limits = flow.limits.iter();
            for (trigger, limits) in flow.triggers.iter().zip(limits) {
                match trigger {
                    Trigger::Clock(on) => self.by_clock(&timed, on, due, limits).await?,
                    Trigger::Moment(on) => self.by_moment(&timed, on, limits).await?,
                    _ => {}
                }
            }
        }
        let next = flow
            .triggers
            .iter()
            .filter_map(|trigger| timed.next(trigger))
            .min();
        self.rearm(tenant, row, next, armed.then_some(now)).await
    }

    /// Moves the moment the clock looks at a workflow next, unless somebody else did.
    async fn rearm(
        &self,
        tenant: i64,
        row: &Snapshot,
        next: Option<Timestamp>,
        ran: Option<Timestamp>,
    ) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, "workflow")?;
        let known = row.get(&schema, "next_run_at").clone();
        let as_it_was = Operand::OneOf(vec![known]);
        let mut set = vec![
            ("armed", true.into()),
            ("next_run_at", next.map_or(Value::Null, Value::Time)),
        ];
        set.extend(ran.map(|ran| ("last_run_at", ran.into())));
        let commit = Commit {
            tenant,
            guards: vec![Guard::Exists {
                name: "workflow.clock".to_owned(),
                entity: log.ix,
                id: row.id,
                holds: Predicate::test(log.ix, log.field("next_run_at")?, as_it_was),
            }],
            writes: vec![log.update(row.id, set)?],
            ..Commit::default()
        };
        match self.inner.records.store().commit(commit).await {
            // Another process looked at it.
            Ok(_) | Err(CommitError::Guard { .. } | CommitError::Retry) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    async fn by_clock(
        &self,
        timed: &Timed<'_>,
        on: &OnClock,
        due: Timestamp,
        limits: &Limits,
    ) -> Result<(), Error> {
        let zone = on.zone.as_ref().unwrap_or(&timed.caller.time_zone);
        let before = due.checked_sub(1.microsecond()).unwrap_or(due);
        // Another trigger of the same workflow may be what is due.
        let is_due = next(&on.when, before, zone).is_some_and(|at| at <= timed.now);
        if !is_due {
            return Ok(());
        }
        let moment = due.as_microsecond().to_be_bytes();
        let trigger = json!({"type": "scheduled", "due": due, "at": timed.now});
        let Some(entity) = &on.entity else {
            let id = derived(timed.row.id, &moment);
            return self.begin_timed(timed, id, None, trigger, limits).await;
        };
        let found = self.matching_records(timed, entity, None, |record, _| {
            derived(
                record,
                &[timed.row.id.as_bytes().as_slice(), &moment].concat(),
            )
        });
        for (id, subject) in found.await? {
            self.begin_timed(timed, id, Some(subject), trigger.clone(), limits)
                .await?;
        }
        Ok(())
    }

    async fn by_moment(
        &self,
        timed: &Timed<'_>,
        on: &OnMoment,
        limits: &Limits,
    ) -> Result<(), Error> {
        let zone = &timed.caller.time_zone;
        let test = |op: Op, at: Timestamp| Condition::Test {
            field: on.field.clone(),
            op,
            value: json!(at),
        };
        let condition = if on.before {
            // Near enough, and not so long past that nobody asks any more.
            let near = flow::later(timed.now, on.distance, zone);
            let past = timed.now.checked_sub(MISSED).unwrap_or(timed.now);
            near.map(|near| Condition::All(vec![test(Op::Lte, near), test(Op::Gte, past)]))
        } else {
            let ago = timed
                .now
                .to_zoned(zone.clone())
                .checked_sub(on.distance)
                .ok();
            ago.map(|ago| test(Op::Lte, ago.timestamp()))
        };
        let Some(condition) = condition else {
            return Ok(());
        };
        // Once for each value of the field: who moves the deadline, or touches the record, arms it
        // again.
        let found = self.matching_records(
            timed,
            &on.entity,
            Some((&on.field, condition)),
            |record, value| {
                let with = [
                    timed.row.id.as_bytes().as_slice(),
                    value.to_string().as_bytes(),
                ]
                .concat();
                derived(record, &with)
            },
        );
        let kind = if on.before {
            "deadline"
        } else {
            "inactivity_delay"
        };
        for (id, subject) in found.await? {
            let trigger = json!({"type": kind, "field": on.field, "at": timed.now});
            self.begin_timed(timed, id, Some(subject), trigger, limits)
                .await?;
        }
        Ok(())
    }

    /// The records that satisfy the workflow's conditions and one more, as its owner sees them,
    /// with the id of the execution each sets off; those that were begun are left out.
    async fn matching_records(
        &self,
        timed: &Timed<'_>,
        entity: &str,
        more: Option<(&str, Condition)>,
        id_of: impl Fn(Uuid, &Json) -> Uuid,
    ) -> Result<Vec<(Uuid, Subject)>, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let Some(ix) = schema.find(entity) else {
            return Ok(Vec::new());
        };
        let (field, more) = more.unzip();
        let mut conditions = vec![("when".to_owned(), timed.flow.when.clone())];
        conditions.extend(more.map(|more| ("moment".to_owned(), more)));
        let mut request = ListRequest {
            conditions,
            sort: vec!["id".to_owned()],
            limit: Some(PAGE),
            fields: Some(field.into_iter().map(str::to_owned).collect()),
            ..ListRequest::default()
        };
        let mut found = Vec::new();
        loop {
            let page = records.list(&timed.caller, ix, &request).await?;
            let page: Json =
                serde_json::from_slice(&page).map_err(|e| Error::Internal(e.to_string()))?;
            let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
            let named: Vec<(Uuid, Subject)> = items
                .iter()
                .filter_map(|item| {
                    let id = item["id"]
                        .as_str()
                        .and_then(|id| Uuid::try_parse(id).ok())?;
                    let value = field.map_or(&Json::Null, |field| &item[field]);
                    Some((id_of(id, value), Subject { entity: ix, id }))
                })
                .collect();
            found.extend(self.not_begun(timed.caller.tenant(), named).await?);
            match page["next_cursor"].as_str() {
                Some(cursor) => request.cursor = Some(cursor.to_owned()),
                None => return Ok(found),
            }
        }
    }

    async fn not_begun(
        &self,
        tenant: i64,
        named: Vec<(Uuid, Subject)>,
    ) -> Result<Vec<(Uuid, Subject)>, Error> {
        if named.is_empty() {
            return Ok(named);
        }
        let schema = self.inner.records.schema();
        let log = Log::of(&schema, crate::execution::ENTITY)?;
        let ids = named.iter().map(|(id, _)| Value::Id(*id)).collect();
        let known = Predicate::test(log.ix, log.field("id")?, Operand::OneOf(ids));
        let known = self.inner.records.find(tenant, log.ix, known, PAGE).await?;
        let mut left = named;
        left.retain(|(id, _)| known.iter().all(|row| row.id != *id));
        Ok(left)
    }

    async fn begin_timed(
        &self,
        timed: &Timed<'_>,
        id: Uuid,
        subject: Option<Subject>,
        trigger: Json,
        limits: &Limits,
    ) -> Result<(), Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let tenant = timed.caller.tenant();
        let mut named = None;
        let mut trigger = trigger;
        if let Some(Subject { entity, id }) = subject {
            let Some(record) = records.snapshot(tenant, entity, id).await? else {
                return Ok(());
            };
            let title = crate::matching::title(&schema, &timed.caller, &record);
            trigger["entity"] = json!(schema.entity(entity).name);
            trigger["record"] = json!(id);
            named = Some((Subject { entity, id }, title));
        }
        let revision = timed.row.get(&schema, "revision").as_int().unwrap_or(0);
        let version = version_id(timed.row.id, revision);
        let new = NewExecution {
            subject: named,
            ..NewExecution::of(id, timed.row.id, version, timed.owner, timed.flow, trigger)
        };
        tracing::debug!(workflow = %timed.name, execution = %id, "set off by the clock");
        self.admit(&timed.caller, new, limits).await
    }
}

impl Timed<'_> {
    /// When the clock is to look at a trigger next.
    fn next(&self, trigger: &Trigger) -> Option<Timestamp> {
        match trigger {
            Trigger::Clock(on) => {
                let zone = on.zone.as_ref().unwrap_or(&self.caller.time_zone);
                next(&on.when, self.now, zone)
            }
            Trigger::Moment(on) if on.before => self.now.checked_add(DEADLINES).ok(),
            Trigger::Moment(_) => self.now.checked_add(INACTIVE).ok(),
            _ => None,
        }
    }
}
