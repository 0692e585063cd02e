//! Triggers as written: the names of the CRM, and the general ones.

use serde_json::Value as Json;

use super::object::{Mistake, Object};
use super::{Event, OnRecord, Trigger};

/// Names that stand for a general trigger on one entity.
const KIN: [(&str, &str, Event); 5] = [
    ("organisation_created", "organisation", Event::Created),
    ("organisation_updated", "organisation", Event::Updated),
    ("deal_created", "deal", Event::Created),
    ("deal_updated", "deal", Event::Updated),
    ("deal_stage_changed", "deal", Event::StateChanged),
];

pub(super) fn read(json: &Json, at: &str, mistakes: &mut Vec<Mistake>) -> Option<Trigger> {
    let mut object = Object::of(json, at, mistakes)?;
    let kind = object.need_text("type")?;
    let _id = object.text("id");
    let kin = KIN.iter().find(|(name, ..)| *name == kind);
    let trigger = match kind.as_str() {
        "manual" => Some(Trigger::Manual {
            entity: object.text("entity"),
        }),
        _ => match (kin, event(&kind)) {
            (Some((_, entity, event)), _) => {
                on_record(&mut object, Some((*entity).to_owned()), *event)
            }
            (None, Some(event)) => {
                let entity = object.need_text("entity");
                on_record(&mut object, entity, event)
            }
            (None, None) => {
                let known = KIN.iter().map(|(name, ..)| *name);
                let general = ["record_created", "record_updated", "record_deleted"];
                let more = ["record_restored", "state_changed", "manual"];
                let all: Vec<&str> = known.chain(general).chain(more).collect();
                object.wrong("type", "not_an_option", all.join(", "));
                return None;
            }
        },
    };
    object.finish();
    trigger
}

fn event(kind: &str) -> Option<Event> {
    let name = kind.strip_prefix("record_").unwrap_or(kind);
    let found = Event::NAMES.iter().find(|(known, _)| *known == name)?.1;
    let is_state = found == Event::StateChanged;
    (is_state != kind.starts_with("record_")).then_some(found)
}

fn on_record(object: &mut Object<'_>, entity: Option<String>, event: Event) -> Option<Trigger> {
    let changed = match event {
        Event::Updated => object.texts("changed"),
        _ => Vec::new(),
    };
    let (from, to) = match event {
        Event::StateChanged => (object.texts("from"), object.texts("to")),
        _ => (Vec::new(), Vec::new()),
    };
    Some(Trigger::Record(OnRecord {
        entity: entity?,
        event,
        changed,
        from,
        to,
    }))
}
