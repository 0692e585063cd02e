//! People who come and go, what fails by itself, and why something did not start.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::{ended, id, workflow};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_and_out_sets_off_what_is_about_the_person() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = |kind: &str| {
            json!({
                "trigger": {"type": kind},
                "conditions": {"field": "email", "op": "starts_with", "value": "lea@"},
                "actions": [{"type": "create_record", "params": {
                    "entity": "ticket", "set": {"title": "{{ trigger.type }} de {{ email }}"},
                }}],
            })
        };
        let (comes, goes) = (
            workflow(&admin, &rule("login")).await,
            workflow(&admin, &rule("logout")).await,
        );
        let lea = server.person("lea", "manager").await;
        assert_eq!(ended(&admin, &comes, 1).await[0]["status"], "SUCCESS");
        let out = lea
            .write(Method::POST, "/auth/logout", &[], &json!({}))
            .await;
        assert!(out.status.is_success(), "{}", out.text());
        let runs = ended(&admin, &goes, 1).await;
        assert_eq!((runs.len(), &runs[0]["status"]), (1, &json!("SUCCESS")));
        for title in ["login", "logout"] {
            let path = format!("/tickets?title={title}%20de%20lea@example.org");
            let found = admin.get(&path).await.json();
            assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{title}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_good_is_told_to_who_wants_to_know_and_may() {
    on_both(async |server| {
        let admin = server.admin().await;
        let boss = server.person("boss", "manager").await;
        let watch = json!({
            "name": "Veille",
            "trigger": {"type": "system_error"},
            "conditions": {"field": "trigger.kind", "op": "eq", "value": "execution"},
            "actions": [{"type": "create_record", "params": {
                "entity": "ticket", "set": {"title": "En panne : {{ trigger.workflow }}", "description": "{{ trigger.error }}"},
            }}],
        });
        let seen = workflow(&admin, &watch).await;
        let unseen = workflow(&boss, &watch).await;
        let stop = json!({
            "name": "Cassé", "status": "ACTIVE", "format": "opsflux.flow/1",
            "definition": {
                "triggers": [{"type": "manual"}],
                "steps": [{"id": "no", "type": "stop", "status": "failed", "message": "panne voulue"}],
            },
        });
        let broken = workflow(&admin, &stop).await;
        let run = admin.post(&format!("/workflows/{}/execute", id(&broken)), &json!({})).await;
        assert_eq!(run.status, StatusCode::CREATED, "{}", run.text());
        let runs = ended(&admin, &seen, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        let tickets = admin.get("/tickets?limit=50").await.json();
        let items = tickets["items"].as_array().expect("tickets");
        let told = items.iter().find(|ticket| ticket["title"] == "En panne : Cassé");
        assert_eq!(told.expect("a ticket")["description"], "panne voulue");
        let none = boss.get(&format!("/workflows/{}/executions", id(&unseen))).await.json();
        assert_eq!(none["items"], json!([]), "it was not his to know");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_did_not_start_says_who_said_no() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_updated", "entity": "ticket", "changed": ["priority"]},
                "conditions": {"field": "priority", "op": "changed_to", "value": "critical"},
                "actions": [{"type": "comment", "params": {"body": "vu"}}],
            }),
        )
        .await;
        let ticket = admin.ticket("Pourquoi").await;
        let path = format!("/tickets/{}", id(&ticket));
        let number = ticket["number"].as_str().expect("a number");
        let why = format!("/workflows/{}/why?record={number}", id(&rule));
        let no = async || {
            let told = admin.get(&why).await;
            assert_eq!(told.status, StatusCode::OK, "{}", told.text());
            let told = told.json();
            let checks = told["checks"].as_array().expect("checks").clone();
            let no: Vec<Json> = checks
                .iter()
                .filter(|check| check["holds"] == false)
                .cloned()
                .collect();
            assert_eq!(told["starts"], no.is_empty());
            (no, told)
        };
        let names = |no: &[Json]| {
            no.iter()
                .map(|check| check["check"].clone())
                .collect::<Vec<_>>()
        };
        admin.patch(&path, &json!({"title": "Pourquoi pas"})).await;
        let (said, _) = no().await;
        assert_eq!(names(&said), ["trigger", "conditions"]);
        assert_eq!(said[0]["found"]["triggers"][0]["why"], "not_changed");
        admin.patch(&path, &json!({"priority": "high"})).await;
        let (said, _) = no().await;
        assert_eq!(names(&said), ["conditions"]);
        assert_eq!(
            (&said[0]["found"]["found"], &said[0]["found"]["value"]),
            (&json!("high"), &json!("critical"))
        );
        admin.patch(&path, &json!({"priority": "critical"})).await;
        ended(&admin, &rule, 1).await;
        admin
            .post(
                &format!("/workflows/{}/activate", id(&rule)),
                &json!({"active": false}),
            )
            .await;
        let (said, told) = no().await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(names(&said)[0], "status");
        assert_eq!(told["executions"].as_array().map(Vec::len), Some(1));
        // What it may do is its owner's to know.
        let boss = server.person("boss", "manager").await;
        assert_eq!(boss.get(&why).await.status, StatusCode::NOT_FOUND);
        let unknown = admin
            .get(&format!("/workflows/{}/why?record=TIC-999999", id(&rule)))
            .await;
        assert_eq!(
            unknown.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            unknown.text()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_before_saving_is_in_the_answer_and_in_the_one_change() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "name": "Qualification",
                "trigger": {"type": "before_save", "entity": "ticket", "changed": ["title"]},
                "conditions": {"field": "title", "op": "contains", "value": "panne"},
                "actions": [{"type": "update_field", "params": {"set": {
                    "priority": "critical", "description": "{{ title }} ({{ kind }})",
                }}}],
            }),
        )
        .await;
        let body = json!({"title": "Panne de pompe", "priority": "low"});
        let made = admin.post("/tickets", &body).await.json();
        assert_eq!((&made["priority"], &made["version"]), (&json!("critical"), &json!(1)));
        assert_eq!(made["description"], "Panne de pompe (incident)");
        let path = format!("/tickets/{}", id(&made));
        let history = admin.get(&format!("{path}/history?limit=1")).await.json();
        assert_eq!(history["items"][0]["reason"], "rule Qualification");
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        let run = super::execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["steps"][0]["output"]["set"]["priority"], "critical");
        // Another field is none of its business; nor is what does not hold.
        let low = admin.patch(&path, &json!({"priority": "low"})).await.json();
        assert_eq!(low["priority"], "low");
        let calm = admin.ticket("Calme").await;
        assert_eq!(calm["priority"], "medium");
        assert_eq!(ended(&admin, &rule, 1).await.len(), 1);

        // It may refuse, and then nothing is saved.
        let refuse = workflow(
            &admin,
            &json!({
                "format": "opsflux.flow/1",
                "definition": {
                    "triggers": [{"type": "before_save", "entity": "ticket"}],
                    "when": {"field": "title", "op": "starts_with", "value": "Interdit"},
                    "steps": [{"id": "no", "type": "stop", "status": "failed", "message": "Pas de « {{ title }} » ici"}],
                },
            }),
        )
        .await;
        let refused = admin.post("/tickets", &json!({"title": "Interdit"})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["message"], "Pas de « Interdit » ici");
        let none = admin.get("/tickets?title=Interdit").await.json();
        assert_eq!(none["items"], json!([]));
        assert_eq!(ended(&admin, &refuse, 0).await.len(), 0);

        // It sets what its owner may, on what he may edit.
        let boss = server.person("boss", "manager").await;
        let stranger = json!({
            "trigger": {"type": "before_save", "entity": "role"},
            "actions": [{"type": "update_field", "params": {"field": "label", "value": "pris"}}],
        });
        let mut stranger = stranger;
        stranger["name"] = json!("x");
        stranger["status"] = json!("ACTIVE");
        boss.post("/workflows", &stranger).await;
        let role = json!({"name": "plain_role", "label": "Simple"});
        let role = admin.post("/roles", &role).await.json();
        assert_eq!(role["label"], "Simple");
        for (actions, code) in [
            (json!([{"type": "comment", "params": {"body": "x"}}]), "not_before_saving"),
            (json!([{"type": "update_field", "params": {"field": "title", "value": "{{ assignee.email }}"}}]), "not_before_saving"),
        ] {
            let body = json!({
                "name": "y", "status": "ACTIVE", "actions": actions,
                "trigger": {"type": "before_save", "entity": "ticket"},
            });
            let refused = admin.post("/workflows", &body).await;
            assert_eq!(refused.json()["errors"][0]["code"], code, "{}", refused.text());
        }
    })
    .await;
}
