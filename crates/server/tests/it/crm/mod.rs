//! Customers from outside: who is who, the way of a deal, what is there twice, what is done by itself.

mod acting;
mod deals;
mod figures;
mod parties;
mod twice;

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::Client;

/// A new record, which must be made.
pub async fn made(client: &Client, collection: &str, body: &Json) -> Json {
    let made = client.post(&format!("/{collection}"), body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

pub async fn organisation(client: &Client, nom: &str) -> Json {
    made(client, "organisations", &json!({"nom": nom})).await
}

/// A deal of 1,000 with an organisation of its own.
pub async fn deal(client: &Client, title: &str) -> Json {
    let organisation = organisation(client, &format!("Client de {title}")).await;
    let body = json!({"title": title, "organisation": organisation["id"], "montant": 1000});
    made(client, "deals", &body).await
}

/// A record as it is now.
pub async fn now(client: &Client, collection: &str, record: &Json) -> Json {
    let id = record["id"].as_str().expect("an id");
    let found = client.get(&format!("/{collection}/{id}")).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text());
    found.json()
}

/// A change, which must be made.
pub async fn changed(client: &Client, collection: &str, record: &Json, patch: &Json) -> Json {
    let id = record["id"].as_str().expect("an id");
    let answer = client.patch(&format!("/{collection}/{id}"), patch).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// The code of the rule that refuses a change.
pub async fn refused(client: &Client, collection: &str, record: &Json, patch: &Json) -> Json {
    let id = record["id"].as_str().expect("an id");
    let answer = client.patch(&format!("/{collection}/{id}"), patch).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    answer.json()["code"].clone()
}

pub fn titles(page: &Json, field: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("items").iter();
    items
        .map(|item| item[field].as_str().unwrap_or_default().to_owned())
        .collect()
}
