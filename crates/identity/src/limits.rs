//! How often one may be wrong (decisions §31). Pure: failures go in, a verdict comes out.
//!
//! Only failures count, and only those of the last quarter of an hour, so that a person who signs
//! in all day is never stopped and one who is stopped knows for how long. Attempts refused here
//! are no failures: an attacker who goes on does not keep the owner out for longer.

use jiff::{SignedDuration, Timestamp};

/// How far back failures count.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Failures of one account from one address.
pub const PER_PAIR: usize = 5;
/// Failures of one account from anywhere.
pub const PER_ACCOUNT: usize = 20;
/// Failures from one address with any account.
pub const PER_ADDRESS: usize = 100;

/// What is known about an attempt before the password is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Failures of the account in the window, newest first, and whether each came from the
    /// address that tries now; the first [`PER_ACCOUNT`] suffice.
    pub account: Vec<(Timestamp, bool)>,
    /// The failure that makes [`PER_ADDRESS`] from this address, when there have been so many.
    pub address: Option<Timestamp>,
}

/// Whether a password may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Go,
    /// Too many failures of this account; again in so many seconds.
    Locked(u64),
    /// Too many failures from this address; again in so many seconds.
    RateLimited(u64),
}

impl History {
    /// The verdict at `now`.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let left = |at: Timestamp| {
            let left = (at + WINDOW).duration_since(now);
            // Rounded up: a client that waits as long as it is told is let in.
            (left > SignedDuration::ZERO)
                .then(|| u64::try_from(left.as_secs()).unwrap_or_default() + 1)
        };
        let pair = self
            .account
            .iter()
            .filter(|(_, here)| *here)
            .nth(PER_PAIR - 1);
        let account = self.account.get(PER_ACCOUNT - 1);
        let locked = [pair, account]
            .into_iter()
            .flatten()
            .filter_map(|(at, _)| left(*at))
            .max();
        match (locked, self.address.and_then(left)) {
            (Some(seconds), _) => Verdict::Locked(seconds),
            (None, Some(seconds)) => Verdict::RateLimited(seconds),
            (None, None) => Verdict::Go,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock the test moves.
    fn minute(at: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(at)
    }

    /// One failure a minute from minute 0 on, newest first.
    fn failures(count: usize, here: bool) -> Vec<(Timestamp, bool)> {
        let count = i64::try_from(count).unwrap();
        (0..count).rev().map(|at| (minute(at), here)).collect()
    }

    #[test]
    fn the_fifth_failure_from_one_address_locks_the_account_for_it() {
        let four = History {
            account: failures(4, true),
            address: None,
        };
        assert_eq!(four.verdict(minute(4)), Verdict::Go);
        let five = History {
            account: failures(5, true),
            address: None,
        };
        assert_eq!(five.verdict(minute(5)), Verdict::Locked(10 * 60 + 1));
        let elsewhere = History {
            account: failures(5, false),
            address: None,
        };
        assert_eq!(
            elsewhere.verdict(minute(5)),
            Verdict::Go,
            "another address is not stopped"
        );
    }

    #[test]
    fn the_lock_ends_when_the_oldest_failure_leaves_the_window() {
        let five = History {
            account: failures(5, true),
            address: None,
        };
        assert_eq!(
            five.verdict(minute(15) - SignedDuration::from_secs(1)),
            Verdict::Locked(2)
        );
        assert_eq!(five.verdict(minute(15)), Verdict::Go);
    }

    #[test]
    fn twenty_failures_from_anywhere_lock_the_account_for_everybody() {
        let spread = |count: usize| History {
            account: (0..count)
                .rev()
                .map(|at| {
                    (
                        minute(0) + SignedDuration::from_secs(i64::try_from(at).unwrap()),
                        false,
                    )
                })
                .collect(),
            address: None,
        };
        assert_eq!(spread(19).verdict(minute(1)), Verdict::Go);
        assert_eq!(spread(20).verdict(minute(1)), Verdict::Locked(14 * 60 + 1));
    }

    #[test]
    fn a_hundred_failures_from_an_address_stop_the_address() {
        let address = History {
            account: Vec::new(),
            address: Some(minute(0)),
        };
        assert_eq!(
            address.verdict(minute(1)),
            Verdict::RateLimited(14 * 60 + 1)
        );
        assert_eq!(address.verdict(minute(15)), Verdict::Go);
        assert_eq!(History::default().verdict(minute(0)), Verdict::Go);
    }

    #[test]
    fn the_longer_of_two_locks_counts() {
        let mut account = failures(5, true);
        account.extend((0..15).map(|_| (minute(-5), false)));
        let both = History {
            account,
            address: None,
        };
        assert_eq!(both.verdict(minute(5)), Verdict::Locked(10 * 60 + 1));
    }
}
