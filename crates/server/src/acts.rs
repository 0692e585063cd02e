//! What workflows do through the messaging room: tell people, send mail, call other systems. Each is
//! a row of the commit that does the step, under a key made of the execution and the step.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use opsflux_messaging::{Cause, Mail, Messaging, Method, Notice, Queued, Request, Webhook};
use opsflux_records::Error;
use opsflux_workflow::action::{
    Act, Action, At, Failure, Input, InputKind, Signature, people, some_text, text,
};
use opsflux_workflow::vault;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

/// What people see of a secret.
const MASKED: &str = "••••";

/// Tells people inside the application.
struct SendNotification(Messaging);
/// Sends mail.
struct SendEmail(Messaging);
/// Calls another system.
struct CallWebhook(Messaging);

const NOTIFICATION: &[Input] = &[
    Input::needed("to", InputKind::People),
    Input::needed("title", InputKind::Text),
    Input::optional("message", InputKind::LongText),
];
const EMAIL: &[Input] = &[
    Input::needed("to", InputKind::People),
    Input::needed("subject", InputKind::Text),
    Input::needed("body", InputKind::LongText),
];
const WEBHOOK: &[Input] = &[
    Input::needed("url", InputKind::Text),
    Input::optional("method", InputKind::Text),
    Input::optional("headers", InputKind::Map),
    Input::optional("body", InputKind::Value),
    Input::optional("secret", InputKind::Text),
];

/// What definitions may name of these.
pub fn signatures() -> Vec<Signature> {
    let all = [
        ("send_notification", NOTIFICATION),
        ("send_email", EMAIL),
        ("call_webhook", WEBHOOK),
    ];
    all.map(|(name, inputs)| Signature { name, inputs })
        .to_vec()
}

/// The actions.
pub fn actions(messaging: &Messaging) -> Vec<std::sync::Arc<dyn Action>> {
    vec![
        std::sync::Arc::new(SendNotification(messaging.clone())),
        std::sync::Arc::new(SendEmail(messaging.clone())),
        std::sync::Arc::new(CallWebhook(messaging.clone())),
    ]
}

fn cause(at: &At<'_>) -> Cause {
    let origin = &at.caller.origin;
    Cause {
        text: format!("workflow:{}:{}", at.execution, at.place),
        user: Some(at.caller.user()),
        source: origin.source.clone(),
        chain: origin.chain,
        depth: origin.depth,
    }
}

/// The same for each try to store it; another for each try to do the step again.
fn key(at: &At<'_>, more: &str) -> String {
    format!("{}:{}:{more}", at.id("message"), at.attempt)
}

fn act(sent: Vec<Queued>, output: Json, waits: bool) -> Act {
    let mut act = Act {
        output,
        ..Act::default()
    };
    for queued in sent {
        if waits {
            act.sent.push(queued.id);
        }
        act.along.writes.push(queued.write);
        act.along.feed.push(queued.feed);
    }
    act
}

/// What cannot be sent will not be however often it is tried.
fn wrong(error: Error) -> Failure {
    match error {
        Error::Invalid(errors) => {
            let all = errors
                .iter()
                .map(|error| format!("{}: {}", error.field, error.code));
            Failure::Wrong(all.collect::<Vec<_>>().join("; "))
        }
        error => Failure::Error(error),
    }
}

impl Action for SendNotification {
    fn name(&self) -> &'static str {
        "send_notification"
    }

    fn inputs(&self) -> &'static [Input] {
        NOTIFICATION
    }

    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>> {
        Box::pin(async move {
            let to = given.get("to").unwrap_or(&Json::Null);
            let people = people(at, to).await?;
            if people.is_empty() {
                return Err(Failure::Wrong("to: nobody is there".to_owned()));
            }
            let schema = at.schema();
            let about = at
                .subject
                .map(|record| (schema.entity(record.entity).name.clone(), record.id));
            let mut queued = Vec::new();
            for person in &people {
                let notice = Notice {
                    recipient: *person,
                    title: text(&given, "title")?,
                    message: some_text(&given, "message").unwrap_or_default(),
                    about: about.clone(),
                    // Of the engine itself: what can be answered in place.
                    action: given.get("action").cloned(),
                    key: Some(key(at, &person.to_string())),
                    cause: cause(at),
                    ..Notice::default()
                };
                let one = self.0.notify(at.caller.tenant(), &notice);
                queued.push(one.map_err(wrong)?);
            }
            Ok(act(queued, json!({ "to": people }), false))
        })
    }
}

