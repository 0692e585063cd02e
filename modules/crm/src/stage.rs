//! The way of a deal through its stages: what a move needs, what it leaves behind.

use jiff::tz::TimeZone;
use opsflux_model::schema::system;
use opsflux_model::{Action, Condition, Op, Value};
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule};
use opsflux_store::Write;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{LOST, OPEN, WON, number};

const DEAL: &str = "deal";
/// Rates of one currency that are looked at: one a day for decades.
const RATES: u32 = 10_000;

/// Fixes what the currency of a deal is worth, when it is made and when its currency changes.
pub struct Rate;

impl Rule for Rate {
    fn entity(&self) -> &'static str {
        DEAL
    }

    fn name(&self) -> &'static str {
        "crm.rate"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if !(draft.changes("currency") || draft.get("rate").is_empty()) {
            return Vec::new();
        }
        let test = |field: &str, op, value| Condition::Test {
            field: field.to_owned(),
            op,
            value,
        };
        let currency = draft.get("currency").as_text().unwrap_or_default();
        vec![
            Need::Setting("crm.currency"),
            Need::Records {
                entity: "currency_rate",
                condition: Condition::All(vec![
                    test("currency", Op::Eq, json!(currency)),
                    test("on", Op::Lte, json!("@today")),
                ]),
                limit: RATES,
            },
        ]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let Some(house) = known.setting(0) else {
            return Ok(());
        };
        let currency = draft.get("currency").as_text().unwrap_or_default();
        let rate = if currency == house {
            Value::Decimal(Decimal::ONE)
        } else {
            let on = |rate: &&opsflux_records::rule::Snapshot| match rate.get(draft.schema, "on") {
                Value::Date(date) => Some(*date),
                _ => None,
            };
            let latest = known.records(1).iter().max_by_key(on);
            let Some(latest) = latest else {
                let currency = json!(currency);
                return Err(Refusal {
                    params: Map::from_iter([("currency".to_owned(), currency)]),
                    ..refuse("crm.no_rate", "currency")
                });
            };
            latest.get(draft.schema, "rate").clone()
        };
        draft.set("rate", rate);
        Ok(())
    }
}

/// Judges a move, keeps it in the stage log and sets what follows from the stage.
pub struct Moves;

/// What kind of move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Onward, aside, or none.
    Free,
    /// To an earlier stage of the open ones.
    Back,
    /// Out of what was won or lost.
    Reopen,
}

fn kind(from: &str, to: &str) -> Kind {
    let place = |stage: &str| OPEN.iter().position(|open| *open == stage);
    match (place(from), place(to)) {
        (Some(from), Some(to)) if to < from => Kind::Back,
        (None, Some(_)) if from == WON || from == LOST => Kind::Reopen,
        _ => Kind::Free,
    }
}

