//! Every byte on the disk is looked at.

use std::convert::Infallible;
use std::time::Instant;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Method, Request, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use opsflux_server::run::{Running, start};
use serde_json::json;

use super::{KEY, OTHER, encrypted, places, set};
use crate::backup::{Place, files};
use crate::support::{ADMIN, Client, PASSWORD, PATIENCE};

/// Said nowhere else.
const TITLE: &str = "zanzibarite";
const TEXT: &str = "quokkaplasm";
const CONTENT: &str = "heliotrope";
const COMING: &str = "narwhalium";
const WORDS: [&str; 4] = [TITLE, TEXT, CONTENT, COMING];

/// Which of the words lie in clear in which files below the folder of a place.
fn in_clear(place: &Place) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, bytes) in files(place.folder.path()) {
        for word in WORDS {
            let has = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            if has {
                found.push((word.to_owned(), path.display().to_string()));
            }
        }
    }
    found
}

/// Writes each word once; the last is still on its way in when this returns.
async fn write(running: &Running) -> tokio::task::JoinHandle<()> {
    let admin = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    let ticket = admin.ticket(&format!("About {TITLE}")).await;
    let id = ticket["id"].as_str().expect("an id");
    let path = format!("/tickets/{id}");
    let changed = admin.patch(&path, &json!({"description": TEXT})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=";
    let content = format!("{CONTENT} ").repeat(9_000);
    let form = format!("{head}\"a.txt\"\r\n\r\n{content}\r\n--b--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let path = format!("/tickets/{id}/files");
    let sent = admin.send(Method::POST, &path, &headers, form).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text());
    let file = sent.json()["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path_of = format!("/files/{file}/content");
    assert_eq!(admin.get(&path_of).await.text(), content);
    let range = [("range", "bytes=40000-40010")];
    let part = admin.get_with(&path_of, &range).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.text(), content[40_000..=40_010]);
    admin.found(TITLE).await;
    let begun = format!(
        "{head}\"b.txt\"\r\n\r\n{}",
        format!("{COMING} ").repeat(20_000)
    );
    let socket = tokio::net::TcpStream::connect(admin.address)
        .await
        .expect("a socket");
    let (mut sender, connection) = handshake(TokioIo::new(socket)).await.expect("a handshake");
    tokio::spawn(connection);
    let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(begun)))]);
    let request = Request::post(format!("/api/v1{path}"))
        .header("host", "localhost")
        .header(
            "authorization",
            format!("Bearer {}", admin.token.as_deref().expect("a token")),
        )
        .header(headers[0].0, headers[0].1)
        .body(StreamBody::new(Box::pin(first.chain(stream::pending()))))
        .expect("a request");
    tokio::spawn(async move {
        // It has no end; it goes with the server.
        let _ = sender.send_request(request).await;
    })
}

/// Waits until something of an upload is on the disk.
async fn until_incoming(place: &Place) {
    let until = Instant::now() + PATIENCE;
    let folder = place.data().join("files/incoming");
    while files(&folder).values().all(|bytes| bytes.len() < 100_000) {
        assert!(Instant::now() < until, "nothing comes in");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_written_is_found_on_the_disk_while_it_runs_or_afterwards() {
    for place in places() {
        let place = encrypted(place);
        let running = place.start().await;
        let upload = write(&running).await;
        until_incoming(&place).await;
        let log = place.folder.path().join("all.backup").display().to_string();
        tokio::task::block_in_place(|| place.done(&["backup", &log], ""));
        assert_eq!(in_clear(&place), [], "while it runs");
        let open = std::fs::read_dir("/proc/self/fd").expect("open files");
        for entry in open.flatten() {
            let name = std::fs::read_link(entry.path()).unwrap_or_default();
            assert!(
                !name.to_string_lossy().contains("etilqs"),
                "a temporary file: {name:?}"
            );
        }
        upload.abort();
        assert!(running.stop().await);
        assert_eq!(in_clear(&place), [], "afterwards");
    }
}

/// Without it the test above would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn without_encryption_each_word_is_found() {
    let place = Place::sqlite();
    let running = place.start().await;
    let upload = write(&running).await;
    until_incoming(&place).await;
    let found = in_clear(&place);
    for word in WORDS {
        assert!(
            found.iter().any(|(known, _)| known == word),
            "{word}: {found:?}"
        );
    }
    for part in ["opsflux.db", "search/", "files/"] {
        assert!(
            found.iter().any(|(_, path)| path.contains(part)),
            "{part}: {found:?}"
        );
    }
    upload.abort();
    assert!(running.stop().await);
}

async fn refusal(place: &Place) -> String {
    match start(place.config()).await {
        Ok(running) => {
            running.stop().await;
            "it started".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_missing_or_beside_the_data_is_refused() {
    for place in places() {
        let place = place.with("OPSFLUX_ENCRYPTION", "on");
        let told = refusal(&place).await;
        assert!(told.contains("comes from outside"), "{told}");
        let place = place.with("OPSFLUX_SECRET_KEY", KEY);
        assert!(place.start().await.stop().await);

        let place = set(place, "OPSFLUX_SECRET_KEY", OTHER);
        let told = refusal(&place).await;
        assert!(told.contains("is not the one the data in"), "{told}");
        let place = set(place, "OPSFLUX_SECRET_KEY", "");
        let told = refusal(&place).await;
        assert!(told.contains("a secret key that is not there"), "{told}");

        let inside = place.data().join("my.key");
        std::fs::write(&inside, KEY).expect("written");
        let file = inside.display().to_string();
        let place = place.with("OPSFLUX_SECRET_KEY_FILE", file);
        let told = refusal(&place).await;
        assert!(told.contains("must not lie in the data folder"), "{told}");
        let outside = place.folder.path().join("my.key");
        std::fs::rename(&inside, &outside).expect("moved");
        let file = outside.display().to_string();
        let place = set(place, "OPSFLUX_SECRET_KEY_FILE", &file);
        assert!(place.start().await.stop().await);
        let place = set(place, "OPSFLUX_SECRET_KEY_FILE", "");
        let command = format!("cat {file}");
        let place = place.with("OPSFLUX_SECRET_KEY_COMMAND", command);
        assert!(place.start().await.stop().await);

        std::fs::write(place.data().join("secret.key"), KEY).expect("written");
        let told = refusal(&place).await;
        assert!(told.contains("must not lie in the data folder"), "{told}");
        std::fs::remove_file(place.data().join("secret.key")).expect("gone");
        let place = set(place, "OPSFLUX_ENCRYPTION", "off");
        let told = refusal(&place).await;
        assert!(told.contains("opsflux encryption off"), "{told}");
        // Nobody says how it is to be: it stays as it is.
        let place = set(place, "OPSFLUX_ENCRYPTION", "");
        assert!(place.start().await.stop().await);
        let said = place.done(&["encryption", "status"], "");
        assert!(said.starts_with("on:"), "{said}");
        let said = place.done(&["doctor"], "");
        assert!(said.contains("encryption     on:"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_folder_is_not_taken_for_an_encrypted_one() {
    let place = Place::sqlite();
    assert!(place.start().await.stop().await);
    let place = encrypted(place);
    let told = refusal(&place).await;
    assert!(told.contains("opsflux encryption on"), "{told}");
    let place = set(place, "OPSFLUX_ENCRYPTION", "");
    let place = set(place, "OPSFLUX_SECRET_KEY", "");
    assert!(place.start().await.stop().await, "it is as it was");
}
