//! Entries with their seals, as they come: CSV for a spreadsheet, one JSON object a line for a
//! program.
//!
//! Pages are read as a list reads them, with the caller's rights, one after the other; the export
//! itself becomes an entry when it ends, with the filter, the format and how many rows went out,
//! also when whoever asked went away in the middle.

use bytes::Bytes;
use futures::stream;
use opsflux_model::access::FieldRight;
use opsflux_model::schema::EntityIx;
use serde_json::{Map, Value as Json, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::key::hex;
use crate::caller::Caller;
use crate::error::Error;
use crate::operation::{Body, Call, Reply};
use crate::read::ListRequest;
use crate::read::history::AUDIT_ENTITY;
use crate::records::Records;

/// Rows read at a time.
const PAGE: u32 = 500;
/// Pages that may wait for a slow reader.
const AHEAD: usize = 2;

/// What a seal adds to an entry.
const SEAL: [&str; 8] = [
    "seal_sequence",
    "seal_at",
    "seal_meta",
    "seal_who",
    "seal_body",
    "seal_chain",
    "seal_signature",
    "erased_by",
];

/// The parameters besides those of fields.
const KNOWN: &str = "format, filter, q, sort, fields, deleted";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Lines,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Lines => "jsonl",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Lines => "application/x-ndjson",
        }
    }
}

/// The answer that streams entries.
pub(super) async fn export(records: &Records, audit: EntityIx, call: Call) -> Result<Reply, Error> {
    let caller = call.caller()?.clone();
    let mut format = Format::Lines;
    let mut query = Vec::new();
    for (name, value) in &call.query {
        match (name.as_str(), value.as_str()) {
            ("format", "csv") => format = Format::Csv,
            ("format", "jsonl") => format = Format::Lines,
            ("format", _) => return Err(Error::query("format", "invalid_value", "csv, jsonl")),
            ("limit" | "cursor" | "total" | "expand", _) => {
                return Err(Error::query(name, "unknown_parameter", KNOWN));
            }
            _ => query.push((name.clone(), value.clone())),
        }
    }
    let schema = records.schema();
    let mut request = ListRequest::from_query(schema.entity(audit), &query)?;
    request.limit = Some(PAGE);
    let mut run = Run {
        records: records.clone(),
        audit,
        caller,
        format,
        request,
        query,
        columns: Vec::new(),
        rows: 0,
    };
    // What is wrong with the question is answered before anything is sent.
    let first = run.page().await?;
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let sent = run.send_all(first, &send).await;
        run.told(sent).await;
    });
    let chunks = stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|chunk| (chunk, receive))
    });
    let reply = Reply {
        status: http::StatusCode::OK,
        headers: Vec::new(),
        body: Body::Stream(format.content_type().to_owned(), Box::pin(chunks)),
    };
    let name = format!("attachment; filename=\"audit.{}\"", format.name());
    Ok(reply
        .with_header("content-disposition", &name)
        .with_header("cache-control", "no-store")
        .with_header("x-content-type-options", "nosniff"))
}

/// An export under way.
struct Run {
    records: Records,
    audit: EntityIx,
    caller: Caller,
    format: Format,
    request: ListRequest,
    query: Vec<(String, String)>,
    columns: Vec<String>,
    rows: u64,
}

/// How an export ended.
enum Sent {
    Whole,
    /// Whoever asked is gone.
    Left,
    Failed(String),
}

/// A page as it is sent, and whether there is another.
struct Page {
    bytes: Bytes,
    more: bool,
    rows: u64,
}

impl Run {
    async fn send_all(&mut self, first: Page, to: &mpsc::Sender<Result<Bytes, Error>>) -> Sent {
        let mut page = first;
        loop {
            if to.send(Ok(page.bytes)).await.is_err() {
                return Sent::Left;
            }
            self.rows += page.rows;
            if !page.more {
                return Sent::Whole;
            }
            page = match self.page().await {
                Ok(page) => page,
                Err(error) => {
                    let why = error.to_string();
                    // The reader sees a body that is cut off, which is what it is.
                    let _ = to.send(Err(error)).await;
                    return Sent::Failed(why);
                }
            };
        }
    }

    /// The next page.
    async fn page(&mut self) -> Result<Page, Error> {
        let bytes = self
            .records
            .list(&self.caller, self.audit, &self.request)
            .await?;
        let broken = |error: serde_json::Error| Error::Internal(error.to_string());
        let page: Json = serde_json::from_slice(&bytes).map_err(broken)?;
        let cursor = page["next_cursor"].as_str().map(str::to_owned);
        let more = cursor.is_some();
        self.request.cursor = cursor;
        let none = Vec::new();
        let items = page["items"].as_array().unwrap_or(&none);
        let seals = self.seals(items).await?;
        let mut out = Vec::with_capacity(bytes.len() * 2);
        if self.format == Format::Csv && self.columns.is_empty() {
            self.columns = self.header();
            line(self.columns.iter().map(String::as_str), &mut out)?;
        }
        for item in items {
            let Json::Object(item) = item else { continue };
            let mut row = item.clone();
            if let Some(name) = item.get("actor").and_then(Json::as_str) {
                row.insert("actor_name".to_owned(), page["labels"][name].clone());
            }
            let seal = id(&row).and_then(|id| seals.get(&id));
            row.extend(seal.cloned().unwrap_or_default());
            self.write(&row, &mut out)?;
        }
        Ok(Page {
            bytes: out.into(),
            more,
            rows: items.len() as u64,
        })
    }