impl Rule for Moves {
    fn entity(&self) -> &'static str {
        DEAL
    }

    fn name(&self) -> &'static str {
        "crm.stage"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let setting = match draft.get("stage").as_text().unwrap_or(OPEN[0]) {
            "prospect" => "crm.probability_prospect",
            "qualification" => "crm.probability_qualification",
            "proposition" => "crm.probability_proposition",
            "negociation" => "crm.probability_negociation",
            _ => return Vec::new(),
        };
        vec![Need::Setting(setting)]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let to = draft.get("stage").as_text().unwrap_or(OPEN[0]).to_owned();
        let from = draft.was("stage").as_text().map(str::to_owned);
        let moves = from.as_deref() != Some(to.as_str());
        let reason = draft.get("stage_reason").as_text().map(str::to_owned);
        if moves {
            if let Some(from) = &from {
                let kind = kind(from, &to);
                if kind == Kind::Reopen && !leads(draft, known) {
                    return Err(refuse("crm.reopen", "stage"));
                }
                if kind != Kind::Free && reason.as_deref().unwrap_or_default().trim().is_empty() {
                    return Err(refuse("crm.reason_needed", "stage_reason"));
                }
            }
            let other = draft.get("lost_reason").as_text() == Some("autre");
            if to == LOST && other && draft.get("lost_detail").is_empty() {
                return Err(refuse("crm.lost_detail", "lost_detail"));
            }
            let row = logged(draft, known, from.as_deref(), &to, reason);
            draft.logs.extend(row);
            draft.set("stage_since", Value::Time(known.now));
            let closed = match to == WON || to == LOST {
                true => Value::Date(known.now.to_zoned(TimeZone::UTC).date()),
                false => Value::Null,
            };
            draft.set("closed_on", closed);
            if to != LOST {
                draft.set("lost_reason", Value::Null);
                draft.set("lost_detail", Value::Null);
            }
        }
        // A reason belongs to one move; it stands in the log.
        draft.set("stage_reason", Value::Null);
        let usual = match (to.as_str(), number(known, 0)) {
            (WON, _) => 100,
            (_, Some(usual)) => usual,
            _ => 0,
        };
        let open = OPEN.contains(&to.as_str());
        let said = draft.get("probability").as_int().filter(|_| open);
        // The usual one of a stage is taken when it is entered, so that a setting changed later
        // does not move what was forecast.
        let counts = said.or_else(|| {
            let untouched = !moves && !draft.changes("probability");
            draft.was("chance").as_int().filter(|_| untouched)
        });
        draft.set("chance", Value::Int(counts.unwrap_or(usual)));
        Ok(())
    }
}

/// Whether the person may open again what was closed.
fn leads(draft: &Draft<'_>, known: &Known) -> bool {
    let manages = known.access.as_ref();
    known.administrator || manages.is_some_and(|access| access.may(draft.ix, Action::Manage))
}

/// The row of the stage log.
fn logged(
    draft: &Draft<'_>,
    known: &Known,
    from: Option<&str>,
    to: &str,
    reason: Option<String>,
) -> Option<Write> {
    let log = draft.schema.find("deal_stage_change")?;
    let declared = draft.schema.entity(log);
    let stood = match draft.was("stage_since") {
        Value::Time(since) => Value::Int(known.now.duration_since(*since).as_secs().max(0)),
        _ => Value::Null,
    };
    let lost = match to == LOST {
        true => [draft.get("lost_reason"), draft.get("lost_detail")]
            .iter()
            .filter_map(|value| value.as_text())
            .collect::<Vec<_>>()
            .join(" – "),
        false => String::new(),
    };
    let reason = reason
        .filter(|reason| !reason.trim().is_empty())
        .unwrap_or(lost);
    let reason: String = reason.chars().take(500).collect();
    let text = |text: &str| match text {
        "" => Value::Null,
        text => Value::from(text),
    };
    let values = [
        (system::ID, Value::Id(Uuid::now_v7())),
        (system::CREATED_AT, Value::Time(known.now)),
        ("deal", Value::Id(draft.id)),
        ("from", text(from.unwrap_or_default())),
        ("to", Value::from(to)),
        ("duration", stood),
        ("reason", text(&reason)),
        ("user", known.user.map_or(Value::Null, Value::Id)),
    ];
    let values = values
        .into_iter()
        .filter(|(_, value)| *value != Value::Null)
        .filter_map(|(name, value)| Some((declared.find(name)?, value)))
        .collect();
    Some(Write::Insert {
        entity: log,
        values,
    })
}

fn refuse(code: &'static str, field: &'static str) -> Refusal {
    Refusal {
        code,
        params: Map::<String, Json>::new(),
        field: Some(field),
        confirmable: false,
        errors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_is_towards_the_beginning_and_reopening_is_out_of_what_was_decided() {
        for (from, to, wanted) in [
            ("prospect", "negociation", Kind::Free),
            ("negociation", "qualification", Kind::Back),
            ("negociation", WON, Kind::Free),
            ("proposition", LOST, Kind::Free),
            (WON, "negociation", Kind::Reopen),
            (LOST, "prospect", Kind::Reopen),
            ("inactif", "prospect", Kind::Free),
            (WON, "inactif", Kind::Free),
        ] {
            assert_eq!(kind(from, to), wanted, "{from} to {to}");
        }
    }
}
