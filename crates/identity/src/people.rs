//! Who a signed-in person is and what the person may do, kept in memory.
//!
//! A [`Person`] is compiled from the user's row, memberships and groups over the tenant's
//! [`Structure`], and believed while its mark stands (see [`crate::freshness`]), while the schema
//! is the one it was compiled for, and for a minute at most: a permission may speak of `@now`.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use opsflux_model::access::{Membership, Principal};
use opsflux_model::predicate::Variables;
use opsflux_model::{Access, Schema};
use opsflux_records::{Error, Language, Records};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::ACTIVE;
use crate::freshness::{Freshness, Mark};
use crate::sharing;
use crate::structure::{Held, Structure};
use opsflux_records::table::{Query, Table, at, text_at, time_at};

/// The setting of the first tenant that names the account that holds the instance.
pub(crate) const INSTANCE_ADMINISTRATOR: &str = "instance.administrator";
/// The tenant that came with the instance.
pub(crate) const FIRST_TENANT: i64 = 1;

/// How many people are kept: each costs some tens of kilobytes.
const KEPT: u64 = 2_048;
const OLDEST: SignedDuration = SignedDuration::from_mins(1);

/// A person as requests need it.
#[derive(Debug)]
pub(crate) struct Person {
    active: bool,
    pub access: Arc<Access>,
    /// The language of the profile.
    pub language: Option<Language>,
    pub time_zone: TimeZone,
    /// Sessions begun before are over.
    sessions_from: Option<Timestamp>,
    /// Companies the person may work in: id and name, by name.
    pub companies: Vec<(Uuid, String)>,
    schema: Arc<Schema>,
    mark: Mark,
    made_at: Timestamp,
    /// What the person may do while he works in one of several companies; made when asked for.
    in_company: Mutex<HashMap<Uuid, Arc<Access>>>,
}

impl Person {
    /// What the person may do while he works in one company: what his roles there give, and those
    /// held everywhere. Whoever holds none there, and may work in it all the same, is an
    /// administrator and stays one.
    pub fn access_in(&self, company: Uuid) -> Arc<Access> {
        let principal = &self.access.principal;
        let mut held = principal.memberships.iter();
        let somewhere_else = |held: &Membership| held.company.is_some_and(|is| is != company);
        if !held.clone().any(|held| held.company == Some(company)) || !held.any(somewhere_else) {
            return self.access.clone();
        }
        let mut made = self.in_company.lock();
        let access = made.entry(company).or_insert_with(|| {
            let mut there = principal.clone();
            there.memberships.retain(|held| !somewhere_else(held));
            let variables = variables(&there, self.made_at, &self.time_zone);
            Arc::new(Access::compile(&self.schema, there, &variables))
        });
        access.clone()
    }

    /// Whether the account may be used at all.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Whether a session begun at `began` may be used.
    pub fn accepts(&self, began: Timestamp) -> bool {
        self.active && self.sessions_from.is_none_or(|from| began >= from)
    }
}

struct KeptStructure {
    structure: Arc<Structure>,
    schema: Arc<Schema>,
    mark: Mark,
}

/// The people of all tenants.
pub(crate) struct People {
    records: Records,
    freshness: Arc<Freshness>,
    people: Cache<(i64, Uuid), Arc<Person>>,
    structures: Cache<i64, Arc<KeptStructure>>,
}

impl People {
    pub fn new(records: Records, freshness: Arc<Freshness>) -> People {
        People {
            records,
            freshness,
            people: Cache::new(KEPT),
            structures: Cache::new(KEPT),
        }
    }

