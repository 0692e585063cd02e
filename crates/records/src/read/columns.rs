//! Which fields of a record are answered, and how a row becomes JSON.
//!
//! Rows are written by the store straight to bytes. While that happens the ids of links are
//! noted, so that their titles can be looked up once per page and links to deleted records can be
//! blanked in place.

use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Access, FieldRight, Operand, Predicate};
use opsflux_store::{Output, Row, StoreError};
use uuid::Uuid;

use super::json::push_name;
use crate::error::Error;

/// Length of a UUID as a JSON string.
const QUOTED_ID: usize = 38;

/// The columns of an answer.
pub struct Columns {
    /// What the store is asked for, in order.
    pub outputs: Vec<Output>,
    shapes: Vec<Shape>,
    /// Child tables wanted; they are read by queries of their own.
    pub children: Vec<FieldIx>,
}

struct Shape {
    name: String,
    kind: ShapeKind,
}

enum ShapeKind {
    Plain,
    /// Shows that there is a value, not which.
    Masked,
    Link(EntityIx),
    Links(EntityIx),
    AnyLink,
}

/// A link found while a row was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundLink {
    /// What it points at.
    pub to: EntityIx,
    /// Which.
    pub id: Uuid,
    /// Where its JSON stands, when it can be blanked.
    pub at: Option<usize>,
    /// Which column it stands in; `usize::MAX` inside child tables.
    pub column: usize,
}

impl Columns {
    /// The columns a caller gets: those asked for, else all; never what the caller may not see.
    ///
    /// # Errors
    /// A name that does not exist, or not for this caller.
    pub fn choose(
        schema: &Schema,
        access: &Access,
        entity: EntityIx,
        wanted: Option<&[String]>,
    ) -> Result<Columns, Error> {
        let declared = schema.entity(entity);
        let readable = |ix: FieldIx| access.field(entity, ix) > FieldRight::Hidden;
        let always = [system::ID, system::VERSION]
            .into_iter()
            .filter_map(|name| declared.find(name));
        let mut fields: Vec<FieldIx> = always.collect();
        match wanted {
            Some(names) => {
                for name in names {
                    let ix = declared
                        .find(name)
                        .filter(|ix| readable(*ix))
                        .ok_or_else(|| {
                            Error::query(
                                "fields",
                                "unknown_field",
                                format!("there is no field “{name}”"),
                            )
                        })?;
                    if !fields.contains(&ix) {
                        fields.push(ix);
                    }
                }
            }
            None => {
                let others = declared.iter().map(|(ix, _)| ix).filter(|ix| readable(*ix));
                for ix in others {
                    if !fields.contains(&ix) {
                        fields.push(ix);
                    }
                }
            }
        }
        Ok(Columns::of(schema, access, entity, declared, &fields))
    }

    fn of(
        schema: &Schema,
        access: &Access,
        entity: EntityIx,
        declared: &Entity,
        fields: &[FieldIx],
    ) -> Columns {
        let mut columns = Columns {
            outputs: Vec::new(),
            shapes: Vec::new(),
            children: Vec::new(),
        };
        for ix in fields {
            let field = declared.field(*ix);
            if field.kind.is_virtual() {
                columns.children.push(*ix);
                continue;
            }
            if matches!(field.kind, FieldType::Password) {
                continue;
            }
            let masked =
                field.kind.is_write_only() || access.field(entity, *ix) == FieldRight::Mask;
            let (output, kind) = if masked {
                let present = Predicate::test(entity, *ix, Operand::Present);
                (Output::Holds(present), ShapeKind::Masked)
            } else {
                (Output::Field(*ix), shape_of(schema, &field.kind))
            };
            columns.outputs.push(output);
            columns.shapes.push(Shape {
                name: field.name.clone(),
                kind,
            });
        }
        columns
    }

