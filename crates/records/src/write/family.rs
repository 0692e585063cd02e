//! What is saved with a record: rows of its child tables, and companions that rules ask for.

use opsflux_model::Value;
use opsflux_model::schema::{Entity, FieldIx, FieldType, system};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::body::{self, Input};
use super::change::Change;
use super::links::Rights;
use super::save::Saving;
use super::{Precondition, WriteOptions};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;
use crate::rule::Companion;

/// Longest chain of companions, sub-tickets of sub-tickets for instance.
const MAX_DEPTH: u8 = 32;

impl Records {
    /// Rows of child tables: with an id changed, without added, those not named deleted.
    pub(super) async fn save_children(
        &self,
        change: &mut Change,
        caller: &Caller,
        entity: &Entity,
        saving: &Saving<'_>,
        owner: Uuid,
        tables: Vec<(FieldIx, Vec<Map<String, Json>>)>,
    ) -> Result<(), Error> {
        let schema = self.schema();
        for (field, rows) in tables {
            let declared = entity.field(field);
            let FieldType::Children { of, via } = declared.kind else {
                continue;
            };
            let existing = match saving.before {
                Some(_) => self.children(caller.tenant(), of, via, &[owner]).await?,
                None => Vec::new(),
            };
            // What a body cannot name it would delete.
            if existing.len() > body::MAX_CHILDREN {
                let most = body::MAX_CHILDREN.to_string();
                let field = format!("{}{}", saving.prefix, declared.name);
                return Err(Error::field(field, "too_many", most));
            }
            let named = |row: &Map<String, Json>| {
                let id = row.get(system::ID).and_then(Json::as_str)?;
                let id = Uuid::try_parse(id).ok()?;
                existing.iter().find(|row| row.id == id)
            };
            // What goes makes room first: a row that is written anew may have its unique values.
            let kept: Vec<Uuid> = rows.iter().filter_map(named).map(|row| row.id).collect();
            let deletion = (change.now, change.id);
            for gone in existing.iter().filter(|row| !kept.contains(&row.id)) {
                self.rules_before_mark(change, caller, gone, true).await?;
                self.mark(change, gone, Some(deletion), None);
            }
            for (place, mut row) in rows.into_iter().enumerate() {
                let prefix = format!("{}{}[{place}].", saving.prefix, declared.name);
                let before = named(&row).cloned();
                if before.is_some() {
                    row.remove(system::ID);
                }
                let mut errors = Vec::new();
                let mut inputs =
                    body::read(&schema, caller, of, &row, before.is_none(), &mut errors);
                inputs.retain(|(ix, _)| *ix != via);
                inputs.push((via, Input::To(Value::Id(owner))));
                let saving = Saving {
                    entity: of,
                    before,
                    inputs,
                    rights: Rights::House,
                    options: saving.options,
                    rule: saving.rule.clone(),
                    prefix,
                    depth: saving.depth,
                };
                self.save(change, caller, saving, errors).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn save_companion(
        &self,
        change: &mut Change,
        caller: &Caller,
        saving: &Saving<'_>,
        companion: Companion,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let entity = self.entity_called(&companion.entity)?;
        if saving.depth >= MAX_DEPTH || change.touches(entity, companion.id) {
            return Ok(());
        }
        let Some(before) = self.snapshot(caller.tenant(), entity, companion.id).await? else {
            return Ok(());
        };
        let declared = schema.entity(entity);
        let inputs = companion
            .set
            .into_iter()
            .filter_map(|(name, value)| declared.find(&name).map(|ix| (ix, Input::To(value))));
        let options = WriteOptions {
            precondition: Precondition::None,
            ..saving.options.clone()
        };
        let next = Saving {
            entity,
            before: Some(before),
            inputs: inputs.collect(),
            rights: Rights::House,
            options: &options,
            rule: Some(companion.rule.to_owned()),
            prefix: String::new(),
            depth: saving.depth + 1,
        };
        self.save(change, caller, next, Vec::new())
            .await
            .map(|_| ())
    }
}
