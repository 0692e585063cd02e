//! Creating and changing.

use opsflux_records::write::BulkOperation;
use opsflux_records::{ConflictKind, Error, Precondition, Uuid};
use serde_json::json;

use crate::world::{World, both, id_of, object};

both!(
    a_ticket_is_created_with_defaults_number_and_version,
    every_wrong_field_is_named_at_once,
    nothing_changes_without_a_difference,
    a_patch_with_a_base_merges_what_others_left_alone,
    a_patch_with_a_base_refuses_what_both_changed,
    an_old_if_match_gets_the_current_record,
    states_move_only_as_declared,
    sets_gain_and_lose_members,
    sets_keep_their_limits_however_they_grow,
    more_rows_than_a_body_names_are_not_lost_by_it,
    a_ring_of_parents_is_refused,
    unique_values_ignore_case_and_deleted_records,
    the_same_id_with_the_same_content_is_the_same_create,
    a_bulk_is_all_or_nothing,
    a_series_without_gaps_leaves_none_whatever_fails,
    what_becomes_numbered_gets_its_numbers,
    a_bulk_changes_each_record_once_and_says_which_operation_had_it,
    a_bulk_deletes_parents_and_children_in_any_order,
    each_operation_of_a_loose_bulk_stands_alone,
    decimals_stay_exact,
    history_tells_who_changed_what,
    child_rows_are_saved_with_their_owner,
    one_of_many_concurrent_changes_wins_each_version,
);

async fn a_ticket_is_created_with_defaults_number_and_version(world: World) {
    let ticket = world
        .create(&world.admin, "ticket", json!({"title": "Panne du réseau"}))
        .await
        .unwrap();
    assert_eq!(ticket["number"], "TIC-000001");
    assert_eq!(ticket["version"], 1);
    assert_eq!(ticket["status"], "new");
    assert_eq!(ticket["priority"], "medium");
    assert_eq!(ticket["company"], world.company.to_string());
    assert_eq!(ticket["labels"][world.company.to_string()], "ACME");
    assert_eq!(ticket["created_at"], ticket["updated_at"]);
    assert_eq!(ticket["requester"], world.admin.user().to_string());
    assert_eq!(ticket["can"], json!({"edit": true, "delete": true}));
    let again = world
        .get(&world.admin, "ticket", id_of(&ticket))
        .await
        .unwrap();
    assert_eq!(again, ticket);
}

async fn every_wrong_field_is_named_at_once(world: World) {
    let body = json!({
        "title": "x".repeat(201),
        "priority": "urgent",
        "status": "lost",
        "due_at": "tomorrow",
        "nonsense": 1,
        "number": "TIC-1",
        "assigned_group": "not an id",
    });
    let error = world
        .create(&world.admin, "ticket", body)
        .await
        .unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    let mut found: Vec<_> = errors
        .iter()
        .map(|e| (e.field.as_str(), e.code.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("assigned_group", "invalid_id"),
            ("due_at", "invalid_datetime"),
            ("nonsense", "unknown_field"),
            ("number", "readonly"),
            ("priority", "not_an_option"),
            ("status", "not_an_option"),
            ("title", "too_long"),
        ]
    );
    let error = world
        .create(&world.admin, "ticket", json!({}))
        .await
        .unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_str()),
        ("title", "required")
    );
    assert!(
        world
            .column(&world.admin, "ticket", "", "id")
            .await
            .is_empty(),
        "nothing is written"
    );
}

async fn nothing_changes_without_a_difference(world: World) {
    let id = world
        .make("ticket", json!({"title": "Same", "tags": []}))
        .await;
    let after = world
        .set(&world.admin, "ticket", id, json!({"title": "Same"}))
        .await
        .unwrap();
    assert_eq!(after["version"], 1);
    let after = world
        .set(&world.admin, "ticket", id, json!({"title": "Other"}))
        .await
        .unwrap();
    assert_eq!(after["version"], 2);
    assert!(after["updated_at"].as_str() > after["created_at"].as_str());
}

