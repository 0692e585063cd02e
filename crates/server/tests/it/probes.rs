//! What containers and Prometheus ask.

use http::StatusCode;

use crate::support::{Server, on_both};

#[tokio::test]
async fn a_server_that_is_well_says_so_component_by_component() {
    on_both(async |server| {
        let anybody = server.anybody();
        for probe in ["//live", "//ready", "//health"] {
            let answer = anybody.get(probe).await;
            assert_eq!(
                (answer.status, answer.json()["status"].clone()),
                (StatusCode::OK, "ok".into()),
                "{probe}"
            );
        }
        let health = anybody.get("//health").await.json();
        for component in ["database", "changes", "disk", "feed"] {
            assert_eq!(
                health["components"][component]["status"], "ok",
                "{component}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn without_its_database_it_lives_and_is_not_well() {
    on_both(async |server| {
        server.running.app.records.store().close().await;
        let anybody = server.anybody();
        assert_eq!(anybody.get("//live").await.status, StatusCode::OK);
        for probe in ["//ready", "//health"] {
            let answer = anybody.get(probe).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{probe}");
            assert!(!answer.header("retry-after").is_empty(), "{probe}");
        }
        let health = anybody.get("//health").await.json();
        assert_eq!(health["components"]["database"]["status"], "failed");
        assert_eq!(health["components"]["disk"]["status"], "ok");
    })
    .await;
}

#[tokio::test]
async fn requests_are_counted() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    admin.ticket("Counted").await;
    server.anybody().get("/tickets").await;
    let metrics = server.anybody().get("//metrics").await.text();
    for line in [
        r#"opsflux_http_requests_total{operation="ticket_create",status="201"} 1"#,
        r#"opsflux_http_requests_total{operation="ticket_list",status="401"} 1"#,
        "opsflux_database_up 1",
        "opsflux_changes_kept 1",
        r#"opsflux_feed_lag{reactor="search"}"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
