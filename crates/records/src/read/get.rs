//! One record as JSON.
//!
//! Reading one record is what everything does most, a write to answer included. What it takes is
//! worked out once for a person's access and kept as long as that access is: one statement that
//! answers the record, what may be done with it and the titles of what it links to.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use opsflux_model::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Access, Action, Operand, Predicate, Value};
use opsflux_store::{Output, Prepared, Row, Select};
use parking_lot::Mutex;
use uuid::Uuid;

use super::columns::Columns;
use super::json::push_key;
use super::labels::{Labels, title_rule};
use super::page::Rows;
use super::query;
use super::{Found, GetRequest};
use crate::caller::Caller;
use crate::error::Error;
use crate::records::Records;

/// Plans kept at most; those of accesses that are gone make room first.
const KEPT: usize = 4_096;
/// What stands in a plan for the id.
const NO_ID: Uuid = Uuid::from_u128(0x9d3f_71c2_5b0e_4e6a_8f4d_2c71_e5a9_06b3);
/// What stands in a plan for the number: no number, and not its own key.
const NO_NUMBER: &str = "NO-SUCH-NUMBER-9D3F71C2";

/// How a record is read by one person.
struct GetPlan {
    schema: Arc<Schema>,
    columns: Columns,
    /// Where the outputs of links begin, two for each of `links`.
    linked: usize,
    /// The columns whose links come with their titles.
    links: Vec<usize>,
    prepared: Prepared,
}

/// By what a record is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Id,
    Number,
}

/// Plans by whose they are and what they read.
#[derive(Default)]
pub(crate) struct Plans(Mutex<HashMap<(usize, EntityIx, By), Kept>>);

struct Kept {
    /// Holds the place in memory by which the access is known.
    access: Weak<Access>,
    plan: Arc<GetPlan>,
}

impl Plans {
    fn find(
        &self,
        access: &Arc<Access>,
        schema: &Arc<Schema>,
        at: (EntityIx, By),
    ) -> Option<Arc<GetPlan>> {
        let kept = self.0.lock();
        let plan = &kept.get(&(Arc::as_ptr(access).addr(), at.0, at.1))?.plan;
        Arc::ptr_eq(&plan.schema, schema).then(|| plan.clone())
    }

    fn keep(&self, access: &Arc<Access>, at: (EntityIx, By), plan: &Arc<GetPlan>) {
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            kept.retain(|_, kept| kept.access.strong_count() > 0);
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let one = Kept {
            access: Arc::downgrade(access),
            plan: plan.clone(),
        };
        kept.insert((Arc::as_ptr(access).addr(), at.0, at.1), one);
    }
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

    fn address(&self, entity: EntityIx, reference: &str) -> Result<(By, Value), Error> {
        match Uuid::try_parse(reference) {
            Ok(id) => Ok((By::Id, Value::Id(id))),
            Err(_) => {
                // The same judgement of what can be a number.
                self.addressed(entity, reference)?;
                Ok((By::Number, Value::from(reference)))
            }
        }
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
        let known = || self.inner.plans.find(&caller.access, &schema, (entity, by));
        if let Some(plan) = usual.then(known).flatten() {
            return Ok(plan);
        }
        let plan = Arc::new(self.make_plan(schema, caller, entity, by, request)?);
        if usual {
            self.inner.plans.keep(&caller.access, (entity, by), &plan);
        }
        Ok(plan)
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
        outputs.extend([Action::Edit, Action::Delete].map(|action| Output::Holds(rule(action))));
        let linked = outputs.len();
        let mut links = Vec::new();
        for (place, to) in columns.links() {
            let Some(Output::Field(link)) = columns.outputs.get(place) else {
                continue;
            };
            // Files are links of another type; their titles are looked up.
            if matches!(schema.entity(entity).field(*link).kind, FieldType::Link(_)) {
                let visible = title_rule(&schema, access, to);
                outputs.extend([
                    Output::Label {
                        link: *link,
                        visible,
                    },
                    Output::Gone(*link),
                ]);
                links.push(place);
            }
        }
        let (name, stand_in) = match by {
            By::Id => (system::ID, Value::Id(NO_ID)),
            By::Number => (system::NUMBER, Value::from(NO_NUMBER)),
        };
        let field: FieldIx = schema.entity(entity).find(name).ok_or(Error::NotFound)?;
        let seen = rule(if request.deleted {
            Action::Delete
        } else {
            Action::View
        });
        let addressed = Operand::OneOf(vec![stand_in.clone()]);
        let select = Select {
            tenant: caller.tenant(),
            entity,
            filter: Predicate::test(entity, field, addressed).and(seen),
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
            let title = match row.value(self.linked + 2 * at)? {
                Value::Text(title) => Some(title),
                _ => None,
            };
            let gone = row.value(self.linked + 2 * at + 1)?.as_bool() == Some(true);
            labels.note(link.id, title, gone);
        }
        Ok(())
    }
}
