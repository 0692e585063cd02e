//! A request through the whole server but its socket, and answers without what differs by chance.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use opsflux_model::EntityIx;
use opsflux_server::http::router;
use serde_json::Value as Json;
use tower_service::Service;

use crate::support::{Client, PATIENCE, Server};

/// How ids begin that a test chose: the same in both worlds, so they are compared as they are.
pub const CHOSEN: &str = "019fface-";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// From which address.
    pub from: Ipv4Addr,
}

impl Asked {
    pub fn get(path: impl Into<String>) -> Asked {
        Asked {
            method: Method::GET,
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
            from: Ipv4Addr::LOCALHOST,
        }
    }

    /// From an address of its own: of the refused attempts from one, not all are written down.
    pub fn from(mut self, entity: EntityIx, record: u32) -> Asked {
        let entity = u8::try_from(entity.0).unwrap_or(255);
        self.from = Ipv4Addr::new(127, 1, entity, u8::try_from(record).unwrap_or(255));
        self
    }

    pub fn with(method: Method, path: impl Into<String>, body: &Json) -> Asked {
        Asked {
            method,
            body: body.to_string(),
            ..Asked::get(path).header("content-type", "application/json")
        }
    }

    pub fn post(path: impl Into<String>, body: &Json) -> Asked {
        Asked::with(Method::POST, path, body)
    }

    pub fn patch(path: impl Into<String>, body: &Json) -> Asked {
        Asked::with(Method::PATCH, path, body)
    }

    pub fn delete(path: impl Into<String>) -> Asked {
        Asked {
            method: Method::DELETE,
            ..Asked::get(path)
        }
    }

    /// What an answer may repeat.
    pub fn question(&self) -> String {
        let path = percent_encoding::percent_decode_str(&self.path).decode_utf8_lossy();
        format!("{path} {} {:?}", self.body, self.headers)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Asked {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What came back.
pub struct Said {
    pub status: StatusCode,
    /// Headers and body as they came.
    pub raw: String,
    /// The body.
    pub body: String,
}

impl Said {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or(Json::Null)
    }
}

/// Somebody with a session. What he asks is answered without a socket, which is the same and faster.
#[derive(Clone)]
pub struct Wire {
    client: Client,
    router: Router,
}

impl Wire {
    pub fn of(server: &Server, client: &Client) -> Wire {
        Wire {
            client: client.clone(),
            router: router(server.running.app.clone()),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn ask(&self, asked: &Asked) -> Said {
        let headers: Vec<(&str, &str)> = asked
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = self
            .client
            .request(asked.method.clone(), &asked.path, &headers)
            .header("content-length", asked.body.len())
            .extension(ConnectInfo(SocketAddr::from((asked.from, 1))))
            .body(Body::from(asked.body.clone()))
            .unwrap_or_else(|error| panic!("{error} in {asked:?}"));
        let answer = tokio::time::timeout(6 * PATIENCE, self.router.clone().call(request)).await;
        let Ok(answer) = answer.expect("an answer in time");
        let status = answer.status();
        let mut raw = format!("{status}\n");
        let mut names: Vec<&http::HeaderName> = answer.headers().keys().collect();
        names.sort_by_key(|name| name.as_str());
        for name in names {
            for value in answer.headers().get_all(name) {
                let value = String::from_utf8_lossy(value.as_bytes());
                raw.push_str(&format!("{name}: {value}\n"));
            }
        }
        let body = answer.into_body().collect().await.expect("a whole answer");
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        raw.push('\n');
        raw.push_str(&body);
        Said { status, raw, body }
    }
}

/// `text` without what is rightly different each time: ids made by the server, moments of now,
/// ids of requests, cursors, numbers of series, and the name of the world itself.
pub fn plain(text: &str, tag: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let chance = [
            "date: ",
            "x-request-id: ",
            "content-length: ",
            "set-cookie: ",
        ];
        if !chance.iter().any(|name| line.starts_with(name)) {
            plain.push_str(line);
        }
    }
    let plain = plain.replace(tag, "WORLD");
    let plain = cut(&plain, "\"request_id\":\"", "\"");
    let plain = cut(&plain, "\"next_cursor\":\"", "\"");
    let plain = cut(&plain, "\"organization_id\":\"", "\"");
    let plain = cut(&plain, "\"sequence\":", ",");
    unnumbered(&scan(&plain))
}

/// Places in the chain of the audit have gaps where one may not look: lines of a table without them.
fn unnumbered(text: &str) -> String {
    let mut parts = text.split(",T,H,").peekable();
    let mut out = String::new();
    while let Some(part) = parts.next() {
        let number = part.len() - part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        match parts.peek() {
            Some(_) => out.push_str(&part[..part.len() - number]),
            None => out.push_str(part),
        }
        out.push_str(",T,H,");
    }
    out
}

/// `text` with what stands between `before` and `after` left out.
fn cut(text: &str, before: &str, after: &str) -> String {
    let mut parts = text.split(before);
    let mut cut = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(after).map_or("", |end| &part[end..]);
        cut.push_str(before);
        cut.push_str(rest);
    }
    cut
}

fn scan(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if begins && is_like(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            if rest.starts_with(CHOSEN.as_bytes()) {
                out.extend_from_slice(&rest[..36]);
            } else {
                out.push(b'U');
            }
            at += 36;
        } else if begins && is_like(rest, "202d-dd-ddTdd:dd:dd") {
            let end = rest.iter().position(|byte| *byte == b'Z').unwrap_or(18);
            out.push(b'T');
            at += end + 1;
        } else if let Some(end) = hash(rest).filter(|_| begins) {
            out.push(b'H');
            at += end;
        } else if begins && is_like(rest, "AAA-dddddd") {
            out.push(b'N');
            at += 10;
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How long the sum over what is salted by chance is, or the signature, that stands here.
fn hash(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_hexdigit());
    end.filter(|end| {
        matches!(end, 32 | 64) && !bytes.get(*end).is_some_and(u8::is_ascii_alphanumeric)
    })
}

fn is_like(bytes: &[u8], shape: &str) -> bool {
    bytes.len() >= shape.len()
        && shape.bytes().zip(bytes).all(|(shape, byte)| match shape {
            b'x' => byte.is_ascii_hexdigit(),
            b'd' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            other => other == *byte,
        })
}
