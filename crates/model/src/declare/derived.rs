//! Computed fields and roll-ups: whether what they are made of is there, and in which order.

use std::collections::HashSet;

use super::collect::Declarations;
use super::conditions::placeholders;
use super::diagnostic::{Mistakes, did_you_mean};
use super::tree::Node;
use crate::condition::Condition;
use crate::expr::{Expr, ExprError, Kind};
use crate::predicate::Binder;
use crate::schema::{
    Computed, Entity, EntityIx, EntityKind, FieldIx, FieldType, Rollup, Schema, system,
};

/// Finds how every derived field is made. Fields in `broken` have been reported.
pub(crate) fn derive(
    all: &Declarations,
    schema: &mut Schema,
    broken: &HashSet<(usize, String)>,
    mistakes: &mut Mistakes<'_>,
) {
    let mut rollups = Vec::new();
    let mut computed = Vec::new();
    for (ix, entity) in schema.iter() {
        let mut deriving = Deriving {
            schema,
            entity,
            ix,
            mistakes,
        };
        let mut found = Vec::new();
        let fields = all.entities[usize::from(ix.0)].node.get("fields");
        for entry in fields.map_or(&[][..], Node::table) {
            let Some(field) = entity.find(&entry.key) else {
                continue;
            };
            if broken.contains(&(usize::from(ix.0), entry.key.clone())) {
                continue;
            }
            match &entity.field(field).kind {
                FieldType::Computed { returns, expr } => {
                    let expr = deriving.expression(&entry.node, returns, expr);
                    found.extend(expr.map(|expr| Computed { field, expr }));
                }
                FieldType::Rollup { .. } => rollups.extend(deriving.rollup(field, &entry.node)),
                _ => {}
            }
        }
        let at = fields.map_or(all.entities[usize::from(ix.0)].node.at, |node| node.at);
        computed.push(in_order(found).unwrap_or_else(|ring| {
            let names: Vec<&str> = ring
                .iter()
                .map(|field| entity.field(*field).name.as_str())
                .collect();
            let message = format!("{} are computed of each other", names.join(", "));
            deriving.mistakes.error(at, "computed_ring", message);
            Vec::new()
        }));
    }
    for (entity, computed) in schema.entities.iter_mut().zip(computed) {
        entity.computed = computed;
    }
    schema.rollups = rollups;
}

/// Each after those it reads.
///
/// # Errors
/// The fields that wait for each other.
fn in_order(mut left: Vec<Computed>) -> Result<Vec<Computed>, Vec<FieldIx>> {
    let mut ordered: Vec<Computed> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waiting: HashSet<FieldIx> = left.iter().map(|computed| computed.field).collect();
        let is_ready = |computed: &Computed| {
            !computed
                .expr
                .reads()
                .iter()
                .any(|read| waiting.contains(read))
        };
        let Some(place) = left.iter().position(is_ready) else {
            return Err(left.iter().map(|computed| computed.field).collect());
        };
        ordered.push(left.remove(place));
    }
    Ok(ordered)
}

struct Deriving<'d, 'm, 'a> {
    schema: &'d Schema,
    entity: &'d Entity,
    ix: EntityIx,
    mistakes: &'m mut Mistakes<'a>,
}

impl Deriving<'_, '_, '_> {
    fn expression(&mut self, node: &Node, returns: &FieldType, source: &str) -> Option<Expr> {
        let entity = self.entity;
        let find = |name: &str| {
            let Some(field) = entity.find(name) else {
                let hint = did_you_mean(name, entity.fields.iter().map(|f| f.name.as_str()));
                let hint = hint.map_or(String::new(), |hint| format!(" — {hint}"));
                return Err(format!("{} has no field “{name}”{hint}", entity.name));
            };
            // What the engine sets at each change would change its result without being asked.
            let moves = matches!(name, system::VERSION | system::UPDATED_AT | system::NUMBER);
            let kind = Kind::of(computed_as(&entity.field(field).kind)).filter(|_| !moves);
            kind.map(|kind| (field, kind)).ok_or_else(|| {
                let kind = entity.field(field).kind.name();
                format!("{name} of type {kind} cannot be computed with")
            })
        };
        match Expr::parse(source, returns, &find) {
            Ok(expr) => Some(expr),
            // An empty one has been reported where it was read.
            Err(_) if source.is_empty() => None,
            Err(ExprError { at, message }) => {
                let message = format!("{message} (at character {})", at + 1);
                self.mistakes
                    .error(node.place_of("expr"), "bad_expr", message);
                None
            }
        }
    }

    fn rollup(&mut self, field: FieldIx, node: &Node) -> Option<Rollup> {
        let FieldType::Rollup {
            of,
            op,
            field: value,
            by,
            condition,
            ..
        } = &self.entity.field(field).kind
        else {
            return None;
        };
        let (rows, via) = self.entity.rows_of(of)?;
        let of_rows = self.schema.entity(rows);
        if self.entity.kind == EntityKind::Log || of_rows.kind == EntityKind::Log {
            let message = "a log is not changed by changes, so it cannot be rolled up";
            self.mistakes
                .error(node.place_of("of"), "bad_rollup", message);
            return None;
        }
        let value = match value {
            Some(name) => Some(of_rows.find(name)?),
            None => None,
        };
        let by = match by {
            Some(name) => Some(of_rows.find(name)?),
            None => None,
        };
        let mut reads = vec![via];
        reads.extend(value);
        reads.extend(by);
        self.condition(of_rows, condition, node, &mut reads)?;
        let variables = placeholders();
        let binder = Binder {
            schema: self.schema,
            access: None,
            variables: &variables,
        };
        // What cannot be bound is reported with all other conditions.
        let holds = binder.bind(rows, condition).ok()?;
        reads.sort_unstable();
        reads.dedup();
        Some(Rollup {
            entity: self.ix,
            field,
            rows,
            via,
            op: *op,
            value,
            by,
            holds,
            reads,
        })
    }

    /// Collects the fields a condition asks for; refuses what changes without the row.
    fn condition(
        &mut self,
        rows: &Entity,
        condition: &Condition,
        node: &Node,
        reads: &mut Vec<FieldIx>,
    ) -> Option<()> {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts
                .iter()
                .try_for_each(|part| self.condition(rows, part, node, reads)),
            Condition::Not(part) => self.condition(rows, part, node, reads),
            Condition::Test { field, value, .. } => {
                let why = if field.contains('.') {
                    Some("its rows' own fields only, not those of what they link to")
                } else if says_variable(value) {
                    Some("what stands in its rows only, not for who asks or when")
                } else {
                    let kind = rows.find(field).map(|ix| &rows.field(ix).kind);
                    matches!(kind, Some(FieldType::Rollup { .. }))
                        .then_some("what is written or computed, not for another roll-up")
                };
                if let Some(why) = why {
                    let message = format!("a roll-up asks for {why}");
                    let at = node.place_of("where");
                    self.mistakes.error(at, "bad_rollup", message);
                    return None;
                }
                reads.extend(rows.find(field));
                Some(())
            }
        }
    }
}

/// A computed field reads as what it returns; a roll-up cannot be computed with.
fn computed_as(kind: &FieldType) -> &FieldType {
    match kind {
        FieldType::Computed { returns, .. } => returns,
        other => other,
    }
}

fn says_variable(value: &serde_json::Value) -> bool {
    let items = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    items
        .iter()
        .any(|item| item.as_str().is_some_and(|text| text.starts_with('@')))
}
