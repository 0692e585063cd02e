//! The comparison of two layouts.

use std::collections::BTreeSet;

use super::names::{base_id, hidden, is_key, spoken, spoken_all, text_of_key};
use super::step::{Fill, Filling, Step};
use super::{Plan, Refusal, Wishes, indexes, kind_name, order};
use crate::layout::{Column, ColumnKind, Layout, Table, TableKind};

/// How to get from `old`, the recorded layout, to `new`, that of today's schema.
///
/// # Errors
/// Every change that would lose values or their meaning.
pub fn plan(old: &Layout, new: &Layout, wishes: &Wishes) -> Result<Plan, Vec<Refusal>> {
    let mut comparison = Comparison {
        old,
        new,
        wishes,
        plan: Plan::default(),
        refusals: BTreeSet::new(),
        leaving_columns: Vec::new(),
        leaving_tables: Vec::new(),
        used_wishes: BTreeSet::new(),
    };
    comparison.drop_indexes();
    comparison.rename_tables();
    for table in &new.tables {
        match comparison.old_table(&table.id) {
            Some(former) => comparison.change_table(former, table),
            None => comparison.create_table(table),
        }
    }
    comparison.create_indexes();
    comparison.drop_what_may_go();
    comparison.finish()
}

struct Comparison<'p> {
    old: &'p Layout,
    new: &'p Layout,
    wishes: &'p Wishes,
    plan: Plan,
    refusals: BTreeSet<Refusal>,
    /// Columns to drop, as table and column are named by then.
    leaving_columns: Vec<(String, String)>,
    /// Ids of tables to drop.
    leaving_tables: Vec<&'p str>,
    used_wishes: BTreeSet<String>,
}

