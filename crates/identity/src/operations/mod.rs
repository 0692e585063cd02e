//! What HTTP serves of identity: `/api/v1/auth/…`, one file an operation.
//!
//! What stands here is shared by them: reading a body, the answer that carries a session, JSON
//! Schemas. Idempotency keys have no meaning here: an answer with tokens is never kept.

mod explain;
mod login;
mod logout;
mod matrix;
mod me;
mod password;
mod preview;
mod refresh;
mod sessions;
mod signup;
pub(crate) mod viewing;

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Method, StatusCode};
use opsflux_model::schema::FieldType;
use opsflux_model::{Value, wire};
use opsflux_records::{Call, Error, FieldError, Needs, Operation, Reply};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::Inner;
use crate::cookies::{self, Kept};
use crate::token::{ACCESS_LIFE, Owner, RefreshToken};

/// Every operation. Signing up is there only when it is allowed.
pub(crate) fn all(inner: &Arc<Inner>) -> Vec<Operation> {
    let mut all = vec![
        login::operation(inner),
        refresh::operation(inner),
        logout::operation(inner),
        me::read(inner),
        me::change(inner),
        sessions::list(inner),
        sessions::end(inner),
        password::operation(inner),
        explain::operation(inner),
        matrix::operation(inner),
        preview::operation(inner),
        viewing::begin(inner),
        viewing::end(inner),
    ];
    if inner.options.signup {
        all.push(signup::operation(inner));
    }
    all
}

/// The header by which our own scripts say that they are a browser and want cookies.
const BROWSER_HEADER: &str = "x-requested-with";
const JSON: &str = "application/json";

fn wants_cookies(call: &Call) -> bool {
    call.header(BROWSER_HEADER) == Some("opsflux")
}

/// An operation that answers 200 with nothing declared yet; its maker completes it.
fn operation<F, W>(
    inner: &Arc<Inner>,
    name: &str,
    (method, path): (Method, &str),
    summary: &str,
    work: F,
) -> Operation
where
    F: Fn(Arc<Inner>, Call) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    let inner = inner.clone();
    Operation {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        summary: summary.to_owned(),
        tag: "auth".to_owned(),
        needs: Needs::Session,
        query: Vec::new(),
        input: None,
        output: (StatusCode::NO_CONTENT, None),
        problems: Vec::new(),
        handler: Arc::new(move |call| -> BoxFuture<'static, Result<Reply, Error>> {
            Box::pin(work(inner.clone(), call))
        }),
    }
}

/// The JSON Schema of a body with these texts, all of them needed.
fn texts_schema(fields: &[(&str, usize)]) -> (String, Json) {
    let properties: Map<String, Json> = fields
        .iter()
        .map(|(name, most)| {
            (
                (*name).to_owned(),
                json!({"type": "string", "minLength": 1, "maxLength": most}),
            )
        })
        .collect();
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    });
    (JSON.to_owned(), schema)
}

/// The JSON Schema of the answer that carries a session.
fn tokens_schema() -> (String, Json) {
    let schema = json!({
        "type": "object",
        "properties": {
            "access_token": {"type": "string"},
            "refresh_token": {"type": "string"},
            "token_type": {"type": "string", "const": "bearer"},
            "expires_in": {"type": "integer"},
        },
        "required": ["token_type", "expires_in"],
        "additionalProperties": false,
    });
    (JSON.to_owned(), schema)
}

/// A body being read: every mistake at once, unknown fields among them.
struct Input {
    object: Map<String, Json>,
    errors: Vec<FieldError>,
}

impl Input {
    fn of(call: &Call) -> Result<Input, Error> {
        Ok(Input {
            object: call.object()?,
            errors: Vec::new(),
        })
    }

    /// The value of a field that must be filled.
    fn required(&mut self, name: &str, kind: &FieldType) -> String {
        let json = self.object.remove(name).unwrap_or_default();
        match wire::parse(kind, &json) {
            Ok(value) if value.is_empty() => self.mistake(name, "required", ""),
            Ok(Value::Text(text)) if text.trim().is_empty() => self.mistake(name, "required", ""),
            Ok(Value::Text(text)) => return text,
            Ok(_) => self.mistake(name, "wrong_type", "a text"),
            Err(invalid) => self.errors.push(FieldError::of(name, invalid)),
        }
        String::new()
    }

    fn text(&mut self, name: &str, max: usize) -> String {
        self.required(
            name,
            &FieldType::Text {
                min: 0,
                max,
                pattern: None,
            },
        )
    }

    fn mistake(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(name, code, detail));
    }

    /// Whether a field has been read without a mistake so far.
    fn is_right(&self, name: &str) -> bool {
        self.errors.iter().all(|error| error.field != name)
    }

    fn finish(mut self) -> Result<(), Error> {
        let unknown = self
            .object
            .keys()
            .map(|name| FieldError::new(name, "unknown_field", ""));
        self.errors.extend(unknown);
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.errors))
        }
    }
}

impl Inner {
    /// Begins a session of somebody who has proved to be this person, and answers with it.
    async fn begin(
        &self,
        call: &Call,
        (tenant, user): (i64, Uuid),
        identifier: &str,
    ) -> Result<Reply, Error> {
        let (owner, refresh) = self
            .sessions
            .begin(tenant, user, identifier, &call.origin)
            .await?;
        self.note(&owner, call, "signed_in", "ok", None).await?;
        self.answer(&owner, &refresh, wants_cookies(call))
    }

    /// The answer with the tokens of a session, in cookies too for a browser.
    fn answer(
        &self,
        owner: &Owner,
        refresh: &RefreshToken,
        in_cookies: bool,
    ) -> Result<Reply, Error> {
        let access = self.tokens.access(owner, self.records.now())?;
        let body = json!({
            "access_token": access,
            "refresh_token": refresh.text,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE.as_secs(),
        });
        let reply = Reply::json(body.to_string().into_bytes());
        if !in_cookies {
            return Ok(reply);
        }
        let csrf = self.tokens.csrf(owner.session);
        let kept = Kept {
            access: &access,
            refresh: &refresh.text,
            csrf: &csrf,
        };
        Ok(cookies::set(reply, &kept, self.options.secure_cookies))
    }

    /// An entry of the audit about a session.
    async fn note(
        &self,
        owner: &Owner,
        call: &Call,
        action: &str,
        result: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let (user, session) = (Some(owner.user), Some(owner.session));
        let entity = Some(crate::session::ENTITY);
        self.records
            .audit(
                owner.tenant,
                &call.origin,
                user,
                action,
                entity,
                session,
                result,
                reason,
            )
            .await
    }
}

/// A JSON answer.
fn json_reply(body: &Json) -> Reply {
    Reply::json(body.to_string().into_bytes())
}
