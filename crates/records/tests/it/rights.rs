//! Nobody sees or writes what he may not.

use opsflux_records::{Caller, Error, Uuid};
use serde_json::json;

use crate::world::{World, both, id_of};

both!(
    members_see_their_company_and_comments_are_of_their_ticket_s,
    a_technician_sees_his_department_only,
    a_requester_sees_his_own_tickets_only,
    a_requester_cannot_set_what_the_desk_decides,
    hidden_fields_are_as_unknown_as_missing_ones,
    internal_comments_stay_inside,
    paths_and_labels_stop_at_what_may_be_seen,
    a_link_cannot_name_what_may_not_be_seen,
    a_link_cannot_name_whom_only_a_rule_may_see,
    actions_that_are_known_but_not_allowed_are_forbidden,
    a_create_outside_the_scope_is_refused,
    a_record_may_be_moved_out_of_sight,
);

async fn ticket_in(world: &World, department: Uuid, title: &str) -> Uuid {
    let body = json!({"title": title, "department": department.to_string()});
    world.make("ticket", body).await
}

async fn titles(world: &World, caller: &Caller, query: &str) -> Vec<String> {
    let found = world.column(caller, "ticket", query, "title").await;
    found
        .into_iter()
        .map(|title| title.as_str().unwrap().to_owned())
        .collect()
}

async fn a_technician_sees_his_department_only(world: World) {
    let here = ticket_in(&world, world.north, "here").await;
    let there = ticket_in(&world, world.south, "there").await;
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    assert_eq!(titles(&world, &technician, "").await, ["here"]);
    assert!(world.get(&technician, "ticket", here).await.is_ok());
    assert!(matches!(
        world.get(&technician, "ticket", there).await,
        Err(Error::NotFound)
    ));
    let page = world
        .list(&technician, "ticket", "total=true")
        .await
        .unwrap();
    assert_eq!(page["total"], 1);
    let patch = json!({"title": "mine"});
    let error = world
        .set(&technician, "ticket", there, patch)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    assert!(matches!(
        world.delete(&technician, "ticket", there).await,
        Err(Error::NotFound)
    ));
}

async fn a_requester_sees_his_own_tickets_only(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let ben = world.caller("Ben Two", "user", Some(world.north)).await;
    let mine = id_of(
        &world
            .create(&awa, "ticket", json!({"title": "mine"}))
            .await
            .unwrap(),
    );
    world
        .create(&ben, "ticket", json!({"title": "his"}))
        .await
        .unwrap();
    assert_eq!(titles(&world, &awa, "").await, ["mine"]);
    assert!(matches!(
        world.get(&ben, "ticket", mine).await,
        Err(Error::NotFound)
    ));
    let history = world
        .records
        .history(&ben, world.entity("ticket"), &mine.to_string(), None, 10)
        .await;
    assert!(matches!(history, Err(Error::NotFound)));
}

async fn a_requester_cannot_set_what_the_desk_decides(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    for field in ["assignee", "assigned_group", "requester"] {
        let body = json!({"title": "x", field: awa.user().to_string()});
        let error = world.create(&awa, "ticket", body).await.unwrap_err();
        let Error::Invalid(errors) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (errors[0].field.as_str(), errors[0].code.as_str()),
            (field, "not_allowed")
        );
    }
    let ticket = world
        .create(&awa, "ticket", json!({"title": "x"}))
        .await
        .unwrap();
    let error = world
        .set(&awa, "ticket", id_of(&ticket), json!({"status": "closed"}))
        .await;
    assert!(
        matches!(&error, Err(Error::Invalid(e)) if e[0].code == "not_allowed"),
        "{error:?}"
    );
}

