//! Which tables follow from a schema.
//!
//! A [`Layout`] is recorded in the database at each migration; a migration is the difference
//! between the recorded layout and the one that follows from today's schema, never a look at live
//! tables or live declarations. Things are recognised by their immutable ids, so a rename is a
//! rename. Types here are logical; the store renders them for each database.

use serde::{Deserialize, Serialize};

use crate::schema::{Entity, EntityKind, Field, FieldIx, FieldType, OnDelete, Schema, system};

/// Every table of the declared entities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Layout {
    /// In the order of the schema.
    pub tables: Vec<Table>,
}

/// One table. Its primary key is `(tenant_id, id)` for entities and `(tenant_id, owner_id, value)`
/// for sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Immutable id: of the entity, or of the set field.
    pub id: String,
    /// Name in the database.
    pub name: String,
    /// What it holds.
    pub kind: TableKind,
    /// Besides `tenant_id`, which every table has.
    pub columns: Vec<Column>,
    /// Besides the primary key.
    pub indexes: Vec<Index>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Records of an entity.
    Entity {
        /// Softly deleted rows exist: indexes and unique constraints leave them out.
        soft_delete: bool,
    },
    /// The values of one set field: `owner_id`, `value`, and for texts `value_key`.
    Set {
        /// Table of the owners.
        owner: String,
    },
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Immutable id: of the field, with a suffix for its second and third column.
    pub id: String,
    /// Name in the database.
    pub name: String,
    /// Logical type.
    pub kind: ColumnKind,
    /// May be null. Declared `required` is held by the pipeline, so that a field may become
    /// required without rewriting a table; only what the engine itself needs is not nullable.
    pub nullable: bool,
    /// Name of the table `(tenant_id, column)` refers to.
    pub references: Option<String>,
}

/// Logical type of a column, rendered by the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ColumnKind {
    Bool,
    Int,
    Decimal { precision: u8, scale: u8 },
    Text,
    Date,
    Time,
    Id,
}

/// One index. All begin with `tenant_id`; those of record tables cover living rows only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Unique in the database, made from table and columns.
    pub name: String,
    /// In order.
    pub columns: Vec<IndexColumn>,
    /// Refuses a second row.
    pub unique: bool,
    /// Leaves out rows without a value in the first column: what follows a link asks for the rows
    /// that point somewhere, and most links of most rows point nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub filled_only: bool,
}

/// One column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// Name of the column.
    pub column: String,
    /// Largest first.
    pub descending: bool,
    /// Codes in declared order when the column sorts by it rather than by its text.
    pub codes: Option<Vec<String>>,
}

/// Suffix of the column with the folded key of a text.
pub const KEY_SUFFIX: &str = "_key";

const DEGREES: ColumnKind = ColumnKind::Decimal {
    precision: 9,
    scale: 6,
};

impl Layout {
    /// The tables of `schema`.
    #[must_use]
    pub fn of(schema: &Schema) -> Layout {
        let mut tables = Vec::new();
        for (_, entity) in schema.iter() {
            tables.push(entity_table(schema, entity));
            tables.extend(
                entity
                    .iter()
                    .filter(|(_, f)| f.kind.is_set())
                    .map(|(_, f)| set_table(schema, entity, f)),
            );
        }
        Layout { tables }
    }

    /// The table called `name`.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// Name of the table of an entity: its name, prefixed when the database would read it as a word
/// of its own (`user`, `group`).
#[must_use]
pub fn table_name(entity: &Entity) -> String {
    format!("r_{}", entity.name)
}

/// Name of the table of a set field.
#[must_use]
pub fn set_table_name(entity: &Entity, field: &Field) -> String {
    format!("s_{}__{}", entity.name, field.name)
}

/// What follows the name of a field in the names of its columns, in order. Empty for sets and
/// child tables.
///
/// A text has its folded key beside it, money its currency, a geo point two degrees, an any-link
/// the name of the entity before the id.
#[must_use]
pub fn column_suffixes(field: &Field) -> &'static [&'static str] {
    match field.kind.holds() {
        kind if kind.has_key() => &["", KEY_SUFFIX],
        FieldType::Money { .. } => &["", "_currency"],
        FieldType::AnyLink { .. } => &["_entity", ""],
        FieldType::Geo => &["_lat", "_lon"],
        FieldType::Choices { .. }
        | FieldType::Tags { .. }
        | FieldType::Links(_)
        | FieldType::Children { .. } => &[],
        _ => &[""],
    }
}

