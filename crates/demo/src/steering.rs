//! Dashboards with two years of values, plans and a conversation, of three processes.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use opsflux_kpi::period::Frequency;
use opsflux_kpi::threshold::{Direction, Limits};
use opsflux_model::Value;
use opsflux_records::write::seed::SeedRecord;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::Error;
use crate::company::{Company, Person};
use crate::data::{DashboardDecl, IndicatorDecl};
use crate::draw::{Draw, later};
use crate::rows::{Rows, reference};

const FILE: &str = "steering.toml";
const DAY: i64 = 86_400;
/// Days of values.
const PAST: i64 = 730;
/// A period is entered so many days after it ended.
const ENTERED: i64 = 2;
/// Digits of a value after the point.
const SCALE: u32 = 10;

/// The rows, in the order in which links need them.
///
/// # Errors
/// [`Error::Data`] when a dashboard belongs to no department or says what is none of the words.
pub fn make(
    company: &Company,
    dashboards: &[DashboardDecl],
    rows: &Rows,
    draw: &mut Draw,
    now: Timestamp,
) -> Result<Vec<SeedRecord>, Error> {
    let mut making = Making {
        rows,
        draw,
        now,
        today: now.to_zoned(TimeZone::UTC).date(),
        records: Vec::new(),
    };
    for declared in dashboards {
        let owner = head(company, &declared.department)?;
        making.dashboard(declared, owner)?;
    }
    Ok(making.records)
}

/// Who answers for a department: its first.
fn head<'a>(company: &'a Company, department: &str) -> Result<&'a Person, Error> {
    let place = company
        .departments
        .iter()
        .position(|known| known.name == department);
    let mut people = company.people.iter();
    let head = place.and_then(|place| people.find(|person| person.department == place));
    head.ok_or_else(|| Error::data(FILE, format!("nobody answers for {department}")))
}

struct Making<'a> {
    rows: &'a Rows,
    draw: &'a mut Draw,
    now: Timestamp,
    today: Date,
    records: Vec<SeedRecord>,
}