async fn hidden_fields_are_as_unknown_as_missing_ones(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let ticket = world
        .create(&awa, "ticket", json!({"title": "x"}))
        .await
        .unwrap();
    assert!(ticket.get("tags").is_none());
    let codes = async |query: &str| {
        let error = world.list(&awa, "ticket", query).await.unwrap_err();
        match error {
            Error::BadQuery { code, .. } => code,
            other => panic!("{other:?}"),
        }
    };
    for (hidden, missing) in [
        ("fields=tags", "fields=nonsense"),
        ("sort=tags", "sort=nonsense"),
        (
            r#"filter={"field":"tags","op":"is_empty"}"#,
            r#"filter={"field":"nonsense","op":"is_empty"}"#,
        ),
    ] {
        assert_eq!(codes(hidden).await, codes(missing).await, "{hidden}");
    }
    let error = world
        .create(&awa, "ticket", json!({"title": "x", "tags": ["a"]}))
        .await;
    let Err(Error::Invalid(errors)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(errors[0].code, "unknown_field");
}

async fn internal_comments_stay_inside(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let ticket = world
        .create(&awa, "ticket", json!({"title": "x"}))
        .await
        .unwrap();
    let target = json!({"entity": "ticket", "id": ticket["id"]});
    let say = async |caller: &Caller, body: &str, internal: Option<bool>| {
        let mut comment = json!({"body": body, "target": target});
        if let Some(internal) = internal {
            comment["internal"] = json!(internal);
        }
        world.create(caller, "comment", comment).await
    };
    say(&technician, "public", Some(false)).await.unwrap();
    say(&technician, "secret", Some(true)).await.unwrap();
    say(&awa, "thanks", None).await.unwrap();
    let heard = async |caller: &Caller| {
        let query = "sort=created_at&fields=body";
        let bodies = world.column(caller, "comment", query, "body").await;
        bodies
            .into_iter()
            .map(|b| b.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(heard(&technician).await, ["public", "secret", "thanks"]);
    assert_eq!(heard(&awa).await, ["public", "thanks"]);
    assert!(say(&awa, "hush", Some(true)).await.is_err());
    let stranger = world.caller("Eve Two", "user", Some(world.north)).await;
    assert!(heard(&stranger).await.is_empty());
    assert!(say(&stranger, "intrude", None).await.is_err());
}

async fn paths_and_labels_stop_at_what_may_be_seen(world: World) {
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let elsewhere = world.person("Zoé South", Some(world.south)).await;
    let body = json!({
        "title": "x", "department": world.north.to_string(), "assignee": elsewhere.to_string(),
    });
    world.make("ticket", body).await;
    let page = world.list(&technician, "ticket", "").await.unwrap();
    assert!(
        page["labels"].get(elsewhere.to_string()).is_none(),
        "{page}"
    );
    let query = "assignee.full_name[starts_with]=zoe";
    assert_eq!(
        world
            .column(&world.admin, "ticket", query, "id")
            .await
            .len(),
        1
    );
    assert!(
        world
            .column(&technician, "ticket", query, "id")
            .await
            .is_empty()
    );
    let sorted = world
        .list(&technician, "ticket", "sort=assignee")
        .await
        .unwrap();
    assert_eq!(sorted["items"].as_array().unwrap().len(), 1);
}

async fn a_link_cannot_name_what_may_not_be_seen(world: World) {
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let asset = world.make("asset", json!({"name": "secret server"})).await;
    let body = json!({"title": "x", "impacted_assets": [asset.to_string()]});
    let hidden = world.create(&awa, "ticket", body).await;
    let body = json!({"title": "x", "impacted_assets": ["0199a5b0-0000-7000-8000-00000000dead"]});
    let missing = world.create(&awa, "ticket", body).await;
    let code = |result: Result<_, Error>| match result {
        Err(Error::Invalid(errors)) => errors[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(hidden), code(missing));
}

/// A rule reads the requester with the rights of the house, to know his department.
async fn a_link_cannot_name_whom_only_a_rule_may_see(world: World) {
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let near = world.person("Nea Near", Some(world.north)).await;
    let far = world.person("Far Away", Some(world.south)).await;
    let ask = |who: Uuid| json!({"title": "x", "requester": who.to_string()});
    let made = world.create(&technician, "ticket", ask(near)).await;
    assert_eq!(made.unwrap()["department"], world.north.to_string());
    let refused = world.create(&technician, "ticket", ask(far)).await;
    let Err(Error::Invalid(errors)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_str()),
        ("requester", "not_found")
    );
    // Whoever sees him may.
    let made = world.create(&world.admin, "ticket", ask(far)).await;
    assert_eq!(made.unwrap()["department"], world.south.to_string());
}

async fn actions_that_are_known_but_not_allowed_are_forbidden(world: World) {
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let id = ticket_in(&world, world.north, "here").await;
    let error = world.delete(&technician, "ticket", id).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    let error = world
        .create(&technician, "department", json!({"name": "New"}))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Forbidden { .. } | Error::NotFound),
        "{error:?}"
    );
}

async fn a_create_outside_the_scope_is_refused(world: World) {
    let other = world
        .make("company", json!({"name": "Other", "code": "other"}))
        .await;
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let body = json!({"title": "x", "company": other.to_string()});
    let error = world.create(&technician, "ticket", body).await.unwrap_err();
    let Error::Invalid(errors) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_str()),
        ("company", "not_allowed")
    );
    let awa = world.caller("Awa One", "user", Some(world.north)).await;
    let mut house = awa.clone();
    house.company = Some(other);
    let error = world
        .create(&house, "group", json!({"name": "Mine"}))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

async fn a_record_may_be_moved_out_of_sight(world: World) {
    let technician = world
        .caller("Tec North", "technician", Some(world.north))
        .await;
    let id = ticket_in(&world, world.north, "here").await;
    let patch = json!({"department": null});
    let moved = world.set(&technician, "ticket", id, patch).await.unwrap();
    assert_eq!(moved["id"], id.to_string());
    assert!(
        moved.get("title").is_none(),
        "what may no longer be seen is not answered"
    );
    assert!(matches!(
        world.get(&technician, "ticket", id).await,
        Err(Error::NotFound)
    ));
}

async fn members_see_their_company_and_comments_are_of_their_ticket_s(world: World) {
    let company = world
        .get(&world.admin, "company", world.company)
        .await
        .unwrap();
    assert_eq!(
        company["company"],
        world.company.to_string(),
        "a company is its own"
    );
    let member = world.caller("Mia Member", "user", Some(world.north)).await;
    let seen = world.get(&member, "company", world.company).await.unwrap();
    assert_eq!(seen["name"], "ACME");
    let other = world
        .make("company", json!({"name": "Other", "code": "other"}))
        .await;
    assert!(matches!(
        world.get(&member, "company", other).await,
        Err(Error::NotFound)
    ));
    // Written by somebody who acts in another company than the ticket is of.
    let ticket = json!({"title": "T", "company": other.to_string()});
    let ticket = world.make("ticket", ticket).await;
    let target = json!({"entity": "ticket", "id": ticket.to_string()});
    let comment = json!({"body": "hello", "target": target});
    let comment = world
        .create(&world.admin, "comment", comment)
        .await
        .unwrap();
    assert_eq!(comment["company"], other.to_string());
}
