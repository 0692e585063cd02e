//! What time sets off, and what it takes away. The clock itself is moved in the database: what a
//! test waits for is never an hour.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, id, until, workflow};
use crate::support::{Client, Server, on_both};

/// The workflow, once the clock has worked out when it is to look at it.
async fn armed(client: &Client, workflow: &Json) -> Json {
    let path = format!("/workflows/{}", id(workflow));
    until(client, &path, |workflow| workflow["armed"] == true).await
}

/// Makes a moment of a table's rows long past.
fn make_past(server: &Server, table: &str, column: &str) {
    let past = match server.database_url() {
        Some(_) => "to_timestamp(0)",
        None => "0",
    };
    server.sql(&format!(
        "UPDATE {table} SET {column} = {past} WHERE {column} IS NOT NULL"
    ));
}

/// As if the moment had come that the clock waits for.
async fn its_time(server: &Server, client: &Client, workflow: &Json) {
    let before = armed(client, workflow).await;
    make_past(server, "r_workflow", "next_run_at");
    let path = format!("/workflows/{}", id(workflow));
    let moved = |now: &Json| {
        let next = now["next_run_at"].as_str().unwrap_or_default();
        now["last_run_at"] != before["last_run_at"] && next > "2000"
    };
    until(client, &path, moved).await;
}

fn noting(trigger: Json) -> Json {
    json!({
        "trigger": trigger,
        "conditions": {"field": "priority", "op": "eq", "value": "high"},
        "actions": [{"type": "comment", "params": {"body": "{{ trigger.type }}"}}],
    })
}

async fn ticket(client: &Client, title: &str, priority: &str, more: Json) -> Json {
    let mut body = json!({"title": title, "priority": priority});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    let made = client.post("/tickets", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_runs_once_for_each_record_that_fits_and_once_for_all_that_was_missed() {
    on_both(async |server| {
        let admin = server.admin().await;
        for (title, priority) in [("A", "high"), ("B", "low"), ("C", "high")] {
            ticket(&admin, title, priority, json!({})).await;
        }
        let trigger =
            json!({"type": "scheduled", "frequency": "daily", "at": "08:00", "entity": "ticket"});
        let rule = workflow(&admin, &noting(trigger)).await;
        let next = armed(&admin, &rule).await["next_run_at"].clone();
        let next: jiff::Timestamp = next.as_str().expect("a moment").parse().expect("one");
        let ahead = next.duration_since(jiff::Timestamp::now());
        assert!(
            ahead > jiff::SignedDuration::ZERO && ahead <= jiff::SignedDuration::from_hours(24)
        );
        its_time(server, &admin, &rule).await;
        let mut subjects: Vec<Json> = ended(&admin, &rule, 2)
            .await
            .iter()
            .map(|run| run["subject"].clone())
            .collect();
        subjects.sort_by_key(ToString::to_string);
        assert_eq!(
            subjects,
            ["A", "C"],
            "fifty years were missed, and made up for once"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_touched_is_found_once_until_somebody_touches_it() {
    on_both(async |server| {
        let admin = server.admin().await;
        let old = ticket(&admin, "Oublié", "high", json!({})).await;
        let trigger = json!({"type": "inactivity_delay", "entity": "ticket", "days": 0});
        let mut rule = noting(trigger);
        // A comment does not touch the ticket.
        rule["actions"][0]["params"]["body"] = json!("toujours là ?");
        let rule = workflow(&admin, &rule).await;
        for _ in 0..2 {
            its_time(server, &admin, &rule).await;
            assert_eq!(ended(&admin, &rule, 1).await.len(), 1, "once");
        }
        let path = format!("/tickets/{}", id(&old));
        admin.patch(&path, &json!({"title": "Repris"})).await;
        its_time(server, &admin, &rule).await;
        assert_eq!(ended(&admin, &rule, 2).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_comes_near_is_told_once_and_again_when_it_is_moved() {
    on_both(async |server| {
        let admin = server.admin().await;
        let now = jiff::Timestamp::now();
        let within = |hours: i64| json!({"due_at": now + jiff::SignedDuration::from_hours(hours)});
        let near = ticket(&admin, "Bientôt", "high", within(1)).await;
        ticket(&admin, "Plus tard", "high", within(9)).await;
        ticket(&admin, "Jamais", "high", json!({})).await;
        let trigger =
            json!({"type": "deadline", "entity": "ticket", "field": "due_at", "before": "2h"});
        let rule = workflow(&admin, &noting(trigger)).await;
        for _ in 0..2 {
            its_time(server, &admin, &rule).await;
            let runs = ended(&admin, &rule, 1).await;
            assert_eq!((runs.len(), &runs[0]["subject"]), (1, &json!("Bientôt")));
        }
        let path = format!("/tickets/{}", id(&near));
        let moved = json!({"due_at": now + jiff::SignedDuration::from_mins(90)});
        admin.patch(&path, &moved).await;
        its_time(server, &admin, &rule).await;
        assert_eq!(ended(&admin, &rule, 2).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_go_ninety_days_after_their_end_with_all_that_hangs_on_them() {
    on_both(async |server| {
        let admin = server.admin().await;
        let lea = server.person("lea", "manager").await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "record_created", "entity": "ticket"},
                "actions": [{"type": "request_approval", "params": {"approvers": ["lea@example.org"]}}],
            }),
        )
        .await;
        admin.ticket("Vieux").await;
        let asked = until(&lea, "/approvals?status=PENDING", |page| !page["items"][0].is_null()).await;
        let approve = format!("/approvals/{}/approve", id(&asked["items"][0]));
        assert_eq!(lea.post(&approve, &json!({})).await.status, StatusCode::OK);
        ended(&admin, &rule, 1).await;
        make_past(server, "r_execution", "ended_at");
        let young = admin.ticket("Jeune").await;
        let path = format!("/workflows/{}/executions", id(&rule));
        until(&admin, &path, |page| page["items"][0]["subject"] == young["title"]).await;
        let engine = &server.running.app.workflows;
        assert!(engine.forget_what_is_past(1).await.expect("a turn"));
        assert!(!engine.forget_what_is_past(1).await.expect("a turn"), "nothing is left");
        let left = admin.get(&path).await.json();
        assert_eq!(left["items"].as_array().map(Vec::len), Some(1));
        for list in ["/approvals", "/step-runs"] {
            let left = admin.get(list).await.json();
            assert_eq!(left["items"].as_array().map(Vec::len), Some(1), "{list}: of the young one");
        }
        let votes = admin.get("/approval-votes").await.json();
        assert_eq!(votes["items"], json!([]));
    })
    .await;
}
