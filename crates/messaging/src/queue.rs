//! Deliveries as rows: taking what is due, holding it, writing what became of it.
//!
//! `next_at` says when a delivery may be taken: when it is due, and once somebody sends it, when he
//! counts as dead. `fence` grows each time it is taken; whoever comes back later than that finds
//! another one and writes nothing.

use std::str::FromStr;

use jiff::SignedDuration;
use opsflux_model::{EntityIx, Predicate, Value};
use opsflux_records::{ConflictKind, Error};
use opsflux_store::feed::Body;
use opsflux_store::{Commit, FeedOp, Guard, NewEntry, Write};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::outgoing::DELIVERY;
use crate::{Messaging, retry};
use opsflux_records::table::{Query, Table, refused};

/// Name of the guard that a delivery is still this worker's.
const HELD: &str = "delivery.held";
/// Longest error kept.
const MAX_ERROR: usize = 2_000;
/// What is read of a delivery to judge whether it is sent now.
const LOOKED_AT: [&str; 10] = [
    "id", "channel", "state", "target", "subject", "key", "attempts", "retries", "fence", "handed",
];
/// What is read besides of one that is sent: it may be large.
const SENT: [&str; 2] = ["payload", "sealed"];

/// Where a message goes.
/// What stands where a secret was.
const MASK: &str = "••••";

fn masked(json: Json, text: &impl Fn(String) -> String) -> Json {
    match json {
        Json::String(said) => Json::String(text(said)),
        Json::Array(list) => list.into_iter().map(|json| masked(json, text)).collect(),
        Json::Object(map) => {
            let all = map.into_iter();
            Json::Object(
                all.map(|(key, json)| (text(key), masked(json, text)))
                    .collect(),
            )
        }
        other => other,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Mail,
    Webhook,
}

impl Channel {
    pub const ALL: [Channel; 2] = [Channel::Mail, Channel::Webhook];

    pub fn code(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Webhook => "webhook",
        }
    }
}

impl FromStr for Channel {
    type Err = ();

    fn from_str(code: &str) -> Result<Channel, ()> {
        let mut all = Channel::ALL.into_iter();
        all.find(|channel| channel.code() == code).ok_or(())
    }
}

/// What came of a try.
#[derive(Debug)]
pub(crate) enum Outcome {
    Sent {
        response: Json,
    },
    /// Another try may do better, not before what the other side asks for.
    Again {
        error: String,
        asked: Option<SignedDuration>,
        response: Option<Json>,
    },
    /// Another try would do no better.
    Failed {
        error: String,
        response: Option<Json>,
    },
    /// It may have arrived, and nobody can know.
    Unknown {
        error: String,
    },
}

impl Outcome {
    /// The same, without these texts anywhere in what is kept of it.
    pub fn without(self, secrets: &[String]) -> Outcome {
        if secrets.is_empty() {
            return self;
        }
        let text = |text: String| {
            let mut text = text;
            for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                text = text.replace(secret.as_str(), MASK);
            }
            text
        };
        let json = |json: Json| masked(json, &text);
        match self {
            Outcome::Sent { response } => Outcome::Sent {
                response: json(response),
            },
            Outcome::Again {
                error,
                asked,
                response,
            } => Outcome::Again {
                error: text(error),
                asked,
                response: response.map(json),
            },
            Outcome::Failed { error, response } => Outcome::Failed {
                error: text(error),
                response: response.map(json),
            },
            Outcome::Unknown { error } => Outcome::Unknown { error: text(error) },
        }
    }

    pub fn failed(error: impl Into<String>, response: Option<Json>) -> Outcome {
        let error = error.into();
        Outcome::Failed { error, response }
    }

    pub fn again(
        error: impl Into<String>,
        asked: Option<SignedDuration>,
        response: Option<Json>,
    ) -> Outcome {
        Outcome::Again {
            error: error.into(),
            asked,
            response,
        }
    }
}

/// A delivery that this process holds, or looks at.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub tenant: i64,
    pub id: Uuid,
    pub channel: Channel,
    /// Whether somebody has it, or had when he died.
    pub sending: bool,
    pub target: String,
    pub subject: String,
    pub payload: Json,
    pub sealed: Option<String>,
    pub key: String,
    pub attempts: i64,
    pub retries: i64,
    pub fence: i64,
    pub handed: bool,
}

