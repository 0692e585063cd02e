//! A real mail server for tests (aiosmtpd, of Debian's package `python3-aiosmtpd`), and what it got.
//!
//! How it treats a message is said by the recipient: `nobody…` and `spam…` are refused for good,
//! `later…` and `full…` at the first time, of `dropped…` the connection breaks when the text has
//! arrived, `slow…` is answered late.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const SERVER: &str = include_str!("smtp.py");

/// Why there is no mail server.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// It does not start.
    #[error("the mail server does not start: install the Debian package python3-aiosmtpd ({0})")]
    Missing(String),
    /// Certificates cannot be made.
    #[error("openssl is needed, install the Debian package openssl: {0}")]
    Openssl(std::io::Error),
}

/// How the server behaves.
#[derive(Debug, Default, Clone)]
pub struct Behaviour {
    /// Whether it wants `ops` to sign in with `right`.
    pub auth: bool,
    /// Whether it wants encryption: after the greeting, or from the first byte.
    pub tls: Option<Encryption>,
    /// Milliseconds that `slow…` waits for an answer.
    pub slow: u32,
}

/// When encryption begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// After the greeting.
    StartTls,
    /// With the first byte.
    Implicit,
}

/// What arrived, and a bell for more of it.
#[derive(Default)]
struct Got {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// A running mail server; it ends with its owner.
pub struct MailServer {
    /// Where it listens on this machine.
    pub port: u16,
    /// The authority of its certificate, when it has one.
    pub authority: Option<PathBuf>,
    child: Child,
    got: Arc<Got>,
}

impl MailServer {
    /// Starts a server; certificates are made in `folder`.
    ///
    /// # Errors
    /// Naming what is missing.
    pub fn start(behaviour: &Behaviour, folder: &Path) -> Result<MailServer, SmtpError> {
        let mut options = vec![
            format!("\"auth\": {}", behaviour.auth),
            format!("\"slow\": {}", behaviour.slow),
        ];
        let mut authority = None;
        if let Some(encryption) = behaviour.tls {
            certificates(folder)?;
            authority = Some(folder.join("ca.pem"));
            let file = |name: &str| folder.join(name).display().to_string();
            options.push(format!("\"certificate\": {:?}", file("server.pem")));
            options.push(format!("\"key\": {:?}", file("server.key")));
            let implicit = encryption == Encryption::Implicit;
            options.push(format!("\"implicit\": {implicit}"));
        }
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", SERVER, &format!("{{{}}}", options.join(", "))])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| SmtpError::Missing(error.to_string()))?;
        let missing = || SmtpError::Missing("it says nothing".to_owned());
        let mut said = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let mut first = String::new();
        said.read_line(&mut first)
            .map_err(|error| SmtpError::Missing(error.to_string()))?;
        let digits: String = first.chars().filter(char::is_ascii_digit).collect();
        let port = digits.parse().map_err(|_| missing())?;
        let got = Arc::new(Got::default());
        let kept = got.clone();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if let Ok(mut lines) = kept.lines.lock() {
                    lines.push(line);
                    kept.more.notify_all();
                }
            }
        });
        Ok(MailServer {
            port,
            authority,
            child,
            got,
        })
    }

    /// What has arrived whole, each as a JSON object: `to`, `from`, `id`, `subject`, `headers`,
    /// `text`, `html`, `encrypted`, `signed_in`.
    #[must_use]
    pub fn got(&self) -> Vec<String> {
        let lines = self.got.lines.lock();
        lines.map(|lines| lines.clone()).unwrap_or_default()
    }

    /// The same, once there are so many, or after ten seconds: the server says what it got before it
    /// answers, but on its own way.
    #[must_use]
    pub fn got_at_least(&self, count: usize) -> Vec<String> {
        let Ok(lines) = self.got.lines.lock() else {
            return Vec::new();
        };
        let patience = Duration::from_secs(10);
        let few = |lines: &mut Vec<String>| lines.len() < count;
        let waited = self.got.more.wait_timeout_while(lines, patience, few);
        waited.map(|(lines, _)| lines.clone()).unwrap_or_default()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority of our own, and a certificate it gives this machine.
fn certificates(folder: &Path) -> Result<(), SmtpError> {
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let steps: [&[&str]; 2] = [
        &[
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Ours",
            "-keyout", "ca.key", "-out", "ca.pem",
        ],
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-keyout",
            "server.key",
            "-out",
            "server.pem",
        ],
    ];
    for arguments in steps {
        let made = Command::new("openssl")
            .current_dir(folder)
            .args(arguments)
            .output()
            .map_err(SmtpError::Openssl)?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(SmtpError::Openssl(std::io::Error::other(said)));
        }
    }
    Ok(())
}
