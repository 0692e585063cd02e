//! Titles of linked records: one query per entity and page, with the caller's rule.

use std::collections::{BTreeMap, HashSet};

use opsflux_model::schema::{EntityIx, EntityKind, FieldType, Schema, system};
use opsflux_model::{Access, Action, FieldRight, Operand, Predicate, Rule, Value};
use opsflux_store::{Living, Output, Select, Target};
use uuid::Uuid;

use super::columns::{FoundLink, blank};
use super::json::{push_key, push_string};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// What is known of the targets of the links on a page.
#[derive(Default)]
pub struct Labels {
    titles: BTreeMap<Uuid, String>,
    deleted: HashSet<Uuid>,
}

impl Labels {
    /// The title of a record, when the caller may read it.
    #[must_use]
    pub fn title(&self, id: Uuid) -> Option<&str> {
        self.titles.get(&id).map(String::as_str)
    }

    /// Notes what was read of the target of a link together with it.
    pub(super) fn note(&mut self, id: Uuid, target: Target<'_>) {
        match target {
            Target::Gone => {
                self.deleted.insert(id);
            }
            Target::Title(title) => {
                self.titles.entry(id).or_insert_with(|| title.to_owned());
            }
        }
    }

    /// Appends `"labels":{…}`.
    pub fn write(&self, out: &mut Vec<u8>) {
        push_key(out, "labels");
        out.push(b'{');
        for (id, title) in &self.titles {
            push_key(out, &id.to_string());
            push_string(out, title);
        }
        out.push(b'}');
    }

    /// Blanks the links to deleted records where they stand in `out`.
    pub fn blank_deleted(&self, links: &[FoundLink], out: &mut [u8]) {
        if self.deleted.is_empty() {
            return;
        }
        for link in links.iter().filter(|link| self.deleted.contains(&link.id)) {
            if let Some(at) = link.at {
                blank(out, at);
            }
        }
    }
}

impl Records {
    /// The titles of living records that the caller may see; others are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn titles_of(
        &self,
        caller: &Caller,
        records: &[(EntityIx, Uuid)],
    ) -> Result<BTreeMap<Uuid, String>, Error> {
        let link = |(to, id): &(EntityIx, Uuid)| FoundLink {
            to: *to,
            id: *id,
            at: None,
            column: usize::MAX,
        };
        let links: Vec<FoundLink> = records.iter().map(link).collect();
        Ok(self.labels(caller, &links).await?.titles)
    }

    /// Looks the targets of `links` up.
    pub(crate) async fn labels(
        &self,
        caller: &Caller,
        links: &[FoundLink],
    ) -> Result<Labels, Error> {
        let mut labels = Labels::default();
        self.add_labels(caller, links, &mut labels).await?;
        Ok(labels)
    }

    pub(super) async fn add_labels(
        &self,
        caller: &Caller,
        links: &[FoundLink],
        labels: &mut Labels,
    ) -> Result<(), Error> {
        let mut wanted: BTreeMap<EntityIx, Vec<Uuid>> = BTreeMap::new();
        for link in links {
            wanted.entry(link.to).or_default().push(link.id);
        }
        for (entity, mut ids) in wanted {
            ids.sort_unstable();
            ids.dedup();
            self.titles(caller, entity, &ids, labels).await?;
        }
        Ok(())
    }

    async fn titles(
        &self,
        caller: &Caller,
        entity: EntityIx,
        ids: &[Uuid],
        labels: &mut Labels,
    ) -> Result<(), Error> {
        let schema = self.schema();
        let declared = schema.entity(entity);
        let Some(id) = declared.find(system::ID) else {
            return Ok(());
        };
        let visible = title_rule(&schema, &caller.access, entity);
        let mut outputs = vec![Output::Field(id), Output::Field(declared.title)];
        outputs.push(Output::Holds(visible));
        if declared.kind == EntityKind::Record {
            outputs.push(Output::System(system::DELETED_AT));
        }
        let ids: Vec<Value> = ids.iter().copied().map(Value::Id).collect();
        let select = Select {
            tenant: caller.tenant(),
            entity,
            limit: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            filter: Predicate::test(entity, id, Operand::OneOf(ids)),
            outputs,
            sort: Vec::new(),
            after: None,
            living: Living::Any,
        };
        self.inner
            .store
            .select(&select, self.inner.budget, |row| -> Result<(), Error> {
                let Some(id) = row.value(0)?.as_id() else {
                    return Ok(());
                };
                if declared.kind == EntityKind::Record && row.value(3)? != Value::Null {
                    labels.deleted.insert(id);
                } else if row.value(2)?.as_bool() == Some(true)
                    && let Value::Text(title) = row.value(1)?
                {
                    labels.titles.insert(id, title);
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

/// Of which records of an entity the title may be shown. A record named by a link (a membership
/// by its role) has no title of its own.
pub(super) fn title_rule(schema: &Schema, access: &Access, entity: EntityIx) -> Predicate {
    let declared = schema.entity(entity);
    let textual = !matches!(declared.field(declared.title).kind, FieldType::Link(_));
    if !textual || access.field(entity, declared.title) < FieldRight::Read {
        return Predicate::False;
    }
    match access.rule(entity, Action::View) {
        Rule::Always => Predicate::True,
        rule => rule.to_predicate(),
    }
}
