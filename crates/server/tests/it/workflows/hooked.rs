//! Set off by other systems: signed, once, and about what they say.

use http::{Method, StatusCode};
use opsflux_messaging::sign::signature;
use serde_json::{Value as Json, json};

use super::{ended, execution, id, workflow};
use crate::support::{Client, on_both};

/// What another system does: a signed call of the address.
async fn call(client: &Client, rule: &Json, body: &Json) -> crate::support::Answer {
    let secret = rule["secret"].as_str().expect("a secret");
    signed(client, rule, body, secret, 0).await
}

async fn signed(
    client: &Client,
    rule: &Json,
    body: &Json,
    secret: &str,
    ago: i64,
) -> crate::support::Answer {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(ago);
    let header = signature(secret, at, body.to_string().as_bytes());
    let path = address(rule);
    client
        .write(Method::POST, &path, &[("opsflux-signature", &header)], body)
        .await
}

fn address(rule: &Json) -> String {
    let url = rule["url"].as_str().expect("an address");
    let place = url.find("/hooks/").expect("the address of a hook");
    url[place..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_system_sets_off_what_it_may_once_and_signed() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "webhook_received"},
                "conditions": {"field": "trigger.body.amount", "op": "gt", "value": 100},
                "actions": [{"type": "create_record", "params": {
                    "entity": "ticket", "set": {"title": "Commande {{ trigger.body.lines[0].sku }}"},
                }}],
            }),
        )
        .await;
        let outside = server.anybody();
        let body = json!({"amount": 250.5, "lines": [{"sku": "A1"}]});
        let done = call(&outside, &rule, &body).await;
        assert_eq!(done.status, StatusCode::ACCEPTED, "{}", done.text());
        let runs = ended(&admin, &rule, 1).await;
        assert_eq!(runs[0]["status"], "SUCCESS", "{runs:?}");
        assert_eq!(done.json()["execution"], runs[0]["id"]);
        let tickets = admin.get("/tickets?title=Commande%20A1").await.json();
        assert_eq!(tickets["items"].as_array().map(Vec::len), Some(1));
        // What does not hold is kept, and says why.
        let little = call(&outside, &rule, &json!({"amount": 3})).await;
        assert_eq!(little.status, StatusCode::ACCEPTED);
        let skipped = execution(&admin, &rule, &json!({"id": little.json()["execution"]})).await;
        assert_eq!(skipped["status"], "SKIPPED");
        assert_eq!(skipped["conditions"]["found"], 3);
        // Wrongly signed, too old, of the future, not signed, not JSON, unknown.
        let secret = rule["secret"].as_str().expect("a secret");
        for (secret, ago) in [("other", 0), (secret, 400), (secret, -400)] {
            let refused = signed(&outside, &rule, &body, secret, ago).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{ago}");
        }
        let bare = outside.post(&address(&rule), &body).await;
        assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
        for unknown in ["1-0", "ffff-01900000000070008000000000000000", "x"] {
            let nobody = outside.post(&format!("/hooks/{unknown}"), &body).await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{unknown}");
        }
        let large = json!({"text": "x".repeat(1024 * 1024)});
        let large = call(&outside, &rule, &large).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(ended(&admin, &rule, 2).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_counts_once_and_a_renewed_secret_is_another() {
    on_both(async |server| {
        let admin = server.admin().await;
        let boss = server.person("boss", "manager").await;
        let rule = workflow(
            &boss,
            &json!({
                "trigger": {
                    "type": "webhook_received", "entity": "ticket", "record": "{{ trigger.body.ref }}",
                },
                "actions": [{"type": "comment", "params": {"body": "vu pour {{ title }} : {{ trigger.body.word }}"}}],
            }),
        )
        .await;
        let ticket = admin.ticket("Lien").await;
        let outside = server.anybody();
        let body = json!({"ref": ticket["number"], "word": "oui"});
        let secret = rule["secret"].as_str().expect("a secret");
        let header = signature(secret, jiff::Timestamp::now(), body.to_string().as_bytes());
        let mut answers = Vec::new();
        for _ in 0..2 {
            let sent = outside.write(
                Method::POST,
                &address(&rule),
                &[("opsflux-signature", &header)],
                &body,
            ).await;
            answers.push(sent.status);
        }
        assert_eq!(answers, [StatusCode::ACCEPTED, StatusCode::CONFLICT]);
        assert_eq!(ended(&boss, &rule, 1).await.len(), 1);
        let comments = admin.get(&format!("/tickets/{}/comments", id(&ticket))).await.json();
        assert_eq!(comments["items"][0]["body"], "vu pour Lien : oui");
        let nobody = call(&outside, &rule, &json!({"ref": "TIC-999999"})).await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", nobody.text());

        let path = format!("/workflows/{}", id(&rule));
        let seen = boss.get(&path).await.json();
        assert_eq!((&seen["url"], &seen["secret"]), (&rule["url"], &rule["secret"]));
        let listed = boss.get("/workflows").await.text();
        assert!(!listed.contains(secret), "a list does not tell it");
        let renewed = boss.post(&format!("{path}/renew-secret"), &json!({})).await;
        assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text());
        let renewed = renewed.json();
        assert_eq!(renewed["url"], rule["url"]);
        assert_ne!(renewed["secret"], rule["secret"]);
        let body = json!({"ref": ticket["id"], "word": "encore"});
        let old = call(&outside, &rule, &body).await;
        assert_eq!(old.status, StatusCode::UNAUTHORIZED);
        let new = call(&outside, &renewed, &body).await;
        assert_eq!(new.status, StatusCode::ACCEPTED, "{}", new.text());
        // Out of force there is no such address.
        boss.post(&format!("{path}/activate"), &json!({"active": false})).await;
        let off = call(&outside, &renewed, &json!({"ref": ticket["id"], "word": "non"})).await;
        assert_eq!(off.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_told_to_wait() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = workflow(
            &admin,
            &json!({
                "trigger": {"type": "webhook_received"},
                "actions": [{"type": "wait", "params": {"for": "1ms"}}],
            }),
        )
        .await;
        let outside = server.anybody();
        let mut last = StatusCode::OK;
        // A minute may begin in between.
        for _ in 0..250 {
            let answer = outside.post(&address(&rule), &json!({})).await;
            last = answer.status;
            if last == StatusCode::TOO_MANY_REQUESTS {
                assert!(!answer.header("retry-after").is_empty());
                break;
            }
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}
