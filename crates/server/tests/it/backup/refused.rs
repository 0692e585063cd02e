//! What is not a whole backup with its key changes nothing, and each says what is wrong.

use std::fs;

use super::{KEY, Place, file};

/// More than one chunk before it is packed and sealed, so that chunks can change places.
const NOISE: usize = 700_000;

/// An instance with a backup of several chunks that opens with [`KEY`].
async fn backed_up(path: &str) -> Place {
    let place = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY);
    assert!(place.start().await.stop().await);
    // What cannot be packed any smaller.
    let mut noise = vec![0; NOISE];
    let mut state = 88_172_645_463_325_252_u64;
    for byte in &mut noise {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state.to_be_bytes()[0];
    }
    fs::write(place.data().join("noise"), noise).expect("a file of the data folder");
    for command in [["backup", path].as_slice(), &["doctor"]] {
        let said = place.done(command, "");
        assert!(said.contains("OPSFLUX_BACKUP_KEY"), "{said}");
    }
    place
}

fn target() -> Place {
    Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY)
}

#[tokio::test]
async fn what_is_damaged_is_named_and_changes_nothing() {
    let (_kept, path) = file("whole.backup");
    let place = backed_up(&path).await;
    let whole = fs::read(&path).expect("the backup");
    let text = String::from_utf8_lossy(&whole[..600]).into_owned();
    let head = whole.len() - text.find("\"}").map_or(0, |at| whole.len() - at - 2);
    // Sealed chunks begin right behind the head.
    const SEALED: usize = 256 * 1024 + 16;
    let swapped = || {
        let mut bytes = whole.clone();
        let (first, second) = (head, head + SEALED);
        for at in 0..SEALED {
            bytes.swap(first + at, second + at);
        }
        bytes
    };
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damages: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "cut at a chunk",
            whole[..head + 2 * SEALED].to_vec(),
            "cut off after 524288 bytes",
        ),
        (
            "cut within a chunk",
            whole[..whole.len() - 1].to_vec(),
            "cut off after",
        ),
        (
            "cut within its head",
            whole[..100].to_vec(),
            "cut off within its head",
        ),
        (
            "a byte of a chunk",
            flipped(head + SEALED + 5),
            "at byte 262144",
        ),
        ("chunks that changed places", swapped(), "at byte 0"),
        (
            "something behind it",
            [whole.as_slice(), b"x"].concat(),
            "damaged",
        ),
        (
            "another moment in its head",
            {
                let at = text.find("made_at").expect("a moment") + 12;
                flipped(at)
            },
            "",
        ),
        (
            "a photograph",
            b"\x89PNG\r\n\x1a\n and more than a head is long".to_vec(),
            "no backup of OpsFlux",
        ),
        ("nothing", Vec::new(), "no backup of OpsFlux"),
    ];
    for (what, bytes, told) in damages {
        let (_kept, damaged) = file("damaged.backup");
        fs::write(&damaged, bytes).expect("written");
        let said = place.refused(&["verify", &damaged], "");
        assert!(said.contains(told), "{what}: {said}");
        let target = target();
        let said = target.refused(&["restore", &damaged], "");
        assert!(said.contains(told), "{what}: {said}");
        assert!(target.is_untouched().await, "{what}");
    }
    target().done(&["restore", &path], "");
}

#[tokio::test]
async fn another_key_opens_nothing_and_the_right_one_is_named() {
    let (_kept, path) = file("keyed.backup");
    let _place = backed_up(&path).await;
    let other = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY.replace('0', "f"));
    let said = other.refused(&["restore", &path], "");
    assert!(said.contains("this key does not open"), "{said}");
    assert!(said.contains("OPSFLUX_BACKUP_KEY"), "{said}");
    assert!(other.is_untouched().await);
    let none = Place::sqlite();
    let said = none.refused(&["restore", &path], "");
    assert!(said.contains("is encrypted for a backup key"), "{said}");
    assert!(none.is_untouched().await);
    let odd = Place::sqlite().with("OPSFLUX_BACKUP_KEY", "short");
    let said = odd.refused(&["restore", &path], "");
    assert!(said.contains("64 hexadecimal digits"), "{said}");

    // For the recovery key: asked for on stdin, and only the right one opens.
    let place = Place::sqlite();
    let running = place.start().await;
    let recovery = running.recovery.clone().expect("told once");
    assert!(running.stop().await);
    let (_kept, path) = file("recovered.backup");
    place.done(&["backup", &path], "");
    let target = Place::sqlite();
    for wrong in ["", "\n", "not a key", &"ab".repeat(32), KEY] {
        let said = target.refused(&["restore", &path], wrong);
        assert!(said.contains("recovery key"), "{said}");
        assert!(target.is_untouched().await);
    }
    let spaced = format!("  {}\n", recovery.reveal().to_uppercase().replace('-', " "));
    target.done(&["restore", &path], &spaced);
}

