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
        ("desk.open_children", &json!(1))
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
    world
        .set(&world.admin, "ticket", b, json!({"status": "in_progress"}))
        .await
        .unwrap();
    world
        .set(&world.admin, "ticket", a, json!({"status": "in_progress"}))
        .await
        .unwrap();
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
