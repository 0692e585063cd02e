//! What is damaged in a copy is found and named.

use opsflux_store::Difference;

use super::{both_ways, compared, copied, sql};
use crate::bench::{Bench, Place};
use crate::fixture::id;

both_ways!(
    a_lost_row_is_found,
    a_row_too_many_is_found,
    a_flipped_bit_is_found,
    a_swapped_pair_is_found,
    a_lost_entry_of_the_feed_is_found,
);

/// The one table that differs, with its first difference.
async fn only_difference(from: &Place, to: &Place) -> (String, Difference) {
    let found = compared(from, to).await;
    let mut different = found.tables.into_iter().filter(|table| !table.is_equal());
    let first = different.next().expect("a difference");
    assert_ne!(first.hash.0, first.hash.1);
    let others: Vec<_> = different.collect();
    assert!(others.is_empty(), "{others:?}");
    (first.table, first.first.unwrap())
}

fn key_of(number: u128) -> String {
    format!("tenant_id 1, id {}", id(number).simple())
}

async fn a_lost_row_is_found(from: Bench, to: Place) {
    let (from, to) = copied(from, to).await;
    let lost = format!("DELETE FROM r_ticket WHERE id = x'{}'", id(1_005).simple());
    let there = format!("DELETE FROM r_ticket WHERE id = '{}'", id(1_005));
    sql(&to, &lost, &there);
    let key = key_of(1_005);
    let expected = ("r_ticket".to_owned(), Difference::Missing { key });
    assert_eq!(only_difference(&from, &to).await, expected);
}

async fn a_row_too_many_is_found(from: Bench, to: Place) {
    let (from, to) = copied(from, to).await;
    let lost = format!("DELETE FROM r_ticket WHERE id = x'{}'", id(1_029).simple());
    let there = format!("DELETE FROM r_ticket WHERE id = '{}'", id(1_029));
    sql(&from, &lost, &there);
    let key = key_of(1_029);
    let expected = ("r_ticket".to_owned(), Difference::Additional { key });
    assert_eq!(only_difference(&from, &to).await, expected);
}

async fn a_flipped_bit_is_found(from: Bench, to: Place) {
    let (from, to) = copied(from, to).await;
    // The last digit of a decimal of 28 digits, and one bit of a letter.
    let numbers = [
        (
            "body",
            "body = 'm' || substr(body, 2)",
            "body = 'm' || substr(body, 2)",
            115,
        ),
        (
            "huge",
            "huge = unhex(substr(hex(huge), 1, 30) || '02')",
            "huge = huge + 0.0000000001",
            110,
        ),
        (
            "at",
            "at = at - 1",
            "at = at - interval '1 microsecond'",
            103,
        ),
        ("day", "day = day + 1", "day = day + 1", 101),
    ];
    for (column, on_sqlite, on_postgres, number) in numbers {
        let (from_key, to_key) = (id(number).simple().to_string(), id(number));
        sql(
            &to,
            &format!("UPDATE r_thing SET {on_sqlite} WHERE tenant_id = 1 AND id = x'{from_key}'"),
            &format!("UPDATE r_thing SET {on_postgres} WHERE tenant_id = 1 AND id = '{to_key}'"),
        );
        let (table, first) = only_difference(&from, &to).await;
        assert_eq!(table, "r_thing");
        let found = matches!(&first, Difference::Other { column: named, .. } if named == column);
        assert!(found, "{column}: {first}");
        // The next one is looked for in a row of smaller key.
        assert!(first.to_string().contains(&from_key), "{first}");
    }
}

async fn a_swapped_pair_is_found(from: Bench, to: Place) {
    let (from, to) = copied(from, to).await;
    let swap = "UPDATE r_ticket SET title = CASE title WHEN 'Ticket 7' THEN 'Ticket 8' \
                ELSE 'Ticket 7' END WHERE title IN ('Ticket 7', 'Ticket 8')";
    match &to {
        Place::Folder(folder) => {
            let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
            assert_eq!(file.execute(swap, []).unwrap(), 2);
        }
        Place::Server(database) => drop(database.sql(swap).unwrap()),
    }
    let first = Difference::Other {
        key: key_of(1_007),
        column: "title".to_owned(),
    };
    assert_eq!(
        only_difference(&from, &to).await,
        ("r_ticket".to_owned(), first)
    );
}

async fn a_lost_entry_of_the_feed_is_found(from: Bench, to: Place) {
    let (from, to) = copied(from, to).await;
    let gone = "WITH gone AS (DELETE FROM sys_feed_pos WHERE pos = 25 RETURNING seq) \
                DELETE FROM sys_feed WHERE seq IN (SELECT seq FROM gone)";
    sql(&to, "DELETE FROM sys_feed WHERE pos = 25", gone);
    let key = "pos 25".to_owned();
    let expected = ("sys_feed".to_owned(), Difference::Missing { key });
    assert_eq!(only_difference(&from, &to).await, expected);
}
