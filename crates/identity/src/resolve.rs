//! From the headers of a request to its [`Caller`]. On the way of every request, so it is answered
//! from memory: a token that was checked once is not checked again, a session and a person are
//! read again only when they changed.

use std::sync::Arc;

use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use moka::sync::Cache;
use opsflux_records::{Caller, Error, Language, Origin};
use uuid::Uuid;

use crate::people::Person;
use crate::session::Live;
use crate::token::{Claims, Tokens, same};
use crate::{Inner, cookies};

/// Names the company a request is about; `*` is all of the person's.
pub const COMPANY_HEADER: &str = "opsflux-company";
/// Repeats the cookie `opsflux_csrf` on writing requests of a browser.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// What a request without its CSRF token is refused for, as the entity of [`Error::Forbidden`].
pub const CSRF: &str = "csrf";

/// How many checked tokens are kept.
const KEPT: u64 = 65_536;

/// Access tokens that were checked.
pub(crate) struct Checked {
    tokens: Tokens,
    kept: Cache<Box<str>, Arc<Claims>>,
}

impl Checked {
    pub fn new(tokens: Tokens) -> Checked {
        Checked {
            tokens,
            kept: Cache::new(KEPT),
        }
    }

    fn claims(&self, token: &str, now: Timestamp) -> Option<Arc<Claims>> {
        let claims = match self.kept.get(token) {
            Some(known) => known,
            None => {
                let read = Arc::new(self.tokens.read_access(token)?);
                self.kept.insert(token.into(), read.clone());
                read
            }
        };
        (claims.exp > now.as_second()).then_some(claims)
    }
}

