//! What the first rows of a file would become, before anything is written.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use opsflux_model::Action;
use opsflux_records::read::ListRequest;
use opsflux_records::write::BulkOperation;
use opsflux_records::{Call, Caller, Error, Reply};
use serde_json::{Map, Value as Json, json};

use crate::Importing;
use crate::batch::Making;
use crate::job::Spec;
use crate::receive::Received;
use crate::table::{Cell, Row};

/// Rows shown.
const SHOWN: usize = 10;

impl Importing {
    /// The answer to a preview.
    pub(crate) async fn preview(&self, mut call: Call) -> Result<Reply, Error> {
        let mut received = self.receive(&mut call).await?;
        let previewed = self.look_at(&call, &mut received).await;
        self.spool.forget(received.id);
        Ok(Reply::json(previewed?.to_string().into_bytes()))
    }

    async fn look_at(&self, call: &Call, received: &mut Received) -> Result<Json, Error> {
        let caller = call.caller()?;
        let entity = self.entity_of(caller, received)?;
        if !caller.access.may(entity, Action::Create) {
            return Err(Error::Forbidden {
                action: "create".to_owned(),
                entity: self.records.schema().entity(entity).name.clone(),
            });
        }
        let mut spec = self.spec(caller, call, received, entity)?;
        let seen = Arc::new(AtomicU64::new(0));
        let mut remembered = false;
        let mut surveyed = None;
        if spec.mapping.is_none()
            && let Some(last) = self.last_mapping(caller, &spec.entity).await?
        {
            // What the person said last time, when the file has those columns.
            let again = Spec {
                mapping: Some(last.clone()),
                ..spec.clone()
            };
            let looked = self
                .survey(received.id, &again, caller, entity, seen.clone())
                .await;
            if let Ok(looked) = looked {
                (remembered, surveyed) = (true, Some(looked));
                spec.mapping = Some(last);
            }
        }
        let surveyed = match surveyed {
            Some(surveyed) => surveyed,
            None => {
                self.survey(received.id, &spec, caller, entity, seen)
                    .await?
            }
        };
        let mut rows = self.rows(received.id, &spec, 0, SHOWN);
        let shown = rows.recv().await.unwrap_or_else(|| Ok(Vec::new()))?;
        drop(rows);
        let read = (surveyed.columns.clone(), surveyed.reading.clone());
        let mut making = Making::new(&self.records, caller, entity, received.id, &spec, read)?;
        let (made, mut wrong) = making.make(shown.clone()).await?;
        let (fine, refused) = making.check(made.clone()).await?;
        wrong.extend(refused);
        let rows: Vec<Json> = shown
            .iter()
            .map(|row| {
                let done = made.iter().find(|one| one.line == row.line);
                let errors = wrong.iter().filter(|(line, _)| *line == row.line);
                let errors: Vec<Json> = errors
                    .flat_map(|(_, error)| self.saying.error(call.language, error))
                    .map(|said| {
                        let column = making.columns.iter().find(|column| {
                            Some(column.field.name.as_str()) == said.field.as_deref()
                        });
                        json!({
                            "column": column.map(|column| column.header.as_str()),
                            "field": said.field, "code": said.code, "message": said.message,
                        })
                    })
                    .collect();
                let (op, record) = match done.map(|one| &one.operation) {
                    Some(BulkOperation::Create(body)) => ("create", without_id(body)),
                    Some(BulkOperation::Update(_, _, body)) => ("update", Json::from(body.clone())),
                    _ => ("none", Json::Null),
                };
                json!({
                    "line": row.line, "cells": cells(row), "op": op, "record": record,
                    "errors": errors,
                })
            })
            .collect();
        drop(fine);
        let notes: Vec<Json> = surveyed
            .notes
            .iter()
            .map(|(column, what)| json!({"column": column, "ambiguous": what}))
            .collect();
        Ok(json!({
            "entity": spec.entity,
            "format": surveyed.format,
            "headers": surveyed.headers,
            "rows_total": surveyed.rows,
            "mapping": surveyed.mapping,
            "remembered": remembered,
            "notes": notes,
            "rows": rows,
        }))
    }

    /// The mapping of the caller's last import into an entity.
    async fn last_mapping(
        &self,
        caller: &Caller,
        entity: &str,
    ) -> Result<Option<crate::mapping::Mapping>, Error> {
        let jobs = self.job_entity()?;
        let schema = self.records.schema();
        let query = [
            ("entity".to_owned(), entity.to_owned()),
            ("user".to_owned(), caller.user().to_string()),
            ("status".to_owned(), "SUCCESS".to_owned()),
            ("sort".to_owned(), "-created_at".to_owned()),
            ("limit".to_owned(), "1".to_owned()),
        ];
        let request = ListRequest::from_query(schema.entity(jobs), &query)?;
        let page = self.records.list(caller, jobs, &request).await?;
        let page: Json =
            serde_json::from_slice(&page).map_err(|error| Error::Internal(error.to_string()))?;
        let mapping = page["items"][0]["mapping"].clone();
        Ok(serde_json::from_value(mapping).ok())
    }
}

fn without_id(body: &Map<String, Json>) -> Json {
    let mut body = body.clone();
    body.remove("id");
    body.into()
}

fn cells(row: &Row) -> Vec<String> {
    row.cells.iter().map(Cell::shown).collect()
}
