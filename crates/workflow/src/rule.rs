//! Before a workflow is saved: it must be one, it belongs to whoever says what it does, and what
//! it did before is kept.

use opsflux_model::predicate::Variables;
use std::collections::BTreeSet;

use opsflux_model::{Condition, Op, Value};
use opsflux_records::FieldError;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use serde_json::{Map, Value as Json};

use crate::action::Signature;
use crate::before;
use crate::calling::is_callable;
use crate::check::Check;
use crate::flow::{self, Flow, Mistake, StepKind, Trigger};
use crate::log::Log;
use crate::published::{CONTENT, version_id};

/// Workflows among which those that are called are looked for.
const MOST: u32 = 1_000;

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

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let calls = flow::read(&content(draft)).is_ok_and(|flow| !calls(&flow).is_empty());
        match calls {
            true => vec![Need::Records {
                entity: "workflow",
                condition: Condition::Test {
                    field: "status".to_owned(),
                    op: Op::Eq,
                    value: "ACTIVE".into(),
                },
                limit: MOST,
            }],
            false => Vec::new(),
        }
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
        let mut mistakes = Check::new(draft.schema, access, &variables, &self.actions).all(&flow);
        if flow.triggers.len() > 1 && flow.triggers.iter().any(Trigger::is_before) {
            mistakes.push(Mistake::new(
                "trigger.type",
                "not_with_other",
                "before_save",
            ));
        }
        for step in before::misplaced(&flow) {
            let at = format!("steps.{}", step.id);
            mistakes.push(Mistake::new(at, "not_before_saving", before::SETS));
        }
        mistakes.extend(Callees::of(draft, known).mistakes(&flow));
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

/// The workflows a workflow calls, by the step.
fn calls(flow: &Flow) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    flow.each(&mut |step| {
        if let StepKind::Call(call) = &step.kind {
            found.push((step.id.as_str(), call.workflow.as_str()));
        }
    });
    found
}

/// The workflows in force that can be called, as far as the writer may know of them; all of them,
/// where a ring is looked for.
struct Callees {
    own: [String; 2],
    all: Vec<(String, String, bool, Flow)>,
}

impl Callees {
    fn of(draft: &Draft<'_>, known: &Known) -> Callees {
        let text =
            |row: &Snapshot, name: &str| row.get(draft.schema, name).as_text().map(str::to_owned);
        let all = known
            .records(0)
            .iter()
            .filter(|row| row.id != draft.id)
            .filter_map(|row| {
                let flow = flow::read(&crate::published::content(draft.schema, row)).ok()?;
                let is_mine = |name: &str| row.get(draft.schema, name).as_id() == known.user;
                let seen = known.administrator || is_mine("owner") || is_mine("created_by");
                Some((row.id.to_string(), text(row, "name")?, seen, flow))
            });
        let name = draft.get("name").as_text().unwrap_or_default().to_owned();
        Callees {
            own: [draft.id.to_string(), name],
            all: all.collect(),
        }
    }

    fn mistakes(&self, flow: &Flow) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (step, named) in calls(flow) {
            let at = format!("steps.{step}.workflow");
            let is_named = |one: &&(String, String, bool, Flow)| {
                one.2 && (one.0 == named || one.1 == named) && is_callable(&one.3)
            };
            if self.leads_back(named) {
                mistakes.push(Mistake::new(at, "workflow_cycle", named));
            } else if !self.all.iter().any(|one| is_named(&one)) {
                mistakes.push(Mistake::new(at, "unknown_workflow", named));
            }
        }
        mistakes
    }

    /// Whether a workflow comes back to the one that is saved.
    fn leads_back(&self, named: &str) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![named]);
        while let Some(named) = open.pop() {
            if self.own.iter().any(|own| own == named) {
                return true;
            }
            if !seen.insert(named) {
                continue;
            }
            let next = self
                .all
                .iter()
                .filter(|one| one.0 == named || one.1 == named);
            open.extend(next.flat_map(|one| calls(&one.3)).map(|(_, named)| named));
        }
        false
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
