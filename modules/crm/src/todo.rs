//! Tasks: of whom they are about, when they were done, and the next one of those that come again.

use futures::future::BoxFuture;
use jiff::civil::Date;
use jiff::{Span, tz::TimeZone};
use opsflux_model::Value;
use opsflux_records::feed::Reactor;
use opsflux_records::rule::{Draft, Known, Need, Refusal, Rule, Snapshot};
use opsflux_records::{Actor, Caller, Error, Origin, Records, WriteOptions};
use opsflux_store::FeedOp;
use opsflux_store::feed::Entry;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

const TASK: &str = "task";
/// Fields the next task has from the one before.
const KEPT: [&str; 6] = [
    "title",
    "description",
    "priority",
    "recurrence",
    "assignee",
    "organisation",
];

/// Of which organisation a task is, and when it was done.
pub struct Belongs;

impl Rule for Belongs {
    fn entity(&self) -> &'static str {
        TASK
    }

    fn name(&self) -> &'static str {
        "crm.task"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        match draft.get("about") {
            Value::Ref { entity, id } if entity == "deal" && draft.changes("about") => {
                vec![Need::Record {
                    entity: "deal",
                    id: *id,
                }]
            }
            _ => Vec::new(),
        }
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        if draft.changes("about") {
            let organisation = match draft.get("about") {
                Value::Ref { entity, id } if entity == "organisation" => Value::Id(*id),
                _ => known.records(0).first().map_or(Value::Null, |deal| {
                    deal.get(draft.schema, "organisation").clone()
                }),
            };
            if !organisation.is_empty() {
                draft.set("organisation", organisation);
            }
        }
        if draft.changes("status") {
            let done = draft.get("status").as_text() == Some("done");
            let at = if done {
                Value::Time(known.now)
            } else {
                Value::Null
            };
            draft.set("done_at", at);
        }
        Ok(())
    }
}

/// Makes the next task. It has an id made from the one that was done, so it is made once, however
/// often the change is looked at and the task opened again and done.
pub struct Recurring(pub Records);

impl Reactor for Recurring {
    fn name(&self) -> &'static str {
        "crm_recurring"
    }

    fn handle<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            for entry in entries {
                let change = &entry.entry;
                let moved = change.body.fields.iter().any(|field| field == "status");
                if change.entity == TASK && change.op == FeedOp::Updated && moved {
                    self.next(entry.tenant, change.record).await?;
                }
            }
            Ok(())
        })
    }
}

impl Recurring {
    async fn next(&self, tenant: i64, id: Uuid) -> Result<(), Error> {
        let schema = self.0.schema();
        let Some(ix) = schema.find(TASK) else {
            return Ok(());
        };
        let Some(task) = self.0.snapshot(tenant, ix, id).await? else {
            return Ok(());
        };
        let get = |name: &str| task.get(&schema, name);
        let (Some("done"), Some(rhythm)) = (get("status").as_text(), get("recurrence").as_text())
        else {
            return Ok(());
        };
        let today = self.0.now().to_zoned(TimeZone::UTC).date();
        let due = match get("due_date") {
            Value::Date(date) => *date,
            _ => today,
        };
        let Some(next) = following(due, rhythm, today) else {
            return Ok(());
        };
        let mut body: Map<String, Json> = KEPT
            .iter()
            .map(|name| ((*name).to_owned(), json_of(get(name))))
            .collect();
        body.insert("id".to_owned(), json!(successor(id)));
        body.insert("due_date".to_owned(), json!(next.to_string()));
        if let Value::Ref { entity, id } = get("about") {
            body.insert("about".to_owned(), json!({"entity": entity, "id": id}));
        }
        let caller = self.caller(tenant, &task);
        match self
            .0
            .create(&caller, ix, body, &WriteOptions::default())
            .await
        {
            // It is there already, and may have been changed since.
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            // What it hung on is gone: there is nothing to do any more.
            Err(Error::Invalid(_) | Error::NotFound | Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The house, in the company of the task and in the name of whoever made it.
    fn caller(&self, tenant: i64, task: &Snapshot) -> Caller {
        let schema = self.0.schema();
        let user = task.get(&schema, "created_by").as_id().unwrap_or_default();
        let origin = Origin {
            actor: Actor::System,
            source: "system".to_owned(),
            ..Origin::default()
        };
        Caller {
            company: task.get(&schema, "company").as_id(),
            ..Caller::house(&schema, tenant, user, origin)
        }
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id),
        _ => Json::Null,
    }
}

/// Always the same for a task: eight of its bits are another's.
fn successor(id: Uuid) -> Uuid {
    let mut bytes = *id.as_bytes();
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    for (place, byte) in sum.to_be_bytes().into_iter().enumerate() {
        bytes[8 + place] = byte;
    }
    // Still what a UUIDv7 looks like.
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

/// The first date of the rhythm that is still to come: what was done late does not come late again.
fn following(due: Date, rhythm: &str, today: Date) -> Option<Date> {
    let nth = |n: i64| {
        let span = match rhythm {
            "daily" => Span::new().try_days(n),
            "weekly" => Span::new().try_weeks(n),
            "monthly" => Span::new().try_months(n),
            "quarterly" => Span::new().try_months(3 * n),
            "yearly" => Span::new().try_years(n),
            _ => return None,
        };
        due.checked_add(span.ok()?).ok()
    };
    // From the first due date each time, so that the 31st stays the 31st where there is one.
    (1..=20_000).map_while(nth).find(|date| *date > today)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_next_date_keeps_the_rhythm_and_is_to_come() {
        let today = date(2026, 3, 10);
        let next = |due, rhythm| following(due, rhythm, today);
        assert_eq!(next(date(2026, 3, 9), "daily"), Some(date(2026, 3, 11)));
        assert_eq!(next(date(2026, 3, 3), "weekly"), Some(date(2026, 3, 17)));
        assert_eq!(next(date(2026, 1, 31), "monthly"), Some(date(2026, 3, 31)));
        assert_eq!(
            next(date(2026, 3, 20), "quarterly"),
            Some(date(2026, 6, 20))
        );
        assert_eq!(next(date(2020, 2, 29), "yearly"), Some(date(2027, 2, 28)));
        assert_eq!(next(today, "never"), None);
    }

    #[test]
    fn a_task_has_one_successor() {
        let id = Uuid::now_v7();
        assert_eq!(successor(id), successor(id));
        assert_ne!(successor(id), id);
        assert_ne!(successor(successor(id)), successor(id));
    }
}
