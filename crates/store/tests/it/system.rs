//! The engine's own rows.

use opsflux_store::{Answer, Commit, CommitError, SystemWrite};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id};

on_both!(
    numbers_are_leased_once,
    tenants_are_numbered_and_named,
    settings_are_kept_per_tenant_and_removed_by_null,
    an_answer_is_kept_until_it_is_forgotten,
);

async fn write(bench: &Bench, tenant: i64, write: SystemWrite) -> Result<(), CommitError> {
    let commit = Commit {
        tenant,
        system: vec![write],
        ..Commit::default()
    };
    bench.store.commit(commit).await.map(|_| ())
}

async fn numbers_are_leased_once(bench: Bench) {
    let mut leases = JoinSet::new();
    for _ in 0..20 {
        let store = std::sync::Arc::clone(&bench.store);
        leases.spawn(async move { store.lease_numbers(1, "ticket", "2026", 5).await.unwrap() });
    }
    let mut numbers = Vec::new();
    while let Some(range) = leases.join_next().await {
        numbers.extend(range.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..101).collect::<Vec<i64>>());
    let other = bench
        .store
        .lease_numbers(1, "ticket", "2027", 1)
        .await
        .unwrap();
    assert_eq!(other, 1..2);
    let other = bench
        .store
        .lease_numbers(2, "ticket", "2026", 1)
        .await
        .unwrap();
    assert_eq!(other, 1..2);
}

async fn tenants_are_numbered_and_named(bench: Bench) {
    for name in ["ACME", "Émile & fils"] {
        let number = bench.store.next_tenant().await.unwrap();
        let tenant = SystemWrite::Tenant {
            id: id(u128::try_from(number).unwrap()),
            name: name.to_owned(),
            at: at(0),
        };
        write(&bench, number, tenant).await.unwrap();
    }
    let tenants = bench.store.tenants().await.unwrap();
    let found: Vec<_> = tenants
        .iter()
        .map(|t| (t.number, t.name.as_str(), t.id))
        .collect();
    assert_eq!(found, [(1, "ACME", id(1)), (2, "Émile & fils", id(2))]);
}

async fn settings_are_kept_per_tenant_and_removed_by_null(bench: Bench) {
    let setting = |value| SystemWrite::Setting {
        key: "desk.close".to_owned(),
        value,
    };
    write(&bench, 1, setting(json!("warn"))).await.unwrap();
    write(&bench, 2, setting(json!({"days": 3}))).await.unwrap();
    write(&bench, 1, setting(json!("block"))).await.unwrap();
    let settings = |tenant| bench.store.settings(tenant);
    let kept = |value| vec![("desk.close".to_owned(), value)];
    assert_eq!(settings(1).await.unwrap(), kept(json!("block")));
    assert_eq!(settings(2).await.unwrap(), kept(json!({"days": 3})));
    write(&bench, 1, setting(json!(null))).await.unwrap();
    assert!(settings(1).await.unwrap().is_empty());
}

async fn an_answer_is_kept_until_it_is_forgotten(bench: Bench) {
    let answer = Answer {
        principal: id(1),
        operation: "POST /api/v1/tickets".to_owned(),
        key: "k-1".to_owned(),
        body_hash: vec![0, 1, 255],
        status: 201,
        recipe: "{\"id\":\"…\"}".to_owned(),
        expires_at: at(100),
    };
    let keep = || write(&bench, 1, SystemWrite::Answer(answer.clone()));
    let found = || bench.store.answer(1, id(1), "POST /api/v1/tickets", "k-1");
    assert_eq!(found().await.unwrap(), None);
    keep().await.unwrap();
    assert_eq!(found().await.unwrap(), Some(answer.clone()));
    assert!(matches!(keep().await, Err(CommitError::KeyTaken)));
    assert!(!bench.store.forget_answers(at(99), 10).await.unwrap());
    assert!(found().await.unwrap().is_some());
    assert!(bench.store.forget_answers(at(100), 10).await.unwrap());
    assert_eq!(found().await.unwrap(), None);
    keep().await.unwrap();
}
