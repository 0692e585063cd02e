//! Human numbers, handed out from leased blocks.
//!
//! A block is reserved in the database before any of its numbers is used, so two processes never
//! give the same one; what is left of a block when a process ends is a gap (decisions §17). A series
//! without gaps is counted in the commit instead, one change after the other.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
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
/// The largest block of a series that is drawn upon without pause, an import for instance.
const LARGEST: u32 = 1_000;
/// A block that lasted less is followed by one of twice the size.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

type Series = (i64, String, String);

/// What is left of the block of a series.
#[derive(Default)]
struct Leased {
    block: Range<i64>,
    /// How large it was, and when it was leased.
    size: u32,
    at: Option<jiff::Timestamp>,
}

impl Leased {
    /// How large the next block is.
    fn next_size(&self, now: jiff::Timestamp) -> u32 {
        match self.at {
            Some(at) if now.duration_since(at) < SOON => (self.size * 2).min(LARGEST),
            _ => BLOCK,
        }
    }
}

/// Leased blocks by tenant, entity and period.
#[derive(Default)]
pub struct Numbers {
    blocks: Mutex<HashMap<Series, Leased>>,
    /// Held while a block is leased: who else finds none waits for this one.
    leasing: tokio::sync::Mutex<()>,
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
            let _leasing = self.leasing.lock().await;
            if let Some(number) = self.take(&series) {
                return Ok(render(template, date, Some(number)));
            }
            let size = match self.blocks.lock().get(&series) {
                Some(leased) => leased.next_size(now),
                None => BLOCK,
            };
            let block = store
                .lease_numbers(tenant, &entity.name, &period, size)
                .await?;
            let at = Some(now);
            let leased = Leased { block, size, at };
            self.blocks.lock().insert(series.clone(), leased);
        }
    }

    fn take(&self, series: &Series) -> Option<i64> {
        self.blocks.lock().get_mut(series)?.block.next()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_drawn_upon_without_pause_gets_larger_blocks() {
        let start = jiff::Timestamp::UNIX_EPOCH;
        let later = |millis| start + jiff::SignedDuration::from_millis(millis);
        let leased = |size| Leased {
            size,
            at: Some(start),
            ..Leased::default()
        };
        assert_eq!(Leased::default().next_size(start), BLOCK);
        assert_eq!(leased(BLOCK).next_size(later(10)), 2 * BLOCK);
        assert_eq!(leased(LARGEST).next_size(later(10)), LARGEST);
        assert_eq!(leased(LARGEST).next_size(later(1_000)), BLOCK);
    }
}
