//! Calling another system: one request, to an address that was looked at, within a time.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use opsflux_records::Error;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::answer::Answer;
use crate::message::Request;
use crate::queue::Outcome;
use crate::{address, sign};

/// What the channel sends itself, or what would change how the request is read.
const OURS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "opsflux-signature",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a call may take and reach.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Whether this machine and private networks may be called.
    pub allow_private: bool,
    /// From the name to the end of the answer.
    pub within: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            allow_private: false,
            within: Duration::from_secs(10),
        }
    }
}

/// Checks what can be known of a request before it is made.
///
/// # Errors
/// [`Error::Invalid`] naming `url` or `headers`.
pub(crate) fn check(request: &Request) -> Result<(), Error> {
    target(&request.url).ok_or_else(|| Error::field("url", "invalid_url", ""))?;
    let headers = headers(request);
    headers
        .map(|_| ())
        .ok_or_else(|| Error::field("headers", "not_allowed", ""))
}

/// The address of a call: with a host, without a log-in.
fn target(url: &str) -> Option<Url> {
    let url = Url::parse(url)
        .ok()
        .filter(|url| url.as_str().len() <= 2048)?;
    let known = matches!(url.scheme(), "http" | "https");
    let bare = url.username().is_empty() && url.password().is_none();
    (known && bare && url.host().is_some()).then_some(url)
}

fn headers(request: &Request) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().ok()?;
        if OURS.contains(&name.as_str()) {
            return None;
        }
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    Some(headers)
}

/// The host that is called, so that one that never answers does not hold up the others.
pub(crate) fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Makes calls.
pub(crate) struct Caller {
    limits: Limits,
    tls: OnceLock<Result<TlsConnector, String>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("{0} is no address that may be called")]
    NoTarget(String),
    #[error("{0} is in a private network; http.allow_private_targets would allow it")]
    Private(String),
    #[error("the name {0} is not found: {1}")]
    NoName(String, std::io::Error),
    #[error("no connection: {0}")]
    NoConnection(std::io::Error),
    #[error("no encrypted connection: {0}")]
    NoTls(String),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("no answer within {0} seconds")]
    Late(u64),
}

impl NoAnswer {
    /// Whether another try is of no use.
    fn is_final(&self) -> bool {
        matches!(self, NoAnswer::NoTarget(_) | NoAnswer::Private(_))
    }
}

impl Caller {
    pub fn new(limits: Limits) -> Caller {
        Caller {
            limits,
            tls: OnceLock::new(),
        }
    }

    /// Makes one call and judges what comes of it.
    pub async fn call(
        &self,
        request: &Request,
        key: &str,
        secret: Option<&str>,
        now: Timestamp,
    ) -> Outcome {
        let began = Instant::now();
        let answered = tokio::time::timeout(self.limits.within, async {
            let url =
                target(&request.url).ok_or_else(|| NoAnswer::NoTarget(request.url.clone()))?;
            let sent = prepared(request, &url, key, secret, now)
                .ok_or_else(|| NoAnswer::NoTarget(request.url.clone()))?;
            self.answer(&url, sent).await
        })
        .await
        .unwrap_or(Err(NoAnswer::Late(self.limits.within.as_secs())));
        match answered {
            Ok(answer) => answer.judged(now, began.elapsed()),
            Err(error) if error.is_final() => Outcome::failed(error.to_string(), None),
            Err(error) => Outcome::again(error.to_string(), None, None),
        }
    }

    async fn answer(
        &self,
        url: &Url,
        sent: http::Request<Full<Bytes>>,
    ) -> Result<Answer, NoAnswer> {
        let stream = self.connect(url).await?;
        if url.scheme() == "https" {
            let host = url.host_str().unwrap_or_default();
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                .map_err(|error| NoAnswer::NoTls(error.to_string()))?;
            let tls = self.tls().map_err(NoAnswer::NoTls)?;
            let stream = tls
                .connect(name, stream)
                .await
                .map_err(|error| NoAnswer::NoTls(error.to_string()))?;
            exchange(stream, sent).await
        } else {
            exchange(stream, sent).await
        }
    }

