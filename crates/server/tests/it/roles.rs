//! Roles a tenant makes for itself: what they give, at once, no more; and why.

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Client, Server, on_both};

/// A role of one's own: critical tickets, read only, without who asked and what he wrote.
async fn auditor(server: &Server) -> (Client, Json) {
    let admin = server.admin().await;
    let critical = json!({"field": "priority", "op": "eq", "value": "critical"});
    let role = json!({
        "name": "crisis_auditor", "label": "Crisis auditor",
        "permissions": [
            {"app": "tickets", "action": "view", "scope": "company", "condition": critical},
        ],
        "field_rights": [
            {"app": "tickets", "field": "description", "right": "mask"},
            {"app": "tickets", "field": "requester", "right": "hidden"},
        ],
    });
    let made = admin.post("/roles", &role).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let person = server.person("ines", "crisis_auditor").await;
    (person, made.json())
}

async fn tickets(admin: &Client) -> (Json, Json) {
    let make = async |title: &str, priority: &str| {
        let body = json!({"title": title, "description": "Secret", "priority": priority});
        let made = admin.post("/tickets", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()
    };
    (make("Fire", "critical").await, make("Mouse", "low").await)
}

fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}

#[tokio::test]
async fn a_role_made_at_run_time_gives_what_it_says_and_no_more() {
    on_both(async |server| {
        let (ines, _) = auditor(server).await;
        let (fire, mouse) = tickets(&server.admin().await).await;
        let seen = ines.get("/tickets").await.json();
        assert_eq!(seen["items"].as_array().expect("tickets").len(), 1);
        assert_eq!(seen["items"][0]["title"], "Fire");
        assert_eq!(seen["items"][0]["description"], "••••", "masked");
        assert_eq!(seen["items"][0].get("requester"), None, "hidden");
        let path = format!("/tickets/{}", id(&mouse));
        assert_eq!(ines.get(&path).await.status, StatusCode::NOT_FOUND);
        // What one may not read one does not filter or sort by.
        for query in [
            "description[contains]=Sec",
            "requester[is_empty]=true",
            "sort=requester",
        ] {
            let refused = ines.get(&format!("/tickets?{query}")).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        }
        let path = format!("/tickets/{}", id(&fire));
        let refused = ines.patch(&path, &json!({"title": "Smoke"})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let refused = ines.post("/tickets", &json!({"title": "New"})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(ines.get("/assets").await.status, StatusCode::NOT_FOUND);
        let me = ines.get("/auth/me").await.json();
        assert_eq!(me["roles"], json!(["crisis_auditor"]));
    })
    .await;
}

#[tokio::test]
async fn what_a_role_no_longer_gives_is_gone_with_the_answer() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (ines, role) = auditor(server).await;
        let (fire, mouse) = tickets(&admin).await;
        let path = format!("/roles/{}", id(&role));
        let allow = |condition: Json| {
            let mut permission = json!({"app": "tickets", "action": "view", "scope": "company"});
            permission["condition"] = condition;
            json!({"permissions": [permission]})
        };
        for _ in 0..3 {
            let changed = admin.patch(&path, &allow(Json::Null)).await;
            assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
            let seen = ines.get(&format!("/tickets/{}", id(&mouse))).await;
            assert_eq!(seen.status, StatusCode::OK, "all of the company");
            let changed = admin.patch(&path, &json!({"permissions": []})).await;
            assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
            let gone = ines.get(&format!("/tickets/{}", id(&fire))).await;
            assert_eq!(gone.status, StatusCode::NOT_FOUND);
        }
        // By its own collection too.
        let line = json!({"role": id(&role), "app": "tickets", "action": "view", "scope": "all"});
        let made = admin.post("/role-permissions", &line).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let seen = ines.get(&format!("/tickets/{}", id(&mouse))).await;
        assert_eq!(seen.status, StatusCode::OK);
        let made = made.json();
        admin
            .delete(&format!("/role-permissions/{}", id(&made)))
            .await;
        let gone = ines.get(&format!("/tickets/{}", id(&mouse))).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_role_builds_on_others_whoever_made_them() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (_, auditor) = auditor(server).await;
        let guest = admin.get("/roles?name=guest").await.json()["items"][0].clone();
        let role = json!({
            "name": "chief_auditor", "label": "Chief", "inherits": [id(&auditor), id(&guest)],
            "permissions": [{"app": "sites", "action": "view", "scope": "all"}],
        });
        let made = admin.post("/roles", &role).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let chief = server.person("chief", "chief_auditor").await;
        tickets(&admin).await;
        assert_eq!(chief.get("/sites").await.status, StatusCode::OK);
        let own = chief.ticket("Mine, as a guest").await;
        let seen = chief.get("/tickets?sort=title").await.json();
        let titles: Vec<&Json> = seen["items"]
            .as_array()
            .expect("tickets")
            .iter()
            .map(|t| &t["title"])
            .collect();
        assert_eq!(titles, ["Fire", "Mine, as a guest"]);
        assert!(own["description"].is_null());
    })
    .await;
}

