//! `POST /auth/login`, its limits and its journal.

use jiff::SignedDuration;
use opsflux_records::Error;
use serde_json::json;

use crate::house::{ADMIN, Headers, House, PASSWORD, wrong_fields};

#[tokio::test]
async fn one_signs_in_with_the_address_or_the_username_whatever_the_case() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Éloïse N'Dong", "Eloise@Acme.example", "user")
            .await;
        for name in [
            "Eloise@Acme.example",
            "eloise@acme.EXAMPLE",
            " @eloise.n-dong.opsflux",
            "@ELOISE.N-DONG.OPSFLUX",
        ] {
            let tokens = house.sign_in(name, PASSWORD).await;
            let me = house
                .get("/auth/me", &Headers::bearer(&tokens.access))
                .await
                .unwrap();
            assert_eq!(
                me.text("username"),
                "@eloise.n-dong.opsflux",
                "{}",
                house.name()
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_an_unknown_account_and_an_inactive_one_are_the_same_answer() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        for status in ["inactive", "suspended", "archived"] {
            let email = format!("{status}@acme.example");
            let id = house.person(&admin, status, &email, "user").await;
            house
                .update(&admin, "user", id, json!({"status": status}))
                .await
                .unwrap();
            let refused = house.try_sign_in(&email, PASSWORD, &Headers::none()).await;
            assert!(matches!(refused, Err(Error::Unauthenticated)), "{status}");
        }
        let wrong = house
            .try_sign_in(ADMIN, "tuyau d'orgue", &Headers::none())
            .await;
        assert!(matches!(wrong, Err(Error::Unauthenticated)));
        for nobody in [
            "nobody@acme.example",
            "@jean.dupont",
            "@",
            "company:opsflux",
        ] {
            let unknown = house.try_sign_in(nobody, PASSWORD, &Headers::none()).await;
            assert!(matches!(unknown, Err(Error::Unauthenticated)), "{nobody}");
        }
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let [house, _] = House::furnished().await;
    let body = json!({"email": 7, "remember": true});
    let error = house
        .post("/auth/login", &Headers::none(), body)
        .await
        .unwrap_err();
    let mut fields = wrong_fields(error);
    fields.sort();
    let expected = [
        ("email", "wrong_type"),
        ("password", "required"),
        ("remember", "unknown_field"),
    ];
    assert_eq!(
        fields,
        expected.map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
}

#[tokio::test]
async fn the_fifth_failure_locks_the_account_for_that_address_for_a_quarter_of_an_hour() {
    for house in House::furnished().await {
        let here = Headers::from("192.0.2.7");
        for _ in 0..5 {
            let refused = house.try_sign_in(ADMIN, "wrong", &here).await;
            assert!(matches!(refused, Err(Error::Unauthenticated)));
            house.clock.advance(SignedDuration::from_mins(1));
        }
        let locked = house.try_sign_in(ADMIN, PASSWORD, &here).await.unwrap_err();
        let Error::TooMany { retry_after } = locked else {
            panic!("{locked:?}")
        };
        assert_eq!(
            retry_after,
            10 * 60 + 1,
            "until the first failure is a quarter of an hour old"
        );
        let elsewhere = house
            .try_sign_in(ADMIN, PASSWORD, &Headers::from("192.0.2.8"))
            .await;
        assert!(elsewhere.is_ok(), "another address is let in");
        house
            .clock
            .advance(SignedDuration::from_secs(retry_after.try_into().unwrap()));
        assert!(
            house.try_sign_in(ADMIN, PASSWORD, &here).await.is_ok(),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn a_name_nobody_has_is_locked_like_an_account() {
    for house in House::furnished().await {
        for name in [
            "Nobody@x.org",
            "nobody@x.org",
            "NOBODY@X.ORG",
            "nobody@X.org",
            "noBody@x.org",
        ] {
            let refused = house.try_sign_in(name, PASSWORD, &Headers::none()).await;
            assert!(matches!(refused, Err(Error::Unauthenticated)));
        }
        let locked = house
            .try_sign_in("nobody@x.org", PASSWORD, &Headers::none())
            .await;
        assert!(
            matches!(locked, Err(Error::TooMany { .. })),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn success_does_not_count_and_does_not_forgive() {
    let [house, _] = House::furnished().await;
    for _ in 0..4 {
        let _ = house.try_sign_in(ADMIN, "wrong", &Headers::none()).await;
        house.sign_in(ADMIN, PASSWORD).await;
        house.sign_in(ADMIN, PASSWORD).await;
    }
    let _ = house.try_sign_in(ADMIN, "wrong", &Headers::none()).await;
    let locked = house.try_sign_in(ADMIN, PASSWORD, &Headers::none()).await;
    assert!(matches!(locked, Err(Error::TooMany { .. })));
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_like_one_after_the_other() {
    for house in House::furnished().await {
        let headers = Headers::none();
        let guess = |n: usize| {
            let (house, headers) = (&house, &headers);
            async move {
                house
                    .try_sign_in(ADMIN, &format!("guess {n}"), headers)
                    .await
            }
        };
        let answers = futures::future::join_all((0..20).map(guess)).await;
        let tried = answers
            .iter()
            .filter(|a| matches!(a, Err(Error::Unauthenticated)))
            .count();
        let locked = answers
            .iter()
            .filter(|a| matches!(a, Err(Error::TooMany { .. })))
            .count();
        assert_eq!((tried, locked), (5, 15), "{}", house.name());
    }
}

#[tokio::test]
async fn every_attempt_stands_in_the_journal_with_address_and_user_agent() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let headers = Headers::from("2001:db8::7");
        let _ = house.try_sign_in(ADMIN, "wrong", &headers).await;
        let _ = house.try_sign_in("nobody@x.org", "wrong", &headers).await;
        house.try_sign_in(ADMIN, PASSWORD, &headers).await.unwrap();
        let query = [("address", "2001:db8::7")];
        let rows = house.list(&admin, "login", &query).await;
        let user = admin.user().to_string();
        let mut told: Vec<_> = rows
            .iter()
            .map(|row| {
                assert_eq!(row["user_agent"], "check/1.0 (a test)");
                (
                    row["identifier"].as_str().unwrap_or_default(),
                    row["result"].as_str().unwrap_or_default(),
                    row["user"] == user.as_str(),
                )
            })
            .collect();
        told.sort_unstable();
        let expected = [
            (ADMIN, "success", true),
            (ADMIN, "wrong_credentials", true),
            ("nobody@x.org", "wrong_credentials", false),
        ];
        assert_eq!(told, expected, "{}", house.name());
    }
}

#[tokio::test]
async fn signing_in_is_audited_and_leaves_its_time_without_a_new_version() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let record = house.record(&admin, "user", admin.user()).await;
        assert_eq!(record["last_login_at"], "2026-03-02T08:00:00Z");
        assert_eq!(record["version"], 1, "{}", house.name());
        assert!(
            record["password"].is_null() || record["password"] == "••••",
            "{record}"
        );
        let audited = house
            .list(&admin, "audit_entry", &[("action", "signed_in")])
            .await;
        assert_eq!(audited.len(), 1);
        assert_eq!(audited[0]["actor"], admin.user().to_string().as_str());
    }
}
