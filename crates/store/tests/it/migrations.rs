//! Tables follow declarations, and values stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use opsflux_model::Value;
use opsflux_store::{CommitError, MigrationError, Set, StoreError, Write};

use crate::fixture::{self, id};
use crate::schemas::{Site, Versions, entity, from_nothing};

from_nothing!(
    tables_are_made_once,
    a_plan_can_be_read_before_it_is_carried_out,
    renamed_things_keep_their_values,
    names_that_change_hands_keep_their_values,
    a_link_is_added_and_every_row_stays,
    numbers_are_widened_exactly,
    what_does_not_fit_leaves_everything_as_it_was,
    every_process_is_told,
    a_database_of_a_newer_release_is_left_alone,
    statistics_are_taken_of_new_indexes,
);

async fn tables_are_made_once(site: Site) {
    let schema = Arc::new(fixture::schema());
    assert!(site.migrate(&schema).await.unwrap().changed);
    site.insert("department", 1, &[("name", "Siège".into())])
        .await
        .unwrap();
    let again = site.migrate(&schema).await.unwrap();
    assert!(!again.changed && !again.unfinished);
    let site = site.restart().await;
    assert!(!site.migrate(&schema).await.unwrap().changed);
    assert_eq!(site.values("department", "name").await, ["Siège".into()]);
}

async fn a_plan_can_be_read_before_it_is_carried_out(site: Site) {
    let mut versions = Versions::default();
    let first = versions.next(&[&entity("ticket", "")]);
    site.migrate(&first).await.unwrap();
    let second = versions.next(&[&entity(
        "ticket",
        "cost = { type = \"integer\", index = true }",
    )]);
    let plan = site.store.plan(&second, &BTreeSet::new()).await.unwrap();
    assert_eq!(plan.plan.expand.len(), 2);
    assert!(
        plan.sql[0].starts_with("ALTER TABLE \"r_ticket\" ADD COLUMN \"cost\""),
        "{plan:?}"
    );
    assert!(plan.sql[1].starts_with("CREATE INDEX"), "{plan:?}");
    // Nothing has happened yet.
    assert!(site.migrate(&second).await.unwrap().changed);
    let nothing = site.store.plan(&second, &BTreeSet::new()).await.unwrap();
    assert!(nothing.sql.is_empty() && nothing.later.is_empty());
}

async fn renamed_things_keep_their_values(site: Site) {
    let mut versions = Versions::default();
    let place = entity("place", "");
    let before = entity(
        "ticket",
        "code = { type = \"text\", unique = true }\nplace = { type = \"link\", to = \"place\" }\n\
         tags = { type = \"tags\" }",
    );
    let first = versions.next(&[&place, &before]);
    site.become_whole(&first).await;
    site.insert("place", 9, &[]).await.unwrap();
    let values = [
        ("code", Value::from("A-1")),
        ("place", Value::Id(id(9))),
        ("tags", Value::Set(vec!["urgent".into()])),
    ];
    site.insert("ticket", 1, &values).await.unwrap();
    let after = entity(
        "case",
        "reference = { type = \"text\", unique = true, was = \"code\" }\n\
         site = { type = \"link\", to = \"place\", was = \"place\" }\n\
         marks = { type = \"tags\", was = \"tags\" }",
    );
    let after = format!("was = \"ticket\"\n{after}");
    let second = versions.next(&[&place, &after]);
    site.become_whole(&second).await;
    assert_eq!(site.values("case", "reference").await, ["A-1".into()]);
    assert_eq!(site.values("case", "site").await, [Value::Id(id(9))]);
    assert_eq!(
        site.values("case", "marks").await,
        [Value::Set(vec!["urgent".into()])]
    );
    // Constraints hold on, and are told by the new names.
    let twice = site.insert("case", 2, &[("reference", "a-1".into())]).await;
    assert!(
        matches!(&twice, Err(CommitError::Unique { entity, fields })
            if entity == "case" && *fields == ["reference"]),
        "{twice:?}"
    );
    let nowhere = site.insert("case", 2, &[("site", Value::Id(id(77)))]).await;
    assert!(
        matches!(&nowhere, Err(CommitError::Link { entity, field: Some(field) })
            if entity == "case" && field == "site"),
        "{nowhere:?}"
    );
    let same_id = site.insert("case", 1, &[]).await;
    assert!(
        matches!(&same_id, Err(CommitError::Unique { fields, .. }) if *fields == ["id"]),
        "{same_id:?}"
    );
}

