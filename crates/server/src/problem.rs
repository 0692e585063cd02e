//! Refusals as RFC 9457 problem documents: the one place that knows status, type and words.
//!
//! What must never be here: causes. What went wrong inside is logged, never told.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use opsflux_records::{ConflictKind, Error, FieldError, Language};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use crate::words::Words;

/// The content type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client waits when the database does not answer.
const RETRY_WHEN_UNAVAILABLE: u64 = 5;

/// A refusal, before it is put into words.
#[derive(Debug)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Last part of the type; stable.
    pub code: &'static str,
    /// What the words mention.
    params: Map<String, Json>,
    /// Words of a module instead of the problem's own: key under `errors`.
    said_by: Option<String>,
    /// What the problem has besides the standard members.
    members: Map<String, Json>,
    /// Fields that are wrong.
    fields: Vec<FieldError>,
    /// The record as it is now, already JSON.
    current: Option<Vec<u8>>,
    /// What is wrong with one operation of a bulk.
    inner: Option<Box<Problem>>,
    /// Headers that go with it.
    pub headers: HeaderMap,
}

/// What a problem document says about the request.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// Where words are found.
    pub words: &'a Words,
    /// In which language.
    pub language: Language,
    /// The path of the request.
    pub instance: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
}

impl Problem {
    /// A problem with words that mention nothing.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str) -> Problem {
        Problem {
            status,
            code,
            params: Map::new(),
            said_by: None,
            members: Map::new(),
            fields: Vec::new(),
            current: None,
            inner: None,
            headers: HeaderMap::new(),
        }
    }

    /// The same, mentioning something.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Problem {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a member for programs.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Json>) -> Problem {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Problem {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    fn retry_after(self, seconds: u64) -> Problem {
        self.header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Whether it is our fault: worth a line in the log.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    /// The document.
    #[must_use]
    pub fn document(&self, telling: &Telling<'_>) -> Vec<u8> {
        let mut document = self.members(telling);
        document.insert("instance".to_owned(), telling.instance.into());
        document.insert("request_id".to_owned(), telling.request_id.into());
        let Some(current) = &self.current else {
            return Json::Object(document).to_string().into_bytes();
        };
        // The record is JSON already and may hold decimals no parser of ours should touch.
        let raw = std::str::from_utf8(current)
            .ok()
            .and_then(|text| RawValue::from_string(text.to_owned()).ok());
        let mut written = Json::Object(document).to_string();
        if let Some(raw) = raw {
            written.pop();
            written.push_str(",\"current\":");
            written.push_str(raw.get());
            written.push('}');
        }
        written.into_bytes()
    }

    /// The document without what only the outermost one says.
    #[must_use]
    pub fn members(&self, telling: &Telling<'_>) -> Map<String, Json> {
        let mut document = self.members.clone();
        let errors: Vec<Json> = self
            .fields
            .iter()
            .map(|field| field_document(field, telling))
            .collect();
        let reason = self.inner.as_ref().map(|inner| inner.members(telling));
        let mut params = self.params.clone();
        params.insert("request_id".to_owned(), telling.request_id.into());
        if let Some(inner) = &reason {
            params.insert(
                "reason".to_owned(),
                inner.get("detail").cloned().unwrap_or_default(),
            );
        }
        self.translate(&mut params, telling);
        let say = |part| {
            telling
                .words
                .say(telling.language, &["problems", self.code, part], &params)
        };
        let said = self.said_by.as_ref().and_then(|key| {
            telling
                .words
                .say(telling.language, &["errors", key.as_str()], &self.params)
        });
        document.insert("type".to_owned(), format!("/problems/{}", self.code).into());
        document.insert("title".to_owned(), say("title").unwrap_or_default().into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        document.insert(
            "detail".to_owned(),
            said.or_else(|| say("detail")).unwrap_or_default().into(),
        );
        if !errors.is_empty() {
            document.insert("errors".to_owned(), errors.into());
        }
        if let Some(inner) = reason {
            document.insert("problem".to_owned(), inner.into());
        }
        document
    }

    /// Codes among the params become words.
    fn translate(&self, params: &mut Map<String, Json>, telling: &Telling<'_>) {
        let word = |path: &[&str]| telling.words.text(telling.language, path).map(Json::from);
        if let Some(action) = self.params.get("action").and_then(Json::as_str)
            && let Some(text) = word(&["actions", action])
        {
            params.insert("action".to_owned(), text);
        }
        if let Some(entity) = self.params.get("entity").and_then(Json::as_str)
            && let Some(text) = word(&["entities", entity, "one"])
        {
            params.insert("entity".to_owned(), text);
        }
        if let Some(code) = self.params.get("query_code").and_then(Json::as_str) {
            let reason = word(&["query", code]).or_else(|| word(&["query", "other"]));
            let detail = self
                .params
                .get("reason")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let reason = reason.as_ref().and_then(Json::as_str).unwrap_or_default();
            let said = match expected(named(detail), telling) {
                "" => reason.to_owned(),
                detail => format!("{reason} ({detail})"),
            };
            params.insert("reason".to_owned(), said.into());
        }
    }
}

