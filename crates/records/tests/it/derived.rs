//! Computed fields and roll-ups.

use opsflux_model::Value;
use opsflux_records::write::BulkOperation;
use opsflux_records::write::seed::{Announce, Seed, SeedRecord};
use opsflux_records::{Error, Uuid, WriteOptions};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Set, Write};
use serde_json::{Value as Json, json};

use crate::world::{TENANT, World, both, id_of, object};

both!(
    computed_fields_follow_their_record,
    what_is_derived_is_not_written_by_anyone,
    a_computed_value_that_does_not_fit_names_its_field,
    an_order_combines_its_lines,
    nothing_to_combine_is_zero_or_nothing,
    a_line_that_moves_leaves_one_order_and_joins_another,
    deleting_and_restoring_counts_what_lives,
    a_subtree_comes_back_with_its_counts,
    many_to_many_links_are_rolled_up_too,
    a_bulk_and_child_rows_are_rolled_up_once,
    rows_written_as_a_batch_are_rolled_up,
    sums_are_exact_and_what_does_not_fit_is_nothing,
    lines_added_at_once_are_all_counted,
    roll_ups_raise_no_version,
    lists_filter_and_sort_by_what_is_derived,
    what_was_there_before_a_field_was_declared_gets_its_values,
);

async fn order(world: &World, name: &str) -> Uuid {
    world.make("order", json!({"name": name})).await
}

async fn line(world: &World, order: Uuid, quantity: i64, price: &str) -> Uuid {
    let body = json!({
        "order": order.to_string(), "label": format!("{quantity} at {price}"),
        "quantity": quantity, "price": price,
    });
    world.make("line", body).await
}

async fn field(world: &World, order: Uuid, name: &str) -> Json {
    let record = world.get(&world.admin, "order", order).await.unwrap();
    record[name].clone()
}

/// Whether the fields of an order are these; decimals are compared as they are written.
async fn shows(world: &World, order: Uuid, wanted: Json) {
    let record = world.get(&world.admin, "order", order).await.unwrap();
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(record[name].to_string(), value.to_string(), "{name}");
    }
}

async fn computed_fields_follow_their_record(world: World) {
    let body = json!({"name": "Réseau", "placed_on": "2026-12-15", "discount": "12.5"});
    let made = world.create(&world.admin, "order", body).await.unwrap();
    assert_eq!(made["code"], "RÉSEAU/2026");
    assert_eq!(made["due_on"], "2027-01-14");
    assert_eq!(made["factor"].to_string(), "0.875");
    let id = id_of(&made);
    let patch = json!({"placed_on": null, "discount": null});
    let made = world.set(&world.admin, "order", id, patch).await.unwrap();
    assert_eq!(made["code"], "RÉSEAU/");
    assert_eq!(made["due_on"], Json::Null);
    assert_eq!(made["factor"].to_string(), "1");
    assert_eq!(made["version"], 2);
}

async fn what_is_derived_is_not_written_by_anyone(world: World) {
    let body = json!({"name": "A", "code": "B", "line_count": 3});
    let error = world.create(&world.admin, "order", body).await.unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error.field.as_str(), error.code.as_ref()))
        .collect();
    assert_eq!(told, [("code", "readonly"), ("line_count", "readonly")]);
}

async fn a_computed_value_that_does_not_fit_names_its_field(world: World) {
    let order = order(&world, "A").await;
    let body = json!({
        "order": order.to_string(), "quantity": 9_000_000_000_000_i64, "price": "9999999999.99",
    });
    let error = world.create(&world.admin, "line", body).await.unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_ref()),
        ("amount", "too_large")
    );
    assert_eq!(field(&world, order, "line_count").await, 0);
}

