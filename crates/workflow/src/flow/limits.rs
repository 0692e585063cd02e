//! How much of what sets a workflow off counts: events taken together, the same one once, so many
//! in a time, one after the other.

use jiff::Span;
use serde_json::Value as Json;

use super::object::{Mistake, Object};
use super::span;

/// Most that a batch holds, and executions that a throttle lets through.
const MAX_COUNT: u64 = 10_000;
/// Events that one batch holds at most.
const MAX_BATCH: u64 = 1_000;

/// The limits of one trigger; none by default.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Events that come within a time are one execution.
    pub batch: Option<Batch>,
    /// What has the same key within a time counts once.
    pub once: Option<Once>,
    /// So many executions in a time, and no more.
    pub throttle: Option<Throttle>,
    /// One at a time of those with the same key.
    pub slot: Option<Slot>,
}

/// So many events that come within a time are one execution.
#[derive(Debug, Clone)]
pub struct Batch {
    /// How many are enough.
    pub count: u64,
    /// How long it waits for them.
    pub within: Span,
    /// What those of one batch share: a template; all of the workflow when absent.
    pub key: Option<String>,
    /// Whether fewer are an execution, too, when the time is over.
    pub partial: bool,
}

/// What has the same key within a time counts once.
#[derive(Debug, Clone)]
pub struct Once {
    /// A template.
    pub key: String,
    /// How long.
    pub within: Span,
}

/// So many executions in a time.
#[derive(Debug, Clone)]
pub struct Throttle {
    /// How many.
    pub count: u64,
    /// In which time.
    pub per: Span,
}

/// One at a time.
#[derive(Debug, Clone)]
pub struct Slot {
    /// What those share of which one runs at a time: a template; all of the workflow when absent.
    pub key: Option<String>,
    /// What becomes of one that comes while another runs.
    pub excess: Excess,
}

/// What becomes of an execution that comes while another runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It waits for its turn.
    Queue,
    /// It is not begun.
    Drop,
    /// It waits, and those that waited before it do not run any more.
    Latest,
    /// It begins, and the other one is stopped.
    Cancel,
}

const EXCESS: [(&str, Excess); 4] = [
    ("queue", Excess::Queue),
    ("drop", Excess::Drop),
    ("latest", Excess::Latest),
    ("cancel", Excess::Cancel),
];

impl Limits {
    /// Every template in them, with its place.
    #[must_use]
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        let batch = self.batch.as_ref().and_then(|batch| batch.key.as_deref());
        let once = self.once.as_ref().map(|once| once.key.as_str());
        let slot = self.slot.as_ref().and_then(|slot| slot.key.as_deref());
        let all = [
            ("batch.key", batch),
            ("once.key", once),
            ("concurrency.key", slot),
        ];
        all.into_iter()
            .filter_map(|(at, text)| Some((at, text?)))
            .collect()
    }
}

pub(super) fn read(object: &mut Object<'_>) -> Limits {
    let mut limits = Limits::default();
    if let Some(json) = object.take("batch") {
        let at = object.at("batch");
        limits.batch = within(&json, &at, object.mistakes(), |inner| {
            let count = count(inner, "count", MAX_BATCH);
            let span = duration(inner, "within");
            let key = inner.text("key");
            let partial = inner.flag("partial");
            Some(Batch {
                count: count?,
                within: span?,
                key,
                partial,
            })
        });
    }
    if let Some(json) = object.take("once") {
        let at = object.at("once");
        limits.once = within(&json, &at, object.mistakes(), |inner| {
            let key = inner.need_text("key");
            let span = duration(inner, "within");
            Some(Once {
                key: key?,
                within: span?,
            })
        });
    }
    if let Some(json) = object.take("throttle") {
        let at = object.at("throttle");
        limits.throttle = within(&json, &at, object.mistakes(), |inner| {
            let count = count(inner, "count", MAX_COUNT);
            let span = duration(inner, "per");
            Some(Throttle {
                count: count?,
                per: span?,
            })
        });
    }
    if let Some(json) = object.take("concurrency") {
        let at = object.at("concurrency");
        limits.slot = within(&json, &at, object.mistakes(), |inner| {
            let key = inner.text("key");
            let excess = inner.option("mode", &EXCESS);
            Some(Slot {
                key,
                excess: excess.unwrap_or(Excess::Queue),
            })
        });
    }
    limits
}

fn within<T>(
    json: &Json,
    at: &str,
    mistakes: &mut Vec<Mistake>,
    read: impl FnOnce(&mut Object<'_>) -> Option<T>,
) -> Option<T> {
    let mut inner = Object::of(json, at, mistakes)?;
    let found = read(&mut inner);
    inner.finish();
    found
}

fn count(object: &mut Object<'_>, key: &str, most: u64) -> Option<u64> {
    let json = object.need(key)?;
    let found = json.as_u64().filter(|count| (1..=most).contains(count));
    if found.is_none() {
        object.wrong(key, "out_of_range", format!("1–{most}"));
    }
    found
}

fn duration(object: &mut Object<'_>, key: &str) -> Option<Span> {
    let text = object.need_text(key)?;
    let found = span::read(&text);
    if found.is_none() {
        object.wrong(key, "invalid_duration", text);
    }
    found
}
