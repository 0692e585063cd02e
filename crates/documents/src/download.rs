//! The content of a file, whole or in part.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};
use opsflux_model::schema::EntityIx;
use opsflux_model::{Action, FieldRight, Value};
use opsflux_records::{Body, Call, Error, Needs, Operation, Records, Reply};
use serde_json::json;

use crate::blobs::{Blob, Blobs};
use crate::{FILE, handler};

pub(crate) fn operations(records: &Records, blobs: &Arc<Blobs>) -> Vec<Operation> {
    let Some(file) = records.schema().find(FILE) else {
        return Vec::new();
    };
    let (records, blobs) = (records.clone(), blobs.clone());
    vec![Operation {
        name: "file_content".to_owned(),
        method: Method::GET,
        path: "/files/{id}/content".to_owned(),
        summary: "The bytes of a file".to_owned(),
        tag: "files".to_owned(),
        needs: Needs::Permission(file, Action::View),
        query: Vec::new(),
        input: None,
        output: (
            StatusCode::OK,
            Some((
                "application/octet-stream".to_owned(),
                json!({"type": "string", "format": "binary"}),
            )),
        ),
        problems: vec![StatusCode::NOT_FOUND, StatusCode::RANGE_NOT_SATISFIABLE],
        handler: handler(move |call| {
            let (records, blobs) = (records.clone(), blobs.clone());
            async move { content(&records, &blobs, file, &call).await }
        }),
    }]
}

async fn content(
    records: &Records,
    blobs: &Blobs,
    entity: EntityIx,
    call: &Call,
) -> Result<Reply, Error> {
    let caller = call.caller()?;
    let id = records.resolve(caller, entity, call.path(0)).await?;
    let found = records
        .snapshot(caller.tenant(), entity, id)
        .await?
        .ok_or(Error::NotFound)?;
    let schema = records.schema();
    let text = |name: &str| {
        found
            .get(&schema, name)
            .as_text()
            .unwrap_or_default()
            .to_owned()
    };
    let declared = schema.entity(entity);
    let names = declared
        .find("name")
        .is_some_and(|field| caller.access.field(entity, field) >= FieldRight::Read);
    let (name, kind, sha256) = (text("name"), text("media_type"), text("sha256"));
    let size = match found.get(&schema, "size") {
        Value::Int(size) => u64::try_from(*size).unwrap_or_default(),
        _ => return Err(Error::NotFound),
    };
    let etag = format!("\"{sha256}\"");
    let reply = |status| Reply {
        status,
        headers: Vec::new(),
        body: Body::Empty,
    };
    if call
        .header("if-none-match")
        .is_some_and(|known| known == etag)
    {
        return Ok(reply(StatusCode::NOT_MODIFIED).with_header("etag", &etag));
    }
    let Ok((from, until)) = range(call.header("range"), size) else {
        let total = format!("bytes */{size}");
        let refused = reply(StatusCode::RANGE_NOT_SATISFIABLE);
        return Ok(refused.with_header("content-range", &total));
    };
    let blob = blobs
        .read(caller.tenant(), &sha256)
        .await
        .map_err(|error| Error::Internal(format!("the bytes of file {id}: {error}")))?;
    let whole = from == 0 && until == size;
    let mut reply = reply(if whole {
        StatusCode::OK
    } else {
        StatusCode::PARTIAL_CONTENT
    });
    reply.body = Body::Stream(kind.clone(), Box::pin(chunks(blob, from, until)));
    if !whole {
        let last = until.saturating_sub(1);
        reply = reply.with_header("content-range", &format!("bytes {from}-{last}/{size}"));
    }
    Ok(reply
        .with_header("etag", &etag)
        .with_header("accept-ranges", "bytes")
        .with_header("content-length", &(until - from).to_string())
        .with_header("cache-control", "private, max-age=0, must-revalidate")
        .with_header("x-content-type-options", "nosniff")
        // Whatever a file contains, a browser runs none of it in our name.
        .with_header("content-security-policy", "default-src 'none'; sandbox")
        .with_header(
            "content-disposition",
            &disposition(names.then_some(name.as_str()), &kind),
        ))
}

/// Shown in the browser when that is harmless, saved otherwise; under its name when that may be
/// known.
fn disposition(name: Option<&str>, kind: &str) -> String {
    let shown = matches!(
        kind,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    ) || matches!(kind, "application/pdf" | "text/plain");
    let way = if shown { "inline" } else { "attachment" };
    let Some(name) = name else {
        return way.to_owned();
    };
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("{way}; filename*=UTF-8''{encoded}")
}

/// The part asked for as `from..until`; the whole without a range, or with several, which need
/// not be honoured.
fn range(header: Option<&str>, size: u64) -> Result<(u64, u64), ()> {
    let asked = header.and_then(|header| header.strip_prefix("bytes="));
    let Some((from, until)) = asked
        .filter(|a| !a.contains(','))
        .and_then(|a| a.split_once('-'))
    else {
        return Ok((0, size));
    };
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| ());
    let (from, until) = match (from.trim(), until.trim()) {
        ("", last) => (size.saturating_sub(number(last)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => (number(first)?, number(last)?.saturating_add(1).min(size)),
    };
    if from < until {
        Ok((from, until))
    } else {
        Err(())
    }
}

/// The bytes `from..until`, as they are asked for.
fn chunks(blob: Blob, from: u64, until: u64) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold((blob, from), move |(mut blob, at)| async move {
        if at >= until {
            return Ok(None);
        }
        let part = blob.part(at, until).await.map_err(refused)?;
        if part.is_empty() {
            return Err(Error::Internal(
                "a file is shorter than its record says".to_owned(),
            ));
        }
        let next = at + part.len() as u64;
        Ok(Some((part, (blob, next))))
    })
}

/// A disk that refuses may come back; what is damaged does not.
fn refused(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::Internal(error.to_string()),
        _ => Error::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        assert_eq!(range(None, 10), Ok((0, 10)));
        assert_eq!(range(Some("bytes=2-4"), 10), Ok((2, 5)));
        assert_eq!(range(Some("bytes=7-"), 10), Ok((7, 10)));
        assert_eq!(range(Some("bytes=-3"), 10), Ok((7, 10)));
        assert_eq!(range(Some("bytes=0-99"), 10), Ok((0, 10)));
        assert_eq!(range(Some("bytes=0-1,4-5"), 10), Ok((0, 10)));
        assert_eq!(range(Some("bytes=10-"), 10), Err(()));
        assert_eq!(range(Some("bytes=5-2"), 10), Err(()));
        assert_eq!(range(Some("bytes=x-2"), 10), Err(()));
    }

    #[test]
    fn only_harmless_types_are_shown() {
        assert_eq!(
            disposition(Some("été.png"), "image/png"),
            "inline; filename*=UTF-8''%C3%A9t%C3%A9.png"
        );
        assert!(disposition(Some("x.svg"), "image/svg+xml").starts_with("attachment"));
        assert!(disposition(Some("a\"\r\nb"), "text/html").ends_with("a%22%0D%0Ab"));
    }
}
