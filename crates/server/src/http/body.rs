//! The body of a request: its kind, its size, its depth.

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Limited};
use opsflux_records::operation::Upload;
use opsflux_records::{Error, Operation};

/// How deep JSON may be nested.
const DEEPEST: usize = 64;

/// The content type of forms with files.
const FORM: &str = "multipart/form-data";

/// The two kinds of bodies.
pub enum Incoming {
    /// Read whole.
    Whole(Bytes),
    /// Read as it comes.
    Upload(Upload),
}

/// Reads the body `operation` expects.
///
/// # Errors
/// [`Error::UnsupportedMedia`], [`Error::TooLarge`], [`Error::BadBody`].
pub async fn read(
    operation: &Operation,
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
) -> Result<Incoming, Error> {
    let Some((expected, _)) = &operation.input else {
        return Ok(Incoming::Whole(Bytes::new()));
    };
    let sent = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or_default());
    if expected.starts_with(FORM) {
        let is_form = sent.is_some_and(|sent| essence(sent) == FORM);
        // Some take the same as JSON too, and say so.
        if !is_form && expected == FORM {
            return Err(Error::UnsupportedMedia);
        }
        if !is_form {
            return json(headers, body, sent, limits).await;
        }
        check_announced(headers, limits.upload)?;
        return Ok(Incoming::Upload(stream(body, limits.upload)));
    }
    json(headers, body, sent, limits).await
}

/// Reads a body of JSON whole.
async fn json(
    headers: &HeaderMap,
    body: Body,
    sent: Option<&str>,
    limits: Limits,
) -> Result<Incoming, Error> {
    check_announced(headers, limits.json)?;
    let whole = whole(body, limits.json).await?;
    match sent {
        Some(sent) if is_json(sent) => {}
        // Some actions need no body; then there is nothing to have a type.
        None if whole.is_empty() => {}
        _ => return Err(Error::UnsupportedMedia),
    }
    check_depth(&whole)?;
    Ok(Incoming::Whole(whole))
}

/// How large bodies may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// JSON.
    pub json: usize,
    /// Uploads.
    pub upload: usize,
}

fn too_large(limit: usize) -> Error {
    Error::TooLarge {
        limit: format!("{limit} B"),
    }
}

/// Refuses by the announced length, before a byte is read.
fn check_announced(headers: &HeaderMap, limit: usize) -> Result<(), Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        Err(too_large(limit))
    } else {
        Ok(())
    }
}

async fn whole(body: Body, limit: usize) -> Result<Bytes, Error> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(limit)),
        Err(error) => Err(Error::BadBody(error.to_string())),
    }
}

fn stream(body: Body, limit: usize) -> Upload {
    let mut read = 0_usize;
    let chunks = body
        .into_data_stream()
        .map(move |chunk| {
            let chunk = chunk.map_err(|error| Error::BadBody(error.to_string()))?;
            read = read.saturating_add(chunk.len());
            if read > limit {
                Err(too_large(limit))
            } else {
                Ok(chunk)
            }
        })
        .boxed();
    Upload::new(chunks)
}

/// The media type without its parameters.
fn essence(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn is_json(content_type: &str) -> bool {
    let known = ["application/json", "application/merge-patch+json"];
    let mut parameters = content_type
        .split(';')
        .skip(1)
        .map(|part| part.trim().to_ascii_lowercase());
    known.contains(&essence(content_type).as_str())
        && parameters.all(|part| match part.split_once('=') {
            Some(("charset", charset)) => charset.trim_matches('"') == "utf-8",
            _ => true,
        })
}

/// Refuses JSON nested deeper than anybody means it. One pass over the bytes, before anything is
/// parsed; whether it is JSON at all is the parser's question.
fn check_depth(json: &[u8]) -> Result<(), Error> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(Error::BadBody(format!("nested deeper than {DEEPEST}")));
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use serde_json::json;

    use super::*;
    use crate::http::test_support::operation;

    const LIMITS: Limits = Limits {
        json: 64,
        upload: 128,
    };

    async fn sent(kind: Option<&str>, body: impl Into<Body>) -> Result<Bytes, Error> {
        let mut create = operation("create", Method::POST, "/tickets");
        create.input = Some(("application/json".to_owned(), json!({})));
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_str(kind).expect("a header"),
            );
        }
        match read(&create, &headers, body.into(), LIMITS).await? {
            Incoming::Whole(bytes) => Ok(bytes),
            Incoming::Upload(_) => panic!("no upload"),
        }
    }

    #[tokio::test]
    async fn json_is_read_whatever_its_parameters() {
        for kind in [
            "application/json",
            "application/json; charset=UTF-8",
            "application/merge-patch+json",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert_eq!(sent(Some(kind), "{}").await.expect(kind), "{}");
        }
        assert!(sent(None, "").await.expect("no body").is_empty());
    }

    #[tokio::test]
    async fn other_kinds_are_not_understood() {
        for kind in [
            Some("text/plain"),
            Some("application/json; charset=latin1"),
            Some("application/x-www-form-urlencoded"),
            None,
        ] {
            assert!(
                matches!(sent(kind, "{}").await, Err(Error::UnsupportedMedia)),
                "{kind:?}"
            );
        }
    }

    #[tokio::test]
    async fn too_much_is_refused_announced_or_not() {
        let long = "x".repeat(65);
        assert!(matches!(
            sent(Some("application/json"), long.clone()).await,
            Err(Error::TooLarge { .. })
        ));
        let chunks = futures::stream::iter([Ok::<_, std::io::Error>(long.clone()), Ok(long)]);
        let unannounced = sent(Some("application/json"), Body::from_stream(chunks)).await;
        assert!(matches!(unannounced, Err(Error::TooLarge { .. })));
    }

    #[tokio::test]
    async fn an_upload_is_cut_off_where_the_limit_is() {
        let mut attach = operation("attach", Method::POST, "/files");
        attach.input = Some(("multipart/form-data".to_owned(), json!({})));
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("multipart/form-data; boundary=x"),
        );
        let chunks = (0..4).map(|_| Ok::<_, std::io::Error>("y".repeat(40)));
        let body = Body::from_stream(futures::stream::iter(chunks));
        let Ok(Incoming::Upload(upload)) = read(&attach, &headers, body, LIMITS).await else {
            panic!("an upload")
        };
        let read: Vec<Result<Bytes, Error>> = upload.into_chunks().collect().await;
        assert!(read[..3].iter().all(Result::is_ok));
        assert!(matches!(read[3], Err(Error::TooLarge { .. })));
    }

    #[test]
    fn depth_is_counted_outside_of_texts() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check_depth(nested(64).as_bytes()).is_ok());
        assert!(check_depth(nested(65).as_bytes()).is_err());
        let text = format!("[\"\\\"{}\", {{}}]", "[".repeat(100));
        assert!(check_depth(text.as_bytes()).is_ok());
        let wide = format!("[{}]", "[],".repeat(1000));
        assert!(check_depth(wide.as_bytes()).is_ok());
    }
}
