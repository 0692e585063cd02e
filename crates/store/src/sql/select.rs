//! A [`Select`] as statements.

use opsflux_model::schema::{EntityKind, Field, FieldType, Schema, system};
use opsflux_model::{FieldIx, Predicate, layout};

use super::branches::{Apart, Branch, Indexes, Shared, branches};
use super::filter::{self, At};
use super::sort::{self, Ordering, Part};
use super::{Cell, Decode, Dialect, OutputPlan, Page, Sql, Statement, column, unfit};
use crate::error::StoreError;
use crate::query::{Output, Select};
use crate::row;

/// The name of the asked record in every statement.
const ROOT: &str = "t";

/// The statements of a page.
///
/// # Errors
/// [`StoreError::Internal`] when the select does not fit the schema.
pub fn page(
    dialect: Dialect,
    schema: &Schema,
    indexes: &Indexes,
    select: &Select,
) -> Result<Page, StoreError> {
    let question = Question {
        schema,
        select,
        apart: branches(schema, indexes, select, Shared::Yes),
        ordering: Ordering::new(schema, select, ROOT)?,
    };
    let mut outputs = Vec::new();
    let mut parts = Vec::new();
    let mut once = None;
    for part in question.ordering.parts(schema, select)? {
        let (statement, rows) = question.part(dialect, &part)?;
        parts.push(statement);
        once = rows.id;
        outputs = rows.plans;
    }
    Ok(Page {
        parts,
        outputs,
        once,
        limit: usize::try_from(select.limit).unwrap_or(usize::MAX),
    })
}

/// A statement that answers how many rows there are; when there are more than `cap`, something
/// above it. Alternatives are counted one by one, each along its index.
///
/// # Errors
/// [`StoreError::Internal`] when the filter does not fit the schema.
pub fn count(
    dialect: Dialect,
    schema: &Schema,
    indexes: &Indexes,
    select: &Select,
    cap: u64,
) -> Result<Statement, StoreError> {
    let mut sql = Sql::new(dialect);
    sql.bind(Cell::Int(select.tenant));
    let apart = branches(schema, indexes, select, Shared::No);
    if let [branch] = apart.branches.as_slice() {
        counted(&mut sql, schema, select, branch, cap)?;
        return Ok(sql.finish());
    }
    sql.push("SELECT ");
    for (place, branch) in apart.branches.iter().enumerate() {
        sql.push(if place > 0 { " + (" } else { "(" });
        counted(&mut sql, schema, select, branch, cap)?;
        sql.push(")");
    }
    Ok(sql.finish())
}

/// Adds `SELECT count(*)` over at most `cap` rows that are in `branch`. The tenant is the first
/// parameter already.
///
/// # Errors
/// [`StoreError::Internal`] when the filter does not fit the schema.
pub fn counted(
    sql: &mut Sql,
    schema: &Schema,
    select: &Select,
    branch: &Branch,
    cap: u64,
) -> Result<(), StoreError> {
    sql.push("SELECT count(*) FROM (SELECT 1 FROM ");
    let root = At {
        schema,
        alias: ROOT,
        ix: select.entity,
    };
    walked(sql, root, branch);
    filtered(sql, root, select, &branch.filter)?;
    limit(sql, cap);
    sql.push(") counted");
    Ok(())
}

/// Adds the table, read along the index of a branch.
fn walked(sql: &mut Sql, root: At<'_>, branch: &Branch) {
    sql.name(&layout::table_name(root.entity()));
    sql.push(" ").push(ROOT);
    if let (Dialect::Sqlite, Some(index)) = (sql.dialect, &branch.index) {
        sql.push(" INDEXED BY ").name(index);
    } else if sql.dialect == Dialect::Sqlite && branch.by_key {
        // The key of a table is the first index SQLite makes for it by itself.
        let table = layout::table_name(root.entity());
        sql.push(" INDEXED BY ");
        sql.name(&format!("sqlite_autoindex_{table}_1"));
    }
}

/// Adds `WHERE` with the walls and a filter.
fn filtered(
    sql: &mut Sql,
    root: At<'_>,
    select: &Select,
    filter: &Predicate,
) -> Result<(), StoreError> {
    sql.push(" WHERE ");
    filter::walls(sql, root, select.living);
    if *filter != Predicate::True {
        sql.push(" AND ");
        filter::predicate(sql, root, filter, false)?;
    }
    Ok(())
}

