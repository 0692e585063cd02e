//! Several processes on one queue, processes that die, and what is past its time.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use opsflux_messaging::mail::Tls;
use opsflux_messaging::{Limits, Mail, MailConfig, Notice, Request, Webhook};
use opsflux_records::Uuid;
use opsflux_store::{Commit, FeedOp};
use opsflux_testkit::smtp::{Behaviour, MailServer};
use tokio::sync::watch;

use crate::target::Target;
use crate::world::{LEASE, TENANT, World, both};

both!(
    a_message_is_there_exactly_when_its_cause_is,
    the_same_key_is_stored_once,
    several_processes_send_each_call_once,
    a_call_that_a_dead_process_held_is_made_again,
    a_mail_that_a_dead_process_was_handing_over_is_not,
    one_host_that_never_answers_holds_up_its_own_only,
    a_delivery_can_wait_for_its_time,
    what_is_past_its_time_is_forgotten,
);

fn call(url: String, key: Option<&str>) -> Webhook {
    Webhook {
        request: Request {
            url,
            ..Request::default()
        },
        key: key.map(str::to_owned),
        ..Webhook::default()
    }
}

async fn a_message_is_there_exactly_when_its_cause_is(world: World) {
    let mut commit = Commit {
        tenant: TENANT,
        ..Commit::default()
    };
    let webhook = call("https://example.org/".into(), None);
    let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
    queued.join(&mut commit);
    // A recipient nobody is: the whole commit is refused.
    let notice = Notice {
        recipient: Uuid::from_u128(99),
        title: "x".into(),
        ..Notice::default()
    };
    let told = world.messaging.notify(TENANT, &notice).unwrap();
    told.join(&mut commit);
    assert!(world.records.store().commit(commit).await.is_err());
    assert!(world.list(&world.admin, "delivery", &[]).await.is_empty());
    assert!(world.feed("delivery", 0).await.is_empty());
}

async fn the_same_key_is_stored_once(world: World) {
    let first = call("https://example.org/1".into(), Some("k"));
    let again = call("https://example.org/2".into(), Some("k"));
    let other = call("https://example.org/3".into(), Some("K"));
    let make = |webhook| world.messaging.webhook(TENANT, webhook).unwrap();
    let id = world.queue(vec![make(&first)]).await;
    assert_eq!(world.queue(vec![make(&again), make(&other)]).await, id);
    let all = world.list(&world.admin, "delivery", &[]).await;
    assert_eq!(all.len(), 2);
    assert_eq!(world.delivery(id).await["target"], "https://example.org/1");
    // The same key of another tenant is another message.
    let elsewhere = world.messaging.webhook(2, &first).unwrap();
    assert_ne!(elsewhere.id, id);
}

