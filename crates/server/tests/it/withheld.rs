//! What a role does not show is not told by the other ends of things either: a conflict, a name in
//! a header, the list below a record, a count, a reason in the history.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{Client, Server, on_both};
use crate::workflows;

fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}

/// Somebody who may do everything with these collections but see the fields named.
async fn kept_from(server: &Server, apps: &[&str], fields: &[(&str, &str, &str)]) -> Client {
    let lines = apps.iter().flat_map(|app| {
        ["view", "create", "edit", "delete"]
            .map(|action| json!({"app": app, "action": action, "scope": "all"}))
    });
    let rights = fields
        .iter()
        .map(|(app, field, right)| json!({"app": app, "field": field, "right": right}));
    let role = json!({
        "name": "kept", "label": "Kept", "permissions": lines.collect::<Vec<_>>(),
        "field_rights": rights.collect::<Vec<_>>(),
    });
    let made = server.admin().await.post("/roles", &role).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    server.person("kim", "kept").await
}

#[tokio::test]
async fn a_conflict_does_not_tell_a_hidden_value() {
    on_both(async |server| {
        let fields = [
            ("tickets", "resolution", "hidden"),
            ("tickets", "description", "mask"),
        ];
        let kim = kept_from(server, &["tickets"], &fields).await;
        let admin = server.admin().await;
        let path = format!("/tickets/{}", id(&admin.ticket("Leak").await));
        let secret = json!({"resolution": "swordfish", "description": "swordfish"});
        admin.patch(&path, &secret).await;
        for field in ["resolution", "description"] {
            let refused = kim
                .patch(&path, &json!({field: "x", "base_version": 1}))
                .await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert!(!refused.text().contains("swordfish"), "{}", refused.text());
        }
        // Nor does the history of a quarrel between those who may.
        let refused = admin
            .patch(&path, &json!({"resolution": "x", "base_version": 1}))
            .await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let history = kim.get(&format!("{path}/history")).await.text();
        assert!(history.contains("conflict: merge"), "{history}");
        assert!(!history.contains("swordfish"), "{history}");
    })
    .await;
}

#[tokio::test]
async fn the_name_of_a_file_is_in_no_header_when_it_is_hidden() {
    on_both(async |server| {
        let fields = [("files", "name", "hidden")];
        let kim = kept_from(server, &["tickets", "files"], &fields).await;
        let admin = server.admin().await;
        let path = format!("/tickets/{}/files", id(&admin.ticket("Files").await));
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"swordfish.txt\"\
                    \r\n\r\nhello\r\n--b--\r\n";
        let kind = [("content-type", "multipart/form-data; boundary=b")];
        let sent = admin.send(Method::POST, &path, &kind, form).await.json();
        let path = format!("/files/{}/content", id(&sent["items"][0]));
        let content = kim.get(&path).await;
        assert_eq!(content.text(), "hello");
        assert!(!content.header("content-disposition").contains("swordfish"));
        let content = admin.get(&path).await;
        assert!(content.header("content-disposition").contains("swordfish"));
    })
    .await;
}

