//! Live changes: who hears what.

use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value as Json, json};

use crate::support::{Client, PATIENCE, Server, on_both};

/// An open stream, event by event.
pub struct Stream {
    pub body: Incoming,
    text: String,
    /// The last id, as a client would keep it.
    pub last: String,
}

impl Stream {
    pub async fn open(client: &Client, last: Option<&str>) -> Stream {
        let mut stream = Stream::begin(client, last).await;
        // The first id: from here on nothing is missed.
        while stream.last.is_empty() {
            if let Some(event) = stream.step().await {
                assert_eq!(event.0, "resync");
            }
        }
        stream
    }

    /// The same with nothing read yet.
    pub async fn begin(client: &Client, last: Option<&str>) -> Stream {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let request = client.request(Method::GET, "/stream", &headers);
        let answer = client
            .open(request.body(Full::default()).expect("a request"))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        Stream {
            body: answer.into_body(),
            text: String::new(),
            last: String::new(),
        }
    }

    /// Reads one block; the event in it, when there is one. `None` is also the end.
    pub async fn step(&mut self) -> Option<(String, Json)> {
        while !self.text.contains("\n\n") {
            let frame = tokio::time::timeout(PATIENCE, self.body.frame())
                .await
                .expect("in time");
            let Some(Ok(frame)) = frame else {
                self.last = "ended".to_owned();
                return None;
            };
            if let Ok(data) = frame.into_data() {
                self.text
                    .push_str(std::str::from_utf8(&data).expect("text"));
            }
        }
        let (block, rest) = self.text.split_once("\n\n").expect("a block");
        let (block, rest) = (block.to_owned(), rest.to_owned());
        self.text = rest;
        let part = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if let Some(id) = part("id") {
            self.last = id.to_owned();
        }
        let event = part("event")?.to_owned();
        let data = serde_json::from_str(part("data")?).expect("JSON");
        Some((event, data))
    }

    /// The next event, whatever it says; nothing at the end.
    pub async fn next_event(&mut self) -> Option<(String, Json)> {
        while self.last != "ended" {
            if let Some(event) = self.step().await {
                return Some(event);
            }
        }
        None
    }

    /// The next change.
    pub async fn change(&mut self) -> Json {
        loop {
            if let Some((event, data)) = self.step().await {
                assert_eq!(event, "change", "{data}");
                return data;
            }
            assert_ne!(self.last, "ended");
        }
    }

    async fn ends(&mut self) {
        while self.last != "ended" {
            self.step().await;
        }
    }
}

#[tokio::test]
async fn a_change_reaches_those_who_may_see_it_and_nobody_else() {
    on_both(async |server| {
        let admin = server.admin().await;
        let owner = server.person("olga", "user").await;
        let other = server.person("otto", "user").await;
        let (mut hears, mut does_not) = (
            Stream::open(&owner, None).await,
            Stream::open(&other, None).await,
        );
        let mine = owner.ticket("Mine").await;
        let told = hears.change().await;
        assert_eq!(
            (&told["entity"], &told["id"], &told["op"]),
            (&json!("ticket"), &mine["id"], &json!("created"))
        );
        assert_eq!(told["version"], 1);
        assert!(told["by"].is_string());
        assert!(told.get("title").is_none(), "values are read, not told");

        // What the other one hears first is his own: of hers he heard nothing.
        let his = other.ticket("His").await;
        assert_eq!(does_not.change().await["id"], his["id"]);

        let path = format!("/tickets/{}", mine["id"].as_str().expect("an id"));
        admin.patch(&path, &json!({"priority": "high"})).await;
        let told = hears.change().await;
        assert_eq!(
            (&told["op"], &told["fields"]),
            (&json!("updated"), &json!(["priority"]))
        );
        admin.delete(&path).await;
        assert_eq!(hears.change().await["op"], "deleted");
    })
    .await;
}

#[tokio::test]
async fn what_leaves_somebodys_sight_is_gone_for_him() {
    on_both(async |server| {
        let admin = server.admin().await;
        let owner = server.person("olga", "user").await;
        let other = server.person("otto", "user").await;
        let me = other.get("/auth/me").await.json()["id"].clone();
        let ticket = owner.ticket("Handed over").await;
        let mut hears = Stream::open(&owner, None).await;
        let path = format!("/tickets/{}", ticket["id"].as_str().expect("an id"));
        // Whoever created it still owns it, unless nothing of his is left on it.
        let patch = json!({"requester": me});
        let changed = admin.patch(&path, &patch).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        let told = hears.change().await;
        let sees = owner.get(&path).await.status == StatusCode::OK;
        assert_eq!(told.get("gone").is_some(), !sees, "{told}");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_was_away_hears_what_it_missed() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let stream = Stream::open(&admin, None).await;
    let place = stream.last.clone();
    drop(stream);
    let missed = admin.ticket("Missed").await;
    let mut again = Stream::open(&admin, Some(&place)).await;
    assert_eq!(again.change().await["id"], missed["id"]);
}

#[tokio::test]
async fn a_place_that_was_made_up_or_is_anothers_makes_the_client_read_again() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let user = server.person("ursula", "user").await;
    let place = Stream::open(&user, None).await.last;
    for last in ["made-up", place.as_str()] {
        let request = admin.request(
            Method::GET,
            "/stream",
            &[("accept", "text/event-stream"), ("last-event-id", last)],
        );
        let answer = admin
            .open(request.body(Full::default()).expect("a request"))
            .await;
        let mut stream = Stream {
            body: answer.into_body(),
            text: String::new(),
            last: String::new(),
        };
        let event = loop {
            if let Some(event) = stream.step().await {
                break event;
            }
        };
        assert_eq!(event.0, "resync", "{last}");
    }
}

#[tokio::test]
async fn a_stream_is_for_those_who_ask_for_one_and_are_signed_in() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    assert_eq!(
        admin.get("/stream").await.status,
        StatusCode::NOT_ACCEPTABLE
    );
    let stranger = server
        .anybody()
        .get_with("/stream", &[("accept", "text/event-stream")])
        .await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_server() {
    let server = Server::start(&[]).await;
    let user = server.person("ursula", "user").await;
    let admin = server.admin().await;
    let mut of_user = Stream::open(&user, None).await;
    let mut of_admin = Stream::open(&admin, None).await;
    let out = user.send(Method::POST, "/auth/logout", &[], "").await;
    assert!(out.status.is_success(), "{}", out.text());
    // Whatever happens next is not for somebody who has left.
    admin.ticket("After").await;
    of_user.ends().await;
    of_admin.change().await;
    let (stopped, ()) = tokio::join!(server.stop(), of_admin.ends());
    assert!(stopped, "nothing had to be cut off");
}