#[tokio::test]
async fn a_line_that_makes_no_sense_is_refused_at_its_field() {
    on_both(async |server| {
        let admin = server.admin().await;
        let permission = |line: Json| json!({"name": "odd", "label": "Odd", "permissions": [line]});
        let field = |line: Json| json!({"name": "odd", "label": "Odd", "field_rights": [line]});
        let view = |more: Json| {
            let mut line = json!({"app": "tickets", "action": "view", "scope": "all"});
            line.as_object_mut()
                .expect("a line")
                .extend(more.as_object().cloned().expect("more"));
            permission(line)
        };
        let unknown = json!({"field": "colour", "op": "eq", "value": 1});
        for (role, code) in [
            (view(json!({"app": "cars"})), "base.unknown_app"),
            (
                view(json!({"app": "tags", "scope": "department"})),
                "base.scope_without_anchor",
            ),
            (view(json!({"condition": unknown})), "base.bad_condition"),
            (
                view(json!({"condition": {"every": []}})),
                "base.bad_condition",
            ),
            (
                field(json!({"app": "tickets", "field": "colour"})),
                "base.unknown_field",
            ),
        ] {
            let refused = admin.post("/roles", &role).await;
            assert!(refused.status.is_client_error(), "{role}");
            assert!(refused.text().contains(code), "{role}: {}", refused.text());
        }
        // A module decides about its own roles.
        let technician = admin.get("/roles?name=technician").await.json()["items"][0].clone();
        let line =
            json!({"role": id(&technician), "app": "tickets", "action": "view", "scope": "all"});
        let refused = admin.post("/role-permissions", &line).await;
        assert!(
            refused.text().contains("base.declared_role"),
            "{}",
            refused.text()
        );
        // A ring would make everybody in it the same.
        let one = json!({"name": "one", "label": "One"});
        let one = admin.post("/roles", &one).await.json();
        let two = json!({"name": "two", "label": "Two", "inherits": [id(&one)]});
        let two = admin.post("/roles", &two).await.json();
        for ring in [&one, &two] {
            let path = format!("/roles/{}", id(&one));
            let refused = admin.patch(&path, &json!({"inherits": [id(ring)]})).await;
            assert!(
                refused.text().contains("base.role_ring"),
                "{}",
                refused.text()
            );
        }
        // Nobody but an administrator makes roles.
        let manager = server.person("boss", "manager").await;
        let role = json!({"name": "mine", "label": "Mine"});
        assert_eq!(
            manager.post("/roles", &role).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            manager.post("/role-permissions", &line).await.status,
            StatusCode::NOT_FOUND,
            "who may not even see them"
        );
    })
    .await;
}

#[tokio::test]
async fn why_somebody_sees_a_record_or_does_not_is_explained() {
    on_both(async |server| {
        let admin = server.admin().await;
        let (ines, _) = auditor(server).await;
        let (fire, mouse) = tickets(&admin).await;
        let user = admin.get("/users?email=ines@example.org").await.json()["items"][0].clone();
        let why = async |record: &Json, action: &str| {
            let asked = format!(
                "/access/explain?user={}&collection=tickets&record={}&action={action}",
                id(&user),
                record["number"].as_str().expect("a number"),
            );
            let answer = admin.get(&asked).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            answer.json()
        };
        let yes = why(&fire, "view").await;
        assert_eq!(yes["allowed"], true);
        assert_eq!(yes["record"], fire["id"]);
        assert_eq!(yes["reasons"].as_array().expect("reasons").len(), 1);
        let reason = &yes["reasons"][0];
        assert_eq!(
            (&reason["role"], &reason["scope"]),
            (&json!("crisis_auditor"), &json!("company"))
        );
        assert_eq!(reason["condition"]["value"], "critical");
        assert_eq!(reason["reaches"], true);
        assert_eq!(yes["fields"]["description"], "mask");
        assert_eq!(yes["fields"]["requester"], "hidden");
        let no = why(&mouse, "view").await;
        assert_eq!(
            (&no["allowed"], &no["reasons"][0]["reaches"]),
            (&json!(false), &json!(false))
        );
        let no = why(&fire, "edit").await;
        assert_eq!(
            (&no["allowed"], &no["reasons"]),
            (&json!(false), &json!([]))
        );
        // It decides as the list does: what is deleted nobody sees.
        admin.delete(&format!("/tickets/{}", id(&fire))).await;
        let no = why(&fire, "view").await;
        assert_eq!(
            (&no["allowed"], &no["deleted"]),
            (&json!(false), &json!(true))
        );
        // Rights are nobody else's to know.
        let asked = format!("/access/explain?user={}&collection=tickets", id(&user));
        assert_eq!(ines.get(&asked).await.status, StatusCode::FORBIDDEN);
        let without = admin.get(&asked).await.json();
        assert_eq!(
            (&without["allowed"], &without["record"]),
            (&Json::Null, &Json::Null)
        );
        for bad in ["user=x&collection=tickets", "user=x", "collection=cars", ""] {
            let refused = admin.get(&format!("/access/explain?{bad}")).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
        }
    })
    .await;
}
