//! The one way in. Order of execution (decisions §7):
//!
//! 1. **authorize** – may the caller do this to any record of the entity at all;
//! 2. **load** the record at its version, with whether the caller may edit it; merge with what
//!    others changed since the caller's base;
//! 3. **defaults** for a new record;
//! 4. **rules** of modules, once, in order: they set fields, add guards and companions, refuse;
//! 5. **computed** fields;
//! 6. **validate** types, limits, required fields, links (alive, visible, within their condition);
//! 7. **state machine**;
//! 8. **number**;
//! 9. **commit** rows, roll-ups of what they point at, audit, feed and kept answer in one
//!    transaction; guards are checked again in it; a version that moved meanwhile sends the whole change back to step 2, a few times;
//! 10. **answer** with the record as the caller may see it now.
//!
//! Companions of rules and rows of child tables run through steps 5 to 9 of the same change.

pub(crate) mod again;
pub mod alike;
mod along;
mod audit;
mod body;
mod bulk;
mod change;
mod checks;
mod delete;
pub(crate) mod derived;
mod family;
pub(crate) mod large;
mod links;
mod merge;
pub mod numbers;
mod restore;
pub(crate) mod rules;
mod save;
pub mod seed;
mod values;

use opsflux_model::schema::{EntityIx, system};
use opsflux_model::{Access, Action, Schema};
use opsflux_store::CommitError;
use opsflux_store::system::Answer;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::caller::{Caller, Language, Origin};
use crate::error::{ConflictKind, Error, FieldError};
use crate::read::GetRequest;
use crate::records::Records;
use change::Change;

pub(crate) use links::{LinkedTo, sees};

pub use along::Along;
pub use bulk::{BulkOperation, BulkResult, done_json, read_bulk};
pub use change::PendingAnswer;

/// How often a change whose records moved meanwhile is made again.
const ATTEMPTS: usize = 5;

/// Rows of all kinds in one change, audit included: a thousand operations that each delete a
/// thousand records are not one.
const MAX_WRITES: usize = 20_000;

/// What the caller knows of the record's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing: the fields named are written.
    #[default]
    None,
    /// It must be this one.
    IfMatch(i64),
    /// The one the caller began with: fields changed by one side only are merged.
    Base(i64),
}

/// Yes to a question a rule asked: its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm(pub String);

/// How a write is done.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// What the caller knows of the version.
    pub precondition: Precondition,
    /// Yes to a question.
    pub confirm: Option<Confirm>,
    /// Enters states without their moves; for imports.
    pub import_state: bool,
    /// The answer kept for an idempotency key.
    pub answer: Option<PendingAnswer>,
    /// Its operations are rows that are alike: what is read around them is read once a change.
    pub alike: bool,
    /// Fields the engine that calls sets itself, read-only for requests: what was measured of a
    /// file, when somebody last signed in.
    pub engine: Vec<(&'static str, opsflux_model::Value)>,
}

/// A record that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub id: Uuid,
    /// Its version now.
    pub version: i64,
    /// The record as the caller may see it; only id and version when he no longer may.
    pub body: Vec<u8>,
    /// Whether it is new; false when the same id with the same content was there already.
    pub created: bool,
}

/// A deletion that was made or, when it takes many records, begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Its id: restoring undoes one.
    pub id: Uuid,
    /// The job that takes what goes with the record, when that is more than one change takes.
    pub job: Option<Uuid>,
}

/// What became of one operation of a change.
struct Done {
    status: u16,
    record: Uuid,
    /// The id of the change, which is that of a deletion.
    change: Uuid,
    /// The job that goes on with it.
    job: Option<Uuid>,
}

