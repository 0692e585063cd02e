//! Notifications: each person's own, read once.

use http::{HeaderMap, Method};
use opsflux_messaging::{Kind, Notice};
use opsflux_records::operation::Body;
use opsflux_records::{Call, Caller, Error, Origin, Reply, Uuid};
use opsflux_store::FeedOp;
use serde_json::{Value as Json, json};

use crate::world::{TENANT, World, both};

both!(
    everybody_sees_his_own,
    reading_is_marked_once_and_told,
    all_are_read_at_once,
    long_and_odd_texts_fit,
    an_administrator_reads_nothing_for_others,
    everybody_is_told_of_an_announcement,
);

fn notice(recipient: &Caller, title: &str) -> Notice {
    Notice {
        recipient: recipient.user(),
        title: title.to_owned(),
        ..Notice::default()
    }
}

async fn tell(world: &World, notice: &Notice) -> Uuid {
    let told = world.messaging.notify(TENANT, notice).unwrap();
    world.queue(vec![told]).await
}

/// Calls an operation of the room as the server would.
pub async fn ask(
    world: &World,
    caller: &Caller,
    name: &str,
    path: &[&str],
    body: Json,
) -> Result<Reply, Error> {
    let all = world.messaging.operations();
    let operation = all.iter().find(|operation| operation.name == name).unwrap();
    let call = Call {
        caller: Some(caller.clone()),
        origin: Origin::default().into(),
        language: caller.language,
        operation: operation.path.clone(),
        path: path.iter().map(|&part| part.to_owned()).collect(),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: body.to_string().into_bytes().into(),
        upload: None,
    };
    assert!(matches!(operation.method, Method::GET | Method::POST));
    (operation.handler)(call).await
}

async fn unread(world: &World, caller: &Caller) -> Json {
    let reply = ask(world, caller, "notification_unread", &[], Json::Null).await;
    let Body::Json(body) = reply.unwrap().body else {
        panic!("no JSON")
    };
    serde_json::from_slice::<Json>(&body).unwrap()["count"].clone()
}

async fn read(world: &World, caller: &Caller, id: Uuid) -> Result<(), Error> {
    let id = id.to_string();
    let done = ask(world, caller, "notification_read", &[&id], Json::Null).await;
    done.map(|_| ())
}

async fn everybody_sees_his_own(world: World) {
    let mut approval = notice(&world.zoe, "À approuver");
    approval.kind = Kind::Alert;
    approval.message = "Demande d’achat".into();
    approval.about = Some(("user".into(), world.ben.user()));
    approval.action = Some(json!({"approval": "a1"}));
    approval.key = Some("k".into());
    let id = tell(&world, &approval).await;
    tell(&world, &approval).await;
    tell(&world, &notice(&world.ben, "Autre chose")).await;
    let own = world.list(&world.zoe, "notification", &[]).await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["title"], "À approuver");
    assert_eq!(own[0]["kind"], "alert");
    assert_eq!(own[0]["action"], json!({"approval": "a1"}));
    assert_eq!(own[0]["about"]["id"], world.ben.user().to_string());
    assert_eq!(own[0].get("key"), None);
    let hidden = world.get(&world.ben, "notification", id).await;
    assert!(matches!(hidden, Err(Error::NotFound)));
    let everybody = world.list(&world.admin, "notification", &[]).await;
    assert_eq!(
        everybody.len(),
        2,
        "who has read what is an administrator's to see"
    );
    // The feed says whose it is, for those who follow it.
    let told = world.feed("notification", 1).await;
    assert_eq!(
        told[0].entry.body.after["recipient"],
        world.zoe.user().to_string()
    );
}