impl<'p> Comparison<'p> {
    fn old_table(&self, id: &str) -> Option<&'p Table> {
        self.old.tables.iter().find(|table| table.id == id)
    }

    fn new_table(&self, id: &str) -> Option<&'p Table> {
        self.new.tables.iter().find(|table| table.id == id)
    }

    fn drop_indexes(&mut self) {
        for table in &self.old.tables {
            let present = self.new_table(&table.id);
            for index in &table.indexes {
                let stays = present.is_some_and(|new| indexes::has_same(new, table, index));
                if !stays {
                    self.plan.expand.push(Step::DropIndex {
                        table: table.name.clone(),
                        name: index.name.clone(),
                    });
                }
            }
        }
    }

    fn rename_tables(&mut self) {
        let names: BTreeSet<&str> = self.new.tables.iter().map(|t| t.name.as_str()).collect();
        let mut wished = Vec::new();
        for table in &self.old.tables {
            let name = match self.new_table(&table.id) {
                Some(table) => table.name.clone(),
                None => {
                    self.leave_table(table);
                    hidden(&table.name, &table.id, &names)
                }
            };
            wished.push((table.name.clone(), name));
        }
        for (from, to) in order::renames(wished) {
            self.plan.expand.push(Step::RenameTable { from, to });
        }
    }

    /// A table that is no longer declared: hidden, or dropped when named. The sets of a dropped
    /// entity go with it.
    fn leave_table(&mut self, table: &'p Table) {
        let name = spoken(table, None);
        let owner = match &table.kind {
            TableKind::Set { owner } => self.old.table(owner).map(|owner| spoken(owner, None)),
            TableKind::Entity { .. } => None,
        };
        if self.take_wish(&name) || owner.is_some_and(|owner| self.wishes.drop.contains(&owner)) {
            self.leaving_tables.push(&table.id);
        } else {
            self.plan.kept.push(name);
        }
    }

    fn take_wish(&mut self, name: &str) -> bool {
        let wished = self.wishes.drop.contains(name);
        if wished {
            self.used_wishes.insert(name.to_owned());
        }
        wished
    }

    fn create_table(&mut self, table: &'p Table) {
        let was_column = self.old.tables.iter().find_map(|other| {
            let column = other.columns.iter().find(|column| column.id == table.id)?;
            Some((other, column))
        });
        if let Some((_, column)) = was_column {
            self.refusals.insert(Refusal::OtherType {
                what: spoken(table, None),
                from: kind_name(column.kind),
                to: "several values".to_owned(),
            });
        }
        self.plan.expand.push(Step::CreateTable(Table {
            indexes: Vec::new(),
            ..table.clone()
        }));
    }

    fn change_table(&mut self, former: &'p Table, table: &'p Table) {
        if std::mem::discriminant(&former.kind) != std::mem::discriminant(&table.kind)
            || matches!(table.kind, TableKind::Entity { .. }) && former.kind != table.kind
        {
            let what = spoken(table, None);
            self.refusals.insert(Refusal::OtherKind { what });
            return;
        }
        let names: BTreeSet<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let mut wished = Vec::new();
        for column in &former.columns {
            let name = match table.columns.iter().find(|other| other.id == column.id) {
                Some(column) => column.name.clone(),
                None => {
                    let name = hidden(&column.name, &column.id, &names);
                    self.leave_column(former, table, column, &name);
                    name
                }
            };
            wished.push((column.name.clone(), name));
        }
        for (from, to) in order::renames(wished) {
            let table = table.name.clone();
            self.plan
                .expand
                .push(Step::RenameColumn { table, from, to });
        }
        for column in &table.columns {
            match former.columns.iter().find(|other| other.id == column.id) {
                Some(other) => self.change_column(table, other, column),
                None => self.add_column(table, column),
            }
        }
    }

    /// A column that is no longer declared: hidden, or dropped when named. A folded key whose text
    /// is still there holds nothing of its own and goes unasked.
    fn leave_column(&mut self, former: &Table, table: &Table, column: &Column, hidden_as: &str) {
        let field = base_id(&column.id);
        let first = former.columns.iter().find(|other| other.id == field);
        let name = spoken(former, Some(first.unwrap_or(column)));
        let is_derived = is_key(column) && table.columns.iter().any(|other| other.id == field);
        if is_derived && let Some(kind) = self.wishes.bounded.get(field) {
            self.refusals.insert(Refusal::OtherType {
                what: name.clone(),
                from: "text".to_owned(),
                to: (*kind).to_owned(),
            });
        }
        if is_derived || self.take_wish(&name) {
            let leaving = (table.name.clone(), hidden_as.to_owned());
            self.leaving_columns.push(leaving);
        } else if !self.plan.kept.contains(&name) {
            self.plan.kept.push(name);
        }
    }

    fn add_column(&mut self, table: &Table, column: &Column) {
        let field = base_id(&column.id);
        let was_set = self.old.tables.iter().any(|other| other.id == field);
        if was_set {
            self.refusals.insert(Refusal::OtherType {
                what: spoken(table, Some(column)),
                from: "several values".to_owned(),
                to: kind_name(column.kind),
            });
        }
        self.plan.expand.push(Step::AddColumn {
            table: table.name.clone(),
            column: Column {
                nullable: true,
                ..column.clone()
            },
        });
        let with = match self.wishes.defaults.get(&column.id) {
            Some(value) => Some(Filling::Constant(value.clone())),
            None => text_of_key(table, column).and_then(|text| {
                let old = self.old_table(&table.id)?;
                let known = old.columns.iter().any(|other| other.id == text.id);
                known.then(|| Filling::FoldOf(text.name.clone()))
            }),
        };
        self.plan.fill.extend(with.map(|with| Fill {
            table: table.name.clone(),
            column: column.name.clone(),
            with,
        }));
    }

    fn change_column(&mut self, table: &Table, former: &Column, column: &Column) {
        let target = |layout: &Layout, column: &Column| {
            let name = column.references.as_deref()?;
            layout.table(name).map(|table| table.id.clone())
        };
        let what = spoken(table, Some(column));
        let (from, to) = (former.kind, column.kind);
        match (from, to) {
            _ if from == to => {
                if target(self.old, former) != target(self.new, column) {
                    let name = |references: &Option<String>| {
                        let name = references.as_deref().unwrap_or("no entity");
                        name.strip_prefix("r_").unwrap_or(name).to_owned()
                    };
                    self.refusals.insert(Refusal::OtherTarget {
                        what,
                        from: name(&former.references),
                        to: name(&column.references),
                    });
                }
            }
            (
                ColumnKind::Decimal {
                    precision: p,
                    scale: s,
                },
                ColumnKind::Decimal { precision, scale },
            ) if scale < s || precision - scale < p - s => {
                self.refusals.insert(Refusal::Narrower {
                    what,
                    from: format!("{p},{s}"),
                    to: format!("{precision},{scale}"),
                });
            }
            (ColumnKind::Int | ColumnKind::Decimal { .. }, ColumnKind::Decimal { .. }) => {
                self.plan.expand.push(Step::ChangeKind {
                    table: table.name.clone(),
                    column: column.name.clone(),
                    from,
                    to,
                });
            }
            _ => {
                self.refusals.insert(Refusal::OtherType {
                    what,
                    from: kind_name(from),
                    to: kind_name(to),
                });
            }
        }
    }

    /// Indexes at the end, when every column is there. A unique one that rows may break, and one
    /// over a column that is yet to be filled, wait for the data.
    fn create_indexes(&mut self) {
        for table in &self.new.tables {
            let former = self.old_table(&table.id);
            for index in &table.indexes {
                if former.is_some_and(|former| indexes::has_same(former, table, index)) {
                    continue;
                }
                let step = Step::CreateIndex {
                    table: table.name.clone(),
                    index: index.clone(),
                };
                let is_filled = index.columns.iter().any(|column| {
                    let mut fills = self.plan.fill.iter();
                    fills.any(|fill| fill.table == table.name && fill.column == column.column)
                });
                let must_wait = former.is_some_and(|former| {
                    is_filled || index.unique && !indexes::was_unique(former, table, index)
                });
                if must_wait {
                    self.plan.contract.push(step);
                } else {
                    self.plan.expand.push(step);
                }
            }
        }
    }

    fn drop_what_may_go(&mut self) {
        let mut layout = self.old.clone();
        for step in &self.plan.expand {
            step.apply(&mut layout);
        }
        for (table, column) in &self.leaving_columns {
            let step = Step::DropColumn {
                table: table.clone(),
                column: column.clone(),
            };
            step.apply(&mut layout);
            self.plan.contract.push(step);
        }
        let is_leaving = |table: &&Table| self.leaving_tables.contains(&table.id.as_str());
        let (leaving, staying): (Vec<&Table>, Vec<&Table>) =
            layout.tables.iter().partition(is_leaving);
        for (table, column) in staying.iter().flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(move |column| (table, column))
        }) {
            let target = leaving
                .iter()
                .find(|other| column.references.as_ref() == Some(&other.name));
            if let Some(target) = target {
                let former = self.old_table(&target.id).unwrap_or(target);
                self.refusals.insert(Refusal::StillReferred {
                    what: spoken(former, None),
                    by: spoken(table, Some(column)),
                });
            }
        }
        let drops = order::drops(leaving);
        self.plan.contract.extend(drops);
        for wish in self.wishes.drop.difference(&self.used_wishes) {
            self.refusals.insert(Refusal::NotToDrop {
                what: wish.clone(),
                declared: spoken_all(self.new).contains(wish),
            });
        }
    }

    fn finish(self) -> Result<Plan, Vec<Refusal>> {
        if !self.refusals.is_empty() {
            return Err(self.refusals.into_iter().collect());
        }
        let mut plan = self.plan;
        plan.layout = self.old.clone();
        for step in plan.expand.iter().chain(&plan.contract) {
            step.apply(&mut plan.layout);
        }
        Ok(plan)
    }
}
