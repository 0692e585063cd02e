//! With the database away or its disk full: what can be read is read, nothing that was confirmed
//! is lost, and it passes by itself.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use opsflux_server::run::start;
use opsflux_testkit::postgres::Cluster;
use serde_json::{Value as Json, json};

use crate::process::{Serving, under};
use crate::support::{ADMIN, Answer, Client, PASSWORD, PATIENCE, config};

/// Asks until the answer is as wanted.
async fn until(
    what: &str,
    mut ask: impl AsyncFnMut() -> Answer,
    wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let began = Instant::now();
    loop {
        let answer = ask().await;
        if wanted(&answer) {
            return answer;
        }
        let told = answer.text();
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: {} {told}",
            answer.status
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn ticket(title: &str) -> Json {
    json!({ "title": title })
}

/// How large the files of the server may become from now on, as a disk that is full limits them.
fn limit(data: &Path, bytes: &str) {
    let lock = std::fs::read_to_string(data.join("opsflux.lock")).expect("its lock");
    let limited = Command::new("prlimit")
        .args(["--pid", lock.trim(), &format!("--fsize={bytes}:")])
        .status();
    assert!(limited.expect("prlimit: install util-linux").success());
}

#[test]
fn with_a_full_disk_reading_goes_on_and_writing_comes_back_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // What exceeds the limit is an error then, as on a full disk, and no signal.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    let serving = Serving::start(under(shell, &data));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let client = Client::at(serving.address).signed_in(ADMIN, PASSWORD).await;
        let first = client.ticket("Before").await["id"].clone();
        client.found("before").await;
        let log_in = json!({"email": ADMIN, "password": PASSWORD});
        let tokens = client.post("/auth/login", &log_in).await.json();
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        limit(&data, "4096");

        let refused = until(
            "a write on a full disk",
            async || client.post("/tickets", &ticket("Refused")).await,
            |answer| answer.status != StatusCode::CREATED,
        )
        .await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("retry-after"), "5");
        let problem = refused.json();
        assert_eq!(problem["type"], "/problems/read_only");
        assert_eq!(problem["title"], "Changes cannot be saved at the moment");
        let french = client
            .in_language("fr")
            .post("/tickets", &ticket("R"))
            .await;
        assert_eq!(french.status, StatusCode::SERVICE_UNAVAILABLE);

        // Reading goes on, searching too.
        let path = format!("/tickets/{}", first.as_str().expect("an id"));
        assert_eq!(client.get(&path).await.status, StatusCode::OK);
        assert_eq!(
            client.get("/tickets?sort=title").await.status,
            StatusCode::OK
        );
        assert_eq!(client.get("/search?q=before").await.status, StatusCode::OK);
        // Who has read for 15 minutes reads on: the session lives, its token stays what it is.
        let mut reader = Client::at(serving.address);
        for _ in 0..2 {
            let renewed = reader.post("/auth/refresh", &refresh).await;
            assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text());
            let renewed = renewed.json();
            assert_eq!(renewed["refresh_token"], refresh["refresh_token"]);
            let mut with = reader.clone();
            with.token = renewed["access_token"].as_str().map(str::to_owned);
            assert_eq!(with.get(&path).await.status, StatusCode::OK);
        }
        let health = client.get("//health").await;
        assert_eq!(health.status, StatusCode::OK);
        let told = health.json();
        assert_eq!(told["status"], "degraded");
        assert_eq!(told["components"]["database"]["status"], "ok");
        assert_eq!(told["components"]["changes"]["status"], "failed");
        let metrics = client.get("//metrics").await.text();
        assert!(metrics.contains("opsflux_changes_kept 0"), "{metrics}");
        assert!(metrics.contains("opsflux_database_up 1"), "{metrics}");
        // It stays so as long as the disk is full, however often one asks.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let told = client.get("//health").await.json();
        assert_eq!(told["components"]["changes"]["status"], "failed");

        limit(&data, "unlimited");
        // Nobody writes: whoever looks at the health finds out.
        until(
            "the health",
            async || client.get("//health").await,
            |answer| answer.json()["status"] == "ok",
        )
        .await;
        client.ticket("Afterwards").await;
        let renewed = reader.post("/auth/refresh", &refresh).await.json();
        assert_ne!(renewed["refresh_token"], refresh["refresh_token"]);
        reader.token = renewed["access_token"].as_str().map(str::to_owned);
        let twice = reader.post("/auth/refresh", &refresh).await;
        assert_eq!(twice.status, StatusCode::UNAUTHORIZED, "{}", twice.text());
        client.found("afterwards").await;
        let titles = client.get("/tickets?sort=title&fields=title").await.json();
        let titles: Vec<&str> = titles["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter_map(|item| item["title"].as_str())
            .collect();
        assert!(titles.contains(&"Before") && titles.contains(&"Afterwards"));
        // What was refused was not kept; before that some may have fitted.
        let kept = titles.iter().filter(|title| **title == "R").count();
        assert_eq!(kept, 0);
    });
    serving.stop(&data);
}

