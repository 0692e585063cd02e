//! `kill -9` at any moment: what was acknowledged is there, once and whole; what was not is there
//! whole or not at all, and asking again with its key finds out which.
//!
//! A few kills in every run; `cargo xtask crash` makes hundreds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http::{Method, StatusCode};
use opsflux_testkit::postgres::Cluster;
use serde_json::{Value as Json, json};

use crate::process::{Serving, done, opsflux};
use crate::support::{Client, PASSWORD};

const CLIENTS: usize = 6;
/// Names how many times the server is killed.
const KILLS: &str = "CRASH_KILLS";
const FEW: u64 = 4;
/// A word of every ticket of the test, and of no other.
const WORD: &str = "perforatrice";

/// One request of a client: sent again word for word when nobody knows what became of it.
#[derive(Debug, Clone)]
struct Attempt {
    path: String,
    key: String,
    body: Json,
    /// Titles of the tickets it makes, all or none.
    titles: Vec<String>,
    /// The comment it makes.
    comment: Option<String>,
}

/// What one client knows.
#[derive(Default)]
struct Ledger {
    number: usize,
    sent: usize,
    /// Tickets he was told of, by title.
    tickets: BTreeMap<String, String>,
    /// Comments he was told of, with their tickets.
    comments: Vec<(String, String)>,
    /// His own ticket, what he last was told is its resolution, and what he last asked for.
    own: Option<(String, u64, u64)>,
    /// What he was not told the end of.
    open: Option<Attempt>,
    /// What he never asked about again.
    left: Vec<Attempt>,
}

impl Ledger {
    fn next(&mut self) -> Attempt {
        self.sent += 1;
        let (client, sent) = (self.number, self.sent);
        let title = |part: usize| format!("{WORD} {client}-{sent}-{part}");
        let (path, body, titles, comment) = match (sent % 4, self.tickets.first_key_value()) {
            (1, Some((_, id))) => {
                let text = format!("Note {client}-{sent}");
                let path = format!("/tickets/{id}/comments");
                (path, json!({"body": text}), Vec::new(), Some(text))
            }
            (2, _) => {
                let titles: Vec<String> = (0..5).map(title).collect();
                let made = titles
                    .iter()
                    .map(|title| json!({"op": "create", "data": {"title": title}}));
                let operations = made.collect::<Vec<_>>();
                let path = "/tickets/bulk".to_owned();
                (path, json!({"operations": operations}), titles, None)
            }
            _ => {
                let titles = vec![title(0)];
                let body = json!({"title": titles[0]});
                ("/tickets".to_owned(), body, titles, None)
            }
        };
        Attempt {
            path,
            key: format!("crash-{client}-{sent}"),
            body,
            titles,
            comment,
        }
    }