impl Held {
    fn of(tenant: i64, row: &[Value]) -> Option<Held> {
        let text = |place: usize| row.get(place).and_then(Value::as_text);
        let int = |place: usize| row.get(place).and_then(Value::as_int).unwrap_or(0);
        Some(Held {
            tenant,
            id: row.first()?.as_id()?,
            channel: text(1)?.parse().ok()?,
            sending: text(2)? == "sending",
            target: text(3)?.to_owned(),
            subject: text(4).unwrap_or_default().to_owned(),
            payload: Json::Null,
            sealed: None,
            key: text(5)?.to_owned(),
            attempts: int(6),
            retries: int(7),
            fence: int(8),
            handed: row.get(9).and_then(Value::as_bool) == Some(true),
        })
    }
}

impl Messaging {
    /// Up to `limit` deliveries of one channel that are due, in their order, for each tenant.
    pub(crate) async fn due(&self, channel: Channel, limit: u32) -> Result<Vec<Held>, Error> {
        let store = self.inner.records.store();
        let schema = self.inner.records.schema();
        let Ok(table) = Table::of(&schema, DELIVERY) else {
            return Ok(Vec::new());
        };
        let filter = table
            .is("channel", channel.code())?
            .and(self.may_be_taken(&table)?);
        let mut due = Vec::new();
        for tenant in store.tenants().await? {
            let tenant = tenant.number;
            let order = ["next_at", "id"];
            let rows = table.rows(
                store,
                tenant,
                Query {
                    fields: &LOOKED_AT,
                    filter: filter.clone(),
                    sort: &order,
                    limit,
                },
            );
            let rows = rows.await?;
            due.extend(rows.iter().filter_map(|row| Held::of(tenant, row)));
        }
        Ok(due)
    }

    fn may_be_taken(&self, table: &Table<'_>) -> Result<Predicate, Error> {
        let now = self.inner.records.now();
        let open = table.is_one_of("state", &["queued", "sending"])?;
        // A moment that has just come counts: the clock may stand still in tests.
        let after = now + SignedDuration::from_micros(1);
        Ok(open.and(table.is_before("next_at", after)?))
    }

