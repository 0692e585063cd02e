//! What may be there twice: for one record, and over all of them.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use opsflux_model::{Action, Condition, Op, Value};
use opsflux_records::rule::Snapshot;
use opsflux_records::{Call, Caller, Error, GetRequest, Operation, Records};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::party::recognised;
use crate::serve::{handler, object, operation, test};

/// Candidates of one record.
const MOST: u32 = 200;
/// Groups of what may be the same.
const GROUPS: usize = 200;
/// Records looked at in one page of a walk over all.
const PAGE: u32 = 2_000;

pub fn operations(records: &Records) -> Vec<Operation> {
    let schema = records.schema();
    let mut all = Vec::new();
    let candidate = object(json!({
        "id": {"type": "string", "format": "uuid"}, "title": {"type": "string"},
        "reasons": {"type": "array", "items": {"enum": ["email", "tax_number", "name", "domain"]}},
    }));
    let group = object(json!({
        "reason": {"enum": ["email", "tax_number", "name", "domain"]},
        "items": {"type": "array", "items": object(json!({
            "id": {"type": "string", "format": "uuid"}, "title": {"type": "string"},
        }))},
    }));
    for name in ["organisation", "person"] {
        let Some(ix) = schema.find(name) else {
            continue;
        };
        let collection = &schema.entity(ix).collection;
        let items = |of: &Json| object(json!({"items": {"type": "array", "items": of}}));
        all.push(Operation {
            problems: vec![StatusCode::NOT_FOUND],
            ..operation(
                format!("{name}_duplicates"),
                (Method::GET, format!("/{collection}/{{id}}/duplicates")),
                "Records that may be the same, with what they have in common",
                (ix, Action::View),
                items(&candidate),
                handler(records, move |records, call| of_one(records, call, name)),
            )
        });
        all.push(operation(
            format!("{name}_duplicate_groups"),
            (Method::GET, format!("/crm/duplicates/{collection}")),
            "Groups of records that may be the same, of those the caller sees",
            (ix, Action::View),
            items(&group),
            handler(records, move |records, call| of_all(records, call, name)),
        ));
    }
    all
}

async fn of_one(records: Records, call: Call, name: &'static str) -> Result<Json, Error> {
    let caller = call.caller()?;
    let schema = records.schema();
    let ix = schema.find(name).ok_or(Error::NotFound)?;
    let request = GetRequest {
        fields: Some(vec!["id".to_owned()]),
        ..GetRequest::default()
    };
    let id = records.get(caller, ix, call.path(0), &request).await?.id;
    let one = records.snapshot(caller.tenant(), ix, id).await?;
    let one = one.ok_or(Error::NotFound)?;
    let same: Vec<Condition> = recognised(name)
        .iter()
        .filter_map(|(field, _)| {
            let key = one.get(&schema, field).as_text()?;
            Some(test(field, Op::Eq, json!(key)))
        })
        .collect();
    if same.is_empty() {
        return Ok(json!({"items": []}));
    }
    let all = Condition::All(vec![
        Condition::Any(same),
        test("id", Op::Ne, json!(id.to_string())),
    ]);
    // What is compared is made of fields the caller reads: a key of what he does not is not his.
    let found = crate::serve::seen(&records, caller, name, Some(&all), &[], MOST).await?;
    let items = found.iter().map(|other| {
        let reasons: Vec<&str> = recognised(name)
            .iter()
            .filter(|(field, _)| {
                let key = other.get(&schema, field);
                !key.is_empty() && key == one.get(&schema, field)
            })
            .map(|(_, reason)| *reason)
            .collect();
        json!({"id": other.id, "title": title(&records, caller, other), "reasons": reasons})
    });
    Ok(json!({"items": items.collect::<Vec<_>>()}))
}

async fn of_all(records: Records, call: Call, name: &'static str) -> Result<Json, Error> {
    let caller = call.caller()?;
    let schema = records.schema();
    let ix = schema.find(name).ok_or(Error::NotFound)?;
    let mut keys: BTreeMap<(&str, String), Vec<(Uuid, String)>> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = records.scan(caller.tenant(), ix, after, PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        for record in &page {
            for (field, reason) in recognised(name) {
                if let Value::Text(key) = record.get(&schema, field) {
                    let all = keys.entry((reason, key.clone())).or_default();
                    all.push((record.id, title(&records, caller, record)));
                }
            }
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    let mut groups = Vec::new();
    for ((reason, _), found) in keys {
        if found.len() < 2 || groups.len() == GROUPS {
            continue;
        }
        let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
        let seen = records.visible(caller, ix, &ids).await?;
        if seen.len() < 2 {
            continue;
        }
        let items: Vec<Json> = found
            .iter()
            .filter(|(id, _)| seen.contains(id))
            .map(|(id, title)| json!({"id": id, "title": title}))
            .collect();
        groups.push(json!({"reason": reason, "items": items}));
    }
    Ok(json!({"items": groups}))
}

fn title(records: &Records, caller: &Caller, record: &Snapshot) -> String {
    let schema = records.schema();
    let title = schema.entity(record.entity).title;
    let reads = caller.access.field(record.entity, title) >= opsflux_model::FieldRight::Read;
    match record.value(title) {
        Value::Text(text) if reads => text.clone(),
        _ => String::new(),
    }
}