    /// What the seals of a page add, by entry.
    async fn seals(
        &self,
        items: &[Json],
    ) -> Result<std::collections::HashMap<Uuid, Map<String, Json>>, Error> {
        let ids: Vec<Uuid> = items
            .iter()
            .filter_map(|item| id(item.as_object()?))
            .collect();
        let store = &self.records.inner.store;
        let seals = store.audit_seals_of(self.caller.tenant(), &ids).await?;
        let added = seals.into_iter().map(|seal| {
            let values = [
                json!(seal.seq),
                json!(seal.sealed_at.to_string()),
                json!(hex(&seal.meta)),
                json!(hex(&seal.who)),
                json!(hex(&seal.body)),
                json!(hex(&seal.chain)),
                json!(hex(&seal.mac)),
                json!(seal.erased_by),
            ];
            let named = SEAL.iter().map(|name| (*name).to_owned()).zip(values);
            (seal.entry, named.collect())
        });
        Ok(added.collect())
    }

    /// The columns of a CSV: the fields asked for, or all of them.
    fn header(&self) -> Vec<String> {
        let schema = self.records.schema();
        let entity = schema.entity(self.audit);
        let access = &self.caller.access;
        let asked = self.request.fields.clone();
        let mut columns = asked.unwrap_or_else(|| {
            let fields = entity.fields.iter().enumerate();
            let shown = fields.filter(|(place, field)| {
                let ix = opsflux_model::FieldIx(u16::try_from(*place).unwrap_or(u16::MAX));
                !field.kind.is_virtual() && access.field(self.audit, ix) != FieldRight::Hidden
            });
            shown.map(|(_, field)| field.name.clone()).collect()
        });
        if let Some(place) = columns.iter().position(|name| name == "actor") {
            columns.insert(place + 1, "actor_name".to_owned());
        }
        columns.extend(SEAL.map(str::to_owned));
        columns
    }

    fn write(&self, row: &Map<String, Json>, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.format == Format::Csv {
            let cells = self.columns.iter().map(|name| row.get(name).map(cell));
            let cells: Vec<String> = cells.map(Option::unwrap_or_default).collect();
            return line(cells.iter().map(String::as_str), out);
        }
        serde_json::to_writer(&mut *out, row).map_err(|e| Error::Internal(e.to_string()))?;
        out.push(b'\n');
        Ok(())
    }

    /// The entry about the export.
    async fn told(&self, sent: Sent) {
        let (result, why) = match sent {
            Sent::Whole => ("ok", None),
            Sent::Left => ("failed", Some("whoever asked went away".to_owned())),
            Sent::Failed(why) => ("failed", Some(why)),
        };
        let filter: Map<String, Json> = self
            .query
            .iter()
            .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
            .collect();
        let after = Map::from_iter([
            ("filter".to_owned(), Json::Object(filter)),
            ("format".to_owned(), json!(self.format.name())),
            ("rows".to_owned(), json!(self.rows)),
        ]);
        let (entity, why) = (Some(AUDIT_ENTITY), why.as_deref());
        let told = self
            .records
            .audit_result(&self.caller, "export", entity, None, result, why, after)
            .await;
        if let Err(error) = told {
            tracing::error!(%error, "an export could not be told to the audit");
        }
    }
}

fn id(row: &Map<String, Json>) -> Option<Uuid> {
    row.get("id")?.as_str()?.parse().ok()
}

/// A value as a cell, empty for none. A text that a spreadsheet would take for a formula gets a
/// quotation mark in front: what a stranger sent as the name of his browser must not be run by
/// whoever opens the file.
fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A line of RFC 4180.
fn line<'a>(cells: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    let written = writer.write_record(cells);
    written.map_err(|error| Error::Internal(error.to_string()))?;
    let flushed = writer.flush();
    flushed.map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        let values = [
            json!(null),
            json!("=HYPERLINK(\"http://evil\")"),
            json!("a \"b\", c"),
            json!({"n": 1}),
            json!(-5),
        ];
        let cells: Vec<String> = values.iter().map(cell).collect();
        let mut out = Vec::new();
        line(cells.iter().map(String::as_str), &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        let wanted = ",".to_owned()
            + r#""'=HYPERLINK(""http://evil"")","a ""b"", c","{""n"":1}",-5"#
            + "\r\n";
        assert_eq!(text, wanted);
    }
}
