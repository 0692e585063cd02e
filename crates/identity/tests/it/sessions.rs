//! Refreshing, logging out, ending sessions from afar.

use http::Method;
use jiff::SignedDuration;
use opsflux_records::Error;
use serde_json::{Value as Json, json};

use crate::house::{ADMIN, Headers, House, PASSWORD, who, wrong_fields};

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_session() {
    for house in House::furnished().await {
        let first = house.sign_in(ADMIN, PASSWORD).await;
        let second = house.refresh(&first.refresh).await.unwrap();
        assert!(house.who(&second.access).await.is_some());
        let reused = house.refresh(&first.refresh).await;
        assert!(matches!(reused, Err(Error::Unauthenticated)));
        assert!(
            house.who(&second.access).await.is_none(),
            "the thief's tokens are worth nothing"
        );
        assert!(house.who(&first.access).await.is_none());
        let after = house.refresh(&second.refresh).await;
        assert!(
            matches!(after, Err(Error::Unauthenticated)),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins() {
    for house in House::furnished().await {
        let tokens = house.sign_in(ADMIN, PASSWORD).await;
        let (one, other) = tokio::join!(
            house.refresh(&tokens.refresh),
            house.refresh(&tokens.refresh)
        );
        let won = usize::from(one.is_ok()) + usize::from(other.is_ok());
        assert_eq!(won, 1, "{}", house.name());
    }
}

#[tokio::test]
async fn a_session_lives_seven_days_after_its_last_refresh() {
    for house in House::furnished().await {
        let tokens = house.sign_in(ADMIN, PASSWORD).await;
        house.clock.advance(SignedDuration::from_hours(24 * 6));
        assert!(
            house.who(&tokens.access).await.is_none(),
            "the access token is long over"
        );
        let tokens = house.refresh(&tokens.refresh).await.unwrap();
        assert!(house.who(&tokens.access).await.is_some());
        house.clock.advance(SignedDuration::from_hours(24 * 7));
        let over = house.refresh(&tokens.refresh).await;
        assert!(
            matches!(over, Err(Error::Unauthenticated)),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn an_access_token_is_good_for_fifteen_minutes() {
    for house in House::furnished().await {
        let tokens = house.sign_in(ADMIN, PASSWORD).await;
        house.clock.advance(SignedDuration::from_secs(15 * 60 - 1));
        assert!(house.who(&tokens.access).await.is_some());
        house.clock.advance(SignedDuration::from_secs(1));
        assert!(
            house.who(&tokens.access).await.is_none(),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_of_ours_is_refused() {
    let [house, _] = House::furnished().await;
    for forged in ["x", "AAAA", &"A".repeat(96), &"A".repeat(512)] {
        assert!(
            matches!(house.refresh(forged).await, Err(Error::Unauthenticated)),
            "{forged}"
        );
    }
    let tokens = house.sign_in(ADMIN, PASSWORD).await;
    let access = house.refresh(&tokens.access).await;
    assert!(
        matches!(access, Err(Error::Unauthenticated)),
        "an access token refreshes nothing"
    );
    assert!(
        house.who(&tokens.refresh).await.is_none(),
        "a refresh token opens nothing"
    );
    assert!(
        house.refresh(&tokens.refresh).await.is_ok(),
        "and none of it has harmed the session"
    );
    let none = house
        .post("/auth/refresh", &Headers::none(), json!({}))
        .await;
    assert!(matches!(none, Err(Error::Unauthenticated)));
    let unknown = house
        .post("/auth/refresh", &Headers::none(), json!({"token": "x"}))
        .await;
    let mut fields = wrong_fields(unknown.unwrap_err());
    fields.sort();
    assert_eq!(
        fields[0],
        ("refresh_token".to_owned(), "required".to_owned())
    );
    assert_eq!(fields[1], ("token".to_owned(), "unknown_field".to_owned()));
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once_and_elsewhere_within_a_second() {
    for house in House::furnished().await {
        let elsewhere = house.elsewhere();
        let tokens = house.sign_in(ADMIN, PASSWORD).await;
        let other = house.sign_in(ADMIN, PASSWORD).await;
        assert!(who(&elsewhere, &tokens.access).await.is_some());
        let bearer = Headers::bearer(&tokens.access);
        let answer = house
            .post("/auth/logout", &bearer, Json::Null)
            .await
            .unwrap();
        assert_eq!(answer.status, 204);
        assert!(house.who(&tokens.access).await.is_none(), "at once");
        let asked = std::time::Instant::now();
        house
            .until(async || {
                who(&elsewhere, &tokens.access)
                    .await
                    .is_none()
                    .then_some(())
            })
            .await;
        assert!(
            asked.elapsed().as_millis() <= 1_000,
            "{} {:?}",
            house.name(),
            asked.elapsed()
        );
        assert!(matches!(
            house.refresh(&tokens.refresh).await,
            Err(Error::Unauthenticated)
        ));
        assert!(
            house.who(&other.access).await.is_some(),
            "the other session goes on"
        );
    }
}

#[tokio::test]
async fn a_person_sees_and_ends_his_sessions_and_nobody_elses() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        house
            .person(&admin, "Jean Dupont", "jean@acme.example", "user")
            .await;
        let phone = house.sign_in("awa@acme.example", PASSWORD).await;
        house.clock.advance(SignedDuration::from_secs(5));
        let desk = house.sign_in("awa@acme.example", PASSWORD).await;
        let jean = house.sign_in("jean@acme.example", PASSWORD).await;
        let bearer = Headers::bearer(&desk.access);
        let listed = house.get("/auth/sessions", &bearer).await.unwrap().json;
        let items = listed["items"].as_array().unwrap();
        let current: Vec<_> = items
            .iter()
            .map(|item| item["current"].as_bool().unwrap())
            .collect();
        assert_eq!(current, [true, false], "the last one used first");
        assert_eq!(items[1]["user_agent"], "check/1.0 (a test)");
        assert_eq!(items[1]["address"], "192.0.2.1");
        let of_phone = format!("/auth/sessions/{}", items[1]["id"].as_str().unwrap());
        let jean = Headers::bearer(&jean.access);
        let by_jean = house.call(Method::DELETE, &of_phone, &jean, None).await;
        assert!(
            matches!(by_jean, Err(Error::NotFound)),
            "another's is unknown"
        );
        house
            .call(Method::DELETE, &of_phone, &bearer, None)
            .await
            .unwrap();
        assert!(
            house.who(&phone.access).await.is_none(),
            "ended from afar, at once"
        );
        assert!(house.who(&desk.access).await.is_some());
        let again = house.call(Method::DELETE, &of_phone, &bearer, None).await;
        assert!(matches!(again, Err(Error::NotFound)));
        let listed = house.get("/auth/sessions", &bearer).await.unwrap().json;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let of_desk = format!(
            "/auth/sessions/{}",
            listed["items"][0]["id"].as_str().unwrap()
        );
        let boss = Headers::bearer(&house.sign_in(ADMIN, PASSWORD).await.access);
        house
            .call(Method::DELETE, &of_desk, &boss, None)
            .await
            .unwrap();
        assert!(house.who(&desk.access).await.is_none(), "{}", house.name());
    }
}

#[tokio::test]
async fn a_browser_keeps_its_session_in_cookies() {
    for house in House::furnished().await {
        let body = json!({"email": ADMIN, "password": PASSWORD});
        let answer = house
            .post("/auth/login", &Headers::browser(&[]), body)
            .await
            .unwrap();
        let cookie = |name: &str| answer.cookie(name).unwrap();
        let (access, csrf) = (cookie("opsflux_access"), cookie("opsflux_csrf"));
        let refresh = cookie("opsflux_refresh");
        let kept = [
            ("opsflux_access", access.as_str()),
            ("opsflux_csrf", csrf.as_str()),
        ];
        let browser = Headers::browser(&kept);
        assert!(
            house.get("/auth/me", &browser).await.is_ok(),
            "reading needs no token"
        );
        let theme = Some(json!({"theme": "dark"}));
        let without = house
            .call(Method::PATCH, "/auth/me", &browser, theme.clone())
            .await;
        assert!(
            matches!(without, Err(Error::Forbidden { .. })),
            "{without:?}"
        );
        let foreign = browser.clone().with("x-csrf-token", "AAAA");
        let foreign = house
            .call(Method::PATCH, "/auth/me", &foreign, theme.clone())
            .await;
        assert!(matches!(foreign, Err(Error::Forbidden { .. })));
        let own = browser.clone().with("x-csrf-token", &csrf);
        let changed = house
            .call(Method::PATCH, "/auth/me", &own, theme)
            .await
            .unwrap();
        assert_eq!(changed.text("theme"), "dark");

        let kept = [
            ("opsflux_refresh", refresh.as_str()),
            ("opsflux_csrf", csrf.as_str()),
        ];
        let renewing = Headers::browser(&kept);
        let without = house
            .call(Method::POST, "/auth/refresh", &renewing, None)
            .await;
        assert!(matches!(without, Err(Error::Forbidden { .. })));
        let renewing = renewing.with("x-csrf-token", &csrf);
        let renewed = house
            .call(Method::POST, "/auth/refresh", &renewing, None)
            .await
            .unwrap();
        assert_eq!(
            renewed.json,
            json!({"token_type": "bearer", "expires_in": 900})
        );
        assert_ne!(renewed.cookie("opsflux_refresh").unwrap(), refresh);
        let second = house
            .call(Method::POST, "/auth/refresh", &renewing, None)
            .await
            .unwrap();
        assert!(
            second.cookie("opsflux_refresh").is_none(),
            "a second page gets nothing"
        );
        let fresh = renewed.cookie("opsflux_access").unwrap();
        assert!(house.who(&fresh).await.is_some(), "and ends nothing");
        house.clock.advance(SignedDuration::from_secs(11));
        let copy = house
            .call(Method::POST, "/auth/refresh", &renewing, None)
            .await;
        assert!(matches!(copy, Err(Error::Unauthenticated)));
        assert!(
            house.who(&fresh).await.is_none(),
            "later it is a copy: {}",
            house.name()
        );
    }
}

#[tokio::test]
async fn changing_ones_password_needs_the_old_one_and_ends_the_other_sessions() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        let here = house.sign_in("awa@acme.example", PASSWORD).await;
        let there = house.sign_in("awa@acme.example", PASSWORD).await;
        let bearer = Headers::bearer(&here.access);
        let change = async |current: &str, new: &str| {
            let body = json!({"current_password": current, "new_password": new});
            house.post("/auth/password", &bearer, body).await
        };
        let wrong = change("wrong", "cent quais de brume").await.unwrap_err();
        assert_eq!(
            wrong_fields(wrong)[0],
            ("current_password".into(), "wrong_password".into())
        );
        for (weak, code) in [
            ("court", "password_too_short"),
            ("password1", "password_too_weak"),
            ("les quais de Ndong", "password_personal"),
        ] {
            let refused = change(PASSWORD, weak).await.unwrap_err();
            assert_eq!(
                wrong_fields(refused)[0],
                ("new_password".to_owned(), code.to_owned())
            );
        }
        assert!(
            house.who(&there.access).await.is_some(),
            "nothing has happened so far"
        );
        change(PASSWORD, "cent quais de brume").await.unwrap();
        assert!(
            house.who(&here.access).await.is_some(),
            "the session that did it goes on"
        );
        assert!(
            house.who(&there.access).await.is_none(),
            "the other one does not"
        );
        let old = house
            .try_sign_in("awa@acme.example", PASSWORD, &Headers::none())
            .await;
        assert!(
            matches!(old, Err(Error::Unauthenticated)),
            "{}",
            house.name()
        );
        house
            .sign_in("awa@acme.example", "cent quais de brume")
            .await;
    }
}
