//! Nothing leaves the machine: whatever people do, the server opens no connection.
//!
//! The program runs under `strace`, which sees every call that could. That it really looks is shown
//! by the calls that must be there: the server listens, and a command that asks it does connect.

use std::path::Path;
use std::process::Command;

use http::{Method, StatusCode};
use opsflux_testkit::postgres::Cluster;
use serde_json::json;

use crate::process::{Serving, done, opsflux, under};
use crate::support::Client;

/// Calls that listen, and calls that reach out.
const WATCHED: &str = "trace=listen,connect,sendto,sendmsg,sendmmsg";

fn strace(trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", WATCHED, "-o"]).arg(trace);
    strace
}

fn read(trace: &Path) -> String {
    std::fs::read_to_string(trace).unwrap_or_else(|error| {
        panic!("{error}: strace is needed, install the Debian package strace")
    })
}

/// The calls that reach for another machine or port; what is not among `allowed`.
fn reaching<'t>(trace: &'t str, allowed: &str) -> Vec<&'t str> {
    trace
        .lines()
        .filter(|call| !call.contains(" listen("))
        .filter(|call| call.contains("sa_family=AF_INET"))
        .filter(|call| allowed.is_empty() || !call.contains(allowed))
        .collect()
}

/// What somebody does in a day.
async fn a_day(address: std::net::SocketAddr) {
    let email = "sylvie.obame@ges-energie.example";
    let client = Client::at(address)
        .signed_in(email, "Demo-OpsFlux-2026")
        .await;
    let ticket = client.ticket("Imprimante du quai").await;
    let path = format!("/tickets/{}", ticket["id"].as_str().expect("an id"));
    let found = client.get("/search?q=imprimnate").await;
    assert_eq!(found.status, StatusCode::OK);
    let changed = client.patch(&path, &json!({"priority": "high"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let link = json!({"body": "![](https://example.org/x.png) <https://example.org>"});
    let said = client.post(&format!("{path}/comments"), &link).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text());
    let events = [("accept", "text/event-stream")];
    let request = client
        .request(Method::GET, "/stream", &events)
        .body(Default::default())
        .expect("a request");
    assert_eq!(client.open(request).await.status(), StatusCode::OK);
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhi\r\n--b--\r\n";
    let multipart = [("content-type", "multipart/form-data; boundary=b")];
    let files = format!("{path}/files");
    let sent = client.send(Method::POST, &files, &multipart, form).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text());
    for page in ["//", "//docs", "//health", "/openapi.json", "/meta/app"] {
        let answer = client.get(page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
    }
}

/// Lets somebody spend a day with a server on this database; the calls it made meanwhile.
async fn traced(settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut fill = opsflux(&data);
    fill.args(["demo", "--tickets", "20"])
        .envs(settings.iter().copied());
    done(fill);
    let trace = folder.path().join("trace");
    let mut command = under(strace(&trace), &data);
    command.envs(settings.iter().copied());
    let serving = Serving::start(command);
    a_day(serving.address).await;
    // Whoever asks is watched alike: were the watch blind, this would not be seen.
    let asking = folder.path().join("asking");
    let mut ask = under(strace(&asking), &data);
    ask.arg("health")
        .env("OPSFLUX_LISTEN", serving.address.to_string());
    done(ask);
    let port = format!("htons({})", serving.address.port());
    let seen = read(&asking);
    assert!(
        reaching(&seen, "").iter().any(|call| call.contains(&port)),
        "the watch is blind: {seen}"
    );
    serving.stop(&data);
    let calls = read(&trace);
    assert!(calls.contains(" listen("), "the watch is blind: {calls}");
    calls
}

#[tokio::test]
async fn on_sqlite_no_connection_is_opened() {
    let calls = traced(&[]).await;
    assert_eq!(reaching(&calls, ""), Vec::<&str>::new());
}

#[tokio::test]
async fn on_postgres_the_database_alone_is_asked() {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let url = database.url();
    let calls = traced(&[("OPSFLUX_DATABASE_URL", &url)]).await;
    let parsed = url::Url::parse(&url).expect("an address");
    let port = parsed
        .port()
        .map_or_else(String::new, |port| format!("htons({port})"));
    assert_eq!(reaching(&calls, &port), Vec::<&str>::new(), "{url}");
}
