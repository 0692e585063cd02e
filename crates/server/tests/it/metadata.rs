//! What the interface learns, by who asks.

use http::StatusCode;

use crate::support::Server;

#[tokio::test]
async fn the_frame_shows_the_person_and_the_menu_in_the_language_asked_for() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let app = admin.get("/meta/app").await.json();
    assert_eq!(app["mode"], "development");
    assert_eq!(app["user"]["email"], crate::support::ADMIN);
    assert_eq!(app["menu"][0]["module"], "desk");
    assert_eq!(app["menu"][0]["items"][0]["collection"], "tickets");
    let page = &app["menu"][0]["items"][1];
    assert_eq!(
        (&page["page"], &page["icon"]),
        (&"self-service".into(), &"hand-helping".into())
    );
    assert_eq!(
        app["settings"]["desk.close_parent_with_open_children"],
        "warn"
    );
    let names: Vec<&str> = app["entities"]
        .as_array()
        .expect("entities")
        .iter()
        .filter_map(|entity| entity["name"].as_str())
        .collect();
    assert!(names.contains(&"ticket") && names.contains(&"audit_entry"));
}

#[tokio::test]
async fn what_a_person_may_not_see_is_not_there() {
    let server = Server::start(&[]).await;
    let user = server.person("ursula", "user").await;
    let all = user.get("/meta/entities").await.json();
    let names: Vec<&str> = all["items"]
        .as_array()
        .expect("entities")
        .iter()
        .filter_map(|entity| entity["name"].as_str())
        .collect();
    assert!(names.contains(&"ticket"), "{names:?}");
    assert!(!names.contains(&"audit_entry"), "{names:?}");
    assert_eq!(
        user.get("/meta/entities/audit_entry").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        user.get("/meta/entities/ticket").await.status,
        StatusCode::OK
    );
    let person = user.get("/meta/entities/user").await.json();
    assert!(!person.to_string().contains("\"sso_id\""), "a hidden field");
}

#[tokio::test]
async fn every_entity_can_be_drawn_in_every_language() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    for language in ["fr", "en", "es", "pt"] {
        let all = admin
            .get_with("/meta/entities", &[("accept-language", language)])
            .await
            .json();
        for entity in all["items"].as_array().expect("entities") {
            let name = entity["name"].as_str().expect("a name");
            assert_ne!(entity["label"], "one", "{language} {name}");
            for field in entity["fields"].as_array().expect("fields") {
                assert_ne!(
                    field["label"], field["name"],
                    "{language} {name}.{}",
                    field["name"]
                );
            }
        }
    }
}
