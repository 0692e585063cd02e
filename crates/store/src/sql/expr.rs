//! Expressions that must read the same in a query and in the index that serves it.
//!
//! DDL and queries share these functions, so that neither database ever sees two spellings of one
//! order.

use opsflux_model::schema::system;

use super::Dialect;

/// The place of a code in its declared order, as an expression over `column` (SQL, already
/// quoted). Never null: no value, or a code that is no longer declared, comes last in the
/// direction asked for.
#[must_use]
pub fn ordered<T: AsRef<str>>(column: &str, codes: &[T], descending: bool) -> String {
    use std::fmt::Write as _;
    let mut text = format!("CASE {column}");
    for (place, code) in codes.iter().enumerate() {
        // Codes are checked words; doubling a quote keeps this true whatever they become.
        let code = code.as_ref().replace('\'', "''");
        let _ = write!(text, " WHEN '{code}' THEN {place}");
    }
    let _ = write!(text, " ELSE {} END", unplaced(codes.len(), descending));
    text
}

/// The place [`ordered`] gives to what has none.
#[must_use]
pub fn unplaced(codes: usize, descending: bool) -> i64 {
    if descending {
        -1
    } else {
        i64::try_from(codes).unwrap_or(i64::MAX)
    }
}

/// How a column of an index is sorted, as written after it in `CREATE INDEX`.
///
/// Nulls stand last in both directions. On PostgreSQL this must be said of descending columns;
/// where nothing is ever null it must not, so that the index can be read backwards too.
#[must_use]
pub fn index_direction(dialect: Dialect, nullable: bool, descending: bool) -> &'static str {
    match (dialect, nullable, descending) {
        (Dialect::Postgres, true, true) => "DESC NULLS LAST",
        (_, _, true) => "DESC",
        (_, _, false) => "ASC",
    }
}

/// How a key is sorted, as written after it in `ORDER BY`: fits [`index_direction`].
#[must_use]
pub fn sort_direction(dialect: Dialect, nullable: bool, descending: bool) -> &'static str {
    match (dialect, nullable, descending) {
        (Dialect::Postgres, true, true) => "DESC NULLS LAST",
        // SQLite takes null for the smallest value; it still walks the index in two runs.
        (Dialect::Sqlite, true, false) => "ASC NULLS LAST",
        (_, _, true) => "DESC",
        (_, _, false) => "ASC",
    }
}

/// Whether the layout makes a column of an entity `NOT NULL`.
#[must_use]
pub fn never_null(column: &str) -> bool {
    matches!(
        column,
        system::ID | system::VERSION | system::CREATED_AT | system::UPDATED_AT
    )
}