/// Columns of a field in its entity's table, in order: names and types.
#[must_use]
pub fn columns_of(field: &Field) -> Vec<(String, ColumnKind)> {
    let kinds: &[ColumnKind] = match field.kind.holds() {
        kind if kind.has_key() => &[ColumnKind::Text, ColumnKind::Text],
        FieldType::Integer { .. } | FieldType::Duration { .. } => &[ColumnKind::Int],
        FieldType::Decimal {
            precision, scale, ..
        } => &[ColumnKind::Decimal {
            precision: *precision,
            scale: *scale,
        }],
        FieldType::Money {
            precision, scale, ..
        } => &[
            ColumnKind::Decimal {
                precision: *precision,
                scale: *scale,
            },
            ColumnKind::Text,
        ],
        FieldType::Boolean => &[ColumnKind::Bool],
        FieldType::Date => &[ColumnKind::Date],
        FieldType::DateTime => &[ColumnKind::Time],
        FieldType::Id | FieldType::Link(_) | FieldType::File { .. } | FieldType::Image { .. } => {
            &[ColumnKind::Id]
        }
        FieldType::AnyLink { .. } => &[ColumnKind::Text, ColumnKind::Id],
        FieldType::Geo => &[DEGREES, DEGREES],
        // Codes, long texts, colours, JSON, sealed secrets and hashes are text.
        _ => &[ColumnKind::Text],
    };
    let suffixes = column_suffixes(field).iter();
    let named = suffixes.map(|suffix| format!("{}{suffix}", field.name));
    named.zip(kinds.iter().copied()).collect()
}

/// The immutable id of the column of a field at `place` among its columns.
///
/// A text that becomes a secret, or a secret that becomes a text, is another column: what one
/// holds must never be read as the other.
#[must_use]
pub fn column_id(field: &Field, place: usize) -> String {
    if field.kind.is_write_only() {
        format!("{}#{}", field.id, field.kind.name())
    } else if place == 0 {
        field.id.clone()
    } else {
        format!("{}#{place}", field.id)
    }
}

fn entity_table(schema: &Schema, entity: &Entity) -> Table {
    let soft_delete = entity.kind == EntityKind::Record;
    let mut columns: Vec<Column> = entity
        .iter()
        .flat_map(|(_, field)| {
            let references = references(schema, field);
            columns_of(field)
                .into_iter()
                .enumerate()
                .map(move |(place, (name, kind))| Column {
                    id: column_id(field, place),
                    nullable: !is_engine_column(&name),
                    references: (kind == ColumnKind::Id)
                        .then(|| references.clone())
                        .flatten(),
                    name,
                    kind,
                })
        })
        .collect();
    if soft_delete {
        columns.push(plain(system::DELETED_AT, ColumnKind::Time));
        columns.push(plain(system::DELETION_ID, ColumnKind::Id));
    }
    Table {
        id: entity.id.clone(),
        name: table_name(entity),
        kind: TableKind::Entity { soft_delete },
        indexes: indexes(entity),
        columns,
    }
}

fn is_engine_column(name: &str) -> bool {
    matches!(
        name,
        system::ID | system::VERSION | system::CREATED_AT | system::UPDATED_AT
    )
}

fn plain(name: &str, kind: ColumnKind) -> Column {
    Column {
        id: name.to_owned(),
        name: name.to_owned(),
        kind,
        nullable: true,
        references: None,
    }
}

/// The table a link refers to. Who made and last changed a record is not a foreign key: users are
/// records too, and the first one is made by nobody.
fn references(schema: &Schema, field: &Field) -> Option<String> {
    match &field.kind {
        FieldType::Link(link) if !field.system => Some(table_name(schema.entity(link.to))),
        _ => None,
    }
}

fn set_table(schema: &Schema, entity: &Entity, field: &Field) -> Table {
    let name = set_table_name(entity, field);
    let (kind, references) = match &field.kind {
        FieldType::Links(link) => (ColumnKind::Id, Some(table_name(schema.entity(link.to)))),
        _ => (ColumnKind::Text, None),
    };
    let column = |name: &str, kind, references| Column {
        id: name.to_owned(),
        name: name.to_owned(),
        kind,
        nullable: false,
        references,
    };
    let owner = table_name(entity);
    let index = |column: &str| IndexColumn {
        column: column.to_owned(),
        descending: false,
        codes: None,
    };
    Table {
        id: field.id.clone(),
        kind: TableKind::Set {
            owner: owner.clone(),
        },
        columns: vec![
            column("owner_id", ColumnKind::Id, Some(owner)),
            column("value", kind, references),
            // The order in which the values were given.
            column("place", ColumnKind::Int, None),
        ],
        indexes: vec![Index {
            name: format!("{name}__value"),
            columns: vec![index("value"), index("owner_id")],
            unique: false,
            filled_only: false,
        }],
        name,
    }
}

