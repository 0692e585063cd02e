//! Deleting and restoring.

use opsflux_records::{ConflictKind, Error};
use serde_json::json;

use crate::world::{World, both, id_of};

both!(
    deleting_a_parent_takes_its_subtree_and_restoring_brings_it_back,
    what_was_deleted_before_stays_deleted,
    a_child_does_not_come_back_without_its_parent,
    links_to_deleted_records_read_null_and_come_back,
    a_link_that_refuses_keeps_its_target,
    owned_rows_disappear_with_their_owner,
    related_assets_show_at_both_ends_and_a_relation_goes_with_either,
);

async fn deleting_a_parent_takes_its_subtree_and_restoring_brings_it_back(world: World) {
    let a = world.make("ticket", json!({"title": "A"})).await;
    let b = world
        .make("ticket", json!({"title": "B", "parent": a.to_string()}))
        .await;
    let c = world
        .make("ticket", json!({"title": "C", "parent": b.to_string()}))
        .await;
    world.delete(&world.admin, "ticket", a).await.unwrap();
    for id in [a, b, c] {
        assert!(matches!(
            world.get(&world.admin, "ticket", id).await,
            Err(Error::NotFound)
        ));
    }
    assert!(
        world
            .column(&world.admin, "ticket", "", "id")
            .await
            .is_empty()
    );
    let bin = world
        .column(&world.admin, "ticket", "deleted=true&sort=title", "title")
        .await;
    assert_eq!(bin, [json!("A"), json!("B"), json!("C")]);
    let audit = world
        .column(
            &world.admin,
            "audit_entry",
            "action=delete&entity=ticket",
            "record",
        )
        .await;
    assert_eq!(audit.len(), 3);
    world.restore(&world.admin, "ticket", b).await.unwrap();
    let titles = world
        .column(&world.admin, "ticket", "sort=title", "title")
        .await;
    assert_eq!(titles, [json!("A"), json!("B"), json!("C")]);
    assert_eq!(
        world.get(&world.admin, "ticket", a).await.unwrap()["version"],
        3
    );
}

async fn what_was_deleted_before_stays_deleted(world: World) {
    let a = world.make("ticket", json!({"title": "A"})).await;
    let b = world
        .make("ticket", json!({"title": "B", "parent": a.to_string()}))
        .await;
    world.delete(&world.admin, "ticket", b).await.unwrap();
    world.delete(&world.admin, "ticket", a).await.unwrap();
    world.restore(&world.admin, "ticket", a).await.unwrap();
    let titles = world.column(&world.admin, "ticket", "", "title").await;
    assert_eq!(titles, [json!("A")]);
}

async fn a_child_does_not_come_back_without_its_parent(world: World) {
    let a = world.make("ticket", json!({"title": "A"})).await;
    let b = world
        .make("ticket", json!({"title": "B", "parent": a.to_string()}))
        .await;
    world.delete(&world.admin, "ticket", b).await.unwrap();
    world.delete(&world.admin, "ticket", a).await.unwrap();
    let error = world.restore(&world.admin, "ticket", b).await.unwrap_err();
    let Error::Conflict(ConflictKind::DeletedOwner { field }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(field, "parent");
}

async fn links_to_deleted_records_read_null_and_come_back(world: World) {
    let person = world.person("Tom Gone", None).await;
    let body = json!({"title": "T", "assignee": person.to_string()});
    let id = world.make("ticket", body).await;
    let asset = world
        .make("asset", json!({"name": "pc", "user": person.to_string()}))
        .await;
    world.delete(&world.admin, "user", person).await.unwrap();
    assert_eq!(
        world.get(&world.admin, "ticket", id).await.unwrap()["assignee"],
        json!(null)
    );
    assert_eq!(
        world.get(&world.admin, "asset", asset).await.unwrap()["user"],
        json!(null)
    );
    let query = "assignee.full_name=Tom Gone";
    assert!(
        world
            .column(&world.admin, "ticket", query, "id")
            .await
            .is_empty()
    );
    world.restore(&world.admin, "user", person).await.unwrap();
    let ticket = world.get(&world.admin, "ticket", id).await.unwrap();
    assert_eq!(ticket["assignee"], person.to_string());
    assert_eq!(ticket["labels"][person.to_string()], "Tom Gone");
    assert_eq!(
        world
            .column(&world.admin, "ticket", query, "id")
            .await
            .len(),
        1
    );
}

async fn a_link_that_refuses_keeps_its_target(world: World) {
    let body = json!({"name": "Sub", "parent": world.north.to_string()});
    let sub = world.make("department", body).await;
    let error = world
        .delete(&world.admin, "department", world.north)
        .await
        .unwrap_err();
    let Error::Conflict(ConflictKind::Referenced { entity, count, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((entity.as_str(), count), ("department", 1));
    world.delete(&world.admin, "department", sub).await.unwrap();
    world
        .delete(&world.admin, "department", world.north)
        .await
        .unwrap();
}

async fn owned_rows_disappear_with_their_owner(world: World) {
    let id = world.make("ticket", json!({"title": "T"})).await;
    let target = json!({"entity": "ticket", "id": id.to_string()});
    let comment = json!({"body": "hello", "target": target});
    let technician = world.caller("Tec One", "manager", Some(world.north)).await;
    let comment = id_of(
        &world
            .create(&world.admin, "comment", comment)
            .await
            .unwrap(),
    );
    assert!(world.get(&technician, "comment", comment).await.is_ok());
    world.delete(&world.admin, "ticket", id).await.unwrap();
    assert!(matches!(
        world.get(&technician, "comment", comment).await,
        Err(Error::NotFound)
    ));
    world.restore(&world.admin, "ticket", id).await.unwrap();
    assert!(world.get(&technician, "comment", comment).await.is_ok());
}

async fn related_assets_show_at_both_ends_and_a_relation_goes_with_either(world: World) {
    let server = world.make("asset", json!({"name": "server"})).await;
    let disk = world.make("asset", json!({"name": "disk"})).await;
    let relation = json!({
        "source": disk.to_string(), "kind": "part_of", "target": server.to_string(),
    });
    world.make("asset_relation", relation.clone()).await;
    let twice = world.create(&world.admin, "asset_relation", relation).await;
    assert!(matches!(
        twice,
        Err(Error::Conflict(ConflictKind::Unique { .. }))
    ));
    let depends = json!({
        "source": server.to_string(), "kind": "depends_on", "target": disk.to_string(),
    });
    world.make("asset_relation", depends).await;
    let ends = |query: String| {
        let world = &world;
        async move {
            let page = world.list(&world.admin, "asset_relation", &query).await;
            page.unwrap()["items"].as_array().unwrap().len()
        }
    };
    assert_eq!(ends(format!("source={disk}")).await, 1);
    assert_eq!(ends(format!("target={disk}")).await, 1);
    let parts = async || world.get(&world.admin, "asset", server).await.unwrap()["parts"].clone();
    assert_eq!(parts().await, 1, "a dependency is no part");
    world.delete(&world.admin, "asset", disk).await.unwrap();
    assert_eq!(ends(String::new()).await, 0);
    assert_eq!(parts().await, 0);
    world.restore(&world.admin, "asset", disk).await.unwrap();
    assert_eq!(ends(String::new()).await, 2);
    assert_eq!(parts().await, 1);
}
