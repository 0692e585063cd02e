//! Guards as statements that answer whether they hold, and the locks under which they do.

use std::collections::{BTreeMap, BTreeSet};

use opsflux_model::schema::{Schema, system};
use opsflux_model::{EntityIx, FieldIx, Predicate, layout};
use uuid::Uuid;

use super::branches::Branch;
use super::filter::{self, At};
use super::select::counted;
use super::{Cell, CommitStep, Dialect, Expect, Sql, Statement};
use crate::commit::{Commit, Guard, Write};
use crate::error::StoreError;
use crate::query::{Living, Select};

/// Links followed upwards before a chain counts as a ring: no tree of people or places is deeper,
/// and a defect must not walk for ever.
const DEEPEST: i64 = 1_000;

/// The step that checks a guard; none when it asks for nothing.
///
/// # Errors
/// [`StoreError::Internal`] when the guard does not fit the schema.
pub fn holds(
    dialect: Dialect,
    schema: &Schema,
    tenant: i64,
    guard: &Guard,
) -> Result<Option<CommitStep>, StoreError> {
    let mut sql = Sql::new(dialect);
    sql.bind(Cell::Int(tenant));
    let name = match guard {
        Guard::Exists {
            name,
            entity,
            id,
            holds,
        } => {
            exists(&mut sql, schema, *entity, *id, holds)?;
            name
        }
        Guard::Count {
            name,
            entity,
            filter,
            min,
            max,
        } => {
            if min.is_none() && max.is_none() {
                return Ok(None);
            }
            count(&mut sql, schema, (*entity, tenant), filter, *min, *max)?;
            name
        }
        Guard::Acyclic {
            name,
            entity,
            field,
            id,
            target,
        } => {
            acyclic(&mut sql, schema, (*entity, *field), *id, *target);
            name
        }
    };
    Ok(Some(CommitStep {
        statement: sql.finish(),
        expect: Expect::Holds {
            guard: name.clone(),
        },
        write: None,
    }))
}

fn exists(
    sql: &mut Sql,
    schema: &Schema,
    ix: EntityIx,
    id: Uuid,
    holds: &Predicate,
) -> Result<(), StoreError> {
    let at = At {
        schema,
        alias: "t",
        ix,
    };
    sql.push("SELECT EXISTS (SELECT 1 FROM ");
    sql.name(&layout::table_name(at.entity())).push(" t WHERE ");
    filter::walls(sql, at, Living::Only);
    sql.push(" AND ").column("t", system::ID).push(" = ");
    sql.param(Cell::Id(id)).push(" AND ");
    filter::predicate(sql, at, holds, false)?;
    sql.push(")");
    Ok(())
}

/// Reads one row more than may be there, never all of them.
fn count(
    sql: &mut Sql,
    schema: &Schema,
    (entity, tenant): (EntityIx, i64),
    filter: &Predicate,
    min: Option<u64>,
    max: Option<u64>,
) -> Result<(), StoreError> {
    let least = min.unwrap_or(0);
    let cap = max.map_or(least, |max| max.saturating_add(1).max(least));
    let select = Select {
        tenant,
        entity,
        filter: Predicate::True,
        outputs: Vec::new(),
        sort: Vec::new(),
        after: None,
        limit: 0,
        living: Living::Only,
    };
    let branch = Branch {
        filter: filter.clone(),
        index: None,
        by_key: false,
    };
    sql.push("SELECT (");
    counted(sql, schema, &select, &branch, cap)?;
    let number = |number: u64| Cell::Int(i64::try_from(number).unwrap_or(i64::MAX));
    sql.push(") BETWEEN ").param(number(least));
    sql.push(" AND ").param(number(max.unwrap_or(u64::MAX)));
    Ok(())
}

