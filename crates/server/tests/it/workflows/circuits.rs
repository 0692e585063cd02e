//! The approval circuits that modules bring, run through.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, until};
use crate::support::{Client, Server, on_both};

async fn me(client: &Client) -> Json {
    client.get("/auth/me").await.json()["id"].clone()
}

/// Takes a ready workflow and puts it in force.
async fn taken(admin: &Client, name: &str) -> Json {
    let path = format!("/workflows/templates/{name}/create");
    let rule = admin.post(&path, &json!({})).await.json();
    let force = format!("/workflows/{}/activate", id(&rule));
    let active = admin.post(&force, &json!({"active": true})).await;
    assert_eq!(active.status, StatusCode::OK, "{}", active.text());
    rule
}

/// Tom, who asks; Lea, his manager; Max, of a group.
async fn people(server: &Server, group: &str) -> (Client, Client, Client, Client) {
    let admin = server.admin().await;
    let tom = server.person("tom", "manager").await;
    let lea = server.person("lea", "manager").await;
    let max = server.person("max", "manager").await;
    let path = format!("/users/{}", me(&tom).await.as_str().expect("an id"));
    admin
        .patch(&path, &json!({"manager": me(&lea).await}))
        .await;
    let group = json!({"name": group, "kind": "support", "members": [me(&max).await]});
    let made = admin.post("/groups", &group).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    (admin, tom, lea, max)
}

async fn asked(client: &Client) -> Json {
    let path = "/approvals?status=PENDING";
    let page = until(client, path, |page| !page["items"][0].is_null()).await;
    page["items"][0].clone()
}

async fn asked_nothing(client: &Client) {
    let page = client.get("/approvals?status=PENDING").await.json();
    assert_eq!(page["items"], json!([]));
}

async fn says(client: &Client, question: &Json, what: &str) -> StatusCode {
    let path = format!("/approvals/{}/{what}", id(question));
    client.post(&path, &json!({})).await.status
}

/// How often somebody was told, and was asked.
async fn told(client: &Client) -> usize {
    let page = client.get("/notifications").await.json();
    page["items"].as_array().map_or(0, Vec::len)
}

async fn submitted(tom: &Client, title: &str) -> Json {
    let change = json!({"title": title, "kind": "change"});
    let ticket = tom.post("/tickets", &change).await.json();
    let path = format!("/tickets/{}", id(&ticket));
    let submitted = tom.patch(&path, &json!({"status": "todo"})).await;
    assert_eq!(submitted.status, StatusCode::OK, "{}", submitted.text());
    ticket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_from_its_manager_to_hse_and_is_published() {
    on_both(async |server| {
        let (admin, tom, lea, max) = people(server, "HSE").await;
        let rule = taken(&admin, "manager_then_hse").await;
        let ticket = submitted(&tom, "Nouvelle vanne").await;
        let first = asked(&lea).await;
        assert_eq!((&first["stage"], &first["stages"]), (&json!(2), &json!(5)));
        // Each is asked when his step begins, and not before.
        asked_nothing(&max).await;
        assert_eq!(says(&max, &first, "approve").await, StatusCode::NOT_FOUND);
        assert_eq!(says(&tom, &first, "approve").await, StatusCode::NOT_FOUND);
        assert_eq!((told(&lea).await, told(&max).await), (1, 0));
        let runs = admin
            .get(&format!("/workflows/{}/executions", id(&rule)))
            .await
            .json();
        let run = execution(&admin, &rule, &runs["items"][0]).await;
        assert_eq!(
            (&run["progress"]["step"], &run["progress"]["of"]),
            (&json!(2), &json!(5))
        );
        assert_eq!(
            run["progress"]["open"][0]["waits_for"]["approval"],
            first["id"]
        );
        assert_eq!(says(&lea, &first, "approve").await, StatusCode::OK);
        let second = asked(&max).await;
        assert_eq!(
            (&second["stage"], &second["stages"]),
            (&json!(3), &json!(5))
        );
        assert_eq!(says(&lea, &second, "approve").await, StatusCode::NOT_FOUND);
        assert_eq!(says(&max, &second, "approve").await, StatusCode::OK);
        let path = format!("/tickets/{}", id(&ticket));
        until(&admin, &path, |ticket| ticket["status"] == "in_progress").await;
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        assert_eq!(
            (told(&lea).await, told(&max).await, told(&tom).await),
            (1, 1, 1)
        );
        // A refusal publishes nothing and sends it back.
        let ticket = submitted(&tom, "Autre vanne").await;
        assert_eq!(
            says(&lea, &asked(&lea).await, "reject").await,
            StatusCode::OK
        );
        let path = format!("/tickets/{}", id(&ticket));
        until(&admin, &path, |ticket| ticket["status"] == "on_hold").await;
        asked_nothing(&max).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manager_and_hse_decide_at_the_same_time_and_one_refusal_ends_it() {
    on_both(async |server| {
        let (admin, tom, lea, max) = people(server, "HSE").await;
        let rule = taken(&admin, "manager_and_hse").await;
        let ticket = submitted(&tom, "Grue").await;
        let (hers, his) = (asked(&lea).await, asked(&max).await);
        assert_eq!((&hers["stage"], &his["stage"]), (&json!(2), &json!(2)));
        assert_eq!(says(&max, &his, "approve").await, StatusCode::OK);
        let path = format!("/tickets/{}", id(&ticket));
        assert_eq!(
            admin.get(&path).await.json()["status"],
            "todo",
            "both are needed"
        );
        assert_eq!(says(&lea, &hers, "approve").await, StatusCode::OK);
        until(&admin, &path, |ticket| ticket["status"] == "in_progress").await;
        submitted(&tom, "Nacelle").await;
        let his = asked(&max).await;
        assert_eq!(
            says(&lea, &asked(&lea).await, "reject").await,
            StatusCode::OK
        );
        ended(&admin, &rule, 2).await;
        let his = admin.get(&format!("/approvals/{}", id(&his))).await.json();
        assert_eq!(his["status"], "CANCELLED", "it is taken back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn above_ten_thousand_the_cfo_is_asked_too() {
    on_both(async |server| {
        let (admin, tom, lea, max) = people(server, "Finance").await;
        let rule = taken(&admin, "purchase_above_10000").await;
        let tom = me(&tom).await;
        let bought = async |name: &str, amount: &str| {
            let cost = json!({"amount": amount, "currency": "EUR"});
            let body = json!({"name": name, "user": tom, "purchase_cost": cost});
            let made = admin.post("/assets", &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        };
        bought("Pompe", "10000").await;
        assert_eq!(
            says(&lea, &asked(&lea).await, "approve").await,
            StatusCode::OK
        );
        assert_eq!(ended(&admin, &rule, 1).await[0]["status"], "SUCCESS");
        asked_nothing(&max).await;
        bought("Groupe électrogène", "10001").await;
        assert_eq!(
            says(&lea, &asked(&lea).await, "approve").await,
            StatusCode::OK
        );
        let question = asked(&max).await;
        assert_eq!(question["subject"], "Groupe électrogène");
        assert_eq!(says(&max, &question, "approve").await, StatusCode::OK);
        let runs = ended(&admin, &rule, 2).await;
        assert!(
            runs.iter().all(|run| run["status"] == "SUCCESS"),
            "{runs:?}"
        );
        // One without a price is nobody's to agree to.
        admin
            .post("/assets", &json!({"name": "Don", "user": tom}))
            .await;
        asked_nothing(&lea).await;
    })
    .await;
}