/// PostgreSQL plans by the number, SQLite does not: there one text serves all.
fn limit(sql: &mut Sql, rows: u64) {
    sql.push(" LIMIT ");
    match sql.dialect {
        Dialect::Sqlite => {
            sql.param(Cell::Int(i64::try_from(rows).unwrap_or(i64::MAX)));
        }
        Dialect::Postgres => {
            sql.push(&rows.to_string());
        }
    }
}

struct Question<'a> {
    schema: &'a Schema,
    select: &'a Select,
    apart: Apart,
    ordering: Ordering,
}

impl Question<'_> {
    fn part(&self, dialect: Dialect, part: &Part) -> Result<(Statement, Rows), StoreError> {
        let mut sql = Sql::new(dialect);
        sql.bind(Cell::Int(self.select.tenant));
        let mut answered = Rows::default();
        if let [branch] = self.apart.branches.as_slice() {
            answered = self.rows(&mut sql, part, branch, false)?;
            self.ordering.order_by(&mut sql, part);
        } else {
            for (place, branch) in self.apart.branches.iter().enumerate() {
                sql.push(if place > 0 { " UNION ALL " } else { "" });
                answered = self.rows(&mut sql, part, branch, true)?;
            }
            let last = self
                .ordering
                .order_by_column(&mut sql, part, answered.columns);
            // Rows of one place in the order are one row: the last key is the id.
            answered.id = last.filter(|_| self.apart.overlap > 1);
        }
        // A row that is in several branches comes several times, and counts once.
        let rows = u64::from(self.select.limit).saturating_mul(self.apart.overlap);
        limit(&mut sql, rows);
        Ok((sql.finish(), answered))
    }

    /// Adds `SELECT … WHERE …` of the rows of a part that are in `branch`; `merged`: with what
    /// they are sorted by after the outputs.
    fn rows(
        &self,
        sql: &mut Sql,
        part: &Part,
        branch: &Branch,
        merged: bool,
    ) -> Result<Rows, StoreError> {
        let root = At {
            schema: self.schema,
            alias: ROOT,
            ix: self.select.entity,
        };
        sql.push("SELECT ");
        let mut columns = Columns { sql, written: 0 };
        let outputs = self.select.outputs.iter();
        let plans = outputs.map(|output| self.output(&mut columns, root, output));
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        if plans.is_empty() {
            columns.next().push("1");
        }
        let written = columns.written;
        if merged {
            self.ordering.columns(sql, part);
        }
        sql.push(" FROM ");
        walked(sql, root, branch);
        sort::joins(sql, root, &self.select.sort)?;
        filtered(sql, root, self.select, &branch.filter)?;
        self.ordering.conditions(sql, part);
        Ok(Rows {
            plans,
            columns: written,
            id: None,
        })
    }

    fn output(
        &self,
        columns: &mut Columns<'_>,
        root: At<'_>,
        output: &Output,
    ) -> Result<OutputPlan, StoreError> {
        match output {
            Output::Field(field) => columns.field(root, root.entity().field(*field)),
            Output::Holds(predicate) => {
                columns.next().push("(");
                filter::predicate(columns.sql, root, predicate, false)?;
                columns.sql.push(") IS TRUE");
                Ok(columns.plan(1, Decode::Bool))
            }
            Output::Target { link, visible } => {
                self.target(columns.next(), root, *link, visible)?;
                Ok(columns.plan(1, Decode::Text))
            }
            Output::SortKey(place) => {
                let sort = self.select.sort.get(*place);
                let (key, sort) = self
                    .ordering
                    .key(*place)
                    .zip(sort)
                    .ok_or_else(|| unfit(format!("there is no sort key {place}")))?;
                let at = At {
                    alias: &key.alias,
                    ix: key.entity,
                    ..root
                };
                columns.field(at, at.entity().field(sort.path.field))
            }
            Output::System(name) => {
                let decode = match *name {
                    system::DELETED_AT => Decode::Time,
                    system::DELETION_ID => Decode::Id,
                    other => return Err(unfit(format!("{other} is no system column"))),
                };
                if root.entity().kind == EntityKind::Log {
                    return Err(unfit("logs are never deleted"));
                }
                columns.next().column(ROOT, name);
                Ok(columns.plan(1, decode))
            }
        }
    }

    /// Adds what [`crate::row::Target`] is read from: nothing for an empty link, which is asked
    /// first so that nobody is looked for.
    fn target(
        &self,
        sql: &mut Sql,
        root: At<'_>,
        link: FieldIx,
        visible: &Predicate,
    ) -> Result<(), StoreError> {
        let field = root.entity().field(link);
        let FieldType::Link(to) = &field.kind else {
            return Err(unfit(format!("{} is no link", field.name)));
        };
        let alias = sql.alias();
        let at = At {
            alias: &alias,
            ix: to.to,
            ..root
        };
        sql.push("CASE WHEN ").column(root.alias, &field.name);
        sql.push(" IS NOT NULL THEN (SELECT CASE");
        if at.entity().kind == EntityKind::Record {
            sql.push(" WHEN ").column(&alias, system::DELETED_AT);
            sql.push(&format!(" IS NOT NULL THEN '{}'", row::GONE));
        }
        sql.push(" WHEN ");
        filter::predicate(sql, at, visible, false)?;
        sql.push(&format!(" THEN '{}' || ", row::TITLE));
        sql.column(&alias, &at.entity().field(at.entity().title).name);
        sql.push(" END FROM ")
            .name(&layout::table_name(at.entity()));
        sql.push(" ").push(&alias).push(" WHERE ");
        filter::tenant(sql, &alias);
        sql.push(" AND ").column(&alias, system::ID).push(" = ");
        sql.column(root.alias, &field.name).push(") END");
        Ok(())
    }
}

