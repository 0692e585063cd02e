//! A process that is killed half-way leaves nothing that could be taken for whole.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use opsflux_server::backup::make::make;
use opsflux_server::backup::{BackupError, Progress};

use super::{KEY, Place, file};
use crate::support::config;

/// Kills a process as soon as `begun` says so, or it has ended.
fn kill_when(mut child: Child, begun: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !begun() && child.try_wait().expect("a process").is_none() {
        assert!(Instant::now() < until, "nothing began");
        std::thread::yield_now();
    }
    // One that has ended already is the same to what follows.
    let _ = child.kill();
    child.wait().expect("its end");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.collect()
}

#[tokio::test]
async fn a_backup_that_is_stopped_leaves_nothing() {
    let place = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY);
    assert!(place.start().await.stop().await);
    let config = config(&place.folder, &[("OPSFLUX_BACKUP_KEY", KEY)]);
    let (folder, path) = file("stopped.backup");
    for steps in [0, 5, 20] {
        let mut left = steps;
        let watch = move |_: Progress<'_>| {
            left -= 1;
            left >= 0
        };
        let stopped = make(&config, Path::new(&path), watch).await;
        assert!(matches!(stopped, Err(BackupError::Stopped)), "{stopped:?}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

fn spawn(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program")
}

#[tokio::test]
async fn a_backup_that_is_killed_leaves_no_file_of_its_name() {
    let place = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY);
    place.done(&["demo", "--tickets", "1500"], "");
    let mut killed = 0;
    for _ in 0..10 {
        let (folder, path) = file("killed.backup");
        let child = spawn(&place, &["backup", &path]);
        kill_when(child, || !names(folder.path()).is_empty());
        let left = names(folder.path());
        if left == ["killed.backup"] {
            // It was faster: what has the name is whole.
            place.done(&["verify", &path], "");
            continue;
        }
        assert!(
            left.iter().all(|name| name.ends_with(".partial")),
            "{left:?}"
        );
        killed += 1;
        // What was left is in nobody's way.
        place.done(&["backup", &path], "");
        place.done(&["verify", &path], "");
        if killed == 3 {
            return;
        }
    }
    assert!(killed > 0, "it was never killed in the middle");
}

#[tokio::test]
async fn a_restore_that_is_killed_starts_no_server_and_begins_anew_on_sqlite() {
    killed_restore(Place::sqlite).await;
}

#[tokio::test]
async fn a_restore_that_is_killed_starts_no_server_and_begins_anew_on_postgres() {
    killed_restore(Place::postgres).await;
}

async fn killed_restore(target: fn() -> Place) {
    let place = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY);
    place.done(&["demo", "--tickets", "1500"], "");
    let (_kept, path) = file("whole.backup");
    place.done(&["backup", &path], "");
    let rows = place.rows().await;
    for _ in 0..10 {
        let target = target().with("OPSFLUX_BACKUP_KEY", KEY);
        let mark = target.data().join("restore.unfinished");
        kill_when(spawn(&target, &["restore", &path]), || mark.exists());
        if !mark.exists() {
            continue;
        }
        let said = target.refused(&["serve", "--listen", "127.0.0.1:0"], "");
        assert!(said.contains("not finished"), "{said}");
        target.done(&["restore", &path], "");
        assert_eq!(target.rows().await, rows);
        assert!(target.start().await.stop().await);
        return;
    }
    panic!("it was never killed in the middle");
}
