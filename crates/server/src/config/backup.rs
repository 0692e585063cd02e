//! When backups are made, for which key, and where they go.

use std::path::PathBuf;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::Secret;
use super::keys::{Default, Key, NotAllowed};

/// What is decided about backups.
#[derive(Debug, Clone, std::default::Default)]
pub struct Backup {
    /// The key backups are encrypted for, 32 bytes; see `backup::lock` for what counts without it.
    pub key: Option<Secret>,
    /// Where the server puts those it makes by itself; without it there are none.
    pub folder: Option<PathBuf>,
    /// When, unless `every` is given.
    pub at: Time,
    /// How long after the one before, in place of `at`.
    pub every: Option<SignedDuration>,
    /// The zone of `at`.
    pub zone: Option<TimeZone>,
    /// How many days they are kept.
    pub keep_days: u16,
    /// Whether one is made before tables change.
    pub before_migration: bool,
}

/// Whether a backup is due, and when to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is time.
    Now,
    /// Not before this.
    At(Timestamp),
}

impl Backup {
    /// Whether a backup is due when the last one is of `last`. Where there is none it is: that
    /// also shows at the first start whether one can be made.
    #[must_use]
    pub fn due(&self, last: Option<Timestamp>, now: Timestamp) -> Moment {
        let Some(last) = last else { return Moment::Now };
        let next = match self.every {
            Some(every) => last.checked_add(every).ok(),
            None => self.after(last),
        };
        match next {
            Some(next) if next > now => Moment::At(next),
            // A clock that was wrong and a calendar that ends are no reason to make none.
            _ => Moment::Now,
        }
    }

    /// The first time the clock says `at` after `last`.
    fn after(&self, last: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        let last_there = last.to_zoned(zone.clone());
        let days = [0_i8, 1].into_iter();
        let mut moments = days.filter_map(|days| {
            let day = last_there.date().checked_add(Span::new().days(days)).ok()?;
            let there = day.to_datetime(self.at).to_zoned(zone.clone()).ok()?;
            Some(there.timestamp())
        });
        moments.find(|moment| *moment > last)
    }
}