async fn a_patch_with_a_base_merges_what_others_left_alone(world: World) {
    let id = world.make("ticket", json!({"title": "One"})).await;
    world
        .set(&world.admin, "ticket", id, json!({"priority": "high"}))
        .await
        .unwrap();
    let merged = world
        .patch(
            &world.admin,
            "ticket",
            id,
            json!({"title": "Two"}),
            Precondition::Base(1),
        )
        .await
        .unwrap();
    assert_eq!(
        (&merged["title"], &merged["priority"]),
        (&json!("Two"), &json!("high"))
    );
    assert_eq!(merged["version"], 3);
}

async fn a_patch_with_a_base_refuses_what_both_changed(world: World) {
    let id = world.make("ticket", json!({"title": "One"})).await;
    world
        .set(&world.admin, "ticket", id, json!({"title": "Theirs"}))
        .await
        .unwrap();
    world
        .set(&world.admin, "ticket", id, json!({"title": "Theirs 2"}))
        .await
        .unwrap();
    let error = world
        .patch(
            &world.admin,
            "ticket",
            id,
            json!({"title": "Yours"}),
            Precondition::Base(1),
        )
        .await
        .unwrap_err();
    let Error::Conflict(ConflictKind::Merge(conflicts)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(conflicts[0].field, "title");
    assert_eq!(conflicts[0].base, json!("One"));
    assert_eq!(conflicts[0].yours, json!("Yours"));
    assert_eq!(conflicts[0].theirs, json!("Theirs 2"));
    // Both wanting the same is no conflict.
    let same = json!({"title": "Theirs 2"});
    world
        .patch(&world.admin, "ticket", id, same, Precondition::Base(1))
        .await
        .unwrap();
}

async fn an_old_if_match_gets_the_current_record(world: World) {
    let id = world.make("ticket", json!({"title": "One"})).await;
    world
        .set(&world.admin, "ticket", id, json!({"title": "Two"}))
        .await
        .unwrap();
    let error = world
        .patch(
            &world.admin,
            "ticket",
            id,
            json!({"title": "Three"}),
            Precondition::IfMatch(1),
        )
        .await
        .unwrap_err();
    let Error::Precondition { version, current } = error else {
        panic!("{error:?}")
    };
    let current: serde_json::Value = serde_json::from_slice(&current).unwrap();
    assert_eq!((version, &current["title"]), (2, &json!("Two")));
}

async fn states_move_only_as_declared(world: World) {
    let id = world.make("ticket", json!({"title": "One"})).await;
    for status in ["in_progress", "done", "in_progress", "closed"] {
        let moved = world
            .set(&world.admin, "ticket", id, json!({"status": status}))
            .await;
        assert_eq!(moved.unwrap()["status"], status);
    }
    let error = world
        .set(&world.admin, "ticket", id, json!({"status": "new"}))
        .await
        .unwrap_err();
    let Error::Conflict(ConflictKind::State { allowed, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(allowed, ["in_progress"]);
    let error = world
        .set(&world.admin, "ticket", id, json!({"status": "lost"}))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(e) if e[0].code == "not_an_option"),
        "{error:?}"
    );
}

async fn sets_gain_and_lose_members(world: World) {
    let id = world
        .make("ticket", json!({"title": "One", "tags": ["b", "a", "b"]}))
        .await;
    let tags = |record: serde_json::Value| record["tags"].clone();
    let got = world.get(&world.admin, "ticket", id).await.unwrap();
    assert_eq!(tags(got), json!(["b", "a"]));
    let patch = json!({"tags": {"add": ["c", "a"], "remove": ["b"]}});
    let got = world.set(&world.admin, "ticket", id, patch).await.unwrap();
    assert_eq!(tags(got), json!(["a", "c"]));
    let found = world
        .column(&world.admin, "ticket", "tags=c", "title")
        .await;
    assert_eq!(found, [json!("One")]);
    assert!(
        world
            .column(&world.admin, "ticket", "tags=b", "title")
            .await
            .is_empty()
    );
    let got = world
        .set(&world.admin, "ticket", id, json!({"tags": null}))
        .await
        .unwrap();
    assert_eq!(tags(got), json!([]));
}

async fn a_ring_of_parents_is_refused(world: World) {
    let a = world.make("ticket", json!({"title": "A"})).await;
    let b = world
        .make("ticket", json!({"title": "B", "parent": a.to_string()}))
        .await;
    let c = world
        .make("ticket", json!({"title": "C", "parent": b.to_string()}))
        .await;
    for (child, parent) in [(a, c), (a, a), (b, c)] {
        let patch = json!({"parent": parent.to_string()});
        let error = world
            .set(&world.admin, "ticket", child, patch)
            .await
            .unwrap_err();
        let Error::Conflict(ConflictKind::Guard { name }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(name, "parent.acyclic");
    }
    let number = world.get(&world.admin, "ticket", a).await.unwrap()["number"].clone();
    let moved = world
        .set(&world.admin, "ticket", c, json!({"parent": number}))
        .await
        .unwrap();
    assert_eq!(
        moved["parent"],
        a.to_string(),
        "a number is accepted for a link"
    );
}

async fn unique_values_ignore_case_and_deleted_records(world: World) {
    let asset = |serial: &str| json!({"name": "pc", "serial_number": serial});
    let first = world.make("asset", asset("SN-Élan")).await;
    let error = world
        .create(&world.admin, "asset", asset("sn-elan"))
        .await
        .unwrap_err();
    let Error::Conflict(ConflictKind::Unique { fields }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(fields, ["serial_number"]);
    world.delete(&world.admin, "asset", first).await.unwrap();
    world.make("asset", asset("sn-elan")).await;
    let error = world
        .restore(&world.admin, "asset", first)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Conflict(ConflictKind::Unique { .. })),
        "{error:?}"
    );
}

async fn the_same_id_with_the_same_content_is_the_same_create(world: World) {
    let id = "0199a5b0-0000-7000-8000-00000000abcd";
    let body = || json!({"id": id, "title": "Offline"});
    world.create(&world.admin, "ticket", body()).await.unwrap();
    let again = world.create(&world.admin, "ticket", body()).await.unwrap();
    assert_eq!(again["version"], 1);
    let other = json!({"id": id, "title": "Another"});
    let error = world
        .create(&world.admin, "ticket", other)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Conflict(ConflictKind::IdTaken)),
        "{error:?}"
    );
}

