//! A small declared world with records in memory, for tests of rules and conditions.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::{Timestamp, civil};
use uuid::Uuid;

use crate::predicate::{Hop, Record, Step, Variables};
use crate::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use crate::value::Value;

const COMPANY: &str = r#"
name = "company"
collection = "companies"
title = "name"
[fields]
name = { type = "text" }
[permissions.clerk]
view = "company"
"#;

const DEPARTMENT: &str = r#"
name = "department"
collection = "departments"
title = "name"
[fields]
name = { type = "text" }
"#;

const USER: &str = r#"
name = "user"
collection = "users"
title = "name"
[fields]
name = { type = "text" }
[permissions.clerk]
view = "company"
"#;

const TICKET: &str = r#"
name = "ticket"
collection = "tickets"
title = "title"
comments = true
files = true
sharing = true
[fields]
title = { type = "text" }
body = { type = "long_text" }
priority = { type = "choice", options = ["low", "medium", "high"] }
status = { type = "state", initial = "new" }
due = { type = "date" }
effort = { type = "integer" }
cost = { type = "decimal" }
urgent = { type = "boolean" }
words = { type = "tags" }
requester = { type = "link", to = "user", inverse = "requested" }
watchers = { type = "links", to = "user", inverse = "watched" }
department = { type = "link", to = "department" }
parent = { type = "link", to = "ticket", inverse = "children", acyclic = true }
[scope]
own = ["requester", "watchers"]
department = "department"
[states]
new = { to = ["open"] }
open = { to = ["closed"] }
closed = { }
[permissions.clerk]
view = "company"
edit = { scope = "company", where = { field = "status", op = "ne", value = "closed" } }
[permissions.technician]
view = "department"
edit = "department"
[permissions.guest]
view = "own"
create = "own"
[permissions.guest.fields]
cost = "hidden"
effort = "mask"
priority = "read"
"#;

const COMMENT: &str = r#"
name = "comment"
collection = "comments"
title = "body"
files = true
[fields]
target = { type = "any_link", to = "*" }
body = { type = "long_text" }
internal = { type = "boolean" }
[scope]
owner = "target"
[permissions.technician]
view = "all"
[permissions.guest]
view = { scope = "all", where = { field = "internal", op = "eq", value = false } }
"#;

const FILE: &str = r#"
name = "file"
collection = "files"
title = "name"
[fields]
target = { type = "any_link", to = "*" }
name = { type = "text" }
[scope]
owner = "target"
[permissions.guest]
view = "all"
"#;

const ROLES: &str = r#"
[clerk]
inherits = ["guest"]
[technician]
inherits = ["guest"]
[auditor]
permissions = ["tickets.view.all"]
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let entities = [COMPANY, DEPARTMENT, USER, TICKET, COMMENT, FILE];
    Schema::from_declarations(&entities, ROLES).unwrap()
});

/// Records by id.
pub(crate) struct World {
    pub(crate) schema: &'static Schema,
    records: HashMap<Uuid, (EntityIx, HashMap<FieldIx, Value>)>,
}

impl World {
    /// Without records. What the entities are is written above.
    pub(crate) fn new() -> World {
        World {
            schema: &SCHEMA,
            records: HashMap::new(),
        }
    }

    pub(crate) fn entity(&self, name: &str) -> EntityIx {
        self.schema.find(name).unwrap()
    }

    /// Adds a record of `entity` and answers its id.
    pub(crate) fn add(&mut self, entity: &str, values: &[(&str, Value)]) -> Uuid {
        let id = Uuid::from_u128(self.records.len() as u128 + 1000);
        self.add_as(id, entity, values);
        id
    }

    pub(crate) fn add_as(&mut self, id: Uuid, entity: &str, values: &[(&str, Value)]) {
        let ix = self.entity(entity);
        let declared = self.schema.entity(ix);
        let own_id = (system::ID, Value::Id(id));
        let values = values.iter().chain([&own_id]);
        let values = values.map(|(name, value)| (declared.find(name).unwrap(), value.clone()));
        self.records.insert(id, (ix, values.collect()));
    }

    pub(crate) fn record(&self, id: Uuid) -> Rec<'_> {
        Rec { world: self, id }
    }

    pub(crate) fn of(&self, entity: EntityIx) -> impl Iterator<Item = Rec<'_>> {
        let ids = self
            .records
            .iter()
            .filter(move |(_, (ix, _))| *ix == entity);
        ids.map(|(id, _)| self.record(*id))
    }
}

/// One record of a world.
#[derive(Clone, Copy)]
pub(crate) struct Rec<'w> {
    world: &'w World,
    pub(crate) id: Uuid,
}

impl Rec<'_> {
    fn links(&self, field: FieldIx) -> Vec<Uuid> {
        match self.value(field) {
            Value::Set(items) => items.iter().filter_map(Value::as_id).collect(),
            value => value.as_id().into_iter().collect(),
        }
    }
}

impl Record for Rec<'_> {
    fn value(&self, field: FieldIx) -> &Value {
        let record = self.world.records.get(&self.id);
        record
            .and_then(|(_, values)| values.get(&field))
            .unwrap_or(&Value::Null)
    }

    fn follow(&self, step: &Step) -> Vec<Self> {
        let world = self.world;
        match step.hop {
            Hop::Link(field) | Hop::Links(field) => self
                .links(field)
                .into_iter()
                .filter(|id| world.records.get(id).is_some_and(|(ix, _)| *ix == step.to))
                .map(|id| world.record(id))
                .collect(),
            Hop::Inverse(via) | Hop::InverseLinks(via) => world
                .of(step.to)
                .filter(|other| other.links(via).contains(&self.id))
                .collect(),
        }
    }
}

/// What `@me` and its kin stand for in tests.
pub(crate) fn variables(me: Uuid) -> Variables {
    Variables {
        me,
        my_groups: Vec::new(),
        my_departments: Vec::new(),
        now: Timestamp::UNIX_EPOCH,
        today: civil::Date::constant(2026, 1, 31),
        zone: jiff::tz::TimeZone::UTC,
    }
}

#[test]
fn the_world_has_the_types_the_tests_are_about() {
    let world = World::new();
    let ticket = world.schema.entity(world.entity("ticket"));
    let comment = world.schema.entity(world.entity("comment"));
    assert!(matches!(
        ticket.field(ticket.find("watchers").unwrap()).kind,
        FieldType::Links(_)
    ));
    assert!(comment.scope.owner.is_some());
    assert_eq!(ticket.scope.company, ticket.find(system::COMPANY));
}
