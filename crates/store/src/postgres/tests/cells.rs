//! Every cell arrives as PostgreSQL understands it and comes back as it was.

use std::str::FromStr;
use std::time::Duration;

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{opened, statement};
use crate::error::StoreError;
use crate::postgres::Postgres;
use crate::row::Columns;
use crate::sql::Cell;

const BUDGET: Duration = Duration::from_secs(5);

fn decimal(text: &str) -> Cell {
    Cell::Decimal {
        value: Decimal::from_str(text).unwrap(),
        precision: 28,
        scale: 10,
    }
}

/// Sends a cell as a type; what PostgreSQL makes of it as text, and what comes back.
async fn sent<T: 'static>(
    postgres: &Postgres,
    cell: Cell,
    as_type: &str,
    read: impl Fn(&dyn Columns) -> Result<Option<T>, StoreError>,
) -> (Option<String>, Option<T>) {
    let text = format!("SELECT ($1::{as_type})::text, $1::{as_type}");
    let mut answer = None;
    let each = |row: &dyn Columns| {
        answer = Some((row.text(0)?.map(str::to_owned), read(row)?));
        Ok::<_, StoreError>(())
    };
    let count = postgres
        .read(&statement(&text, vec![cell]), BUDGET, each)
        .await
        .unwrap();
    assert_eq!(count, 1);
    answer.unwrap()
}

#[tokio::test]
async fn scalars_arrive_and_come_back() {
    let (_database, postgres) = opened().await;
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        let answer = sent(&postgres, Cell::Int(number), "bigint", |row| row.int(1)).await;
        assert_eq!(answer, (Some(number.to_string()), Some(number)));
    }
    let small = sent(&postgres, Cell::Int(-7), "smallint", |row| row.int(1)).await;
    assert_eq!(small, (Some("-7".into()), Some(-7)));
    let text = sent(
        &postgres,
        Cell::Text("Où ça ? 🙂".into()),
        "text",
        |row| Ok(row.text(1)?.map(str::to_owned)),
    );
    assert_eq!(
        text.await,
        (Some("Où ça ? 🙂".into()), Some("Où ça ? 🙂".into()))
    );
    let yes = sent(&postgres, Cell::Bool(true), "boolean", |row| row.boolean(1)).await;
    assert_eq!(yes, (Some("true".into()), Some(true)));
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let answer = sent(&postgres, Cell::Id(id), "uuid", |row| row.id(1)).await;
    assert_eq!(answer, (Some(id.to_string()), Some(id)));
    let bytes = sent(&postgres, Cell::Bytes(vec![0, 255]), "bytea", |row| {
        Ok(row.bytes(1)?.map(<[u8]>::to_vec))
    });
    assert_eq!(bytes.await, (Some("\\x00ff".into()), Some(vec![0, 255])));
    let null = sent(&postgres, Cell::Null, "date", |row| row.date(1)).await;
    assert_eq!(null, (None, None));
}

#[tokio::test]
async fn times_are_exact_to_the_microsecond_on_both_sides_of_every_epoch() {
    let (_database, postgres) = opened().await;
    for (text, told) in [
        (
            "2026-03-31T08:30:00.123456Z",
            "2026-03-31 08:30:00.123456+00",
        ),
        (
            "1999-12-31T23:59:59.999999Z",
            "1999-12-31 23:59:59.999999+00",
        ),
        ("1969-12-31T23:59:59Z", "1969-12-31 23:59:59+00"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00+00"),
        ("9999-12-30T22:00:00Z", "9999-12-30 22:00:00+00"),
    ] {
        let time: Timestamp = text.parse().unwrap();
        let answer = sent(&postgres, Cell::Time(time), "timestamptz", |row| {
            row.time(1)
        })
        .await;
        assert_eq!(answer, (Some(told.into()), Some(time)));
    }
    for date in [
        civil::date(2000, 1, 1),
        civil::date(2024, 2, 29),
        civil::date(1900, 3, 1),
        civil::date(1, 1, 1),
        civil::date(9999, 12, 31),
    ] {
        let answer = sent(&postgres, Cell::Date(date), "date", |row| row.date(1)).await;
        assert_eq!(answer, (Some(date.to_string()), Some(date)));
    }
}

#[tokio::test]
async fn decimals_keep_every_digit() {
    let (_database, postgres) = opened().await;
    for text in [
        "0",
        "0.1",
        "-0.0000000001",
        "12345.6789",
        "99999999.99990000",
        "79228162514264337593543950335",
        "-0.0000000000000000000000000001",
        "10000",
        "100000000.0000",
    ] {
        let answer = sent(&postgres, decimal(text), "numeric", |row| {
            row.decimal(1, 28, 10)
        })
        .await;
        assert_eq!(
            answer,
            (Some(text.into()), Some(Decimal::from_str(text).unwrap()))
        );
    }
    // What a column of fewer decimals makes of it keeps the column's scale.
    let answer = sent(&postgres, decimal("1.5"), "numeric(18,6)", |row| {
        row.decimal(1, 18, 6)
    })
    .await;
    assert_eq!(answer.0, Some("1.500000".into()));
}

#[tokio::test]
async fn lists_arrive_as_arrays() {
    let (_database, postgres) = opened().await;
    let ids: Vec<Cell> = (1..4).map(|n| Cell::Id(Uuid::from_u128(n))).collect();
    for (cells, kind, told) in [
        (ids, "uuid[]", 3),
        (
            vec![Cell::Text("a".into()), Cell::Text("b,\"c".into())],
            "text[]",
            2,
        ),
        (vec![Cell::Int(5)], "bigint[]", 1),
        (vec![decimal("1.25"), decimal("-3")], "numeric[]", 2),
        (Vec::new(), "text[]", 0),
    ] {
        let mut length = None;
        let asked = statement(
            &format!("SELECT cardinality($1::{kind})"),
            vec![Cell::Array(cells)],
        );
        let each = |row: &dyn Columns| {
            length = row.int(0)?;
            Ok::<_, StoreError>(())
        };
        postgres.read(&asked, BUDGET, each).await.unwrap();
        assert_eq!(length, Some(told), "{kind}");
    }
}

#[tokio::test]
async fn a_cell_is_never_converted_to_another_type() {
    let (_database, postgres) = opened().await;
    for (cell, kind) in [
        (Cell::Text("1".into()), "bigint"),
        (Cell::Int(1), "text"),
        (Cell::Int(i64::MAX), "integer"),
        (Cell::Bool(true), "bigint"),
        (decimal("1"), "double precision"),
    ] {
        let asked = statement(&format!("SELECT $1::{kind}"), vec![cell]);
        let answer = postgres
            .read(&asked, BUDGET, |_| Ok::<_, StoreError>(()))
            .await;
        assert!(
            matches!(answer, Err(StoreError::Internal(_))),
            "{kind}: {answer:?}"
        );
    }
    let asked = statement("SELECT 1.5::double precision", Vec::new());
    let answer = postgres
        .read(&asked, BUDGET, |row| row.int(0).map(|_| ()))
        .await;
    assert!(matches!(answer, Err(StoreError::Internal(_))), "{answer:?}");
}
