//! What the demo company owns: fleets, machines with a name, and how they hang together.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use opsflux_model::Value;
use opsflux_records::write::seed::SeedRecord;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Error;
use crate::company::{Asset, Company};
use crate::data::{AssetsFile, Data, Fleet, Model, Named, Per, Price};
use crate::draw::{Draw, later};
use crate::rhythm::working;
use crate::rows::Rows;

const FILE: &str = "assets.toml";
const DAY: i64 = 86_400;

/// How much later than bought a thing is in the register, in days.
const UNPACKED: i64 = 20;

/// A thing and what the register says of it.
struct Entered {
    asset: Asset,
    department: Option<usize>,
    status: &'static str,
    serial: Option<String>,
    manufacturer: String,
    price: Option<(Decimal, String)>,
    bought: Date,
    warranty: Option<Date>,
    at: Timestamp,
}

/// Where one more thing goes.
#[derive(Clone, Copy)]
struct Place {
    site: usize,
    user: Option<usize>,
    department: Option<usize>,
    spare: bool,
}

/// Buys everything; the company knows its assets afterwards. `by` enters them.
///
/// # Errors
/// [`Error::Data`] when the file names what is not there.
pub fn make(
    company: &mut Company,
    data: &Data,
    rows: &Rows,
    draw: &mut Draw,
    (founded, now): (Timestamp, Timestamp),
    by: Option<Uuid>,
) -> Result<Vec<SeedRecord>, Error> {
    let mut shop = Shop {
        company,
        file: &data.assets,
        draw,
        founded,
        now,
        counters: HashMap::new(),
        serials: BTreeSet::new(),
    };
    let mut entered = Vec::new();
    for named in &data.assets.named {
        entered.push(shop.named(named)?);
    }
    for fleet in &data.assets.fleet {
        shop.fleet(fleet, &mut entered)?;
    }
    // The order of the register is the order of the numbers.
    entered.sort_by_key(|thing| (thing.at, thing.asset.id));
    let mut records = Vec::with_capacity(entered.len());
    for (place, thing) in entered.iter().enumerate() {
        records.push(row(company, rows, thing, place + 1, by)?);
    }
    company.assets = entered.into_iter().map(|thing| thing.asset).collect();
    records.extend(relations(company, data, rows, draw, (founded, by))?);
    Ok(records)
}

struct Shop<'a> {
    company: &'a Company,
    file: &'a AssetsFile,
    draw: &'a mut Draw,
    founded: Timestamp,
    now: Timestamp,
    counters: HashMap<String, u32>,
    serials: BTreeSet<String>,
}

impl<'a> Shop<'a> {
    fn fleet(&mut self, fleet: &Fleet, entered: &mut Vec<Entered>) -> Result<(), Error> {
        let mut places = match fleet.per {
            Per::Person => self.per_person(fleet)?,
            Per::Site => self.per_site(fleet)?,
        };
        let warehouse = self
            .company
            .sites
            .iter()
            .position(|site| site.kind == "warehouse");
        let stock = warehouse.ok_or_else(|| Error::data(FILE, "there is no warehouse"))?;
        let spare = Place {
            site: stock,
            user: None,
            department: self.company.main_department(stock),
            spare: true,
        };
        places.extend(std::iter::repeat_n(spare, fleet.spare));
        for place in places {
            entered.push(self.one(fleet, place)?);
        }
        Ok(())
    }

    fn per_person(&mut self, fleet: &Fleet) -> Result<Vec<Place>, Error> {
        let departments = fleet
            .departments
            .iter()
            .map(|key| self.company.department(key));
        let departments = departments.collect::<Result<Vec<_>, _>>()?;
        let mut places = Vec::new();
        for (user, person) in self.company.people.iter().enumerate() {
            let counts = departments.is_empty() || departments.contains(&person.department);
            if counts && self.draw.chance(fleet.share) {
                places.push(Place {
                    site: person.site,
                    user: Some(user),
                    department: Some(person.department),
                    spare: false,
                });
            }
        }
        Ok(places)
    }

