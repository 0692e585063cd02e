//! How much of what happens begins executions, and what becomes of a workflow that does harm.

use serde_json::{Value as Json, json};

use super::{ended, execution, id, until, workflow};
use crate::support::{Client, on_both};

fn rule(trigger: Json, actions: Json) -> Json {
    json!({"trigger": trigger, "actions": actions})
}

fn created(more: Json) -> Json {
    let mut trigger = json!({"type": "record_created", "entity": "ticket"});
    if let (Some(trigger), Some(more)) = (trigger.as_object_mut(), more.as_object()) {
        trigger.extend(more.clone());
    }
    trigger
}

fn note(body: &str) -> Json {
    json!([{"type": "comment", "params": {"body": body}}])
}

/// Whoever looks after all that came before has been looked at, too.
async fn all_is_looked_at(client: &Client, marker: &Json) {
    let before = client
        .get(&format!("/workflows/{}/executions?limit=500", id(marker)))
        .await
        .json();
    let count = before["items"].as_array().map_or(0, Vec::len);
    client
        .post("/tags", &json!({"name": format!("marque-{count}")}))
        .await;
    ended(client, marker, count + 1).await;
}

async fn marker(client: &Client) -> Json {
    workflow(
        client,
        &rule(
            json!({"type": "record_created", "entity": "tag"}),
            json!([{"type": "wait", "params": {"for": "1ms"}}]),
        ),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_together_are_one_execution() {
    on_both(async |server| {
        let admin = server.admin().await;
        let batch =
            created(json!({"batch": {"count": 3, "within": "1 hour", "key": "{{ priority }}"}}));
        let said = "{{ trigger.count }} dont {{ trigger.events[0].record }}";
        let rule = workflow(&admin, &rule(batch, note(said))).await;
        let mut tickets = Vec::new();
        for (title, priority) in [
            ("A", "high"),
            ("B", "low"),
            ("C", "high"),
            ("D", "high"),
            ("E", "high"),
        ] {
            let body = json!({"title": title, "priority": priority});
            tickets.push(admin.post("/tickets", &body).await.json());
        }
        let path = format!("/workflows/{}/executions?sort=created_at", id(&rule));
        let page = until(&admin, &path, |page| {
            let items = page["items"].as_array().expect("executions");
            items.len() == 3 && items.iter().any(|run| run["status"] == "SUCCESS")
        })
        .await;
        let items = page["items"].as_array().expect("executions");
        let done: Vec<&Json> = items
            .iter()
            .filter(|run| run["status"] == "SUCCESS")
            .collect();
        assert_eq!(
            (done.len(), &done[0]["subject"]),
            (1, &json!("D")),
            "{items:?}"
        );
        assert_eq!(done[0]["trigger"]["count"], 3);
        let waits = items
            .iter()
            .filter(|run| run["status"] == "WAITING")
            .count();
        assert_eq!(waits, 2, "one for the low one, one that begins anew");
        // Fewer are not enough, unless they are said to be.
        let past = match server.database_url() {
            Some(_) => "to_timestamp(0)",
            None => "0",
        };
        server.sql(&format!(
            "UPDATE r_execution SET wake_at = {past} WHERE status = 'WAITING'"
        ));
        let page = until(&admin, &path, |page| {
            let items = page["items"].as_array().expect("executions");
            items
                .iter()
                .filter(|run| run["status"] == "SKIPPED")
                .count()
                == 2
        })
        .await;
        assert!(
            page["items"].to_string().contains("1 of 3 events"),
            "{page}"
        );
        let partial = created(json!({"batch": {"count": 50, "within": "200ms", "partial": true}}));
        let partial = workflow(&admin, &self::rule(partial, note("peu"))).await;
        admin.ticket("F").await;
        assert_eq!(ended(&admin, &partial, 1).await[0]["status"], "SUCCESS");
        let comments = admin
            .get(&format!("/tickets/{}/comments", id(&tickets[3])))
            .await
            .json();
        assert_eq!(
            comments["items"][0]["body"],
            format!("3 dont {}", id(&tickets[0]))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_counts_once_and_no_more_than_so_many() {
    on_both(async |server| {
        let admin = server.admin().await;
        let marker = marker(&admin).await;
        let once = created(json!({"once": {"key": "{{ title }}", "within": "1 hour"}}));
        let once = workflow(&admin, &rule(once, note("une fois"))).await;
        let few = created(json!({"throttle": {"count": 2, "per": "1 day"}}));
        let few = workflow(&admin, &rule(few, note("pas plus"))).await;
        for title in ["A", "A", "B", "A"] {
            admin.ticket(title).await;
        }
        all_is_looked_at(&admin, &marker).await;
        assert_eq!(ended(&admin, &once, 2).await.len(), 2);
        assert_eq!(ended(&admin, &few, 2).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_with_one_key_one_runs_at_a_time() {
    on_both(async |server| {
        let admin = server.admin().await;
        let marker = marker(&admin).await;
        let asks = json!([{"type": "request_approval", "id": "ask", "params": {
            "approvers": ["admin@opsflux.local"], "allow_self": true,
        }}]);
        let mode = |mode: &str| created(json!({"concurrency": {"mode": mode}}));
        let mut rules = Vec::new();
        for name in ["queue", "drop", "latest", "cancel"] {
            let mut body = rule(mode(name), asks.clone());
            body["name"] = json!(name);
            rules.push(workflow(&admin, &body).await);
        }
        for title in ["A", "B", "C"] {
            admin.ticket(title).await;
            // Each is looked at before the next one comes.
            all_is_looked_at(&admin, &marker).await;
            for rule in &rules {
                let path = format!("/approvals?status=PENDING&workflow={}", id(rule));
                until(&admin, &path, |page| !page["items"][0].is_null()).await;
            }
        }
        let of = async |rule: &Json| {
            let path = format!("/workflows/{}/executions?sort=created_at", id(rule));
            let page = admin.get(&path).await.json();
            let items = page["items"].as_array().expect("executions").clone();
            let each = items.iter().map(|run| {
                format!(
                    "{} {}",
                    run["subject"].as_str().unwrap_or(""),
                    run["status"].as_str().unwrap_or("")
                )
            });
            each.collect::<Vec<_>>()
        };
        let open = ["A WAITING", "B WAITING", "C WAITING"];
        assert_eq!(of(&rules[0]).await, open, "they stand in line");
        assert_eq!(of(&rules[1]).await, ["A WAITING"]);
        assert_eq!(
            of(&rules[2]).await,
            ["A WAITING", "B CANCELLED", "C WAITING"]
        );
        until(
            &admin,
            &format!("/workflows/{}/executions?status=WAITING", id(&rules[3])),
            |page| page["items"].as_array().map(Vec::len) == Some(1),
        )
        .await;
        assert_eq!(
            of(&rules[3]).await,
            ["A CANCELLED", "B CANCELLED", "C WAITING"]
        );
        // Only the first of the line asks; when it is done the next one has its turn.
        for (rule, titles) in [
            (&rules[0], vec!["A", "B", "C"]),
            (&rules[2], vec!["A", "C"]),
        ] {
            let path = format!("/approvals?status=PENDING&workflow={}", id(rule));
            for title in titles {
                let page = until(&admin, &path, |page| page["items"][0]["subject"] == title).await;
                assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
                let approve = format!("/approvals/{}/approve", id(&page["items"][0]));
                let done = admin.post(&approve, &json!({})).await;
                assert!(done.status.is_success(), "{}", done.text());
            }
        }
        ended(&admin, &rules[0], 3).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_does_harm_is_stopped_and_its_owner_told() {
    on_both(async |server| {
        let admin = server.admin().await;
        let path = async |rule: &Json| {
            let path = format!("/workflows/{}", id(rule));
            until(&admin, &path, |rule| rule["status"] == "INACTIVE").await
        };
        let trigger = json!({"type": "record_updated", "entity": "ticket"});
        let ring = json!([{"type": "wait", "params": {"for": "1ms"}}]);
        let mut burst = rule(trigger, ring.clone());
        burst["name"] = json!("Rafale");
        let burst = workflow(&admin, &burst).await;
        let ticket = admin.ticket("Rafale").await;
        // More than thirty in one minute, wherever the minute begins.
        for n in 0..62 {
            let title = json!({"title": format!("Rafale {n}")});
            admin.patch(&format!("/tickets/{}", id(&ticket)), &title).await;
        }
        let stopped = path(&burst).await;
        let why = stopped["paused_reason"].as_str().expect("a reason");
        assert!(why.contains("Rafale"), "{why}");
        let told = until(&admin, "/notifications", |page| !page["items"][0].is_null()).await;
        assert!(told["items"][0]["title"].as_str().is_some_and(|title| title.contains("Rafale")));
        let runs = admin.get(&format!("/workflows/{}/executions?limit=100", id(&burst))).await.json();
        assert!(runs["items"].as_array().map_or(0, Vec::len) <= 61);

        // As if processes had died over it.
        let mut crashing = rule(created(json!({})), json!([{"type": "wait", "params": {"for": "90 days"}}]));
        crashing["name"] = json!("Fatal");
        let crashing = workflow(&admin, &crashing).await;
        admin.ticket("Fatal").await;
        let runs = format!("/workflows/{}/executions", id(&crashing));
        until(&admin, &runs, |page| page["items"][0]["status"] == "WAITING").await;
        let past = match server.database_url() {
            Some(_) => "to_timestamp(0)",
            None => "0",
        };
        server.sql(&format!(
            "UPDATE r_execution SET crashes = 2, worker = 'dead', wake_at = {past}, lease_until = {past} WHERE status = 'WAITING'"
        ));
        let stopped = path(&crashing).await;
        assert!(!stopped["paused_reason"].is_null());
        let run = ended(&admin, &crashing, 1).await;
        assert_eq!((&run[0]["status"], &run[0]["attention"]), (&json!("FAILED"), &json!("quarantined")));
        // Put in force again, it is as any other.
        let on = admin.post(&format!("/workflows/{}/activate", id(&crashing)), &json!({"active": true})).await;
        assert!(on.json()["paused_reason"].is_null());
        let whole = execution(&admin, &crashing, &run[0]).await;
        assert_eq!(whole["subject"], "Fatal");
    })
    .await;
}