fn indexes(entity: &Entity) -> Vec<Index> {
    let mut found: Vec<Index> = Vec::new();
    let table = table_name(entity);
    let mut add = |columns: Vec<IndexColumn>, unique: bool, filled_only: bool| {
        let parts: Vec<String> = columns
            .iter()
            .map(|c| {
                if c.descending {
                    format!("{}_desc", c.column)
                } else {
                    c.column.clone()
                }
            })
            .collect();
        let kind = if unique { "u" } else { "i" };
        let name = short_name(&format!("{table}__{kind}__{}", parts.join("__")));
        let covered = found.iter().any(|index: &Index| {
            index.name == name || (!unique && index.columns.starts_with(&columns))
        });
        if !covered {
            found.push(Index {
                name,
                columns,
                unique,
                filled_only,
            });
        }
    };
    for fields in &entity.unique {
        add(
            fields.iter().map(|field| equal(entity, *field)).collect(),
            true,
            false,
        );
    }
    for (ix, field) in entity.iter().filter(|(_, field)| field.unique) {
        add(vec![equal(entity, ix)], true, false);
        debug_assert!(!field.kind.is_set());
    }
    for declared in &entity.indexes {
        // A choice before the last place is there to be equal to something, which compares its
        // code; in the last place or descending it is there to sort.
        let mut columns: Vec<IndexColumn> = declared
            .iter()
            .enumerate()
            .map(|(place, sort)| {
                let sorts = sort.descending || place + 1 == declared.len();
                let column = compared(entity, sort.field, sort.descending);
                if sorts {
                    column
                } else {
                    IndexColumn {
                        codes: None,
                        ..column
                    }
                }
            })
            .collect();
        let descending = columns.last().is_some_and(|last| last.descending);
        columns.push(plain_index(system::ID, descending));
        add(columns, false, false);
    }
    for sort in default_sorts(entity) {
        add(sort, false, false);
    }
    for (ix, field) in entity.iter() {
        let is_anchor = entity.scope.own.contains(&ix)
            || entity.scope.department == Some(ix)
            || entity.scope.owner == Some(ix);
        let is_link = matches!(field.kind, FieldType::Link(_)) && !field.system;
        if field.kind.is_set() || !(is_anchor || is_link || field.index) {
            continue;
        }
        // A declared index holds every row: somebody may look for what points nowhere.
        let filled_only = matches!(field.kind, FieldType::Link(_));
        let newest = |mut columns: Vec<IndexColumn>| {
            if entity.find(system::CREATED_AT).is_some() {
                columns.push(plain_index(system::CREATED_AT, true));
                columns.push(plain_index(system::ID, true));
            }
            columns
        };
        add(newest(vec![equal(entity, ix)]), false, filled_only);
        // One's own are looked for by their state; most of those of years are done.
        if let Some(state) = entity.state_field()
            && entity.scope.own.contains(&ix)
        {
            let columns = vec![equal(entity, ix), equal(entity, state)];
            add(newest(columns), false, filled_only);
        }
    }
    found
}

/// The sort of the list and the default one, each with the id to make it total.
fn default_sorts(entity: &Entity) -> Vec<Vec<IndexColumn>> {
    let mut sorts = Vec::new();
    if !entity.list.sort.is_empty() {
        let mut columns: Vec<_> = entity
            .list
            .sort
            .iter()
            .map(|s| compared(entity, s.field, s.descending))
            .collect();
        let descending = columns.last().is_some_and(|last| last.descending);
        columns.push(plain_index(system::ID, descending));
        sorts.push(columns);
    }
    if entity.find(system::CREATED_AT).is_some() {
        sorts.push(vec![
            plain_index(system::CREATED_AT, true),
            plain_index(system::ID, true),
        ]);
    }
    if entity.kind == EntityKind::Record {
        // Undoing a deletion and the bin.
        sorts.push(vec![plain_index(system::DELETION_ID, false)]);
    }
    sorts
}

fn plain_index(column: &str, descending: bool) -> IndexColumn {
    IndexColumn {
        column: column.to_owned(),
        descending,
        codes: None,
    }
}

/// The column by which a field is compared: its folded key, its codes, or itself.
#[must_use]
pub fn compared(entity: &Entity, ix: FieldIx, descending: bool) -> IndexColumn {
    let field = entity.field(ix);
    let column = if field.kind.has_key() {
        format!("{}{KEY_SUFFIX}", field.name)
    } else {
        field.name.clone()
    };
    let codes = crate::predicate::declared_order(entity, field.kind.holds())
        .map(|codes| codes.into_iter().map(str::to_owned).collect());
    IndexColumn {
        column,
        descending,
        codes,
    }
}

/// The column by which a field is tested for equality among indexes: never its place in an order.
fn equal(entity: &Entity, ix: FieldIx) -> IndexColumn {
    IndexColumn {
        codes: None,
        ..compared(entity, ix, false)
    }
}

/// PostgreSQL cuts names at 63 bytes; a longer one keeps its beginning and gets a digest.
fn short_name(name: &str) -> String {
    if name.len() <= 63 {
        return name.to_owned();
    }
    let digest = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut end = 46;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{digest:016x}", &name[..end])
}

/// What deleting a record does to the records whose links point at it.
#[must_use]
pub fn on_delete(field: &Field) -> Option<OnDelete> {
    match &field.kind {
        FieldType::Link(link) | FieldType::Links(link) if !field.system => Some(link.on_delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
