//! What nobody should send: each time a problem that names the place, nothing written, and the
//! server goes on.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{ADMIN, Answer, Client, PASSWORD, on_both};

fn field(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    let named = &problem["errors"][0]["field"];
    named.as_str().unwrap_or_default().to_owned()
}

async fn tickets(client: &Client) -> Json {
    client.get("/tickets?total=true").await.json()["total"].clone()
}

/// Somebody of another tenant, with a site of his own.
async fn stranger(anybody: &Client) -> (Client, String) {
    let form = json!({
        "organization_name": "Elsewhere", "full_name": "Eve Other",
        "email": "eve@elsewhere.example", "password": PASSWORD,
    });
    let made = anybody.post("/auth/signup", &form).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let eve = anybody
        .clone()
        .signed_in("eve@elsewhere.example", PASSWORD)
        .await;
    let site = eve.post("/sites", &json!({"name": "Hidden"})).await;
    let id = site.json()["id"].as_str().expect("an id").to_owned();
    (eve, id)
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused_by_field_and_write_nothing() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (eve, site) = stranger(&server.anybody()).await;
        let elsewhere = eve.ticket("Of another tenant").await;
        let elsewhere = elsewhere["id"].as_str().expect("an id").to_owned();
        let parent = admin.ticket("Parent").await;
        let parent = parent["id"].as_str().expect("an id").to_owned();
        let before = tickets(&admin).await;
        let long = "x".repeat(7 * 1024 * 1024);
        for (body, wrong) in [
            (json!({"title": 7}), "title"),
            (json!({"title": long}), "title"),
            (json!({"title": "a", "colour": "red"}), "colour"),
            (json!({"title": "a", "due_at": "tomorrow"}), "due_at"),
            (json!({"title": "a", "priority": "urgent"}), "priority"),
            (json!({"title": "a", "parent": elsewhere}), "parent"),
            (json!({"title": "a", "parent": "TIC-999999"}), "parent"),
            (json!({"title": "a", "site": site}), "site"),
            (json!({"title": "a", "id": "no-id"}), "id"),
            (json!({"title": "a\u{0}b"}), "title"),
        ] {
            let refused = admin.post("/tickets", &body).await;
            let shown: String = refused.text().chars().take(300).collect();
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{shown}");
            assert_eq!(field(&refused), wrong, "{shown}");
        }
        let larger = json!({"title": "x".repeat(10 * 1024 * 1024)});
        let refused = admin.post("/tickets", &larger).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        let child = json!({"title": "Child", "parent": parent});
        let child = admin.post("/tickets", &child).await.json();
        let ring = admin
            .patch(
                &format!("/tickets/{parent}"),
                &json!({"parent": child["id"]}),
            )
            .await;
        assert_eq!(ring.status, StatusCode::CONFLICT, "{}", ring.text());
        assert_eq!(ring.json()["guard"], "parent.acyclic");
        let own = json!({"parent": parent});
        let own = admin.patch(&format!("/tickets/{parent}"), &own).await;
        assert!(own.status.is_client_error(), "{}", own.text());
        let after = tickets(&admin).await;
        assert_eq!(after, json!(before.as_u64().expect("a number") + 1));
        assert_eq!(eve.get("/tickets?total=true").await.json()["total"], 1);
    })
    .await;
}

#[tokio::test]
async fn identifiers_and_bulks_that_cannot_be_are_refused_whole() {
    on_both(async |server| {
        let admin = server.admin().await;
        let taken = admin.ticket("Taken").await["id"].clone();
        let same = admin
            .post("/tickets", &json!({"id": taken, "title": "Another"}))
            .await;
        assert_eq!(same.status, StatusCode::CONFLICT, "{}", same.text());
        let create = |title: &str| json!({"op": "create", "data": {"title": title}});
        let many: Vec<Json> = (0..10_000).map(|_| create("One of many")).collect();
        let many = json!({"operations": many});
        let refused = admin.post("/tickets/bulk", &many).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(field(&refused), "operations");
        let twice = |id: &str| json!({"op": "create", "data": {"id": id, "title": "Twice"}});
        let id = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001";
        let twice = json!({"operations": [create("First"), twice(id), twice(id)]});
        let refused = admin.post("/tickets/bulk", &twice).await;
        assert!(refused.status.is_client_error(), "{}", refused.text());
        for (operation, wrong) in [
            (json!({"op": "explode"}), "operations[1].data.op"),
            (
                json!({"op": "update", "id": 7, "data": {}}),
                "operations[1].data.id",
            ),
            (create(""), "operations[1].data.title"),
        ] {
            let body = json!({"operations": [create("Good"), operation]});
            let refused = admin.post("/tickets/bulk", &body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(refused.json()["index"], 1, "{}", refused.text());
            assert_eq!(field(&refused), wrong);
        }
        assert_eq!(
            tickets(&admin).await,
            1,
            "nothing but the first was written"
        );
    })
    .await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_by_parameter_in_one_language() {
    on_both(async |server| {
        let admin = server.admin().await;
        for title in ["a", "b", "c"] {
            admin.ticket(title).await;
        }
        let page = admin.get("/tickets?limit=1").await.json();
        let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
        let (eve, _) = stranger(&server.anybody()).await;
        let path = format!("/tickets?limit=1&cursor={cursor}");
        assert_eq!(admin.get(&path).await.status, StatusCode::OK);
        let stolen = eve.get(&path).await;
        assert_eq!(stolen.status, StatusCode::BAD_REQUEST, "{}", stolen.text());
        let forged = format!("{}x", &cursor[..cursor.len() - 1]);
        let deep = format!("{}1{}", "%7B%22not%22%3A".repeat(40), "%7D".repeat(40));
        for (query, parameter) in [
            ("sort=colour".to_owned(), "sort"),
            (format!("cursor={forged}"), "cursor"),
            (format!("cursor={cursor}&sort=title"), "cursor"),
            ("limit=0".to_owned(), "limit"),
            ("limit=ten".to_owned(), "limit"),
            ("colour=red".to_owned(), "colour"),
            ("title%5Blike%5D=a".to_owned(), "title[like]"),
            ("filter=%7Bbroken".to_owned(), "filter"),
            (format!("filter={deep}"), "filter"),
            ("filter=%7B%22field%22%3A%22x%22%7D".to_owned(), "filter"),
            ("due_at%5Bgt%5D=tomorrow".to_owned(), "due_at[gt]"),
            ("total=maybe".to_owned(), "total"),
            ("fields=title,colour".to_owned(), "fields"),
            ("expand=title".to_owned(), "expand"),
            (format!("q={}", "x".repeat(2_000)), "q"),
        ] {
            for language in ["fr", "es", "pt"] {
                let asking = admin.in_language(language);
                let refused = asking.get(&format!("/tickets?{query}")).await;
                let shown = refused.text();
                assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query} {shown}");
                let problem = refused.json();
                assert_eq!(problem["parameter"], parameter, "{shown}");
                let detail = format!(" {} ", problem["detail"].as_str().expect("a detail"));
                for english in [
                    " is ", " the ", " there ", " not ", " with ", " of ", " at ",
                ] {
                    assert!(!detail.contains(english), "{language}: {detail}");
                }
            }
        }
        let well = admin.send(Method::GET, "/tickets", &[], "").await;
        assert_eq!(well.status, StatusCode::OK);
        assert_eq!(admin.get("/auth/me").await.json()["email"], ADMIN);
    })
    .await;
}
