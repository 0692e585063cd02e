//! A reply as HTTP: conditions, compression, caching.

use std::io::Write;

use axum::body::Body;
use axum::response::Response;
use futures::TryStreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use opsflux_records::operation::Body as ReplyBody;
use opsflux_records::write::BulkResult;
use opsflux_records::{Error, Reply};

use crate::problem::{self, Problem, Telling};

/// JSON shorter than this is sent as it is: compressing costs more than it saves.
const WORTH_COMPRESSING: usize = 1024;

/// What a client can unpack, best for answers made on the fly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Zstandard.
    Zstd,
    /// Gzip.
    Gzip,
}

impl Encoding {
    /// The best one a client accepts; `None` to send the bytes as they are.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Option<Encoding> {
        let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
        let allows = |name: &str| {
            accepted.split(',').any(|part| {
                let mut words = part.split(';').map(str::trim);
                let named = words
                    .next()
                    .is_some_and(|word| word.eq_ignore_ascii_case(name));
                named && !words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        if allows("zstd") {
            Some(Encoding::Zstd)
        } else if allows("gzip") {
            Some(Encoding::Gzip)
        } else {
            None
        }
    }

    /// Its name in `Content-Encoding`.
    #[must_use]
    pub fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Encoding::Zstd => "zstd",
            Encoding::Gzip => "gzip",
        })
    }

    /// Packs `bytes`: quickly for an answer, tightly for an asset that is kept.
    ///
    /// # Errors
    /// When the encoder refuses.
    pub fn pack(self, bytes: &[u8], tightly: bool) -> std::io::Result<Vec<u8>> {
        match self {
            Encoding::Zstd => zstd::bulk::compress(bytes, if tightly { 19 } else { 1 }),
            Encoding::Gzip => {
                let level = if tightly {
                    flate2::Compression::best()
                } else {
                    flate2::Compression::fast()
                };
                let packed = Vec::with_capacity(bytes.len() / 3);
                let mut encoder = flate2::write::GzEncoder::new(packed, level);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}

/// What an answer hangs on besides the reply. Taken from a request before its handler takes the
/// headers away.
#[derive(Debug, Default)]
pub struct Wanted {
    encoding: Option<Encoding>,
    /// What `If-None-Match` names, when it is a read.
    known: Vec<HeaderValue>,
}

impl Wanted {
    /// Reads the headers of a request.
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap) -> Wanted {
        let known = if *method == Method::GET {
            headers
                .get_all(header::IF_NONE_MATCH)
                .iter()
                .cloned()
                .collect()
        } else {
            Vec::new()
        };
        Wanted {
            encoding: Encoding::accepted(headers),
            known,
        }
    }
}

/// Turns the reply of an operation into the answer to a request.
#[must_use]
pub fn reply(wanted: &Wanted, reply: Reply, telling: &Telling<'_>) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = reply.status;
    for (name, value) in reply.headers {
        answer.headers_mut().append(name, value);
    }
    let tagged = answer.headers().get(header::ETAG).cloned();
    if let Some(tag) = &tagged
        && reply.status == StatusCode::OK
        && names(&wanted.known, tag)
    {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    // What depends on rights is nobody else's to keep; a tag lets the same person ask cheaply.
    let caching = if tagged.is_some() {
        "private, no-cache"
    } else {
        "no-store"
    };
    answer
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(caching));
    match reply.body {
        ReplyBody::Empty => {}
        ReplyBody::Json(bytes) => json(&mut answer, wanted.encoding, bytes),
        ReplyBody::Bulk(results) => json(&mut answer, wanted.encoding, bulk(&results, telling)),
        ReplyBody::Stream(kind, stream) => {
            if let Ok(kind) = HeaderValue::from_str(&kind) {
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            // The status is sent; all that is left is to break off, so that nobody takes half a
            // file for a whole one.
            let stream = stream.map_err(|error| {
                tracing::warn!(%error, "an answer was broken off");
                std::io::Error::other(error.to_string())
            });
            *answer.body_mut() = Body::from_stream(stream);
        }
    }
    answer
}

/// The results of a bulk in order, with the problems put into words.
fn bulk(results: &[BulkResult], telling: &Telling<'_>) -> Vec<u8> {
    let mut body = b"{\"results\":[".to_vec();
    for (place, result) in results.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        match result {
            BulkResult::Done(status, record) => {
                body.extend_from_slice(format!("{{\"status\":{status},\"record\":").as_bytes());
                body.extend_from_slice(record.as_deref().unwrap_or(b"null"));
                body.push(b'}');
            }
            BulkResult::Failed(error) => {
                log(error, telling);
                let problem = Problem::from(error);
                let status = problem.status.as_u16();
                body.extend_from_slice(format!("{{\"status\":{status},\"problem\":").as_bytes());
                body.extend(problem.document(telling));
                body.push(b'}');
            }
        }
    }
    body.extend_from_slice(b"]}");
    body
}

fn json(answer: &mut Response, encoding: Option<Encoding>, bytes: Vec<u8>) {
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if bytes.len() < WORTH_COMPRESSING {
        *answer.body_mut() = Body::from(bytes);
        return;
    }
    answer
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let packed = encoding.and_then(|encoding| {
        encoding
            .pack(&bytes, false)
            .ok()
            .map(|packed| (encoding, packed))
    });
    match packed {
        Some((encoding, packed)) => {
            answer
                .headers_mut()
                .insert(header::CONTENT_ENCODING, encoding.name());
            *answer.body_mut() = Body::from(packed);
        }
        None => *answer.body_mut() = Body::from(bytes),
    }
}

/// Whether `If-None-Match` names the tag.
#[must_use]
pub fn knows(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    names(headers.get_all(header::IF_NONE_MATCH), tag)
}

fn names<'v>(known: impl IntoIterator<Item = &'v HeaderValue>, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    known
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known == tag.trim_start_matches("W/"))
}

