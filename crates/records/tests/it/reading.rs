//! Lists: filters, order, pages, totals, expansion.

use opsflux_records::Error;
use serde_json::{Value as Json, json};

use crate::world::{World, both};

both!(
    pages_visit_every_record_once_in_order,
    priorities_sort_as_declared_and_nulls_last,
    filters_combine_and_paths_follow_links,
    a_cursor_belongs_to_its_list,
    wrong_queries_are_named,
    totals_are_exact_until_they_are_capped,
    links_are_expanded_and_labelled,
    related_records_show_at_both_ends,
    text_compares_without_case_and_accents,
);

async fn pages_visit_every_record_once_in_order(world: World) {
    for n in 0..25 {
        let priority = ["low", "high", "medium"][n % 3];
        world
            .make(
                "ticket",
                json!({"title": format!("T{n:02}"), "priority": priority}),
            )
            .await;
    }
    for sort in [
        "-created_at",
        "priority,title",
        "-due_at,title",
        "-priority",
    ] {
        let mut seen: Vec<Json> = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = format!("sort={sort}&limit=7&fields=title,priority{cursor}");
            let page = world.list(&world.admin, "ticket", &query).await.unwrap();
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|i| i["title"].clone()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let whole = format!("sort={sort}&limit=500");
        assert_eq!(
            seen,
            world.column(&world.admin, "ticket", &whole, "title").await,
            "{sort}"
        );
        assert_eq!(seen.len(), 25);
    }
}

async fn priorities_sort_as_declared_and_nulls_last(world: World) {
    for (title, priority, due) in [
        ("a", "high", Some("2026-05-01T00:00:00Z")),
        ("b", "low", None),
        ("c", "critical", Some("2026-04-01T00:00:00Z")),
        ("d", "medium", None),
    ] {
        let body = json!({"title": title, "priority": priority, "due_at": due});
        world.make("ticket", body).await;
    }
    let by = async |sort: &str| {
        let query = format!("sort={sort}");
        let found = world.column(&world.admin, "ticket", &query, "title").await;
        found
            .iter()
            .map(|t| t.as_str().unwrap())
            .collect::<String>()
    };
    assert_eq!(by("-priority").await, "cadb");
    assert_eq!(by("priority").await, "bdac");
    assert_eq!(by("due_at,title").await, "cabd");
    assert_eq!(by("-due_at,title").await, "acbd");
    let query = "priority[gte]=high&sort=title";
    let found = world.column(&world.admin, "ticket", query, "title").await;
    assert_eq!(found, [json!("a"), json!("c")]);
}

async fn filters_combine_and_paths_follow_links(world: World) {
    let group = json!({"name": "Réseau", "kind": "support"});
    let group = world.make("group", group).await;
    let body = json!({"title": "one", "assigned_group": group.to_string(), "priority": "high"});
    world.make("ticket", body).await;
    world
        .make("ticket", json!({"title": "two", "priority": "high"}))
        .await;
    world.make("ticket", json!({"title": "three"})).await;
    for (query, expected) in [
        ("assigned_group.name=Réseau", vec!["one"]),
        ("assigned_group.name=reseau", vec![]),
        ("assigned_group.name[contains]=RESEAU", vec!["one"]),
        ("assigned_group[is_empty]=true&priority=high", vec!["two"]),
        (
            "priority[in]=high,medium&title[ne]=two",
            vec!["one", "three"],
        ),
        (
            "priority[in]=high&priority[in]=medium",
            vec!["one", "three", "two"],
        ),
        ("assigned_group.name[ne]=Réseau", vec!["three", "two"]),
        (
            r#"filter={"any":[{"field":"title","op":"==","value":"two"},{"not":{"field":"priority","op":"eq","value":"high"}}]}"#,
            vec!["three", "two"],
        ),
        ("requester=@me", vec!["one", "three", "two"]),
        ("created_at[lt]=2026-01-01", vec![]),
    ] {
        let found = world
            .column(
                &world.admin,
                "ticket",
                &format!("{query}&sort=title"),
                "title",
            )
            .await;
        assert_eq!(found, expected, "{query}");
    }
    let found = world
        .column(&world.admin, "group", "tickets.title=one", "name")
        .await;
    assert_eq!(found, ["Réseau"], "back along a link");
}

