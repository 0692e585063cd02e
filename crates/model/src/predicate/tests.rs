//! What conditions mean, and that negation is an exact complement.

use jiff::civil;
use proptest::prelude::*;
use proptest::{collection, option, sample};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::access::{Access, Membership, Principal};
use crate::condition::{Condition, ConditionError};
use crate::world::{World, variables};

const ME: Uuid = Uuid::from_u128(1);
const SOMEBODY: Uuid = Uuid::from_u128(2);

fn bind(world: &World, entity: &str, condition: &Json) -> Result<Predicate, ConditionError> {
    let variables = variables(ME);
    let binder = Binder {
        schema: world.schema,
        access: None,
        variables: &variables,
    };
    binder.bind(world.entity(entity), &Condition::from_json(condition)?)
}

fn holds(world: &World, id: Uuid, condition: &Json) -> bool {
    let predicate = bind(world, "ticket", condition).unwrap();
    predicate.holds(world.schema, &world.record(id))
}

fn test(field: &str, op: &str, value: Json) -> Json {
    json!({"field": field, "op": op, "value": value})
}

fn money(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

#[test]
fn texts_are_compared_exactly_and_searched_folded() {
    let mut world = World::new();
    let id = world.add("ticket", &[("title", Value::from("Panne Réseau"))]);
    for (op, value, wanted) in [
        ("eq", "Panne Réseau", true),
        ("eq", "panne reseau", false),
        ("ne", "panne reseau", true),
        ("contains", "RESEAU", true),
        ("starts_with", "panne r", true),
        ("ends_with", "eau", true),
        ("ends_with", "panne", false),
        // Order is that of the folded keys.
        ("gt", "PANNE", true),
        ("lt", "panné réz", true),
    ] {
        assert_eq!(
            holds(&world, id, &test("title", op, json!(value))),
            wanted,
            "{op} {value}"
        );
    }
    assert!(holds(
        &world,
        id,
        &test("title", "in", json!(["x", "Panne Réseau"]))
    ));
}

#[test]
fn choices_and_states_compare_in_declared_order() {
    let mut world = World::new();
    let id = world.add(
        "ticket",
        &[
            ("priority", Value::from("medium")),
            ("status", Value::from("open")),
        ],
    );
    for (field, op, value, wanted) in [
        ("priority", "gt", "low", true),
        ("priority", "gt", "medium", false),
        ("priority", "gte", "medium", true),
        ("priority", "lt", "high", true),
        ("priority", "lte", "low", false),
        ("status", "gt", "new", true),
        ("status", "gt", "closed", false),
    ] {
        let found = holds(&world, id, &test(field, op, json!(value)));
        assert_eq!(found, wanted, "{field} {op} {value}");
    }
}

#[test]
fn a_comparison_with_nothing_is_false_and_its_negation_true() {
    let mut world = World::new();
    let id = world.add("ticket", &[("title", Value::from(""))]);
    for (field, value) in [
        ("title", json!("x")),
        ("effort", json!(1)),
        ("cost", json!(1)),
        ("due", json!("2026-01-31")),
        ("priority", json!("low")),
        ("requester", json!(ME)),
        ("urgent", json!(true)),
        ("words", json!("x")),
    ] {
        assert!(
            !holds(&world, id, &test(field, "eq", value.clone())),
            "{field}"
        );
        assert!(
            holds(&world, id, &test(field, "ne", value.clone())),
            "{field}"
        );
        assert!(
            holds(&world, id, &test(field, "is_empty", Json::Null)),
            "{field}"
        );
        assert!(holds(&world, id, &test(field, "eq", Json::Null)), "{field}");
        let less = test(field, "lt", value);
        if let Ok(predicate) = bind(&world, "ticket", &less) {
            assert!(!predicate.holds(world.schema, &world.record(id)), "{field}");
        }
    }
}

#[test]
fn nothing_is_before_after_or_among_nothing() {
    let mut world = World::new();
    let empty = world.add("ticket", &[]);
    let full = world.add("ticket", &[("effort", Value::Int(1))]);
    for id in [empty, full] {
        for op in ["lt", "lte", "gt", "gte", "in"] {
            let asked = test(
                "effort",
                op,
                if op == "in" {
                    json!([null])
                } else {
                    Json::Null
                },
            );
            assert!(!holds(&world, id, &asked), "{op}");
            assert!(holds(&world, id, &json!({"not": asked})), "{op}");
        }
    }
}

#[test]
fn paths_lead_through_links_sets_and_inverse_sides() {
    let mut world = World::new();
    let awa = world.add("user", &[("name", Value::from("Awa"))]);
    let parent = world.add(
        "ticket",
        &[("requester", Value::Id(awa)), ("effort", Value::Int(3))],
    );
    let child = world.add(
        "ticket",
        &[
            ("parent", Value::Id(parent)),
            ("watchers", Value::Set(vec![Value::Id(awa)])),
        ],
    );
    assert!(holds(
        &world,
        child,
        &test("parent.requester.name", "eq", json!("Awa"))
    ));
    assert!(holds(
        &world,
        child,
        &test("watchers.name", "contains", json!("aw"))
    ));
    assert!(holds(
        &world,
        parent,
        &test("children.watchers.name", "eq", json!("Awa"))
    ));
    assert!(!holds(
        &world,
        parent,
        &test("parent.title", "is_empty", json!(false))
    ));
    let asked = bind(&world, "user", &test("requested.effort", "gte", json!(3))).unwrap();
    assert!(asked.holds(world.schema, &world.record(awa)));
    let watched = bind(&world, "user", &test("watched.parent", "eq", json!(parent))).unwrap();
    assert!(watched.holds(world.schema, &world.record(awa)));
}

#[test]
fn variables_stand_for_the_reader_and_the_moment() {
    let mut world = World::new();
    let id = world.add(
        "ticket",
        &[
            ("requester", Value::Id(ME)),
            ("due", Value::Date(civil::Date::constant(2026, 1, 30))),
        ],
    );
    assert!(holds(&world, id, &test("requester", "eq", json!("@me"))));
    assert!(holds(&world, id, &test("watchers", "ne", json!("@me"))));
    assert!(holds(&world, id, &test("due", "lt", json!("@today"))));
    // A person without groups is in none of them.
    assert!(!holds(
        &world,
        id,
        &test("department", "in", json!("@my_departments"))
    ));
    assert!(bind(&world, "ticket", &test("due", "eq", json!("@me"))).is_err());
    assert!(bind(&world, "ticket", &test("requester", "eq", json!("@mee"))).is_err());
}

#[test]
fn what_does_not_fit_is_named() {
    let world = World::new();
    let error = |condition: Json| bind(&world, "ticket", &condition).unwrap_err().to_string();
    assert_eq!(
        error(json!({"all": [test("titel", "eq", json!("x"))]})),
        "/all/0: there is no field “titel”"
    );
    assert_eq!(
        error(test("body", "contains", json!("x"))),
        "/: “body” of type long_text cannot be compared with contains"
    );
    for condition in [
        test("title.name", "eq", json!("x")),
        test("parent.parent.parent.parent.parent.title", "eq", json!("x")),
        test("", "eq", json!("x")),
        test("parent.", "eq", json!("x")),
        test("effort", "eq", json!([1, 2])),
        test("effort", "eq", json!("many")),
        test("status", "eq", json!("lost")),
        test("priority", "gt", json!("urgent")),
        test("cost", "lt", json!("1e400")),
        test("title", "contains", json!(3)),
        test("title", "is_empty", json!("maybe")),
        test("title", "changed", Json::Null),
    ] {
        assert!(bind(&world, "ticket", &condition).is_err(), "{condition}");
    }
}

#[test]
fn values_of_a_query_string_are_texts_all_of_them() {
    let mut world = World::new();
    let id = world.add(
        "ticket",
        &[
            ("effort", Value::Int(3)),
            ("cost", money("1.50")),
            ("urgent", Value::Bool(false)),
        ],
    );
    assert!(holds(&world, id, &test("effort", "eq", json!("3"))));
    assert!(holds(&world, id, &test("cost", "eq", json!("1.5"))));
    assert!(holds(&world, id, &test("urgent", "eq", json!("false"))));
}

#[test]
fn a_hidden_field_and_one_that_does_not_exist_are_refused_alike() {
    let world = World::new();
    let principal = Principal {
        tenant: 1,
        user: ME,
        home_company: None,
        memberships: vec![Membership::of("guest", None, Vec::new())],
        groups: Vec::new(),
        shares: Vec::new(),
        instance_admin: false,
    };
    let variables = variables(ME);
    let access = Access::compile(world.schema, principal, &variables);
    let binder = Binder {
        schema: world.schema,
        access: Some(&access),
        variables: &variables,
    };
    let error = |field: &str| {
        let condition = Condition::from_json(&test(field, "is_empty", Json::Null)).unwrap();
        let bound = binder.bind(world.entity("ticket"), &condition);
        bound.map_err(|error| error.to_string().replace(field, "…"))
    };
    // Hidden, masked, of an entity he may not see, not there.
    let missing = error("nothing").unwrap_err();
    assert_eq!(error("cost").unwrap_err(), missing);
    assert_eq!(error("effort").unwrap_err(), missing);
    assert_eq!(error("requester.name").unwrap_err(), missing);
    assert!(error("priority").is_ok());
}

#[test]
fn a_link_the_reader_may_not_follow_reads_as_nothing() {
    let mut world = World::new();
    let theirs = world.add(
        "ticket",
        &[
            ("title", Value::from("secret")),
            ("requester", Value::Id(SOMEBODY)),
        ],
    );
    let mine = world.add(
        "ticket",
        &[("parent", Value::Id(theirs)), ("requester", Value::Id(ME))],
    );
    let own = Predicate::test(
        world.entity("ticket"),
        world
            .schema
            .entity(world.entity("ticket"))
            .find("requester")
            .unwrap(),
        Operand::OneOf(vec![Value::Id(ME)]),
    );
    let bound = bind(
        &world,
        "ticket",
        &test("parent.title", "eq", json!("secret")),
    )
    .unwrap();
    let Predicate::Test(mut seen) = bound else {
        unreachable!("one test")
    };
    let record = world.record(mine);
    assert!(Predicate::Test(seen.clone()).holds(world.schema, &record));
    *seen.path.steps[0].rule = own;
    let through = Predicate::Test(seen);
    assert!(!through.holds(world.schema, &record));
    assert!(negate(through).holds(world.schema, &record));
}

fn some_text() -> impl Strategy<Value = String> {
    sample::select(vec!["", "a", "A", "é", "ab", "reseau", "Réseau", "zz"]).prop_map(str::to_owned)
}

fn some_record() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let code = sample::select(vec!["low", "medium", "high"]);
    let state = sample::select(vec!["new", "open", "closed"]);
    let day = (1..4_i8).prop_map(|day| Value::Date(civil::Date::constant(2026, 1, day)));
    let person = sample::select(vec![ME, SOMEBODY]);
    let people = collection::vec(person.clone(), 0..3);
    (
        option::of(some_text()),
        (option::of(code), option::of(state)),
        option::of(day),
        (
            option::of(-1..3_i64),
            option::of(-1..3_i64),
            option::of(any::<bool>()),
        ),
        (option::of(person), people),
        collection::vec(some_text(), 0..3),
    )
        .prop_map(
            |(title, (code, state), day, (effort, cost, urgent), (person, people), words)| {
                vec![
                    ("title", Value::from(title)),
                    ("priority", Value::from(code)),
                    ("status", Value::from(state)),
                    ("due", day.unwrap_or_default()),
                    ("effort", Value::from(effort)),
                    (
                        "cost",
                        cost.map_or(Value::Null, |n| Value::Decimal(Decimal::from(n))),
                    ),
                    ("urgent", Value::from(urgent)),
                    ("requester", Value::from(person)),
                    (
                        "watchers",
                        Value::Set(people.into_iter().map(Value::Id).collect()),
                    ),
                    (
                        "words",
                        Value::Set(words.into_iter().map(Value::Text).collect()),
                    ),
                ]
            },
        )
}

