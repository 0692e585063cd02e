//! Triggers as written: the names of the CRM, and the general ones.

use serde_json::Value as Json;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::object::{Mistake, Object};
use super::{Event, Limits, OnClock, OnHook, OnMoment, OnRecord, Rhythm, Trigger, limits, span};

/// Every general trigger, in the order in which they are offered.
pub(crate) const GENERAL: [&str; 15] = [
    "before_save",
    "record_created",
    "record_updated",
    "record_deleted",
    "record_restored",
    "state_changed",
    "scheduled",
    "inactivity_delay",
    "deadline",
    "webhook_received",
    "login",
    "logout",
    "system_error",
    "called",
    "manual",
];

/// Names that stand for a general trigger on one entity.
pub(crate) const KIN: [(&str, &str, Event); 5] = [
    ("organisation_created", "organisation", Event::Created),
    ("organisation_updated", "organisation", Event::Updated),
    ("deal_created", "deal", Event::Created),
    ("deal_updated", "deal", Event::Updated),
    ("deal_stage_changed", "deal", Event::StateChanged),
];

pub(super) fn read(
    json: &Json,
    at: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<(Trigger, Limits)> {
    let mut object = Object::of(json, at, mistakes)?;
    let kind = object.need_text("type")?;
    let _id = object.text("id");
    let kin = KIN.iter().find(|(name, ..)| *name == kind);
    let trigger = match kind.as_str() {
        "scheduled" => clock(&mut object),
        "inactivity_delay" => moment(&mut object, false),
        "deadline" => moment(&mut object, true),
        "manual" => Some(Trigger::Manual {
            entity: object.text("entity"),
        }),
        "called" => Some(Trigger::Called {
            entity: object.text("entity"),
        }),
        "before_save" => before(&mut object),
        "webhook_received" => hook(&mut object),
        "login" => Some(Trigger::Account { leaves: false }),
        "logout" => Some(Trigger::Account { leaves: true }),
        "system_error" => Some(Trigger::Trouble),
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
                let all: Vec<&str> = known.chain(GENERAL).collect();
                object.wrong("type", "not_an_option", all.join(", "));
                return None;
            }
        },
    };
    // Who asks for it by name is not held back.
    let limits = match trigger {
        Some(Trigger::Manual { .. } | Trigger::Called { .. } | Trigger::Before { .. }) => {
            Limits::default()
        }
        _ => limits::read(&mut object),
    };
    object.finish();
    Some((trigger?, limits))
}

fn before(object: &mut Object<'_>) -> Option<Trigger> {
    let entity = object.need_text("entity");
    let changed = object.texts("changed");
    Some(Trigger::Before {
        entity: entity?,
        changed,
    })
}

fn hook(object: &mut Object<'_>) -> Option<Trigger> {
    let (entity, record) = (object.text("entity"), object.text("record"));
    if entity.is_some() != record.is_some() {
        let missing = if entity.is_some() { "record" } else { "entity" };
        object.wrong(missing, "required", "");
        return None;
    }
    Some(Trigger::Hook(OnHook { entity, record }))
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

fn clock(object: &mut Object<'_>) -> Option<Trigger> {
    let at = match object.text("at") {
        None => Some(Time::midnight()),
        Some(text) => {
            let time = text.parse::<Time>().ok();
            if time.is_none() {
                object.wrong("at", "invalid_schedule", text);
            }
            time
        }
    };
    let zone = object.text("tz").and_then(|name| {
        let zone = TimeZone::get(&name).ok();
        if zone.is_none() {
            object.wrong("tz", "invalid_schedule", name);
        }
        zone
    });
    let entity = object.text("entity");
    let rhythm = match (object.text("cron"), object.text("frequency")) {
        (Some(pattern), None) => match pattern.parse::<croner::Cron>() {
            Ok(cron) => Some(Rhythm::Cron(Box::new(cron))),
            Err(error) => {
                // In quotation marks it is told in every language; the rest in English.
                object.wrong("cron", "invalid_schedule", format!("“{pattern}”: {error}"));
                None
            }
        },
        (None, Some(frequency)) => match frequency.as_str() {
            "daily" => Some(Rhythm::Daily(at?)),
            "weekly" => {
                let day = day(object, 7)?;
                let day = Weekday::from_monday_one_offset(day).ok();
                Some(Rhythm::Weekly(day?, at?))
            }
            "monthly" => Some(Rhythm::Monthly(day(object, 31)?, at?)),
            _ => {
                object.wrong("frequency", "not_an_option", "daily, weekly, monthly");
                None
            }
        },
        _ => {
            object.wrong("frequency", "required", "");
            None
        }
    };
    Some(Trigger::Clock(OnClock {
        when: rhythm?,
        zone,
        entity,
    }))
}

/// The day of a week (Monday is 1) or month; the first unless given.
fn day(object: &mut Object<'_>, most: i8) -> Option<i8> {
    match object.take("day") {
        None => Some(1),
        Some(json) => {
            let day = json.as_i64().and_then(|day| i8::try_from(day).ok());
            let day = day.filter(|day| (1..=most).contains(day));
            if day.is_none() {
                object.wrong("day", "out_of_range", format!("1–{most}"));
            }
            day
        }
    }
}

fn moment(object: &mut Object<'_>, before: bool) -> Option<Trigger> {
    let entity = object.need_text("entity");
    let field = match before {
        true => object.need_text("field"),
        false => Some(
            object
                .text("since")
                .unwrap_or_else(|| "updated_at".to_owned()),
        ),
    };
    let days = match object.take("days") {
        None => None,
        Some(json) => match json.as_i64().filter(|days| (0..=3_650).contains(days)) {
            Some(days) => Some(format!("{days}d")),
            None => {
                object.wrong("days", "out_of_range", "0–3650");
                return None;
            }
        },
    };
    let key = if before { "before" } else { "for" };
    let Some(text) = days.or_else(|| object.text(key)) else {
        object.wrong(if before { "before" } else { "days" }, "required", "");
        return None;
    };
    let Some(distance) = span::read(&text) else {
        object.wrong(key, "invalid_duration", text);
        return None;
    };
    Some(Trigger::Moment(OnMoment {
        entity: entity?,
        field: field?,
        distance,
        before,
    }))
}
