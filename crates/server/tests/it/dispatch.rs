//! What is refused before an operation runs, and how.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{PASSWORD, Server, on_both};

fn code(answer: &crate::support::Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    answer.json()["type"]
        .as_str()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let nowhere = admin.get("/nowhere").await;
    assert_eq!(
        (nowhere.status, code(&nowhere).as_str()),
        (StatusCode::NOT_FOUND, "not_found")
    );
    assert_eq!(nowhere.json()["instance"], "/api/v1/nowhere");
    assert_eq!(nowhere.json()["request_id"], nowhere.header("x-request-id"));

    let wrong = admin.delete("/tickets").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.header("allow"), "GET, POST, HEAD");
    let head = admin.send(Method::HEAD, "/tickets", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn bodies_of_other_kinds_sizes_and_shapes_are_refused_and_nothing_is_written() {
    let server = Server::start(&[("OPSFLUX_HTTP__BODY_LIMIT", "65536")]).await;
    let admin = server.admin().await;
    let json = [("content-type", "application/json")];
    let deep = format!("{{\"title\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(70_000));
    let cases: [(&[(&str, &str)], Vec<u8>, StatusCode); 8] = [
        (
            &[("content-type", "text/plain")],
            b"{}".to_vec(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (&[], b"{}".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&json, large.into_bytes(), StatusCode::PAYLOAD_TOO_LARGE),
        (&json, deep.into_bytes(), StatusCode::BAD_REQUEST),
        (&json, b"{\"title\":".to_vec(), StatusCode::BAD_REQUEST),
        (
            &json,
            b"{\"title\":\"\xff\"}".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (&json, b"[]".to_vec(), StatusCode::BAD_REQUEST),
        (
            &json,
            b"{\"title\":1,\"colour\":2}".to_vec(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ];
    for (headers, body, expected) in cases {
        let shown = String::from_utf8_lossy(&body)
            .chars()
            .take(40)
            .collect::<String>();
        let answer = admin.send(Method::POST, "/tickets", headers, body).await;
        assert_eq!(answer.status, expected, "{shown}: {}", answer.text());
        code(&answer);
    }
    assert_eq!(admin.get("/tickets?total=true").await.json()["total"], 0);
}

#[tokio::test]
async fn addresses_are_read_strictly() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let unknown = admin.get("/tickets/nowhere/history?colour=red").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(unknown.json()["parameter"], "colour");
    for path in [
        "/tickets?title=%FF",
        "/tickets?limit=0",
        "/tickets?limit=501",
        "/tickets?sort=colour",
        "/tickets?cursor=abc",
        "/tickets/%FF",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            answer.text()
        );
    }
    let long = admin
        .get(&format!("/tickets?title={}", "x".repeat(17_000)))
        .await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn a_request_keeps_the_id_and_the_trace_it_came_with() {
    let server = Server::start(&[]).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = [("x-request-id", "from-outside-1"), ("traceparent", trace)];
    let answer = server.anybody().get_with("/tickets", &sent).await;
    assert_eq!(answer.header("x-request-id"), "from-outside-1");
    assert_eq!(answer.header("traceparent"), trace);
    assert_eq!(answer.json()["request_id"], "from-outside-1");
}

#[tokio::test]
async fn what_a_request_did_is_found_in_the_audit_by_its_id() {
    on_both(async |server| {
        let admin = server.admin().await;
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for (headers, id) in [
            (("x-request-id", "from-outside-7"), "from-outside-7"),
            (("traceparent", trace), "4bf92f3577b34da6a3ce929d0e0e4736"),
        ] {
            let ticket = json!({"title": id});
            let made = admin
                .write(Method::POST, "/tickets", &[headers], &ticket)
                .await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
            let noted = admin
                .get(&format!("/audit-entries?request_id={id}"))
                .await
                .json();
            let entry = &noted["items"][0];
            assert_eq!(entry["action"], "create", "{noted}");
            assert_eq!(entry["after"]["title"], id);
        }
    })
    .await;
}

#[tokio::test]
async fn strangers_are_asked_to_sign_in_in_their_language() {
    let server = Server::start(&[]).await;
    let anybody = server.anybody();
    let request = anybody
        .get_with("/tickets", &[("accept-language", "es-AR, fr;q=0.5")])
        .await;
    // The first header wins; the client of the tests always sends one of its own.
    assert_eq!(request.status, StatusCode::UNAUTHORIZED);
    assert_eq!(request.header("www-authenticate"), "Bearer");
    assert_eq!(code(&request), "unauthenticated");
    let mut forged = anybody.clone();
    forged.token = Some("not.a.token".to_owned());
    assert_eq!(
        forged.get("/tickets").await.status,
        StatusCode::UNAUTHORIZED
    );
    let signing_in = forged
        .post(
            "/auth/login",
            &json!({"email": crate::support::ADMIN, "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        signing_in.status,
        StatusCode::OK,
        "an old session must not keep anybody out"
    );
}

#[tokio::test]
async fn who_may_not_know_gets_404_and_who_may_not_do_gets_403() {
    let server = Server::start(&[]).await;
    let user = server.person("ursula", "user").await;
    // The log-in journal is the administrator's.
    assert_eq!(
        user.get("/audit-entries").await.status,
        StatusCode::NOT_FOUND
    );
    // The directory may be read and not written.
    assert_eq!(user.get("/sites").await.status, StatusCode::OK);
    let refused = user.post("/sites", &json!({"name": "Here"})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["detail"], "You may not create here (Site).");
}

#[tokio::test]
async fn every_answer_carries_what_keeps_browsers_careful() {
    let server = Server::start(&[]).await;
    let anybody = server.anybody();
    for path in ["/tickets", "//live", "//", "//docs", "//assets/nothing.js"] {
        let answer = anybody.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            !policy.contains("script-src 'self' 'unsafe-inline'"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_sites_are_let_in_only_by_name() {
    let closed = Server::start(&[]).await;
    let from_elsewhere = [("origin", "https://portal.example")];
    let answer = closed.anybody().get_with("/tickets", &from_elsewhere).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let open = Server::start(&[("OPSFLUX_HTTP__CORS_ORIGINS", "https://portal.example")]).await;
    let answer = open.anybody().get_with("/tickets", &from_elsewhere).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://portal.example"
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        "",
        "cookies stay at home"
    );
    let other = open
        .anybody()
        .get_with("/tickets", &[("origin", "https://evil.example")])
        .await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    let preflight = [
        ("origin", "https://portal.example"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,if-match"),
    ];
    let answer = open
        .anybody()
        .send(Method::OPTIONS, "/tickets/x", &preflight, "")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("PATCH")
    );
}

#[tokio::test]
async fn whoever_asks_too_often_waits_and_nobody_else_does() {
    let server = Server::start(&[("OPSFLUX_HTTP__RATE_LIMIT", "20")]).await;
    let user = server.person("ursula", "user").await;
    let mut refused = None;
    for _ in 0..40 {
        let answer = user.get("/sites").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, StatusCode::OK);
    }
    let refused = refused.expect("a limit");
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    assert_eq!(code(&refused), "too_many");
    let admin = server.admin().await;
    assert_eq!(admin.get("/sites").await.status, StatusCode::OK);
}

#[tokio::test]
async fn long_answers_are_packed_for_those_who_can_unpack_them() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let plain = admin.get("/meta/entities").await;
    let packed = admin
        .get_with("/meta/entities", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(plain.header("content-encoding"), "");
    assert!(packed.body.len() < plain.body.len() / 3);
}
