//! A running server with its own folder and database, and somebody who asks it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opsflux_server::config::{Config, Sources};
use opsflux_server::run::{Running, start};
use opsflux_testkit::postgres::{Cluster, Database};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

pub const ADMIN: &str = "admin@opsflux.local";
pub const PASSWORD: &str = "correct-horse-7-battery";

/// Nothing a test waits for takes longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test on both databases.
pub async fn on_both(test: impl AsyncFn(&Server)) {
    let sqlite = Server::start(&[]).await;
    test(&sqlite).await;
    sqlite.stop().await;
    let postgres = Server::on_postgres(&[]).await;
    test(&postgres).await;
    postgres.stop().await;
}

/// A running server.
pub struct Server {
    pub running: Running,
    pub folder: TempDir,
    database: Option<Database>,
}

/// A configuration as somebody would write it, in an empty folder.
pub fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let data = folder.path().join("data").display().to_string();
    let mut environment: Vec<(String, String)> = [
        ("OPSFLUX_MODE", "development"),
        ("OPSFLUX_LISTEN", "127.0.0.1:0"),
        ("OPSFLUX_DATA", data.as_str()),
        ("OPSFLUX_ADMIN_PASSWORD", PASSWORD),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (name, value) in settings {
        environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            environment.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    Config::load(&Sources {
        environment,
        ..Sources::default()
    })
    .expect("a configuration")
}

impl Server {
    /// On SQLite, with these settings besides those of a test; an empty value takes one away.
    pub async fn start(settings: &[(&str, &str)]) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let running = start(config(&folder, settings)).await.expect("a server");
        Server {
            running,
            folder,
            database: None,
        }
    }

    /// On PostgreSQL.
    pub async fn on_postgres(settings: &[(&str, &str)]) -> Server {
        let database = Cluster::shared().and_then(|cluster| cluster.database());
        let database = database.unwrap_or_else(|error| panic!("{error}"));
        let url = database.url();
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .copied()
            .chain([("OPSFLUX_DATABASE_URL", url.as_str())])
            .collect();
        let folder = tempfile::tempdir().expect("a folder");
        let running = start(config(&folder, &settings)).await.expect("a server");
        Server {
            running,
            folder,
            database: Some(database),
        }
    }

    /// Does something in the database behind everybody's back.
    pub fn sql(&self, text: &str) {
        if let Some(database) = &self.database {
            database.sql(text).expect("done");
            return;
        }
        let path = self.folder.path().join("data/opsflux.db");
        let connection = rusqlite::Connection::open(path).expect("the database");
        connection.busy_timeout(PATIENCE).expect("set");
        connection.execute_batch(text).expect("done");
    }

    /// The address of its database, unless that is in the folder.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(Database::url)
    }

    pub async fn stop(self) -> bool {
        self.running.stop().await
    }

    /// Somebody without a session.
    pub fn anybody(&self) -> Client {
        Client::at(self.running.address)
    }

    /// The administrator.
    pub async fn admin(&self) -> Client {
        self.anybody().signed_in(ADMIN, PASSWORD).await
    }

    /// A new person with this role, signed in.
    pub async fn person(&self, name: &str, role: &str) -> Client {
        let admin = self.admin().await;
        let roles = admin.get(&format!("/roles?name={role}")).await.json();
        let email = format!("{name}@example.org");
        let company = admin.get("/companies").await.json()["items"][0]["id"].clone();
        let made = admin
            .post(
                "/users",
                &json!({
                    "full_name": format!("{name} Example"), "email": email, "password": PASSWORD,
                    "company": company,
                    "memberships": [{"role": roles["items"][0]["id"], "company": company}],
                }),
            )
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        self.anybody().signed_in(&email, PASSWORD).await
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub token: Option<String>,
    language: &'static str,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Client {
    /// Somebody who asks the server at this address.
    pub fn at(address: SocketAddr) -> Client {
        Client {
            address,
            token: None,
            language: "en",
        }
    }

    /// The same, who reads another language.
    pub fn in_language(&self, language: &'static str) -> Client {
        Client {
            language,
            ..self.clone()
        }
    }

    /// The same with a session.
    pub async fn signed_in(mut self, email: &str, password: &str) -> Client {
        let tokens = self
            .post(
                "/auth/login",
                &json!({"email": email, "password": password}),
            )
            .await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text());
        self.token = tokens.json()["access_token"].as_str().map(str::to_owned);
        self
    }

    /// A request below `/api/v1`, or of the root when the path begins with `//`.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> http::request::Builder {
        let path = match path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(root) => root.to_owned(),
            None => format!("/api/v1{path}"),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("accept-language", self.language);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }

    /// Sends a request and reads the head of the answer.
    pub async fn open(&self, request: Request<Full<Bytes>>) -> http::Response<Incoming> {
        self.reach(request).await.expect("an answer")
    }

    async fn reach(&self, request: Request<Full<Bytes>>) -> Option<http::Response<Incoming>> {
        let socket = TcpStream::connect(self.address).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.ok()?;
        tokio::spawn(connection);
        tokio::time::timeout(PATIENCE, sender.send_request(request))
            .await
            .expect("an answer in time")
            .ok()
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let answer = self.try_send(method, path, headers, body).await;
        answer.expect("an answer")
    }

    /// As [`Client::send`]; nothing when the connection breaks before the answer is whole.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Option<Answer> {
        let request = self
            .request(method, path, headers)
            .body(Full::new(body.into()));
        let answer = self.reach(request.expect("a request")).await?;
        let (parts, body) = answer.into_parts();
        Some(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.ok()?.to_bytes(),
        })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, Bytes::new()).await
    }

    pub async fn write(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Json,
    ) -> Answer {
        let headers: Vec<(&str, &str)> = [("content-type", "application/json")]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        self.send(method, path, &headers, body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: &Json) -> Answer {
        self.write(Method::POST, path, &[], body).await
    }

    pub async fn patch(&self, path: &str, body: &Json) -> Answer {
        self.write(Method::PATCH, path, &[], body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Bytes::new()).await
    }

    /// The first hit for some words, once there is one: the index follows the feed, and there is
    /// no event a client could wait for.
    pub async fn found(&self, words: &str) -> Json {
        for _ in 0..100 {
            let hits = self.get(&format!("/search?q={words}")).await.json();
            if !hits["items"][0].is_null() {
                return hits["items"][0].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("“{words}” was never found");
    }

    /// A new ticket.
    pub async fn ticket(&self, title: &str) -> Json {
        let made = self.post("/tickets", &json!({"title": title})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()
    }
}