    /// Sends an attempt; false when the server went away.
    async fn make(&mut self, client: &Client, attempt: Attempt) -> bool {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", attempt.key.as_str()),
        ];
        let body = attempt.body.to_string();
        let answer = client.try_send(Method::POST, &attempt.path, &headers, body);
        let Some(answer) = answer.await else {
            self.open = Some(attempt);
            return false;
        };
        assert!(answer.status.is_success(), "{attempt:?}: {}", answer.text());
        let answer = answer.json();
        let one = std::slice::from_ref(&answer);
        let records: Vec<&Json> = match answer["results"].as_array() {
            Some(results) => results.iter().map(|result| &result["record"]).collect(),
            None => one.iter().collect(),
        };
        let id = |record: &Json| record["id"].as_str().expect("an id").to_owned();
        for (title, record) in attempt.titles.into_iter().zip(records) {
            assert_eq!(record["title"], title.as_str());
            let before = self.tickets.insert(title, id(record));
            assert_eq!(before, None, "told of twice");
        }
        if let Some(text) = attempt.comment {
            self.comments.push((attempt.path, text));
        }
        true
    }

    /// Raises the number in the client's own ticket; false when the server went away.
    async fn raise(&mut self, client: &Client) -> bool {
        if self.own.is_none() {
            let own = self.tickets.pop_first().map(|(_, id)| (id, 0, 0));
            self.own = own;
        }
        let Some((id, told, asked)) = &mut self.own else {
            return true;
        };
        *asked = *told + 1;
        let body = json!({"resolution": asked.to_string()}).to_string();
        let headers = [("content-type", "application/json")];
        let path = format!("/tickets/{id}");
        let answer = client.try_send(Method::PATCH, &path, &headers, body);
        let Some(answer) = answer.await else {
            return false;
        };
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        *told = *asked;
        true
    }

    /// Works until the server goes away.
    async fn work(&mut self, client: &Client, done: &AtomicU64) {
        if let Some(open) = self.open.take() {
            // Every other one is left as it is, to be looked at in the end.
            if self.sent.is_multiple_of(2) {
                self.left.push(open);
            } else if !self.make(client, open).await {
                return;
            }
        }
        loop {
            let next = self.next();
            if !self.make(client, next).await || !self.raise(client).await {
                return;
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn kills() -> u64 {
    let given = std::env::var(KILLS).ok();
    given.map_or(FEW, |text| text.parse().expect("a number of kills"))
}

/// After how much work the server is killed, and how long after that: another moment each time.
fn moment(kill: u64) -> (u64, Duration) {
    let spread = kill.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    (20 + spread % 30, Duration::from_micros(spread % 20_000))
}

async fn killed_again_and_again(start: impl Fn() -> Command, data: &Path) {
    let mut ledgers: Vec<Ledger> = (0..CLIENTS)
        .map(|number| Ledger {
            number,
            ..Ledger::default()
        })
        .collect();
    for kill in 0..kills() {
        let serving = Serving::start(start());
        let client = Client::at(serving.address)
            .signed_in("admin@opsflux.local", PASSWORD)
            .await;
        let counted = AtomicU64::new(0);
        let working = join_all(
            ledgers
                .iter_mut()
                .map(|ledger| ledger.work(&client, &counted)),
        );
        let killing = async {
            let (work, later) = moment(kill);
            while counted.load(Ordering::Relaxed) < work {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(later).await;
            tokio::task::spawn_blocking(move || serving.kill())
                .await
                .expect("a killer");
        };
        tokio::join!(working, killing);
        audit_is_whole(start());
    }
    let serving = Serving::start(start());
    let client = Client::at(serving.address)
        .signed_in("admin@opsflux.local", PASSWORD)
        .await;
    judge(&client, ledgers).await;
    serving.stop(data);
    audit_is_whole(start());
}

/// Whatever was being sealed when the server was killed.
fn audit_is_whole(mut command: Command) {
    command.args(["audit", "verify"]);
    let said = tokio::task::block_in_place(|| done(command));
    assert!(said.contains("entries, whole"), "{said}");
}

/// Compares what is there with what was told.
async fn judge(client: &Client, ledgers: Vec<Ledger>) {
    let found = all_tickets(client).await;
    let mut expected = BTreeSet::new();
    let mut told = 0;
    for ledger in ledgers {
        let left = ledger.left.into_iter().chain(ledger.open);
        for attempt in left {
            let there = |title: &&String| found.contains_key(*title);
            let there = attempt.titles.iter().filter(there).count();
            assert!(
                there == 0 || there == attempt.titles.len(),
                "half of {attempt:?} is there: {there}"
            );
            expected.extend(attempt.titles);
        }
        told += ledger.tickets.len() + ledger.comments.len();
        for (title, id) in ledger.tickets {
            assert_eq!(found.get(&title).map(Vec::as_slice), Some(&[id][..]));
            expected.insert(title);
        }
        for (path, text) in ledger.comments {
            let there = client.get(&format!("{path}?limit=500")).await.json();
            let there = there["items"].as_array().expect("comments").clone();
            let same = there.iter().filter(|found| found["body"] == text.as_str());
            assert_eq!(same.count(), 1, "{text}");
        }
        if let Some((id, last, asked)) = ledger.own {
            let title = own_ticket(client, &id, last, asked).await;
            expected.insert(title);
            told += 1;
        }
    }
    assert!(told > 50, "too little happened to see anything: {told}");
    for (title, ids) in &found {
        assert_eq!(ids.len(), 1, "{title} is there more than once");
        assert!(expected.contains(title), "nobody asked for {title}");
    }
    search_agrees(client, found.len()).await;
}

/// The ticket that was changed again and again: it holds what was told, or what was asked for
/// when the server went away, and its history has an entry for each of its versions.
async fn own_ticket(client: &Client, id: &str, last: u64, asked: u64) -> String {
    let ticket = client.get(&format!("/tickets/{id}")).await.json();
    let holds = ticket["resolution"].as_str().map_or(0, |text| {
        text.parse::<u64>().expect("a number in the resolution")
    });
    assert!(
        holds == last || holds == asked,
        "{holds} is neither {last} nor {asked}"
    );
    let mut entries = 0;
    let mut cursor = String::new();
    loop {
        let path = format!("/tickets/{id}/history?limit=500{cursor}");
        let page = client.get(&path).await.json();
        entries += page["items"].as_array().expect("a history").len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ticket["version"], entries as u64, "versions without entry");
    ticket["title"].as_str().expect("a title").to_owned()
}

/// Ids of the tickets of the test by title.
async fn all_tickets(client: &Client) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path =
            format!("/tickets?title[starts_with]={WORD}&fields=title&limit=500&sort=id{cursor}");
        let page = client.get(&path).await.json();
        for item in page["items"].as_array().expect("tickets") {
            let text = |field: &str| item[field].as_str().expect("a text").to_owned();
            found.entry(text("title")).or_default().push(text("id"));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// The index catches up with all that was written, also with what it had not read when the server
/// went away.
async fn search_agrees(client: &Client, tickets: usize) {
    let mut found = Json::Null;
    for _ in 0..300 {
        let path = format!("/tickets?q={WORD}&total=true&limit=1");
        found = client.get(&path).await.json()["total"].clone();
        if found == tickets {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{found} of {tickets} tickets are found by their word");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_killed_server_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    killed_again_and_again(|| opsflux(&data), &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_killed_server_loses_nothing_it_acknowledged() {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let url = database.url();
    let start = || {
        let mut command = opsflux(&data);
        command.env("OPSFLUX_DATABASE_URL", &url);
        command
    };
    killed_again_and_again(start, &data).await;
}
