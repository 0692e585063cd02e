//! Rules of the service desk, through the pipeline.

use opsflux_records::write::Confirm;
use opsflux_records::{ConflictKind, Error, WriteOptions};
use serde_json::{Value as Json, json};

use crate::world::{World, both, object};

both!(
    a_ticket_takes_department_and_group_from_its_people,
    solving_stamps_the_time_and_reopening_takes_it_away,
    closing_a_parent_asks_and_yes_goes_on,
    closing_a_parent_closes_everything_below_when_so_set,
    the_first_answer_of_the_desk_is_noted,
    closing_a_parent_is_refused_when_so_set,
    nothing_is_opened_below_a_closed_ticket,
    a_sub_ticket_and_its_closing_parent_do_not_pass_each_other,
);

async fn a_ticket_takes_department_and_group_from_its_people(world: World) {
    let group = world
        .make("group", json!({"name": "N1", "kind": "support"}))
        .await;
    let category = json!({"name": "Network", "default_group": group.to_string()});
    let category = world.make("category", category).await;
    let awa = world.person("Awa One", Some(world.south)).await;
    let body = json!({
        "title": "x", "requester": awa.to_string(), "category": category.to_string(),
    });
    let ticket = world.create(&world.admin, "ticket", body).await.unwrap();
    assert_eq!(ticket["department"], world.south.to_string());
    assert_eq!(ticket["assigned_group"], group.to_string());
}

async fn solving_stamps_the_time_and_reopening_takes_it_away(world: World) {
    let id = world.make("ticket", json!({"title": "x"})).await;
    let done = world
        .set(&world.admin, "ticket", id, json!({"status": "done"}))
        .await
        .unwrap();
    assert!(done["resolved_at"].is_string() && done["closed_at"].is_null());
    let closed = world
        .set(&world.admin, "ticket", id, json!({"status": "closed"}))
        .await
        .unwrap();
    assert_eq!(closed["resolved_at"], done["resolved_at"]);
    assert!(closed["closed_at"].is_string());
    let again = json!({"status": "in_progress"});
    let open = world.set(&world.admin, "ticket", id, again).await.unwrap();
    assert!(open["resolved_at"].is_null() && open["closed_at"].is_null());
}

async fn closing_a_parent_asks_and_yes_goes_on(world: World) {
    let parent = world.make("ticket", json!({"title": "P"})).await;
    let child = world
        .make(
            "ticket",
            json!({"title": "C", "parent": parent.to_string()}),
        )
        .await;
    let close = || json!({"status": "closed"});
    let error = world
        .set(&world.admin, "ticket", parent, close())
        .await
        .unwrap_err();
    let Error::Conflict(ConflictKind::Confirm {
        code,
        params,
        token,
    }) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (code.as_str(), &params["count"]),
        ("desk.open_children_confirm", &json!(1))
    );
    let ticket = world.entity("ticket");
    let options = WriteOptions {
        confirm: Some(Confirm(token.clone())),
        ..Default::default()
    };
    // A yes belongs to one record.
    let other = child.to_string();
    let grandchild = json!({"title": "G", "parent": other});
    world.make("ticket", grandchild).await;
    let refused = world
        .records
        .update(&world.admin, ticket, &other, object(close()), &options)
        .await;
    assert!(matches!(
        refused,
        Err(Error::Conflict(ConflictKind::Confirm { .. }))
    ));
    let parent = parent.to_string();
    world
        .records
        .update(&world.admin, ticket, &parent, object(close()), &options)
        .await
        .unwrap();
}

async fn closing_a_parent_closes_everything_below_when_so_set(world: World) {
    let key = "desk.close_parent_with_open_children";
    world
        .records
        .set_setting(&world.admin, key, Json::from("cascade"))
        .await
        .unwrap();
    let a = world.make("ticket", json!({"title": "A"})).await;
    let b = world
        .make("ticket", json!({"title": "B", "parent": a.to_string()}))
        .await;
    let c = world
        .make("ticket", json!({"title": "C", "parent": b.to_string()}))
        .await;
    world
        .set(&world.admin, "ticket", a, json!({"status": "done"}))
        .await
        .unwrap();
    for id in [a, b, c] {
        assert_eq!(
            world.get(&world.admin, "ticket", id).await.unwrap()["status"],
            "done"
        );
    }
    let entry = world
        .list(
            &world.admin,
            "audit_entry",
            &format!("record={c}&action=update"),
        )
        .await
        .unwrap();
    assert_eq!(entry["items"][0]["reason"], "rule desk.open_children");
    world
        .records
        .set_setting(&world.admin, key, Json::from("block"))
        .await
        .unwrap();
    // From the top: nothing is opened below what is closed.
    for id in [a, b] {
        world
            .set(&world.admin, "ticket", id, json!({"status": "in_progress"}))
            .await
            .unwrap();
    }
    let error = world
        .set(&world.admin, "ticket", a, json!({"status": "done"}))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(
        world
            .records
            .set_setting(&world.admin, key, Json::from("maybe"))
            .await
            .is_err()
    );
    assert!(
        world
            .records
            .set_setting(&world.admin, "desk.nonsense", Json::Null)
            .await
            .is_err()
    );
}

