//! Killed at every point of a change, and at any moment: the old or the new key opens everything.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use opsflux_sealing::PurposeKey;
use opsflux_server::data_folder::DataFolder;
use opsflux_server::encryption::change::{Step, Wanted, Watch, change, read_file};
use opsflux_server::encryption::{self, FILES};

use super::{KEY, OTHER, places, set};
use crate::backup::{Place, files};

type Rows = BTreeMap<String, Vec<Vec<u8>>>;
type Stored = BTreeMap<String, Vec<u8>>;

/// Everything, as whoever has this key reads it; nothing when the key does not open it.
async fn everything(place: &Place) -> Option<(Rows, Stored)> {
    let config = place.config();
    // As a start does it: what was decided is finished, what was not is thrown away.
    let folder = DataFolder::take(&config.data).expect("the folder");
    let found = encryption::open(&config, &folder).ok()?;
    drop(folder);
    let key = found.data.map(|data| data.purpose(FILES).expect("a key"));
    Some((place.rows().await, stored(&place.data(), key.as_ref())))
}

fn stored(data: &Path, key: Option<&PurposeKey>) -> Stored {
    let root = data.join("files");
    let mut found = Stored::new();
    for name in files(&root).into_keys() {
        let name = name.to_string_lossy().into_owned();
        let mut content = Vec::new();
        let mut file = read_file(&root.join(&name), &name, key).expect("a file that opens");
        std::io::Read::read_to_end(&mut file, &mut content).expect("its content");
        found.insert(name, content);
    }
    found
}

/// Where to and with which keys: before, after.
fn changes() -> Vec<(Wanted, &'static str, &'static str)> {
    let to = |digits: &str| {
        let bytes: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits"))
            .collect();
        bytes.try_into().expect("a key")
    };
    let rotate = |digits, data_too| Wanted::Rotate {
        to: to(digits),
        data_too,
    };
    vec![
        (Wanted::On, KEY, KEY),
        (rotate(OTHER, false), KEY, OTHER),
        (rotate(KEY, true), OTHER, KEY),
        (Wanted::Off, KEY, KEY),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_at_any_point_everything_is_there_for_the_old_key_or_the_new_one() {
    for place in places() {
        place.done(&["demo", "--tickets", "20"], "");
        let all = everything(&place).await.expect("all of it");
        let mut place = place;
        for (wanted, before, after) in changes() {
            let (mut points, mut opened_by) = (0, [0, 0]);
            loop {
                place = set(place, "OPSFLUX_SECRET_KEY", before);
                let left = Arc::new(AtomicUsize::new(points));
                let watch: Watch = Arc::new(move |_: Step| {
                    let more = |left: usize| left.checked_sub(1);
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
                        .is_ok()
                });
                let config = place.config();
                let folder = DataFolder::take(&config.data).expect("the folder");
                let done = change(&config, &folder, &wanted, &watch).is_ok();
                drop(folder);
                let mut found = None;
                for (at, key) in [before, after].into_iter().enumerate() {
                    place = set(place, "OPSFLUX_SECRET_KEY", key);
                    // The first start's own key is in the folder until it is encrypted.
                    let keyless =
                        matches!(wanted, Wanted::On) && place.data().join("secret.key").exists();
                    if keyless {
                        place = set(place, "OPSFLUX_SECRET_KEY", "");
                    }
                    if found.is_none() {
                        found = everything(&place).await;
                        opened_by[at] += usize::from(found.is_some());
                    }
                }
                let found =
                    found.unwrap_or_else(|| panic!("{wanted:?} stopped at {points}: neither"));
                assert!(
                    found == all,
                    "{wanted:?} stopped at {points}: something is missing"
                );
                for name in files(&place.data()).into_keys() {
                    let name = name.display().to_string();
                    assert!(
                        !name.contains(".fresh") && !name.contains(".stale"),
                        "{name}"
                    );
                }
                if done {
                    break;
                }
                if has_changed(&place, &wanted) {
                    // Decided and finished by the start: the rest of the points need it undone.
                    undo(&mut place, &wanted, before);
                }
                points += 1;
            }
            assert!(points >= 6, "{wanted:?}: {points} points");
            place = set(place, "OPSFLUX_SECRET_KEY", after);
        }
    }
}

fn has_changed(place: &Place, wanted: &Wanted) -> bool {
    let is_on = encryption::held(&place.config()).is_ok_and(|held| held.data.is_some());
    match wanted {
        Wanted::On => is_on,
        Wanted::Off => !is_on,
        Wanted::Rotate { .. } => true,
    }
}

/// Back to how it was before, so that the change is begun again.
fn undo(place: &mut Place, wanted: &Wanted, before: &str) {
    let go = |place: &Place, wanted: &Wanted| {
        let config = place.config();
        let folder = DataFolder::take(&config.data).expect("the folder");
        let watch: Watch = Arc::new(|_| true);
        change(&config, &folder, wanted, &watch).expect("undone");
    };
    match wanted {
        Wanted::On => go(place, &Wanted::Off),
        Wanted::Off => go(place, &Wanted::On),
        Wanted::Rotate { .. } => {
            let other = if before == KEY { OTHER } else { KEY };
            for key in [before, other] {
                let taken = std::mem::replace(place, Place::sqlite());
                *place = set(taken, "OPSFLUX_SECRET_KEY", key);
                if encryption::held(&place.config()).is_ok() {
                    let (back, ..) = changes().remove(if before == KEY { 2 } else { 1 });
                    if key != before {
                        go(place, &back);
                    }
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_everything_is_there() {
    let place = Place::sqlite();
    place.done(&["demo", "--tickets", "2000"], "");
    let all = everything(&place).await.expect("all of it");
    let mut place = place.with("OPSFLUX_SECRET_KEY", KEY);
    let began = Instant::now();
    place.done(&["encryption", "on"], "");
    let whole = began.elapsed();
    let (mut is_on, mut killed) = (true, 0);
    for round in 0..16_u32 {
        let arguments: &[&str] = match is_on {
            true => &["encryption", "off"],
            false => &["encryption", "on"],
        };
        let mut command = place.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program");
        let after = Instant::now() + whole.mul_f64(f64::from(round % 8 + 1) / 8.0);
        while Instant::now() < after && child.try_wait().expect("a process").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        killed += u32::from(child.try_wait().expect("a process").is_none());
        let _ = child.kill();
        child.wait().expect("its end");
        let found = everything(&place).await;
        assert!(found.as_ref() == Some(&all), "round {round}");
        let said = place.done(&["encryption", "status"], "");
        is_on = said.starts_with("on:");
    }
    assert!(killed > 3, "only {killed} were killed");
    place = set(place, "OPSFLUX_SECRET_KEY", KEY);
    assert!(place.start().await.stop().await);
}
