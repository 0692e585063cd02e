//! A record's life over HTTP, alike on both databases.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::on_both;

#[tokio::test]
async fn a_ticket_is_made_read_changed_deleted_and_brought_back() {
    on_both(async |server| {
        let admin = server.admin().await;
        let made = admin
            .post("/tickets", &json!({"title": "Imprimante hors ligne"}))
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(made.header("location"), format!("/api/v1/tickets/{id}"));
        assert_eq!(made.header("etag"), "\"1\"");
        let number = made.json()["number"].as_str().expect("a number").to_owned();

        let by_number = admin.get(&format!("/tickets/{number}")).await;
        assert_eq!(by_number.json()["id"].as_str(), Some(id.as_str()));
        let path = format!("/tickets/{id}");
        let known = admin.get_with(&path, &[("if-none-match", "\"1\"")]).await;
        assert_eq!(
            (known.status, known.body.len()),
            (StatusCode::NOT_MODIFIED, 0)
        );

        let changed = admin
            .patch(&path, &json!({"priority": "high", "base_version": 1}))
            .await;
        assert_eq!(
            (changed.status, changed.header("etag")),
            (StatusCode::OK, "\"2\"")
        );

        let deleted = admin.delete(&path).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        assert!(!deleted.header("opsflux-deletion").is_empty());
        assert_eq!(admin.get(&path).await.status, StatusCode::NOT_FOUND);
        let restored = admin
            .send(Method::POST, &format!("{path}/restore"), &[], "")
            .await;
        assert_eq!(restored.status, StatusCode::OK, "{}", restored.text());
        assert_eq!(admin.get(&path).await.json()["priority"], "high");
    })
    .await;
}

#[tokio::test]
async fn two_people_with_one_record_lose_nothing() {
    on_both(async |server| {
        let admin = server.admin().await;
        let id = admin.ticket("Before").await["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!("/tickets/{id}");
        admin
            .patch(&path, &json!({"title": "Mine", "base_version": 1}))
            .await;

        let old = admin
            .write(
                Method::PATCH,
                &path,
                &[("if-match", "\"1\"")],
                &json!({"priority": "low"}),
            )
            .await;
        assert_eq!(old.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(old.json()["current"]["title"], "Mine");
        assert_eq!(old.header("etag"), "\"2\"");

        let both = admin
            .patch(&path, &json!({"title": "Yours", "base_version": 1}))
            .await;
        assert_eq!(both.status, StatusCode::CONFLICT);
        let conflict = &both.json()["conflicts"][0];
        assert_eq!(
            conflict,
            &json!({"field": "title", "base": "Before", "yours": "Yours", "theirs": "Mine"})
        );
        let other = admin
            .patch(&path, &json!({"priority": "low", "base_version": 1}))
            .await;
        assert_eq!(other.status, StatusCode::OK, "{}", other.text());
    })
    .await;
}

#[tokio::test]
async fn the_same_post_twice_is_done_once() {
    on_both(async |server| {
        let admin = server.admin().await;
        let key = [("idempotency-key", "k-1")];
        let body = json!({"title": "Once"});
        let first = admin.write(Method::POST, "/tickets", &key, &body).await;
        let second = admin.write(Method::POST, "/tickets", &key, &body).await;
        assert_eq!(
            (first.status, second.status),
            (StatusCode::CREATED, StatusCode::CREATED)
        );
        assert_eq!(first.json()["id"], second.json()["id"]);
        let other = admin
            .write(Method::POST, "/tickets", &key, &json!({"title": "Other"}))
            .await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(admin.get("/tickets?total=true").await.json()["total"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_bulk_is_all_or_nothing_unless_it_says_otherwise() {
    on_both(async |server| {
        let admin = server.admin().await;
        let operations = json!([
            {"op": "create", "data": {"title": "Good"}},
            {"op": "create", "data": {"title": "Bad", "priority": "purple"}},
        ]);
        let all = admin
            .post("/tickets/bulk", &json!({"operations": operations}))
            .await;
        assert_eq!(all.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(all.json()["index"], 1);
        assert_eq!(
            all.json()["errors"][0]["field"],
            "operations[1].data.priority"
        );
        assert_eq!(admin.get("/tickets?total=true").await.json()["total"], 0);

        let each = json!({"atomic": false, "operations": operations});
        let each = admin.post("/tickets/bulk", &each).await;
        assert_eq!(each.status, StatusCode::OK, "{}", each.text());
        let results = each.json()["results"].clone();
        assert_eq!(results[0]["status"], 201);
        assert_eq!(results[0]["record"]["title"], "Good");
        assert_eq!(results[1]["problem"]["errors"][0]["code"], "not_an_option");
    })
    .await;
}

#[tokio::test]
async fn full_text_finds_what_was_just_written_with_a_slip_of_the_finger() {
    on_both(async |server| {
        let admin = server.admin().await;
        let number = admin.ticket("Imprimante du réseau").await["number"].clone();
        let hit = admin.found("imprimnate").await;
        assert_eq!(hit["title"], "Imprimante du réseau");
        assert_eq!(hit["number"], number);
        assert_eq!(hit["label"], "Ticket");
        assert_eq!(hit["collection"], "tickets");
    })
    .await;
}
