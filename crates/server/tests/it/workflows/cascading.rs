//! A record is finished when all below it are, up to the top, and its history says by which rule.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, id, until};
use crate::support::{Client, on_both};

async fn below(admin: &Client, title: &str, parent: &Json) -> Json {
    let body = json!({"title": title, "parent": parent["id"]});
    let made = admin.post("/tickets", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

async fn finish(admin: &Client, ticket: &Json) {
    let path = format!("/tickets/{}", id(ticket));
    let done = admin.patch(&path, &json!({"status": "done"})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
}

async fn status(admin: &Client, ticket: &Json) -> Json {
    admin.get(&format!("/tickets/{}", id(ticket))).await.json()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_below_it_finished_finishes_it_and_so_on_up() {
    on_both(async |server| {
        let admin = server.admin().await.in_language("fr");
        let path = "/workflows/templates/automatic_closing/create";
        let rule = admin.post(path, &json!({})).await.json();
        assert_eq!(rule["name"], "Clôture automatique", "{rule}");
        let root = admin.ticket("Arrêt annuel").await;
        let (left, right) = (
            below(&admin, "Pompes", &root).await,
            below(&admin, "Vannes", &root).await,
        );
        let (one, two) = (
            below(&admin, "P-101", &left).await,
            below(&admin, "P-102", &left).await,
        );
        // With the rule out of force nothing follows.
        finish(&admin, &right).await;
        finish(&admin, &one).await;
        let force = format!("/workflows/{}/activate", id(&rule));
        let active = admin.post(&force, &json!({"active": true})).await;
        assert_eq!(active.status, StatusCode::OK, "{}", active.text());
        assert_eq!(status(&admin, &left).await, "new");
        // One of two is not all.
        let three = below(&admin, "P-103", &left).await;
        finish(&admin, &three).await;
        ended(&admin, &rule, 1).await;
        assert_eq!(status(&admin, &left).await, "new", "P-102 is still open");
        finish(&admin, &two).await;
        let path = format!("/tickets/{}", id(&root));
        until(&admin, &path, |ticket| ticket["status"] == "done").await;
        assert_eq!(status(&admin, &left).await, "done");
        let history = admin.get(&format!("{path}/history")).await.json();
        let last = &history["items"][0];
        assert_eq!(last["source"], "workflow", "{history}");
        assert_eq!(last["reason"], "workflow Clôture automatique");
        let runs = ended(&admin, &rule, 3).await;
        assert!(
            runs.iter().all(|run| run["status"] == "SUCCESS"),
            "{runs:?}"
        );
    })
    .await;
}
