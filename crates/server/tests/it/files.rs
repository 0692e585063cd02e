//! Files over HTTP: up, down, twice, too large.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;

use crate::support::{Answer, Client, Server, on_both};

const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

/// A form with these files, by name and content.
fn form(files: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, content) in files {
        let head = "Content-Disposition: form-data; name=\"file\"; filename=";
        form += &format!("--b\r\n{head}\"{name}\"\r\n\r\n{content}\r\n");
    }
    form + "--b--\r\n"
}

/// Where the files of a new ticket go.
async fn holder(client: &Client) -> String {
    let ticket = client.ticket("With a file").await;
    format!("/tickets/{}/files", ticket["id"].as_str().expect("an id"))
}

async fn attach(client: &Client, path: &str, key: &str, form: String) -> Answer {
    let headers = [MULTIPART, ("idempotency-key", key)];
    client.send(Method::POST, path, &headers, form).await
}

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let items = json["items"].as_array().expect("items").iter();
    items
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_unchanged() {
    on_both(async |server| {
        let admin = server.admin().await;
        let path = holder(&admin).await;
        let form = form(&[("note.txt", "hello")]);
        let sent = admin.send(Method::POST, &path, &[MULTIPART], form).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text());
        let file = ids(&sent).remove(0);
        let content = admin.get(&format!("/files/{file}/content")).await;
        assert_eq!(content.text(), "hello");
        assert!(content.header("content-type").starts_with("text/plain"));
        let stranger = server
            .anybody()
            .get(&format!("/files/{file}/content"))
            .await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn the_same_upload_twice_is_kept_once() {
    on_both(async |server| {
        let admin = server.admin().await;
        let path = holder(&admin).await;
        let both = || form(&[("a.txt", "one"), ("b.txt", "two")]);
        // What came through before the line broke is not sent in vain.
        let half = attach(&admin, &path, "k-1", form(&[("a.txt", "one")])).await;
        let first = attach(&admin, &path, "k-1", both()).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
        let again = attach(&admin, &path, "k-1", both()).await;
        assert_eq!(again.status, StatusCode::CREATED, "{}", again.text());
        assert_eq!(ids(&first), ids(&again));
        assert_eq!(ids(&half)[0], ids(&first)[0]);
        let held: Json = admin.get(&path).await.json();
        assert_eq!(held["items"].as_array().map(Vec::len), Some(2), "{held}");

        let other = attach(&admin, &path, "k-1", form(&[("a.txt", "other")])).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(other.json()["errors"][0]["code"], "key_reused");
        let elsewhere = holder(&admin).await;
        let elsewhere = attach(&admin, &elsewhere, "k-1", both()).await;
        assert_ne!(ids(&elsewhere), ids(&first), "a key belongs to an address");
        let third = attach(&admin, &path, "k-2", both()).await;
        assert_ne!(ids(&third), ids(&first));
        let empty = attach(&admin, &path, "", both()).await;
        assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn an_upload_without_an_announced_size_is_cut_off_at_the_limit() {
    let server = Server::start(&[("OPSFLUX_HTTP__UPLOAD_LIMIT", "4096")]).await;
    let admin = server.admin().await;
    let path = holder(&admin).await;
    let large = form(&[("large.txt", &"x".repeat(5_000))]);
    let announced = admin
        .send(Method::POST, &path, &[MULTIPART], large.clone())
        .await;
    assert_eq!(announced.status, StatusCode::PAYLOAD_TOO_LARGE);
    let chunks: Vec<Result<Frame<Bytes>, Infallible>> = large
        .as_bytes()
        .chunks(512)
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    let request = admin
        .request(Method::POST, &path, &[MULTIPART])
        .body(StreamBody::new(stream::iter(chunks)))
        .expect("a request");
    let socket = tokio::net::TcpStream::connect(admin.address)
        .await
        .expect("a connection");
    let (mut sender, connection) = handshake(TokioIo::new(socket)).await.expect("a handshake");
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let held = admin.get(&path).await.json();
    assert_eq!(held["items"].as_array().map(Vec::len), Some(0), "{held}");
}
