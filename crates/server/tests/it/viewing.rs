//! An administrator sees with somebody else's eyes: what she sees, nothing else, writing nothing,
//! and everybody can read afterwards that he did.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{Client, on_both};

fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}

async fn one(by: &Client, path: &str) -> Json {
    by.get(path).await.json()["items"][0].clone()
}

async fn view_as(who: &Client, user: &Json) -> StatusCode {
    let body = json!({"user": user["id"]});
    who.post("/access/view-as", &body).await.status
}

#[tokio::test]
async fn an_administrator_sees_what_somebody_sees_and_writes_nothing() {
    on_both(async |server| {
        let admin = server.admin().await;
        let other_session = server.admin().await;
        let awa = server.person("awa", "guest").await;
        let user = one(&admin, "/users?email=awa@example.org").await;
        let hidden = admin.ticket("Pas le sien").await;
        let own = awa.ticket("Le sien").await;
        assert_eq!(view_as(&admin, &user).await, StatusCode::NO_CONTENT);
        let me = admin.get("/auth/me").await.json();
        assert_eq!((&me["id"], &me["role"]), (&user["id"], &json!("USER")));
        assert!(me["viewed_by"]["id"].is_string(), "{me}");
        for path in ["/tickets", "/meta/entities", "/companies", "/comments"] {
            let (hers, his) = (awa.get(path).await, admin.get(path).await);
            assert_eq!(his.status, hers.status, "{path}");
            if his.status == StatusCode::OK {
                assert_eq!(his.text(), hers.text(), "{path}");
            }
        }
        let path = format!("/tickets/{}", id(&hidden));
        assert_eq!(admin.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            admin.get("/access/matrix").await.status,
            StatusCode::FORBIDDEN
        );
        // Another session of his sees as before.
        assert_eq!(other_session.get(&path).await.status, StatusCode::OK);
        // Nothing that writes, of everything that is served.
        let document = awa.get("/openapi.json").await.json();
        let mut refused = 0;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let public = operation["security"] == json!([]);
                let ends = path.ends_with("/access/view-as") && method == "delete"
                    || path.ends_with("/auth/logout");
                let writes = ["post", "patch", "put", "delete"].contains(&method.as_str());
                if !writes || public || ends || path.starts_with("/auth/") && path != "/auth/me" {
                    continue;
                }
                let path = path
                    .split('/')
                    .map(|part| {
                        if part.starts_with('{') {
                            id(&own)
                        } else {
                            part
                        }
                    })
                    .collect::<Vec<_>>()
                    .join("/");
                let method: Method = method.to_uppercase().parse().expect("a method");
                let headers = [("content-type", "application/json")];
                let answer = admin.send(method.clone(), &path, &headers, "{}").await;
                // What she may not do at all, or is not understood, is refused before.
                let known = [
                    StatusCode::FORBIDDEN,
                    StatusCode::NOT_FOUND,
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ];
                assert!(
                    known.contains(&answer.status),
                    "{method} {path} {}",
                    answer.text()
                );
                refused += usize::from(answer.text().contains("view_as"));
            }
        }
        assert!(refused > 5, "{refused}");
        let own = format!("/tickets/{}", id(&own));
        let said = admin.patch(&own, &json!({"title": "À lui"})).await;
        assert_eq!(said.status, StatusCode::FORBIDDEN);
        assert!(
            said.text().contains("somebody else's eyes"),
            "{}",
            said.text()
        );
        // And back.
        let left = admin.delete("/access/view-as").await;
        assert_eq!(left.status, StatusCode::NO_CONTENT, "{}", left.text());
        assert_eq!(admin.get(&path).await.status, StatusCode::OK);
        let me = admin.get("/auth/me").await.json();
        assert_eq!(
            (&me["role"], &me["viewed_by"]),
            (&json!("ADMIN"), &Json::Null)
        );
        for action in ["view_as_begun", "view_as_ended"] {
            let entry = one(&admin, &format!("/audit-entries?action={action}")).await;
            assert_eq!(entry["record"], user["id"], "{action}");
            assert_eq!(entry["actor"], me["id"], "{action}: who looked");
        }
        let ended = one(&admin, "/audit-entries?action=view_as_ended").await;
        assert_eq!(ended["on_behalf_of"], user["id"]);
    })
    .await;
}

#[tokio::test]
async fn nobody_looks_who_may_not_and_nobody_sees_more() {
    on_both(async |server| {
        let admin = server.admin().await;
        let boss = server.person("boss", "manager").await;
        let second = server.person("second", "admin").await;
        let first = one(&admin, "/users?email=admin@opsflux.local").await;
        let user = one(&admin, "/users?email=boss@example.org").await;
        assert_eq!(view_as(&boss, &first).await, StatusCode::FORBIDDEN);
        let wrong = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(view_as(&second, &first).await, wrong, "holds the instance");
        assert_eq!(view_as(&admin, &first).await, wrong, "oneself");
        let nobody = json!({"id": "0192f0c1-0000-7000-8000-000000000000"});
        assert_eq!(view_as(&admin, &nobody).await, StatusCode::NOT_FOUND);
        assert_eq!(
            view_as(&admin, &json!({"id": "x"})).await,
            StatusCode::NOT_FOUND
        );
        // It ends with the right to look.
        assert_eq!(view_as(&second, &user).await, StatusCode::NO_CONTENT);
        let me = second.get("/auth/me").await.json();
        assert_eq!(me["id"], user["id"]);
        let second_is = one(&admin, "/users?email=second@example.org").await;
        let membership = one(&admin, &format!("/memberships?user={}", id(&second_is))).await;
        let guest = one(&admin, "/roles?name=guest").await;
        let path = format!("/memberships/{}", id(&membership));
        let demoted = admin.patch(&path, &json!({"role": id(&guest)})).await;
        assert_eq!(demoted.status, StatusCode::OK, "{}", demoted.text());
        let me = second.get("/auth/me").await.json();
        assert_eq!(
            (&me["id"], &me["viewed_by"]),
            (&second_is["id"], &Json::Null)
        );
        // And with the account that is looked at.
        assert_eq!(view_as(&admin, &user).await, StatusCode::NO_CONTENT);
        let other = server.admin().await;
        let path = format!("/users/{}", id(&user));
        let gone = other.patch(&path, &json!({"status": "suspended"})).await;
        assert_eq!(gone.status, StatusCode::OK, "{}", gone.text());
        let me = admin.get("/auth/me").await.json();
        assert_eq!(me["id"], first["id"]);
        assert_eq!(
            view_as(&admin, &user).await,
            wrong,
            "an account that is not used"
        );
    })
    .await;
}
