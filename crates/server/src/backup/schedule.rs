//! The backups a server makes by itself: when, what they are called, how long they are kept.
//!
//! When the last one was made is read from the names in the folder, so a server that was off makes
//! up for what it missed, and one that is started often makes none too many.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use metrics::Gauge;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::BackupError;
use super::make::{self, Made};
use crate::app::App;
use crate::config::{Config, Moment};
use crate::health::Component;
use crate::http::serve;
use crate::metrics::Metrics;

/// How names of scheduled backups begin.
pub const SCHEDULED: &str = "opsflux-";
/// How names of backups before a migration begin; the version that changes the tables follows.
pub const BEFORE: &str = "opsflux-before-";
const END: &str = ".backup";
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// The clock may be set; it is looked at this often.
const LOOK: Duration = Duration::from_secs(60);
/// How long after a failure it is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// What a process that was killed left is not written by anybody after this long.
const LEFT: Duration = Duration::from_secs(24 * 3600);

/// Where backups that nobody asked for are put.
#[must_use]
pub fn folder(config: &Config) -> PathBuf {
    let folder = config.backup.folder.clone();
    folder.unwrap_or_else(|| config.data.join("backups"))
}

/// Makes that folder, for its owner only.
///
/// # Errors
/// [`BackupError::Io`].
pub fn make_folder(folder: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(BackupError::io(folder))
}

/// The path of a backup made now; that of a migration names its version too.
#[must_use]
pub fn name(folder: &Path, begin: &str, now: Timestamp) -> PathBuf {
    let version = if begin == BEFORE {
        concat!(env!("CARGO_PKG_VERSION"), "-")
    } else {
        ""
    };
    let stamp = now.to_zoned(TimeZone::UTC).strftime(STAMP).to_string();
    folder.join(format!("{begin}{version}{stamp}{END}"))
}

/// When a backup with this name was made, and whether it was scheduled; nothing for other files.
fn made_at(name: &str) -> Option<(Timestamp, bool)> {
    let rest = name.strip_prefix(SCHEDULED)?.strip_suffix(END)?;
    let is_scheduled = !name.starts_with(BEFORE);
    let stamp = rest.rsplit('-').next()?;
    if is_scheduled && stamp != rest {
        return None;
    }
    let there = DateTime::strptime(STAMP, stamp).ok()?;
    let moment = there.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((moment, is_scheduled))
}

/// Whether a file has the name of a backup that was made here.
#[must_use]
pub fn is_backup(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(made_at).is_some()
}

/// Those in the folder, oldest first.
fn kept(folder: &Path) -> io::Result<Vec<(Timestamp, bool, PathBuf)>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some((at, is_scheduled)) = entry.file_name().to_str().and_then(made_at) {
            kept.push((at, is_scheduled, entry.path()));
        }
    }
    kept.sort();
    Ok(kept)
}

/// Removes what is older than `days`, never the last one that was scheduled, and what a process
/// that was killed left.
fn remove_old(folder: &Path, days: u16, now: Timestamp) -> io::Result<usize> {
    let kept = kept(folder)?;
    let last = kept.iter().rev().find(|(_, is_scheduled, _)| *is_scheduled);
    let longest = SignedDuration::from_hours(24 * i64::from(days));
    let mut removed = 0;
    for backup in &kept {
        if now.duration_since(backup.0) > longest && Some(backup) != last {
            fs::remove_file(&backup.2)?;
            removed += 1;
        }
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_partial = name.starts_with(".opsflux-") && name.ends_with(".partial");
        let age = SystemTime::now().duration_since(entry.metadata()?.modified()?);
        if is_partial && age.is_ok_and(|age| age > LEFT) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(removed)
}

/// What is known of the backups of a server that makes them.
pub struct Backups {
    last: Mutex<Last>,
    gauges: Gauges,
}

#[derive(Debug, Default, Clone)]
struct Last {
    /// Of the last one that was made.
    made: Option<(Timestamp, u64)>,
    /// Why none could be made since, and when that was.
    failed: Option<(Timestamp, String)>,
}

struct Gauges {
    made_at: Gauge,
    bytes: Gauge,
    seconds: Gauge,
    ok: Gauge,
}

impl Backups {
    /// Nothing known; nothing at all where the server makes none.
    #[must_use]
    pub fn new(config: &Config, metrics: &Metrics) -> Option<Backups> {
        config.backup.folder.as_ref()?;
        let gauge = |name, about| metrics.gauge(name, about);
        Some(Backups {
            last: Mutex::default(),
            gauges: Gauges {
                made_at: gauge(
                    "opsflux_backup_last_timestamp_seconds",
                    "When the last scheduled backup was made.",
                ),
                bytes: gauge(
                    "opsflux_backup_last_bytes",
                    "Size of the last scheduled backup.",
                ),
                seconds: gauge(
                    "opsflux_backup_last_seconds",
                    "How long the last scheduled backup took.",
                ),
                ok: gauge(
                    "opsflux_backup_ok",
                    "Whether the last backup that was due was made.",
                ),
            },
        })
    }

    /// For `/health`: the last one that was due was made.
    #[must_use]
    pub fn health(&self, now: Timestamp) -> Component {
        let last = self.last.lock().clone();
        let mut figures = Vec::new();
        if let Some((at, bytes)) = last.made {
            let age = now.duration_since(at).as_secs();
            figures.push(("age_seconds", u64::try_from(age).unwrap_or(0)));
            figures.push(("bytes", bytes));
        }
        Component {
            ok: last.failed.is_none(),
            figures,
            trouble: last.failed.map(|(_, why)| why),
        }
    }

    fn found(&self, at: Timestamp, bytes: u64) {
        self.last.lock().made = Some((at, bytes));
        self.gauges.made_at.set(figure(at.as_second()));
        self.gauges
            .bytes
            .set(figure(i64::try_from(bytes).unwrap_or(i64::MAX)));
        self.gauges.ok.set(1.0);
    }

    fn made(&self, at: Timestamp, made: &Made, took: Duration) {
        self.found(at, made.bytes);
        self.last.lock().failed = None;
        self.gauges.seconds.set(took.as_secs_f64());
    }

    fn failed(&self, at: Timestamp, why: String) {
        self.last.lock().failed = Some((at, why));
        self.gauges.ok.set(0.0);
    }

    fn failed_at(&self) -> Option<Timestamp> {
        self.last.lock().failed.as_ref().map(|(at, _)| *at)
    }
}

/// Prometheus counts in floating point; seconds and bytes are exact in it up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn figure(number: i64) -> f64 {
    number as f64
}

