//! Which workflows are in force, by the entity they listen to: read once a tenant, again when one
//! of them changes.

use std::collections::HashMap;
use std::sync::Arc;

use opsflux_model::Value;
use opsflux_model::schema::Schema;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Error, Records};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::flow::{self, Flow, Trigger};
use crate::log::Log;

/// Workflows of one tenant that are looked at: more than any company writes.
const MAX: u32 = 5_000;
/// The members of a record that say what a workflow does.
pub(crate) const CONTENT: [&str; 5] = ["trigger", "conditions", "actions", "format", "definition"];

/// A workflow in force.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub id: Uuid,
    pub name: String,
    pub owner: Uuid,
    /// The row of the version in force.
    pub version: Uuid,
    pub flow: Arc<Flow>,
}

/// Those of a tenant, in the order they are set off.
#[derive(Debug, Default)]
pub(crate) struct OfTenant {
    by_entity: HashMap<String, Vec<Arc<Active>>>,
}

impl OfTenant {
    /// Those that listen to an entity.
    pub fn of(&self, entity: &str) -> &[Arc<Active>] {
        self.by_entity.get(entity).map_or(&[], Vec::as_slice)
    }
}

/// What is known of all tenants.
#[derive(Default)]
pub(crate) struct Published {
    tenants: Mutex<HashMap<i64, Arc<OfTenant>>>,
}

impl Published {
    /// What is in force in a tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, records: &Records, tenant: i64) -> Result<Arc<OfTenant>, Error> {
        if let Some(known) = self.tenants.lock().get(&tenant) {
            return Ok(known.clone());
        }
        let read = Arc::new(read(records, tenant).await?);
        self.tenants.lock().insert(tenant, read.clone());
        Ok(read)
    }

    /// Something may have changed anywhere.
    pub fn forget_all(&self) {
        self.tenants.lock().clear();
    }

    /// Something of a tenant has changed.
    pub fn forget(&self, tenant: i64) {
        self.tenants.lock().remove(&tenant);
    }
}

async fn read(records: &Records, tenant: i64) -> Result<OfTenant, Error> {
    let schema = records.schema();
    let workflow = Log::of(&schema, "workflow")?;
    let mut rows = records
        .find(tenant, workflow.ix, workflow.is("status", "ACTIVE")?, MAX)
        .await?;
    rows.sort_by_key(|row| {
        let priority = row.get(&schema, "priority").as_int().unwrap_or(0);
        (priority, row.id)
    });
    let mut found = OfTenant::default();
    for row in rows {
        // What is in force was read when it was saved; another release may have read it otherwise.
        let (Some(owner), Ok(flow)) = (
            row.get(&schema, "owner").as_id(),
            flow::read(&content(&schema, &row)),
        ) else {
            tracing::warn!(workflow = %row.id, tenant, "a workflow in force cannot be read");
            continue;
        };
        let revision = row.get(&schema, "revision").as_int().unwrap_or(0);
        let active = Arc::new(Active {
            id: row.id,
            name: text(&schema, &row, "name"),
            owner,
            version: version_id(row.id, revision),
            flow: Arc::new(flow),
        });
        let mut entities: Vec<&str> = active.flow.triggers.iter().filter_map(listens).collect();
        entities.sort_unstable();
        entities.dedup();
        for entity in entities {
            let of = found.by_entity.entry(entity.to_owned()).or_default();
            of.push(active.clone());
        }
    }
    Ok(found)
}

fn listens(trigger: &Trigger) -> Option<&str> {
    match trigger {
        Trigger::Record(on) => Some(&on.entity),
        Trigger::Clock(_) | Trigger::Moment(_) | Trigger::Manual { .. } => None,
    }
}

/// The id of the row of a version: made of the workflow and the number, so that it is known
/// without looking.
pub(crate) fn version_id(workflow: Uuid, revision: i64) -> Uuid {
    derived(workflow, &revision.to_be_bytes())
}

/// An id that follows from another one and some bytes; it begins as the other one does, so that
/// rows of one time lie together.
pub(crate) fn derived(from: Uuid, with: &[u8]) -> Uuid {
    use aws_lc_rs::digest::{Context, SHA256};
    let mut context = Context::new(&SHA256);
    context.update(from.as_bytes());
    context.update(with);
    let hash = context.finish();
    let mut bytes = *from.as_bytes();
    for (to, from) in bytes.iter_mut().skip(6).zip(hash.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What a workflow, or a version of it, does: its members as written.
pub(crate) fn content(schema: &Schema, row: &Snapshot) -> Map<String, Json> {
    let member = |name: &&str| {
        let json = match row.get(schema, name) {
            Value::Json(json) => json.clone(),
            Value::Text(text) => Json::from(text.as_str()),
            _ => return None,
        };
        Some(((*name).to_owned(), json))
    };
    CONTENT.iter().filter_map(member).collect()
}

/// A text of a row; empty when it has none.
pub(crate) fn text(schema: &Schema, row: &Snapshot, name: &str) -> String {
    row.get(schema, name)
        .as_text()
        .unwrap_or_default()
        .to_owned()
}
