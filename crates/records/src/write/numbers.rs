//! Human numbers, handed out from leased blocks.
//!
//! A block is reserved in the database before any of its numbers is used, so two processes never
//! give the same one; what is left of a block when a process ends is a gap (decisions §17). A series
//! without gaps is counted in the commit instead, one change after the other.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;

use jiff::tz::TimeZone;
use opsflux_model::Entity;
use opsflux_model::schema::{NumberPart, NumberTemplate};
use opsflux_store::Store;
use opsflux_store::system::SystemWrite;
use parking_lot::Mutex;

use crate::error::Error;

/// Large enough that a busy desk rarely asks the database, small enough that a restart leaves no
/// hole anyone wonders about.
const BLOCK: u32 = 20;

type Series = (i64, String, String);

/// Leased blocks by tenant, entity and period.
#[derive(Default)]
pub struct Numbers {
    blocks: Mutex<HashMap<Series, VecDeque<Range<i64>>>>,
    /// Held by the change that takes a number of a series without gaps, until it is committed: the
    /// next one then reads what is left. Other processes make such a change again.
    turn: std::sync::Arc<tokio::sync::Mutex<()>>,
}

/// The right to take numbers of series without gaps, given back when dropped.
pub(crate) type Turn = Option<tokio::sync::OwnedMutexGuard<()>>;

/// Numbers of series without gaps that a change takes.
#[derive(Default)]
pub(super) struct Taken {
    /// By entity and period: the first one taken and the first one left.
    series: BTreeMap<(String, String), (i64, i64)>,
    turn: Turn,
}

impl Taken {
    /// The next number of a series, taken with the change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(
        &mut self,
        numbers: &Numbers,
        store: &Store,
        tenant: i64,
        entity: &Entity,
        period: &str,
    ) -> Result<i64, Error> {
        if self.turn.is_none() {
            self.turn = Some(numbers.turn.clone().lock_owned().await);
        }
        let key = (entity.name.clone(), period.to_owned());
        let (_, next) = match self.series.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let next = store.next_number(tenant, &entity.name, period).await?;
                new.insert((next, next))
            }
        };
        *next += 1;
        Ok(*next - 1)
    }

    /// What the commit writes, and the turn, to be kept until it is made.
    pub fn finish(self) -> (Vec<SystemWrite>, Turn) {
        let series = self.series.into_iter();
        let writes = series.map(|((entity, period), (from, next))| SystemWrite::Series {
            entity,
            period,
            from,
            next,
        });
        (writes.collect(), self.turn)
    }
}

impl Numbers {
    /// The next number of `entity`.
    ///
    /// # Errors
    /// When a block cannot be leased.
    pub async fn next(
        &self,
        store: &Store,
        tenant: i64,
        entity: &Entity,
        template: &NumberTemplate,
        now: jiff::Timestamp,
    ) -> Result<String, Error> {
        let date = now.to_zoned(TimeZone::UTC).date();
        let period = render(template, date, None);
        let series = (tenant, entity.name.clone(), period.clone());
        loop {
            if let Some(number) = self.take(&series) {
                return Ok(render(template, date, Some(number)));
            }
            let block = store
                .lease_numbers(tenant, &entity.name, &period, BLOCK)
                .await?;
            self.blocks
                .lock()
                .entry(series.clone())
                .or_default()
                .push_back(block);
        }
    }

    fn take(&self, series: &Series) -> Option<i64> {
        let mut blocks = self.blocks.lock();
        let queue = blocks.get_mut(series)?;
        while let Some(block) = queue.front_mut() {
            if let Some(number) = block.next() {
                return Some(number);
            }
            queue.pop_front();
        }
        None
    }
}

/// The template at a date; without a number it names the period the series counts in.
pub(super) fn render(
    template: &NumberTemplate,
    date: jiff::civil::Date,
    number: Option<i64>,
) -> String {
    let mut out = String::new();
    for part in &template.parts {
        match part {
            NumberPart::Text(text) => out.push_str(text),
            NumberPart::Sequence(width) => {
                if let Some(number) = number {
                    out.push_str(&format!("{number:0width$}"));
                }
            }
            NumberPart::Year { short: true } => {
                out.push_str(&format!("{:02}", date.year().rem_euclid(100)));
            }
            NumberPart::Year { short: false } => out.push_str(&format!("{:04}", date.year())),
            NumberPart::Month => out.push_str(&format!("{:02}", date.month())),
        }
    }
    out
}