async fn reading_is_marked_once_and_told(world: World) {
    let id = tell(&world, &notice(&world.zoe, "Un")).await;
    tell(&world, &notice(&world.zoe, "Deux")).await;
    assert_eq!(unread(&world, &world.zoe).await, 2);
    read(&world, &world.zoe, id).await.unwrap();
    assert_eq!(unread(&world, &world.zoe).await, 1);
    let first = world.get(&world.zoe, "notification", id).await.unwrap();
    world.pass(jiff::SignedDuration::from_secs(60));
    read(&world, &world.zoe, id).await.unwrap();
    let again = world.get(&world.zoe, "notification", id).await.unwrap();
    assert_eq!(first["read_at"], again["read_at"], "read is read");
    let marks = world.feed("notification", 3).await;
    let marks = marks
        .iter()
        .filter(|entry| entry.entry.op == FeedOp::Updated);
    assert_eq!(marks.count(), 1);
    for id in [Uuid::nil().to_string(), "nonsense".into(), String::new()] {
        let refused = ask(&world, &world.zoe, "notification_read", &[&id], Json::Null).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{id}");
    }
}

async fn all_are_read_at_once(world: World) {
    let titles: Vec<Notice> = (0..1_100)
        .map(|number| notice(&world.zoe, &number.to_string()))
        .collect();
    let told = titles.iter();
    let told = told.map(|notice| world.messaging.notify(TENANT, notice).unwrap());
    world.queue(told.collect()).await;
    tell(&world, &notice(&world.ben, "x")).await;
    assert_eq!(
        unread(&world, &world.zoe).await,
        1_000,
        "nobody counts further"
    );
    let done = ask(&world, &world.zoe, "notification_read_all", &[], Json::Null).await;
    assert!(done.is_ok());
    assert_eq!(unread(&world, &world.zoe).await, 0);
    assert_eq!(unread(&world, &world.ben).await, 1);
}

async fn long_and_odd_texts_fit(world: World) {
    let mut long = notice(&world.zoe, &"é".repeat(1_000));
    long.title.push('\0');
    long.message = format!("a\0{}", "b".repeat(10_000));
    let id = tell(&world, &long).await;
    let kept = world.get(&world.zoe, "notification", id).await.unwrap();
    assert_eq!(kept["title"].as_str().unwrap().chars().count(), 200);
    assert_eq!(kept["message"].as_str().unwrap().len(), 4_000);
}

async fn an_administrator_reads_nothing_for_others(world: World) {
    let id = tell(&world, &notice(&world.zoe, "Un")).await;
    let refused = read(&world, &world.admin, id).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    assert_eq!(unread(&world, &world.zoe).await, 1);
}

async fn everybody_is_told_of_an_announcement(world: World) {
    let name = "notification_announce";
    let about = json!({"entity": "user", "id": world.ben.user().to_string()});
    let said = json!({
        "title": "Maintenance", "message": "Dimanche à 8 h", "kind": "alert", "about": about,
    });
    let reply = ask(&world, &world.admin, name, &[], said).await.unwrap();
    let Body::Json(body) = reply.body else {
        panic!("no JSON")
    };
    assert_eq!(body, br#"{"count":2}"#);
    for person in [&world.zoe, &world.ben] {
        let own = world.list(person, "notification", &[]).await;
        assert_eq!(own[0]["title"], "Maintenance");
        assert_eq!(own[0]["kind"], "alert");
        assert_eq!(own[0]["about"], about);
    }
    for nonsense in [
        json!({}),
        json!({"title": " "}),
        json!({"title": 7}),
        json!({"title": "x".repeat(201)}),
        json!({"title": "x", "kind": "social"}),
        json!({"title": "x", "to": "zoe"}),
        json!({"title": "x", "about": {"entity": "ghost", "id": Uuid::nil().to_string()}}),
        json!({"title": "x", "about": {"entity": "user", "id": "zoe"}}),
        json!({"title": "x", "about": 7}),
    ] {
        let refused = ask(&world, &world.admin, name, &[], nonsense.clone()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{nonsense}");
    }
    assert_eq!(world.list(&world.admin, "notification", &[]).await.len(), 2);
}
