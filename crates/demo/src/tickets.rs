//! Two years of tickets, day by day, in batches.

use std::collections::VecDeque;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use opsflux_records::write::seed::{MAX_ROWS, SeedRecord};

use crate::Error;
use crate::choice::{Choice, Subject};
use crate::draw::{Draw, later};
use crate::rhythm::spread;
use crate::ticket::{Desk, Ticket};

/// How far back the history goes.
pub const MONTHS: i64 = 24;

/// The part of chance from which that of the days counts on.
const DAYS: u64 = 1_000;
/// The hours, from midnight on, in which most of a day's tickets come.
const DAY: (f64, f64) = (7.0, 18.0);

/// The tickets that are still to come.
pub struct Tickets {
    desk: Desk,
    choice: Choice,
    seed: u64,
    days: VecDeque<(Date, u32)>,
    /// How many days have been.
    past: u64,
    /// Tickets that are still to be made.
    left: usize,
    /// Tickets made before their day: sub-tickets do not wait for the next one.
    ahead: u32,
    /// Tickets that may be younger than some of the next day: sub-tickets, and those of a place
    /// where the day begins later.
    younger: Vec<Ticket>,
    /// Tickets of the last day, each with its rows.
    waiting: VecDeque<Vec<SeedRecord>>,
}

/// Rows for one commit.
pub struct Batch {
    pub records: Vec<SeedRecord>,
    /// How many of them are tickets.
    pub tickets: u32,
}

/// The first day of the history.
pub fn first_day(now: Timestamp, zone: &jiff::tz::TimeZone) -> Date {
    now.to_zoned(zone.clone())
        .date()
        .saturating_sub(MONTHS.months())
}

impl Tickets {
    /// `count` tickets up to now.
    ///
    /// # Errors
    /// [`Error::Data`] when templates are about what is not there.
    pub fn new(desk: Desk, count: u32, seed: u64) -> Result<Tickets, Error> {
        let choice = Choice::of(&desk.data, &desk.company)?;
        let today = desk.now.to_zoned(desk.company.zone.clone());
        let (begins, ends) = DAY;
        let hour = f64::from(today.hour()) + f64::from(today.minute()) / 60.0;
        let over = ((hour - begins) / (ends - begins)).clamp(0.0, 1.0);
        let first = first_day(desk.now, &desk.company.zone);
        let mut draw = Draw::of(seed, DAYS - 1);
        let days = spread(count, (first, today.date()), over, &mut draw);
        Ok(Tickets {
            desk,
            choice,
            seed,
            days: days.into(),
            past: 0,
            left: usize::try_from(count).unwrap_or_default(),
            ahead: 0,
            younger: Vec::new(),
            waiting: VecDeque::new(),
        })
    }

    /// The next rows, oldest first; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Data`] and [`Error::Unknown`].
    pub fn batch(&mut self) -> Result<Option<Batch>, Error> {
        let mut batch = Batch {
            records: Vec::with_capacity(MAX_ROWS),
            tickets: 0,
        };
        loop {
            while let Some(next) = self.waiting.front() {
                if batch.records.len() + next.len() > MAX_ROWS {
                    return Ok(Some(batch));
                }
                batch
                    .records
                    .extend(self.waiting.pop_front().into_iter().flatten());
                batch.tickets += 1;
            }
            match self.days.pop_front() {
                Some((date, count)) => self.day(date, count)?,
                None if self.younger.is_empty() => break,
                None => self.release(None, &mut Draw::of(self.seed, DAYS + self.past))?,
            }
        }
        Ok((batch.tickets > 0).then_some(batch))
    }

    fn day(&mut self, date: Date, due: u32) -> Result<(), Error> {
        let mut draw = Draw::of(self.seed, DAYS + self.past);
        self.past += 1;
        let count = due.saturating_sub(self.ahead);
        self.ahead -= due - count;
        let mut tickets: Vec<Ticket> = Vec::new();
        let mut made = 0;
        while made < count {
            let (data, company) = (&self.desk.data, &self.desk.company);
            let subject = self.choice.subject(data, company, date, &mut draw)?;
            let created = self.moment(subject, date, &mut draw);
            let room = self.left - 1;
            let family = self.desk.ticket(subject, created, room, &mut draw)?;
            self.left -= family.len();
            made += u32::try_from(family.len()).unwrap_or(u32::MAX);
            tickets.extend(family);
        }
        self.ahead += made - count;
        self.younger.extend(tickets);
        let sites = self.desk.company.sites.iter();
        let tomorrow = sites.filter_map(|site| {
            let begins = date.tomorrow().ok()?.to_zoned(site.zone.clone()).ok()?;
            Some(begins.timestamp())
        });
        let tomorrow = tomorrow.min();
        self.release(tomorrow, &mut draw)
    }

    /// Hands on the tickets made before a moment, or all of them, oldest first: numbers count in
    /// this order. A sub-ticket is younger than its parent, so a parent comes first; of those of
    /// one second the ids decide, as they do wherever tickets are listed.
    fn release(&mut self, before: Option<Timestamp>, draw: &mut Draw) -> Result<(), Error> {
        self.younger
            .sort_by_key(|ticket| (ticket.created, ticket.id));
        let is_due = |ticket: &Ticket| before.is_none_or(|before| ticket.created < before);
        let due = self.younger.partition_point(is_due);
        let due: Vec<Ticket> = self.younger.drain(..due).collect();
        for ticket in &due {
            self.waiting.push_back(self.desk.rows(ticket, draw)?);
        }
        Ok(())
    }

    /// When the person asks: by the clock of his own site, and not in the future.
    fn moment(&self, subject: Subject, date: Date, draw: &mut Draw) -> Timestamp {
        let company = &self.desk.company;
        let site = &company.sites[company.people[subject.requester].site];
        for _ in 0..20 {
            let at = site.rhythm.moment(date, &site.zone, draw);
            if at < self.desk.now {
                return at;
            }
        }
        later(self.desk.now, -draw.between(60, 7_200))
    }
}
