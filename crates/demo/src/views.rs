//! Lists as some of the people like them, saved.

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::write::seed::SeedRecord;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::Error;
use crate::company::Company;
use crate::draw::Draw;
use crate::rows::Rows;

const FILE: &str = "views.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Views {
    views: Vec<View>,
}

/// A list somebody saved.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct View {
    /// First and last name of who saved it.
    by: String,
    name: String,
    entity: String,
    #[serde(default)]
    shared: bool,
    columns: Vec<String>,
    sort: Vec<String>,
    filter: Json,
}

/// The rows of the saved views.
///
/// # Errors
/// [`Error::Data`] when one is by nobody.
pub fn make(
    company: &Company,
    rows: &Rows,
    draw: &mut Draw,
    at: Timestamp,
) -> Result<Vec<SeedRecord>, Error> {
    let read: Result<Views, _> = toml::from_str(include_str!("../data/views.toml"));
    let views = read.map_err(|error| Error::data(FILE, error.to_string()))?;
    let mut records = Vec::with_capacity(views.views.len());
    for view in views.views {
        let by = company
            .people
            .iter()
            .find(|person| person.full_name() == view.by);
        let by = by.ok_or_else(|| Error::data(FILE, format!("there is no {}", view.by)))?;
        let definition = json!({
            "columns": view.columns, "sort": view.sort, "filter": view.filter,
        });
        let values = vec![
            ("name", view.name.into()),
            ("entity", view.entity.into()),
            ("shared", view.shared.into()),
            ("definition", Value::Json(definition)),
        ];
        records.push(rows.row("saved_view", draw.id(at), (at, Some(by.id)), values)?);
    }
    Ok(records)
}
