//! Random records and predicates over the fixture, and the records in memory.
//!
//! Values come from small sets, so that rows often agree, and hold what hurts: nulls, empty
//! texts, letters with accents, wildcards of SQL, numbers finer than their column.

use std::collections::HashMap;

use jiff::civil::date;
use opsflux_model::predicate::{Hop, Order, Record};
use opsflux_model::schema::{FieldType, Schema};
use opsflux_model::{EntityIx, FieldIx, Operand, Path, Predicate, Step, Test, Value};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::fixture::{at, id};

/// A row: what it is, its id, whether it is deleted, its values.
#[derive(Debug, Clone)]
pub struct Row {
    pub entity: &'static str,
    pub id: Uuid,
    pub deleted: bool,
    pub values: HashMap<FieldIx, Value>,
}

/// Rows of a tenant, every one of which a link may point at.
pub type Rows = Vec<Row>;

/// How many rows of each entity there are, and the number of the first.
const CAST: [(&str, usize, u128); 3] = [("department", 3, 1), ("user", 4, 10), ("thing", 8, 20)];

/// Texts that fold alike, hold wildcards, or fold to nothing.
const TEXTS: [&str; 11] = [
    "", "a", "A", "é", "E", "ab", "Ábc", "b%", "b_", "zz", "\u{301}",
];

/// Fields that no predicate compares.
const UNCOMPARED: [&str; 4] = ["version", "created_by", "updated_by", "company"];

pub fn rows(schema: &'static Schema) -> impl Strategy<Value = Rows> {
    let row = |entity: &'static str, number: u128| {
        let declared = schema.entity(schema.find(entity).unwrap());
        let fields = declared
            .iter()
            .filter(|(_, field)| !field.system)
            .map(|(ix, field)| (Just(ix), value(&field.kind)));
        let values = fields.collect::<Vec<_>>();
        (values, prop::bool::weighted(0.2)).prop_map(move |(values, deleted)| Row {
            entity,
            id: id(number),
            deleted,
            values: values
                .into_iter()
                // Unique among users whatever else they have.
                .filter(|(ix, _)| entity != "user" || declared.field(*ix).name != "email")
                .collect(),
        })
    };
    let mut rows = Vec::new();
    for (entity, count, first) in CAST {
        rows.extend((0..count).map(|n| row(entity, first + n as u128)));
    }
    rows
}

/// A value as a row may hold it.
fn value(kind: &FieldType) -> BoxedStrategy<Value> {
    let filled = match kind {
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Secret
        | FieldType::Password => select_texts(&TEXTS),
        FieldType::Color => select_texts(&["#000000", "#00ff7f"]),
        FieldType::Choice { .. } => select_texts(&["low", "medium", "high"]),
        FieldType::State { .. } => select_texts(&["new", "done"]),
        FieldType::Integer { .. } | FieldType::Duration { .. } => {
            (-2_i64..3).prop_map(Value::Int).boxed()
        }
        FieldType::Decimal { .. } => decimals(&["-1.5", "0", "1", "1.00", "2.25"])
            .prop_map(Value::Decimal)
            .boxed(),
        FieldType::Money { .. } => (decimals(&["-1", "1.50", "2"]), currency())
            .prop_map(|(amount, currency)| Value::Money { amount, currency })
            .boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::Date => (1_i8..4)
            .prop_map(|day| Value::Date(date(2024, 2, day)))
            .boxed(),
        FieldType::DateTime => (0_i64..4)
            .prop_map(|second| Value::Time(at(second)))
            .boxed(),
        FieldType::Choices { .. } => set(select_texts(&["red", "green", "blue"])),
        FieldType::Tags { .. } => set(select_texts(&["a", "A", "é", "b%"])),
        FieldType::Link(link) | FieldType::Links(link) => {
            let one = reference(link.to).prop_map(Value::Id).boxed();
            match kind {
                FieldType::Links(_) => set(one),
                _ => one,
            }
        }
        FieldType::AnyLink { .. } => prop_oneof![Just("user"), Just("department")]
            .prop_flat_map(|entity| {
                member(entity).prop_map(move |id| Value::Ref {
                    entity: entity.to_owned(),
                    id,
                })
            })
            .boxed(),
        FieldType::Geo => (decimals(&["-0.5", "1"]), decimals(&["0", "8.78"]))
            .prop_map(|(lat, lon)| Value::Geo { lat, lon })
            .boxed(),
        FieldType::Json => Just(Value::Json(serde_json::json!({"a": 1}))).boxed(),
        _ => (90_u128..92)
            .prop_map(|number| Value::Id(id(number)))
            .boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 3 => filled].boxed()
}