async fn a_cursor_belongs_to_its_list(world: World) {
    for n in 0..3 {
        world
            .make("ticket", json!({"title": format!("T{n}")}))
            .await;
    }
    let page = world.list(&world.admin, "ticket", "limit=1").await.unwrap();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let awa = world.caller("Awa One", "manager", None).await;
    for (caller, query) in [
        (&world.admin, format!("limit=1&sort=title&cursor={cursor}")),
        (
            &world.admin,
            format!("limit=1&priority=high&cursor={cursor}"),
        ),
        (&awa, format!("limit=1&cursor={cursor}")),
        (&world.admin, "cursor=forged".to_owned()),
    ] {
        let error = world.list(caller, "ticket", &query).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::BadQuery {
                    code: "invalid_cursor",
                    ..
                }
            ),
            "{error:?}"
        );
    }
    world
        .list(&world.admin, "ticket", &format!("limit=2&cursor={cursor}"))
        .await
        .unwrap();
}

async fn wrong_queries_are_named(world: World) {
    for (query, parameter, code) in [
        ("nonsense=1", "nonsense", "unknown_parameter"),
        ("title[like]=x", "title[like]", "unknown_operator"),
        (
            "description[contains]=x",
            "description[contains]",
            "unknown_operator",
        ),
        ("priority=urgent", "priority", "invalid_value"),
        ("sort=description", "sort", "not_sortable"),
        ("sort=nonsense", "sort", "unknown_field"),
        ("fields=nonsense", "fields", "unknown_field"),
        ("expand=title", "expand", "unknown_field"),
        ("limit=0", "limit", "invalid_value"),
        ("limit=501", "limit", "invalid_value"),
        ("filter={", "filter", "invalid_value"),
        ("total=maybe", "total", "invalid_value"),
    ] {
        world.make("ticket", json!({"title": "x"})).await;
        let error = world.list(&world.admin, "ticket", query).await.unwrap_err();
        let Error::BadQuery {
            parameter: named,
            code: found,
            ..
        } = error
        else {
            panic!("{query}: {error:?}")
        };
        assert_eq!((named.as_str(), found), (parameter, code), "{query}");
    }
}

async fn totals_are_exact_until_they_are_capped(world: World) {
    for _ in 0..3 {
        world.make("ticket", json!({"title": "x"})).await;
    }
    let page = world
        .list(&world.admin, "ticket", "total=true&limit=1")
        .await
        .unwrap();
    assert_eq!(
        (&page["total"], &page["total_is"]),
        (&json!(3), &json!("exact"))
    );
    let page = world.list(&world.admin, "ticket", "").await.unwrap();
    assert_eq!(page["total"], json!(null));
}

async fn links_are_expanded_and_labelled(world: World) {
    let site = world
        .make("site", json!({"name": "Port-Gentil", "kind": "base"}))
        .await;
    let asset = world
        .make("asset", json!({"name": "pc-1", "site": site.to_string()}))
        .await;
    world.make("asset", json!({"name": "pc-2"})).await;
    let page = world
        .list(&world.admin, "asset", "sort=name&expand=site")
        .await
        .unwrap();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items[0]["id"], asset.to_string());
    assert_eq!(items[0]["expanded"]["site"]["name"], "Port-Gentil");
    assert_eq!(items[1]["expanded"]["site"], json!(null));
    assert_eq!(page["labels"][site.to_string()], "Port-Gentil");
}

async fn related_records_show_at_both_ends(world: World) {
    let asset = world.make("asset", json!({"name": "printer"})).await;
    let body = json!({"title": "jam", "impacted_assets": [asset.to_string()]});
    let ticket = world.make("ticket", body).await;
    let found = world
        .column(
            &world.admin,
            "ticket",
            &format!("impacted_assets={asset}"),
            "id",
        )
        .await;
    assert_eq!(found, [json!(ticket.to_string())]);
    let found = world
        .column(&world.admin, "asset", "tickets.title=jam", "name")
        .await;
    assert_eq!(found, [json!("printer")]);
    let got = world.get(&world.admin, "ticket", ticket).await.unwrap();
    assert_eq!(got["labels"][asset.to_string()], "printer");
}

async fn text_compares_without_case_and_accents(world: World) {
    for title in ["Élan", "eau", "Zebra", "École", "abri"] {
        world.make("ticket", json!({"title": title})).await;
    }
    let sorted = world
        .column(&world.admin, "ticket", "sort=title", "title")
        .await;
    assert_eq!(sorted, ["abri", "eau", "École", "Élan", "Zebra"]);
    let found = world
        .column(
            &world.admin,
            "ticket",
            "title[starts_with]=E&sort=title",
            "title",
        )
        .await;
    assert_eq!(found, ["eau", "École", "Élan"]);
    let found = world
        .column(&world.admin, "ticket", "title[contains]=%25", "title")
        .await;
    assert!(found.is_empty());
}
