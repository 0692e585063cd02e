//! Rows of a request: a JSON array of objects, kept like a file.

use std::io::BufReader;

use serde_json::{Map, Value as Json};

use super::{Cell, Row, TableError};
use crate::spool::Spooled;

/// The rows that are left.
pub struct Rows {
    names: Vec<String>,
    rows: std::iter::Enumerate<std::vec::IntoIter<Map<String, Json>>>,
}

impl Rows {
    /// The rows, and every name that one of them uses.
    pub fn open(file: Spooled) -> Result<(Rows, Vec<String>), TableError> {
        let rows: Vec<Map<String, Json>> = serde_json::from_reader(BufReader::new(file))
            .map_err(|error| TableError::Unreadable(error.to_string()))?;
        let mut names: Vec<String> = Vec::new();
        for name in rows.iter().flat_map(Map::keys) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let rows = Rows {
            names: names.clone(),
            rows: rows.into_iter().enumerate(),
        };
        Ok((rows, names))
    }

    /// Hands on one row after the other; the first is line 1.
    pub fn each(
        &mut self,
        mut take: impl FnMut(Row) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        for (place, mut row) in self.rows.by_ref() {
            let cells = self.names.iter().map(|name| match row.remove(name) {
                None | Some(Json::Null) => Cell::Empty,
                Some(Json::String(text)) => Cell::of_text(&text),
                Some(Json::Number(number)) => Cell::Number(number.to_string()),
                Some(Json::Bool(value)) => Cell::Bool(value),
                Some(other) => Cell::Json(other),
            });
            let row = Row {
                line: place as u64 + 1,
                cells: cells.collect(),
            };
            take(row)?;
        }
        Ok(())
    }
}
