//! Calls of other systems: what arrives, what is tried again, and what is never reached.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opsflux_messaging::{Limits, Method, Request, Webhook, sign};
use opsflux_records::{Error, Uuid};
use opsflux_store::FeedOp;
use serde_json::{Value as Json, json};

use crate::target::Target;
use crate::world::{TENANT, World, both};

both!(
    a_call_arrives_signed_and_with_its_key,
    every_try_carries_the_same_key,
    a_target_that_always_fails_is_given_up,
    an_answer_that_will_not_change_is_not_asked_for_again,
    a_busy_target_is_given_the_time_it_asks_for,
    a_target_that_never_answers_is_left,
    an_endless_answer_is_cut,
    nonsense_is_no_answer_and_odd_bytes_are_kept,
    redirects_are_not_followed,
    the_local_network_is_never_called,
    what_is_secret_is_sent_and_not_shown,
    a_call_that_cannot_be_made_is_refused_at_once,
);

fn call(url: &str) -> Webhook {
    Webhook {
        request: Request {
            url: url.to_owned(),
            body: Some(r#"{"a":1}"#.to_owned()),
            ..Request::default()
        },
        ..Webhook::default()
    }
}

async fn queued(world: &World, webhook: &Webhook) -> Uuid {
    let queued = world.messaging.webhook(TENANT, webhook).unwrap();
    world.queue(vec![queued]).await
}

fn after(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

async fn a_call_arrives_signed_and_with_its_key(world: World) {
    let target = Target::start().await;
    let mut webhook = call(&target.url("/hook?x=1"));
    webhook.secret = Some("s3cret".into());
    webhook.key = Some("workflow:1:step".into());
    webhook.request.headers = vec![("X-Team".into(), "north".into())];
    webhook.cause.text = "workflow:1:step".into();
    let id = queued(&world, &webhook).await;
    assert_eq!(world.work_off().await, 1);

    let got = target.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].line, "POST /hook?x=1 HTTP/1.1");
    assert_eq!(got[0].body, r#"{"a":1}"#);
    assert_eq!(got[0].header("idempotency-key"), Some("workflow:1:step"));
    assert_eq!(got[0].header("content-type"), Some("application/json"));
    assert_eq!(got[0].header("x-team"), Some("north"));
    assert_eq!(
        got[0].header("host"),
        Some(target.address.to_string().as_str())
    );
    let signature = got[0].header(sign::HEADER).unwrap();
    let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    assert!(sign::is_signed(
        "s3cret",
        signature,
        br#"{"a":1}"#,
        now,
        after(0)
    ));

    let sent = world.delivery(id).await;
    assert_eq!(sent["state"], "sent");
    assert_eq!(sent["attempts"], 1);
    assert_eq!(sent["response"]["status"], 200);
    assert_eq!(sent["response"]["body"], "taken");
    assert!(sent["response"]["duration_ms"].is_u64());
    assert_eq!(sent["cause"], "workflow:1:step");
    assert_eq!(sent["sent_at"], "2026-03-02T08:00:00Z");
    let told = world.feed("delivery", 2).await;
    let told: Vec<_> = told.iter().map(|e| (e.entry.op, e.entry.record)).collect();
    assert_eq!(told, [(FeedOp::Created, id), (FeedOp::Updated, id)]);
}

async fn every_try_carries_the_same_key(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/twice"))).await;
    assert_eq!(world.work_off().await, 1);
    let waiting = world.delivery(id).await;
    assert_eq!(waiting["state"], "queued");
    assert_eq!(waiting["error"], "answered 503 Service Unavailable");
    assert_eq!(waiting["next_at"], "2026-03-02T08:00:15Z");
    world.pass(after(14));
    assert_eq!(world.work_off().await, 0, "not before its time");
    world.pass(after(1));
    assert_eq!(world.work_off().await, 1);
    assert_eq!(world.delivery(id).await["next_at"], "2026-03-02T08:01:15Z");
    world.pass(after(60));
    assert_eq!(world.work_off().await, 1);
    let sent = world.delivery(id).await;
    assert_eq!(
        (&sent["state"], &sent["attempts"]),
        (&json!("sent"), &json!(3))
    );
    assert_eq!(sent["error"], Json::Null);
    let keys: Vec<String> = target
        .got()
        .iter()
        .map(|got| got.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == id.to_string()), "{keys:?}");
}

async fn a_target_that_always_fails_is_given_up(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/broken"))).await;
    for _ in 0..10 {
        world.work_off().await;
        world.pass(after(24 * 3600));
    }
    let failed = world.delivery(id).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(target.got().len(), 4, "once, and three times again");
    assert_eq!(failed["response"]["body"], "no");
    let mut never = call(&target.url("/broken?once"));
    never.retries = Some(0);
    never.request.url = target.url("/closes");
    let id = queued(&world, &never).await;
    world.work_off().await;
    assert_eq!(world.delivery(id).await["state"], "failed");
}

