//! The feed: everything, once, in an order that no reader has to go back in.

use opsflux_store::feed::Body;
use opsflux_store::{Commit, FeedOp, NewEntry};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id};

on_both!(
    entries_come_back_as_they_went_in,
    a_reader_that_follows_sees_every_entry_once_and_in_order,
    cursors_remember,
    what_is_old_is_forgotten_but_never_before_a_reader_has_passed,
);

fn entry(number: u128) -> NewEntry {
    NewEntry {
        change: id(number),
        at: at(3),
        entity: "ticket".to_owned(),
        record: id(7),
        version: 2,
        op: FeedOp::Restored,
        body: Body::default(),
    }
}

fn commit(tenant: i64, feed: Vec<NewEntry>) -> Commit {
    Commit {
        tenant,
        feed,
        ..Commit::default()
    }
}

/// The place of the entry that told of the new tables.
async fn after_the_schema(bench: &Bench) -> i64 {
    let mut feed = bench.store.subscribe_feed();
    feed.wait_for(|end| *end > 0).await.unwrap();
    let first = bench.store.feed_after(0, 1).await.unwrap();
    assert_ne!(first[0].entry.entity, "ticket");
    first[0].pos
}

async fn entries_come_back_as_they_went_in(bench: Bench) {
    let mut body = Body {
        fields: vec!["status".to_owned()],
        by: Some(id(9)),
        source: "api".to_owned(),
        chain: Some(id(8)),
        depth: 3,
        ..Body::default()
    };
    body.before.insert("department".to_owned(), json!(id(1)));
    body.after.insert("status".to_owned(), json!("done"));
    let first = NewEntry { body, ..entry(1) };
    let written = vec![first.clone(), entry(2)];
    bench
        .store
        .commit(commit(3, written.clone()))
        .await
        .unwrap();
    let start = after_the_schema(&bench).await;
    let mut feed = bench.store.subscribe_feed();
    feed.wait_for(|end| *end > start).await.unwrap();
    let found = bench.store.feed_after(start, 10).await.unwrap();
    let entries: Vec<_> = found.iter().map(|found| found.entry.clone()).collect();
    assert_eq!(entries, written);
    assert!(found.iter().all(|found| found.tenant == 3));
    let end = bench.store.feed_end().await.unwrap();
    assert_eq!(found[1].pos, end);
    assert!(found[0].pos < end);
    assert_eq!(
        bench.store.feed_after(found[0].pos, 10).await.unwrap(),
        found[1..]
    );
    assert_eq!(bench.store.feed_after(start, 1).await.unwrap(), found[..1]);
}

async fn a_reader_that_follows_sees_every_entry_once_and_in_order(bench: Bench) {
    const WRITERS: u128 = 16;
    const EACH: u128 = 20;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = std::sync::Arc::clone(&bench.store);
        writers.spawn(async move {
            for n in 0..EACH {
                let number = writer * EACH + n;
                store.commit(commit(1, vec![entry(number)])).await.unwrap();
            }
        });
    }
    let mut feed = bench.store.subscribe_feed();
    let (mut pos, mut seen) = (after_the_schema(&bench).await, Vec::new());
    while seen.len() < (WRITERS * EACH) as usize {
        let found = bench.store.feed_after(pos, 7).await.unwrap();
        if found.is_empty() {
            feed.wait_for(|end| *end > pos).await.unwrap();
        }
        for found in found {
            assert!(found.pos > pos, "places ascend");
            pos = found.pos;
            seen.push(found.entry.change);
        }
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let of_one_writer = |writer: u128| {
        let own = move |n: u128| id(writer * EACH + n);
        (0..EACH).map(own).collect::<Vec<_>>()
    };
    for writer in 0..WRITERS {
        let own = of_one_writer(writer);
        let order: Vec<_> = seen.iter().filter(|id| own.contains(id)).copied().collect();
        assert_eq!(order, own, "each once, and in the order they were answered");
    }
    assert!(bench.store.feed_after(pos, 10).await.unwrap().is_empty());
}

async fn cursors_remember(bench: Bench) {
    assert_eq!(bench.store.cursor("search").await.unwrap(), 0);
    bench.store.set_cursor("search", 5).await.unwrap();
    bench.store.set_cursor("search", 9).await.unwrap();
    assert_eq!(bench.store.cursor("search").await.unwrap(), 9);
    assert_eq!(bench.store.cursor("mail").await.unwrap(), 0);
}

async fn what_is_old_is_forgotten_but_never_before_a_reader_has_passed(bench: Bench) {
    let first = after_the_schema(&bench).await;
    let aged = |number: u128| NewEntry {
        at: at(i64::try_from(number).unwrap() * 10),
        ..entry(number)
    };
    let mut feed = bench.store.subscribe_feed();
    for number in 1..=6 {
        bench
            .store
            .commit(commit(1, vec![aged(number)]))
            .await
            .unwrap();
        let placed = first + i64::try_from(number).unwrap();
        feed.wait_for(|end| *end >= placed).await.unwrap();
    }
    let store = &bench.store;
    let end = store.feed_end().await.unwrap();
    let left = async || {
        let left = store.feed_after(first, 100).await.unwrap();
        left.iter()
            .map(|entry| entry.entry.change)
            .collect::<Vec<_>>()
    };
    // The entry of the schema is of the machine's own time: it is younger than all of these.
    store.set_cursor("slow", first + 2).await.unwrap();
    assert!(
        !store.forget_feed(at(5), end, 100).await.unwrap(),
        "nothing is so old"
    );
    let far = "9999-01-01T00:00:00Z".parse().unwrap();
    assert!(store.forget_feed(far, end, 100).await.unwrap());
    assert_eq!(
        left().await,
        [id(3), id(4), id(5), id(6)],
        "the slow reader has not passed"
    );
    assert_eq!(store.feed_start().await.unwrap(), first + 3);
    store.set_cursor("slow", end).await.unwrap();
    assert!(store.forget_feed(at(55), end, 1).await.unwrap());
    assert_eq!(
        left().await,
        [id(4), id(5), id(6)],
        "no more than it was asked"
    );
    assert!(store.forget_feed(at(55), end - 1, 100).await.unwrap());
    assert_eq!(left().await, [id(6)], "what is young stays");
    assert!(store.forget_feed(far, end, 100).await.unwrap());
    assert_eq!(store.feed_start().await.unwrap(), end + 1);
    assert_eq!(
        store.feed_end().await.unwrap(),
        end,
        "places are not given again"
    );
    store.commit(commit(1, vec![aged(7)])).await.unwrap();
    feed.wait_for(|now| *now > end).await.unwrap();
    assert_eq!(left().await, [id(7)]);
}
