//! From JSON as people and the interface write it to a [`Flow`].

use opsflux_model::Condition;
use serde_json::{Map, Value as Json, json};

use super::object::{Mistake, Object};
use super::{Flow, steps, triggers};

/// What the whole form says it is.
pub const FORMAT: &str = "opsflux.flow/1";
/// Steps of one workflow, those within others too.
const MAX_STEPS: usize = 300;

/// Reads a workflow: `trigger`, `conditions` and `actions`, or `format` and `definition`. The
/// members are those of the record, null when absent.
///
/// # Errors
/// Every mistake, with its place; nothing of what the schema knows is asked here.
pub fn read(written: &Map<String, Json>) -> Result<Flow, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let filled = |key: &str| written.get(key).filter(|value| !value.is_null());
    let flow = match (filled("format"), filled("definition")) {
        (None, None) => short(written, &mut mistakes),
        (format, definition) => {
            match format.and_then(Json::as_str) {
                Some(FORMAT) => {}
                _ => mistakes.push(Mistake::new("format", "not_an_option", FORMAT)),
            }
            for key in ["trigger", "conditions", "actions"] {
                if filled(key).is_some_and(|value| *value != json!([]) && *value != json!({})) {
                    mistakes.push(Mistake::new(key, "not_with_definition", ""));
                }
            }
            match definition {
                Some(definition) => whole(definition, &mut mistakes),
                None => {
                    mistakes.push(Mistake::new("definition", "required", ""));
                    None
                }
            }
        }
    };
    if let Some(flow) = &flow {
        names(flow, &mut mistakes);
    }
    match flow {
        Some(flow) if mistakes.is_empty() => Ok(flow),
        _ => Err(mistakes),
    }
}

fn short(written: &Map<String, Json>, mistakes: &mut Vec<Mistake>) -> Option<Flow> {
    let absent = Json::Null;
    let member = |key: &str| written.get(key).unwrap_or(&absent);
    let trigger = match member("trigger") {
        Json::Null => {
            mistakes.push(Mistake::new("trigger", "required", ""));
            None
        }
        trigger => triggers::read(trigger, "trigger", mistakes),
    };
    let when = condition(member("conditions"), "conditions", mistakes);
    let steps = match member("actions") {
        Json::Null => Vec::new(),
        Json::Array(list) => steps::short(list, "actions", mistakes),
        _ => {
            mistakes.push(Mistake::new("actions", "wrong_type", "a list"));
            Vec::new()
        }
    };
    if steps.is_empty() && mistakes.is_empty() {
        mistakes.push(Mistake::new("actions", "required", ""));
    }
    let (trigger, limits) = trigger?;
    Some(Flow {
        triggers: vec![trigger],
        limits: vec![limits],
        when,
        steps,
    })
}

fn whole(definition: &Json, mistakes: &mut Vec<Mistake>) -> Option<Flow> {
    let mut object = Object::of(definition, "definition", mistakes)?;
    let list = object.list("triggers");
    if list.is_empty() {
        object.wrong("triggers", "required", "");
    }
    let when = object.take("when").unwrap_or(Json::Null);
    let written = object.list("steps");
    if written.is_empty() {
        object.wrong("steps", "required", "");
    }
    let _drawing = object.take("ui");
    object.finish();
    let (mut found, mut limits) = (Vec::new(), Vec::new());
    for (place, trigger) in list.iter().enumerate() {
        let at = format!("definition.triggers.{place}");
        if let Some((trigger, limit)) = triggers::read(trigger, &at, mistakes) {
            found.push(trigger);
            limits.push(limit);
        }
    }
    Some(Flow {
        triggers: found,
        limits,
        when: condition(&when, "definition.when", mistakes),
        steps: steps::whole(&written, "definition.steps", mistakes),
    })
}

/// A condition; a list stands for all of its parts, nothing for what always holds.
pub(super) fn condition(json: &Json, at: &str, mistakes: &mut Vec<Mistake>) -> Condition {
    let json = match json {
        Json::Null => return Condition::default(),
        Json::Array(parts) => &json!({ "all": parts }),
        other => other,
    };
    match Condition::from_json(json) {
        Ok(condition) => condition,
        Err(error) => {
            mistakes.push(Mistake::new(at, "invalid_condition", error.to_string()));
            Condition::default()
        }
    }
}

/// Names of steps are their own, and not too many.
fn names(flow: &Flow, mistakes: &mut Vec<Mistake>) {
    let mut known = std::collections::BTreeSet::new();
    let mut count = 0;
    flow.each(&mut |step| {
        count += 1;
        if !known.insert(step.id.as_str()) {
            mistakes.push(Mistake::new("steps", "repeated_name", step.id.clone()));
        }
    });
    if count > MAX_STEPS {
        mistakes.push(Mistake::new("steps", "too_many", MAX_STEPS.to_string()));
    }
}
