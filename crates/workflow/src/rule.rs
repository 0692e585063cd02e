//! Before a workflow is saved: it must be one, it belongs to whoever says what it does, and what
//! it did before is kept.

use opsflux_model::Value;
use opsflux_model::predicate::Variables;
use opsflux_records::FieldError;
use opsflux_records::rule::{Draft, Known, Refusal, Rule};
use serde_json::{Map, Value as Json};

use crate::action::Signature;
use crate::check::Check;
use crate::flow::{self, Mistake, Trigger};
use crate::log::Log;
use crate::published::{CONTENT, version_id};

/// Reads and publishes what a workflow does.
pub struct Publishing {
    /// The actions there are.
    pub actions: Vec<Signature>,
}

impl Rule for Publishing {
    fn entity(&self) -> &'static str {
        "workflow"
    }

    fn name(&self) -> &'static str {
        "workflow.publishing"
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let content = content(draft);
        let is_active = draft.get("status").as_text() == Some("ACTIVE");
        if content.is_empty() && !is_active {
            return Ok(());
        }
        let changed = CONTENT.iter().any(|name| draft.changes(name));
        if !changed && !draft.changes("status") {
            return Ok(());
        }
        let flow = flow::read(&content).map_err(|mistakes| refused(draft, mistakes))?;
        let variables = Variables {
            me: known.user.unwrap_or_default(),
            my_groups: Vec::new(),
            my_departments: Vec::new(),
            now: known.now,
            today: known.now.to_zoned(jiff::tz::TimeZone::UTC).date(),
            zone: jiff::tz::TimeZone::UTC,
        };
        let access = known.access.as_deref();
        let mistakes = Check::new(draft.schema, access, &variables, &self.actions).all(&flow);
        if !mistakes.is_empty() {
            return Err(refused(draft, mistakes));
        }
        if is_active {
            // Whoever puts it in force, or says otherwise what one in force does, answers for it
            // with his rights.
            draft.set("paused_reason", Value::Null);
            draft.set("owner", known.user);
        }
        // The engine finds out when it is set off next: days begin where its owner is.
        let timed = is_active && flow.triggers.iter().any(Trigger::is_timed);
        draft.set("armed", false);
        let look = if timed {
            Value::Time(known.now)
        } else {
            Value::Null
        };
        draft.set("next_run_at", look);
        if changed {
            draft.set("owner", known.user);
            let revision = draft.was("revision").as_int().unwrap_or(0) + 1;
            draft.set("revision", revision);
            let log = Log::of(draft.schema, "workflow_version").map_err(|_| lacking())?;
            let values = vec![
                ("workflow", draft.id.into()),
                ("revision", revision.into()),
                ("content", Value::Json(Json::Object(content))),
                ("published_by", known.user.into()),
            ];
            let id = version_id(draft.id, revision);
            let row = log.insert(id, known.now, values);
            draft.logs.push(row.map_err(|_| lacking())?);
        }
        Ok(())
    }
}

/// What the draft says that it does.
fn content(draft: &Draft<'_>) -> Map<String, Json> {
    let member = |name: &&str| {
        let json = match draft.get(name) {
            Value::Json(json) => json.clone(),
            Value::Text(text) => Json::from(text.as_str()),
            _ => return None,
        };
        Some(((*name).to_owned(), json))
    };
    CONTENT.iter().filter_map(member).collect()
}

/// Every mistake, at the place where it was written: steps of the short form are its actions.
fn refused(draft: &Draft<'_>, mistakes: Vec<Mistake>) -> Refusal {
    let is_short = draft.get("definition").is_empty();
    let placed = mistakes.into_iter().map(|mut mistake| {
        if let (true, Some(rest)) = (is_short, mistake.at.strip_prefix("steps.")) {
            let (id, rest) = rest.split_once('.').unwrap_or((rest, ""));
            if let Some(place) = place(draft, id) {
                let dot = if rest.is_empty() { "" } else { ".params." };
                mistake.at = format!("actions.{place}{dot}{rest}");
            }
        }
        FieldError::from(mistake)
    });
    Refusal::of(placed.collect())
}

/// Which of the actions written has this id.
fn place(draft: &Draft<'_>, id: &str) -> Option<usize> {
    let Value::Json(Json::Array(actions)) = draft.get("actions") else {
        return None;
    };
    let named = |action: &Json| action.get("id").and_then(Json::as_str) == Some(id);
    actions.iter().position(named).or_else(|| {
        let number: usize = id.strip_prefix("action_")?.parse().ok()?;
        number.checked_sub(1)
    })
}

fn lacking() -> Refusal {
    Refusal::of(vec![FieldError::new("definition", "not_available", "")])
}
