//! A person's place in an organisation: one main contact, one role at a time, ends after starts.

use opsflux_model::{Condition, Op, Value};
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule};
use serde_json::{Map, json};

/// Name of the entity of these places.
pub const LINK: &str = "person_organisation_link";

/// Keeps the places in order.
pub struct Place;

impl Rule for Place {
    fn entity(&self) -> &'static str {
        LINK
    }

    fn name(&self) -> &'static str {
        "crm.contact"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        let test = |field: &str, op, value| Condition::Test {
            field: field.to_owned(),
            op,
            value,
        };
        let (Some(person), Some(organisation)) = (
            draft.get("person").as_id(),
            draft.get("organisation").as_id(),
        ) else {
            return Vec::new();
        };
        vec![
            Need::Record {
                entity: "person",
                id: person,
            },
            // Whoever is there now: the main contact among them, and this person.
            Need::Records {
                entity: LINK,
                condition: Condition::All(vec![
                    test("organisation", Op::Eq, json!(organisation.to_string())),
                    test("end", Op::IsEmpty, json!(true)),
                ]),
                limit: 1000,
            },
        ]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let refuse = |code, field| Refusal {
            code,
            params: Map::new(),
            field: Some(field),
            confirmable: false,
            errors: Vec::new(),
        };
        if let (Value::Date(start), Value::Date(end)) = (draft.get("start"), draft.get("end"))
            && end < start
        {
            return Err(refuse("crm.end_before_start", "end"));
        }
        // When the person is called otherwise, `party::Renamed` brings the new name.
        let whose = draft.is_new() || draft.changes("person");
        if let Some(person) = known.records(0).first().filter(|_| whose) {
            let name = person.get(draft.schema, "name").clone();
            draft.set("person_name", name);
        }
        let ended = !draft.get("end").is_empty();
        let others = || known.records(1).iter().filter(|link| link.id != draft.id);
        let schema = draft.schema;
        let mut same = others().filter(|link| {
            link.get(schema, "person") == draft.get("person")
                && link.get(schema, "role") == draft.get("role")
        });
        let moved = ["person", "organisation", "role", "end"];
        let moved = draft.is_new() || moved.iter().any(|name| draft.changes(name));
        if !ended && moved && same.next().is_some() {
            return Err(refuse("crm.linked_already", "role"));
        }
        let main: Vec<_> = others()
            .filter(|link| link.get(schema, "primary").as_bool() == Some(true))
            .map(|link| link.id)
            .collect();
        if ended {
            return Ok(());
        }
        let says = draft.get("primary").as_bool() == Some(true);
        if says {
            draft
                .companions
                .extend(main.into_iter().map(|id| Companion {
                    entity: LINK.to_owned(),
                    id,
                    set: vec![("primary".to_owned(), Value::Bool(false))],
                    rule: "crm.contact",
                }));
        } else if draft.is_new()
            && main.is_empty()
            && draft.get("role").as_text() == Some("contact_principal")
        {
            draft.set("primary", Value::Bool(true));
        }
        Ok(())
    }
}
