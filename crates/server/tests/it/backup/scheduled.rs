//! The backups a server makes by itself: when they are due, and before tables change.

use std::fs;
use std::path::{Path, PathBuf};

use http::StatusCode;

use super::{KEY, Place, file};
use crate::entity;
use crate::support::{ADMIN, Client, PASSWORD};

fn backups(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "backup"))
        .collect()
}

/// Asks until the answer is as wanted: a backup is made beside the server.
async fn eventually(client: &Client, path: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for _ in 0..200 {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        text = answer.text();
        if wanted(&text) {
            return text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} never became it: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_due_is_made_and_told_on_sqlite() {
    due(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_due_is_made_and_told_on_postgres() {
    due(Place::postgres()).await;
}

async fn due(place: Place) {
    let folder = place.folder.path().join("backups");
    let place = place
        .with("OPSFLUX_BACKUP__FOLDER", folder.display().to_string())
        .with("OPSFLUX_BACKUP__EVERY", "6h")
        .with("OPSFLUX_BACKUP_KEY", KEY);
    fs::create_dir(&folder).expect("a folder");
    let old = folder.join("opsflux-20200101T020000Z.backup");
    fs::write(&old, "of long ago").expect("a file");
    let running = place.start().await;
    let client = Client::at(running.address);
    let health = eventually(&client, "//health", |text| {
        text.contains("\"backup\":{\"age")
    })
    .await;
    assert!(health.contains("\"status\":\"ok\""), "{health}");
    // The one of long ago is told until the new one is there.
    let metrics = eventually(&client, "//metrics", |text| {
        text.contains("opsflux_backup_last_seconds 0.") && text.contains("opsflux_backup_ok 1")
    })
    .await;
    assert!(
        metrics.contains("opsflux_backup_last_timestamp_seconds"),
        "{metrics}"
    );
    assert!(running.stop().await);
    assert!(!old.exists(), "past its 30 days");
    let made = backups(&folder);
    assert_eq!(made.len(), 1, "{made:?}");
    let path = made[0].display().to_string();
    place.done(&["verify", &path], "");
    // Started again, it is not due yet.
    let running = place.start().await;
    eventually(&client_of(&running), "//health", |text| {
        text.contains("\"backup\":{\"age")
    })
    .await;
    assert!(running.stop().await);
    assert_eq!(backups(&folder), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_kept_in_the_data_folder_are_in_no_backup_but_all_else_is() {
    let place = Place::sqlite();
    let data = place.data();
    let place = place.with("OPSFLUX_BACKUP__FOLDER", data.display().to_string());
    let running = place.start().await;
    let recovery = running.recovery.clone().expect("told once");
    eventually(&client_of(&running), "//health", |text| {
        text.contains("\"backup\":{\"age")
    })
    .await;
    assert!(running.stop().await);
    let made = backups(&data);
    assert_eq!(made.len(), 1, "{made:?}");
    let (_kept, path) = file("by-hand.backup");
    place.done(&["backup", &path], "");
    let target = Place::sqlite();
    target.done(&["restore", &path], recovery.reveal());
    assert!(backups(&target.data()).is_empty());
    assert!(target.start().await.stop().await);
}

fn client_of(running: &opsflux_server::run::Running) -> Client {
    Client::at(running.address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_fails_degrades_health_and_the_server_goes_on() {
    let place = Place::sqlite();
    let folder = place.folder.path().join("backups");
    fs::write(&folder, "a file where a folder should be").expect("a file");
    let place = place.with("OPSFLUX_BACKUP__FOLDER", folder.display().to_string());
    let running = place.start().await;
    let client = client_of(&running);
    let health = eventually(&client, "//health", |text| text.contains("degraded")).await;
    assert!(
        health.contains("\"backup\":{\"status\":\"failed\"}"),
        "{health}"
    );
    let metrics = client.get("//metrics").await.text();
    assert!(metrics.contains("opsflux_backup_ok 0"), "{metrics}");
    client
        .signed_in(ADMIN, PASSWORD)
        .await
        .ticket("Goes on")
        .await;
    assert!(running.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_tables_change_a_backup_is_made_that_leads_back_on_sqlite() {
    before_tables_change(Place::sqlite(), Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_tables_change_a_backup_is_made_that_leads_back_on_postgres() {
    before_tables_change(Place::postgres(), Place::postgres()).await;
}

async fn before_tables_change(place: Place, back: Place) {
    let running = place.start().await;
    let recovery = running.recovery.clone().expect("told once");
    let client = client_of(&running).signed_in(ADMIN, PASSWORD).await;
    client.ticket("Of before").await;
    assert!(running.stop().await);
    let folder = place.data().join("backups");
    assert!(place.start().await.stop().await);
    assert!(
        !folder.exists(),
        "the first start and an unchanged one need none"
    );
    let before = place.rows().await;

    entity::follow_the_page(place.folder.path());
    entity::check(place.folder.path());
    let modules = place.folder.path().join("modules").display().to_string();
    let place = place.with("OPSFLUX_MODULES", modules);
    // Without a backup nothing changes.
    let recovery_file = place.data().join("secret.recovery");
    let sealed = fs::read(&recovery_file).expect("the recovery file");
    fs::remove_file(&recovery_file).expect("removed");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0"], "");
    assert!(said.contains("the tables stay as they are"), "{said}");
    assert_eq!(place.rows().await, before);
    fs::write(&recovery_file, sealed).expect("put back");

    assert!(place.start().await.stop().await);
    assert!(place.rows().await.contains_key("r_vehicle"));
    let made = backups(&folder);
    assert_eq!(made.len(), 1, "{made:?}");
    let name = made[0].file_name().expect("a name").to_string_lossy();
    let version = concat!("opsflux-before-", env!("CARGO_PKG_VERSION"), "-20");
    assert!(name.starts_with(version), "{name}");
    assert!(place.start().await.stop().await);
    assert_eq!(backups(&folder), made, "nothing changes any more");

    let path = made[0].display().to_string();
    let said = back.done(&["restore", &path], recovery.reveal());
    assert!(said.contains("The modules are at"), "{said}");
    assert!(
        back.data()
            .join("modules/assets/entities/vehicle.toml")
            .exists()
    );
    assert_eq!(back.rows().await, before);
    // The program of before, with the modules of before.
    let running = back.start().await;
    let client = client_of(&running).signed_in(ADMIN, PASSWORD).await;
    let all = client.get("/tickets?title=Of%20before").await.json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
    assert!(running.stop().await);
}
