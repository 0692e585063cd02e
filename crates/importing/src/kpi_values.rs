//! Values of indicators, as kpix names them: `POST /imports/kpi-values`.
//!
//! The same service under another name: the entity is settled, `kpi` may be the name of an indicator
//! of one dashboard, and a period that has a value already is refused by its rules.

use http::Method;
use opsflux_records::{Call, Error, Operation, Reply};
use serde_json::{Value as Json, json};

use crate::Importing;
use crate::mapping::Mapping;
use crate::receive::Received;

/// The entity of values.
const VALUE: &str = "kpi_value";
/// Its link to the indicator.
const KPI: &str = "kpi_id";

impl Importing {
    /// The operation, where there are indicators.
    pub(crate) fn kpi_values(&self) -> Option<Operation> {
        self.records.schema().find(VALUE)?;
        let path = "/imports/kpi-values";
        Some(self.operation(
            "import_kpi_values",
            Method::POST,
            path,
            |importing, call| Box::pin(async move { importing.import_values(call).await }),
        ))
    }

    async fn import_values(&self, mut call: Call) -> Result<Reply, Error> {
        let mut received = self.receive(&mut call).await?;
        let begun = self.begin_values(&call, &mut received).await;
        self.answered(&call, &received, begun).await
    }

    async fn begin_values(&self, call: &Call, received: &mut Received) -> Result<(), Error> {
        let caller = call.caller()?;
        let schema = self.records.schema();
        let entity = schema.find(VALUE).ok_or(Error::NotFound)?;
        let dashboard = match received.fields.remove("dashboard_id") {
            None | Some(Json::Null) => None,
            Some(Json::String(id)) if id.is_empty() => None,
            Some(Json::String(id)) => {
                let dashboards = schema.find("dashboard").ok_or(Error::NotFound)?;
                let found = self.records.resolve(caller, dashboards, &id).await;
                let unknown = |error| match error {
                    Error::NotFound => Error::field("dashboard_id", "not_found", ""),
                    other => other,
                };
                Some(found.map_err(unknown)?)
            }
            Some(_) => return Err(Error::field("dashboard_id", "wrong_type", "an id")),
        };
        // kpix says `kpi` for what the record calls `kpi_id`.
        if let Some(Json::Object(mapping)) = received.fields.get_mut("mapping")
            && let Some(header) = mapping.remove("kpi")
        {
            if mapping.contains_key(KPI) {
                return Err(Error::field("mapping.kpi", "readonly", KPI));
            }
            mapping.insert(KPI.to_owned(), header);
        }
        let mut spec = self.spec(caller, call, received, entity)?;
        spec.aliases = Mapping::from([("kpi".to_owned(), KPI.to_owned())]);
        if let Some(id) = dashboard {
            let condition = json!({"field": "dashboard_id", "op": "eq", "value": id.to_string()});
            spec.within.insert(KPI.to_owned(), condition);
        }
        self.begin_as(caller, received, entity, spec).await
    }
}
