//! `POST /auth/signup`: a tenant of one's own.

use opsflux_records::{ConflictKind, Error};
use serde_json::json;

use crate::house::{ADMIN, Headers, House, PASSWORD, wrong_fields};

fn form(organisation: &str, email: &str) -> serde_json::Value {
    json!({
        "organization_name": organisation, "full_name": "Jane Doe", "email": email,
        "password": PASSWORD,
    })
}

#[tokio::test]
async fn signing_up_makes_a_tenant_with_its_company_and_administrator() {
    for house in House::furnished().await {
        let body = form("Acme Énergie", "jane@acme.example");
        let answer = house
            .post("/auth/signup", &Headers::none(), body)
            .await
            .unwrap();
        assert_eq!(answer.status, 201);
        assert_eq!(
            (
                answer.text("token_type").as_str(),
                &answer.json["expires_in"]
            ),
            ("bearer", &json!(900))
        );
        let caller = house.caller(&answer.text("access_token")).await;
        assert_ne!(caller.tenant(), 1);
        assert!(caller.access.is_admin());
        assert!(
            !caller.access.principal.instance_admin,
            "never given by sign-up"
        );
        let bearer = Headers::bearer(&answer.text("access_token"));
        let me = house.get("/auth/me", &bearer).await.unwrap();
        assert_eq!(me.text("username"), "@jane.doe.acme-energie");
        assert_eq!(me.text("role"), "ADMIN");
        assert_eq!(me.json["companies"][0]["name"], "Acme Énergie");
        let users = house.list(&caller, "user", &[]).await;
        assert_eq!(users.len(), 1, "the other tenant is not seen");
        assert_eq!(
            house.list(&caller, "role", &[]).await.len(),
            6,
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn organisations_of_one_name_do_not_collide() {
    for house in House::furnished().await {
        for (email, username) in [
            ("jane@one.example", "@jane.doe.acme"),
            ("jane@two.example", "@jane.doe.acme2"),
            ("jane@three.example", "@jane.doe.acme3"),
        ] {
            let body = form("ACME", email);
            let answer = house
                .post("/auth/signup", &Headers::none(), body)
                .await
                .unwrap();
            let bearer = Headers::bearer(&answer.text("access_token"));
            let me = house.get("/auth/me", &bearer).await.unwrap();
            assert_eq!(me.text("username"), username, "{}", house.name());
        }
    }
}

#[tokio::test]
async fn an_address_signs_up_once_even_when_it_tries_twice_at_once() {
    for house in House::furnished().await {
        let before = house.records.store().tenants().await.unwrap().len();
        let headers = Headers::none();
        let twice = tokio::join!(
            house.post("/auth/signup", &headers, form("One", "jane@acme.example")),
            house.post("/auth/signup", &headers, form("Two", "JANE@acme.example")),
        );
        let taken = [twice.0, twice.1]
            .into_iter()
            .filter_map(Result::err)
            .collect::<Vec<_>>();
        let [Error::Conflict(ConflictKind::Unique { fields })] = taken.as_slice() else {
            panic!("{taken:?}");
        };
        assert_eq!(fields, &["email"]);
        let admin = house
            .post("/auth/signup", &headers, form("Three", ADMIN))
            .await;
        assert!(matches!(
            admin,
            Err(Error::Conflict(ConflictKind::Unique { .. }))
        ));
        let after = house.records.store().tenants().await.unwrap().len();
        assert_eq!(
            after,
            before + 1,
            "{}: nothing is left of the refused ones",
            house.name()
        );
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_made() {
    let [house, _] = House::furnished().await;
    let body =
        json!({"organization_name": " ", "email": "jane", "password": "jane doe", "plan": "gold"});
    let error = house
        .post("/auth/signup", &Headers::none(), body)
        .await
        .unwrap_err();
    let mut fields = wrong_fields(error);
    fields.sort();
    let expected = [
        ("email", "invalid_email"),
        ("full_name", "required"),
        ("organization_name", "required"),
        ("password", "password_too_weak"),
        ("plan", "unknown_field"),
    ];
    assert_eq!(
        fields,
        expected.map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
    assert_eq!(house.records.store().tenants().await.unwrap().len(), 1);
}

#[tokio::test]
async fn failures_in_any_tenant_count_for_the_address() {
    for house in House::furnished().await {
        let body = form("Acme", "jane@acme.example");
        house
            .post("/auth/signup", &Headers::none(), body)
            .await
            .unwrap();
        let attacker = Headers::from("203.0.113.9");
        for _ in 0..4 {
            let _ = house
                .try_sign_in("jane@acme.example", "wrong", &attacker)
                .await;
        }
        let admin = house.admin().await;
        let seen = house
            .list(&admin, "login", &[("address", "203.0.113.9")])
            .await;
        assert_eq!(seen.len(), 4);
        let nameless = seen
            .iter()
            .all(|row| row["user"].is_null() && row["identifier"].is_null());
        assert!(
            nameless,
            "{}: what another tenant's people type stays there",
            house.name()
        );
    }
}
