//! Steps of a plan as SQL, in the order in which a database can run them.
//!
//! Pure, like [`ddl`]: what a step means depends on the layout at that moment, which is carried
//! along step by step.
//!
//! PostgreSQL follows each step; only foreign keys wait until every table is there. SQLite cannot
//! add a foreign key to a table, change a type, or drop a column that has a foreign key: such a
//! table is rebuilt, once for all steps that ask for it, see [`rebuild`](super::rebuild).

use std::collections::{BTreeMap, BTreeSet};

use opsflux_model::layout::{Column, ColumnKind, Index, Layout, Table};
use opsflux_model::migrate::Step;

use super::ddl::{self, quoted};
use super::rebuild::{Former, Rebuild};
use crate::sql::Dialect;

/// What is run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// One statement.
    Run(String),
    /// SQLite: several, with a look before and after.
    Rebuild(Rebuild),
}

/// What is run for some steps.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Script {
    /// One after the other.
    pub actions: Vec<Action>,
    /// Tables with new indexes, as they are called afterwards: their statistics are taken anew, or
    /// the planner would not know when an index is worth it.
    pub indexed: BTreeSet<String>,
}

impl Script {
    /// What carries out `steps`. `layout` is what is there, and then what is there afterwards.
    pub(crate) fn of(dialect: Dialect, layout: &mut Layout, steps: &[Step]) -> Script {
        let mut writer = Writer {
            dialect,
            layout,
            script: Script::default(),
            keys: Vec::new(),
            waiting: BTreeMap::new(),
        };
        for step in steps {
            writer.step(step);
        }
        writer.rebuild_all();
        writer.add_foreign_keys();
        writer.script
    }

    /// As a person reads it.
    pub(crate) fn readable(&self) -> Vec<String> {
        let statements = self.actions.iter().flat_map(|action| match action {
            Action::Run(text) => std::slice::from_ref(text),
            Action::Rebuild(rebuild) => &rebuild.statements,
        });
        statements.cloned().collect()
    }
}

struct Writer<'l> {
    dialect: Dialect,
    layout: &'l mut Layout,
    script: Script,
    /// PostgreSQL: ids of tables and columns that get their foreign key when all tables exist.
    keys: Vec<(String, String)>,
    /// SQLite: tables to be rebuilt, as they still are in the database.
    waiting: BTreeMap<String, Former>,
}

impl Writer<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::RenameTable { .. } | Step::RenameColumn { .. } => self.rebuild_all(),
            Step::CreateIndex { table, .. } => self.rebuild(table),
            Step::DropTable { table } => drop(self.waiting.remove(table)),
            _ => {}
        }
        let postponed = self.dialect == Dialect::Sqlite && self.postpone(step);
        if !postponed && let Some(text) = self.statement(step) {
            self.script.actions.push(Action::Run(text));
        }
        if self.dialect == Dialect::Postgres {
            self.note_foreign_keys(step);
        }
        step.apply(self.layout);
    }

    /// Leaves a step to a rebuild, when it needs one or its table waits for one anyway.
    fn postpone(&mut self, step: &Step) -> bool {
        let (table, needs_rebuild) = match step {
            Step::AddColumn { table, column } => (table, column.references.is_some()),
            Step::ChangeKind { table, .. } => (table, true),
            Step::DropColumn { table, column } => (table, self.has_foreign_key(table, column)),
            _ => return false,
        };
        if needs_rebuild && !self.waiting.contains_key(table) {
            let former = self.layout.table(table).map(Former::of);
            self.waiting
                .extend(former.map(|former| (table.clone(), former)));
        }
        let Some(former) = self.waiting.get_mut(table) else {
            return false;
        };
        if let Step::ChangeKind {
            column, from, to, ..
        } = step
        {
            former.convert(column, *from, *to);
        }
        true
    }

    fn has_foreign_key(&self, table: &str, column: &str) -> bool {
        let columns = self.layout.table(table).map(|table| &table.columns);
        columns.is_some_and(|columns| {
            let mut named = columns.iter().filter(|other| other.name == column);
            named.any(|column| column.references.is_some())
        })
    }

    fn rebuild_all(&mut self) {
        while let Some((table, former)) = self.waiting.pop_first() {
            self.rebuild_as(&table, &former);
        }
    }

    fn rebuild(&mut self, table: &str) {
        if let Some(former) = self.waiting.remove(table) {
            self.rebuild_as(table, &former);
        }
    }

    fn rebuild_as(&mut self, table: &str, former: &Former) {
        if let Some(rebuild) = Rebuild::of(self.layout, table, former) {
            self.script.actions.push(Action::Rebuild(rebuild));
            self.script.indexed.insert(table.to_owned());
        }
    }

    /// The statement of a step that both databases know; on SQLite those that they do not have
    /// been postponed.
    fn statement(&mut self, step: &Step) -> Option<String> {
        Some(match step {
            Step::CreateTable(table) => ddl::create_table(self.dialect, table, &table.name),
            Step::RenameTable { from, to } => {
                format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to))
            }
            Step::DropTable { table } => format!("DROP TABLE {}", quoted(table)),
            Step::RenameColumn { table, from, to } => format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                quoted(table),
                quoted(from),
                quoted(to)
            ),
            Step::AddColumn { table, column } => self.add_column(table, column),
            Step::ChangeKind {
                table, column, to, ..
            } => self.change_kind(table, column, *to),
            Step::DropColumn { table, column } => {
                format!(
                    "ALTER TABLE {} DROP COLUMN {}",
                    quoted(table),
                    quoted(column)
                )
            }
            Step::CreateIndex { table, index } => self.create_index(table, index)?,
            Step::DropIndex { name, .. } => format!("DROP INDEX {}", quoted(name)),
        })
    }

    fn add_column(&self, table: &str, column: &Column) -> String {
        let definition = ddl::column_definition(self.dialect, column);
        format!("ALTER TABLE {} ADD COLUMN {definition}", quoted(table))
    }

    fn change_kind(&self, table: &str, column: &str, to: ColumnKind) -> String {
        let kind = ddl::column_type(self.dialect, to);
        format!(
            "ALTER TABLE {} ALTER COLUMN {} TYPE {kind}",
            quoted(table),
            quoted(column)
        )
    }

    fn create_index(&mut self, table: &str, index: &Index) -> Option<String> {
        let table = self.layout.table(table)?;
        self.script.indexed.insert(table.name.clone());
        Some(ddl::create_index(self.dialect, table, index))
    }

    fn note_foreign_keys(&mut self, step: &Step) {
        let mut note = |table: &Table, column: &Column| {
            if column.references.is_some() {
                self.keys.push((table.id.clone(), column.id.clone()));
            }
        };
        match step {
            Step::CreateTable(table) => {
                table.columns.iter().for_each(|column| note(table, column));
            }
            Step::AddColumn { table, column } => {
                if let Some(table) = self.layout.table(table) {
                    note(table, column);
                }
            }
            _ => {}
        }
    }

    fn add_foreign_keys(&mut self) {
        for (table, column) in &self.keys {
            let found = self.layout.tables.iter().find(|other| other.id == *table);
            let Some(table) = found else { continue };
            let mut keys = ddl::foreign_keys(table).filter(|(other, _)| other.id == *column);
            if let Some((column, to)) = keys.next() {
                let text = ddl::add_foreign_key(table, column, to);
                self.script.actions.push(Action::Run(text));
            }
        }
    }
}
