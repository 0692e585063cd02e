//! What is done by itself, from outside: written, set off, decided, killed in the middle.

mod approvals;
mod cascading;
mod circuits;
mod comparing;
mod escalated;
mod hooked;
mod killed;
mod lasting;
mod limited;
mod mended;
mod noticed;
mod ready;
mod running;
mod secrets;
mod telling;
mod timed;
mod together;
mod written;

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Client, PATIENCE};

/// A workflow in force.
pub async fn workflow(client: &Client, body: &Json) -> Json {
    let mut whole = json!({"name": "Rule", "status": "ACTIVE"});
    if let (Some(whole), Some(body)) = (whole.as_object_mut(), body.as_object()) {
        whole.extend(body.clone());
    }
    let made = client.post("/workflows", &whole).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

/// Asks again and again until the answer is as wanted.
pub async fn until(client: &Client, path: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let mut last = Json::Null;
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            look.tick().await;
            last = client.get(path).await.json();
            if wanted(&last) {
                return last.clone();
            }
        }
    });
    let found = found.await;
    found.unwrap_or_else(|_| panic!("{path} stays as it is: {last}"))
}

/// The executions of a workflow, once so many have ended.
pub async fn ended(client: &Client, workflow: &Json, count: usize) -> Vec<Json> {
    let path = format!("/workflows/{}/executions?sort=created_at", id(workflow));
    let is_over = |execution: &Json| {
        let status = execution["status"].as_str().expect("a status");
        !["RUNNING", "WAITING"].contains(&status)
    };
    let found = until(client, &path, |page| {
        let items = page["items"].as_array().expect("executions");
        items.len() >= count && items.iter().all(is_over)
    });
    found.await["items"].as_array().expect("executions").clone()
}

/// One execution with its steps.
pub async fn execution(client: &Client, workflow: &Json, execution: &Json) -> Json {
    let path = format!("/workflows/{}/executions/{}", id(workflow), id(execution));
    let found = client.get(&path).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text());
    found.json()
}

/// The steps of an execution: place, status.
pub fn steps(execution: &Json) -> Vec<(String, String)> {
    let text = |json: &Json| json.as_str().expect("a text").to_owned();
    let steps = execution["steps"].as_array().expect("steps").iter();
    steps
        .map(|step| (text(&step["place"]), text(&step["status"])))
        .collect()
}

pub fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}
