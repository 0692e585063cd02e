//! Who asks about what: a person, a template in the person's language, a thing at hand.

use jiff::civil::Date;
use opsflux_records::Language;

use crate::Error;
use crate::company::{Asset, Company, Person};
use crate::data::{Data, SPOKEN, Template};
use crate::draw::Draw;
use crate::rhythm::Rhythm;

/// Key of the category whose parts offices know nothing of.
const FIELD: &str = "field";
/// How often somebody is looked for who could ask, and how often another subject is tried.
const TRIES: (usize, usize) = (40, 200);

/// What a ticket is made of.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Place in [`Company::people`].
    pub requester: usize,
    /// Place in [`Data::templates`].
    pub template: usize,
    /// Place in [`Company::assets`].
    pub asset: Option<usize>,
}

/// What can be chosen from.
pub struct Choice {
    asks: Vec<u32>,
    /// Places in [`Data::templates`] by place of the category and language.
    templates: Vec<[Vec<usize>; 2]>,
    shares: Vec<u32>,
    /// By place of the template, the assets it may be about.
    fits: Vec<Vec<usize>>,
    outdoors: Vec<bool>,
}

impl Choice {
    /// Sorts the templates by what they are about.
    ///
    /// # Errors
    /// [`Error::Data`] when one is about what is not there.
    pub fn of(data: &Data, company: &Company) -> Result<Choice, Error> {
        let mut templates = vec![[Vec::new(), Vec::new()]; company.categories.len()];
        let mut fits = Vec::with_capacity(data.templates.len());
        for (place, template) in data.templates.iter().enumerate() {
            let category = company.category(&template.decl.category)?;
            if let Some(spoken) = spoken(template.language) {
                templates[category][spoken].push(place);
            }
            fits.push(fitting(template, company)?);
        }
        let has_any = |place: usize| templates[place].iter().any(|list| !list.is_empty());
        let shares = company
            .categories
            .iter()
            .enumerate()
            .map(|(place, category)| if has_any(place) { category.share } else { 0 });
        let outdoors = company.categories.iter().map(|category| {
            let parent = category
                .parent
                .and_then(|place| company.categories.get(place));
            parent.is_some_and(|parent| parent.key == FIELD)
        });
        Ok(Choice {
            asks: company.people.iter().map(|person| person.asks).collect(),
            shares: shares.collect(),
            outdoors: outdoors.collect(),
            templates,
            fits,
        })
    }

    /// Somebody who could ask about something on that day.
    ///
    /// # Errors
    /// [`Error::Data`] when there is nobody.
    pub fn subject(
        &self,
        data: &Data,
        company: &Company,
        date: Date,
        draw: &mut Draw,
    ) -> Result<Subject, Error> {
        let (people, subjects) = TRIES;
        for _ in 0..subjects {
            let category = draw.weighted(self.shares.iter().copied());
            for _ in 0..people {
                let requester = draw.weighted(self.asks.iter().copied());
                let person = &company.people[requester];
                let rhythm = company.sites[person.site].rhythm;
                let knows = !(self.outdoors[category] && rhythm == Rhythm::Office);
                if !knows || !draw.chance(rhythm.presence(date)) {
                    continue;
                }
                let Some(place) = spoken(person.language) else {
                    continue;
                };
                let Some(template) = draw.pick(&self.templates[category][place]) else {
                    continue;
                };
                let asset = self.at_hand(*template, requester, person, company, draw);
                if data.templates[*template].decl.asset.is_none() || asset.is_some() {
                    return Ok(Subject {
                        requester,
                        template: *template,
                        asset,
                    });
                }
            }
        }
        Err(Error::data("tickets", "nobody has anything to ask"))
    }

    /// What of the things a template may be about is the person's own, else one of his site.
    fn at_hand(
        &self,
        template: usize,
        requester: usize,
        person: &Person,
        company: &Company,
        draw: &mut Draw,
    ) -> Option<usize> {
        let those = |wanted: &dyn Fn(&Asset) -> bool| -> Vec<usize> {
            let fits = self.fits[template].iter().copied();
            fits.filter(|place| wanted(&company.assets[*place]))
                .collect()
        };
        let own = those(&|asset| asset.user == Some(requester));
        if !own.is_empty() {
            return draw.pick(&own).copied();
        }
        let shared = those(&|asset| asset.user.is_none() && asset.site == person.site);
        draw.pick(&shared).copied()
    }
}

/// The assets in service of the kind, model or name a template speaks of.
fn fitting(template: &Template, company: &Company) -> Result<Vec<usize>, Error> {
    let Some(wanted) = &template.decl.asset else {
        return Ok(Vec::new());
    };
    let is_it = |asset: &Asset| {
        asset.in_service
            && (asset.kind == *wanted || asset.model == *wanted || asset.name == *wanted)
    };
    let assets = company.assets.iter().enumerate();
    let fitting: Vec<usize> = assets
        .filter(|(_, a)| is_it(a))
        .map(|(place, _)| place)
        .collect();
    if fitting.is_empty() {
        return Err(Error::data(
            "tickets",
            format!("there is no asset “{wanted}”"),
        ));
    }
    Ok(fitting)
}

/// The place of a language among those that are spoken.
pub fn spoken(language: Language) -> Option<usize> {
    SPOKEN.iter().position(|known| *known == language)
}