    /// The name is resolved here and nowhere else.
    async fn connect(&self, url: &Url) -> Result<TcpStream, NoAnswer> {
        let port = url.port_or_known_default().unwrap_or(443);
        let named = url.host_str().unwrap_or_default().to_owned();
        let found: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(address, port).into()],
            Some(Host::Ipv6(address)) => vec![(address, port).into()],
            _ => {
                let found = lookup_host((named.as_str(), port)).await;
                found
                    .map_err(|error| NoAnswer::NoName(named.clone(), error))?
                    .collect()
            }
        };
        let allowed = address::allowed(&found, self.limits.allow_private);
        if allowed.is_empty() {
            return Err(NoAnswer::Private(named));
        }
        let stream = TcpStream::connect(allowed.as_slice())
            .await
            .map_err(NoAnswer::NoConnection)?;
        Ok(stream)
    }

    /// Trusts whom the system trusts; read once, when first needed.
    fn tls(&self) -> Result<TlsConnector, String> {
        let made = self.tls.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(TlsConnector::from(Arc::new(config)))
        });
        made.clone()
    }
}

fn prepared(
    request: &Request,
    url: &Url,
    key: &str,
    secret: Option<&str>,
    now: Timestamp,
) -> Option<http::Request<Full<Bytes>>> {
    let body = Bytes::from(request.body.clone().unwrap_or_default());
    let mut headers = headers(request)?;
    let host = match (url.host_str()?, url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    headers.insert(HOST, HeaderValue::from_str(&host).ok()?);
    headers.insert("idempotency-key", HeaderValue::from_str(key).ok()?);
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static("OpsFlux"));
    if request.body.is_some() {
        let json = HeaderValue::from_static("application/json");
        headers.entry(CONTENT_TYPE).or_insert(json);
    }
    if let Some(secret) = secret {
        let signature = sign::signature(secret, now, &body);
        headers.insert(sign::HEADER, HeaderValue::from_str(&signature).ok()?);
    }
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut sent = http::Request::builder()
        .method(request.method.name())
        .uri(path)
        .body(Full::new(body))
        .ok()?;
    *sent.headers_mut() = headers;
    Some(sent)
}

/// Ends the connection when its answer is no longer waited for.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn exchange<S>(stream: S, sent: http::Request<Full<Bytes>>) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _driver = Driver(tokio::spawn(async move {
        // What breaks is told to whoever waits for the answer.
        let _ = connection.await;
    }));
    let answer = sender.send_request(sent).await?;
    Ok(Answer::read(answer).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter();
        Request {
            url: url.into(),
            headers: headers.map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            ..Request::default()
        }
    }

    #[test]
    fn an_address_is_of_the_web_and_holds_no_log_in() {
        assert!(check(&request("https://example.org/hook?a=1", &[])).is_ok());
        for url in [
            "",
            "example.org",
            "file:///etc/passwd",
            "ftp://example.org",
            "gopher://example.org",
            "https://",
            "https://user:pass@example.org",
            "https://user@example.org",
            &format!("https://example.org/{}", "a".repeat(2100)),
        ] {
            assert!(check(&request(url, &[])).is_err(), "{url}");
        }
    }

    #[test]
    fn headers_cannot_change_how_a_request_is_read() {
        assert!(
            check(&request(
                "https://example.org",
                &[("Authorization", "Bearer x")]
            ))
            .is_ok()
        );
        for (name, value) in [
            ("Host", "internal"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "5"),
            ("Idempotency-Key", "mine"),
            ("OpsFlux-Signature", "t=1"),
            ("X", "a\r\nHost: internal"),
            ("X: y\r\nZ", "a"),
            ("", "a"),
        ] {
            let refused = check(&request("https://example.org", &[(name, value)]));
            assert!(refused.is_err(), "{name}: {value:?}");
        }
    }
}
