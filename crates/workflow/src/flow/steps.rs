//! Steps as written.

use serde_json::{Map, Value as Json};

use super::object::{Mistake, Object, join};
use super::{
    ActionStep, ApprovalStep, Branch, Case, Join, OnFailure, OnTimeout, Quorum, Step, StepKind,
    WaitStep, patience, read, span,
};

/// Tries of an action unless it says another number.
const TRIES: u32 = 3;
/// Most tries.
const MAX_TRIES: u64 = 20;
/// Deepest nesting: deeper than any drawing, shallower than the stack.
const MAX_DEPTH: usize = 16;
/// Longest name.
const MAX_NAME: usize = 60;

const ON_FAILURE: [(&str, OnFailure); 2] =
    [("stop", OnFailure::Stop), ("continue", OnFailure::Continue)];
const ON_TIMEOUT: [(&str, OnTimeout); 3] = [
    ("reject", OnTimeout::Reject),
    ("approve", OnTimeout::Approve),
    ("fail", OnTimeout::Fail),
];

/// `[{type, params}]`: actions in order, waits and approvals among them.
pub(super) fn short(list: &[Json], at: &str, mistakes: &mut Vec<Mistake>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(list.len());
    for (place, json) in list.iter().enumerate() {
        let at = join(at, &place.to_string());
        let Some(mut object) = Object::of(json, &at, mistakes) else {
            continue;
        };
        let Some(kind) = object.need_text("type") else {
            continue;
        };
        let (id, name) = named(&mut object, place);
        let params = object.take("params").unwrap_or(Json::Object(Map::new()));
        let with = object.at("params");
        let kind = match kind.as_str() {
            "wait" | "request_approval" | "workflow" => {
                let kind = kind.clone();
                object.finish();
                let Some(mut inner) = Object::of(&params, &with, mistakes) else {
                    continue;
                };
                let read = match kind.as_str() {
                    "wait" => wait(&mut inner, 1),
                    "workflow" => patience::call(&mut inner),
                    _ => Some(approval(&mut inner, 1)),
                };
                inner.finish();
                read
            }
            _ => {
                let action = action(&mut object, kind.clone(), params);
                object.finish();
                action
            }
        };
        steps.extend(kind.map(|kind| Step { id, name, kind }));
    }
    steps
}

/// The steps of a tree.
pub(super) fn whole(list: &[Json], at: &str, mistakes: &mut Vec<Mistake>) -> Vec<Step> {
    nested(list, at, mistakes, 0)
}

fn nested(list: &[Json], at: &str, mistakes: &mut Vec<Mistake>, depth: usize) -> Vec<Step> {
    if depth > MAX_DEPTH {
        mistakes.push(Mistake::new(at, "too_deep", MAX_DEPTH.to_string()));
        return Vec::new();
    }
    let mut steps = Vec::with_capacity(list.len());
    for (place, json) in list.iter().enumerate() {
        let at = join(at, &place.to_string());
        let Some(mut object) = Object::of(json, &at, mistakes) else {
            continue;
        };
        let Some(kind) = object.need_text("type") else {
            continue;
        };
        let id = object.need_text("id").unwrap_or_default();
        if !id.is_empty() && !is_name(&id) {
            object.wrong("id", "invalid_name", "");
        }
        let name = object.text("name");
        let kind = one(&mut object, &kind, depth);
        object.finish();
        steps.extend(kind.map(|kind| Step { id, name, kind }));
    }
    steps
}

fn one(object: &mut Object<'_>, kind: &str, depth: usize) -> Option<StepKind> {
    match kind {
        "action" => {
            let name = object.need_text("use");
            let params = object.take("with").unwrap_or(Json::Object(Map::new()));
            action(object, name?, params)
        }
        "branch" => {
            let mut cases = Vec::new();
            let at = object.at("cases");
            for (place, case) in object.list("cases").iter().enumerate() {
                let at = join(&at, &place.to_string());
                let Some(mut case) = Object::of(case, &at, object.mistakes()) else {
                    continue;
                };
                let when = case.need("when").unwrap_or(Json::Null);
                let steps = case.list("steps");
                case.finish();
                cases.push(Case {
                    when: read::condition(&when, &join(&at, "when"), object.mistakes()),
                    steps: nested(&steps, &join(&at, "steps"), object.mistakes(), depth + 1),
                });
            }
            if cases.is_empty() {
                object.wrong("cases", "required", "");
            }
            let otherwise = block(object, "else", depth);
            Some(StepKind::Branch { cases, otherwise })
        }
        "parallel" => parallel(object, depth),
        "foreach" => {
            let list = object.need("in");
            let name = object.text("as").unwrap_or_else(|| "item".to_owned());
            let steps = block(object, "steps", depth);
            Some(StepKind::ForEach {
                list: list?,
                name,
                steps,
            })
        }
        "wait" => wait(object, depth),
        "repeat" => patience::repeat(object, depth),
        "workflow" => patience::call(object),
        "approval" => Some(approval(object, depth)),
        "stop" => Some(StepKind::Stop {
            failed: object
                .option("status", &[("success", false), ("failed", true)])
                .unwrap_or(false),
            message: object.text("message"),
        }),
        _ => {
            let known = "action, branch, parallel, foreach, repeat, wait, approval, workflow, stop";
            object.wrong("type", "not_an_option", known);
            None
        }
    }
}

