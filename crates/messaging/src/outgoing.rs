//! Messages to be, made into rows for the commit of what causes them.
//!
//! A message with a key has an id made from it, and its row is written only if none has that id:
//! a cause that is worked off twice tells once.

use aws_lc_rs::digest;
use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::Error;
use opsflux_store::feed::Body;
use opsflux_store::{Commit, FeedOp, NewEntry, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::table::Table;
use crate::{Messaging, call, mail, retry};

/// Entity of notifications.
pub const NOTIFICATION: &str = "notification";
/// Entity of deliveries.
pub const DELIVERY: &str = "delivery";

/// Who asked for a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// In one line, for whoever looks: `workflow:EXECUTION:STEP`.
    pub text: String,
    /// The person behind it, when there is one.
    pub user: Option<Uuid>,
    /// As in the feed: `workflow`, `api`, `system`.
    pub source: String,
    /// The chain of changes it belongs to.
    pub chain: Option<Uuid>,
    /// How many changes led here.
    pub depth: u16,
}

/// What kind of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Of the house: maintenance, updates, incidents.
    System,
    /// Of the work: something waits, something was decided.
    #[default]
    Business,
    /// Of people: mentions, comments, messages.
    Social,
    /// Urgent.
    Alert,
}

impl Kind {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Kind::System => "system",
            Kind::Business => "business",
            Kind::Social => "social",
            Kind::Alert => "alert",
        }
    }
}

/// A notification: one person, inside the application.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notice {
    /// Who is told.
    pub recipient: Uuid,
    /// What kind.
    pub kind: Kind,
    /// One line; cut at 200 characters.
    pub title: String,
    /// More, as text; cut at 4,000 characters.
    pub message: String,
    /// The record it leads to: name of its entity, id.
    pub about: Option<(String, Uuid)>,
    /// What can be answered in place, such as `{"approval": "…"}`.
    pub action: Option<Json>,
    /// Told once with the same key.
    pub key: Option<String>,
    /// Who asked.
    pub cause: Cause,
}

/// A mail: one recipient.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mail {
    /// An address, or `Name <address>`.
    pub to: String,
    /// One line; whatever would begin another one becomes a space.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML; made of the text when absent.
    pub html: Option<String>,
    /// Where answers go, when not to the sender.
    pub reply_to: Option<String>,
    /// Taken once with the same key.
    pub key: Option<String>,
    /// Tries after the first one; 3 when absent.
    pub retries: Option<u32>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Who asked.
    pub cause: Cause,
}

/// How another system is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    Get,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As written on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// One call of another system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// How.
    pub method: Method,
    /// `http` or `https`, without a log-in inside.
    pub url: String,
    /// Besides what the channel sends itself. `content-type` is JSON unless named here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A call to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    /// What is called.
    pub request: Request,
    /// The same without its secrets, when it has some: this is what people see, the request itself
    /// is sealed.
    pub shown: Option<Request>,
    /// Signs the body (`OpsFlux-Signature`); sealed.
    pub secret: Option<String>,
    /// Sent as `Idempotency-Key`, and taken once with the same one.
    pub key: Option<String>,
    /// Tries after the first one; 3 when absent.
    pub retries: Option<u32>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Who asked.
    pub cause: Cause,
}

/// A message as it goes into a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    /// Its id; the same for the same key.
    pub id: Uuid,
    /// The row.
    pub write: Write,
    /// What others are told.
    pub feed: NewEntry,
}

impl Queued {
    /// Makes it part of a commit of its tenant.
    pub fn join(self, commit: &mut Commit) {
        commit.writes.push(self.write);
        commit.feed.push(self.feed);
    }
}

