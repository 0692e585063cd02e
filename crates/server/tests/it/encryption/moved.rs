//! Backups and copies of encrypted instances, to those that are and those that are not.

use super::{KEY, OTHER, encrypted, places};
use crate::backup::{Place, file, files};
use crate::support::{ADMIN, Client, PASSWORD};

/// Whether a server on it gives the bytes of a stored file, as many as its record says.
async fn gives_files(place: &Place) {
    let running = place.start().await;
    let admin = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    let page = admin.get("/files?limit=5").await.json();
    let file = &page["items"][0];
    let id = file["id"].as_str().expect("a file");
    let content = admin.get(&format!("/files/{id}/content")).await;
    assert_eq!(Some(content.body.len() as u64), file["size"].as_u64());
    assert!(running.stop().await);
}

fn is_encrypted(place: &Place) -> bool {
    place.done(&["encryption", "status"], "").starts_with("on:")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_encrypted_instance_is_restored_into_either_kind() {
    for source in places() {
        let source = encrypted(source);
        source.done(&["demo", "--tickets", "40"], "");
        let rows = source.rows().await;
        let (_kept, path) = file("a.backup");
        source.done(&["backup", &path], "");
        source.done(&["verify", &path], "");
        let [sqlite, postgres] = places();
        let [again, _] = places();
        let targets = [
            ("on", true, postgres),
            ("off", false, sqlite),
            ("", true, again),
        ];
        for (setting, is_on, target) in targets {
            let target = target.with("OPSFLUX_SECRET_KEY", KEY);
            let target = super::set(target, "OPSFLUX_ENCRYPTION", setting);
            target.done(&["restore", &path], "");
            assert_eq!(is_encrypted(&target), is_on, "{setting}");
            assert!(target.rows().await == rows, "{setting}");
            let (old, new) = (source.data().join("files"), target.data().join("files"));
            assert_eq!(
                files(&old).keys().collect::<Vec<_>>(),
                files(&new).keys().collect::<Vec<_>>()
            );
            assert_ne!(files(&old), files(&new), "another data key, or none");
            gives_files(&target).await;
            let said = target.done(&["audit", "verify"], "");
            assert!(said.contains("entries, whole"), "{said}");
        }
        let other = Place::sqlite().with("OPSFLUX_SECRET_KEY", OTHER);
        let said = other.refused(&["restore", &path], "");
        assert!(said.contains("does not open"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_instance_in_clear_is_restored_into_an_encrypted_one() {
    let source = Place::sqlite().with("OPSFLUX_BACKUP_KEY", OTHER);
    source.done(&["demo", "--tickets", "40"], "");
    let rows = source.rows().await;
    let (_kept, path) = file("a.backup");
    source.done(&["backup", &path], "");
    let keyless = Place::sqlite()
        .with("OPSFLUX_BACKUP_KEY", OTHER)
        .with("OPSFLUX_ENCRYPTION", "on");
    let said = keyless.refused(&["restore", &path], "");
    assert!(said.contains("comes from outside"), "{said}");
    for target in places() {
        let target = encrypted(target).with("OPSFLUX_BACKUP_KEY", OTHER);
        target.done(&["restore", &path], "");
        assert!(is_encrypted(&target) && !target.data().join("secret.key").exists());
        assert!(target.rows().await == rows);
        gives_files(&target).await;
        let said = target.done(&["audit", "verify"], "");
        assert!(said.contains("entries, whole"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_file_is_copied_to_postgres_and_back() {
    let [source, server] = places();
    let source = encrypted(source);
    source.done(&["demo", "--tickets", "40"], "");
    let file = format!("sqlite:{}", source.data().join("opsflux.db").display());
    let settings = server.all_settings();
    let (_, url) = settings.first().expect("an address");
    let said = source.done(&["db", "copy", "--from", &file, "--to", url], "");
    assert!(said.contains("proved equal"), "{said}");
    source.done(&["db", "compare", "--from", &file, "--to", url], "");
    let rows = source.rows().await;
    // Back, into the place of the file, which is encrypted as its data folder is.
    std::fs::remove_file(source.data().join("opsflux.db")).expect("gone");
    let said = source.done(&["db", "copy", "--from", url, "--to", &file], "");
    assert!(said.contains("proved equal"), "{said}");
    let begin = std::fs::read(source.data().join("opsflux.db")).expect("a file");
    assert!(!begin.starts_with(b"SQLite format 3"));
    assert_eq!(source.rows().await.len(), rows.len());
    gives_files(&source).await;
}
