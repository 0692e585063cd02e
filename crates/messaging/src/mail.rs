//! Mail: making a message, and handing it to the mail server.
//!
//! The dialogue is driven step by step, because what a broken connection means depends on the step:
//! before the text leaves nothing has happened; after the last dot and before the answer nobody can
//! know.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use serde_json::{Value as Json, json};

use crate::outgoing::clean;
use crate::queue::Outcome;

/// From the name of the server to the end of the log-in.
const TO_CONNECT: Duration = Duration::from_secs(30);
/// Sender and recipient.
const TO_ADDRESS: Duration = Duration::from_secs(30);
/// The text, and the answer to it: servers look for viruses before they answer.
const TO_HAND_OVER: Duration = Duration::from_secs(120);

/// How a connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Not at all.
    None,
    /// After the greeting; never in clear.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
}

/// The mail server.
#[derive(Clone)]
pub struct MailConfig {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Log-in, when it wants one.
    pub user: Option<String>,
    /// Password of the log-in.
    pub password: Option<String>,
    /// Who the mails are from: an address, or `Name <address>`.
    pub from: String,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Authorities besides the system's, as PEM: a company's own.
    pub authorities: Option<PathBuf>,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailConfig({}:{})", self.host, self.port)
    }
}

/// Why the dialogue came to an end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server says no, or breaks off.
    #[error("{step}: {}", cause(.error))]
    Smtp {
        /// Where.
        step: &'static str,
        /// What it says.
        error: SmtpError,
    },
    /// The server says nothing.
    #[error("{step}: no answer within {seconds} seconds")]
    Late {
        /// Where.
        step: &'static str,
        /// How long it was given.
        seconds: u64,
    },
    /// The message cannot be made, or the server cannot be asked.
    #[error("{0}")]
    Cannot(String),
}

impl Trouble {
    /// What it means before the text has left.
    pub(crate) fn before(self) -> Outcome {
        let error = self.to_string();
        match self {
            Trouble::Smtp { error: smtp, .. } if smtp.is_permanent() || smtp.is_client() => {
                Outcome::failed(error, None)
            }
            Trouble::Cannot(_) => Outcome::failed(error, None),
            Trouble::Smtp { .. } | Trouble::Late { .. } => Outcome::again(error, None, None),
        }
    }

    /// What it means once the text was on its way: without an answer nobody knows.
    pub(crate) fn after(self) -> Outcome {
        match &self {
            Trouble::Smtp { error, .. } if error.status().is_some() => self.before(),
            _ => Outcome::Unknown {
                error: self.to_string(),
            },
        }
    }
}

/// What lies below an error: its own words often are but its kind.
fn cause(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    text
}

/// The mailbox that `text` is.
#[must_use]
pub fn mailbox(text: &str) -> Option<Mailbox> {
    let plain = !text.chars().any(char::is_control) && text.len() <= 320;
    plain.then(|| text.trim().parse().ok()).flatten()
}

/// A message ready to be handed over.
pub(crate) struct Letter {
    envelope: Envelope,
    bytes: Vec<u8>,
}

impl Letter {
    /// Makes the message of a delivery; the same key makes the same Message-ID.
    pub fn new(
        from: &str,
        to: &str,
        subject: &str,
        payload: &Json,
        key: &str,
        now: Timestamp,
    ) -> Result<Letter, Trouble> {
        let wrong = |what: &str| Trouble::Cannot(format!("“{what}” is no mail address"));
        let from = mailbox(from).ok_or_else(|| wrong(from))?;
        let to = mailbox(to).ok_or_else(|| wrong(to))?;
        let text = payload["text"].as_str().unwrap_or_default();
        let made;
        let html = match payload["html"].as_str() {
            Some(html) => html,
            None => {
                made = html_of(text);
                &made
            }
        };
        let id = crate::outgoing::id_of("message", 0, key);
        let id = format!("<{}@{}>", id.simple(), from.email.domain());
        let mut builder = Message::builder()
            .message_id(Some(id))
            .date(SystemTime::from(now))
            .from(from)
            .to(to)
            .subject(subject)
            // Out-of-office notes and the like are not to answer.
            .header(AutoSubmitted);
        if let Some(reply_to) = payload["reply_to"].as_str() {
            builder = builder.reply_to(mailbox(reply_to).ok_or_else(|| wrong(reply_to))?);
        }
        let parts = MultiPart::alternative_plain_html(text.to_owned(), html.to_owned());
        let message = builder
            .multipart(parts)
            .map_err(|error| Trouble::Cannot(error.to_string()))?;
        Ok(Letter {
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
        })
    }
}