/// Turns a refusal into the answer to a request; what is our fault gets a line in the log.
#[must_use]
pub fn problem(problem: Problem, telling: &Telling<'_>) -> Response {
    let mut answer = Response::new(Body::from(problem.document(telling)));
    *answer.status_mut() = problem.status;
    *answer.headers_mut() = problem.headers;
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(problem::MEDIA_TYPE),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(language) = HeaderValue::from_str(telling.language.code()) {
        headers.insert(header::CONTENT_LANGUAGE, language);
    }
    answer
}

/// Turns an error into the answer to a request.
#[must_use]
pub fn error(error: &Error, telling: &Telling<'_>) -> Response {
    log(error, telling);
    problem(Problem::from(error), telling)
}

/// What is our fault gets a line with its cause, under the id the person is told.
fn log(error: &Error, telling: &Telling<'_>) {
    if let Some(cause) = problem::cause(error) {
        tracing::error!(path = telling.instance, cause, "a request failed");
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn answered(method: &Method, headers: &HeaderMap, sent: Reply) -> Response {
        let words = crate::words::Words::new(&opsflux_model::Schema::default()).expect("words");
        let telling = Telling {
            words: &words,
            language: opsflux_records::Language::En,
            instance: "/x",
            request_id: "r",
        };
        reply(&Wanted::of(method, headers), sent, &telling)
    }

    fn record() -> Reply {
        Reply::json(b"{}".to_vec()).with_header("etag", "\"3\"")
    }

    #[test]
    fn a_record_that_did_not_change_is_not_sent_again() {
        for known in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
            let answer = answered(
                &Method::GET,
                &headers(header::IF_NONE_MATCH, known),
                record(),
            );
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(answer.headers()[header::ETAG], "\"3\"");
        }
        let changed = answered(
            &Method::GET,
            &headers(header::IF_NONE_MATCH, "\"2\""),
            record(),
        );
        assert_eq!(changed.status(), StatusCode::OK);
        assert_eq!(
            changed.headers()[header::CACHE_CONTROL],
            "private, no-cache"
        );
        let patch = answered(
            &Method::PATCH,
            &headers(header::IF_NONE_MATCH, "\"3\""),
            record(),
        );
        assert_eq!(patch.status(), StatusCode::OK);
    }

    #[test]
    fn the_best_encoding_that_is_accepted_is_taken() {
        let accepted = |value| Encoding::accepted(&headers(header::ACCEPT_ENCODING, value));
        assert_eq!(accepted("gzip, deflate, br, zstd"), Some(Encoding::Zstd));
        assert_eq!(accepted("gzip"), Some(Encoding::Gzip));
        assert_eq!(accepted("zstd;q=0, gzip;q=0.5"), Some(Encoding::Gzip));
        assert_eq!(accepted("identity"), None);
        assert_eq!(Encoding::accepted(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn problems_in_a_bulk_are_put_into_words() {
        let results = vec![
            BulkResult::Done(200, Some(br#"{"id":"1"}"#.to_vec())),
            BulkResult::Done(204, None),
            BulkResult::Failed(Error::NotFound),
        ];
        let sent = Reply {
            body: ReplyBody::Bulk(results),
            ..Reply::empty()
        };
        let answer = answered(&Method::POST, &HeaderMap::new(), sent);
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let read: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(read["results"][0]["record"]["id"], "1");
        assert_eq!(read["results"][1]["record"], serde_json::Value::Null);
        assert_eq!(read["results"][2]["status"], 404);
        assert_eq!(read["results"][2]["problem"]["title"], "Not found");
    }

    #[tokio::test]
    async fn long_json_is_packed_and_short_json_is_not() {
        let long = format!("\"{}\"", "abc".repeat(1000)).into_bytes();
        for (name, unpack) in [
            (
                "gzip",
                (|packed: &[u8]| {
                    let mut unpacked = Vec::new();
                    let mut decoder = flate2::read::GzDecoder::new(packed);
                    std::io::Read::read_to_end(&mut decoder, &mut unpacked).expect("gzip");
                    unpacked
                }) as fn(&[u8]) -> Vec<u8>,
            ),
            ("zstd", |packed| {
                zstd::bulk::decompress(packed, 1 << 20).expect("zstd")
            }),
        ] {
            let asked = headers(header::ACCEPT_ENCODING, name);
            let answer = answered(&Method::GET, &asked, Reply::json(long.clone()));
            assert_eq!(answer.headers()[header::CONTENT_ENCODING], name);
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
            let body = answer
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            assert!(body.len() < long.len() / 4);
            assert_eq!(unpack(&body), long);
            let short = answered(&Method::GET, &asked, Reply::json(b"{}".to_vec()));
            assert!(!short.headers().contains_key(header::CONTENT_ENCODING));
        }
    }
}
