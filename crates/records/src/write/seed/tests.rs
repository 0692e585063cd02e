//! What a batch makes of its rows before the database sees them.

use jiff::tz::TimeZone;

use super::*;
use crate::error::FieldError;

const TEAM: &str = r#"
name = "team"
collection = "teams"
title = "name"
[fields]
name = { type = "text", required = true, max = 5 }
lead = { type = "link", to = "member", on_delete = "clear" }
"#;

const MEMBER: &str = r#"
name = "member"
collection = "members"
title = "name"
[fields]
name = { type = "text", required = true, max = 20 }
team = { type = "link", to = "team", on_delete = "clear" }
friends = { type = "links", to = "member", on_delete = "clear" }
since = { type = "date", default = "today" }
mail = { type = "email" }
status = { type = "state", initial = "in" }
secret = { type = "secret" }
[states]
in = { to = ["out"], category = "open" }
out = { to = ["in"], category = "closed" }
"#;

fn schema() -> Schema {
    Schema::from_declarations(&[TEAM, MEMBER], "[admin]").unwrap()
}

fn record(schema: &Schema, entity: &str, id: u128, values: &[(&str, Value)]) -> SeedRecord {
    let ix = schema.find(entity).unwrap();
    let field = |name: &str| schema.entity(ix).find(name).unwrap();
    let made = "2024-02-03T23:30:00Z".parse().unwrap();
    SeedRecord {
        entity: ix,
        id: Uuid::from_u128(id),
        company: None,
        created: (made, None),
        updated: (made, None),
        values: values
            .iter()
            .map(|(name, value)| (field(name), value.clone()))
            .collect(),
    }
}

fn id(number: u128) -> Value {
    Value::Id(Uuid::from_u128(number))
}

fn complete(schema: &Schema, record: SeedRecord) -> Result<Row, Vec<FieldError>> {
    Row::complete(schema, record, &TimeZone::get("Africa/Libreville").unwrap())
}

#[test]
fn rows_that_point_at_each_other_are_written_first_and_linked_then() {
    let schema = schema();
    let rows = [
        record(
            &schema,
            "team",
            1,
            &[("name", "one".into()), ("lead", id(2))],
        ),
        record(
            &schema,
            "member",
            2,
            &[("name", "two".into()), ("team", id(1))],
        ),
        record(
            &schema,
            "member",
            3,
            &[
                ("name", "three".into()),
                ("friends", Value::Set(vec![id(2), id(4)])),
            ],
        ),
        record(&schema, "member", 4, &[("name", "four".into())]),
    ];
    let rows = rows.map(|row| complete(&schema, row).unwrap());
    let writes = writes(&schema, rows.into());
    let (team, member) = (schema.find("team").unwrap(), schema.find("member").unwrap());
    let lead = schema.entity(team).find("lead").unwrap();
    let of_team = schema.entity(member).find("team").unwrap();
    let friends = schema.entity(member).find("friends").unwrap();
    let given = |write: &Write, field| match write {
        Write::Insert { values, .. } => values.iter().find(|(ix, _)| *ix == field).cloned(),
        other => panic!("{other:?} is no new row"),
    };
    assert_eq!(writes.len(), 6);
    assert_eq!(given(&writes[0], lead), None);
    assert_eq!(given(&writes[1], of_team), Some((of_team, id(1))));
    assert_eq!(given(&writes[2], friends), None);
    let later = |entity, number, field, value| Write::Update {
        entity,
        id: Uuid::from_u128(number),
        expected_version: None,
        set: vec![(field, Set::To(value))],
    };
    assert_eq!(writes[4], later(team, 1, lead, id(2)));
    assert_eq!(
        writes[5],
        later(member, 3, friends, Value::Set(vec![id(2), id(4)]))
    );
}

#[test]
fn what_no_request_could_say_no_batch_can() {
    let schema = schema();
    let wrong = |entity, values: &[(&str, Value)]| -> Vec<(String, String)> {
        let errors = complete(&schema, record(&schema, entity, 1, values))
            .err()
            .unwrap();
        errors
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect()
    };
    let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    let name = ("name", Value::from("x"));
    assert_eq!(wrong("team", &[]), one("name", "required"));
    assert_eq!(
        wrong("team", &[("name", "sixsix".into())]),
        one("name", "too_long")
    );
    assert_eq!(
        wrong("member", &[name.clone(), ("mail", "x".into())]),
        one("mail", "invalid_email")
    );
    assert_eq!(
        wrong("member", &[name.clone(), ("team", "x".into())]),
        one("team", "invalid_id")
    );
    assert_eq!(
        wrong("member", &[name.clone(), ("since", true.into())]),
        one("since", "invalid_date")
    );
    assert_eq!(
        wrong("member", &[name.clone(), ("status", "gone".into())]),
        one("status", "not_an_option")
    );
    assert_eq!(
        wrong("member", &[name, ("version", Value::Int(7))]),
        one("version", "readonly")
    );
}

#[test]
fn what_is_not_said_is_as_declared_at_the_moment_of_the_row() {
    let schema = schema();
    let row = record(&schema, "member", 1, &[("name", "x".into())]);
    let (entity, row) = (schema.entity(row.entity), complete(&schema, row).unwrap());
    let value = |name: &str| row.value(entity.find(name).unwrap()).clone();
    assert_eq!(value("status"), Value::from("in"));
    // Half an hour before midnight in London, the next day has begun in Libreville.
    assert_eq!(value("since"), Value::Date("2024-02-04".parse().unwrap()));
    assert_eq!(value("version"), Value::Int(1));
    assert_eq!(
        value("created_at"),
        Value::Time("2024-02-03T23:30:00Z".parse().unwrap())
    );
}

#[test]
fn the_hash_is_of_what_may_be_read() {
    let schema = schema();
    let hashed = |name: &str, secret: &str| {
        let values = [("name", Value::from(name)), ("secret", Value::from(secret))];
        let row = complete(&schema, record(&schema, "member", 1, &values)).unwrap();
        hash(&schema, &[row])
    };
    assert_eq!(hashed("x", "sealed"), hashed("x", "otherwise"));
    assert_ne!(hashed("x", "sealed"), hashed("y", "sealed"));
    assert_eq!(hashed("x", "sealed").len(), 64);
}
