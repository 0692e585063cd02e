//! On, off and another key, by the command.

use super::{KEY, OTHER, places, set};
use crate::backup::{Place, files};
use crate::support::{ADMIN, Client, PASSWORD};

/// Content of stored files as people get it, by the names of the files.
async fn contents(place: &Place) -> Vec<(String, String)> {
    let running = place.start().await;
    let admin = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    let page = admin.get("/files?limit=20&sort=name,id").await.json();
    let mut found = Vec::new();
    for file in page["items"].as_array().expect("files") {
        let id = file["id"].as_str().expect("an id");
        let content = admin.get(&format!("/files/{id}/content")).await;
        let name = file["name"].as_str().expect("a name").to_owned();
        assert_eq!(
            content.body.len() as u64,
            file["size"].as_u64().expect("a size")
        );
        found.push((name, content.text()));
    }
    assert!(running.stop().await);
    found
}

fn has(place: &Place, word: &str) -> bool {
    files(&place.data()).values().any(|bytes| {
        bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    })
}

/// A word of the demo company, of a row.
const KNOWN: &str = "ges-energie.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_encrypted_goes_over_to_other_keys_and_back() {
    for place in places() {
        let is_file = place.all_settings().is_empty();
        place.done(&["demo", "--tickets", "300"], "");
        let stored = contents(&place).await;
        assert!(!stored.is_empty());
        let rows = place.rows().await;
        assert_eq!(has(&place, KNOWN), is_file);

        let said = place.refused(&["encryption", "on"], "");
        assert!(said.contains("comes from outside"), "{said}");
        let place = place.with("OPSFLUX_SECRET_KEY", KEY);
        let running = place.config();
        let held = opsflux_server::data_folder::DataFolder::take(&running.data).expect("taken");
        let said = place.refused(&["encryption", "on"], "");
        assert!(said.contains("in use by process"), "{said}");
        drop(held);
        place.done(&["encryption", "on"], "");
        assert!(!has(&place, KNOWN) && !place.data().join("secret.key").exists());
        assert_eq!(place.rows().await, rows);
        assert_eq!(contents(&place).await, stored);
        let rows = place.rows().await;
        let said = place.done(&["encryption", "on"], "");
        assert!(said.contains("so already"), "{said}");
        let said = place.done(&["audit", "verify"], "");
        assert!(said.contains("entries, whole"), "{said}");

        // Another key, with the data as they are and anew.
        let before = files(&place.data().join("files"));
        let place = place.with("OPSFLUX_NEW_SECRET_KEY", OTHER);
        place.done(&["encryption", "rotate"], "");
        let said = place.refused(&["encryption", "status"], "");
        assert!(said.contains("is not the one"), "{said}");
        let place = set(place, "OPSFLUX_SECRET_KEY", OTHER);
        assert_eq!(files(&place.data().join("files")), before);
        assert_eq!(place.rows().await, rows);
        let place = set(place, "OPSFLUX_NEW_SECRET_KEY", KEY);
        place.done(&["encryption", "rotate", "--re-encrypt"], "");
        let place = set(place, "OPSFLUX_NEW_SECRET_KEY", "");
        let place = set(place, "OPSFLUX_SECRET_KEY", KEY);
        assert_ne!(files(&place.data().join("files")), before);
        assert!(!has(&place, KNOWN));
        assert_eq!(place.rows().await, rows);
        assert_eq!(contents(&place).await, stored);
        let rows = place.rows().await;

        place.done(&["encryption", "off"], "");
        assert_eq!(has(&place, KNOWN), is_file);
        assert_eq!(place.rows().await, rows);
        assert_eq!(contents(&place).await, stored);
        let said = place.done(&["audit", "verify"], "");
        assert!(said.contains("entries, whole"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_instance_in_clear_moves_out_of_its_folder() {
    let place = Place::sqlite();
    place.done(&["demo", "--tickets", "20"], "");
    let rows = place.rows().await;
    let place = place.with("OPSFLUX_NEW_SECRET_KEY", KEY);
    place.done(&["encryption", "rotate"], "");
    assert!(!place.data().join("secret.key").exists());
    let place = set(place, "OPSFLUX_NEW_SECRET_KEY", "");
    let said = place.refused(&["encryption", "status"], "");
    assert!(said.contains("a secret key that is not there"), "{said}");
    let place = place.with("OPSFLUX_SECRET_KEY", KEY);
    let said = place.done(&["encryption", "status"], "");
    assert!(said.starts_with("off:"), "{said}");
    assert_eq!(place.rows().await, rows);
    assert!(!contents(&place).await.is_empty());
}
