//! Search over everything the caller may see.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::{Method, StatusCode};
use opsflux_model::schema::{EntityIx, system};
use opsflux_model::{Condition, Op, Schema};
use opsflux_records::read::search::SearchQuery;
use opsflux_records::{
    Call, Caller, Error, Language, ListRequest, Needs, Operation, Records, Reply,
};
use serde_json::{Value as Json, json};
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
        let numbers = numbers_of(records, caller, &named).await?;
        let marks = records.searcher()?.mark(&asked, &hits)?;
        for hit in hits {
            let Some(title) = titles.get(&hit.id) else {
                continue;
            };
            let entity = schema.entity(hit.entity);
            let found = marks.get(&hit).map_or(&[][..], Vec::as_slice);
            let own = found.iter().find(|marked| marked.field == entity.title);
            let marked = own.or(found.first()).map(|marked| &marked.html);
            items.push(json!({
                "entity": entity.name,
                "collection": entity.collection,
                "id": hit.id.to_string(),
                "label": label(&schema, call.language, &entity.name),
                "number": numbers.get(&hit.id),
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

/// What the entity is called in a language, else in English, else by its name.
fn label<'s>(schema: &'s Schema, language: Language, entity: &'s str) -> &'s str {
    [language, Language::En]
        .iter()
        .find_map(|language| {
            schema.modules.iter().find_map(|module| {
                let words = module.words.get(language.code())?;
                words.get("entities")?.get(entity)?.get("one")?.as_str()
            })
        })
        .unwrap_or(entity)
}

/// The numbers of the hits that have one and that the caller may see.
async fn numbers_of(
    records: &Records,
    caller: &Caller,
    hits: &[(EntityIx, Uuid)],
) -> Result<HashMap<Uuid, String>, Error> {
    let schema = records.schema();
    let mut by_entity: BTreeMap<EntityIx, Vec<Json>> = BTreeMap::new();
    for (entity, id) in hits {
        if schema.entity(*entity).number.is_some() {
            let ids = by_entity.entry(*entity).or_default();
            ids.push(id.to_string().into());
        }
    }
    let mut numbers = HashMap::new();
    for (entity, ids) in by_entity {
        let request = ListRequest {
            limit: u32::try_from(ids.len()).ok(),
            conditions: vec![(
                "id".to_owned(),
                Condition::Test {
                    field: system::ID.to_owned(),
                    op: Op::In,
                    value: Json::Array(ids),
                },
            )],
            fields: Some(vec![system::NUMBER.to_owned()]),
            ..ListRequest::default()
        };
        let page = records.list(caller, entity, &request).await?;
        let page: Numbers =
            serde_json::from_slice(&page).map_err(|error| Error::Internal(error.to_string()))?;
        let known = page.items.into_iter();
        numbers.extend(known.filter_map(|item| Some((item.id, item.number?))));
    }
    Ok(numbers)
}

/// What is read of a page.
#[derive(serde::Deserialize)]
struct Numbers {
    items: Vec<Numbered>,
}

#[derive(serde::Deserialize)]
struct Numbered {
    id: Uuid,
    number: Option<String>,
}
