//! Chance that comes out the same each time: every draw follows from the seed.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A source of chance.
pub struct Draw {
    source: fastrand::Rng,
}

impl Draw {
    /// The draws of a seed. Each `part` of the work has its own, so that one more name in one
    /// part changes nothing in the others.
    pub fn of(seed: u64, part: u64) -> Draw {
        // The odd constant of splitmix64 keeps neighbouring parts apart.
        let mixed = seed ^ part.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Draw {
            source: fastrand::Rng::with_seed(mixed),
        }
    }

    /// From 0 to below `end`; 0 when there is nothing below.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.source.usize(..end)
        }
    }

    /// From `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        if last <= first {
            first
        } else {
            self.source.i64(first..=last)
        }
    }

    /// Yes with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.source.f64() < probability
    }

    /// From 0 to below 1.
    pub fn share(&mut self) -> f64 {
        self.source.f64()
    }

    /// Around 0, two of three times nearer than 1.
    pub fn bell(&mut self) -> f64 {
        // Twelve even draws added up are as good as normal and need no logarithm.
        (0..12).map(|_| self.source.f64()).sum::<f64>() - 6.0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A place, as often as its weight says.
    pub fn weighted(&mut self, weights: impl IntoIterator<Item = u32> + Clone) -> usize {
        let total: u64 = weights.clone().into_iter().map(u64::from).sum();
        let mut left = if total == 0 {
            0
        } else {
            self.source.u64(..total)
        };
        for (place, weight) in weights.into_iter().enumerate() {
            let weight = u64::from(weight);
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// The text with a random digit for each `#` and a random capital for each `?`.
    pub fn serial(&mut self, pattern: &str) -> String {
        let letter = |c| match c {
            '#' => self.source.digit(10),
            // Those that are not taken for a digit.
            '?' => char::from(b"ABCDEFGHJKLMNPQRSTVWXYZ"[self.source.usize(..23)]),
            other => other,
        };
        pattern.chars().map(letter).collect()
    }

    /// A random digit for each `#`.
    pub fn digits(&mut self, pattern: &str) -> String {
        let digit = |c| if c == '#' { self.source.digit(10) } else { c };
        pattern.chars().map(digit).collect()
    }

    /// A UUIDv7 of the moment.
    pub fn id(&mut self, at: Timestamp) -> Uuid {
        let mut rest = [0; 10];
        self.source.fill(&mut rest);
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
    }
}

/// So many seconds later; the moment itself at the end of time.
pub fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(at)
}

/// From one moment to another, in seconds.
pub fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_part_otherwise() {
        let drawn = |seed, part| {
            let mut draw = Draw::of(seed, part);
            (
                draw.below(1_000_000),
                draw.serial("??-####"),
                draw.id(Timestamp::UNIX_EPOCH),
            )
        };
        assert_eq!(drawn(1, 1), drawn(1, 1));
        assert_ne!(drawn(1, 1), drawn(1, 2));
        assert_ne!(drawn(1, 1), drawn(2, 1));
    }

    #[test]
    fn weights_are_followed_and_what_weighs_nothing_never_comes() {
        let mut draw = Draw::of(7, 0);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[draw.weighted([3, 0, 1])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((7_000..8_000).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn serials_follow_their_pattern() {
        let serial = Draw::of(3, 0).serial("A?#-");
        let kinds: Vec<bool> = serial.chars().map(|c| c.is_ascii_digit()).collect();
        assert_eq!(kinds, [false, false, true, false]);
        assert!(serial.starts_with('A') && serial.ends_with('-') && serial.is_ascii());
    }
}
