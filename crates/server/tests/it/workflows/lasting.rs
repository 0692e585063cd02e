//! Steps that last: waiting for what happens to records, doing again, other workflows.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, steps, until, workflow};
use crate::support::{Client, on_both};

/// A workflow of the whole form, for tickets.
fn whole(steps: Json) -> Json {
    json!({
        "format": "opsflux.flow/1",
        "definition": {"triggers": [{"type": "record_created", "entity": "ticket"}], "steps": steps},
    })
}

fn note(id: &str, body: &str) -> Json {
    json!({"id": id, "type": "action", "use": "comment", "with": {"body": body}})
}

/// The execution of a workflow once it waits.
async fn waiting(client: &Client, rule: &Json) -> Json {
    let path = format!("/workflows/{}/executions", id(rule));
    let page = until(client, &path, |page| {
        page["items"][0]["status"] == "WAITING"
    })
    .await;
    page["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_waits_until_its_record_is_as_it_should_be() {
    on_both(async |server| {
        let admin = server.admin().await;
        let wait = json!({
            "id": "begun", "type": "wait", "when": {"field": "status", "op": "eq", "value": "in_progress"},
        });
        let rule = workflow(&admin, &whole(json!([wait, note("seen", "vu : {{ steps.begun.event }}")]))).await;
        let ticket = admin.ticket("Vanne").await;
        waiting(&admin, &rule).await;
        let path = format!("/tickets/{}", id(&ticket));
        // Other changes, and those of other tickets, are not what it waits for.
        let other = admin.ticket("Autre").await;
        let begin = json!({"status": "in_progress"});
        let both = |page: &Json| page["items"].as_array().map(Vec::len) == Some(2);
        until(&admin, "/listenings", both).await;
        admin.patch(&path, &json!({"title": "Vanne nord"})).await;
        admin.patch(&format!("/tickets/{}", id(&other)), &begin).await;
        let of_other = format!("/tickets/{}/comments", id(&other));
        until(&admin, &of_other, |page| page["items"][0]["body"] == "vu : updated").await;
        let mine = admin.get(&format!("{path}/comments")).await.json();
        assert_eq!(mine["items"], json!([]), "the other one began");
        admin.patch(&path, &begin).await;
        let runs = ended(&admin, &rule, 2).await;
        assert!(runs.iter().all(|run| run["status"] == "SUCCESS"), "{runs:?}");
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["steps"][1]["output"]["conditions"]["found"], "in_progress");
        let left = admin.get("/listenings").await.json();
        assert_eq!(left["items"], json!([]), "nobody listens any more");
        // Whoever is there already is not waited for.
        let body = json!({"title": "Déjà", "status": "in_progress"});
        let there = admin.post("/tickets", &body).await;
        if there.status == StatusCode::CREATED {
            ended(&admin, &rule, 3).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_record_that_points_here_is_heard_once() {
    on_both(async |server| {
        let admin = server.admin().await;
        let wait = json!({
            "id": "child", "type": "wait", "timeout": "30 days",
            "event": {"type": "record_updated", "entity": "ticket", "changed": ["priority"]},
            "link": "parent", "when": {"field": "priority", "op": "changed_to", "value": "high"},
            "on_timeout": [note("late", "personne")],
        });
        let mut body = whole(json!([wait, note("seen", "par {{ steps.child.record }}")]));
        body["definition"]["when"] = json!({"field": "parent", "op": "is_empty", "value": true});
        let rule = workflow(&admin, &body).await;
        let parent = admin.ticket("Père").await;
        let run = waiting(&admin, &rule).await;
        let wake: jiff::Timestamp = run["wake_at"]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("one");
        assert!(wake > jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 29));
        let child = json!({"title": "Fils", "parent": parent["id"]});
        let child = admin.post("/tickets", &child).await.json();
        let path = format!("/tickets/{}", id(&child));
        for priority in ["low", "high", "low", "high"] {
            admin.patch(&path, &json!({"priority": priority})).await;
        }
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(steps(&run).last().expect("a step").0, "seen", "{run}");
        let comments = admin
            .get(&format!("/tickets/{}/comments", id(&parent)))
            .await
            .json();
        assert_eq!(comments["items"][0]["body"], format!("par {}", id(&child)));
        assert_eq!(comments["items"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_has_an_end_and_what_is_done_then_comes_before_the_rest() {
    on_both(async |server| {
        let admin = server.admin().await;
        let wait = json!({
            "id": "never", "type": "wait", "timeout": "50ms",
            "when": {"field": "title", "op": "eq", "value": "Jamais"},
            "on_timeout": [note("late", "en retard : {{ steps.never.timed_out }}")],
        });
        let rule = workflow(&admin, &whole(json!([wait, note("after", "ensuite")]))).await;
        let ticket = admin.ticket("Lent").await;
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        let run = execution(&admin, &rule, &runs[0]).await;
        let places: Vec<String> = steps(&run).into_iter().map(|(place, _)| place).collect();
        assert_eq!(
            places[places.len() - 2..],
            ["never.late", "after"],
            "{places:?}"
        );
        let comments = admin
            .get(&format!(
                "/tickets/{}/comments?sort=created_at",
                id(&ticket)
            ))
            .await
            .json();
        assert_eq!(
            comments["items"].as_array().map(Vec::len),
            Some(2),
            "{comments}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_repeats_while_something_holds_and_not_longer_than_it_may() {
    on_both(async |server| {
        let admin = server.admin().await;
        let nag = |every: &str, max: u32| {
            json!({
                "id": "nag", "type": "repeat", "every": every, "max": max,
                "while": {"field": "priority", "op": "ne", "value": "low"},
                "steps": [note("say", "rappel")],
            })
        };
        let rule = workflow(&admin, &whole(json!([nag("1ms", 3), note("end", "fin")]))).await;
        let ticket = admin.ticket("Relance").await;
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["status"], "SUCCESS", "{run}");
        let places: Vec<String> = steps(&run).into_iter().map(|(place, _)| place).collect();
        for place in ["nag[0].say", "nag[1].say", "nag[2].say", "end"] {
            assert_eq!(
                places.iter().filter(|known| *known == place).count(),
                1,
                "{places:?}"
            );
        }
        let path = format!("/tickets/{}/comments", id(&ticket));
        let comments = admin.get(&path).await.json();
        assert_eq!(comments["items"].as_array().map(Vec::len), Some(4));

        // What does not hold is not begun; and between rounds it rests as long as it says.
        let body = json!({"title": "Payé", "priority": "low"});
        let paid = admin.post("/tickets", &body).await.json();
        ended(&admin, &rule, 2).await;
        let comments = admin
            .get(&format!("/tickets/{}/comments", id(&paid)))
            .await
            .json();
        assert_eq!(comments["items"][0]["body"], "fin");
        assert_eq!(comments["items"].as_array().map(Vec::len), Some(1));
        let slow = workflow(&admin, &whole(json!([nag("24h", 30)]))).await;
        admin.ticket("Lent").await;
        let run = waiting(&admin, &slow).await;
        let wake: jiff::Timestamp = run["wake_at"]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("one");
        assert!(wake > jiff::Timestamp::now() + jiff::SignedDuration::from_hours(23));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_calls_another_and_goes_on_with_what_it_gave() {
    on_both(async |server| {
        let admin = server.admin().await;
        let called = workflow(
            &admin,
            &json!({
                "name": "Archiver",
                "format": "opsflux.flow/1",
                "definition": {
                    "triggers": [{"type": "called", "entity": "ticket"}],
                    "when": {"field": "trigger.inputs.reason", "op": "ne", "value": "non"},
                    "steps": [{"id": "mark", "type": "action", "use": "update_field", "with": {
                        "field": "description", "value": "{{ trigger.inputs.reason }} pour {{ title }}",
                    }}],
                },
            }),
        )
        .await;
        let call = |reason: &str| {
            json!({"id": "sub", "type": "workflow", "workflow": "Archiver", "with": {"reason": reason}})
        };
        let after = json!({"id": "which", "type": "branch", "cases": [
            {"when": {"field": "steps.sub.status", "op": "eq", "value": "SUCCESS"},
             "steps": [note("done", "fait : {{ steps.sub.steps.mark.set.description }}")]},
        ], "else": [note("skipped", "laissé : {{ steps.sub.status }}")]});
        let rule = workflow(&admin, &whole(json!([call("clos"), after]))).await;
        let ticket = admin.ticket("Dossier").await;
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        let path = format!("/tickets/{}", id(&ticket));
        let comments = admin.get(&format!("{path}/comments")).await.json();
        assert_eq!(comments["items"][0]["body"], "fait : clos pour Dossier");
        let of_called = ended(&admin, &called, 1).await;
        assert_eq!(of_called[0]["trigger"]["inputs"]["reason"], "clos");
        assert_eq!(of_called[0]["subject"], "Dossier");
        // Its conditions count; and a name of which there is none is told of when it is saved.
        let body = whole(json!([call("non"), after]));
        let put = format!("/workflows/{}", id(&rule));
        assert_eq!(admin.patch(&put, &body).await.status, StatusCode::OK);
        let ticket = admin.ticket("Autre dossier").await;
        ended(&admin, &rule, 2).await;
        let comments = admin.get(&format!("/tickets/{}/comments", id(&ticket))).await.json();
        assert_eq!(comments["items"][0]["body"], "laissé : SKIPPED");
        let mut unknown = call("x");
        unknown["workflow"] = json!("Personne");
        let refused = admin.patch(&put, &whole(json!([unknown]))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["code"], "unknown_workflow", "{}", refused.text());
        // Nor does it come back to itself.
        let ring = json!({
            "definition": {
                "triggers": [{"type": "called", "entity": "ticket"}],
                "steps": [{"id": "back", "type": "workflow", "workflow": "Appelant"}],
            },
        });
        let mut caller = whole(json!([call("clos")]));
        caller["name"] = json!("Appelant");
        caller["definition"]["triggers"] = json!([{"type": "called", "entity": "ticket"}]);
        workflow(&admin, &caller).await;
        let refused = admin.patch(&format!("/workflows/{}", id(&called)), &ring).await;
        assert_eq!(refused.json()["errors"][0]["code"], "workflow_cycle", "{}", refused.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_starts_another_does_not_wait_and_a_ring_of_them_ends() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "name": "Sans fin",
                "format": "opsflux.flow/1",
                "definition": {
                    "triggers": [
                        {"type": "record_created", "entity": "ticket"}, {"type": "called", "entity": "ticket"},
                    ],
                    "steps": [{"id": "again", "type": "action", "use": "start_workflow", "with": {"workflow": "Sans fin"}}],
                },
            }),
        )
        .await;
        admin.ticket("Boucle").await;
        let failed = |page: &Json| {
            let items = page["items"].as_array().expect("executions");
            items.iter().any(|run| run["status"] == "FAILED")
        };
        let path = format!("/workflows/{}/executions", id(&rule));
        let page = until(&admin, &path, failed).await;
        let runs = page["items"].as_array().expect("executions");
        assert!(runs.len() <= 9, "{}", runs.len());
        let last = runs.iter().find(|run| run["status"] == "FAILED").expect("the last");
        let why = last["error"].as_str().expect("a reason");
        assert!(why.contains("without end"), "{why}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_acts_with_the_rights_of_who_calls_and_ends_with_it() {
    on_both(async |server| {
        let admin = server.admin().await;
        let boss = server.person("boss", "manager").await;
        let called = json!({
            "name": "Pouvoir",
            "format": "opsflux.flow/1",
            "definition": {
                "triggers": [{"type": "called"}],
                "steps": [{"id": "make", "type": "action", "use": "create_record", "with": {
                    "entity": "role", "set": {"name": "secret_power", "label": "Power"},
                }}],
            },
        });
        workflow(&admin, &called).await;
        let caller =
            |name: &str| whole(json!([{"id": "sub", "type": "workflow", "workflow": name}]));
        // What he does not see he does not call.
        let refused = boss
            .post(
                "/workflows",
                &json!({
                    "name": "x", "status": "ACTIVE", "format": "opsflux.flow/1",
                    "definition": caller("Pouvoir")["definition"],
                }),
            )
            .await;
        assert_eq!(refused.json()["errors"][0]["code"], "unknown_workflow");
        let mut slow = called.clone();
        slow["name"] = json!("Long");
        slow["definition"]["steps"] = json!([{"id": "rest", "type": "wait", "for": "90 days"}]);
        let slow = workflow(&admin, &slow).await;
        let rule = workflow(&admin, &caller("Long")).await;
        admin.ticket("Annulé").await;
        waiting(&admin, &slow).await;
        let run = waiting(&admin, &rule).await;
        let stop = format!("/executions/{}/cancel", id(&run));
        assert_eq!(
            admin.post(&stop, &json!({})).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(ended(&admin, &slow, 1).await[0]["status"], "CANCELLED");
    })
    .await;
}