/// `Auto-Submitted: auto-generated` (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The text as HTML: paragraphs and lines, and nothing in it means anything.
fn html_of(text: &str) -> String {
    let mut html = String::from("<!doctype html><html><body>");
    for paragraph in text.replace("\r\n", "\n").split("\n\n") {
        let lines: Vec<String> = paragraph.trim().lines().map(escaped).collect();
        html.push_str("<p>");
        html.push_str(&lines.join("<br>"));
        html.push_str("</p>");
    }
    html.push_str("</body></html>");
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A connection to the mail server, signed in.
pub(crate) struct Session(AsyncSmtpConnection);

impl Session {
    /// Connects and signs in.
    pub async fn open(config: &MailConfig) -> Result<Session, Trouble> {
        within("connect", TO_CONNECT, Session::connected(config)).await
    }

    async fn connected(config: &MailConfig) -> Result<Session, Trouble> {
        let from = mailbox(&config.from)
            .ok_or_else(|| Trouble::Cannot(format!("mail.from: “{}”", config.from)))?;
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let tls = match config.tls {
            Tls::None => None,
            _ => Some(encryption(config).await?),
        };
        let implicit = tls.clone().filter(|_| config.tls == Tls::Tls);
        let server = (config.host.as_str(), config.port);
        let connected =
            AsyncSmtpConnection::connect_tokio1(server, Some(TO_CONNECT), &hello, implicit, None);
        let mut session = step("connect", connected.await)?;
        if let (Tls::StartTls, Some(tls)) = (config.tls, tls) {
            step("STARTTLS", session.starttls(tls, &hello).await)?;
        }
        if let Some(user) = &config.user {
            let password = config.password.clone().unwrap_or_default();
            let credentials = Credentials::new(user.clone(), password);
            step(
                "log-in",
                session.auth(DEFAULT_MECHANISMS, &credentials).await,
            )?;
        }
        Ok(Session(session))
    }

    /// Names sender and recipient; the server may refuse either.
    pub async fn address(&mut self, letter: &Letter) -> Result<(), Trouble> {
        within("address", TO_ADDRESS, async {
            let from = MailFrom::new(letter.envelope.from().cloned(), Vec::new());
            step("MAIL FROM", self.0.command(from).await)?;
            for to in letter.envelope.to() {
                let to = Rcpt::new(to.clone(), Vec::new());
                step("RCPT TO", self.0.command(to).await)?;
            }
            step("DATA", self.0.command(Data).await).map(|_| ())
        })
        .await
    }

    /// Hands the text over; what the server says to it.
    pub async fn hand_over(&mut self, letter: &Letter) -> Result<Json, Trouble> {
        let handed = self.0.message(&letter.bytes);
        let answer = within("text", TO_HAND_OVER, async { step("text", handed.await) });
        let answer = answer.await?;
        let lines: Vec<&str> = answer.message().collect();
        let reply = clean(&format!("{} {}", answer.code(), lines.join(" ")));
        Ok(json!({"reply": reply}))
    }

    /// Says good-bye; whatever the server thinks of that.
    pub async fn close(mut self) {
        let quit = async {
            // The message is decided by now.
            let _ = self.0.quit().await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), quit).await;
    }
}

fn step<T>(step: &'static str, done: Result<T, SmtpError>) -> Result<T, Trouble> {
    done.map_err(|error| Trouble::Smtp { step, error })
}

async fn within<T>(
    step: &'static str,
    time: Duration,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let seconds = time.as_secs();
    tokio::time::timeout(time, work)
        .await
        .unwrap_or(Err(Trouble::Late { step, seconds }))
}

async fn encryption(config: &MailConfig) -> Result<TlsParameters, Trouble> {
    let cannot = |error: &dyn fmt::Display| Trouble::Cannot(error.to_string());
    let mut builder: TlsParametersBuilder = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.authorities {
        let pem = tokio::fs::read(file)
            .await
            .map_err(|error| cannot(&format!("{}: {error}", file.display())))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| cannot(&error))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| cannot(&error))
}

/// Connects, signs in and leaves: whether mail could be sent.
///
/// # Errors
/// [`Trouble`], in words for whoever set it up.
pub async fn check(config: &MailConfig) -> Result<(), Trouble> {
    Session::open(config).await?.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, payload: &Json) -> String {
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        let letter = Letter::new(
            "OpsFlux <ops@example.org>",
            "Zoé <zoe@example.org>",
            subject,
            payload,
            "key",
            now,
        );
        String::from_utf8(letter.unwrap().bytes).unwrap()
    }

    #[test]
    fn a_letter_has_text_and_html() {
        let letter = letter("Bonjour", &json!({"text": "a < b\nc\n\nd"}));
        assert!(letter.contains("Content-Type: multipart/alternative"));
        let plain = letter.find("text/plain").unwrap();
        let html = letter.find("text/html").unwrap();
        assert!(plain < html, "the last one is preferred");
        assert!(letter.contains("<p>a &lt; b<br>c</p><p>d</p>"), "{letter}");
        assert!(letter.contains("Auto-Submitted: auto-generated"));
        assert!(letter.contains("Date: Mon, 02 Mar 2026 08:00:00 +0000"));
    }

    #[test]
    fn nobody_writes_a_header_into_the_subject() {
        let letter = letter("a\r\nBcc: eve@example.org", &json!({"text": "x"}));
        let head = letter.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }

    #[test]
    fn an_address_is_one_address() {
        for good in [
            "a@example.org",
            "Zoé Ndong <zoe@example.org>",
            " a@b.example ",
        ] {
            assert!(mailbox(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b",
            "a@b c",
            "a@example.org, b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "<a@example.org",
            "a@example.org>",
            "a\0@example.org",
        ] {
            assert!(mailbox(bad).is_none(), "{bad:?}");
        }
    }
}