async fn an_order_combines_its_lines(world: World) {
    let order = order(&world, "A").await;
    line(&world, order, 2, "10.10").await;
    let second = line(&world, order, 3, "0.05").await;
    line(&world, order, 2, "7.00").await;
    let wanted = json!({
        "line_count": 3, "open_count": 3, "pieces": 7, "newest": "2 at 7.00",
    });
    shows(&world, order, wanted).await;
    assert_eq!(field(&world, order, "total").await.to_string(), "34.35");
    assert_eq!(field(&world, order, "cheapest").await.to_string(), "0.05");
    assert_eq!(field(&world, order, "dearest").await.to_string(), "10.1");
    assert_eq!(
        field(&world, order, "average").await.to_string(),
        "2.333333"
    );
    let patch = json!({"done": true, "quantity": 4});
    world
        .set(&world.admin, "line", second, patch)
        .await
        .unwrap();
    shows(
        &world,
        order,
        json!({"line_count": 3, "open_count": 2, "pieces": 8}),
    )
    .await;
    assert_eq!(field(&world, order, "total").await.to_string(), "34.4");
}

async fn nothing_to_combine_is_zero_or_nothing(world: World) {
    let order = order(&world, "A").await;
    let none = json!({
        "line_count": 0, "open_count": 0, "pieces": 0, "total": 0, "cheapest": null,
        "dearest": null, "average": null, "newest": null, "basket_count": 0,
    });
    shows(&world, order, none.clone()).await;
    // Rows without values count, and have nothing to combine.
    let id = world
        .make("line", json!({"order": order.to_string()}))
        .await;
    shows(
        &world,
        order,
        json!({"line_count": 1, "pieces": 0, "total": 0, "average": null}),
    )
    .await;
    world.delete(&world.admin, "line", id).await.unwrap();
    shows(&world, order, none).await;
}

async fn a_line_that_moves_leaves_one_order_and_joins_another(world: World) {
    let (a, b) = (order(&world, "A").await, order(&world, "B").await);
    let id = line(&world, a, 2, "5").await;
    let moved = json!({"order": b.to_string()});
    world.set(&world.admin, "line", id, moved).await.unwrap();
    shows(&world, a, json!({"line_count": 0, "pieces": 0})).await;
    shows(&world, b, json!({"line_count": 1, "pieces": 2})).await;
    let nowhere = json!({"order": null});
    world.set(&world.admin, "line", id, nowhere).await.unwrap();
    shows(&world, b, json!({"line_count": 0, "newest": null})).await;
}

async fn deleting_and_restoring_counts_what_lives(world: World) {
    let order = order(&world, "A").await;
    let id = line(&world, order, 2, "5").await;
    line(&world, order, 1, "1").await;
    world.delete(&world.admin, "line", id).await.unwrap();
    shows(&world, order, json!({"line_count": 1, "pieces": 1})).await;
    world.restore(&world.admin, "line", id).await.unwrap();
    shows(&world, order, json!({"line_count": 2, "pieces": 3})).await;
}

async fn a_subtree_comes_back_with_its_counts(world: World) {
    let order = order(&world, "A").await;
    line(&world, order, 2, "5").await;
    line(&world, order, 1, "1").await;
    world.delete(&world.admin, "order", order).await.unwrap();
    world.restore(&world.admin, "order", order).await.unwrap();
    shows(
        &world,
        order,
        json!({"line_count": 2, "pieces": 3, "open_count": 2}),
    )
    .await;
}

async fn many_to_many_links_are_rolled_up_too(world: World) {
    let (a, b) = (order(&world, "A").await, order(&world, "B").await);
    let both = json!({"name": "one", "orders": [a.to_string(), b.to_string()]});
    let basket = world.make("basket", both).await;
    shows(&world, a, json!({"basket_count": 1})).await;
    let without = json!({"orders": {"remove": [a.to_string()]}});
    world
        .set(&world.admin, "basket", basket, without)
        .await
        .unwrap();
    shows(&world, a, json!({"basket_count": 0})).await;
    shows(&world, b, json!({"basket_count": 1})).await;
    world.delete(&world.admin, "basket", basket).await.unwrap();
    shows(&world, b, json!({"basket_count": 0})).await;
}

