//! The cookies of the browser: how they are read and how they are set.
//!
//! `opsflux_access` and `opsflux_refresh` are out of reach of scripts; `opsflux_csrf` is there for
//! our own scripts to read. All are `SameSite=Lax`, and `Secure` unless plain HTTP is served.

use http::HeaderMap;
use http::header::COOKIE;
use opsflux_records::Reply;

use crate::token::{ACCESS_LIFE, REFRESH_LIFE};

/// The access token.
pub const ACCESS: &str = "opsflux_access";
/// The refresh token; sent to `/api/v1/auth` only.
pub const REFRESH: &str = "opsflux_refresh";
/// What a writing request repeats in `X-CSRF-Token`.
pub const CSRF: &str = "opsflux_csrf";

/// What the browser keeps of a session.
pub(crate) struct Kept<'a> {
    pub access: &'a str,
    pub refresh: &'a str,
    pub csrf: &'a str,
}

/// The value of the cookie called `name`. Browsers send the one with the longest path first, and
/// that is the one we set.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name && !value.is_empty()).then_some(value))
}

/// The answer that makes the browser keep a session.
pub(crate) fn set(reply: Reply, kept: &Kept<'_>, secure: bool) -> Reply {
    let (short, long) = (ACCESS_LIFE.as_secs(), REFRESH_LIFE.as_secs());
    reply
        .with_header(
            "set-cookie",
            &cookie(ACCESS, kept.access, "/", short, true, secure),
        )
        .with_header(
            "set-cookie",
            &cookie(REFRESH, kept.refresh, AUTH_PATH, long, true, secure),
        )
        .with_header(
            "set-cookie",
            &cookie(CSRF, kept.csrf, "/", long, false, secure),
        )
}

/// The answer that makes the browser forget the session.
pub(crate) fn clear(reply: Reply, secure: bool) -> Reply {
    reply
        .with_header("set-cookie", &cookie(ACCESS, "", "/", 0, true, secure))
        .with_header(
            "set-cookie",
            &cookie(REFRESH, "", AUTH_PATH, 0, true, secure),
        )
        .with_header("set-cookie", &cookie(CSRF, "", "/", 0, false, secure))
}

const AUTH_PATH: &str = "/api/v1/auth";

fn cookie(name: &str, value: &str, path: &str, age: i64, hidden: bool, secure: bool) -> String {
    let hidden = if hidden { "; HttpOnly" } else { "" };
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={age}; SameSite=Lax{hidden}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in cookies {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        headers
    }

    fn set_cookies(reply: &Reply) -> Vec<&str> {
        reply
            .headers
            .iter()
            .map(|(_, value)| value.to_str().unwrap())
            .collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&["theme=dark; opsflux_access=abc", "opsflux_csrf=x=y"]);
        assert_eq!(read(&headers, ACCESS), Some("abc"));
        assert_eq!(read(&headers, CSRF), Some("x=y"));
        assert_eq!(read(&headers, REFRESH), None);
    }

    #[test]
    fn an_empty_cookie_is_none_and_a_name_is_whole() {
        let headers = headers(&["opsflux_access=; xopsflux_refresh=1; opsflux_refresh"]);
        assert_eq!(read(&headers, ACCESS), None);
        assert_eq!(read(&headers, REFRESH), None);
    }

    #[test]
    fn tokens_are_hidden_from_scripts_and_the_csrf_token_is_not() {
        let kept = Kept {
            access: "a",
            refresh: "r",
            csrf: "c",
        };
        let reply = set(Reply::empty(), &kept, true);
        assert_eq!(
            set_cookies(&reply),
            [
                "opsflux_access=a; Path=/; Max-Age=900; SameSite=Lax; HttpOnly; Secure",
                "opsflux_refresh=r; Path=/api/v1/auth; Max-Age=604800; SameSite=Lax; HttpOnly; Secure",
                "opsflux_csrf=c; Path=/; Max-Age=604800; SameSite=Lax; Secure",
            ]
        );
    }

    #[test]
    fn clearing_names_the_same_cookies_and_paths() {
        let kept = Kept {
            access: "a",
            refresh: "r",
            csrf: "c",
        };
        let set = set(Reply::empty(), &kept, false);
        let cleared = clear(Reply::empty(), false);
        let place = |cookie: &str| {
            let (name, rest) = cookie.split_once('=').unwrap();
            format!("{name} {}", rest.split("; ").nth(1).unwrap())
        };
        let places =
            |reply: &Reply| -> Vec<String> { set_cookies(reply).into_iter().map(place).collect() };
        assert_eq!(places(&set), places(&cleared));
        assert!(
            set_cookies(&cleared)
                .iter()
                .all(|cookie| cookie.contains("Max-Age=0"))
        );
    }
}
