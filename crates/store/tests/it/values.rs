//! Values come back as they went in, as values and as JSON.

use jiff::civil::date;
use opsflux_model::Value;
use opsflux_store::{Output, Set, Write};
use rust_decimal::Decimal;
use serde_json::json;

use crate::bench::{Bench, on_both};
use crate::fixture::{at, id, insert};

on_both!(
    every_type_comes_back,
    nulls_come_back_as_nulls_and_empty_sets,
    limits_of_types_come_back,
    an_update_changes_what_it_names_only,
    members_join_at_the_end_and_leave,
    numbers_grow_from_null,
    logs_are_written_and_read,
    a_removed_row_is_gone_with_its_sets,
    two_tenants_share_ids_and_see_their_own,
);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One value of every type with its wire form.
pub fn samples() -> Vec<(&'static str, Value, serde_json::Value)> {
    let text = |text: &str| Value::from(text);
    let set = |items: Vec<Value>| Value::Set(items);
    vec![
        ("title", text("Réseau \"A\"\n\\"), json!("Réseau \"A\"\n\\")),
        ("body", text("long"), json!("long")),
        ("notes", text("# rich"), json!("# rich")),
        ("mail", text("Awa@Example.org"), json!("Awa@Example.org")),
        ("tel", text("+241 11 22"), json!("+241 11 22")),
        (
            "web",
            text("https://example.org"),
            json!("https://example.org"),
        ),
        ("shade", text("#00ff7f"), json!("#00ff7f")),
        ("count", Value::Int(-42), json!(-42)),
        ("weight", Value::Decimal(decimal("-12.50")), number("-12.5")),
        (
            "huge",
            Value::Decimal(decimal("123456789012345678.0123456789")),
            number("123456789012345678.0123456789"),
        ),
        (
            "price",
            Value::Money {
                amount: decimal("1200.00"),
                currency: "XAF".to_owned(),
            },
            json!({"amount": number("1200"), "currency": "XAF"}),
        ),
        ("active", Value::Bool(false), json!(false)),
        ("day", Value::Date(date(2024, 2, 29)), json!("2024-02-29")),
        (
            "at",
            Value::Time("2026-01-31T08:30:00.000120Z".parse().unwrap()),
            json!("2026-01-31T08:30:00.000120Z"),
        ),
        ("span", Value::Int(5400), json!(5400)),
        ("level", text("medium"), json!("medium")),
        ("status", text("done"), json!("done")),
        (
            "marks",
            set(vec![text("green"), text("red")]),
            json!(["green", "red"]),
        ),
        (
            "tags",
            set(vec![text("b\"x"), text("a"), text("É")]),
            json!(["b\"x", "a", "É"]),
        ),
        ("owner", Value::Id(id(1)), json!(id(1))),
        (
            "watchers",
            set(vec![Value::Id(id(2)), Value::Id(id(1))]),
            json!([id(2), id(1)]),
        ),
        (
            "target",
            Value::Ref {
                entity: "user".to_owned(),
                id: id(2),
            },
            json!({"entity": "user", "id": id(2)}),
        ),
        ("photo", Value::Id(id(90)), json!(id(90))),
        ("doc", Value::Id(id(91)), json!(id(91))),
        (
            "place",
            Value::Geo {
                lat: decimal("-0.720001"),
                lon: decimal("8.78"),
            },
            json!({"lat": number("-0.720001"), "lon": number("8.78")}),
        ),
        (
            "extra",
            Value::Json(json!({"a": [1, null]})),
            json!({"a": [1, null]}),
        ),
        ("key", text("sealed:abc"), json!("••••")),
        ("pass", text("$argon2id$"), json!("••••")),
    ]
}

/// A number with exactly these digits.
fn number(digits: &str) -> serde_json::Value {
    serde_json::from_str(digits).unwrap()
}

pub async fn people(bench: &Bench) {
    let user = |number| insert(&bench.schema, "user", id(number), &[]);
    bench.commit(vec![user(1), user(2)]).await.unwrap();
}

fn outputs(bench: &Bench, names: &[&str]) -> Vec<Output> {
    let field = |name: &&str| Output::Field(bench.field("thing", name));
    names.iter().map(field).collect()
}

