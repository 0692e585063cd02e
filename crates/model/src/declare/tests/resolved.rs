//! What declarations resolve to.

use super::*;
use crate::access::{Action, Scope};
use crate::schema::{DefaultValue, EntityKind, FieldType, system};
use crate::value::Value;

#[test]
fn system_fields_come_first_and_nobody_writes_them() {
    let ticket = format!("{START}number = \"TIC-{{seq:4}}\"\n{TITLE}");
    let log = "name = \"visit\"\ncollection = \"visits\"\ntitle = \"id\"\nkind = \"log\"\n[fields]\nat = { type = \"date\" }";
    let schema = schema(&[&ticket, USER, COMPANY, log], "");
    let names = |entity: &str| -> Vec<String> {
        let entity = schema.entity(schema.find(entity).unwrap());
        entity
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect()
    };
    assert_eq!(
        names("ticket"),
        [
            system::ID,
            system::VERSION,
            system::NUMBER,
            system::CREATED_AT,
            system::UPDATED_AT,
            system::CREATED_BY,
            system::UPDATED_BY,
            system::COMPANY,
            "title"
        ]
    );
    assert_eq!(names("visit"), [system::ID, system::CREATED_AT, "at"]);
    let ticket = schema.entity(schema.find_collection("tickets").unwrap());
    for field in ticket.fields.iter().filter(|field| field.system) {
        assert_eq!(field.id, field.name);
        assert_eq!(
            field.readonly,
            field.name != system::COMPANY,
            "{}",
            field.name
        );
    }
    assert_eq!(ticket.scope.own, [ticket.find(system::CREATED_BY).unwrap()]);
    assert_eq!(ticket.scope.company, ticket.find(system::COMPANY));
    let visit = schema.entity(schema.find("visit").unwrap());
    assert_eq!(visit.kind, EntityKind::Log);
    assert!(visit.scope.own.is_empty() && visit.scope.company.is_none());
}

#[test]
fn without_users_and_companies_there_are_no_links_to_them() {
    let schema = schema(&[&format!("{START}{TITLE}")], "");
    assert_eq!(schema.entities[0].fields.len(), 5);
}

#[test]
fn defaults_are_read_as_values() {
    let ticket = format!(
        "{START}{TITLE}
        at = {{ type = \"datetime\", default = \"now\" }}
        on = {{ type = \"date\", default = \"today\" }}
        fixed = {{ type = \"date\", default = 2026-01-31 }}
        who = {{ type = \"link\", to = \"user\", default = \"me\" }}
        word = {{ type = \"text\", default = \"now\" }}
        cost = {{ type = \"decimal\", scale = 2, default = 12.50 }}
        status = {{ type = \"state\", initial = \"new\" }}
        [states]
        new = {{}}"
    );
    let schema = schema(&[&ticket, USER], "");
    let entity = &schema.entities[0];
    let default = |name: &str| entity.field(entity.find(name).unwrap()).default.clone();
    assert_eq!(default("at"), DefaultValue::Now);
    assert_eq!(default("on"), DefaultValue::Today);
    let day = jiff::civil::Date::constant(2026, 1, 31);
    assert_eq!(default("fixed"), DefaultValue::Constant(Value::Date(day)));
    assert_eq!(default("who"), DefaultValue::Me);
    assert_eq!(default("word"), DefaultValue::Constant("now".into()));
    let cost = rust_decimal::Decimal::new(1250, 2);
    assert_eq!(
        default("cost"),
        DefaultValue::Constant(Value::Decimal(cost))
    );
    assert_eq!(default("status"), DefaultValue::Constant("new".into()));
    assert_eq!(default("title"), DefaultValue::None);
}

#[test]
fn inverse_sides_child_tables_and_rollups_find_each_other() {
    let order = "name = \"order\"\ncollection = \"orders\"\ntitle = \"id\"\n[fields]
        lines = { type = \"children\", of = \"line\", via = \"order\" }
        total = { type = \"rollup\", of = \"lines\", op = \"sum\", field = \"price\" }
        count = { type = \"rollup\", of = \"positions\", op = \"count\", where = { field = \"price\", op = \"gt\", value = 0 } }";
    let line = "name = \"line\"\ncollection = \"lines\"\ntitle = \"id\"\n[fields]
        order = { type = \"link\", to = \"order\", inverse = \"positions\" }
        price = { type = \"decimal\", scale = 2 }";
    let schema = schema(&[order, line], "");
    let order = &schema.entities[0];
    let kind = |name: &str| &order.field(order.find(name).unwrap()).kind;
    assert!(matches!(
        kind("total").holds(),
        FieldType::Decimal { scale: 2, .. }
    ));
    assert!(matches!(kind("count").holds(), FieldType::Integer { .. }));
    assert!(matches!(kind("lines"), FieldType::Children { of, .. } if usize::from(of.0) == 1));
    assert!(!order.related[0].many_to_many);

    let bad = |rollup: &str| {
        let order = format!(
            "name = \"order\"\ncollection = \"orders\"\ntitle = \"id\"\n[fields]\nx = {rollup}"
        );
        let found = Schema::from_declarations(&[&order, line], "").unwrap_err();
        found
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (rollup, wanted) in [
        (
            "{ type = \"rollup\", of = \"positions\", op = \"sum\" }",
            "field of a roll-up is missing",
        ),
        (
            "{ type = \"rollup\", of = \"positions\", op = \"count\", field = \"price\" }",
            "count counts records",
        ),
        (
            "{ type = \"rollup\", of = \"positions\", op = \"sum\", field = \"order\" }",
            "order of type link cannot be combined so",
        ),
        (
            "{ type = \"rollup\", of = \"positions\", op = \"sum\", field = \"created_at\" }",
            "created_at of type datetime cannot",
        ),
        (
            "{ type = \"rollup\", of = \"positions\", op = \"count\", where = { field = \"pric\", op = \"gt\", value = 0 } }",
            "there is no field “pric”",
        ),
    ] {
        assert!(bad(rollup).contains(wanted), "{}", bad(rollup));
    }
}

#[test]
fn roles_carry_what_is_named_outright() {
    let ticket = format!("{START}{TITLE}[permissions.clerk]\nview = \"all\"");
    let schema = schema(
        &[&ticket, USER],
        "[clerk]\ninherits = [\"user\"]\npermissions = [\"tickets.edit.own\", \"tickets.export.all\"]\n[scribe]\n",
    );
    // The two declared ones and the four that are always there.
    assert_eq!(schema.roles.len(), 6);
    let clerk = &schema.roles["clerk"];
    assert_eq!(clerk.inherits, ["user"]);
    assert_eq!(
        clerk.permissions[1],
        ("tickets".to_owned(), Action::Export, Scope::All)
    );
}
