//! Which workflows are in force, by the entity they listen to: read once a tenant, again when one
//! of them changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
/// How old what is known of workflows may be where another process may have heard of them.
const FRESH: Duration = Duration::from_secs(2);
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
    /// How often the secret of its address was renewed.
    pub hook_turn: i64,
    pub flow: Arc<Flow>,
}

/// Those of a tenant, in the order they are set off.
#[derive(Debug, Default)]
pub(crate) struct OfTenant {
    by_entity: HashMap<String, Vec<Arc<Active>>>,
    /// Those that people's signing in and out sets off.
    account: Vec<Arc<Active>>,
    /// Those that failures set off.
    troubled: Vec<Arc<Active>>,
    by_id: HashMap<Uuid, Arc<Active>>,
    /// Those that change records of an entity before they are saved.
    before: HashMap<String, Vec<Arc<Active>>>,
}

impl OfTenant {
    /// Those that listen to an entity.
    pub fn of(&self, entity: &str) -> &[Arc<Active>] {
        self.by_entity.get(entity).map_or(&[], Vec::as_slice)
    }

    /// Those that people's signing in and out sets off.
    pub fn account(&self) -> &[Arc<Active>] {
        &self.account
    }

    /// Those that failures set off.
    pub fn troubled(&self) -> &[Arc<Active>] {
        &self.troubled
    }

    /// Those that change records of an entity before they are saved.
    pub fn before(&self, entity: &str) -> &[Arc<Active>] {
        self.before.get(entity).map_or(&[], Vec::as_slice)
    }

    /// One of them.
    pub fn one(&self, id: Uuid) -> Option<&Arc<Active>> {
        self.by_id.get(&id)
    }
}

/// What is known of all tenants.
#[derive(Default)]
pub(crate) struct Published {
    tenants: Mutex<HashMap<i64, (Instant, Arc<OfTenant>)>>,
}

impl Published {
    /// What is in force in a tenant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, records: &Records, tenant: i64) -> Result<Arc<OfTenant>, Error> {
        if let Some((_, known)) = self.tenants.lock().get(&tenant) {
            return Ok(known.clone());
        }
        self.read(records, tenant).await
    }

    /// What is in force in a tenant; where several processes work on one database, as it was a
    /// moment ago at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fresh(&self, records: &Records, tenant: i64) -> Result<Arc<OfTenant>, Error> {
        let alone = records.store().kind() == "sqlite";
        if let Some((read, known)) = self.tenants.lock().get(&tenant)
            && (alone || read.elapsed() < FRESH)
        {
            return Ok(known.clone());
        }
        self.read(records, tenant).await
    }

    async fn read(&self, records: &Records, tenant: i64) -> Result<Arc<OfTenant>, Error> {
        let now = Instant::now();
        let read = Arc::new(read(records, tenant).await?);
        self.tenants.lock().insert(tenant, (now, read.clone()));
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
            hook_turn: row.get(&schema, "hook_turn").as_int().unwrap_or(0),
            flow: Arc::new(flow),
        });
        let any = |wanted: fn(&Trigger) -> bool| active.flow.triggers.iter().any(wanted);
        if any(|trigger| matches!(trigger, Trigger::Account { .. })) {
            found.account.push(active.clone());
        }
        if any(Trigger::is_trouble) {
            found.troubled.push(active.clone());
        }
        let before = active
            .flow
            .triggers
            .iter()
            .find_map(|trigger| match trigger {
                Trigger::Before { entity, .. } => Some(entity.clone()),
                _ => None,
            });
        if let Some(entity) = before {
            found.before.entry(entity).or_default().push(active.clone());
        }
        found.by_id.insert(active.id, active.clone());
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
        _ => None,
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
