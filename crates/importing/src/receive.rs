//! What arrives: a form with a file, or rows as JSON.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures::{StreamExt, stream};
use opsflux_model::schema::EntityIx;
use opsflux_records::entity::KEY_HEADER;
use opsflux_records::{Call, Caller, Error, FieldError};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::Importing;
use crate::job::Spec;
use crate::locale::Locale;
use crate::mapping::Mapping;
use crate::spool::SpoolError;

/// Longest part of a form besides the file.
const MAX_TEXT: usize = 256 * 1024;
/// Most fields of a key.
const MAX_KEY: usize = 4;

/// A request, its file kept under the id.
pub(crate) struct Received {
    pub id: Uuid,
    pub file_name: String,
    pub fields: BTreeMap<String, Json>,
    pub is_rows: bool,
}

impl Importing {
    /// Keeps the file of a call and reads what it says besides. The file goes again when anything
    /// is wrong.
    pub(crate) async fn receive(&self, call: &mut Call) -> Result<Received, Error> {
        let id = job_id(self, call)?;
        let received = match call.upload.take() {
            Some(upload) => {
                let content_type = call.header("content-type").unwrap_or_default();
                let boundary =
                    multer::parse_boundary(content_type).map_err(|_| Error::UnsupportedMedia)?;
                let form = multer::Multipart::new(upload.into_chunks(), boundary);
                self.receive_form(id, form).await
            }
            None => self.receive_rows(id, call.object()?).await,
        };
        if received.is_err() {
            self.spool.forget(id);
        }
        received
    }

    async fn receive_form(
        &self,
        id: Uuid,
        mut form: multer::Multipart<'_>,
    ) -> Result<Received, Error> {
        let mut file_name = None;
        let mut fields = BTreeMap::new();
        while let Some(mut field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                if file_name.is_some() {
                    return Err(Error::field("file", "too_many", "1"));
                }
                file_name = Some(shown_name(field.file_name()));
                let bytes = field.map(|chunk: Result<Bytes, multer::Error>| chunk);
                let kept = self
                    .spool
                    .keep(id, Box::pin(bytes), self.upload_limit)
                    .await;
                kept.map_err(unkept)?;
                continue;
            }
            let mut text = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(broken)? {
                text.extend_from_slice(&chunk);
                if text.len() > MAX_TEXT {
                    return Err(Error::field(name, "too_long", MAX_TEXT.to_string()));
                }
            }
            let text =
                String::from_utf8(text).map_err(|_| Error::field(&name, "wrong_type", "a text"))?;
            // Structures are sent as JSON, words as they are.
            let value = match name.as_str() {
                "mapping" => serde_json::from_str(&text)
                    .map_err(|error| Error::field(&name, "wrong_type", error.to_string()))?,
                "key" => serde_json::from_str(&text).unwrap_or(Json::String(text)),
                _ => Json::String(text),
            };
            fields.insert(name, value);
        }
        Ok(Received {
            id,
            file_name: file_name.ok_or_else(|| Error::field("file", "required", ""))?,
            fields,
            is_rows: false,
        })
    }

    async fn receive_rows(&self, id: Uuid, mut body: Map<String, Json>) -> Result<Received, Error> {
        let rows = match body.remove("rows") {
            Some(Json::Array(rows)) if rows.iter().all(Json::is_object) => rows,
            Some(_) => return Err(Error::field("rows", "wrong_type", "an array of objects")),
            None => return Err(Error::field("rows", "required", "")),
        };
        if rows.is_empty() {
            return Err(Error::field("rows", "base.no_rows", ""));
        }
        let bytes = Bytes::from(Json::Array(rows).to_string());
        let once: Result<Bytes, multer::Error> = Ok(bytes);
        let kept = self
            .spool
            .keep(id, stream::iter([once]), self.upload_limit)
            .await;
        kept.map_err(unkept)?;
        Ok(Received {
            id,
            file_name: "API".to_owned(),
            fields: body.into_iter().collect(),
            is_rows: true,
        })
    }

    /// What is to be done, out of what the request says besides its rows.
    pub(crate) fn spec(
        &self,
        caller: &Caller,
        call: &Call,
        received: &mut Received,
        entity: EntityIx,
    ) -> Result<Spec, Error> {
        let schema = self.records.schema();
        let mut errors = Vec::new();
        let mut wrong = |field: &str, code: &str, detail: &str| {
            errors.push(FieldError::new(field, code, detail));
        };
        let fields = &mut received.fields;
        let mapping = match fields.remove("mapping").filter(|json| !json.is_null()) {
            None => None,
            Some(json) => match serde_json::from_value::<BTreeMap<String, Option<String>>>(json) {
                Ok(mapping) => {
                    let given = mapping.into_iter();
                    let given = given.filter_map(|(field, header)| Some((field, header?)));
                    Some(
                        given
                            .filter(|(_, header)| !header.is_empty())
                            .collect::<Mapping>(),
                    )
                }
                Err(_) => {
                    wrong("mapping", "wrong_type", "{\"field\": \"column\"}");
                    None
                }
            },
        };
        let text = |json: Option<Json>| match json {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) if text.is_empty() => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(()),
        };
        let skip = match text(fields.remove("mode")) {
            Ok(None) => false,
            Ok(Some(mode)) if mode == "all_or_nothing" => false,
            Ok(Some(mode)) if mode == "skip_bad_rows" => true,
            _ => {
                wrong("mode", "not_an_option", "all_or_nothing, skip_bad_rows");
                false
            }
        };
        let key: Vec<String> = match fields.remove("key") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::String(one)) => one
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            Some(json) => serde_json::from_value(json).unwrap_or_else(|_| {
                wrong("key", "wrong_type", "a list of fields");
                Vec::new()
            }),
        };
        if key.len() > MAX_KEY {
            wrong("key", "too_many", &MAX_KEY.to_string());
        }
        let locale = match text(fields.remove("locale")) {
            Ok(None) => None,
            Ok(Some(code)) if code == "auto" => None,
            Ok(Some(code)) if Locale::parse(&code).is_some() => Locale::parse(&code),
            _ => {
                let known: Vec<&str> = Locale::ALL.iter().map(|(code, _)| *code).collect();
                wrong("locale", "not_an_option", &known.join(", "));
                None
            }
        };
        let sheet = text(fields.remove("sheet")).unwrap_or_else(|()| {
            wrong("sheet", "wrong_type", "a text");
            None
        });
        for unknown in fields.keys() {
            wrong(unknown, "unknown_field", "");
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        Ok(Spec {
            entity: schema.entity(entity).name.clone(),
            mapping,
            aliases: Mapping::new(),
            skip,
            key,
            sheet,
            locale,
            is_rows: received.is_rows,
            language: call.language,
            company: caller.company,
            within: BTreeMap::new(),
        })
    }
}

