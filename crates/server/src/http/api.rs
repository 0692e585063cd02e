//! `/api/v1`: from an address to an operation and back.
//!
//! The way of a request: address → operation → who asks → how often → may he → query → body →
//! handler → answer. Each step can refuse; what was not reached was not done.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode, header};
use opsflux_records::entity::KEY_HEADER;
use opsflux_records::{Call, Caller, Error, Language, Needs, Operation};

use super::answer;
use super::body::{self, Incoming};
use super::query;
use super::registry::{Found, Mounted};
use super::request::{self, Frame};
use crate::app::{App, Served};
use crate::problem::{Problem, Telling};

/// Longest idempotency key.
const LONGEST_KEY: usize = 255;

/// Under which all operations stand.
pub const PREFIX: &str = "/api/v1";

/// Answers a request below [`PREFIX`].
pub async fn respond(app: &App, frame: &Frame, mut parts: Parts, body: Body) -> Response {
    let began = Instant::now();
    let served = app.served();
    let asked = request::language(&parts.headers).unwrap_or_default();
    let uri = parts.uri.clone();
    let path = uri.path();
    let below = path.strip_prefix(PREFIX).unwrap_or(path);
    let (mounted, params) = match served.registry.find(&parts.method, below) {
        Found::Operation(mounted, params) => (mounted, params),
        other => {
            let problem = unserved(&other);
            let answer = answer::problem(problem, &telling(&served, asked, path, frame));
            app.other_requests.count(answer.status(), began.elapsed());
            return answer;
        }
    };
    let mut language = asked;
    let answer = match run(
        app,
        &served,
        mounted,
        params,
        frame,
        &mut parts,
        body,
        &mut language,
    )
    .await
    {
        Ok(answer) => answer,
        Err(refused) => {
            let telling = telling(&served, language, path, frame);
            match refused {
                Refused::Problem(problem) => answer::problem(problem, &telling),
                Refused::Error(error) => answer::error(&error, &telling),
            }
        }
    };
    mounted.meter.count(answer.status(), began.elapsed());
    answer
}

/// Why there is no reply.
enum Refused {
    Error(Error),
    Problem(Problem),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Error(error)
    }
}

fn telling<'a>(
    served: &'a Served,
    language: Language,
    instance: &'a str,
    frame: &'a Frame,
) -> Telling<'a> {
    Telling {
        words: &served.words,
        language,
        instance,
        request_id: &frame.request_id,
    }
}

fn unserved(found: &Found<'_>) -> Problem {
    match found {
        Found::OtherMethods(allow) => {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
                .with("allowed", *allow)
                .header(header::ALLOW, allow)
        }
        Found::NotText => Problem::from(&Error::query("path", "invalid_value", "UTF-8")),
        Found::Nothing | Found::Operation(..) => Problem::from(&Error::NotFound),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one request, used once"
)]
async fn run(
    app: &App,
    served: &Served,
    mounted: &Mounted,
    path: Vec<String>,
    frame: &Frame,
    parts: &mut Parts,
    body: Body,
    language: &mut Language,
) -> Result<Response, Refused> {
    let operation = &mounted.operation;
    let origin = Arc::new(frame.origin(&parts.headers));
    let caller = identify(app, operation, parts, &origin).await?;
    if let Some(caller) = &caller {
        *language = caller.language;
    }
    app.limit(caller.as_ref(), frame)?;
    allow(operation, caller.as_ref(), served)?;
    check_accept(operation, parts)?;
    check_key(operation, parts)?;
    let query = query::decode(parts.uri.query().unwrap_or_default())?;
    query::check(operation, &query)?;
    let incoming = body::read(operation, &parts.headers, body, app.body_limits()).await;
    let (body, upload) = match incoming.map_err(|error| understood(operation, error))? {
        Incoming::Whole(body) => (body, None),
        Incoming::Upload(upload) => (bytes::Bytes::new(), Some(upload)),
    };
    let wanted = answer::Wanted::of(&parts.method, &parts.headers);
    let call = Call {
        caller,
        origin,
        language: *language,
        operation: kept_under(operation, parts.uri.path()),
        path,
        query,
        headers: std::mem::take(&mut parts.headers),
        body,
        upload,
    };
    let reply = (operation.handler)(call).await?;
    let telling = telling(served, *language, parts.uri.path(), frame);
    Ok(answer::reply(&wanted, reply, &telling))
}