/// The keys about backups.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "backup_key",
        aliases: &[],
        takes: "32 bytes as 64 hexadecimal digits",
        default: Default::Described(
            "`secret_key` when it is given from outside, else the recovery key of the first start",
        ),
        about: "The key backups are encrypted for, and what opens them again. Keep it where no \
                backup and no server is.",
        set: |config, raw| {
            let text = raw.filled()?;
            if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(NotAllowed);
            }
            config.backup.key = Some(Secret::new(text));
            Ok(())
        },
    },
    Key {
        name: "backup.folder",
        aliases: &[],
        takes: "a folder, better on another disk; it is made when it does not exist",
        default: Default::Described(
            "none; backups before a migration go to `backups` in the data folder",
        ),
        about: "Where the running server puts a backup each day, or as `backup.every` says.",
        set: |config, raw| {
            config.backup.folder = Some(PathBuf::from(raw.filled()?));
            Ok(())
        },
    },
    Key {
        name: "backup.at",
        aliases: &[],
        takes: "a time of the day such as `02:00`",
        default: Default::Is("02:00"),
        about: "When the daily backup is made, by the clock of `backup.zone`. One that was missed \
                is made up for at the start.",
        set: |config, raw| {
            config.backup.at = raw.parse::<Time>()?;
            Ok(())
        },
    },
    Key {
        name: "backup.every",
        aliases: &[],
        takes: "a time such as `30m`, `6h` or `7d`, from one minute to 366 days",
        default: Default::None,
        about: "How long after the last backup the next one is made, in place of `backup.at`.",
        set: |config, raw| {
            let text = raw.filled()?;
            let (number, unit) = text.split_at_checked(text.len() - 1).ok_or(NotAllowed)?;
            let minutes = match unit {
                "m" => 1,
                "h" => 60,
                "d" => 24 * 60,
                _ => return Err(NotAllowed),
            };
            let number: i64 = number.trim().parse().map_err(|_| NotAllowed)?;
            let minutes = number.checked_mul(minutes).ok_or(NotAllowed)?;
            if !(1..=366 * 24 * 60).contains(&minutes) {
                return Err(NotAllowed);
            }
            config.backup.every = Some(SignedDuration::from_mins(minutes));
            Ok(())
        },
    },
    Key {
        name: "backup.zone",
        aliases: &[],
        takes: "a name of the time zone database, such as `Africa/Libreville`",
        default: Default::Is("UTC"),
        about: "The time zone of `backup.at`.",
        set: |config, raw| {
            let zone = TimeZone::get(raw.filled()?).map_err(|_| NotAllowed)?;
            config.backup.zone = Some(zone);
            Ok(())
        },
    },
    Key {
        name: "backup.keep_days",
        aliases: &[],
        takes: "a number from 1 to 3650",
        default: Default::Is("30"),
        about: "How many days the backups that the server made by itself are kept. The last one \
                is kept whatever its age.",
        set: |config, raw| {
            config.backup.keep_days = raw.number(1..=3650)?;
            Ok(())
        },
    },
    Key {
        name: "backup.before_migration",
        aliases: &[],
        takes: "`on` or `off`",
        default: Default::Is("on"),
        about: "Whether a backup is made before a new version changes tables; when it cannot be \
                made the tables stay as they are and the server does not start.",
        set: |config, raw| {
            config.backup.before_migration = raw.switch()?;
            Ok(())
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn daily(at: &str, zone: &str) -> Backup {
        Backup {
            at: at.parse().expect("a time"),
            zone: Some(TimeZone::get(zone).expect("a zone")),
            ..Backup::default()
        }
    }

    #[test]
    fn a_daily_backup_is_due_by_the_clock_of_its_zone() {
        // One hour east of Greenwich.
        let backup = daily("02:00", "Africa/Libreville");
        let last = Some(moment("2026-03-04T01:00:30Z"));
        let next = moment("2026-03-05T01:00:00Z");
        assert_eq!(
            backup.due(last, moment("2026-03-04T12:00:00Z")),
            Moment::At(next)
        );
        assert_eq!(
            backup.due(last, moment("2026-03-05T00:59:59Z")),
            Moment::At(next)
        );
        assert_eq!(backup.due(last, next), Moment::Now);
        assert_eq!(backup.due(None, next), Moment::Now);
        // Made by hand in the morning: the next one is that of the night.
        let last = Some(moment("2026-03-04T00:30:00Z"));
        let tonight = moment("2026-03-04T01:00:00Z");
        assert_eq!(
            backup.due(last, moment("2026-03-04T00:30:00Z")),
            Moment::At(tonight)
        );
        // The server was off over the week-end.
        assert_eq!(
            backup.due(last, moment("2026-03-09T08:00:00Z")),
            Moment::Now
        );
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_all_the_same() {
        let backup = daily("02:30", "Europe/Paris");
        let last = Some(moment("2026-03-28T12:00:00Z"));
        // On 29 March it goes from 02:00 to 03:00.
        let next = moment("2026-03-29T01:30:00Z");
        assert_eq!(
            backup.due(last, moment("2026-03-29T00:00:00Z")),
            Moment::At(next)
        );
    }

    #[test]
    fn every_so_often_counts_from_the_last_one() {
        let backup = Backup {
            every: Some(SignedDuration::from_hours(6)),
            ..daily("02:00", "UTC")
        };
        let last = Some(moment("2026-03-04T05:00:00Z"));
        let next = moment("2026-03-04T11:00:00Z");
        assert_eq!(
            backup.due(last, moment("2026-03-04T10:59:00Z")),
            Moment::At(next)
        );
        assert_eq!(backup.due(last, next), Moment::Now);
    }
}
