//! What the editor offers besides actions: what sets a workflow off, and the steps there are, each
//! with what it is given.

use serde_json::{Value as Json, json};

use crate::flow::{ALIASES, TRIGGERS};

/// One thing that is given: name, kind, whether it must be.
type Given = (&'static str, &'static str, bool);

/// Every trigger with what it is given.
pub(crate) fn triggers() -> Json {
    let mut all = Vec::new();
    for name in TRIGGERS {
        let (about, inputs): (&str, &[Given]) = match name {
            "record_created" | "record_deleted" | "record_restored" => {
                ("record", &[("entity", "entity", true)])
            }
            "record_updated" | "before_save" => (
                "record",
                &[("entity", "entity", true), ("changed", "field", false)],
            ),
            "state_changed" => (
                "record",
                &[
                    ("entity", "entity", true),
                    ("from", "state", false),
                    ("to", "state", false),
                ],
            ),
            "scheduled" => (
                "optional",
                &[
                    ("frequency", "frequency", false),
                    ("at", "time", false),
                    ("day", "number", false),
                    ("cron", "text", false),
                    ("tz", "text", false),
                    ("entity", "entity", false),
                ],
            ),
            "inactivity_delay" => (
                "record",
                &[
                    ("entity", "entity", true),
                    ("days", "number", false),
                    ("for", "span", false),
                    ("since", "field", false),
                ],
            ),
            "deadline" => (
                "record",
                &[
                    ("entity", "entity", true),
                    ("field", "field", true),
                    ("before", "span", true),
                ],
            ),
            "webhook_received" => (
                "optional",
                &[("entity", "entity", false), ("record", "text", false)],
            ),
            "login" | "logout" => ("record", &[]),
            "system_error" => ("nothing", &[]),
            _ => ("optional", &[("entity", "entity", false)]),
        };
        let limits = match name {
            "manual" | "called" | "before_save" => &[][..],
            _ => &["batch", "once", "throttle", "concurrency"],
        };
        all.push(json!({
            "name": name, "about": about, "inputs": inputs_of(inputs), "limits": limits,
        }));
    }
    for (name, entity, _) in ALIASES {
        all.push(json!({
            "name": name, "about": "record", "entity": entity, "inputs": [],
            "limits": ["batch", "once", "throttle", "concurrency"],
        }));
    }
    Json::Array(all)
}

/// Every step of the whole form with what it is given.
pub(crate) fn steps() -> Json {
    let all: &[(&str, &[Given])] = &[
        ("action", &[("use", "action", true), ("with", "map", false)]),
        (
            "branch",
            &[("cases", "cases", true), ("else", "steps", false)],
        ),
        (
            "parallel",
            &[("branches", "branches", true), ("join", "text", false)],
        ),
        (
            "foreach",
            &[
                ("in", "value", true),
                ("as", "text", false),
                ("steps", "steps", true),
            ],
        ),
        (
            "repeat",
            &[
                ("every", "span", true),
                ("while", "conditions", false),
                ("max", "number", true),
                ("steps", "steps", true),
            ],
        ),
        (
            "wait",
            &[
                ("for", "span", false),
                ("until", "text", false),
                ("event", "trigger", false),
                ("link", "field", false),
                ("when", "conditions", false),
                ("timeout", "span", false),
                ("on_timeout", "steps", false),
            ],
        ),
        ("approval", &[("approvers", "people", true)]),
        (
            "workflow",
            &[
                ("workflow", "text", true),
                ("with", "map", false),
                ("record", "text", false),
            ],
        ),
        (
            "stop",
            &[("status", "text", false), ("message", "long_text", false)],
        ),
    ];
    let all = all
        .iter()
        .map(|(name, inputs)| json!({"name": name, "inputs": inputs_of(inputs)}));
    Json::Array(all.collect())
}

fn inputs_of(inputs: &[Given]) -> Json {
    let one =
        |(name, kind, required): &Given| json!({"name": name, "kind": kind, "required": required});
    Json::Array(inputs.iter().map(one).collect())
}
