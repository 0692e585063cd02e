//! Orders in which steps do not stand in each other's way.

use std::collections::BTreeSet;

use super::step::Step;
use crate::layout::Table;

/// Renames wished all at once, as renames one after the other: a name that is still taken is
/// waited for, and a ring (a ↔ b) is opened by a name of passage.
pub(super) fn renames(mut wished: Vec<(String, String)>) -> Vec<(String, String)> {
    wished.retain(|(from, to)| from != to);
    let mut taken: BTreeSet<String> = wished.iter().map(|(from, _)| from.clone()).collect();
    let mut steps = Vec::new();
    while !wished.is_empty() {
        let free = wished.iter().position(|(_, to)| !taken.contains(to));
        match free {
            Some(place) => {
                let (from, to) = wished.remove(place);
                taken.remove(&from);
                steps.push((from, to));
            }
            None => {
                let passage = format!("passing_{}", steps.len());
                let (from, _) = &mut wished[0];
                taken.remove(from);
                let former = std::mem::replace(from, passage.clone());
                steps.push((former, passage));
            }
        }
    }
    steps
}

/// Tables to drop, those that point at others first. Where they point at each other in a ring,
/// the links of one go before.
pub(super) fn drops(mut tables: Vec<&Table>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut opened: BTreeSet<(String, String)> = BTreeSet::new();
    while !tables.is_empty() {
        let points_at = |from: &Table, to: &Table| {
            from.name != to.name
                && from.columns.iter().any(|column| {
                    column.references.as_ref() == Some(&to.name)
                        && !opened.contains(&(from.name.clone(), column.name.clone()))
                })
        };
        let is_free = |table: &Table| !tables.iter().any(|other| points_at(other, table));
        if let Some(place) = tables.iter().position(|table| is_free(table)) {
            let table = tables.remove(place);
            steps.push(Step::DropTable {
                table: table.name.clone(),
            });
            continue;
        }
        let ring = tables[0];
        for column in ring
            .columns
            .iter()
            .filter(|column| column.references.is_some())
        {
            if opened.insert((ring.name.clone(), column.name.clone())) {
                steps.push(Step::DropColumn {
                    table: ring.name.clone(),
                    column: column.name.clone(),
                });
            }
        }
    }
    steps
}
