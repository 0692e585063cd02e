//! Entries of the audit: of changes (with them, in one commit) and of acts that change nothing.

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, system};
use opsflux_store::{Commit, Set, Write};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::caller::{Caller, Origin};
use crate::error::Error;
use crate::records::Records;

/// One entry before it is a row.
pub(super) struct Entry<'a> {
    user: Option<Uuid>,
    origin: &'a Origin,
    at: Timestamp,
    action: &'a str,
    result: &'a str,
    pub entity: Option<&'a str>,
    pub record: Option<Uuid>,
    pub record_version: Option<i64>,
    pub rule: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub before: Option<Map<String, Json>>,
    pub after: Option<Map<String, Json>>,
}

impl<'a> Entry<'a> {
    pub fn new(caller: &'a Caller, at: Timestamp, action: &'a str, result: &'a str) -> Self {
        // Who sees with another's eyes acts himself, on his behalf.
        let user = caller.viewer.unwrap_or(caller.user());
        let user = Some(user).filter(|id| !id.is_nil());
        Entry::of(user, &caller.origin, at, action, result)
    }

    fn of(
        user: Option<Uuid>,
        origin: &'a Origin,
        at: Timestamp,
        action: &'a str,
        result: &'a str,
    ) -> Self {
        Entry {
            user,
            origin,
            at,
            action,
            result,
            entity: None,
            record: None,
            record_version: None,
            rule: None,
            reason: origin.reason.as_deref(),
            before: None,
            after: None,
        }
    }

    /// The row, by the fields that the audit entity declares.
    pub fn values(self, declared: &Entity, id: Uuid) -> Vec<(FieldIx, Value)> {
        let json = |map: Option<Map<String, Json>>| {
            map.map_or(Value::Null, |map| Value::Json(Json::Object(map)))
        };
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        let origin = self.origin;
        let rule = self.rule.map(|rule| format!("rule {rule}"));
        let named = [
            (system::ID, Value::Id(id)),
            (system::CREATED_AT, Value::Time(self.at)),
            ("actor_kind", Value::from(origin.actor.code())),
            ("actor", Value::from(self.user)),
            ("on_behalf_of", Value::from(origin.on_behalf_of)),
            ("source", text(Some(&origin.source))),
            ("device", text(origin.device.as_deref())),
            ("address", text(origin.address.as_deref())),
            ("user_agent", text(origin.user_agent.as_deref())),
            ("request_id", text(origin.request_id.as_deref())),
            (
                "chain",
                Value::from(origin.chain.map(|chain| chain.to_string())),
            ),
            ("action", Value::from(self.action)),
            ("entity", text(self.entity)),
            ("record", Value::from(self.record.map(|id| id.to_string()))),
            ("record_version", Value::from(self.record_version)),
            ("result", Value::from(self.result)),
            ("reason", text(rule.as_deref().or(self.reason))),
            ("before", json(self.before)),
            ("after", json(self.after)),
        ];
        let found = named.into_iter().filter(|(_, value)| *value != Value::Null);
        found
            .filter_map(|(name, value)| declared.find(name).map(|ix| (ix, value)))
            .collect()
    }
}

impl Records {
    /// Writes an audit entry about an act that is no change: a log-in, an export, a refusal.
    ///
    /// # Errors
    /// When the database does not answer.
    #[allow(clippy::too_many_arguments)] // they are the columns of one row
    pub async fn audit(
        &self,
        tenant: i64,
        origin: &Origin,
        user: Option<Uuid>,
        action: &str,
        entity: Option<&str>,
        record: Option<Uuid>,
        result: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let audit = self.entity_called(crate::read::history::AUDIT_ENTITY)?;
        let schema = self.schema();
        let mut entry = Entry::of(user, origin, self.now(), action, result);
        entry.entity = entity;
        entry.record = record;
        entry.reason = reason.or(entry.reason);
        let values = entry.values(schema.entity(audit), self.new_id());
        self.commit_log(
            tenant,
            Write::Insert {
                entity: audit,
                values,
            },
        )
        .await
    }

    /// The row of an audit entry about an act that is no change of a record, to be committed with
    /// what the act writes: neither is there without the other.
    ///
    /// # Errors
    /// When the audit is not declared.
    pub fn audited(
        &self,
        caller: &Caller,
        action: &str,
        entity: &str,
        record: Uuid,
        reason: Option<&str>,
    ) -> Result<Write, Error> {
        let audit = self.entity_called(crate::read::history::AUDIT_ENTITY)?;
        let mut entry = Entry::new(caller, self.now(), action, "ok");
        entry.entity = Some(entity);
        entry.record = Some(record);
        entry.reason = reason.filter(|reason| !reason.is_empty()).or(entry.reason);
        Ok(Write::Insert {
            entity: audit,
            values: entry.values(self.schema().entity(audit), self.new_id()),
        })
    }

