//! Refusals as RFC 9457 problem documents: the one place that knows status, type and words.
//!
//! What must never be here: causes. What went wrong inside is logged, never told.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use opsflux_records::{Error, FieldError, Language};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use crate::words::Words;
use phrase::{number, phrase};

mod phrase;
mod refusals;

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
        let said = self
            .said_by
            .as_ref()
            .and_then(|key| self.said_by_others(key, telling));
        let errors: Vec<Json> = self
            .fields
            .iter()
            .map(|field| {
                let mut document = field_document(field, telling);
                // What a rule says of one field it says of the whole, with what it mentions.
                if let (Some(said), true) = (&said, self.said_by.as_ref() == Some(&field.code)) {
                    document["message"] = said.as_str().into();
                }
                document
            })
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
        document.insert("type".to_owned(), format!("/problems/{}", self.code).into());
        document.insert("title".to_owned(), say("title").unwrap_or_default().into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        let detail = said.or_else(|| say("detail")).unwrap_or_default();
        // A colon that nothing follows: what would have is not known in this language.
        let detail = detail.trim_end_matches([':', ' ', '\u{a0}']);
        document.insert("detail".to_owned(), detail.into());
        if !errors.is_empty() {
            document.insert("errors".to_owned(), errors.into());
        }
        if let Some(inner) = reason {
            document.insert("problem".to_owned(), inner.into());
        }
        document
    }

    /// The words of the module that refuses, or of the guard that did not hold: the last part of a
    /// guard's name says which, the first the field it is about.
    fn said_by_others(&self, key: &str, telling: &Telling<'_>) -> Option<String> {
        let say = |path: &[&str], params: &Map<String, Json>| {
            telling.words.say(telling.language, path, params)
        };
        say(&["errors", key], &self.params).or_else(|| {
            let (field, guard) = key.rsplit_once('.').unwrap_or(("", key));
            let field = Map::from_iter([("field".to_owned(), field.into())]);
            say(&["guards", guard], &field)
        })
    }

    /// Codes and phrases among the params become words.
    fn translate(&self, params: &mut Map<String, Json>, telling: &Telling<'_>) {
        let word = |path: &[&str]| telling.words.text(telling.language, path);
        let given = |name: &str| self.params.get(name).and_then(Json::as_str);
        let told = |detail: &str| phrase(telling.words, telling.language, detail);
        let action = given("action").and_then(|action| word(&["actions", action]));
        let entity = given("entity").and_then(|entity| word(&["entities", entity, "one"]));
        for (name, said) in [("action", action), ("entity", entity)] {
            if let Some(said) = said {
                params.insert(name.to_owned(), said.into());
            }
        }
        if let Some(limit) = given("limit") {
            params.insert("limit".to_owned(), told(limit).into());
        }
        let Some(detail) = given("reason").map(told) else {
            return;
        };
        let said = match given("query_code") {
            None => detail,
            Some(code) => {
                let reason = word(&["query", code]).or_else(|| word(&["query", "other"]));
                match (reason.unwrap_or_default(), detail.as_str()) {
                    (reason, "") => reason.to_owned(),
                    (reason, detail) => format!("{reason} ({detail})"),
                }
            }
        };
        params.insert("reason".to_owned(), said.into());
    }
}

fn field_document(field: &FieldError, telling: &Telling<'_>) -> Json {
    let mut params = Map::new();
    let expected = phrase(telling.words, telling.language, &field.detail);
    params.insert("expected".to_owned(), expected.into());
    if let Some(number) = number(&field.detail) {
        params.insert("number".to_owned(), number.into());
    }
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

/// The cause of a failure on our side, for the log.
#[must_use]
pub fn cause(error: &Error) -> Option<&str> {
    match error {
        Error::Internal(cause) | Error::Unavailable(cause) | Error::ReadOnly(cause) => Some(cause),
        Error::Timeout => Some("the query used up its time"),
        Error::Bulk { error, .. } => cause(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
