//! Organisations and people: by what they are recognised, and the question before a second one.

use opsflux_model::predicate::Record;
use opsflux_model::schema::{FieldIx, Schema};
use opsflux_model::{Action, Condition, Op, Predicate, Value};
use opsflux_records::rule::{Companion, Draft, Known, Need, Refusal, Rule, Snapshot};
use serde_json::{Map, json};

use crate::keys;

const TWICE: &str = "crm.duplicates";
/// The same about records the person does not see.
const UNSEEN: &str = "crm.duplicates_unseen";
/// Fields by which an organisation is recognised, with what they are called outside.
pub const ORGANISATION: [(&str, &str); 4] = [
    ("dup_email", "email"),
    ("dup_tax", "tax_number"),
    ("dup_name", "name"),
    ("dup_domain", "domain"),
];
/// Fields by which a person is recognised.
pub const PERSON: [(&str, &str); 1] = [("dup_email", "email")];
/// Candidates looked at.
const MOST: u32 = 20;

/// The fields by which records of an entity are recognised.
pub fn recognised(entity: &str) -> &'static [(&'static str, &'static str)] {
    match entity {
        "person" => &PERSON,
        _ => &ORGANISATION,
    }
}

/// Makes the keys of what is saved, and the name of a person.
pub struct Keys(pub &'static str);

impl Rule for Keys {
    fn entity(&self) -> &'static str {
        self.0
    }

    fn name(&self) -> &'static str {
        "crm.keys"
    }

    fn apply(&self, draft: &mut Draft<'_>, _known: &Known) -> Result<(), Refusal> {
        let text = |draft: &Draft<'_>, name: &str| {
            draft.get(name).as_text().unwrap_or_default().to_owned()
        };
        let value = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let email = text(draft, "email");
        let key = Some(keys::email(&email)).filter(|key| !key.is_empty());
        draft.set("dup_email", value(key));
        if self.0 == "person" {
            let name = [text(draft, "prenom"), text(draft, "nom")].join(" ");
            draft.set("name", Value::from(name.trim()));
            return Ok(());
        }
        let domain = keys::domain(&email).or_else(|| keys::host(&text(draft, "site_web")));
        draft.set("dup_domain", value(domain));
        let name = keys::name_in_town(&text(draft, "nom"), &text(draft, "ville"));
        draft.set("dup_name", value(name));
        let tax = keys::tax(&text(draft, "numero_fiscal"));
        draft.set("dup_tax", value(tax));
        Ok(())
    }
}

/// Asks before a party is made that seems to be there already.
pub struct Twice(pub &'static str);

impl Rule for Twice {
    fn entity(&self) -> &'static str {
        self.0
    }

    fn name(&self) -> &'static str {
        TWICE
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if !draft.is_new() {
            return Vec::new();
        }
        let same: Vec<Condition> = recognised(self.0)
            .iter()
            .filter_map(|(field, _)| {
                let key = draft.get(field).as_text()?;
                Some(Condition::Test {
                    field: (*field).to_owned(),
                    op: Op::Eq,
                    value: json!(key),
                })
            })
            .collect();
        if same.is_empty() {
            return Vec::new();
        }
        vec![Need::Records {
            entity: self.0,
            condition: Condition::Any(same),
            limit: MOST,
        }]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let found = known.records(0);
        // What nobody sits in front of is not asked.
        if found.is_empty() || !draft.is_new() || known.user.is_none() {
            return Ok(());
        }
        let entity = draft.entity();
        let names: Vec<String> = found
            .iter()
            .filter(|one| is_seen(draft.schema, known, one))
            .filter_map(|one| one.value(entity.title).as_text().map(str::to_owned))
            .collect();
        let code = if names.is_empty() { UNSEEN } else { TWICE };
        if known.confirmed.as_deref() == Some(code) {
            return Ok(());
        }
        Err(Refusal {
            code,
            params: Map::from_iter([("names".to_owned(), json!(names.join(", ")))]),
            field: None,
            confirmable: true,
            errors: Vec::new(),
        })
    }
}

/// Whether the person may see a record, as far as the record itself says so. A right that asks
/// beyond it counts as no: a name too few is told rather than one too many.
fn is_seen(schema: &Schema, known: &Known, record: &Snapshot) -> bool {
    let Some(access) = &known.access else {
        return false;
    };
    let rule = access.rule(record.entity, Action::View).to_predicate();
    let title = schema.entity(record.entity).title;
    let reads = access.field(record.entity, title) >= opsflux_model::FieldRight::Read;
    reads && !goes_beyond(&rule) && rule.holds(schema, &Alone(record))
}

fn goes_beyond(rule: &Predicate) -> bool {
    match rule {
        Predicate::True | Predicate::False => false,
        Predicate::Not(part) => goes_beyond(part),
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(goes_beyond),
        Predicate::Test(test) => !test.path.steps.is_empty(),
    }
}

/// A record without those around it.
#[derive(Clone)]
struct Alone<'a>(&'a Snapshot);

impl Record for Alone<'_> {
    fn value(&self, field: FieldIx) -> &Value {
        self.0.value(field)
    }

    fn follow(&self, _step: &opsflux_model::predicate::Step) -> Vec<Self> {
        Vec::new()
    }
}

/// A person's new name goes to where lists show it.
pub struct Renamed;

impl Rule for Renamed {
    fn entity(&self) -> &'static str {
        "person"
    }

    fn name(&self) -> &'static str {
        "crm.renamed"
    }

    fn needs(&self, draft: &Draft<'_>) -> Vec<Need> {
        if draft.is_new() || !draft.changes("name") {
            return Vec::new();
        }
        vec![Need::Records {
            entity: crate::contact::LINK,
            condition: Condition::Test {
                field: "person".to_owned(),
                op: Op::Eq,
                value: json!(draft.id.to_string()),
            },
            limit: 500,
        }]
    }

    fn needs_to_mark(&self, _draft: &Draft<'_>) -> Vec<Need> {
        Vec::new()
    }

    fn apply(&self, draft: &mut Draft<'_>, known: &Known) -> Result<(), Refusal> {
        let name = draft.get("name").clone();
        let links = known.records(0).iter().map(|link| Companion {
            entity: crate::contact::LINK.to_owned(),
            id: link.id,
            set: vec![("person_name".to_owned(), name.clone())],
            rule: "crm.renamed",
        });
        draft.companions.extend(links);
        Ok(())
    }
}
