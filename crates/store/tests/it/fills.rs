//! New columns are filled in batches that may be stopped at any moment.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use opsflux_model::{Schema, Value};
use opsflux_store::{CommitError, MigrationError};

use crate::schemas::{Site, Versions, entity, from_nothing};

from_nothing!(
    existing_rows_get_the_default,
    filling_goes_on_after_a_stop,
    a_value_given_meanwhile_is_kept,
    texts_get_their_folded_keys,
    unique_values_are_demanded_when_they_are_unique,
    a_later_migration_waits_for_the_columns_of_an_earlier_one,
);

const PRIORITY: &str = "priority = { type = \"choice\", options = [\"low\", \"high\"], default = \"low\", index = true }";
const LOW: &str = "SELECT count(*) FROM r_ticket WHERE priority = 'low'";
const EMPTY: &str = "SELECT count(*) FROM r_ticket WHERE priority IS NULL";

/// Tickets without a priority, and the schema that gives them one.
async fn tickets(site: &Site, count: u32) -> Arc<Schema> {
    let mut versions = Versions::default();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.many_tickets(count);
    versions.next(&[&entity("ticket", PRIORITY)])
}

async fn existing_rows_get_the_default(site: Site) {
    let schema = tickets(&site, 12_001).await;
    let migrated = site.migrate(&schema).await.unwrap();
    assert!(migrated.changed && migrated.unfinished);
    assert_eq!(site.number(EMPTY), 12_001);
    site.store.run_fills().await.unwrap();
    assert_eq!((site.number(LOW), site.number(EMPTY)), (12_001, 0));
    let again = site.migrate(&schema).await.unwrap();
    assert!(!again.changed && !again.unfinished);
}

async fn filling_goes_on_after_a_stop(site: Site) {
    let schema = tickets(&site, 12_001).await;
    site.migrate(&schema).await.unwrap();
    {
        let mut fills = pin!(site.store.run_fills());
        while site.number(LOW) == 0 {
            let step = tokio::time::timeout(Duration::from_millis(1), &mut fills);
            assert!(step.await.is_err(), "filled before it could be stopped");
        }
    }
    let site = site.restart().await;
    let filled = site.number(LOW);
    assert!(
        filled % 5_000 == 0 && filled < 12_001,
        "{filled} in whole batches"
    );
    assert_eq!(
        site.number("SELECT count(*) FROM sys_meta WHERE key = 'fill_cursor'"),
        1
    );
    // What was filled is not gone over again.
    site.sql("UPDATE r_ticket SET priority = NULL WHERE priority = 'low'");
    site.store.run_fills().await.unwrap();
    assert_eq!(site.number(LOW), 12_001 - filled);
    assert_eq!(
        site.number("SELECT count(*) FROM sys_meta WHERE key = 'fill_cursor'"),
        0
    );
}

async fn a_value_given_meanwhile_is_kept(site: Site) {
    let schema = tickets(&site, 10).await;
    site.migrate(&schema).await.unwrap();
    site.insert("ticket", 1, &[("priority", "high".into())])
        .await
        .unwrap();
    site.store.run_fills().await.unwrap();
    assert_eq!(site.number(LOW), 10);
    assert_eq!(
        site.number("SELECT count(*) FROM r_ticket WHERE priority = 'high'"),
        1
    );
}

/// A code that becomes a text can be matched blind to case: its keys are made.
async fn texts_get_their_folded_keys(site: Site) {
    let mut versions = Versions::default();
    let long = versions.next(&[&entity("ticket", "note = { type = \"long_text\" }")]);
    site.become_whole(&long).await;
    site.many_tickets(6_000);
    site.sql("UPDATE r_ticket SET note = 'Été ' || title WHERE title <> 'Té 7'");
    let short = versions.next(&[&entity("ticket", "note = { type = \"text\" }")]);
    site.become_whole(&short).await;
    let folded = "SELECT count(*) FROM r_ticket WHERE note_key = 'ete ' || title_key";
    assert_eq!(site.number(folded), 5_999);
    let empty = "SELECT count(*) FROM r_ticket WHERE note_key IS NULL";
    assert_eq!(site.number(empty), 1);
}

async fn unique_values_are_demanded_when_they_are_unique(site: Site) {
    let mut versions = Versions::default();
    let plain = versions.next(&[&entity("ticket", "code = { type = \"text\" }")]);
    site.become_whole(&plain).await;
    for number in 1..=2 {
        site.insert("ticket", number, &[("code", "A".into())])
            .await
            .unwrap();
    }
    let unique = versions.next(&[&entity(
        "ticket",
        "code = { type = \"text\", unique = true }",
    )]);
    assert!(site.migrate(&unique).await.unwrap().unfinished);
    let failed = site.store.run_fills().await;
    assert!(
        matches!(failed, Err(MigrationError::Failed { .. })),
        "{failed:?}"
    );
    // Everything can be read and written; somebody puts the values right.
    let site = site.restart().await;
    assert!(site.migrate(&unique).await.unwrap().unfinished);
    site.insert("ticket", 3, &[("code", "A".into())])
        .await
        .unwrap();
    site.sql("DELETE FROM r_ticket WHERE version = 1 AND id <> (SELECT max(id::text)::uuid FROM r_ticket)"
        .replace("max(id::text)::uuid", match site.store.kind() {
            "sqlite" => "max(id)",
            _ => "max(id::text)::uuid",
        })
        .as_str());
    site.store.run_fills().await.unwrap();
    let twice = site.insert("ticket", 4, &[("code", "a".into())]).await;
    assert!(
        matches!(twice, Err(CommitError::Unique { .. })),
        "{twice:?}"
    );
    assert!(!site.migrate(&unique).await.unwrap().unfinished);
}

async fn a_later_migration_waits_for_the_columns_of_an_earlier_one(site: Site) {
    let mut versions = Versions::default();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.many_tickets(100);
    site.migrate(&versions.next(&[&entity("ticket", PRIORITY)]))
        .await
        .unwrap();
    let renamed = PRIORITY
        .replace("priority =", "urgency =")
        .replace("index", "was = \"priority\", index");
    site.become_whole(&versions.next(&[&entity("ticket", &renamed)]))
        .await;
    assert_eq!(
        site.values("ticket", "urgency").await,
        vec![Value::from("low"); 100]
    );
}