impl Caller {
    /// The house itself in one tenant: bootstrap, demo data, engines.
    #[must_use]
    pub fn house(schema: &Schema, tenant: i64, user: Uuid, origin: Origin) -> Caller {
        let principal = opsflux_model::access::Principal {
            tenant,
            user,
            home_company: None,
            memberships: Vec::new(),
            groups: Vec::new(),
            shares: Vec::new(),
            instance_admin: false,
        };
        Caller {
            access: Access::everything(schema, principal).into(),
            origin: origin.into(),
            language: Language::default(),
            time_zone: jiff::tz::TimeZone::UTC,
            company: None,
            companies: Vec::new(),
            viewer: None,
        }
    }
}

impl Records {
    /// A new record.
    ///
    /// # Errors
    /// Every wrong field at once; conflicts; what rules refuse. Nothing is written then.
    pub async fn create(
        &self,
        caller: &Caller,
        entity: EntityIx,
        body: Map<String, Json>,
        options: &WriteOptions,
    ) -> Result<Written, Error> {
        let operation = BulkOperation::Create(body);
        match self
            .carry_out_one(caller, entity, &operation, options)
            .await
        {
            Ok(done) => self.written(caller, entity, done.record, true).await,
            Err(Error::Conflict(ConflictKind::Unique { fields })) if fields == [system::ID] => {
                self.same_again(caller, entity, &operation).await
            }
            Err(error) => Err(error),
        }
    }

    /// Changes some fields of a record.
    ///
    /// # Errors
    /// As [`Records::create`]; [`Error::Precondition`] and merge conflicts by version.
    pub async fn update(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        patch: Map<String, Json>,
        options: &WriteOptions,
    ) -> Result<Written, Error> {
        let operation = BulkOperation::Update(reference.to_owned(), None, patch);
        let done = self
            .carry_out_one(caller, entity, &operation, options)
            .await?;
        self.written(caller, entity, done.record, false).await
    }

    /// Marks a record and what it takes with it deleted. When that is more than a thousand
    /// records, only the record is marked now and a job takes the others.
    ///
    /// # Errors
    /// [`ConflictKind::Referenced`] when a link refuses.
    pub async fn delete(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        options: &WriteOptions,
    ) -> Result<Deletion, Error> {
        let operation = BulkOperation::Delete(reference.to_owned());
        let done = self.at_any_length(caller, entity, &operation, options);
        let done = done.await?;
        Ok(Deletion {
            id: done.change,
            job: done.job,
        })
    }

    /// Undoes the deletion that took a record, whole; the other records by a job when there are
    /// more than a thousand, whose id is answered then.
    ///
    /// # Errors
    /// [`ConflictKind::Unique`] when a value was taken meanwhile, [`ConflictKind::DeletedOwner`]
    /// when what it hangs on is deleted.
    pub async fn restore(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        options: &WriteOptions,
    ) -> Result<(Written, Option<Uuid>), Error> {
        let operation = BulkOperation::Restore(reference.to_owned());
        let done = self.at_any_length(caller, entity, &operation, options);
        let done = done.await?;
        let written = self.written(caller, entity, done.record, false).await?;
        Ok((written, done.job))
    }

    /// In one change when that is possible, else begun in one and gone on with by a job.
    async fn at_any_length(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operation: &BulkOperation,
        options: &WriteOptions,
    ) -> Result<Done, Error> {
        let one = std::slice::from_ref(operation);
        let mut done = self.carry_out(caller, entity, one, options, false).await;
        if let Err(Error::Bulk { error, .. }) = &done
            && matches!(**error, Error::TooLarge { .. })
        {
            done = self.carry_out(caller, entity, one, options, true).await;
            self.inner.jobs.notify_one();
        }
        only(done)
    }

    async fn carry_out_one(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operation: &BulkOperation,
        options: &WriteOptions,
    ) -> Result<Done, Error> {
        let one = std::slice::from_ref(operation);
        only(self.carry_out(caller, entity, one, options, false).await)
    }

