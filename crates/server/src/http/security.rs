//! What browsers are told so that a mistake elsewhere does less harm.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer, MaxAge};

/// For pages of ours: everything from here, no script in the page itself, in nobody's frame.
/// Styles may be inline: menus and notices position themselves that way.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; \
    manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For answers that are data: nothing in them is ever run or shown as a page.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Adds what every answer carries; what is there already is kept.
pub fn harden(headers: &mut HeaderMap, encrypted: bool) {
    let mut add = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    add(header::CONTENT_SECURITY_POLICY, DATA_POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::X_FRAME_OPTIONS, "DENY");
    add(header::REFERRER_POLICY, "same-origin");
    add(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if encrypted {
        add(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// Other sites whose scripts may call the API; `None` when there are none: then nothing is said,
/// which browsers read as no. Cookies are never for them: they bring a token.
#[must_use]
pub fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    let methods = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
    ];
    let sent = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::ACCEPT_LANGUAGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("last-event-id"),
        HeaderName::from_static("opsflux-company"),
        HeaderName::from_static("x-confirm"),
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("traceparent"),
    ];
    let read = [
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        HeaderName::from_static("opsflux-deletion"),
        HeaderName::from_static("x-request-id"),
    ];
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods(methods)
            .allow_headers(sent)
            .expose_headers(read)
            .max_age(MaxAge::exact(std::time::Duration::from_secs(3600))),
    )
}
