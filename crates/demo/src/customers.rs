//! To whom the demo company sells and from whom it buys: organisations, the people in them, a
//! pipeline of eighteen months with its moves, what was said and what is to do.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use opsflux_model::Value;
use opsflux_model::fold::fold;
use opsflux_model::schema::system;
use opsflux_records::write::seed::SeedRecord;
use opsflux_store::Write;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use crate::Error;
use crate::company::Company;
use crate::draw::{Draw, later, seconds};
use crate::rows::{Rows, reference, texts};

const DAY: i64 = 86_400;
/// The department that sells.
const SALES: &str = "sales";
/// How far back the first deal is, in days.
const HISTORY: i64 = 18 * 30;
/// Stages on the way, with their usual chance in per cent.
const WAY: [(&str, i64); 4] = [
    ("prospect", 10),
    ("qualification", 25),
    ("proposition", 50),
    ("negociation", 75),
];
const LOST: [&str; 6] = [
    "prix",
    "concurrent",
    "besoin",
    "budget",
    "calendrier",
    "sans_suite",
];
const ROLES: [&str; 5] = ["decideur", "technique", "achats", "financier", "juridique"];

/// `crm/demo/customers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomersFile {
    organisations: usize,
    people: usize,
    deals: usize,
    first: Vec<String>,
    second: Vec<String>,
    forms: Vec<String>,
    towns_fr: Vec<String>,
    towns_ga: Vec<String>,
    first_names: Vec<String>,
    last_names: Vec<String>,
    functions: Vec<String>,
    strategies: Vec<String>,
    deals_of: Vec<String>,
    calls: Vec<String>,
    emails: Vec<String>,
    meetings: Vec<String>,
    visits: Vec<String>,
    notes: Vec<String>,
    tasks: Vec<String>,
}

/// What is written of customers: records, and the moves of their deals.
pub struct Customers {
    /// Records.
    pub records: Vec<SeedRecord>,
    /// Rows of the stage log.
    pub moves: Vec<Write>,
}

/// An organisation as others point at it.
struct Party {
    id: Uuid,
    name: String,
    domain: String,
    owner: Uuid,
    people: Vec<Uuid>,
    client: bool,
}

struct Making<'m> {
    file: &'m CustomersFile,
    rows: &'m Rows,
    sellers: Vec<Uuid>,
    now: Timestamp,
    draw: Draw,
    made: Customers,
}

