//! Merging a patch with what others changed since its base (decisions §8).

use std::collections::BTreeMap;

use opsflux_model::predicate::Order;
use opsflux_model::schema::{EntityIx, FieldIx};
use opsflux_model::{FieldRight, Operand, Predicate, Value};
use serde_json::{Map, Value as Json};

use super::Precondition;
use crate::caller::Caller;
use crate::error::{ConflictKind, Error, MergeConflict};
use crate::read::GetRequest;
use crate::read::history::AUDIT_ENTITY;
use crate::read::json::to_json;
use crate::records::Records;
use crate::rule::Snapshot;

/// More changes than this since the base are not merged: the person reads again.
const MAX_CHANGES: u32 = 1000;

impl Records {
    /// Checks what the caller knows of the version against the record as it is. Answers the
    /// fields of `patch` that need no writing because both sides want the same.
    pub(super) async fn check_version(
        &self,
        caller: &Caller,
        current: &Snapshot,
        patch: &Map<String, Json>,
        precondition: Precondition,
    ) -> Result<(), Error> {
        match precondition {
            Precondition::None => Ok(()),
            Precondition::IfMatch(version) if version == current.version => Ok(()),
            Precondition::IfMatch(_) => {
                let id = current.id.to_string();
                let found = self
                    .get(caller, current.entity, &id, &GetRequest::default())
                    .await?;
                Err(Error::Precondition {
                    version: found.version,
                    current: found.body,
                })
            }
            Precondition::Base(base) if base == current.version => Ok(()),
            Precondition::Base(base) if base > current.version || base < 0 => Err(Error::field(
                "base_version",
                "too_large",
                current.version.to_string(),
            )),
            Precondition::Base(base) => self.merge(caller, current, patch, base).await,
        }
    }

    async fn merge(
        &self,
        caller: &Caller,
        current: &Snapshot,
        patch: &Map<String, Json>,
        base: i64,
    ) -> Result<(), Error> {
        let bases = self.changed_since(caller.tenant(), current, base).await?;
        let schema = self.schema();
        let declared = schema.entity(current.entity);
        let mut conflicts = Vec::new();
        for (name, yours) in patch {
            let Some(ix) = declared.find(name) else {
                continue;
            };
            // What he may not see he is not told by a conflict either; his naming it is refused.
            if caller.access.field(current.entity, ix) < FieldRight::Read {
                continue;
            }
            let theirs = to_json(current.value(ix));
            let Some(began) = bases.get(name) else {
                continue;
            };
            // Sets that gain and lose members do not collide.
            let relative = declared.field(ix).kind.is_set() && yours.is_object();
            if theirs != *yours && !relative {
                conflicts.push(MergeConflict {
                    field: name.clone(),
                    base: began.clone(),
                    yours: yours.clone(),
                    theirs,
                });
            }
        }
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(Error::Conflict(ConflictKind::Merge(conflicts)))
        }
    }

    /// Fields changed after version `base`, with the values they had then.
    async fn changed_since(
        &self,
        tenant: i64,
        current: &Snapshot,
        base: i64,
    ) -> Result<BTreeMap<String, Json>, Error> {
        let schema = self.schema();
        let audit = self.entity_called(AUDIT_ENTITY)?;
        let fields = schema.entity(audit);
        let field = |name: &str| {
            fields
                .find(name)
                .ok_or_else(|| Error::Internal(format!("audit has no “{name}”")))
        };
        let is = |ix: FieldIx, operand| Predicate::test(audit, ix, operand);
        let text = |text: String| Operand::OneOf(vec![Value::Text(text)]);
        let version = field("record_version")?;
        let filter = is(
            field("entity")?,
            text(schema.entity(current.entity).name.clone()),
        )
        .and(is(field("record")?, text(current.id.to_string())))
        .and(is(
            version,
            Operand::Compare(Order::Greater, Value::Int(base)),
        ));
        let mut entries = self.find(tenant, audit, filter, MAX_CHANGES).await?;
        entries.sort_by_key(|entry| entry.value(version).as_int());
        let before = field("before")?;
        let mut bases = BTreeMap::new();
        for entry in &entries {
            if let Value::Json(Json::Object(was)) = entry.value(before) {
                for (name, value) in was {
                    bases.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        Ok(bases)
    }

    /// The record a patch, deletion or restoration is about, with whether the caller may do it.
    pub(super) async fn load(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        action: opsflux_model::Action,
    ) -> Result<Snapshot, Error> {
        match self.whole(caller, entity, reference, action).await? {
            None => Err(Error::NotFound),
            Some((snapshot, true)) => Ok(snapshot),
            Some(_) => Err(Error::Forbidden {
                action: super::action_name(action).to_owned(),
                entity: self.schema().entity(entity).name.clone(),
            }),
        }
    }
}