    /// The person, from memory while it may be believed; `None` when there is no such account
    /// (any more).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        tenant: i64,
        user: Uuid,
        now: Timestamp,
    ) -> Result<Option<Arc<Person>>, Error> {
        let schema = self.records.schema();
        let mark = self.freshness.person(tenant, user);
        let hears = self.freshness.hears(now);
        if hears && let Some(known) = self.people.get(&(tenant, user)) {
            let young = now.duration_since(known.made_at) < OLDEST;
            if known.mark == mark && young && Arc::ptr_eq(&known.schema, &schema) {
                return Ok(Some(known));
            }
        }
        let Some(person) = self.read(&schema, tenant, user, mark, now).await? else {
            return Ok(None);
        };
        let person = Arc::new(person);
        self.people.insert((tenant, user), person.clone());
        Ok(Some(person))
    }

    /// What everybody's rights in the tenant hang on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shape(&self, tenant: i64, now: Timestamp) -> Result<Arc<Structure>, Error> {
        let schema = self.records.schema();
        let kept = self.structure(&schema, tenant, now).await?;
        Ok(kept.structure.clone())
    }

    async fn structure(
        &self,
        schema: &Arc<Schema>,
        tenant: i64,
        now: Timestamp,
    ) -> Result<Arc<KeptStructure>, Error> {
        let mark = self.freshness.tenant(tenant);
        if self.freshness.hears(now)
            && let Some(known) = self.structures.get(&tenant)
            && known.mark == mark
            && Arc::ptr_eq(&known.schema, schema)
        {
            return Ok(known);
        }
        let structure = Structure::read(self.records.store(), schema, tenant).await?;
        let kept = Arc::new(KeptStructure {
            structure: Arc::new(structure),
            schema: schema.clone(),
            mark,
        });
        self.structures.insert(tenant, kept.clone());
        Ok(kept)
    }

    async fn read(
        &self,
        schema: &Arc<Schema>,
        tenant: i64,
        user: Uuid,
        mark: Mark,
        now: Timestamp,
    ) -> Result<Option<Person>, Error> {
        let kept = self.structure(schema, tenant, now).await?;
        let structure = &kept.structure;
        let users = Table::of(schema, "user")?;
        let query = Query {
            fields: &[
                "status",
                "company",
                "language",
                "time_zone",
                "sessions_from",
            ],
            filter: users.is("id", user)?,
            sort: &[],
            limit: 1,
        };
        let rows = users.rows(self.records.store(), tenant, query).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let mut memberships = self.memberships(schema, structure, tenant, user).await?;
        let groups = self.groups(schema, structure, tenant, user).await?;
        memberships.extend(groups.iter().flat_map(|group| {
            let handed_down = structure.handed_down.get(group).into_iter().flatten();
            handed_down.flat_map(|held| structure.memberships(*held, Some(*group)))
        }));
        let store = self.records.store();
        let shares = sharing::shares(store, schema, tenant, user, &groups).await?;
        let everywhere = memberships
            .iter()
            .any(|m| m.company.is_none() || m.role.as_deref() == Some(ADMIN));
        let companies: Vec<(Uuid, String)> = structure
            .companies
            .iter()
            .filter(|c| everywhere || memberships.iter().any(|m| m.company == Some(c.id)))
            .map(|company| (company.id, company.name.clone()))
            .collect();
        let own = at(row, 1)
            .as_id()
            .filter(|id| companies.iter().any(|(known, _)| known == id));
        let home_company = own
            .or_else(|| memberships.iter().find_map(|membership| membership.company))
            .or_else(|| companies.first().map(|(id, _)| *id));
        let time_zone = zone(text_at(row, 3), structure, home_company);
        let principal = Principal {
            tenant,
            user,
            home_company,
            memberships,
            groups,
            shares,
            instance_admin: self.holds_instance(tenant, user).await?,
        };
        let variables = variables(&principal, now, &time_zone);
        Ok(Some(Person {
            active: at(row, 0).as_text() == Some(ACTIVE),
            access: Arc::new(Access::compile(schema, principal, &variables)),
            language: at(row, 2).as_text().and_then(Language::parse),
            time_zone,
            sessions_from: time_at(row, 4),
            companies,
            schema: schema.clone(),
            mark,
            made_at: now,
            in_company: Mutex::default(),
        }))
    }

    async fn memberships(
        &self,
        schema: &Schema,
        structure: &Structure,
        tenant: i64,
        user: Uuid,
    ) -> Result<Vec<Membership>, Error> {
        let memberships = Table::of(schema, "membership")?;
        let query = Query {
            fields: &["role", "company", "department"],
            filter: memberships.is("user", user)?,
            sort: &[],
            limit: 1_000,
        };
        let rows = memberships
            .rows(self.records.store(), tenant, query)
            .await?;
        let held = rows.iter().filter_map(|row| {
            Some(Held {
                role: at(row, 0).as_id()?,
                company: at(row, 1).as_id(),
                department: at(row, 2).as_id(),
            })
        });
        Ok(held
            .flat_map(|held| structure.memberships(held, None))
            .collect())
    }

    async fn groups(
        &self,
        schema: &Schema,
        structure: &Structure,
        tenant: i64,
        user: Uuid,
    ) -> Result<Vec<Uuid>, Error> {
        let groups = Table::of(schema, "group")?;
        let query = Query {
            fields: &["id"],
            filter: groups.is("members", user)?,
            sort: &[],
            limit: 10_000,
        };
        let rows = groups.rows(self.records.store(), tenant, query).await?;
        let own: Vec<Uuid> = rows.iter().filter_map(|row| at(row, 0).as_id()).collect();
        Ok(structure.groups_with_above(&own))
    }

    async fn holds_instance(&self, tenant: i64, user: Uuid) -> Result<bool, Error> {
        if tenant != FIRST_TENANT {
            return Ok(false);
        }
        let holder = self.records.setting(tenant, INSTANCE_ADMINISTRATOR).await?;
        Ok(holder.as_str().and_then(|id| Uuid::try_parse(id).ok()) == Some(user))
    }
}

const ADMIN: &str = opsflux_model::access::ADMIN;

/// The zone of the profile, else of the company, else UTC.
fn zone(own: Option<String>, structure: &Structure, company: Option<Uuid>) -> TimeZone {
    let of_company = company.and_then(|id| structure.company(id)?.time_zone.clone());
    [own, of_company]
        .into_iter()
        .flatten()
        .find_map(|name| TimeZone::get(&name).ok())
        .unwrap_or(TimeZone::UTC)
}

pub(crate) fn variables(principal: &Principal, now: Timestamp, time_zone: &TimeZone) -> Variables {
    let mut departments: Vec<Uuid> = principal
        .memberships
        .iter()
        .flat_map(|m| m.departments.iter().copied())
        .collect();
    departments.sort_unstable();
    departments.dedup();
    Variables {
        me: principal.user,
        my_groups: principal.groups.clone(),
        my_departments: departments,
        now,
        today: now.to_zoned(time_zone.clone()).date(),
        zone: time_zone.clone(),
    }
}
