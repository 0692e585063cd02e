//! Attaching files to a record, and the list of them.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures::StreamExt;
use http::{Method, StatusCode};
use opsflux_model::schema::{Entity, EntityIx, FieldIx};
use opsflux_model::{Action, Value};
use opsflux_records::entity::KEY_HEADER;
use opsflux_records::read::{GetRequest, ListRequest, Nested};
use opsflux_records::{Call, Caller, Error, Needs, Operation, Records, Reply, WriteOptions};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::blobs::{BlobError, Blobs, Stored};
use crate::{FILE, TARGET, handler};

/// Largest file.
const MAX_SIZE: u64 = 100 * 1024 * 1024;
/// Most files in one request.
const MAX_FILES: usize = 50;

#[derive(Clone)]
struct Room {
    records: Records,
    blobs: Arc<Blobs>,
    /// The entity that holds the files.
    holder: EntityIx,
    /// The entity of files.
    file: EntityIx,
    /// Its link to the holder.
    via: FieldIx,
}

pub(crate) fn operations(records: &Records, blobs: &Arc<Blobs>) -> Vec<Operation> {
    let schema = records.schema();
    let Some(file) = schema.find(FILE) else {
        return Vec::new();
    };
    let Some(via) = schema.entity(file).find(TARGET) else {
        return Vec::new();
    };
    let holders = schema.iter().filter(|(_, entity)| entity.files);
    holders
        .flat_map(|(holder, entity)| {
            let (records, blobs) = (records.clone(), blobs.clone());
            let room = Room {
                records,
                blobs,
                holder,
                file,
                via,
            };
            [list(room.clone(), entity), attach(room, entity)]
        })
        .collect()
}