/// A field with a value that may be asked of it.
fn some_operand() -> impl Strategy<Value = (String, Json)> {
    let text = some_text().prop_map(|text| ("title".to_owned(), json!(text)));
    let word = some_text().prop_filter("a word", |text| !text.is_empty());
    let person = sample::select(vec![json!(ME), json!(SOMEBODY), json!("@me")]);
    prop_oneof![
        text,
        word.prop_map(|word| ("words".to_owned(), json!(word))),
        sample::select(vec!["low", "medium", "high"])
            .prop_map(|code| ("priority".to_owned(), json!(code))),
        sample::select(vec!["new", "open", "closed"])
            .prop_map(|code| ("status".to_owned(), json!(code))),
        (1..4).prop_map(|day| ("due".to_owned(), json!(format!("2026-01-0{day}")))),
        (-1..3).prop_map(|number| ("effort".to_owned(), json!(number))),
        (-1..3).prop_map(|number| ("cost".to_owned(), json!(number))),
        any::<bool>().prop_map(|flag| ("urgent".to_owned(), json!(flag))),
        (
            sample::select(vec!["requester", "watchers", "parent.requester"]),
            person
        )
            .prop_map(|(field, person)| (field.to_owned(), person)),
    ]
}

fn some_condition() -> impl Strategy<Value = Json> {
    let op = sample::select(vec![
        "eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "contains", "is_empty",
    ]);
    let leaf = (some_operand(), op).prop_map(|((field, value), op)| {
        let value = if op == "is_empty" { Json::Null } else { value };
        test(&field, op, value)
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        let parts = collection::vec(inner.clone(), 0..3);
        prop_oneof![
            parts.clone().prop_map(|parts| json!({"all": parts})),
            parts.prop_map(|parts| json!({"any": parts})),
            inner.prop_map(|part| json!({"not": part})),
        ]
    })
}

