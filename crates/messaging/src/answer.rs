//! What another system answers: what is kept of it, and what it means.

use std::time::Duration;

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::outgoing::clean;
use crate::queue::Outcome;

/// What is kept of an answer.
const KEPT: usize = 256 * 1024;
/// Headers of an answer that are kept.
const TOLD: [&str; 5] = [
    "content-type",
    "date",
    "location",
    "retry-after",
    "x-request-id",
];
/// An answer, as far as it is kept.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    kept: Vec<u8>,
    whole: bool,
}

impl Answer {
    /// Reads an answer, however long it is.
    pub async fn read(answer: Response<Incoming>) -> Result<Answer, hyper::Error> {
        let (parts, body) = answer.into_parts();
        let (kept, whole) = read(body).await?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            kept,
            whole,
        })
    }

    /// What it means for the delivery.
    pub fn judged(self, now: Timestamp, took: Duration) -> Outcome {
        let response = self.told(took);
        let status = self.status;
        if status.is_success() {
            return Outcome::Sent { response };
        }
        let passes = status.is_server_error()
            || status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS;
        let asked = self.headers.get(RETRY_AFTER);
        let asked = asked.and_then(|value| retry_after(value.to_str().ok()?, now));
        if passes {
            return Outcome::again(format!("answered {status}"), asked, Some(response));
        }
        let error = match self.headers.get(LOCATION) {
            Some(_) if status.is_redirection() => {
                format!("answered {status}; redirects are not followed")
            }
            _ => format!("answered {status}"),
        };
        Outcome::failed(error, Some(response))
    }

    fn told(&self, took: Duration) -> Json {
        let headers = TOLD.iter().filter_map(|name| {
            let value = self.headers.get(*name)?.to_str().ok()?;
            let short: String = value.chars().take(1000).collect();
            Some(((*name).to_owned(), Json::String(short)))
        });
        json!({
            "status": self.status.as_u16(),
            "headers": headers.collect::<serde_json::Map<_, _>>(),
            "body": clean(&String::from_utf8_lossy(&self.kept)),
            "truncated": !self.whole,
            "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// Seconds, or a date as HTTP writes it.
fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(at.duration_since(now).max(SignedDuration::ZERO))
}

/// As much of an answer as is kept, and whether that is all of it.
async fn read(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let room = KEPT - kept.len();
        kept.extend(data.iter().take(room));
        if data.len() > room {
            return Ok((kept, false));
        }
    }
    Ok((kept, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let seconds = |text| retry_after(text, now).map(|pause| pause.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Mon, 02 Mar 2026 08:01:00 GMT"), Some(60));
        assert_eq!(seconds("Sun, 01 Mar 2026 08:01:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
    }
}