async fn a_bulk_is_all_or_nothing(world: World) {
    use opsflux_records::write::read_bulk;
    let parent = "0199a5b0-0000-7000-8000-000000000001";
    let body = json!({"operations": [
        {"op": "create", "data": {"id": parent, "title": "Parent"}},
        {"op": "create", "data": {"title": "Child", "parent": parent}},
        {"op": "create", "data": {"title": ""}},
    ]});
    let ticket = world.entity("ticket");
    let (operations, atomic) = read_bulk(&object(body)).unwrap();
    assert!(atomic);
    let options = Default::default();
    let error = world
        .records
        .bulk_atomic(&world.admin, ticket, &operations, &options)
        .await
        .unwrap_err();
    let Error::Bulk { index, error } = error else {
        panic!("{error:?}")
    };
    assert_eq!(index, 2);
    assert!(matches!(*error, Error::Invalid(_)));
    assert!(
        world
            .column(&world.admin, "ticket", "", "id")
            .await
            .is_empty()
    );
    let done = world
        .records
        .bulk_atomic(&world.admin, ticket, &operations[..2], &options)
        .await;
    assert_eq!(done.unwrap().len(), 2);
    let titles = world
        .column(&world.admin, "ticket", "sort=title", "title")
        .await;
    assert_eq!(titles, [json!("Child"), json!("Parent")]);
}

