//! A [`Commit`] as statements: guards, rows, the engine's rows, the feed.

use opsflux_model::layout;
use opsflux_model::schema::{Entity, EntityKind, Schema, system};
use opsflux_model::{EntityIx, FieldIx, Value};
use uuid::Uuid;

use super::compare::{among, set_item};
use super::guard::{self, Locks};
use super::{
    Cell, CommitStep, Dialect, Expect, RenderedCommit, Sql, Statement, audit, column, unfit,
};
use crate::commit::{Commit, Set, Write};
use crate::error::StoreError;
use crate::system::SystemWrite;

/// The statements of a change.
///
/// # Errors
/// [`StoreError::Internal`] when a value does not fit its field.
pub fn commit(
    dialect: Dialect,
    schema: &Schema,
    commit: &Commit,
) -> Result<RenderedCommit, StoreError> {
    let mut rendered = RenderedCommit {
        entries: commit.feed.len(),
        ..RenderedCommit::default()
    };
    for guard in &commit.guards {
        rendered
            .steps
            .extend(guard::holds(dialect, schema, commit.tenant, guard)?);
    }
    // Before the rows that carry the numbers: who comes too late makes the change again with the
    // next ones, and is not told that his are taken.
    for write in commit.system.iter().filter(|write| is_series(write)) {
        let statement = super::system::write(dialect, commit.tenant, write);
        let expect = Expect::OneRow {
            entity: "number".to_owned(),
            id: Uuid::nil(),
        };
        rendered.steps.push(step(statement, expect));
    }
    for (place, write) in commit.writes.iter().enumerate() {
        let mut rows = Rows {
            dialect,
            schema,
            tenant: commit.tenant,
            place,
            steps: &mut rendered.steps,
        };
        rows.write(write)?;
    }
    for recount in &commit.rollups {
        for statement in super::rollup::recount(dialect, schema, commit.tenant, recount)? {
            rendered.steps.push(step(statement, Expect::Any));
        }
    }
    for write in commit.system.iter().filter(|write| !is_series(write)) {
        let statement = super::system::write(dialect, commit.tenant, write);
        rendered.steps.push(step(statement, Expect::Any));
    }
    for entry in &commit.feed {
        let statement = super::system::feed_insert(dialect, commit.tenant, entry);
        rendered.steps.push(step(statement, Expect::Any));
    }
    if dialect == Dialect::Postgres {
        rendered.locks = Locks::of(commit).statements(schema, commit.tenant);
    }
    Ok(rendered)
}

fn is_series(write: &SystemWrite) -> bool {
    matches!(write, SystemWrite::Series { .. })
}

fn step(statement: Statement, expect: Expect) -> CommitStep {
    CommitStep {
        statement,
        expect,
        write: None,
    }
}

/// What comes of a new row whose id is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twice {
    Refused,
    Nothing,
}

/// The statements of one write.
struct Rows<'a> {
    dialect: Dialect,
    schema: &'a Schema,
    tenant: i64,
    place: usize,
    steps: &'a mut Vec<CommitStep>,
}

