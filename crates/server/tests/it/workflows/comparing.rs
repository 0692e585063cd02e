//! The four comparisons of the simple rule editor, each with one that matches and one that does not.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, id, until, workflow};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn each_comparison_sets_off_for_what_matches_and_for_nothing_else() {
    on_both(async |server| {
        let admin = server.admin().await;
        let group = json!({"name": "Support N2", "kind": "support"});
        let group = admin.post("/groups", &group).await.json();
        let cases = [
            (
                "title",
                "contains",
                json!("panne"),
                json!("Grosse Panne"),
                json!("Fuite"),
            ),
            (
                "title",
                "eq",
                json!("Panne"),
                json!("Panne"),
                json!("Panne 2"),
            ),
            (
                "title",
                "starts_with",
                json!("panne"),
                json!("Panne 3"),
                json!("La panne"),
            ),
            (
                "priority",
                "in",
                json!(["high", "critical"]),
                json!("critical"),
                json!("low"),
            ),
        ];
        for (field, op, value, yes, no) in cases {
            let rule = workflow(
                &admin,
                &json!({
                    "trigger": {"type": "record_created", "entity": "ticket"},
                    "conditions": {"all": [{"field": field, "op": op, "value": value}]},
                    "actions": [{"type": "update_field", "params": {"set": {
                        "status": "in_progress", "assigned_group": group["id"],
                    }}}],
                }),
            )
            .await;
            let made = async |value: &Json| {
                let mut ticket = json!({"title": "Autre"});
                ticket[field] = value.clone();
                let made = admin.post("/tickets", &ticket).await;
                assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
                made.json()
            };
            let other = made(&no).await;
            let fitting = made(&yes).await;
            let path = format!("/tickets/{}", id(&fitting));
            let set = until(&admin, &path, |ticket| ticket["status"] == "in_progress").await;
            assert_eq!(set["assigned_group"], group["id"]);
            let runs = ended(&admin, &rule, 1).await;
            assert_eq!(runs.len(), 1, "{op}: {runs:?}");
            assert_eq!(runs[0]["record"], fitting["id"], "{op}");
            let other = admin.get(&format!("/tickets/{}", id(&other))).await.json();
            assert_eq!(other["status"], "new", "{op}");
            let toggle = format!("/workflows/{}/activate", id(&rule));
            admin.post(&toggle, &json!({"active": false})).await;
        }
    })
    .await;
}
