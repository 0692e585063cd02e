//! What the interface learns, and what it does not.

use std::collections::BTreeMap;

use opsflux_model::Access;
use opsflux_model::access::{Membership, Principal};
use opsflux_model::declare::{ModuleSource, Options, declare};
use opsflux_model::predicate::Variables;
use opsflux_records::Origin;
use uuid::Uuid;

use super::*;

const MODULE: &str = r#"
name = "desk"
version = "0.1.0"
depends = []
icon = "life-buoy"
order = 10
[[menu]]
entity = "ticket"
[[menu]]
entity = "payment"
"#;

const USER: &str = r#"
name = "user"
collection = "users"
kind = "record"
title = "full_name"
icon = "user"
[fields]
full_name = { type = "text", required = true }
[permissions.agent]
view = "all"
"#;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
kind = "record"
title = "title"
icon = "ticket"
number = "TIC-{seq:06}"
[list]
columns = ["number", "title", "cost", "status"]
sort = ["-created_at"]
[form]
sections = [
  { name = "main", fields = ["title", "priority"] },
  { name = "money", fields = ["cost"] },
]
quick = ["title", "cost"]
[fields]
title = { type = "text", required = true, max = 200, search = "high" }
priority = { type = "choice", options = [{ value = "low", color = "gray" }, "high"], default = "low" }
status = { type = "state", initial = "new" }
requester = { type = "link", to = "user", inverse = "tickets", default = "me" }
parent = { type = "link", to = "ticket", inverse = "children" }
cost = { type = "decimal", precision = 8, scale = 2 }
note = { type = "text" }
[scope]
own = ["requester"]
[states]
new = { to = ["done"], category = "open", color = "blue" }
done = { to = ["new"], category = "done", color = "green", requires = ["note"] }
[permissions.agent]
view = "all"
create = "all"
edit = "all"
[permissions.agent.fields]
cost = "hidden"
note = "read"
"#;

const PAYMENT: &str = r#"
name = "payment"
collection = "payments"
kind = "record"
title = "label"
icon = "banknote"
[fields]
label = { type = "text", required = true }
ticket = { type = "link", to = "ticket", inverse = "payments" }
[permissions.cashier]
view = "all"
"#;

const FRENCH: &str = r#"{
  "module": "Centre de services",
  "system": {"created_at": "Créé le"},
  "entities": {"ticket": {
    "one": "Ticket", "other": "Tickets",
    "fields": {"title": "Titre", "priority": "Priorité"},
    "help": {"priority": "Combien de personnes sont bloquées ?"},
    "options": {"priority": {"low": "Basse", "high": "Haute"}},
    "states": {"new": "Nouveau", "done": "Terminé"},
    "related": {"children": "Sous-tickets"},
    "sections": {"main": "L’essentiel"}
  }}
}"#;

struct World {
    schema: Schema,
    words: Words,
    caller: Caller,
}

fn world(role: &str) -> World {
    let module = ModuleSource::new("desk")
        .with("module.toml", MODULE)
        .with("roles.toml", "[agent]\n[cashier]\n[admin]\n")
        .with("entities/user.toml", USER)
        .with("entities/ticket.toml", TICKET)
        .with("entities/payment.toml", PAYMENT);
    let accepted = declare(&[module], Options::DRAFT).unwrap_or_else(|found| {
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    });
    let mut schema = accepted.schema;
    // A draft is read without its words, so that it need not have all four languages.
    let french = serde_json::from_str(FRENCH).expect("JSON");
    schema.modules[0].words = BTreeMap::from([("fr".to_owned(), french)]);
    let words = Words::new(&schema).expect("words");
    let me = Uuid::from_u128(7);
    let principal = Principal {
        tenant: 1,
        user: me,
        home_company: None,
        memberships: vec![Membership::of(role, None, Vec::new())],
        groups: Vec::new(),
        shares: Vec::new(),
        instance_admin: false,
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let variables = Variables {
        me,
        my_groups: Vec::new(),
        my_departments: Vec::new(),
        now,
        today: now.to_zoned(jiff::tz::TimeZone::UTC).date(),
        zone: jiff::tz::TimeZone::UTC,
    };
    let caller = Caller {
        access: Access::compile(&schema, principal, &variables).into(),
        origin: Origin::default().into(),
        language: Language::Fr,
        time_zone: jiff::tz::TimeZone::UTC,
        company: None,
        companies: Vec::new(),
        viewer: None,
    };
    World {
        schema,
        words,
        caller,
    }
}

impl World {
    fn reader(&self) -> Reader<'_> {
        Reader {
            schema: &self.schema,
            words: &self.words,
            caller: &self.caller,
            language: Language::Fr,
        }
    }

    fn entity(&self, name: &str) -> Json {
        entity::document(&self.reader(), self.schema.find(name).expect("declared"))
    }
}