async fn the_first_answer_of_the_desk_is_noted(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let ticket = world
        .create(&awa, "ticket", json!({"title": "x"}))
        .await
        .unwrap();
    let id = crate::world::id_of(&ticket);
    let say = async |caller, internal: Option<bool>| {
        let mut body = json!({"body": "hm", "target": {"entity": "ticket", "id": ticket["id"]}});
        if let Some(internal) = internal {
            body["internal"] = json!(internal);
        }
        world.create(caller, "comment", body).await.unwrap();
        world.get(&world.admin, "ticket", id).await.unwrap()["first_response_at"].clone()
    };
    assert_eq!(say(&awa, None).await, Json::Null);
    assert_eq!(say(&technician, Some(true)).await, Json::Null);
    let first = say(&technician, Some(false)).await;
    assert!(first.is_string());
    assert_eq!(say(&technician, Some(false)).await, first);
}

async fn closing_a_parent_is_refused_when_so_set(world: World) {
    let key = "desk.close_parent_with_open_children";
    let set = world
        .records
        .set_setting(&world.admin, key, Json::from("block"));
    set.await.unwrap();
    let parent = world.make("ticket", json!({"title": "P"})).await;
    let child = json!({"title": "C", "parent": parent.to_string()});
    let child = world.make("ticket", child).await;
    let close = || json!({"status": "closed"});
    let error = world
        .set(&world.admin, "ticket", parent, close())
        .await
        .unwrap_err();
    let Error::Refused {
        code,
        params,
        field,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (code.as_str(), field.as_deref()),
        ("desk.open_children", Some("status"))
    );
    assert_eq!(params["count"], 1);
    world
        .set(&world.admin, "ticket", child, close())
        .await
        .unwrap();
    world
        .set(&world.admin, "ticket", parent, close())
        .await
        .unwrap();
}

async fn nothing_is_opened_below_a_closed_ticket(world: World) {
    let parent = world.make("ticket", json!({"title": "P"})).await;
    let below = |title: &str| json!({"title": title, "parent": parent.to_string()});
    let child = world.make("ticket", below("C")).await;
    for id in [child, parent] {
        let close = json!({"status": "closed"});
        world.set(&world.admin, "ticket", id, close).await.unwrap();
    }
    let refused = |error: Error| {
        let Error::Refused {
            code,
            field,
            params,
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(
            (code.as_str(), field.as_deref()),
            ("desk.parent_closed", Some("parent"))
        );
        assert_eq!(params["number"], "TIC-000001");
    };
    refused(
        world
            .create(&world.admin, "ticket", below("D"))
            .await
            .unwrap_err(),
    );
    let again = json!({"status": "in_progress"});
    refused(
        world
            .set(&world.admin, "ticket", child, again.clone())
            .await
            .unwrap_err(),
    );
    let other = world.make("ticket", json!({"title": "O"})).await;
    let moved = json!({"parent": parent.to_string()});
    refused(
        world
            .set(&world.admin, "ticket", other, moved)
            .await
            .unwrap_err(),
    );
    // What is closed may be filed there, and all is well when the parent is open again.
    let filed = json!({"parent": parent.to_string(), "status": "closed"});
    world
        .set(&world.admin, "ticket", other, filed)
        .await
        .unwrap();
    world
        .set(&world.admin, "ticket", parent, again.clone())
        .await
        .unwrap();
    world
        .set(&world.admin, "ticket", child, again)
        .await
        .unwrap();
}

async fn a_sub_ticket_and_its_closing_parent_do_not_pass_each_other(world: World) {
    for round in 0..8 {
        let parent = world
            .make("ticket", json!({"title": format!("P{round}")}))
            .await;
        let child = json!({"title": "C", "parent": parent.to_string()});
        let close = json!({"status": "closed"});
        let (made, closed) = tokio::join!(
            world.create(&world.admin, "ticket", child),
            world.set(&world.admin, "ticket", parent, close),
        );
        assert!(
            made.is_err() || closed.is_err(),
            "an open ticket stands below a closed one: {made:?}"
        );
        let parent = world.get(&world.admin, "ticket", parent).await.unwrap();
        let open = i64::from(made.is_ok());
        assert_eq!(parent["open_children"], open);
        assert_eq!(parent["status"] == "closed", closed.is_ok());
    }
}