#[tokio::test]
async fn the_other_end_of_a_hidden_link_is_not_there() {
    on_both(async |server| {
        let fields = [("tickets", "assignee", "hidden")];
        let kim = kept_from(server, &["tickets", "users"], &fields).await;
        let admin = server.admin().await;
        let me = admin.get("/auth/me").await.json();
        let body = json!({"title": "Whose", "assignee": me["id"]});
        let made = admin.post("/tickets", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let path = format!("/users/{}/assigned-tickets", id(&me));
        assert_eq!(admin.get(&path).await.json()["items"][0]["title"], "Whose");
        assert_eq!(kim.get(&path).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn what_refuses_a_deletion_is_named_to_those_who_see_it() {
    on_both(async |server| {
        let kim = kept_from(server, &["roles"], &[]).await;
        let admin = server.admin().await;
        let role = json!({"name": "held", "label": "Held"});
        let role = admin.post("/roles", &role).await.json();
        server.person("held", "held").await;
        let path = format!("/roles/{}", id(&role));
        let refused = admin.delete(&path).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.json()["count"], 1, "{}", refused.text());
        let refused = kim.delete(&path).await;
        assert!(refused.status.is_client_error());
        assert!(refused.json()["count"].is_null(), "{}", refused.text());
        assert!(!refused.text().contains("membership"), "{}", refused.text());
    })
    .await;
}

#[tokio::test]
async fn a_roll_up_of_what_is_hidden_is_hidden() {
    on_both(async |server| {
        let fields = [("tickets", "status", "hidden")];
        let kim = kept_from(server, &["tickets", "assets"], &fields).await;
        let admin = server.admin().await;
        let parent = admin.ticket("Parent").await;
        let child = json!({"title": "Child", "parent": id(&parent)});
        admin.post("/tickets", &child).await;
        let path = format!("/tickets/{}", id(&parent));
        assert_eq!(admin.get(&path).await.json()["open_children"], 1);
        let seen = kim.get(&path).await.json();
        assert_eq!(seen.get("open_children"), None, "{seen}");
        let refused = kim.get("/tickets?open_children[gt]=0").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        // Nor does an asset count relations that one may know nothing of.
        let asset = admin.post("/assets", &json!({"name": "Pump"})).await.json();
        let path = format!("/assets/{}", id(&asset));
        assert_eq!(admin.get(&path).await.json()["parts"], 0);
        assert_eq!(kim.get(&path).await.json().get("parts"), None);
    })
    .await;
}

#[tokio::test]
async fn a_list_is_sorted_by_what_stands_beyond_a_link() {
    on_both(async |server| {
        let kim = kept_from(server, &["tickets", "users", "audit-entries"], &[]).await;
        let admin = server.admin().await;
        admin.ticket("One").await;
        for asker in [&admin, &kim] {
            // The user has more fields than what links to him: its places are not theirs.
            for path in [
                "/tickets?sort=requester.time_zone",
                "/audit-entries?sort=actor.sso_id",
            ] {
                let sorted = asker.get(path).await;
                assert_eq!(sorted.status, StatusCode::OK, "{path}: {}", sorted.text());
            }
        }
    })
    .await;
}

/// Somebody who may view and edit of these collections what satisfies the conditions.
async fn bounded_by(server: &Server, name: &str, bounds: &[(&str, Json)]) -> Client {
    let lines = bounds.iter().flat_map(|(app, condition)| {
        ["view", "edit"].map(
            |action| json!({"app": app, "action": action, "scope": "all", "condition": condition}),
        )
    });
    let role = json!({"name": name, "label": name, "permissions": lines.collect::<Vec<_>>()});
    let made = server.admin().await.post("/roles", &role).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    server.person(name, name).await
}

#[tokio::test]
async fn why_a_rule_refuses_tells_nothing_of_what_is_not_seen() {
    on_both(async |server| {
        let admin = server.admin().await;
        let floor = json!({"name": "floor", "label": "Floor"});
        let floor = admin.post("/roles", &floor).await.json();
        let ghost = json!({"name": "ghost", "label": "Ghost", "inherits": [id(&floor)]});
        let ghost = admin.post("/roles", &ghost).await.json();
        let seen = json!({"field": "name", "op": "ne", "value": "ghost"});
        let kim = bounded_by(server, "kim", &[("roles", seen)]).await;
        let path = format!("/roles/{}", id(&floor));
        let nobody = "01a00000-0000-7000-8000-000000000000";
        let mut answers = Vec::new();
        for inherited in [id(&ghost), nobody] {
            let refused = kim.patch(&path, &json!({"inherits": [inherited]})).await;
            let said = refused.json();
            answers.push((refused.status, said["errors"].clone()));
        }
        assert_eq!(answers[0].0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answers[0].1[0]["code"], "not_found");
        assert_eq!(answers[0], answers[1]);
        // Who sees it is told.
        let refused = admin.patch(&path, &json!({"inherits": [id(&ghost)]})).await;
        assert!(refused.text().contains("role_ring"), "{}", refused.text());
    })
    .await;
}

#[tokio::test]
async fn statistics_are_of_what_is_seen() {
    on_both(async |server| {
        let admin = server.admin().await;
        let rule = json!({
            "trigger": {"type": "manual", "entity": "ticket"},
            "actions": [{"type": "comment", "params": {"body": "Run"}}],
        });
        let rule = workflows::workflow(&admin, &rule).await;
        let ticket = admin.ticket("Subject").await;
        let path = format!("/workflows/{}", id(&rule));
        let target = json!({"entity": "ticket", "record_id": id(&ticket)});
        let begun = admin.post(&format!("{path}/execute"), &target).await;
        assert!(begun.status.is_success(), "{}", begun.text());
        workflows::ended(&admin, &rule, 1).await;
        let path = format!("{path}/stats");
        assert_eq!(admin.get(&path).await.json()["success"], 1);
        // Somebody who sees no execution that went well, and one who sees when none of them ended.
        let all = json!({"field": "name", "op": "is_empty", "value": false});
        let bad = json!({"field": "status", "op": "ne", "value": "SUCCESS"});
        let bad = [("workflows", all), ("executions", bad)];
        let pat = bounded_by(server, "pat", &bad).await;
        let said = pat.get(&path).await.json();
        assert_eq!((&said["total"], &said["success"]), (&json!(0), &json!(0)));
        let fields = [("executions", "ended_at", "hidden")];
        let kim = kept_from(server, &["workflows", "executions"], &fields).await;
        let said = kim.get(&path).await.json();
        assert_eq!(said["success"], 1, "{said}");
        assert_eq!(said["average_duration_seconds"], Json::Null);
    })
    .await;
}

#[tokio::test]
async fn only_who_sees_all_of_the_audit_verifies_it() {
    on_both(async |server| {
        let own = json!({"field": "entity", "op": "eq", "value": "ticket"});
        let kim = bounded_by(server, "kim", &[("audit-entries", own)]).await;
        let refused = kim.post("/audit-entries/verify", &json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
        let auditor = server.person("aude", "auditor").await;
        let said = auditor.post("/audit-entries/verify", &json!({})).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text());
    })
    .await;
}

#[tokio::test]
async fn who_closes_a_ticket_is_told_how_many_he_sees() {
    on_both(async |server| {
        let admin = server.admin().await;
        let seen = json!({"not": {"field": "title", "op": "starts_with", "value": "Secret"}});
        let kim = bounded_by(server, "kim", &[("tickets", seen)]).await;
        let parent = admin.ticket("Parent").await;
        let path = format!("/tickets/{}", id(&parent));
        let child = async |title: &str| {
            let body = json!({"title": title, "parent": id(&parent)});
            let made = admin.post("/tickets", &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        };
        let close = json!({"status": "closed"});
        for title in ["Secret one", "Secret two"] {
            child(title).await;
            let asked = kim.patch(&path, &close).await.json();
            assert_eq!(asked["code"], "desk.unseen_children_confirm", "{asked}");
            assert!(!asked["detail"].to_string().contains('2'), "{asked}");
        }
        child("Open").await;
        let asked = kim.patch(&path, &close).await.json();
        assert_eq!(asked["code"], "desk.open_children_confirm", "{asked}");
        assert!(
            asked["detail"]
                .as_str()
                .is_some_and(|d| d.starts_with("1 ")),
            "{asked}"
        );
        let asked = admin.patch(&path, &close).await.json();
        assert!(
            asked["detail"]
                .as_str()
                .is_some_and(|d| d.starts_with("3 ")),
            "{asked}"
        );
        let token = asked["confirm_token"].as_str().expect("a token");
        let token = [("x-confirm", token)];
        let done = admin.write(Method::PATCH, &path, &token, &close).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    })
    .await;
}