/// A value as a predicate may compare with: also finer than the column, and of another type.
fn comparand(kind: &FieldType) -> BoxedStrategy<Value> {
    let single = match kind {
        FieldType::Choices { .. } | FieldType::Tags { .. } => select_texts(&["red", "a", "é"]),
        FieldType::Links(link) => reference(link.to).prop_map(Value::Id).boxed(),
        FieldType::Decimal { .. } => decimals(&["1", "1.005", "-1.5", "99999999999999"])
            .prop_map(Value::Decimal)
            .boxed(),
        FieldType::Money { .. } => (decimals(&["1.5", "1.501", "2"]), currency())
            .prop_map(|(amount, currency)| Value::Money { amount, currency })
            .boxed(),
        FieldType::DateTime => {
            let nanosecond = jiff::SignedDuration::from_nanos(1);
            prop_oneof![
                value(kind),
                Just(Value::Time(at(1).checked_add(nanosecond).unwrap()))
            ]
            .boxed()
        }
        FieldType::Id => (1_u128..30)
            .prop_map(|number| Value::Id(id(number)))
            .boxed(),
        other => value(other),
    };
    prop_oneof![9 => single, 1 => Just(Value::Int(1)), 1 => Just(Value::from("a"))].boxed()
}

fn operand(kind: &FieldType) -> BoxedStrategy<Operand> {
    let one_of = prop::collection::vec(comparand(kind), 0..4).prop_map(Operand::OneOf);
    let always = prop_oneof![Just(Operand::Present), one_of].boxed();
    let is_long = matches!(
        kind,
        FieldType::LongText { .. }
            | FieldType::RichText { .. }
            | FieldType::Secret
            | FieldType::Password
    );
    if is_long {
        return always;
    }
    let order = prop_oneof![
        Just(Order::Less),
        Just(Order::LessOrEqual),
        Just(Order::Greater),
        Just(Order::GreaterOrEqual),
    ];
    let compare =
        (order, comparand(kind)).prop_map(|(order, value)| Operand::Compare(order, value));
    let part = prop::sample::select(&["", "a", "e", "b", "%", "_", "bc", "done", "#00"][..]);
    let folded = (part, 0..3).prop_map(|(part, how)| {
        let part = part.to_owned();
        match how {
            0 => Operand::Contains(part),
            1 => Operand::StartsWith(part),
            _ => Operand::EndsWith(part),
        }
    });
    prop_oneof![2 => always, 2 => compare, 1 => folded].boxed()
}

