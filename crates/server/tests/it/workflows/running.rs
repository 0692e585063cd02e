//! From a change to what it sets off.

use http::StatusCode;
use serde_json::json;

use super::{ended, execution, id, steps, until, workflow};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_ticket_sets_off_what_its_rule_says_and_every_step_is_told() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "name": "Panne critique",
                "trigger": {"type": "record_created", "entity": "ticket"},
                "conditions": {"all": [
                    {"field": "title", "op": "contains", "value": "Panne"},
                    {"field": "priority", "op": "==", "value": "critical"},
                ]},
                "actions": [
                    {"type": "update_field", "params": {"field": "description", "value": "{{ number }} : {{ title }}, par {{ created_by }}"}},
                    {"type": "add_tag", "params": {"tag": "urgent"}},
                    {"type": "assign_user", "params": {"user": {"role": "admin"}}},
                    {"type": "create_child", "params": {"set": {"title": "Commander la pièce de {{ ticket.title }}"}}},
                    {"type": "comment", "params": {"body": "Pris en charge par {{ assignee.email }}", "internal": true}},
                ],
            }),
        )
        .await;
        let other = admin.ticket("Panne sans gravité").await;
        let body = json!({"title": "PANNE de la pompe", "priority": "critical"});
        let ticket = admin.post("/tickets", &body).await.json();
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs.len(), 1, "the other one is not critical");
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!((&run["status"], &run["error"]), (&json!("SUCCESS"), &json!(null)));
        assert_eq!(run["subject"], "PANNE de la pompe");
        assert_eq!(run["conditions"]["all"][1]["found"], "critical");
        let places: Vec<_> = (1..=5).map(|n| (format!("action_{n}"), "DONE".to_owned())).collect();
        assert_eq!(steps(&run), places);

        let path = format!("/tickets/{}", id(&ticket));
        let now = admin.get(&path).await.json();
        let number = ticket["number"].as_str().expect("a number");
        assert_eq!(now["description"], format!("{number} : PANNE de la pompe, par Administrateur"));
        assert_eq!(now["tags"], json!(["urgent"]));
        assert_eq!(now["assignee"], now["created_by"]);
        let children = admin.get(&format!("{path}/children")).await.json();
        assert_eq!(children["items"][0]["title"], "Commander la pièce de PANNE de la pompe");
        let comments = admin.get(&format!("{path}/comments")).await.json();
        assert_eq!(comments["items"][0]["body"], "Pris en charge par admin@opsflux.local");
        let history = admin.get(&format!("{path}/history?limit=1")).await.json();
        assert_eq!(history["items"][0]["reason"], "workflow Panne critique");

        let stats = admin.get(&format!("/workflows/{}/stats", id(&rule))).await.json();
        assert_eq!(
            (&stats["total"], &stats["success"], &stats["success_rate"]),
            (&json!(1), &json!(1), &json!(1.0))
        );
        let other = admin.get(&format!("/tickets/{}", id(&other))).await.json();
        assert_eq!(other["version"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_decides_by_the_very_change_however_late_it_is_looked_at() {
    on_both(async |server| {
        let admin = server.admin().await;
        let ticket = admin.ticket("Sas").await;
        let path = format!("/tickets/{}", id(&ticket));
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_updated", "entity": "ticket", "changed": ["priority"]},
                "conditions": {"all": [
                    {"field": "priority", "op": "changed_from", "value": "medium"},
                    {"field": "priority", "op": "changed_to", "value": "high"},
                ]},
                "actions": [{"type": "comment", "params": {"body": "Plus vite"}}],
            }),
        )
        .await;
        let moved = workflow(
            &admin,
            &json!({
                "trigger": {"type": "state_changed", "entity": "ticket", "from": ["new"], "to": ["in_progress"]},
                "actions": [{"type": "comment", "params": {"body": "Commencé"}}],
            }),
        )
        .await;
        // One after the other, faster than anybody looks.
        for change in [
            json!({"title": "Sas nord"}),
            json!({"priority": "high"}),
            json!({"priority": "low"}),
            json!({"priority": "high"}),
            json!({"status": "in_progress"}),
            json!({"status": "on_hold"}),
            json!({"status": "in_progress"}),
        ] {
            let changed = admin.patch(&path, &change).await;
            assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        }
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs.len(), 1, "only once from medium to high");
        assert_eq!(runs[0]["trigger"]["version"], 3);
        let runs = ended(&admin, &moved, 1).await;
        assert_eq!(runs.len(), 1, "only once from new");
        let comments = admin.get(&format!("{path}/comments")).await.json();
        assert_eq!(comments["items"].as_array().map(Vec::len), Some(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_branch_run_at_once_and_repeat() {
    on_both(async |server| {
        let admin = server.admin().await;
        let note = |id: &str, body: &str| {
            json!({"id": id, "type": "action", "use": "comment", "with": {"body": body}})
        };
        let rule = workflow(
            &admin,
            &json!({
                "format": "opsflux.flow/1",
                "definition": {
                    "triggers": [{"type": "manual", "entity": "ticket"}],
                    "steps": [
                        {"id": "which", "type": "branch", "cases": [
                            {"when": {"field": "priority", "op": "eq", "value": "high"}, "steps": [note("high", "haut")]},
                        ], "else": [note("low", "bas")]},
                        {"id": "both", "type": "parallel", "branches": [
                            {"id": "a", "steps": [note("one", "un"), note("two", "deux")]},
                            {"id": "b", "steps": [{"id": "rest", "type": "wait", "for": "1ms"}, note("three", "trois")]},
                        ]},
                        {"id": "each", "type": "foreach", "in": ["x", "y"], "as": "letter",
                         "steps": [note("letter_note", "lettre {{ letter }}")]},
                        {"id": "enough", "type": "stop", "message": "assez de {{ title }}"},
                        note("never", "jamais"),
                    ],
                },
            }),
        )
        .await;
        let ticket = admin.ticket("Vanne").await;
        let run = format!("/workflows/{}/execute", id(&rule));
        let begun = admin.post(&run, &json!({"record_id": ticket["number"]})).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
        assert_eq!(begun.json()["status"], "RUNNING");
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["status"], "SUCCESS", "{run}");
        let places: Vec<String> = steps(&run).into_iter().map(|(place, _)| place).collect();
        for place in [
            "which.low", "both.a.one", "both.a.two", "both.b.rest", "both.b.three",
            "each[0].letter_note", "each[1].letter_note", "enough",
        ] {
            assert!(places.iter().any(|known| known == place), "{place}: {places:?}");
        }
        let path = format!("/tickets/{}/comments", id(&ticket));
        let comments = admin.get(&path).await.json();
        let said: std::collections::BTreeSet<&str> = comments["items"]
            .as_array()
            .expect("comments")
            .iter()
            .map(|comment| comment["body"].as_str().expect("a text"))
            .collect();
        assert_eq!(
            said,
            ["bas", "deux", "lettre x", "lettre y", "trois", "un"].into()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_set_each_other_off_come_to_an_end() {
    on_both(async |server| {
        let admin = server.admin().await;
        let swap = |to: &str| {
            json!({
                "trigger": {"type": "record_updated", "entity": "ticket"},
                "conditions": {"field": "priority", "op": "ne", "value": to},
                "actions": [{"type": "update_field", "params": {"field": "priority", "value": to}}],
            })
        };
        let high = workflow(&admin, &swap("high")).await;
        let low = workflow(&admin, &swap("low")).await;
        let ticket = admin.ticket("Anneau").await;
        let path = format!("/tickets/{}", id(&ticket));
        admin.patch(&path, &json!({"title": "Anneau rompu"})).await;
        assert_eq!(ended(&admin, &high, 1).await.len(), 1);
        assert_eq!(ended(&admin, &low, 1).await.len(), 1);
        // Whoever comes first: each has worked on the ticket once, and that was all.
        let marker = admin.ticket("Anneau second").await;
        admin
            .patch(
                &format!("/tickets/{}", id(&marker)),
                &json!({"title": "Fin"}),
            )
            .await;
        ended(&admin, &low, 2).await;
        let runs = ended(&admin, &high, 2).await;
        assert_eq!(runs.len(), 2, "one for each ticket");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_does_what_its_owner_may_and_nothing_more() {
    on_both(async |server| {
        let admin = server.admin().await;
        let boss = server.person("boss", "manager").await;
        let rule = workflow(
            &boss,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "actions": [{"type": "create_record", "params": {
                    "entity": "role", "set": {"name": "secret_power", "label": "Power"},
                }}],
            }),
        )
        .await;
        admin.ticket("Rien à voir").await;
        let runs = ended(&boss, &rule, 1).await;
        assert_eq!(runs[0]["status"], "FAILED");
        let why = runs[0]["error"].as_str().expect("a reason");
        assert!(why.contains("not allowed to create role"), "{why}");
        let roles = admin.get("/roles?name=secret_power").await.json();
        assert_eq!(roles["items"], json!([]));
        // Nor is it somebody else's to see or to run.
        let other = server.person("other", "manager").await;
        let path = format!("/workflows/{}", id(&rule));
        assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
        let run = other.post(&format!("{path}/execute"), &json!({})).await;
        assert_eq!(run.status, StatusCode::NOT_FOUND);
        // And when its owner may not act any more, it does not either.
        let me = boss.get("/auth/me").await.json();
        let away = json!({"status": "suspended"});
        admin.patch(&format!("/users/{}", id(&me)), &away).await;
        let ticket = admin.ticket("Après").await;
        let marker = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_updated", "entity": "ticket"},
                "actions": [{"type": "comment", "params": {"body": "vu"}}],
            }),
        )
        .await;
        admin
            .patch(
                &format!("/tickets/{}", id(&ticket)),
                &json!({"title": "Après tout"}),
            )
            .await;
        ended(&admin, &marker, 1).await;
        assert_eq!(ended(&admin, &rule, 1).await.len(), 1, "no second run");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_may_not_see_sets_nothing_off_deleted_or_not() {
    on_both(async |server| {
        let admin = server.admin().await;
        // A role that writes rules and sees no tickets but its own.
        let permission = |app: &str, action: &str, scope: &str| {
            json!({"app": app, "action": action, "scope": scope})
        };
        let role = json!({
            "name": "rule_writer", "label": "Rule writer",
            "permissions": [
                permission("workflows", "view", "own"), permission("workflows", "create", "all"),
                permission("workflows", "edit", "own"), permission("executions", "view", "own"),
                permission("tickets", "view", "own"), permission("tickets", "create", "all"),
                permission("tickets", "delete", "own"),
            ],
        });
        let made = admin.post("/roles", &role).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let writer = server.person("writer", "rule_writer").await;
        let rule = workflow(
            &writer,
            &json!({
                "trigger": {"type": "record_deleted", "entity": "ticket"},
                "actions": [{"type": "wait", "params": {"for": "1ms"}}],
            }),
        )
        .await;
        for client in [&admin, &writer] {
            let ticket = client.ticket("Licenciements").await;
            let gone = client.delete(&format!("/tickets/{}", id(&ticket))).await;
            assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
        }
        let mine = writer.get("/auth/me").await.json()["id"].clone();
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs.len(), 1, "the other one was out of sight: {runs:?}");
        assert_eq!(runs[0]["trigger"]["by"], mine);

        // Nor does he run what acts with the rights of another.
        let patch = json!({"actions": [{"type": "wait", "params": {"for": "2ms"}}]});
        let path = format!("/workflows/{}", id(&rule));
        assert_eq!(admin.patch(&path, &patch).await.status, StatusCode::OK);
        let ticket = writer.ticket("Le mien").await;
        let run = json!({"record_id": ticket["id"]});
        let run = writer.post(&format!("{path}/execute"), &run).await;
        assert_eq!(run.status, StatusCode::FORBIDDEN, "{}", run.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_says_why_and_the_others_go_on_when_told_to() {
    on_both(async |server| {
        let admin = server.admin().await;
        let actions = |on_failure: &str| {
            json!([
                {"type": "update_field", "params": {"field": "parent", "value": "{{ id }}"}, "on_failure": on_failure},
                {"type": "comment", "params": {"body": "malgré {{ steps.action_1.error }}"}},
            ])
        };
        let rule = |on_failure: &str| {
            json!({
                "trigger": {"type": "manual", "entity": "ticket"}, "actions": actions(on_failure),
            })
        };
        let ticket = admin.ticket("Cycle").await;
        for (on_failure, status, comments) in [("stop", "FAILED", 0), ("continue", "SUCCESS", 1)] {
            let rule = workflow(&admin, &rule(on_failure)).await;
            let run = format!("/workflows/{}/execute", id(&rule));
            admin.post(&run, &json!({"record_id": ticket["id"]})).await;
            let runs = ended(&admin, &rule, 1).await;
            let run = execution(&admin, &rule, &runs[0]).await;
            assert_eq!(run["status"], status, "{run}");
            let why = run["steps"][0]["error"].as_str().expect("a reason");
            assert!(why.contains("parent"), "{why}");
            let path = format!("/tickets/{}/comments", id(&ticket));
            let found = admin.get(&path).await.json();
            assert_eq!(found["items"].as_array().map(Vec::len), Some(comments));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_can_be_stopped_and_a_rule_taken_out_of_force() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "actions": [
                    {"type": "wait", "params": {"for": "90 days"}},
                    {"type": "comment", "params": {"body": "trop tard"}},
                ],
            }),
        )
        .await;
        admin.ticket("Attente").await;
        let path = format!("/workflows/{}/executions", id(&rule));
        let waiting = |page: &serde_json::Value| page["items"][0]["status"] == "WAITING";
        let page = until(&admin, &path, waiting).await;
        let wake = page["items"][0]["wake_at"].as_str().expect("a moment");
        let wake: jiff::Timestamp = wake.parse().expect("a moment");
        assert!(wake > jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 89));
        let stop = format!("/executions/{}/cancel", id(&page["items"][0]));
        assert_eq!(
            admin.post(&stop, &json!({})).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            admin.post(&stop, &json!({})).await.status,
            StatusCode::CONFLICT
        );
        assert_eq!(ended(&admin, &rule, 1).await[0]["status"], "CANCELLED");

        let toggle = format!("/workflows/{}/activate", id(&rule));
        let off = admin.post(&toggle, &json!({"active": false})).await.json();
        assert_eq!(off["status"], "INACTIVE");
        admin.ticket("Personne n’écoute").await;
        let on = admin
            .write(http::Method::POST, &toggle, &[], &json!({}))
            .await
            .json();
        assert_eq!(on["status"], "ACTIVE");
        admin.ticket("De nouveau").await;
        let page = until(&admin, &path, |page| {
            page["items"][0]["subject"] == "De nouveau"
        })
        .await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    })
    .await;
}
