//! Order, and where a page begins in it.
//!
//! A sort key becomes one or two terms (a text is compared by its key, then by itself). Terms are
//! gathered in runs that one comparison of rows passes over. A page that begins after a given row
//! is read run by run, from the last to the first: first what equals the row in all runs but the
//! last, and so on outwards. Each part is one range of an index, and the parts one after the
//! other are the order asked for, nulls last.

use opsflux_model::predicate::{self, Hop};
use opsflux_model::schema::{Field, Schema};
use opsflux_model::{EntityIx, Predicate, Value, layout};

use super::filter::{self, At};
use super::{Cell, Dialect, Sql, column, expr, unfit};
use crate::error::StoreError;
use crate::query::{Living, Select, Sort};

/// The order of a select.
#[derive(Debug)]
pub struct Ordering {
    terms: Vec<Term>,
    keys: Vec<Key>,
}

/// Where the field of a sort key is read.
#[derive(Debug, Clone)]
pub struct Key {
    /// The name of its record in the statement.
    pub alias: String,
    /// What that record is.
    pub entity: EntityIx,
}

/// One compared expression.
#[derive(Debug, Clone)]
struct Term {
    text: String,
    descending: bool,
    nullable: bool,
    /// Null exactly when the term before it is.
    companion: bool,
}

/// Some of the rows of a page.
#[derive(Debug, Default)]
pub struct Part {
    /// What they have besides passing the filter.
    conditions: Vec<Condition>,
    /// The terms that differ among them.
    open: Vec<usize>,
}

#[derive(Debug)]
enum Condition {
    Null(usize),
    Equal(usize, Cell),
    /// Compared as one row.
    Beyond(Vec<(usize, Cell)>),
}

impl Ordering {
    /// The order of `select`, whose root is called `root` in the statement.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when a key is a set or leads to several records.
    pub fn new(schema: &Schema, select: &Select, root: &str) -> Result<Ordering, StoreError> {
        let mut ordering = Ordering {
            terms: Vec::new(),
            keys: Vec::new(),
        };
        for (place, sort) in select.sort.iter().enumerate() {
            let steps = sort.path.steps.len();
            if sort.path.steps.iter().any(|step| !is_link(step.hop)) {
                return Err(unfit("a sort key leads to several records"));
            }
            let alias = match steps {
                0 => root.to_owned(),
                steps => join_alias(place, steps - 1),
            };
            let terms = terms(schema, sort, &alias)?;
            ordering.keys.push(Key {
                alias,
                entity: sort.path.entity,
            });
            ordering.terms.extend(terms);
        }
        Ok(ordering)
    }

    /// Where the n-th sort key is read.
    #[must_use]
    pub fn key(&self, place: usize) -> Option<&Key> {
        self.keys.get(place)
    }

    /// The parts of a page, in order: one when it is the first page.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when `after` does not fit the sort.
    pub fn parts(&self, schema: &Schema, select: &Select) -> Result<Vec<Part>, StoreError> {
        let Some(after) = &select.after else {
            return Ok(vec![Part {
                conditions: Vec::new(),
                open: (0..self.terms.len()).collect(),
            }]);
        };
        if after.len() != select.sort.len() {
            return Err(unfit(
                "a page begins after as many values as there are keys",
            ));
        }
        let mut cells = Vec::with_capacity(self.terms.len());
        for (sort, value) in select.sort.iter().zip(after) {
            cells.extend(cells_of(schema, sort, value)?);
        }
        let runs = self.runs();
        let mut parts = Vec::new();
        for (place, run) in runs.iter().enumerate().rev() {
            let (before, later) = (&runs[..place], &runs[place + 1..]);
            self.beyond(&cells, before, run, later, &mut parts);
        }
        Ok(parts)
    }

    /// Terms that may be compared as one row: nothing but the first is ever null while the first
    /// is not, and all go the same way.
    fn runs(&self) -> Vec<Vec<usize>> {
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for (place, term) in self.terms.iter().enumerate() {
            match runs.last_mut() {
                Some(run)
                    if self.terms[run[0]].descending == term.descending
                        && (term.companion || !term.nullable) =>
                {
                    run.push(place);
                }
                _ => runs.push(vec![place]),
            }
        }
        runs
    }

