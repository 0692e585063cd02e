//! What an administrator reads before he changes rights: the matrix of roles, the difference a
//! change would make; and a person with other roles in each company.

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Client, on_both};

fn id(record: &Json) -> &str {
    record["id"].as_str().expect("an id")
}

async fn made(by: &Client, path: &str, body: Json) -> Json {
    let made = by.post(path, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.text());
    made.json()
}

async fn one(by: &Client, path: &str) -> Json {
    by.get(path).await.json()["items"][0].clone()
}

#[tokio::test]
async fn the_matrix_says_what_each_role_gives_inherited_ones_too() {
    on_both(async |server| {
        let admin = server.admin().await;
        let guest = one(&admin, "/roles?name=guest").await;
        let critical = json!({"field": "priority", "op": "eq", "value": "critical"});
        let role = json!({
            "name": "hse_south", "label": "HSE du sud", "inherits": [id(&guest)],
            "permissions": [
                {"app": "tickets", "action": "view", "scope": "company", "condition": critical},
            ],
        });
        let role = made(&admin, "/roles", role).await;
        let answer = admin.get("/access/matrix").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let matrix = answer.json();
        let roles = matrix["roles"].as_array().expect("roles");
        let called = |name: &str| {
            let found = roles.iter().find(|role| role["name"] == name);
            found.unwrap_or_else(|| panic!("no {name}"))
        };
        assert_eq!(called("admin")["everything"], true);
        let ours = called("hse_south");
        assert_eq!(ours["id"], role["id"]);
        let permissions = ours["permissions"].as_array().expect("permissions");
        let has = |collection: &str, action: &str, scope: &str, from: &str| {
            permissions.iter().any(|one| {
                one["collection"] == collection
                    && one["action"] == action
                    && one["scope"] == scope
                    && one["from"] == from
            })
        };
        assert!(has("tickets", "view", "company", "hse_south"));
        assert!(has("tickets", "view", "own", "guest"), "{permissions:?}");
        assert!(!has("tickets", "delete", "company", "hse_south"));
        // Four roles and fifty permissions come with the house.
        let system = roles.iter().filter(|role| role["system"] == true);
        assert!(system.clone().count() >= 4);
        let seeded: usize = system
            .map(|role| role["permissions"].as_array().expect("permissions").len())
            .sum();
        assert!(seeded >= 50, "{seeded}");
        let person = server.person("ines", "hse_south").await;
        assert_eq!(
            person.get("/access/matrix").await.status,
            StatusCode::FORBIDDEN
        );
    })
    .await;
}