/// What a webhook keeps out of sight.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hidden {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Messaging {
    /// A notification. The recipient must be a user of the tenant: a commit with another one fails.
    ///
    /// # Errors
    /// When the declarations lack it.
    pub fn notify(&self, tenant: i64, notice: &Notice) -> Result<Queued, Error> {
        let about = notice.about.as_ref().map(|(entity, id)| Value::Ref {
            entity: entity.clone(),
            id: *id,
        });
        let values = vec![
            ("recipient", notice.recipient.into()),
            ("kind", notice.kind.code().into()),
            ("title", line(&notice.title).into()),
            ("message", some(&clean(&notice.message))),
            ("about", about.unwrap_or_default()),
            (
                "action",
                notice.action.clone().map_or(Value::Null, Value::Json),
            ),
        ];
        let recipient = json!(notice.recipient.to_string());
        let after = [("recipient".to_owned(), recipient)].into_iter().collect();
        let key = notice.key.as_deref();
        self.queued(tenant, NOTIFICATION, key, &notice.cause, values, after)
    }

    /// A mail, to be sent by [`Messaging::work`].
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `to` or `reply_to` when it is no address.
    pub fn mail(&self, tenant: i64, message: &Mail) -> Result<Queued, Error> {
        let to = mail::mailbox(&message.to).ok_or_else(|| not_valid("to", "invalid_email"))?;
        if let Some(reply_to) = &message.reply_to {
            mail::mailbox(reply_to).ok_or_else(|| not_valid("reply_to", "invalid_email"))?;
        }
        let subject = line(&message.subject);
        let payload = json!({
            "text": clean(&message.text),
            "html": message.html.as_deref().map(clean),
            "reply_to": message.reply_to,
        });
        let values = vec![
            ("channel", "mail".into()),
            ("state", "queued".into()),
            ("target", clean(&to.to_string()).into()),
            ("subject", some(&subject)),
            ("payload", Value::Json(payload)),
            ("retries", tries(message.retries)),
            ("next_at", self.not_before(message.not_before)),
        ];
        let key = message.key.as_deref();
        self.queued(tenant, DELIVERY, key, &message.cause, values, queued())
    }

    /// A call of another system, to be made by [`Messaging::work`].
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `url` or `headers`. Whether the address may be called is known
    /// when it is: names point elsewhere tomorrow.
    pub fn webhook(&self, tenant: i64, webhook: &Webhook) -> Result<Queued, Error> {
        call::check(&webhook.request)?;
        let shown = webhook.shown.as_ref().unwrap_or(&webhook.request);
        let hidden = Hidden {
            request: webhook.shown.is_some().then(|| webhook.request.clone()),
            secret: webhook.secret.clone(),
        };
        let sealed = if hidden.request.is_some() || hidden.secret.is_some() {
            let clear = serde_json::to_string(&hidden);
            let clear = clear.map_err(|error| Error::Internal(error.to_string()))?;
            let sealed = self.inner.vault.seal(tenant, &clear);
            Value::from(sealed.map_err(Error::Internal)?)
        } else {
            Value::Null
        };
        let payload = serde_json::to_value(shown);
        let payload = payload.map_err(|error| Error::Internal(error.to_string()))?;
        let values = vec![
            ("channel", "webhook".into()),
            ("state", "queued".into()),
            ("target", clean(&shown.url).into()),
            ("subject", shown.method.name().into()),
            ("payload", Value::Json(without_nul(payload))),
            ("sealed", sealed),
            ("retries", tries(webhook.retries)),
            ("next_at", self.not_before(webhook.not_before)),
        ];
        let key = webhook.key.as_deref();
        self.queued(tenant, DELIVERY, key, &webhook.cause, values, queued())
    }

    /// Commits messages by themselves, when nothing else changes with them.
    ///
    /// # Errors
    /// When the database does not answer, or a recipient is no user of the tenant.
    pub async fn send(&self, tenant: i64, messages: Vec<Queued>) -> Result<(), Error> {
        let mut commit = Commit {
            tenant,
            ..Commit::default()
        };
        for message in messages {
            message.join(&mut commit);
        }
        let done = self.inner.records.store().commit(commit).await;
        done.map(|_| ()).map_err(crate::table::refused)
    }

    fn not_before(&self, moment: Option<Timestamp>) -> Value {
        let now = self.inner.records.now();
        Value::Time(moment.map_or(now, |moment| moment.max(now)))
    }

    fn queued(
        &self,
        tenant: i64,
        entity: &str,
        key: Option<&str>,
        cause: &Cause,
        mut values: Vec<(&str, Value)>,
        after: serde_json::Map<String, Json>,
    ) -> Result<Queued, Error> {
        let records = &self.inner.records;
        let id = key.map_or_else(|| records.new_id(), |key| id_of(entity, tenant, key));
        let at = records.now();
        let key = key.map_or_else(|| id.to_string(), clean);
        values.extend([
            ("id", Value::Id(id)),
            ("created_at", Value::Time(at)),
            ("key", key.into()),
            ("cause", some(&clean(&cause.text))),
        ]);
        let schema = records.schema();
        let table = Table::of(&schema, entity)?;
        let values = table.row(values)?;
        let entity_ix = table.ix;
        Ok(Queued {
            id,
            write: Write::Once {
                entity: entity_ix,
                values,
            },
            feed: NewEntry {
                change: records.new_id(),
                at,
                entity: entity.to_owned(),
                record: id,
                version: 0,
                op: FeedOp::Created,
                body: Body {
                    after,
                    by: cause.user,
                    source: cause.source.clone(),
                    chain: cause.chain,
                    depth: cause.depth,
                    ..Body::default()
                },
            },
        })
    }
}

/// The id of the message with this key.
#[must_use]
pub fn id_of(entity: &str, tenant: i64, key: &str) -> Uuid {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [entity.as_bytes(), &tenant.to_be_bytes(), key.as_bytes()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let hash = context.finish();
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn queued() -> serde_json::Map<String, Json> {
    [("state".to_owned(), json!("queued"))]
        .into_iter()
        .collect()
}

fn not_valid(field: &str, code: &str) -> Error {
    Error::field(field, code, "")
}

fn tries(retries: Option<u32>) -> Value {
    Value::Int(i64::from(retries.unwrap_or(retry::RETRIES)))
}

fn some(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => text.into(),
    }
}

/// Without the one character that a database may not take.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// One line.
fn line(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    spaced.trim().to_owned()
}

fn without_nul(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(clean(&text)),
        Json::Array(items) => Json::Array(items.into_iter().map(without_nul).collect()),
        Json::Object(fields) => {
            let fields = fields.into_iter();
            Json::Object(fields.map(|(k, v)| (clean(&k), without_nul(v))).collect())
        }
        other => other,
    }
}
