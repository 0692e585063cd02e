//! What containers, load balancers and Prometheus ask. No log-in, and nothing about anybody.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};

use super::security;
use crate::app::App;
use crate::health::{self, Component};

/// The process answers.
pub async fn live() -> Response {
    json_answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// Requests can be served: the database answers and the server is not on its way out. Columns that
/// a migration is still filling are no reason to wait; it is said that they are.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let stopping = *app.stopping.borrow();
    let database = health::database(&app.records).await;
    if stopping || !database.ok {
        let why = if stopping { "stopping" } else { "database" };
        return unavailable(&json!({"status": "not_ready", "because": why}));
    }
    let filling = app.filling.load(Ordering::Relaxed);
    let migration = if filling { "filling" } else { "done" };
    let document = json!({"status": "ok", "migration": migration});
    json_answer(StatusCode::OK, &document)
}

/// Each component by name; 503 when the database does not answer.
pub async fn health(State(app): State<Arc<App>>) -> Response {
    let database = health::database(&app.records).await;
    let changes = health::changes(&app.records).await;
    let disk = health::disk(&app.config.data);
    let feed = health::feed(&app.records).await;
    let backup = app.backups.as_ref();
    let backup = backup.map(|backups| backups.health(app.records.now()));
    let mut components = vec![
        ("database", &database),
        ("changes", &changes),
        ("disk", &disk),
        ("feed", &feed),
    ];
    components.extend(backup.as_ref().map(|backup| ("backup", backup)));
    let all_ok = components.iter().all(|(_, component)| component.ok);
    let described: serde_json::Map<String, Json> = components
        .iter()
        .map(|(name, component)| ((*name).to_owned(), describe(component)))
        .collect();
    let status = if all_ok { "ok" } else { "degraded" };
    let document = json!({"status": status, "components": described});
    if database.ok {
        json_answer(StatusCode::OK, &document)
    } else {
        unavailable(&document)
    }
}

/// Everything counted.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.gauges.measure(&app).await;
    let mut answer = Response::new(Body::from(app.metrics.render()));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security::harden(answer.headers_mut(), false);
    answer
}

fn describe(component: &Component) -> Json {
    let mut described = serde_json::Map::new();
    described.insert(
        "status".to_owned(),
        if component.ok { "ok" } else { "failed" }.into(),
    );
    for (name, value) in &component.figures {
        described.insert((*name).to_owned(), (*value).into());
    }
    described.into()
}

fn json_answer(status: StatusCode, document: &Json) -> Response {
    let mut answer = Response::new(Body::from(document.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security::harden(answer.headers_mut(), false);
    answer
}

fn unavailable(document: &Json) -> Response {
    let mut answer = json_answer(StatusCode::SERVICE_UNAVAILABLE, document);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}