fn world_of(record: &[(&str, Value)]) -> (World, Uuid) {
    let mut world = World::new();
    world.add_as(ME, "user", &[]);
    world.add_as(SOMEBODY, "user", &[]);
    let parent = world.add("ticket", &[("requester", Value::Id(ME))]);
    let mut values = record.to_vec();
    // Some have a parent, some have not.
    if record.contains(&("urgent", Value::Bool(true))) {
        values.push(("parent", Value::Id(parent)));
    }
    let id = world.add("ticket", &values);
    (world, id)
}

proptest! {
    /// Decisions §20: two-valued logic, whatever is missing.
    #[test]
    fn negation_is_the_exact_complement(record in some_record(), condition in some_condition()) {
        let (world, id) = world_of(&record);
        // An operator the type does not know is refused either way round.
        let Ok(bound) = bind(&world, "ticket", &condition) else {
            let negated = json!({"not": condition});
            prop_assert!(bind(&world, "ticket", &negated).is_err());
            return Ok(());
        };
        let record = world.record(id);
        let plain = bound.holds(world.schema, &record);
        prop_assert_eq!(holds(&world, id, &json!({"not": condition})), !plain);
        prop_assert_eq!(holds(&world, id, &json!({"not": {"not": condition}})), plain);
        prop_assert_eq!(negate(bound.clone()).holds(world.schema, &record), !plain);
        prop_assert_eq!(negate(negate(bound)).holds(world.schema, &record), plain);
    }

    #[test]
    fn ne_and_not_in_are_the_complements_of_eq_and_in(
        record in some_record(),
        (field, value) in some_operand(),
    ) {
        let (world, id) = world_of(&record);
        let is = |op| holds(&world, id, &test(&field, op, value.clone()));
        prop_assert_eq!(is("ne"), !is("eq"));
        // There is nothing to list of two values.
        if field != "urgent" {
            prop_assert_eq!(is("not_in"), !is("in"));
            prop_assert_eq!(is("in"), is("eq"));
        }
        let empty = |flag: bool| holds(&world, id, &test(&field, "is_empty", json!(flag)));
        prop_assert_eq!(empty(true), !empty(false));
        // What equals something is not empty.
        prop_assert!(!(is("eq") && empty(true)));
    }

    #[test]
    fn an_order_splits_what_is_there_in_three(
        record in some_record(),
        (field, value) in some_operand(),
    ) {
        let (world, id) = world_of(&record);
        let ask = |op| bind(&world, "ticket", &test(&field, op, value.clone()));
        let (Ok(less), Ok(greater), Ok(least), Ok(most)) =
            (ask("lt"), ask("gt"), ask("gte"), ask("lte"))
        else {
            return Ok(());
        };
        let record = world.record(id);
        let is = |predicate: &Predicate| predicate.holds(world.schema, &record);
        let is_there = holds(&world, id, &test(&field, "is_empty", json!(false)));
        prop_assert_eq!(is(&less) || is(&least), is_there);
        prop_assert_eq!(is(&greater) || is(&most), is_there);
        prop_assert!(!(is(&less) && is(&least)));
        prop_assert!(!(is(&greater) && is(&most)));
    }

    #[test]
    fn all_and_any_follow_de_morgan(
        record in some_record(),
        parts in collection::vec(some_condition(), 0..4),
    ) {
        let (world, id) = world_of(&record);
        let bound: Vec<_> = parts.iter().map(|part| bind(&world, "ticket", part)).collect();
        prop_assume!(bound.iter().all(Result::is_ok));
        let each: Vec<bool> = parts.iter().map(|part| holds(&world, id, part)).collect();
        let negated: Vec<Json> = parts.iter().map(|part| json!({"not": part})).collect();
        prop_assert_eq!(holds(&world, id, &json!({"all": parts})), each.iter().all(|held| *held));
        prop_assert_eq!(holds(&world, id, &json!({"any": parts})), each.iter().any(|held| *held));
        prop_assert_eq!(
            holds(&world, id, &json!({"not": {"all": parts}})),
            holds(&world, id, &json!({"any": negated}))
        );
        prop_assert_eq!(
            holds(&world, id, &json!({"not": {"any": parts}})),
            holds(&world, id, &json!({"all": negated}))
        );
    }
}

