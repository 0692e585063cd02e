//! People decide.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, until, workflow};
use crate::support::{Client, Server, on_both};

/// A rule that asks, and says what came of it.
async fn asking(admin: &Client, params: Json) -> Json {
    let rule = json!({
        "trigger": {"type": "record_created", "entity": "ticket"},
        "conditions": {"field": "title", "op": "starts_with", "value": "Achat"},
        "actions": [
            {"type": "request_approval", "id": "ask", "params": params},
            {"type": "comment", "params": {"body": "{{ steps.ask.decision }}"}},
        ],
    });
    workflow(admin, &rule).await
}

async fn me(client: &Client) -> Json {
    client.get("/auth/me").await.json()["id"].clone()
}

/// The question this person finds.
async fn asked(client: &Client) -> Json {
    let path = "/approvals?status=PENDING";
    let page = until(client, path, |page| !page["items"][0].is_null()).await;
    page["items"][0].clone()
}

async fn says(client: &Client, question: &Json, what: &str) -> StatusCode {
    let path = format!("/approvals/{}/{what}", id(question));
    client.post(&path, &json!({"comment": "vu"})).await.status
}

async fn people(server: &Server) -> (Client, Client, Client) {
    (
        server.admin().await,
        server.person("lea", "manager").await,
        server.person("max", "manager").await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn all_must_agree_each_once_and_nobody_to_his_own() {
    on_both(async |server| {
        let (admin, lea, max) = people(server).await;
        let approvers =
            json!([me(&admin).await, me(&lea).await, "max@example.org", {"role": "manager"}]);
        let rule = asking(&admin, json!({"approvers": approvers, "mode": "all"})).await;
        admin.ticket("Achat d’une pompe").await;
        let question = asked(&lea).await;
        assert_eq!(
            question["approvers"].as_array().map(Vec::len),
            Some(2),
            "{question}"
        );
        assert_eq!(
            (&question["quorum"], &question["subject"]),
            (&json!(2), &json!("Achat d’une pompe"))
        );
        // Whoever set it off sees it and does not decide.
        assert_eq!(
            says(&admin, &question, "approve").await,
            StatusCode::NOT_FOUND
        );
        let stranger = server.person("eve", "technician").await;
        assert_eq!(
            says(&stranger, &question, "approve").await,
            StatusCode::NOT_FOUND
        );
        assert_eq!(says(&lea, &question, "approve").await, StatusCode::OK);
        assert_eq!(
            says(&lea, &question, "approve").await,
            StatusCode::CONFLICT,
            "once"
        );
        assert_eq!(says(&max, &question, "approve").await, StatusCode::OK);
        assert_eq!(
            says(&max, &question, "reject").await,
            StatusCode::CONFLICT,
            "closed"
        );
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["status"], "SUCCESS", "{run}");
        let votes = admin
            .get(&format!("/approvals/{}/votes", id(&question)))
            .await
            .json();
        assert_eq!(votes["items"].as_array().map(Vec::len), Some(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_it_with_what_is_done_then() {
    on_both(async |server| {
        let (admin, lea, _) = people(server).await;
        let rule = asking(
            &admin,
            json!({
                "approvers": {"role": "manager"}, "mode": "all", "title": "Acheter {{ title }} ?",
                "on_reject": [
                    {"id": "tell", "type": "action", "use": "comment", "with": {"body": "refusé"}},
                ],
            }),
        )
        .await;
        let ticket = admin.ticket("Achat d’un bateau").await;
        let question = asked(&lea).await;
        assert_eq!(question["title"], "Acheter Achat d’un bateau ?");
        assert_eq!(says(&lea, &question, "reject").await, StatusCode::OK);
        ended(&admin, &rule, 1).await;
        let path = format!("/tickets/{}/comments", id(&ticket));
        let comments = admin.get(&path).await.json();
        let said: Vec<&Json> = comments["items"]
            .as_array()
            .expect("comments")
            .iter()
            .map(|comment| &comment["body"])
            .collect();
        assert_eq!(said, ["refusé"], "and nothing after it");
        let question = admin
            .get(&format!("/approvals/{}", id(&question)))
            .await
            .json();
        assert_eq!(question["status"], "REJECTED");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_decide_at_once_are_counted_exactly() {
    on_both(async |server| {
        let admin = server.admin().await;
        let mut people = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            people.push(server.person(name, "manager").await);
        }
        let rule = asking(&admin, json!({"approvers": {"role": "manager"}, "mode": 5})).await;
        admin.ticket("Achat commun").await;
        let question = asked(&people[0]).await;
        let votes = people
            .iter()
            .map(|person| says(person, &question, "approve"));
        let all = futures::future::join_all(votes).await;
        assert!(
            all.iter().all(|status| *status == StatusCode::OK),
            "{all:?}"
        );
        ended(&admin, &rule, 1).await;
        let question = admin
            .get(&format!("/approvals/{}", id(&question)))
            .await
            .json();
        assert_eq!(
            (&question["agreed"], &question["status"]),
            (&json!(5), &json!("APPROVED"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_answers_in_time_is_decided_as_the_rule_says() {
    on_both(async |server| {
        let (admin, ..) = people(server).await;
        for (on_timeout, status, said) in [
            ("approve", "SUCCESS", json!(["expired"])),
            ("reject", "SUCCESS", json!([])),
            ("fail", "FAILED", json!([])),
        ] {
            let params = json!({
                "approvers": {"role": "manager"}, "due_in": "20ms", "on_timeout": on_timeout,
            });
            let rule = asking(&admin, params).await;
            let ticket = admin.ticket("Achat oublié").await;
            let runs = ended(&admin, &rule, 1).await;
            assert_eq!(runs[0]["status"], status, "{on_timeout}");
            let path = format!("/tickets/{}/comments?fields=body", id(&ticket));
            let comments = admin.get(&path).await.json();
            let bodies: Vec<&Json> = comments["items"]
                .as_array()
                .expect("comments")
                .iter()
                .map(|comment| &comment["body"])
                .collect();
            assert_eq!(json!(bodies), said, "{on_timeout}");
            let toggle = format!("/workflows/{}/activate", id(&rule));
            admin.post(&toggle, &json!({"active": false})).await;
        }
        let left = admin.get("/approvals?status=PENDING").await.json();
        assert_eq!(left["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_several_is_enough_and_the_others_are_taken_back() {
    on_both(async |server| {
        let (admin, lea, max) = people(server).await;
        let ask = |id: &str, who: &str| {
            json!({"id": id, "steps": [{"id": format!("{id}_ask"), "type": "approval", "approvers": [who]}]})
        };
        let rule = workflow(
            &admin,
            &json!({
                "format": "opsflux.flow/1",
                "definition": {
                    "triggers": [{"type": "record_created", "entity": "ticket"}],
                    "steps": [{"id": "either", "type": "parallel", "join": "any", "branches": [
                        ask("lea", "lea@example.org"), ask("max", "max@example.org"),
                    ]}],
                },
            }),
        )
        .await;
        admin.ticket("Achat pressé").await;
        let (hers, his) = (asked(&lea).await, asked(&max).await);
        assert_ne!(hers["id"], his["id"]);
        assert_eq!(says(&max, &his, "approve").await, StatusCode::OK);
        assert_eq!(ended(&admin, &rule, 1).await[0]["status"], "SUCCESS");
        let hers = admin.get(&format!("/approvals/{}", id(&hers))).await.json();
        assert_eq!(hers["status"], "CANCELLED");
    })
    .await;
}