    /// The columns that hold one link each, with what they point at.
    pub fn links(&self) -> impl Iterator<Item = (usize, EntityIx)> {
        let shapes = self.shapes.iter().enumerate();
        shapes.filter_map(|(place, shape)| match shape.kind {
            ShapeKind::Link(to) => Some((place, to)),
            _ => None,
        })
    }

    /// The column of the link called `name`, with what it points at.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<(usize, EntityIx)> {
        self.shapes
            .iter()
            .enumerate()
            .find(|(_, shape)| shape.name == name)
            .and_then(|(place, shape)| match shape.kind {
                ShapeKind::Link(to) => Some((place, to)),
                _ => None,
            })
    }

    /// Writes the fields of a row as the inside of a JSON object and notes its links.
    ///
    /// # Errors
    /// A cell that is not of its type.
    pub fn write(
        &self,
        schema: &Schema,
        row: &Row<'_>,
        out: &mut Vec<u8>,
        links: &mut Vec<FoundLink>,
    ) -> Result<(), StoreError> {
        for (place, shape) in self.shapes.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            push_name(out, &shape.name);
            let start = out.len();
            match shape.kind {
                ShapeKind::Masked => {
                    let filled = row.value(place)?.as_bool() == Some(true);
                    out.extend_from_slice(if filled {
                        "\"••••\"".as_bytes()
                    } else {
                        b"null"
                    });
                }
                ShapeKind::Plain => row.write_json(place, out)?,
                ShapeKind::Link(to) => {
                    row.write_json(place, out)?;
                    if let Some(id) = quoted_id(out.get(start..).unwrap_or_default()) {
                        links.push(FoundLink {
                            to,
                            id,
                            at: Some(start),
                            column: place,
                        });
                    }
                }
                ShapeKind::Links(to) => {
                    row.write_json(place, out)?;
                    let written = out.get(start..).unwrap_or_default();
                    // `["…","…"]`: ids stand at fixed distances.
                    let ids = written.get(1..).unwrap_or_default().chunks(QUOTED_ID + 1);
                    links.extend(ids.filter_map(quoted_id).map(|id| FoundLink {
                        to,
                        id,
                        at: None,
                        column: place,
                    }));
                }
                ShapeKind::AnyLink => {
                    row.write_json(place, out)?;
                    if let opsflux_model::Value::Ref { entity, id } = row.value(place)?
                        && let Some(to) = schema.find(&entity)
                    {
                        links.push(FoundLink {
                            to,
                            id,
                            at: None,
                            column: place,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

fn shape_of(schema: &Schema, kind: &FieldType) -> ShapeKind {
    match kind {
        FieldType::Link(link) => ShapeKind::Link(link.to),
        FieldType::Links(link) => ShapeKind::Links(link.to),
        FieldType::File { .. } | FieldType::Image { .. } => schema
            .find("file")
            .map_or(ShapeKind::Plain, ShapeKind::Link),
        FieldType::AnyLink { .. } => ShapeKind::AnyLink,
        _ => ShapeKind::Plain,
    }
}

/// The id at the beginning of `json`, when it begins with one.
fn quoted_id(json: &[u8]) -> Option<Uuid> {
    let inside = json
        .get(..QUOTED_ID)?
        .strip_prefix(b"\"")?
        .strip_suffix(b"\"")?;
    Uuid::try_parse_ascii(inside).ok()
}

/// Overwrites the id at `at` with `null`; JSON does not mind the spaces.
pub fn blank(out: &mut [u8], at: usize) {
    if let Some(slot) = out.get_mut(at..at + QUOTED_ID) {
        slot.fill(b' ');
        slot[..4].copy_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_and_blanked_where_they_stand() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let mut out = format!("{{\"a\":\"{id}\",\"b\":1}}").into_bytes();
        assert_eq!(quoted_id(&out[5..]), Some(id));
        blank(&mut out, 5);
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json, serde_json::json!({"a": null, "b": 1}));
        assert_eq!(quoted_id(b"null"), None);
    }
}