/// Variables of somebody in `zone` at `now`.
fn at(zone: &str, now: &str) -> Variables {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let now: jiff::Timestamp = now.parse().unwrap();
    Variables {
        now,
        today: now.to_zoned(zone.clone()).date(),
        zone,
        ..crate::world::variables(ME)
    }
}

/// Whether a ticket made at `made` satisfies `created_at op value` for whoever asks.
fn made(world: &World, variables: &Variables, made: &str, op: &str, value: Json) -> bool {
    let mut other = World::new();
    let id = other.add(
        "ticket",
        &[("created_at", Value::Time(made.parse().unwrap()))],
    );
    let binder = Binder {
        schema: world.schema,
        access: None,
        variables,
    };
    let condition = Condition::from_json(&test("created_at", op, value)).unwrap();
    let bound = binder.bind(world.entity("ticket"), &condition).unwrap();
    bound.holds(world.schema, &other.record(id))
}

#[test]
fn a_day_begins_where_the_reader_is() {
    let world = World::new();
    // Eleven in the evening in UTC: in Libreville it is tomorrow already.
    let here = at("Africa/Libreville", "2026-03-10T23:30:00Z");
    let holds =
        |made_at: &str, op: &str, value: &str| made(&world, &here, made_at, op, json!(value));
    assert!(holds("2026-03-10T23:00:00Z", "eq", "@today"));
    assert!(!holds("2026-03-10T22:59:59Z", "eq", "@today"));
    assert!(holds("2026-03-11T22:59:59Z", "lte", "@today"));
    assert!(!holds("2026-03-11T23:00:00Z", "lte", "@today"));
    assert!(holds("2026-03-11T23:00:00Z", "gt", "@today"));
    assert!(holds("2026-03-10T22:59:59Z", "lt", "@today"));
    assert!(holds("2026-03-10T22:59:59Z", "ne", "@today"));
    assert!(
        holds("2026-03-10T22:59:59Z", "eq", "2026-03-10"),
        "plain days too"
    );
    assert!(holds("2026-03-04T10:00:00Z", "gte", "@today-7d"));
    assert!(!holds("2026-03-03T10:00:00Z", "gte", "@today-7d"));
    let two = json!(["@today", "@today-1d"]);
    assert!(made(
        &world,
        &here,
        "2026-03-10T12:00:00Z",
        "in",
        two.clone()
    ));
    assert!(made(&world, &here, "2026-03-09T12:00:00Z", "not_in", two));
}