async fn several_processes_send_each_call_once(world: World) {
    let target = Target::start().await;
    for number in 0..60 {
        let webhook = call(target.url(&format!("/{number}")), None);
        let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
        world.queue(vec![queued]).await;
    }
    let other = world.another(None).await;
    let third = world.another(None).await;
    let (stop, stopping) = watch::channel(false);
    let done = async {
        loop {
            let left = [("state[ne]", "sent")];
            if world.list(&world.admin, "delivery", &left).await.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        stop.send(true).unwrap();
    };
    let all = async {
        tokio::join!(
            world.messaging.work(stopping.clone()),
            other.work(stopping.clone()),
            third.work(stopping),
            done
        )
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .unwrap();
    let lines: Vec<String> = target.got().iter().map(|got| got.line.clone()).collect();
    let once: BTreeSet<&String> = lines.iter().collect();
    assert_eq!((lines.len(), once.len()), (60, 60));
}

/// Begins to work and is cut off as soon as `until` holds: as if the process had died.
async fn dies(work: impl Future<Output = usize>, until: impl Fn() -> bool) {
    let cut = async {
        while !until() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = work => panic!("it was to be cut off"),
        () = cut => {}
    }
}

async fn a_call_that_a_dead_process_held_is_made_again(world: World) {
    let target = Target::start().await;
    let webhook = call(target.url("/never"), Some("k"));
    let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
    let id = world.queue(vec![queued]).await;
    let dying = world.another(None).await;
    let work = async { dying.work_off().await.unwrap() };
    dies(work, || !target.got().is_empty()).await;
    assert_eq!(world.delivery(id).await["state"], "sending");
    assert_eq!(world.work_off().await, 0, "it is still held");
    world.pass(LEASE);
    let work = async { world.work_off().await };
    dies(work, || target.got().len() > 1).await;
    let keys: Vec<_> = target
        .got()
        .iter()
        .map(|got| got.header("idempotency-key").map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some("k".to_owned()), Some("k".to_owned())]);
}

async fn a_mail_that_a_dead_process_was_handing_over_is_not(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let behaviour = Behaviour {
        slow: 60_000,
        ..Behaviour::default()
    };
    let server = MailServer::start(&behaviour, folder.path()).unwrap();
    let config = MailConfig {
        host: "127.0.0.1".into(),
        port: server.port,
        user: None,
        password: None,
        from: "ops@example.org".into(),
        tls: Tls::None,
        authorities: None,
    };
    let mail = Mail {
        to: "slow@example.org".into(),
        text: "x".into(),
        ..Mail::default()
    };
    let queued = world.messaging.mail(TENANT, &mail).unwrap();
    let id = world.queue(vec![queued]).await;
    let dying = world.another(Some(config.clone())).await;
    let work = async { dying.work_off().await.unwrap() };
    dies(work, || !server.got().is_empty()).await;
    let other = world.another(Some(config)).await;
    assert_eq!(other.work_off().await.unwrap(), 0);
    world.pass(LEASE);
    assert_eq!(other.work_off().await.unwrap(), 1);
    let unknown = world.delivery(id).await;
    assert_eq!(unknown["state"], "unknown", "{unknown}");
    world.pass(LEASE);
    assert_eq!(other.work_off().await.unwrap(), 0);
    assert_eq!(server.got().len(), 1);
    let told = world.feed("delivery", 2).await;
    assert_eq!(told.last().unwrap().entry.op, FeedOp::Updated);
}

async fn one_host_that_never_answers_holds_up_its_own_only(mut world: World) {
    world.with_calls(Limits {
        allow_private: true,
        within: Duration::from_secs(600),
    });
    let silent = Target::start().await;
    let target = Target::start().await;
    for number in 0..40 {
        let webhook = call(silent.url("/never"), Some(&format!("silent {number}")));
        let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
        world.queue(vec![queued]).await;
        world.pass(SignedDuration::from_millis(1));
    }
    // Another name for this machine is another host.
    let url = format!("http://localhost:{}/", target.address.port());
    let queued = world.messaging.webhook(TENANT, &call(url, None)).unwrap();
    let id = world.queue(vec![queued]).await;
    let (stop, stopping) = watch::channel(false);
    let sent = async {
        while world.delivery(id).await["state"] != "sent" {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = world.messaging.work(stopping) => panic!("nobody stopped it"),
        sent = tokio::time::timeout(Duration::from_secs(60), sent) => sent.unwrap(),
    }
    assert_eq!(silent.got().len(), 4);
    drop(stop);
}

async fn a_delivery_can_wait_for_its_time(world: World) {
    let target = Target::start().await;
    let mut webhook = call(target.url("/"), None);
    webhook.not_before = Some("2026-03-02T20:00:00Z".parse().unwrap());
    let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
    let id = world.queue(vec![queued]).await;
    assert_eq!(world.work_off().await, 0);
    world.pass(SignedDuration::from_hours(12));
    assert_eq!(world.work_off().await, 1);
    assert_eq!(world.delivery(id).await["state"], "sent");
}

async fn what_is_past_its_time_is_forgotten(world: World) {
    let target = Target::start().await;
    let make = |path: &str| {
        let webhook = call(target.url(path), None);
        world.messaging.webhook(TENANT, &webhook).unwrap()
    };
    let sent = world.queue(vec![make("/")]).await;
    world.work_off().await;
    let waiting = world.queue(vec![make("/broken")]).await;
    let notice = Notice {
        recipient: world.zoe.user(),
        title: "x".into(),
        ..Notice::default()
    };
    let told = world.messaging.notify(TENANT, &notice).unwrap();
    world.queue(vec![told]).await;
    world.pass(SignedDuration::from_hours(91 * 24));
    assert!(!world.messaging.forget_what_is_past().await.unwrap());
    let left = world.list(&world.admin, "delivery", &[]).await;
    assert_eq!(left.len(), 1, "what waits is kept: {sent}");
    assert_eq!(left[0]["id"], waiting.to_string());
    assert_eq!(world.list(&world.zoe, "notification", &[]).await.len(), 1);
    world.pass(SignedDuration::from_hours(91 * 24));
    world.messaging.forget_what_is_past().await.unwrap();
    assert!(world.list(&world.zoe, "notification", &[]).await.is_empty());
}
