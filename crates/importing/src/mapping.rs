//! Which column goes into which field.

use std::collections::{BTreeMap, HashMap};

use opsflux_model::access::FieldRight;
use opsflux_model::fold::fold;
use opsflux_model::schema::{Entity, EntityIx, FieldIx, Schema, system};
use opsflux_records::{Caller, Error, FieldError};

use crate::value::{is_importable, words};

/// How alike a header and a name must be to be proposed, out of one.
const ALIKE: f64 = 0.9;

/// By field, the header of its column.
pub type Mapping = BTreeMap<String, String>;

/// The fields that the caller may fill from a file.
pub fn fields<'a>(
    schema: &'a Schema,
    caller: &'a Caller,
    entity: EntityIx,
) -> impl Iterator<Item = FieldIx> + 'a {
    let declared = schema.entity(entity);
    declared.iter().filter_map(move |(ix, field)| {
        let may = caller.access.field(entity, ix) >= FieldRight::Write;
        (may && is_importable(field)).then_some(ix)
    })
}

/// Columns for fields, by what they are called: a field's name or its label in any language, first
/// exactly, then nearly.
#[must_use]
pub fn propose(
    schema: &Schema,
    entity: &Entity,
    fields: &[FieldIx],
    headers: &[String],
) -> Mapping {
    let folded: Vec<String> = headers.iter().map(|header| plain(header)).collect();
    let mut taken = vec![false; headers.len()];
    let mut proposed = Mapping::new();
    let called: Vec<(FieldIx, Vec<String>)> = fields
        .iter()
        .map(|ix| (*ix, names(schema, entity, &entity.field(*ix).name)))
        .collect();
    for nearly in [false, true] {
        for (ix, names) in &called {
            let field = &entity.field(*ix).name;
            if proposed.contains_key(field) {
                continue;
            }
            let fits = |header: &String| match nearly {
                false => names.contains(header),
                true => names
                    .iter()
                    .any(|name| strsim::normalized_levenshtein(name, header) >= ALIKE),
            };
            let mut free = folded
                .iter()
                .enumerate()
                .filter(|(place, _)| !taken[*place]);
            if let Some((place, _)) = free.find(|(_, header)| !header.is_empty() && fits(header)) {
                taken[place] = true;
                proposed.insert(field.clone(), headers[place].clone());
            }
        }
    }
    proposed
}

/// What a field may be called in a header.
fn names(schema: &Schema, entity: &Entity, field: &str) -> Vec<String> {
    let mut names = vec![plain(field)];
    if let Some(short) = field.strip_suffix("_id") {
        names.push(plain(short));
    }
    let path = ["fields", field];
    names.extend(words(schema, entity, &path).map(plain));
    names
}

/// Without case, accents and signs.
fn plain(text: &str) -> String {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The place of each mapped column. `id` and `number` may be mapped too, to find records by.
///
/// # Errors
/// Every field that there is none of, column that is missing, there twice or given twice.
pub fn places(
    schema: &Schema,
    caller: &Caller,
    entity: EntityIx,
    mapping: &Mapping,
    headers: &[String],
) -> Result<Vec<(FieldIx, usize)>, Error> {
    let declared = schema.entity(entity);
    let may: Vec<FieldIx> = fields(schema, caller, entity).collect();
    let mut errors = Vec::new();
    let mut places = Vec::new();
    let mut given: HashMap<&str, &str> = HashMap::new();
    for (name, header) in mapping {
        let at = format!("mapping.{name}");
        let finds = matches!(name.as_str(), system::ID | system::NUMBER);
        let known = declared.find(name).filter(|ix| finds || may.contains(ix));
        let Some(ix) = known else {
            errors.push(FieldError::new(at, "unknown_field", ""));
            continue;
        };
        if given.insert(header, name).is_some() {
            errors.push(FieldError::new(at, "base.mapped_twice", header));
            continue;
        }
        let mut found = headers
            .iter()
            .enumerate()
            .filter(|(_, known)| *known == header);
        match (found.next(), found.next()) {
            (Some((place, _)), None) => places.push((ix, place)),
            (Some(_), Some(_)) => errors.push(FieldError::new(at, "base.column_twice", header)),
            (None, _) => errors.push(FieldError::new(at, "base.unknown_column", header)),
        }
    }
    if errors.is_empty() {
        Ok(places)
    } else {
        Err(Error::Invalid(errors))
    }
}
