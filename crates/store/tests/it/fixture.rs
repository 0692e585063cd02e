//! What the tests store: one entity with every type, and a small service desk.

use jiff::Timestamp;
use opsflux_model::{FieldIx, Schema, Value};
use opsflux_store::Write;
use uuid::Uuid;

const USER: &str = r#"
name = "user"
collection = "users"
title = "full_name"
icon = "user"
[list]
columns = ["full_name"]
sort = ["full_name"]
[fields]
full_name = { type = "text" }
email = { type = "email", unique = true }
department = { type = "link", to = "department", inverse = "users" }
"#;

const DEPARTMENT: &str = r#"
name = "department"
collection = "departments"
title = "name"
icon = "building"
[fields]
name = { type = "text" }
secret_plan = { type = "boolean" }
parent = { type = "link", to = "department", inverse = "parts", acyclic = true }
"#;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
icon = "ticket"
number = "TIC-{seq:06}"
index = [["status", "priority", "-created_at"]]
unique = [["department", "priority", "code"]]
[list]
columns = ["title"]
sort = ["-created_at"]
[fields]
title = { type = "text" }
code = { type = "text" }
priority = { type = "choice", options = ["low", "medium", "high", "critical"], unique = false }
status = { type = "state", initial = "new" }
department = { type = "link", to = "department", inverse = "tickets" }
assignee = { type = "link", to = "user", inverse = "tickets" }
parent = { type = "link", to = "ticket", inverse = "children", acyclic = true, on_delete = "cascade" }
due_at = { type = "datetime", index = true }
seats = { type = "integer" }
[scope]
own = ["assignee"]
department = "department"
[states]
new = { to = ["done"], category = "open", color = "blue" }
done = { to = ["new"], category = "done", color = "green" }
"#;

const THING: &str = r#"
name = "thing"
collection = "things"
title = "title"
icon = "box"
[fields]
title = { type = "text" }
body = { type = "long_text" }
notes = { type = "rich_text" }
mail = { type = "email" }
tel = { type = "phone" }
web = { type = "url" }
shade = { type = "color" }
count = { type = "integer" }
weight = { type = "decimal", precision = 9, scale = 2 }
huge = { type = "decimal", precision = 28, scale = 10 }
price = { type = "money", precision = 12, scale = 2 }
active = { type = "boolean" }
day = { type = "date" }
at = { type = "datetime" }
span = { type = "duration" }
level = { type = "choice", options = ["low", "medium", "high"] }
status = { type = "state", initial = "new" }
marks = { type = "choices", options = ["red", "green", "blue"] }
tags = { type = "tags" }
owner = { type = "link", to = "user", inverse = "things" }
watchers = { type = "links", to = "user", inverse = "watched" }
target = { type = "any_link", to = ["user", "department"] }
parent = { type = "link", to = "thing", inverse = "parts", acyclic = true }
photo = { type = "image" }
doc = { type = "file" }
place = { type = "geo" }
extra = { type = "json" }
key = { type = "secret" }
pass = { type = "password" }
[states]
new = { to = ["done"], category = "open", color = "blue" }
done = { to = ["new"], category = "done", color = "green" }
"#;

const SIGHTING: &str = r#"
name = "sighting"
collection = "sightings"
kind = "log"
title = "what"
icon = "eye"
[fields]
what = { type = "text" }
thing = { type = "link", to = "thing", inverse = "sightings" }
"#;

/// The schema of every test.
pub fn schema() -> Schema {
    let texts = [DEPARTMENT, USER, TICKET, THING, SIGHTING];
    match Schema::from_declarations(&texts, "") {
        Ok(schema) => schema,
        Err(mistakes) => panic!("{mistakes:#?}"),
    }
}

/// An id that is the same in every run.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// An instant that is the same in every run.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A new row with what the engine always sets.
pub fn insert(schema: &Schema, entity: &str, id: Uuid, values: &[(&str, Value)]) -> Write {
    let ix = schema.find(entity).unwrap();
    let declared = schema.entity(ix);
    let field = |name: &str| -> FieldIx {
        let found = declared.find(name);
        found.unwrap_or_else(|| panic!("{entity} has no {name}"))
    };
    let mut set = vec![(field("id"), Value::Id(id))];
    for (name, value) in [
        ("version", Value::Int(1)),
        ("created_at", Value::Time(at(0))),
        ("updated_at", Value::Time(at(0))),
    ] {
        let is_given = values.iter().any(|(given, _)| *given == name);
        if let (Some(ix), false) = (declared.find(name), is_given) {
            set.push((ix, value));
        }
    }
    set.extend(
        values
            .iter()
            .map(|(name, value)| (field(name), value.clone())),
    );
    Write::Insert {
        entity: ix,
        values: set,
    }
}
