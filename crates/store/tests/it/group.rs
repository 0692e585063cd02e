//! Many changes at once: each for itself.

use opsflux_model::Value;
use opsflux_store::{CommitError, FeedOp, NewEntry};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id, insert};

on_both!(one_that_fails_is_taken_back_alone, a_closed_store_refuses);

async fn one_that_fails_is_taken_back_alone(bench: Bench) {
    let mut running = JoinSet::new();
    for number in 0..200_u128 {
        let store = std::sync::Arc::clone(&bench.store);
        // Every tenth change writes one row and then another that exists already.
        let broken = number % 10 == 9;
        let mut writes = vec![insert(&bench.schema, "thing", id(1_000 + number), &[])];
        if broken {
            let email = Value::from("same@example.org");
            let user = |n| insert(&bench.schema, "user", id(n), &[("email", email.clone())]);
            writes.extend([user(5_000 + 2 * number), user(5_001 + 2 * number)]);
        }
        let commit = opsflux_store::Commit {
            tenant: bench.tenant,
            writes,
            feed: vec![NewEntry {
                change: id(number),
                at: at(0),
                entity: "thing".to_owned(),
                record: id(1_000 + number),
                version: 1,
                op: FeedOp::Created,
                body: opsflux_store::feed::Body::default(),
            }],
            ..opsflux_store::Commit::default()
        };
        running.spawn(async move { (broken, store.commit(commit).await) });
    }
    while let Some(done) = running.join_next().await {
        match done.unwrap() {
            (false, Ok(committed)) => assert_eq!(committed.entries, 1),
            (true, Err(CommitError::Unique { .. })) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.rows(&bench.all("thing")).await.len(), 180);
    assert!(bench.rows(&bench.all("user")).await.is_empty());
    // One more told of the new tables.
    let mut feed = bench.store.subscribe_feed();
    feed.wait_for(|end| *end >= 181).await.unwrap();
    let entries = bench.store.feed_after(0, 1_000).await.unwrap();
    let things = entries.iter().filter(|found| found.entry.entity == "thing");
    assert_eq!(things.count(), 180);
}

async fn a_closed_store_refuses(bench: Bench) {
    bench.store.ping().await.unwrap();
    bench.store.close().await;
    let write = insert(&bench.schema, "thing", id(1), &[]);
    let refused = bench.commit(vec![write]).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Store(opsflux_store::StoreError::Unavailable(
                _
            )))
        ),
        "{refused:?}"
    );
    assert!(bench.store.ping().await.is_err());
}