    fn per_site(&mut self, fleet: &Fleet) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for key in &fleet.sites {
            let site = self.company.site(key)?;
            let place = Place {
                site,
                user: None,
                department: self.company.main_department(site),
                spare: false,
            };
            places.extend(std::iter::repeat_n(place, fleet.count));
        }
        Ok(places)
    }

    fn one(&mut self, fleet: &Fleet, place: Place) -> Result<Entered, Error> {
        let model = self.model(fleet)?;
        let retired = self.file.status.get("retired").copied().unwrap_or_default();
        let in_repair = self
            .file
            .status
            .get("in_repair")
            .copied()
            .unwrap_or_default();
        let status = if place.spare {
            "in_stock"
        } else {
            let rest = 100_u32.saturating_sub(retired + in_repair);
            ["in_service", "in_repair", "retired"][self.draw.weighted([rest, in_repair, retired])]
        };
        let years = match status {
            "retired" => (4, 7),
            "in_stock" => (0, 1),
            _ => (0, 4),
        };
        let (bought, at) = self.bought(years);
        let warranty = bought.checked_add(model.life.years()).ok();
        Ok(Entered {
            asset: Asset {
                id: self.draw.id(at),
                name: self.name(&fleet.name, place.site)?,
                kind: model.kind.clone(),
                model: model.model.clone(),
                site: place.site,
                // What is done for is nobody's.
                user: place.user.filter(|_| status != "retired"),
                in_service: status == "in_service",
            },
            department: place.department,
            status,
            serial: Some(self.serial(&model.serial)?),
            manufacturer: model.manufacturer.clone(),
            price: Some(price(&model.price)?),
            bought,
            warranty,
            at,
        })
    }

    fn named(&mut self, named: &Named) -> Result<Entered, Error> {
        let site = self.company.site(&named.site)?;
        let (bought, at) = self.bought((2, 6));
        Ok(Entered {
            asset: Asset {
                id: self.draw.id(at),
                name: named.name.clone(),
                kind: named.kind.clone(),
                model: named.model.clone(),
                site,
                user: None,
                in_service: true,
            },
            department: Some(self.company.department(&named.department)?),
            status: "in_service",
            serial: named.serial.clone().inspect(|serial| {
                self.serials.insert(serial.clone());
            }),
            manufacturer: named.manufacturer.clone(),
            price: None,
            bought,
            warranty: None,
            at,
        })
    }

    fn model(&mut self, fleet: &Fleet) -> Result<&'a Model, Error> {
        let models: Vec<&'a Model> = self
            .file
            .models
            .iter()
            .filter(|model| fleet.models.contains(&model.model))
            .collect();
        if models.len() != fleet.models.len() {
            let what = format!(
                "not every model of {} is described",
                fleet.models.join(", ")
            );
            return Err(Error::data(FILE, what));
        }
        let drawn = self.draw.weighted(models.iter().map(|model| model.share));
        models
            .get(drawn)
            .copied()
            .ok_or_else(|| Error::data(FILE, "a fleet has no models"))
    }

    /// The day it was bought, and the moment it was entered: with the others when the register
    /// began, if it was there before.
    fn bought(&mut self, (youngest, oldest): (i64, i64)) -> (Date, Timestamp) {
        let age = self.draw.between(youngest * 365 + 30, oldest * 365 + 330) * DAY;
        let bought = later(self.now, -age);
        let unpacked = later(bought, self.draw.between(2, UNPACKED) * DAY);
        let begun = later(self.founded, self.draw.between(DAY, 10 * DAY));
        let at = working(unpacked.max(begun), &self.company.zone, self.draw);
        (bought.to_zoned(TimeZone::UTC).date(), at)
    }

    /// `{site}` is the code of the site, `{seq:N}` counts within the name.
    fn name(&mut self, pattern: &str, site: usize) -> Result<String, Error> {
        let wrong = || Error::data(FILE, format!("the name {pattern} does not count"));
        let key = &self.company.sites[site].key;
        let code = self
            .file
            .codes
            .get(key)
            .ok_or_else(|| Error::data(FILE, format!("site “{key}” has no code")))?;
        let named = pattern.replace("{site}", code);
        let (stem, width) = named
            .strip_suffix('}')
            .and_then(|named| named.split_once("{seq:"))
            .ok_or_else(wrong)?;
        let width: usize = width.parse().map_err(|_| wrong())?;
        let counter = self.counters.entry(stem.to_owned()).or_insert(0);
        *counter += 1;
        Ok(format!("{stem}{counter:0width$}"))
    }

    fn serial(&mut self, pattern: &str) -> Result<String, Error> {
        for _ in 0..10_000 {
            let serial = self.draw.serial(pattern);
            if self.serials.insert(serial.clone()) {
                return Ok(serial);
            }
        }
        let what = format!("there are too few serial numbers like {pattern}");
        Err(Error::data(FILE, what))
    }
}

fn price(price: &Price) -> Result<(Decimal, String), Error> {
    let amount = price.amount.to_string().parse();
    let amount = amount.map_err(|_| Error::data(FILE, "a price is no number"))?;
    Ok((amount, price.currency.clone()))
}

fn row(
    company: &Company,
    rows: &Rows,
    thing: &Entered,
    place: usize,
    by: Option<Uuid>,
) -> Result<SeedRecord, Error> {
    let asset = &thing.asset;
    let department = thing.department.map(|place| company.departments[place].id);
    let user = asset.user.map(|place| company.people[place].id);
    let cost = thing
        .price
        .clone()
        .map_or(Value::Null, |(amount, currency)| Value::Money {
            amount,
            currency,
        });
    let tag = format!("{}-{place:05}", company.code.to_uppercase());
    let values = vec![
        ("name", asset.name.as_str().into()),
        ("kind", asset.kind.as_str().into()),
        ("status", thing.status.into()),
        ("serial_number", thing.serial.clone().into()),
        ("asset_tag", tag.into()),
        ("manufacturer", thing.manufacturer.as_str().into()),
        ("model", asset.model.as_str().into()),
        ("site", company.sites[asset.site].id.into()),
        ("department", department.into()),
        ("user", user.into()),
        ("purchased_on", Value::Date(thing.bought)),
        (
            "warranty_until",
            thing.warranty.map_or(Value::Null, Value::Date),
        ),
        ("purchase_cost", cost),
    ];
    rows.row("asset", asset.id, (thing.at, by), values)
}

fn relations(
    company: &Company,
    data: &Data,
    rows: &Rows,
    draw: &mut Draw,
    (founded, by): (Timestamp, Option<Uuid>),
) -> Result<Vec<SeedRecord>, Error> {
    let find = |name: &str| {
        let found = company.assets.iter().find(|asset| asset.name == name);
        let found = found.map(|asset| Value::Id(asset.id));
        found.ok_or_else(|| Error::data(FILE, format!("there is no asset {name}")))
    };
    let mut records = Vec::new();
    let at = later(founded, 11 * DAY);
    for named in &data.assets.named {
        let kinds = [
            ("part_of", &named.part_of),
            ("depends_on", &named.depends_on),
            ("connected_to", &named.connected_to),
        ];
        for (kind, targets) in kinds {
            for target in targets {
                let values = vec![
                    ("source", find(&named.name)?),
                    ("kind", kind.into()),
                    ("target", find(target)?),
                ];
                records.push(rows.row("asset_relation", draw.id(at), (at, by), values)?);
            }
        }
    }
    Ok(records)
}
