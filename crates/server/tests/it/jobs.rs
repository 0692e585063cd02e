//! What goes on after its request was answered.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{Client, Server};

/// The job at an address, when it has ended.
pub async fn ended(client: &Client, location: &str) -> Json {
    let path = location
        .strip_prefix("/api/v1")
        .expect("an address of ours");
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let job = async {
        loop {
            look.tick().await;
            let job = client.get(path).await.json();
            if !matches!(job["status"].as_str(), Some("queued" | "running")) {
                return job;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), job).await;
    ended.expect("the job ends within a minute")
}

#[tokio::test]
async fn a_large_deletion_is_answered_at_once_and_can_be_undone() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let parent = admin.ticket("Parent").await["id"].clone();
    let below = |count: usize| {
        let one = json!({"op": "create", "data": {"title": "Child", "parent": parent}});
        json!({"operations": vec![one; count]})
    };
    for count in [200, 200, 200, 200, 201] {
        let made = admin.post("/tickets/bulk", &below(count)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    }
    let path = format!("/tickets/{}", parent.as_str().expect("an id"));
    let record = admin.get(&path).await.json();
    assert_eq!(record["open_children"], 1_001);

    let deleted = admin.delete(&path).await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED, "{}", deleted.text());
    assert!(!deleted.header("opsflux-deletion").is_empty());
    let job = ended(&admin, deleted.header("location")).await;
    assert_eq!(
        (&job["status"], &job["done"]),
        (&json!("done"), &json!(1_002))
    );
    let left = admin.get("/tickets?total=true&limit=1").await.json();
    assert_eq!(left["total"], 0);

    let restore = format!("{path}/restore");
    let restored = admin.send(Method::POST, &restore, &[], "").await;
    assert_eq!(restored.status, StatusCode::ACCEPTED, "{}", restored.text());
    let job = ended(&admin, restored.header("location")).await;
    assert_eq!(
        (&job["status"], &job["done"]),
        (&json!("done"), &json!(1_002))
    );
    let record = admin.get(&path).await.json();
    assert_eq!(record["open_children"], 1_001);

    // What has ended cannot be stopped.
    let cancel = format!("/jobs/{}/cancel", job["id"].as_str().expect("an id"));
    let stopped = admin.send(Method::POST, &cancel, &[], "").await;
    assert_eq!(stopped.status, StatusCode::CONFLICT, "{}", stopped.text());
}