async fn an_answer_that_will_not_change_is_not_asked_for_again(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/gone"))).await;
    world.work_off().await;
    let failed = world.delivery(id).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"]),
        (&json!("failed"), &json!(1))
    );
    assert_eq!(failed["error"], "answered 410 Gone");
}

async fn a_busy_target_is_given_the_time_it_asks_for(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/busy"))).await;
    world.work_off().await;
    assert_eq!(world.delivery(id).await["next_at"], "2026-03-02T08:02:00Z");
    world.pass(after(120));
    world.work_off().await;
    assert_eq!(world.delivery(id).await["state"], "sent");
}

async fn a_target_that_never_answers_is_left(mut world: World) {
    world.with_calls(Limits {
        allow_private: true,
        within: Duration::from_millis(50),
    });
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/never"))).await;
    world.work_off().await;
    let waiting = world.delivery(id).await;
    assert_eq!(waiting["state"], "queued");
    assert!(
        waiting["error"]
            .as_str()
            .unwrap()
            .starts_with("no answer within")
    );
}

async fn an_endless_answer_is_cut(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/endless"))).await;
    world.work_off().await;
    let sent = world.delivery(id).await;
    assert_eq!(sent["state"], "sent");
    assert_eq!(sent["response"]["truncated"], true);
    assert_eq!(sent["response"]["body"].as_str().unwrap().len(), 256 * 1024);
}

async fn nonsense_is_no_answer_and_odd_bytes_are_kept(world: World) {
    let target = Target::start().await;
    let nonsense = queued(&world, &call(&target.url("/nonsense"))).await;
    let bytes = queued(&world, &call(&target.url("/bytes"))).await;
    world.work_off().await;
    assert_eq!(world.delivery(nonsense).await["state"], "queued");
    let sent = world.delivery(bytes).await;
    assert_eq!(sent["response"]["body"], "\u{fffd}a");
}

async fn redirects_are_not_followed(world: World) {
    let target = Target::start().await;
    let id = queued(&world, &call(&target.url("/moved"))).await;
    world.work_off().await;
    let failed = world.delivery(id).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(
        failed["error"],
        "answered 302 Found; redirects are not followed"
    );
    assert_eq!(target.got().len(), 1);
}

async fn the_local_network_is_never_called(mut world: World) {
    world.with_calls(Limits {
        allow_private: false,
        ..Limits::default()
    });
    let target = Target::start().await;
    let port = target.address.port();
    let mut refused = Vec::new();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let webhook = call(&format!("http://{host}:{port}/hook"));
        refused.push(queued(&world, &webhook).await);
    }
    world.work_off().await;
    for id in refused {
        let failed = world.delivery(id).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert!(
            failed["error"]
                .as_str()
                .unwrap()
                .contains("private network")
        );
    }
    assert!(target.got().is_empty());
}

async fn what_is_secret_is_sent_and_not_shown(world: World) {
    let target = Target::start().await;
    let mut webhook = call(&target.url("/hook?token=t0ken"));
    webhook.request.headers = vec![("Authorization".into(), "Bearer t0ken".into())];
    webhook.shown = Some(Request {
        url: target.url("/hook?token=••••"),
        headers: vec![("Authorization".into(), "••••".into())],
        ..webhook.request.clone()
    });
    webhook.secret = Some("s3cret".into());
    let id = queued(&world, &webhook).await;
    world.work_off().await;
    let got = &target.got()[0];
    assert_eq!(got.header("authorization"), Some("Bearer t0ken"));
    assert!(got.line.contains("token=t0ken"));
    let shown = world.delivery(id).await.to_string();
    assert!(
        !shown.contains("t0ken") && !shown.contains("s3cret"),
        "{shown}"
    );
}

async fn a_call_that_cannot_be_made_is_refused_at_once(world: World) {
    for url in [
        "",
        "nowhere",
        "file:///etc/passwd",
        "https://a:b@example.org",
    ] {
        let refused = world.messaging.webhook(TENANT, &call(url));
        let Err(Error::Invalid(errors)) = refused else {
            panic!("{url}")
        };
        assert_eq!(errors[0].field, "url");
    }
    let mut webhook = call("https://example.org");
    webhook.request.method = Method::Put;
    webhook.request.headers = vec![("Host".into(), "internal".into())];
    let Err(Error::Invalid(errors)) = world.messaging.webhook(TENANT, &webhook) else {
        panic!("a header of ours")
    };
    assert_eq!(errors[0].field, "headers");
}
