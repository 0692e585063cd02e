//! The first start, the second one, and stopping.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::SinkExt;
use http::{Method, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use opsflux_server::run::{StartError, start};
use opsflux_testkit::postgres::Cluster;

use serde_json::{Value as Json, json};

use crate::process::{Serving, done, opsflux};
use crate::support::{ADMIN, Client, PASSWORD, Server, config};

#[tokio::test]
async fn the_first_start_tells_its_secrets_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [("OPSFLUX_ADMIN_PASSWORD", "")];
    let first = start(config(&folder, &settings)).await.expect("a server");
    let password = first
        .bootstrapped
        .generated_password
        .clone()
        .expect("a password");
    assert!(first.recovery.is_some());
    let key = folder.path().join("data/secret.key");
    assert!(key.exists());
    assert!(first.stop().await);
    let second = start(config(&folder, &settings)).await.expect("a server");
    assert_eq!(second.bootstrapped.generated_password, None);
    assert!(second.recovery.is_none());
    Client::at(second.address).signed_in(ADMIN, &password).await;
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_the_process_that_has_it() {
    let server = Server::start(&[]).await;
    let refused = start(config(&server.folder, &[]))
        .await
        .err()
        .expect("a refusal");
    assert!(matches!(refused, StartError::Folder(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains(&std::process::id().to_string()),
        "{refused}"
    );
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(config(&folder, &[])).await.expect("a server");
    let mut client = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    let made = client.ticket("Kept").await;
    assert!(running.stop().await);
    let running = start(config(&folder, &[])).await.expect("a server");
    client.address = running.address;
    // The session outlives the process: its key and its row do.
    let path = format!("/tickets/{}", made["number"].as_str().expect("a number"));
    assert_eq!(client.get(&path).await.json()["title"], "Kept");
}

#[tokio::test]
async fn one_command_makes_the_search_index_again_on_either_database() {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let url = database.url();
    for settings in [vec![], vec![("OPSFLUX_DATABASE_URL", url.as_str())]] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let rebuild = || {
            let mut command = opsflux(&data);
            command.args(["search", "rebuild"]).envs(settings.clone());
            command
        };
        let running = start(config(&folder, &settings)).await.expect("a server");
        let mut client = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
        client.ticket("Phare du port").await;
        let refused = rebuild().output().expect("the program");
        assert!(!refused.status.success(), "a server runs on the folder");
        assert!(running.stop().await);
        std::fs::remove_dir_all(data.join("search")).expect("the index");
        let said = done(rebuild());
        assert!(said.contains("are in the search index"), "{said}");
        let running = start(config(&folder, &settings)).await.expect("a server");
        client.address = running.address;
        // At once: it is there and not being made.
        let hits = client.get("/search?q=phare").await.json();
        assert_eq!(hits["items"][0]["title"], "Phare du port", "{hits}");
        assert!(running.stop().await);
    }
}

#[tokio::test]
async fn an_index_ahead_of_a_database_that_was_put_back_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("data/opsflux.db");
    let kept = folder.path().join("kept.db");
    let running = start(config(&folder, &[])).await.expect("a server");
    let mut client = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    client.ticket("Phare du port").await;
    assert!(running.stop().await);
    std::fs::copy(&database, &kept).expect("a copy");
    let running = start(config(&folder, &[])).await.expect("a server");
    client.address = running.address;
    for at in 0..5 {
        client.ticket(&format!("Grue {at}")).await;
    }
    client.found("grue").await;
    assert!(running.stop().await);
    for left in ["opsflux.db-wal", "opsflux.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join("data").join(left));
    }
    std::fs::copy(&kept, &database).expect("the copy");
    let running = start(config(&folder, &[])).await.expect("a server");
    client.address = running.address;
    // Its place in the feed is one the index had already passed.
    client.ticket("Balise").await;
    client.found("balise").await;
    client.found("phare").await;
    assert!(running.stop().await);
}

#[tokio::test]
async fn a_request_that_has_begun_is_finished_when_the_server_stops() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let (mut body, chunks) = futures::channel::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    let request = admin
        .request(
            Method::POST,
            "/tickets",
            &[("content-type", "application/json")],
        )
        .body(StreamBody::new(chunks))
        .expect("a request");
    let socket = tokio::net::TcpStream::connect(admin.address)
        .await
        .expect("a connection");
    let (mut sender, connection) = handshake(TokioIo::new(socket)).await.expect("a handshake");
    tokio::spawn(connection);
    let answer = tokio::spawn(async move { sender.send_request(request).await });
    body.send(Ok(Frame::data(Bytes::from("{\"title\":"))))
        .await
        .expect("the first half");
    // The probe answers from another connection: by then the first half has been read or waits in
    // the socket, and the server is told to stop in the middle.
    assert_eq!(server.anybody().get("//live").await.status, StatusCode::OK);
    let stopped = tokio::spawn(server.stop());
    body.send(Ok(Frame::data(Bytes::from("\"Late\"}"))))
        .await
        .expect("the second half");
    drop(body);
    let answer = answer.await.expect("a task").expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(stopped.await.expect("a task"), "nothing had to be cut off");
}

