//! A step that failed, and what a person does about it.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, steps, until, workflow};
use crate::support::{Client, on_both};

/// A rule whose second step fails until the ticket has a group of that name.
async fn failing(admin: &Client) -> (Json, Json, String) {
    let rule = workflow(
        admin,
        &json!({
            "trigger": {"type": "manual", "entity": "ticket"},
            "actions": [
                {"type": "comment", "params": {"body": "avant"}},
                {"type": "send_notification", "id": "tell", "params": {
                    "to": {"group": "Astreinte"}, "title": "Voir {{ title }}",
                }},
                {"type": "comment", "params": {"body": "après"}},
            ],
        }),
    )
    .await;
    let ticket = admin.ticket("Panne").await;
    let run = format!("/workflows/{}/execute", id(&rule));
    admin.post(&run, &json!({"record_id": ticket["id"]})).await;
    let runs = ended(admin, &rule, 1).await;
    assert_eq!(runs[0]["status"], "FAILED");
    let path = format!("/workflows/{}/executions/{}", id(&rule), id(&runs[0]));
    (rule, ticket, path)
}

async fn comments(admin: &Client, ticket: &Json) -> Vec<String> {
    let path = format!("/tickets/{}/comments?sort=created_at", id(ticket));
    let page = admin.get(&path).await.json();
    let all = page["items"].as_array().expect("comments").iter();
    all.map(|one| one["body"].as_str().expect("a text").to_owned())
        .collect()
}

async fn over(admin: &Client, path: &str, status: &str) -> Json {
    until(admin, path, |run| run["status"] == status).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_is_done_again_from_where_it_stopped() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (rule, ticket, path) = failing(&admin).await;
        // Nothing has changed: it fails at the same step, and nothing before it is done again.
        let again = admin.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.text());
        over(&admin, &path, "FAILED").await;
        assert_eq!(comments(&admin, &ticket).await, ["avant"]);
        let me = admin.get("/auth/me").await.json()["id"].clone();
        let group = json!({"name": "Astreinte", "kind": "support", "members": [me]});
        let made = admin.post("/groups", &group).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let again = admin.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.text());
        let run = over(&admin, &path, "SUCCESS").await;
        assert_eq!(comments(&admin, &ticket).await, ["avant", "après"]);
        let told: Vec<String> = steps(&run).into_iter().map(|(_, status)| status).collect();
        let wanted = ["DONE", "FAILED", "RETRY", "FAILED", "RETRY", "DONE", "DONE"];
        assert_eq!(told, wanted, "{run}");
        // It has ended: there is nothing to do again.
        let again = admin.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs.len(), 1, "it is the same execution");
        let who = format!("/audit-entries?action=retry&record={}", id(&runs[0]));
        let audit = admin.get(&who).await.json();
        assert_eq!(audit["items"].as_array().map(Vec::len), Some(2), "{audit}");
        assert_eq!(audit["items"][0]["reason"], "tell");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_is_left_out_by_whoever_may_write_the_rule() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (rule, ticket, path) = failing(&admin).await;
        let stranger = server.person("max", "manager").await;
        let skip = format!("{path}/skip");
        let refused = stranger.post(&skip, &json!({})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        for (body, status) in [
            (
                json!({"place": "action_1"}),
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (json!({"place": 3}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({"plaice": "tell"}), StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            assert_eq!(admin.post(&skip, &body).await.status, status, "{body}");
        }
        let done = admin.post(&skip, &json!({"place": "tell"})).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        let run = over(&admin, &path, "SUCCESS").await;
        assert_eq!(comments(&admin, &ticket).await, ["avant", "après"]);
        assert_eq!(steps(&run)[2].1, "SKIPPED");
        let stats = admin.get(&format!("/workflows/{}/stats", id(&rule))).await;
        assert_eq!(stats.json()["success"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_sent_again_under_its_key_and_an_approval_is_never_left_out() {
    on_both(async |server| {
        let admin = server.admin().await;
        let lea = server.person("lea", "manager").await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "manual", "entity": "ticket"},
                "actions": [
                    {"type": "call_webhook", "id": "call", "params": {"url": "http://127.0.0.1:9/x"}},
                    {"type": "request_approval", "id": "ask", "params": {
                        "approvers": ["lea@example.org"], "due_in": "1s", "on_timeout": "fail",
                    }},
                ],
            }),
        )
        .await;
        let ticket = admin.ticket("Appel").await;
        let run = format!("/workflows/{}/execute", id(&rule));
        admin.post(&run, &json!({"record_id": ticket["id"]})).await;
        let runs = ended(&admin, &rule, 1).await;
        let path = format!("/workflows/{}/executions/{}", id(&rule), id(&runs[0]));
        let before = admin.get("/deliveries").await.json();
        let done = admin.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        let again = |run: &Json| run["steps"].as_array().is_some_and(|all| all.len() >= 4);
        until(&admin, &path, |run| run["status"] == "FAILED" && again(run)).await;
        let after = admin.get("/deliveries").await.json();
        assert_eq!(after["items"].as_array().map(Vec::len), Some(1), "{after}");
        assert_eq!(after["items"][0]["key"], before["items"][0]["key"]);
        // Left out, the question comes; nobody answers, and that is not to be left out.
        admin.post(&format!("{path}/skip"), &json!({})).await;
        let asked = until(&lea, "/approvals", |page| !page["items"][0].is_null()).await;
        over(&admin, &path, "FAILED").await;
        let left_out = admin.post(&format!("{path}/skip"), &json!({})).await;
        assert_eq!(left_out.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(left_out.json()["errors"][0]["code"], "not_skippable");
        let again = admin.post(&format!("{path}/retry"), &json!({})).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.text());
        let pending = |page: &Json| page["items"][0]["status"] == "PENDING";
        let anew = until(&lea, "/approvals?status=PENDING", pending).await;
        assert_ne!(anew["items"][0]["id"], asked["items"][0]["id"], "asked anew");
        let approve = format!("/approvals/{}/approve", id(&anew["items"][0]));
        assert_eq!(lea.post(&approve, &json!({})).await.status, StatusCode::OK);
        assert_eq!(execution_of(&admin, &rule, &runs[0]).await["status"], "SUCCESS");
    })
    .await;
}

async fn execution_of(admin: &Client, rule: &Json, run: &Json) -> Json {
    ended(admin, rule, 1).await;
    execution(admin, rule, run).await
}
