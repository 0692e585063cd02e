//! One record as JSON.
//!
//! Reading one record is what everything does most, a write to answer included. What it takes is
//! worked out once for a person's access and kept as long as that access is: one statement that
//! answers the record, what may be done with it and the titles of what it links to.

use std::sync::Arc;

use opsflux_model::schema::{EntityIx, FieldType, Schema, system};
use opsflux_model::{Action, Predicate};
use opsflux_store::{Output, Prepared, Row, Select};

use super::address::By;
use super::columns::Columns;
use super::json::push_key;
use super::labels::{Labels, title_rule};
use super::page::Rows;
use super::query;
use super::{Found, GetRequest};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// How a record is read by one person.
pub(crate) struct GetPlan {
    schema: Arc<Schema>,
    columns: Columns,
    /// Where the outputs of links begin, one for each of `links`.
    linked: usize,
    /// The columns whose links come with their titles.
    links: Vec<usize>,
    prepared: Prepared,
}

impl Records {
    /// One record as the caller may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for what the caller may not know of.
    pub async fn get(
        &self,
        caller: &Caller,
        entity: EntityIx,
        reference: &str,
        request: &GetRequest,
    ) -> Result<Found, Error> {
        let (by, value) = self.address(entity, reference)?;
        let plan = self.plan(caller, entity, by, request)?;
        let columns = &plan.columns;
        let mut rows = Rows::default();
        let mut labels = Labels::default();
        let mut version = 0;
        let versioned = plan.schema.entity(entity).find(system::VERSION).is_some();
        self.inner
            .store
            .select_prepared(
                &plan.prepared,
                &value,
                self.inner.budget,
                |row| -> Result<(), Error> {
                    let id = row.value(0)?.as_id().unwrap_or_default();
                    if versioned {
                        version = row.value(1)?.as_int().unwrap_or_default();
                    }
                    let start = rows.bytes.len();
                    columns.write(&plan.schema, row, &mut rows.bytes, &mut rows.links)?;
                    push_key(&mut rows.bytes, "can");
                    let may = |place| Ok::<_, Error>(row.value(place)?.as_bool() == Some(true));
                    let edit = may(columns.outputs.len())?;
                    let delete = may(columns.outputs.len() + 1)?;
                    rows.bytes.extend_from_slice(
                        format!("{{\"edit\":{edit},\"delete\":{delete}}}").as_bytes(),
                    );
                    rows.ranges.push((id, start..rows.bytes.len()));
                    plan.note(row, &rows, &mut labels)
                },
            )
            .await?;
        let first = rows.ranges.first().map(|(id, _)| *id);
        let id = first.ok_or(Error::NotFound)?;
        let extras = self
            .extras(caller, entity, columns, &mut rows, &request.expand)
            .await?;
        let mut others = rows.links.clone();
        others.retain(|link| !plan.links.contains(&link.column));
        self.add_labels(caller, &others, &mut labels).await?;
        labels.blank_deleted(&rows.links, &mut rows.bytes);
        let mut body = Vec::with_capacity(rows.bytes.len() + 512);
        extras.put_together(&rows, 0, &mut body);
        body.pop();
        labels.write(&mut body);
        body.push(b'}');
        Ok(Found { id, version, body })
    }

    fn plan(
        &self,
        caller: &Caller,
        entity: EntityIx,
        by: By,
        request: &GetRequest,
    ) -> Result<Arc<GetPlan>, Error> {
        let schema = self.schema();
        // What a person asks for as a rule; the rest is worked out each time.
        let usual = request.fields.is_none() && !request.deleted && caller.companies.is_empty();
        let make = || self.make_plan(schema.clone(), caller, entity, by, request);
        if !usual {
            return make().map(Arc::new);
        }
        let plans = &self.inner.get_plans;
        plans.get(&schema, Some(&caller.access), (entity, by), make)
    }

    fn make_plan(
        &self,
        schema: Arc<Schema>,
        caller: &Caller,
        entity: EntityIx,
        by: By,
        request: &GetRequest,
    ) -> Result<GetPlan, Error> {
        let access = &caller.access;
        let columns = Columns::choose(&schema, access, entity, request.fields.as_deref())?;
        let rule = |action| query::rule(&schema, caller, entity, action);
        let mut outputs = columns.outputs.clone();
        let is_record = super::is_record(schema.entity(entity).kind);
        outputs.extend([Action::Edit, Action::Delete].map(|action| {
            // What an engine writes nobody else does.
            Output::Holds(match is_record {
                true => rule(action),
                false => Predicate::False,
            })
        }));
        let linked = outputs.len();
        let mut links = Vec::new();
        for (place, to) in columns.links() {
            let Some(Output::Field(link)) = columns.outputs.get(place) else {
                continue;
            };
            // Files are links of another type; their titles are looked up.
            if matches!(schema.entity(entity).field(*link).kind, FieldType::Link(_)) {
                let visible = title_rule(&schema, access, to);
                outputs.push(Output::Target {
                    link: *link,
                    visible,
                });
                links.push(place);
            }
        }
        let stand_in = by.stand_in();
        let (field, addressed) = self.is_addressed(entity, by, stand_in.clone())?;
        let seen = rule(if request.deleted {
            Action::Delete
        } else {
            Action::View
        });
        let select = Select {
            tenant: caller.tenant(),
            entity,
            filter: addressed.and(seen),
            outputs,
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: query::living(&schema, entity, request.deleted),
        };
        let prepared = self
            .inner
            .store
            .prepare(&select, (entity, field), &stand_in)?;
        Ok(GetPlan {
            schema,
            columns,
            linked,
            links,
            prepared,
        })
    }
}

impl GetPlan {
    /// Notes the titles that came with the row just written.
    fn note(&self, row: &Row<'_>, rows: &Rows, labels: &mut Labels) -> Result<(), Error> {
        for link in &rows.links {
            let Some(at) = self.links.iter().position(|place| *place == link.column) else {
                continue;
            };
            if let Some(target) = row.target(self.linked + at)? {
                labels.note(link.id, target);
            }
        }
        Ok(())
    }
}
