//! Search over everything the caller may see.

use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::schema::EntityIx;
use opsflux_records::read::search::SearchQuery;
use opsflux_records::{Call, Error, Needs, Operation, Records, Reply};
use serde_json::json;
use uuid::Uuid;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// `GET /search`.
#[must_use]
pub fn operations(records: &Records) -> Vec<Operation> {
    let records = records.clone();
    vec![Operation {
        name: "search".to_owned(),
        method: Method::GET,
        path: "/search".to_owned(),
        summary: "Full text over every record you may see".to_owned(),
        tag: "search".to_owned(),
        needs: Needs::Session,
        query: vec![
            (
                "q".to_owned(),
                json!({"type": "string", "maxLength": 500}),
                "Words".to_owned(),
            ),
            (
                "limit".to_owned(),
                json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
                "Hits".to_owned(),
            ),
        ],
        input: None,
        output: (
            StatusCode::OK,
            Some((
                "application/json".to_owned(),
                json!({"$ref": "#/components/schemas/SearchHits"}),
            )),
        ),
        problems: vec![StatusCode::BAD_REQUEST],
        handler: Arc::new(move |call| {
            let records = records.clone();
            Box::pin(async move { everywhere(&records, &call).await })
        }),
    }]
}

async fn everywhere(records: &Records, call: &Call) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let value = |wanted: &str| {
        call.query
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let text = value("q").unwrap_or_default();
    let limit = match value("limit") {
        None => DEFAULT_LIMIT,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Error::query("limit", "invalid_value", format!("1 to {MAX_LIMIT}")))?,
    };
    let schema = records.schema();
    let mut items = Vec::new();
    let mut skip = 0;
    while items.len() < limit {
        let asked = SearchQuery {
            schema: &schema,
            caller,
            entity: None,
            text,
            skip,
            limit,
        };
        let hits = records.searcher()?.search(&asked)?;
        if hits.is_empty() {
            break;
        }
        skip += hits.len();
        let named: Vec<(EntityIx, Uuid)> = hits.iter().map(|hit| (hit.entity, hit.id)).collect();
        let titles = records.titles_of(caller, &named).await?;
        for hit in hits {
            let Some(title) = titles.get(&hit.id) else {
                continue;
            };
            let entity = schema.entity(hit.entity);
            let own = hit.highlights.iter().find(|(ix, _)| *ix == entity.title);
            let marked = own.or(hit.highlights.first()).map(|(_, html)| html);
            items.push(json!({
                "entity": entity.name,
                "collection": entity.collection,
                "id": hit.id.to_string(),
                "title": title,
                "highlight": marked,
            }));
        }
    }
    items.truncate(limit);
    Ok(Reply::json(
        json!({"items": items}).to_string().into_bytes(),
    ))
}