async fn every_type_comes_back(bench: Bench) {
    people(&bench).await;
    let samples = samples();
    let values: Vec<_> = samples
        .iter()
        .map(|(name, value, _)| (*name, value.clone()))
        .collect();
    let write = insert(&bench.schema, "thing", id(10), &values);
    bench.commit(vec![write]).await.unwrap();

    let names: Vec<&str> = samples.iter().map(|(name, ..)| *name).collect();
    let mut select = bench.all("thing");
    select.outputs = outputs(&bench, &names);
    let rows = bench.rows(&select).await;
    for ((name, value, _), found) in samples.iter().zip(&rows[0]) {
        assert_eq!(found, value, "{name}");
    }
    let json = bench.json(&select).await;
    let json = json[0].as_array().unwrap();
    for ((name, _, wire), found) in samples.iter().zip(json) {
        assert_eq!(found.to_string(), wire.to_string(), "{name}");
    }
}

async fn nulls_come_back_as_nulls_and_empty_sets(bench: Bench) {
    let write = insert(&bench.schema, "thing", id(10), &[]);
    bench.commit(vec![write]).await.unwrap();
    let samples = samples();
    let names: Vec<&str> = samples.iter().map(|(name, ..)| *name).collect();
    let mut select = bench.all("thing");
    select.outputs = outputs(&bench, &names);
    let values = bench.rows(&select).await.remove(0);
    let json = bench.json(&select).await.remove(0);
    for (place, (name, sample, _)) in samples.iter().enumerate() {
        let (value, wire) = if matches!(sample, Value::Set(_)) {
            (Value::Set(Vec::new()), json!([]))
        } else {
            (Value::Null, json!(null))
        };
        assert_eq!(values[place], value, "{name}");
        assert_eq!(json[place], wire, "{name}");
    }
}

async fn limits_of_types_come_back(bench: Bench) {
    let limits = [
        ("day", Value::Date(date(9999, 12, 31))),
        ("day", Value::Date(date(1, 1, 1))),
        ("at", Value::Time("0001-01-01T00:00:00Z".parse().unwrap())),
        (
            "at",
            Value::Time("9999-12-30T21:59:59.999999Z".parse().unwrap()),
        ),
        ("count", Value::Int(i64::MAX)),
        ("count", Value::Int(i64::MIN)),
        ("weight", Value::Decimal(decimal("-9999999.99"))),
        (
            "huge",
            Value::Decimal(decimal("-999999999999999999.9999999999")),
        ),
        ("title", Value::from("🙂")),
    ];
    for (place, (name, value)) in limits.into_iter().enumerate() {
        let id = id(100 + place as u128);
        let write = insert(&bench.schema, "thing", id, &[(name, value.clone())]);
        bench.commit(vec![write]).await.unwrap();
        let mut select = bench.all("thing");
        select.filter = crate::filters::one_of(&bench, "thing", "id", vec![Value::Id(id)]);
        select.outputs = outputs(&bench, &[name]);
        assert_eq!(bench.column(&select).await, [value]);
    }
}

async fn an_update_changes_what_it_names_only(bench: Bench) {
    people(&bench).await;
    let values = samples().into_iter().map(|(name, value, _)| (name, value));
    let values: Vec<_> = values.collect();
    let write = insert(&bench.schema, "thing", id(10), &values);
    bench.commit(vec![write]).await.unwrap();
    let set = |name: &str, value: Value| (bench.field("thing", name), Set::To(value));
    let update = Write::Update {
        entity: bench.entity("thing"),
        id: id(10),
        expected_version: Some(1),
        set: vec![
            set("version", Value::Int(2)),
            set("title", Value::from("Zoé")),
            set("price", Value::Null),
            set("tags", Value::Set(vec![Value::from("new")])),
        ],
    };
    bench.commit(vec![update]).await.unwrap();
    let mut select = bench.all("thing");
    select.filter = crate::filters::contains(&bench, "thing", "title", "zoe");
    select.outputs = outputs(
        &bench,
        &["version", "title", "price", "tags", "marks", "mail"],
    );
    let set = |items: &[&str]| Value::Set(items.iter().map(|item| Value::from(*item)).collect());
    assert_eq!(
        bench.rows(&select).await,
        [[
            Value::Int(2),
            Value::from("Zoé"),
            Value::Null,
            set(&["new"]),
            set(&["green", "red"]),
            Value::from("Awa@Example.org"),
        ]]
    );
}