pub(super) fn block(object: &mut Object<'_>, key: &str, depth: usize) -> Vec<Step> {
    let at = object.at(key);
    let list = object.list(key);
    nested(&list, &at, object.mistakes(), depth + 1)
}

fn named(object: &mut Object<'_>, place: usize) -> (String, Option<String>) {
    let id = match object.text("id") {
        Some(id) if is_name(&id) => id,
        Some(_) => {
            object.wrong("id", "invalid_name", "");
            String::new()
        }
        None => format!("action_{}", place + 1),
    };
    (id, object.text("name"))
}

/// Letters, digits and `_`, so that `{{ steps.NAME }}` reads it.
fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    starts && rest && text.len() <= MAX_NAME
}

fn action(object: &mut Object<'_>, action: String, params: Json) -> Option<StepKind> {
    let tries = match object.take("tries") {
        None => TRIES,
        Some(json) => match json.as_u64().filter(|n| (1..=MAX_TRIES).contains(n)) {
            Some(tries) => u32::try_from(tries).unwrap_or(TRIES),
            None => {
                object.wrong("tries", "out_of_range", format!("1–{MAX_TRIES}"));
                TRIES
            }
        },
    };
    let on_failure = object.option("on_failure", &ON_FAILURE);
    let Json::Object(params) = params else {
        object.wrong("params", "wrong_type", "an object");
        return None;
    };
    Some(StepKind::Action(ActionStep {
        action,
        params,
        tries,
        on_failure: on_failure.unwrap_or(OnFailure::Stop),
    }))
}

fn wait(object: &mut Object<'_>, depth: usize) -> Option<StepKind> {
    if object.has("event") || object.has("when") {
        return patience::listen(object, depth);
    }
    match (object.text("for"), object.text("until")) {
        (Some(text), None) => match span::read(&text) {
            Some(span) => Some(StepKind::Wait(WaitStep::For(span))),
            None => {
                object.wrong("for", "invalid_duration", text);
                None
            }
        },
        (None, Some(text)) => Some(StepKind::Wait(WaitStep::Until(text))),
        _ => {
            object.wrong("for", "required", "");
            None
        }
    }
}

fn parallel(object: &mut Object<'_>, depth: usize) -> Option<StepKind> {
    let mut branches = Vec::new();
    let at = object.at("branches");
    for (place, branch) in object.list("branches").iter().enumerate() {
        let at = join(&at, &place.to_string());
        let Some(mut branch) = Object::of(branch, &at, object.mistakes()) else {
            continue;
        };
        let id = branch
            .text("id")
            .unwrap_or_else(|| format!("b{}", place + 1));
        if !is_name(&id) {
            branch.wrong("id", "invalid_name", "");
        }
        let steps = branch.list("steps");
        branch.finish();
        let steps = nested(&steps, &join(&at, "steps"), object.mistakes(), depth + 1);
        branches.push(Branch { id, steps });
    }
    if branches.is_empty() {
        object.wrong("branches", "required", "");
    }
    let join = match object.take("join") {
        None => Join::All,
        Some(json) => match (json.as_str(), json.as_u64()) {
            (Some("all"), _) => Join::All,
            (Some("any"), _) => Join::Count(1),
            (_, Some(count)) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                if count == 0 || count > branches.len() {
                    let range = format!("1–{}", branches.len());
                    object.wrong("join", "out_of_range", range);
                }
                Join::Count(count)
            }
            _ => {
                object.wrong("join", "not_an_option", "all, any, a number");
                Join::All
            }
        },
    };
    Some(StepKind::Parallel { branches, join })
}

fn approval(object: &mut Object<'_>, depth: usize) -> StepKind {
    let approvers = object.need("approvers").unwrap_or(Json::Null);
    let quorum = match object.take("mode") {
        None => Quorum::Any,
        Some(json) => match (json.as_str(), json.as_u64()) {
            (Some("any"), _) => Quorum::Any,
            (Some("all"), _) => Quorum::All,
            (_, Some(count)) if count > 0 => {
                Quorum::Count(usize::try_from(count).unwrap_or(usize::MAX))
            }
            _ => {
                object.wrong("mode", "not_an_option", "any, all, a number");
                Quorum::Any
            }
        },
    };
    let mut after = |key: &str| {
        let text = object.text(key)?;
        let span = span::read(&text);
        if span.is_none() {
            object.wrong(key, "invalid_duration", text);
        }
        span
    };
    let (due, escalate, remind) = (after("due_in"), after("escalate_in"), after("remind_every"));
    let escalate_to = object.take("escalate_to");
    let by_mail = object.flag("by_mail");
    let on_timeout = object.option("on_timeout", &ON_TIMEOUT);
    let (title, message) = (object.text("title"), object.text("message"));
    let allow_self = object.flag("allow_self");
    let on_reject = block(object, "on_reject", depth);
    StepKind::Approval(Box::new(ApprovalStep {
        approvers,
        title,
        message,
        quorum,
        due,
        on_timeout: on_timeout.unwrap_or(OnTimeout::Reject),
        allow_self,
        escalate,
        escalate_to,
        remind,
        by_mail,
        on_reject,
    }))
}
