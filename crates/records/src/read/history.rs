//! Who changed what on one record: a view of the audit, with the reader's rights on fields.

use opsflux_model::schema::{Entity, EntityIx, FieldType, system};
use opsflux_model::{Action, FieldRight, Operand, Predicate, Value};
use opsflux_store::{Living, Output, Select, Sort};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::columns::FoundLink;
use super::json::to_json;
use super::query::MAX_LIMIT;
use crate::caller::Caller;
use crate::cursor::Binding;
use crate::error::Error;
use crate::records::Records;

/// Name of the entity that holds the audit.
pub const AUDIT_ENTITY: &str = "audit_entry";

/// Fields of the audit that history reads, in the order of its outputs.
const FIELDS: [&str; 9] = [
    system::ID,
    system::CREATED_AT,
    "actor",
    "action",
    "source",
    "result",
    "reason",
    "before",
    "after",
];

impl Records {
    /// The changes of a record, newest first:
    /// `{"items": [{id, at, actor, action, source, result, reason, changes}], "labels", "next_cursor"}`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller may not see the record, living or deleted.
    pub async fn history(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<u8>, Error> {
        let record = self.resolve(caller, entity, reference).await?;
        let schema = self.schema();
        let declared = schema.entity(entity);
        let audit = self.entity_called(AUDIT_ENTITY)?;
        let fields = schema.entity(audit);
        let field = |name: &str| {
            fields
                .find(name)
                .ok_or_else(|| Error::Internal(format!("audit has no “{name}”")))
        };
        let limit = limit.clamp(1, MAX_LIMIT);
        let binding = || Binding::new("history").with(caller.user()).with(record);
        let after = match cursor {
            Some(cursor) => Some(self.opened_history(cursor, binding())?),
            None => None,
        };
        let is = |name: &str, value: String| {
            let operand = Operand::OneOf(vec![Value::Text(value)]);
            Ok::<_, Error>(Predicate::test(audit, field(name)?, operand))
        };
        let mut outputs = Vec::new();
        for name in FIELDS {
            outputs.push(Output::Field(field(name)?));
        }
        let select = Select {
            tenant: caller.tenant(),
            entity: audit,
            filter: is("entity", declared.name.clone())?.and(is("record", record.to_string())?),
            outputs,
            sort: vec![
                Sort::by(audit, field(system::CREATED_AT)?, true),
                Sort::by(audit, field(system::ID)?, true),
            ],
            after,
            limit: limit + 1,
            living: Living::Any,
        };
        let mut entries: Vec<Vec<Value>> = Vec::new();
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let values: Result<Vec<Value>, _> =
                    (0..FIELDS.len()).map(|n| row.value(n)).collect();
                entries.push(values?);
                Ok(())
            })
            .await?;
        let next = (entries.len() > limit as usize).then(|| {
            entries.truncate(limit as usize);
            entries
                .last()
                .map(|last| vec![last[1].clone(), last[0].clone()])
        });
        let next = match next.flatten() {
            Some(keys) => {
                let payload =
                    serde_json::to_vec(&keys).map_err(|e| Error::Internal(e.to_string()))?;
                Some(self.inner.cursors.seal(&payload, binding())?)
            }
            None => None,
        };
        self.write_history(caller, entity, declared, entries, next)
            .await
    }

    fn opened_history(&self, cursor: &str, binding: Binding) -> Result<Vec<Value>, Error> {
        let payload = self.inner.cursors.open(cursor, binding);
        payload
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| {
                Error::query("cursor", "invalid_cursor", "a cursor belongs to one record")
            })
    }

    async fn write_history(
        &self,
        caller: &Caller,
        entity: EntityIx,
        declared: &Entity,
        entries: Vec<Vec<Value>>,
        next: Option<String>,
    ) -> Result<Vec<u8>, Error> {
        let mut links = Vec::new();
        let user = self.schema().find("user");
        let mut note = |to: Option<EntityIx>, id: Option<Uuid>| {
            if let (Some(to), Some(id)) = (to, id) {
                links.push(FoundLink {
                    to,
                    id,
                    at: None,
                    column: usize::MAX,
                });
            }
        };
        let mut items = Vec::with_capacity(entries.len());
        for values in &entries {
            note(user, values[2].as_id());
            let changes = changes(caller, entity, declared, &values[7], &values[8], &mut note);
            items.push(json!({
                "id": to_json(&values[0]),
                "at": to_json(&values[1]),
                "actor": values[2].as_id().map(|id| json!({"id": id.to_string()})),
                "action": to_json(&values[3]),
                "source": to_json(&values[4]),
                "result": to_json(&values[5]),
                "reason": to_json(&values[6]),
                "changes": changes,
            }));
        }
        let labels = self.labels(caller, &links).await?;
        for item in &mut items {
            let Some(actor) = item.get_mut("actor").and_then(Json::as_object_mut) else {
                continue;
            };
            let id = actor
                .get("id")
                .and_then(Json::as_str)
                .and_then(|id| Uuid::try_parse(id).ok());
            let name = id
                .and_then(|id| labels.title(id))
                .map(|t| Json::String(t.to_owned()));
            actor.insert("name".to_owned(), name.unwrap_or(Json::Null));
        }
        let mut body = Vec::new();
        body.extend_from_slice(b"{\"items\":");
        body.extend_from_slice(Json::Array(items).to_string().as_bytes());
        labels.write(&mut body);
        super::json::push_key(&mut body, "next_cursor");
        body.extend_from_slice(next.map_or(Json::Null, Json::String).to_string().as_bytes());
        body.push(b'}');
        Ok(body)
    }
}

/// The fields an entry changed, those the reader may see.
fn changes(
    caller: &Caller,
    entity: EntityIx,
    declared: &Entity,
    before: &Value,
    after: &Value,
    note: &mut impl FnMut(Option<EntityIx>, Option<Uuid>),
) -> Vec<Json> {
    let empty = Map::new();
    let object = |value: &'_ Value| match value {
        Value::Json(Json::Object(object)) => object.clone(),
        _ => empty.clone(),
    };
    let (before, after) = (object(before), object(after));
    let mut changes = Vec::new();
    for (ix, field) in declared.iter() {
        let (was, is) = (before.get(&field.name), after.get(&field.name));
        let shown = caller.access.may(entity, Action::View)
            && caller.access.field(entity, ix) >= FieldRight::Read;
        if !shown || (was.is_none() && is.is_none()) {
            continue;
        }
        if let FieldType::Link(link) = &field.kind {
            for side in [was, is] {
                let id = side
                    .and_then(Json::as_str)
                    .and_then(|id| Uuid::try_parse(id).ok());
                note(Some(link.to), id);
            }
        }
        changes.push(json!({
            "field": field.name,
            "before": was.unwrap_or(&Json::Null),
            "after": is.unwrap_or(&Json::Null),
        }));
    }
    changes
}
