//! Pages and files.

use http::{Method, StatusCode};

use crate::support::Server;

#[tokio::test]
async fn every_address_that_is_none_of_the_api_is_the_interface() {
    let server = Server::start(&[]).await;
    let anybody = server.anybody();
    for path in ["//", "//r/tickets", "//r/tickets/TIC-000001"] {
        let page = anybody.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(page.text().contains("OpsFlux"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        let again = anybody
            .get_with(path, &[("if-none-match", page.header("etag"))])
            .await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
    let api = anybody.get("//api/v2/tickets").await;
    assert_eq!(api.header("content-type"), "application/problem+json");
    assert_eq!(
        anybody.get("//assets/gone-1234.js").await.status,
        StatusCode::NOT_FOUND
    );
    let post = anybody.send(Method::POST, "//r/tickets", &[], "").await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_documentation_loads_nothing_from_outside() {
    let server = Server::start(&[]).await;
    let anybody = server.anybody();
    let page = anybody.get("//docs").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(
        !text.contains("http://") && !text.contains("https://"),
        "{text}"
    );
    let loaded: Vec<&str> = text
        .split('"')
        .filter(|part| part.starts_with("/docs/"))
        .collect();
    assert_eq!(loaded.len(), 3);
    for path in loaded {
        let file = anybody
            .get_with(&format!("/{path}"), &[("accept-encoding", "gzip")])
            .await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.header("content-encoding"), "gzip", "{path}");
    }
    assert!(
        !text.contains("<script>"),
        "the policy allows no script in the page"
    );
}

#[tokio::test]
async fn paths_do_not_lead_out_of_the_folder() {
    let server = Server::start(&[]).await;
    for path in [
        "//../Cargo.toml",
        "//assets/../../Cargo.toml",
        "//%2e%2e/Cargo.toml",
    ] {
        let answer = server.anybody().get(path).await;
        assert!(!answer.text().contains("[package]"), "{path}");
    }
}