/// Creates tickets until told to stop, each until it is confirmed: with one key, so that what was
/// made without an answer is not made twice. Answers the ids that were confirmed.
async fn writes(client: Client, name: String, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut confirmed = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let title = format!("{name} {number}");
        let key = [("idempotency-key", title.as_str())];
        let began = Instant::now();
        loop {
            let answer = client
                .write(Method::POST, "/tickets", &key, &ticket(&title))
                .await;
            match answer.status {
                StatusCode::CREATED => {
                    let id = answer.json()["id"].as_str().map(str::to_owned);
                    confirmed.push(id.expect("an id"));
                    break;
                }
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert_eq!(answer.header("retry-after"), "5", "{}", answer.text());
                }
                // The first try is still under way, or has just ended.
                StatusCode::CONFLICT => {}
                _ => panic!("{}: {}", answer.status, answer.text()),
            }
            assert!(began.elapsed() < PATIENCE * 2, "{title} was never made");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    confirmed
}

#[tokio::test(flavor = "multi_thread")]
async fn with_postgresql_stopped_and_started_under_load_nothing_confirmed_is_lost() {
    let cluster = Cluster::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let database = cluster.database().expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    let url = database.url();
    let settings = [
        ("OPSFLUX_DATABASE_URL", url.as_str()),
        ("OPSFLUX_HTTP__RATE_LIMIT", "0"),
    ];
    let running = start(config(&folder, &settings)).await.expect("a server");
    let client = Client::at(running.address).signed_in(ADMIN, PASSWORD).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..6)
        .map(|n| tokio::spawn(writes(client.clone(), format!("Writer {n}"), stop.clone())))
        .collect();
    let some = async || client.get("/tickets?total=true&limit=1").await;
    let total = |answer: &Answer| {
        let found = answer.status == StatusCode::OK;
        found.then(|| answer.json()["total"].as_i64().expect("a total"))
    };
    for _ in 0..2 {
        let before = until("reading", some, |answer| total(answer).is_some()).await;
        let before = total(&before).expect("a total");
        until("load", some, |answer| total(answer) > Some(before + 30)).await;
        cluster.crash().expect("a crash");
        let down = until(
            "a write without a database",
            async || client.post("/tickets", &ticket("Nobody keeps this")).await,
            |answer| answer.status == StatusCode::SERVICE_UNAVAILABLE,
        )
        .await;
        assert_eq!(down.header("retry-after"), "5");
        assert_eq!(down.json()["type"], "/problems/unavailable");
        let health = client.get("//health").await;
        assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.json()["components"]["database"]["status"], "failed");
        assert_eq!(client.get("//live").await.status, StatusCode::OK);
        cluster.start().expect("a start");
    }
    let before = until("reading again", some, |answer| total(answer).is_some()).await;
    let before = total(&before).expect("a total");
    until("load again", some, |answer| {
        total(answer) > Some(before + 30)
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for writer in writers {
        confirmed.extend(writer.await.expect("a writer"));
    }
    let kept = database
        .sql("SELECT id FROM r_ticket WHERE deleted_at IS NULL AND title LIKE 'Writer %'")
        .expect("the tickets");
    let kept: std::collections::BTreeSet<&str> = kept.lines().collect();
    let lost: Vec<_> = confirmed
        .iter()
        .filter(|id| !kept.contains(id.as_str()))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}",
        lost.len(),
        confirmed.len()
    );
    // Nor is anything there twice: each title was confirmed in the end, once.
    assert_eq!(kept.len(), confirmed.len());
    let twice = "SELECT count(*) - count(DISTINCT title) FROM r_ticket WHERE title LIKE 'Writer %'";
    assert_eq!(database.sql(twice).expect("a count"), "0");
    // The others that lost their connections have theirs again: the feed, the index, the health.
    client.ticket("Lighthouse").await;
    client.found("lighthouse").await;
    until(
        "the health",
        async || client.get("//health").await,
        |answer| answer.json()["status"] == "ok",
    )
    .await;
    assert!(running.stop().await);
}
