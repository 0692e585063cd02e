//! What is no longer declared: kept, found again, dropped only by name.

use opsflux_model::Value;
use opsflux_store::MigrationError;

use crate::fixture::id;
use crate::schemas::{Site, Versions, entity, from_nothing};

from_nothing!(
    what_would_lose_values_is_refused,
    what_is_no_longer_declared_is_found_again,
    what_is_named_is_dropped,
);

async fn what_would_lose_values_is_refused(site: Site) {
    let mut versions = Versions::default();
    let first = versions.next(&[&entity("ticket", "count = { type = \"text\" }")]);
    site.become_whole(&first).await;
    let second = versions.next(&[&entity("ticket", "count = { type = \"integer\" }")]);
    let refused = site.migrate(&second).await;
    let Err(MigrationError::Refused(refusals)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        refusals[0].to_string().contains("ticket.count"),
        "{refusals:?}"
    );
    assert!(!site.migrate(&first).await.unwrap().changed);
}

async fn what_is_no_longer_declared_is_found_again(site: Site) {
    let mut versions = Versions::default();
    let place = entity("place", "");
    let with = entity("ticket", "cost = { type = \"integer\", index = true }");
    let both = versions.next(&[&place, &with]);
    site.become_whole(&both).await;
    site.insert("ticket", 1, &[("cost", Value::Int(5))])
        .await
        .unwrap();
    site.insert("place", 2, &[("title", "Here".into())])
        .await
        .unwrap();
    let less = versions.next(&[&entity("ticket", "")]);
    site.become_whole(&less).await;
    site.insert("ticket", 3, &[]).await.unwrap();
    let again = versions.next(&[&place, &with]);
    site.become_whole(&again).await;
    assert_eq!(
        site.values("ticket", "cost").await,
        [Value::Int(5), Value::Null]
    );
    assert_eq!(site.values("place", "title").await, ["Here".into()]);
}

async fn what_is_named_is_dropped(site: Site) {
    let mut versions = Versions::default();
    let place = entity("place", "");
    let fields = "cost = { type = \"integer\" }\nplace = { type = \"link\", to = \"place\" }";
    site.become_whole(&versions.next(&[&place, &entity("ticket", fields)]))
        .await;
    site.insert("place", 9, &[]).await.unwrap();
    let values = [("title", "Stays".into()), ("place", Value::Id(id(9)))];
    site.insert("ticket", 1, &values).await.unwrap();
    let less = versions.next(&[&entity("ticket", "")]);
    let dropped = ["ticket.cost", "ticket.place", "place"];
    assert!(
        site.migrate_dropping(&less, &dropped)
            .await
            .unwrap()
            .unfinished
    );
    site.store.run_fills().await.unwrap();
    assert_eq!(site.values("ticket", "title").await, ["Stays".into()]);
    let tables = match site.store.kind() {
        "sqlite" => "SELECT count(*) FROM sqlite_schema WHERE name = 'r_place'",
        _ => "SELECT count(*) FROM pg_class WHERE relname = 'r_place'",
    };
    assert_eq!(site.number(tables), 0);
    let columns = match site.store.kind() {
        "sqlite" => {
            "SELECT count(*) FROM pragma_table_info('r_ticket') WHERE name IN ('cost', 'place')"
        }
        _ => {
            "SELECT count(*) FROM information_schema.columns
             WHERE table_name = 'r_ticket' AND column_name IN ('cost', 'place')"
        }
    };
    assert_eq!(site.number(columns), 0);
    assert!(!site.migrate(&less).await.unwrap().changed);
}
