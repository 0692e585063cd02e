//! Accounts over HTTP: what is taken from somebody is gone with the answer, and nobody locks
//! everybody out.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{ADMIN, Client, PASSWORD, Server, on_both};

async fn id_of(admin: &Client, email: &str) -> String {
    let found = admin.get(&format!("/users?email={email}")).await.json();
    found["items"][0]["id"].as_str().expect("a user").to_owned()
}

async fn administrators(admin: &Client) -> Vec<Json> {
    let query = "/memberships?role.name=admin&user.status=active&fields=user&limit=100";
    let found = admin.get(query).await.json();
    found["items"].as_array().expect("memberships").clone()
}

#[tokio::test]
async fn what_is_taken_from_somebody_is_gone_with_the_answer() {
    on_both(async |server| {
        let admin = server.admin().await;
        server.person("awa", "manager").await;
        let user = format!("/users/{}", id_of(&admin, "awa@example.org").await);
        // Again and again: once could be luck, with the feed on its heels.
        for _ in 0..5 {
            let awa = server
                .anybody()
                .signed_in("awa@example.org", PASSWORD)
                .await;
            assert_eq!(awa.get("/auth/me").await.status, StatusCode::OK);
            let suspended = admin.patch(&user, &json!({"status": "suspended"})).await;
            assert_eq!(suspended.status, StatusCode::OK, "{}", suspended.text());
            assert_eq!(awa.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
            admin.patch(&user, &json!({"status": "active"})).await;
            let awa = server
                .anybody()
                .signed_in("awa@example.org", PASSWORD)
                .await;
            assert_eq!(awa.get("/assets").await.status, StatusCode::OK);
            let held = admin.get(&user).await.json()["memberships"][0].clone();
            let membership = format!("/memberships/{}", held["id"].as_str().expect("an id"));
            assert_eq!(
                admin.delete(&membership).await.status,
                StatusCode::NO_CONTENT
            );
            assert_eq!(awa.get("/assets").await.status, StatusCode::NOT_FOUND);
            let restore = format!("{membership}/restore");
            admin.send(Method::POST, &restore, &[], "").await;
            assert_eq!(awa.get("/assets").await.status, StatusCode::OK);
            let sessions = awa.get("/auth/sessions").await.json();
            let current = sessions["items"].as_array().expect("sessions").iter();
            let current = current.clone().find(|session| session["current"] == true);
            let session = current.expect("this one")["id"].as_str().expect("an id");
            let ended = admin.delete(&format!("/auth/sessions/{session}")).await;
            assert_eq!(ended.status, StatusCode::NO_CONTENT);
            assert_eq!(awa.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
            break_in_again(&awa).await;
        }
    })
    .await;
}

/// An ended session stays ended.
async fn break_in_again(somebody: &Client) {
    let refused = somebody
        .post("/tickets", &json!({"title": "Too late"}))
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_last_two_administrators_do_not_leave_by_one_change() {
    on_both(async |server| {
        let admin = server.admin().await;
        // Three: the one who asks must not be among those who leave, for nobody suspends himself.
        let third = server.person("third", "admin").await;
        let second = server.person("second", "admin").await;
        let first = id_of(&admin, ADMIN).await;
        let other = id_of(&admin, "second@example.org").await;
        let memberships = administrators(&admin).await;
        assert_eq!(memberships.len(), 3);
        let both = |make: &dyn Fn(&str) -> Json, ids: &[&str]| {
            json!({"operations": ids.iter().map(|id| make(id)).collect::<Vec<_>>()})
        };
        let suspend = |id: &str| json!({"op": "update", "id": id, "data": {"status": "suspended"}});
        let remove = |id: &str| json!({"op": "delete", "id": id});
        let all: Vec<&str> = memberships.iter().filter_map(|m| m["id"].as_str()).collect();
        for (path, body) in [
            ("/users/bulk", both(&suspend, &[&first, &other])),
            ("/users/bulk", both(&remove, &[&first, &other])),
            ("/memberships/bulk", both(&remove, &all)),
        ] {
            let refused = third.post(path, &body).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
            assert_eq!(refused.json()["code"], "base.several_administrators");
            assert_eq!(administrators(&admin).await.len(), 3, "{path}");
        }
        // Each for itself they leave, but for the last one.
        let mut each = both(&remove, &all);
        each["atomic"] = json!(false);
        let results = second.post("/memberships/bulk", &each).await.json();
        let left = results["results"].as_array().expect("results");
        let gone = left.iter().filter(|result| result["status"] == 204).count();
        assert_eq!(gone, 2, "{results}");
    })
    .await;
}

#[tokio::test]
async fn two_administrators_who_remove_each_other_at_once_do_not_both_succeed() {
    on_both(async |server| {
        let admin = server.admin().await;
        let second = server.person("second", "admin").await;
        for _ in 0..8 {
            let memberships = administrators(&admin).await;
            assert_eq!(memberships.len(), 2);
            let path = |place: usize| {
                let id = memberships[place]["id"].as_str().expect("an id");
                format!("/memberships/{id}")
            };
            let (one, two) = (path(0), path(1));
            let (one_gone, two_gone) = tokio::join!(admin.delete(&one), second.delete(&two));
            let gone = [&one_gone, &two_gone];
            let done = gone
                .iter()
                .filter(|a| a.status == StatusCode::NO_CONTENT)
                .count();
            assert_eq!(done, 1, "{} {}", one_gone.text(), two_gone.text());
            let taken = if one_gone.status == StatusCode::NO_CONTENT {
                &one
            } else {
                &two
            };
            // Whoever is left brings the other one back.
            let restore = format!("{taken}/restore");
            let by_admin = admin.send(Method::POST, &restore, &[], "").await;
            let by_second = second.send(Method::POST, &restore, &[], "").await;
            assert!(by_admin.status == StatusCode::OK || by_second.status == StatusCode::OK);
        }
    })
    .await;
}

#[tokio::test]
async fn a_taken_name_is_told_at_the_field_that_holds_it() {
    on_both(async |server| {
        let admin = server.admin().await;
        let first = json!({"name": "Gabon Énergie", "code": "GES-1"});
        assert_eq!(
            admin.post("/companies", &first).await.status,
            StatusCode::CREATED
        );
        // Another text, the same last part of usernames, in another tenant.
        let stranger = json!({
            "organization_name": "Other", "full_name": "Eve Other",
            "email": "eve@other.example", "password": PASSWORD,
        });
        let tokens = server.anybody().post("/auth/signup", &stranger).await;
        assert_eq!(tokens.status, StatusCode::CREATED, "{}", tokens.text());
        let mut eve = server.anybody();
        eve.token = tokens.json()["access_token"].as_str().map(str::to_owned);
        let taken = eve
            .post("/companies", &json!({"name": "X", "code": "ges-1"}))
            .await;
        assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text());
        assert_eq!(taken.json()["errors"][0]["field"], "code");
        let create = json!({"op": "create", "data": {"name": "X", "code": "ges-1"}});
        let each = json!({"atomic": false, "operations": [create]});
        let result = eve.post("/companies/bulk", &each).await.json();
        let problem = &result["results"][0]["problem"];
        assert_eq!(problem["errors"][0]["field"], "code", "{result}");
        let same = json!({"full_name": "Somebody", "email": ADMIN.to_uppercase()});
        let taken = eve.post("/users", &same).await;
        assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text());
        assert_eq!(taken.json()["errors"][0]["field"], "email");
    })
    .await;
}

#[tokio::test]
async fn a_page_without_its_csrf_token_signs_in_as_anybody_and_writes_nothing() {
    let server = Server::start(&[]).await;
    let browser = [
        ("content-type", "application/json"),
        ("x-requested-with", "opsflux"),
    ];
    let who = json!({"email": ADMIN, "password": PASSWORD}).to_string();
    let anybody = server.anybody();
    let signed_in = anybody
        .send(Method::POST, "/auth/login", &browser, who.clone())
        .await;
    let cookies: Vec<String> = signed_in
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|set| set.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect();
    let cookies = cookies.join("; ");
    let kept = [browser[0], browser[1], ("cookie", cookies.as_str())];
    let again = anybody.send(Method::POST, "/auth/login", &kept, who).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    let ticket = json!({"title": "Forged"}).to_string();
    let forged = anybody.send(Method::POST, "/tickets", &kept, ticket).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(forged.json()["type"], "/problems/csrf");
    let admin = server.admin().await;
    assert_eq!(admin.get("/tickets?total=true").await.json()["total"], 0);
}
