//! What a workflow tells people and sends outside, and that it waits for what became of it.

use serde_json::json;

use super::{ended, execution, id, until, workflow};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_once_of_what_a_rule_says_and_of_what_they_are_asked() {
    on_both(async |server| {
        let admin = server.admin().await;
        let lea = server.person("lea", "manager").await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "actions": [
                    {"type": "send_notification", "params": {
                        "to": ["lea@example.org", {"role": "manager"}], "title": "Voir {{ title }}",
                    }},
                    {"type": "request_approval", "params": {"approvers": ["lea@example.org"]}},
                ],
            }),
        )
        .await;
        let ticket = admin.ticket("Fuite").await;
        let both =
            |page: &serde_json::Value| page["items"].as_array().is_some_and(|all| all.len() >= 2);
        let told = until(&lea, "/notifications?sort=created_at", both).await;
        let told = told["items"].as_array().expect("notifications");
        assert_eq!(told.len(), 2, "once, though named twice: {told:?}");
        assert_eq!(told[0]["title"], "Voir Fuite");
        assert_eq!(
            told[0]["about"],
            json!({"entity": "ticket", "id": ticket["id"]})
        );
        let question = lea.get("/approvals").await.json()["items"][0].clone();
        assert_eq!(told[1]["action"], json!({"approval": question["id"]}));
        let approve = format!("/approvals/{}/approve", id(&question));
        lea.post(&approve, &json!({})).await;
        assert_eq!(ended(&admin, &rule, 1).await[0]["status"], "SUCCESS");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_waits_for_what_it_sent_and_fails_with_what_became_of_it() {
    on_both(async |server| {
        let admin = server.admin().await;
        // There is no mail server, and this machine may not be called: both are known at once.
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "manual", "entity": "ticket"},
                "actions": [
                    {"type": "call_webhook", "on_failure": "continue", "params": {
                        "url": "http://127.0.0.1:9/hook", "body": {"title": "{{ title }}"},
                    }},
                    {"type": "send_email", "params": {
                        "to": "x@example.org", "subject": "{{ title }}", "body": "…",
                    }},
                    {"type": "comment", "params": {"body": "jamais"}},
                ],
            }),
        )
        .await;
        let ticket = admin.ticket("Envoi").await;
        let run = format!("/workflows/{}/execute", id(&rule));
        admin.post(&run, &json!({"record_id": ticket["id"]})).await;
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["status"], "FAILED", "{run}");
        let told: Vec<_> = super::steps(&run);
        let wanted = [
            ("action_1", "WAITING"),
            ("action_1", "FAILED"),
            ("action_2", "WAITING"),
            ("action_2", "FAILED"),
        ];
        let wanted = wanted.map(|(place, status)| (place.to_owned(), status.to_owned()));
        assert_eq!(told, wanted);
        let deliveries = admin.get("/deliveries?sort=created_at").await.json();
        assert_eq!(deliveries["items"].as_array().map(Vec::len), Some(2));
        let why = run["error"].as_str().expect("a reason");
        assert!(why.contains("x@example.org"), "{why}");
        let comments = admin
            .get(&format!("/tickets/{}/comments", id(&ticket)))
            .await
            .json();
        assert_eq!(comments["items"], json!([]));
    })
    .await;
}
