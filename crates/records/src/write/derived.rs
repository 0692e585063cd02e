//! Step 6 of a save: what follows from the fields of the record itself, and which roll-ups of
//! other records a change moves.
//!
//! Computed fields are made from the values about to be written, so they can never be late. A
//! roll-up is made anew by the database, inside the transaction of the change and after its rows,
//! with the combining record locked; here it is only found out whose (docs/decisions/0003).

use std::collections::{BTreeMap, BTreeSet};

use opsflux_model::schema::{Entity, EntityIx, FieldIx, FieldType, Rollup, Schema};
use opsflux_model::{Value, expr};
use opsflux_store::Recount;
use opsflux_store::feed::FeedOp;
use uuid::Uuid;

use super::change::Touched;
use crate::error::FieldError;

/// Makes the computed fields of a record anew.
pub(crate) fn compute(entity: &Entity, values: &mut [Value], errors: &mut Vec<FieldError>) {
    for computed in &entity.computed {
        let field = entity.field(computed.field);
        let FieldType::Computed { returns, .. } = &field.kind else {
            continue;
        };
        let made = computed.expr.value(values, returns);
        let Some(place) = values.get_mut(usize::from(computed.field.0)) else {
            continue;
        };
        match made {
            Ok(value) => *place = value,
            Err(expr::OutOfRange) => {
                *place = Value::Null;
                errors.push(FieldError::new(&field.name, "too_large", most(returns)));
            }
        }
    }
}

/// The largest value of a type, as a person is told.
fn most(returns: &FieldType) -> String {
    match returns {
        FieldType::Decimal {
            precision, scale, ..
        } => "9".repeat(usize::from(precision.saturating_sub(*scale)).max(1)),
        FieldType::Date | FieldType::DateTime => "9999-12-31".to_owned(),
        _ => i64::MAX.to_string(),
    }
}

/// Gives the roll-ups of a new record what they are while nothing points at it.
pub(crate) fn none_yet(schema: &Schema, entity: EntityIx, values: &mut [Value]) {
    let own = schema.rollups.iter().filter(|r| r.entity == entity);
    for rollup in own {
        if let Some(place) = values.get_mut(usize::from(rollup.field.0)) {
            *place = rollup.of_none(schema);
        }
    }
}

/// The roll-ups a change moves, by record.
#[derive(Default)]
pub(crate) struct Moved {
    fields: BTreeMap<(EntityIx, Uuid), BTreeSet<FieldIx>>,
}

impl Moved {
    /// Notes what one record of the change moves.
    pub fn note(&mut self, schema: &Schema, touched: &Touched<'_>) {
        let before = touched.before.map(|before| before.values.as_slice());
        for rollup in schema.rollups_of(touched.entity) {
            let stays = touched.op == FeedOp::Updated
                && !touched.fields.iter().any(|f| rollup.reads.contains(f));
            if !stays {
                self.row(rollup, before);
                self.row(rollup, touched.after);
            }
        }
    }

    /// Notes whom a row with these values is combined by.
    pub fn row(&mut self, rollup: &Rollup, values: Option<&[Value]>) {
        let via = values.and_then(|values| values.get(usize::from(rollup.via.0)));
        let items = match via {
            Some(Value::Set(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        for owner in items.iter().filter_map(Value::as_id) {
            let fields = self.fields.entry((rollup.entity, owner)).or_default();
            fields.insert(rollup.field);
        }
    }

    /// What the commit makes anew: rows with the same fields together.
    pub fn recounts(self) -> Vec<Recount> {
        let mut together: BTreeMap<(EntityIx, Vec<FieldIx>), Vec<Uuid>> = BTreeMap::new();
        for ((entity, row), fields) in self.fields {
            let fields = fields.into_iter().collect();
            together.entry((entity, fields)).or_default().push(row);
        }
        let recounts = together.into_iter();
        recounts
            .map(|((entity, fields), rows)| Recount {
                entity,
                fields,
                rows,
            })
            .collect()
    }
}
