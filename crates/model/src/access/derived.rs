//! Restrictions pass on: who may not see what a value is made from does not see the value.

use super::{Action, EntityAccess, FieldRight};
use crate::schema::{EntityIx, FieldIx, Schema};

/// Takes rights on computed fields and roll-ups from those who lack them on what these are made
/// from. Until nothing changes: a computed field may be made from a roll-up of others.
pub(super) fn restrict(schema: &Schema, entities: &mut [EntityAccess]) {
    let mut sources: Vec<Source> = Vec::new();
    for (ix, entity) in schema.iter() {
        sources.extend(entity.computed.iter().map(|computed| Source {
            made: (ix, computed.field),
            from: ix,
            reads: computed.expr.reads(),
        }));
    }
    sources.extend(schema.rollups.iter().map(|rollup| Source {
        made: (rollup.entity, rollup.field),
        from: rollup.rows,
        reads: &rollup.reads,
    }));
    // Each turn takes at least one right away, or ends it.
    while sources.iter().any(|source| source.pass_on(entities)) {}
}

/// A field and what it is made from.
struct Source<'s> {
    made: (EntityIx, FieldIx),
    from: EntityIx,
    reads: &'s [FieldIx],
}

impl Source<'_> {
    /// Whether it took something away.
    fn pass_on(&self, entities: &mut [EntityAccess]) -> bool {
        let Some(from) = entities.get(usize::from(self.from.0)) else {
            return false;
        };
        let right = |field: &FieldIx| from.fields.get(usize::from(field.0)).copied();
        let weakest = match from.rules.contains_key(&Action::View) {
            true => self.reads.iter().filter_map(right).min(),
            false => Some(FieldRight::Hidden),
        };
        let (entity, field) = self.made;
        let made = entities
            .get_mut(usize::from(entity.0))
            .and_then(|entity| entity.fields.get_mut(usize::from(field.0)));
        match (made, weakest) {
            (Some(made), Some(weakest)) if weakest < FieldRight::Read && *made > weakest => {
                *made = weakest;
                true
            }
            _ => false,
        }
    }
}