#[test]
fn the_administrators_password_is_kept_as_a_hash_and_never_told() {
    for variable in ["OPSFLUX_ADMIN_PASSWORD", "ADMIN_PASSWORD"] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let log = folder.path().join("opsflux.log");
        let secret = "wind-harbour-19-lantern";
        let mut command = opsflux(&data);
        command
            .env_remove("OPSFLUX_ADMIN_PASSWORD")
            .env(variable, secret)
            .env("OPSFLUX_LOG__LEVEL", "trace")
            .env("OPSFLUX_LOG__REQUESTS", "all")
            .env("OPSFLUX_LOG__FILE", &log);
        let serving = Serving::start(command);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = Client::at(serving.address).signed_in(ADMIN, secret).await;
            let wrong = json!({"email": ADMIN, "password": format!("{secret}-no")});
            let refused = client.post("/auth/login", &wrong).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            let weak = json!({"current_password": secret, "new_password": secret});
            client.post("/auth/password", &weak).await;
        });
        let said = serving.stop(&data);
        assert!(said.contains("listening"), "nothing was logged: {said}");
        assert!(!said.contains(secret), "{variable} is told: {said}");
        let mut logged = 0;
        for file in everything_below(folder.path()) {
            let bytes = std::fs::read(&file).expect("a file");
            let shown = file.display();
            assert!(!holds(&bytes, secret), "{variable} stands in {shown}");
            logged += usize::from(holds(&bytes, "\"listening\""));
        }
        assert_eq!(logged, 1, "the log file was not looked at");
        let database = std::fs::read(data.join("opsflux.db")).expect("the database");
        assert!(holds(&database, "$argon2id$"), "no hash is kept");
    }
}

#[test]
fn a_request_is_found_in_the_log_by_its_id_and_its_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut command = opsflux(&data);
    command.env("OPSFLUX_LOG__REQUESTS", "all");
    let serving = Serving::start(command);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let client = Client::at(serving.address);
        let sent = [("x-request-id", "from-outside-3"), ("traceparent", trace)];
        client.get_with("/tickets", &sent).await;
    });
    let said = serving.stop(&data);
    let line = said.lines().find(|line| line.contains("from-outside-3"));
    let line: Json = serde_json::from_str(line.expect("a line")).expect("JSON");
    assert_eq!(line["request_id"], "from-outside-3");
    assert_eq!(line["traceparent"], trace);
    assert_eq!(
        (&line["path"], &line["status"]),
        (&"/api/v1/tickets".into(), &401.into())
    );
}

fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a folder");
            todo.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            files.push(path);
        }
    }
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}
