//! What is refused when a workflow is saved, and what is kept.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::{id, workflow};
use crate::support::{Server, on_both};

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_named_at_its_place_and_nothing_is_saved() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let trigger = json!({"type": "record_created", "entity": "ticket"});
    let note = json!([{"type": "comment", "params": {"body": "x"}}]);
    let deep = (0..1_000).fold(
        json!({"field": "title", "op": "eq", "value": "x"}),
        |inner, _| json!({"not": inner}),
    );
    let deep = if deep.to_string().len() > 8_000 {
        json!({"all": vec![json!({"field": "title", "op": "eq", "value": "x"}); 300]})
    } else {
        deep
    };
    for (body, places) in [
        (json!({}), vec!["trigger"]),
        (
            json!({"trigger": {"type": "earthquake"}, "actions": note}),
            vec!["trigger.type"],
        ),
        (
            json!({"trigger": {"type": "record_created"}, "actions": note}),
            vec!["trigger.entity"],
        ),
        (
            json!({"trigger": {"type": "record_created", "entity": "dragon"}, "actions": note}),
            vec!["trigger.entity"],
        ),
        (
            json!({"trigger": {"type": "record_updated", "entity": "ticket", "changed": ["colour"]}, "actions": note}),
            vec!["trigger.changed"],
        ),
        (
            json!({"trigger": {"type": "state_changed", "entity": "ticket", "to": ["gone"]}, "actions": note}),
            vec!["trigger.to"],
        ),
        (json!({"trigger": trigger, "actions": []}), vec!["actions"]),
        (
            json!({"trigger": trigger, "conditions": [{"field": "colour", "op": "eq", "value": 1}], "actions": note}),
            vec!["conditions"],
        ),
        (
            json!({"trigger": trigger, "conditions": [{"field": "title", "op": "smells", "value": 1}], "actions": note}),
            vec!["conditions"],
        ),
        (
            json!({"trigger": trigger, "conditions": deep, "actions": note}),
            vec!["conditions"],
        ),
        (
            json!({"trigger": trigger, "actions": [
                {"type": "explode", "params": {}},
                {"type": "comment", "params": {"body": "{{ titel }}", "colour": 1}},
                {"type": "comment", "params": {}},
                {"type": "update_field", "params": {"field": "colour", "value": 1}},
                {"type": "comment", "params": {"body": "{{ title "}},
                {"type": "comment", "params": {"body": "{{ assignee.shoe_size }}"}},
            ]}),
            vec![
                "actions.0",
                "actions.1",
                "actions.1.params.colour",
                "actions.2.params.body",
                "actions.3.params.colour",
                "actions.4.params.body",
                "actions.5",
            ],
        ),
        (
            json!({"trigger": trigger, "actions": [
                {"type": "wait", "params": {"for": "soon"}},
                {"type": "request_approval", "params": {"due_in": "-1h"}},
                {"type": "comment", "id": "1x", "params": {"body": "x"}, "tries": 99, "why": 1},
            ]}),
            vec![
                "actions.0.params.for",
                "actions.1.params.approvers",
                "actions.1.params.due_in",
                "actions.2.id",
                "actions.2.tries",
                "actions.2.why",
            ],
        ),
        (
            json!({"format": "bpmn", "definition": {}}),
            vec!["definition.steps", "definition.triggers", "format"],
        ),
        (
            json!({"format": "opsflux.flow/1", "definition": {"triggers": [trigger], "steps": [
                {"id": "a", "type": "stop"}, {"id": "a", "type": "stop"},
                {"id": "b", "type": "parallel", "branches": [], "join": 3},
                {"id": "c", "type": "branch", "cases": []},
                {"type": "stop"},
            ]}}),
            vec![
                "definition.steps.2.branches",
                "definition.steps.2.join",
                "definition.steps.3.cases",
                "definition.steps.4.id",
                "steps",
            ],
        ),
    ] {
        let mut whole = json!({"name": "Wrong", "status": "ACTIVE"});
        if let (Some(whole), Some(body)) = (whole.as_object_mut(), body.as_object()) {
            whole.extend(body.clone());
        }
        let answer = admin.post("/workflows", &whole).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{whole}: {}",
            answer.text()
        );
        let problem = answer.json();
        let errors = problem["errors"].as_array().expect("errors");
        let mut found: Vec<&str> = errors
            .iter()
            .map(|error| error["field"].as_str().expect("a field"))
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, places, "{problem}");
        let told = errors
            .iter()
            .all(|error| error["message"].as_str().is_some_and(|m| m.len() > 5));
        assert!(told, "{problem}");
    }
    // What is wrong is named in the language of whoever wrote it.
    for (trigger, body, named) in [
        (
            json!({"type": "scheduled", "cron": "99 * * * *"}),
            "x",
            "99 * * * *",
        ),
        (
            json!({"type": "manual", "entity": "ticket"}),
            "{{ title ",
            "{{ title",
        ),
    ] {
        let actions = json!([{"type": "comment", "params": {"body": body}}]);
        let whole = json!({"name": "Wrong", "trigger": trigger, "actions": actions});
        let french = admin.in_language("fr");
        let problem = french.post("/workflows", &whole).await.json();
        let message = problem["errors"][0]["message"].as_str().expect("words");
        assert!(message.contains(named), "{problem}");
    }
    let none = admin.get("/workflows").await.json();
    assert_eq!(none["items"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_be_empty_and_every_version_is_kept() {
    on_both(async |server| {
        let admin = server.admin().await;
        let draft = admin
            .post("/workflows", &json!({"name": "Plus tard"}))
            .await;
        assert_eq!(draft.status, StatusCode::CREATED, "{}", draft.text());
        let draft = draft.json();
        assert_eq!(
            (&draft["status"], &draft["revision"]),
            (&json!("DRAFT"), &json!(0))
        );
        let path = format!("/workflows/{}", id(&draft));
        let on = admin
            .post(&format!("{path}/activate"), &json!({"active": true}))
            .await;
        assert_eq!(
            on.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "there is nothing to do"
        );

        let body = |text: &str| {
            json!({
                "name": "Plus tard", "status": "ACTIVE",
                "trigger": {"type": "manual", "entity": "ticket"},
                "actions": [{"type": "comment", "params": {"body": text}}],
            })
        };
        for (text, revision) in [("un", 1), ("deux", 2), ("deux", 2)] {
            let saved = admin.write(Method::PUT, &path, &[], &body(text)).await;
            assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
            let saved = saved.json();
            assert_eq!(saved["revision"], revision);
            assert_eq!(saved["actions"], body(text)["actions"], "as it was written");
            assert_eq!(saved["conditions"], Json::Null);
        }
        let versions = admin
            .get(&format!("{path}/versions?sort=created_at"))
            .await
            .json();
        let texts: BTreeMap<i64, &Json> = versions["items"]
            .as_array()
            .expect("versions")
            .iter()
            .map(|version| {
                let text = &version["content"]["actions"][0]["params"]["body"];
                (version["revision"].as_i64().expect("a number"), text)
            })
            .collect();
        assert_eq!(
            texts,
            BTreeMap::from([(1, &json!("un")), (2, &json!("deux"))])
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_keeps_to_the_version_it_began_with() {
    on_both(async |server| {
        let admin = server.admin().await;
        let lea = server.person("lea", "manager").await;
        let body = |text: &str| {
            json!({
                "trigger": {"type": "manual", "entity": "ticket"},
                "actions": [
                    {"type": "request_approval", "params": {"approvers": ["lea@example.org"]}},
                    {"type": "comment", "params": {"body": text}},
                ],
            })
        };
        let rule = workflow(&admin, &body("ancien")).await;
        let ticket = admin.ticket("Version").await;
        let path = format!("/workflows/{}", id(&rule));
        let run = json!({"entity": "ticket", "record_id": ticket["id"]});
        admin.post(&format!("{path}/execute"), &run).await;
        let question = super::until(&lea, "/approvals?status=PENDING", |page| {
            !page["items"][0].is_null()
        })
        .await["items"][0]
            .clone();
        let patch = json!({"actions": body("nouveau")["actions"]});
        assert_eq!(admin.patch(&path, &patch).await.status, StatusCode::OK);
        let approve = format!("/approvals/{}/approve", id(&question));
        assert_eq!(lea.post(&approve, &json!({})).await.status, StatusCode::OK);
        super::ended(&admin, &rule, 1).await;
        let comments = admin
            .get(&format!("/tickets/{}/comments", id(&ticket)))
            .await
            .json();
        assert_eq!(comments["items"][0]["body"], "ancien");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_hand_says_why_its_conditions_do_not_hold() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "conditions": {"any": [
                    {"field": "priority", "op": "eq", "value": "critical"},
                    {"not": {"field": "requester.email", "op": "contains", "value": "opsflux"}},
                ]},
                "actions": [{"type": "comment", "params": {"body": "x"}}],
            }),
        )
        .await;
        let toggle = format!("/workflows/{}/activate", id(&rule));
        admin.post(&toggle, &json!({"active": false})).await;
        let ticket = admin.ticket("Calme").await;
        let run = format!("/workflows/{}/execute", id(&rule));
        let answer = admin.post(&run, &json!({"record_id": ticket["id"]})).await;
        let told = answer.json();
        assert_eq!(told["status"], "SKIPPED", "{told}");
        let any = &told["conditions"]["any"];
        assert_eq!(
            (&any[0]["found"], &any[0]["holds"]),
            (&json!("medium"), &json!(false))
        );
        assert_eq!(any[1]["not"]["found"], "admin@opsflux.local");
        for (body, field) in [
            (json!({}), "record_id"),
            (json!({"record_id": "TIC-999999"}), "record_id"),
            (json!({"entity": "dragon", "record_id": "x"}), "entity"),
            (json!({"record_id": "x", "colour": 1}), "colour"),
        ] {
            let answer = admin.post(&run, &body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            assert_eq!(answer.json()["errors"][0]["field"], field, "{body}");
        }
    })
    .await;
}