/// Walks from the target upwards; deleted records count, because they may come back.
fn acyclic(
    sql: &mut Sql,
    schema: &Schema,
    (ix, field): (EntityIx, FieldIx),
    id: Uuid,
    target: Uuid,
) {
    let entity = schema.entity(ix);
    let table = layout::table_name(entity);
    sql.push("WITH RECURSIVE up (id, depth) AS (SELECT t.id, 0 FROM ");
    sql.name(&table).push(" t WHERE ");
    filter::tenant(sql, "t");
    sql.push(" AND t.id = ").param(Cell::Id(target));
    sql.push(" UNION ALL SELECT t.");
    sql.name(&entity.field(field).name)
        .push(", up.depth + 1 FROM up JOIN ");
    sql.name(&table).push(" t ON ");
    filter::tenant(sql, "t");
    sql.push(" AND t.id = up.id WHERE t.")
        .name(&entity.field(field).name);
    sql.push(" IS NOT NULL AND up.depth < ");
    let deepest = sql.bind(Cell::Int(DEEPEST));
    sql.again(deepest);
    sql.push(") SELECT NOT EXISTS (SELECT 1 FROM up WHERE up.id = ");
    sql.param(Cell::Id(id))
        .push(" OR up.depth >= ")
        .again(deepest)
        .push(")");
}

/// What PostgreSQL must lock before guards are read, so that what they found is still true when
/// the change is written.
///
/// Rows that guards name and rows that are changed are locked in one order. A count or a chain
/// has no row to lock: it takes a lock of its name, which every change with such a guard takes.
#[derive(Debug, Default)]
pub struct Locks {
    names: BTreeSet<String>,
    rows: BTreeMap<u16, BTreeSet<Uuid>>,
}

impl Locks {
    /// The locks of a change. One that has no guard and no roll-up and changes one row needs none.
    #[must_use]
    pub fn of(commit: &Commit) -> Locks {
        let mut locks = Locks::default();
        for write in &commit.writes {
            match write {
                Write::Update { entity, id, .. }
                | Write::Mark { entity, id, .. }
                | Write::Remove { entity, id } => {
                    locks.rows.entry(entity.0).or_default().insert(*id);
                }
                Write::Insert { .. } | Write::Once { .. } => {}
            }
        }
        for recount in &commit.rollups {
            let rows = locks.rows.entry(recount.entity.0).or_default();
            rows.extend(recount.rows.iter().copied());
        }
        let changed: usize = locks.rows.values().map(BTreeSet::len).sum();
        if commit.guards.is_empty() && commit.rollups.is_empty() && changed < 2 {
            return Locks::default();
        }
        for guard in &commit.guards {
            match guard {
                Guard::Exists { entity, id, .. } => {
                    locks.rows.entry(entity.0).or_default().insert(*id);
                }
                Guard::Count { entity, .. } => {
                    locks.names.insert(format!("count {}", entity.0));
                }
                Guard::Acyclic { entity, field, .. } => {
                    locks.names.insert(format!("ring {} {}", entity.0, field.0));
                }
            }
        }
        locks
    }

    /// Statements that take them, on PostgreSQL.
    #[must_use]
    pub fn statements(&self, schema: &Schema, tenant: i64) -> Vec<Statement> {
        let names = self.names.iter().map(|name| {
            let mut sql = Sql::new(Dialect::Postgres);
            sql.push("SELECT pg_advisory_xact_lock(");
            sql.param(Cell::Int(number_of(&format!("{tenant} {name}"))));
            sql.push(")");
            sql.finish()
        });
        let rows = self.rows.iter().map(|(entity, ids)| {
            let table = layout::table_name(schema.entity(EntityIx(*entity)));
            let mut sql = Sql::new(Dialect::Postgres);
            sql.push("SELECT 1 FROM ")
                .name(&table)
                .push(" WHERE tenant_id = ");
            sql.param(Cell::Int(tenant)).push(" AND id = ANY(");
            let ids = ids.iter().copied().map(Cell::Id).collect();
            sql.param(Cell::Array(ids));
            // Links to the rows may still be made meanwhile.
            sql.push(") ORDER BY id FOR NO KEY UPDATE");
            sql.finish()
        });
        names.chain(rows).collect()
    }
}

/// The number PostgreSQL locks for a name. Two names with one number wait for each other
/// needlessly, no more.
fn number_of(name: &str) -> i64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}
