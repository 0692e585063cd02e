//! The interface: files of `web/dist`, in the binary.
//!
//! A page of the interface has no file of its own: every address that is none of the API answers
//! the one page, which then reads the address itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::RwLock;
use rust_embed::Embed;

use super::answer::{self, Encoding};
use super::request::Frame;
use super::security;
use crate::app::App;
use crate::problem::{Problem, Telling};

/// Missing in a checkout where the interface was never built.
#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Web;

const PAGE: &str = "index.html";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>OpsFlux</title>\
    <h1>The interface is not built</h1>\
    <p>The server is running; its interface was not there when it was compiled.</p>\
    <p>Run <code>cargo xtask web</code>, then start the server again; or <code>cargo xtask run</code>, which does both.</p>\
    <p><a href=\"/docs\">The API can be tried here.</a></p></html>";

/// Packed once, kept.
static PACKED: LazyLock<RwLock<HashMap<(String, Encoding), Bytes>>> =
    LazyLock::new(RwLock::default);

/// Answers with a file, or with the page.
#[must_use]
pub fn respond(app: &App, frame: &Frame, parts: &Parts) -> Response {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let served = app.served();
        let telling = Telling {
            words: &served.words,
            language: super::request::language(&parts.headers).unwrap_or_default(),
            instance: parts.uri.path(),
            request_id: &frame.request_id,
        };
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
            .with("allowed", "GET, HEAD")
            .header(header::ALLOW, "GET, HEAD");
        return answer::problem(problem, &telling);
    }
    let path = parts.uri.path().trim_start_matches('/');
    match Web::get(path).filter(|_| !path.is_empty()) {
        Some(file) => Asset::of(path, file).answer(parts),
        // A file that is not there is not a page: a browser would run HTML as a script.
        None if path.starts_with("assets/") => {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            missing
        }
        None => page(parts),
    }
}

/// The one page of the interface.
#[must_use]
pub fn page(parts: &Parts) -> Response {
    match Web::get(PAGE) {
        Some(file) => Asset::of(PAGE, file).answer(parts),
        None => Asset {
            name: "not-built.html",
            kind: "text/html; charset=utf-8".to_owned(),
            tag: "\"not-built\"".to_owned(),
            bytes: Cow::Borrowed(NOT_BUILT.as_bytes()),
            immutable: false,
        }
        .answer(parts),
    }
}

/// A file on its way out.
pub struct Asset<'a> {
    /// Its path.
    pub name: &'a str,
    /// Its content type.
    pub kind: String,
    /// Its `ETag`.
    pub tag: String,
    /// What is in it.
    pub bytes: Cow<'static, [u8]>,
    /// Whether its name changes when its contents do.
    pub immutable: bool,
}

impl<'a> Asset<'a> {
    fn of(name: &'a str, file: rust_embed::EmbeddedFile) -> Asset<'a> {
        let hash = file.metadata.sha256_hash();
        let tag: String = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mime = file.metadata.mimetype();
        let is_text = mime.starts_with("text/") || mime.contains("javascript");
        Asset {
            name,
            kind: if is_text {
                format!("{mime}; charset=utf-8")
            } else {
                mime.to_owned()
            },
            tag: format!("\"{tag}\""),
            bytes: file.data,
            // The build puts a hash into the names of everything it makes below assets/.
            immutable: name.starts_with("assets/"),
        }
    }

    /// The answer to a request for it.
    #[must_use]
    pub fn answer(self, parts: &Parts) -> Response {
        let mut answer = Response::new(Body::empty());
        let headers = answer.headers_mut();
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        let caching = if self.immutable {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        set(header::CACHE_CONTROL, caching);
        set(header::ETAG, &self.tag);
        set(header::CONTENT_TYPE, &self.kind);
        set(header::VARY, "accept-encoding");
        set(header::CONTENT_SECURITY_POLICY, security::PAGE_POLICY);
        let known = answer
            .headers()
            .get(header::ETAG)
            .is_some_and(|tag| answer::knows(&parts.headers, tag));
        if known {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            return answer;
        }
        let packed = Encoding::accepted(&parts.headers)
            .filter(|_| packs(&self.kind))
            .and_then(|encoding| self.packed(encoding).map(|packed| (encoding, packed)));
        *answer.body_mut() = match packed {
            Some((encoding, packed)) => {
                answer
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, encoding.name());
                Body::from(packed)
            }
            None => match self.bytes {
                Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
                Cow::Owned(bytes) => Body::from(bytes),
            },
        };
        answer
    }

    /// Packed tightly the first time somebody asks, and kept: the key holds the hash, so a file
    /// that changed on disk (development) is packed again.
    fn packed(&self, encoding: Encoding) -> Option<Bytes> {
        let key = (format!("{} {}", self.name, self.tag), encoding);
        if let Some(kept) = PACKED.read().get(&key) {
            return Some(kept.clone());
        }
        let packed = Bytes::from(encoding.pack(&self.bytes, true).ok()?);
        PACKED.write().insert(key, packed.clone());
        Some(packed)
    }
}

/// Whether packing makes it smaller; images and fonts are packed already.
fn packs(kind: &str) -> bool {
    kind.starts_with("text/")
        || kind.contains("javascript")
        || kind.contains("json")
        || kind.contains("svg")
}