impl Action for SendEmail {
    fn name(&self) -> &'static str {
        "send_email"
    }

    fn inputs(&self) -> &'static [Input] {
        EMAIL
    }

    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>> {
        Box::pin(async move {
            let to = given.get("to").unwrap_or(&Json::Null);
            let addresses = addresses(at, to).await?;
            if addresses.is_empty() {
                return Err(Failure::Wrong("to: nobody is there".to_owned()));
            }
            let mut queued = Vec::new();
            for address in &addresses {
                let mail = Mail {
                    to: address.clone(),
                    subject: text(&given, "subject")?,
                    text: text(&given, "body")?,
                    // Of the engine itself: what carries a link is not shown as it is.
                    shown: some_text(&given, "shown"),
                    key: Some(key(at, address)),
                    cause: cause(at),
                    ..Mail::default()
                };
                let one = self.0.mail(at.caller.tenant(), &mail);
                queued.push(one.map_err(wrong)?);
            }
            Ok(act(queued, json!({ "to": addresses }), true))
        })
    }
}

/// Addresses as they are, people by theirs.
async fn addresses(at: &At<'_>, to: &Json) -> Result<Vec<String>, Failure> {
    let list = match to {
        Json::Array(list) => list.clone(),
        other => vec![other.clone()],
    };
    let mut found: Vec<String> = Vec::new();
    let mut others = Vec::new();
    for one in list {
        match one {
            Json::String(text) if text.contains('@') && !text.starts_with('@') => found.push(text),
            other => others.push(other),
        }
    }
    let schema = at.schema();
    if let Some(user) = schema.find("user") {
        for id in people(at, &Json::Array(others)).await? {
            let person = at.records.snapshot(at.caller.tenant(), user, id).await?;
            let email =
                person.and_then(|row| row.get(&schema, "email").as_text().map(str::to_owned));
            found.extend(email);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|address| seen.insert(address.to_lowercase()));
    Ok(found)
}

impl Action for CallWebhook {
    fn name(&self) -> &'static str {
        "call_webhook"
    }

    fn inputs(&self) -> &'static [Input] {
        WEBHOOK
    }

    fn act<'a>(
        &'a self,
        at: &'a At<'a>,
        given: Map<String, Json>,
    ) -> BoxFuture<'a, Result<Act, Failure>> {
        Box::pin(async move {
            let named = vault::named(at, &given).await?;
            if named.sealed.is_empty() {
                let call = request(&given)?;
                return self.queue(at, call, None, some_text(&given, "secret"), Vec::new());
            }
            let tenant = at.caller.tenant();
            let mut clear = BTreeMap::new();
            let mut shown = BTreeMap::new();
            let mut masked = Vec::new();
            for (mark, sealed) in &named.sealed {
                let secret = self.0.unseal(tenant, sealed).map_err(Error::Internal)?;
                masked.extend(quoted(&secret));
                shown.insert(mark.clone(), MASKED.to_owned());
                clear.insert(mark.clone(), secret);
            }
            let whole = vault::replaced_in(&given, &clear);
            let told = request(&vault::replaced_in(&given, &shown))?;
            let secret = some_text(&whole, "secret");
            let mut act = self.queue(at, request(&whole)?, Some(told), secret, masked)?;
            act.along.writes.extend(named.audit);
            Ok(act)
        })
    }
}

/// A text as it may come back: as it is, within JSON, and within JSON that is a text within JSON.
fn quoted(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for _ in 0..3 {
        let Some(last) = forms.last() else { break };
        let whole = json!(last).to_string();
        let inner = whole.get(1..whole.len() - 1).unwrap_or_default().to_owned();
        if forms.contains(&inner) {
            break;
        }
        forms.push(inner);
    }
    forms
}

/// What is called, as it was given.
fn request(given: &Map<String, Json>) -> Result<Request, Failure> {
    let method = some_text(given, "method").unwrap_or_else(|| "POST".to_owned());
    let method: Method = serde_json::from_value(json!(method.to_uppercase()))
        .map_err(|_| Failure::Wrong(format!("method: {method} is not known")))?;
    let headers = match given.get("headers") {
        Some(Json::Object(headers)) => headers
            .iter()
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), value)
            })
            .collect(),
        _ => Vec::new(),
    };
    let body = match given.get("body") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(json) => Some(json.to_string()),
    };
    Ok(Request {
        method,
        url: text(given, "url")?,
        headers,
        body,
    })
}

impl CallWebhook {
    fn queue(
        &self,
        at: &At<'_>,
        request: Request,
        shown: Option<Request>,
        secret: Option<String>,
        masked: Vec<String>,
    ) -> Result<Act, Failure> {
        let call = Webhook {
            request,
            shown,
            secret,
            masked,
            key: Some(key(at, "")),
            cause: cause(at),
            ..Webhook::default()
        };
        let queued = self.0.webhook(at.caller.tenant(), &call).map_err(wrong)?;
        let id: Uuid = queued.id;
        Ok(act(vec![queued], json!({ "delivery": id }), true))
    }
}