async fn names_that_change_hands_keep_their_values(site: Site) {
    let mut versions = Versions::default();
    let before = "here = { type = \"text\" }\nthere = { type = \"text\" }";
    let first = versions.next(&[&entity("ticket", before)]);
    site.become_whole(&first).await;
    let values = [("here", Value::from("h")), ("there", Value::from("t"))];
    site.insert("ticket", 1, &values).await.unwrap();
    let after = "here = { type = \"text\", was = \"there\" }\n\
                 there = { type = \"text\", was = \"here\" }";
    let second = versions.next(&[&entity("ticket", after)]);
    site.become_whole(&second).await;
    assert_eq!(site.values("ticket", "here").await, ["t".into()]);
    assert_eq!(site.values("ticket", "there").await, ["h".into()]);
}

/// On SQLite the table is rebuilt: the way in which others have lost the rows that refer to it.
async fn a_link_is_added_and_every_row_stays(site: Site) {
    let mut versions = Versions::default();
    let place = entity("place", "");
    let line = entity("line", "ticket = { type = \"link\", to = \"ticket\" }");
    let fields = "parent = { type = \"link\", to = \"ticket\" }\ntags = { type = \"tags\" }\n\
                  friends = { type = \"links\", to = \"ticket\" }";
    let first = versions.next(&[&place, &entity("ticket", fields), &line]);
    site.become_whole(&first).await;
    site.insert("place", 50, &[]).await.unwrap();
    for number in 1..=3 {
        let parent = if number == 1 {
            Value::Null
        } else {
            Value::Id(id(1))
        };
        let values = [
            ("title", format!("Ticket {number}").into()),
            ("parent", parent),
            ("tags", Value::Set(vec!["a".into(), "b".into()])),
            ("friends", Value::Set(vec![Value::Id(id(1))])),
        ];
        site.insert("ticket", number, &values).await.unwrap();
        let ticket = [("ticket", Value::Id(id(number)))];
        site.insert("line", 10 + number, &ticket).await.unwrap();
    }
    let more = format!("{fields}\nplace = {{ type = \"link\", to = \"place\" }}");
    let second = versions.next(&[&place, &entity("ticket", &more), &line]);
    site.become_whole(&second).await;
    assert_eq!(site.values("ticket", "title").await.len(), 3);
    assert_eq!(
        site.values("ticket", "parent").await,
        [Value::Null, Value::Id(id(1)), Value::Id(id(1))]
    );
    let tags = Value::Set(vec!["a".into(), "b".into()]);
    assert_eq!(
        site.values("ticket", "tags").await,
        [tags.clone(), tags.clone(), tags]
    );
    let friends = Value::Set(vec![Value::Id(id(1))]);
    assert_eq!(
        site.values("ticket", "friends").await,
        [friends.clone(), friends.clone(), friends]
    );
    assert_eq!(
        site.values("line", "ticket").await,
        [Value::Id(id(1)), Value::Id(id(2)), Value::Id(id(3))]
    );
    // The new link is one, and the old ones still are.
    for (entity, field) in [
        ("ticket", "place"),
        ("ticket", "parent"),
        ("line", "ticket"),
    ] {
        let nowhere = site.insert(entity, 99, &[(field, Value::Id(id(77)))]).await;
        assert!(
            matches!(nowhere, Err(CommitError::Link { .. })),
            "{entity}.{field}: {nowhere:?}"
        );
    }
    let placed = Write::Update {
        entity: second.find("ticket").unwrap(),
        id: id(1),
        expected_version: Some(1),
        set: vec![(
            second
                .entity(second.find("ticket").unwrap())
                .find("place")
                .unwrap(),
            Set::To(Value::Id(id(50))),
        )],
    };
    site.write(placed).await.unwrap();
    assert_eq!(site.values("ticket", "place").await[0], Value::Id(id(50)));
}

