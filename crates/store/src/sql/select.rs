//! A [`Select`] as statements.

use opsflux_model::schema::{EntityKind, Field, FieldType, Schema, system};
use opsflux_model::{FieldIx, Predicate, layout};

use super::branches::{Branch, Indexes, branches};
use super::filter::{self, At};
use super::sort::{self, Ordering, Part};
use super::{Cell, Decode, Dialect, OutputPlan, Page, Sql, Statement, column, unfit};
use crate::error::StoreError;
use crate::query::{Living, Output, Select};

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
        branches: branches(schema, indexes, select),
        ordering: Ordering::new(schema, select, ROOT)?,
    };
    let mut outputs = Vec::new();
    let mut parts = Vec::new();
    for part in question.ordering.parts(schema, select)? {
        let (statement, plan) = question.part(dialect, &part)?;
        parts.push(statement);
        outputs = plan;
    }
    Ok(Page {
        parts,
        outputs,
        limit: usize::try_from(select.limit).unwrap_or(usize::MAX),
    })
}

/// A statement that answers how many rows there are, `cap` at most.
///
/// # Errors
/// [`StoreError::Internal`] when the filter does not fit the schema.
pub fn count(
    dialect: Dialect,
    schema: &Schema,
    select: &Select,
    cap: u64,
) -> Result<Statement, StoreError> {
    let mut sql = Sql::new(dialect);
    sql.bind(Cell::Int(select.tenant));
    counted(&mut sql, schema, select, cap)?;
    Ok(sql.finish())
}

/// Adds `SELECT count(*)` over at most `cap` rows that pass the filter of `select`. The tenant is
/// the first parameter already.
///
/// # Errors
/// [`StoreError::Internal`] when the filter does not fit the schema.
pub fn counted(
    sql: &mut Sql,
    schema: &Schema,
    select: &Select,
    cap: u64,
) -> Result<(), StoreError> {
    sql.push("SELECT count(*) FROM (SELECT 1 FROM ");
    let root = At {
        schema,
        alias: ROOT,
        ix: select.entity,
    };
    sql.name(&layout::table_name(root.entity()))
        .push(" ")
        .push(ROOT);
    filtered(sql, root, select, &select.filter)?;
    limit(sql, cap);
    sql.push(") counted");
    Ok(())
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
    /// Filters that share no row and together are the filter.
    branches: Vec<Branch>,
    ordering: Ordering,
}

impl Question<'_> {
    fn part(
        &self,
        dialect: Dialect,
        part: &Part,
    ) -> Result<(Statement, Vec<OutputPlan>), StoreError> {
        let mut sql = Sql::new(dialect);
        sql.bind(Cell::Int(self.select.tenant));
        let mut plans = Vec::new();
        if let [branch] = self.branches.as_slice() {
            plans = self.rows(&mut sql, part, branch, false)?.plans;
            self.ordering.order_by(&mut sql, part);
        } else {
            let mut outputs = 0;
            for (place, branch) in self.branches.iter().enumerate() {
                sql.push(if place > 0 { " UNION ALL " } else { "" });
                let rows = self.rows(&mut sql, part, branch, true)?;
                (plans, outputs) = (rows.plans, rows.columns);
            }
            self.ordering.order_by_column(&mut sql, part, outputs);
        }
        limit(&mut sql, u64::from(self.select.limit));
        Ok((sql.finish(), plans))
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
        sql.name(&layout::table_name(root.entity()));
        sql.push(" ").push(ROOT);
        if let (Dialect::Sqlite, Some(index)) = (sql.dialect, &branch.index) {
            sql.push(" INDEXED BY ").name(index);
        }
        sort::joins(sql, root, &self.select.sort)?;
        filtered(sql, root, self.select, &branch.filter)?;
        self.ordering.conditions(sql, part);
        Ok(Rows {
            plans,
            columns: written,
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
            Output::Label { link, visible } => {
                self.linked(
                    columns.next(),
                    root,
                    *link,
                    Living::Only,
                    visible,
                    |sql, at| {
                        let title = at.entity().title;
                        sql.column(at.alias, &at.entity().field(title).name);
                    },
                )?;
                Ok(columns.plan(1, Decode::Text))
            }
            Output::Gone(link) => {
                let any = &Predicate::True;
                self.linked(columns.next(), root, *link, Living::Any, any, |sql, at| {
                    match at.entity().kind {
                        EntityKind::Log => sql.push("FALSE"),
                        EntityKind::Record => sql
                            .column(at.alias, system::DELETED_AT)
                            .push(" IS NOT NULL"),
                    };
                })?;
                Ok(columns.plan(1, Decode::Bool))
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

    /// Adds `(SELECT …)` from the record a link points at, when it passes `filter`.
    fn linked(
        &self,
        sql: &mut Sql,
        root: At<'_>,
        link: FieldIx,
        living: Living,
        filter: &Predicate,
        output: impl FnOnce(&mut Sql, At<'_>),
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
        sql.push("(SELECT ");
        output(sql, at);
        sql.push(" FROM ").name(&layout::table_name(at.entity()));
        sql.push(" ").push(&alias).push(" WHERE ");
        filter::walls(sql, at, living);
        sql.push(" AND ").column(&alias, system::ID).push(" = ");
        sql.column(root.alias, &field.name);
        if *filter != Predicate::True {
            sql.push(" AND ");
            filter::predicate(sql, at, filter, false)?;
        }
        sql.push(")");
        Ok(())
    }
}

/// What a `SELECT` answers.
struct Rows {
    plans: Vec<OutputPlan>,
    /// How many columns the outputs have.
    columns: usize,
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
    let items = sql.alias();
    let is_ids = matches!(field.kind, FieldType::Links(_));
    let (before, after) = match (sql.dialect, is_ids) {
        (Dialect::Sqlite, false) => ("json_group_array(", ""),
        (Dialect::Sqlite, true) => ("group_concat(hex(", "), ''"),
        (Dialect::Postgres, false) => ("'[' || string_agg(to_json(", ")::text, ','"),
        (Dialect::Postgres, true) => ("string_agg(replace(", "::text, '-', ''), ''"),
    };
    sql.push("(SELECT ").push(before);
    sql.column(&items, "value").push(after).push(" ORDER BY ");
    sql.column(&items, "place").push(", ");
    sql.column(&items, "value").push(")");
    if sql.dialect == Dialect::Postgres && !is_ids {
        sql.push(" || ']'");
    }
    sql.push(" FROM ");
    sql.name(&layout::set_table_name(at.entity(), field));
    sql.push(" ").push(&items).push(" WHERE ");
    filter::tenant(sql, &items);
    sql.push(" AND ").column(&items, "owner_id").push(" = ");
    sql.column(at.alias, system::ID).push(")");
}
