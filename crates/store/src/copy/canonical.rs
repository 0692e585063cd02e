//! A row as text that is the same on both databases, told by the databases themselves.
//!
//! Nothing here may come from the way of copying: no cell, no binary form, no decoding of it. The
//! one thing done in Rust is to read the sixteen bytes in which SQLite keeps large decimals, from
//! their hexadecimal digits.

use opsflux_model::layout::ColumnKind;

use super::tables::{CopiedTable, FEED, Kind};
use crate::migrate::ddl::quoted;
use crate::sql::{Cell, Dialect};

/// Selects every row in the order of the key, each column as text.
pub(super) fn select(dialect: Dialect, table: &CopiedTable) -> String {
    let columns = table.columns.iter();
    let columns = columns.map(|column| {
        let name = format!("t.{}", quoted(&column.name));
        match dialect {
            Dialect::Sqlite => on_sqlite(&name, column.kind),
            Dialect::Postgres => on_postgres(&name, column.kind),
        }
    });
    let columns: Vec<String> = columns.collect();
    let key = table.key_columns().iter();
    let key: Vec<String> = key
        .map(|column| format!("t.{}", quoted(&column.name)))
        .collect();
    format!(
        "SELECT {} FROM {} t ORDER BY {}",
        columns.join(", "),
        relation(dialect, table),
        key.join(", ")
    )
}

fn relation(dialect: Dialect, table: &CopiedTable) -> String {
    if dialect == Dialect::Sqlite || table.name != FEED {
        return quoted(&table.name);
    }
    // Rows without a place would get theirs behind the last one, in the order of their numbers.
    "(SELECT coalesce(placed.pos, ended.pos + rank() OVER (PARTITION BY placed.pos IS NULL \
     ORDER BY made.seq)) AS pos, made.* FROM sys_feed made \
     LEFT JOIN sys_feed_pos placed ON placed.seq = made.seq CROSS JOIN \
     (SELECT coalesce(max(value::bigint), 0) AS pos FROM sys_meta WHERE key = 'feed_pos') ended)"
        .to_owned()
}

fn on_sqlite(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Declared(ColumnKind::Text) => name.to_owned(),
        Kind::Declared(ColumnKind::Id) | Kind::Bytes => hexadecimal(name),
        Kind::Declared(ColumnKind::Decimal { precision, .. })
            if !Cell::decimal_is_integer(precision) =>
        {
            hexadecimal(name)
        }
        Kind::Declared(_) => format!("CAST({name} AS TEXT)"),
    }
}

/// Nothing stays nothing.
fn hexadecimal(name: &str) -> String {
    format!("CASE WHEN {name} IS NOT NULL THEN lower(hex({name})) END")
}

fn on_postgres(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Declared(ColumnKind::Text) => name.to_owned(),
        Kind::Declared(ColumnKind::Int) => format!("{name}::text"),
        Kind::Declared(ColumnKind::Bool) => format!("{name}::int::text"),
        // In the smallest unit of the column, without decimals.
        Kind::Declared(ColumnKind::Decimal { scale, .. }) => {
            format!("trim_scale({name} * 1e{scale}::numeric)::text")
        }
        Kind::Declared(ColumnKind::Date) => format!("({name} - date '1970-01-01')::text"),
        Kind::Declared(ColumnKind::Time) => {
            format!("trim_scale(extract(epoch FROM {name}) * 1000000)::text")
        }
        Kind::Declared(ColumnKind::Id) => format!("replace({name}::text, '-', '')"),
        Kind::Bytes => format!("encode({name}, 'hex')"),
    }
}

/// What SQLite tells of a column, as PostgreSQL would.
pub(super) fn settled(kind: Kind, text: Vec<u8>) -> Vec<u8> {
    match kind {
        Kind::Declared(ColumnKind::Decimal { precision, .. })
            if !Cell::decimal_is_integer(precision) =>
        {
            match units(&text) {
                Some(units) => units.to_string().into_bytes(),
                // No number of ours: it stays what it is and equals nothing.
                None => text,
            }
        }
        _ => text,
    }
}

/// Big-endian digits whose first bit says that the number is not negative.
fn units(digits: &[u8]) -> Option<i128> {
    if digits.len() != 32 {
        return None;
    }
    let number = u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let middle = 1_u128 << 127;
    if number >= middle {
        i128::try_from(number - middle).ok()
    } else {
        i128::try_from(middle - number).ok().map(|units| -units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_decimals_are_read_from_their_digits() {
        let digits = |text: &str| units(text.as_bytes());
        assert_eq!(digits("80000000000000000000000000000000"), Some(0));
        assert_eq!(digits("8000000000000000000000000000007b"), Some(123));
        assert_eq!(digits("7fffffffffffffffffffffffffffff85"), Some(-123));
        assert_eq!(digits("80"), None);
    }
}
