//! The way of `opsflux demo`: look that nobody is in the way, think of the company, write it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::join;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use opsflux_model::Predicate;
use opsflux_model::schema::{EntityIx, EntityKind};
use opsflux_records::write::Along;
use opsflux_records::write::seed::{Announce, MAX_ROWS, Seed, SeedRecord};
use opsflux_records::{Actor, Caller, Origin, Records, WriteOptions};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Living, Select};
use uuid::Uuid;

use crate::company::Company;
use crate::data::Data;
use crate::draw::{Draw, later};
use crate::rows::Rows;
use crate::structure::{Founding, company_patch};
use crate::ticket::Desk;
use crate::tickets::{Batch, Tickets, first_day};
use crate::{
    DemoOptions, Error, Login, MOST_TICKETS, Progress, Summary, assets, customers, files, steering,
    views,
};

/// What the first start makes, and how many of them do not count as somebody's data.
const SET_UP: [(&str, u64); 3] = [("company", 1), ("user", 1), ("membership", 1)];
/// The code of the role whose bearers enter the assets.
const TECHNICIAN: &str = "technician";
/// From so many tickets on the feed is told of batches and not of records: reading the tables
/// again is quicker than hearing of every row.
const FOLLOWED: u32 = 20_000;
/// The house was furnished so long before the first ticket, in seconds.
const BEFORE: i64 = 30 * 86_400;

/// Parts of chance.
const COMPANY: u64 = 1;
const ASSETS: u64 = 2;
const STRUCTURE: u64 = 3;
const VIEWS: u64 = 4;
const STEERING: u64 = 5;
const CUSTOMERS: u64 = 6;

/// Fills the only tenant of a database in which nothing has happened yet.
///
/// Its first company becomes the demo company; whoever set the instance up stays in it.
///
/// # Errors
/// [`Error::NotEmpty`] and [`Error::NotSetUp`] before anything is written. A later error leaves
/// what was written until then: begin with a new database.
pub async fn fill(
    records: &Records,
    options: DemoOptions,
    progress: impl FnMut(Progress),
) -> Result<Summary, Error> {
    if options.tickets > MOST_TICKETS {
        return Err(Error::TooMany);
    }
    let data = Data::read()?;
    let mut writer = Writer::begin(records).await?;
    let now = second(options.now);
    writer.rename_company(&data).await?;
    let company = writer.furnish(&data, &options, now).await?;
    let logins = logins(&company);
    let name = data.company.company.name.clone();
    let attachments = match &options.blobs {
        Some(blobs) => files::store(blobs, writer.caller.tenant()).await?,
        None => Vec::new(),
    };
    let desk = Desk {
        data: Arc::new(data),
        company: Arc::new(company),
        rows: writer.rows.clone(),
        attachments,
        now,
    };
    writer.tickets(desk, &options, progress).await?;
    Ok(Summary {
        company: name,
        rows: writer.written,
        logins,
    })
}

/// Writes to one tenant and counts.
struct Writer {
    records: Records,
    caller: Caller,
    rows: Rows,
    written: BTreeMap<String, u64>,
}

impl Writer {
    /// The tenant, once it is sure that it holds nothing.
    async fn begin(records: &Records) -> Result<Writer, Error> {
        let tenants = records
            .store()
            .tenants()
            .await
            .map_err(opsflux_records::Error::from)?;
        let tenant = match tenants.as_slice() {
            [] => return Err(Error::NotSetUp("tenant")),
            [only] => only.number,
            _ => {
                return Err(Error::NotEmpty {
                    entity: "tenant".to_owned(),
                });
            }
        };
        refuse_data(records, tenant).await?;
        let schema = records.schema();
        let entity = |name: &str| {
            let unknown = || Error::Unknown {
                entity: name.to_owned(),
                field: String::new(),
            };
            schema.find(name).ok_or_else(unknown)
        };
        let companies = records
            .find(tenant, entity("company")?, Predicate::True, 1)
            .await?;
        let company = companies.first().ok_or(Error::NotSetUp("company"))?.id;
        let origin = Origin {
            actor: Actor::System,
            source: "demo".to_owned(),
            ..Origin::default()
        };
        let house = Caller::house(&schema, tenant, Uuid::nil(), origin);
        let caller = Caller {
            company: Some(company),
            ..house
        };
        Ok(Writer {
            records: records.clone(),
            caller,
            rows: Rows { schema, company },
            written: BTreeMap::new(),
        })
    }

    fn entity(&self, name: &str) -> Result<EntityIx, Error> {
        let unknown = || Error::Unknown {
            entity: name.to_owned(),
            field: String::new(),
        };
        self.rows.schema.find(name).ok_or_else(unknown)
    }

    async fn rename_company(&mut self, data: &Data) -> Result<(), Error> {
        let company = self.rows.company.to_string();
        let (entity, patch) = (self.entity("company")?, company_patch(data));
        let options = WriteOptions::default();
        self.records
            .update(&self.caller, entity, &company, patch, &options)
            .await?;
        Ok(())
    }

