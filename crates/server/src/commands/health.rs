//! `opsflux health`: asks the running server; for containers that have nothing else to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Done, say};
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer about health is long.
const LONGEST: usize = 64 * 1024;

pub async fn run(config: Config) -> Done {
    let (status, body) =
        tokio::time::timeout(PATIENCE, ask(reachable(config.http.listen))).await??;
    say(&format!("{body}\n"))?;
    Ok(if status.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A server that listens everywhere is asked here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(
    address: SocketAddr,
) -> Result<(http::StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
    let socket = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(socket).await?;
    let connection = tokio::spawn(connection);
    let request = http::Request::get("/health")
        .header(http::header::HOST, address.to_string())
        .body(Empty::<bytes::Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LONGEST)
        .collect()
        .await?
        .to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        let asked = |listen: &str| reachable(listen.parse().expect("an address")).to_string();
        assert_eq!(asked("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(asked("[::]:8080"), "[::1]:8080");
        assert_eq!(asked("192.0.2.1:80"), "192.0.2.1:80");
    }
}