async fn each_operation_of_a_loose_bulk_stands_alone(world: World) {
    use opsflux_records::write::{BulkResult, read_bulk};
    let id = world.make("ticket", json!({"title": "One"})).await;
    let body = json!({"atomic": false, "operations": [
        {"op": "update", "id": id.to_string(), "data": {"priority": "nope"}},
        {"op": "update", "id": id.to_string(), "version": 1, "data": {"priority": "high"}},
        {"op": "delete", "id": "0199a5b0-0000-7000-8000-00000000dead"},
    ]});
    let (operations, atomic) = read_bulk(&object(body)).unwrap();
    assert!(!atomic);
    let results = world
        .records
        .bulk_each(&world.admin, world.entity("ticket"), &operations, None)
        .await;
    assert!(matches!(results[0], BulkResult::Failed(Error::Invalid(_))));
    assert!(matches!(results[1], BulkResult::Done(200, Some(_))));
    assert!(matches!(results[2], BulkResult::Failed(Error::NotFound)));
    assert_eq!(
        world.get(&world.admin, "ticket", id).await.unwrap()["priority"],
        "high"
    );
}

async fn decimals_stay_exact(world: World) {
    let cost: serde_json::Value =
        serde_json::from_str(r#"{"amount": 1234567890123.45, "currency": "XAF"}"#).unwrap();
    let id = world
        .make("asset", json!({"name": "Rig", "purchase_cost": cost}))
        .await;
    let got = world.get(&world.admin, "asset", id).await.unwrap();
    assert_eq!(
        got["purchase_cost"]["amount"].to_string(),
        "1234567890123.45"
    );
    let finer = json!({"purchase_cost": {"amount": "0.001", "currency": "EUR"}});
    let error = world
        .set(&world.admin, "asset", id, finer)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(e) if e[0].code == "precision"),
        "{error:?}"
    );
}

async fn history_tells_who_changed_what(world: World) {
    let id = world.make("ticket", json!({"title": "One"})).await;
    world
        .set(&world.admin, "ticket", id, json!({"priority": "high"}))
        .await
        .unwrap();
    let ticket = world.entity("ticket");
    let page = world
        .records
        .history(&world.admin, ticket, &id.to_string(), None, 1)
        .await
        .unwrap();
    let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
    let entry = &page["items"][0];
    assert_eq!(entry["action"], "update");
    assert_eq!(entry["actor"]["name"], "Ada Boss");
    assert_eq!(
        entry["changes"],
        json!([{"field": "priority", "before": "medium", "after": "high"}])
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = world
        .records
        .history(&world.admin, ticket, &id.to_string(), Some(cursor), 5)
        .await
        .unwrap();
    let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["action"], "create");
}

async fn child_rows_are_saved_with_their_owner(world: World) {
    let role = |name: &str| json!({"name": name, "label": name});
    let technician = world.make("role", role("technician")).await;
    let manager = world.make("role", role("manager")).await;
    let person = world.person("Eve Child", None).await;
    let rows = json!({"memberships": [
        {"role": technician.to_string(), "department": world.north.to_string()},
        {"role": manager.to_string()},
    ]});
    let saved = world.set(&world.admin, "user", person, rows).await.unwrap();
    assert_eq!(saved["version"], 2);
    let mut rows = saved["memberships"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 2);
    rows.retain(|row| row["role"] == manager.to_string());
    rows[0]["department"] = json!(world.south.to_string());
    let kept = rows[0]["id"].clone();
    let row = json!({"id": kept, "department": world.south.to_string()});
    let saved = world
        .set(&world.admin, "user", person, json!({"memberships": [row]}))
        .await
        .unwrap();
    let rows = saved["memberships"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], kept);
    assert_eq!(
        rows[0]["role"],
        manager.to_string(),
        "fields not named stay"
    );
    let wrong = json!({"memberships": [{"role": "nobody"}]});
    let error = world
        .set(&world.admin, "user", person, wrong)
        .await
        .unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    assert_eq!(errors[0].field, "memberships[0].role");
}

