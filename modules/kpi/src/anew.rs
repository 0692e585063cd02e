//! Judging past values anew, on purpose.

use opsflux_model::{Condition, Op, Value};
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule};
use serde_json::Map;

use crate::threshold::{Direction, Limits};
use crate::value::{MOST_TARGETS, date, decimal, in_force};
use crate::{KPI, TARGET, VALUE, test};

/// Values judged in one change: more than ten years of days.
const MOST: u32 = 5_000;
const NAME: &str = "kpi.judged_anew";

/// Writing `judged_from` gives the values from that day on the colours of today's thresholds.
pub struct Anew;

impl Rule for Anew {
    fn entity(&self) -> &'static str {
        KPI
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let from = date(draft.get("judged_from"));
        let Some(from) = from.filter(|_| !draft.is_new() && draft.changes("judged_from")) else {
            return Vec::new();
        };
        let mine = test("kpi_id", Op::Eq, draft.id.to_string());
        vec![
            Need::Records {
                entity: VALUE,
                condition: Condition::All(vec![
                    mine.clone(),
                    test("period_start", Op::Gte, from.to_string()),
                ]),
                limit: MOST + 1,
            },
            Need::Records {
                entity: TARGET,
                condition: mine,
                limit: MOST_TARGETS,
            },
        ]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let values = known.records(0);
        if values.len() > MOST as usize {
            return Err(Refusal {
                code: "kpi.too_many_values",
                params: Map::from_iter([("most".to_owned(), MOST.into())]),
                field: Some("judged_from"),
                confirmable: false,
                errors: Vec::new(),
            });
        }
        let Some(direction) = draft.get("direction").as_text().and_then(Direction::of) else {
            return Ok(());
        };
        let own = Limits::read(|name| draft.get(name));
        for record in values {
            let get = |name: &str| record.get(draft.schema, name);
            let status = date(get("period_start")).and_then(|start| {
                let limits = in_force(draft.schema, own, known.records(1), start);
                limits.status(direction, decimal(get("value"))?)
            });
            let code = status.map_or(Value::Null, |status| Value::from(status.code()));
            if get("status") != &code {
                draft.companions.push(Companion {
                    entity: VALUE.to_owned(),
                    id: record.id,
                    set: vec![("status".to_owned(), code)],
                    rule: NAME,
                });
            }
        }
        Ok(())
    }
}