    /// Takes a delivery; `None` when somebody else was faster, or when it is not to be sent.
    pub(crate) async fn take(&self, found: &Held) -> Result<Option<Held>, Error> {
        if found.sending && found.handed {
            // Whoever had it died between handing the text over and hearing what became of it.
            let error = "the process that sent it ended before the server had answered";
            let outcome = Outcome::Unknown {
                error: error.to_owned(),
            };
            self.end(found, outcome).await?;
            return Ok(None);
        }
        let schema = self.inner.records.schema();
        let table = Table::of(&schema, DELIVERY)?;
        let mut held = found.clone();
        held.fence += 1;
        held.attempts += 1;
        held.sending = true;
        let set = table.set(vec![
            ("state", "sending".into()),
            ("worker", self.inner.worker.as_str().into()),
            ("fence", held.fence.into()),
            ("attempts", held.attempts.into()),
            ("next_at", self.lease_end()),
        ])?;
        let holds = self.may_be_taken(&table)?.and(fence(&table, found)?);
        match self.commit(table.ix, found, holds, set, None).await {
            Ok(()) => self.whole(&table, held).await.map(Some),
            Err(Error::Conflict(ConflictKind::Guard { .. } | ConflictKind::Busy)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// With what is sent.
    async fn whole(&self, table: &Table<'_>, mut held: Held) -> Result<Held, Error> {
        let store = self.inner.records.store();
        let one = table.is("id", held.id)?;
        let rows = table
            .rows(
                store,
                held.tenant,
                Query {
                    fields: &SENT,
                    filter: one,
                    sort: &[],
                    limit: 1,
                },
            )
            .await?;
        let row = rows.into_iter().next().unwrap_or_default();
        let mut values = row.into_iter();
        if let Some(Value::Json(payload)) = values.next() {
            held.payload = payload;
        }
        if let Some(Value::Text(sealed)) = values.next() {
            held.sealed = Some(sealed);
        }
        Ok(held)
    }

    /// Notes that the text of a mail is about to leave; false when it is no longer this worker's,
    /// who must then not send it.
    pub(crate) async fn hand_over(&self, held: &Held) -> Result<bool, Error> {
        self.note(held, vec![("handed", Value::Bool(true))]).await
    }

    /// Holds a delivery on; false when somebody else has it.
    pub(crate) async fn hold_on(&self, held: &Held) -> Result<bool, Error> {
        self.note(held, Vec::new()).await
    }

    async fn note(&self, held: &Held, mut set: Vec<(&str, Value)>) -> Result<bool, Error> {
        let schema = self.inner.records.schema();
        let table = Table::of(&schema, DELIVERY)?;
        set.push(("next_at", self.lease_end()));
        let holds = self.is_mine(&table, held)?;
        let set = table.set(set)?;
        match self.commit(table.ix, held, holds, set, None).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict(ConflictKind::Guard { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes what became of a delivery. One that is no longer this worker's is left alone.
    pub(crate) async fn end(&self, held: &Held, outcome: Outcome) -> Result<(), Error> {
        let schema = self.inner.records.schema();
        let table = Table::of(&schema, DELIVERY)?;
        let (id, tried) = (held.id, held.attempts);
        let now = self.inner.records.now();
        let ended = |state: &'static str, error: Value, response: Option<Json>| {
            vec![
                ("state", state.into()),
                ("error", error),
                ("response", response.map_or(Value::Null, Value::Json)),
                ("ended_at", now.into()),
                ("next_at", Value::Null),
                ("worker", Value::Null),
            ]
        };
        let (state, set) = match outcome {
            Outcome::Sent { response } => {
                let mut set = ended("sent", Value::Null, Some(response));
                set.push(("sent_at", now.into()));
                ("sent", set)
            }
            Outcome::Again {
                error,
                asked,
                response,
            } if tried <= held.retries => {
                tracing::info!(delivery = %id, tried, %error, "a delivery is tried again later");
                let pause = retry::pause(tried, asked, &self.inner.dice);
                let set = vec![
                    ("state", "queued".into()),
                    ("error", told(&error)),
                    ("response", response.map_or(Value::Null, Value::Json)),
                    ("next_at", (now + pause).into()),
                    ("worker", Value::Null),
                    ("handed", Value::Bool(false)),
                ];
                ("queued", set)
            }
            Outcome::Again {
                error, response, ..
            }
            | Outcome::Failed { error, response } => {
                tracing::warn!(delivery = %id, tried, %error, "a delivery failed");
                ("failed", ended("failed", told(&error), response))
            }
            Outcome::Unknown { error } => {
                tracing::warn!(delivery = %id, %error, "nobody knows whether a mail has left");
                ("unknown", ended("unknown", told(&error), None))
            }
        };
        let feed = (state != "queued").then(|| self.ending(id, state));
        let holds = if held.sending && held.handed && state == "unknown" {
            // Taken from a dead process: it is not this worker's, but it is nobody else's either.
            self.may_be_taken(&table)?.and(fence(&table, held)?)
        } else {
            self.is_mine(&table, held)?
        };
        let set = table.set(set)?;
        match self.commit(table.ix, held, holds, set, feed).await {
            Err(Error::Conflict(ConflictKind::Guard { .. })) => {
                tracing::warn!(delivery = %id, state, "somebody else has a delivery by now");
                Ok(())
            }
            done => done,
        }
    }

    /// What those learn who wait for a delivery.
    pub(crate) fn ending(&self, id: Uuid, state: &str) -> NewEntry {
        let records = &self.inner.records;
        NewEntry {
            change: records.new_id(),
            at: records.now(),
            entity: DELIVERY.to_owned(),
            record: id,
            version: 0,
            op: FeedOp::Updated,
            body: Body {
                fields: vec!["state".to_owned()],
                after: [("state".to_owned(), json!(state))].into_iter().collect(),
                source: "system".to_owned(),
                ..Body::default()
            },
        }
    }

    fn is_mine(&self, table: &Table<'_>, held: &Held) -> Result<Predicate, Error> {
        let mine = table.is("worker", self.inner.worker.as_str())?;
        Ok(mine
            .and(table.is("state", "sending")?)
            .and(table.is("fence", held.fence)?))
    }

    fn lease_end(&self) -> Value {
        Value::Time(self.inner.records.now() + self.inner.lease)
    }

    async fn commit(
        &self,
        entity: EntityIx,
        held: &Held,
        holds: Predicate,
        set: Vec<(opsflux_model::FieldIx, opsflux_store::Set)>,
        feed: Option<NewEntry>,
    ) -> Result<(), Error> {
        let commit = Commit {
            tenant: held.tenant,
            guards: vec![Guard::Exists {
                name: HELD.to_owned(),
                entity,
                id: held.id,
                holds,
            }],
            writes: vec![Write::Update {
                entity,
                id: held.id,
                expected_version: None,
                set,
            }],
            feed: feed.into_iter().collect(),
            ..Commit::default()
        };
        let done = self.inner.records.store().commit(commit).await;
        done.map(|_| ()).map_err(refused)
    }
}

/// That nobody has taken it since it was read.
fn fence(table: &Table<'_>, found: &Held) -> Result<Predicate, Error> {
    match found.fence {
        0 => table.is_empty("fence"),
        fence => table.is("fence", fence),
    }
}

fn told(error: &str) -> Value {
    let short: String = error.chars().take(MAX_ERROR).collect();
    Value::Text(crate::outgoing::clean(&short))
}