async fn numbers_are_widened_exactly(site: Site) {
    let mut versions = Versions::default();
    let line = entity("line", "ticket = { type = \"link\", to = \"ticket\" }");
    let kinds = |count: &str, cost: &str, huge: &str| {
        entity(
            "ticket",
            &format!("count = {{ {count} }}\ncost = {{ {cost} }}\nhuge = {{ {huge} }}"),
        )
    };
    let first = kinds(
        "type = \"integer\"",
        "type = \"decimal\", precision = 8, scale = 2, index = true",
        "type = \"decimal\", precision = 18, scale = 4",
    );
    site.become_whole(&versions.next(&[&first, &line])).await;
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let rows = [
        (
            Value::Int(-7),
            decimal("123456.78"),
            decimal("-99999999999999.9999"),
        ),
        (Value::Int(0), decimal("-0.01"), decimal("0.0001")),
        (Value::Null, Value::Null, Value::Null),
    ];
    for (number, (count, cost, huge)) in (1..).zip(rows) {
        let values = [("count", count), ("cost", cost), ("huge", huge)];
        site.insert("ticket", number, &values).await.unwrap();
        let ticket = [("ticket", Value::Id(id(number)))];
        site.insert("line", 10 + number, &ticket).await.unwrap();
    }
    let second = kinds(
        "type = \"decimal\", precision = 12, scale = 3",
        "type = \"decimal\", precision = 18, scale = 6, index = true",
        "type = \"decimal\", precision = 28, scale = 10",
    );
    site.become_whole(&versions.next(&[&second, &line])).await;
    assert_eq!(
        site.values("ticket", "count").await,
        [decimal("-7"), decimal("0"), Value::Null]
    );
    assert_eq!(
        site.values("ticket", "cost").await,
        [decimal("123456.78"), decimal("-0.01"), Value::Null]
    );
    assert_eq!(
        site.values("ticket", "huge").await,
        [
            decimal("-99999999999999.9999"),
            decimal("0.0001"),
            Value::Null
        ]
    );
    assert_eq!(site.values("line", "ticket").await.len(), 3);
}

async fn what_does_not_fit_leaves_everything_as_it_was(site: Site) {
    let mut versions = Versions::default();
    let first = versions.next(&[&entity("ticket", "count = { type = \"integer\" }")]);
    site.become_whole(&first).await;
    site.insert("ticket", 1, &[("count", Value::Int(123_456))])
        .await
        .unwrap();
    let narrow = entity(
        "ticket",
        "count = { type = \"decimal\", precision = 7, scale = 2 }\nextra = { type = \"text\" }",
    );
    let second = versions.next(&[&narrow, &entity("place", "")]);
    let failed = site.migrate(&second).await;
    assert!(
        matches!(failed, Err(MigrationError::Failed { .. })),
        "{failed:?}"
    );
    // The schema is the old one, and so are the tables: also those made before the failure.
    assert_eq!(*site.store.schema(), *first);
    assert_eq!(site.values("ticket", "count").await, [Value::Int(123_456)]);
    site.insert("ticket", 2, &[("count", Value::Int(1))])
        .await
        .unwrap();
    assert!(!site.migrate(&first).await.unwrap().changed);
    let entries = site.store.feed_after(0, 10).await.unwrap();
    assert_eq!(
        entries
            .iter()
            .filter(|entry| entry.entry.entity == "schema")
            .count(),
        1
    );
}

async fn every_process_is_told(site: Site) {
    let mut end = site.store.subscribe_feed();
    let before = *end.borrow_and_update();
    site.migrate(&Arc::new(fixture::schema())).await.unwrap();
    let told = tokio::time::timeout(crate::bench::BUDGET, end.wait_for(|end| *end > before));
    told.await.unwrap().unwrap();
    let entries = site.store.feed_after(before, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    let told = &entries[0];
    assert_eq!(
        (told.tenant, told.entry.entity.as_str(), told.entry.version),
        (0, "schema", 1)
    );
}

async fn a_database_of_a_newer_release_is_left_alone(site: Site) {
    site.migrate(&Arc::new(fixture::schema())).await.unwrap();
    site.sql(
        "UPDATE sys_layout SET layout = '{\"layout\": {\"tables\": [{\"shape\": \"round\"}]}}'",
    );
    let refused = site.migrate(&Arc::new(fixture::schema())).await;
    assert!(
        matches!(refused, Err(MigrationError::Store(StoreError::Setup(_)))),
        "{refused:?}"
    );
}

async fn statistics_are_taken_of_new_indexes(site: Site) {
    let mut versions = Versions::default();
    site.become_whole(&versions.next(&[&entity("ticket", "")]))
        .await;
    site.many_tickets(3_000);
    let indexed = entity("ticket", "code = { type = \"text\", index = true }");
    site.become_whole(&versions.next(&[&indexed])).await;
    let known = match site.store.kind() {
        "sqlite" => {
            "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'r_ticket' AND idx LIKE '%code%'"
        }
        _ => "SELECT count(*) FROM pg_class WHERE relname = 'r_ticket' AND reltuples = 3000",
    };
    assert_eq!(site.number(known), 1);
}