    /// What equals the row in the runs before, and stands beyond it in `run`.
    fn beyond(
        &self,
        cells: &[Cell],
        before: &[Vec<usize>],
        run: &[usize],
        later: &[Vec<usize>],
        parts: &mut Vec<Part>,
    ) {
        let equal = || {
            let places = before.iter().flatten();
            let known = places.filter(|place| !self.is_implied(**place, cells));
            known
                .map(|place| match &cells[*place] {
                    Cell::Null => Condition::Null(*place),
                    cell => Condition::Equal(*place, cell.clone()),
                })
                .collect::<Vec<_>>()
        };
        let with = |places: &[usize]| {
            let with_cell = places.iter().map(|place| (*place, cells[*place].clone()));
            Condition::Beyond(with_cell.collect())
        };
        let open = |places: &[usize]| {
            let later = later.iter().flatten();
            places.iter().chain(later).copied().collect::<Vec<_>>()
        };
        let first = run[0];
        let rest: Vec<usize> = run[1..]
            .iter()
            .copied()
            .filter(|place| !self.terms[*place].companion)
            .collect();
        let mut part = |more: Vec<Condition>, open: Vec<usize>| {
            let mut conditions = equal();
            conditions.extend(more);
            parts.push(Part { conditions, open });
        };
        if cells[first] == Cell::Null {
            if !rest.is_empty() {
                part(vec![Condition::Null(first), with(&rest)], open(&rest));
            }
        } else {
            part(vec![with(run)], open(run));
            if self.terms[first].nullable {
                part(vec![Condition::Null(first)], open(&rest));
            }
        }
    }

    /// A companion of a null says nothing new.
    fn is_implied(&self, place: usize, cells: &[Cell]) -> bool {
        self.terms[place].companion && cells[place] == Cell::Null
    }

    /// Adds the conditions of a part, each after an `AND`.
    pub fn conditions(&self, sql: &mut Sql, part: &Part) {
        for condition in &part.conditions {
            sql.push(" AND ");
            match condition {
                Condition::Null(place) => {
                    sql.push(&self.terms[*place].text).push(" IS NULL");
                }
                Condition::Equal(place, cell) => {
                    sql.push(&self.terms[*place].text).push(" = ");
                    sql.param(cell.clone());
                }
                Condition::Beyond(row) => self.row(sql, row),
            }
        }
    }

    fn row(&self, sql: &mut Sql, row: &[(usize, Cell)]) {
        let sign = match row.first() {
            Some((place, _)) if self.terms[*place].descending => " < ",
            _ => " > ",
        };
        let (open, close) = if row.len() > 1 { ("(", ")") } else { ("", "") };
        sql.push(open);
        for (at, (place, _)) in row.iter().enumerate() {
            sql.push(if at > 0 { ", " } else { "" });
            sql.push(&self.terms[*place].text);
        }
        sql.push(close).push(sign).push(open);
        for (at, (_, cell)) in row.iter().enumerate() {
            sql.push(if at > 0 { ", " } else { "" });
            sql.param(cell.clone());
        }
        sql.push(close);
    }

    /// Adds `ORDER BY` for the rows of a part.
    pub fn order_by(&self, sql: &mut Sql, part: &Part) {
        for (at, place) in part.open.iter().enumerate() {
            let direction = self.direction(sql.dialect, part, *place);
            sql.push(if at > 0 { ", " } else { " ORDER BY " });
            sql.push(&self.terms[*place].text);
            sql.push(" ").push(direction);
        }
    }

    /// Adds what the rows of a part are sorted by as further columns.
    pub fn columns(&self, sql: &mut Sql, part: &Part) {
        for place in &part.open {
            sql.push(", ").push(&self.terms[*place].text);
        }
    }

    /// Adds `ORDER BY` for rows that have what they are sorted by after `outputs` other columns;
    /// answers the place of the last of these columns.
    pub fn order_by_column(&self, sql: &mut Sql, part: &Part, outputs: usize) -> Option<usize> {
        for (at, place) in part.open.iter().enumerate() {
            let direction = self.direction(sql.dialect, part, *place);
            sql.push(if at > 0 { ", " } else { " ORDER BY " });
            sql.push(&(outputs + at + 1).to_string());
            sql.push(" ").push(direction);
        }
        let last = part.open.len().checked_sub(1)?;
        Some(outputs + last)
    }