/// Thinks of the customers.
///
/// # Errors
/// [`Error::Data`] when nobody sells; [`Error::Unknown`] for a name that is not declared.
pub fn make(
    file: &CustomersFile,
    company: &Company,
    rows: &Rows,
    draw: Draw,
    now: Timestamp,
) -> Result<Customers, Error> {
    let sellers: Vec<Uuid> = company
        .people
        .iter()
        .filter(|person| company.departments[person.department].key == SALES)
        .filter(|person| person.role == SALES || person.role == "manager")
        .map(|person| person.id)
        .collect();
    if sellers.is_empty() {
        return Err(Error::data("company.toml", "nobody has the role “sales”"));
    }
    let mut making = Making {
        file,
        rows,
        sellers,
        now,
        draw,
        made: Customers {
            records: Vec::new(),
            moves: Vec::new(),
        },
    };
    making.rates()?;
    let mut parties = making.organisations()?;
    making.people(&mut parties)?;
    making.deals(&parties)?;
    Ok(making.made)
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A name as it stands in an address.
fn slug(name: &str) -> String {
    let folded = fold(name).replace('’', " ");
    let words = folded.split(|c: char| !c.is_ascii_alphanumeric());
    let kept: Vec<&str> = words.filter(|word| word.len() > 2).collect();
    kept.join("-")
}

impl Making<'_> {
    fn word<'w>(&mut self, from: &'w [String]) -> &'w str {
        self.draw.pick(from).map_or("", String::as_str)
    }

    fn seller(&mut self) -> Uuid {
        self.draw.pick(&self.sellers).copied().unwrap_or_default()
    }

    /// A moment of working time, so many days ago at most and least.
    fn ago(&mut self, most: i64, least: i64) -> Timestamp {
        let days = self.draw.between(least, most);
        let midnight = later(self.now, -(self.now.as_second() % DAY) - days * DAY);
        let at = later(midnight, self.draw.between(8 * 3600, 17 * 3600));
        if at > self.now { later(at, -DAY) } else { at }
    }

    fn rates(&mut self) -> Result<(), Error> {
        let at = later(self.now, -(HISTORY + 30) * DAY);
        for (currency, rate) in [("USD", "0.92"), ("GBP", "1.17"), ("XAF", "0.00152449")] {
            let rate: Decimal = rate.parse().unwrap_or(Decimal::ONE);
            let values = vec![
                ("currency", currency.into()),
                ("rate", Value::Decimal(rate)),
                ("on", Value::Date(day(at))),
            ];
            let id = self.draw.id(at);
            let row = self.rows.row("currency_rate", id, (at, None), values)?;
            self.made.records.push(row);
        }
        Ok(())
    }

    fn organisations(&mut self) -> Result<Vec<Party>, Error> {
        let mut parties = Vec::new();
        for place in 0..self.file.organisations {
            let (first, second) = (place % self.file.first.len(), place / self.file.first.len());
            let second = (second * 7 + first * 3) % self.file.second.len().max(1);
            let form = self.word(&self.file.forms).to_owned();
            let bare = format!("{} {}", self.file.first[first], self.file.second[second]);
            let name = format!("{bare} {form}").trim().to_owned();
            let gabon = place % 3 == 0;
            let towns = if gabon {
                &self.file.towns_ga
            } else {
                &self.file.towns_fr
            };
            let town = self.word(towns).to_owned();
            let domain = format!("{}-{place}.example", slug(&bare));
            let kinds = [62, 22, 7, 3, 6];
            let kind = self.draw.weighted(kinds);
            let kind = ["client", "fournisseur", "distributeur", "emetteur", "autre"][kind];
            let stages = [30, 16, 12, 8, 24, 6, 4];
            let stage = self.draw.weighted(stages);
            let stage = [
                "prospect",
                "qualification",
                "proposition",
                "negociation",
                "signe",
                "perdu",
                "inactif",
            ][stage];
            let at = self.ago(HISTORY + 20, HISTORY / 3);
            let (id, owner) = (self.draw.id(at), self.seller());
            let amount = Decimal::from(self.draw.between(5, 400) * 1000);
            let phone = self.draw.digits(if gabon {
                "+241 11 ## ## ##"
            } else {
                "+33 1 ## ## ## ##"
            });
            let strategy = self.word(&self.file.strategies).to_owned();
            let email = format!("contact@{domain}");
            let values = vec![
                ("nom", name.as_str().into()),
                ("type", kind.into()),
                ("pipeline_stage", stage.into()),
                ("email", email.as_str().into()),
                ("telephone", phone.as_str().into()),
                ("ville", town.as_str().into()),
                ("country", if gabon { "Gabon" } else { "France" }.into()),
                ("language", "fr".into()),
                ("montant_potentiel", Value::Decimal(amount)),
                ("strategies", texts([strategy.as_str()])),
                ("owner", owner.into()),
                ("dup_email", email.as_str().into()),
            ];
            let row = self
                .rows
                .row("organisation", id, (at, Some(owner)), values)?;
            self.made.records.push(row);
            parties.push(Party {
                id,
                name,
                domain,
                owner,
                people: Vec::new(),
                client: kind == "client" || kind == "distributeur",
            });
        }
        Ok(parties)
    }

    /// Everybody has a place; one in eight another one, or one he has left.
    fn people(&mut self, parties: &mut [Party]) -> Result<(), Error> {
        for place in 0..self.file.people {
            let first = self.word(&self.file.first_names).to_owned();
            let last = self.word(&self.file.last_names).to_owned();
            let function = self.word(&self.file.functions).to_owned();
            let at = self.ago(HISTORY, 60);
            let party = place % parties.len().max(1);
            let (id, owner) = (self.draw.id(at), parties[party].owner);
            let name = format!("{first} {last}");
            let email = format!(
                "{}.{}{place}@{}",
                slug(&first),
                slug(&last),
                parties[party].domain
            );
            let phone = self.draw.digits("+33 6 ## ## ## ##");
            let values = vec![
                ("name", name.as_str().into()),
                ("prenom", first.as_str().into()),
                ("nom", last.as_str().into()),
                ("fonction", function.as_str().into()),
                ("email", email.as_str().into()),
                ("mobile", phone.as_str().into()),
                ("language", "fr".into()),
                ("owner", owner.into()),
                ("dup_email", email.as_str().into()),
            ];
            let row = self.rows.row("person", id, (at, Some(owner)), values)?;
            self.made.records.push(row);
            let main = parties[party].people.is_empty();
            self.place(id, &name, parties[party].id, (at, owner), main, false)?;
            parties[party].people.push(id);
            if self.draw.chance(0.12) {
                let other = self.draw.below(parties.len());
                if other != party {
                    let left = self.draw.chance(0.5);
                    self.place(id, &name, parties[other].id, (at, owner), false, left)?;
                }
            }
        }
        Ok(())
    }

    fn place(
        &mut self,
        person: Uuid,
        name: &str,
        organisation: Uuid,
        (at, by): (Timestamp, Uuid),
        main: bool,
        left: bool,
    ) -> Result<(), Error> {
        let role = self.draw.pick(&ROLES).copied().unwrap_or("autre");
        let start = later(at, -self.draw.between(100, 2000) * DAY);
        let values = vec![
            ("person", person.into()),
            ("organisation", organisation.into()),
            ("role", if main { "contact_principal" } else { role }.into()),
            ("primary", Value::Bool(main)),
            ("start", Value::Date(day(start))),
            (
                "end",
                if left {
                    Value::Date(day(at))
                } else {
                    Value::Null
                },
            ),
            ("person_name", name.into()),
        ];
        let id = self.draw.id(at);
        let row = self
            .rows
            .row("person_organisation_link", id, (at, Some(by)), values)?;
        self.made.records.push(row);
        Ok(())
    }

    fn deals(&mut self, parties: &[Party]) -> Result<(), Error> {
        let clients: Vec<&Party> = parties.iter().filter(|party| party.client).collect();
        for _ in 0..self.file.deals {
            let place = self.draw.below(clients.len());
            let Some(party) = clients.get(place) else {
                return Ok(());
            };
            self.deal(party)?;
        }
        Ok(())
    }

    /// A deal from the first contact to where it stands.
    fn deal(&mut self, party: &Party) -> Result<(), Error> {
        let recent = self.draw.chance(0.4);
        let begun = self.ago(if recent { 90 } else { HISTORY }, 3);
        let id = self.draw.id(begun);
        let mut at = begun;
        let mut stage = 0;
        let mut since = begun;
        self.moved(id, None, "prospect", begun, None, party.owner)?;
        let mut end = None;
        loop {
            let stays = self.draw.between(8, 50) * DAY + self.draw.between(0, 8 * 3600);
            let next = later(at, stays);
            if next >= self.now {
                break;
            }
            let lost = self.draw.chance(0.14);
            let to = match (lost, WAY.get(stage + 1)) {
                (true, _) => "perdu",
                (false, Some((name, _))) => name,
                (false, None) => "signe",
            };
            self.moved(id, Some(WAY[stage].0), to, next, Some(since), party.owner)?;
            (at, since) = (next, next);
            if lost || stage == 3 {
                end = Some(to);
                break;
            }
            stage += 1;
        }
        let (name, usual) = WAY[stage];
        let (name, chance) = match end {
            Some("signe") => ("signe", 100),
            Some(other) => (other, 0),
            None => (name, usual),
        };
        let said = (end.is_none() && self.draw.chance(0.2)).then(|| self.draw.between(1, 19) * 5);
        let (currency, rate) = self.currency();
        let amount = Decimal::from(self.draw.between(8, 320) * 1000);
        let title = self.word(&self.file.deals_of).to_owned();
        let title = format!("{title} – {}", party.name);
        let close = match end {
            Some(_) => day(since),
            None => day(self.now).saturating_add(self.draw.between(-20, 150).days()),
        };
        let person = self.draw.pick(&party.people).copied();
        let reason = self.draw.pick(&LOST).copied();
        let lost = (name == "perdu").then_some(reason).flatten();
        let values = vec![
            ("title", title.as_str().into()),
            ("organisation", party.id.into()),
            ("person", person.into()),
            ("owner", party.owner.into()),
            ("stage", name.into()),
            ("montant", Value::Decimal(amount)),
            ("currency", currency.into()),
            ("rate", Value::Decimal(rate)),
            ("probability", said.map_or(Value::Null, Value::Int)),
            ("chance", Value::Int(said.unwrap_or(chance))),
            ("expected_close", Value::Date(close)),
            (
                "closed_on",
                if end.is_some() {
                    Value::Date(day(since))
                } else {
                    Value::Null
                },
            ),
            ("stage_since", Value::Time(since)),
            ("lost_reason", lost.map_or(Value::Null, Value::from)),
        ];
        let acts = ((begun, Some(party.owner)), (since, Some(party.owner)));
        let row = self.rows.changed("deal", id, acts, values)?;
        self.made.records.push(row);
        let until = if end.is_some() { since } else { self.now };
        self.talks(party, id, person, (begun, until))?;
        if end.is_none() {
            self.todo(party, id, begun)?;
        }
        Ok(())
    }

    /// A currency and what it is worth.
    fn currency(&mut self) -> (&'static str, Decimal) {
        match self.draw.weighted([85, 15]) {
            0 => ("EUR", Decimal::ONE),
            _ => ("USD", Decimal::new(92, 2)),
        }
    }

    fn moved(
        &mut self,
        deal: Uuid,
        from: Option<&str>,
        to: &str,
        at: Timestamp,
        since: Option<Timestamp>,
        by: Uuid,
    ) -> Result<(), Error> {
        let unknown = |field: &str| Error::Unknown {
            entity: "deal_stage_change".to_owned(),
            field: field.to_owned(),
        };
        let log = self.rows.schema.find("deal_stage_change");
        let log = log.ok_or_else(|| unknown(""))?;
        let declared = self.rows.schema.entity(log);
        let mut values = BTreeMap::from([
            (system::ID, Value::Id(self.draw.id(at))),
            (system::CREATED_AT, Value::Time(at)),
            ("deal", Value::Id(deal)),
            ("to", Value::from(to)),
            ("user", Value::Id(by)),
        ]);
        if let (Some(from), Some(since)) = (from, since) {
            values.insert("from", Value::from(from));
            values.insert("duration", Value::Int(seconds(since, at)));
        }
        let values = values
            .into_iter()
            .map(|(name, value)| Ok((declared.find(name).ok_or_else(|| unknown(name))?, value)))
            .collect::<Result<_, Error>>()?;
        self.made.moves.push(Write::Insert {
            entity: log,
            values,
        });
        Ok(())
    }

    /// What was said about a deal; of open ones every third has something planned.
    fn talks(
        &mut self,
        party: &Party,
        deal: Uuid,
        person: Option<Uuid>,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<(), Error> {
        let mut at = later(from, 3600);
        loop {
            self.talk(party, deal, person, at, false)?;
            at = later(
                at,
                self.draw.between(4, 28) * DAY + self.draw.between(0, 3600),
            );
            if at >= until {
                break;
            }
        }
        if until == self.now && self.draw.chance(0.35) {
            let next = later(self.now, self.draw.between(1, 30) * DAY);
            self.talk(party, deal, person, next, true)?;
        }
        Ok(())
    }

    fn talk(
        &mut self,
        party: &Party,
        deal: Uuid,
        person: Option<Uuid>,
        at: Timestamp,
        planned: bool,
    ) -> Result<(), Error> {
        let file = self.file;
        let kinds = [
            ("call", &file.calls),
            ("email", &file.emails),
            ("meeting", &file.meetings),
            ("visit", &file.visits),
            ("note", &file.notes),
        ];
        // A note is of the past.
        let weights = [40, 28, 18, 6, if planned { 0 } else { 8 }];
        let (kind, titles) = kinds[self.draw.weighted(weights)];
        let title = self.word(titles).to_owned();
        let values = vec![
            ("type", kind.into()),
            ("title", title.as_str().into()),
            ("occurred_at", Value::Time(at)),
            ("planned", Value::Bool(planned)),
            ("organisation", party.id.into()),
            ("person", person.into()),
            ("deal", deal.into()),
            ("owner", party.owner.into()),
        ];
        let entered = at.min(self.now);
        let id = self.draw.id(entered);
        let row = self
            .rows
            .row("activity", id, (entered, Some(party.owner)), values)?;
        self.made.records.push(row);
        Ok(())
    }

    fn todo(&mut self, party: &Party, deal: Uuid, begun: Timestamp) -> Result<(), Error> {
        let title = self.word(&self.file.tasks).to_owned();
        let title = format!("{title} – {}", party.name);
        let priority = ["low", "medium", "high", "critical"][self.draw.weighted([15, 50, 28, 7])];
        let due = day(self.now).saturating_add(self.draw.between(-12, 25).days());
        let values = vec![
            ("title", title.as_str().into()),
            ("priority", priority.into()),
            ("due_date", Value::Date(due)),
            ("assignee", party.owner.into()),
            ("about", reference("deal", deal)),
            ("organisation", party.id.into()),
        ];
        let at = later(begun, self.draw.between(0, 2) * 1800);
        let id = self.draw.id(at);
        let row = self.rows.row("task", id, (at, Some(party.owner)), values)?;
        self.made.records.push(row);
        Ok(())
    }
}