async fn members_join_at_the_end_and_leave(bench: Bench) {
    let texts = |items: &[&str]| {
        items
            .iter()
            .map(|item| Value::from(*item))
            .collect::<Vec<_>>()
    };
    let tags = Value::Set(texts(&["b", "a"]));
    let write = insert(&bench.schema, "thing", id(10), &[("tags", tags)]);
    bench.commit(vec![write]).await.unwrap();
    let change = Set::Members {
        add: texts(&["c", "a", "d"]),
        remove: texts(&["b", "unknown"]),
    };
    let update = Write::Update {
        entity: bench.entity("thing"),
        id: id(10),
        expected_version: None,
        set: vec![(bench.field("thing", "tags"), change)],
    };
    bench.commit(vec![update]).await.unwrap();
    let mut select = bench.all("thing");
    select.outputs = outputs(&bench, &["tags"]);
    let expected = Value::Set(texts(&["a", "c", "d"]));
    assert_eq!(bench.column(&select).await, [expected]);
}

async fn numbers_grow_from_null(bench: Bench) {
    let write = insert(&bench.schema, "thing", id(10), &[]);
    bench.commit(vec![write]).await.unwrap();
    for _ in 0..2 {
        let update = Write::Update {
            entity: bench.entity("thing"),
            id: id(10),
            expected_version: None,
            set: vec![(bench.field("thing", "count"), Set::Add(-3))],
        };
        bench.commit(vec![update]).await.unwrap();
    }
    let mut select = bench.all("thing");
    select.outputs = outputs(&bench, &["count"]);
    assert_eq!(bench.column(&select).await, [Value::Int(-6)]);
}

async fn logs_are_written_and_read(bench: Bench) {
    let write = insert(
        &bench.schema,
        "sighting",
        id(10),
        &[("what", Value::from("a fox"))],
    );
    bench.commit(vec![write]).await.unwrap();
    let mut select = bench.all("sighting");
    select.outputs = vec![
        Output::Field(bench.field("sighting", "what")),
        Output::Field(bench.field("sighting", "created_at")),
    ];
    let row = [Value::from("a fox"), Value::Time(at(0))];
    assert_eq!(bench.rows(&select).await, [row]);
    select.living = opsflux_store::Living::Deleted;
    assert!(bench.rows(&select).await.is_empty());
}

async fn a_removed_row_is_gone_with_its_sets(bench: Bench) {
    people(&bench).await;
    let watchers = Value::Set(vec![Value::Id(id(1))]);
    let values = [
        ("watchers", watchers),
        ("tags", Value::Set(vec![Value::from("x")])),
    ];
    let write = insert(&bench.schema, "thing", id(10), &values);
    bench.commit(vec![write.clone()]).await.unwrap();
    let remove = Write::Remove {
        entity: bench.entity("thing"),
        id: id(10),
    };
    bench.commit(vec![remove]).await.unwrap();
    assert!(bench.rows(&bench.all("thing")).await.is_empty());
    // Nothing is in the way of the same row once more.
    bench.commit(vec![write]).await.unwrap();
}

async fn two_tenants_share_ids_and_see_their_own(mut bench: Bench) {
    for tenant in [1, 2] {
        bench.tenant = tenant;
        let title = Value::from(format!("of {tenant}"));
        let write = insert(&bench.schema, "thing", id(10), &[("title", title)]);
        bench.commit(vec![write]).await.unwrap();
    }
    for tenant in [1, 2] {
        bench.tenant = tenant;
        let mut select = bench.all("thing");
        select.outputs = outputs(&bench, &["title"]);
        let title = Value::from(format!("of {tenant}"));
        assert_eq!(bench.column(&select).await, [title]);
    }
}
