//! The demo company as it is thought of before it is written: who and what points at whom.
//!
//! Places in these lists stand for records until rows are made of them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use opsflux_records::Language;
use uuid::Uuid;

use crate::Error;
use crate::data::{CategoryDecl, CompanyFile, Data, GroupDecl, SPOKEN, SiteDecl};
use crate::draw::Draw;
use crate::people;
use crate::rhythm::Rhythm;

/// The whole company.
pub struct Company {
    pub code: String,
    /// What follows the `@` of its addresses.
    pub domain: String,
    /// The zone of the head office: that of the service desk.
    pub zone: TimeZone,
    pub sites: Vec<Site>,
    pub departments: Vec<Department>,
    pub people: Vec<Person>,
    pub groups: Vec<Group>,
    pub categories: Vec<Category>,
    pub assets: Vec<Asset>,
}

/// A place.
pub struct Site {
    pub id: Uuid,
    pub key: String,
    pub name: String,
    pub kind: String,
    pub zone: TimeZone,
    pub rhythm: Rhythm,
    /// How a sentence names it, in the order of [`SPOKEN`].
    pub at: [String; 2],
    /// Each `#` is a digit.
    pub phone: String,
}

/// A part of the company.
pub struct Department {
    pub id: Uuid,
    pub key: String,
    pub name: String,
    pub parent: Option<usize>,
    /// Who leads it.
    pub head: Option<usize>,
}

/// Somebody.
pub struct Person {
    pub id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub username: String,
    pub email: String,
    pub phone: String,
    pub job_title: String,
    pub site: usize,
    pub department: usize,
    pub manager: Option<usize>,
    pub language: Language,
    pub role: String,
    /// The top of what a technician sees.
    pub covers: usize,
    /// Printed when all is done.
    pub login: bool,
    /// How often he asks for help.
    pub asks: u32,
}

impl Person {
    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// People who act together.
pub struct Group {
    pub id: Uuid,
    pub key: String,
    pub members: Vec<usize>,
    pub manager: Option<usize>,
}

/// What a ticket is about.
pub struct Category {
    pub id: Uuid,
    pub key: String,
    pub parent: Option<usize>,
    pub group: usize,
    pub share: u32,
}

/// A thing.
pub struct Asset {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub model: String,
    pub site: usize,
    pub user: Option<usize>,
    /// Whether it is where it is used.
    pub in_service: bool,
}

const FILE: &str = "company.toml";

impl Company {
    /// Thinks of everybody and everything but the assets.
    ///
    /// # Errors
    /// [`Error::Data`] when a file names what no file has.
    pub fn plan(data: &Data, draw: &mut Draw, founded: Timestamp) -> Result<Company, Error> {
        let file = &data.company;
        let sites = file.sites.iter().map(|site| plan_site(site, draw, founded));
        let sites = sites.collect::<Result<Vec<_>, Error>>()?;
        let departments = plan_departments(file, draw, founded)?;
        let mut company = Company {
            code: file.company.code.clone(),
            domain: file.company.email_domain.clone(),
            zone: zone(&file.company.time_zone)?,
            sites,
            departments,
            people: Vec::new(),
            groups: Vec::new(),
            categories: Vec::new(),
            assets: Vec::new(),
        };
        people::plan(&mut company, data, draw, founded)?;
        for group in &file.groups {
            let group = plan_group(&company, data, group, draw, founded)?;
            company.groups.push(group);
        }
        for category in &data.categories {
            let category = plan_category(&company, category, draw, founded)?;
            company.categories.push(category);
        }
        Ok(company)
    }

    /// The place of the site with this key.
    pub fn site(&self, key: &str) -> Result<usize, Error> {
        found(
            self.sites.iter().position(|site| site.key == key),
            "site",
            key,
        )
    }

    /// The place of the department with this key.
    pub fn department(&self, key: &str) -> Result<usize, Error> {
        let place = self.departments.iter().position(|d| d.key == key);
        found(place, "department", key)
    }

    /// The place of the group with this key.
    pub fn group(&self, key: &str) -> Result<usize, Error> {
        found(
            self.groups.iter().position(|group| group.key == key),
            "group",
            key,
        )
    }