/// What an idempotency key belongs to; reading takes none.
fn kept_under(operation: &Operation, path: &str) -> String {
    if operation.method == Method::GET {
        return String::new();
    }
    format!("{} {path}", operation.method)
}

/// Who asks. What needs nobody also answers those whose session has run out or who do not repeat
/// its CSRF token, as nobody: how else would they sign in again?
async fn identify(
    app: &App,
    operation: &Operation,
    parts: &Parts,
    origin: &Arc<opsflux_records::Origin>,
) -> Result<Option<Caller>, Error> {
    match app
        .identity
        .resolve(&parts.headers, &parts.method, origin)
        .await
    {
        Err(Error::Unauthenticated | Error::Forbidden { .. })
            if operation.needs == Needs::Nothing =>
        {
            Ok(None)
        }
        resolved => resolved,
    }
}

/// What must be allowed before the handler runs.
fn allow(operation: &Operation, caller: Option<&Caller>, served: &Served) -> Result<(), Error> {
    if operation.needs == Needs::Nothing {
        return Ok(());
    }
    let caller = caller.ok_or(Error::Unauthenticated)?;
    match operation.needs {
        Needs::Nothing | Needs::Session => Ok(()),
        Needs::Admin if caller.access.is_admin() => Ok(()),
        Needs::Admin => Err(Error::Forbidden {
            action: "manage".to_owned(),
            entity: operation.tag.clone(),
        }),
        Needs::Permission(entity, action) if caller.access.may(entity, action) => Ok(()),
        // Whoever sees no record of it does not learn that it exists.
        Needs::Permission(entity, _) if !caller.access.may(entity, opsflux_model::Action::View) => {
            Err(Error::NotFound)
        }
        Needs::Permission(entity, action) => Err(Error::Forbidden {
            action: opsflux_model::Action::NAMES
                .iter()
                .find(|(_, known)| *known == action)
                .map_or("manage", |(name, _)| name)
                .to_owned(),
            entity: served.schema.entity(entity).name.clone(),
        }),
    }
}

/// A stream of events is no answer to somebody who asked for something else: he would wait for
/// its end.
fn check_accept(operation: &Operation, parts: &Parts) -> Result<(), Refused> {
    let events = "text/event-stream";
    let is_stream = matches!(&operation.output, (_, Some((kind, _))) if kind == events);
    let accepted = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if !is_stream || accepted.is_some_and(|accepted| accepted.contains(events)) {
        return Ok(());
    }
    let problem =
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable").with("expected", events);
    Err(Refused::Problem(problem))
}

/// A key nobody could repeat is refused whatever the operation does with keys.
fn check_key(operation: &Operation, parts: &Parts) -> Result<(), Error> {
    let key = parts.headers.get(KEY_HEADER);
    match key.map(|key| key.len()) {
        Some(length)
            if operation.method == Method::POST && !(1..=LONGEST_KEY).contains(&length) =>
        {
            let detail = format!("1 to {LONGEST_KEY} characters");
            Err(Error::query("Idempotency-Key", "invalid_value", detail))
        }
        _ => Ok(()),
    }
}

/// Says what would have been understood.
fn understood(operation: &Operation, error: Error) -> Refused {
    match (&error, &operation.input) {
        (Error::UnsupportedMedia, Some((expected, _))) => {
            let name = if operation.method == Method::PATCH {
                "accept-patch"
            } else {
                "accept-post"
            };
            Refused::Problem(
                Problem::from(&error)
                    .with("expected", expected.as_str())
                    .header(header::HeaderName::from_static(name), expected),
            )
        }
        _ => Refused::Error(error),
    }
}
