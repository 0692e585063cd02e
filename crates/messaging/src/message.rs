//! What can be told: a notification, a mail, a call, and who asks for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

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
    /// The same without its secrets, when it has some: this is what people see of it later, the text
    /// itself is sealed.
    pub shown: Option<String>,
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
    /// What is not kept of the answer either, should the other side repeat it; sealed.
    pub masked: Vec<String>,
    /// Sent as `Idempotency-Key`, and taken once with the same one.
    pub key: Option<String>,
    /// Tries after the first one; 3 when absent.
    pub retries: Option<u32>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Who asked.
    pub cause: Cause,
}

/// What a delivery keeps out of sight.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hidden {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<String>,
}