/// What a `SELECT` answers.
#[derive(Default)]
struct Rows {
    plans: Vec<OutputPlan>,
    /// How many columns the outputs have.
    columns: usize,
    /// The column by which a row that comes again is known.
    id: Option<usize>,
}

/// The list of columns being written.
struct Columns<'a> {
    sql: &'a mut Sql,
    written: usize,
}

impl Columns<'_> {
    /// Ready for one more column.
    fn next(&mut self) -> &mut Sql {
        if self.written > 0 {
            self.sql.push(", ");
        }
        self.written += 1;
        self.sql
    }

    /// The plan of an output whose last `count` columns were just written.
    fn plan(&self, count: usize, decode: Decode) -> OutputPlan {
        OutputPlan {
            column: self.written - count,
            decode,
        }
    }

    fn field(&mut self, at: At<'_>, field: &Field) -> Result<OutputPlan, StoreError> {
        let decode = column::decode(field)?;
        if matches!(decode, Decode::TextSet | Decode::IdSet) {
            self.next();
            set(self.sql, at, field);
            return Ok(self.plan(1, decode));
        }
        let mut columns = layout::columns_of(field);
        if field.kind.has_key() {
            columns.truncate(1);
        }
        for (name, _) in &columns {
            self.next().column(at.alias, name);
        }
        Ok(self.plan(columns.len(), decode))
    }
}

/// Adds the values of a set in the order they were given, gathered as [`Decode`] says.
fn set(sql: &mut Sql, at: At<'_>, field: &Field) {
    let is_ids = matches!(field.kind, FieldType::Links(_));
    let (before, after) = match (sql.dialect, is_ids) {
        (Dialect::Sqlite, false) => ("json_group_array(", ""),
        (Dialect::Sqlite, true) => ("group_concat(hex(", "), ''"),
        (Dialect::Postgres, false) => ("'[' || string_agg(to_json(", ")::text, ','"),
        (Dialect::Postgres, true) => ("string_agg(replace(", "::text, '-', ''), ''"),
    };
    // On SQLite to gather nothing costs more than to see that there is nothing.
    let guarded = sql.dialect == Dialect::Sqlite;
    if guarded {
        sql.push("CASE WHEN EXISTS (SELECT 1 FROM ");
        items_of(sql, at, field);
        sql.push(") THEN ");
    }
    let items = sql.alias();
    sql.push("(SELECT ").push(before);
    sql.column(&items, "value").push(after).push(" ORDER BY ");
    sql.column(&items, "place").push(", ");
    sql.column(&items, "value").push(")");
    if sql.dialect == Dialect::Postgres && !is_ids {
        sql.push(" || ']'");
    }
    sql.push(" FROM ");
    items_as(sql, at, field, &items);
    sql.push(if guarded { ") END" } else { ")" });
}

/// Adds the table of a set and `WHERE` with whose values they are.
fn items_of(sql: &mut Sql, at: At<'_>, field: &Field) {
    let items = sql.alias();
    items_as(sql, at, field, &items);
}

fn items_as(sql: &mut Sql, at: At<'_>, field: &Field, items: &str) {
    sql.name(&layout::set_table_name(at.entity(), field));
    sql.push(" ").push(items).push(" WHERE ");
    filter::tenant(sql, items);
    sql.push(" AND ").column(items, "owner_id").push(" = ");
    sql.column(at.alias, system::ID);
}
