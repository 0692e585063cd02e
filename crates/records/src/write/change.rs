//! One change while it is being made: rows, guards, audit and feed together.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_store::feed::{Body, FeedOp, NewEntry};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Guard, Write};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::alike::Nearby;
use super::derived::Moved;
use super::numbers::{Taken, Turn};
use crate::caller::Caller;
use crate::error::Error;
use crate::read::json::to_json;
use crate::records::Records;
use crate::rule::{Known, Snapshot};

/// An idempotency key whose answer is kept with the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAnswer {
    /// Person or API key.
    pub principal: Uuid,
    /// Method and path.
    pub operation: String,
    /// As sent.
    pub key: String,
    /// SHA-256 of the request body.
    pub body_hash: Vec<u8>,
    /// Status of the answer.
    pub status: u16,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// A change while it is being made.
pub(crate) struct Change {
    /// What will be committed.
    pub commit: Commit,
    /// Its id, shared by its feed and audit entries.
    pub id: Uuid,
    /// Its moment.
    pub now: Timestamp,
    /// What goes with a record that is deleted or restored is left to a job.
    pub at_length: bool,
    /// That job.
    pub job: Option<Uuid>,
    /// What was read around its rows, when they are alike.
    pub nearby: Option<Arc<Nearby>>,
    /// Nothing of it will be committed.
    pub is_trial: bool,
    caller: Caller,
    audit: Option<EntityIx>,
    schema: Arc<Schema>,
    moved: Moved,
    /// Numbers taken of series without gaps.
    pub taken: Taken,
    /// Which operation of a bulk is being made.
    pub operation: usize,
    /// Rows of log entities that follow the records they belong to.
    pub log_rows: Vec<Write>,
    /// Records written, by which operation and how; the first one that did.
    written: BTreeMap<(EntityIx, Uuid), (usize, FeedOp)>,
    /// What was read for rules, while this change was made.
    known: Vec<Known>,
    /// Records that must live when it is committed, by which operation.
    needed: BTreeMap<(EntityIx, Uuid), usize>,
    /// Records written, for the kept answer.
    touched: Vec<Json>,
}

/// One record of a change, for audit and feed.
pub(crate) struct Touched<'a> {
    pub entity: EntityIx,
    pub id: Uuid,
    pub version: i64,
    pub op: FeedOp,
    pub before: Option<&'a Snapshot>,
    /// Values after, by field; `None` for a deleted record.
    pub after: Option<&'a [Value]>,
    /// What changed.
    pub fields: &'a [FieldIx],
    /// The rule that made it, when no person did.
    pub rule: Option<&'a str>,
}

impl Change {
    pub fn new(records: &Records, caller: &Caller) -> Change {
        let schema = records.schema();
        Change {
            commit: Commit {
                tenant: caller.tenant(),
                ..Commit::default()
            },
            id: records.new_id(),
            now: records.now(),
            at_length: false,
            job: None,
            nearby: None,
            is_trial: false,
            caller: caller.clone(),
            audit: schema.find(crate::read::history::AUDIT_ENTITY),
            schema,
            moved: Moved::default(),
            taken: Taken::default(),
            operation: 0,
            log_rows: Vec::new(),
            written: BTreeMap::new(),
            known: Vec::new(),
            needed: BTreeMap::new(),
            touched: Vec::new(),
        }
    }

    /// Whether it would write anything.
    pub fn is_empty(&self) -> bool {
        self.commit.writes.is_empty() && self.commit.system.is_empty()
    }

    /// Whether a record comes into being by this change.
    pub fn brings(&self, entity: EntityIx, id: Uuid) -> bool {
        let written = self.written.get(&(entity, id));
        written.is_some_and(|(_, op)| *op == FeedOp::Created)
    }

    /// Remembers what was read for a rule.
    pub fn knows(&mut self, known: Known) {
        self.known.push(known);
    }

    /// A living record that some rule asked for, as it was read for this change.
    pub fn read(&self, entity: EntityIx, id: Uuid) -> Option<&Snapshot> {
        let mut read = self.known.iter().flat_map(Known::all_records);
        read.find(|read| read.entity == entity && read.id == id)
    }

    /// Whether a record is changed by it already.
    pub fn touches(&self, entity: EntityIx, record: Uuid) -> bool {
        self.commit.writes.iter().any(|write| match write {
            Write::Update { entity: at, id, .. } | Write::Mark { entity: at, id, .. } => {
                *at == entity && *id == record
            }
            _ => false,
        }) || self.brings(entity, record)
    }

    /// Whether a record is deleted by it already.
    pub fn deletes(&self, entity: EntityIx, id: Uuid) -> bool {
        let written = self.written.get(&(entity, id));
        written.is_some_and(|(_, op)| *op == FeedOp::Deleted)
    }

    /// Refuses a second operation on a record: what the first one makes of it is not there to be
    /// read. Names the first.
    ///
    /// # Errors
    /// `repeated` at `id`.
    pub fn once(&self, entity: EntityIx, id: Uuid) -> Result<(), Error> {
        match self.written.get(&(entity, id)) {
            Some((first, _)) => Err(repeated(*first)),
            None => Ok(()),
        }
    }