async fn one_of_many_concurrent_changes_wins_each_version(world: World) {
    let id = world
        .make("ticket", json!({"title": "Busy", "tags": []}))
        .await;
    let world = std::sync::Arc::new(world);
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                let patch = json!({"tags": {"add": [format!("t{n}")]}});
                world.set(&world.admin, "ticket", id, patch).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let got = world.get(&world.admin, "ticket", id).await.unwrap();
    assert_eq!(got["version"], 5, "every change counted once");
    assert_eq!(got["tags"].as_array().unwrap().len(), 4, "nothing was lost");
}

async fn a_bulk_changes_each_record_once_and_says_which_operation_had_it(world: World) {
    let parent = world.make("ticket", json!({"title": "P"})).await;
    let below = json!({"title": "C", "parent": parent.to_string()});
    let child = world.make("ticket", below.clone()).await;
    let set = |id: Uuid| BulkOperation::Update(id.to_string(), None, object(json!({"title": "x"})));
    let delete = |id: Uuid| BulkOperation::Delete(id.to_string());
    let create = || BulkOperation::Create(object(below.clone()));
    let ticket = world.entity("ticket");
    for (first, operations) in [
        ("0", vec![set(parent), set(child), set(parent)]),
        ("1", vec![set(child), set(parent), delete(parent)]),
        ("0", vec![delete(child), create(), set(child)]),
        ("0", vec![create(), set(child), delete(parent)]),
    ] {
        let options = Default::default();
        let done = world
            .records
            .bulk_atomic(&world.admin, ticket, &operations, &options)
            .await;
        let Err(Error::Bulk { index, error }) = done else {
            panic!("{done:?}")
        };
        let Error::Invalid(errors) = *error else {
            panic!("{error:?}")
        };
        let told = (errors[0].field.as_str(), errors[0].code.as_ref());
        assert_eq!((index, told), (2, ("id", "repeated")));
        assert_eq!(errors[0].detail, first);
    }
    // Below what the same request deletes nothing can be made.
    let operations = [delete(parent), create()];
    let options = Default::default();
    let done = world
        .records
        .bulk_atomic(&world.admin, ticket, &operations, &options);
    assert!(matches!(done.await, Err(Error::Bulk { index: 1, .. })));
    let left = world
        .column(&world.admin, "ticket", "sort=title", "title")
        .await;
    assert_eq!(left, ["C", "P"], "nothing was written");
}

async fn a_bulk_deletes_parents_and_children_in_any_order(world: World) {
    for turned in [false, true] {
        let parent = world.make("ticket", json!({"title": "P"})).await;
        let below = json!({"title": "C", "parent": parent.to_string()});
        let child = world.make("ticket", below).await;
        let mut operations = [parent, child].map(|id| BulkOperation::Delete(id.to_string()));
        if turned {
            operations.reverse();
        }
        let ticket = world.entity("ticket");
        let options = Default::default();
        let done = world
            .records
            .bulk_atomic(&world.admin, ticket, &operations, &options);
        assert_eq!(done.await.unwrap().len(), 2);
        assert!(
            world
                .column(&world.admin, "ticket", "", "id")
                .await
                .is_empty()
        );
        world.restore(&world.admin, "ticket", child).await.unwrap();
        assert_eq!(
            world.column(&world.admin, "ticket", "", "id").await.len(),
            2
        );
        world.delete(&world.admin, "ticket", parent).await.unwrap();
    }
}