impl Making<'_> {
    fn dashboard(&mut self, declared: &DashboardDecl, owner: &Person) -> Result<(), Error> {
        let made = later(self.now, -(PAST + 7) * DAY);
        let id = self.draw.id(made);
        let values = vec![
            ("title", declared.title.as_str().into()),
            ("process_name", declared.process.as_str().into()),
            ("description", declared.description.as_str().into()),
            ("owner_id", Value::Id(owner.id)),
        ];
        let by = (made, Some(owner.id));
        self.records
            .push(self.rows.row("dashboard", id, by, values)?);
        for (place, kpi) in declared.kpis.iter().enumerate() {
            self.indicator(kpi, (id, owner.id), place)?;
        }
        Ok(())
    }

    fn indicator(
        &mut self,
        declared: &IndicatorDecl,
        (dashboard, owner): (Uuid, Uuid),
        place: usize,
    ) -> Result<(), Error> {
        let wrong = |what: &str| Error::data(FILE, format!("{}: {what}", declared.name));
        let frequency = Frequency::of(&declared.frequency).ok_or_else(|| wrong("frequency"))?;
        let direction = Direction::of(&declared.direction).ok_or_else(|| wrong("direction"))?;
        let limits = Limits {
            green: Some(declared.green),
            orange: declared.orange,
            red: declared.red,
            target: declared.target,
        };
        let made = later(self.now, -(PAST + 6) * DAY);
        let id = self.draw.id(made);
        let decimal = |number: Option<Decimal>| number.map_or(Value::Null, Value::Decimal);
        let values = vec![
            ("dashboard_id", Value::Id(dashboard)),
            ("name", declared.name.as_str().into()),
            ("unit", declared.unit.as_str().into()),
            ("frequency", declared.frequency.as_str().into()),
            ("direction", declared.direction.as_str().into()),
            ("threshold_green", decimal(limits.green)),
            ("threshold_orange", decimal(limits.orange)),
            ("threshold_red", decimal(limits.red)),
            ("target", decimal(limits.target)),
            ("aggregation", declared.aggregation.as_str().into()),
            ("ratio_multiplier", Value::Decimal(declared.multiplier)),
            ("decimals", Value::Int(i64::from(declared.decimals))),
            ("owner_id", Value::Id(owner)),
            (
                "position",
                Value::Int(i64::try_from(place).unwrap_or_default()),
            ),
        ];
        let by = (made, Some(owner));
        self.records.push(self.rows.row("kpi", id, by, values)?);
        self.values(declared, (id, owner), frequency, |value| {
            limits.status(direction, value)
        })?;
        self.plans(declared, (id, owner))?;
        self.said(declared, (id, owner))
    }

    fn values(
        &mut self,
        declared: &IndicatorDecl,
        (kpi, owner): (Uuid, Uuid),
        frequency: Frequency,
        status: impl Fn(Decimal) -> Option<opsflux_kpi::threshold::Status>,
    ) -> Result<(), Error> {
        let past = declared.days.unwrap_or(PAST);
        let since = self.today.checked_sub(past.days()).ok();
        let mut start = since.and_then(|day| frequency.start(day));
        while let Some(begins) = start {
            let Some(ends) = frequency.end(begins) else {
                break;
            };
            let entered = ends
                .checked_add(ENTERED.days())
                .and_then(|day| day.at(8, 0, 0, 0).in_tz("UTC"))
                .map(|at| at.timestamp());
            let Ok(entered) = entered else { break };
            if entered > self.now {
                break;
            }
            let passed = f64::from((begins - self.today).get_days()) / past as f64 + 1.0;
            let (value, parts) = self.measured(declared, passed);
            let mut fields = vec![
                ("kpi_id", Value::Id(kpi)),
                ("period_start", Value::Date(begins)),
                ("period_end", Value::Date(ends)),
                ("value", Value::Decimal(value)),
            ];
            if let Some((numerator, denominator)) = parts {
                fields.push(("numerator", Value::Decimal(numerator)));
                fields.push(("denominator", Value::Decimal(denominator)));
            }
            if let Some(status) = status(value) {
                fields.push(("status", status.code().into()));
            }
            let id = self.draw.id(entered);
            let by = (entered, Some(owner));
            self.records
                .push(self.rows.row("kpi_value", id, by, fields)?);
            start = frequency.shift(begins, 1);
        }
        Ok(())
    }

    /// A value after a share of the time, with its parts when it is a ratio.
    fn measured(
        &mut self,
        declared: &IndicatorDecl,
        passed: f64,
    ) -> (Decimal, Option<(Decimal, Decimal)>) {
        let number = |of: Decimal| of.to_f64().unwrap_or_default();
        let (from, to) = (number(declared.from), number(declared.to));
        let season = number(declared.season) * (passed * 4.0 * std::f64::consts::PI).sin();
        let off = number(declared.noise) * 0.8 * self.draw.bell();
        let wished = (from + (to - from) * passed + season + off).max(0.0);
        let digits = declared.decimals;
        let rounded = |number: f64, digits: u32| {
            let exact = Decimal::from_f64(number).unwrap_or_default();
            let how = RoundingStrategy::MidpointAwayFromZero;
            exact.round_dp_with_strategy(digits, how)
        };
        let Some(denominator) = declared.denominator else {
            let value = rounded(wished, digits);
            // Nothing exceeds a hundred per cent.
            let most = Decimal::ONE_HUNDRED;
            let capped = if declared.unit == "%" {
                value.min(most)
            } else {
                value
            };
            return (capped, None);
        };
        let numerator = rounded(
            wished * number(denominator) / number(declared.multiplier),
            0,
        );
        let numerator = if declared.unit == "%" {
            numerator.min(denominator)
        } else {
            numerator
        };
        let exact = numerator * declared.multiplier / denominator;
        let how = RoundingStrategy::MidpointAwayFromZero;
        let value = exact.round_dp_with_strategy(SCALE, how);
        (value, Some((numerator, denominator)))
    }

    fn plans(&mut self, declared: &IndicatorDecl, (kpi, owner): (Uuid, Uuid)) -> Result<(), Error> {
        for plan in &declared.plans {
            let made = later(self.now, -self.draw.between(20, 70) * DAY);
            let within = self.draw.between(8, 60);
            let due = if plan.late {
                -self.draw.between(3, 18)
            } else {
                within
            };
            let due = self.today.checked_add(due.days()).ok();
            let status = if plan.progress > 0 {
                "IN_PROGRESS"
            } else {
                "OPEN"
            };
            let values = vec![
                ("kpi_id", Value::Id(kpi)),
                ("title", plan.title.as_str().into()),
                ("owner_id", Value::Id(owner)),
                ("progress", Value::Int(plan.progress)),
                ("status", status.into()),
                ("due_date", due.map_or(Value::Null, Value::Date)),
            ];
            let id = self.draw.id(made);
            let by = (made, Some(owner));
            self.records
                .push(self.rows.row("action_plan", id, by, values)?);
        }
        Ok(())
    }

    fn said(&mut self, declared: &IndicatorDecl, (kpi, owner): (Uuid, Uuid)) -> Result<(), Error> {
        let mut at = later(self.now, -9 * DAY);
        for said in &declared.said {
            at = later(at, self.draw.between(3_600, 2 * DAY));
            let values = vec![
                ("target", reference("kpi", kpi)),
                ("body", said.as_str().into()),
            ];
            let id = self.draw.id(at);
            let by = (at, Some(owner));
            self.records.push(self.rows.row("comment", id, by, values)?);
        }
        Ok(())
    }
}