async fn a_bulk_and_child_rows_are_rolled_up_once(world: World) {
    let rows = json!([{"quantity": 1, "price": 2}, {"quantity": 3, "price": 4, "done": true}]);
    let body = json!({"name": "A", "lines": rows});
    let made = world.create(&world.admin, "order", body).await.unwrap();
    assert_eq!(
        (&made["line_count"], &made["open_count"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(made["total"].to_string(), "14");
    let id = id_of(&made);
    let kept = made["lines"][0]["id"].clone();
    let fewer = json!({"lines": [{"id": kept, "quantity": 5}]});
    let made = world.set(&world.admin, "order", id, fewer).await.unwrap();
    assert_eq!(
        (&made["line_count"], &made["pieces"]),
        (&json!(1), &json!(5))
    );
    let operations: Vec<BulkOperation> = (1..=10)
        .map(|quantity| {
            let data = json!({"order": id.to_string(), "quantity": quantity});
            BulkOperation::Create(object(data))
        })
        .collect();
    let entity = world.entity("line");
    let options = WriteOptions::default();
    let done = world
        .records
        .bulk_atomic(&world.admin, entity, &operations, &options);
    done.await.unwrap();
    shows(&world, id, json!({"line_count": 11, "pieces": 60})).await;
}

async fn rows_written_as_a_batch_are_rolled_up(world: World) {
    let schema = world.records.schema();
    let entity = world.entity("line");
    let declared = schema.entity(entity);
    let order = order(&world, "A").await;
    let now = world.records.now();
    let records = (0..25).map(|number| SeedRecord {
        entity,
        id: world.records.new_id(),
        company: Some(world.company),
        created: (now, None),
        updated: (now, None),
        values: vec![
            (declared.find("order").unwrap(), order.into()),
            (declared.find("quantity").unwrap(), number.into()),
        ],
    });
    let seed = Seed {
        records: records.collect(),
        system: Vec::new(),
        announce: Announce::Once,
    };
    world.records.seed(&world.admin, seed).await.unwrap();
    shows(
        &world,
        order,
        json!({"line_count": 25, "pieces": 300, "average": 12}),
    )
    .await;
}

async fn sums_are_exact_and_what_does_not_fit_is_nothing(world: World) {
    let order = order(&world, "A").await;
    let most = "9999999999.99";
    for _ in 0..3 {
        line(&world, order, 1, most).await;
    }
    assert_eq!(
        field(&world, order, "total").await.to_string(),
        "29999999999.97"
    );
    for _ in 0..2 {
        let body = json!({"order": order.to_string(), "quantity": i64::MAX - 1});
        world.make("line", body).await;
    }
    shows(&world, order, json!({"pieces": null, "line_count": 5})).await;
}

async fn lines_added_at_once_are_all_counted(world: World) {
    let (a, b) = (order(&world, "A").await, order(&world, "B").await);
    let all = (0..40).map(|number| {
        let order = if number % 4 == 0 { b } else { a };
        line(&world, order, 1, "0.10")
    });
    futures::future::join_all(all).await;
    shows(&world, a, json!({"line_count": 30, "pieces": 30})).await;
    shows(&world, b, json!({"line_count": 10, "pieces": 10})).await;
    // Back and forth at once, each line a few times.
    let lines = world.column(&world.admin, "line", "limit=100", "id").await;
    let moves = lines.iter().enumerate().map(|(place, id)| {
        let to = if place % 2 == 0 { a } else { b };
        let id: Uuid = id.as_str().unwrap().parse().unwrap();
        let patch = json!({"order": to.to_string()});
        world.set(&world.admin, "line", id, patch)
    });
    for moved in futures::future::join_all(moves).await {
        moved.unwrap();
    }
    shows(&world, a, json!({"line_count": 20, "pieces": 20})).await;
    shows(&world, b, json!({"line_count": 20, "pieces": 20})).await;
    assert_eq!(field(&world, b, "total").await.to_string(), "2");
}

async fn roll_ups_raise_no_version(world: World) {
    let order = order(&world, "A").await;
    let before = world.get(&world.admin, "order", order).await.unwrap();
    line(&world, order, 1, "1").await;
    let after = world.get(&world.admin, "order", order).await.unwrap();
    assert_eq!(after["version"], before["version"]);
    assert_eq!(after["updated_at"], before["updated_at"]);
    assert_eq!(after["line_count"], 1);
}

async fn lists_filter_and_sort_by_what_is_derived(world: World) {
    for (name, lines) in [("A", 1), ("B", 3), ("C", 2)] {
        let order = order(&world, name).await;
        for _ in 0..lines {
            line(&world, order, 1, "1").await;
        }
    }
    let names = |query: &'static str| world.column(&world.admin, "order", query, "name");
    assert_eq!(names("sort=-line_count").await, ["B", "C", "A"]);
    assert_eq!(names("line_count[gt]=1&sort=name").await, ["B", "C"]);
    assert_eq!(names("code[starts_with]=b").await, ["B"]);
    assert_eq!(names("total[eq]=3").await, ["B"]);
}

/// Writes values past the pipeline, as rows were before a field was declared.
async fn overwrite(world: &World, entity: &str, id: Uuid, values: &[(&str, Value)]) {
    let schema = world.records.schema();
    let ix = world.entity(entity);
    let set = values.iter().map(|(name, value)| {
        let field = schema.entity(ix).find(name).unwrap();
        (field, Set::To(value.clone()))
    });
    let commit = Commit {
        tenant: TENANT,
        writes: vec![Write::Update {
            entity: ix,
            id,
            expected_version: None,
            set: set.collect(),
        }],
        ..Commit::default()
    };
    world.records.store().commit(commit).await.unwrap();
}

async fn what_was_there_before_a_field_was_declared_gets_its_values(world: World) {
    // Nothing is there yet: what fields are made of is remembered and nothing queued.
    assert_eq!(world.records.derive_where_declared_anew().await.unwrap(), 0);
    let a = world
        .make("order", json!({"name": "a", "placed_on": "2026-05-01"}))
        .await;
    let first = line(&world, a, 2, "5").await;
    line(&world, a, 3, "5").await;
    let deleted = order(&world, "b").await;
    line(&world, deleted, 1, "1").await;
    world.delete(&world.admin, "order", deleted).await.unwrap();
    assert_eq!(world.records.derive_where_declared_anew().await.unwrap(), 0);

    let nothing = [
        ("line_count", Value::Null),
        ("code", Value::Null),
        ("total", Value::Null),
    ];
    overwrite(&world, "order", a, &nothing).await;
    overwrite(&world, "order", deleted, &nothing).await;
    overwrite(&world, "line", first, &[("amount", Value::Null)]).await;
    let setting = SystemWrite::Setting {
        key: "@derived".into(),
        value: Json::Null,
    };
    let forgotten = Commit {
        tenant: TENANT,
        system: vec![setting],
        ..Commit::default()
    };
    world.records.store().commit(forgotten).await.unwrap();

    assert!(world.records.derive_where_declared_anew().await.unwrap() >= 2);
    while world.records.work_next_job().await.unwrap() {}
    let version = json!(1);
    shows(
        &world,
        a,
        json!({"line_count": 2, "code": "A/2026", "version": version}),
    )
    .await;
    let amount = world.get(&world.admin, "line", first).await.unwrap()["amount"].clone();
    assert_eq!(amount.to_string(), "10");
    assert_eq!(field(&world, a, "total").await.to_string(), "25");
    assert_eq!(world.records.derive_where_declared_anew().await.unwrap(), 0);
    world.restore(&world.admin, "order", deleted).await.unwrap();
    shows(&world, deleted, json!({"line_count": 1, "code": "B/"})).await;
}
