//! A record as a change left it: taken back from what it is now, change by change, by the audit.

use opsflux_model::predicate::Order;
use opsflux_model::schema::{EntityIx, FieldIx, system};
use opsflux_model::{Operand, Predicate, Value, wire};
use opsflux_store::Living;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::Error;
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;
use crate::rule::Snapshot;

/// Most changes that are taken back; what changed more often meanwhile is seen as it is.
const MAX_CHANGES: u32 = 500;

/// A record before and after one change.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// As it was; none when the change made it.
    pub before: Option<Snapshot>,
    /// As the change left it.
    pub after: Snapshot,
}

impl Records {
    /// A record as it was when it had `version`, and before that, with the rights of the house;
    /// deleted ones too. None when there is no such record any more. What is write-only is null.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn image(
        &self,
        tenant: i64,
        entity: EntityIx,
        id: Uuid,
        version: i64,
    ) -> Result<Option<Image>, Error> {
        let key = self.schema().entity(entity).find(system::ID);
        let key = key.ok_or_else(|| Error::Internal("an entity has an id".to_owned()))?;
        let is = Predicate::test(entity, key, Operand::OneOf(vec![Value::Id(id)]));
        let found = self.read_whole(tenant, entity, is, 1, Living::Any).await?;
        let Some(mut after) = found.into_iter().next() else {
            return Ok(None);
        };
        if version <= 1 && after.version == version {
            return Ok(Some(Image {
                before: None,
                after,
            }));
        }
        let changes = self.changes_since(tenant, entity, id, version).await?;
        let mut before = None;
        for change in changes.iter().rev() {
            if change.version > version {
                self.take_back(entity, &mut after, &change.before);
                after.version = change.version - 1;
            } else if change.version == version && change.is_update {
                let mut earlier = after.clone();
                self.take_back(entity, &mut earlier, &change.before);
                earlier.version = version - 1;
                before = Some(earlier);
            }
        }
        Ok(Some(Image { before, after }))
    }

    /// The changes that made `version` and those after it, in order.
    async fn changes_since(
        &self,
        tenant: i64,
        entity: EntityIx,
        id: Uuid,
        version: i64,
    ) -> Result<Vec<Made>, Error> {
        let schema = self.schema();
        let audit = self.entity_called(AUDIT_ENTITY)?;
        let declared = schema.entity(audit);
        let field = |name: &str| {
            let found = declared.find(name);
            found.ok_or_else(|| Error::Internal(format!("audit has no “{name}”")))
        };
        let text = |value: &str| Operand::OneOf(vec![Value::from(value)]);
        let name = schema.entity(entity).name.as_str();
        let since = Operand::Compare(Order::GreaterOrEqual, Value::Int(version));
        let wanted = Predicate::test(audit, field("entity")?, text(name))
            .and(Predicate::test(
                audit,
                field("record")?,
                text(&id.to_string()),
            ))
            .and(Predicate::test(audit, field("record_version")?, since));
        let entries = self.find(tenant, audit, wanted, MAX_CHANGES).await?;
        let mut made: Vec<Made> = entries
            .iter()
            .filter_map(|entry| {
                let version = entry.get(&schema, "record_version").as_int()?;
                let before = match entry.get(&schema, "before") {
                    Value::Json(Json::Object(before)) => before.clone(),
                    _ => serde_json::Map::new(),
                };
                let is_update = entry.get(&schema, "action").as_text() != Some("create");
                Some(Made {
                    version,
                    is_update,
                    before,
                })
            })
            .collect();
        made.sort_by_key(|made| made.version);
        Ok(made)
    }

    fn take_back(
        &self,
        entity: EntityIx,
        record: &mut Snapshot,
        before: &serde_json::Map<String, Json>,
    ) {
        let schema = self.schema();
        let declared = schema.entity(entity);
        for (name, json) in before {
            let Some(ix) = declared.find(name) else {
                continue;
            };
            let kind = &declared.field(ix).kind;
            if kind.is_write_only() || name == system::ID {
                continue;
            }
            let value = match json {
                Json::Null => Some(Value::Null),
                json => wire::parse(kind, json).ok(),
            };
            if let (Some(slot), Some(value)) = (slot(record, ix), value) {
                *slot = value;
            }
        }
    }
}

fn slot(record: &mut Snapshot, ix: FieldIx) -> Option<&mut Value> {
    record.values.get_mut(usize::from(ix.0))
}

/// One change of a record.
struct Made {
    version: i64,
    is_update: bool,
    before: serde_json::Map<String, Json>,
}
