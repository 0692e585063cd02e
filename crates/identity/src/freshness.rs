//! When what is kept in memory may still be believed.
//!
//! Whatever was read before a change and stored after it must not be taken for the state after
//! it. So nothing is ever removed from a cache: an entry carries the [`Mark`] taken before it was
//! read, a change moves the mark on, and an entry whose mark has passed is read again. Marks are
//! shared by stripes, which costs a needless read now and then and no memory.
//!
//! What other processes change arrives by the feed. A process that has not heard from its feed for
//! two seconds believes nothing and reads each time (decisions §31).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Silence of the feed after which memory is not believed.
pub const SILENCE: SignedDuration = SignedDuration::from_secs(2);

const STRIPES: usize = 1024;

/// The state of the world at the moment something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

/// Counts what changed, by what it concerns.
#[derive(Debug)]
pub(crate) struct Freshness {
    hasher: RandomState,
    tenants: Box<[AtomicU64]>,
    people: Box<[AtomicU64]>,
    shares: Box<[AtomicU64]>,
    sessions: Box<[AtomicU64]>,
    /// Microseconds; the last moment up to which everything has been heard.
    heard: AtomicI64,
}

impl Freshness {
    pub fn new() -> Freshness {
        let stripes = || (0..STRIPES).map(|_| AtomicU64::new(0)).collect();
        Freshness {
            hasher: RandomState::new(),
            tenants: stripes(),
            people: stripes(),
            shares: stripes(),
            sessions: stripes(),
            heard: AtomicI64::new(i64::MIN),
        }
    }

    fn stripe<'a>(&self, of: &'a [AtomicU64], key: (i64, Uuid)) -> Option<&'a AtomicU64> {
        let hash = self.hasher.hash_one(key);
        of.get(usize::try_from(hash % STRIPES as u64).unwrap_or_default())
    }

    fn read(&self, of: &[AtomicU64], key: (i64, Uuid)) -> u64 {
        self.stripe(of, key)
            .map_or(0, |stripe| stripe.load(Ordering::Acquire))
    }

    fn bump(&self, of: &[AtomicU64], key: (i64, Uuid)) {
        if let Some(stripe) = self.stripe(of, key) {
            stripe.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Taken before the roles, groups, departments and companies of a tenant are read.
    pub fn tenant(&self, tenant: i64) -> Mark {
        Mark(self.read(&self.tenants, (tenant, Uuid::nil())))
    }

    /// Taken before a person is read. It also moves when the person's tenant does, or what is
    /// shared in it: all only grow.
    pub fn person(&self, tenant: i64, user: Uuid) -> Mark {
        let shares = self.read(&self.shares, (tenant, Uuid::nil()));
        Mark(self.tenant(tenant).0 + shares + self.read(&self.people, (tenant, user)))
    }

    /// Taken before a session is read.
    pub fn session(&self, tenant: i64, session: Uuid) -> Mark {
        Mark(self.read(&self.sessions, (tenant, session)))
    }

    /// Something that everybody's rights in the tenant may hang on has changed.
    pub fn tenant_changed(&self, tenant: i64) {
        self.bump(&self.tenants, (tenant, Uuid::nil()));
    }

    /// A record was shared in the tenant, or is no more. Everybody is read again, for a share
    /// with a group is one with many; the tenant's structure is not.
    pub fn shares_changed(&self, tenant: i64) {
        self.bump(&self.shares, (tenant, Uuid::nil()));
    }

    /// A user has changed.
    pub fn person_changed(&self, tenant: i64, user: Uuid) {
        self.bump(&self.people, (tenant, user));
    }

    /// A session has changed or ended.
    pub fn session_changed(&self, tenant: i64, session: Uuid) {
        self.bump(&self.sessions, (tenant, session));
    }

    /// Everything may have changed: the feed begins to be read only now.
    pub fn everything_changed(&self) {
        for stripe in self.tenants.iter().chain(&self.sessions) {
            stripe.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Everything that happened before `at` has been heard.
    pub fn heard(&self, at: Timestamp) {
        self.heard.store(at.as_microsecond(), Ordering::Release);
    }

    /// Whether memory is believed at `now`.
    pub fn hears(&self, now: Timestamp) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        let silence = i64::try_from(SILENCE.as_micros()).unwrap_or(i64::MAX);
        now.as_microsecond().saturating_sub(heard) <= silence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_moves_the_marks_it_concerns() {
        let fresh = Freshness::new();
        let (user, session) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let marks = || {
            (
                fresh.tenant(1),
                fresh.person(1, user),
                fresh.session(1, session),
            )
        };
        let before = marks();
        fresh.person_changed(1, user);
        let after_person = marks();
        assert_eq!(after_person.0, before.0);
        assert_ne!(after_person.1, before.1);
        assert_eq!(after_person.2, before.2);
        fresh.tenant_changed(1);
        let after_tenant = marks();
        assert_ne!(after_tenant.0, after_person.0);
        assert_ne!(
            after_tenant.1, after_person.1,
            "everybody's rights hang on it"
        );
        fresh.shares_changed(1);
        assert_eq!(marks().0, after_tenant.0, "the structure is what it was");
        assert_ne!(marks().1, after_tenant.1);
        fresh.session_changed(1, session);
        assert_ne!(marks().2, after_tenant.2);
    }

    #[test]
    fn when_everything_may_have_changed_no_mark_stays() {
        let fresh = Freshness::new();
        let id = Uuid::from_u128(1);
        let before = (fresh.tenant(1), fresh.person(1, id), fresh.session(1, id));
        fresh.everything_changed();
        let after = (fresh.tenant(1), fresh.person(1, id), fresh.session(1, id));
        assert_ne!(before.0, after.0);
        assert_ne!(before.1, after.1);
        assert_ne!(before.2, after.2);
    }

    #[test]
    fn memory_is_believed_for_two_seconds_of_silence() {
        let fresh = Freshness::new();
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        assert!(!fresh.hears(now), "nothing was ever heard");
        fresh.heard(now);
        assert!(fresh.hears(now + SILENCE));
        assert!(!fresh.hears(now + SILENCE + SignedDuration::from_millis(1)));
    }
}
