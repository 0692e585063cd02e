//! Where an execution is, for people: "step 2 of 5", and who is waited for.

use opsflux_model::Value;
use opsflux_records::Error;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::course::{Course, Leaf};
use crate::engine::Engine;
use crate::execution;
use crate::flow;
use crate::log::Log;

impl Engine {
    /// `{"step", "of", "open": [{"place", "waits_for"}]}`; null when it cannot be read any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn progress(&self, tenant: i64, id: Uuid) -> Result<Json, Error> {
        let records = &self.inner.records;
        let schema = records.schema();
        let log = Log::of(&schema, execution::ENTITY)?;
        let versions = Log::of(&schema, "workflow_version")?;
        let Some(row) = records.snapshot(tenant, log.ix, id).await? else {
            return Ok(Json::Null);
        };
        let version = row.get(&schema, "revision").as_id().unwrap_or_default();
        let version = records.snapshot(tenant, versions.ix, version).await?;
        let content = version.map(|version| version.get(&schema, "content").clone());
        let flow = match content {
            Some(Value::Json(Json::Object(content))) => flow::read(&content).ok(),
            _ => None,
        };
        let course = match row.get(&schema, "course") {
            Value::Json(json) => serde_json::from_value::<Course>(json.clone()).ok(),
            _ => None,
        };
        let (Some(flow), Some(course)) = (flow, course) else {
            return Ok(Json::Null);
        };
        let (step, of) = course.stage(&flow);
        let open = course.open(&flow);
        let open = open.iter().map(|open| {
            let waits_for = match open.leaf {
                Leaf::Due { .. } => Json::Null,
                Leaf::Waiting(until) => json!({ "until": until }),
                Leaf::Asked(approval, _) => json!({ "approval": approval }),
                Leaf::Listening { until, .. } => json!({ "until": until }),
                Leaf::Called(execution, _) => json!({ "execution": execution }),
                Leaf::Sent(deliveries, _) => json!({ "deliveries": deliveries }),
            };
            json!({"place": open.place, "name": open.step.name, "waits_for": waits_for})
        });
        Ok(json!({"step": step, "of": of, "open": open.collect::<Vec<Json>>()}))
    }
}
