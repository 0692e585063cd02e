//! How the operations of this module are made: one closure over the pipeline each.

use std::future::Future;
use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::predicate::{Binder, Predicate};
use opsflux_model::schema::EntityIx;
use opsflux_model::{Action, Condition, FieldRight, Op};
use opsflux_records::operation::Handler;
use opsflux_records::read::query;
use opsflux_records::rule::Snapshot;
use opsflux_records::{Call, Caller, Error, Needs, Operation, Records, Reply};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

/// An operation of the module, to be completed by its maker.
pub fn operation(
    name: String,
    (method, path): (Method, String),
    summary: &str,
    (entity, action): (EntityIx, Action),
    output: Json,
    handler: Handler,
) -> Operation {
    Operation {
        name,
        method,
        path,
        summary: summary.to_owned(),
        tag: "crm".to_owned(),
        needs: Needs::Permission(entity, action),
        query: Vec::new(),
        input: None,
        output: (
            StatusCode::OK,
            Some(("application/json".to_owned(), output)),
        ),
        problems: Vec::new(),
        handler,
    }
}

/// Runs `work` over the pipeline.
pub fn handler<F>(
    records: &Records,
    work: impl Fn(Records, Call) -> F + Send + Sync + 'static,
) -> Handler
where
    F: Future<Output = Result<Json, Error>> + Send + 'static,
{
    let records = records.clone();
    Arc::new(move |call| {
        let work = work(records.clone(), call);
        Box::pin(async move {
            let json = work.await?;
            Ok(Reply::json(json.to_string().into_bytes()))
        })
    })
}

/// A figure as it goes out: exact, as a number.
pub fn figure(value: Decimal) -> Json {
    let text = value.normalize().to_string();
    text.parse::<serde_json::Number>()
        .map_or(Json::Null, Json::Number)
}

/// Those of the records a caller may see that satisfy a condition, whole, at most `limit`; only
/// when he may read all of `fields`.
pub async fn seen(
    records: &Records,
    caller: &Caller,
    entity: &str,
    condition: Option<&Condition>,
    fields: &[&str],
    limit: u32,
) -> Result<Vec<Snapshot>, Error> {
    let schema = records.schema();
    let ix = schema.find(entity).ok_or(Error::NotFound)?;
    let declared = schema.entity(ix);
    let hidden = fields
        .iter()
        .filter_map(|name| declared.find(name))
        .any(|field| caller.access.field(ix, field) < FieldRight::Read);
    if hidden {
        return Err(Error::Forbidden {
            action: "view".to_owned(),
            entity: entity.to_owned(),
        });
    }
    let wanted = match condition {
        None => Predicate::True,
        Some(condition) => records
            .bind(caller, |binder: &Binder<'_>| binder.bind(ix, condition))
            .map_err(|error| Error::condition("filter", &error))?,
    };
    let rule = query::rule(&schema, caller, ix, Action::View);
    let found = records
        .find(
            caller.tenant(),
            ix,
            wanted.and(rule),
            limit.saturating_add(1),
        )
        .await?;
    if found.len() > limit as usize {
        return Err(Error::TooLarge {
            limit: format!("{limit} {}", declared.collection),
        });
    }
    Ok(found)
}

/// A test of a field.
pub fn test(field: &str, op: Op, value: Json) -> Condition {
    Condition::Test {
        field: field.to_owned(),
        op,
        value,
    }
}

/// A parameter of the query.
pub fn parameter<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let mut all = call.query.iter();
    let found = all.find(|(known, _)| known == name);
    found
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// The documentation of a parameter that is a date.
pub fn date_parameter(name: &str, says: &str) -> (String, Json, String) {
    let schema = json!({"type": "string", "format": "date"});
    (name.to_owned(), schema, says.to_owned())
}

/// An object of the document, all of whose parts are always there.
pub fn object(properties: Json) -> Json {
    let names: Vec<&String> = properties
        .as_object()
        .map(|all| all.keys().collect())
        .unwrap_or_default();
    json!({
        "type": "object", "required": names, "properties": properties,
        "additionalProperties": false,
    })
}
