//! A server that is called, and writes down how. What it answers is said by the path.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

pub struct Target {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Target {
    pub async fn start() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move {
                    let _ = answer(stream, &kept).await;
                });
            }
        });
        Target { address, got }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().clone()
    }
}

async fn answer(mut stream: TcpStream, kept: &Mutex<Vec<Got>>) -> std::io::Result<()> {
    let Some(got) = request(&mut stream).await? else {
        return Ok(());
    };
    let path = got.line.split(' ').nth(1).unwrap_or_default().to_owned();
    let seen = {
        let mut kept = kept.lock();
        let before = kept.iter().filter(|other| other.line == got.line).count();
        kept.push(got);
        before
    };
    let said = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
    };
    let text = match path.as_str() {
        "/never" => std::future::pending().await,
        "/closes" => return Ok(()),
        "/broken" => said("500 Oops", "", "no"),
        "/twice" if seen < 2 => said("503 Later", "", ""),
        "/busy" if seen == 0 => said("429 Busy", "retry-after: 120\r\n", ""),
        "/gone" => said("410 Gone", "", "not here"),
        "/moved" => said("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
        "/endless" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await?;
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
        "/nonsense" => "GET out of here\r\n\r\n".to_owned(),
        "/bytes" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\x00\xff\x00a")
                .await?;
            return Ok(());
        }
        _ => said("200 OK", "content-type: text/plain\r\n", "taken"),
    };
    stream.write_all(text.as_bytes()).await
}

async fn request(stream: &mut TcpStream) -> std::io::Result<Option<Got>> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&read[..head]).into_owned();
    let mut lines = text.lines().map(str::to_owned);
    let line = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    while read.len() < head + 4 + length {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&read[head + 4..]).into_owned();
    Ok(Some(Got {
        line,
        headers,
        body,
    }))
}
