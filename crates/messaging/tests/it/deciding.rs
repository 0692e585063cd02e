//! What a person decides about a delivery.

use opsflux_messaging::{Mail, Request, Webhook};
use opsflux_records::{Error, Uuid};
use serde_json::{Value as Json, json};

use crate::target::Target;
use crate::telling::ask;
use crate::world::{TENANT, World, both};

both!(
    what_failed_is_sent_again,
    what_nobody_knows_is_settled,
    only_what_waits_for_a_person_is_decided,
);

async fn failed(world: &World, url: &str) -> Uuid {
    let webhook = Webhook {
        request: Request {
            url: url.to_owned(),
            ..Request::default()
        },
        ..Webhook::default()
    };
    let queued = world.messaging.webhook(TENANT, &webhook).unwrap();
    let id = world.queue(vec![queued]).await;
    world.work_off().await;
    id
}

async fn decide(world: &World, name: &str, id: Uuid, body: Json) -> Result<(), Error> {
    let id = id.to_string();
    ask(world, &world.admin, name, &[&id], body)
        .await
        .map(|_| ())
}

async fn what_failed_is_sent_again(world: World) {
    let target = Target::start().await;
    let id = failed(&world, &target.url("/gone")).await;
    decide(&world, "delivery_retry", id, Json::Null)
        .await
        .unwrap();
    assert_eq!(world.delivery(id).await["state"], "queued");
    assert_eq!(world.work_off().await, 1);
    let got = target.got();
    assert_eq!(got.len(), 2);
    let keys: Vec<_> = got
        .iter()
        .map(|got| got.header("idempotency-key"))
        .collect();
    assert_eq!(keys[0], keys[1]);
    let entries = world
        .list(&world.admin, "audit_entry", &[("entity", "delivery")])
        .await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["action"], "retry");
    assert_eq!(
        entries[0]["after"],
        json!({"was": "failed", "state": "queued"})
    );
}

async fn what_nobody_knows_is_settled(world: World) {
    let mail = Mail {
        to: "zoe@example.org".into(),
        ..Mail::default()
    };
    let queued = world.messaging.mail(TENANT, &mail).unwrap();
    let id = world.queue(vec![queued]).await;
    // As a process leaves it that dies on the way.
    let set = [("state", "unknown".into())];
    let updated = world.records.update_log(TENANT, "delivery", id, &set).await;
    updated.unwrap();
    for nonsense in [
        json!({}),
        json!({"state": "queued"}),
        json!({"state": "sent", "x": 1}),
    ] {
        let refused = decide(&world, "delivery_settle", id, nonsense.clone()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{nonsense}");
    }
    let said = json!({"state": "sent", "reason": "Zoé l’a reçu"});
    decide(&world, "delivery_settle", id, said).await.unwrap();
    let sent = world.delivery(id).await;
    assert_eq!(sent["state"], "sent");
    assert_eq!(world.work_off().await, 0);
    let entries = world
        .list(&world.admin, "audit_entry", &[("action", "settle")])
        .await;
    assert_eq!(entries[0]["reason"], "Zoé l’a reçu");
}

async fn only_what_waits_for_a_person_is_decided(world: World) {
    let target = Target::start().await;
    let sent = failed(&world, &target.url("/")).await;
    for name in ["delivery_retry", "delivery_settle"] {
        let refused = decide(&world, name, sent, json!({"state": "sent"})).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{name}");
        let refused = decide(&world, name, Uuid::nil(), json!({"state": "sent"})).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{name}");
    }
    let gone = failed(&world, &target.url("/gone")).await;
    let refused = decide(&world, "delivery_settle", gone, json!({"state": "sent"})).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
}
