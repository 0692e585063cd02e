//! The rows of the company itself: sites, departments, people with their accounts, groups, tags,
//! categories.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_model::fold::fold;
use opsflux_records::write::seed::SeedRecord;
use opsflux_store::system::SystemWrite;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::Error;
use crate::company::{Company, Person};
use crate::data::{Data, Geo};
use crate::draw::{Draw, later};
use crate::rhythm::working;
use crate::rows::{Rows, ids};

const DAY: i64 = 86_400;

/// What the rows are made with.
pub struct Founding<'a> {
    pub data: &'a Data,
    pub rows: &'a Rows,
    pub founded: Timestamp,
    pub now: Timestamp,
    pub password_hash: &'a str,
    /// Ids of the roles of the tenant, by code.
    pub roles: &'a BTreeMap<String, Uuid>,
}

/// What the first company of the tenant becomes.
pub fn company_patch(data: &Data) -> Map<String, Json> {
    let company = &data.company.company;
    let text = |name: &str, value: &str| (name.to_owned(), Json::from(value));
    Map::from_iter([
        text("name", &company.name),
        text("code", &company.code),
        text("country", &company.country),
        text("time_zone", &company.time_zone),
        text("currency", &company.currency),
    ])
}

impl Founding<'_> {
    /// Every row, with the names for signing in that belong to the people.
    ///
    /// # Errors
    /// When the data and the declarations do not agree.
    pub fn rows(
        &self,
        company: &Company,
        draw: &mut Draw,
    ) -> Result<(Vec<SeedRecord>, Vec<SystemWrite>), Error> {
        let mut records = Vec::new();
        self.places(company, &mut records)?;
        let mut names = Vec::new();
        for person in &company.people {
            records.push(self.person(company, person, draw)?);
            records.push(self.membership(company, person, draw)?);
            for name in [&person.email, &person.username] {
                let (name, user) = (fold(name), person.id);
                names.push(SystemWrite::ClaimName { name, user });
            }
        }
        self.groups(company, &mut records)?;
        self.categories(company, &mut records)?;
        for tag in &self.data.company.tags {
            let values = vec![
                ("name", tag.name.as_str().into()),
                ("color", tag.color.as_str().into()),
            ];
            records.push(self.row("tag", draw.id(self.founded), values)?);
        }
        Ok((records, names))
    }

    fn row(&self, entity: &str, id: Uuid, values: Vec<(&str, Value)>) -> Result<SeedRecord, Error> {
        self.rows.row(entity, id, (self.founded, None), values)
    }

    fn places(&self, company: &Company, records: &mut Vec<SeedRecord>) -> Result<(), Error> {
        for (site, declared) in company.sites.iter().zip(&self.data.company.sites) {
            let values = vec![
                ("name", site.name.as_str().into()),
                ("kind", site.kind.as_str().into()),
                ("address", declared.address.as_str().into()),
                ("city", declared.city.as_str().into()),
                ("country", declared.country.as_str().into()),
                ("time_zone", declared.time_zone.as_str().into()),
                ("geo", geo(&declared.geo)?),
            ];
            records.push(self.row("site", site.id, values)?);
        }
        for (department, declared) in company
            .departments
            .iter()
            .zip(&self.data.company.departments)
        {
            let parent = department.parent.map(|place| company.departments[place].id);
            let manager = department.head.map(|place| company.people[place].id);
            let values = vec![
                ("name", department.name.as_str().into()),
                ("code", declared.code.as_str().into()),
                ("parent", parent.into()),
                ("manager", manager.into()),
            ];
            records.push(self.row("department", department.id, values)?);
        }
        Ok(())
    }

    fn person(
        &self,
        company: &Company,
        person: &Person,
        draw: &mut Draw,
    ) -> Result<SeedRecord, Error> {
        let seen = later(self.now, -draw.between(600, 9 * DAY));
        let seen = working(seen, &company.sites[person.site].zone, draw);
        let signed_in = (seen < self.now && draw.chance(0.92)).then_some(seen);
        let zone = self
            .data
            .company
            .sites
            .get(person.site)
            .map(|site| site.time_zone.as_str());
        // Whoever lives by the clock of the company needs none of his own.
        let zone = zone.filter(|zone| *zone != self.data.company.company.time_zone);
        let manager = person.manager.map(|place| company.people[place].id);
        let values = vec![
            ("first_name", person.first_name.as_str().into()),
            ("last_name", person.last_name.as_str().into()),
            ("full_name", person.full_name().into()),
            ("username", person.username.as_str().into()),
            ("email", person.email.as_str().into()),
            ("password", self.password_hash.into()),
            ("phone", person.phone.as_str().into()),
            ("job_title", person.job_title.as_str().into()),
            (
                "department",
                company.departments[person.department].id.into(),
            ),
            ("site", company.sites[person.site].id.into()),
            ("manager", manager.into()),
            ("language", person.language.code().into()),
            ("time_zone", zone.into()),
            ("last_login_at", signed_in.into()),
        ];
        self.row("user", person.id, values)
    }

    fn membership(
        &self,
        company: &Company,
        person: &Person,
        draw: &mut Draw,
    ) -> Result<SeedRecord, Error> {
        let role = self.roles.get(&person.role);
        let role = role.ok_or(Error::NotSetUp("role of the demo's people"))?;
        let values = vec![
            ("user", person.id.into()),
            ("role", (*role).into()),
            ("department", company.departments[person.covers].id.into()),
        ];
        self.row("membership", draw.id(self.founded), values)
    }

    fn groups(&self, company: &Company, records: &mut Vec<SeedRecord>) -> Result<(), Error> {
        for (group, declared) in company.groups.iter().zip(&self.data.company.groups) {
            let members = group.members.iter().map(|place| company.people[*place].id);
            let manager = group.manager.map(|place| company.people[place].id);
            let values = vec![
                ("name", declared.name.as_str().into()),
                ("kind", declared.kind.as_str().into()),
                ("email_alias", declared.email_alias.as_deref().into()),
                ("manager", manager.into()),
                ("members", ids(members)),
            ];
            records.push(self.row("group", group.id, values)?);
        }
        Ok(())
    }

    fn categories(&self, company: &Company, records: &mut Vec<SeedRecord>) -> Result<(), Error> {
        for (category, declared) in company.categories.iter().zip(&self.data.categories) {
            let parent = category.parent.map(|place| company.categories[place].id);
            let values = vec![
                ("name", declared.name.as_str().into()),
                ("code", declared.code.as_str().into()),
                ("parent", parent.into()),
                ("default_group", company.groups[category.group].id.into()),
                ("active", declared.active.into()),
            ];
            records.push(self.row("category", category.id, values)?);
        }
        Ok(())
    }
}

fn geo(geo: &Geo) -> Result<Value, Error> {
    let degrees = |number: f64| {
        let parsed = number.to_string().parse::<Decimal>();
        parsed.map_err(|_| Error::data("company.toml", "a place is nowhere"))
    };
    Ok(Value::Geo {
        lat: degrees(geo.lat)?,
        lon: degrees(geo.lon)?,
    })
}