/// What a detail speaks of: the name in quotation marks, where the sentence around it says in
/// English what the words of the problem say in the language of the caller.
fn named(detail: &str) -> &str {
    let quoted = detail
        .split_once('“')
        .and_then(|(_, rest)| rest.split_once('”'));
    quoted.map_or(detail, |(name, _)| name)
}

/// What was expected, in the language where that is a phrase and not a limit or a format.
fn expected<'a>(detail: &'a str, telling: &'a Telling<'_>) -> &'a str {
    telling
        .words
        .text(telling.language, &["expected", detail])
        .unwrap_or(detail)
}

fn field_document(field: &FieldError, telling: &Telling<'_>) -> Json {
    let mut params = Map::new();
    params.insert(
        "expected".to_owned(),
        expected(&field.detail, telling).into(),
    );
    let say = |code| {
        telling
            .words
            .say(telling.language, &["fields", code], &params)
    };
    // Codes of modules have their words among the errors of the module.
    let message = say(field.code.as_str())
        .or_else(|| {
            telling
                .words
                .say(telling.language, &["errors", &field.code], &params)
        })
        .or_else(|| say("other"))
        .unwrap_or_default();
    json!({"field": field.field, "code": field.code, "message": message.trim()})
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        match error {
            Error::NotFound => Problem::new(StatusCode::NOT_FOUND, "not_found"),
            Error::Unauthenticated => Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated")
                .header(header::WWW_AUTHENTICATE, "Bearer"),
            Error::Forbidden { entity, .. } if entity == opsflux_identity::CSRF => {
                Problem::new(StatusCode::FORBIDDEN, "csrf")
            }
            Error::Forbidden { action, entity } => Problem::new(StatusCode::FORBIDDEN, "forbidden")
                .with("action", action.as_str())
                .with("entity", entity.as_str()),
            Error::BadQuery {
                parameter,
                code,
                detail,
            } => Problem::new(StatusCode::BAD_REQUEST, "invalid_query")
                .with("parameter", parameter.as_str())
                .with("query_code", *code)
                .with("reason", detail.as_str())
                .member("parameter", parameter.as_str())
                .member("code", *code),
            Error::BadBody(reason) => Problem::new(StatusCode::BAD_REQUEST, "invalid_body")
                .with("reason", reason.as_str()),
            Error::Invalid(fields) => invalid(fields),
            Error::Bulk { index, error } => bulk(*index, Problem::from(&**error)),
            Error::Precondition { version, current } => {
                let mut problem = Problem::new(StatusCode::PRECONDITION_FAILED, "version")
                    .with("version", *version)
                    .header(header::ETAG, &format!("\"{version}\""));
                problem.current = Some(current.clone());
                problem
            }
            Error::Conflict(kind) => conflict(kind),
            Error::Refused {
                code,
                params,
                field,
            } => refused(code, params, field.as_deref()),
            Error::TooLarge { limit } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large")
                .with("limit", limit.as_str()),
            Error::UnsupportedMedia => {
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media")
            }
            Error::TooMany { retry_after } => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many")
                    .with("count", *retry_after)
                    .retry_after(*retry_after)
            }
            Error::Resync => Problem::new(StatusCode::GONE, "resync"),
            Error::Unavailable(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                .retry_after(RETRY_WHEN_UNAVAILABLE),
            Error::Timeout => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout")
                .retry_after(RETRY_WHEN_UNAVAILABLE),
            Error::Internal(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

fn invalid(fields: &[FieldError]) -> Problem {
    let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    let mut problem =
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid").with("fields", names.join(", "));
    problem.fields = fields.to_vec();
    problem
}

/// One operation is wrong: the bulk answers 422 whatever the operation alone would have answered,
/// and says that answer inside.
fn bulk(index: usize, inner: Problem) -> Problem {
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bulk")
        .with("index", index)
        .member("index", index);
    problem.fields = inner
        .fields
        .iter()
        .map(|field| FieldError {
            field: format!("operations[{index}].data.{}", field.field),
            ..field.clone()
        })
        .collect();
    problem.inner = Some(Box::new(inner));
    problem
}

fn refused(code: &str, params: &Map<String, Json>, field: Option<&str>) -> Problem {
    let status = if field.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::CONFLICT
    };
    let mut problem = Problem::new(status, "refused").member("code", code);
    problem.params = params.clone();
    problem.said_by = Some(code.to_owned());
    problem.fields = field
        .map(|field| FieldError::new(field, code, ""))
        .into_iter()
        .collect();
    problem
}

fn conflict(kind: &ConflictKind) -> Problem {
    let new = |code| Problem::new(StatusCode::CONFLICT, code);
    match kind {
        ConflictKind::Merge(conflicts) => {
            let names: Vec<&str> = conflicts.iter().map(|c| c.field.as_str()).collect();
            let sides: Vec<Json> = conflicts
                .iter()
                .map(|c| json!({"field": c.field, "base": c.base, "yours": c.yours, "theirs": c.theirs}))
                .collect();
            new("edit_conflict")
                .with("fields", names.join(", "))
                .member("conflicts", sides)
        }
        ConflictKind::Unique { fields } => {
            let mut problem = new("unique").with("fields", fields.join(", "));
            problem.fields = fields
                .iter()
                .map(|field| FieldError::new(field, "unique", ""))
                .collect();
            problem
        }
        ConflictKind::State { field, allowed } => new("state_not_allowed")
            .with("allowed", allowed.join(", "))
            .member("field", field.as_str())
            .member("allowed", allowed.clone()),
        ConflictKind::Guard { name } => {
            let mut problem = new("guard")
                .with("name", name.as_str())
                .member("guard", name.as_str());
            problem.said_by = Some(name.clone());
            problem
        }
        ConflictKind::Referenced {
            entity,
            field,
            count,
        } => new("referenced")
            .with("entity", entity.as_str())
            .with("count", *count)
            .member("entity", entity.as_str())
            .member("field", field.as_str())
            .member("count", *count),
        ConflictKind::DeletedOwner { field } => new("deleted_owner")
            .with("field", field.as_str())
            .member("field", field.as_str()),
        ConflictKind::Confirm {
            code,
            params,
            token,
        } => {
            let mut problem = new("confirmation_required")
                .member("code", code.as_str())
                .member("confirm_token", token.as_str());
            problem.params = params.clone();
            problem.said_by = Some(code.clone());
            problem
        }
        ConflictKind::IdTaken => new("id_taken"),
        ConflictKind::InProgress => new("in_progress").retry_after(1),
        ConflictKind::AlreadyDone => new("already_done"),
        ConflictKind::Busy => new("busy").retry_after(1),
    }
}

/// The cause of a failure on our side, for the log.
#[must_use]
pub fn cause(error: &Error) -> Option<&str> {
    match error {
        Error::Internal(cause) | Error::Unavailable(cause) => Some(cause),
        Error::Timeout => Some("the query used up its time"),
        Error::Bulk { error, .. } => cause(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