#[test]
fn days_have_the_hours_the_clocks_give_them() {
    let world = World::new();
    // Clocks in Paris go forward on 29 March 2026 at 01:00 UTC and back on 25 October.
    let spring = at("Europe/Paris", "2026-03-29T10:00:00Z");
    let holds = |variables: &Variables, made_at: &str, value: &str| {
        made(&world, variables, made_at, "eq", json!(value))
    };
    assert!(holds(&spring, "2026-03-28T23:00:00Z", "@today"));
    assert!(holds(&spring, "2026-03-29T21:59:59Z", "@today"));
    assert!(
        !holds(&spring, "2026-03-29T22:00:00Z", "@today"),
        "a day of 23 hours"
    );
    let autumn = at("Europe/Paris", "2026-10-25T12:00:00Z");
    assert!(holds(&autumn, "2026-10-24T22:00:00Z", "@today"));
    assert!(
        holds(&autumn, "2026-10-25T22:59:59Z", "@today"),
        "a day of 25 hours"
    );
    // A day before noon is noon of the day before, though 23 hours ago.
    let noon = at("Europe/Paris", "2026-03-29T10:00:00Z");
    let since = |made_at: &str, value: &str| made(&world, &noon, made_at, "gte", json!(value));
    assert!(since("2026-03-28T11:00:00Z", "@now-1d"));
    assert!(!since("2026-03-28T10:59:59Z", "@now-1d"));
    assert!(since("2026-03-28T10:00:00Z", "@now-24h"));
    assert!(since("2026-03-29T09:30:00Z", "@now-30min"));
}

