//! Who works at the demo company: posts get people, people get names.

use std::collections::HashSet;

use jiff::Timestamp;
use opsflux_identity::username::{self, Named};
use opsflux_records::Language;

use crate::Error;
use crate::company::{Company, Person};
use crate::data::{Data, NamePool, Post};
use crate::draw::Draw;

/// Gives every post its people, in the order of the file.
///
/// # Errors
/// [`Error::Data`] when the posts do not add up or name what is not there.
pub fn plan(
    company: &mut Company,
    data: &Data,
    draw: &mut Draw,
    founded: Timestamp,
) -> Result<(), Error> {
    let mut names = Names::of(data);
    for (department, declared) in data.company.departments.iter().enumerate() {
        for post in &declared.posts {
            for _ in 0..post.count {
                let person = person(company, &mut names, post, department, draw, founded)?;
                let place = company.people.len();
                let department = &mut company.departments[department];
                department.head.get_or_insert(place);
                company.people.push(person);
            }
        }
    }
    if company.people.len() != data.company.people {
        let what = format!("the posts add up to {}", company.people.len());
        return Err(Error::data("company.toml", what));
    }
    for place in 0..company.people.len() {
        company.people[place].manager = manager(company, place);
    }
    Ok(())
}

/// The head of the department, and for the head the one of the department above.
fn manager(company: &Company, place: usize) -> Option<usize> {
    let mut department = Some(company.people[place].department);
    while let Some(at) = department.and_then(|at| company.departments.get(at)) {
        match at.head {
            Some(head) if head != place => return Some(head),
            _ => department = at.parent,
        }
    }
    None
}

fn person(
    company: &Company,
    names: &mut Names<'_>,
    post: &Post,
    department: usize,
    draw: &mut Draw,
    founded: Timestamp,
) -> Result<Person, Error> {
    let feminine = draw.chance(0.5);
    let (first_name, last_name) = match (&post.first_name, &post.last_name) {
        (Some(first), Some(last)) => (first.clone(), last.clone()),
        _ => names.draw(post.language, feminine, draw)?,
    };
    let full = format!("{first_name} {last_name}");
    let named = Named {
        first: &first_name,
        last: &last_name,
        full: &full,
        email: "",
        company: &company.code,
    };
    let taken = |name: &str| company.people.iter().any(|person| person.username == name);
    let username = username::make(&named, taken);
    let end = format!(".{}", username::company_part(&company.code));
    let local = username.trim_start_matches('@');
    let local = local.strip_suffix(&end).unwrap_or(local);
    let email = format!("{local}@{}", company.domain);
    let site = company.site(&post.site)?;
    let covers = match &post.covers {
        Some(key) => company.department(key)?,
        None => department,
    };
    let is_desk = post.role == "technician" || post.role == "admin";
    Ok(Person {
        id: draw.id(founded),
        phone: draw.digits(&company.sites[site].phone),
        job_title: post.title.of(feminine).to_owned(),
        site,
        department,
        manager: None,
        language: post.language,
        role: post.role.clone(),
        covers,
        login: post.login,
        // Whom it is worth signing in as has something to show; who repairs asks less.
        asks: match (post.login, is_desk) {
            (true, false) => 60,
            (_, true) => 5,
            _ => u32::try_from(draw.between(8, 30)).unwrap_or(8),
        },
        first_name,
        last_name,
        username,
        email,
    })
}

/// Names, and which are given.
struct Names<'a> {
    pools: &'a [NamePool],
    given: HashSet<(String, String)>,
}

impl<'a> Names<'a> {
    /// Names of the file; those of posts that name their person are not given to others.
    fn of(data: &'a Data) -> Names<'a> {
        let posts = data.company.departments.iter().flat_map(|d| &d.posts);
        let named = posts.filter_map(|post| post.first_name.clone().zip(post.last_name.clone()));
        Names {
            pools: &data.people.pools,
            given: named.collect(),
        }
    }

    fn draw(
        &mut self,
        language: Language,
        feminine: bool,
        draw: &mut Draw,
    ) -> Result<(String, String), Error> {
        let pools: Vec<&NamePool> = self
            .pools
            .iter()
            .filter(|pool| pool.language == language)
            .collect();
        let empty = || {
            let what = format!("there are no names of language {}", language.code());
            Error::data("people.toml", what)
        };
        loop {
            let pool = pools.get(draw.weighted(pools.iter().map(|pool| pool.weight)));
            let pool = pool.ok_or_else(empty)?;
            let firsts = if feminine {
                &pool.feminine
            } else {
                &pool.masculine
            };
            let first = draw.pick(firsts).ok_or_else(empty)?;
            let last = draw.pick(&pool.last_names).ok_or_else(empty)?;
            let pair = (first.clone(), last.clone());
            // When every pair of a pool is given, homonyms are let in.
            let all = firsts.len() * pool.last_names.len();
            if self.given.len() >= all || self.given.insert(pair.clone()) {
                return Ok(pair);
            }
        }
    }
}