    /// The row of an entry about an act of the house itself, to be written with that act.
    pub(crate) fn audit_of_house(
        &self,
        audit: EntityIx,
        origin: &Origin,
        action: &str,
        entity: &str,
        after: Json,
    ) -> Write {
        let mut entry = Entry::of(None, origin, self.now(), action, "ok");
        entry.entity = Some(entity);
        entry.after = after.as_object().cloned();
        Write::Insert {
            entity: audit,
            values: entry.values(self.schema().entity(audit), self.new_id()),
        }
    }

    /// Writes an audit entry about an act that is no change, with what there is to know of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_with(
        &self,
        caller: &Caller,
        action: &str,
        entity: Option<&str>,
        record: Option<Uuid>,
        reason: &str,
        after: Map<String, Json>,
    ) -> Result<(), Error> {
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        self.audit_result(caller, action, entity, record, "ok", reason, after)
            .await
    }

    /// As [`Records::audit_with`], of an act that may have failed.
    ///
    /// # Errors
    /// When the database does not answer.
    #[allow(clippy::too_many_arguments)] // they are the columns of one row
    pub async fn audit_result(
        &self,
        caller: &Caller,
        action: &str,
        entity: Option<&str>,
        record: Option<Uuid>,
        result: &str,
        reason: Option<&str>,
        after: Map<String, Json>,
    ) -> Result<(), Error> {
        let audit = self.entity_called(crate::read::history::AUDIT_ENTITY)?;
        let schema = self.schema();
        let mut entry = Entry::new(caller, self.now(), action, result);
        entry.entity = entity;
        entry.record = record;
        entry.reason = reason.or(entry.reason);
        entry.after = Some(after);
        let write = Write::Insert {
            entity: audit,
            values: entry.values(schema.entity(audit), self.new_id()),
        };
        self.commit_log(caller.tenant(), write).await
    }

    /// Writes a row of a log entity, for its engine; answers its id.
    ///
    /// # Errors
    /// When the database does not answer, or a name is not declared.
    pub async fn write_log(
        &self,
        tenant: i64,
        entity: &str,
        values: &[(&str, Value)],
    ) -> Result<Uuid, Error> {
        let id = self.new_id();
        let ix = self.entity_called(entity)?;
        let mut row = self.log_fields(ix, values)?;
        row.extend(self.log_fields(ix, &[(system::ID, Value::Id(id))])?);
        if !values.iter().any(|(name, _)| *name == system::CREATED_AT) {
            row.extend(self.log_fields(ix, &[(system::CREATED_AT, Value::Time(self.now()))])?);
        }
        self.commit_log(
            tenant,
            Write::Insert {
                entity: ix,
                values: row,
            },
        )
        .await?;
        Ok(id)
    }

    /// Changes a row of a log entity, for its engine.
    ///
    /// # Errors
    /// When the database does not answer, or a name is not declared.
    pub async fn update_log(
        &self,
        tenant: i64,
        entity: &str,
        id: Uuid,
        values: &[(&str, Value)],
    ) -> Result<(), Error> {
        let ix = self.entity_called(entity)?;
        let fields = self.log_fields(ix, values)?;
        let set = fields
            .into_iter()
            .map(|(field, value)| (field, Set::To(value)))
            .collect();
        let write = Write::Update {
            entity: ix,
            id,
            expected_version: None,
            set,
        };
        self.commit_log(tenant, write).await
    }

    fn log_fields(
        &self,
        entity: EntityIx,
        values: &[(&str, Value)],
    ) -> Result<Vec<(FieldIx, Value)>, Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        let field = |name: &str| {
            declared
                .find(name)
                .ok_or_else(|| Error::Internal(format!("{} has no “{name}”", declared.name)))
        };
        values
            .iter()
            .map(|(name, value)| Ok((field(name)?, value.clone())))
            .collect()
    }

    pub(crate) async fn commit_log(&self, tenant: i64, write: Write) -> Result<(), Error> {
        let commit = Commit {
            tenant,
            writes: vec![write],
            ..Commit::default()
        };
        self.inner
            .store
            .commit(commit)
            .await
            .map(|_| ())
            .map_err(super::refused)
    }
}