    /// The place of the category with this key.
    pub fn category(&self, key: &str) -> Result<usize, Error> {
        found(
            self.categories.iter().position(|c| c.key == key),
            "category",
            key,
        )
    }

    fn person(&self, full_name: &str) -> Result<usize, Error> {
        let place = self
            .people
            .iter()
            .position(|person| person.full_name() == full_name);
        found(place, "person", full_name)
    }

    /// The department most people of a site are of.
    pub fn main_department(&self, site: usize) -> Option<usize> {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for person in self.people.iter().filter(|person| person.site == site) {
            *counts.entry(person.department).or_insert(0) += 1;
        }
        // The first of equals, whatever order the map has.
        counts
            .into_iter()
            .max_by_key(|(department, count)| (*count, std::cmp::Reverse(*department)))
            .map(|(department, _)| department)
    }
}

fn found(place: Option<usize>, what: &str, key: &str) -> Result<usize, Error> {
    place.ok_or_else(|| Error::data(FILE, format!("there is no {what} “{key}”")))
}

fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|error| Error::data(FILE, error.to_string()))
}

fn plan_site(site: &SiteDecl, draw: &mut Draw, founded: Timestamp) -> Result<Site, Error> {
    let said = |language: Language| site.at.get(language.code()).cloned();
    let [Some(first), Some(second)] = SPOKEN.map(said) else {
        let what = format!("site “{}” is not named in every language", site.key);
        return Err(Error::data(FILE, what));
    };
    Ok(Site {
        id: draw.id(founded),
        key: site.key.clone(),
        name: site.name.clone(),
        kind: site.kind.clone(),
        zone: zone(&site.time_zone)?,
        rhythm: Rhythm::of(&site.kind),
        at: [first, second],
        phone: site.phone.clone(),
    })
}

fn plan_departments(
    file: &CompanyFile,
    draw: &mut Draw,
    founded: Timestamp,
) -> Result<Vec<Department>, Error> {
    let mut departments: Vec<Department> = Vec::with_capacity(file.departments.len());
    for declared in &file.departments {
        let parent = match &declared.parent {
            None => None,
            Some(key) => {
                let place = departments
                    .iter()
                    .position(|department| department.key == *key);
                Some(found(place, "department above", key)?)
            }
        };
        departments.push(Department {
            id: draw.id(founded),
            key: declared.key.clone(),
            name: declared.name.clone(),
            parent,
            head: None,
        });
    }
    Ok(departments)
}

/// Members are who has one of the jobs, then who is named.
fn plan_group(
    company: &Company,
    data: &Data,
    group: &GroupDecl,
    draw: &mut Draw,
    founded: Timestamp,
) -> Result<Group, Error> {
    let mut members = Vec::new();
    for title in &group.titles {
        let posts = data.company.departments.iter().flat_map(|d| &d.posts);
        let jobs: Vec<_> = posts.filter(|post| post.title.of(false) == title).collect();
        if jobs.is_empty() {
            return Err(Error::data(FILE, format!("nobody is “{title}”")));
        }
        let has_job = |person: &Person| {
            jobs.iter().any(|post| {
                [false, true]
                    .iter()
                    .any(|sex| post.title.of(*sex) == person.job_title)
            })
        };
        let places = company.people.iter().enumerate();
        members.extend(places.filter(|(_, p)| has_job(p)).map(|(place, _)| place));
    }
    for name in &group.members {
        members.push(company.person(name)?);
    }
    let manager = group.manager.as_ref().map(|name| company.person(name));
    members.sort_unstable();
    members.dedup();
    if members.is_empty() {
        return Err(Error::data(
            FILE,
            format!("group “{}” has no members", group.key),
        ));
    }
    Ok(Group {
        id: draw.id(founded),
        key: group.key.clone(),
        members,
        manager: manager.transpose()?,
    })
}

fn plan_category(
    company: &Company,
    category: &CategoryDecl,
    draw: &mut Draw,
    founded: Timestamp,
) -> Result<Category, Error> {
    let parent = category.parent.as_ref().map(|key| company.category(key));
    Ok(Category {
        id: draw.id(founded),
        key: category.key.clone(),
        parent: parent.transpose()?,
        group: company.group(&category.group)?,
        share: category.share,
    })
}
