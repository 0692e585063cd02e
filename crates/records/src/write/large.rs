//! Deletions and restorations too large for one change: a job that marks in batches.
//!
//! The record itself is marked by the request, in the commit that queues the job; what goes with
//! it follows batch by batch under the same deletion id. A batch looks for what lives and points at
//! what the deletion has taken, so it needs no list and may begin anew at any moment; links are gone
//! through until a whole round finds nothing. Then it is asked whether anything that stays refuses
//! to lose what went: if so, or if a rule refuses on the way, everything is brought back.

use futures::future::BoxFuture;
use jiff::Timestamp;
use opsflux_model::schema::{EntityIx, FieldIx, FieldType, OnDelete, Schema};
use opsflux_model::{Operand, Predicate, Value};
use opsflux_store::Living;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::change::Change;
use crate::caller::{Actor, Caller, Origin};
use crate::error::Error;
use crate::job::{End, Job, NewJob, Step, Work};
use crate::records::Records;
use crate::rule::Snapshot;

/// Records marked by one commit.
const BATCH: u32 = 500;
/// Pages looked at in one step when nothing is found in them.
const PAGES: usize = 20;

/// Where a deletion or restoration stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    deletion: Uuid,
    at: Timestamp,
    phase: Phase,
    /// The link that is followed, `entity.field`; the first one when there is none such.
    #[serde(default)]
    link: String,
    /// The last record taken that was looked at.
    #[serde(default)]
    after: Option<Uuid>,
    /// Whether this round has found anything.
    #[serde(default)]
    found: bool,
    /// Why everything is brought back; nothing when somebody stopped it.
    #[serde(default)]
    why: Option<String>,
    origin: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// What goes with what has gone is marked.
    Take,
    /// What stays is asked whether it refuses.
    Ask,
    /// Marks are taken away again.
    Give,
}

/// Of the request, what audit and feed keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Asked {
    source: String,
    address: Option<String>,
    request_id: Option<String>,
    reason: Option<String>,
}

impl Records {
    /// Marks `root` and queues the marking of what goes with it. Answers the job.
    pub(super) fn delete_at_length(
        &self,
        change: &mut Change,
        caller: &Caller,
        root: &Snapshot,
    ) -> Result<Uuid, Error> {
        let deletion = change.id;
        self.mark(change, root, Some((change.now, deletion)), None);
        self.queue(change, caller, root, "delete", deletion, Phase::Take)
    }

    /// Takes the mark of `root` away and queues that of what went with it. Answers the job.
    pub(super) fn restore_at_length(
        &self,
        change: &mut Change,
        caller: &Caller,
        root: &Snapshot,
        deletion: Uuid,
    ) -> Result<Uuid, Error> {
        self.mark(change, root, None, None);
        self.queue(change, caller, root, "restore", deletion, Phase::Give)
    }

    fn queue(
        &self,
        change: &mut Change,
        caller: &Caller,
        root: &Snapshot,
        kind: &'static str,
        deletion: Uuid,
        phase: Phase,
    ) -> Result<Uuid, Error> {
        let schema = self.schema();
        let origin = &caller.origin;
        let state = State {
            deletion,
            at: change.now,
            phase,
            link: String::new(),
            after: None,
            found: false,
            why: None,
            origin: Asked {
                source: origin.source.clone(),
                address: origin.address.clone(),
                request_id: origin.request_id.clone(),
                reason: origin.reason.clone(),
            },
        };
        let job = NewJob {
            kind,
            entity: &schema.entity(root.entity).name,
            record: Some(root.id),
            state: kept(&state)?,
            done: 1,
        };
        let (id, row) = self.new_job(caller, &job)?;
        change.write(row);
        Ok(id)
    }
}

fn kept(state: &State) -> Result<Json, Error> {
    serde_json::to_value(state).map_err(|error| Error::Internal(error.to_string()))
}

/// Takes what goes with a deleted record.
pub(crate) struct Deleting;

/// Brings back what a deletion took.
pub(crate) struct Restoring;

impl Work for Deleting {
    fn kind(&self) -> &'static str {
        "delete"
    }

    fn step<'a>(
        &'a self,
        records: &'a Records,
        job: &'a Job,
    ) -> BoxFuture<'a, Result<Step, Error>> {
        Box::pin(async move {
            let mut marking = Marking::of(records, job)?;
            if job.cancel && marking.state.phase != Phase::Give {
                marking.bring_back(None);
                return marking.looked();
            }
            match marking.state.phase {
                Phase::Take => marking.take().await,
                Phase::Ask => marking.ask().await,
                Phase::Give => {
                    let end = match &marking.state.why {
                        Some(why) => End::Failed(why.clone()),
                        None => End::Cancelled,
                    };
                    marking.give(false, end).await
                }
            }
        })
    }
}

