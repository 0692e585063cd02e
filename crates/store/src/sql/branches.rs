//! Filters with alternatives, each of which an index shows in the order asked for.
//!
//! “Of one of my departments, or mine” sorted by date is the very rule of most people. Neither
//! database finds a good plan for it: they read the whole order and throw away what does not pass,
//! or gather all that passes and sort it. Taken apart, each alternative is a walk along an index
//! that begins with it, and the walks are merged until the page is full.

use opsflux_model::layout::{self, Index, IndexColumn, Layout};
use opsflux_model::schema::{Entity, EntityKind, Schema, system};
use opsflux_model::{EntityIx, FieldIx, Operand, Predicate, Test, Value, predicate};

use super::{column, expr};
use crate::query::{Living, Select, Sort};

/// With more alternatives than this the rows that pass are dense enough to read the order itself.
const MOST: usize = 16;

/// The indexes of every entity.
#[derive(Debug, Default)]
pub struct Indexes(Vec<Vec<Index>>);

impl Indexes {
    /// Those the layout of `schema` gives its tables.
    #[must_use]
    pub fn of(schema: &Schema) -> Indexes {
        let layout = Layout::of(schema);
        let of_entity = |entity: &Entity| {
            let table = layout.table(&layout::table_name(entity));
            table.map(|table| table.indexes.clone()).unwrap_or_default()
        };
        Indexes(schema.entities.iter().map(of_entity).collect())
    }

    /// Whether an index of the entity has a column like `wanted`, in either direction.
    #[must_use]
    pub fn carry(&self, entity: EntityIx, wanted: &IndexColumn) -> bool {
        let whole = self.get(entity).iter().filter(|index| !index.filled_only);
        let mut columns = whole.flat_map(|index| &index.columns);
        columns.any(|has| has.column == wanted.column && has.codes == wanted.codes)
    }

    fn get(&self, entity: EntityIx) -> &[Index] {
        let found = self.0.get(usize::from(entity.0));
        found.map_or(&[], Vec::as_slice)
    }
}

/// A part of a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Which rows.
    pub filter: Predicate,
    /// The index that shows them in the order asked for. SQLite has to be told: it knows how many
    /// rows a value has on average, and of a link most rows leave empty the average says nothing.
    pub index: Option<String>,
    /// Rows are named by their ids. SQLite has to be told that too: it would rather read the whole
    /// order than sort a few.
    pub by_key: bool,
}

/// A filter taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// Filters that together are the filter; only itself when taking it apart gains nothing.
    pub branches: Vec<Branch>,
    /// In how many of them a row may be, at most.
    pub overlap: u64,
}

/// Whether a row may be in several branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// It may: walks that are merged in an order show it several times, one after the other.
    Yes,
    /// It is in one: where rows are counted. A walk then also passes the rows it leaves to others.
    No,
}

/// Takes the filter of `select` apart.
#[must_use]
pub fn branches(schema: &Schema, indexes: &Indexes, select: &Select, shared: Shared) -> Apart {
    let entity = schema.entity(select.entity);
    // The indexes of records hold the living.
    let indexed = select.living == Living::Only || entity.kind == EntityKind::Log;
    let sorted = match shared {
        Shared::Yes => order(entity, &select.sort).filter(|order| !order.is_empty()),
        Shared::No => Some(Vec::new()),
    };
    let sorted = sorted.filter(|_| indexed);
    let apart = sorted.and_then(|order| {
        let mut all = Vec::new();
        conjuncts(&select.filter, &mut all);
        let found = (0..all.len()).find_map(|place| {
            let alternatives = alternatives(entity, all[place], shared)?;
            let fits = (2..=MOST).contains(&alternatives.len());
            let walk = |alternative: &Alternative| {
                let equal = equal_columns(entity, all.iter().copied(), alternative.anchor);
                let anchor = layout::compared(entity, alternative.anchor, false).column;
                let indexes = indexes.get(select.entity).iter();
                let walks = indexes.filter_map(|index| {
                    Some((walks(index, &equal, &anchor, &order)?, index.name.clone()))
                });
                // The more columns are equal, the fewer rows are passed over.
                let walked = walks.max().map(|(_, name)| name);
                // Named records are few: they are fetched by their ids and sorted.
                let named = is_id(entity, alternative.anchor).then_some(None);
                walked.map(Some).or(named)
            };
            let found: Option<Vec<Option<String>>> = alternatives.iter().map(walk).collect();
            // By ids alone nothing is gained.
            let found = found.filter(|found| found.iter().any(Option::is_some));
            let found = found.filter(|_| fits)?;
            let overlap = match all[place] {
                Predicate::Any(parts) if shared == Shared::Yes => parts.len() as u64,
                _ => 1,
            };
            Some((place, alternatives, found, overlap))
        });
        let (place, alternatives, found, overlap) = found?;
        let others: Vec<&Predicate> = without(&all, place);
        let whole = alternatives.into_iter().zip(found);
        let whole = whole.map(|(alternative, index)| {
            let others = others.iter().map(|other| (*other).clone());
            Branch {
                filter: others.fold(alternative.holds, Predicate::and),
                by_key: index.is_none(),
                index,
            }
        });
        Some(Apart {
            branches: whole.collect(),
            overlap,
        })
    });
    let whole = || Branch {
        filter: select.filter.clone(),
        index: None,
        by_key: false,
    };
    apart.unwrap_or_else(|| Apart {
        branches: vec![whole()],
        overlap: 1,
    })
}

