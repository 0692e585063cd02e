//! Where a connection stands in the feed, sealed for the client to bring back.

use jiff::{SignedDuration, Timestamp};
use opsflux_records::cursor::{Binding, CursorKey};
use opsflux_records::{Caller, Error};
use uuid::Uuid;

/// The feed is kept for thirty days; a place older than this is not gone on from.
const KEPT: SignedDuration = SignedDuration::from_hours(29 * 24);

/// Seals and opens places.
pub struct Places {
    key: CursorKey,
    /// The history places belong to: after a restore there is another one, in which what was
    /// told may never have been.
    epoch: String,
}

/// What a place is bound to: the person and his rights. With other rights he sees other things,
/// and going on would leave gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    tenant: i64,
    user: Uuid,
    held: String,
}

impl Rights {
    /// The rights of `caller`.
    #[must_use]
    pub fn of(caller: &Caller) -> Rights {
        let principal = &caller.access.principal;
        // Order and content of these decide every rule; the declarations decide the rest and
        // change with the program's restart only.
        let held = format!(
            "{:?} {:?} {:?} {:?} {}",
            principal.memberships,
            principal.groups,
            principal.shares,
            caller.companies,
            env!("CARGO_PKG_VERSION"),
        );
        Rights {
            tenant: caller.tenant(),
            user: caller.user(),
            held,
        }
    }

    fn binding(&self, epoch: &str) -> Binding {
        Binding::new("stream")
            .with(epoch)
            .with(self.tenant.to_be_bytes())
            .with(self.user.as_bytes())
            .with(&self.held)
    }
}

impl Places {
    /// Of one history, sealed with a key made of the secret of the instance.
    #[must_use]
    pub fn new(secret: &[u8; 32], epoch: &str) -> Places {
        Places {
            key: CursorKey::derive(secret),
            epoch: epoch.to_owned(),
        }
    }

    /// The place `pos`, reached at `now`.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal(&self, rights: &Rights, pos: i64, now: Timestamp) -> Result<String, Error> {
        let mut payload = pos.to_be_bytes().to_vec();
        payload.extend_from_slice(&now.as_second().to_be_bytes());
        self.key.seal(&payload, rights.binding(&self.epoch))
    }

    /// The place in `sealed`; `None` when it was made up, belongs to somebody else or to other
    /// rights, or is too old.
    #[must_use]
    pub fn open(&self, rights: &Rights, sealed: &str, now: Timestamp) -> Option<i64> {
        let payload = self.key.open(sealed, rights.binding(&self.epoch))?;
        let (pos, second) = payload.split_at_checked(8)?;
        let pos = i64::from_be_bytes(pos.try_into().ok()?);
        let second = i64::from_be_bytes(second.try_into().ok()?);
        let reached = Timestamp::from_second(second).ok()?;
        (now.duration_since(reached) <= KEPT).then_some(pos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(user: u128, held: &str) -> Rights {
        Rights {
            tenant: 1,
            user: Uuid::from_u128(user),
            held: held.to_owned(),
        }
    }

    #[test]
    fn a_place_is_for_one_person_with_the_same_rights() {
        let places = Places::new(&[7; 32], "");
        let now = Timestamp::UNIX_EPOCH;
        let sealed = places.seal(&rights(1, "user"), 42, now).expect("sealed");
        assert_eq!(places.open(&rights(1, "user"), &sealed, now), Some(42));
        assert_eq!(places.open(&rights(2, "user"), &sealed, now), None);
        assert_eq!(places.open(&rights(1, "admin"), &sealed, now), None);
        assert_eq!(places.open(&rights(1, "user"), "42", now), None);
        let restored = Places::new(&[7; 32], "another");
        assert_eq!(restored.open(&rights(1, "user"), &sealed, now), None);
    }

    #[test]
    fn a_place_older_than_the_feed_is_not_gone_on_from() {
        let places = Places::new(&[7; 32], "");
        let then = Timestamp::UNIX_EPOCH;
        let sealed = places.seal(&rights(1, "user"), 42, then).expect("sealed");
        let day = SignedDuration::from_hours(24);
        assert_eq!(
            places.open(&rights(1, "user"), &sealed, then + day * 28),
            Some(42)
        );
        assert_eq!(
            places.open(&rights(1, "user"), &sealed, then + day * 30),
            None
        );
    }
}
