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
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::message::{Cause, Hidden, Mail, Notice, Webhook};
use crate::{Messaging, call, mail, retry};
use opsflux_records::table::Table;

/// Entity of notifications.
pub const NOTIFICATION: &str = "notification";
/// Entity of deliveries.
pub const DELIVERY: &str = "delivery";

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
        let text = message.shown.as_deref().unwrap_or(&message.text);
        let hidden = Hidden {
            text: message.shown.is_some().then(|| clean(&message.text)),
            ..Hidden::default()
        };
        let payload = json!({
            "text": clean(text),
            "html": message.html.as_deref().map(clean),
            "reply_to": message.reply_to,
        });
        let values = vec![
            ("channel", "mail".into()),
            ("state", "queued".into()),
            ("target", clean(&to.to_string()).into()),
            ("subject", some(&subject)),
            ("payload", Value::Json(payload)),
            ("sealed", self.sealed(tenant, &hidden)?),
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
            text: None,
            masked: webhook.masked.clone(),
        };
        let payload = serde_json::to_value(shown);
        let payload = payload.map_err(|error| Error::Internal(error.to_string()))?;
        let values = vec![
            ("channel", "webhook".into()),
            ("state", "queued".into()),
            ("target", clean(&shown.url).into()),
            ("subject", shown.method.name().into()),
            ("payload", Value::Json(without_nul(payload))),
            ("sealed", self.sealed(tenant, &hidden)?),
            ("retries", tries(webhook.retries)),
            ("next_at", self.not_before(webhook.not_before)),
        ];
        let key = webhook.key.as_deref();
        self.queued(tenant, DELIVERY, key, &webhook.cause, values, queued())
    }

    /// What is kept out of sight; nothing when there is nothing.
    fn sealed(&self, tenant: i64, hidden: &Hidden) -> Result<Value, Error> {
        if hidden.request.is_none() && hidden.secret.is_none() && hidden.text.is_none() {
            return Ok(Value::Null);
        }
        let clear = serde_json::to_string(hidden);
        let clear = clear.map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = self.inner.vault.seal(tenant, &clear);
        Ok(Value::from(sealed.map_err(Error::Internal)?))
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
        done.map(|_| ()).map_err(opsflux_records::table::refused)
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