#[tokio::test]
async fn the_difference_is_told_before_a_role_is_changed() {
    on_both(async |server| {
        let admin = server.admin().await;
        let view = |scope: &str| json!({"app": "tickets", "action": "view", "scope": scope});
        let role = json!({
            "name": "hse", "label": "HSE", "permissions": [view("company")],
            "field_rights": [{"app": "tickets", "field": "description", "right": "mask"}],
        });
        let role = made(&admin, "/roles", role).await;
        let chief = json!({"name": "chief", "label": "Chef", "inherits": [id(&role)]});
        made(&admin, "/roles", chief).await;
        let ines = server.person("ines", "hse").await;
        server.person("chief", "chief").await;
        server.person("boss", "manager").await;
        let boss = one(&admin, "/users?email=boss@example.org").await;
        let top = json!({"name": "HSE", "roles": [{"role": id(&role)}]});
        let top = made(&admin, "/groups", top).await;
        let low = json!({"name": "HSE Sud", "parent": id(&top), "members": [id(&boss)]});
        made(&admin, "/groups", low).await;
        let ask = async |change: Json| {
            let mut body = json!({"role": id(&role)});
            let change = change.as_object().cloned().expect("a change");
            body.as_object_mut().expect("a body").extend(change);
            let answer = admin.post("/access/preview", &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            answer.json()
        };
        let same = ask(json!({})).await;
        assert_eq!((&same["gives"], &same["takes"]), (&json!([]), &json!([])));
        assert_eq!(
            same["people"], 3,
            "one holds it, one builds on it, one is in a group"
        );
        let wider = ask(json!({"permissions": [view("all"), view("own")]})).await;
        assert_eq!(
            wider["gives"].as_array().expect("gives").len(),
            1,
            "own adds nothing"
        );
        assert_eq!(wider["gives"][0]["scope"], "all");
        assert_eq!(wider["takes"][0]["scope"], "company");
        let open = json!([{"app": "tickets", "field": "description", "right": "read"}]);
        let open = ask(json!({"field_rights": open})).await;
        let field = json!({
            "collection": "tickets", "field": "description", "before": "mask", "after": "read",
        });
        assert_eq!(open["fields"], json!([field]));
        let administrator = one(&admin, "/roles?name=admin").await;
        let all = ask(json!({"inherits": [id(&administrator)]})).await;
        assert_eq!(all["everything"], "gives");
        // Nothing was written, and nonsense is not answered with a difference.
        assert_eq!(ines.get("/tickets").await.status, StatusCode::OK);
        for (bad, status) in [
            (
                json!({"permissions": [{"app": "cars"}]}),
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (json!({"role": id(&boss)}), StatusCode::NOT_FOUND),
            (json!({"role": id(&administrator)}), StatusCode::CONFLICT),
        ] {
            let mut body = json!({"role": id(&role)});
            body.as_object_mut()
                .expect("a body")
                .extend(bad.as_object().cloned().expect("bad"));
            let refused = admin.post("/access/preview", &body).await;
            assert_eq!(refused.status, status, "{body}: {}", refused.text());
        }
    })
    .await;
}

#[tokio::test]
async fn rights_are_those_of_the_company_one_works_in() {
    on_both(async |server| {
        let admin = server.admin().await;
        let here = one(&admin, "/companies").await;
        let awa = server.person("awa", "manager").await;
        let boss = server.person("boss", "admin").await;
        let there = json!({"name": "Gabon Énergie", "code": "ges"});
        let there = made(&admin, "/companies", there).await;
        let user = one(&admin, "/users?email=awa@example.org").await;
        let guest = one(&admin, "/roles?name=guest").await;
        let second = json!({"user": id(&user), "role": id(&guest), "company": id(&there)});
        made(&admin, "/memberships", second).await;
        admin.ticket("D’ici").await;
        let me = awa.get("/auth/me").await.json();
        assert_eq!(me["companies"].as_array().expect("companies").len(), 2);
        let titles = async |company: &str| {
            let page = awa
                .get_with("/tickets", &[("opsflux-company", company)])
                .await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text());
            let items = page.json()["items"].as_array().expect("items").clone();
            items
                .iter()
                .map(|item| item["title"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(titles(id(&here)).await, ["D’ici"]);
        assert_eq!(titles(id(&there)).await, Vec::<Json>::new());
        assert_eq!(titles("*").await, ["D’ici"]);
        // What she is here she is not there: a guest sees no group and makes none.
        let groups = async |company: &str| {
            let body = json!({"name": format!("G {company}")});
            let headers = [("opsflux-company", company)];
            awa.write(http::Method::POST, "/groups", &headers, &body)
                .await
                .status
        };
        assert_eq!(groups(id(&here)).await, StatusCode::CREATED);
        assert!(groups(id(&there)).await.is_client_error());
        // An administrator of one company who is a guest of another.
        let user = one(&admin, "/users?email=boss@example.org").await;
        let second = json!({"user": id(&user), "role": id(&guest), "company": id(&there)});
        made(&admin, "/memberships", second).await;
        let roles = async |company: &str| {
            boss.get_with("/roles", &[("opsflux-company", company)])
                .await
                .status
        };
        assert_eq!(roles(id(&here)).await, StatusCode::OK);
        assert_eq!(roles(id(&there)).await, StatusCode::NOT_FOUND);
        assert_eq!(roles("*").await, StatusCode::OK);
    })
    .await;
}
