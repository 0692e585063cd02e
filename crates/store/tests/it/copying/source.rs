//! What is copied: one row of every kind of table, at the limits of its types.

use std::sync::Arc;

use jiff::civil::date;
use opsflux_model::Value;
use opsflux_store::feed::Body;
use opsflux_store::{Answer, Commit, FeedOp, NewEntry, Store, SystemWrite, Write};
use serde_json::json;

use crate::bench::Bench;
use crate::fixture::{at, id, insert};
use crate::values::{people, samples};

/// One row of every kind of table, at the limits of its types, in two tenants.
pub async fn fill(bench: &mut Bench) {
    people(bench).await;
    let every = samples().into_iter().map(|(name, value, _)| (name, value));
    let every: Vec<_> = every.collect();
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let time = |text: &str| Value::Time(text.parse().unwrap());
    let limits = [
        ("day", Value::Date(date(9999, 12, 31))),
        ("day", Value::Date(date(1, 1, 1))),
        ("day", Value::Date(date(1969, 12, 31))),
        ("at", time("0001-01-01T00:00:00Z")),
        ("at", time("1969-12-31T23:59:59.999999Z")),
        ("at", time("9999-12-30T21:59:59.999999Z")),
        ("count", Value::Int(i64::MAX)),
        ("count", Value::Int(i64::MIN)),
        ("weight", decimal("-9999999.99")),
        ("weight", decimal("0.01")),
        ("huge", decimal("-999999999999999999.9999999999")),
        ("huge", decimal("999999999999999999.9999999999")),
        ("huge", decimal("0")),
        ("title", Value::from("🙂 e\u{301} \u{10ffff} \\N \t'\"")),
        ("title", Value::from("")),
        ("body", Value::from("long ".repeat(50_000))),
    ];
    let schema = Arc::clone(&bench.schema);
    let mut writes = vec![insert(&schema, "thing", id(10), &every)];
    for (place, (name, value)) in limits.into_iter().enumerate() {
        writes.push(insert(
            &schema,
            "thing",
            id(100 + place as u128),
            &[(name, value)],
        ));
    }
    writes.push(insert(&schema, "department", id(20), &[]));
    let mut tickets = Vec::new();
    for number in 0..30 {
        let title = Value::from(format!("Ticket {number}"));
        let values = [("title", title), ("department", Value::Id(id(20)))];
        tickets.push(insert(&schema, "ticket", id(1_000 + number), &values));
    }
    writes.extend(tickets);
    writes.push(insert(
        &schema,
        "sighting",
        id(30),
        &[("thing", Value::Id(id(10)))],
    ));
    writes.push(Write::Mark {
        entity: bench.entity("ticket"),
        id: id(1_003),
        expected_version: None,
        deletion: Some((at(9), id(77))),
    });
    bench.commit(writes).await.unwrap();
    bench.tenant = 2;
    let same = insert(&schema, "thing", id(10), &[("title", "of another".into())]);
    bench.commit(vec![same]).await.unwrap();
    bench.tenant = 1;
    engine(&bench.store).await;
}

/// What is no record.
async fn engine(store: &Store) {
    assert_eq!(store.next_tenant().await.unwrap(), 1);
    let entry = |number: u128, second| NewEntry {
        change: id(number),
        at: at(second),
        entity: "ticket".to_owned(),
        record: id(1_000),
        version: 1,
        op: FeedOp::Created,
        body: Body {
            source: "é".to_owned(),
            ..Body::default()
        },
    };
    let answer = Answer {
        principal: id(1),
        operation: "POST /tickets".to_owned(),
        key: "k".to_owned(),
        body_hash: vec![0, 255, 10],
        status: 201,
        recipe: "{}".to_owned(),
        expires_at: at(1_000_000_000),
    };
    let system = vec![
        SystemWrite::Tenant {
            id: id(1),
            name: "ACME".to_owned(),
            at: at(0),
        },
        SystemWrite::ClaimName {
            name: "awa@example.org".to_owned(),
            user: id(1),
        },
        SystemWrite::Setting {
            key: "desk.greeting".to_owned(),
            value: json!({"fr": "Ça va"}),
        },
        SystemWrite::Answer(answer),
    ];
    let commit = Commit {
        tenant: 1,
        system,
        feed: (1..=40)
            .map(|n| entry(n, i64::try_from(n).unwrap()))
            .collect(),
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    store.lease_numbers(1, "ticket", "2026", 41).await.unwrap();
    let mut feed = store.subscribe_feed();
    feed.wait_for(|end| *end >= 41).await.unwrap();
    store.set_cursor("search", 30).await.unwrap();
    // The first places are no longer there.
    let all = jiff::Timestamp::MAX;
    assert!(store.forget_feed(all, 12, 100).await.unwrap());
}
