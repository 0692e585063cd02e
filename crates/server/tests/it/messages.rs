//! `kill -9` while messages leave, counted by those who get them: every call arrives, with its key;
//! no mail arrives twice by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use opsflux_messaging::{Mail, Notice, Request, Webhook};
use opsflux_server::config::{Config, Sources};
use opsflux_server::run::Base;
use opsflux_testkit::postgres::Cluster;
use opsflux_testkit::smtp::{Behaviour, MailServer};
use serde_json::{Value as Json, json};

use crate::live::Stream;
use crate::process::{Serving, opsflux};
use crate::support::{Client, PASSWORD, on_both};

const CALLS: usize = 120;
const MAILS: usize = 40;
const KILLS: usize = 5;
const TENANT: i64 = 1;

/// Writes down the key of each call, and lets the caller wait a moment.
struct Called {
    port: u16,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Called {
    fn start() -> Called {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let kept = keys.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || answer(stream, &kept));
            }
        });
        Called { port, keys }
    }

    fn got(&self) -> Vec<String> {
        self.keys.lock().expect("the ledger").clone()
    }
}

fn answer(mut stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("idempotency-key: "));
    let key = key.expect("a key with every call").to_owned();
    kept.lock().expect("the ledger").push(key);
    std::thread::sleep(Duration::from_millis(20));
    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
}

/// What the server is told besides where its data are.
fn decided(mail: u16, database: Option<&str>) -> Vec<(&'static str, String)> {
    let mut decided = vec![
        ("OPSFLUX_MAIL__HOST", "127.0.0.1".to_owned()),
        ("OPSFLUX_MAIL__PORT", mail.to_string()),
        ("OPSFLUX_MAIL__TLS", "none".to_owned()),
        ("OPSFLUX_MAIL__FROM", "ops@example.org".to_owned()),
        ("OPSFLUX_HTTP__ALLOW_PRIVATE_TARGETS", "on".to_owned()),
        ("OPSFLUX_HTTP__RATE_LIMIT", "0".to_owned()),
        ("OPSFLUX_MESSAGES__LEASE", "2".to_owned()),
    ];
    decided.extend(database.map(|url| ("OPSFLUX_DATABASE_URL", url.to_owned())));
    decided
}