/// Where the access token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credential<'h> {
    Bearer(&'h str),
    Cookie(&'h str),
}

impl<'h> Credential<'h> {
    /// A header that says who asks decides alone; the cookie is the browser's way.
    fn of(headers: &'h HeaderMap) -> Option<Credential<'h>> {
        match headers.get(AUTHORIZATION) {
            Some(value) => {
                let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
                let token = token.trim();
                let bearer = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
                bearer.then_some(Credential::Bearer(token))
            }
            None => cookies::read(headers, cookies::ACCESS).map(Credential::Cookie),
        }
    }

    fn token(self) -> &'h str {
        match self {
            Credential::Bearer(token) | Credential::Cookie(token) => token,
        }
    }
}

/// Whether a request of this method changes something.
fn writes(method: &Method) -> bool {
    !matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

/// Whether the request repeats the CSRF token of `csrf` in header and cookie.
pub(crate) fn repeats_csrf(headers: &HeaderMap, csrf: &str) -> bool {
    let header = headers
        .get(CSRF_HEADER)
        .and_then(|value| value.to_str().ok());
    let cookie = cookies::read(headers, cookies::CSRF);
    match (header, cookie) {
        (Some(header), Some(cookie)) => {
            same(header.as_bytes(), csrf.as_bytes()) & same(cookie.as_bytes(), csrf.as_bytes())
        }
        _ => false,
    }
}

/// A request with a session's cookie and without its CSRF token: maybe another site's.
pub(crate) fn csrf_refused() -> Error {
    Error::Forbidden {
        action: "write".to_owned(),
        entity: CSRF.to_owned(),
    }
}

impl Inner {
    /// See [`crate::Identity::resolve`].
    pub(crate) async fn resolve(
        &self,
        headers: &HeaderMap,
        method: &Method,
        origin: Arc<Origin>,
    ) -> Result<Option<Caller>, Error> {
        let now = self.records.now();
        let Some(live) = self.session_of(headers, now).await? else {
            return Ok(None);
        };
        let by_cookie = matches!(Credential::of(headers), Some(Credential::Cookie(_)));
        if by_cookie && writes(method) && !repeats_csrf(headers, &live.csrf) {
            return Err(csrf_refused());
        }
        let (tenant, user) = (live.owner.tenant, live.owner.user);
        let person = match self.people.find(tenant, user, now).await? {
            Some(person) if person.accepts(live.began) => person,
            _ => return Ok(None),
        };
        if let Some(seen) = self.viewed(&live, &person, now).await? {
            let origin = Origin {
                on_behalf_of: Some(seen.access.principal.user),
                ..Origin::clone(&origin)
            };
            let caller = caller(&seen, headers, Arc::new(origin))?;
            return Ok(Some(Caller {
                viewer: Some(user),
                ..caller
            }));
        }
        caller(&person, headers, origin).map(Some)
    }

    /// Whose eyes the session sees with, when not with its own: asked each time, so that it ends
    /// with the right to do so and with the account that is looked at.
    async fn viewed(
        &self,
        live: &Live,
        viewer: &Person,
        now: Timestamp,
    ) -> Result<Option<Arc<Person>>, Error> {
        let Some(user) = live.viewing_as.filter(|_| viewer.access.is_admin()) else {
            return Ok(None);
        };
        let seen = self.people.find(live.owner.tenant, user, now).await?;
        Ok(seen.filter(|seen| seen.is_active()))
    }

    /// The session whose access token the request carries, while it may be used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn session_of(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Arc<Live>>, Error> {
        let Some(credential) = Credential::of(headers) else {
            return Ok(None);
        };
        let Some(claims) = self.checked.claims(credential.token(), now) else {
            return Ok(None);
        };
        let found = self.sessions.find(claims.tenant, claims.sid, now).await?;
        Ok(found.filter(|live| live.owner.user == claims.sub))
    }
}

fn caller(person: &Person, headers: &HeaderMap, origin: Arc<Origin>) -> Result<Caller, Error> {
    let (company, companies) = match headers.get(COMPANY_HEADER) {
        None => (person.access.principal.home_company, Vec::new()),
        Some(value) if value.as_bytes() == b"*" => {
            (person.access.principal.home_company, Vec::new())
        }
        Some(value) => {
            let company = named_company(person, value.to_str().ok())?;
            (Some(company), vec![company])
        }
    };
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Ok(Caller {
        access: match companies.as_slice() {
            [one] => person.access_in(*one),
            _ => person.access.clone(),
        },
        origin,
        viewer: None,
        language: accepted
            .and_then(Language::accepted)
            .or(person.language)
            .unwrap_or_default(),
        time_zone: person.time_zone.clone(),
        company,
        companies,
    })
}

/// One of the person's companies; others are as unknown as those that do not exist.
fn named_company(person: &Person, header: Option<&str>) -> Result<Uuid, Error> {
    header
        .and_then(|text| Uuid::try_parse(text).ok())
        .filter(|id| person.companies.iter().any(|(known, _)| known == id))
        .ok_or_else(|| {
            let detail = "the id of a company you belong to, or *";
            Error::query("OpsFlux-Company", "invalid_value", detail)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_authorization_header_decides_before_the_cookie() {
        let both = headers(&[
            ("authorization", "bearer abc"),
            ("cookie", "opsflux_access=def"),
        ]);
        assert_eq!(Credential::of(&both), Some(Credential::Bearer("abc")));
        let cookie = headers(&[("cookie", "opsflux_access=def")]);
        assert_eq!(Credential::of(&cookie), Some(Credential::Cookie("def")));
        let other = headers(&[
            ("authorization", "Basic abc"),
            ("cookie", "opsflux_access=def"),
        ]);
        assert_eq!(
            Credential::of(&other),
            None,
            "a wrong one is not made good by a cookie"
        );
        for nothing in ["Bearer", "Bearer ", "abc"] {
            let mut map = HeaderMap::new();
            map.insert(AUTHORIZATION, HeaderValue::from_static(nothing));
            assert_eq!(Credential::of(&map), None, "{nothing}");
        }
        assert_eq!(Credential::of(&HeaderMap::new()), None);
    }

    #[test]
    fn the_csrf_token_must_stand_in_header_and_cookie_and_be_the_sessions() {
        let good = headers(&[("x-csrf-token", "t"), ("cookie", "opsflux_csrf=t")]);
        assert!(repeats_csrf(&good, "t"));
        assert!(
            !repeats_csrf(&good, "u"),
            "another session's, planted in both places"
        );
        for bad in [
            headers(&[("cookie", "opsflux_csrf=t")]),
            headers(&[("x-csrf-token", "t")]),
            headers(&[("x-csrf-token", "t"), ("cookie", "opsflux_csrf=u")]),
            headers(&[("x-csrf-token", "u"), ("cookie", "opsflux_csrf=t")]),
            HeaderMap::new(),
        ] {
            assert!(!repeats_csrf(&bad, "t"), "{bad:?}");
        }
    }

    #[test]
    fn reading_methods_need_no_csrf_token() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(!writes(&method));
        }
        for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
            assert!(writes(&method));
        }
    }
}
