//! `kill -9` at any moment: every change sets off what it must, each step is done once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use http::Method;
use opsflux_testkit::postgres::Cluster;
use serde_json::{Value as Json, json};

use super::{id, until, workflow};
use crate::process::{Serving, opsflux};
use crate::support::{Client, PASSWORD};

const TICKETS: usize = 40;
const KILLS: u64 = 4;

async fn killed_while_it_works(start: impl Fn() -> Command, data: &Path) {
    let mut serving = Serving::start(start());
    let client = async |serving: &Serving| {
        Client::at(serving.address)
            .signed_in("admin@opsflux.local", PASSWORD)
            .await
    };
    let mut admin = client(&serving).await;
    let rule = workflow(
        &admin,
        &json!({
            "trigger": {"type": "record_created", "entity": "ticket"},
            "conditions": {"field": "title", "op": "starts_with", "value": "Origine"},
            "actions": [
                {"type": "create_child", "params": {"set": {"title": "Enfant de {{ title }}"}}},
                {"type": "wait", "params": {"for": "30ms"}},
                {"type": "update_field", "params": {"field": "resolution", "value": "{{ title }} !"}},
                {"type": "comment", "params": {"body": "Fini"}},
            ],
        }),
    )
    .await;
    let mut made = 0;
    let mut kills = 0;
    while made < TICKETS {
        // Some are made, then it is killed at another moment of their being worked off each time.
        for _ in 0..TICKETS / 5 {
            let body = json!({"title": format!("Origine {made}")}).to_string();
            let key = format!("origin-{made}");
            let headers = [
                ("content-type", "application/json"),
                ("idempotency-key", key.as_str()),
            ];
            admin.send(Method::POST, "/tickets", &headers, body).await;
            made += 1;
        }
        if kills < KILLS {
            let later = Duration::from_millis(kills.wrapping_mul(0x9E37_79B9) % 90);
            tokio::time::sleep(later).await;
            tokio::task::block_in_place(|| serving.kill());
            serving = tokio::task::block_in_place(|| Serving::start(start()));
            admin = client(&serving).await;
            kills += 1;
        }
    }
    let path = format!("/workflows/{}/stats", id(&rule));
    // Leases of the dead are over after twenty seconds, several times.
    let done = tokio::time::timeout(Duration::from_secs(120), async {
        loop {
            let stats = admin.get(&path).await.json();
            if stats["success"] == TICKETS {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let stats = match done.await {
        Ok(stats) => stats,
        Err(_) => panic!("not all is done: {}", admin.get(&path).await.json()),
    };
    assert_eq!(stats["total"], TICKETS, "each once: {stats}");
    let all = tickets(&admin).await;
    for number in 0..TICKETS {
        let title = format!("Origine {number}");
        let of = |title: &str| all.get(title).map_or(0, Vec::len);
        assert_eq!(
            (of(&title), of(&format!("Enfant de {title}"))),
            (1, 1),
            "{title}"
        );
        let ticket = &all[&title][0];
        assert_eq!(ticket["resolution"], format!("{title} !"));
        assert_eq!(ticket["version"], 2, "changed once: {ticket}");
        let comments = format!("/tickets/{}/comments", id(ticket));
        let comments = until(&admin, &comments, |page| page["items"].is_array()).await;
        assert_eq!(
            comments["items"].as_array().map(Vec::len),
            Some(1),
            "{title}"
        );
    }
    tokio::task::block_in_place(|| serving.stop(data));
}

async fn tickets(client: &Client) -> BTreeMap<String, Vec<Json>> {
    let mut all: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let page = client.get("/tickets?limit=500").await.json();
    for ticket in page["items"].as_array().expect("tickets") {
        let title = ticket["title"].as_str().expect("a title").to_owned();
        all.entry(title).or_default().push(ticket.clone());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_killed_server_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    killed_while_it_works(|| opsflux(&data), &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_killed_server_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let database = Cluster::shared()
        .and_then(|cluster| cluster.database())
        .expect("a database");
    let start = || {
        let mut command = opsflux(&data);
        command.env("OPSFLUX_DATABASE_URL", database.url());
        command
    };
    killed_while_it_works(start, &data).await;
}
