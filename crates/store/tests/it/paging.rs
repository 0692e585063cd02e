//! Pages, one after the other, show every row once and in order.

use opsflux_model::predicate::Hop;
use opsflux_model::{Path, Predicate, Step, Value, fold::fold};
use opsflux_store::{Output, Select, Sort};

use crate::bench::{self, Bench, on_both};
use crate::fixture::{at, id, insert};

on_both!(
    pages_show_every_row_once_whatever_the_sort,
    texts_sort_by_key_then_text,
    choices_and_states_sort_in_declared_order_nulls_last,
    nulls_stand_last_in_both_directions,
    sorting_by_what_a_link_leads_to_hides_what_may_not_be_seen,
    alternatives_show_every_row_once_and_in_order,
);

/// Things that agree in most of what they are sorted by.
async fn things(bench: &Bench) {
    let users = [(1, "Zoé"), (2, "ali"), (3, "Zoe")].map(|(n, name)| {
        insert(
            &bench.schema,
            "user",
            id(n),
            &[("full_name", Value::from(name))],
        )
    });
    bench.commit(users.into()).await.unwrap();
    let titles = ["b", "B", "á", "A", "", "zz"];
    let mut writes = Vec::new();
    for n in 0..60_i64 {
        let maybe = |step: i64, value: Value| if n % step == 0 { Value::Null } else { value };
        let title = titles[usize::try_from(n).unwrap() % titles.len()];
        let user = id(1 + u128::try_from(n % 3).unwrap());
        let level = ["low", "medium", "high"][usize::try_from(n % 3).unwrap()];
        let values = [
            ("title", maybe(7, Value::from(title))),
            ("count", maybe(5, Value::Int(n % 4))),
            ("at", maybe(3, Value::Time(at(n % 2)))),
            ("active", maybe(4, Value::Bool(n % 2 == 0))),
            ("level", maybe(4, Value::from(level))),
            ("weight", maybe(6, Value::Decimal((n % 3 - 1).into()))),
            ("huge", maybe(6, Value::Decimal((n % 3 - 1).into()))),
            ("owner", maybe(4, Value::Id(user))),
            ("created_at", Value::Time(at(n / 10))),
        ];
        writes.push(insert(
            &bench.schema,
            "thing",
            id(1_000 + n as u128),
            &values,
        ));
    }
    bench.commit(writes).await.unwrap();
}

fn sort(bench: &Bench, keys: &[&str]) -> Vec<Sort> {
    let key = |key: &&str| {
        let (name, descending) = key
            .strip_prefix('-')
            .map_or((*key, false), |name| (name, true));
        let Some(name) = name.strip_prefix("owner.") else {
            return Sort::by(
                bench.entity("thing"),
                bench.field("thing", name),
                descending,
            );
        };
        let step = Step {
            hop: Hop::Link(bench.field("thing", "owner")),
            to: bench.entity("user"),
            rule: Box::new(Predicate::True),
        };
        let path = Path {
            steps: vec![step],
            entity: bench.entity("user"),
            field: bench.field("user", name),
        };
        Sort { path, descending }
    };
    keys.iter().map(key).collect()
}

fn sorted(bench: &Bench, keys: &[&str]) -> Select {
    let mut select = bench.all("thing");
    select.sort = sort(bench, keys);
    let keys = (0..select.sort.len()).map(Output::SortKey);
    select.outputs.extend(keys);
    select
}

async fn pages_show_every_row_once_whatever_the_sort(bench: Bench) {
    things(&bench).await;
    for keys in [
        &["id"][..],
        &["-id"],
        &["created_at", "id"],
        &["-created_at", "-id"],
        &["-created_at", "id"],
        &["title", "id"],
        &["-title", "-id"],
        &["title", "-id"],
        &["count", "id"],
        &["-count", "-id"],
        &["-count", "at", "id"],
        &["count", "-at", "title", "-id"],
        &["level", "-created_at", "-id"],
        &["-level", "-created_at", "-id"],
        &["active", "level", "id"],
        &["weight", "huge", "-id"],
        &["-huge", "id"],
        &["owner.full_name", "id"],
        &["-owner.full_name", "title", "id"],
    ] {
        let mut select = sorted(&bench, keys);
        let whole = bench.rows(&select).await;
        assert_eq!(whole.len(), 60, "{keys:?}");
        select.limit = 7;
        let mut paged = Vec::new();
        loop {
            let page = bench.rows(&select).await;
            assert!(page.len() <= 7);
            let Some(last) = page.last() else { break };
            select.after = Some(last[1..].to_vec());
            paged.extend(page);
            assert!(paged.len() <= 60, "{keys:?} shows rows twice");
        }
        assert_eq!(paged, whole, "{keys:?}");
    }
}