fn list(room: Room, entity: &Entity) -> Operation {
    Operation {
        name: format!("{}_files", entity.name),
        method: Method::GET,
        path: format!("/{}/{{id}}/files", entity.collection),
        summary: "The files a record holds".to_owned(),
        tag: entity.collection.clone(),
        needs: Needs::Permission(room.holder, Action::View),
        query: vec![
            (
                "limit".to_owned(),
                json!({"type": "integer", "minimum": 1, "maximum": 500}),
                "Rows".to_owned(),
            ),
            (
                "cursor".to_owned(),
                json!({"type": "string"}),
                "next_cursor of the page before".to_owned(),
            ),
        ],
        input: None,
        output: (
            StatusCode::OK,
            Some((
                "application/json".to_owned(),
                json!({"$ref": "#/components/schemas/FilePage"}),
            )),
        ),
        problems: vec![StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
        handler: handler(move |call| {
            let room = room.clone();
            async move {
                let caller = call.caller()?;
                let id = room
                    .records
                    .resolve(caller, room.holder, call.path(0))
                    .await?;
                let schema = room.records.schema();
                let mut request = ListRequest::from_query(schema.entity(room.file), &call.query)?;
                request.nested = Some(Nested {
                    via: room.via,
                    to: room.holder,
                    id,
                });
                Ok(Reply::json(
                    room.records.list(caller, room.file, &request).await?,
                ))
            }
        }),
    }
}

fn attach(room: Room, entity: &Entity) -> Operation {
    let part =
        json!({"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1});
    Operation {
        name: format!("{}_attach", entity.name),
        method: Method::POST,
        path: format!("/{}/{{id}}/files", entity.collection),
        summary: "Attach files, 100 MB each at most".to_owned(),
        tag: entity.collection.clone(),
        needs: Needs::Permission(room.holder, Action::View),
        query: Vec::new(),
        input: Some((
            "multipart/form-data".to_owned(),
            json!({
                "type": "object", "required": ["file"],
                "properties": {"file": part}, "additionalProperties": false,
            }),
        )),
        output: (
            StatusCode::CREATED,
            Some((
                "application/json".to_owned(),
                json!({"$ref": "#/components/schemas/Attached"}),
            )),
        ),
        problems: vec![
            StatusCode::BAD_REQUEST,
            StatusCode::NOT_FOUND,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ],
        handler: handler(move |call| {
            let room = room.clone();
            async move { receive(room, call).await }
        }),
    }
}

/// Takes the parts one after the other; each becomes a record as soon as its bytes are safe.
async fn receive(room: Room, mut call: Call) -> Result<Reply, Error> {
    let content_type = call.header("content-type").ok_or(Error::UnsupportedMedia)?;
    let boundary = multer::parse_boundary(content_type).map_err(|_| Error::UnsupportedMedia)?;
    let upload = call.upload.take().ok_or(Error::UnsupportedMedia)?;
    let caller = call.caller()?;
    if !caller.access.may(room.file, Action::Create) {
        return Err(Error::Forbidden {
            action: "create".to_owned(),
            entity: FILE.to_owned(),
        });
    }
    let id = room
        .records
        .resolve(caller, room.holder, call.path(0))
        .await?;
    let holder = room.records.schema().entity(room.holder).name.clone();
    let key = Key::of(&call, caller);
    let mut form = multer::Multipart::new(upload.into_chunks(), boundary);
    let mut made = Vec::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() != Some("file") {
            let name = field.name().unwrap_or_default().to_owned();
            return Err(Error::field(name, "unknown_field", "file"));
        }
        if made.len() >= MAX_FILES {
            return Err(Error::field("file", "too_many", MAX_FILES.to_string()));
        }
        let name = file_name(field.file_name());
        let bytes = field.map(|chunk: Result<Bytes, multer::Error>| chunk);
        let stored = room
            .blobs
            .write(caller.tenant(), Box::pin(bytes), MAX_SIZE)
            .await
            .map_err(refused)?;
        let part = Part {
            name,
            target: json!({"entity": holder, "id": id.to_string()}),
            id: key.as_ref().map(|key| key.record(made.len())),
            stored,
        };
        made.push(room.keep(caller, part).await?);
    }
    if made.is_empty() {
        return Err(Error::field("file", "required", ""));
    }
    let mut body = b"{\"items\":[".to_vec();
    body.extend(made.join(&b","[..]));
    body.extend_from_slice(b"]}");
    Ok(Reply::json(body).with_status(StatusCode::CREATED))
}

/// One file of an upload, its bytes safe.
struct Part {
    name: String,
    /// The record that holds it.
    target: Json,
    /// What its record is called when the upload has a key.
    id: Option<Uuid>,
    stored: Stored,
}

impl Room {
    /// The record of a file, as the caller sees it: made, or the one an upload with this key made
    /// before.
    async fn keep(&self, caller: &Caller, part: Part) -> Result<Vec<u8>, Error> {
        let mut body = Map::from_iter([
            (TARGET.to_owned(), part.target),
            ("name".to_owned(), Json::String(part.name.clone())),
        ]);
        if let Some(id) = part.id {
            if let Some(known) = self.kept_before(caller, id, &part.stored).await? {
                return Ok(known);
            }
            body.insert("id".to_owned(), id.to_string().into());
        }
        let options = WriteOptions {
            engine: measured(&part.name, &part.stored),
            ..WriteOptions::default()
        };
        let records = &self.records;
        Ok(records
            .create(caller, self.file, body, &options)
            .await?
            .body)
    }

    async fn kept_before(
        &self,
        caller: &Caller,
        id: Uuid,
        stored: &Stored,
    ) -> Result<Option<Vec<u8>>, Error> {
        let records = &self.records;
        let Some(known) = records.snapshot(caller.tenant(), self.file, id).await? else {
            return Ok(None);
        };
        let sha256 = known.get(&records.schema(), "sha256").as_text();
        if sha256 != Some(&stored.sha256) {
            return Err(Error::field("Idempotency-Key", "key_reused", ""));
        }
        let request = GetRequest::default();
        let found = records
            .get(caller, self.file, &id.to_string(), &request)
            .await?;
        Ok(Some(found.body))
    }
}

/// The idempotency key of an upload. An upload is too large to be hashed before it is carried out
/// and becomes one record after the other, so nothing is kept of its answer: the key decides what
/// its records are called, and a repeat finds those that are there and goes on after them.
struct Key(Vec<u8>);

impl Key {
    /// Person, operation and key of a call; `None` without a key.
    fn of(call: &Call, caller: &Caller) -> Option<Key> {
        let key = call.header(KEY_HEADER)?;
        let mut all = caller.tenant().to_be_bytes().to_vec();
        all.extend_from_slice(caller.user().as_bytes());
        for part in [call.operation.as_str(), key] {
            // With its length before it no part can pass for the end of another one.
            all.extend_from_slice(&part.len().to_be_bytes());
            all.extend_from_slice(part.as_bytes());
        }
        Some(Key(all))
    }

    /// What the record of the file in this place is called.
    fn record(&self, place: usize) -> Uuid {
        let mut all = self.0.clone();
        all.extend_from_slice(&place.to_be_bytes());
        let hash = digest(&SHA256, &all);
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
            *byte = *hashed;
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// What the server measured, whatever the sender claimed.
fn measured(name: &str, stored: &Stored) -> Vec<(&'static str, Value)> {
    let size = i64::try_from(stored.size).unwrap_or(i64::MAX);
    vec![
        ("size", Value::Int(size)),
        ("media_type", Value::from(media_type(name, &stored.head))),
        ("sha256", Value::from(stored.sha256.as_str())),
    ]
}

/// The type by content; texts, which have no signature, by what they are called.
fn media_type(name: &str, head: &[u8]) -> &'static str {
    if let Some(kind) = infer::get(head) {
        return kind.mime_type();
    }
    let text = !head.contains(&0)
        && std::str::from_utf8(head).map_or_else(|e| e.valid_up_to() + 4 > head.len(), |_| true);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match (text, extension.to_ascii_lowercase().as_str()) {
        (true, "csv") => "text/csv",
        (true, "json") => "application/json",
        (true, "md") => "text/markdown",
        (true, _) => "text/plain",
        (false, _) => "application/octet-stream",
    }
}

/// The last part of the name, without what a shell, a browser or a file system would act on.
fn file_name(given: Option<&str>) -> String {
    let last = given
        .unwrap_or_default()
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    let kept = kept.trim().trim_start_matches('.').to_owned();
    if kept.is_empty() {
        "file".to_owned()
    } else {
        kept
    }
}

fn broken(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
            Error::TooLarge {
                limit: format!("{MAX_SIZE} bytes"),
            }
        }
        // What the server itself said of the body, a size without end among it.
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(told) => *told,
            Err(cause) => Error::BadBody(cause.to_string()),
        },
        other => Error::BadBody(other.to_string()),
    }
}

fn refused(error: BlobError<multer::Error>) -> Error {
    match error {
        BlobError::TooLarge(limit) => Error::TooLarge {
            limit: format!("{limit} bytes"),
        },
        BlobError::Source(error) => broken(error),
        BlobError::Disk(cause) => Error::ReadOnly(cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_a_name() {
        assert_eq!(file_name(Some("../../etc/passwd")), "passwd");
        assert_eq!(file_name(Some("C:\\temp\\rapport\u{7}.pdf")), "rapport.pdf");
        assert_eq!(file_name(Some("...")), "file");
        assert_eq!(file_name(None), "file");
    }

    #[test]
    fn the_type_is_what_the_bytes_are() {
        assert_eq!(
            media_type("photo.txt", b"\x89PNG\r\n\x1a\n0000"),
            "image/png"
        );
        assert_eq!(media_type("x.csv", b"a;b\n1;2"), "text/csv");
        assert_eq!(
            media_type("x.txt", b"<!DOCTYPE html><b>hi</b>"),
            "text/html"
        );
        assert_eq!(media_type("x.bin", &[0, 1, 2]), "application/octet-stream");
    }
}