/// Makes backups when they are due, until the server stops.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let (Some(backups), Some(folder)) = (&app.backups, &app.config.backup.folder) else {
        return;
    };
    loop {
        let now = app.records.now();
        let pause = match next(&app.config, backups, folder, now) {
            Moment::Now => {
                one(&app, backups, folder, now, &stopping).await;
                // Whatever the folder says then: not one after the other.
                LOOK
            }
            Moment::At(next) => Duration::try_from(next.duration_since(now)).unwrap_or(LOOK),
        };
        tokio::select! {
            () = serve::told(&mut stopping) => return,
            () = tokio::time::sleep(pause.min(LOOK)) => {}
        }
    }
}

/// When the next one is due, after a failure a little later.
fn next(config: &Config, backups: &Backups, folder: &Path, now: Timestamp) -> Moment {
    if let Some(failed) = backups.failed_at() {
        let again = failed + AGAIN;
        return if again > now {
            Moment::At(again)
        } else {
            Moment::Now
        };
    }
    let kept = kept(folder).unwrap_or_default();
    let last = kept.iter().rev().find(|(_, is_scheduled, _)| *is_scheduled);
    if let Some((at, _, path)) = last {
        let bytes = fs::metadata(path).map_or(0, |file| file.len());
        backups.found(*at, bytes);
    }
    config.backup.due(last.map(|(at, ..)| *at), now)
}

async fn one(
    app: &App,
    backups: &Backups,
    folder: &Path,
    now: Timestamp,
    stopping: &watch::Receiver<bool>,
) {
    let path = name(folder, SCHEDULED, now);
    let began = Instant::now();
    let heard = stopping.clone();
    let made = match make_folder(folder) {
        Ok(()) => make::make(&app.config, &path, move |_| !*heard.borrow()).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(made) => {
            let took = began.elapsed();
            backups.made(now, &made, took);
            let seconds = took.as_secs_f64();
            tracing::info!(path = %path.display(), bytes = made.bytes, seconds, "a backup was made");
        }
        Err(BackupError::Stopped) => return,
        Err(error) => {
            tracing::error!(%error, "the backup that was due could not be made");
            backups.failed(now, error.to_string());
        }
    }
    prune(folder, app.config.backup.keep_days, now);
}

/// Removes backups past their time from a folder of backups, and tells the log.
pub fn prune(folder: &Path, days: u16, now: Timestamp) {
    match remove_old(folder, days, now) {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "backups past their time were removed"),
        Err(error) => tracing::warn!(%error, "backups past their time could not be removed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_name_tells_when_it_was_made_and_other_files_are_left_alone() {
        let at = moment("2026-03-04T01:02:03Z");
        let told = |begin| {
            let path = name(Path::new("/backups"), begin, at);
            path.file_name()
                .and_then(|name| name.to_str())
                .and_then(made_at)
        };
        assert_eq!(told(SCHEDULED), Some((at, true)));
        assert_eq!(told(BEFORE), Some((at, false)));
        for other in [
            "opsflux.toml",
            "opsflux-me.backup",
            "opsflux-my-20260304T010203Z.backup",
            "x-20260304T010203Z.backup",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_past_its_days_goes_but_the_last_one_and_what_is_not_ours_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |begin, at: &str| {
            let path = name(folder.path(), begin, moment(at));
            fs::write(&path, "x").expect("written");
            path
        };
        let old = make(SCHEDULED, "2026-01-01T02:00:00Z");
        let before = make(BEFORE, "2026-01-02T02:00:00Z");
        let edge = make(SCHEDULED, "2026-02-01T02:00:00Z");
        let last = make(SCHEDULED, "2026-03-02T02:00:00Z");
        let mine = folder.path().join("mine.backup");
        fs::write(&mine, "x").expect("written");
        let at = |text| remove_old(folder.path(), 30, moment(text)).expect("pruned");
        assert_eq!(at("2026-03-03T02:00:00Z"), 2, "the 30th day is kept");
        assert!(!old.exists() && !before.exists() && edge.exists());
        assert_eq!(at("2026-03-03T02:00:01Z"), 1, "the 31st goes");
        assert_eq!(at("2027-01-01T00:00:00Z"), 0, "the last one stays");
        assert!(last.exists() && mine.exists());
    }
}