async fn texts_sort_by_key_then_text(bench: Bench) {
    things(&bench).await;
    let select = sorted(&bench, &["title", "id"]);
    let rows = bench.rows(&select).await;
    let found: Vec<&Value> = rows.iter().map(|row| &row[1]).collect();
    let mut expected = found.clone();
    expected.sort_by_key(|value| match value {
        Value::Text(text) => (false, fold(text), text.clone()),
        _ => (true, String::new(), String::new()),
    });
    assert_eq!(found, expected);
    assert_eq!(found[59], &Value::Null);
}

async fn choices_and_states_sort_in_declared_order_nulls_last(bench: Bench) {
    things(&bench).await;
    let text = Value::from;
    for (key, expected) in [
        (
            "level",
            [text("low"), text("medium"), text("high"), Value::Null],
        ),
        (
            "-level",
            [text("high"), text("medium"), text("low"), Value::Null],
        ),
    ] {
        let rows = bench.rows(&sorted(&bench, &[key, "id"])).await;
        let mut found: Vec<Value> = rows.into_iter().map(|mut row| row.remove(1)).collect();
        found.dedup();
        assert_eq!(found, expected);
    }
}

async fn nulls_stand_last_in_both_directions(bench: Bench) {
    things(&bench).await;
    for key in [
        "count", "-count", "at", "-at", "active", "-active", "huge", "-huge",
    ] {
        let rows = bench.rows(&sorted(&bench, &[key, "id"])).await;
        let first_null = rows.iter().position(|row| row[1] == Value::Null);
        let nulls = &rows[first_null.unwrap()..];
        assert!(nulls.iter().all(|row| row[1] == Value::Null), "{key}");
        assert!(!nulls.is_empty());
    }
}

async fn sorting_by_what_a_link_leads_to_hides_what_may_not_be_seen(bench: Bench) {
    things(&bench).await;
    let mut select = sorted(&bench, &["owner.full_name", "id"]);
    let hidden = crate::filters::one_of(&bench, "user", "full_name", vec![Value::from("ali")]);
    *select.sort[0].path.steps[0].rule = Predicate::Not(Box::new(hidden));
    let rows = bench.rows(&select).await;
    assert_eq!(rows.len(), 60);
    assert!(rows.iter().all(|row| row[1] != Value::from("ali")));
    assert_eq!(rows[0][1], Value::from("Zoe"));
}

/// The rule of most people: of my departments, or mine; rows of both kinds are shown once.
async fn alternatives_show_every_row_once_and_in_order(bench: Bench) {
    let made = |entity: &str, n| insert(&bench.schema, entity, id(n), &[]);
    let cast = (1..5).flat_map(|n| [made("department", n), made("user", 10 + n)]);
    bench.commit(cast.collect()).await.unwrap();
    let mut writes = Vec::new();
    for n in 0..80_u128 {
        let link = |step: u128, first: u128| match n % step {
            0 => Value::Null,
            rest => Value::Id(id(first + rest)),
        };
        let values = [
            ("department", link(5, 0)),
            ("assignee", link(3, 10)),
            ("code", Value::from(format!("{n}"))),
            ("created_at", Value::Time(at(i64::try_from(n / 7).unwrap()))),
        ];
        writes.push(insert(&bench.schema, "ticket", id(100 + n), &values));
    }
    bench.commit(writes).await.unwrap();

    let mine = |n| crate::filters::one_of(&bench, "ticket", "assignee", vec![Value::Id(id(n))]);
    let ids = |numbers: &[u128]| numbers.iter().map(|n| Value::Id(id(*n))).collect();
    let theirs = crate::filters::one_of(&bench, "ticket", "department", ids(&[1, 3]));
    let field = |name| bench.field("ticket", name);
    let by = |name, descending| Sort::by(bench.entity("ticket"), field(name), descending);
    let mut select = bench.all("ticket");
    select.filter = theirs.or(mine(11)).or(mine(12));
    select.sort = vec![by("created_at", true), by("id", true)];
    select
        .outputs
        .extend([Output::SortKey(0), Output::SortKey(1)]);
    let expected: Vec<Value> = (0..80_u128)
        .rev()
        .filter(|n| matches!(n % 5, 1 | 3) || n % 3 != 0)
        .map(|n| Value::Id(id(100 + n)))
        .collect();
    let count = bench.store.count_up_to(&select, 100, bench::BUDGET).await;
    assert_eq!(count.unwrap(), expected.len() as u64);
    let capped = bench.store.count_up_to(&select, 20, bench::BUDGET).await;
    assert_eq!(capped.unwrap(), 20);
    select.limit = 6;
    let mut paged = Vec::new();
    loop {
        let page = bench.rows(&select).await;
        let Some(last) = page.last() else { break };
        select.after = Some(last[1..].to_vec());
        paged.extend(page.into_iter().map(|mut row| row.remove(0)));
        assert!(paged.len() <= expected.len());
    }
    assert_eq!(paged, expected);
}