/// The id of the job: made of the idempotency key when there is one, so that a repeat is the same
/// job.
fn job_id(importing: &Importing, call: &Call) -> Result<Uuid, Error> {
    let caller = call.caller()?;
    let Some(key) = call.header(KEY_HEADER) else {
        return Ok(importing.records.new_id());
    };
    let mut all = caller.tenant().to_be_bytes().to_vec();
    all.extend_from_slice(caller.user().as_bytes());
    all.extend_from_slice(&call.operation.len().to_be_bytes());
    all.extend_from_slice(call.operation.as_bytes());
    all.extend_from_slice(key.as_bytes());
    let hash = digest(&SHA256, &all);
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The last part of the name, without what would act on anything.
fn shown_name(given: Option<&str>) -> String {
    let last = given.unwrap_or_default().rsplit(['/', '\\']).next();
    let kept: String = last
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    if kept.is_empty() {
        "file".to_owned()
    } else {
        kept
    }
}

fn broken(error: multer::Error) -> Error {
    match error {
        // What the server itself said of the body, a size without end among it.
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(told) => *told,
            Err(cause) => Error::BadBody(cause.to_string()),
        },
        other => Error::BadBody(other.to_string()),
    }
}

fn unkept(error: SpoolError<multer::Error>) -> Error {
    match error {
        SpoolError::TooLarge(limit) => Error::TooLarge {
            limit: format!("{limit} bytes"),
        },
        SpoolError::Source(error) => broken(error),
        SpoolError::Disk(cause) => Error::ReadOnly(cause.to_string()),
    }
}