#[tokio::test]
async fn a_secret_key_from_outside_opens_a_backup_and_stays_outside() {
    let place = Place::sqlite().with("OPSFLUX_SECRET_KEY", KEY);
    assert!(place.start().await.stop().await);
    let (_kept, path) = file("outside.backup");
    let said = place.done(&["backup", &path], "");
    assert!(said.contains("OPSFLUX_SECRET_KEY"), "{said}");
    let forgotten = Place::sqlite();
    let said = forgotten.refused(&["restore", &path], "");
    assert!(said.contains("OPSFLUX_SECRET_KEY"), "{said}");
    assert!(forgotten.is_untouched().await);
    let target = Place::sqlite().with("OPSFLUX_SECRET_KEY", KEY);
    target.done(&["restore", &path], "");
    assert!(!target.data().join("secret.key").exists());
    assert!(target.start().await.stop().await);

    // Opened by a backup key, it still needs the secret key its secrets are sealed with.
    let place = place.with("OPSFLUX_BACKUP_KEY", KEY.replace('0', "a"));
    let (_kept, path) = file("both.backup");
    place.done(&["backup", &path], "");
    let keyed = Place::sqlite().with("OPSFLUX_BACKUP_KEY", KEY.replace('0', "a"));
    let said = keyed.refused(&["restore", &path], "");
    assert!(
        said.contains("give the same one as OPSFLUX_SECRET_KEY"),
        "{said}"
    );
    let keyed = keyed.with("OPSFLUX_SECRET_KEY", KEY.replace('0', "b"));
    let said = keyed.refused(&["restore", &path], "");
    assert!(said.contains("another secret key"), "{said}");
    assert!(keyed.is_untouched().await);
}

#[tokio::test]
async fn without_a_key_to_encrypt_for_there_is_no_backup() {
    let place = Place::sqlite();
    assert!(place.start().await.stop().await);
    std::fs::remove_file(place.data().join("secret.recovery")).expect("removed");
    let (_kept, path) = file("none.backup");
    let said = place.refused(&["backup", &path], "");
    assert!(said.contains("no key to encrypt for"), "{said}");
    let said = place.refused(&["doctor"], "");
    assert!(said.contains("no key to encrypt for"), "{said}");
    assert!(said.contains("OPSFLUX_BACKUP_KEY"), "{said}");
    assert!(!std::path::Path::new(&path).exists());
    let nowhere = Place::sqlite();
    let said = nowhere.refused(&["backup", &path], "");
    assert!(said.contains("nothing to back up"), "{said}");
    assert!(nowhere.is_untouched().await);
}

#[tokio::test]
async fn what_is_not_empty_is_left_alone_and_named() {
    let (_kept, path) = file("whole.backup");
    let place = backed_up(&path).await;
    let before = place.rows().await;
    let said = place.refused(&["restore", &path], "");
    assert!(
        said.contains("is not empty: it has audit-heads.log, files, imports, noise, opsflux.db"),
        "{said}"
    );
    assert_eq!(place.rows().await, before);
    // A folder with one strange file, and a database that is somebody's.
    let target = target();
    fs::create_dir(target.data()).expect("a folder");
    fs::write(target.data().join("mine.txt"), "mine").expect("a file");
    let said = target.refused(&["restore", &path], "");
    assert!(said.contains("it has mine.txt"), "{said}");
    assert_eq!(fs::read_dir(target.data()).expect("it").count(), 1);
    let target = Place::postgres().with("OPSFLUX_BACKUP_KEY", KEY);
    let database = target.database.as_ref().expect("a database");
    database
        .sql("CREATE TABLE theirs (a int)")
        .expect("a table");
    let said = target.refused(&["restore", &path], "");
    assert!(
        said.contains("the database is not empty: it has theirs"),
        "{said}"
    );
    assert!(!target.data().exists());
    // And what is there is no name for a backup.
    let said = place.refused(&["backup", &path], "");
    assert!(said.contains("is there already"), "{said}");
}
