//! What HTTP serves: operations, declared by the rooms and modules, mounted and documented by the
//! server, probed by the tests. An operation that is not in the registry cannot be called, one
//! that is in it is in the OpenAPI document.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use opsflux_model::Action;
use opsflux_model::EntityIx;
use serde_json::Value as Json;

use crate::caller::{Caller, Language, Origin};
use crate::error::Error;

/// One operation.
#[derive(Clone)]
pub struct Operation {
    /// Unique, snake_case: `ticket_list`, `auth_login`. The `operationId`.
    pub name: String,
    /// How.
    pub method: Method,
    /// Where, under `/api/v1`: `/tickets/{id}/comments`.
    pub path: String,
    /// One line for the documentation, English.
    pub summary: String,
    /// Group in the documentation.
    pub tag: String,
    /// What the caller must be allowed.
    pub needs: Needs,
    /// Query parameters: name, JSON Schema, description. Others are refused with 400. A name
    /// ending in `*` stands for any name that begins so; `*` alone lets the handler judge.
    pub query: Vec<(String, Json, String)>,
    /// The body: content type and JSON Schema.
    pub input: Option<(String, Json)>,
    /// The answer when all is well: status, content type (several by `, `) and JSON Schema.
    pub output: (StatusCode, Option<(String, Json)>),
    /// Problems it can answer besides 400, 401, 403, 404, 429 and 503; and 202 when it may go on as
    /// a job, whose address is then in `Location`.
    pub problems: Vec<StatusCode>,
    /// Does it.
    pub handler: Handler,
}

/// Runs an operation.
pub type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Reply, Error>> + Send + Sync>;

/// What the caller must be allowed before the handler runs. Rights on single records are the
/// handler's, through `read` and `write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing; `Call::caller` may be absent.
    Nothing,
    /// To be signed in.
    Session,
    /// The action on some record of the entity.
    Permission(EntityIx, Action),
    /// To be administrator of the tenant.
    Admin,
}

/// One call.
pub struct Call {
    /// Who asks; always there unless the operation needs nothing.
    pub caller: Option<Caller>,
    /// What audit keeps about this request, also without a caller.
    pub origin: Arc<Origin>,
    /// The language of the request.
    pub language: Language,
    /// Method and path as declared, with the path's values: what an idempotency key belongs to.
    pub operation: String,
    /// Values of the path's parameters, decoded, in order.
    pub path: Vec<String>,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers of the request.
    pub headers: http::HeaderMap,
    /// The whole body, within the limits of the server; empty when it is streamed.
    pub body: Bytes,
    /// The body of an upload, for operations whose input is `multipart/form-data`.
    pub upload: Option<Upload>,
}

/// A body that is read as it comes, once. The lock is never contended: it makes a call something
/// that threads may share.
pub struct Upload(parking_lot::Mutex<Chunks>);

/// Bytes as they come.
pub type Chunks = futures::stream::BoxStream<'static, Result<Bytes, Error>>;

impl Upload {
    /// A body.
    #[must_use]
    pub fn new(chunks: Chunks) -> Upload {
        Upload(parking_lot::Mutex::new(chunks))
    }

    /// Its bytes.
    #[must_use]
    pub fn into_chunks(self) -> Chunks {
        self.0.into_inner()
    }
}

impl Call {
    /// The caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without one.
    pub fn caller(&self) -> Result<&Caller, Error> {
        self.caller.as_ref().ok_or(Error::Unauthenticated)
    }

    /// The n-th parameter of the path.
    #[must_use]
    pub fn path(&self, place: usize) -> &str {
        self.path.get(place).map_or("", String::as_str)
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON. Depth is bounded by the parser (128), size by the server.
    ///
    /// # Errors
    /// [`Error::BadBody`].
    pub fn json(&self) -> Result<Json, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::BadBody(error.to_string()))
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// [`Error::BadBody`] when it is something else.
    pub fn object(&self) -> Result<serde_json::Map<String, Json>, Error> {
        match self.json()? {
            Json::Object(object) => Ok(object),
            _ => Err(Error::BadBody("an object is needed".to_owned())),
        }
    }
}

/// The answer.
pub struct Reply {
    /// 200, 201, 202, 204, …
    pub status: StatusCode,
    /// Besides content type and length.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What follows.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// None.
    Empty,
    /// JSON, already written.
    Json(Vec<u8>),
    /// Results of a bulk, some of which may be problems the server has to word.
    Bulk(Vec<crate::write::BulkResult>),
    /// Anything else, by content type, as it comes.
    Stream(String, Chunks),
}

impl Reply {
    /// 200 with JSON already written.
    #[must_use]
    pub fn json(body: Vec<u8>) -> Reply {
        Reply {
            status: StatusCode::OK,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }

    /// 204.
    #[must_use]
    pub fn empty() -> Reply {
        Reply {
            status: StatusCode::NO_CONTENT,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Reply {
        self.status = status;
        self
    }

    /// The same with a header; a value that cannot be one is left out.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }
}
