//! Everything between a socket and an operation.
//!
//! Start reading at [`router`]; [`api`] has the way of a request to an operation.

pub mod answer;
pub mod api;
pub mod assets;
pub mod body;
pub mod docs;
pub mod limit;
pub mod probes;
pub mod query;
pub mod registry;
pub mod request;
pub mod security;
pub mod serve;

#[cfg(test)]
pub(crate) mod test_support;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use futures::FutureExt;
use http::{HeaderValue, StatusCode};
use opsflux_records::Error;
use tracing::Instrument;

use crate::app::App;
use crate::config::LoggedRequests;
use crate::problem::{Problem, Telling};
use request::Frame;

/// All addresses.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/live", get(probes::live))
        .route("/ready", get(probes::ready))
        .route("/health", get(probes::health))
        .route("/metrics", get(probes::metrics))
        .fallback(respond)
        .with_state(app.clone());
    match security::cors(&app.config.http.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

/// What is no probe: the API, its documentation, the interface.
async fn respond(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let frame = Frame::read(request.headers(), peer, &app.config.http.trusted_proxies);
    let span = tracing::info_span!(
        "request",
        request_id = frame.request_id,
        traceparent = frame.traceparent
    );
    let began = Instant::now();
    let (method, path) = match app.config.log.requests {
        LoggedRequests::All => (
            Some(request.method().clone()),
            Some(request.uri().path().to_owned()),
        ),
        LoggedRequests::Failed => (None, None),
    };
    let mut answer = guarded(&app, &frame, request)
        .instrument(span.clone())
        .await;
    security::harden(answer.headers_mut(), frame.encrypted);
    if let Ok(id) = HeaderValue::from_str(&frame.request_id) {
        answer.headers_mut().insert("x-request-id", id);
    }
    if let Some(trace) = frame
        .traceparent
        .as_deref()
        .and_then(|t| HeaderValue::from_str(t).ok())
    {
        answer.headers_mut().insert("traceparent", trace);
    }
    if let (Some(method), Some(path)) = (method, path) {
        let _entered = span.enter();
        let status = answer.status().as_u16();
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(%method, path, status, milliseconds, address = %frame.address, "answered");
    }
    answer
}

/// A defect that panics costs its own request a 500 and nobody else anything.
async fn guarded(app: &App, frame: &Frame, request: Request) -> Response {
    // Shared, not copied: nobody reads it unless something breaks.
    let uri = request.uri().clone();
    let language = request::language(request.headers()).unwrap_or_default();
    let outcome = AssertUnwindSafe(dispatch(app, frame, request))
        .catch_unwind()
        .await;
    outcome.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        let error = Error::Internal(said.unwrap_or_else(|| "a panic".to_owned()));
        let served = app.served();
        let telling = Telling {
            words: &served.words,
            language,
            instance: uri.path(),
            request_id: &frame.request_id,
        };
        answer::error(&error, &telling)
    })
}

async fn dispatch(app: &App, frame: &Frame, request: Request) -> Response {
    if let Err(problem) = admissible(app, frame, &request) {
        let served = app.served();
        let telling = Telling {
            words: &served.words,
            language: request::language(request.headers()).unwrap_or_default(),
            instance: request.uri().path(),
            request_id: &frame.request_id,
        };
        return answer::problem(problem, &telling);
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    match path {
        "/docs" => docs::respond(app, frame, &parts).await,
        _ if path.starts_with("/docs/") => docs::respond(app, frame, &parts).await,
        _ if path == "/api" || path.starts_with("/api/") => {
            api::respond(app, frame, parts, body).await
        }
        _ => assets::respond(app, frame, &parts),
    }
}

/// What is refused wherever it goes.
fn admissible(app: &App, frame: &Frame, request: &Request<Body>) -> Result<(), Problem> {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > query::LONGEST_ADDRESS {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "address_too_long")
            .with("limit", format!("{} B", query::LONGEST_ADDRESS)));
    }
    // A trusted proxy says how it was spoken to; that it speaks plainly to us is its place.
    if !app.config.http.plain_from_anywhere && !frame.local {
        return Err(Problem::new(StatusCode::FORBIDDEN, "https_required"));
    }
    Ok(())
}