/// Predicates about things.
pub fn predicate(schema: &'static Schema) -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        3 => test(schema, &[]),
        1 => test(schema, &["owner"]),
        1 => test(schema, &["owner", "department"]),
        1 => test(schema, &["watchers"]),
        1 => test(schema, &["parent"]),
        1 => test(schema, &["<parent"]),
        1 => test(schema, &["owner", "<watchers"]),
        1 => test(schema, &["target:user"]),
        1 => test(schema, &["target:department", "<department"]),
        1 => test(schema, &["target:user", "<target"]),
        1 => prop_oneof![Just(Predicate::True), Just(Predicate::False)],
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

/// A test at the end of hops: `name` follows a link, `name:entity` an any-link, `<name` goes back.
fn test(schema: &'static Schema, hops: &'static [&'static str]) -> BoxedStrategy<Predicate> {
    let mut entity = schema.find("thing").unwrap();
    let mut steps: Vec<BoxedStrategy<Step>> = Vec::new();
    for hop in hops {
        let (hop, to) = hop_of(schema, entity, hop);
        let rules = prop_oneof![2 => Just(Predicate::True), 1 => plain(schema, to)];
        let step = rules.prop_map(move |rule| Step {
            hop,
            to,
            rule: Box::new(rule),
        });
        steps.push(step.boxed());
        entity = to;
    }
    (steps, compared(schema, entity))
        .prop_map(move |(steps, (field, operand))| {
            let path = Path {
                steps,
                entity,
                field,
            };
            Predicate::Test(Test { path, operand })
        })
        .boxed()
}

/// A test without hops.
fn plain(schema: &'static Schema, entity: EntityIx) -> impl Strategy<Value = Predicate> {
    compared(schema, entity)
        .prop_map(move |(field, operand)| Predicate::test(entity, field, operand))
}

fn compared(
    schema: &'static Schema,
    entity: EntityIx,
) -> impl Strategy<Value = (FieldIx, Operand)> {
    let fields: Vec<(FieldIx, &FieldType)> = schema
        .entity(entity)
        .iter()
        .filter(|(_, field)| !UNCOMPARED.contains(&field.name.as_str()))
        .filter(|(_, field)| field.name == "id" || !field.system)
        .map(|(ix, field)| (ix, &field.kind))
        .collect();
    prop::sample::select(fields).prop_flat_map(|(ix, kind)| (Just(ix), operand(kind)))
}

fn hop_of(schema: &Schema, from: EntityIx, hop: &str) -> (Hop, EntityIx) {
    if let Some(back) = hop.strip_prefix('<') {
        let (holder, via) = match back {
            "watchers" | "parent" | "target" => (schema.find("thing").unwrap(), back),
            other => (schema.find("user").unwrap(), other),
        };
        let via = schema.entity(holder).find(via).unwrap();
        let hop = if schema.entity(holder).field(via).kind.is_set() {
            Hop::InverseLinks(via)
        } else {
            Hop::Inverse(via)
        };
        return (hop, holder);
    }
    let (name, to) = hop.split_once(':').unwrap_or((hop, ""));
    let field = schema.entity(from).find(name).unwrap();
    match &schema.entity(from).field(field).kind {
        FieldType::Link(link) => (Hop::Link(field), link.to),
        FieldType::Links(link) => (Hop::Links(field), link.to),
        _ => (Hop::Link(field), schema.find(to).unwrap()),
    }
}

fn select_texts(texts: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(texts).prop_map(Value::from).boxed()
}

fn decimals(texts: &'static [&'static str]) -> impl Strategy<Value = Decimal> {
    prop::sample::select(texts).prop_map(|text| text.parse().unwrap())
}

fn currency() -> impl Strategy<Value = String> {
    prop_oneof![Just("EUR".to_owned()), Just("XAF".to_owned())]
}

fn set(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::vec(item, 0..4)
        .prop_map(|items| {
            let mut kept: Vec<Value> = Vec::new();
            for item in items {
                if item != Value::Null && !kept.contains(&item) {
                    kept.push(item);
                }
            }
            Value::Set(kept)
        })
        .boxed()
}

/// The id of some row of an entity.
fn reference(entity: EntityIx) -> BoxedStrategy<Uuid> {
    // The fixture declares them in the order of the cast, users second.
    let name = ["department", "user", "ticket", "thing"][usize::from(entity.0)];
    member(name)
}

fn member(entity: &str) -> BoxedStrategy<Uuid> {
    let cast = CAST.iter().find(|(name, ..)| *name == entity);
    let (_, count, first) = *cast.unwrap();
    (0..count as u128).prop_map(move |n| id(first + n)).boxed()
}

/// A row as [`Predicate::holds`] sees it.
#[derive(Clone, Copy)]
pub struct InMemory<'a> {
    pub schema: &'a Schema,
    pub rows: &'a Rows,
    pub row: &'a Row,
}

impl<'a> InMemory<'a> {
    fn living(self, entity: EntityIx) -> impl Iterator<Item = InMemory<'a>> {
        let name = &self.schema.entity(entity).name;
        let rows = self.rows.iter();
        rows.filter(move |row| !row.deleted && row.entity == *name)
            .map(move |row| InMemory { row, ..self })
    }

    /// Whether the link of this row points at a row.
    fn points_at(self, link: FieldIx, other: &Row) -> bool {
        match self.value(link) {
            Value::Id(id) => *id == other.id,
            Value::Ref { entity, id } => *id == other.id && *entity == other.entity,
            Value::Set(items) => items.contains(&Value::Id(other.id)),
            _ => false,
        }
    }
}

impl Record for InMemory<'_> {
    fn value(&self, field: FieldIx) -> &Value {
        static NULL: Value = Value::Null;
        let entity = self.schema.find(self.row.entity).unwrap();
        if self.schema.entity(entity).field(field).name == "id" {
            // A value of one's own is needed to borrow it; ids are few and tests are short.
            return Box::leak(Box::new(Value::Id(self.row.id)));
        }
        self.row.values.get(&field).unwrap_or(&NULL)
    }

    fn follow(&self, step: &Step) -> Vec<Self> {
        let there = self.living(step.to);
        match step.hop {
            Hop::Link(link) | Hop::Links(link) => there
                .filter(|next| self.points_at(link, next.row))
                .collect(),
            Hop::Inverse(via) | Hop::InverseLinks(via) => {
                there.filter(|next| next.points_at(via, self.row)).collect()
            }
        }
    }
}
