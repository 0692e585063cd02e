//! How often somebody may ask.

use std::hash::Hash;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use opsflux_records::Error;

/// Requests a minute for each key.
pub struct Limiter<K: Hash + Eq + Clone> {
    limiter: Option<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// So many a minute; 0 is no limit.
    #[must_use]
    pub fn per_minute(most: u32) -> Limiter<K> {
        let limiter = NonZeroU32::new(most).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        Limiter {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the seconds until the next may come.
    pub fn check(&self, key: &K) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            Error::TooMany {
                retry_after: wait.as_secs() + 1,
            }
        })
    }

    /// Forgets keys that have their full allowance again.
    pub fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_allowance_and_learns_when_to_come_back() {
        let limiter = Limiter::per_minute(3);
        for _ in 0..3 {
            assert!(limiter.check(&"a").is_ok());
        }
        let Err(Error::TooMany { retry_after }) = limiter.check(&"a") else {
            panic!("the fourth must wait")
        };
        // Three a minute are one in twenty seconds.
        assert!((1..=21).contains(&retry_after), "{retry_after}");
        assert!(limiter.check(&"b").is_ok());
    }

    #[test]
    fn nothing_is_counted_without_a_limit() {
        let limiter = Limiter::per_minute(0);
        assert!((0..10_000).all(|_| limiter.check(&1).is_ok()));
    }
}