impl<'a> Rows<'a> {
    fn write(&mut self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Insert { entity, values } => {
                self.insert(self.schema.entity(*entity), values, Twice::Refused)
            }
            Write::Once { entity, values } => {
                self.insert(self.schema.entity(*entity), values, Twice::Nothing)
            }
            Write::Update {
                entity,
                id,
                expected_version,
                set,
            } => self.update(self.schema.entity(*entity), *id, *expected_version, set),
            Write::Mark {
                entity,
                id,
                expected_version,
                deletion,
            } => self.mark(*entity, *id, *expected_version, *deletion),
            Write::Remove { entity, id } => {
                self.remove(self.schema.entity(*entity), *id);
                Ok(())
            }
        }
    }

    fn insert(
        &mut self,
        entity: &Entity,
        values: &[(FieldIx, Value)],
        twice: Twice,
    ) -> Result<(), StoreError> {
        let mut sql = self.sql();
        let sealed = entity.name == audit::ENTITY;
        if sealed {
            audit::before_entry(&mut sql);
        }
        sql.push("INSERT INTO ").name(&layout::table_name(entity));
        sql.push(" (tenant_id");
        let mut sets = Vec::new();
        let mut cells = Vec::with_capacity(values.len() * 2);
        let mut owner = None;
        for (ix, value) in values {
            let field = entity.field(*ix);
            if field.kind.is_set() {
                sets.push((*ix, value));
                continue;
            }
            if field.name == system::ID {
                owner = value.as_id();
            }
            for (suffix, cell) in column::stored(entity, *ix, value)? {
                sql.push(", ").suffixed(&field.name, suffix);
                cells.push(cell);
            }
        }
        sql.push(") VALUES (").again(1);
        for cell in cells {
            sql.push(", ").param(cell);
        }
        sql.push(")");
        if twice == Twice::Nothing {
            if !sets.is_empty() {
                return Err(unfit(format!("{} has sets", entity.name)));
            }
            sql.push(" ON CONFLICT (tenant_id, id) DO NOTHING");
        }
        if sealed {
            audit::after_entry(&mut sql);
        }
        self.push(sql, Expect::Any);
        let owner = owner.ok_or_else(|| unfit(format!("a new {} has no id", entity.name)))?;
        if sealed && let Some(waits) = audit::wait(self.dialect, self.tenant, owner) {
            self.steps.push(step(waits, Expect::Any));
        }
        for (ix, value) in sets {
            self.insert_items(entity, ix, owner, value)?;
        }
        Ok(())
    }

    fn update(
        &mut self,
        entity: &Entity,
        id: Uuid,
        version: Option<i64>,
        set: &[(FieldIx, Set)],
    ) -> Result<(), StoreError> {
        let mut sql = self.sql();
        sql.push("UPDATE ")
            .name(&layout::table_name(entity))
            .push(" SET ");
        let mut first = true;
        let mut sets = Vec::new();
        for (ix, change) in set {
            let field = entity.field(*ix);
            if field.kind.is_set() {
                sets.push((*ix, change));
                continue;
            }
            match change {
                Set::To(value) => {
                    for (suffix, cell) in column::stored(entity, *ix, value)? {
                        sql.push(if first { "" } else { ", " });
                        sql.suffixed(&field.name, suffix).push(" = ").param(cell);
                        first = false;
                    }
                }
                Set::Add(number) => {
                    sql.push(if first { "" } else { ", " }).name(&field.name);
                    sql.push(" = coalesce(").name(&field.name).push(", 0) + ");
                    sql.param(Cell::Int(*number));
                    first = false;
                }
                Set::Members { .. } => {
                    return Err(unfit(format!("{} has no members", field.name)));
                }
            }
        }
        if first {
            // Only sets change: the row still has to be there, in its version.
            sql.push("id = id");
        }
        self.where_row(&mut sql, id, version);
        self.push_row(sql, entity, id);
        for (ix, change) in sets {
            self.change_items(entity, ix, id, change)?;
        }
        Ok(())
    }

    fn mark(
        &mut self,
        ix: EntityIx,
        id: Uuid,
        version: Option<i64>,
        deletion: Option<(jiff::Timestamp, Uuid)>,
    ) -> Result<(), StoreError> {
        let entity = self.schema.entity(ix);
        if entity.kind == EntityKind::Log {
            return Err(unfit(format!("{} is never deleted", entity.name)));
        }
        let mut sql = self.sql();
        sql.push("UPDATE ").name(&layout::table_name(entity));
        sql.push(" SET version = version + 1, deleted_at = ");
        match deletion {
            Some((at, deletion)) => {
                sql.param(Cell::Time(at)).push(", deletion_id = ");
                sql.param(Cell::Id(deletion));
            }
            None => {
                sql.push("NULL, deletion_id = NULL");
            }
        }
        self.where_row(&mut sql, id, version);
        // Who deletes or restores a second time has not seen the first.
        sql.push(if deletion.is_some() {
            " AND deleted_at IS NULL"
        } else {
            " AND deleted_at IS NOT NULL"
        });
        self.push_row(sql, entity, id);
        Ok(())
    }

    fn remove(&mut self, entity: &Entity, id: Uuid) {
        for field in entity.fields.iter().filter(|field| field.kind.is_set()) {
            let mut sql = self.sql();
            sql.push("DELETE FROM ");
            sql.name(&layout::set_table_name(entity, field));
            self.where_owner(&mut sql, id);
            self.push(sql, Expect::Any);
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM ").name(&layout::table_name(entity));
        self.where_row(&mut sql, id, None);
        self.push(sql, Expect::Any);
    }

    fn change_items(
        &mut self,
        entity: &Entity,
        ix: FieldIx,
        owner: Uuid,
        change: &Set,
    ) -> Result<(), StoreError> {
        let field = entity.field(ix);
        let table = layout::set_table_name(entity, field);
        match change {
            Set::To(value) => {
                let mut sql = self.sql();
                sql.push("DELETE FROM ").name(&table);
                self.where_owner(&mut sql, owner);
                self.push(sql, Expect::Any);
                self.insert_items(entity, ix, owner, value)
            }
            Set::Members { add, remove } => {
                let leaving = remove.iter().map(|value| item(entity, ix, value));
                let leaving = leaving.collect::<Result<Vec<_>, _>>()?;
                if !leaving.is_empty() {
                    let mut sql = self.sql();
                    sql.push("DELETE FROM ").name(&table);
                    self.where_owner(&mut sql, owner);
                    sql.push(" AND value");
                    among(&mut sql, leaving);
                    self.push(sql, Expect::Any);
                }
                for value in add {
                    let cell = item(entity, ix, value)?;
                    let mut sql = self.sql();
                    sql.push("INSERT INTO ").name(&table);
                    sql.push(" (tenant_id, owner_id, value, place) VALUES (")
                        .again(1);
                    let number = sql.push(", ").bind(Cell::Id(owner));
                    sql.again(number).push(", ").param(cell);
                    sql.push(", (SELECT coalesce(max(place) + 1, 0) FROM ")
                        .name(&table);
                    sql.push(" WHERE tenant_id = ").again(1);
                    sql.push(" AND owner_id = ").again(number);
                    sql.push(")) ON CONFLICT DO NOTHING");
                    self.push(sql, Expect::Any);
                }
                Ok(())
            }
            Set::Add(_) => Err(unfit(format!("{} is no number", field.name))),
        }
    }

    fn insert_items(
        &mut self,
        entity: &Entity,
        ix: FieldIx,
        owner: Uuid,
        value: &Value,
    ) -> Result<(), StoreError> {
        let items = match value {
            Value::Set(items) => items.as_slice(),
            Value::Null => &[],
            other => {
                let name = &entity.field(ix).name;
                return Err(unfit(format!("{name} is a set and cannot store {other:?}")));
            }
        };
        for (place, value) in items.iter().enumerate() {
            let mut sql = self.sql();
            sql.push("INSERT INTO ");
            sql.name(&layout::set_table_name(entity, entity.field(ix)));
            sql.push(" (tenant_id, owner_id, value, place) VALUES (")
                .again(1);
            sql.push(", ").param(Cell::Id(owner));
            sql.push(", ").param(item(entity, ix, value)?);
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            sql.push(", ").param(Cell::Int(place)).push(")");
            self.push(sql, Expect::Any);
        }
        Ok(())
    }

    /// An empty statement whose first parameter is the tenant.
    fn sql(&self) -> Sql {
        let mut sql = Sql::new(self.dialect);
        sql.bind(Cell::Int(self.tenant));
        sql
    }

    fn where_row(&self, sql: &mut Sql, id: Uuid, version: Option<i64>) {
        sql.push(" WHERE tenant_id = ").again(1);
        sql.push(" AND id = ").param(Cell::Id(id));
        if let Some(version) = version {
            sql.push(" AND version = ").param(Cell::Int(version));
        }
    }

    fn where_owner(&self, sql: &mut Sql, owner: Uuid) {
        sql.push(" WHERE tenant_id = ").again(1);
        sql.push(" AND owner_id = ").param(Cell::Id(owner));
    }

    fn push_row(&mut self, sql: Sql, entity: &Entity, id: Uuid) {
        let entity = entity.name.clone();
        self.push(sql, Expect::OneRow { entity, id });
    }

    fn push(&mut self, sql: Sql, expect: Expect) {
        self.steps.push(CommitStep {
            statement: sql.finish(),
            expect,
            write: Some(self.place),
        });
    }
}

fn item(entity: &Entity, ix: FieldIx, value: &Value) -> Result<Cell, StoreError> {
    let field = entity.field(ix);
    set_item(field, value).ok_or_else(|| unfit(format!("{} cannot hold {value:?}", field.name)))
}
