//! What is past its time is forgotten, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use opsflux_records::feed::Reactor;
use opsflux_records::{Error, Records, Uuid};
use opsflux_store::system::{Answer, SystemWrite};
use opsflux_store::{Commit, Entry};
use serde_json::json;

use crate::world::{TENANT, World, both};

both!(
    answers_and_the_feed_are_kept_their_time_and_no_longer,
    the_feed_waits_for_the_slowest_reactor,
    more_than_a_turn_takes_is_left_to_the_next,
    ended_jobs_go_and_waiting_ones_stay,
);

const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);
/// The entry that tells of the tables is of the machine's own time, far behind this.
const AGES: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// A reactor that stands where it is told to.
struct Standing(AtomicI64);

impl Reactor for Standing {
    fn name(&self) -> &'static str {
        "standing"
    }

    fn handle<'a>(&'a self, _: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn position<'a>(&'a self, _: &'a Records) -> BoxFuture<'a, Result<i64, Error>> {
        Box::pin(async { Ok(self.0.load(Ordering::SeqCst)) })
    }
}

async fn keep_answers(world: &World, count: usize) {
    let expires_at = world.records.now();
    let answers = (0..count).map(|number| {
        SystemWrite::Answer(Answer {
            principal: Uuid::nil(),
            operation: "POST /tickets".into(),
            key: format!("k{number}"),
            body_hash: vec![1],
            status: 201,
            recipe: "[]".into(),
            expires_at,
        })
    });
    let commit = Commit {
        tenant: TENANT,
        system: answers.collect(),
        ..Commit::default()
    };
    world.records.store().commit(commit).await.unwrap();
}

async fn kept(world: &World, key: &str) -> bool {
    let store = world.records.store();
    let answer = store.answer(TENANT, Uuid::nil(), "POST /tickets", key);
    answer.await.unwrap().is_some()
}

/// The feed, when everything written so far has its place in it.
async fn entries(world: &World, wanted: usize) -> Vec<Entry> {
    let store = world.records.store();
    let mut feed = store.subscribe_feed();
    loop {
        let entries = store.feed_after(0, 10_000).await.unwrap();
        if entries.len() >= wanted {
            return entries;
        }
        feed.changed().await.unwrap();
    }
}

async fn answers_and_the_feed_are_kept_their_time_and_no_longer(world: World) {
    keep_answers(&world, 1).await;
    world.make("ticket", json!({"title": "old"})).await;
    // Company, departments, Ada, the ticket, and the schema itself.
    let before = entries(&world, 6).await.len();
    assert!(!world.records.forget_what_is_past(&[]).await.unwrap());
    assert!(!kept(&world, "k0").await, "its time is over");
    assert_eq!(
        entries(&world, 0).await.len(),
        before,
        "the feed is kept for a month"
    );
    world.clock.pass(AGES);
    world.make("ticket", json!({"title": "young"})).await;
    entries(&world, before + 1).await;
    world.records.forget_what_is_past(&[]).await.unwrap();
    let left = entries(&world, 0).await;
    let tickets = left.iter().filter(|e| e.entry.entity == "ticket").count();
    assert_eq!(tickets, 1, "{left:#?}");
}

async fn the_feed_waits_for_the_slowest_reactor(world: World) {
    let all = entries(&world, 5).await;
    let passed = all[2].pos;
    let reactor = Arc::new(Standing(AtomicI64::new(passed)));
    let reactors: Vec<Arc<dyn Reactor>> = vec![reactor.clone()];
    world.clock.pass(AGES);
    while world.records.forget_what_is_past(&reactors).await.unwrap() {}
    assert_eq!(entries(&world, 0).await[0].pos, all[3].pos);
    let end = world.records.store().feed_end().await.unwrap();
    reactor.0.store(end, Ordering::SeqCst);
    while world.records.forget_what_is_past(&reactors).await.unwrap() {}
    assert!(entries(&world, 0).await.is_empty());
}

async fn more_than_a_turn_takes_is_left_to_the_next(world: World) {
    keep_answers(&world, 10_001).await;
    assert!(world.records.forget_what_is_past(&[]).await.unwrap());
    assert!(!world.records.forget_what_is_past(&[]).await.unwrap());
    assert!(!kept(&world, "k0").await && !kept(&world, "k10000").await);
}

async fn ended_jobs_go_and_waiting_ones_stay(world: World) {
    world.make("order", json!({"name": "A"})).await;
    let ids = || world.column(&world.admin, "job", "", "status");
    world.records.derive_where_declared_anew().await.unwrap();
    while world.records.work_next_job().await.unwrap() {}
    let setting = SystemWrite::Setting {
        key: "@derived".into(),
        value: serde_json::Value::Null,
    };
    let commit = Commit {
        tenant: TENANT,
        system: vec![setting],
        ..Commit::default()
    };
    world.records.store().commit(commit).await.unwrap();
    assert_eq!(world.records.derive_where_declared_anew().await.unwrap(), 1);
    assert_eq!(ids().await, ["queued", "done"]);
    world.clock.pass(MONTH);
    world.records.forget_what_is_past(&[]).await.unwrap();
    assert_eq!(ids().await, ["queued"]);
}