#[test]
fn weeks_months_and_years_begin_and_move() {
    // A Thursday.
    let here = at("Africa/Libreville", "2026-12-31T12:00:00Z");
    let day = |text: &str| moment::day(text, &here).map(|day| day.to_string());
    for (text, wanted) in [
        ("@today", "2026-12-31"),
        ("@today+1d", "2027-01-01"),
        ("@today 1d", "2027-01-01"),
        ("@today-2w", "2026-12-17"),
        ("@today-1m", "2026-11-30"),
        ("@week", "2026-12-28"),
        ("@week+1w", "2027-01-04"),
        ("@month", "2026-12-01"),
        ("@month-1m", "2026-11-01"),
        ("@year", "2026-01-01"),
        ("@year-1y", "2025-01-01"),
        ("2026-02-28", "2026-02-28"),
    ] {
        assert_eq!(day(text).as_deref(), Some(wanted), "{text}");
    }
    for text in [
        "@today-",
        "@today-d",
        "@today-7",
        "@today-7x",
        "@today-7h",
        "@todayy",
        "@",
        "@-7d",
        "@today-99999999999999999999d",
        "@today-9999999y",
        "@today--7d",
        "2026-02-30",
        "today",
    ] {
        assert_eq!(day(text), None, "{text}");
    }
    assert_eq!(moment::moment("@now-9999999999h", &here), None);
    let world = World::new();
    let error = bind(&world, "ticket", &test("due", "lt", json!("@tody"))).unwrap_err();
    assert!(error.to_string().contains("@today-7d"), "{error}");
    let error = bind(
        &world,
        "ticket",
        &test("created_at", "lt", json!("@now-1x")),
    )
    .unwrap_err();
    assert!(error.to_string().contains("@now-4h"), "{error}");
    let through_many = test("children.created_at", "eq", json!("@today"));
    assert!(bind(&world, "ticket", &through_many).is_err());
}
