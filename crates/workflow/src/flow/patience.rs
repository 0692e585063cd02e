//! Steps that last: waiting for something to happen, doing again, another workflow.

use jiff::Span;
use opsflux_model::Condition;
use serde_json::{Map, Value as Json};

use super::object::Object;
use super::{OnRecord, Step, StepKind, Trigger, read, span, steps, triggers};

/// Rounds of one step.
const MAX_ROUNDS: u64 = 1_000;

/// Waiting for something to happen to records.
#[derive(Debug, Clone)]
pub struct ListenStep {
    /// What happens; without it, that the record of the execution satisfies the condition.
    pub event: Option<OnRecord>,
    /// The field by which the record it happens to points at that of the execution; none: it is
    /// that one.
    pub link: Option<String>,
    /// What must hold of the record then.
    pub when: Condition,
    /// How long.
    pub timeout: Option<Span>,
    /// What is done when that is over; what follows is done after it.
    pub on_timeout: Vec<Step>,
}

/// The same steps again and again while something holds.
#[derive(Debug, Clone)]
pub struct RepeatStep {
    /// The time from the end of a round to the next.
    pub every: Span,
    /// What must hold of the record for another round.
    pub holds: Condition,
    /// Rounds in all.
    pub most: usize,
    /// A round.
    pub steps: Vec<Step>,
}

/// Another workflow, whose end is waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// Its name or id.
    pub workflow: String,
    /// What it is handed: templates in every text.
    pub inputs: Map<String, Json>,
    /// The record it is about: a template; that of the execution when absent.
    pub record: Option<Json>,
}

/// A wait for an event or a condition.
pub(super) fn listen(object: &mut Object<'_>, depth: usize) -> Option<StepKind> {
    let event = match object.take("event") {
        None => None,
        Some(json) => {
            let at = object.at("event");
            match triggers::read(&json, &at, object.mistakes())? {
                (Trigger::Record(on), _) => Some(on),
                _ => {
                    let known = "record_created, record_updated, record_deleted, \
                                 record_restored, state_changed";
                    object.wrong("event.type", "not_an_option", known);
                    return None;
                }
            }
        }
    };
    let when = object.take("when").unwrap_or(Json::Null);
    let at = object.at("when");
    let when = read::condition(&when, &at, object.mistakes());
    if event.is_none() && when.is_trivial() {
        object.wrong("when", "required", "");
    }
    let link = object.text("link");
    if link.is_some() && event.is_none() {
        object.wrong("link", "unknown_field", "");
    }
    let timeout = object.text("timeout").and_then(|text| {
        let span = span::read(&text);
        if span.is_none() {
            object.wrong("timeout", "invalid_duration", text);
        }
        span
    });
    let on_timeout = steps::block(object, "on_timeout", depth);
    if timeout.is_none() && !on_timeout.is_empty() {
        object.wrong("timeout", "required", "");
    }
    Some(StepKind::Listen(ListenStep {
        event,
        link,
        when,
        timeout,
        on_timeout,
    }))
}

/// Rounds while something holds.
pub(super) fn repeat(object: &mut Object<'_>, depth: usize) -> Option<StepKind> {
    let every = object.need_text("every").and_then(|text| {
        let span = span::read(&text);
        if span.is_none() {
            object.wrong("every", "invalid_duration", text);
        }
        span
    });
    let holds = object.take("while").unwrap_or(Json::Null);
    let at = object.at("while");
    let holds = read::condition(&holds, &at, object.mistakes());
    let most = object.need("max").and_then(|json| {
        let most = json.as_u64().filter(|most| (1..=MAX_ROUNDS).contains(most));
        if most.is_none() {
            object.wrong("max", "out_of_range", format!("1–{MAX_ROUNDS}"));
        }
        usize::try_from(most?).ok()
    });
    let steps = steps::block(object, "steps", depth);
    Some(StepKind::Repeat(RepeatStep {
        every: every?,
        holds,
        most: most?,
        steps,
    }))
}

/// Another workflow.
pub(super) fn call(object: &mut Object<'_>) -> Option<StepKind> {
    let workflow = object.need_text("workflow");
    let inputs = match object.take("with") {
        None => Map::new(),
        Some(Json::Object(inputs)) => inputs,
        Some(_) => {
            object.wrong("with", "wrong_type", "an object");
            return None;
        }
    };
    let record = object.take("record");
    Some(StepKind::Call(CallStep {
        workflow: workflow?,
        inputs,
        record,
    }))
}
