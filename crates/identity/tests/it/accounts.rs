//! What holds of accounts, memberships, roles and companies whoever writes them.

use http::Method;
use opsflux_records::{ConflictKind, Error};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::house::{Headers, House, PASSWORD, wrong_fields};

pub fn refused(result: Result<impl std::fmt::Debug, Error>) -> String {
    match result.unwrap_err() {
        Error::Refused { code, .. } => code,
        Error::Conflict(ConflictKind::Guard { name }) => name,
        Error::Conflict(ConflictKind::Unique { fields }) => format!("unique {}", fields.join(",")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn usernames_are_made_and_homonyms_numbered() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let mut names = Vec::new();
        for (place, body) in [
            json!({"first_name": "Awa", "last_name": "Ndong"}),
            json!({"full_name": "Awa NDONG"}),
            json!({"first_name": "Awà", "last_name": "N’dong", "full_name": "Dr Awa Ndong"}),
            json!({"full_name": "Awa Ndong"}),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = body;
            body["email"] = json!(format!("awa{place}@acme.example"));
            let id = house.create(&admin, "user", body).await.unwrap();
            let record = house.record(&admin, "user", id).await;
            names.push((
                record["username"].as_str().unwrap().to_owned(),
                record["full_name"].as_str().unwrap().to_owned(),
            ));
        }
        let expected = [
            ("@awa.ndong.opsflux", "Awa Ndong"),
            ("@awa.ndong2.opsflux", "Awa NDONG"),
            ("@awa.n-dong.opsflux", "Dr Awa Ndong"),
            ("@awa.ndong3.opsflux", "Awa Ndong"),
        ];
        let expected = expected.map(|(username, full)| (username.to_owned(), full.to_owned()));
        assert_eq!(names, expected, "{}", house.name());
    }
}

#[tokio::test]
async fn addresses_and_usernames_are_unique_whatever_the_case() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        let same = json!({"full_name": "Other", "email": "AWA@acme.example"});
        assert!(refused(house.create(&admin, "user", same).await).starts_with("unique email"));
        let chosen = json!({"full_name": "X", "email": "x@acme.example", "username": "@x.y.z"});
        let fields = wrong_fields(house.create(&admin, "user", chosen).await.unwrap_err());
        assert_eq!(
            fields,
            [("username".to_owned(), "readonly".to_owned())],
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn a_changed_address_signs_in_and_the_old_one_is_free_again() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let awa = house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        house
            .update(&admin, "user", awa, json!({"email": "ndong@acme.example"}))
            .await
            .unwrap();
        house.sign_in("ndong@acme.example", PASSWORD).await;
        let old = house
            .try_sign_in("awa@acme.example", PASSWORD, &Headers::none())
            .await;
        assert!(matches!(old, Err(Error::Unauthenticated)));
        house
            .person(&admin, "Awa Two", "awa@acme.example", "user")
            .await;
        house
            .update(&admin, "user", awa, json!({"email": "NDONG@acme.example"}))
            .await
            .unwrap();
        house.sign_in("ndong@acme.example", PASSWORD).await;
    }
}

#[tokio::test]
async fn nobody_suspends_himself() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Second Admin", "second@acme.example", "admin")
            .await;
        let me = admin.user();
        for status in ["inactive", "suspended", "archived"] {
            let left = house
                .update(&admin, "user", me, json!({"status": status}))
                .await;
            assert_eq!(refused(left), "base.own_account", "{}", house.name());
        }
    }
}

#[tokio::test]
async fn a_tenant_keeps_an_active_administrator() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let me = admin.user();
        let user = json!({"role": house.role(&admin, "user").await.to_string()});
        let last = "base.last_administrator";
        let mine = house.membership(&admin, me).await;
        let lowered = house.update(&admin, "membership", mine, user.clone()).await;
        assert_eq!(refused(lowered), last);

        let second = house
            .person(&admin, "Second Admin", "second@acme.example", "admin")
            .await;
        let acting = house.sign_in("second@acme.example", PASSWORD).await;
        let acting = house.caller(&acting.access).await;
        house
            .update(&acting, "user", me, json!({"status": "suspended"}))
            .await
            .unwrap();
        let own = house.membership(&acting, second).await;
        let alone = house.update(&acting, "membership", own, user.clone()).await;
        assert_eq!(refused(alone), last, "a suspended administrator is none");
        house
            .update(&acting, "user", me, json!({"status": "active"}))
            .await
            .unwrap();
        house
            .update(&acting, "membership", own, user)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn roles_of_the_modules_keep_their_names_and_others_give_what_they_inherit() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let technician = house.role(&admin, "technician").await;
        let renamed = house
            .update(&admin, "role", technician, json!({"name": "tech"}))
            .await;
        assert_eq!(refused(renamed), "base.system_role");
        let deleted = house.delete(&admin, "role", technician).await;
        assert!(deleted.is_err(), "{}", house.name());
        house
            .update(&admin, "role", technician, json!({"label": "Dépanneur"}))
            .await
            .unwrap();
        let chief = json!({
            "name": "chief", "label": "Chef d'équipe", "inherits": [technician.to_string()],
        });
        let chief = house.create(&admin, "role", chief).await.unwrap();
        assert_eq!(house.record(&admin, "role", chief).await["system"], false);
        house
            .person(&admin, "Awa Ndong", "awa@acme.example", "chief")
            .await;
        let tokens = house.sign_in("awa@acme.example", PASSWORD).await;
        let caller = house.caller(&tokens.access).await;
        let roles: Vec<&str> = caller.access.roles.iter().map(String::as_str).collect();
        assert_eq!(roles, ["guest", "technician"], "{}", house.name());
    }
}

#[tokio::test]
async fn me_is_the_callers_own_account_and_changes_what_is_his() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let awa = house
            .person(&admin, "Awa Ndong", "awa@acme.example", "guest")
            .await;
        let tokens = house.sign_in("awa@acme.example", PASSWORD).await;
        let bearer = Headers::bearer(&tokens.access);
        let me = house.get("/auth/me", &bearer).await.unwrap().json;
        assert_eq!(me["id"], awa.to_string().as_str());
        assert_eq!(
            (me["role"].as_str(), me["is_active"].as_bool()),
            (Some("USER"), Some(true))
        );
        assert_eq!(me["roles"], json!(["guest"]));
        assert_eq!(me["companies"][0]["name"], "OpsFlux");
        assert!(Uuid::try_parse(me["organization_id"].as_str().unwrap()).is_ok());
        let change = async |body: Json| {
            house
                .call(Method::PATCH, "/auth/me", &bearer, Some(body))
                .await
        };
        let changed = change(json!({"theme": "dark", "language": "es"}))
            .await
            .unwrap();
        assert_eq!(
            (changed.text("theme"), changed.text("language")),
            ("dark".into(), "es".into())
        );
        let record = house.record(&admin, "user", awa).await;
        assert_eq!(
            record["updated_by"],
            awa.to_string().as_str(),
            "in her own name"
        );
        for other in [
            json!({"full_name": "Queen"}),
            json!({"memberships": []}),
            json!({"x": 1}),
        ] {
            let refused = wrong_fields(change(other).await.unwrap_err());
            assert_eq!(refused[0].1, "unknown_field");
        }
        let wrong = change(json!({"time_zone": "Mars/Olympus"}))
            .await
            .unwrap_err();
        assert!(matches!(wrong, Error::Refused { code, .. } if code == "base.unknown_time_zone"));
        let wrong = wrong_fields(change(json!({"language": "de"})).await.unwrap_err());
        assert_eq!(wrong, [("language".to_owned(), "not_an_option".to_owned())]);
    }
}