    /// Refuses what the caller may do to no record at all: 404 when he may not even see any.
    pub(crate) fn authorize(
        &self,
        caller: &Caller,
        entity: EntityIx,
        action: Action,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        if declared.kind == opsflux_model::schema::EntityKind::Log {
            return Err(Error::Forbidden {
                action: action_name(action).to_owned(),
                entity: declared.name.clone(),
            });
        }
        if caller.access.may(entity, action) {
            return Ok(());
        }
        if caller.access.may(entity, Action::View) {
            let (action, entity) = (action_name(action).to_owned(), declared.name.clone());
            return Err(Error::Forbidden { action, entity });
        }
        Err(Error::NotFound)
    }

    /// Makes one change of all operations and commits it; again when records it read have moved.
    async fn carry_out(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operations: &[BulkOperation],
        options: &WriteOptions,
        at_length: bool,
    ) -> Result<Vec<Done>, Error> {
        let operations = operations.iter().map(|operation| (entity, operation));
        let along = Along::default();
        self.carry_out_along(caller, operations, options, at_length, &along)
            .await
    }

    /// As [`Records::carry_out`] over several entities, with rows that are committed with them.
    async fn carry_out_along<'o>(
        &self,
        caller: &Caller,
        operations: impl Iterator<Item = (EntityIx, &'o BulkOperation)> + Clone,
        options: &WriteOptions,
        at_length: bool,
        along: &Along,
    ) -> Result<Vec<Done>, Error> {
        for _ in 0..ATTEMPTS {
            let mut change = Change::new(self, caller);
            change.at_length = at_length;
            change.nearby = options.alike.then(Default::default);
            let mut done = Vec::new();
            for (index, (entity, operation)) in operations.clone().enumerate() {
                change.operation = index;
                let step = self
                    .step(&mut change, caller, entity, operation, options)
                    .await;
                let named = |error| Error::Bulk {
                    index,
                    error: Box::new(error),
                };
                done.push(step.map_err(named)?);
                if change.commit.writes.len() > MAX_WRITES {
                    return Err(named(too_many()));
                }
            }
            along.join(&mut change);
            if change.is_empty() {
                return Ok(done);
            }
            if let Some(answer) = &options.answer {
                change.keep_answer(answer);
            }
            let (commit, _turn) = change.finish();
            match self.inner.store.commit(commit).await {
                Ok(_) => return Ok(done),
                Err(CommitError::Version { .. } | CommitError::Retry) => {}
                // A record joined what is being deleted: it must go too.
                Err(CommitError::Guard { name }) if name == delete::CASCADE => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Error::Conflict(ConflictKind::Busy))
    }

    async fn step(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: EntityIx,
        operation: &BulkOperation,
        options: &WriteOptions,
    ) -> Result<Done, Error> {
        let id = change.id;
        let done = |status, record| Done {
            status,
            record,
            change: id,
            job: None,
        };
        match operation {
            BulkOperation::Create(data) => {
                self.authorize(caller, entity, Action::Create)?;
                let record = self.save_new(change, caller, entity, data, options).await?;
                Ok(done(201, record))
            }
            BulkOperation::Update(reference, version, data) => {
                let precondition = version.map_or(options.precondition, Precondition::Base);
                let options = WriteOptions {
                    precondition,
                    ..options.clone()
                };
                let saved = self.save_patch(change, caller, entity, reference, data, &options);
                Ok(done(200, saved.await?))
            }
            BulkOperation::Delete(reference) => {
                let record = self
                    .mark_deleted(change, caller, entity, reference, options)
                    .await?;
                Ok(Done {
                    job: change.job,
                    ..done(204, record)
                })
            }
            BulkOperation::Restore(reference) => {
                let record = self
                    .unmark_deleted(change, caller, entity, reference)
                    .await?;
                Ok(Done {
                    job: change.job,
                    ..done(200, record)
                })
            }
        }
    }

    async fn written(
        &self,
        caller: &Caller,
        entity: EntityIx,
        id: Uuid,
        created: bool,
    ) -> Result<Written, Error> {
        match self
            .get(caller, entity, &id.to_string(), &GetRequest::default())
            .await
        {
            Ok(found) => Ok(Written {
                id,
                version: found.version,
                body: found.body,
                created,
            }),
            // It was moved out of the caller's sight by this very change.
            Err(Error::NotFound) => {
                let tenant = caller.tenant();
                let version = self
                    .snapshot(tenant, entity, id)
                    .await?
                    .map_or(0, |s| s.version);
                let body = format!("{{\"id\":\"{id}\",\"version\":{version}}}").into_bytes();
                Ok(Written {
                    id,
                    version,
                    body,
                    created,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// A create whose id exists: the same content is the same create sent twice.
    async fn same_again(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operation: &BulkOperation,
    ) -> Result<Written, Error> {
        let empty = Map::new();
        let body = match operation {
            BulkOperation::Create(body) => body,
            _ => &empty,
        };
        let taken = || Error::Conflict(ConflictKind::IdTaken);
        let id = body
            .get(system::ID)
            .and_then(Json::as_str)
            .ok_or_else(taken)?;
        let found = match self.get(caller, entity, id, &GetRequest::default()).await {
            Ok(found) => found,
            Err(Error::NotFound) => return Err(taken()),
            Err(error) => return Err(error),
        };
        let record: Map<String, Json> =
            serde_json::from_slice(&found.body).map_err(|e| Error::Internal(e.to_string()))?;
        let same = body.iter().all(|(name, wanted)| {
            let stored = record.get(name).unwrap_or(&Json::Null);
            stored == wanted || stored.as_str() == Some("••••")
        });
        if same {
            Ok(Written {
                id: found.id,
                version: found.version,
                body: found.body,
                created: false,
            })
        } else {
            Err(taken())
        }
    }
}

/// The one operation of a change of one, or its error as it is.
fn only(done: Result<Vec<Done>, Error>) -> Result<Done, Error> {
    let done = done.map_err(|error| match error {
        Error::Bulk { error, .. } => *error,
        other => other,
    })?;
    done.into_iter()
        .next()
        .ok_or_else(|| Error::Internal("nothing was done".to_owned()))
}

/// More than one change takes.
fn too_many() -> Error {
    Error::TooLarge {
        limit: format!("{} records in one change", delete::MAX_AT_ONCE),
    }
}

pub(crate) fn action_name(action: Action) -> &'static str {
    Action::NAMES
        .iter()
        .find(|(_, known)| *known == action)
        .map_or("view", |(name, _)| name)
}

/// What a commit that did nothing means to the person who asked.
pub(crate) fn refused(error: CommitError) -> Error {
    match error {
        CommitError::Unique { fields, .. } => Error::Conflict(ConflictKind::Unique { fields }),
        CommitError::Guard { name } => match name.strip_prefix(links::GUARD) {
            Some(field) => Error::Invalid(vec![FieldError::new(field, "not_found", "")]),
            None => Error::Conflict(ConflictKind::Guard { name }),
        },
        CommitError::Link { field, .. } => Error::Invalid(vec![FieldError::new(
            field.unwrap_or_default(),
            "not_found",
            "",
        )]),
        CommitError::NameTaken => Error::Conflict(ConflictKind::Unique {
            fields: vec!["email".to_owned()],
        }),
        CommitError::KeyTaken => Error::Conflict(ConflictKind::InProgress),
        CommitError::Version { .. } | CommitError::Retry => Error::Conflict(ConflictKind::Busy),
        CommitError::Store(error) => error.into(),
    }
}

/// The answer to keep, filled in once the record is known.
impl PendingAnswer {
    pub(crate) fn fill(&self, recipe: String) -> Answer {
        Answer {
            principal: self.principal,
            operation: self.operation.clone(),
            key: self.key.clone(),
            body_hash: self.body_hash.clone(),
            status: self.status,
            recipe,
            expires_at: self.expires_at,
        }
    }
}
