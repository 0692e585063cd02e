//! A server for tests that ask it from outside: on a folder of its own with the demo company,
//! ended with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::steps::{Failed, program, root, run};

/// The first administrator's password.
pub const ADMIN_PASSWORD: &str = "correct-horse-7-battery";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Server {
    process: Child,
    folder: PathBuf,
    /// `127.0.0.1:PORT`.
    address: String,
    /// Kept open: whoever writes to a closed pipe fails.
    _said: BufReader<ChildStdout>,
}

impl Server {
    /// Builds the program, fills a fresh folder below `target/` with the demo company and starts.
    ///
    /// # Errors
    /// When one of these does not work.
    pub fn with_demo(tickets: u32) -> Result<Server, Failed> {
        run(program(
            "cargo",
            &["build", "--quiet", "--package", "opsflux"],
            "",
        ))?;
        let folder = root().join(format!("target/contract-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut demo = opsflux(&folder);
        demo.args(["demo", "--tickets", &tickets.to_string()]);
        crate::steps::output(demo)?;
        let log = std::fs::File::create(folder.join("server.log"))?;
        let mut process = opsflux(&folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let (address, said) = listening(&mut process)?;
        Ok(Server {
            process,
            folder,
            address,
            _said: said,
        })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is asked.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The body of a page.
    ///
    /// # Errors
    /// When it does not answer 200.
    pub fn get(&self, path: &str, token: Option<&str>) -> Result<String, Failed> {
        let token = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        self.ask(&format!("GET {path} HTTP/1.1\r\n{token}"), "")
    }

    /// An access token.
    ///
    /// # Errors
    /// When the person may not sign in.
    pub fn sign_in(&self, email: &str, password: &str) -> Result<String, Failed> {
        let body = format!("{{\"email\":\"{email}\",\"password\":\"{password}\"}}");
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n";
        let answer = self.ask(head, &body)?;
        let token = answer
            .split_once("\"access_token\":\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        token
            .map(|(token, _)| token.to_owned())
            .ok_or_else(|| Failed(format!("no token in {answer}")))
    }

    /// One request on a connection of its own; the body of a good answer.
    fn ask(&self, head: &str, body: &str) -> Result<String, Failed> {
        let mut socket = TcpStream::connect(&self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let (host, length) = (&self.address, body.len());
        write!(
            socket,
            "{head}Host: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let good = answer.starts_with("HTTP/1.1 2");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if good {
            Ok(body.to_owned())
        } else {
            let request = head.lines().next().unwrap_or_default();
            Err(Failed(format!("{request} {body}")))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The program on a folder.
fn opsflux(folder: &Path) -> Command {
    let mut command = Command::new(root().join("target/debug/opsflux"));
    command
        .current_dir(folder)
        .env("OPSFLUX_MODE", "development")
        .env("OPSFLUX_DATA", folder.join("data"))
        .env("OPSFLUX_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .env("OPSFLUX_HTTP__RATE_LIMIT", "0")
        .env_remove("OPSFLUX_DATABASE_URL");
    command
}

/// Waits for the line that says where it listens.
fn listening(process: &mut Child) -> Result<(String, BufReader<ChildStdout>), Failed> {
    let said = process
        .stdout
        .take()
        .ok_or_else(|| Failed("the server has no stdout".to_owned()))?;
    let mut said = BufReader::new(said);
    let mut line = String::new();
    while said.read_line(&mut line)? > 0 {
        if let Some((_, address)) = line.split_once("listens on http://") {
            return Ok((address.trim().to_owned(), said));
        }
        line.clear();
    }
    Err(Failed("the server ended before it listened".to_owned()))
}