async fn a_series_without_gaps_leaves_none_whatever_fails(world: World) {
    let other = world.another_process().await;
    let entity = world.entity("basket");
    let options = Default::default();
    let all = (0..30).map(|number| {
        // Every third takes a code that is taken; two processes make them at once.
        let code = if number % 3 == 0 {
            "same".to_owned()
        } else {
            format!("c{number}")
        };
        let records = if number % 2 == 0 {
            &world.records
        } else {
            &other
        };
        let body = object(json!({"name": format!("{number}"), "code": code}));
        records.create(&world.admin, entity, body, &options)
    });
    let mut made = 0;
    let mut busy = 0;
    for done in futures::future::join_all(all).await {
        match done {
            Ok(_) => made += 1,
            Err(Error::Conflict(ConflictKind::Unique { .. })) => {}
            // Two processes may take the same number a few times in a row.
            Err(Error::Conflict(ConflictKind::Busy)) => busy += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(
        made + busy >= 21 && made >= 15,
        "{made} were made, {busy} gave up"
    );
    let operations = [
        BulkOperation::Create(object(json!({"name": "x"}))),
        BulkOperation::Create(object(json!({"name": "y"}))),
    ];
    let bulk = world
        .records
        .bulk_atomic(&world.admin, entity, &operations, &options);
    bulk.await.unwrap();
    let numbers = world
        .column(&world.admin, "basket", "sort=number&limit=100", "number")
        .await;
    let wanted: Vec<_> = (1..=made + 2)
        .map(|n| json!(format!("BAS-2026-{n:03}")))
        .collect();
    assert_eq!(numbers, wanted);
}

async fn what_becomes_numbered_gets_its_numbers(world: World) {
    use opsflux_model::Value;
    use opsflux_store::{Commit, Set, Write};
    let schema = world.records.schema();
    for entity in ["basket", "ticket"] {
        let title = if entity == "ticket" { "title" } else { "name" };
        let mut ids = Vec::new();
        for number in 0..3 {
            ids.push(
                world
                    .make(entity, json!({title: format!("{number}")}))
                    .await,
            );
        }
        // As they were before there were numbers.
        let ix = world.entity(entity);
        let field = schema.entity(ix).find("number").unwrap();
        let writes = ids[..2].iter().map(|id| Write::Update {
            entity: ix,
            id: *id,
            expected_version: None,
            set: vec![(field, Set::To(Value::Null))],
        });
        let commit = Commit {
            tenant: crate::world::TENANT,
            writes: writes.collect(),
            ..Commit::default()
        };
        world.records.store().commit(commit).await.unwrap();
    }
    world.records.derive_where_declared_anew().await.unwrap();
    while world.records.work_next_job().await.unwrap() {}
    let numbers =
        |entity: &'static str| world.column(&world.admin, entity, "sort=number", "number");
    assert_eq!(
        numbers("basket").await,
        ["BAS-2026-003", "BAS-2026-004", "BAS-2026-005"]
    );
    assert_eq!(
        numbers("ticket").await,
        ["TIC-000003", "TIC-000004", "TIC-000005"]
    );
    assert_eq!(world.records.derive_where_declared_anew().await.unwrap(), 0);
}

async fn sets_keep_their_limits_however_they_grow(world: World) {
    let many: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    let id = world
        .make("ticket", json!({"title": "T", "tags": many}))
        .await;
    let more: Vec<String> = (0..20).map(|n| format!("b{n}")).collect();
    let error = world
        .set(&world.admin, "ticket", id, json!({"tags": {"add": more}}))
        .await;
    let Err(Error::Invalid(errors)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_ref()),
        ("tags", "too_many")
    );
    let within = json!({"tags": {"add": &more[..10], "remove": []}});
    let ticket = world.set(&world.admin, "ticket", id, within).await.unwrap();
    assert_eq!(ticket["tags"].as_array().unwrap().len(), 50);
}

async fn more_rows_than_a_body_names_are_not_lost_by_it(world: World) {
    let order = world.make("order", json!({"name": "A"})).await;
    let entity = world.entity("line");
    let operations: Vec<BulkOperation> = (0..201)
        .map(|n| BulkOperation::Create(object(json!({"order": order.to_string(), "quantity": n}))))
        .collect();
    let options = Default::default();
    let made = world
        .records
        .bulk_atomic(&world.admin, entity, &operations, &options);
    made.await.unwrap();
    let error = world
        .set(&world.admin, "order", order, json!({"lines": []}))
        .await;
    let Err(Error::Invalid(errors)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_ref()),
        ("lines", "too_many")
    );
    let order = world.get(&world.admin, "order", order).await.unwrap();
    assert_eq!(order["line_count"], 201);
}