/// What must all hold.
fn conjuncts<'a>(filter: &'a Predicate, all: &mut Vec<&'a Predicate>) {
    match filter {
        Predicate::All(parts) => parts.iter().for_each(|part| conjuncts(part, all)),
        other => all.push(other),
    }
}

fn without<'a>(all: &[&'a Predicate], place: usize) -> Vec<&'a Predicate> {
    let kept = all.iter().enumerate().filter(|(at, _)| *at != place);
    kept.map(|(_, part)| *part).collect()
}

/// One of several predicates.
struct Alternative {
    /// The field that equals one value in all of it.
    anchor: FieldIx,
    holds: Predicate,
}

fn alternatives(
    entity: &Entity,
    predicate: &Predicate,
    shared: Shared,
) -> Option<Vec<Alternative>> {
    let Predicate::Any(parts) = predicate else {
        return anchored(entity, predicate);
    };
    let mut found = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        for alternative in anchored(entity, part)? {
            // What an earlier alternative counts must not be counted again.
            let earlier = parts[..place].iter().filter(|_| shared == Shared::No);
            let earlier = earlier.cloned();
            let holds = earlier.fold(alternative.holds, |holds, earlier| {
                holds.and(predicate::negate(earlier))
            });
            found.push(Alternative {
                holds,
                ..alternative
            });
        }
    }
    Some(found)
}

/// One alternative for each value of the first field that must equal one of some values.
fn anchored(entity: &Entity, predicate: &Predicate) -> Option<Vec<Alternative>> {
    let mut all = Vec::new();
    conjuncts(predicate, &mut all);
    let place = all.iter().position(|part| own_values(part).is_some())?;
    let (test, values) = own_values(all[place])?;
    // What no row can equal is asked of no index.
    let kind = &entity.field(test.path.field).kind;
    if values
        .iter()
        .any(|value| column::equal_to(kind, value).is_none())
    {
        return None;
    }
    if is_id(entity, test.path.field) {
        return Some(vec![Alternative {
            anchor: test.path.field,
            holds: predicate.clone(),
        }]);
    }
    let others = without(&all, place);
    let mut distinct: Vec<&Value> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let one = |value: &Value| {
        let operand = Operand::OneOf(vec![value.clone()]);
        let path = test.path.clone();
        let equal = Predicate::Test(Test { path, operand });
        let others = others.iter().map(|other| (*other).clone());
        Alternative {
            anchor: test.path.field,
            holds: others.fold(equal, Predicate::and),
        }
    };
    Some(distinct.into_iter().map(one).collect())
}

fn is_id(entity: &Entity, field: FieldIx) -> bool {
    entity.find(system::ID) == Some(field)
}

/// The values that a field of the record itself must equal one of.
fn own_values(predicate: &Predicate) -> Option<(&Test, &[Value])> {
    match predicate {
        Predicate::Test(test) if test.path.steps.is_empty() => match &test.operand {
            Operand::OneOf(values) => Some((test, values)),
            _ => None,
        },
        _ => None,
    }
}

/// Columns that equal one value: the anchor's, and those that `all` ask one value of.
fn equal_columns<'a>(
    entity: &Entity,
    all: impl Iterator<Item = &'a Predicate>,
    anchor: FieldIx,
) -> Vec<String> {
    let single = all.filter_map(|part| match own_values(part) {
        Some((test, [_])) => Some(test.path.field),
        _ => None,
    });
    let fields = single.chain([anchor]);
    let scalar = fields.filter(|field| !entity.field(*field).kind.is_set());
    scalar
        .map(|field| layout::compared(entity, field, false).column)
        .collect()
}

/// The sort as columns of an index; `None` for what no index shows whole.
fn order(entity: &Entity, sort: &[Sort]) -> Option<Vec<IndexColumn>> {
    let column = |key: &Sort| {
        // The field of a path belongs to the entity at its end, which has other fields.
        if !key.path.steps.is_empty() {
            return None;
        }
        let field = entity.field(key.path.field);
        let column = layout::compared(entity, key.path.field, key.descending);
        let is_own = !field.kind.is_set();
        // Nulls stand in one place of an index and in another of a merge.
        let never_null = column.codes.is_some() || expr::never_null(&column.column);
        (is_own && never_null).then_some(column)
    };
    let order: Option<Vec<_>> = sort.iter().map(column).collect();
    order
}

/// How many columns an index begins with that have one value each, the `anchor` among them, when
/// its rows then stand in `order`, read forwards or backwards.
fn walks(index: &Index, equal: &[String], anchor: &str, order: &[IndexColumn]) -> Option<usize> {
    let is_equal = |column: &&IndexColumn| column.codes.is_none() && equal.contains(&column.column);
    let fixed = index.columns.iter().take_while(is_equal).count();
    let (first, rest) = index.columns.split_at_checked(fixed)?;
    if !first.iter().any(|column| column.column == anchor) || rest.len() < order.len() {
        return None;
    }
    let pairs = || rest.iter().zip(order);
    let forwards = pairs().all(|(has, wants)| has == wants);
    let backwards = pairs().all(|(has, wants)| {
        // An order of codes is another expression in each direction.
        has.codes.is_none()
            && wants.codes.is_none()
            && has.column == wants.column
            && has.descending != wants.descending
    });
    (forwards || backwards).then_some(fixed)
}