impl Work for Restoring {
    fn kind(&self) -> &'static str {
        "restore"
    }

    fn step<'a>(
        &'a self,
        records: &'a Records,
        job: &'a Job,
    ) -> BoxFuture<'a, Result<Step, Error>> {
        Box::pin(async move {
            let mut marking = Marking::of(records, job)?;
            if job.cancel {
                return marking.end(End::Cancelled);
            }
            let end = marking.ended();
            marking.give(true, end).await
        })
    }
}

/// One step of a job.
struct Marking<'a> {
    records: &'a Records,
    schema: std::sync::Arc<Schema>,
    caller: Caller,
    state: State,
}

/// A link between records, by whom it ends.
struct Followed {
    name: String,
    from: EntityIx,
    field: FieldIx,
    to: EntityIx,
}

impl<'a> Marking<'a> {
    fn of(records: &'a Records, job: &Job) -> Result<Marking<'a>, Error> {
        let state: State = serde_json::from_value(job.state.clone())
            .map_err(|error| Error::Internal(format!("the state of a job: {error}")))?;
        let schema = records.schema();
        // What it takes was decided when the person was asked; he stands in the audit.
        let origin = Origin {
            actor: Actor::User,
            source: state.origin.source.clone(),
            address: state.origin.address.clone(),
            request_id: state.origin.request_id.clone(),
            reason: state.origin.reason.clone(),
            ..Origin::default()
        };
        let user = job.user.unwrap_or_default();
        let caller = Caller::house(&schema, job.tenant, user, origin);
        Ok(Marking {
            records,
            schema,
            caller,
            state,
        })
    }

    /// Marks the next batch.
    async fn take(&mut self) -> Result<Step, Error> {
        for _ in 0..PAGES {
            let Some(link) = self.link(OnDelete::Cascade) else {
                self.ask_next();
                return self.looked();
            };
            let page = self.page(link.to).await?;
            let Some(last) = page.last().copied() else {
                if self.next_link(&link, OnDelete::Cascade) {
                    continue;
                }
                self.ask_next();
                return self.looked();
            };
            let tenant = self.caller.tenant();
            let pointing = pointing(&link, &page);
            let found = self.records.find(tenant, link.from, pointing, BATCH);
            let found = found.await?;
            if found.len() < BATCH as usize {
                self.state.after = Some(last);
            }
            if !found.is_empty() {
                self.state.found = true;
                return self.mark(&found, true, true).await;
            }
        }
        self.looked()
    }

    /// Whether anything that stays refuses to lose what went.
    async fn ask(&mut self) -> Result<Step, Error> {
        for _ in 0..PAGES {
            let Some(link) = self.link(OnDelete::Refuse) else {
                return self.end(self.ended());
            };
            let page = self.page(link.to).await?;
            let Some(last) = page.last().copied() else {
                if self.next_link(&link, OnDelete::Refuse) {
                    continue;
                }
                return self.end(self.ended());
            };
            let tenant = self.caller.tenant();
            let pointing = pointing(&link, &page);
            let found = self.records.find(tenant, link.from, pointing, 1000);
            let found = found.await?;
            if !found.is_empty() {
                let declared = self.schema.entity(link.from);
                let field = &declared.field(link.field).name;
                let count = found.len();
                let why = format!("{count} of {} need it ({field})", declared.collection);
                self.bring_back(Some(why));
                return self.looked();
            }
            self.state.after = Some(last);
        }
        self.looked()
    }

    /// Takes the marks of the next batch away; `end` when there is none.
    async fn give(&mut self, ask_rules: bool, end: End) -> Result<Step, Error> {
        let entities = self.schema.iter();
        let records = entities.filter(|(_, entity)| crate::read::is_record(entity.kind));
        for (entity, _) in records.collect::<Vec<_>>() {
            let taken = self.taken(entity, None).await?;
            if !taken.is_empty() {
                return self.mark(&taken, false, ask_rules).await;
            }
        }
        self.end(end)
    }

    /// Marks records or takes their marks away. A rule that refuses a deletion brings everything
    /// back; one that refuses a restoration ends it there.
    async fn mark(
        &mut self,
        found: &[Snapshot],
        deleting: bool,
        ask_rules: bool,
    ) -> Result<Step, Error> {
        let mut change = Change::new(self.records, &self.caller);
        let deletion = deleting.then_some((self.state.at, self.state.deletion));
        for record in found {
            if ask_rules {
                let asked =
                    self.records
                        .rules_before_mark(&mut change, &self.caller, record, deleting);
                match asked.await {
                    Err(refused @ (Error::Refused { .. } | Error::Conflict(_))) if deleting => {
                        self.bring_back(Some(refused.to_string()));
                        return self.looked();
                    }
                    asked => asked?,
                }
            }
            self.records.mark(&mut change, record, deletion, None);
        }
        if !deleting && ask_rules {
            let deletion = self.state.deletion;
            let owners =
                self.records
                    .refuse_deleted_owner(&mut change, &self.caller, found, deletion);
            owners.await?;
        }
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        Ok(Step {
            commit: change.finish().0,
            // What is brought back after all was not done.
            done: if ask_rules { count } else { -count },
            ..self.looked()?
        })
    }

    /// A step that wrote nothing.
    fn looked(&self) -> Result<Step, Error> {
        Ok(Step {
            state: kept(&self.state)?,
            ..Step::default()
        })
    }

    fn end(&self, end: End) -> Result<Step, Error> {
        Ok(Step {
            end: Some(end),
            ..self.looked()?
        })
    }

    fn ended(&self) -> End {
        End::Done(json!({"deletion": self.state.deletion.to_string()}))
    }

    fn ask_next(&mut self) {
        self.state.phase = Phase::Ask;
        self.state.link = String::new();
        self.state.after = None;
    }

    fn bring_back(&mut self, why: Option<String>) {
        self.state.phase = Phase::Give;
        self.state.why = why;
    }

    /// The link that is followed now; nothing when there is none of its kind.
    fn link(&mut self, on_delete: OnDelete) -> Option<Followed> {
        let mut links = self.links(on_delete);
        let known = links.iter().position(|link| link.name == self.state.link);
        if known.is_none() {
            // The first one; or one that is declared no more, and then another round is needed.
            self.state.found |= !self.state.link.is_empty();
            self.state.after = None;
        }
        let link = (!links.is_empty()).then(|| links.swap_remove(known.unwrap_or(0)))?;
        self.state.link.clone_from(&link.name);
        Some(link)
    }

    /// Goes on to the next link, or to the next round when this one has found something; false
    /// when all is looked through.
    fn next_link(&mut self, link: &Followed, on_delete: OnDelete) -> bool {
        self.state.after = None;
        let links = self.links(on_delete);
        let place = links.iter().position(|other| other.name == link.name);
        let next = place.and_then(|place| links.get(place + 1));
        self.state.link = next.map_or(String::new(), |link| link.name.clone());
        next.is_some() || std::mem::take(&mut self.state.found)
    }

    fn links(&self, on_delete: OnDelete) -> Vec<Followed> {
        let mut links = Vec::new();
        for (from, entity) in self.schema.iter() {
            for (field, declared) in entity.iter() {
                let (FieldType::Link(link) | FieldType::Links(link)) = &declared.kind else {
                    continue;
                };
                let counts = crate::read::is_record(entity.kind) && !declared.system;
                if counts && link.on_delete == on_delete {
                    links.push(Followed {
                        name: format!("{}.{}", entity.name, declared.name),
                        from,
                        field,
                        to: link.to,
                    });
                }
            }
        }
        links
    }

    /// The next page of what the deletion took, by id.
    async fn page(&self, entity: EntityIx) -> Result<Vec<Uuid>, Error> {
        let taken = self.taken(entity, self.state.after).await?;
        Ok(taken.into_iter().map(|record| record.id).collect())
    }

    async fn taken(&self, entity: EntityIx, after: Option<Uuid>) -> Result<Vec<Snapshot>, Error> {
        let living = Living::By(self.state.deletion);
        self.records
            .scanned(self.caller.tenant(), entity, after, BATCH, living)
            .await
    }
}

fn pointing(link: &Followed, ids: &[Uuid]) -> Predicate {
    let ids = ids.iter().copied().map(Value::Id).collect();
    Predicate::test(link.from, link.field, Operand::OneOf(ids))
}