    fn direction(&self, dialect: Dialect, part: &Part, place: usize) -> &'static str {
        let term = &self.terms[place];
        // Beyond a value there are no nulls, and SQLite walks an index once if it knows.
        let settled = dialect == Dialect::Sqlite
            && part.conditions.iter().any(|condition| match condition {
                Condition::Beyond(row) => row.iter().any(|(other, _)| *other == place),
                _ => false,
            });
        expr::sort_direction(dialect, term.nullable && !settled, term.descending)
    }
}

/// Adds the records that sort keys read along links, each after a `LEFT JOIN`: a record that may
/// not be seen is no record.
///
/// # Errors
/// [`StoreError::Internal`] when a rule does not fit its entity.
pub fn joins(sql: &mut Sql, root: At<'_>, sorts: &[Sort]) -> Result<(), StoreError> {
    for (place, sort) in sorts.iter().enumerate() {
        let (mut alias, mut ix) = (root.alias.to_owned(), root.ix);
        for (depth, step) in sort.path.steps.iter().enumerate() {
            let Hop::Link(link) = step.hop else { continue };
            let joined = join_alias(place, depth);
            let from = At {
                alias: &alias,
                ix,
                ..root
            };
            let next = At {
                alias: &joined,
                ix: step.to,
                ..root
            };
            sql.push(" LEFT JOIN ");
            sql.name(&layout::table_name(next.entity())).push(" ");
            sql.push(&joined).push(" ON ");
            filter::walls(sql, next, Living::Only);
            filter::follow(sql, from, link, next);
            if *step.rule != Predicate::True {
                sql.push(" AND ");
                filter::predicate(sql, next, &step.rule, false)?;
            }
            (alias, ix) = (joined, step.to);
        }
    }
    Ok(())
}

fn is_link(hop: Hop) -> bool {
    matches!(hop, Hop::Link(_))
}

fn join_alias(key: usize, depth: usize) -> String {
    format!("k{key}_{depth}")
}

fn field<'a>(schema: &'a Schema, sort: &Sort) -> &'a Field {
    schema.entity(sort.path.entity).field(sort.path.field)
}

fn terms(schema: &Schema, sort: &Sort, alias: &str) -> Result<Vec<Term>, StoreError> {
    let field = field(schema, sort);
    let quoted = |column: &str| format!("{alias}.\"{column}\"");
    if let Some(codes) = codes(schema, sort) {
        return Ok(vec![Term {
            text: expr::ordered(&quoted(&field.name), &codes, sort.descending),
            descending: sort.descending,
            nullable: false,
            companion: false,
        }]);
    }
    let mut columns = layout::columns_of(field);
    if columns.is_empty() {
        return Err(unfit(format!("{} has no order", field.name)));
    }
    if field.kind.has_key() {
        columns.reverse();
    }
    let term = |(place, (column, _)): (usize, (String, _))| Term {
        text: quoted(&column),
        descending: sort.descending,
        nullable: !sort.path.steps.is_empty() || !expr::never_null(&column),
        companion: place > 0,
    };
    Ok(columns.into_iter().enumerate().map(term).collect())
}

fn codes<'a>(schema: &'a Schema, sort: &Sort) -> Option<Vec<&'a str>> {
    let entity = schema.entity(sort.path.entity);
    predicate::declared_order(entity, field(schema, sort).kind.holds())
}

/// What the terms of a key are for the row a page begins after.
fn cells_of(schema: &Schema, sort: &Sort, value: &Value) -> Result<Vec<Cell>, StoreError> {
    if let Some(codes) = codes(schema, sort) {
        let place = codes.iter().position(|code| value.as_text() == Some(code));
        let place = place.and_then(|place| i64::try_from(place).ok());
        let none = expr::unplaced(codes.len(), sort.descending);
        return Ok(vec![Cell::Int(place.unwrap_or(none))]);
    }
    let entity = schema.entity(sort.path.entity);
    let stored = column::stored(entity, sort.path.field, value)?;
    let mut cells: Vec<Cell> = stored.map(|(_, cell)| cell).collect();
    if field(schema, sort).kind.has_key() {
        cells.reverse();
    }
    Ok(cells)
}