fn by_name(list: &Json) -> BTreeMap<&str, &Json> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| (item["name"].as_str().unwrap_or_default(), item))
        .collect()
}

#[test]
fn fields_come_with_their_words_their_limits_and_what_can_be_asked_of_them() {
    let world = world("agent");
    let ticket = world.entity("ticket");
    assert_eq!(ticket["label_plural"], "Tickets");
    assert_eq!(ticket["title_field"], "title");
    assert_eq!(ticket["state_field"], "status");
    assert_eq!(ticket["number"], true);
    let fields = by_name(&ticket["fields"]);
    let title = fields["title"];
    assert_eq!(
        (title["label"].as_str(), title["max"].as_i64()),
        (Some("Titre"), Some(200))
    );
    assert_eq!(
        (&title["required"], &title["writable"]),
        (&json!(true), &json!(true))
    );
    assert!(
        title["operators"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("contains")))
    );
    let priority = fields["priority"];
    assert_eq!(priority["help"], "Combien de personnes sont bloquées ?");
    assert_eq!(priority["default"], "low");
    assert_eq!(
        priority["options"][0],
        json!({"value": "low", "label": "Basse", "color": "gray"})
    );
    assert_eq!(fields["created_at"]["label"], "Créé le");
    assert_eq!(fields["created_at"]["system"], true);
    assert_eq!(fields["created_at"]["writable"], false);
    assert_eq!(fields["requester"]["to_collection"], "users");
    assert_eq!(
        fields["requester"]["default"],
        Uuid::from_u128(7).to_string()
    );
    assert_eq!(fields["status"]["default"], "new");
}

#[test]
fn a_hidden_field_is_nowhere() {
    let world = world("agent");
    let ticket = world.entity("ticket");
    assert!(!ticket.to_string().contains("cost"), "{ticket:#}");
    // A section with nothing left in it is not drawn.
    assert_eq!(ticket["form"]["sections"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_field_that_may_only_be_read_is_not_writable() {
    let world = world("agent");
    let ticket = world.entity("ticket");
    let fields = by_name(&ticket["fields"]);
    assert_eq!(fields["note"]["writable"], false);
    assert_eq!(fields["note"]["sortable"], true);
}

#[test]
fn states_say_where_they_lead_and_what_that_needs() {
    let world = world("agent");
    let states = world.entity("ticket")["states"].clone();
    assert_eq!(
        states[0],
        json!({
            "value": "new", "label": "Nouveau", "category": "open", "color": "blue",
            "to": [{"state": "done", "label": "Terminé", "requires": ["note"]}],
        })
    );
}

#[test]
fn related_lists_are_those_whose_records_may_be_seen() {
    let names = |role: &str| {
        let ticket = world(role).entity("ticket");
        let related = by_name(&ticket["related"]).into_keys().map(str::to_owned);
        related.collect::<Vec<String>>()
    };
    assert_eq!(names("agent"), ["children"]);
    assert_eq!(names("admin"), ["children", "payments"]);
}

#[test]
fn what_may_be_done_follows_the_role() {
    let agent = world("agent").entity("ticket");
    assert_eq!(
        agent["can"],
        json!({"view": true, "create": true, "edit": true, "delete": false, "manage": false, "export": false})
    );
    let world = world("agent");
    let reader = world.reader();
    let payment = world.schema.find("payment").expect("declared");
    assert!(!entity::is_seen(&reader, payment));
}
