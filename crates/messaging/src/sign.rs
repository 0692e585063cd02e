//! The signature of a call: who receives one knows that it is ours, unaltered and of now.
//!
//! `OpsFlux-Signature: t=UNIX,v1=HEX`, where HEX is HMAC-SHA256 of `t.body` under the secret that
//! both sides know.

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};

/// Name of the header.
pub const HEADER: &str = "opsflux-signature";

/// The value of the header for `body`, sent at `at`.
#[must_use]
pub fn signature(secret: &str, at: Timestamp, body: &[u8]) -> String {
    let second = at.as_second();
    let tag = hmac::sign(&key(secret), &signed(second, body));
    format!("t={second},v1={}", hex(tag.as_ref()))
}

/// Whether `header` signs `body` under `secret`, at most `tolerance` from `now`. In constant time.
#[must_use]
pub fn is_signed(
    secret: &str,
    header: &str,
    body: &[u8],
    now: Timestamp,
    tolerance: SignedDuration,
) -> bool {
    let mut second = None;
    let mut tags = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) => second = text.parse::<i64>().ok(),
            Some(("v1", text)) => tags.extend(unhex(text)),
            _ => {}
        }
    }
    let Some(second) = second else { return false };
    let Ok(at) = Timestamp::from_second(second) else {
        return false;
    };
    let key = key(secret);
    let signed = signed(second, body);
    now.duration_since(at).abs() <= tolerance
        && tags
            .iter()
            .any(|tag| hmac::verify(&key, &signed, tag).is_ok())
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn signed(second: i64, body: &[u8]) -> Vec<u8> {
    let mut signed = format!("{second}.").into_bytes();
    signed.extend_from_slice(body);
    signed
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: SignedDuration = SignedDuration::from_secs(300);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_is_the_documented_hmac() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret
        assert_eq!(
            signature("s3cret", at(1_700_000_000), br#"{"a":1}"#),
            "t=1700000000,v1=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940"
        );
    }

    #[test]
    fn only_the_same_secret_body_and_time_pass() {
        let header = signature("s3cret", at(1000), b"body");
        let passes = |secret, header: &str, body: &[u8], now| {
            is_signed(secret, header, body, at(now), MINUTES)
        };
        assert!(passes("s3cret", &header, b"body", 1000));
        assert!(passes("s3cret", &format!("v1=00,{header}"), b"body", 1300));
        assert!(!passes("other", &header, b"body", 1000));
        assert!(!passes("s3cret", &header, b"bodY", 1000));
        assert!(!passes("s3cret", &header, b"body", 1301), "too old");
        assert!(!passes("s3cret", &header, b"body", 600), "of the future");
        assert!(!passes(
            "s3cret",
            &header.replace("t=1000", "t=1001"),
            b"body",
            1000
        ));
        for nonsense in ["", "t=1000", "t=x,v1=", "v1=é", &"v1=".repeat(1000)] {
            assert!(!passes("s3cret", nonsense, b"body", 1000), "{nonsense}");
        }
    }
}