    /// Everything but the tickets.
    async fn furnish(
        &mut self,
        data: &Data,
        options: &DemoOptions,
        now: Timestamp,
    ) -> Result<Company, Error> {
        let seed = options.seed;
        let roles = self.roles().await?;
        let zone = TimeZone::get(&data.company.company.time_zone).unwrap_or(TimeZone::UTC);
        let begins = first_day(now, &zone).to_zoned(zone);
        let begins = begins.map_or(now, |begins| begins.timestamp());
        let founded = later(begins, -BEFORE);
        let mut company = Company::plan(data, &mut Draw::of(seed, COMPANY), founded)?;
        let founding = Founding {
            data,
            rows: &self.rows,
            founded,
            now,
            password_hash: &options.password_hash,
            roles: &roles,
        };
        let (records, names) = founding.rows(&company, &mut Draw::of(seed, STRUCTURE))?;
        self.write(records, names).await?;
        let technician = company
            .people
            .iter()
            .find(|person| person.role == TECHNICIAN);
        let by = technician.map(|person| person.id);
        let bought = &mut Draw::of(seed, ASSETS);
        let records = assets::make(&mut company, data, &self.rows, bought, (founded, now), by)?;
        self.write(records, Vec::new()).await?;
        let saved = later(begins, BEFORE);
        let records = views::make(&company, &self.rows, &mut Draw::of(seed, VIEWS), saved)?;
        self.write(records, Vec::new()).await?;
        let measured = &mut Draw::of(seed, STEERING);
        let records = steering::make(&company, &data.dashboards, &self.rows, measured, now)?;
        self.write(records, Vec::new()).await?;
        let draw = Draw::of(seed, CUSTOMERS);
        let customers = customers::make(&data.customers, &company, &self.rows, draw, now)?;
        self.write(customers.records, Vec::new()).await?;
        let along = Along {
            writes: customers.moves,
            ..Along::default()
        };
        self.records.change_along(&self.caller, &[], &along).await?;
        Ok(company)
    }

    /// Ids of the roles, by code.
    async fn roles(&self) -> Result<BTreeMap<String, Uuid>, Error> {
        let entity = self.entity("role")?;
        let found = self
            .records
            .find(self.caller.tenant(), entity, Predicate::True, 1_000)
            .await?;
        let schema = &self.rows.schema;
        let named = found
            .iter()
            .filter_map(|role| Some((role.get(schema, "name").as_text()?.to_owned(), role.id)));
        Ok(named.collect())
    }

    /// The next rows are thought of while the ones before are written.
    async fn tickets(
        &mut self,
        desk: Desk,
        options: &DemoOptions,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), Error> {
        let announce = if options.tickets > FOLLOWED {
            Announce::Once
        } else {
            Announce::Each
        };
        let tickets = Tickets::new(desk, options.tickets, options.seed)?;
        let (mut tickets, mut next) = think(tickets).await?;
        let mut done = Progress {
            tickets: 0,
            of: options.tickets,
        };
        progress(done);
        while let Some(batch) = next {
            done.tickets += batch.tickets;
            self.count(&batch.records);
            let seed = Seed {
                records: batch.records,
                system: Vec::new(),
                announce,
            };
            let (written, thought) = join!(self.records.seed(&self.caller, seed), think(tickets));
            written?;
            (tickets, next) = thought?;
            progress(done);
        }
        Ok(())
    }

    async fn write(
        &mut self,
        records: Vec<SeedRecord>,
        system: Vec<SystemWrite>,
    ) -> Result<(), Error> {
        // They are hundreds, whatever the number of tickets.
        debug_assert!(records.len() <= MAX_ROWS);
        self.count(&records);
        let seed = Seed {
            records,
            system,
            announce: Announce::Each,
        };
        self.records.seed(&self.caller, seed).await?;
        Ok(())
    }

    fn count(&mut self, records: &[SeedRecord]) {
        for record in records {
            let name = &self.rows.schema.entity(record.entity).name;
            match self.written.get_mut(name) {
                Some(count) => *count += 1,
                None => {
                    self.written.insert(name.clone(), 1);
                }
            }
        }
    }
}

/// Makes the next rows, on a thread of its own.
async fn think(mut tickets: Tickets) -> Result<(Tickets, Option<Batch>), Error> {
    let thought = tokio::task::spawn_blocking(move || {
        let batch = tickets.batch()?;
        Ok((tickets, batch))
    });
    let lost = |error: tokio::task::JoinError| opsflux_records::Error::Internal(error.to_string());
    thought.await.map_err(lost)?
}

/// Refuses a tenant in which somebody has begun to work.
async fn refuse_data(records: &Records, tenant: i64) -> Result<(), Error> {
    let schema = records.schema();
    for (ix, entity) in schema.iter() {
        if entity.kind == EntityKind::Log || entity.name == "role" {
            continue;
        }
        let set_up = SET_UP.iter().find(|(name, _)| *name == entity.name);
        let allowed = set_up.map_or(0, |(_, count)| *count);
        let select = Select {
            tenant,
            entity: ix,
            filter: Predicate::True,
            outputs: Vec::new(),
            sort: Vec::new(),
            after: None,
            limit: 1,
            living: Living::Any,
        };
        let budget = std::time::Duration::from_secs(30);
        let counted = records
            .store()
            .count_up_to(&select, allowed + 1, budget)
            .await;
        if counted.map_err(opsflux_records::Error::from)? > allowed {
            return Err(Error::NotEmpty {
                entity: entity.name.clone(),
            });
        }
    }
    Ok(())
}

fn logins(company: &Company) -> Vec<Login> {
    let worth = company.people.iter().filter(|person| person.login);
    worth
        .map(|person| Login {
            user: person.id,
            full_name: person.full_name(),
            job_title: person.job_title.clone(),
            role: person.role.clone(),
            username: person.username.clone(),
            email: person.email.clone(),
        })
        .collect()
}

/// Whole seconds: nobody asks at a microsecond.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
