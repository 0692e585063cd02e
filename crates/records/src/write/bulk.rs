//! Up to a thousand operations: all or nothing in one change, or each for itself.

use super::{Confirm, WriteOptions};
use crate::caller::Caller;
use crate::error::{Error, FieldError};
use crate::records::Records;
use opsflux_model::schema::EntityIx;
use serde_json::{Map, Value as Json, json};

/// Most operations in one request.
pub const MAX_OPERATIONS: usize = 1000;

/// One operation of a bulk.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkOperation {
    /// A new record.
    Create(Map<String, Json>),
    /// Some fields of a record, with the version the caller began with.
    Update(String, Option<i64>, Map<String, Json>),
    /// A record goes.
    Delete(String),
    /// A record comes back.
    Restore(String),
}

/// What became of one operation.
#[derive(Debug)]
pub enum BulkResult {
    /// Status and the record, when there is one.
    Done(u16, Option<Vec<u8>>),
    /// Why it did nothing.
    Failed(Error),
}

impl BulkOperation {
    /// Reads `{"op", "id", "version", "data"}`.
    ///
    /// # Errors
    /// What is missing or unknown.
    pub fn from_json(json: &Json) -> Result<BulkOperation, Error> {
        let wrong = |field: &str, detail: &str| Error::field(field, "wrong_type", detail);
        let object = json.as_object().ok_or_else(|| wrong("op", "an object"))?;
        if let Some(unknown) = object
            .keys()
            .find(|key| !matches!(key.as_str(), "op" | "id" | "version" | "data"))
        {
            return Err(Error::Invalid(vec![FieldError::new(
                unknown,
                "unknown_field",
                "",
            )]));
        }
        let data = || match object.get("data") {
            Some(Json::Object(data)) => Ok(data.clone()),
            _ => Err(wrong("data", "an object")),
        };
        let id = || {
            let id = object.get("id").and_then(Json::as_str).map(str::to_owned);
            id.ok_or_else(|| wrong("id", "an id or number"))
        };
        let version = match object.get("version") {
            None | Some(Json::Null) => None,
            Some(json) => Some(
                json.as_i64()
                    .ok_or_else(|| wrong("version", "an integer"))?,
            ),
        };
        match object.get("op").and_then(Json::as_str) {
            Some("create") => Ok(BulkOperation::Create(data()?)),
            Some("update") => Ok(BulkOperation::Update(id()?, version, data()?)),
            Some("delete") => Ok(BulkOperation::Delete(id()?)),
            Some("restore") => Ok(BulkOperation::Restore(id()?)),
            _ => Err(Error::field(
                "op",
                "not_an_option",
                "create, update, delete, restore",
            )),
        }
    }
}

impl Records {
    /// All operations in one change, in order.
    ///
    /// # Errors
    /// [`Error::Bulk`] naming the first operation that is wrong; nothing is written then.
    pub async fn bulk_atomic(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operations: &[BulkOperation],
        options: &WriteOptions,
    ) -> Result<Vec<BulkResult>, Error> {
        let done = self
            .carry_out(caller, entity, operations, options, false)
            .await?;
        let mut results = Vec::with_capacity(done.len());
        for done in done {
            let body = match done.status {
                204 => None,
                _ => Some(self.written(caller, entity, done.record, false).await?.body),
            };
            results.push(BulkResult::Done(done.status, body));
        }
        Ok(results)
    }

    /// Each operation as a change of its own; what fails does not hold up the others.
    pub async fn bulk_each(
        &self,
        caller: &Caller,
        entity: EntityIx,
        operations: &[BulkOperation],
        confirm: Option<&Confirm>,
    ) -> Vec<BulkResult> {
        let mut results = Vec::with_capacity(operations.len());
        for operation in operations {
            let options = WriteOptions {
                confirm: confirm.cloned(),
                ..WriteOptions::default()
            };
            let one = std::slice::from_ref(operation);
            let result = match self.bulk_atomic(caller, entity, one, &options).await {
                Ok(mut done) => done.pop().unwrap_or(BulkResult::Done(204, None)),
                Err(Error::Bulk { error, .. }) => BulkResult::Failed(*error),
                Err(error) => BulkResult::Failed(error),
            };
            results.push(result);
        }
        results
    }
}

/// The operations of a bulk body, and whether they stand or fall together.
///
/// # Errors
/// What is wrong with the body as a whole, or with one operation by its index.
pub fn read_bulk(body: &Map<String, Json>) -> Result<(Vec<BulkOperation>, bool), Error> {
    if let Some(unknown) = body
        .keys()
        .find(|key| !matches!(key.as_str(), "operations" | "atomic"))
    {
        return Err(Error::Invalid(vec![FieldError::new(
            unknown,
            "unknown_field",
            "",
        )]));
    }
    let atomic = match body.get("atomic") {
        None => true,
        Some(Json::Bool(atomic)) => *atomic,
        Some(_) => return Err(Error::field("atomic", "wrong_type", "true or false")),
    };
    let Some(Json::Array(operations)) = body.get("operations") else {
        return Err(Error::field("operations", "wrong_type", "an array"));
    };
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::field(
            "operations",
            "too_many",
            MAX_OPERATIONS.to_string(),
        ));
    }
    let read = operations.iter().enumerate().map(|(index, operation)| {
        let error = |error| Error::Bulk {
            index,
            error: Box::new(error),
        };
        BulkOperation::from_json(operation).map_err(error)
    });
    Ok((read.collect::<Result<_, _>>()?, atomic))
}

/// One result as JSON; the problem of a failed one is written by the server.
#[must_use]
pub fn done_json(status: u16, body: Option<&[u8]>) -> Json {
    let record = body.and_then(|body| serde_json::from_slice::<Json>(body).ok());
    json!({"status": status, "record": record})
}
