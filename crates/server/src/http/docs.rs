//! `/docs`: the API to read and to try, without a byte from outside.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::assets::Asset;
use super::request::Frame;
use crate::app::App;
use crate::config::Mode;

/// Swagger UI, taken from its vendored release by the build script.
const FILES: [(&str, &str, &[u8]); 3] = [
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js")),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css")),
    ),
    (
        "start.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/docs/start.js"),
    ),
];

const PAGE: &[u8] = include_bytes!("../../assets/docs/index.html");

/// Answers `/docs` and the files it loads.
pub async fn respond(app: &App, frame: &Frame, parts: &Parts) -> Response {
    let path = parts.uri.path();
    if path == "/docs" || path == "/docs/" {
        return if may_read(app, frame, parts).await {
            page(parts)
        } else {
            sign_in()
        };
    }
    let file = path
        .strip_prefix("/docs/")
        .and_then(|name| FILES.iter().find(|(n, ..)| *n == name));
    match file {
        Some((name, kind, bytes)) => asset(name, kind, bytes).answer(parts),
        None => {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            missing
        }
    }
}

fn page(parts: &Parts) -> Response {
    asset("index.html", "text/html; charset=utf-8", PAGE).answer(parts)
}

fn asset<'a>(name: &'a str, kind: &str, bytes: &'static [u8]) -> Asset<'a> {
    Asset {
        name,
        kind: kind.to_owned(),
        // The files change with the program and with nothing else.
        tag: format!("\"docs-{}\"", env!("CARGO_PKG_VERSION")),
        bytes: Cow::Borrowed(bytes),
        immutable: false,
    }
}

/// In development anybody; in production whoever is signed in.
async fn may_read(app: &App, frame: &Frame, parts: &Parts) -> bool {
    if app.config.mode == Mode::Development {
        return true;
    }
    let origin = std::sync::Arc::new(frame.origin(&parts.headers));
    matches!(
        app.identity
            .resolve(&parts.headers, &parts.method, &origin)
            .await,
        Ok(Some(_))
    )
}

fn sign_in() -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    answer
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static("/"));
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