    /// As [`Change::once`], for a record that is deleted: nor may another operation hang on it.
    ///
    /// # Errors
    /// `repeated` at `id`.
    pub fn spare(&self, entity: EntityIx, id: Uuid) -> Result<(), Error> {
        match self.needed.get(&(entity, id)) {
            Some(first) if *first < self.operation => Err(repeated(*first)),
            _ => self.once(entity, id),
        }
    }

    pub fn write(&mut self, write: Write) {
        self.commit.writes.push(write);
    }

    pub fn guard(&mut self, guard: Guard) {
        if let Guard::Exists { entity, id, .. } = &guard {
            let needed = self.needed.entry((*entity, *id));
            needed.or_insert(self.operation);
        }
        if !self.commit.guards.contains(&guard) {
            self.commit.guards.push(guard);
        }
    }

    /// Keeps what is needed to make the answer again.
    pub fn keep_answer(&mut self, pending: &PendingAnswer) {
        let recipe = Json::Array(self.touched.clone()).to_string();
        self.commit
            .system
            .push(SystemWrite::Answer(pending.fill(recipe)));
    }

    /// What is committed, and what must be held until it is.
    pub fn finish(mut self) -> (Commit, Turn) {
        self.commit.writes.append(&mut self.log_rows);
        self.commit.rollups = self.moved.recounts();
        let (series, turn) = self.taken.finish();
        self.commit.system.extend(series);
        (self.commit, turn)
    }

    /// Adds the audit and feed entries of one record.
    pub fn record(&mut self, touched: &Touched<'_>) {
        let schema = self.schema.clone();
        let entity = schema.entity(touched.entity);
        let name = |ix: &FieldIx| entity.field(*ix).name.clone();
        self.moved.note(&schema, touched);
        let key = (touched.entity, touched.id);
        let written = self.written.entry(key);
        written.or_insert((self.operation, touched.op));
        self.touched.push(json!({
            "entity": entity.name, "id": touched.id.to_string(), "version": touched.version,
        }));
        self.audit(entity, touched);
        let origin = &self.caller.origin;
        self.commit.feed.push(NewEntry {
            change: self.id,
            at: self.now,
            entity: entity.name.clone(),
            record: touched.id,
            version: touched.version,
            op: touched.op,
            body: Body {
                fields: touched.fields.iter().map(name).collect(),
                before: touched
                    .before
                    .map(|b| anchors(entity, &b.values))
                    .unwrap_or_default(),
                after: touched
                    .after
                    .map(|values| anchors(entity, values))
                    .unwrap_or_default(),
                by: Some(self.caller.user()).filter(|id| !id.is_nil()),
                source: origin.source.clone(),
                chain: origin.chain,
                depth: origin.depth,
            },
        });
    }

    fn audit(&mut self, entity: &Entity, touched: &Touched<'_>) {
        let Some(audit) = self.audit else { return };
        let before = touched.before.map(|b| b.values.as_slice());
        let action = match touched.op {
            FeedOp::Created => "create",
            FeedOp::Updated => "update",
            FeedOp::Deleted => "delete",
            FeedOp::Restored => "restore",
            FeedOp::Purged => "purge",
        };
        let mut entry = super::audit::Entry::new(&self.caller, self.now, action, "ok");
        entry.entity = Some(&entity.name);
        entry.record = Some(touched.id);
        entry.record_version = Some(touched.version);
        entry.rule = touched.rule;
        entry.before = before.map(|values| shown(entity, values, touched.fields));
        entry.after = touched
            .after
            .map(|values| shown(entity, values, touched.fields));
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(
            uuid::NoContext,
            u64::try_from(self.now.as_second()).unwrap_or_default(),
            u32::try_from(self.now.subsec_nanosecond()).unwrap_or_default(),
        ));
        let values = entry.values(self.schema.entity(audit), id);
        self.commit.writes.push(Write::Insert {
            entity: audit,
            values,
        });
    }
}

fn repeated(first: usize) -> Error {
    Error::field(system::ID, "repeated", first.to_string())
}

/// The values of `fields`, as audit keeps them: what is write-only stays unseen there too.
fn shown(entity: &Entity, values: &[Value], fields: &[FieldIx]) -> Map<String, Json> {
    let mut shown = Map::new();
    for ix in fields {
        let field = entity.field(*ix);
        let value = values.get(usize::from(ix.0)).unwrap_or(&Value::Null);
        let json = match field.kind {
            _ if field.kind.is_write_only() && !value.is_empty() => Json::from("••••"),
            _ => to_json(value),
        };
        shown.insert(field.name.clone(), json);
    }
    shown
}

/// The values that decide who sees a record: scope anchors and the state.
pub(super) fn anchors(entity: &Entity, values: &[Value]) -> Map<String, Json> {
    let scope = &entity.scope;
    let single = [scope.department, scope.company, scope.owner];
    let fields = scope
        .own
        .iter()
        .copied()
        .chain(single.into_iter().flatten());
    let mut anchors = Map::new();
    for ix in fields.chain(entity.state_field()) {
        let value = values.get(usize::from(ix.0)).unwrap_or(&Value::Null);
        if !value.is_empty() && !matches!(entity.field(ix).kind, FieldType::Secret) {
            anchors.insert(entity.field(ix).name.clone(), to_json(value));
        }
    }
    anchors
}