/// Queues everything before any server runs.
async fn queue(data: &Path, decided: &[(&'static str, String)], port: u16) {
    let mut environment: BTreeMap<String, String> = decided
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    for (name, value) in [
        ("OPSFLUX_MODE", "development"),
        ("OPSFLUX_DATA", data.to_str().expect("a path")),
        ("OPSFLUX_ADMIN_PASSWORD", PASSWORD),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let sources = Sources {
        environment: environment.into_iter().collect(),
        ..Sources::default()
    };
    let config = Config::load(&sources).expect("a configuration");
    let base = Base::open(config).await.expect("a data folder");
    base.bootstrap().await.expect("an administrator");
    let messaging = base.messaging();
    let calls = (0..CALLS).map(|number| {
        let webhook = Webhook {
            request: Request {
                url: format!("http://127.0.0.1:{port}/{number}"),
                body: Some("{}".to_owned()),
                ..Request::default()
            },
            key: Some(format!("call-{number}")),
            ..Webhook::default()
        };
        messaging.webhook(TENANT, &webhook).expect("a call")
    });
    let mails = (0..MAILS).map(|number| {
        let mail = Mail {
            to: format!("slow{number}@example.org"),
            text: "x".to_owned(),
            key: Some(format!("mail-{number}")),
            ..Mail::default()
        };
        messaging.mail(TENANT, &mail).expect("a mail")
    });
    let all = calls.chain(mails).collect();
    messaging.send(TENANT, all).await.expect("a commit");
    base.records.store().close().await;
}

async fn open(client: &Client) -> u64 {
    let path = "/deliveries?state[in]=queued,sending&total=true&limit=1";
    let page = client.get(path).await.json();
    page["total"]
        .as_u64()
        .unwrap_or_else(|| panic!("no total: {page}"))
}

async fn killed_while_messages_leave(data: &Path, database: Option<&str>) {
    let behaviour = Behaviour {
        slow: 30,
        ..Behaviour::default()
    };
    let mail = MailServer::start(&behaviour, data).expect("a mail server");
    let called = Called::start();
    let decided = decided(mail.port, database);
    queue(data, &decided, called.port).await;
    let start = || -> Command {
        let mut command = opsflux(data);
        command.envs(decided.iter().map(|(name, value)| (*name, value)));
        command
    };
    for kill in 0..KILLS {
        let before = called.got().len() + mail.got().len();
        let serving = Serving::start(start());
        let enough = before + 6 + kill * 3;
        // Until so much has left; another moment each time.
        for _ in 0..2_000 {
            if called.got().len() + mail.got().len() >= enough {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::task::block_in_place(|| serving.kill());
    }
    let serving = Serving::start(start());
    let client = Client::at(serving.address)
        .signed_in("admin@opsflux.local", PASSWORD)
        .await;
    for _ in 0..600 {
        if open(&client).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(open(&client).await, 0, "something still waits");
    judge(&client, &called, &mail).await;
    drop(serving);
}

async fn judge(client: &Client, called: &Called, mail: &MailServer) {
    let keys: BTreeSet<String> = called.got().into_iter().collect();
    let wanted: BTreeSet<String> = (0..CALLS).map(|number| format!("call-{number}")).collect();
    assert_eq!(keys, wanted, "every call arrived, and no other");
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for line in mail.got() {
        let got: Json = serde_json::from_str(&line).expect("a line");
        *arrived
            .entry(got["to"].as_str().expect("a recipient").to_owned())
            .or_default() += 1;
    }
    let page = client
        .get("/deliveries?channel=mail&limit=500")
        .await
        .json();
    let all = page["items"].as_array().expect("mails");
    assert_eq!(all.len(), MAILS);
    let mut unknown = 0;
    for delivery in all {
        let to = delivery["target"].as_str().expect("a recipient");
        let times = arrived.get(to).copied().unwrap_or(0);
        match delivery["state"].as_str() {
            Some("sent") => assert_eq!(times, 1, "{to}"),
            Some("unknown") => {
                unknown += 1;
                assert!(times <= 1, "{to} got it {times} times");
            }
            other => panic!("{to}: {other:?}: {delivery}"),
        }
    }
    assert!(unknown <= KILLS, "at most one mail a kill: {unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_killed_server_sends_every_call_and_no_mail_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    killed_while_messages_leave(folder.path(), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_a_killed_server_sends_every_call_and_no_mail_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::shared().expect("PostgreSQL");
    let database = cluster.database().expect("a database");
    let url = database.url();
    killed_while_messages_leave(folder.path(), Some(&url)).await;
}

/// A notification is told to its recipient's open pages, and to nobody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_is_told_to_its_recipient_alone() {
    on_both(async |server| {
        let zoe = server.person("zoe", "user").await;
        let ben = server.person("ben", "user").await;
        let mut hears = [
            Stream::open(&zoe, None).await,
            Stream::open(&ben, None).await,
        ];
        let messaging = &server.running.app.messaging;
        let mut told = Vec::new();
        for person in [&zoe, &ben] {
            let me = person.get("/auth/me").await.json();
            let notice = Notice {
                recipient: me["id"].as_str().expect("an id").parse().expect("an id"),
                title: "Maintenance".to_owned(),
                ..Notice::default()
            };
            let queued = messaging.notify(TENANT, &notice).expect("a notice");
            told.push(queued.id.to_string());
            messaging
                .send(TENANT, vec![queued])
                .await
                .expect("a commit");
        }
        // The first thing each hears is his own, though the other's came first for one of them.
        for (stream, id) in hears.iter_mut().zip(&told) {
            let heard = stream.change().await;
            assert_eq!(
                (&heard["entity"], &heard["op"]),
                (&json!("notification"), &json!("created"))
            );
            assert_eq!(heard["id"], id.as_str());
        }
        let unread = async || zoe.get("/notifications/unread").await.json()["count"].clone();
        assert_eq!(unread().await, 1);
        let path = format!("/notifications/{}/read", told[1]);
        assert_eq!(
            zoe.post(&path, &json!({})).await.status,
            StatusCode::NOT_FOUND
        );
        let path = format!("/notifications/{}/read", told[0]);
        assert_eq!(
            zoe.post(&path, &json!({})).await.status,
            StatusCode::NO_CONTENT
        );
        // His other pages count again.
        let heard = hears[0].change().await;
        assert_eq!(
            (&heard["op"], &heard["fields"]),
            (&json!("updated"), &json!(["read_at"]))
        );
        assert_eq!(unread().await, 0);
        // What is for administrators is for nobody else.
        for path in ["/deliveries", "/deliveries/x"] {
            assert!(zoe.get(path).await.status.is_client_error(), "{path}");
        }
        let announced = zoe
            .post("/notifications/announce", &json!({"title": "x"}))
            .await;
        assert_eq!(announced.status, StatusCode::FORBIDDEN);
    })
    .await;
}
